/* sched: who runs when. Pure: no clock, no I/O, no model; the engine tells it what happened and
 * asks for the next batch. Every request is a growing list of tokens of which n_computed are in the
 * cache. A step computes some of the rest; when a step reaches the last token, its logits choose
 * the next one. Prefill and decode are the same thing with other counts. Policy here: first come,
 * first served; decode rows before prompt rows; the worst case (prompt + max_tokens) is reserved at
 * admission, so a running sequence never lacks pages.
 * Thread: engine.   Allocates: nothing; slots are a region of the plan. */
#ifndef RUNTIME_SCHED_H
#define RUNTIME_SCHED_H

#include "runtime/engine.h"
#include "runtime/kv.h"

enum sched_state { SCHED_FREE = 0, SCHED_RECEIVING, SCHED_QUEUED, SCHED_RUNNING };

struct sched_slot {
    enum sched_state state;
    uint32_t req_id;
    uint64_t arrival_no;
    uint32_t n_prompt, max_tokens;
    uint32_t n_tokens;   /* known: prompt + generated */
    uint32_t n_computed; /* in the cache */
    int32_t seq;         /* kv sequence while running, else -1 */
    bool is_paused;      /* keeps all it has, but no step computes it */
};

struct sched {
    struct kv *kv;
    struct sched_slot *slots; /* [n_slots] */
    uint32_t n_slots;
    uint32_t max_rows; /* of one batch */
    uint64_t n_arrived;
};

/* One sequence's share of a batch: positions first_pos .. first_pos + n_rows - 1. */
struct sched_item {
    uint32_t i_slot;
    uint32_t first_pos, n_rows;
    bool wants_logits; /* of its last row */
};

void sched_init(struct sched *s, struct kv *kv, struct sched_slot *slots, uint32_t n_slots,
                uint32_t max_rows);

/* A slot for a new request whose prompt is still arriving; -1 with *why when it cannot be taken. */
int32_t sched_submit(struct sched *s, uint32_t req_id, uint32_t n_prompt, uint32_t max_tokens,
                     enum refuse_reason *why);
/* The prompt is complete: wait for admission. */
void sched_queue(struct sched *s, uint32_t i_slot);
int32_t sched_find(const struct sched *s, uint32_t req_id);
/* Paused slots are left out of the steps until they go on. */
void sched_pause(struct sched *s, uint32_t i_slot, bool is_paused);
/* Finished, cancelled or failed: slot, sequence and pages are free again. */
void sched_remove(struct sched *s, uint32_t i_slot);

/* Admit the oldest waiting request if its worst case fits; returns its slot or -1. Call until -1.
 */
int32_t sched_admit(struct sched *s);
/* Waiting requests older than this one. */
uint32_t sched_n_ahead(const struct sched *s, uint32_t i_slot);

/* Fill items (room for kv->cfg.max_seqs) for the next batch: at most max_prompt_rows prompt rows
 * beside the decode rows. Returns the number of items, 0 if nothing runs; *n_rows their sum. */
uint32_t sched_step(const struct sched *s, uint32_t max_prompt_rows, struct sched_item *items,
                    uint32_t *n_rows);
/* The batch ran: its rows are in the cache. */
void sched_computed(struct sched *s, const struct sched_item *item);
/* A token was chosen and appended to the request. */
void sched_appended(struct sched *s, uint32_t i_slot);

#endif
