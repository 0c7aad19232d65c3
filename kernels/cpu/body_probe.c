/* The start-up check of one set: every op on a few small problems in which whole registers, ragged
 * edges, several queries, one query and a window edge take part, with every type of cell. */
#include "kernels/cpu/body.h"
#include "kernels/kv_ref.h"

#include <stdlib.h>
#include <string.h>

enum {
    T = 7,
    D = 83,
    H = 6,
    K = 2,
    E = 48,
    N_PAGES = 3,
    N_CELLS = N_PAGES * K * KV_PAGE_TOKENS,
    CELL_BYTES = E * sizeof(float), /* the largest */
};

struct cached { /* what the ops that see the cache leave behind */
    float q[T * H * E], out[T * H * E];
    _Alignas(float) unsigned char k[N_CELLS * CELL_BYTES], v[N_CELLS * CELL_BYTES];
};

struct outcome {
    float norm[T * D], glu[T * D], cap[T * D];
    struct cached cached[KV_N_TYPES];
};

struct probe {
    float x[T * D], w[D];
    float q[T * H * E], k[T * K * E], v[T * K * E];
    double inv_freq[E / 2];
    struct outcome got[2];
};

/* Weyl sequence, -4..4: spreads over signs and exponents, no generator needed. */
static void fill(float *x, uint32_t n, float step)
{
    float at = 0.25f;
    for (uint32_t i = 0; i < n; i++) {
        at += step;
        at -= (float)(int)at;
        x[i] = 8.0f * at - 4.0f;
    }
}

static void fill_cells(unsigned char *cells, float step, enum kv_type type)
{
    float x[E];
    double wide[E];
    for (uint32_t c = 0; c < N_CELLS; c++) {
        fill(x, E, step + 0.001f * (float)c);
        for (uint32_t j = 0; j < E; j++)
            wide[j] = (double)x[j];
        kv_ref_put(cells + c * kv_cell_bytes(type, E), wide, E, type);
    }
}

static void run_cached(const struct body_set *set, const struct probe *p, enum kv_type type,
                       struct cached *o)
{
    static const int32_t pos[T] = {125, 126, 127, 128, 129, 130, 131};
    static const int32_t seq[T] = {0, 0, 0, 0, 0, 0, 0};
    static const int32_t table[N_PAGES] = {2, 0, 1};
    memcpy(o->q, p->q, sizeof o->q);
    fill_cells(o->k, 0.328f, type);
    fill_cells(o->v, 0.707f, type);
    struct kv_view kv = {o->k, o->v, table, N_PAGES, N_PAGES, type};
    struct qkv_store_args store = {.q = o->q,
                                   .k = p->k,
                                   .v = p->v,
                                   .q_norm = p->x,
                                   .k_norm = p->w,
                                   .inv_freq = p->inv_freq,
                                   .pos = pos,
                                   .seq = seq,
                                   .kv = kv,
                                   .n_rows = T,
                                   .n_heads = H,
                                   .n_kv_heads = K,
                                   .head_dim = E,
                                   .eps = 1e-6f};
    set->qkv_store(&store, 0, 1);
    struct attn_args attn = {.q = o->q,
                             .out = o->out,
                             .pos = pos,
                             .seq = seq,
                             .kv = kv,
                             .n_rows = T,
                             .n_heads = H,
                             .n_kv_heads = K,
                             .head_dim = E,
                             .window = 70};
    set->attn(&attn, 0, 1);
    attn.n_rows = 1; /* row 0 again, by the way of few queries */
    for (uint32_t tid = 0; tid < H; tid++)
        set->attn(&attn, tid, H);
}

static void run(const struct body_set *set, const struct probe *p, struct outcome *o)
{
    memcpy(o->cap, p->x, sizeof o->cap);
    set->rmsnorm(&(struct rmsnorm_args){p->x, p->w, p->x, o->norm, T, D, 1e-6f, 0.75f}, 0, 1);
    set->glu(&(struct glu_args){p->x, p->x + 1, o->glu, 1, T * D - 1}, 0, 1);
    set->softcap(&(struct softcap_args){o->cap, T, D, 3.0f}, 0, 1);
    for (uint32_t type = 0; type < KV_N_TYPES; type++)
        run_cached(set, p, (enum kv_type)type, &o->cached[type]);
}

bool body_isa_agrees(enum cpu_isa isa)
{
    const struct body_set *const sets[2] = {body_get(CPU_ISA_PORTABLE), body_get(isa)};
    struct probe *p = calloc(1, sizeof *p);
    if (!p || !sets[1]) {
        free(p);
        return false;
    }
    fill(p->x, T * D, 0.618034f);
    fill(p->w, D, 0.414214f);
    fill(p->q, T * H * E, 0.732051f);
    fill(p->k, T * K * E, 0.236068f);
    fill(p->v, T * K * E, 0.645751f);
    for (uint32_t j = 0; j < E / 2; j++)
        p->inv_freq[j] = j < 20 ? 1.0 / (1 + j * j) : 0;
    for (uint32_t i = 0; i < 2; i++)
        run(sets[i], p, &p->got[i]);
    bool agrees = memcmp(&p->got[0], &p->got[1], sizeof p->got[0]) == 0;
    free(p);
    return agrees;
}
