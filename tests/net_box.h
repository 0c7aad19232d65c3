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
    void *tok_image;                    /* named here, where the leak checker looks */
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
    box.tok_image = tok_small_open(&a->tok, e);
    MUST_TRUE(box.tok_image != NULL, e->msg);
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
    free(box.tok_image); /* of a box opened before this one */
    box.tok_image = NULL;
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

/* ---- connections ---- */

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

#endif
