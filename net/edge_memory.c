#include "net/edge_memory.h"

#include <string.h>
#include <sys/mman.h>

enum {
    SCRATCH_BYTES = 1 << 20, /* one answer's text while it is built: metrics, a stream's frame */
    PROMPT_SPARE_BYTES = 1 << 20,                /* what the template adds to a body's text */
    SHORT_TEXT_BYTES = 8 * API_SHORT_BODY_BYTES, /* a body of nothing but shortest messages */
    MAX_PROMPT_SEGS = 8 * 2048 + 64,             /* 2048 messages, at most 8 pieces each */
    MIN_CHAIN_BYTES_PER_CONN = 8192,
    CHAIN_BYTES_PER_REQUEST = 128 * 1024,
};

/* Offsets of everything in the one block. */
struct layout {
    uint64_t self, conns, fds, interest, lives, has_fin, in, small_bodies, tls_conns, tls, tls_heap,
        bodies, json_heap;
    uint64_t chains, gens, scratch;
    struct room_layout {
        uint64_t text, segs, ids, tok_scratch;
    } short_room, long_room;
    uint32_t n_chain_blocks;
    size_t json_bytes, prompt_text_bytes;
};

static bool check_config(const struct edge_config *c, struct err *e)
{
    if (c->max_conns == 0 || c->max_conns > LOOP_MAX_CONNS || c->max_requests == 0)
        return err_set(e, ERR_LIMIT,
                       "edge: max_connections must be 1 to %d, and requests at least 1",
                       LOOP_MAX_CONNS);
    if (c->n_bodies == 0 || c->n_bodies > CONN_MAX_BODIES || c->body_bytes < CONN_SMALL_BODY_BYTES)
        return err_set(e, ERR_LIMIT, "edge: 1 to %d bodies of at least %d bytes are needed",
                       CONN_MAX_BODIES, CONN_SMALL_BODY_BYTES);
    return true;
}

static bool plan_conns(const struct edge_config *c, struct plan *p, struct layout *o, struct err *e)
{
    uint64_t n = c->max_conns;
    return plan_add(p, "edge connections", n, sizeof(struct conn), &o->conns, e) &&
           plan_add(p, "edge descriptors", n, sizeof(int), &o->fds, e) &&
           plan_add(p, "edge interest", n, sizeof(uint32_t), &o->interest, e) &&
           plan_add(p, "edge lives", n, sizeof(uint32_t), &o->lives, e) &&
           plan_add(p, "edge ends", n, sizeof(bool), &o->has_fin, e) &&
           plan_add(p, "edge input", n, CONN_IN_BYTES, &o->in, e) &&
           plan_add(p, "edge small bodies", n, CONN_SMALL_BODY_BYTES, &o->small_bodies, e) &&
           plan_add(p, "edge TLS wires", n, (tls_conn_bytes() + 63) & ~(size_t)63, &o->tls_conns,
                    e) &&
           plan_add(p, "edge TLS service", 1, tls_bytes(), &o->tls, e) &&
           plan_add(p, "edge TLS memory", 1, tls_heap_bytes(c->max_conns), &o->tls_heap, e);
}

static bool plan_room(size_t text_bytes, struct plan *p, struct room_layout *o, struct err *e)
{
    return plan_add(p, "edge prompt text", 1, text_bytes, &o->text, e) &&
           plan_add(p, "edge prompt pieces", MAX_PROMPT_SEGS, sizeof(struct tok_segment), &o->segs,
                    e) &&
           plan_add(p, "edge prompt tokens", API_MAX_CONTEXT_TOKENS, sizeof(int32_t), &o->ids, e) &&
           plan_add(p, "edge tokenizer", 1, tok_scratch_bytes(), &o->tok_scratch, e);
}

