#include "net/gen_write.h"

#include "models/detok.h"
#include "net/answer.h"
#include "net/sse.h"

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

/* The logprob items that have gathered, as the value of the choice's member. */
static void put_logprobs(struct gen *g, struct text *t)
{
    if (g->n_logprobs == 0) {
        text_puts(t, "null");
        return;
    }
    text_puts(t, "{\"content\":[");
    put_chain(&g->logprobs, t);
    text_puts(t, "],\"refusal\":null}");
    g->n_logprobs = 0;
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
        put_logprobs(g, t);
    else
        text_puts(t, "null");
    text_puts(t, ",\"finish_reason\":null}]");
    text_puts(t, g->wants_usage ? ",\"usage\":null}" : "}");
    send_chunk(a, g, t);
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
    struct text *t = fresh(a);
    open_chunk(g, t);
    text_puts(t, "{\"index\":0,\"delta\":{},\"logprobs\":");
    put_logprobs(g, t);
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

static bool write_answer(struct api *a, struct gen *g, struct chain *body,
                         const char *finish_reason, const char *stop,
                         const struct gen_timings *timings)
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
    if (g->wants_logprobs) {
        text_puts(t, "{\"content\":[");
        if (!put_text(body, t))
            return false;
        chain_splice(body, &g->logprobs);
        text_puts(t, "],\"refusal\":null}");
    } else {
        text_puts(t, "null");
    }
    text_fmt(t, ",\"finish_reason\":\"%s\"}],", finish_reason);
    put_usage(g, t, timings);
    text_fmt(t, ",\"system_fingerprint\":\"%s\"", g->fingerprint);
    if (a->cfg.timings) {
        text_puts(t, ",");
        put_timings(g, t, timings, stop);
    }
    text_puts(t, "}");
    return put_text(body, t);
}

static void end_plain(struct api *a, struct gen *g, const char *finish_reason, const char *stop,
                      const struct gen_timings *timings)
{
    struct chain body;
    chain_init(&body, a->chains);
    if (write_answer(a, g, &body, finish_reason, stop, timings)) {
        answer_send_json(a, g->call, &body);
        return;
    }
    chain_deinit(&body);
    answer_error(a, g->call, API_OVERLOADED, NULL,
                 "The server has no memory left for this answer.");
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

static void put_token(const struct api *a, struct text *t, int32_t id, float logprob)
{
    char bytes[DETOK_MAX_PIECE_BYTES];
    size_t n = detok_bytes(&a->tok, id, bytes, sizeof bytes);
    text_puts(t, "{\"token\":");
    text_json(t, (struct str){bytes, n});
    text_puts(t, ",\"logprob\":");
    text_decimal(t, logprob < -9999.0f ? -9999.0 : (double)logprob, 6);
    text_puts(t, ",\"bytes\":[");
    for (size_t i = 0; i < n; i++)
        text_fmt(t, "%s%u", i ? "," : "", (unsigned char)bytes[i]);
    text_puts(t, "]");
}

/* The oldest held item joins those that may go out. */
static void release_logprob(struct gen *g)
{
    size_t n_bytes = g->held[0].n_bytes;
    bool ok = g->n_logprobs == 0 || chain_put(&g->logprobs, STR(","));
    while (n_bytes > 0) {
        struct str piece = chain_front(&g->held_logprobs);
        piece.n_bytes = piece.n_bytes < n_bytes ? piece.n_bytes : n_bytes;
        ok = ok && chain_put(&g->logprobs, piece);
        n_bytes -= piece.n_bytes;
        chain_drop(&g->held_logprobs, piece.n_bytes);
    }
    if (!ok)
        g->cut = GEN_CUT_SLOW;
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
    if (!g->call || !ev->tokens.has_logprobs)
        return;
    struct text *t = fresh(a);
    put_token(a, t, ev->tokens.ids[0], ev->tokens.logprob);
    text_puts(t, ",\"top_logprobs\":[");
    for (uint32_t i = 0; i < ev->tokens.n_top; i++) {
        text_puts(t, i ? "," : "");
        put_token(a, t, ev->tokens.top[i].id, ev->tokens.top[i].logprob);
        text_puts(t, "}");
    }
    text_puts(t, "]}");
    if (g->n_held == GEN_MAX_HELD_ITEMS)
        release_logprob(g);
    if (t->is_full || !chain_put(&g->held_logprobs, text_str(t))) {
        g->cut = GEN_CUT_SLOW;
        return;
    }
    g->held[g->n_held++] = (struct gen_held){g->stops.n_fed_bytes, (uint32_t)t->n_bytes};
}

void gen_write_end(struct api *a, struct gen *g, const char *finish_reason, const char *stop,
                   const struct gen_timings *timings)
{
    if (!g->call || g->call->is_done)
        return;
    if (g->wants_stream)
        end_stream(a, g, finish_reason, stop, timings);
    else
        end_plain(a, g, finish_reason, stop, timings);
}

void gen_write_error(struct api *a, struct gen *g, const struct api_error *e)
{
    if (!g->call || g->call->is_done)
        return;
    if (!g->call->is_started) {
        answer_fail(a, g->call, e, NULL);
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
