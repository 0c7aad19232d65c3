/* qblk_neon_super: unpackers for Advanced SIMD of the K and ternary encodings; see qblk_neon.h. */
#ifndef KERNELS_MATMUL_QBLK_NEON_SUPER_H
#define KERNELS_MATMUL_QBLK_NEON_SUPER_H

#include "kernels/matmul/qblk_neon.h"

/* qs[128]: 32 bytes hold blocks 2i (low nibbles) and 2i + 1 (high). */
STEP_FN void k_nibbles(const uint8_t *qs, uint8x16_t q[16])
{
    for (int i = 0; i < 8; i++) {
        uint8x16_t both = vld1q_u8(qs + 16 * i);
        int at = 4 * (i / 2) + i % 2;
        q[at] = vandq_u8(both, vdupq_n_u8(15));
        q[at + 2] = vshrq_n_u8(both, 4);
    }
}

/* d, dmin, 12 bytes of scales and minima. The words u of the 12 bytes: scales and minima 0..3 are
 * the low 6 bits of u[0] and u[1]; 4..7 are the nibbles of u[2] with the two high bits of u[0] and
 * u[1] on top. */
STEP_FN void k_header(const uint8_t *p, struct quant_step *s)
{
    uint32_t u[3];
    memcpy(u, p + Q4_K_SCALES_OFF, sizeof u);
    uint64_t scales = (u[2] & 0x0f0f0f0f) | (u[0] >> 2 & 0x30303030);
    uint64_t minima = (u[2] >> 4 & 0x0f0f0f0f) | (u[1] >> 2 & 0x30303030);
    scaled_bytes(scales << 32 | (u[0] & 0x3f3f3f3f), half_load_f16(p), s->c);
    scaled_bytes(minima << 32 | (u[1] & 0x3f3f3f3f), half_load_f16(p + Q4_K_DMIN_OFF), s->m);
}

/* q += amount where bit i / 32 of high[i % 32] is set. */
STEP_FN void add_high_bits(const uint8_t *high, uint8_t amount, uint8x16_t q[16])
{
    for (int i = 0; i < 16; i++) {
        uint8x16_t bit = vdupq_n_u8((uint8_t)(1 << i / 2));
        uint8x16_t is_set = vtstq_u8(vld1q_u8(high + 16 * (i % 2)), bit);
        q[i] = vaddq_u8(q[i], vandq_u8(is_set, vdupq_n_u8(amount)));
    }
}

/* qs[64]: per half of 128, quarter j is at bits 2j of 32 bytes. */
STEP_FN void two_bit_codes(const uint8_t *qs, uint8x16_t q[16])
{
    for (int i = 0; i < 16; i++) {
        uint8x16_t quarters = vld1q_u8(qs + 32 * (i / 8) + 16 * (i % 2));
        int8x16_t right = vdupq_n_s8((int8_t)(-2 * (i % 8 / 2)));
        q[i] = vandq_u8(vshlq_u8(quarters, right), vdupq_n_u8(3));
    }
}

/* d, dmin, 12 bytes of scales and minima, qs[128] */
STEP_FN void step_q4_k(const uint8_t *p, struct quant_step *s)
{
    uint8x16_t q[16];
    k_nibbles(p + Q4_K_QS_OFF, q);
    all_minus(q, 0, s->w);
    k_header(p, s);
}

/* The same with qh[32] before qs: bit i / 32 of qh[i % 32] is the fifth */
STEP_FN void step_q5_k(const uint8_t *p, struct quant_step *s)
{
    uint8x16_t q[16];
    k_nibbles(p + Q5_K_QS_OFF, q);
    add_high_bits(p + Q5_K_QH_OFF, 16, q);
    all_minus(q, 0, s->w);
    k_header(p, s);
}

/* scales[16] of a nibble of scale and one of minimum, qs[64], d, dmin */
STEP_FN void step_q2_k(const uint8_t *p, struct quant_step *s)
{
    uint8x16_t q[16];
    uint8x8x2_t packed = vld2_u8(p);
    float d = half_load_f16(p + Q2_K_D_OFF), dmin = half_load_f16(p + Q2_K_DMIN_OFF);
    two_bit_codes(p + Q2_K_QS_OFF, q);
    all_minus(q, 0, s->w);
    for (int h = 0; h < 2; h++) {
        uint8x8_t scales = vand_u8(packed.val[h], vdup_n_u8(15));
        uint8x8_t minima = vshr_n_u8(packed.val[h], 4);
        scaled_bytes(vget_lane_u64(vreinterpret_u64_u8(scales), 0), d, s->c + 2 * h);
        scaled_bytes(vget_lane_u64(vreinterpret_u64_u8(minima), 0), dmin, s->m + 2 * h);
    }
}

/* hmask[32], qs[64], scales[12], d: bit i / 32 of hmask[i % 32] is the third; q - 4. Of the 16
 * scales S of 6 bits, less 32, the low 4 bits of S[0..7] and S[8..15] are the nibbles of 8 bytes,
 * the high two of S[4k ..] bits 2k of 4 bytes. */
