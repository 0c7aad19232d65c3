#include "net/gen_write.h"

#include "models/detok.h"
#include "net/answer.h"
#include "net/sse.h"
#include "runtime/base/check.h"

#include <stdio.h>
#include <string.h>

/* A fresh text over the API's scratch. */
static struct text *fresh(struct api *a)
{
    text_init(&a->scratch, a->scratch.p, a->scratch.room_bytes);
    return &a->scratch;
}

static void give_up(struct gen *g)
{
    g->call->is_broken = g->call->is_done = g->call->must_close = true;
}

/* ---- streams ---- */

static void open_chunk(const struct gen *g, struct text *t)
{
    text_fmt(
        t,
        "{\"id\":\"chatcmpl-%s\",\"object\":\"chat.completion.chunk\",\"created\":%lld,\"model\":",
        g->id, (long long)g->created_s);
    text_json(t, str_of(g->model_id));
    text_fmt(t, ",\"system_fingerprint\":\"%s\",\"choices\":[", g->fingerprint);
}

/* Moves a chain's bytes into the text. */
static void put_chain(struct chain *from, struct text *t)
{
    while (from->n_bytes > 0) {
        struct str piece = chain_front(from);
        text_put(t, piece);
        chain_drop(from, piece.n_bytes);
    }
}

/* ---- logprobs: numbers while they are kept, text when they go out ---- */

enum {
    /* of one item: the token and its alternatives, each once as a string with six bytes for one at
     * worst and once as numbers */
    MAX_ITEM_BYTES = (1 + ENGINE_MAX_TOP_LOGPROBS) * (10 * DETOK_MAX_PIECE_BYTES + 96),
};

struct record {
    struct token_logprob chosen;
    uint32_t n_top;
    struct token_logprob top[ENGINE_MAX_TOP_LOGPROBS]; /* n_top of them are stored */
};

uint64_t gen_write_record_bytes(uint32_t n_top)
{
    return offsetof(struct record, top) + n_top * sizeof(struct token_logprob);
}

static void put_token(const struct api *a, struct text *t, const struct token_logprob *token)
{
    char bytes[DETOK_MAX_PIECE_BYTES];
    size_t n = detok_bytes(&a->tok, token->id, bytes, sizeof bytes);
    text_puts(t, "{\"token\":");
    text_json(t, (struct str){bytes, n});
    text_puts(t, ",\"logprob\":");
    text_decimal(t, token->logprob < -9999.0f ? -9999.0 : (double)token->logprob, 6);
    text_puts(t, ",\"bytes\":[");
    for (size_t i = 0; i < n; i++)
        text_fmt(t, "%s%u", i ? "," : "", (unsigned char)bytes[i]);
    text_puts(t, "]");
}

static void put_record(const struct api *a, struct text *t, const struct record *r)
{
    put_token(a, t, &r->chosen);
    text_puts(t, ",\"top_logprobs\":[");
    for (uint32_t i = 0; i < r->n_top; i++) {
        text_puts(t, i ? "," : "");
        put_token(a, t, &r->top[i]);
        text_puts(t, "}");
    }
    text_puts(t, "]}");
}

/* The oldest record, which may go out, as an item. */
static void put_oldest(struct api *a, struct gen *g, struct text *t)
{
    struct record r;
    bool is_whole = chain_take(&g->logprobs, &r, offsetof(struct record, top)) &&
                    chain_take(&g->logprobs, r.top, r.n_top * sizeof *r.top);
    CHECK(is_whole);
    put_record(a, t, &r);
    g->n_logprobs--;
}

/* Those that may go out, as the value of the choice's member; as many as the text has room for. */
static void put_logprobs(struct api *a, struct gen *g, struct text *t)
{
    if (g->n_logprobs == 0) {
        text_puts(t, "null");
        return;
    }
    text_puts(t, "{\"content\":[");
    for (bool is_first = true; g->n_logprobs > 0 && t->room_bytes - t->n_bytes > 2 * MAX_ITEM_BYTES;
         is_first = false) {
        text_puts(t, is_first ? "" : ",");
        put_oldest(a, g, t);
    }
    text_puts(t, "],\"refusal\":null}");
}

static void send_chunk(struct api *a, struct gen *g, struct text *t)
{
    if (t->is_full)
        give_up(g);
    else
        sse_data(g->call, text_str(t));
    g->written_at_ms = a->mono_ms;
}

