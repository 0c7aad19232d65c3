/* The whole model through load, cache and batch: against golden logits of an independent
 * implementation (tests/golden), and against itself: the same bits however the rows are cut, mixed
 * and spread over threads. */
#include "runtime/load.h"
#include "tests/t.h"
#include "tests/tiny_model.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_TOKENS = 640 };

/* How a tiny model is stored and run. */
struct variant {
    enum qtype type; /* of its matrices */
    enum kv_type kv_type;
    uint32_t max_seqs; /* room for so many sequences of MAX_TOKENS */
    uint32_t n_threads;
};

static struct loaded *plan_tiny(const json_t *golden, struct variant v)
{
    static const struct load_config base = {.max_rows = MAX_TOKENS, .max_logit_rows = MAX_TOKENS};
    struct err e = {0};
    struct loaded *m = calloc(1, sizeof *m);
    struct load_config cfg = base;
    uint64_t n_ctx_train = (uint64_t)json_integer_value(
        json_object_get(json_object_get(golden, "config"), "context_length"));
    cfg.max_seqs = v.max_seqs;
    cfg.n_threads = v.n_threads;
    cfg.kv_type = v.kv_type;
    cfg.n_ctx = (uint32_t)(n_ctx_train < MAX_TOKENS ? n_ctx_train : MAX_TOKENS);
    cfg.budget_bytes = UINT64_C(1) << 32;
    snprintf(cfg.model_path, sizeof cfg.model_path, "%s/tiny.gguf", t_scratch_dir());
    MUST_TRUE(m && tiny_model_write(golden, v.type, cfg.model_path, &e), e.msg);
    MUST_TRUE(load_plan(m, &cfg, NULL, NULL, &e), e.msg);
    return m;
}

static struct loaded *open_tiny(const json_t *golden, struct variant v)
{
    struct err e = {0};
    struct loaded *m = plan_tiny(golden, v);
    MUST_TRUE(load_commit(m, &e), e.msg);
    return m;
}

static void close_tiny(struct loaded *m)
{
    load_close(m);
    free(m);
}

/* Append rows of one sequence to the batch under construction. */
static void add_rows(struct loaded *m, struct batch *b, int32_t seq, const int32_t *toks,
                     uint32_t first_pos, uint32_t n)
{
    kv_advance(&m->kv, seq, first_pos + n);
    for (uint32_t i = 0; i < n; i++, b->n_rows++) {
        m->batch_tok[b->n_rows] = toks[first_pos + i];
        m->batch_pos[b->n_rows] = (int32_t)(first_pos + i);
        m->batch_seq[b->n_rows] = seq;
        m->batch_logit_rows[b->n_logit_rows++] = (int32_t)b->n_rows;
    }
}

static struct batch empty_batch(const struct loaded *m)
{
    return (struct batch){.tok = m->batch_tok,
                          .pos = m->batch_pos,
                          .seq = m->batch_seq,
                          .logit_rows = m->batch_logit_rows};
}

static void run(struct loaded *m, const struct batch *b)
{
    struct err e = {0};
    MUST_TRUE(gemma4_forward(&m->model, OP_BACKEND_CPU, m->pool, b, m->kv.views, &e), e.msg);
}

static int32_t take_seq(struct loaded *m, uint32_t n_tokens)
{
    int32_t seq = kv_seq_take(&m->kv);
    MUST_TRUE(seq >= 0 && kv_reserve(&m->kv, seq, n_tokens), "no room for a sequence");
    return seq;
}

static uint32_t read_tokens(const json_t *prompt, int32_t *toks)
{
    const json_t *list = json_object_get(prompt, "tokens");
    uint32_t n = (uint32_t)json_array_size(list);
    MUST_TRUE(n <= MAX_TOKENS, "prompt too long for the test");
    for (uint32_t i = 0; i < n; i++)
        toks[i] = (int32_t)json_integer_value(json_array_get(list, i));
    return n;
}

static double number_at(const json_t *list, size_t i)
{
    return json_number_value(json_array_get(list, i));
}

/* Argmax equal at every position, and no logit further off than max_frac of the prompt's range of
 * logits. */
