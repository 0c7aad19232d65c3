#include "runtime/base/ring.h"

#include <stdatomic.h>

struct ring_head {
    _Alignas(64) _Atomic uint32_t head; /* next slot to consume; written by the consumer */
    _Alignas(64) _Atomic uint32_t tail; /* next slot to fill; written by the producer */
};

_Static_assert(sizeof(struct ring_head) == 128, "ring header is two cache lines");

size_t ring_bytes(uint32_t n_slots, uint32_t slot_bytes)
{
    return sizeof(struct ring_head) + (size_t)n_slots * slot_bytes;
}

struct ring ring_at(void *shared, uint32_t n_slots, uint32_t slot_bytes)
{
    return (struct ring){shared, n_slots, slot_bytes};
}

static char *slot_at(const struct ring *r, uint32_t i)
{
    return (char *)r->shared + sizeof(struct ring_head) +
           (size_t)(i & (r->n_slots - 1)) * r->slot_bytes;
}

uint32_t ring_room(const struct ring *r)
{
    const struct ring_head *h = r->shared;
    uint32_t used = atomic_load_explicit(&h->tail, memory_order_relaxed) -
                    atomic_load_explicit(&h->head, memory_order_acquire);
    return used > r->n_slots ? 0 : r->n_slots - used;
}

void *ring_push(struct ring *r)
{
    struct ring_head *h = r->shared;
    return ring_room(r) ? slot_at(r, atomic_load_explicit(&h->tail, memory_order_relaxed)) : NULL;
}

void ring_push_done(struct ring *r)
{
    struct ring_head *h = r->shared;
    atomic_store_explicit(&h->tail, atomic_load_explicit(&h->tail, memory_order_relaxed) + 1,
                          memory_order_release);
}

const void *ring_pop(struct ring *r)
{
    struct ring_head *h = r->shared;
    uint32_t head = atomic_load_explicit(&h->head, memory_order_relaxed);
    return atomic_load_explicit(&h->tail, memory_order_acquire) == head ? NULL : slot_at(r, head);
}

void ring_pop_done(struct ring *r)
{
    struct ring_head *h = r->shared;
    atomic_store_explicit(&h->head, atomic_load_explicit(&h->head, memory_order_relaxed) + 1,
                          memory_order_release);
}