static void begin_stream(struct api *a, struct gen *g)
{
    if (g->has_begun)
        return;
    g->has_begun = true;
    struct text *t = fresh(a);
    open_chunk(g, t);
    text_puts(t, "{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"\"},\"logprobs\":"
                 "null,\"finish_reason\":null}]");
    text_puts(t, g->wants_usage ? ",\"usage\":null}" : "}");
    send_chunk(a, g, t);
}

/* A chunk of logprobs alone, up to its finish_reason. */
static struct text *open_bare(struct api *a, struct gen *g)
{
    struct text *t = fresh(a);
    open_chunk(g, t);
    text_puts(t, "{\"index\":0,\"delta\":{},\"logprobs\":");
    put_logprobs(a, g, t);
    return t;
}

/* The end of a chunk that is not the choice's last. */
static void close_choice(const struct gen *g, struct text *t)
{
    text_puts(t, ",\"finish_reason\":null}]");
    text_puts(t, g->wants_usage ? ",\"usage\":null}" : "}");
}

static void send_part(struct api *a, struct gen *g, enum gen_part part)
{
    struct chain *from = part == GEN_CONTENT ? &g->content : &g->reasoning;
    if (from->n_bytes == 0)
        return;
    begin_stream(a, g);
    struct text *t = fresh(a);
    open_chunk(g, t);
    text_fmt(t, "{\"index\":0,\"delta\":{\"%s\":\"",
             part == GEN_CONTENT ? "content" : "reasoning_content");
    put_chain(from, t);
    text_puts(t, "\"},\"logprobs\":");
    if (part == GEN_CONTENT)
        put_logprobs(a, g, t);
    else
        text_puts(t, "null");
    close_choice(g, t);
    send_chunk(a, g, t);
    while (part == GEN_CONTENT && g->n_logprobs > 0 && !g->call->is_done) {
        t = open_bare(a, g); /* those that found no room beside their text */
        close_choice(g, t);
        send_chunk(a, g, t);
    }
}

void gen_write_flush(struct api *a, struct gen *g)
{
    if (!g->wants_stream || !g->call || g->call->is_done)
        return;
    send_part(a, g, GEN_REASONING); /* only one of them has text: see gen_write_text */
    send_part(a, g, GEN_CONTENT);
}

size_t gen_write_n_held_bytes(const struct gen *g)
{
    return g->content.n_bytes + g->reasoning.n_bytes + g->logprobs.n_bytes;
}

/* ---- common parts ---- */

static void put_usage(const struct gen *g, struct text *t, const struct gen_timings *timings)
{
    text_fmt(t,
             "\"usage\":{\"prompt_tokens\":%u,\"completion_tokens\":%u,\"total_tokens\":%u,"
             "\"prompt_tokens_details\":"
             "{\"cached_tokens\":%u,\"image_tokens\":0},\"completion_tokens_details\":{\"reasoning_"
             "tokens\":%u}}",
             g->n_prompt, g->n_tokens, g->n_prompt + g->n_tokens, timings->n_cached,
             g->n_reasoning);
}

static void put_ms(struct text *t, const char *name, double ms)
{
    text_fmt(t, ",\"%s\":", name);
    text_decimal(t, ms, 3);
}

static void put_timings(const struct gen *g, struct text *t, const struct gen_timings *m,
                        const char *stop)
{
    uint32_t n_computed = g->n_prompt - m->n_cached;
    text_puts(t, "\"timings\":{\"queue_ms\":");
    text_decimal(t, m->queue_ms, 3);
    text_fmt(t, ",\"cache_n\":%u,\"prompt_n\":%u", m->n_cached, n_computed);
    put_ms(t, "prompt_ms", m->prompt_ms);
    put_ms(t, "prompt_per_second", m->prompt_ms > 0 ? n_computed * 1000.0 / m->prompt_ms : 0.0);
    text_fmt(t, ",\"predicted_n\":%u", g->n_tokens);
    put_ms(t, "predicted_ms", m->predicted_ms);
    put_ms(t, "predicted_per_second",
           m->predicted_ms > 0 ? g->n_tokens * 1000.0 / m->predicted_ms : 0.0);
    put_ms(t, "ttft_ms", m->ttft_ms);
    text_fmt(t,
             ",\"draft_n\":0,\"draft_n_accepted\":0,\"accept_len_mean\":0.0,\"spec_steps\":0,"
             "\"spec_mode\":\"off\",\"stop\":\"%s\"}",
             stop);
}

