#include "kernels/attn/attn_tile.h"
#include "kernels/cpu/body.h"
#include "kernels/kv_ref.h"
#include "kernels/op.h"
#include "tests/near.h"
#include "tests/t.h"

#include <string.h>

enum { MAX_T = 80, N_SEQS = 2, STRIDE = 8, N_PAGES = N_SEQS * STRIDE };

struct problem {
    struct attn_args a;
    int32_t pos[MAX_T], seq[MAX_T], table[N_PAGES];
    size_t n_out, n_cache_bytes;
    uint64_t cell_bytes;
};

struct shape {
    uint32_t H, K, E, window;
    enum kv_type type;
};

/* n_bytes of cells of E elements in -1..1. */
static unsigned char *random_cells(struct shape s, size_t n_bytes, uint64_t *state)
{
    unsigned char *cells = near_alloc(n_bytes);
    uint64_t cell_bytes = kv_cell_bytes(s.type, s.E);
    for (size_t at = 0; at < n_bytes; at += cell_bytes) {
        double x[ATTN_MAX_HEAD_DIM];
        for (uint32_t j = 0; j < s.E; j++)
            x[j] = near_uniform(state, 1);
        kv_ref_put(cells + at, x, s.E, s.type);
    }
    return cells;
}

/* No rows yet; every cell of the cache holds a finite value. */
static struct problem *make(struct shape s, uint64_t seed)
{
    struct problem *p = near_alloc(sizeof *p);
    p->n_out = (size_t)MAX_T * s.H * s.E;
    p->cell_bytes = kv_cell_bytes(s.type, s.E);
    p->n_cache_bytes = (size_t)N_PAGES * s.K * KV_PAGE_TOKENS * p->cell_bytes;
    for (int32_t i = 0; i < N_PAGES; i++)
        p->table[i] = (i * 7 + 3) % N_PAGES;
    /* scores of a few units: some cells matter, none alone */
    float spread = 3.0f / sqrtf((float)s.E);
    p->a = (struct attn_args){.q = near_floats(p->n_out, &seed, spread * 3),
                              .out = near_alloc(p->n_out * sizeof(float)),
                              .pos = p->pos,
                              .seq = p->seq,
                              .kv = {random_cells(s, p->n_cache_bytes, &seed),
                                     random_cells(s, p->n_cache_bytes, &seed), p->table, STRIDE,
                                     STRIDE, s.type},
                              .n_heads = s.H,
                              .n_kv_heads = s.K,
                              .head_dim = s.E,
                              .window = s.window};
    return p;
}

static void add_rows(struct problem *p, int32_t seq, int32_t first_pos, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++, p->a.n_rows++) {
        p->seq[p->a.n_rows] = seq;
        p->pos[p->a.n_rows] = first_pos + (int32_t)i;
    }
}

static size_t row_elems(const struct problem *p)
{
    return (size_t)p->a.n_heads * p->a.head_dim;
}

static float *run(const struct problem *p, uint32_t isa, uint32_t n_tid)
{
    struct attn_args a = p->a;
    a.out = near_alloc(p->n_out * sizeof(float));
    memset(a.out, 0xEE, p->n_out * sizeof(float));
    for (uint32_t tid = 0; tid < n_tid; tid++)
        body_get((enum cpu_isa)isa)->attn(&a, tid, n_tid);
    return a.out;
}

static float *run_ref(const struct problem *p)
{
    struct attn_args a = p->a;
    a.out = near_alloc(p->n_out * sizeof(float));
    attn_ref(&a);
    return a.out;
}

static bool can_run(uint32_t isa)
{
    return (cpu_isa_mask() >> isa & 1) && body_get((enum cpu_isa)isa);
}

static const struct shape shapes[] = {
    {1, 1, 16, 0, KV_TYPE_F16},    {4, 2, 64, 16, KV_TYPE_F16},  {4, 1, 128, 0, KV_TYPE_F16},
    {16, 1, 48, 100, KV_TYPE_F16}, {6, 2, 80, 65, KV_TYPE_F16},  {2, 1, 256, 64, KV_TYPE_F16},
    {8, 1, 512, 0, KV_TYPE_F16},   {40, 1, 16, 30, KV_TYPE_F16},
};
enum { N_SHAPES = sizeof shapes / sizeof *shapes, N_CASES = N_SHAPES * KV_N_TYPES };

/* Every shape with every type of cell. */
static struct shape case_at(uint32_t i)
{
    struct shape s = shapes[i % N_SHAPES];
    s.type = (enum kv_type)(i / N_SHAPES);
    return s;
}

/* Decode rows of both sequences, a verify group, and a prefill chunk that crosses pages, in one
 * batch. */
static struct problem *make_mix(struct shape s, uint64_t seed)
{
    struct problem *p = make(s, seed);
    add_rows(p, 0, 449, 1);
    add_rows(p, 1, 0, 3);
    add_rows(p, 1, 200, 5);
    add_rows(p, 0, 100, 41);
    add_rows(p, 1, 63, 2);
    return p;
}

