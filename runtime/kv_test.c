#include "runtime/kv.h"

#include "tests/t.h"

#include <stdlib.h>

static struct kv_config config(void)
{
    struct kv_config cfg = {.n_layers = 2,
                            .window = 100,
                            .max_seqs = 3,
                            .n_ctx = 640,
                            .n_pages = 12,
                            .max_chunk_rows = 32,
                            .rollback_rows = 16};
    cfg.layers[0] = (struct kv_layer_dims){true, 2, 16};
    cfg.layers[1] = (struct kv_layer_dims){false, 1, 32};
    return cfg;
}

static struct kv kv; /* each test is a process of its own */

static void open_kv(struct arena *a)
{
    struct kv_config cfg = config();
    struct plan p;
    struct err e = {0};
    plan_init(&p);
    MUST_TRUE(kv_plan(&kv, &cfg, &p, &e), e.msg);
    MUST_TRUE(arena_open(a, &p, &e), e.msg);
    kv_init(&kv, a);
}

/* Rings of layer 0 and pages of layer 1 as planned: keys and values, K * E = 32 in both layers. */
static uint64_t cells_bytes(enum kv_type type)
{
    uint64_t n_pages = kv.cfg.n_pages + (uint64_t)kv.cfg.max_seqs * kv.n_ring_pages;
    return n_pages * 2 * KV_PAGE_TOKENS * 32 * kv_cell_bytes(type, 1);
}

TEST(kv_plans_the_bytes_of_its_cell_type_and_names_it)
{
    struct kv_config cfg = config();
    static struct plan p[KV_N_TYPES];
    struct err e = {0};
    for (uint32_t type = 0; type < KV_N_TYPES; type++) {
        cfg.type = (enum kv_type)type;
        plan_init(&p[type]);
        MUST_TRUE(kv_plan(&kv, &cfg, &p[type], &e), e.msg);
    }
    CHECK_EQ(cells_bytes(KV_TYPE_F32), 2 * cells_bytes(KV_TYPE_F16));
    CHECK_EQ(plan_resident_bytes(&p[KV_TYPE_F32]) - plan_resident_bytes(&p[KV_TYPE_F16]),
             cells_bytes(KV_TYPE_F16));
    CHECK_STR(p[KV_TYPE_F16].regions[0].name, "kv layer 0 rings f16");
    CHECK_STR(p[KV_TYPE_F32].regions[1].name, "kv layer 1 pages f32");
    cfg.type = KV_N_TYPES;
    CHECK_TRUE(!kv_plan(&kv, &cfg, &p[0], &e));
    CHECK_STR(e.msg, "kv: no such cell type: 2");
}

TEST(kv_keeps_keys_and_values_of_a_layer_apart)
{
    for (uint32_t type = 0; type < KV_N_TYPES; type++) {
        struct kv_config cfg = config();
        struct arena a;
        struct plan p;
        struct err e = {0};
        cfg.type = (enum kv_type)type;
        plan_init(&p);
        MUST_TRUE(kv_plan(&kv, &cfg, &p, &e), e.msg);
        MUST_TRUE(arena_open(&a, &p, &e), e.msg);
        kv_init(&kv, &a);
        for (uint32_t i = 0; i < cfg.n_layers; i++) {
            uint64_t n_pages = i == 0 ? cfg.max_seqs * kv.n_ring_pages : cfg.n_pages;
            CHECK_EQ(kv.views[i].v - kv.views[i].k,
                     n_pages * KV_PAGE_TOKENS * 32 * kv_cell_bytes(cfg.type, 1)); /* K * E = 32 */
            CHECK_EQ(kv.views[i].type, type);
        }
        arena_close(&a);
    }
}

TEST(kv_pages_belong_to_one_sequence_and_come_back)
{
    struct arena a;
    open_kv(&a);
    bool is_owned[12] = {false};
    int32_t first = kv_seq_take(&kv), second = kv_seq_take(&kv);
    CHECK_TRUE(kv_reserve(&kv, first, 65));   /* two pages */
    CHECK_TRUE(kv_reserve(&kv, second, 640)); /* ten: all the rest */
    CHECK_EQ(kv_n_free_pages(&kv), 0);
    for (int i = 0; i < 2; i++)
        is_owned[kv.table[first * (int)kv.table_stride + i]] = true;
    for (int i = 0; i < 10; i++) {
        CHECK_TRUE(!is_owned[kv.table[second * (int)kv.table_stride + i]]);
        is_owned[kv.table[second * (int)kv.table_stride + i]] = true;
    }
    CHECK_TRUE(!kv_reserve(&kv, first, 129)); /* a third page: none left, nothing changed */
    CHECK_TRUE(kv_reserve(&kv, first, 128));
    kv_seq_release(&kv, second);
    CHECK_EQ(kv_n_free_pages(&kv), 10);
    CHECK_TRUE(kv_reserve(&kv, first, 129));
    arena_close(&a);
}

TEST(kv_refuses_more_sequences_and_tokens_than_planned)
{
    struct arena a;
    open_kv(&a);
    CHECK_EQ(kv_seq_take(&kv), 0);
    CHECK_EQ(kv_seq_take(&kv), 1);
    CHECK_EQ(kv_seq_take(&kv), 2);
    CHECK_EQ(kv_seq_take(&kv), -1);
    CHECK_TRUE(!kv_reserve(&kv, 0, 641));
    kv_seq_release(&kv, 1);
    CHECK_EQ(kv_seq_take(&kv), 1);
    arena_close(&a);
}

TEST(kv_truncates_only_what_the_rings_still_hold)
{
    struct arena a;
    open_kv(&a);
    uint32_t n_cells = kv.n_ring_pages * KV_PAGE_TOKENS;
    CHECK_TRUE(n_cells >= 100 + 32 + 16); /* window, chunk and rollback */
    int32_t seq = kv_seq_take(&kv);
    CHECK_TRUE(kv_reserve(&kv, seq, 640));
    for (uint32_t n = 32; n <= 640; n += 32)
        kv_advance(&kv, seq, n);
    CHECK_TRUE(!kv_truncate(&kv, seq, 641));
    CHECK_TRUE(!kv_truncate(
        &kv, seq, 640 - (n_cells - 100 + 1) - 1)); /* gemma4-text 4.3: P - n <= C - W + 1 */
    CHECK_TRUE(kv_truncate(&kv, seq, 640 - (n_cells - 100 + 1)));
    CHECK_TRUE(kv_truncate(&kv, seq, 0)); /* starting over is always possible */
    kv_advance(&kv, seq, 32);
    CHECK_TRUE(kv_truncate(&kv, seq, 1));
    arena_close(&a);
}

TEST(kv_truncates_anywhere_before_the_rings_wrap)
{
    struct arena a;
    open_kv(&a);
    int32_t seq = kv_seq_take(&kv);
    CHECK_TRUE(kv_reserve(&kv, seq, 640));
    uint32_t n_cells = kv.n_ring_pages * KV_PAGE_TOKENS;
    for (uint32_t n = 32; n <= n_cells; n += 32)
        kv_advance(&kv, seq, n);
    CHECK_TRUE(kv_truncate(&kv, seq, 1));
    arena_close(&a);
}
