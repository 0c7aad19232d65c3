#include "runtime/engine_loop.h"

#include "runtime/base/clock.h"
#include "runtime/base/log.h"
#include "runtime/base/num.h"
#include "runtime/engine_role.h"
#include "runtime/sample_default.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum {
    /* A step with prompt rows should not last longer: it is the gap other streams see and the delay
     * of a cancel (design.md 7: a disconnect frees the sequence within 250 ms). */
    STEP_TARGET_US = 120000,
    MIN_PROMPT_ROWS = 8,
    MAX_MSGS_PER_TURN = 4096,
};

/* ---- events out ---- */

static void wake_edge(const struct engine *g)
{
    uint64_t one = 1;
    ssize_t ignored = write(g->wake_edge_fd, &one, sizeof one);
    (void)ignored;
}

/* Room was checked before the batch; a full ring here means an edge that stopped reading, which
 * boot will notice. */
static void tell(struct engine *g, const struct engine_event *ev)
{
    void *slot = g->shared ? ring_push(&g->from_engine) : NULL;
    if (!slot)
        return;
    struct engine_msg m = {.version = ENGINE_MSG_VERSION, .type = MSG_EVENT, .req_id = ev->req_id};
    m.event = *ev;
    memcpy(slot, &m, sizeof m);
    ring_push_done(&g->from_engine);
}

static double ms_between(int64_t from_us, int64_t to_us)
{
    return from_us && to_us > from_us ? (double)(to_us - from_us) / 1000.0 : 0.0;
}

static void finish(struct engine *g, uint32_t i_slot, enum finish_reason reason, int32_t stop_id,
                   uint32_t n_keep)
{
    const struct sched_slot *slot = &g->sched.slots[i_slot];
    const struct engine_req *rq = &g->reqs[i_slot];
    int64_t now_us = clock_mono_us();
    uint32_t n_generated = slot->n_tokens - slot->n_prompt;
    struct engine_event ev = {.type = EVENT_DONE, .req_id = slot->req_id};
    ev.done.reason = reason;
    ev.done.stop_id = stop_id;
    ev.done.timings = (struct gen_timings){
        .queue_ms = ms_between(rq->received_us, rq->admitted_us ? rq->admitted_us : now_us),
        .prompt_ms = ms_between(rq->admitted_us, rq->first_us ? rq->first_us : now_us),
        .predicted_ms = ms_between(rq->first_us, now_us),
        .ttft_ms = ms_between(rq->received_us, rq->first_us),
        .n_prompt = slot->n_prompt,
        .n_predicted = (uint32_t)num_min(n_generated, n_keep),
    };
    tell(g, &ev);
    sched_remove(&g->sched, i_slot);
}

static void refuse(struct engine *g, uint32_t req_id, enum refuse_reason why)
{
    struct engine_event ev = {.type = EVENT_REFUSED, .req_id = req_id};
    ev.refused = why;
    tell(g, &ev);
}

/* ---- messages in ---- */

static struct sample_params sample_params_of(const struct gen_params *p)
{
    return (struct sample_params){
        .temperature = (double)p->temperature,
        .top_p = (double)p->top_p,
        .min_p = (double)p->min_p,
        .top_k = (uint32_t)p->top_k,
        .repetition_penalty = (double)p->repetition_penalty,
        .presence_penalty = (double)p->presence_penalty,
        .frequency_penalty = (double)p->frequency_penalty,
        .seed = p->seed,
    };
}

static bool params_are_sound(const struct gen_params *p)
{
    struct err ignored;
    const struct sample_params params = sample_params_of(p);
    return p->n_logprobs >= -1 && p->n_logprobs <= ENGINE_MAX_TOP_LOGPROBS && p->top_k >= 0 &&
           sample_params_check(&params, &ignored);
}

