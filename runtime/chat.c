#include "runtime/chat.h"

#include "models/gemma4_chat.h"
#include "models/gemma4_parse.h"
#include "models/json_text.h"
#include "runtime/sample_default.h"
#include "runtime/base/clock.h"
#include "runtime/base/mem.h"
#include "runtime/base/num.h"

enum {
    PROMPT_ROWS = 64, /* of one step: between steps the answer can be stopped */
    /* What the chat format adds to a message: markers, role name, empty thought (gemma4-chat 5.3).
     */
    MESSAGE_EXTRA_BYTES = 256,
    MESSAGE_SEGMENTS = 8,
    SCRATCH_ALIGN_BYTES = 64, /* of the sampler */
};

struct text {
    char *p;
    uint64_t n_bytes, n_room;
};

struct chat {
    struct runner *r;
    struct chat_config cfg;
    json_t *messages;
    uint64_t n_content_bytes; /* of all messages */
    int32_t *ids;             /* [n_ctx]: prompt and answer; the cache holds a prefix of them */
    int32_t *prompt;          /* [n_ctx] */
    char *parse_buf;
    int32_t *suppressed; /* ids the file says must never be chosen */
    uint32_t n_suppressed;
    void *scratch_place;
    struct sample_scratch *scratch;
    struct gemma4_parse parse;
    struct text answer; /* content of the answer at hand */
};

/* ---- messages ---- */

static bool append_message(struct chat *c, const char *role, struct str content, struct err *e)
{
    struct str ignored;
    json_t *text = json_stringn(content.p ? content.p : "", content.n_bytes);
    if (!text)
        return err_set(e, ERR_FORMAT, "the text is not UTF-8");
    if (json_text_is_big_int(text, &ignored)) {
        json_decref(text);
        return err_set(e, ERR_FORMAT, "the text begins with the reserved character U+FDD0");
    }
    json_t *message = json_object();
    bool ok = message && json_object_set_new(message, "role", json_string(role)) == 0;
    if (!ok)
        json_decref(text);
    ok = ok && json_object_set_new(message, "content", text) == 0;
    ok = ok && json_array_append(c->messages, message) == 0;
    json_decref(message);
    if (!ok)
        return err_set(e, ERR_NOMEM, "no memory for the conversation");
    c->n_content_bytes += content.n_bytes;
    return true;
}

static void drop_last_message(struct chat *c, struct str content)
{
    json_array_remove(c->messages, json_array_size(c->messages) - 1);
    c->n_content_bytes -= content.n_bytes;
}

void chat_reset(struct chat *c)
{
    struct err ignored;
    json_array_clear(c->messages);
    c->n_content_bytes = 0;
    if (c->cfg.system) /* was accepted once, by chat_new */
        append_message(c, "system", str_of(c->cfg.system), &ignored);
}

/* ---- prompt ---- */

static bool encode(struct chat *c, const struct gemma4_chat_out *out, uint32_t *n_prompt,
                   struct err *e)
{
    uint32_t n_ctx = c->r->m.cfg.n_ctx;
    const struct tok_text text = {.segs = out->segs, .n_segs = out->n_segs, .add_bos = true};
    struct tok_ids ids = {.at = c->prompt, .max = n_ctx};
    bool ok = tok_encode(&c->r->tok, &text, c->r->tok_scratch, &ids, e);
    if (ids.n >= n_ctx)
        return err_set(e, ERR_LIMIT, "the conversation has %zu tokens, the context holds %u", ids.n,
                       n_ctx);
    *n_prompt = (uint32_t)ids.n;
    return ok;
}

static bool render(struct chat *c, uint32_t *n_prompt, bool *starts_in_reasoning, struct err *e)
{
    size_t n_messages = json_array_size(c->messages);
    struct gemma4_chat_request rq = {.messages = c->messages,
                                     .template_rev = c->r->tok.template_rev,
                                     .has_empty_thought = c->r->tok.has_empty_thought,
                                     .enable_thinking = c->cfg.thinks,
                                     .add_generation_prompt = true};
    struct gemma4_chat_out out = {.room_bytes =
                                      c->n_content_bytes + (n_messages + 2) * MESSAGE_EXTRA_BYTES,
                                  .max_segs = (n_messages + 2) * MESSAGE_SEGMENTS};
    out.text = mem_alloc(out.room_bytes, 1);
    out.segs = mem_alloc(out.max_segs, sizeof *out.segs);
    bool ok = (out.text && out.segs) || err_set(e, ERR_NOMEM, "no memory for the prompt");
    ok = ok && gemma4_chat_prompt(&rq, GEMMA4_CHAT_ANSWER, &out, e) && encode(c, &out, n_prompt, e);
    *starts_in_reasoning = out.starts_in_reasoning;
    mem_free(out.text);
    mem_free(out.segs);
    return ok;
}