static bool plan_all(const struct edge_config *c, struct plan *p, struct layout *o, struct err *e)
{
    if (!check_config(c, e))
        return false;
    uint64_t chain_bytes = (uint64_t)c->max_conns * MIN_CHAIN_BYTES_PER_CONN +
                           (uint64_t)c->max_requests * CHAIN_BYTES_PER_REQUEST;
    o->n_chain_blocks = (uint32_t)(chain_bytes / CHAIN_BLOCK_BYTES);
    o->json_bytes =
        3 * (size_t)c->body_bytes + (1 << 20); /* a string is held twice while it is read */
    o->prompt_text_bytes = (size_t)c->body_bytes + PROMPT_SPARE_BYTES;
    return plan_add(p, "edge", 1, sizeof(struct edge_memory), &o->self, e) &&
           plan_conns(c, p, o, e) &&
           plan_add(p, "edge bodies", c->n_bodies, c->body_bytes, &o->bodies, e) &&
           plan_add(p, "edge JSON trees", 1, o->json_bytes, &o->json_heap, e) &&
           plan_add(p, "edge output", o->n_chain_blocks, CHAIN_BLOCK_BYTES, &o->chains, e) &&
           plan_add(p, "edge generations", 1, gen_table_bytes(c->max_requests), &o->gens, e) &&
           plan_add(p, "edge scratch", 1, SCRATCH_BYTES, &o->scratch, e) &&
           plan_room(SHORT_TEXT_BYTES, p, &o->short_room, e) &&
           plan_room(o->prompt_text_bytes, p, &o->long_room, e);
}

bool edge_plan(const struct edge_config *cfg, struct plan *p, struct err *e)
{
    struct layout o;
    return plan_all(cfg, p, &o, e);
}

static void wire_conns(struct edge_memory *m, char *base, const struct layout *o)
{
    struct loop *l = &m->loop;
    const struct edge_config *cfg = &m->api.cfg;
    l->conns = (void *)(base + o->conns);
    l->fds = (void *)(base + o->fds);
    l->interest = (void *)(base + o->interest);
    l->lives = (void *)(base + o->lives);
    l->has_fin = (void *)(base + o->has_fin);
    l->max_conns = cfg->max_conns;
    l->epoll_fd = -1;
    size_t tls_stride_bytes = (tls_conn_bytes() + 63) & ~(size_t)63;
    for (uint32_t i = 0; i < cfg->max_conns; i++) {
        l->conns[i].in = base + o->in + (uint64_t)i * CONN_IN_BYTES;
        l->conns[i].small_body = base + o->small_bodies + (uint64_t)i * CONN_SMALL_BODY_BYTES;
        l->conns[i].tls = (void *)(base + o->tls_conns + (uint64_t)i * tls_stride_bytes);
    }
    m->env.api = &m->api;
    m->env.tls = (void *)(base + o->tls);
    conn_bodies_init(&m->env.bodies, base + o->bodies, cfg->n_bodies, cfg->body_bytes);
}

static void wire_room(struct prompt_room *room, char *base, const struct room_layout *o,
                      size_t text_bytes)
{
    *room = (struct prompt_room){
        .text = base + o->text,
        .text_bytes = text_bytes,
        .segs = (void *)(base + o->segs),
        .max_segs = MAX_PROMPT_SEGS,
        .ids = (void *)(base + o->ids),
        .tok_scratch = (void *)(base + o->tok_scratch),
    };
}

static void wire_api(struct edge_memory *m, char *base, const struct layout *o)
{
    struct api *a = &m->api;
    a->auth = &m->auth;
    a->limit = &m->limit;
    a->metrics = &m->metrics;
    a->audit = &m->audit;
    a->chains = &m->chains;
    a->json_heap = &m->json_heap;
    a->gens = &m->gens;
    text_init(&a->scratch, base + o->scratch, SCRATCH_BYTES);
    a->lane = &m->lane;
    wire_room(&a->short_room, base, &o->short_room, SHORT_TEXT_BYTES);
    wire_room(&a->long_room, base, &o->long_room, o->prompt_text_bytes);
}

struct edge_memory *edge_memory_take(const struct edge_config *cfg, struct err *e)
{
    struct plan plan;
    struct layout o;
    plan_init(&plan);
    if (!plan_all(cfg, &plan, &o, e))
        return NULL;
    char *base =
        mmap(NULL, plan.total_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (base == MAP_FAILED) {
        (void)err_sys(e, "edge: cannot take %.1f MiB", (double)plan.total_bytes / (1 << 20));
        return NULL;
    }
    struct edge_memory *m = (void *)(base + o.self);
    m->api.cfg = *cfg;
    wire_conns(m, base, &o);
    wire_api(m, base, &o);
    chain_pool_init(&m->chains, base + o.chains, o.n_chain_blocks);
    heap_init(&m->tls_heap, base + o.tls_heap, tls_heap_bytes(cfg->max_conns));
    heap_init(&m->json_heap, base + o.json_heap, o.json_bytes);
    gen_table_init(&m->gens, base + o.gens, cfg->max_requests, &m->chains);
    return m;
}
