#include "runtime/score_diff.h"

#include "runtime/base/mem.h"
#include "runtime/logprob.h"
#include "tests/t.h"

#include <math.h>

enum { V = 5 };

static double nll_of(const float *logits, int id)
{
    return logprob_log_sum(logits, V) - (double)logits[id];
}

/* KL by its definition, in double. */
static double kl_of(const float *p, const float *q)
{
    double kl = 0;
    for (int j = 0; j < V; j++)
        kl += exp(-nll_of(p, j)) * (nll_of(q, j) - nll_of(p, j));
    return kl;
}

TEST(score_diff_of_one_token_is_the_divergence_by_definition)
{
    static const float rows[][V] = {
        {0, 1, 2, 3, 4}, {4, 1, -2, 3, 0.5f}, {0, 0, 0, 0, 0}, {9, -9, 1, 1, 8.5f}};
    unsigned char packed[20 + 2 * V];
    for (int a = 0; a < 4; a++)
        for (int b = 0; b < 4; b++) {
            struct score_store_row ref;
            score_store_pack(rows[a], V, nll_of(rows[a], 2), packed);
            MUST_TRUE(score_store_unpack(packed, V, &ref), NULL);
            struct score_diff_token t = score_diff_row(&ref, rows[b], V, nll_of(rows[b], 2));
            CHECK_NEAR(t.kl, kl_of(rows[a], rows[b]), 2e-4 * (a != b) + 1e-7);
            CHECK_NEAR(t.d_nll, nll_of(rows[b], 2) - nll_of(rows[a], 2), 1e-6);
            CHECK_NEAR(t.d_p, exp(-nll_of(rows[b], 2)) - exp(-nll_of(rows[a], 2)), 1e-6);
            static const int tops[] = {4, 0, 0, 0};
            CHECK_EQ(t.same_top, tops[a] == tops[b]);
        }
}

/* 1000 tokens of KL 0.001 .. 1, in any order; d nll is 0.1 or -0.1 in turn around 0.02. */
TEST(score_diff_figures_have_their_errors)
{
    enum { N = 1000 };
    struct score_diff d;
    struct err e = {0};
    MUST_TRUE(score_diff_init(&d, N, &e), e.msg);
    for (int i = 0; i < N; i++) {
        double k = (i * 7 % N + 1) / (double)N;
        struct score_diff_token t = {k, i % 2 ? 0.12 : -0.08, i % 4 ? 0.01 : 0.03, i % 4 != 0};
        score_diff_add(&d, &t, 2.0);
    }
    struct score_diff_token extra = {99, 99, 99, false};
    score_diff_add(&d, &extra, 99); /* beyond what was planned: not counted */
    struct score_diff_result r = score_diff_result_of(&d);
    CHECK_NEAR(r.kl.value, 0.5005, 1e-9);
    CHECK_NEAR(r.kl.err, 0.2888194 / sqrt(N), 1e-6); /* deviation of a uniform grid */
    CHECK_NEAR(r.kl_max, 1, 1e-6);
    CHECK_NEAR(r.same_top.value, 0.75, 1e-9);
    CHECK_NEAR(r.same_top.err, sqrt(0.75 * 0.25 / (N - 1)), 1e-9);
    CHECK_NEAR(r.ppl_ratio.value, exp(0.02), 1e-9);
    CHECK_NEAR(r.ppl_ratio.err, exp(0.02) * 0.1 / sqrt(N - 1), 1e-9);
    CHECK_NEAR(r.ref_perplexity, exp(2.0), 1e-9);
    CHECK_NEAR(r.rms_dp.value, sqrt(0.75 * 1e-4 + 0.25 * 9e-4), 1e-9);
    CHECK_TRUE(r.rms_dp.err > 0 && r.rms_dp.err < 0.001);
    for (int i = 0; i < SCORE_DIFF_N_PERCENTILES; i++) {
        double f = score_diff_fractions[i];
        CHECK_NEAR(r.percentiles[i].value, f, 0.0011);
        CHECK_NEAR(r.percentiles[i].err, sqrt(f * (1 - f) / N), 0.0011);
    }
    score_diff_deinit(&d);
    CHECK_EQ(mem_n_live(), 0);
}
