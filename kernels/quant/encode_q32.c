/* encode_q32: blocks of 32 elements; quant-formats 5.1, layouts 3.1. */
#include "kernels/quant/encode_part.h"
#include "kernels/quant/qblk.h"

#include <math.h>

enum { ELEMS = 32 };

/* Weights of the squared errors with an importance matrix: importance * sqrt(mean of the row's
 * squares + x^2). */
static void weigh(const float *x, const float *importance, float mean_sq, float *w)
{
    for (uint32_t i = 0; i < ELEMS; i++)
        w[i] = importance[i] * sqrtf(mean_sq + x[i] * x[i]);
}

/* Element j in the low, j + 16 in the high nibble of byte j. */
static void pack_nibbles(const uint8_t *levels, uint8_t *out)
{
    for (uint32_t j = 0; j < 16; j++)
        out[j] = (uint8_t)((levels[j] & 15) | (levels[j + 16] & 15) << 4);
}

/* The fifth bits: bit i of a little-endian u32 is element i. */
static void pack_fifth_bits(const uint8_t *levels, uint8_t *out)
{
    memset(out, 0, 4);
    for (uint32_t i = 0; i < ELEMS; i++)
        out[i / 8] |= (uint8_t)(levels[i] >> 4 << i % 8);
}

/* A level rounded by truncation of v + 0.5 (v >= 0 but for rounding), as the reference does. */
static uint8_t level_of(float v, int32_t max_level)
{
    v = v > 0 ? v : 0;
    return (uint8_t)(v < (float)max_level ? (int32_t)v : max_level);
}

/* 1 / d, or 0 for a zero scale or one so small that its inverse overflows. */
static float inverse(float d)
{
    float per = d != 0 ? 1.0f / d : 0;
    return encode_abs(per) <= 0x1p127f ? per : 0;
}

/* d = m / -half, levels around half. */
static float symmetric_levels(const float *x, int32_t half, uint8_t *levels)
{
    float d = encode_largest(x, ELEMS) / (float)-half, per = inverse(d);
    for (uint32_t i = 0; i < ELEMS; i++)
        levels[i] = level_of(x[i] * per + ((float)half + 0.5f), 2 * half - 1);
    return d;
}

static bool symmetric_row(const float *x, const struct encode_guide *guide, uint8_t *out,
                          uint64_t n_elems, enum qtype type)
{
    int32_t half = type == QTYPE_Q4_0 ? 8 : 16;
    uint64_t block_bytes = type == QTYPE_Q4_0 ? Q4_0_BYTES : Q5_0_BYTES;
    float mean_sq = encode_sum_sq(x, n_elems) / (float)n_elems, w[ELEMS];
    uint8_t levels[ELEMS];
    bool fits = true;
    for (uint64_t i = 0; i < n_elems; i += ELEMS, out += block_bytes) {
        float d;
        if (guide->importance) {
            weigh(x + i, guide->importance + i, mean_sq, w);
            d = encode_fit_symmetric(&(struct encode_fit){x + i, w, ELEMS, half}, levels);
        } else {
            d = symmetric_levels(x + i, half, levels);
        }
        encode_store_f16(out, d, &fits);
        if (type == QTYPE_Q5_0)
            pack_fifth_bits(levels, out + 2);
        pack_nibbles(levels, out + block_bytes - 16);
    }
    return fits;
}

bool encode_q32_q4_0(const float *x, const struct encode_guide *guide, uint8_t *out,
                     uint64_t n_elems)
{
    return symmetric_row(x, guide, out, n_elems, QTYPE_Q4_0);
}

bool encode_q32_q5_0(const float *x, const struct encode_guide *guide, uint8_t *out,
                     uint64_t n_elems)
{
    return symmetric_row(x, guide, out, n_elems, QTYPE_Q5_0);
}

/* d = (max - min) / max_level; returns d, *low = min. */
static float offset_levels(const float *x, int32_t max_level, uint8_t *levels, float *low)
{
    float min = x[0], max = x[0];
    for (uint32_t i = 1; i < ELEMS; i++) {
        min = x[i] < min ? x[i] : min;
        max = x[i] > max ? x[i] : max;
    }
    float d = (max - min) / (float)max_level, per = inverse(d);
    for (uint32_t i = 0; i < ELEMS; i++)
        levels[i] = level_of((x[i] - min) * per + 0.5f, max_level);
    *low = min;
    return d;
}

