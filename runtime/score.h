/* score: which tokens of a long text are scored in which window, and what their log probabilities
 * add up to. Pure.
 *
 * Windows hold n_ctx positions: <bos> at 0, then n_ctx - 1 tokens of the text. Window k starts
 * n_stride tokens after window k - 1; it scores the tokens that no earlier window scored, so every
 * token of the text is scored exactly once, and each but those of the first window with at least
 * n_ctx - 1 - n_stride tokens of the text before it.
 *
 * nll = -log p(token | window before it), in nats. mean = sum / n; perplexity = exp(mean). The
 * standard error of the mean takes the nll as independent, sqrt(var / n) with var over n - 1; that
 * of the perplexity is perplexity * that, to first order.
 * Thread: one.   Allocates: never. */
#ifndef RUNTIME_SCORE_H
#define RUNTIME_SCORE_H

#include <stdbool.h>
#include <stdint.h>

struct score_window {
    uint64_t first;      /* text token at position 1 */
    uint32_t n_tokens;   /* of the text, <= n_ctx - 1 */
    uint32_t n_unscored; /* of them, scored before */
};

/* Window number k over a text of n_text tokens; false if there is none. n_ctx >= 2,
 * 1 <= n_stride <= n_ctx - 1. */
bool score_window_at(uint64_t n_text, uint32_t n_ctx, uint32_t n_stride, uint64_t k,
                     struct score_window *w);

/* Tokens all windows hold together, <bos> included: what the whole run computes. */
uint64_t score_n_rows(uint64_t n_text, uint32_t n_ctx, uint32_t n_stride);

/* Welford 1962: mean and squared deviations without cancellation. */
struct score_sum {
    uint64_t n;
    double mean, sq_dev;
};

void score_add(struct score_sum *s, double nll);

struct score_result {
    double nll, nll_err;        /* mean and its standard error */
    double perplexity, ppl_err; /* and its standard error */
};

struct score_result score_result_of(const struct score_sum *s);

#endif
