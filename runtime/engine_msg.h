/* engine_msg: the messages of the two rings between edge and engine. Fixed-size slots, versioned,
 * length-checked; the receiver copies a slot out before it looks at it, because the other side can
 * still write to it.
 *
 *   edge -> engine   SUBMIT, then PROMPT fragments in order until n_tokens ids have come;
 *                    CANCEL; STOP; PAUSE, RESUME
 *   engine -> edge   EVENT: one struct engine_event */
#ifndef RUNTIME_ENGINE_MSG_H
#define RUNTIME_ENGINE_MSG_H

#include "runtime/engine.h"

enum {
    ENGINE_MSG_VERSION = 3,
    ENGINE_SLOT_BYTES = 512,
    ENGINE_TO_SLOTS = 8192,   /* a full 262,144-token prompt takes 2,202 of them */
    ENGINE_FROM_SLOTS = 4096, /* 2 MiB: a second of 32 streams, many times over */
    ENGINE_PROMPT_IDS = 119,  /* ids in one PROMPT fragment */
    ENGINE_SPARE_SLOTS = 512, /* never used by SUBMIT, so the short messages always find room */
};

enum engine_msg_type {
    MSG_SUBMIT = 1,
    MSG_PROMPT,
    MSG_CANCEL,
    MSG_STOP,
    MSG_EVENT,
    MSG_PAUSE,
    MSG_RESUME
};

struct engine_msg {
    uint16_t version; /* ENGINE_MSG_VERSION */
    uint16_t type;    /* enum engine_msg_type */
    uint32_t req_id;
    union {
        struct {
            struct gen_params params;
            uint32_t n_tokens; /* prompt length; fragments follow */
        } submit;
        struct {
            uint32_t n_ids; /* 1..ENGINE_PROMPT_IDS */
            int32_t ids[ENGINE_PROMPT_IDS];
        } prompt;
        struct {
            uint32_t n_keep;
        } stop;
        struct engine_event event;
    };
};

_Static_assert(sizeof(struct engine_msg) <= ENGINE_SLOT_BYTES, "a message fits its slot");
_Static_assert(ENGINE_SLOT_BYTES % 64 == 0, "slots keep cache lines apart");

/* The two rings in the shared memory. */
static inline struct ring engine_ring_to(void *shared)
{
    return ring_at(shared, ENGINE_TO_SLOTS, ENGINE_SLOT_BYTES);
}

static inline struct ring engine_ring_from(void *shared)
{
    return ring_at((char *)shared + ring_bytes(ENGINE_TO_SLOTS, ENGINE_SLOT_BYTES),
                   ENGINE_FROM_SLOTS, ENGINE_SLOT_BYTES);
}

#endif