static void check_prompt(struct loaded *m, const json_t *golden, const json_t *prompt,
                         double max_frac)
{
    int32_t toks[MAX_TOKENS];
    uint32_t n = read_tokens(prompt, toks), n_vocab = m->model.dims.n_vocab;
    const json_t *picked_ids = json_object_get(golden, "picked_ids");
    int32_t seq = take_seq(m, n);
    struct batch b = empty_batch(m);
    add_rows(m, &b, seq, toks, 0, n);
    run(m, &b);
    double worst = 0.0, highest = -INFINITY, lowest = INFINITY;
    uint32_t n_argmax_equal = 0;
    for (uint32_t t = 0; t < n; t++) {
        const float *row = m->model.logits + (size_t)t * n_vocab;
        uint32_t best = 0;
        for (uint32_t v = 1; v < n_vocab; v++)
            best = row[v] > row[best] ? v : best;
        highest = fmax(highest, number_at(json_object_get(prompt, "max"), t));
        lowest = fmin(lowest, number_at(json_object_get(prompt, "min"), t));
        n_argmax_equal += best == (uint32_t)number_at(json_object_get(prompt, "argmax"), t);
        for (size_t i = 0; i < json_array_size(picked_ids); i++) {
            double want = number_at(json_array_get(json_object_get(prompt, "picked"), t), i);
            worst = fmax(worst, fabs((double)row[(size_t)number_at(picked_ids, i)] - want));
        }
    }
    for (uint32_t v = 0; v < n_vocab; v++)
        worst = fmax(worst, fabs((double)m->model.logits[(size_t)(n - 1) * n_vocab + v] -
                                 number_at(json_object_get(prompt, "last"), v)));
    CHECK_EQ(n_argmax_equal, n);
    CHECK_NEAR(worst / (highest - lowest), 0.0, max_frac);
    kv_seq_release(&m->kv, seq);
}

/* With f32 cells only the order of float sums is left: 7e-6 of the range at most (t6_heads), as far
 * as the golden values themselves are from float64; seven times that still tells one GELU from the
 * other (tests/golden/README.md). f16 cells round each key and value by up to 2^-11 of itself, and
 * scores of several tens, which nothing shrinks, pass that on to the weights: 1.65e-3 at most, in
 * the longest prompt of t6_heads, whose heads are the widest. */
static void check_golden(const char *name, enum qtype type)
{
    static const double max_frac[KV_N_TYPES] = {
        [KV_TYPE_F16] = 2e-3,
        [KV_TYPE_F32] = 5e-5,
    };
    json_t *golden = tiny_model_golden(name);
    const json_t *prompts = json_object_get(golden, "prompts");
    for (uint32_t kv_type = 0; kv_type < KV_N_TYPES; kv_type++) {
        struct loaded *m = open_tiny(golden, (struct variant){type, (enum kv_type)kv_type, 1, 2});
        for (size_t i = 0; i < json_array_size(prompts); i++)
            check_prompt(m, golden, json_array_get(prompts, i), max_frac[kv_type]);
        close_tiny(m);
    }
    json_decref(golden);
}

TEST(forward_matches_golden_logits_of_the_smallest_shape)
{
    check_golden("t6_small", QTYPE_F32);
}

TEST(forward_matches_golden_logits_with_real_head_sizes)
{
    check_golden("t6_heads", QTYPE_F32);
}

TEST(forward_matches_golden_logits_with_sixteen_queries_a_head)
{
    check_golden("t12_gqa16", QTYPE_F32);
}

TEST(forward_matches_golden_logits_of_odd_sizes_beyond_the_window)
{
    check_golden("t7_odd", QTYPE_F32);
}

TEST(forward_matches_golden_logits_with_its_own_v_and_head)
{
    check_golden("t4_plain", QTYPE_F32);
}

TEST(forward_matches_golden_logits_with_f16_matrices)
{
    check_golden("t6_small.f16", QTYPE_F16);
}

TEST(forward_matches_golden_logits_with_bf16_matrices)
{
    check_golden("t7_odd.bf16", QTYPE_BF16);
}

/* ---- one row, one answer ---- */

/* Logits of the whole sequence computed in one batch: what every other way of cutting must repeat
 * bit for bit. */
static float *whole(struct loaded *m, const int32_t *toks, uint32_t n)
{
    size_t n_bytes = (size_t)n * m->model.dims.n_vocab * sizeof(float);
    int32_t seq = take_seq(m, n);
    struct batch b = empty_batch(m);
    add_rows(m, &b, seq, toks, 0, n);
    run(m, &b);
    float *logits = malloc(n_bytes);
    MUST_TRUE(logits != NULL, NULL);
    memcpy(logits, m->model.logits, n_bytes);
    kv_seq_release(&m->kv, seq);
    return logits;
}

