/* qblk_neon_grid: unpackers for Advanced SIMD of the codebook encodings; see qblk_neon.h. Entries
 * come by scalar loads. */
#ifndef KERNELS_MATMUL_QBLK_NEON_GRID_H
#define KERNELS_MATMUL_QBLK_NEON_GRID_H

#include "kernels/matmul/qblk_neon_small.h"
#include "kernels/quant/grid.h"

STEP_FN int8x16_t entries_2(const uint64_t *grid, uint32_t first, uint32_t second)
{
    return vreinterpretq_s8_u64(vcombine_u64(vcreate_u64(grid[first]), vcreate_u64(grid[second])));
}

STEP_FN int8x16_t entries_4(const uint32_t *grid, const uint32_t i[4])
{
    uint64_t low = grid[i[0]] | (uint64_t)grid[i[1]] << 32;
    uint64_t high = grid[i[2]] | (uint64_t)grid[i[3]] << 32;
    return vreinterpretq_s8_u64(vcombine_u64(vcreate_u64(low), vcreate_u64(high)));
}

/* Magnitudes, negated where one of 16 sign bits is set. */
STEP_FN int8x16_t with_signs(int8x16_t magnitudes, uint32_t signs)
{
    int8x16_t is_minus = vreinterpretq_s8_u8(mask_of_bits(signs));
    return vsubq_s8(veorq_s8(magnitudes, is_minus), is_minus);
}

/* 7 bits with bit 7 such that the number of bits set is even, in each of the two low bytes. */
STEP_FN uint32_t even_signs(uint32_t x)
{
    uint32_t parity = x ^ x >> 4;
    parity ^= parity >> 2;
    parity ^= parity >> 1;
    return x | (parity & 0x0101) << 7;
}

/* Two 7-bit signs that lie together, made sign bits of 16. */
STEP_FN uint32_t signs_of_14_bits(uint32_t packed)
{
    return even_signs((packed & 0x7f) | (packed << 1 & 0x7f00));
}

/* d * unit * (2 * scale + 1) */
STEP_FN void odd_scales(float d, float unit, const uint8_t scales[8], float32x4_t out[2])
{
    uint8x8_t x = vld1_u8(scales), odd = vadd_u8(vadd_u8(x, x), vdup_n_u8(1));
    scaled_bytes(vget_lane_u64(vreinterpret_u64_u8(odd), 0), d * unit, out);
}

/* IQ2_XS and IQ2_S: of 8 bytes the low nibbles scale first halves, the high nibbles second. */
STEP_FN void iq2_scales(float d, const uint8_t *p, float32x4_t c[4])
{
    uint8_t scales[2][8];
    for (int b = 0; b < 8; b++) {
        scales[0][b] = p[b] & 15;
        scales[1][b] = p[b] >> 4;
    }
    odd_scales(d, 0.125f, scales[0], c);
    odd_scales(d, 0.125f, scales[1], c + 2);
}

/* d; per 32: idx[4], a word of four 7-bit signs and a 4-bit scale */
STEP_FN void step_iq2_xxs(const uint8_t *p, struct quant_step *s)
{
    uint8_t scales[8];
    for (int b = 0; b < 8; b++) {
        const uint8_t *group = p + IQ2_XXS_QS_OFF + 8 * b;
        uint32_t packed = half_load_u32(group + 4);
        s->w[2 * b] =
            with_signs(entries_2(grid_iq2_xxs, group[0], group[1]), signs_of_14_bits(packed));
        s->w[2 * b + 1] =
            with_signs(entries_2(grid_iq2_xxs, group[2], group[3]), signs_of_14_bits(packed >> 14));
        scales[b] = (uint8_t)(packed >> 28);
    }
    odd_scales(half_load_f16(p), 0.125f, scales, s->c);
}

/* d, u16 q[32] of a 9-bit index and 7-bit signs, scales[8] */
STEP_FN void step_iq2_xs(const uint8_t *p, struct quant_step *s)
{
    for (int i = 0; i < 16; i++) {
        uint32_t first = half_load_u16(p + IQ2_XS_QS_OFF + 4 * i);
        uint32_t second = half_load_u16(p + IQ2_XS_QS_OFF + 4 * i + 2);
        uint32_t signs = even_signs(first >> 9 | (second >> 9) << 8);
        s->w[i] = with_signs(entries_2(grid_iq2_xs, first & 511, second & 511), signs);
    }
    iq2_scales(half_load_f16(p), p + IQ2_XS_SCALES_OFF, s->c);
}

