/* encode: rows of f32 to a tensor encoding, byte for byte as the reference quantizer (quant-formats
 * 5): all f32, products left to right, no fused multiply-add. One row of the table in encode.c per
 * encoding.   Thread: any. Allocates: never. */
#ifndef KERNELS_QUANT_ENCODE_H
#define KERNELS_QUANT_ENCODE_H

#include "kernels/quant/qtype.h"

#include <stddef.h>

/* Whether this build can encode the type. */
bool encode_supports(enum qtype type);

/* What may guide the choice of scales and levels besides the values. */
struct encode_guide {
    const float *importance; /* [n_elems] weight of each column's squared error, or NULL; finite,
                                not negative. Types without a search ignore it. */
    float tensor_scale; /* NVFP4: the blocks are in units of this; 0: as the reference quantizer
                           does without one. Others ignore it. */
};

static inline const float *encode_importance_at(const struct encode_guide *guide, uint64_t i_elem)
{
    return guide->importance ? guide->importance + i_elem : NULL;
}

/* x [n_elems], whole blocks of a supported type -> row, which may be unaligned. guide may be NULL.
 * False if some x is not finite, or too large for the type's range; row is then undefined. */
bool encode_row(enum qtype type, const float *x, const struct encode_guide *guide, void *row,
                uint64_t n_elems);

/* Round to nearest even; overflow gives infinity, NaN stays NaN (quant-formats 2). */
uint16_t encode_f16(float x);
uint16_t encode_bf16(float x);

#endif
