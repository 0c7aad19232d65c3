/* sample: from one row of logits to one token. Pure: no state but the caller's scratch, no clock,
 * no allocation; the same inputs give the same token whatever else runs. Flow: logits ->
 * sample_filter -> struct sample_dist -> sample_draw.   Thread: any, one per scratch.
 *
 * Order (api.md 5): mask -> penalties -> temperature -> top_k -> top_p -> min_p -> draw.
 *   mask         ids in `suppressed`, and ids whose bit in `allowed` is 0, get probability 0.
 *   penalties    per distinct token x of the answer so far, n(x) times in it:
 *                if x is among its last SAMPLE_REPETITION_WINDOW: l = l > 0 ? l / r : l * r;
 *                then l -= n(x) * frequency + presence.
 *   temperature  weight w = exp((l - max l) / T). T = 0: the greatest l alone, lowest id on ties.
 *   top_k        the k greatest l, lower id first among equals. 0 = off.
 *   top_p        of those, in that order, the shortest prefix whose weights reach top_p of their
 *                sum (the one that reaches it included). >= 1 = off.
 *   min_p        of those, w >= min_p (the greatest weight is 1). 0 = off.
 *   draw         ids ascending: the first whose cumulated weight exceeds u * sum.
 * A logit that is NaN is never chosen. An infinite one, or nothing left to choose, is an error. */
#ifndef RUNTIME_SAMPLE_H
#define RUNTIME_SAMPLE_H

#include "runtime/base/err.h"

#include <stddef.h>
#include <stdint.h>

enum { SAMPLE_REPETITION_WINDOW = 256, SAMPLE_MAX_TOP_LOGPROBS = 20 };

struct sample_params {
    double temperature;                         /* 0..2, 0 = greedy */
    double top_p;                               /* 0 < p <= 1 */
    double min_p;                               /* 0..1 */
    uint32_t top_k;                             /* 0 = off */
    double repetition_penalty;                  /* 0.5..2, 1 = off */
    double presence_penalty, frequency_penalty; /* -2..2, 0 = off */
    uint64_t seed;
    uint32_t i_choice; /* which of the n answers to one request */
};

/* One position whose token is wanted. */
struct sample_row {
    const float *logits; /* [V] as the model gives them */
    uint32_t n_vocab;    /* V */
    uint32_t n_generated;
    const int32_t *generated;  /* [n_generated] the answer so far, each in 0..V-1 */
    const int32_t *suppressed; /* [n_suppressed] ids never to be chosen, each in 0..V-1 */
    uint32_t n_suppressed;
    const uint32_t *allowed; /* [ceil(V/32)] bits, NULL = all */
    uint64_t position;       /* absolute position the token will have */
};

/* What is left after all filters, ids ascending; lives in the scratch until its next use. */
struct sample_dist {
    const int32_t *id;   /* [n] */
    const float *weight; /* [n], not normalised, the greatest is 1 */
    double sum;          /* of the weights, in this order */
    uint32_t n;
};

struct sample_logprob {
    int32_t id;
    float logprob;
};

/* Working memory for vocabularies up to n_vocab. */
struct sample_scratch;
size_t sample_scratch_bytes(uint32_t n_vocab);
struct sample_scratch *sample_scratch_at(void *place, uint32_t n_vocab); /* 64-byte aligned place */

/* Ranges of the fields above. */
bool sample_params_check(const struct sample_params *p, struct err *e);

/* The distribution the next token is drawn from; at temperature 0 one id of weight 1. */
bool sample_filter(struct sample_scratch *s, const struct sample_params *p,
                   const struct sample_row *row, struct sample_dist *out, struct err *e);
double sample_dist_prob(const struct sample_dist *d, int32_t id);
/* u in [0, 1). */
int32_t sample_draw(const struct sample_dist *d, double u);

/* Independent uniform numbers in [0, 1) for one position; a stream per purpose. */
enum sample_stream {
    SAMPLE_STREAM_DRAW,     /* the token itself */
    SAMPLE_STREAM_DRAFT,    /* a drafter's own draw */
    SAMPLE_STREAM_ACCEPT,   /* accept or reject that draft */
    SAMPLE_STREAM_RESIDUAL, /* what replaces a rejected draft */
};
double sample_uniform(const struct sample_params *p, uint64_t position, enum sample_stream stream);

/* sample_filter and sample_draw with this position's SAMPLE_STREAM_DRAW. */
bool sample_choose(struct sample_scratch *s, const struct sample_params *p,
                   const struct sample_row *row, int32_t *tok, struct err *e);

/* Natural logarithms of the model's own distribution (no mask, penalty or temperature): out[0] is
 * the chosen token, out[1..n_top] the likeliest, lower id first among equals. n_top <=
 * SAMPLE_MAX_TOP_LOGPROBS and <= V; out has room for 1 + n_top. */
bool sample_logprobs(struct sample_scratch *s, const struct sample_row *row, int32_t chosen,
                     uint32_t n_top, struct sample_logprob *out, struct err *e);

#endif
