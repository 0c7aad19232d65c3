/* matmul: y[t, n] = scale * sum_k W[n, k] * x[t, k], W of any supported encoding.
 * actq: the one activation encoding, made once per input that several matmuls share.
 *
 * Canonical order (the same bits for every number of rows, thread count and instruction set):
 *   F32, F16, BF16 weights: x stays f32; acc[k % 16] = fma(w, x, acc[k % 16]) in ascending k from 0.
 *   All quantised weights: x is int8 per 32 values (struct actq_view). For block b = k/32 an exact integer sum S_b over its 32
 *   products (with the sub-block's integer scales where the encoding has them), then acc[b % 8] = fma(wscale_b * d_b, (float)S_b, acc[b % 8]),
 *   ascending b from 0; encodings with minima follow it by acc[b % 8] = fma(-wmin_b, s_b, acc[b % 8]); encodings with
 *   16-element float scales (NVFP4) do two fma, first half first.
 *   Tree: 16 lanes fold i with i+8, then 8 lanes i with i+4, i+2, i+1; then one multiplication by scale. */
#ifndef KERNELS_MATMUL_MATMUL_H
#define KERNELS_MATMUL_MATMUL_H

#include "kernels/quant/qtype.h"

#include <stdbool.h>
#include <stddef.h>

/* Activations of one op input, planned by the model, filled by actq. amax/127 scales, round to nearest even:
 * d = amax/127, q = rne(x * (1/d)) in -127..127 (0 if d = 0), s = d * sum(q). */
struct actq_view {
    int8_t *q; /* [T, D] */
    float *d;  /* [T, D/32] */
    float *s;  /* [T, D/32] d * sum(q) of the block */
};

/* Bytes one actq_view of n_rows x n_cols needs, and the view at a 64-byte aligned place of that size. */
size_t actq_bytes(uint32_t n_rows, uint32_t n_cols);
struct actq_view actq_at(void *place, uint32_t n_rows, uint32_t n_cols);

struct actq_args {
    const float *x; /* [T, D] */
    struct actq_view out;
    uint32_t n_rows; /* T */
    uint32_t n_cols; /* D, a multiple of 32 */
};

struct matmul_args {
    const void *w;       /* [N, K] of w_type, rows packed */
    const float *x;      /* [T, K]; read by F32, F16, BF16 weights */
    struct actq_view xq; /* read by all other encodings */
    float *y;            /* [T, y_stride] */
    enum qtype w_type;
    uint32_t n_rows;   /* T */
    uint32_t n_in;     /* K, a multiple of 32 */
    uint32_t n_out;    /* N */
    uint32_t y_stride; /* elements between rows of y, >= N */
    float scale;       /* NVFP4's per-tensor scale, else 1 */
};

/* Whether w_type's matmul reads xq (true) or x (false). */
bool matmul_uses_actq(enum qtype w_type);
/* Whether matmul and embed can run this encoding at all. */
bool matmul_supports(enum qtype w_type);

#endif
