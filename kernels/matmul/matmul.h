/* matmul: y[t, n] = scale * sum_k W[n, k] * x[t, k], W of any supported encoding.
 * actq: the one activation encoding, made once per input that several matmuls share.
 *
 * Canonical order (the same bits for every number of rows, thread count and instruction set):
 * F32, F16, BF16 weights: x stays f32; acc[k % 16] = fma(w, x, acc[k % 16]) in ascending k from 0.
 * Quantised weights, w * c - m as kernels/quant/qblk.h takes them apart: x is q * d per 32 values
 * (struct actq_view). For block b = k / 32, with exact integer sums S = sum w*q and X = sum q over
 * the block (S0, X0 and S1, X1 over its halves of 16):
 *   one scale per 32:    P = c * (float)S
 *   with minima:         P = fma(-m, (float)X, c * (float)S)
 *   a scale per 16:      P = fma(c1, (float)S1, c0 * (float)S0)
 *   and a minimum too:   P = fma(-m1, (float)X1, fma(-m0, (float)X0, P of a scale per 16))
 *   acc[b % 8] = fma(d, P, acc[b % 8])   ascending b from 0
 * Tree: 16 lanes fold i with i + 8, then 8 lanes i with i + 4, i + 2, i + 1; then one
 * multiplication by scale.
 * Error: against f64 sums over the same decoded inputs, MATMUL_MAX_NMSE; the encoding of x itself
 * is not an error here.
 * Split: threads take rows of W. Bytes moved: W once per 16 to 256 rows of x, by the depth of K.
 */
#ifndef KERNELS_MATMUL_MATMUL_H
#define KERNELS_MATMUL_MATMUL_H

#include "kernels/cpu/cpu.h"
#include "kernels/quant/qtype.h"

#include <stdbool.h>
#include <stddef.h>

/* Mean squared error over mean square of the truth: f32 sums of up to 20,000 terms in 8 or 16 lanes
 * err by about 2^-24 * sqrt(terms per lane) relative to the root of the sum of squares; 1e-12 is
 * ten times that, squared. */
#define MATMUL_MAX_NMSE 1e-12

/* Activations of one op input, planned by the model, filled by actq: d = amax / 127 of the block of
 * 32, q = x * (1 / d) rounded to nearest even. A block whose d is below the smallest normal float
 * gets d = 0 and q = 0; one that holds an infinity or a NaN gets d = NaN and q = 0, so the damage
 * reaches the result. Get views from actq_at alone: kernels read up to 8 blocks past the end of
 * each array, inside the place. */
struct actq_view {
    int8_t *q;         /* [T, D] in -127..127 */
    float *d;          /* [T, D/32] */
    float *q_sum;      /* [T, D/32] sum of q over the block */
    int32_t *half_sum; /* [T, ceil(D/256), 2, 8] over the first, then the second halves of a step's
                          8 blocks */
};

/* Bytes one actq_view of n_rows x n_cols needs, and the view at a 64-byte aligned place of that
 * size. */
size_t actq_bytes(uint32_t n_rows, uint32_t n_cols);
struct actq_view actq_at(void *place, uint32_t n_rows, uint32_t n_cols);

/* Elements between rows of actq_view.half_sum. */
static inline uint32_t actq_half_sum_stride(uint32_t n_cols)
{
    return (n_cols + 255) / 256 * 16;
}

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
    float *y;            /* [T, y_stride]; overlaps no input */
    void *scratch; /* matmul_scratch_bytes of the threads that run it, 64-byte aligned; contents
                      mean nothing */
    size_t scratch_bytes;
    enum qtype w_type;
    uint32_t n_rows;   /* T */
    uint32_t n_in;     /* K, a multiple of 32 and of the encoding's block */
    uint32_t n_out;    /* N */
    uint32_t y_stride; /* elements between rows of y, >= N */
    float scale;       /* NVFP4's per-tensor scale, else 1 */
};

/* Scratch for one pool of threads, shared by every matmul it runs. */
size_t matmul_scratch_bytes(uint32_t n_threads);

/* Whether w_type's matmul reads xq (true) or x (false). */
bool matmul_uses_actq(enum qtype w_type);
/* Whether matmul and embed can run this encoding at all. */
bool matmul_supports(enum qtype w_type);

/* Let op_matmul.cpu and op_actq.cpu use the best built variant in isa_mask (bit 0 set: portable
 * always is one); returns it. Called once at start, before any op runs; until then they are
 * portable. */
enum cpu_isa matmul_init(uint32_t isa_mask);

/* Whether a variant gives the portable bits on a probe of every encoding and shape class. A variant
 * this build lacks or this machine cannot run must not be asked. */
bool matmul_isa_agrees(enum cpu_isa isa);

#endif
