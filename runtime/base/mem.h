/* mem: counted malloc for start-up and tools. After mem_freeze() every allocation fails, so that a
 * request path that allocates is found; tests make the n-th allocation fail, for every n, to walk
 * each failure path. Thread: the thread that starts the role or runs the tool, and no other. Tables
 * live until their owner frees them. */
#ifndef RUNTIME_BASE_MEM_H
#define RUNTIME_BASE_MEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* n_items * item_bytes zeroed bytes (at least 1), 16-byte aligned. NULL: no memory, overflow,
 * frozen, or an armed fault. */
void *mem_alloc(uint64_t n_items, uint64_t item_bytes);

/* Resize what mem_alloc gave (or NULL) from n_old to n_items items; the growth is zeroed. NULL: p
 * is untouched. */
void *mem_grow(void *p, uint64_t n_old, uint64_t n_items, uint64_t item_bytes);

void mem_free(void *p); /* NULL is fine */

uint64_t mem_n_live(void);      /* allocations not yet freed */
uint64_t mem_taken_bytes(void); /* all sizes ever asked for and given; frees are not subtracted */
void mem_freeze(void);          /* from now on mem_alloc and mem_grow fail */

/* Tests: let n allocations pass and fail the next one, once. */
void mem_fault_arm(uint64_t n);
bool mem_fault_fired(void); /* since the last arm; also disarms */

#endif