static void check_chunks(struct loaded *m, const int32_t *toks, uint32_t n, uint32_t chunk,
                         const float *want)
{
    uint32_t n_vocab = m->model.dims.n_vocab, n_equal = 0;
    int32_t seq = take_seq(m, n);
    for (uint32_t at = 0; at < n; at += chunk) {
        struct batch b = empty_batch(m);
        uint32_t n_rows = n - at < chunk ? n - at : chunk;
        add_rows(m, &b, seq, toks, at, n_rows);
        run(m, &b);
        n_equal += memcmp(m->model.logits, want + (size_t)at * n_vocab,
                          (size_t)n_rows * n_vocab * sizeof(float)) == 0;
    }
    CHECK_EQ(n_equal, (n + chunk - 1) / chunk);
    kv_seq_release(&m->kv, seq);
}

enum { N_SEQS = 16, N_DECODED = 20 };

/* Sixteen sequences, each a different rotation of the prompt and at another length. Returns how
 * many rows of sequence 0, which comes last in every batch, equal `want`. */
static uint32_t decode_side_by_side(struct loaded *m, int32_t (*rotated)[MAX_TOKENS],
                                    const int32_t *seqs, uint32_t n, const float *want)
{
    uint32_t n_vocab = m->model.dims.n_vocab, n_equal = 0;
    for (uint32_t s = 0; s < N_SEQS; s++) {
        struct batch b = empty_batch(m);
        add_rows(m, &b, seqs[s], rotated[s], 0, n - N_DECODED - s);
        run(m, &b);
    }
    for (uint32_t at = n - N_DECODED; at < n; at++) {
        struct batch b = empty_batch(m);
        for (uint32_t s = N_SEQS; s-- > 0;)
            add_rows(m, &b, seqs[s], rotated[s], at - s, 1);
        run(m, &b);
        n_equal += memcmp(m->model.logits + (size_t)(b.n_rows - 1) * n_vocab,
                          want + (size_t)at * n_vocab, n_vocab * sizeof(float)) == 0;
    }
    return n_equal;
}

static void check_neighbours(struct loaded *m, const int32_t *toks, uint32_t n, const float *want)
{
    int32_t seqs[N_SEQS], (*rotated)[MAX_TOKENS] = calloc(N_SEQS, sizeof *rotated);
    MUST_TRUE(rotated != NULL, NULL);
    for (uint32_t s = 0; s < N_SEQS; s++) {
        seqs[s] = take_seq(m, n);
        for (uint32_t i = 0; i < n; i++)
            rotated[s][i] = toks[(i + s * 5) % n];
    }
    CHECK_EQ(decode_side_by_side(m, rotated, seqs, n, want), N_DECODED);
    for (uint32_t s = 0; s < N_SEQS; s++)
        kv_seq_release(&m->kv, seqs[s]);
    free(rotated);
}

static void check_one_row_one_answer(enum qtype type, enum kv_type kv_type)
{
    json_t *golden = tiny_model_golden("t6_heads");
    int32_t toks[MAX_TOKENS];
    uint32_t n = read_tokens(json_array_get(json_object_get(golden, "prompts"), 0), toks);
    n = n > 70 ? 70 : n; /* beyond the window of 64 and a page */
    struct loaded *m = open_tiny(golden, (struct variant){type, kv_type, 16, 2});
    float *want = whole(m, toks, n);
    static const uint32_t chunks[] = {1, 3, 16, 65};
    for (size_t i = 0; i < sizeof chunks / sizeof *chunks; i++)
        check_chunks(m, toks, n, chunks[i], want);
    check_neighbours(m, toks, n, want);
    close_tiny(m);
    m = open_tiny(golden, (struct variant){type, kv_type, 1, 1}); /* another number of threads */
    check_chunks(m, toks, n, 7, want);
    close_tiny(m);
    free(want);
    json_decref(golden);
}

TEST(forward_gives_a_row_the_same_bits_in_any_batch_with_f32_weights)
{
    check_one_row_one_answer(QTYPE_F32, KV_TYPE_F16);
}

TEST(forward_gives_a_row_the_same_bits_in_any_batch_with_f32_weights_and_cache)
{
    check_one_row_one_answer(QTYPE_F32, KV_TYPE_F32);
}

TEST(forward_gives_a_row_the_same_bits_in_any_batch_with_q8_0_weights)
{
    check_one_row_one_answer(QTYPE_Q8_0, KV_TYPE_F16);
}

