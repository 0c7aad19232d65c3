#include "kernels/quant/encode.h"

#include "kernels/quant/half.h"

#include <math.h>

/* Encodes whole blocks of finite values; false if the range of the type does not hold them. */
typedef bool encode_fn(const float *x, uint8_t *out, uint64_t n_elems);

static void store_u16(uint8_t *p, uint16_t v)
{
    p[0] = (uint8_t)v;
    p[1] = (uint8_t)(v >> 8);
}

uint16_t encode_f16(float x)
{
    uint32_t bits = half_bits32(x), sign = bits >> 16 & 0x8000, rest = bits & 0x7fffffff;
    if (rest >= 0x7f800000) /* infinity; NaN stays quiet and keeps its top bits */
        return (uint16_t)(sign | 0x7c00 | (rest > 0x7f800000 ? 0x0200 | (rest >> 13 & 0x3ff) : 0));
    if (rest >= 0x477ff000) /* 65520 and more round to infinity */
        return (uint16_t)(sign | 0x7c00);
    if (rest >= 0x38800000) /* normal: rebias, then round the 13 bits that fall off */
        return (uint16_t)(sign | (rest - ((127 - 15) << 23) + 0x0fff + (rest >> 13 & 1)) >> 13);
    /* Subnormal: adding 0.5 leaves the value in units of 2^-24 in the low bits, rounded by the
     * addition itself. */
    return (uint16_t)(sign | (half_bits32(half_from_bits32(rest) + 0.5f) - half_bits32(0.5f)));
}

uint16_t encode_bf16(float x)
{
    uint32_t bits = half_bits32(x);
    if ((bits & 0x7fffffff) > 0x7f800000)
        return (uint16_t)(bits >> 16 | 0x40);
    return (uint16_t)((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

static bool all_finite(const float *x, uint64_t n_elems)
{
    uint32_t n_bad = 0;
    for (uint64_t i = 0; i < n_elems; i++)
        n_bad |= (half_bits32(x[i]) & 0x7f800000) == 0x7f800000;
    return n_bad == 0;
}

static bool f32_row(const float *x, uint8_t *out, uint64_t n_elems)
{
    memcpy(out, x, n_elems * sizeof *x);
    return true;
}

static bool f16_row(const float *x, uint8_t *out, uint64_t n_elems)
{
    bool fits = true;
    for (uint64_t i = 0; i < n_elems; i++) {
        uint16_t half = encode_f16(x[i]);
        fits &= (half & 0x7fff) < 0x7c00;
        store_u16(out + 2 * i, half);
    }
    return fits;
}

static bool bf16_row(const float *x, uint8_t *out, uint64_t n_elems)
{
    bool fits = true;
    for (uint64_t i = 0; i < n_elems; i++) {
        uint16_t half = encode_bf16(x[i]);
        fits &= (half & 0x7fff) < 0x7f80;
        store_u16(out + 2 * i, half);
    }
    return fits;
}

/* Nearest integer, halves away from zero, |v| <= 127: truncation after adding the largest float
 * below a half. A half itself would lift 0.49999997f to 1; this sum rounds to 1 from exactly 0.5
 * on. */
static int8_t round_half_away(float v)
{
    return (int8_t)(int32_t)(v + copysignf(0x1.fffffep-2f, v));
}

/* max|x|, by the bits: without the sign they order like the values, and no branch depends on them.
 */
static float abs_max(const float *x, uint32_t n_elems)
{
    uint32_t max = 0;
    for (uint32_t i = 0; i < n_elems; i++) {
        uint32_t bits = half_bits32(x[i]) & 0x7fffffff;
        max = bits > max ? bits : max;
    }
    return half_from_bits32(max);
}

/* 32 elements: f16 d, i8 q[32]. d = max|x| / 127; q = round(x * (1/d)) with the unrounded d. */
static bool q8_0_row(const float *x, uint8_t *out, uint64_t n_elems)
{
    enum { ELEMS = 32, BYTES = 34 };
    bool fits = true;
    for (; n_elems; n_elems -= ELEMS, x += ELEMS, out += BYTES) {
        float d = abs_max(x, ELEMS) / 127.0f, per_d = d > 0 ? 1.0f / d : 0;
        if (!(per_d <= 0x1p127f)) /* d below 2^-127: f16 rounds it to 0 and no q can matter */
            per_d = 0;
        uint16_t half = encode_f16(d);
        fits &= half < 0x7c00;
        store_u16(out, half);
        for (int i = 0; i < ELEMS; i++)
            out[2 + i] = (uint8_t)round_half_away(x[i] * per_d);
    }
    return fits;
}

static encode_fn *const encoders[QTYPE_ID_END] = {
    [QTYPE_F32] = f32_row,
    [QTYPE_F16] = f16_row,
    [QTYPE_BF16] = bf16_row,
    [QTYPE_Q8_0] = q8_0_row,
};

bool encode_supports(enum qtype type)
{
    return encoders[type] != NULL;
}

bool encode_row(enum qtype type, const float *x, void *row, uint64_t n_elems)
{
    return all_finite(x, n_elems) && encoders[type](x, row, n_elems);
}
