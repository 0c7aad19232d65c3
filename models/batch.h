/* batch: the one way to run a model: rows of any number of sequences, decode, verify and prefill
 * mixed. Rules: rows of one sequence are consecutive and in ascending position; their cache pages
 * are already reserved. */
#ifndef MODELS_BATCH_H
#define MODELS_BATCH_H

#include <stdint.h>

struct batch {
    uint32_t n_rows;           /* T */
    const int32_t *tok;        /* [T] */
    const int32_t *pos;        /* [T] absolute positions */
    const int32_t *seq;        /* [T] sequence numbers: rows of the page table */
    uint32_t n_logit_rows;     /* R */
    const int32_t *logit_rows; /* [R] row indices whose logits are wanted, ascending */
};

#endif
