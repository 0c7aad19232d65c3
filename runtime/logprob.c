#include "runtime/logprob.h"

#include <math.h>
#include <stdbool.h>

double logprob_log_sum(const float *logits, uint32_t n_vocab)
{
    float max = logits[0];
    for (uint32_t i = 1; i < n_vocab; i++)
        max = logits[i] > max ? logits[i] : max;
    double sum = 0.0;
    for (uint32_t i = 0; i < n_vocab; i++)
        sum += exp((double)logits[i] - (double)max);
    return (double)max + log(sum);
}

/* Insertion into a short sorted list: one pass over the row. Nearly every id fails the first test,
 * so the list's length hardly matters. */
void logprob_top(const float *logits, uint32_t n_vocab, int32_t *ids, uint32_t n_top)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < n_vocab && n_top > 0; i++) {
        if (n == n_top && !(logits[i] > logits[ids[n - 1]]))
            continue;
        uint32_t at = n < n_top ? n++ : n - 1;
        for (; at > 0 && logits[i] > logits[ids[at - 1]]; at--)
            ids[at] = ids[at - 1];
        ids[at] = (int32_t)i;
    }
}
