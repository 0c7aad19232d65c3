/* embed: y[t] = scale * E[tok[t]], rows of any encoding gathered and decoded to f32.
 * gemma4-text 3.2 */
#ifndef KERNELS_EMBED_EMBED_H
#define KERNELS_EMBED_EMBED_H

#include "kernels/quant/qtype.h"

struct embed_args {
    const void *w;      /* [V, D] of w_type, rows packed */
    const int32_t *tok; /* [T], each in 0..V-1 */
    float *y;           /* [T, D] */
    enum qtype w_type;
    uint32_t n_rows;  /* T */
    uint32_t d_model; /* D, a multiple of the block size */
    uint32_t n_vocab; /* V */
    float scale;
};

#endif
