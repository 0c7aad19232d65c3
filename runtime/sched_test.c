#include "runtime/sched.h"

#include "tests/t.h"

enum { MAX_SLOTS = 8 };

struct fixture {
    struct kv kv;
    struct arena arena;
    struct sched_slot slots[MAX_SLOTS];
    struct sched sched;
    struct sched_item items[4];
};

/* Two sequences at once, 10 pages of 64 tokens, batches of up to 64 rows. */
static void open_fixture(struct fixture *f)
{
    struct kv_config cfg = {.n_layers = 1,
                            .window = 64,
                            .max_seqs = 2,
                            .n_ctx = 512,
                            .n_pages = 10,
                            .max_chunk_rows = 64,
                            .rollback_rows = 16};
    cfg.layers[0] = (struct kv_layer_dims){false, 1, 16};
    struct plan p;
    struct err e = {0};
    plan_init(&p);
    MUST_TRUE(kv_plan(&f->kv, &cfg, &p, &e), e.msg);
    MUST_TRUE(arena_open(&f->arena, &p, &e), e.msg);
    kv_init(&f->kv, &f->arena);
    sched_init(&f->sched, &f->kv, f->slots, MAX_SLOTS, 64);
}

static int32_t submit(struct fixture *f, uint32_t req_id, uint32_t n_prompt, uint32_t max_tokens)
{
    enum refuse_reason why;
    int32_t i = sched_submit(&f->sched, req_id, n_prompt, max_tokens, &why);
    if (i >= 0)
        sched_queue(&f->sched, (uint32_t)i);
    return i;
}

TEST(sched_serves_in_order_of_arrival)
{
    struct fixture f;
    open_fixture(&f);
    int32_t a = submit(&f, 11, 10, 10), b = submit(&f, 12, 10, 10), c = submit(&f, 13, 10, 10);
    CHECK_EQ(sched_n_ahead(&f.sched, (uint32_t)c), 2);
    CHECK_EQ(sched_admit(&f.sched), a);
    CHECK_EQ(sched_admit(&f.sched), b);
    CHECK_EQ(sched_admit(&f.sched), -1); /* both sequences are taken */
    CHECK_EQ(sched_n_ahead(&f.sched, (uint32_t)c), 0);
    sched_remove(&f.sched, (uint32_t)a);
    CHECK_EQ(sched_admit(&f.sched), c);
    arena_close(&f.arena);
}

TEST(sched_admits_only_what_fits_to_its_end)
{
    struct fixture f;
    open_fixture(&f);
    submit(&f, 1, 300, 100);              /* 400 tokens: 7 pages */
    int32_t big = submit(&f, 2, 200, 56); /* 4 pages; 3 are left */
    submit(&f, 3, 10, 10);                /* would fit, but is not next */
    CHECK_TRUE(sched_admit(&f.sched) >= 0);
    CHECK_EQ(sched_admit(&f.sched), -1);
    sched_remove(&f.sched, (uint32_t)sched_find(&f.sched, 1));
    CHECK_EQ(sched_admit(&f.sched), big);
    arena_close(&f.arena);
}

TEST(sched_puts_decode_rows_before_prompt_rows)
{
    struct fixture f;
    open_fixture(&f);
    int32_t a = submit(&f, 1, 3, 10), b = submit(&f, 2, 100, 10);
    uint32_t n_rows;
    sched_admit(&f.sched);
    sched_admit(&f.sched);
    CHECK_EQ(sched_step(&f.sched, 32, f.items, &n_rows), 2);
    CHECK_EQ(f.items[0].i_slot, a);
    CHECK_EQ(f.items[0].n_rows, 3);
    CHECK_TRUE(f.items[0].wants_logits);
    CHECK_EQ(f.items[1].i_slot, b);
    CHECK_EQ(f.items[1].n_rows, 29); /* what is left of 32 */
    CHECK_TRUE(!f.items[1].wants_logits);
    CHECK_EQ(n_rows, 32);
    sched_computed(&f.sched, &f.items[0]);
    sched_computed(&f.sched, &f.items[1]);
    sched_appended(&f.sched, (uint32_t)a);
    CHECK_EQ(sched_step(&f.sched, 1000, f.items, &n_rows), 2);
    CHECK_EQ(f.items[0].i_slot, a); /* one decode row, whatever the prompt budget */
    CHECK_EQ(f.items[0].first_pos, 3);
    CHECK_EQ(f.items[0].n_rows, 1);
    CHECK_EQ(f.items[1].first_pos, 29);
    CHECK_EQ(f.items[1].n_rows, 63); /* the batch holds 64 */
    CHECK_EQ(n_rows, 64);
    arena_close(&f.arena);
}

TEST(sched_refuses_with_the_reason)
{
    struct fixture f;
    open_fixture(&f);
    enum refuse_reason why;
    CHECK_EQ(sched_submit(&f.sched, 1, 512, 1, &why), -1);
    CHECK_EQ(why, REFUSE_TOO_LONG);
    CHECK_EQ(sched_submit(&f.sched, 1, 0, 1, &why), -1);
    CHECK_EQ(why, REFUSE_INVALID);
    for (uint32_t id = 1; id <= MAX_SLOTS; id++)
        CHECK_TRUE(submit(&f, id, 5, 5) >= 0);
    CHECK_EQ(sched_submit(&f.sched, 99, 5, 5, &why), -1);
    CHECK_EQ(why, REFUSE_QUEUE_FULL);
    sched_remove(&f.sched, 0);
    CHECK_EQ(sched_submit(&f.sched, 2, 5, 5, &why), -1); /* the id is in use */
    CHECK_EQ(why, REFUSE_INVALID);
    arena_close(&f.arena);
}

TEST(sched_frees_pages_of_what_is_cancelled)
{
    struct fixture f;
    open_fixture(&f);
    submit(&f, 7, 100, 100);
    sched_admit(&f.sched);
    CHECK_EQ(kv_n_free_pages(&f.kv), 6);
    sched_remove(&f.sched, (uint32_t)sched_find(&f.sched, 7));
    CHECK_EQ(kv_n_free_pages(&f.kv), 10);
    CHECK_EQ(sched_find(&f.sched, 7), -1);
    arena_close(&f.arena);
}