TEST(attn_is_within_its_budget_of_the_reference)
{
    for (uint32_t i = 0; i < N_CASES; i++) {
        struct problem *p = make_mix(case_at(i), i);
        MUST_TRUE(op_attn.check(&p->a, NULL), NULL);
        size_t n = row_elems(p) * p->a.n_rows;
        float *want = run_ref(p), *got = run(p, CPU_ISA_PORTABLE, 1);
        CHECK_TRUE(near_nmse(got, want, n) <= ATTN_MAX_NMSE);
        got[n / 2] += 0.01f;
        CHECK_TRUE(near_nmse(got, want, n) > ATTN_MAX_NMSE);
    }
}

TEST(attn_bits_do_not_depend_on_the_set_or_the_thread_count)
{
    for (uint32_t i = 0; i < N_CASES; i++) {
        struct problem *p = make_mix(case_at(i), 10 + i);
        size_t n_bytes = row_elems(p) * p->a.n_rows * sizeof(float);
        float *want = run(p, CPU_ISA_PORTABLE, 1);
        for (uint32_t isa = 0; isa < CPU_N_ISAS; isa++)
            for (uint32_t n_tid = 1; can_run(isa) && n_tid <= 64; n_tid = n_tid * 2 + 1)
                CHECK_BYTES(run(p, isa, n_tid), want, n_bytes);
    }
}

static void check_rows_alone(const struct problem *p, uint32_t isa)
{
    const size_t n = row_elems(p);
    float *all = run(p, isa, 1);
    for (uint32_t t = 0; t < p->a.n_rows; t++) {
        struct problem one = *p;
        one.a.q += t * n;
        one.a.pos = p->pos + t;
        one.a.seq = p->seq + t;
        one.a.n_rows = 1;
        CHECK_BYTES(run(&one, isa, 1), all + t * n, n * sizeof *all);
    }
}

TEST(attn_row_has_the_same_bits_alone_and_in_any_company)
{
    for (uint32_t i = 0; i < N_CASES; i++) {
        struct problem *p = make_mix(case_at(i), 20 + i);
        for (uint32_t isa = 0; isa < CPU_N_ISAS; isa++)
            if (can_run(isa))
                check_rows_alone(p, isa);
    }
}

/* The cache of p, but every cell outside what row 0 may see is a NaN. */
static struct kv_view poisoned(const struct problem *p)
{
    const struct attn_args *a = &p->a;
    struct kv_view kv = a->kv;
    kv.k = near_alloc(p->n_cache_bytes);
    kv.v = near_alloc(p->n_cache_bytes);
    memset(kv.k, 0xFF, p->n_cache_bytes);
    memset(kv.v, 0xFF, p->n_cache_bytes);
    const uint32_t n = a->n_kv_heads, first = attn_first_pos(a, 0), last = (uint32_t)a->pos[0];
    for (uint32_t i = first * n; i < (last + 1) * n; i++) {
        uint64_t at = kv_view_cell_off_bytes(&kv, a->seq[0], i / n, i % n, n, a->head_dim);
        memcpy(kv.k + at, a->kv.k + at, p->cell_bytes);
        memcpy(kv.v + at, a->kv.v + at, p->cell_bytes);
    }
    return kv;
}

TEST(attn_never_touches_a_cell_outside_a_rows_range)
{
    static const struct shape edge[] = {
        {4, 2, 64, 16, KV_TYPE_F16}, {2, 1, 32, 0, KV_TYPE_F16}, {8, 1, 16, 70, KV_TYPE_F16}};
    for (uint32_t i = 0; i < 60 * KV_N_TYPES; i++) {
        struct shape s = edge[i % 3];
        s.type = (enum kv_type)(i / 60);
        struct problem *p = make(s, 30 + i);
        add_rows(p, 1, 120 + (int32_t)(i % 60) / 3, 1);
        float *want = run(p, CPU_ISA_PORTABLE, 1);
        p->a.kv = poisoned(p);
        for (uint32_t isa = 0; isa < CPU_N_ISAS; isa++)
            if (can_run(isa))
                CHECK_BYTES(run(p, isa, 1), want, row_elems(p) * sizeof(float));
    }
}

/* Output change when V of the cell at position pos changes: the exponent of its last element. */
static bool depends_on(struct problem *p, uint32_t pos)
{
    float *before = run(p, CPU_ISA_PORTABLE, 1);
    uint64_t at = kv_view_cell_off_bytes(&p->a.kv, 0, pos, 0, p->a.n_kv_heads, p->a.head_dim);
    p->a.kv.v[at + p->cell_bytes - 1] ^= 0x40;
    float *after = run(p, CPU_ISA_PORTABLE, 1);
    p->a.kv.v[at + p->cell_bytes - 1] ^= 0x40;
    return memcmp(before, after, row_elems(p) * sizeof(float)) != 0;
}

