#include "kernels/cpu/body.h"
#include "kernels/kv_ref.h"
#include "kernels/op.h"
#include "tests/near.h"
#include "tests/t.h"

#include <string.h>

enum { N_PAGES = 6, STRIDE = 3, MAX_T = 9 };

static const int32_t table[2 * STRIDE] = {4, 1, 0,
                                          5, 2, 3}; /* two sequences, a ring of three pages */

struct problem {
    struct qkv_store_args a;
    float *q_raw;
    size_t n_q, n_cells, n_cache_bytes;
    int32_t pos[MAX_T], seq[MAX_T];
};

static void begin(struct problem *p)
{
    memcpy(p->a.q, p->q_raw, p->n_q * sizeof(float));
    memset(p->a.kv.k, 0xEE, p->n_cache_bytes);
    memset(p->a.kv.v, 0xEE, p->n_cache_bytes);
}

struct shape {
    uint32_t H, K, E;
    enum kv_type type;
};

static struct problem *make(struct shape s, uint64_t seed)
{
    const uint32_t H = s.H, K = s.K, E = s.E;
    struct problem *p = near_alloc(sizeof *p);
    p->n_q = (size_t)MAX_T * H * E;
    p->n_cells = (size_t)N_PAGES * K * KV_PAGE_TOKENS;
    p->n_cache_bytes = p->n_cells * kv_cell_bytes(s.type, E);
    p->q_raw = near_floats(p->n_q, &seed, 2);
    double *inv_freq = near_alloc(E / 2 * sizeof *inv_freq);
    for (uint32_t j = 0; j < E / 2; j++)
        inv_freq[j] = j < E / 4 ? pow(1e4, -2.0 * j / E) : 0;
    for (uint32_t t = 0; t < MAX_T; t++) {
        p->seq[t] = t >= 5;
        p->pos[t] = t < 5 ? 190 + (int32_t)t : 200000 + (int32_t)t;
    }
    p->a =
        (struct qkv_store_args){.q = near_alloc(p->n_q * sizeof(float)),
                                .k = near_floats((size_t)MAX_T * K * E, &seed, 3),
                                .v = near_floats((size_t)MAX_T * K * E, &seed, 3),
                                .q_norm = near_floats(E, &seed, 1),
                                .k_norm = near_floats(E, &seed, 1),
                                .inv_freq = inv_freq,
                                .pos = p->pos,
                                .seq = p->seq,
                                .kv = {near_alloc(p->n_cache_bytes), near_alloc(p->n_cache_bytes),
                                       table, STRIDE, STRIDE, s.type},
                                .n_rows = MAX_T,
                                .n_heads = H,
                                .n_kv_heads = K,
                                .head_dim = E,
                                .eps = 1e-6f};
    begin(p);
    return p;
}

static float *copy_f32(const float *x, size_t n)
{
    float *y = near_alloc(n * sizeof *y);
    memcpy(y, x, n * sizeof *y);
    return y;
}

static bool is_written(const struct problem *p, const unsigned char *cell)
{
    uint64_t n_bytes = kv_cell_bytes(p->a.kv.type, p->a.head_dim);
    while (n_bytes > 0 && cell[n_bytes - 1] == 0xEE)
        n_bytes--;
    return n_bytes > 0;
}

/* All cells as f32; those never written are 0. */
static float *widen(const struct problem *p, const unsigned char *cells)
{
    const uint32_t E = p->a.head_dim;
    float *y = near_alloc(p->n_cells * E * sizeof *y);
    for (size_t i = 0; i < p->n_cells; i++, cells += kv_cell_bytes(p->a.kv.type, E))
        for (uint32_t j = 0; is_written(p, cells) && j < E; j++)
            y[i * E + j] = kv_ref_get(cells, j, p->a.kv.type);
    return y;
}

static const struct shape shapes[] = {
    {1, 1, 16, KV_TYPE_F16},  {4, 2, 48, KV_TYPE_F16},  {2, 1, 64, KV_TYPE_F16},
    {6, 3, 112, KV_TYPE_F16}, {4, 1, 512, KV_TYPE_F16},
};
enum { N_SHAPES = sizeof shapes / sizeof *shapes, N_CASES = N_SHAPES * KV_N_TYPES };

