#include "runtime/philox.h"
#include "runtime/sample.h"
#include "tests/near.h"

#include <float.h>

enum { V_SMALL = 12, V_LARGE = 262144 };

static const struct sample_params plain = {
    .temperature = 1, .top_p = 1, .repetition_penalty = 1, .seed = 1};

static struct sample_scratch *scratch(uint32_t n_vocab)
{
    return sample_scratch_at(near_alloc(sample_scratch_bytes(n_vocab)), n_vocab);
}

static struct sample_dist filter(const struct sample_params *p, const struct sample_row *row)
{
    struct sample_dist d = {0};
    struct err e = {0};
    MUST_TRUE(sample_filter(scratch(row->n_vocab), p, row, &d, &e), e.msg);
    return d;
}

static int32_t choose(const struct sample_params *p, const struct sample_row *row)
{
    int32_t tok = -1;
    struct err e = {0};
    MUST_TRUE(sample_choose(scratch(row->n_vocab), p, row, &tok, &e), e.msg);
    return tok;
}

TEST(philox_gives_the_published_vectors)
{
    /* Random123 1.14, tests/kat_vectors, philox4x32 10 */
    static const struct {
        struct philox_block counter;
        uint64_t key;
        struct philox_block want;
    } cases[] = {
        {{{0, 0, 0, 0}}, 0, {{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}}},
        {{{~0u, ~0u, ~0u, ~0u}}, ~0ull, {{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}}},
        {{{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}},
         0x299f31d0a4093822,
         {{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}}},
    };
    for (int i = 0; i < 3; i++) {
        struct philox_block got = philox_at(cases[i].counter, cases[i].key);
        CHECK_BYTES(&got, &cases[i].want, sizeof got);
    }
}

TEST(sample_uniform_repeats_and_differs_by_seed_position_stream_and_choice)
{
    struct sample_params p = plain, other = plain;
    double u = sample_uniform(&p, 7, SAMPLE_STREAM_DRAW);
    CHECK_TRUE(u >= 0 && u < 1);
    CHECK_TRUE(u == sample_uniform(&p, 7, SAMPLE_STREAM_DRAW));
    CHECK_TRUE(u != sample_uniform(&p, 8, SAMPLE_STREAM_DRAW));
    CHECK_TRUE(u != sample_uniform(&p, 7, SAMPLE_STREAM_ACCEPT));
    CHECK_TRUE(u != sample_uniform(&p, 7 + (1ull << 32), SAMPLE_STREAM_DRAW));
    other.seed = 2;
    CHECK_TRUE(u != sample_uniform(&other, 7, SAMPLE_STREAM_DRAW));
    other.seed = 1;
    other.i_choice = 1;
    CHECK_TRUE(u != sample_uniform(&other, 7, SAMPLE_STREAM_DRAW));
}

TEST(sample_greedy_takes_the_lowest_id_among_equals_and_never_a_nan)
{
    static const float logits[V_SMALL] = {1, NAN, 3, 2, 3, -INFINITY, 3};
    struct sample_params p = plain;
    p.temperature = 0;
    struct sample_row row = {.logits = logits, .n_vocab = 7};
    CHECK_EQ(choose(&p, &row), 2);
    static const int32_t suppressed[] = {2, 4};
    row.suppressed = suppressed;
    row.n_suppressed = 2;
    CHECK_EQ(choose(&p, &row), 6);
    static const uint32_t allowed[] = {0x2B}; /* 0 1 3 5 */
    row.allowed = allowed;
    CHECK_EQ(choose(&p, &row), 3);
}

TEST(sample_says_why_nothing_can_be_chosen)
{
    static const float nans[2] = {NAN, NAN}, infinite[2] = {1, INFINITY};
    struct sample_dist d;
    struct err e = {0};
    struct sample_row row = {.logits = nans, .n_vocab = 2};
    CHECK_TRUE(!sample_filter(scratch(2), &plain, &row, &d, &e));
    CHECK_STR(e.msg, "sample: no token can be chosen (all masked, or not numbers)");
    row.logits = infinite;
    CHECK_TRUE(!sample_filter(scratch(2), &plain, &row, &d, &e));
    CHECK_STR(e.msg, "sample: logit of token 1 is infinite");
}