static void on_submit(struct engine *g, const struct engine_msg *m)
{
    enum refuse_reason why = REFUSE_INVALID;
    int32_t i_slot = -1;
    if (g->is_draining)
        why = REFUSE_DRAINING;
    else if (m->req_id && params_are_sound(&m->submit.params))
        i_slot = sched_submit(&g->sched, m->req_id, m->submit.n_tokens, m->submit.params.max_tokens,
                              &why);
    if (i_slot < 0) {
        refuse(g, m->req_id, why); /* its PROMPT fragments find no slot and are dropped */
        return;
    }
    int32_t *toks = g->reqs[i_slot].toks;
    g->reqs[i_slot] = (struct engine_req){.params = m->submit.params,
                                          .toks = toks,
                                          .n_told_ahead = UINT32_MAX,
                                          .is_thinking = m->submit.params.starts_in_thought == 1,
                                          .received_us = clock_mono_us()};
}

static void on_prompt(struct engine *g, const struct engine_msg *m, uint32_t i_slot)
{
    struct sched_slot *slot = &g->sched.slots[i_slot];
    struct engine_req *rq = &g->reqs[i_slot];
    uint32_t n_ids = m->prompt.n_ids;
    bool is_sound = slot->state == SCHED_RECEIVING && n_ids >= 1 && n_ids <= ENGINE_PROMPT_IDS &&
                    n_ids <= slot->n_prompt - rq->n_received;
    for (uint32_t i = 0; is_sound && i < n_ids; i++)
        is_sound = m->prompt.ids[i] >= 0 && (uint32_t)m->prompt.ids[i] < g->m.model.dims.n_vocab;
    if (!is_sound) {
        refuse(g, slot->req_id, REFUSE_INVALID);
        sched_remove(&g->sched, i_slot);
        return;
    }
    memcpy(rq->toks + rq->n_received, m->prompt.ids, n_ids * sizeof *rq->toks);
    rq->n_received += n_ids;
    if (rq->n_received == slot->n_prompt)
        sched_queue(&g->sched, i_slot);
}

static void on_message(struct engine *g, const struct engine_msg *m)
{
    if (m->version != ENGINE_MSG_VERSION)
        return;
    int32_t i_slot = m->type == MSG_SUBMIT ? -1 : sched_find(&g->sched, m->req_id);
    switch ((enum engine_msg_type)m->type) {
    case MSG_SUBMIT:
        on_submit(g, m);
        break;
    case MSG_PROMPT:
        if (i_slot >= 0)
            on_prompt(g, m, (uint32_t)i_slot);
        break;
    case MSG_CANCEL:
        if (i_slot >= 0)
            finish(g, (uint32_t)i_slot, FINISH_CANCEL, -1, UINT32_MAX);
        break;
    case MSG_STOP:
        if (i_slot >= 0)
            finish(g, (uint32_t)i_slot, FINISH_STOP, -1, m->stop.n_keep);
        break;
    case MSG_PAUSE:
    case MSG_RESUME:
        if (i_slot >= 0)
            sched_pause(&g->sched, (uint32_t)i_slot, m->type == MSG_PAUSE);
        break;
    case MSG_EVENT:
        break;
    }
}

static bool take_messages(struct engine *g)
{
    uint32_t n_taken = 0;
    uint64_t count;
    ssize_t ignored = read(g->wake_engine_fd, &count,
                           sizeof count); /* first the bell, then the ring: none is missed */
    (void)ignored;
    for (const void *slot; n_taken < MAX_MSGS_PER_TURN && (slot = ring_pop(&g->to_engine));
         n_taken++) {
        struct engine_msg m;
        memcpy(&m, slot, sizeof m);
        ring_pop_done(&g->to_engine);
        on_message(g, &m);
    }
    return n_taken > 0;
}

/* ---- one batch ---- */

static void admit(struct engine *g)
{
    for (int32_t i; (i = sched_admit(&g->sched)) >= 0;)
        g->reqs[i].admitted_us = clock_mono_us();
    for (uint32_t i = 0; i < g->n_slots; i++) {
        const struct sched_slot *slot = &g->sched.slots[i];
        if (slot->state != SCHED_QUEUED)
            continue;
        uint32_t n_ahead = sched_n_ahead(&g->sched, i);
        if (n_ahead == g->reqs[i].n_told_ahead)
            continue;
        g->reqs[i].n_told_ahead = n_ahead;
        struct engine_event ev = {.type = EVENT_QUEUED, .req_id = slot->req_id};
        ev.n_ahead = n_ahead;
        tell(g, &ev);
    }
}

