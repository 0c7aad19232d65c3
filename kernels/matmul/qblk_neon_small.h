/* qblk_neon_small: unpackers for Advanced SIMD of the encodings whose nibbles lie per 32 or 64
 * elements; see qblk_neon.h. */
#ifndef KERNELS_MATMUL_QBLK_NEON_SMALL_H
#define KERNELS_MATMUL_QBLK_NEON_SMALL_H

#include "kernels/matmul/qblk_neon.h"

/* The codes of 8 blocks, from where the first has its 16 bytes: low nibbles, then high. */
STEP_FN void codes_of_blocks(const uint8_t *qs, size_t block_bytes, uint8x16_t q[16])
{
    for (int b = 0; b < 8; b++, qs += block_bytes) {
        uint8x16_t both = vld1q_u8(qs);
        q[2 * b] = vandq_u8(both, vdupq_n_u8(15));
        q[2 * b + 1] = vshrq_n_u8(both, 4);
    }
}

/* Bytes of ones where one of 16 bits is set. */
STEP_FN uint8x16_t mask_of_bits(uint32_t bits)
{
    const uint8x16_t bit = vreinterpretq_u8_u64(vdupq_n_u64(0x8040201008040201u));
    uint8x8_t low = vdup_n_u8((uint8_t)bits), high = vdup_n_u8((uint8_t)(bits >> 8));
    return vtstq_u8(vcombine_u8(low, high), bit);
}

/* q += 16 where bit i % 32 of the block's word is set. */
STEP_FN void add_fifth_bits(const uint8_t *words, size_t block_bytes, uint8x16_t q[16])
{
    for (int i = 0; i < 16; i++) {
        uint32_t bits = half_load_u16(words + i / 2 * block_bytes + 2 * (i % 2));
        q[i] = vaddq_u8(q[i], vandq_u8(mask_of_bits(bits), vdupq_n_u8(16)));
    }
}

/* The files have an offset to add, the step a minimum to subtract. */
STEP_FN void minima_of_blocks(const uint8_t *m, size_t block_bytes, float32x4_t out[2])
{
    f16_of_blocks(m, block_bytes, out);
    out[0] = vnegq_f32(out[0]);
    out[1] = vnegq_f32(out[1]);
}

/* d; qs[16]: q - 8 */
STEP_FN void step_q4_0(const uint8_t *p, struct quant_step *s)
{
    uint8x16_t q[16];
    codes_of_blocks(p + Q4_0_QS_OFF, Q4_0_BYTES, q);
    all_minus(q, 8, s->w);
    f16_of_blocks(p, Q4_0_BYTES, s->c);
}

/* d, m; qs[16] */
STEP_FN void step_q4_1(const uint8_t *p, struct quant_step *s)
{
    uint8x16_t q[16];
    codes_of_blocks(p + Q4_1_QS_OFF, Q4_1_BYTES, q);
    all_minus(q, 0, s->w);
    f16_of_blocks(p, Q4_1_BYTES, s->c);
    minima_of_blocks(p + Q4_1_M_OFF, Q4_1_BYTES, s->m);
}

/* d; u32 of fifth bits; qs[16]: q - 16 */
STEP_FN void step_q5_0(const uint8_t *p, struct quant_step *s)
{
    uint8x16_t q[16];
    codes_of_blocks(p + Q5_0_QS_OFF, Q5_0_BYTES, q);
    add_fifth_bits(p + Q5_0_QH_OFF, Q5_0_BYTES, q);
    all_minus(q, 16, s->w);
    f16_of_blocks(p, Q5_0_BYTES, s->c);
}

/* d, m; u32 of fifth bits; qs[16] */
STEP_FN void step_q5_1(const uint8_t *p, struct quant_step *s)
{
    uint8x16_t q[16];
    codes_of_blocks(p + Q5_1_QS_OFF, Q5_1_BYTES, q);
    add_fifth_bits(p + Q5_1_QH_OFF, Q5_1_BYTES, q);
    all_minus(q, 0, s->w);
    f16_of_blocks(p, Q5_1_BYTES, s->c);
    minima_of_blocks(p + Q5_1_M_OFF, Q5_1_BYTES, s->m);
}

static const int8_t iq4_levels[16] = {-127, -104, -83, -65, -49, -35, -22, -10,
                                      1,    13,   25,  38,  53,  69,  89,  113};