/* ln of 8 4 2 1 1 in shuffled places: probabilities 1/2 1/4 1/8 1/16 1/16, weights 1 1/2 1/4 1/8
 * 1/8. */
static const float halves[5] = {0.0f, 2.0794415f, 0.6931472f, 0.0f, 1.3862944f};

static void check_ids(const struct sample_dist *d, const char *want)
{
    char got[64] = "";
    for (uint32_t i = 0; i < d->n; i++)
        got[i] = (char)('0' + d->id[i]);
    CHECK_STR(got, want);
}

TEST(sample_filters_keep_what_they_should)
{
    static const struct {
        uint32_t top_k;
        double top_p, min_p;
        const char *want;
    } cases[] = {
        {0, 1, 0, "01234"},    {5, 1, 0, "01234"},   {9, 1, 0, "01234"},    {4, 1, 0, "0124"},
        {3, 1, 0, "124"},      {1, 1, 0, "1"},       {0, 0.499, 0, "1"},    {0, 0.51, 0, "14"},
        {0, 0.76, 0, "124"},   {0, 0.88, 0, "0124"}, {0, 0.99, 0, "01234"}, {0, 1e-9, 0, "1"},
        {2, 0.6, 0, "1"},      {2, 0.7, 0, "14"},    {3, 0.8, 0, "14"},     {0, 1, 0.49, "14"},
        {0, 1, 0.51, "1"},     {0, 1, 1, "1"},       {0, 1, 0.12, "01234"}, {0, 1, 0.13, "124"},
        {2, 0.99, 0.24, "14"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct sample_params p = plain;
        p.top_k = cases[i].top_k;
        p.top_p = cases[i].top_p;
        p.min_p = cases[i].min_p;
        struct sample_dist d = filter(&p, &(struct sample_row){.logits = halves, .n_vocab = 5});
        check_ids(&d, cases[i].want);
    }
}

TEST(sample_top_k_and_top_p_cut_equal_logits_at_the_lowest_ids)
{
    float logits[V_SMALL] = {0};
    struct sample_row row = {.logits = logits, .n_vocab = V_SMALL};
    struct sample_params p = plain;
    p.top_k = 5;
    struct sample_dist d = filter(&p, &row);
    check_ids(&d, "01234");
    p.top_k = 0;
    p.top_p = 0.25; /* 3 of 12 */
    d = filter(&p, &row);
    check_ids(&d, "012");
}

TEST(sample_dist_gives_probabilities_after_filters)
{
    struct sample_params p = plain;
    p.top_k = 3;
    struct sample_dist d = filter(&p, &(struct sample_row){.logits = halves, .n_vocab = 5});
    CHECK_NEAR(sample_dist_prob(&d, 1), 4.0 / 7, 1e-6);
    CHECK_NEAR(sample_dist_prob(&d, 4), 2.0 / 7, 1e-6);
    CHECK_NEAR(sample_dist_prob(&d, 2), 1.0 / 7, 1e-6);
    CHECK_TRUE(sample_dist_prob(&d, 0) == 0 && sample_dist_prob(&d, 3) == 0);
    CHECK_TRUE(sample_dist_prob(&d, 5) == 0 && sample_dist_prob(&d, -1) == 0);
    p.temperature = 0.5; /* squares the ratios */
    d = filter(&p, &(struct sample_row){.logits = halves, .n_vocab = 5});
    CHECK_NEAR(sample_dist_prob(&d, 1), 16.0 / 21, 1e-6);
}

TEST(sample_penalties_follow_the_formula)
{
    static const float logits[4] = {2, -2, 1, 0.5f};
    int32_t generated[SAMPLE_REPETITION_WINDOW + 2];
    for (int i = 0; i < SAMPLE_REPETITION_WINDOW + 2; i++)
        generated[i] = i % 2; /* 0 and 1, 129 times each */
    generated[0] = 3;         /* left the window, still counts for presence and frequency */
    struct sample_row row = {
        .logits = logits, .n_vocab = 4, .generated = generated, .n_generated = 258};
    struct sample_params p = plain;
    p.repetition_penalty = 2;
    p.presence_penalty = 0.25;
    p.frequency_penalty = 0.001;
    struct sample_dist d = filter(&p, &row);
    double want[4] = {2.0 / 2 - 0.25 - 0.128, -2.0 * 2 - 0.25 - 0.129, 1, 0.5 - 0.25 - 0.001};
    for (int i = 0; i < 4; i++)
        CHECK_NEAR(log(sample_dist_prob(&d, i) / sample_dist_prob(&d, 2)), want[i] - want[2], 1e-5);
    d = filter(&p, &row); /* the counts were cleared */
    CHECK_NEAR(log(sample_dist_prob(&d, 0) / sample_dist_prob(&d, 2)), want[0] - want[2], 1e-5);
}

/* The whole chain by its definition: sort everything, then cut. Independent of sample.c. */
struct truth {
    double logit, weight;
    int32_t id;
    bool is_kept;
};

static int by_logit(const void *a, const void *b)
{
    const struct truth *x = a, *y = b;
    if (x->logit != y->logit)
        return x->logit > y->logit ? -1 : 1;
    return x->id < y->id ? -1 : 1;
}

static uint32_t truth_of(const float *logits, uint32_t n, const struct sample_params *p,
                         struct truth *t)
{
    for (uint32_t i = 0; i < n; i++)
        t[i] = (struct truth){.logit = logits[i], .id = (int32_t)i};
    qsort(t, n, sizeof *t, by_logit);
    uint32_t n_kept = p->top_k && p->top_k < n ? p->top_k : n;
    double sum = 0, got = 0;
    for (uint32_t i = 0; i < n_kept; i++)
        sum += t[i].weight = exp((t[i].logit - t[0].logit) / p->temperature);
    for (uint32_t i = 0; p->top_p < 1 && i < n_kept; i++)
        if ((got += t[i].weight) >= p->top_p * sum)
            n_kept = i + 1;
    while (n_kept > 0 && t[n_kept - 1].weight < p->min_p)
        n_kept--;
    sum = 0;
    for (uint32_t i = 0; i < n_kept; i++)
        sum += t[i].weight;
    for (uint32_t i = 0; i < n_kept; i++)
        t[i].weight /= sum;
    return n_kept;
}

static void check_against_truth(const float *logits, uint32_t n, const struct sample_params *p)
{
    struct truth *t = near_alloc(n * sizeof *t);
    uint32_t n_kept = truth_of(logits, n, p, t);
    struct sample_dist d = filter(p, &(struct sample_row){.logits = logits, .n_vocab = n});
    CHECK_EQ(d.n, n_kept);
    double worst = 0;
    for (uint32_t i = 0; i < n_kept; i++)
        worst = fmax(worst, fabs(sample_dist_prob(&d, t[i].id) - t[i].weight));
    CHECK_NEAR(worst, 0, 1e-6);
    for (uint32_t i = 1; i < d.n; i++)
        if (d.id[i - 1] >= d.id[i])
            CHECK_TRUE(!"ids ascend");
}

TEST(sample_filter_equals_sorting_everything_on_the_largest_vocabulary)
{
    static const uint32_t ks[] = {0, 1, 64, 1024, 1025, 100000};
    static const double ps[] = {1, 0.95, 0.3};
    uint64_t state = 5;
    for (uint32_t flat = 0; flat < 2; flat++) {
        float *logits = near_floats(V_LARGE, &state, 1);
        for (uint32_t i = 0; i < V_LARGE; i++) /* many equal values; the other is peaked */
            logits[i] = flat ? roundf(logits[i] * 50) : 30 * logits[i] * logits[i] * logits[i];
        for (uint32_t i = 0; i < 18; i++) {
            struct sample_params p = plain;
            p.temperature = 0.8;
            p.top_k = ks[i / 3];
            p.top_p = ps[i % 3];
            p.min_p = i % 2 ? 0.01 : 0;
            check_against_truth(logits, V_LARGE, &p);
        }
    }
}

TEST(sample_filter_equals_sorting_everything_on_random_small_rows)
{
    uint64_t state = 6;
    for (uint32_t i = 0; i < 3000; i++) {
        uint32_t n = 1 + (uint32_t)(near_bits(&state) % 40);
        float *logits = near_floats(n, &state, 8);
        struct sample_params p = plain;
        p.temperature = 0.05 + (double)(near_bits(&state) % 200) / 100;
        p.top_k = (uint32_t)(near_bits(&state) % 45);
        p.top_p = 0.001 + (double)(near_bits(&state) % 1000) / 1001;
        p.min_p = (double)(near_bits(&state) % 3) / 20;
        check_against_truth(logits, n, &p);
    }
}

/* Q(a, x) = Gamma(a, x) / Gamma(a): series (DLMF 8.7.1) below a + 1, continued fraction (8.9.2)
 * above. */
static double gamma_q(double a, double x)
{
    double front = exp(a * log(x) - x - lgamma(a));
    if (x < a + 1) {
        double term = 1 / a, sum = term;
        for (int n = 1; n < 1000; n++)
            sum += term *= x / (a + n);
        return 1 - front * sum;
    }
    double f = 0;
    for (int n = 500; n > 0; n--)
        f = n * (n - a) / (x + 2 * n + 1 - a - f);
    return front / (x + 1 - a - f);
}

TEST(sample_gamma_q_matches_chi_square_tables)
{
    CHECK_NEAR(gamma_q(0.5, 3.841458821 / 2), 0.05, 1e-9);
    CHECK_NEAR(gamma_q(5, 18.30703805 / 2), 0.05, 1e-9);
    CHECK_NEAR(gamma_q(5, 2.558212 / 2), 0.99, 1e-6);
    CHECK_NEAR(gamma_q(50, 124.342 / 2), 0.05, 1e-5);
}

typedef double bend_fn(double u); /* a bias for the control */

static double straight(double u)
{
    return u;
}

static double bent(double u)
{
    return pow(u, 1.03);
}

/* p of Pearson's test: n draws at positions 0.. against the sorted truth; cells expecting < 5 are
 * pooled. */
static double chi_square_p(const float *logits, uint32_t n_vocab, const struct sample_params *p,
                           bend_fn *bend)
{
    enum { N_DRAWS = 200000 };
    struct truth *t = near_alloc(n_vocab * sizeof *t);
    uint32_t n_kept = truth_of(logits, n_vocab, p, t);
    uint32_t *n_seen = near_alloc(n_vocab * sizeof *n_seen);
    struct sample_dist d = filter(p, &(struct sample_row){.logits = logits, .n_vocab = n_vocab});
    for (uint64_t i = 0; i < N_DRAWS; i++)
        n_seen[sample_draw(&d, bend(sample_uniform(p, i, SAMPLE_STREAM_DRAW)))]++;
    double x2 = 0, pooled_want = 0, pooled_got = 0, n_cells = 0, n_inside = 0;
    for (uint32_t i = 0; i < n_kept; i++) {
        double want = t[i].weight * N_DRAWS, got = n_seen[t[i].id];
        n_inside += got;
        if (want < 5) {
            pooled_want += want;
            pooled_got += got;
            continue;
        }
        x2 += (got - want) * (got - want) / want;
        n_cells++;
    }
    if (pooled_want >= 5) {
        x2 += (pooled_got - pooled_want) * (pooled_got - pooled_want) / pooled_want;
        n_cells++;
    }
    return n_inside == N_DRAWS ? gamma_q((n_cells - 1) / 2, x2 / 2) : 0;
}

enum { N_CHI_TESTS = 24 };

static struct sample_params chi_params(uint32_t i)
{
    struct sample_params p = plain;
    p.seed = 1000 + i; /* the listed seeds: 1000..1023 */
    p.temperature = i % 2 ? 1 : 0.7;
    p.top_k = i % 3 == 1 ? 20 : 0;
    p.top_p = i % 4 == 2 ? 0.9 : 1;
    p.min_p = i % 5 == 3 ? 0.05 : 0;
    return p;
}

TEST(sample_draws_fit_the_exact_distribution)
{
    for (uint32_t i = 0; i < N_CHI_TESTS; i++) {
        uint64_t state = i;
        struct sample_params p = chi_params(i);
        float *logits = near_floats(100, &state, 3);
        CHECK_TRUE(chi_square_p(logits, 100, &p, straight) > 0.01 / N_CHI_TESTS);
    }
}

TEST(sample_chi_square_rejects_a_biased_sampler)
{
    for (uint32_t i = 0; i < N_CHI_TESTS; i++) {
        uint64_t state = i;
        struct sample_params p = chi_params(i);
        float *logits = near_floats(100, &state, 3);
        CHECK_TRUE(chi_square_p(logits, 100, &p, bent) < 0.01 / N_CHI_TESTS);
    }
}

TEST(sample_choose_depends_on_seed_and_position_alone)
{
    uint64_t state = 9;
    float *logits = near_floats(1000, &state, 4);
    struct sample_params p = plain;
    p.top_k = 64;
    p.top_p = 0.95;
    uint32_t n_changes = 0;
    int32_t before = -1;
    for (uint64_t position = 0; position < 200; position++) {
        struct sample_row row = {.logits = logits, .n_vocab = 1000, .position = position};
        int32_t tok = choose(&p, &row);
        CHECK_EQ(choose(&p, &row), tok);
        struct sample_dist d = filter(&p, &row);
        CHECK_EQ(sample_draw(&d, sample_uniform(&p, position, SAMPLE_STREAM_DRAW)), tok);
        n_changes += tok != before;
        before = tok;
    }
    CHECK_TRUE(n_changes > 100);
}

TEST(sample_draw_never_leaves_the_list_at_the_ends_of_u)
{
    static const int32_t id[3] = {4, 6, 9};
    static const float weight[3] = {0.25f, 1, 0};
    struct sample_dist d = {id, weight, 1.25, 3};
    CHECK_EQ(sample_draw(&d, 0), 4);
    CHECK_EQ(sample_draw(&d, 0.2), 6);
    CHECK_EQ(sample_draw(&d, 1 - 0x1p-53), 6);
    CHECK_EQ(sample_draw(&d, 1), 6);
}

TEST(sample_logprobs_are_of_the_raw_distribution)
{
    static const int32_t suppressed[] = {1};
    struct sample_row row = {
        .logits = halves, .n_vocab = 5, .suppressed = suppressed, .n_suppressed = 1};
    struct sample_logprob out[6];
    struct err e = {0};
    MUST_TRUE(sample_logprobs(scratch(5), &row, 3, 5, out, &e), e.msg);
    CHECK_EQ(out[0].id, 3);
    CHECK_NEAR(out[0].logprob, log(1.0 / 16), 1e-6);
    static const int32_t order[5] = {1, 4, 2, 0, 3};
    static const double prob[5] = {1.0 / 2, 1.0 / 4, 1.0 / 8, 1.0 / 16, 1.0 / 16};
    for (int i = 0; i < 5; i++) {
        CHECK_EQ(out[1 + i].id, order[i]);
        CHECK_NEAR(out[1 + i].logprob, log(prob[i]), 1e-6);
    }
}

TEST(sample_logprobs_find_the_likeliest_of_the_largest_vocabulary)
{
    uint64_t state = 12;
    float *logits = near_floats(V_LARGE, &state, 10);
    struct truth *t = near_alloc(V_LARGE * sizeof *t);
    struct sample_params p = plain;
    truth_of(logits, V_LARGE, &p, t);
    struct sample_logprob out[21];
    struct sample_row row = {.logits = logits, .n_vocab = V_LARGE};
    MUST_TRUE(sample_logprobs(scratch(V_LARGE), &row, 77, 20, out, NULL), NULL);
    for (int i = 0; i < 20; i++) {
        CHECK_EQ(out[1 + i].id, t[i].id);
        CHECK_NEAR(out[1 + i].logprob, log(t[i].weight), 1e-5);
    }
}

TEST(sample_params_check_names_the_field_that_is_out_of_range)
{
    struct sample_params p = plain;
    struct err e = {0};
    CHECK_TRUE(sample_params_check(&p, &e));
    p.temperature = NAN;
    CHECK_TRUE(!sample_params_check(&p, &e));
    CHECK_STR(e.msg, "temperature nan is not in 0..2");
    p = plain;
    p.top_p = 0;
    CHECK_TRUE(!sample_params_check(&p, &e));
    p = plain;
    p.min_p = 1.1;
    CHECK_TRUE(!sample_params_check(&p, &e));
    p = plain;
    p.repetition_penalty = 0.4;
    CHECK_TRUE(!sample_params_check(&p, &e));
    p = plain;
    p.frequency_penalty = -2.1;
    CHECK_TRUE(!sample_params_check(&p, &e));
}