static void end_stream(struct api *a, struct gen *g, const char *finish_reason, const char *stop,
                       const struct gen_timings *timings)
{
    gen_write_flush(a, g);
    begin_stream(a, g);
    struct text *t = open_bare(a, g);
    while (g->n_logprobs > 0 && !g->call->is_done) {
        close_choice(g, t);
        send_chunk(a, g, t);
        t = open_bare(a, g);
    }
    text_fmt(t, ",\"finish_reason\":\"%s\"}]", finish_reason);
    if (g->wants_usage) {
        text_puts(t, ",\"usage\":null}");
        send_chunk(a, g, t);
        t = fresh(a);
        open_chunk(g, t);
        text_puts(t, "],");
        put_usage(g, t, timings);
    }
    if (a->cfg.timings) {
        text_puts(t, ",");
        put_timings(g, t, timings, stop);
    }
    text_puts(t, "}");
    send_chunk(a, g, t);
    sse_done(g->call);
}

/* ---- plain answers ---- */

/* JSON-escaped text to a chain, in pieces of whole characters. */
static bool collect(struct chain *to, struct str s)
{
    while (s.n_bytes > 0) {
        char room[3072];
        struct text t;
        size_t n = s.n_bytes < 256 ? s.n_bytes : 256; /* at most six bytes for one */
        while (n < s.n_bytes && n > 0 && ((unsigned char)s.p[n] & 0xc0) == 0x80)
            n--;
        text_init(&t, room, sizeof room);
        text_json_inner(&t, (struct str){s.p, n});
        if (t.is_full || !chain_put(to, text_str(&t)))
            return false;
        s = (struct str){s.p + n, s.n_bytes - n};
    }
    return true;
}

static bool put_text(struct chain *body, struct text *t)
{
    bool ok = !t->is_full && chain_put(body, text_str(t));
    text_init(t, t->p, t->room_bytes);
    return ok;
}

/* Everything up to the logprobs' items, and everything from them on. */
static bool write_head(struct api *a, struct gen *g, struct chain *body)
{
    struct text *t = fresh(a);
    text_fmt(t,
             "{\"id\":\"chatcmpl-%s\",\"object\":\"chat.completion\",\"created\":%lld,\"model\":",
             g->id, (long long)g->created_s);
    text_json(t, str_of(g->model_id));
    text_puts(t, ",\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":\"");
    if (!put_text(body, t))
        return false;
    chain_splice(body, &g->content);
    text_puts(t, "\"");
    if (g->reasoning.n_bytes > 0) {
        text_puts(t, ",\"reasoning_content\":\"");
        if (!put_text(body, t))
            return false;
        chain_splice(body, &g->reasoning);
        text_puts(t, "\"");
    }
    text_puts(t, ",\"refusal\":null,\"annotations\":[]},\"logprobs\":");
    text_puts(t, g->wants_logprobs ? "{\"content\":[" : "null");
    return put_text(body, t);
}

static bool write_tail(struct api *a, struct gen *g, const char *finish_reason, const char *stop,
                       const struct gen_timings *timings)
{
    struct text *t = fresh(a);
    text_fmt(t, "%s,\"finish_reason\":\"%s\"}],", g->wants_logprobs ? "],\"refusal\":null}" : "",
             finish_reason);
    put_usage(g, t, timings);
    text_fmt(t, ",\"system_fingerprint\":\"%s\"", g->fingerprint);
    if (a->cfg.timings) {
        text_puts(t, ",");
        put_timings(g, t, timings, stop);
    }
    text_puts(t, "}");
    return put_text(&g->tail, t);
}

static bool end_plain(struct api *a, struct gen *g, const char *finish_reason, const char *stop,
                      const struct gen_timings *timings)
{
    struct chain body;
    chain_init(&body, a->chains);
    if (write_head(a, g, &body) && write_tail(a, g, finish_reason, stop, timings)) {
        uint64_t n_commas = g->n_logprobs ? g->n_logprobs - 1 : 0;
        answer_send_json(a, g->call, &body, g->n_json_bytes + n_commas + g->tail.n_bytes);
        return gen_write_more(a, g);
    }
    chain_deinit(&body);
    answer_error(a, g->call, API_OVERLOADED, NULL,
                 "The server has no memory left for this answer.");
    return true;
}

