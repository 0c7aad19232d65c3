/* net_box: a whole edge without sockets, TLS and engine, for tests of net: connections are fed by
 * hand, and the test itself answers the rings in the engine's place. Header only; everything lives
 * until the test's process ends. */
#ifndef TESTS_NET_BOX_H
#define TESTS_NET_BOX_H

#include "net/conn.h"
#include "net/edge_memory.h"
#include "net/json_memory.h"
#include "runtime/engine_msg.h"
#include "tests/t.h"
#include "tests/tok_small.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#define HOST "Host: ai-4f2a.local\r\n"

struct net_box {
    struct edge_memory *m;
    char key_text[KEY_TEXT_BYTES + 1];
    struct engine_client client;
    struct ring to_engine, from_engine; /* the engine's view */
    char out[1 << 18];                  /* what the last box_ask heard */
};

static struct net_box box;

static inline void box_wake(struct api_call *call)
{
    struct conn *c = (struct conn *)(void *)((char *)call - offsetof(struct conn, call));
    c->is_woken = true;
}

static inline void box_open_engine(struct err *e)
{
    struct api *a = &box.m->api;
    int fd = engine_shared_create(e);
    MUST_TRUE(fd >= 0, e->msg);
    void *shared = mmap(NULL, engine_shared_bytes(), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    MUST_TRUE(shared != MAP_FAILED, NULL);
    box.to_engine = engine_ring_to(shared);
    box.from_engine = engine_ring_from(shared);
    MUST_TRUE(
        engine_client_open(&box.client, fd, eventfd(0, EFD_NONBLOCK), eventfd(0, EFD_NONBLOCK), e),
        e->msg);
    MUST_TRUE(tok_small_open(&a->tok, e) != NULL, e->msg);
    a->has_tok = true;
    a->engine = &box.client;
    a->engine_state = API_ENGINE_IS_READY;
    a->info = (struct engine_info){.model_id = "gemma-4-31b-it",
                                   .quant = "Q8_0",
                                   .fingerprint = "fp_9c41d07be2",
                                   .n_params = 30700000000,
                                   .file_bytes = 32600000000,
                                   .n_ctx = 4096,
                                   .n_vocab = a->tok.n_vocab,
                                   .default_temperature = 1.0f,
                                   .default_top_p = 0.95f,
                                   .default_top_k = 64};
}

static inline struct edge_config box_config(void)
{
    return (struct edge_config){
        .version = EDGE_CTL_VERSION,
        .max_conns = 8,
        .max_conns_per_ip = 8,
        .n_bodies = 1,
        .body_bytes = 32 << 20,
        .max_requests = 4,
        .default_max_tokens = 1024,
        .handshake_timeout_ms = 10000,
        .head_timeout_ms = 10000,
        .body_timeout_ms = 30000,
        .idle_timeout_ms = 75000,
        .write_timeout_ms = 30000,
        .stream_limit_ms = 600000,
        .plain_limit_ms = 280000,
        .timings = 1,
        .port = 8443,
        .n_names = 3,
        .names = {"ai-4f2a.local", "192.168.1.20", "fd12::7"},
    };
}

static inline void box_open_with(const struct edge_config *cfg)
{
    static struct key_table keys;
    struct err e = {0};
    MUST_TRUE(secret_init(&e), e.msg);
    box.m = edge_memory_take(cfg, &e);
    MUST_TRUE(box.m != NULL, e.msg);
    json_memory_use(&box.m->json_heap, 1);
    keys = (struct key_table){.version = KEY_TABLE_VERSION, .n_keys = 1};
    struct key_order order = {.name = "test", .scopes = KEY_CHAT};
    MUST_TRUE(key_create(&order, keys.pepper, 1, &keys.keys[0], box.key_text, &e), e.msg);
    MUST_TRUE(auth_open(&box.m->auth, &e) && auth_load(&box.m->auth, &keys, &e), e.msg);
    limit_init(&box.m->limit);
    limit_load(&box.m->limit, box.m->auth.table, 0);
    metrics_init(&box.m->metrics, 1);
    uint8_t first[SECRET_HASH_BYTES] = {0};
    audit_open(&box.m->audit, -1, first);
    box.m->api.wake = box_wake;
    box.m->api.mono_ms = 1000;
    box.m->api.wall_s = 1789000000;
    box_open_engine(&e);
}

static inline void box_open(void)
{
    struct edge_config cfg = box_config();
    box_open_with(&cfg);
}

/* -- connections
 * --------------------------------------------------------------------------------------- */

static inline struct conn *box_conn(uint32_t i)
{
    struct err e = {0};
    struct addr addr;
    MUST_TRUE(addr_parse(STR("192.168.1.7"), &addr), NULL);
    struct conn *c = &box.m->loop.conns[i];
    MUST_TRUE(conn_open(c, &box.m->env, EDGE_LISTEN_PLAIN, &addr, &e), e.msg);
    c->call.is_tls = true; /* as if it had been decrypted already */
    return c;
}

/* Everything it has to say, appended to out. */
static inline void box_listen(struct conn *c, char *out, size_t room_bytes)
{
    size_t n_out = strlen(out);
    conn_run(c);
    for (struct str s; (s = conn_wire_out(c)).n_bytes; conn_run(c)) {
        MUST_TRUE(n_out + s.n_bytes < room_bytes, "output does not fit the test's buffer");
        memcpy(out + n_out, s.p, s.n_bytes);
        n_out += s.n_bytes;
        conn_wire_out_done(c, s.n_bytes);
    }
    out[n_out] = 0;
}

/* Gives it the bytes in pieces of `step`, without hearing what it says. */
static inline void box_say(struct conn *c, struct str bytes, size_t step)
{
    while (bytes.n_bytes) {
        struct tls_room room = conn_wire_in(c);
        size_t n = bytes.n_bytes < step ? bytes.n_bytes : step;
        n = n < room.n_bytes ? n : room.n_bytes;
        if (n == 0)
            return;
        memcpy(room.p, bytes.p, n);
        conn_wire_in_done(c, n);
        conn_run(c);
        bytes = (struct str){bytes.p + n, bytes.n_bytes - n};
    }
}

static inline void box_feed(struct conn *c, struct str bytes, size_t step, char *out,
                            size_t room_bytes)
{
    for (size_t at = 0; at < bytes.n_bytes; at += step) {
        size_t n = bytes.n_bytes - at < step ? bytes.n_bytes - at : step;
        box_say(c, (struct str){bytes.p + at, n}, n);
        box_listen(c, out, room_bytes);
    }
}

/* One request on a connection of its own; the whole answer. */
static inline const char *box_ask(const char *request)
{
    box.out[0] = 0;
    struct conn *c = box_conn(0);
    box_feed(c, str_of(request), 4096, box.out, sizeof box.out);
    conn_close(c);
    return box.out;
}

/* The request with the box's key in the place of KEY. */
static inline const char *box_with_key(const char *request)
{
    static char full[16384];
    const char *at = strstr(request, "KEY");
    if (!at)
        return request;
    snprintf(full, sizeof full, "%.*s%s%s", (int)(at - request), request, box.key_text, at + 3);
    return full;
}

/* POST of a body to the chat endpoint. */
static inline const char *box_chat(const char *body)
{
    static char full[16384];
    snprintf(full, sizeof full,
             "POST /v1/chat/completions HTTP/1.1\r\n" HOST
             "Authorization: Bearer %s\r\nContent-Type: application/json\r\nContent-Length: "
             "%zu\r\n\r\n%s",
             box.key_text, strlen(body), body);
    return full;
}

static inline int box_status(const char *answer)
{
    return strncmp(answer, "HTTP/1.1 ", 9) == 0 ? atoi(answer + 9) : 0;
}

static inline const char *box_body(const char *answer)
{
    const char *end = strstr(answer, "\r\n\r\n");
    return end ? end + 4 : "";
}

static inline bool box_has(const char *answer, const char *text)
{
    return strstr(answer, text) != NULL;
}

/* -- the engine's part
 * ----------------------------------------------------------------------------------- */

/* The next message to the engine; false if there is none. */
static inline bool box_engine_hears(struct engine_msg *m)
{
    const void *slot = ring_pop(&box.to_engine);
    if (!slot)
        return false;
    memcpy(m, slot, sizeof *m);
    ring_pop_done(&box.to_engine);
    return true;
}

/* Takes a SUBMIT with its prompt; returns the request's id, 0 if none came. */
static inline uint32_t box_engine_takes(struct engine_msg *submit)
{
    struct engine_msg m;
    if (!box_engine_hears(submit) || submit->type != MSG_SUBMIT)
        return 0;
    for (uint32_t n = 0; n < submit->submit.n_tokens; n += m.prompt.n_ids)
        MUST_TRUE(box_engine_hears(&m) && m.type == MSG_PROMPT && m.prompt.n_ids, NULL);
    return submit->req_id;
}

/* Sends an event and lets the edge take it; woken connections run. */
static inline void box_engine_says(struct engine_event ev)
{
    struct engine_msg m = {
        .version = ENGINE_MSG_VERSION, .type = MSG_EVENT, .req_id = ev.req_id, .event = ev};
    void *slot = ring_push(&box.from_engine);
    MUST_TRUE(slot != NULL, "event ring full");
    memcpy(slot, &m, sizeof m);
    ring_push_done(&box.from_engine);
    CHECK_TRUE(api_engine_events(&box.m->api));
    for (uint32_t i = 0; i < box.m->loop.max_conns; i++)
        if (box.m->loop.conns[i].is_woken)
            conn_run(&box.m->loop.conns[i]);
}

/* Ids of text: markers whole, else one token a character or byte. */
static inline uint32_t box_ids(const char *text, int32_t *ids, uint32_t max_ids)
{
    static const char *const markers[] = {"<|channel>", "<channel|>", "<turn|>"};
    const struct tok *t = &box.m->api.tok;
    uint32_t n = 0;
    while (*text && n < max_ids) {
        size_t n_bytes = 1;
        char byte[8];
        for (size_t i = 0; i < sizeof markers / sizeof *markers; i++)
            if (strncmp(text, markers[i], strlen(markers[i])) == 0)
                n_bytes = strlen(markers[i]);
        ids[n] = *text == ' ' ? tok_find(t, STR("\xe2\x96\x81"))
                              : tok_find(t, (struct str){text, n_bytes});
        if (ids[n] < 0) {
            snprintf(byte, sizeof byte, "<0x%02X>", (unsigned char)*text);
            ids[n] = tok_find(t, str_of(byte));
        }
        MUST_TRUE(ids[n] >= 0, text);
        n++;
        text += n_bytes;
    }
    return n;
}

/* The tokens of text, `step` in each event. Returns how many tokens there were. */
static inline uint32_t box_engine_writes(uint32_t req_id, const char *text, uint32_t step)
{
    int32_t ids[1024];
    uint32_t n = box_ids(text, ids, 1024);
    for (uint32_t at = 0; at < n; at += step) {
        struct engine_event ev = {.type = EVENT_TOKENS, .req_id = req_id};
        ev.tokens.n_tokens = n - at < step ? n - at : step;
        memcpy(ev.tokens.ids, ids + at, ev.tokens.n_tokens * sizeof *ids);
        box_engine_says(ev);
    }
    return n;
}

static inline void box_engine_ends(uint32_t req_id, enum finish_reason reason, uint32_t n_prompt,
                                   uint32_t n_predicted)
{
    struct engine_event ev = {.type = EVENT_DONE, .req_id = req_id};
    ev.done.reason = reason;
    ev.done.stop_id = -1;
    ev.done.timings = (struct gen_timings){.prompt_ms = 118,
                                           .predicted_ms = 393,
                                           .ttft_ms = 249,
                                           .n_prompt = n_prompt,
                                           .n_predicted = n_predicted};
    box_engine_says(ev);
}

#endif