/* Every shape with every type of cell. */
static struct shape case_at(uint32_t i)
{
    struct shape s = shapes[i % N_SHAPES];
    s.type = (enum kv_type)(i / N_SHAPES);
    return s;
}

static double max_nmse_kv(const struct problem *p)
{
    return p->a.kv.type == KV_TYPE_F16 ? QKV_STORE_MAX_NMSE_F16 : QKV_STORE_MAX_NMSE_F32;
}

TEST(qkv_store_is_within_its_budget_of_the_reference)
{
    for (uint32_t i = 0; i < N_CASES; i++) {
        struct problem *p = make(case_at(i), i);
        MUST_TRUE(op_qkv_store.check(&p->a, NULL), NULL);
        op_qkv_store.cpu(&p->a, 0, 1);
        size_t n = p->n_cells * p->a.head_dim;
        float *q = copy_f32(p->a.q, p->n_q), *k = widen(p, p->a.kv.k), *v = widen(p, p->a.kv.v);
        begin(p);
        qkv_store_ref(&p->a);
        float *k_want = widen(p, p->a.kv.k), *v_want = widen(p, p->a.kv.v);
        CHECK_TRUE(near_nmse(q, p->a.q, p->n_q) <= QKV_STORE_MAX_NMSE_F32);
        CHECK_TRUE(near_nmse(k, k_want, n) <= max_nmse_kv(p));
        CHECK_TRUE(near_nmse(v, v_want, n) <= max_nmse_kv(p));
        q[3] += 0.01f;
        CHECK_TRUE(near_nmse(q, p->a.q, p->n_q) > QKV_STORE_MAX_NMSE_F32);
    }
}

TEST(qkv_store_writes_only_the_cells_of_its_rows)
{
    for (uint32_t type = 0; type < KV_N_TYPES; type++) {
        struct problem *p = make((struct shape){2, 2, 32, (enum kv_type)type}, 7);
        uint64_t n_bytes = kv_cell_bytes(p->a.kv.type, 32);
        op_qkv_store.cpu(&p->a, 0, 1);
        size_t n_written = 0;
        for (size_t i = 0; i < p->n_cells; i++)
            n_written += is_written(p, p->a.kv.k + i * n_bytes);
        CHECK_EQ(n_written, MAX_T * 2);
        /* sequence 0, position 190: table page 190 / 64 % 3 = 2 -> page 0; position 192: ring wraps
         * to page 4 */
        CHECK_TRUE(is_written(p, p->a.kv.k + (0 * KV_PAGE_TOKENS * 2 + 190 % 64) * n_bytes));
        CHECK_TRUE(is_written(p, p->a.kv.k + (4 * KV_PAGE_TOKENS * 2 + 192 % 64) * n_bytes));
    }
}

struct outcome {
    float *q;
    unsigned char *k, *v;
};

static struct outcome save(const struct problem *p)
{
    struct outcome o = {copy_f32(p->a.q, p->n_q), near_alloc(p->n_cache_bytes),
                        near_alloc(p->n_cache_bytes)};
    memcpy(o.k, p->a.kv.k, p->n_cache_bytes);
    memcpy(o.v, p->a.kv.v, p->n_cache_bytes);
    return o;
}

static void check_same(const struct problem *p, const struct outcome *want)
{
    CHECK_BYTES(p->a.q, want->q, p->n_q * sizeof(float));
    CHECK_BYTES(p->a.kv.k, want->k, p->n_cache_bytes);
    CHECK_BYTES(p->a.kv.v, want->v, p->n_cache_bytes);
}

TEST(qkv_store_bits_do_not_depend_on_the_set_or_the_thread_count)
{
    for (uint32_t i = 0; i < N_CASES * CPU_N_ISAS; i++) {
        const uint32_t isa = i % CPU_N_ISAS;
        if (!(cpu_isa_mask() >> isa & 1) || !body_get((enum cpu_isa)isa))
            continue;
        struct problem *p = make(case_at(i / CPU_N_ISAS), 20 + i);
        body_get(CPU_ISA_PORTABLE)->qkv_store(&p->a, 0, 1);
        struct outcome want = save(p);
        for (uint32_t n_tid = 1; n_tid < 8; n_tid += 3) {
            begin(p);
            for (uint32_t tid = 0; tid < n_tid; tid++)
                body_get((enum cpu_isa)isa)->qkv_store(&p->a, tid, n_tid);
            check_same(p, &want);
        }
    }
}