TEST(attn_window_of_16_at_position_16_sees_key_1_and_not_key_0)
{
    for (uint32_t type = 0; type < KV_N_TYPES; type++) {
        struct problem *p = make((struct shape){2, 1, 32, 16, (enum kv_type)type}, 40);
        add_rows(p, 0, 16, 1);
        CHECK_TRUE(!depends_on(p, 0));
        CHECK_TRUE(depends_on(p, 1));
        CHECK_TRUE(depends_on(p, 16));
        CHECK_TRUE(!depends_on(p, 17));
        p->pos[0] = 15;
        CHECK_TRUE(depends_on(p, 0));
        CHECK_TRUE(!depends_on(p, 16));
    }
}

TEST(attn_ring_of_three_pages_equals_a_long_table)
{
    for (uint32_t type = 0; type < KV_N_TYPES; type++) {
        struct problem *p = make((struct shape){4, 2, 64, 100, (enum kv_type)type}, 50);
        add_rows(p, 0, 300, 9);
        float *want = run(p, CPU_ISA_PORTABLE, 1);
        /* pages 3 and 4 hold positions 192..319; as a ring of three, they are entries 0 and 1 */
        p->table[1] = p->table[4];
        p->table[0] = p->table[3];
        p->a.kv.n_table_pages = 3;
        MUST_TRUE(op_attn.check(&p->a, NULL), NULL);
        CHECK_BYTES(run(p, CPU_ISA_PORTABLE, 1), want, row_elems(p) * 9 * sizeof(float));
    }
}

/* f32 cells that hold f16 values: the type of the cells is not part of the arithmetic. */
TEST(attn_gives_the_same_bits_from_f16_cells_and_from_the_same_values_in_f32)
{
    for (uint32_t i = 0; i < N_SHAPES; i++) {
        struct problem *p = make_mix(shapes[i], 80 + i), wide = *p;
        size_t n = p->n_cache_bytes / sizeof(uint16_t);
        float *k = near_alloc(n * sizeof *k), *v = near_alloc(n * sizeof *v);
        for (size_t j = 0; j < n; j++) {
            k[j] = kv_ref_get(p->a.kv.k, (uint32_t)j, KV_TYPE_F16);
            v[j] = kv_ref_get(p->a.kv.v, (uint32_t)j, KV_TYPE_F16);
        }
        wide.a.kv.k = (unsigned char *)k;
        wide.a.kv.v = (unsigned char *)v;
        wide.a.kv.type = KV_TYPE_F32;
        for (uint32_t isa = 0; isa < CPU_N_ISAS; isa++)
            if (can_run(isa))
                CHECK_BYTES(run(&wide, isa, 1), run(p, isa, 1),
                            row_elems(p) * p->a.n_rows * sizeof(float));
    }
}

TEST(attn_refuses_a_ring_too_short_for_the_window)
{
    struct problem *p = make((struct shape){4, 2, 64, 0, KV_TYPE_F16}, 60);
    struct err e = {0};
    add_rows(p, 0, 200, 1);
    p->a.kv.n_table_pages = 3;
    CHECK_TRUE(!op_attn.check(&p->a, &e));
    CHECK_STR(e.msg, "attn: row 0 sees 4 pages, its table holds 3");
    p->a.window = 100;
    CHECK_TRUE(op_attn.check(&p->a, &e));
    p->a.n_heads = 3;
    CHECK_TRUE(!op_attn.check(&p->a, &e));
    p->a.n_heads = 4;
    p->a.kv.type = KV_N_TYPES;
    e = (struct err){0};
    CHECK_TRUE(!op_attn.check(&p->a, &e));
    CHECK_STR(e.msg, "attn: no such cell type: 2");
}

static uint32_t n_visits[MAX_T][64];

static void count_tile(const struct attn_args *a, const struct attn_tile *tile)
{
    CHECK_TRUE(tile->n_rows * tile->n_heads <= ATTN_TILE_QUERIES);
    for (uint32_t t = tile->first_row; t < tile->first_row + tile->n_rows; t++)
        for (uint32_t h = tile->first_head; h < tile->first_head + tile->n_heads; h++) {
            CHECK_EQ(h / (a->n_heads / a->n_kv_heads), tile->kv_head);
            n_visits[t][h]++;
        }
}

static void check_cover(const struct problem *p, uint32_t n_tid)
{
    memset(n_visits, 0, sizeof n_visits);
    for (uint32_t tid = 0; tid < n_tid; tid++)
        attn_tiles(&p->a, tid, n_tid, count_tile);
    for (uint32_t t = 0; t < p->a.n_rows; t++)
        for (uint32_t h = 0; h < p->a.n_heads; h++)
            CHECK_EQ(n_visits[t][h], 1);
}

TEST(attn_tiles_cover_every_row_and_head_once_for_any_thread_count)
{
    for (uint32_t i = 0; i < N_SHAPES; i++) {
        struct problem *p = make_mix(shapes[i], 70);
        for (uint32_t n_tid = 1; n_tid < 130; n_tid += 9)
            check_cover(p, n_tid);
    }
}