STEP_FN void step_q3_k(const uint8_t *p, struct quant_step *s)
{
    uint8x16_t q[16];
    uint32_t u[3], codes[4];
    two_bit_codes(p + Q3_K_QS_OFF, q);
    add_high_bits(p, 4, q);
    all_minus(q, 4, s->w);
    memcpy(u, p + Q3_K_SCALES_OFF, sizeof u);
    codes[0] = (u[0] & 0x0f0f0f0f) | (u[2] << 4 & 0x30303030);
    codes[1] = (u[1] & 0x0f0f0f0f) | (u[2] << 2 & 0x30303030);
    codes[2] = (u[0] >> 4 & 0x0f0f0f0f) | (u[2] & 0x30303030);
    codes[3] = (u[1] >> 4 & 0x0f0f0f0f) | (u[2] >> 2 & 0x30303030);
    int8x16_t scales = minus(vreinterpretq_u8_u32(vld1q_u32(codes)), 32);
    float d = half_load_f16(p + Q3_K_D_OFF);
    scaled_signed_bytes(vget_low_s8(vuzp1q_s8(scales, scales)), d, s->c);
    scaled_signed_bytes(vget_low_s8(vuzp2q_s8(scales, scales)), d, s->c + 2);
}

/* ql[128], qh[64], i8 scales[16], d; half n: ql[64n ..] low nibbles are blocks 4n, 4n + 1, high
 * nibbles 4n + 2, 4n + 3, block k of the half has its two high bits at qh[32n ..] >> 2k */
STEP_FN void step_q6_k(const uint8_t *p, struct quant_step *s)
{
    const uint8x16_t nibble = vdupq_n_u8(15), high_bits = vdupq_n_u8(0x30);
    for (int i = 0; i < 4; i++) { /* half n = i / 2, bytes 16 * (i % 2) .. of its blocks */
        uint8x16_t qh = vld1q_u8(p + Q6_K_QH_OFF + 16 * i);
        const uint8_t *ql = p + 64 * (i / 2) + 16 * (i % 2);
        uint8x16_t even = vld1q_u8(ql), odd = vld1q_u8(ql + 32);
        uint8x16_t q[4] = {
            vorrq_u8(vandq_u8(even, nibble), vandq_u8(vshlq_n_u8(qh, 4), high_bits)),
            vorrq_u8(vandq_u8(odd, nibble), vandq_u8(vshlq_n_u8(qh, 2), high_bits)),
            vorrq_u8(vshrq_n_u8(even, 4), vandq_u8(qh, high_bits)),
            vorrq_u8(vshrq_n_u8(odd, 4), vandq_u8(vshrq_n_u8(qh, 2), high_bits)),
        };
        for (int k = 0; k < 4; k++)
            s->w[8 * (i / 2) + 2 * k + i % 2] = vsubq_s8(vreinterpretq_s8_u8(q[k]), vdupq_n_s8(32));
    }
    int8x8x2_t scales = vld2_s8((const int8_t *)p + Q6_K_SCALES_OFF);
    float d = half_load_f16(p + Q6_K_D_OFF);
    scaled_signed_bytes(scales.val[0], d, s->c);
    scaled_signed_bytes(scales.val[1], d, s->c + 2);
}

/* qs[64], d: q - 1 */
STEP_FN void step_tq2_0(const uint8_t *p, struct quant_step *s)
{
    uint8x16_t q[16];
    two_bit_codes(p, q);
    all_minus(q, 1, s->w);
    s->c[0] = s->c[1] = vdupq_n_f32(half_load_f16(p + TQ2_0_D_OFF));
}

/* The integer part of 3 / 256 times each byte, 1 from 86, 2 from 171 on; less 1. */
STEP_FN int8x16_t top_trits(uint8x16_t x)
{
    int8x16_t minus_1 = vreinterpretq_s8_u8(vcgeq_u8(x, vdupq_n_u8(86)));
    int8x16_t minus_2 = vreinterpretq_s8_u8(vcgeq_u8(x, vdupq_n_u8(171)));
    return vsubq_s8(vdupq_n_s8(-1), vaddq_s8(minus_1, minus_2));
}

/* qs[48], qh[4], d: bytes of five trits as fractions, digit t after t multiplications by 3; 5 x 32
 * elements in qs[0..31], 5 x 16 in qs[32..47], 4 x 4 in qh; trit - 1 */
STEP_FN void step_tq1_0(const uint8_t *p, struct quant_step *s)
{
    static const uint8_t few_powers[16] = {1, 1, 1, 1, 3, 3, 3, 3, 9, 9, 9, 9, 27, 27, 27, 27};
    uint8x16_t a = vld1q_u8(p), b = vld1q_u8(p + 16), c = vld1q_u8(p + 32);
    const uint8x16_t three = vdupq_n_u8(3);
    for (int t = 0; t < 5; t++) {
        s->w[2 * t] = top_trits(a);
        s->w[2 * t + 1] = top_trits(b);
        s->w[10 + t] = top_trits(c);
        a = vmulq_u8(a, three);
        b = vmulq_u8(b, three);
        c = vmulq_u8(c, three);
    }
    uint8x16_t few = vreinterpretq_u8_u32(vdupq_n_u32(half_load_u32(p + TQ1_0_QH_OFF)));
    s->w[15] = top_trits(vmulq_u8(few, vld1q_u8(few_powers)));
    s->c[0] = s->c[1] = vdupq_n_f32(half_load_f16(p + TQ1_0_D_OFF));
}

#endif