static const int8_t e2m1_doubled[16] = {0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12};

/* Codes of 8 blocks through a table. */
STEP_FN void values_of_blocks(const int8_t table[16], const uint8_t *qs, size_t block_bytes,
                              int8x16_t w[16])
{
    uint8x16_t q[16];
    codes_of_blocks(qs, block_bytes, q);
    for (int i = 0; i < 16; i++)
        w[i] = vqtbl1q_s8(vld1q_s8(table), q[i]);
}

/* d; qs[16] of levels */
STEP_FN void step_iq4_nl(const uint8_t *p, struct quant_step *s)
{
    values_of_blocks(iq4_levels, p + IQ4_NL_QS_OFF, IQ4_NL_BYTES, s->w);
    f16_of_blocks(p, IQ4_NL_BYTES, s->c);
}

/* d, u16 of high bits, u32 of low nibbles of 8 scales of 6 bits, less 32; qs[128] of levels, 16
 * bytes per block */
STEP_FN void step_iq4_xs(const uint8_t *p, struct quant_step *s)
{
    uint32_t high = half_load_u16(p + IQ4_XS_SH_OFF), low = half_load_u32(p + IQ4_XS_SL_OFF);
    int8_t scales[8];
    values_of_blocks(iq4_levels, p + IQ4_XS_QS_OFF, 16, s->w);
    for (int b = 0; b < 8; b++)
        scales[b] = (int8_t)((int)((low >> 4 * b & 15) + 16 * (high >> 2 * b & 3)) - 32);
    scaled_signed_bytes(vld1_s8(scales), half_load_f16(p), s->c);
}

/* E8M0 scale; qs[16] of E2M1 codes, doubled */
STEP_FN void step_mxfp4(const uint8_t *p, struct quant_step *s)
{
    float scales[8];
    values_of_blocks(e2m1_doubled, p + MXFP4_QS_OFF, MXFP4_BYTES, s->w);
    for (int b = 0; b < 8; b++)
        scales[b] = 0.5f * half_from_e8m0(p[MXFP4_BYTES * b]);
    s->c[0] = vld1q_f32(scales);
    s->c[1] = vld1q_f32(scales + 4);
}

/* 8 UE4M3 codes to half the floats: as f16 their bits << 7 are the scale times 2^-8; code 127
 * counts as 0. */
STEP_FN void half_scales(uint8x8_t codes, float32x4_t out[2])
{
    codes = vand_u8(codes, vdup_n_u8(0x7f));
    codes = vbic_u8(codes, vceq_u8(codes, vdup_n_u8(0x7f)));
    float16x8_t f16 = vreinterpretq_f16_u16(vshlq_n_u16(vmovl_u8(codes), 7));
    out[0] = vmulq_n_f32(vcvt_f32_f16(vget_low_f16(f16)), 128);
    out[1] = vmulq_n_f32(vcvt_f32_f16(vget_high_f16(f16)), 128);
}

/* UE4M3 d[4], qs[32] per 64: group g of 16 has elements 0..7 in the low, 8..15 in the high nibbles
 * of qs[8g ..]; doubled E2M1 values */
STEP_FN void step_nvfp4(const uint8_t *p, struct quant_step *s)
{
    int8x16_t values = vld1q_s8(e2m1_doubled);
    uint8_t d[16];
    for (int i = 0; i < 4; i++, p += NVFP4_BYTES) {
        memcpy(d + 4 * i, p, 4);
        for (int j = 0; j < 2; j++) {
            uint8x16_t qs = vld1q_u8(p + NVFP4_QS_OFF + 16 * j);
            uint8x16_t low = vandq_u8(qs, vdupq_n_u8(15)), high = vshrq_n_u8(qs, 4);
            uint8x16_t even = vcombine_u8(vget_low_u8(low), vget_low_u8(high));
            uint8x16_t odd = vcombine_u8(vget_high_u8(low), vget_high_u8(high));
            s->w[4 * i + 2 * j] = vqtbl1q_s8(values, even);
            s->w[4 * i + 2 * j + 1] = vqtbl1q_s8(values, odd);
        }
    }
    uint8x8x2_t codes = vld2_u8(d);
    half_scales(codes.val[0], s->c);
    half_scales(codes.val[1], s->c + 2);
}

#endif