/* Items to rows; logit rows in item order. */
static struct batch fill_batch(struct engine *g, uint32_t n_items)
{
    struct loaded *m = &g->m;
    struct batch b = {.tok = m->batch_tok,
                      .pos = m->batch_pos,
                      .seq = m->batch_seq,
                      .logit_rows = m->batch_logit_rows};
    for (uint32_t i = 0; i < n_items; i++) {
        const struct sched_item *it = &g->items[i];
        const struct sched_slot *slot = &g->sched.slots[it->i_slot];
        kv_advance(&m->kv, slot->seq, it->first_pos + it->n_rows);
        for (uint32_t j = 0; j < it->n_rows; j++, b.n_rows++) {
            m->batch_tok[b.n_rows] = g->reqs[it->i_slot].toks[it->first_pos + j];
            m->batch_pos[b.n_rows] = (int32_t)(it->first_pos + j);
            m->batch_seq[b.n_rows] = slot->seq;
        }
        if (it->wants_logits)
            m->batch_logit_rows[b.n_logit_rows++] = (int32_t)b.n_rows - 1;
    }
    return b;
}

/* ---- the thought channel (gemma4-chat 6, 7.2) ---- */

static bool is_thought_used_up(const struct engine_req *rq)
{
    return rq->n_thought_tokens >= rq->params.max_thought_tokens;
}

static void note_thought(const struct engine *g, struct engine_req *rq, int32_t id)
{
    const int32_t *special = g->tok.special;
    if (id == special[TOK_CHANNEL_CLOSE] || id == special[TOK_TOOL_CALL_OPEN])
        rq->is_thinking = false;
    else if (id == special[TOK_CHANNEL_OPEN] && !rq->is_thinking)
        rq->is_thinking = true;
    else if (rq->is_thinking)
        rq->n_thought_tokens++;
}

/* ---- one token ---- */

static struct sample_row row_of(const struct engine *g, uint32_t i_slot, const float *logits)
{
    const struct sched_slot *slot = &g->sched.slots[i_slot];
    return (struct sample_row){
        .logits = logits,
        .n_vocab = g->m.model.dims.n_vocab,
        .n_generated = slot->n_tokens - slot->n_prompt,
        .generated = g->reqs[i_slot].toks + slot->n_prompt,
        .suppressed = g->suppressed,
        .n_suppressed = g->n_suppressed + is_thought_used_up(&g->reqs[i_slot]),
        .position = slot->n_tokens,
    };
}

static bool tell_token(struct engine *g, uint32_t i_slot, int32_t id, const struct sample_row *row,
                       struct err *e)
{
    const struct engine_req *rq = &g->reqs[i_slot];
    struct engine_event ev = {.type = EVENT_TOKENS, .req_id = g->sched.slots[i_slot].req_id};
    ev.tokens.n_tokens = 1;
    ev.tokens.ids[0] = id;
    if (rq->params.n_logprobs >= 0) {
        struct sample_logprob all[1 + ENGINE_MAX_TOP_LOGPROBS];
        uint32_t n_top = (uint32_t)num_min((uint64_t)rq->params.n_logprobs, row->n_vocab);
        if (!sample_logprobs(g->scratch, row, id, n_top, all, e))
            return false;
        ev.tokens.has_logprobs = true;
        ev.tokens.n_top = n_top;
        ev.tokens.logprob = all[0].logprob;
        for (uint32_t i = 0; i < n_top; i++)
            ev.tokens.top[i] = (struct token_logprob){all[1 + i].id, all[1 + i].logprob};
    }
    tell(g, &ev);
    return true;
}

/* Logits that nothing can be chosen from end that one request; the others go on. */
static void fail(struct engine *g, uint32_t i_slot, const struct err *e)
{
    log_event(LOG_ERROR, "sequence-failed", "req=%u reason=\"%s\"", g->sched.slots[i_slot].req_id,
              e->msg);
    finish(g, i_slot, FINISH_ERROR, -1, UINT32_MAX);
}

