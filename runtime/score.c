#include "runtime/score.h"

#include "runtime/base/num.h"

#include <math.h>

bool score_window_at(uint64_t n_text, uint32_t n_ctx, uint32_t n_stride, uint64_t k,
                     struct score_window *w)
{
    uint64_t n_room = n_ctx - 1, first = k * n_stride;
    uint64_t n_before = k > 0 ? first - n_stride + n_room : 0; /* scored by earlier windows */
    if (n_before >= n_text)
        return false;
    w->first = first;
    w->n_tokens = (uint32_t)num_min(n_room, n_text - first);
    w->n_unscored = (uint32_t)(n_before - (k > 0 ? first : 0));
    return true;
}

uint64_t score_n_rows(uint64_t n_text, uint32_t n_ctx, uint32_t n_stride)
{
    struct score_window w;
    uint64_t n_rows = 0;
    for (uint64_t k = 0; score_window_at(n_text, n_ctx, n_stride, k, &w); k++)
        n_rows += w.n_tokens; /* <bos> instead of the last token, which nothing follows */
    return n_rows;
}

void score_add(struct score_sum *s, double nll)
{
    double dev = nll - s->mean;
    s->n++;
    s->mean += dev / (double)s->n;
    s->sq_dev += dev * (nll - s->mean);
}

struct score_result score_result_of(const struct score_sum *s)
{
    struct score_result r = {.nll = s->mean, .perplexity = exp(s->mean)};
    if (s->n > 1)
        r.nll_err = sqrt(s->sq_dev / (double)(s->n - 1) / (double)s->n);
    r.ppl_err = r.perplexity * r.nll_err;
    return r;
}
