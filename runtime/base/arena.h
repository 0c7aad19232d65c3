/* arena: one anonymous mapping, taken at start and handed out by the plan's offsets. Pages are
 * touched at open, so that a box that cannot give the memory fails at start and not in the middle
 * of an answer. Red zones (the tail padding of each plan region) are poisoned under
 * AddressSanitizer.   Owner: whoever opens it; pointers die with arena_close. */
#ifndef RUNTIME_BASE_ARENA_H
#define RUNTIME_BASE_ARENA_H

#include "runtime/base/err.h"
#include "runtime/base/plan.h"

struct arena {
    char *base;
    uint64_t size_bytes;
};

bool arena_open(struct arena *a, const struct plan *p, struct err *e);
void arena_close(struct arena *a);

/* Pointer to a region by its plan offset; PLAN_ALIGN_BYTES aligned. */
static inline void *arena_at(const struct arena *a, uint64_t off_bytes)
{
    return a->base + off_bytes;
}

#endif