/* Choose the next token of a request from its logits row [V]. */
static void choose(struct engine *g, uint32_t i_slot, const float *logits)
{
    struct sched_slot *slot = &g->sched.slots[i_slot];
    struct engine_req *rq = &g->reqs[i_slot];
    const struct sample_params params = sample_params_of(&rq->params);
    const struct sample_row row = row_of(g, i_slot, logits);
    struct err e = {0};
    int32_t id;
    if (rq->is_thinking && is_thought_used_up(rq)) {
        id = g->tok.special[TOK_CHANNEL_CLOSE];
    } else if (!sample_choose(g->scratch, &params, &row, &id, &e)) {
        fail(g, i_slot, &e);
        return;
    }
    if (!rq->first_us)
        rq->first_us = clock_mono_us();
    if (tok_is_stop(&g->tok, id)) {
        finish(g, i_slot, FINISH_EOS, id, UINT32_MAX);
        return;
    }
    if (!tell_token(g, i_slot, id, &row, &e)) {
        fail(g, i_slot, &e);
        return;
    }
    note_thought(g, rq, id);
    rq->toks[slot->n_tokens] = id;
    sched_appended(&g->sched, i_slot);
    if (slot->n_tokens == g->m.cfg.n_ctx)
        finish(g, i_slot, FINISH_CONTEXT, -1, UINT32_MAX);
    else if (slot->n_tokens - slot->n_prompt == slot->max_tokens)
        finish(g, i_slot, FINISH_LENGTH, -1, UINT32_MAX);
}

static void after_batch(struct engine *g, uint32_t n_items)
{
    uint32_t i_row = 0;
    for (uint32_t i = 0; i < n_items; i++) {
        const struct sched_item *it = &g->items[i];
        const struct sched_slot *slot = &g->sched.slots[it->i_slot];
        sched_computed(&g->sched, it);
        if (slot->n_computed <= slot->n_prompt &&
            (it->n_rows > 1 || slot->n_computed == slot->n_prompt)) {
            struct engine_event ev = {.type = EVENT_PROGRESS, .req_id = slot->req_id};
            ev.progress.n_done = slot->n_computed;
            ev.progress.n_prompt = slot->n_prompt;
            tell(g, &ev);
        }
        if (it->wants_logits)
            choose(g, it->i_slot, g->m.model.logits + (size_t)i_row++ * g->m.model.dims.n_vocab);
    }
}

static uint32_t prompt_rows_now(const struct engine *g)
{
    if (g->us_per_row <= 0.0)
        return MIN_PROMPT_ROWS;
    double rows = STEP_TARGET_US / g->us_per_row;
    return rows < MIN_PROMPT_ROWS ? MIN_PROMPT_ROWS : rows > 1e6 ? 1000000 : (uint32_t)rows;
}

static bool run_batch(struct engine *g, uint32_t n_items, struct err *e)
{
    struct batch b = fill_batch(g, n_items);
    int64_t start_us = clock_mono_us();
    if (!gemma4_forward(&g->m.model, OP_BACKEND_CPU, g->m.pool, &b, g->m.kv.views, e))
        return false;
    if (b.n_rows >= MIN_PROMPT_ROWS) { /* small steps read the weights for few rows: their cost per
                                          row says nothing */
        double us = (double)(clock_mono_us() - start_us) / b.n_rows;
        g->us_per_row = g->us_per_row > 0.0 ? 0.7 * g->us_per_row + 0.3 * us : us;
    }
    after_batch(g, n_items);
    return true;
}

bool engine_loop_turn(struct engine *g, bool *did_work, struct err *e)
{
    *did_work = false;
    if (!g->shared)
        return true;
    *did_work = take_messages(g);
    admit(g);
    /* An edge that does not read its events gets no more of them; nothing is lost, its sequences
     * wait. */
    if (ring_room(&g->from_engine) < 4 * g->m.cfg.max_seqs + g->n_slots + 16)
        return true;
    uint32_t n_rows, n_items = sched_step(&g->sched, prompt_rows_now(g), g->items, &n_rows);
    bool ok = n_items == 0 || run_batch(g, n_items, e);
    *did_work |= n_items > 0;
    if (*did_work)
        wake_edge(g);
    return ok;
}

