#include "runtime/runner.h"

#include "runtime/tools.h"
#include "tests/t.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { N_CTX = 96, N_IDS = 80, MAX_ROWS = 40 };

/* The tiny random model with two sequences. */
static struct runner *open_tiny(void)
{
    struct err e = {.code = ERR_NONE};
    struct load_config cfg = {.n_ctx = N_CTX,
                              .max_seqs = 2,
                              .max_rows = MAX_ROWS,
                              .max_logit_rows = MAX_ROWS,
                              .n_threads = 2,
                              .budget_bytes = UINT64_C(1) << 32};
    char path[512], name[] = "synth", shape[] = "tiny", type[] = "Q8_0";
    snprintf(path, sizeof path, "%s/tiny.gguf", t_scratch_dir());
    MUST_TRUE(tool_synth(4, (char *[]){name, shape, type, path, NULL}) == 0, "no model");
    struct runner *r = runner_open(path, &cfg, N_CTX, &e);
    MUST_TRUE(r, e.msg);
    return r;
}

static void fill_ids(int32_t *ids, uint32_t n_ids, uint32_t salt)
{
    for (uint32_t i = 0; i < n_ids; i++)
        ids[i] = (int32_t)((i * 37u + i * i * 11u + salt) % 500u);
}

/* Feeds ids to a sequence n_chunk at a time; rows [n_ids, V] get every row's logits. */
static void feed_chunks(struct runner *r, int32_t seq, const int32_t *ids, uint32_t n_chunk,
                        float *rows)
{
    struct err e = {.code = ERR_NONE};
    uint32_t n_vocab = r->m.model.dims.n_vocab;
    for (uint32_t pos = 0; pos < N_IDS; pos += n_chunk) {
        uint32_t n = N_IDS - pos < n_chunk ? N_IDS - pos : n_chunk;
        struct runner_part part = {seq, ids + pos, n};
        MUST_TRUE(runner_step(r, &part, 1, RUNNER_EVERY_ROW, &e), e.msg);
        memcpy(rows + (size_t)pos * n_vocab, runner_logits(r, 0),
               (size_t)n * n_vocab * sizeof *rows);
    }
}

static float *new_rows(const struct runner *r)
{
    float *rows = calloc((size_t)N_IDS * r->m.model.dims.n_vocab, sizeof *rows);
    MUST_TRUE(rows, "no memory");
    return rows;
}

TEST(runner_gives_the_same_bits_for_any_chunks)
{
    struct runner *r = open_tiny();
    size_t n_bytes = (size_t)N_IDS * r->m.model.dims.n_vocab * sizeof(float);
    float *want = new_rows(r), *got = new_rows(r);
    int32_t ids[N_IDS];
    fill_ids(ids, N_IDS, 1);
    feed_chunks(r, 0, ids, 1, want);
    for (uint32_t n_chunk = 3; n_chunk <= MAX_ROWS; n_chunk += 37) {
        CHECK_EQ(runner_truncate(r, 0, 0), 0);
        feed_chunks(r, 0, ids, n_chunk, got);
        CHECK_BYTES(got, want, n_bytes);
    }
    runner_close(r);
    free(want);
    free(got);
}

TEST(runner_steps_two_sequences_as_each_alone)
{
    struct err e = {.code = ERR_NONE};
    struct runner *r = open_tiny();
    uint32_t n_vocab = r->m.model.dims.n_vocab;
    float *a = new_rows(r), *b = new_rows(r);
    int32_t ids_a[N_IDS], ids_b[N_IDS];
    fill_ids(ids_a, N_IDS, 1);
    fill_ids(ids_b, N_IDS, 7);
    feed_chunks(r, 0, ids_a, 16, a);
    feed_chunks(r, 1, ids_b, 16, b);
    CHECK_EQ(runner_truncate(r, 0, 0) + runner_truncate(r, 1, 0), 0);
    uint32_t n_a = 1, n_b = 0; /* at different depths */
    MUST_TRUE(runner_feed(r, (struct runner_part){0, ids_a, 1}, NULL, &e), e.msg);
    while (n_a + 3 <= N_IDS && n_b + 2 <= N_IDS) {
        const struct runner_part parts[2] = {{1, ids_b + n_b, 2}, {0, ids_a + n_a, 3}};
        MUST_TRUE(runner_step(r, parts, 2, RUNNER_LAST_ROW, &e), e.msg);
        n_a += 3;
        n_b += 2;
        CHECK_BYTES(runner_logits(r, 0), b + (size_t)(n_b - 1) * n_vocab, n_vocab * sizeof *b);
        CHECK_BYTES(runner_logits(r, 1), a + (size_t)(n_a - 1) * n_vocab, n_vocab * sizeof *a);
    }
    runner_close(r);
    free(a);
    free(b);
}

