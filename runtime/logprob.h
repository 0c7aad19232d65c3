/* logprob: probabilities of a logits row, summed in double.
 * log p(i) = z_i - log sum_j exp(z_j), computed as z_i - max - log sum exp(z_j - max).
 * Thread: any.   Allocates: never. */
#ifndef RUNTIME_LOGPROB_H
#define RUNTIME_LOGPROB_H

#include <stdint.h>

/* log sum_j exp(z_j) over logits [V], V >= 1. */
double logprob_log_sum(const float *logits, uint32_t n_vocab);

/* The ids of the n_top highest logits [V], highest first, ties to the lower id; n_top <= V. */
void logprob_top(const float *logits, uint32_t n_vocab, int32_t *ids, uint32_t n_top);

#endif