/* Tokens of the prompt that the cache holds; the last one is always computed, for its logits. */
static uint32_t reuse(struct chat *c, uint32_t n_prompt)
{
    uint32_t n_cached = runner_n_tokens(c->r, RUNNER_SEQ), n_same = 0;
    uint32_t n_most = (uint32_t)num_min(n_cached, n_prompt - 1);
    while (n_same < n_most && c->ids[n_same] == c->prompt[n_same])
        n_same++;
    return runner_truncate(c->r, RUNNER_SEQ, n_same);
}

/* ---- answer ---- */

static bool append_answer(struct text *t, struct str more)
{
    if (t->n_bytes + more.n_bytes > t->n_room) {
        uint64_t n_room = 2 * (t->n_bytes + more.n_bytes) + 1024;
        char *grown = mem_grow(t->p, t->n_room, n_room, 1);
        if (!grown)
            return false;
        t->p = grown;
        t->n_room = n_room;
    }
    memcpy(t->p + t->n_bytes, more.p, more.n_bytes);
    t->n_bytes += more.n_bytes;
    return true;
}

/* A call of a tool nobody offered is part of the answer, as the model meant it. */
static bool pass_events(struct chat *c, const struct gemma4_event *events, size_t n_events,
                        const struct chat_sink *sink)
{
    for (size_t i = 0; i < n_events; i++) {
        const struct gemma4_event *ev = &events[i];
        const struct str pieces[3] = {ev->kind == GEMMA4_EVENT_CALL ? ev->name : ev->text,
                                      ev->arguments,
                                      {"\n", ev->kind == GEMMA4_EVENT_CALL}};
        if (ev->kind == GEMMA4_EVENT_STOP)
            continue;
        if (ev->kind == GEMMA4_EVENT_REASONING) {
            sink->put(sink->arg, CHAT_THOUGHT, ev->text);
            continue;
        }
        for (uint32_t k = 0; k < (ev->kind == GEMMA4_EVENT_CALL ? 3 : 1); k++) {
            if (!append_answer(&c->answer, pieces[k]))
                return false;
            sink->put(sink->arg, CHAT_ANSWER, pieces[k]);
        }
    }
    return true;
}

static bool feed_prompt(struct chat *c, uint32_t n_prompt, const struct chat_sink *sink,
                        struct chat_stats *stats, struct err *e)
{
    struct progress p;
    uint32_t pos = stats->n_reused;
    bool ok = true, is_stopped = false;
    memcpy(c->ids, c->prompt, n_prompt * sizeof *c->ids);
    uint32_t step_rows = (uint32_t)num_min(PROMPT_ROWS, c->r->m.cfg.max_rows);
    progress_begin(&p, "reading", PROGRESS_TOKENS, n_prompt - pos);
    while (ok && !is_stopped && pos < n_prompt) {
        struct runner_part part = {RUNNER_SEQ, c->ids + pos,
                                   (uint32_t)num_min(n_prompt - pos, step_rows)};
        pos += part.n_ids;
        ok = runner_step(c->r, &part, 1, pos == n_prompt ? RUNNER_LAST_ROW : RUNNER_NO_ROWS, e);
        progress_add(&p, part.n_ids);
        is_stopped = sink->wants_stop(sink->arg);
    }
    progress_end(&p);
    if (is_stopped)
        stats->end = CHAT_END_STOPPED;
    return ok;
}

/* The token at position n_tokens, drawn as the server would draw it. */
static bool choose(struct chat *c, uint32_t n_prompt, uint32_t n_tokens, int32_t *id, struct err *e)
{
    const struct sample_row row = {.logits = runner_logits(c->r, 0),
                                   .n_vocab = c->r->m.model.dims.n_vocab,
                                   .n_generated = n_tokens - n_prompt,
                                   .generated = c->ids + n_prompt,
                                   .suppressed = c->suppressed,
                                   .n_suppressed = c->n_suppressed,
                                   .position = n_tokens};
    return sample_choose(c->scratch, &c->cfg.sampling, &row, id, e);
}

/* From the last prompt row's logits on. */
static bool generate(struct chat *c, uint32_t n_prompt, const struct chat_sink *sink,
                     struct chat_stats *stats, struct err *e)
{
    uint32_t n_ctx = c->r->m.cfg.n_ctx;
    uint32_t max_tokens = c->cfg.max_tokens ? c->cfg.max_tokens : n_ctx;
    struct gemma4_event events[GEMMA4_MAX_EVENTS];
    for (uint32_t n = n_prompt;; n++) {
        int32_t id;
        if (!choose(c, n_prompt, n, &id, e))
            return false;
        size_t n_events = gemma4_parse_push(&c->parse, id, events);
        if (!pass_events(c, events, n_events, sink))
            return err_set(e, ERR_NOMEM, "no memory for the answer");
        stats->n_generated++;
        stats->end = tok_is_stop(&c->r->tok, id)        ? CHAT_END_TURN
                     : stats->n_generated == max_tokens ? CHAT_END_LIMIT
                     : n + 1 == n_ctx                   ? CHAT_END_CONTEXT
                                                        : CHAT_END_STOPPED;
        if (stats->end != CHAT_END_STOPPED || sink->wants_stop(sink->arg))
            break;
        c->ids[n] = id;
        if (!runner_step(c->r, &(struct runner_part){RUNNER_SEQ, &c->ids[n], 1}, 1, RUNNER_LAST_ROW,
                         e))
            return false;
    }
    size_t n_events = gemma4_parse_end(
        &c->parse, stats->end == CHAT_END_TURN ? GEMMA4_END_STOP : GEMMA4_END_LIMIT, events);
    return pass_events(c, events, n_events, sink) ||
           err_set(e, ERR_NOMEM, "no memory for the answer");
}

