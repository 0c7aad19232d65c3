#include "runtime/score.h"

#include "tests/t.h"

#include <math.h>

/* Walks all windows; scored[i] counts how often token i is scored. Returns the number of windows.
 */
static uint64_t walk(uint64_t n_text, uint32_t n_ctx, uint32_t n_stride, uint32_t *scored,
                     uint64_t *n_rows)
{
    struct score_window w;
    uint64_t k = 0;
    *n_rows = 0;
    for (; score_window_at(n_text, n_ctx, n_stride, k, &w); k++) {
        CHECK_TRUE(w.n_tokens >= 1 && w.n_tokens < n_ctx && w.n_unscored < w.n_tokens);
        CHECK_TRUE(k == 0 || w.n_unscored == n_ctx - 1 - n_stride);
        *n_rows += w.n_tokens;
        for (uint64_t i = w.first + w.n_unscored; i < w.first + w.n_tokens; i++)
            scored[i]++;
    }
    return k;
}

static void check_windows(uint64_t n_text, uint32_t n_ctx, uint32_t n_stride)
{
    uint32_t scored[40] = {0}, n_wrong = 0;
    uint64_t n_rows;
    walk(n_text, n_ctx, n_stride, scored, &n_rows);
    for (uint64_t i = 0; i < n_text; i++)
        n_wrong += scored[i] != 1;
    CHECK_EQ(n_wrong, 0);
    CHECK_EQ(score_n_rows(n_text, n_ctx, n_stride), n_rows);
}

TEST(score_windows_score_every_token_once)
{
    for (uint32_t n_ctx = 2; n_ctx <= 9; n_ctx++)
        for (uint32_t n_stride = 1; n_stride < n_ctx; n_stride++)
            for (uint64_t n_text = 1; n_text <= 40; n_text++)
                check_windows(n_text, n_ctx, n_stride);
}

TEST(score_windows_with_full_stride_do_not_overlap)
{
    struct score_window w;
    for (uint64_t k = 0; k < 3; k++) {
        MUST_TRUE(score_window_at(25, 9, 8, k, &w), NULL);
        CHECK_EQ(w.first, 8 * k);
        CHECK_EQ(w.n_unscored, 0);
        CHECK_EQ(w.n_tokens, 8);
    }
    MUST_TRUE(score_window_at(25, 9, 8, 3, &w), NULL);
    CHECK_EQ(w.n_tokens, 1);
    CHECK_TRUE(!score_window_at(25, 9, 8, 4, &w));
    CHECK_TRUE(!score_window_at(0, 9, 8, 0, &w));
}

/* 1, 2, 4, 9: mean 4, sample variance 38/3; the large offset would ruin a sum of squares. */
TEST(score_result_is_mean_and_standard_error)
{
    const double nll[4] = {1.0, 2.0, 4.0, 9.0};
    struct score_sum small = {0}, large = {0};
    for (int i = 0; i < 4; i++) {
        score_add(&small, nll[i]);
        score_add(&large, nll[i] + 1e9);
    }
    struct score_result r = score_result_of(&small);
    CHECK_NEAR(r.nll, 4.0, 1e-12);
    CHECK_NEAR(r.nll_err, sqrt(38.0 / 3.0 / 4.0), 1e-12);
    CHECK_NEAR(r.perplexity, exp(4.0), 1e-9);
    CHECK_NEAR(r.ppl_err, exp(4.0) * r.nll_err, 1e-9);
    CHECK_NEAR(score_result_of(&large).nll_err, r.nll_err, 1e-6);
}

TEST(score_result_of_one_token_has_no_error_bar)
{
    struct score_sum s = {0};
    score_add(&s, 2.0);
    struct score_result r = score_result_of(&s);
    CHECK_NEAR(r.perplexity, exp(2.0), 1e-12);
    CHECK_NEAR(r.nll_err, 0.0, 0.0);
}