TEST(forward_gives_a_row_the_same_bits_in_any_batch_with_q8_0_weights_and_f32_cache)
{
    check_one_row_one_answer(QTYPE_Q8_0, KV_TYPE_F32);
}

/* The first two CPUs of this process, as if one did three times the work of the other. */
static struct pool_cpus unequal_cpus(void)
{
    cpu_set_t mask;
    MUST_TRUE(sched_getaffinity(0, sizeof mask, &mask) == 0, NULL);
    if (CPU_COUNT(&mask) < 2)
        SKIP("needs two CPUs");
    struct pool_cpus c = {.n_cpus = 2, .capacity = {900, 300}, .is_mixed = true};
    for (int cpu = 0, n = 0; n < 2; cpu++)
        if (CPU_ISSET(cpu, &mask))
            c.cpu[n++] = (uint16_t)cpu;
    return c;
}

TEST(forward_gives_the_same_bits_on_unequal_cpus)
{
    json_t *golden = tiny_model_golden("t6_heads");
    int32_t toks[MAX_TOKENS];
    uint32_t n = read_tokens(json_array_get(json_object_get(golden, "prompts"), 0), toks);
    n = n > 70 ? 70 : n;
    const struct variant two_threads = {QTYPE_Q8_0, KV_TYPE_F16, 1, 2};
    struct err e = {0};
    struct loaded *m = open_tiny(golden, two_threads);
    float *want = whole(m, toks, n);
    close_tiny(m);
    m = plan_tiny(golden, two_threads);
    m->cpus = unequal_cpus(); /* load_commit goes by what load_plan saw */
    MUST_TRUE(load_commit(m, &e), e.msg);
    CHECK_TRUE(pool_is_pinned(m->pool));
    check_chunks(m, toks, n, 1, want);
    check_chunks(m, toks, n, 65, want);
    close_tiny(m);
    free(want);
    json_decref(golden);
}

static void check_truncation(enum kv_type kv_type)
{
    json_t *golden = tiny_model_golden("t6_small");
    int32_t toks[MAX_TOKENS];
    uint32_t n = read_tokens(json_array_get(json_object_get(golden, "prompts"), 0), toks);
    struct loaded *m = open_tiny(golden, (struct variant){QTYPE_F32, kv_type, 2, 1});
    float *want = whole(m, toks, n);
    uint32_t n_vocab = m->model.dims.n_vocab, back = n - 9;
    int32_t seq = take_seq(m, n);
    struct batch b = empty_batch(m);
    add_rows(m, &b, seq, toks, 0, back);
    run(m, &b);
    int32_t wrong[8] = {0};
    for (uint32_t i = 0; i < 8; i++)
        wrong[i] = toks[i] ^ 1;
    b = empty_batch(m);
    kv_advance(&m->kv, seq, back + 8);
    for (uint32_t i = 0; i < 8; i++, b.n_rows++) { /* eight rows that turn out wrong */
        m->batch_tok[i] = wrong[i];
        m->batch_pos[i] = (int32_t)(back + i);
        m->batch_seq[i] = seq;
    }
    run(m, &b);
    MUST_TRUE(kv_truncate(&m->kv, seq, back), "cannot take eight rows back");
    b = empty_batch(m);
    add_rows(m, &b, seq, toks, back, n - back);
    run(m, &b);
    CHECK_BYTES(m->model.logits, want + (size_t)back * n_vocab,
                (size_t)(n - back) * n_vocab * sizeof(float));
    free(want);
    close_tiny(m);
    json_decref(golden);
}

TEST(forward_repeats_its_bits_after_a_truncation)
{
    for (uint32_t kv_type = 0; kv_type < KV_N_TYPES; kv_type++)
        check_truncation((enum kv_type)kv_type);
}

TEST(forward_refuses_a_batch_beyond_the_plan)
{
    json_t *golden = tiny_model_golden("t6_small");
    struct loaded *m = open_tiny(golden, (struct variant){QTYPE_F32, KV_TYPE_F16, 1, 1});
    struct err e = {0};
    struct batch b = empty_batch(m);
    b.n_rows = MAX_TOKENS + 1;
    CHECK_TRUE(!gemma4_forward(&m->model, OP_BACKEND_CPU, m->pool, &b, m->kv.views, &e));
    CHECK_EQ(e.code, ERR_LIMIT);
    close_tiny(m);
    json_decref(golden);
}
