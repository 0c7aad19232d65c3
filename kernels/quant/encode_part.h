/* encode_part: what the encoders of encode.c's table share: their type, the three searches for a
 * block's scale and levels (quant-formats 5.2), small arithmetic. For encode*.c alone.
 * All f32, sums in index order, products left to right. Nothing here overflows an integer or
 * reaches undefined behaviour for any finite x; where a scale leaves the range of f16 the encoder
 * says so and the bytes mean nothing.   Thread: any. Allocates: never. */
#ifndef KERNELS_QUANT_ENCODE_PART_H
#define KERNELS_QUANT_ENCODE_PART_H

#include "kernels/quant/encode.h"
#include "kernels/quant/half.h"

/* Encodes one row of whole blocks of finite values; false if the range of the type does not hold
 * them. */
typedef bool encode_fn(const float *x, const struct encode_guide *guide, uint8_t *out,
                       uint64_t n_elems);

/* encode_q32.c: blocks of 32 */
encode_fn encode_q32_q4_0, encode_q32_q4_1, encode_q32_q5_0, encode_q32_q5_1, encode_q32_q8_0,
    encode_q32_mxfp4;
/* encode_k.c: super-blocks of 256 with scales of scales */
encode_fn encode_k_q2, encode_k_q3, encode_k_q4, encode_k_q5, encode_k_q6;
/* encode_iq4.c: 16 uneven levels */
encode_fn encode_iq4_nl, encode_iq4_xs;
/* encode_nvfp4.c */
encode_fn encode_nvfp4;

/* ---- searches (encode_fit.c) ---- */

enum { ENCODE_FIT_MAX = 32 }; /* values in one search */

/* Below this magnitude a block counts as all zero. */
static const float ENCODE_TINY = 1e-15f;

struct encode_fit {
    const float *x; /* [n] */
    const float *w; /* [n] weights of the squared errors */
    uint32_t n;
    int32_t max_level;
};

/* Inverse scales to try: (first + step * s + max_level) / (max x - min x), s = 0 .. n_steps. */
struct encode_fit_steps {
    float first, step;
    int n_steps;
    bool is_absolute; /* weigh |error| instead of its square */
};

/* x ~ scale * level - minimum, levels 0 .. max_level, minimum >= 0: returns the scale. */
float encode_fit_min(const struct encode_fit *f, const struct encode_fit_steps *steps,
                     uint8_t *levels, float *minimum);
/* x >= 0: x ~ scale * level, levels 0 .. max_level. */
float encode_fit_positive(const struct encode_fit *f, uint8_t *levels);
/* x ~ scale * (level - max_level), levels 0 .. 2 * max_level - 1; the scale may be negative. w
 * NULL: x^2. */
float encode_fit_symmetric(const struct encode_fit *f, uint8_t *levels);

/* ---- arithmetic ---- */

static inline void encode_store_u16(uint8_t *p, uint16_t v)
{
    p[0] = (uint8_t)v;
    p[1] = (uint8_t)(v >> 8);
}

/* Stores v as f16 and gives back what a reader will see; *fits falls where that is not finite. */
static inline float encode_store_f16(uint8_t *p, float v, bool *fits)
{
    uint16_t half = encode_f16(v);
    *fits &= (half & 0x7fff) < 0x7c00;
    encode_store_u16(p, half);
    return half_from_f16(half);
}

/* Nearest integer to v, ties to even, within low .. high (small integers); NaN gives low. Adding
 * 1.5 * 2^23 leaves the integer in the low bits of the sum, rounded by the addition itself. */
static inline int32_t encode_round(float v, int32_t low, int32_t high)
{
    v = v > (float)low ? v : (float)low;
    v = v < (float)high ? v : (float)high;
    return (int32_t)(half_bits32(v + 0x1.8p23f) & 0x7fffff) - 0x400000;
}

static inline float encode_abs(float v)
{
    return half_from_bits32(half_bits32(v) & 0x7fffffff);
}

/* max|x|, by the bits: without the sign they order like the values, and no branch depends on them.
 */
static inline float encode_abs_max(const float *x, uint64_t n_elems)
{
    uint32_t max = 0;
    for (uint64_t i = 0; i < n_elems; i++) {
        uint32_t bits = half_bits32(x[i]) & 0x7fffffff;
        max = bits > max ? bits : max;
    }
    return half_from_bits32(max);
}

/* The first of the elements of largest magnitude, with its sign. */
static inline float encode_largest(const float *x, uint32_t n_elems)
{
    float largest = 0, magnitude = 0;
    for (uint32_t i = 0; i < n_elems; i++)
        if (encode_abs(x[i]) > magnitude) {
            magnitude = encode_abs(x[i]);
            largest = x[i];
        }
    return largest;
}

static inline float encode_sum_sq(const float *x, uint64_t n_elems)
{
    float sum = 0;
    for (uint64_t i = 0; i < n_elems; i++)
        sum += x[i] * x[i];
    return sum;
}

/* The E2M1 code of x / (2 * half) rounded to the nearest, the smaller one on a tie; the sign only
 * where the magnitude is not 0. */
static inline uint8_t encode_e2m1_near(float x, float half)
{
    static const float doubled[8] = {0, 1, 2, 3, 4, 6, 8, 12};
    float magnitude = encode_abs(x), best = magnitude;
    uint8_t code = 0;
    for (uint8_t c = 1; c < 8; c++) {
        float diff = encode_abs(doubled[c] * half - magnitude);
        if (diff < best) {
            best = diff;
            code = c;
        }
    }
    return (uint8_t)(code | (x < 0 && code ? 8 : 0));
}

#endif