uint32_t engine_loop_n_busy(const struct engine *g)
{
    uint32_t n_busy = 0;
    for (uint32_t i = 0; i < g->n_slots; i++)
        n_busy += g->sched.slots[i].state != SCHED_FREE;
    return n_busy;
}

/* ---- start and rings ---- */

bool engine_plan_regions(void *engine, const struct loaded *m, struct plan *p, struct err *e)
{
    struct engine *g = engine;
    g->n_slots = m->cfg.max_seqs + m->cfg.max_queued;
    return plan_add(p, "requests: slots", g->n_slots, sizeof(struct sched_slot),
                    &g->slots_off_bytes, e) &&
           plan_add(p, "requests: parameters", g->n_slots, sizeof(struct engine_req),
                    &g->reqs_off_bytes, e) &&
           plan_add(p, "requests: tokens", (uint64_t)g->n_slots * m->cfg.n_ctx, sizeof(int32_t),
                    &g->toks_off_bytes, e) &&
           plan_add(p, "requests: batch items", m->cfg.max_seqs, sizeof(struct sched_item),
                    &g->items_off_bytes, e) &&
           plan_add(p, "sampler: suppressed ids",
                    (uint64_t)sample_default_max_suppressed(m->file, m->model.dims.n_vocab) + 1,
                    sizeof(int32_t), &g->suppressed_off_bytes, e) &&
           plan_add(p, "sampler", 1, sample_scratch_bytes(m->model.dims.n_vocab),
                    &g->scratch_off_bytes, e) &&
           plan_add_mapped(p, "rings to the edge", engine_shared_bytes(), e);
}

void engine_loop_init(struct engine *g)
{
    const struct arena *a = &g->m.arena;
    g->reqs = arena_at(a, g->reqs_off_bytes);
    g->items = arena_at(a, g->items_off_bytes);
    g->scratch = sample_scratch_at(arena_at(a, g->scratch_off_bytes), g->m.model.dims.n_vocab);
    g->suppressed = arena_at(a, g->suppressed_off_bytes);
    g->n_suppressed = sample_default_suppressed(g->m.file, g->m.model.dims.n_vocab, g->suppressed);
    g->suppressed[g->n_suppressed] = g->tok.special[TOK_CHANNEL_OPEN];
    int32_t *toks = arena_at(a, g->toks_off_bytes);
    for (uint32_t i = 0; i < g->n_slots; i++)
        g->reqs[i] = (struct engine_req){.toks = toks + (size_t)i * g->m.cfg.n_ctx};
    sched_init(&g->sched, &g->m.kv, arena_at(a, g->slots_off_bytes), g->n_slots, g->m.cfg.max_rows);
}

void engine_loop_drop_rings(struct engine *g)
{
    for (uint32_t i = 0; i < g->n_slots; i++)
        if (g->sched.slots[i].state != SCHED_FREE)
            sched_remove(&g->sched, i);
    if (!g->shared)
        return;
    munmap(g->shared, engine_shared_bytes());
    close(g->wake_engine_fd);
    close(g->wake_edge_fd);
    g->shared = NULL;
}

bool engine_loop_rings(struct engine *g, int shared_fd, int wake_engine_fd, int wake_edge_fd,
                       struct err *e)
{
    engine_loop_drop_rings(g);
    void *shared =
        mmap(NULL, engine_shared_bytes(), PROT_READ | PROT_WRITE, MAP_SHARED, shared_fd, 0);
    if (shared == MAP_FAILED)
        return err_sys(e, "engine: cannot map the rings");
    close(shared_fd);
    g->shared = shared;
    g->to_engine = engine_ring_to(shared);
    g->from_engine = engine_ring_from(shared);
    g->wake_engine_fd = wake_engine_fd;
    g->wake_edge_fd = wake_edge_fd;
    struct engine_event ev = {.type = EVENT_READY};
    ev.info = g->info;
    tell(g, &ev);
    wake_edge(g);
    return true;
}
