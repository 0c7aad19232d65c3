/* dequant: rows of any supported encoding to f32, by the formulas of quant-formats 2 and 3, bit for
 * bit. Thread: any. Allocates: never. */
#ifndef KERNELS_QUANT_DEQUANT_H
#define KERNELS_QUANT_DEQUANT_H

#include "kernels/quant/qtype.h"

/* Whether this build can decode (and multiply) the encoding. */
bool dequant_supports(enum qtype type);

/* Decode the n_elems (whole blocks) at row, which may be unaligned, of a supported type. */
void dequant_row(enum qtype type, const void *row, float *out, uint64_t n_elems);

#endif