TEST(runner_refuses_foreign_tokens_and_a_full_context_and_goes_on)
{
    struct err e = {.code = ERR_NONE};
    struct runner *r = open_tiny();
    int32_t ids[N_IDS];
    fill_ids(ids, N_IDS, 1);
    MUST_TRUE(runner_feed(r, (struct runner_part){0, ids, N_IDS}, NULL, &e), e.msg);
    const int32_t foreign = (int32_t)r->m.model.dims.n_vocab, negative = -1;
    CHECK_TRUE(!runner_step(r, &(struct runner_part){0, &foreign, 1}, 1, RUNNER_NO_ROWS, &e));
    CHECK_EQ(e.code, ERR_FORMAT);
    e.code = ERR_NONE;
    CHECK_TRUE(!runner_step(r, &(struct runner_part){0, &negative, 1}, 1, RUNNER_NO_ROWS, &e));
    CHECK_EQ(e.code, ERR_FORMAT);
    e.code = ERR_NONE;
    CHECK_TRUE(
        !runner_step(r, &(struct runner_part){0, ids, N_CTX - N_IDS + 1}, 1, RUNNER_NO_ROWS, &e));
    CHECK_EQ(e.code, ERR_LIMIT);
    CHECK_EQ(runner_n_tokens(r, 0), N_IDS);
    e.code = ERR_NONE;
    MUST_TRUE(runner_feed(r, (struct runner_part){0, ids, N_CTX - N_IDS}, NULL, &e), e.msg);
    CHECK_EQ(runner_n_tokens(r, 0), N_CTX);
    runner_close(r);
}

TEST(runner_takes_a_sequence_back_without_a_trace)
{
    struct err e = {.code = ERR_NONE};
    struct runner *r = open_tiny();
    uint32_t n_vocab = r->m.model.dims.n_vocab;
    float *want = new_rows(r);
    int32_t ids[N_IDS], other[8];
    fill_ids(ids, N_IDS, 1);
    fill_ids(other, 8, 99);
    feed_chunks(r, 0, ids, 16, want);
    CHECK_EQ(runner_truncate(r, 0, 60), 60);
    MUST_TRUE(runner_feed(r, (struct runner_part){0, other, 8}, NULL, &e), e.msg);
    CHECK_EQ(runner_truncate(r, 0, 60), 60);
    MUST_TRUE(runner_feed(r, (struct runner_part){0, ids + 60, N_IDS - 60}, NULL, &e), e.msg);
    CHECK_BYTES(runner_logits(r, 0), want + (size_t)(N_IDS - 1) * n_vocab, n_vocab * sizeof *want);
    runner_close(r);
    free(want);
}

TEST(runner_open_takes_no_more_context_than_the_model_has)
{
    struct err e = {.code = ERR_NONE};
    struct load_config cfg = {.max_seqs = 1, .n_threads = 1, .budget_bytes = UINT64_C(1) << 32};
    char path[512], name[] = "synth", shape[] = "tiny", type[] = "Q8_0";
    snprintf(path, sizeof path, "%s/tiny.gguf", t_scratch_dir());
    MUST_TRUE(tool_synth(4, (char *[]){name, shape, type, path, NULL}) == 0, "no model");
    const struct {
        uint32_t usual_ctx, want;
    } cases[] = {{64, 64}, {100000, 512}};
    for (size_t i = 0; i < 2; i++) {
        struct runner *r = runner_open(path, &cfg, cases[i].usual_ctx, &e);
        MUST_TRUE(r, e.msg);
        CHECK_EQ(r->m.cfg.n_ctx, cases[i].want);
        runner_close(r);
    }
    cfg.n_ctx = 513;
    CHECK_TRUE(!runner_open(path, &cfg, 64, &e));
    CHECK_EQ(e.code, ERR_LIMIT);
    static char long_path[LOAD_MAX_PATH_BYTES + 1];
    memset(long_path, 'x', LOAD_MAX_PATH_BYTES);
    CHECK_TRUE(!runner_open(long_path, &cfg, 64, &e));
    CHECK_TRUE(strstr(e.msg, "path is longer than"));
}
