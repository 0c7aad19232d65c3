/* ring: fixed-size single-producer single-consumer message ring in memory that two processes share.
 *
 *   +-----------------+-----------------+--------+--------+-- - --+
 *   | head (consumer) | tail (producer) | slot 0 | slot 1 |  ...  |
 *   +-----------------+-----------------+--------+--------+-- - --+
 *   each index on a cache line of its own
 *
 * The geometry (slot size and count) is agreed at compile time and never read from the shared
 * memory, indices are masked on use: a hostile peer can garble messages, never make us read or
 * write outside the ring. Messages carry their own version and lengths (runtime/engine_msg.h).
 * Thread: one producer and one consumer. Allocates: never. */
#ifndef RUNTIME_BASE_RING_H
#define RUNTIME_BASE_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ring {
    void *shared;        /* ring_bytes() of zeroed shared memory, 64-byte aligned */
    uint32_t n_slots;    /* power of two */
    uint32_t slot_bytes; /* multiple of 64 */
};

size_t ring_bytes(uint32_t n_slots, uint32_t slot_bytes);
struct ring ring_at(void *shared, uint32_t n_slots, uint32_t slot_bytes);

/* Producer: the place for the next message (slot_bytes), or NULL when full. Publish with
 * ring_push_done. */
void *ring_push(struct ring *r);
void ring_push_done(struct ring *r);

/* Consumer: the oldest message, or NULL when empty. Copy out what is needed before validating it
 * (the peer can still write to it), then ring_pop_done. */
const void *ring_pop(struct ring *r);
void ring_pop_done(struct ring *r);

/* Messages that can be pushed before ring_push returns NULL (producer side). */
uint32_t ring_room(const struct ring *r);

#endif
