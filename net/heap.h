/* heap: general allocation inside one fixed block, for libraries that call malloc (Mbed TLS,
 * jansson): nothing they do can take memory that was not planned. Segregated lists of free blocks,
 * 4 per power of two, found by two bit maps: constant time, at most 25 % rounding; neighbours merge
 * on free (after Masmano et al., "TLSF: a New Dynamic Memory Allocator for Real-Time Systems",
 * 2004).
 *
 *   | header | payload ... | header | payload ... | end header |
 *   header: size of the block before, own size | used bit
 *
 * Thread: owner's. Allocates: never. Full = NULL, and n_refused counts it. */
#ifndef NET_HEAP_H
#define NET_HEAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { HEAP_N_CLASSES = 40, HEAP_N_STEPS = 4, HEAP_ALIGN_BYTES = 16 };

struct heap_block;

struct heap {
    char *base;
    size_t room_bytes;
    size_t used_bytes, peak_bytes; /* headers included */
    uint64_t n_refused;
    uint64_t class_map;                /* bit c: some step of class c has a free block */
    uint32_t step_map[HEAP_N_CLASSES]; /* bit s: idle[c][s] is not empty */
    struct heap_block *idle[HEAP_N_CLASSES][HEAP_N_STEPS];
};

/* memory: HEAP_ALIGN_BYTES aligned, at least 64 bytes. */
void heap_init(struct heap *h, void *memory, size_t n_bytes);

/* HEAP_ALIGN_BYTES aligned, not zeroed. NULL if there is no room. */
void *heap_alloc(struct heap *h, size_t n_bytes);
void *heap_alloc_zeroed(struct heap *h, size_t n_items, size_t item_bytes);
void heap_free(struct heap *h, void *p); /* NULL is fine */

/* Walks all blocks: true if sizes, merging and the used sum agree (tests). */
bool heap_is_sound(const struct heap *h);

#endif
