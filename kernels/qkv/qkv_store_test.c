#include "kernels/cpu/body.h"
#include "kernels/op.h"
#include "kernels/quant/half.h"
#include "tests/near.h"
#include "tests/t.h"

#include <string.h>

enum { N_PAGES = 6, STRIDE = 3, MAX_T = 9 };

static const int32_t table[2 * STRIDE] = {4, 1, 0,
                                          5, 2, 3}; /* two sequences, a ring of three pages */

struct problem {
    struct qkv_store_args a;
    float *q_raw;
    size_t n_q, n_cache;
    int32_t pos[MAX_T], seq[MAX_T];
};

static void begin(struct problem *p)
{
    memcpy(p->a.q, p->q_raw, p->n_q * sizeof(float));
    memset(p->a.kv.k, 0xEE, p->n_cache * sizeof(uint16_t));
    memset(p->a.kv.v, 0xEE, p->n_cache * sizeof(uint16_t));
}

static struct problem *make(uint32_t H, uint32_t K, uint32_t E, uint64_t seed)
{
    struct problem *p = near_alloc(sizeof *p);
    p->n_q = (size_t)MAX_T * H * E;
    p->n_cache = (size_t)N_PAGES * K * KV_PAGE_TOKENS * E;
    p->q_raw = near_floats(p->n_q, &seed, 2);
    double *inv_freq = near_alloc(E / 2 * sizeof *inv_freq);
    for (uint32_t j = 0; j < E / 2; j++)
        inv_freq[j] = j < E / 4 ? pow(1e4, -2.0 * j / E) : 0;
    for (uint32_t t = 0; t < MAX_T; t++) {
        p->seq[t] = t >= 5;
        p->pos[t] = t < 5 ? 190 + (int32_t)t : 200000 + (int32_t)t;
    }
    p->a = (struct qkv_store_args){
        .q = near_alloc(p->n_q * sizeof(float)),
        .k = near_floats((size_t)MAX_T * K * E, &seed, 3),
        .v = near_floats((size_t)MAX_T * K * E, &seed, 3),
        .q_norm = near_floats(E, &seed, 1),
        .k_norm = near_floats(E, &seed, 1),
        .inv_freq = inv_freq,
        .pos = p->pos,
        .seq = p->seq,
        .kv = {near_alloc(p->n_cache * 2), near_alloc(p->n_cache * 2), table, STRIDE, STRIDE},
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

static float *widen(const uint16_t *x, size_t n)
{
    float *y = near_alloc(n * sizeof *y);
    for (size_t i = 0; i < n; i++)
        y[i] = x[i] == 0xEEEE ? 0 : half_from_f16(x[i]);
    return y;
}

static const uint32_t shapes[][3] = {{1, 1, 16}, {4, 2, 48}, {2, 1, 64}, {6, 3, 112}, {4, 1, 512}};
enum { N_SHAPES = sizeof shapes / sizeof *shapes };

TEST(qkv_store_is_within_its_budget_of_the_reference)
{
    for (uint32_t i = 0; i < N_SHAPES; i++) {
        struct problem *p = make(shapes[i][0], shapes[i][1], shapes[i][2], i);
        MUST_TRUE(op_qkv_store.check(&p->a, NULL), NULL);
        op_qkv_store.cpu(&p->a, 0, 1);
        float *q = copy_f32(p->a.q, p->n_q), *k = widen(p->a.kv.k, p->n_cache),
              *v = widen(p->a.kv.v, p->n_cache);
        begin(p);
        qkv_store_ref(&p->a);
        float *k_want = widen(p->a.kv.k, p->n_cache), *v_want = widen(p->a.kv.v, p->n_cache);
        CHECK_TRUE(near_nmse(q, p->a.q, p->n_q) <= QKV_STORE_MAX_NMSE_Q);
        CHECK_TRUE(near_nmse(k, k_want, p->n_cache) <= QKV_STORE_MAX_NMSE_KV);
        CHECK_TRUE(near_nmse(v, v_want, p->n_cache) <= QKV_STORE_MAX_NMSE_KV);
        q[3] += 0.01f;
        CHECK_TRUE(near_nmse(q, p->a.q, p->n_q) > QKV_STORE_MAX_NMSE_Q);
    }
}

TEST(qkv_store_writes_only_the_cells_of_its_rows)
{
    struct problem *p = make(2, 2, 32, 7);
    op_qkv_store.cpu(&p->a, 0, 1);
    size_t n_written = 0;
    for (size_t i = 0; i < p->n_cache; i++)
        n_written += p->a.kv.k[i] != 0xEEEE;
    CHECK_EQ(n_written, MAX_T * 2 * 32);
    /* sequence 0, position 190: table page 190 / 64 % 3 = 2 -> page 0; position 192: ring wraps to
     * page 4 */
    CHECK_TRUE(p->a.kv.k[(0 * KV_PAGE_TOKENS * 2 + 190 % 64) * 32] != 0xEEEE);
    CHECK_TRUE(p->a.kv.k[(4 * KV_PAGE_TOKENS * 2 + 192 % 64) * 32] != 0xEEEE);
}

struct outcome {
    float *q;
    uint16_t *k, *v;
};

static struct outcome save(const struct problem *p)
{
    struct outcome o = {copy_f32(p->a.q, p->n_q), near_alloc(p->n_cache * 2),
                        near_alloc(p->n_cache * 2)};
    memcpy(o.k, p->a.kv.k, p->n_cache * 2);
    memcpy(o.v, p->a.kv.v, p->n_cache * 2);
    return o;
}

static void check_same(const struct problem *p, const struct outcome *want)
{
    CHECK_BYTES(p->a.q, want->q, p->n_q * sizeof(float));
    CHECK_BYTES(p->a.kv.k, want->k, p->n_cache * 2);
    CHECK_BYTES(p->a.kv.v, want->v, p->n_cache * 2);
}

TEST(qkv_store_bits_do_not_depend_on_the_set_or_the_thread_count)
{
    for (uint32_t i = 0; i < N_SHAPES * CPU_N_ISAS; i++) {
        const uint32_t *shape = shapes[i / CPU_N_ISAS], isa = i % CPU_N_ISAS;
        if (!(cpu_isa_mask() >> isa & 1) || !body_get((enum cpu_isa)isa))
            continue;
        struct problem *p = make(shape[0], shape[1], shape[2], 20 + i);
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
    for (uint32_t i = 0; i < N_SHAPES; i++) {
        struct problem *p = make(shapes[i][0], shapes[i][1], shapes[i][2], 40 + i);
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
    struct problem *p = make(2, 2, 32, 9);
    p->a.v = p->a.k;
    op_qkv_store.cpu(&p->a, 0, 1);
    uint16_t *v = near_alloc(p->n_cache * 2);
    memcpy(v, p->a.kv.v, p->n_cache * 2);
    uint64_t seed = 99;
    p->a.k_norm = near_floats(32, &seed, 1);
    uint16_t *k = near_alloc(p->n_cache * 2);
    memcpy(k, p->a.kv.k, p->n_cache * 2);
    begin(p);
    op_qkv_store.cpu(&p->a, 0, 1);
    CHECK_BYTES(p->a.kv.v, v, p->n_cache * 2);
    CHECK_TRUE(memcmp(p->a.kv.k, k, p->n_cache * 2) != 0);
}

/* A q of (1, 0, ..) with weight w becomes (cos, .., sin): RMS of E elements is 1 / sqrt(E). */
TEST(qkv_store_angles_are_those_of_libm_in_double_up_to_the_longest_context)
{
    static const int32_t positions[] = {0, 1, 63, 1000, 262143, 1048576, 3000000};
    struct problem *p = make(1, 1, 16, 11);
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
    struct problem *p = make(2, 1, 32, 13);
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
