#include "runtime/score_diff.h"

#include "runtime/base/mem.h"
#include "runtime/base/num.h"
#include "runtime/logprob.h"

#include <math.h>
#include <stdlib.h>

const double score_diff_fractions[SCORE_DIFF_N_PERCENTILES] = {0.5, 0.9, 0.95, 0.99, 0.999};

/* -step * level of id j. */
static double depth_at(const struct score_store_row *ref, uint32_t j)
{
    const unsigned char *p = ref->levels + 2 * (size_t)j;
    return -(double)ref->step * (p[0] | p[1] << 8);
}

struct score_diff_token score_diff_row(const struct score_store_row *ref, const float *logits,
                                       uint32_t n_vocab, double nll)
{
    double sum = 0, diff = 0, log_q_sum = logprob_log_sum(logits, n_vocab);
    uint32_t top = 0;
    for (uint32_t j = 0; j < n_vocab; j++) {
        double depth = depth_at(ref, j), weight = exp(depth);
        sum += weight;
        diff += weight * (depth - ((double)logits[j] - log_q_sum));
        top = logits[j] > logits[top] ? j : top;
    }
    return (struct score_diff_token){.kl = diff / sum - log(sum),
                                     .d_nll = nll - ref->nll,
                                     .d_p = exp(-nll) - exp(-ref->nll),
                                     .same_top = (int32_t)top == ref->top};
}

bool score_diff_init(struct score_diff *d, uint64_t n_tokens, struct err *e)
{
    *d = (struct score_diff){.n_max = n_tokens};
    d->kls = mem_alloc(n_tokens, sizeof *d->kls);
    return d->kls || err_set(e, ERR_NOMEM, "no memory for a figure per token");
}

void score_diff_deinit(struct score_diff *d)
{
    mem_free(d->kls);
    *d = (struct score_diff){.n_max = 0};
}

void score_diff_add(struct score_diff *d, const struct score_diff_token *t, double ref_nll)
{
    if (d->kl.n == d->n_max)
        return;
    d->kls[d->kl.n] = (float)t->kl;
    score_add(&d->kl, t->kl);
    score_add(&d->d_nll, t->d_nll);
    score_add(&d->sq_dp, t->d_p * t->d_p);
    score_add(&d->top, t->same_top ? 1 : 0);
    d->ref_nll += ref_nll;
}

static int by_value(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

static double order_at(const struct score_diff *d, double place)
{
    double last = (double)d->kl.n - 1;
    place = place < 0 ? 0 : place < last ? place : last;
    return (double)d->kls[(uint64_t)place];
}

static struct score_figure percentile(const struct score_diff *d, double fraction)
{
    double n = (double)d->kl.n, place = n * fraction, spread = sqrt(place * (1 - fraction));
    return (struct score_figure){order_at(d, place),
                                 (order_at(d, place + spread) - order_at(d, place - spread)) / 2};
}

static struct score_figure mean_of(const struct score_sum *s)
{
    struct score_result r = score_result_of(s);
    return (struct score_figure){r.nll, r.nll_err};
}

struct score_diff_result score_diff_result_of(struct score_diff *d)
{
    uint64_t n = d->kl.n;
    struct score_diff_result r = {.kl = mean_of(&d->kl), .same_top = mean_of(&d->top)};
    struct score_figure d_nll = mean_of(&d->d_nll), sq_dp = mean_of(&d->sq_dp);
    r.ppl_ratio.value = exp(d_nll.value);
    r.ppl_ratio.err = r.ppl_ratio.value * d_nll.err;
    r.rms_dp.value = sqrt(sq_dp.value);
    r.rms_dp.err = r.rms_dp.value > 0 ? sq_dp.err / (2 * r.rms_dp.value) : 0;
    if (n == 0)
        return r;
    r.ref_perplexity = exp(d->ref_nll / (double)n);
    qsort(d->kls, n, sizeof *d->kls, by_value);
    r.kl_max = (double)d->kls[n - 1];
    for (int i = 0; i < SCORE_DIFF_N_PERCENTILES; i++)
        r.percentiles[i] = percentile(d, score_diff_fractions[i]);
    return r;
}
