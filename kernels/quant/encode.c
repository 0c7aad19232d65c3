#include "kernels/quant/encode.h"

#include "kernels/quant/encode_part.h"

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

static bool f32_row(const float *x, const struct encode_guide *guide, uint8_t *out,
                    uint64_t n_elems)
{
    (void)guide;
    memcpy(out, x, n_elems * sizeof *x);
    return true;
}

static bool f16_row(const float *x, const struct encode_guide *guide, uint8_t *out,
                    uint64_t n_elems)
{
    (void)guide;
    bool fits = true;
    for (uint64_t i = 0; i < n_elems; i++) {
        uint16_t half = encode_f16(x[i]);
        fits &= (half & 0x7fff) < 0x7c00;
        encode_store_u16(out + 2 * i, half);
    }
    return fits;
}

static bool bf16_row(const float *x, const struct encode_guide *guide, uint8_t *out,
                     uint64_t n_elems)
{
    (void)guide;
    bool fits = true;
    for (uint64_t i = 0; i < n_elems; i++) {
        uint16_t half = encode_bf16(x[i]);
        fits &= (half & 0x7fff) < 0x7f80;
        encode_store_u16(out + 2 * i, half);
    }
    return fits;
}

static encode_fn *const encoders[QTYPE_ID_END] = {
    [QTYPE_F32] = f32_row,          [QTYPE_F16] = f16_row,
    [QTYPE_BF16] = bf16_row,        [QTYPE_Q4_0] = encode_q32_q4_0,
    [QTYPE_Q4_1] = encode_q32_q4_1, [QTYPE_Q5_0] = encode_q32_q5_0,
    [QTYPE_Q5_1] = encode_q32_q5_1, [QTYPE_Q8_0] = encode_q32_q8_0,
    [QTYPE_Q2_K] = encode_k_q2,     [QTYPE_Q3_K] = encode_k_q3,
    [QTYPE_Q4_K] = encode_k_q4,     [QTYPE_Q5_K] = encode_k_q5,
    [QTYPE_Q6_K] = encode_k_q6,     [QTYPE_IQ4_NL] = encode_iq4_nl,
    [QTYPE_IQ4_XS] = encode_iq4_xs, [QTYPE_MXFP4] = encode_q32_mxfp4,
    [QTYPE_NVFP4] = encode_nvfp4,
};

bool encode_supports(enum qtype type)
{
    return encoders[type] != NULL;
}

bool encode_row(enum qtype type, const float *x, const struct encode_guide *guide, void *row,
                uint64_t n_elems)
{
    static const struct encode_guide none = {NULL, 0};
    return all_finite(x, n_elems) && encoders[type](x, guide ? guide : &none, row, n_elems);
}