/* d, idx[32], signs[32], qh[8] of two high index bits each, scales[8] */
STEP_FN void step_iq2_s(const uint8_t *p, struct quant_step *s)
{
    for (int i = 0; i < 16; i++) {
        const uint8_t *qs = p + IQ2_S_QS_OFF + 2 * i;
        uint32_t high = (uint32_t)p[IQ2_S_QH_OFF + i / 2] >> 4 * (i % 2);
        int8x16_t entries =
            entries_2(grid_iq2_s, qs[0] | (high & 3) << 8, qs[1] | (high >> 2 & 3) << 8);
        s->w[i] = with_signs(entries, half_load_u16(p + IQ2_S_SIGNS_OFF + 2 * i));
    }
    iq2_scales(half_load_f16(p), p + IQ2_S_SCALES_OFF, s->c);
}

/* d, idx[64], per 32 a word of four 7-bit signs and a 4-bit scale */
STEP_FN void step_iq3_xxs(const uint8_t *p, struct quant_step *s)
{
    uint8_t scales[8];
    for (int i = 0; i < 16; i++) {
        const uint8_t *qs = p + IQ3_XXS_QS_OFF + 4 * i;
        uint32_t packed = half_load_u32(p + IQ3_XXS_SIGNS_OFF + 4 * (i / 2));
        const uint32_t index[4] = {qs[0], qs[1], qs[2], qs[3]};
        s->w[i] =
            with_signs(entries_4(grid_iq3_xxs, index), signs_of_14_bits(packed >> 14 * (i % 2)));
        scales[i / 2] = (uint8_t)(packed >> 28);
    }
    odd_scales(half_load_f16(p), 0.25f, scales, s->c);
}

/* d, idx[64], qh[8] of a high index bit each, signs[32], scales[4] */
STEP_FN void step_iq3_s(const uint8_t *p, struct quant_step *s)
{
    uint8_t scales[8];
    for (int i = 0; i < 16; i++) {
        uint32_t high = (uint32_t)p[IQ3_S_QH_OFF + i / 2] >> 4 * (i % 2), index[4];
        for (int m = 0; m < 4; m++)
            index[m] = p[IQ3_S_QS_OFF + 4 * i + m] | (high >> m & 1) << 8;
        s->w[i] =
            with_signs(entries_4(grid_iq3_s, index), half_load_u16(p + IQ3_S_SIGNS_OFF + 2 * i));
    }
    for (int b = 0; b < 8; b++)
        scales[b] = p[IQ3_S_SCALES_OFF + b / 2] >> 4 * (b % 2) & 15;
    odd_scales(half_load_f16(p), 1, scales, s->c);
}

/* d, idx[32], u16 h[8]: four times 3 high index bits, a 3-bit scale, whether the eighth is
 * subtracted */
STEP_FN void step_iq1_s(const uint8_t *p, struct quant_step *s)
{
    uint8_t scales[8];
    for (int b = 0; b < 8; b++) {
        const uint8_t *qs = p + IQ1_S_QS_OFF + 4 * b;
        uint32_t h = half_load_u16(p + IQ1_S_QH_OFF + 2 * b);
        int8x16_t shift = vdupq_n_s8(h >> 15 ? -1 : 1);
        int8x16_t low = entries_2(grid_iq1, qs[0] | (h & 7) << 8, qs[1] | (h >> 3 & 7) << 8);
        int8x16_t high = entries_2(grid_iq1, qs[2] | (h >> 6 & 7) << 8, qs[3] | (h >> 9 & 7) << 8);
        s->w[2 * b] = vaddq_s8(low, shift);
        s->w[2 * b + 1] = vaddq_s8(high, shift);
        scales[b] = h >> 12 & 7;
    }
    odd_scales(half_load_f16(p), 0.125f, scales, s->c);
}

/* idx[32], qh[16]: per 8 a nibble of 3 high index bits and whether the eighth is subtracted, u16
 * s[4]: four 3-bit scales each, and in the top nibbles the bits of d */
STEP_FN void step_iq1_m(const uint8_t *p, struct quant_step *s)
{
    uint8_t scales[2][8];
    uint32_t d_bits = 0;
    for (int i = 0; i < 16; i++) {
        uint32_t qh = p[IQ1_M_QH_OFF + i];
        uint32_t words = half_load_u16(p + IQ1_M_SCALES_OFF + 2 * (i / 4));
        int8x8_t first = vdup_n_s8(qh & 8 ? -1 : 1), second = vdup_n_s8(qh & 128 ? -1 : 1);
        int8x16_t entries =
            entries_2(grid_iq1, p[2 * i] | (qh & 7) << 8, p[2 * i + 1] | (qh >> 4 & 7) << 8);
        s->w[i] = vaddq_s8(entries, vcombine_s8(first, second));
        scales[i % 2][i / 2] = words >> 3 * (i % 4) & 7;
        if (i % 4 == 0)
            d_bits |= words >> 12 << i;
    }
    float d = half_from_f16((uint16_t)d_bits);
    odd_scales(d, 0.125f, scales[0], s->c);
    odd_scales(d, 0.125f, scales[1], s->c + 2);
}

#endif