bool gen_write_more(struct api *a, struct gen *g)
{
    struct api_call *call = g->call;
    while (!call->is_done && g->n_logprobs > 0) {
        if (call->out.n_bytes >= API_OUT_HIGH_BYTES / 2)
            return false;
        struct text *t = fresh(a);
        text_puts(t, g->has_sent_item ? "," : "");
        put_oldest(a, g, t);
        g->has_sent_item = true;
        if (!put_text(&call->out, t))
            give_up(g);
    }
    if (!call->is_done)
        chain_splice(&call->out, &g->tail);
    call->is_done = true;
    return true;
}

/* ---- entries ---- */

void gen_write_text(struct api *a, struct gen *g, enum gen_part part, struct str text)
{
    if (!g->call || text.n_bytes == 0 || g->call->is_done)
        return;
    const struct chain *other = part == GEN_CONTENT ? &g->reasoning : &g->content;
    if (g->wants_stream && other->n_bytes > 0)
        gen_write_flush(a, g); /* no chunk mixes the two, and their order stays */
    if (!collect(part == GEN_CONTENT ? &g->content : &g->reasoning, text))
        g->cut = GEN_CUT_SLOW; /* no memory: gen.c ends it */
}

/* The oldest held one joins those that may go out. */
static void release_logprob(struct gen *g)
{
    g->n_json_bytes += g->held[0].n_json_bytes;
    g->n_logprobs++;
    memmove(g->held, g->held + 1, --g->n_held * sizeof *g->held);
}

void gen_write_logprobs_until(struct gen *g, uint64_t shown_bytes)
{
    while (g->n_held > 0 && g->held[0].at_bytes < shown_bytes)
        release_logprob(g);
}

void gen_write_logprob(struct api *a, struct gen *g, const struct engine_event *ev)
{
    struct record r = {.chosen = {ev->tokens.ids[0], ev->tokens.logprob},
                       .n_top = ev->tokens.n_top};
    struct text *t = fresh(a);
    if (!g->call || !ev->tokens.has_logprobs)
        return;
    memcpy(r.top, ev->tokens.top, r.n_top * sizeof *r.top);
    if (!g->wants_stream)
        put_record(a, t, &r); /* only to know its length */
    if (g->n_held == GEN_MAX_HELD_ITEMS)
        release_logprob(g);
    uint64_t n_bytes = gen_write_record_bytes(r.n_top),
             n_kept = n_bytes < g->n_promised_bytes ? n_bytes : g->n_promised_bytes;
    g->n_promised_bytes -= n_kept;
    a->gens->n_promised_bytes -= n_kept;
    if (!chain_put(&g->logprobs, (struct str){(const char *)&r, (size_t)n_bytes})) {
        g->cut = GEN_CUT_SLOW;
        return;
    }
    g->held[g->n_held++] = (struct gen_held){g->stops.n_fed_bytes, (uint32_t)t->n_bytes};
}

bool gen_write_end(struct api *a, struct gen *g, const char *finish_reason, const char *stop,
                   const struct gen_timings *timings)
{
    if (!g->call || g->call->is_done)
        return true;
    if (!g->wants_stream)
        return end_plain(a, g, finish_reason, stop, timings);
    end_stream(a, g, finish_reason, stop, timings);
    return true;
}

void gen_write_error(struct api *a, struct gen *g, const struct api_error *e)
{
    if (!g->call || g->call->is_done)
        return;
    if (!g->call->is_started) {
        answer_fail(a, g->call, e, NULL);
        return;
    }
    if (!g->wants_stream) { /* half of its logprobs are out: it can only break off */
        give_up(g);
        return;
    }
    gen_write_flush(a, g);
    struct text *t = fresh(a);
    api_error_write(e, t);
    sse_data(g->call, text_str(t));
    sse_break(g->call);
    g->call->error_code = api_error_code(e);
}

void gen_write_comment(struct api *a, struct gen *g)
{
    char text[48];
    if (!g->call || !g->wants_stream || g->call->is_done)
        return;
    int n = g->n_prompt_done
                ? snprintf(text, sizeof text, "prefill %u/%u", g->n_prompt_done, g->n_prompt)
                : snprintf(text, sizeof text, "queued %u", g->n_ahead);
    sse_comment(g->call, (struct str){text, (size_t)n});
    g->written_at_ms = a->mono_ms;
}