TEST(qkv_store_row_has_the_same_bits_alone)
{
    for (uint32_t i = 0; i < N_CASES; i++) {
        struct problem *p = make(case_at(i), 40 + i);
        op_qkv_store.cpu(&p->a, 0, 1);
        struct outcome want = save(p);
        begin(p);
        for (uint32_t t = 0; t < MAX_T; t++) {
            struct qkv_store_args one = p->a;
            one.q += (size_t)t * one.n_heads * one.head_dim;
            one.k += (size_t)t * one.n_kv_heads * one.head_dim;
            one.v += (size_t)t * one.n_kv_heads * one.head_dim;
            one.pos += t;
            one.seq += t;
            one.n_rows = 1;
            op_qkv_store.cpu(&one, 0, 1);
        }
        check_same(p, &want);
    }
}

TEST(qkv_store_v_ignores_k_norm_and_rotation_when_k_and_v_share_a_projection)
{
    struct problem *p = make((struct shape){2, 2, 32, KV_TYPE_F16}, 9);
    p->a.v = p->a.k;
    op_qkv_store.cpu(&p->a, 0, 1);
    struct outcome before = save(p);
    uint64_t seed = 99;
    p->a.k_norm = near_floats(32, &seed, 1);
    begin(p);
    op_qkv_store.cpu(&p->a, 0, 1);
    CHECK_BYTES(p->a.kv.v, before.v, p->n_cache_bytes);
    CHECK_TRUE(memcmp(p->a.kv.k, before.k, p->n_cache_bytes) != 0);
}

/* A q of (1, 0, ..) with weight w becomes (cos, .., sin): RMS of E elements is 1 / sqrt(E). */
TEST(qkv_store_angles_are_those_of_libm_in_double_up_to_the_longest_context)
{
    static const int32_t positions[] = {0, 1, 63, 1000, 262143, 1048576, 3000000};
    struct problem *p = make((struct shape){1, 1, 16, KV_TYPE_F16}, 11);
    double inv_freq[8] = {1, 0.930572040929699, 0.1, 0.01, 0.000107460782832, 0, 0.5, 0.3};
    float ones[16];
    for (uint32_t j = 0; j < 16; j++)
        ones[j] = 0.25f; /* 1 / sqrt(16) */
    p->a.inv_freq = inv_freq;
    p->a.q_norm = ones;
    p->a.eps = 0;
    p->a.n_rows = 1;
    for (uint32_t i = 0; i < sizeof positions / sizeof *positions; i++)
        for (uint32_t j = 0; j < 8; j++) {
            memset(p->a.q, 0, 16 * sizeof(float));
            p->a.q[j] = 1;
            p->pos[0] = positions[i];
            op_qkv_store.cpu(&p->a, 0, 1);
            CHECK_NEAR(p->a.q[j], (float)cos(positions[i] * inv_freq[j]), 0);
            CHECK_NEAR(p->a.q[j + 8], (float)sin(positions[i] * inv_freq[j]), 0);
        }
}

TEST(qkv_store_refuses_bad_shapes_and_rows)
{
    struct problem *p = make((struct shape){2, 1, 32, KV_TYPE_F16}, 13);
    struct err e = {0};
    CHECK_TRUE(op_qkv_store.check(&p->a, &e));
    p->a.head_dim = 40;
    CHECK_TRUE(!op_qkv_store.check(&p->a, &e));
    p->a.head_dim = 528;
    CHECK_TRUE(!op_qkv_store.check(&p->a, &e));
    p->a.head_dim = 32;
    p->pos[2] = -1;
    CHECK_TRUE(!op_qkv_store.check(&p->a, &e));
    CHECK_STR(e.msg, "qkv_store: row 2 has position -1, sequence 0");
    p->pos[2] = 5;
    p->a.kv.n_table_pages = STRIDE + 1;
    CHECK_TRUE(!op_qkv_store.check(&p->a, &e));
}