static bool offset_row(const float *x, const struct encode_guide *guide, uint8_t *out,
                       uint64_t n_elems, enum qtype type)
{
    static const struct encode_fit_steps steps = {-0.9f, 0.05f, 36, false};
    int32_t max_level = type == QTYPE_Q4_1 ? 15 : 31;
    uint64_t block_bytes = type == QTYPE_Q4_1 ? Q4_1_BYTES : Q5_1_BYTES;
    float mean_sq = encode_sum_sq(x, n_elems) / (float)n_elems, w[ELEMS];
    uint8_t levels[ELEMS];
    bool fits = true;
    for (uint64_t i = 0; i < n_elems; i += ELEMS, out += block_bytes) {
        float d, low;
        if (guide->importance) {
            weigh(x + i, guide->importance + i, mean_sq, w);
            d = encode_fit_min(&(struct encode_fit){x + i, w, ELEMS, max_level}, &steps, levels,
                               &low);
            low = -low;
        } else {
            d = offset_levels(x + i, max_level, levels, &low);
        }
        encode_store_f16(out, d, &fits);
        encode_store_f16(out + 2, low, &fits);
        if (type == QTYPE_Q5_1)
            pack_fifth_bits(levels, out + 4);
        pack_nibbles(levels, out + block_bytes - 16);
    }
    return fits;
}

bool encode_q32_q4_1(const float *x, const struct encode_guide *guide, uint8_t *out,
                     uint64_t n_elems)
{
    return offset_row(x, guide, out, n_elems, QTYPE_Q4_1);
}

bool encode_q32_q5_1(const float *x, const struct encode_guide *guide, uint8_t *out,
                     uint64_t n_elems)
{
    return offset_row(x, guide, out, n_elems, QTYPE_Q5_1);
}

/* Nearest integer, halves away from zero, |v| <= 127: truncation after adding the largest float
 * below a half. A half itself would lift 0.49999997f to 1; this sum rounds to 1 from exactly 0.5
 * on. */
static int8_t round_half_away(float v)
{
    return (int8_t)(int32_t)(v + copysignf(0x1.fffffep-2f, v));
}

/* f16 d, i8 q[32]. d = max|x| / 127; q = round(x * (1/d)) with the unrounded d. A d below 2^-127
 * rounds to 0 in f16 and no q can matter. */
bool encode_q32_q8_0(const float *x, const struct encode_guide *guide, uint8_t *out,
                     uint64_t n_elems)
{
    bool fits = true;
    (void)guide;
    for (; n_elems; n_elems -= ELEMS, x += ELEMS, out += Q8_0_BYTES) {
        float d = encode_abs_max(x, ELEMS) / 127.0f, per = inverse(d);
        encode_store_f16(out, d, &fits);
        for (int i = 0; i < ELEMS; i++)
            out[2 + i] = (uint8_t)round_half_away(x[i] * per);
    }
    return fits;
}

/* E8M0 scale 2^e with e = floor(log2(max|x|)) - 2, nibbles as everywhere in blocks of 32. The last
 * code, 255, is NaN: no finite f32 reaches it. */
bool encode_q32_mxfp4(const float *x, const struct encode_guide *guide, uint8_t *out,
                      uint64_t n_elems)
{
    uint8_t codes[ELEMS];
    (void)guide;
    for (; n_elems; n_elems -= ELEMS, x += ELEMS, out += MXFP4_BYTES) {
        uint32_t exponent = half_bits32(encode_abs_max(x, ELEMS)) >> 23;
        int32_t e = exponent > 2 ? (int32_t)exponent - 2 : 0;
        float half = half_from_bits32(e > 1 ? (uint32_t)(e - 1) << 23 : 0x00200000u << e);
        out[0] = (uint8_t)e;
        for (uint32_t i = 0; i < ELEMS; i++)
            codes[i] = encode_e2m1_near(x[i], half);
        pack_nibbles(codes, out + 1);
    }
    return true;
}