static bool answer(struct chat *c, const struct chat_sink *sink, struct chat_stats *stats,
                   struct err *e)
{
    bool starts_in_reasoning;
    if (!render(c, &stats->n_prompt, &starts_in_reasoning, e))
        return false;
    gemma4_parse_init(&c->parse, &c->r->tok, starts_in_reasoning ? GEMMA4_STARTS_IN_REASONING : 0,
                      c->parse_buf, GEMMA4_PARSE_BUF_BYTES);
    int64_t start_us = clock_mono_us();
    stats->n_reused = reuse(c, stats->n_prompt);
    stats->end = CHAT_END_TURN;
    bool ok = feed_prompt(c, stats->n_prompt, sink, stats, e);
    int64_t fed_us = clock_mono_us();
    stats->prompt_us = fed_us - start_us;
    if (ok && stats->end != CHAT_END_STOPPED)
        ok = generate(c, stats->n_prompt, sink, stats, e);
    stats->generate_us = clock_mono_us() - fed_us;
    if (!ok) /* a failed step leaves rows that nothing was computed for */
        runner_truncate(c->r, RUNNER_SEQ, 0);
    return ok;
}

bool chat_ask(struct chat *c, struct str question, const struct chat_sink *sink,
              struct chat_stats *stats, struct err *e)
{
    *stats = (struct chat_stats){0};
    c->answer.n_bytes = 0;
    if (!append_message(c, "user", question, e))
        return false;
    bool ok = answer(c, sink, stats, e);
    struct str content = {c->answer.p, c->answer.n_bytes};
    bool has_answer = ok && content.n_bytes > 0;
    if (has_answer)
        ok = append_message(c, "assistant", content, e);
    if (!ok || !has_answer) /* a question without an answer would be asked again with the next */
        drop_last_message(c, question);
    return ok;
}

/* ---- life ---- */

static void *aligned(void *place)
{
    uintptr_t off_bytes = (uintptr_t)place % SCRATCH_ALIGN_BYTES;
    return (char *)place + (off_bytes ? SCRATCH_ALIGN_BYTES - off_bytes : 0);
}

struct chat *chat_new(struct runner *r, const struct chat_config *cfg, struct err *e)
{
    struct chat *c = mem_alloc(1, sizeof *c);
    if (!c)
        return err_null(e, ERR_NOMEM, "no memory for the conversation");
    *c = (struct chat){.r = r, .cfg = *cfg};
    uint32_t n_ctx = r->m.cfg.n_ctx;
    c->messages = json_array();
    c->ids = mem_alloc(n_ctx, sizeof *c->ids);
    c->prompt = mem_alloc(n_ctx, sizeof *c->prompt);
    c->parse_buf = mem_alloc(GEMMA4_PARSE_BUF_BYTES, 1);
    uint32_t n_vocab = r->m.model.dims.n_vocab;
    c->scratch_place = mem_alloc(1, sample_scratch_bytes(n_vocab) + SCRATCH_ALIGN_BYTES);
    c->suppressed =
        mem_alloc(sample_default_max_suppressed(r->m.file, n_vocab), sizeof *c->suppressed);
    bool ok =
        (c->messages && c->ids && c->prompt && c->parse_buf && c->scratch_place && c->suppressed) ||
        err_set(e, ERR_NOMEM, "no memory for a context of %u tokens", n_ctx);
    if (ok)
        c->n_suppressed = sample_default_suppressed(r->m.file, n_vocab, c->suppressed);
    if (ok)
        c->scratch = sample_scratch_at(aligned(c->scratch_place), n_vocab);
    if (ok && (!cfg->system || append_message(c, "system", str_of(cfg->system), e)))
        return c;
    chat_free(c);
    return NULL;
}

void chat_free(struct chat *c)
{
    if (!c)
        return;
    json_decref(c->messages);
    mem_free(c->ids);
    mem_free(c->prompt);
    mem_free(c->parse_buf);
    mem_free(c->suppressed);
    mem_free(c->scratch_place);
    mem_free(c->answer.p);
    mem_free(c);
}
