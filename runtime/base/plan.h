/* plan: every byte the process will need, as a list of named regions of one arena, sized before
 * anything is taken. Flow: each part calls plan_add (size only) -> boot prints the table and
 * compares it with the budget -> arena_open takes total_bytes once -> plan offsets become pointers
 * (arena_at).   Thread: start-up only.   Allocates: never. */
#ifndef RUNTIME_BASE_PLAN_H
#define RUNTIME_BASE_PLAN_H

#include "runtime/base/err.h"

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum { PLAN_MAX_REGIONS = 160, PLAN_NAME_BYTES = 40, PLAN_ALIGN_BYTES = 64 };

/* Counted in the table alike; only the arena's regions have an offset. */
enum plan_place { PLAN_ARENA, PLAN_MAPPED /* a file */, PLAN_ELSEWHERE /* another role */ };

struct plan_region {
    char name[PLAN_NAME_BYTES];
    uint64_t off_bytes;  /* from the start of the arena, PLAN_ALIGN_BYTES aligned */
    uint64_t size_bytes; /* exact request */
    enum plan_place place;
};

struct plan {
    struct plan_region regions[PLAN_MAX_REGIONS];
    uint32_t n_regions;
    uint64_t total_bytes;  /* arena size, red zones included */
    uint64_t mapped_bytes; /* weights read in place */
    uint64_t elsewhere_bytes;
};

void plan_init(struct plan *p);

/* Reserve n_items * item_bytes under `name`; *off_bytes is the region's place in the arena. Fails
 * on overflow and when the table is full. Regions of 0 bytes are legal and take no space. */
bool plan_add(struct plan *p, const char *name, uint64_t n_items, uint64_t item_bytes,
              uint64_t *off_bytes, struct err *e);

/* Account for a file mapping (weights on the CPU backend). */
bool plan_add_mapped(struct plan *p, const char *name, uint64_t size_bytes, struct err *e);

/* Account for what another process takes out of the same budget. */
bool plan_add_elsewhere(struct plan *p, const char *name, uint64_t size_bytes, struct err *e);

/* Arena, mappings and elsewhere. */
uint64_t plan_resident_bytes(const struct plan *p);

/* The table that `hearth plan` and a refused start print: one line per region, then the sum and the
 * budget. */
void plan_print(const struct plan *p, uint64_t budget_bytes, FILE *out);

/* false with the shortfall in *e when the plan does not fit budget_bytes. */
bool plan_fits(const struct plan *p, uint64_t budget_bytes, struct err *e);

#endif
