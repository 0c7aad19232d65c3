/* score_diff: how far a model's predictions are from a reference's, over the tokens of a text.
 *
 * Per token, p the reference's distribution (from its store), q the model's:
 *   KL = sum p (log p - log q), nats;  same top = the likeliest ids are equal;
 *   d nll = nll of the model - nll of the reference;  d p = q(token) - p(token).
 * Over n tokens, taken as independent: means with sqrt(var / n); the perplexity ratio is
 * exp(mean d nll), its error ratio * that of the mean; root mean squares by the delta method,
 * err(s) / (2 s) over the mean of squares; a percentile is the order statistic at n f, its error
 * half the distance between those at n f +- sqrt(n f (1 - f)). The largest value has no such error.
 * Memory: one float per token.   Thread: one (score_diff_row: any). Allocates: at init. */
#ifndef RUNTIME_SCORE_DIFF_H
#define RUNTIME_SCORE_DIFF_H

#include "runtime/score.h"
#include "runtime/score_store.h"

struct score_diff_token {
    double kl, d_nll, d_p;
    bool same_top;
};

/* One token: the model's logits [n_vocab] and nll of it against the reference's row. */
struct score_diff_token score_diff_row(const struct score_store_row *ref, const float *logits,
                                       uint32_t n_vocab, double nll);

struct score_diff {
    struct score_sum kl, d_nll, sq_dp, top; /* top: 1 or 0 */
    double ref_nll;                         /* sum */
    float *kls;                             /* [n_max] */
    uint64_t n_max;
};

bool score_diff_init(struct score_diff *d, uint64_t n_tokens, struct err *e);
void score_diff_deinit(struct score_diff *d);
/* At most n_tokens times. */
void score_diff_add(struct score_diff *d, const struct score_diff_token *t, double ref_nll);

struct score_figure {
    double value, err; /* err: one standard error */
};

enum { SCORE_DIFF_N_PERCENTILES = 5 };

struct score_diff_result {
    struct score_figure kl, same_top, ppl_ratio, rms_dp;
    struct score_figure percentiles[SCORE_DIFF_N_PERCENTILES];
    double kl_max, ref_perplexity;
};

extern const double score_diff_fractions[SCORE_DIFF_N_PERCENTILES]; /* 0.5 .. 0.999 */

/* After the last token; sorts what it holds. */
struct score_diff_result score_diff_result_of(struct score_diff *d);

#endif
