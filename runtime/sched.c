#include "runtime/sched.h"

#include "runtime/base/check.h"
#include "runtime/base/num.h"

#include <string.h>

void sched_init(struct sched *s, struct kv *kv, struct sched_slot *slots, uint32_t n_slots,
                uint32_t max_rows)
{
    *s = (struct sched){.kv = kv, .slots = slots, .n_slots = n_slots, .max_rows = max_rows};
    memset(slots, 0, n_slots * sizeof *slots);
}

int32_t sched_submit(struct sched *s, uint32_t req_id, uint32_t n_prompt, uint32_t max_tokens,
                     enum refuse_reason *why)
{
    if (n_prompt == 0 || max_tokens == 0 || sched_find(s, req_id) >= 0) {
        *why = REFUSE_INVALID;
        return -1;
    }
    if (n_prompt >= s->kv->cfg.n_ctx) { /* the prompt and at least one token */
        *why = REFUSE_TOO_LONG;
        return -1;
    }
    for (uint32_t i = 0; i < s->n_slots; i++)
        if (s->slots[i].state == SCHED_FREE) {
            s->slots[i] = (struct sched_slot){
                .state = SCHED_RECEIVING,
                .req_id = req_id,
                .arrival_no = s->n_arrived++,
                .n_prompt = n_prompt,
                .max_tokens = max_tokens,
                .n_tokens = n_prompt,
                .seq = -1,
            };
            return (int32_t)i;
        }
    *why = REFUSE_QUEUE_FULL;
    return -1;
}

void sched_queue(struct sched *s, uint32_t i_slot)
{
    CHECK(s->slots[i_slot].state == SCHED_RECEIVING);
    s->slots[i_slot].state = SCHED_QUEUED;
}

int32_t sched_find(const struct sched *s, uint32_t req_id)
{
    for (uint32_t i = 0; i < s->n_slots; i++)
        if (s->slots[i].state != SCHED_FREE && s->slots[i].req_id == req_id)
            return (int32_t)i;
    return -1;
}

void sched_pause(struct sched *s, uint32_t i_slot, bool is_paused)
{
    s->slots[i_slot].is_paused = is_paused;
}

void sched_remove(struct sched *s, uint32_t i_slot)
{
    struct sched_slot *slot = &s->slots[i_slot];
    if (slot->seq >= 0)
        kv_seq_release(s->kv, slot->seq);
    *slot = (struct sched_slot){.seq = -1};
}

static int32_t oldest_waiting(const struct sched *s)
{
    int32_t oldest = -1;
    for (uint32_t i = 0; i < s->n_slots; i++)
        if (s->slots[i].state == SCHED_QUEUED &&
            (oldest < 0 || s->slots[i].arrival_no < s->slots[oldest].arrival_no))
            oldest = (int32_t)i;
    return oldest;
}

int32_t sched_admit(struct sched *s)
{
    int32_t i_slot = oldest_waiting(s);
    if (i_slot < 0)
        return -1;
    struct sched_slot *slot = &s->slots[i_slot];
    int32_t seq = kv_seq_take(s->kv);
    if (seq < 0)
        return -1;
    uint64_t worst_tokens = num_min((uint64_t)slot->n_prompt + slot->max_tokens, s->kv->cfg.n_ctx);
    if (!kv_reserve(s->kv, seq, (uint32_t)worst_tokens)) {
        kv_seq_release(s->kv, seq);
        return -1;
    }
    slot->seq = seq;
    slot->state = SCHED_RUNNING;
    return i_slot;
}

uint32_t sched_n_ahead(const struct sched *s, uint32_t i_slot)
{
    uint32_t n_ahead = 0;
    for (uint32_t i = 0; i < s->n_slots; i++)
        n_ahead += s->slots[i].state == SCHED_QUEUED &&
                   s->slots[i].arrival_no < s->slots[i_slot].arrival_no;
    return n_ahead;
}

static void take(const struct sched *s, uint32_t i_slot, uint32_t n_rows, struct sched_item *item)
{
    const struct sched_slot *slot = &s->slots[i_slot];
    *item = (struct sched_item){
        .i_slot = i_slot,
        .first_pos = slot->n_computed,
        .n_rows = n_rows,
        .wants_logits = slot->n_computed + n_rows == slot->n_tokens,
    };
}

static bool is_stepping(const struct sched_slot *slot)
{
    return slot->state == SCHED_RUNNING && !slot->is_paused;
}

/* Running slots with prompt rows left, oldest first, strictly newer than `after`; -1 at the end. */
static int32_t next_in_prefill(const struct sched *s, int32_t after)
{
    int32_t found = -1;
    for (uint32_t i = 0; i < s->n_slots; i++) {
        const struct sched_slot *slot = &s->slots[i];
        if (!is_stepping(slot) || slot->n_tokens - slot->n_computed <= 1)
            continue;
        if (after >= 0 && slot->arrival_no <= s->slots[after].arrival_no)
            continue;
        if (found < 0 || slot->arrival_no < s->slots[found].arrival_no)
            found = (int32_t)i;
    }
    return found;
}

uint32_t sched_step(const struct sched *s, uint32_t max_prompt_rows, struct sched_item *items,
                    uint32_t *n_rows)
{
    uint32_t n_items = 0;
    *n_rows = 0;
    for (uint32_t i = 0; i < s->n_slots && *n_rows < s->max_rows; i++) {
        const struct sched_slot *slot = &s->slots[i];
        if (!is_stepping(slot) || slot->n_tokens - slot->n_computed != 1)
            continue;
        take(s, i, 1, &items[n_items++]);
        *n_rows += 1;
    }
    uint32_t room = (uint32_t)num_min(s->max_rows - *n_rows, max_prompt_rows);
    for (int32_t i = next_in_prefill(s, -1); i >= 0 && room > 0; i = next_in_prefill(s, i)) {
        const struct sched_slot *slot = &s->slots[i];
        uint32_t n = (uint32_t)num_min(num_min(slot->n_tokens - slot->n_computed, room),
                                       s->kv->cfg.max_chunk_rows);
        take(s, (uint32_t)i, n, &items[n_items++]);
        *n_rows += n;
        room -= n;
    }
    return n_items;
}

void sched_computed(struct sched *s, const struct sched_item *item)
{
    s->slots[item->i_slot].n_computed = item->first_pos + item->n_rows;
}

void sched_appended(struct sched *s, uint32_t i_slot)
{
    s->slots[i_slot].n_tokens++;
}
