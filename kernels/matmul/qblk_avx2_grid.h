/* qblk_avx2_grid: unpackers for AVX2 of the codebook encodings; see qblk_avx2.h. Entries come by
 * scalar loads. */
#ifndef KERNELS_MATMUL_QBLK_AVX2_GRID_H
#define KERNELS_MATMUL_QBLK_AVX2_GRID_H

#include "kernels/matmul/qblk_avx2_small.h"
#include "kernels/quant/grid.h"

STEP_FN __m256i entries_4(const uint64_t *grid, const uint32_t i[4])
{
    return _mm256_setr_epi64x((long long)grid[i[0]], (long long)grid[i[1]], (long long)grid[i[2]],
                              (long long)grid[i[3]]);
}

STEP_FN __m256i entries_8(const uint32_t *grid, const uint32_t i[8])
{
    return _mm256_setr_epi32((int)grid[i[0]], (int)grid[i[1]], (int)grid[i[2]], (int)grid[i[3]],
                             (int)grid[i[4]], (int)grid[i[5]], (int)grid[i[6]], (int)grid[i[7]]);
}

/* offset + magnitude, or offset - magnitude where the sign bit is set. */
STEP_FN __m256i with_signs(__m256i magnitudes, uint32_t signs, char offset)
{
    __m256i is_minus = mask_of_bits(signs);
    __m256i flipped = _mm256_xor_si256(magnitudes, is_minus);
    return _mm256_add_epi8(_mm256_sub_epi8(flipped, is_minus), _mm256_set1_epi8(offset));
}

/* Bytes of 7 bits with bit 7 such that the number of bits set is even. */
STEP_FN __m256i even_signs(__m256i x)
{
    __m256i parity = _mm256_xor_si256(x, _mm256_srli_epi16(x, 4));
    parity = _mm256_xor_si256(parity, _mm256_srli_epi16(parity, 2));
    parity = _mm256_xor_si256(parity, _mm256_srli_epi16(parity, 1));
    parity = _mm256_slli_epi16(_mm256_and_si256(parity, _mm256_set1_epi8(1)), 7);
    return _mm256_or_si256(x, parity);
}

/* Sign bits of 8 blocks from 8 words of four 7-bit signs, whose top 4 bits are ignored. */
STEP_FN void signs_of_words(__m256i words, uint32_t signs[8])
{
    __m256i x = _mm256_and_si256(words, _mm256_set1_epi32(0x7f));
    for (int i = 1; i < 4; i++) {
        __m256i field = _mm256_set1_epi32(0x7f << 8 * i);
        __m256i moved = _mm256_slli_epi32(words, i);
        x = _mm256_or_si256(x, _mm256_and_si256(moved, field));
    }
    _mm256_storeu_si256((__m256i *)(void *)signs, even_signs(x));
}

/* d * unit * (2 * scale + 1) */
STEP_FN __m256 odd_scales(float d, float unit, __m256i scales)
{
    __m256i odd = _mm256_add_epi32(_mm256_add_epi32(scales, scales), _mm256_set1_epi32(1));
    return _mm256_mul_ps(_mm256_set1_ps(d * unit), _mm256_cvtepi32_ps(odd));
}

/* IQ2_XS and IQ2_S: of 8 bytes the low nibbles scale first halves, the high nibbles second. */
STEP_FN void iq2_scales(float d, const uint8_t *p, __m256 c[2])
{
    __m256i bytes = _mm256_cvtepu8_epi32(load8(p));
    c[0] = odd_scales(d, 0.125f, _mm256_and_si256(bytes, _mm256_set1_epi32(15)));
    c[1] = odd_scales(d, 0.125f, _mm256_srli_epi32(bytes, 4));
}

/* d; per 32: idx[4], a word of four 7-bit signs and a 4-bit scale; offset 64 */
STEP_FN void step_iq2_xxs(const uint8_t *p, struct quant_step *s)
{
    const uint8_t *group = p + IQ2_XXS_QS_OFF;
    __m256i words =
        _mm256_setr_epi32((int)half_load_u32(group + 4), (int)half_load_u32(group + 12),
                          (int)half_load_u32(group + 20), (int)half_load_u32(group + 28),
                          (int)half_load_u32(group + 36), (int)half_load_u32(group + 44),
                          (int)half_load_u32(group + 52), (int)half_load_u32(group + 60));
    uint32_t signs[8];
    signs_of_words(words, signs);
    for (int b = 0; b < 8; b++, group += 8) {
        const uint32_t index[4] = {group[0], group[1], group[2], group[3]};
        s->w[b] = with_signs(entries_4(grid_iq2_xxs, index), signs[b], 64);
    }
    s->c[0] = odd_scales(half_load_f16(p), 0.125f, _mm256_srli_epi32(words, 28));
}

/* d, u16 q[32] of a 9-bit index and 7-bit signs, scales[8]; offset 64 */
STEP_FN void step_iq2_xs(const uint8_t *p, struct quant_step *s)
{
    __m256i low = _mm256_srli_epi16(load32(p + IQ2_XS_QS_OFF), 9);
    __m256i high = _mm256_srli_epi16(load32(p + IQ2_XS_QS_OFF + 32), 9);
    __m256i bytes = _mm256_permute4x64_epi64(_mm256_packus_epi16(low, high), 0xd8);
    uint32_t signs[8];
    _mm256_storeu_si256((__m256i *)(void *)signs, even_signs(bytes));
    for (int b = 0; b < 8; b++) {
        uint32_t index[4];
        for (int k = 0; k < 4; k++)
            index[k] = half_load_u16(p + IQ2_XS_QS_OFF + 8 * b + 2 * k) & 511;
        s->w[b] = with_signs(entries_4(grid_iq2_xs, index), signs[b], 64);
    }
    iq2_scales(half_load_f16(p), p + IQ2_XS_SCALES_OFF, s->c);
}

/* d, idx[32], signs[32], qh[8] of two high index bits each, scales[8]; offset 64 */
STEP_FN void step_iq2_s(const uint8_t *p, struct quant_step *s)
{
    for (int b = 0; b < 8; b++) {
        uint32_t high = p[IQ2_S_QH_OFF + b], index[4];
        for (int k = 0; k < 4; k++)
            index[k] = p[IQ2_S_QS_OFF + 4 * b + k] | (high >> 2 * k & 3) << 8;
        uint32_t signs = half_load_u32(p + IQ2_S_SIGNS_OFF + 4 * b);
        s->w[b] = with_signs(entries_4(grid_iq2_s, index), signs, 64);
    }
    iq2_scales(half_load_f16(p), p + IQ2_S_SCALES_OFF, s->c);
}

/* d, idx[64], per 32 a word of four 7-bit signs and a 4-bit scale; offset 64 */
STEP_FN void step_iq3_xxs(const uint8_t *p, struct quant_step *s)
{
    __m256i words = load32(p + IQ3_XXS_SIGNS_OFF);
    uint32_t signs[8];
    signs_of_words(words, signs);
    for (int b = 0; b < 8; b++) {
        uint32_t index[8];
        for (int m = 0; m < 8; m++)
            index[m] = p[IQ3_XXS_QS_OFF + 8 * b + m];
        s->w[b] = with_signs(entries_8(grid_iq3_xxs, index), signs[b], 64);
    }
    s->c[0] = odd_scales(half_load_f16(p), 0.25f, _mm256_srli_epi32(words, 28));
}

/* d, idx[64], qh[8] of a high index bit each, signs[32], scales[4]; offset 16 */
STEP_FN void step_iq3_s(const uint8_t *p, struct quant_step *s)
{
    for (int b = 0; b < 8; b++) {
        uint32_t high = p[IQ3_S_QH_OFF + b], index[8];
        for (int m = 0; m < 8; m++)
            index[m] = p[IQ3_S_QS_OFF + 8 * b + m] | (high >> m & 1) << 8;
        uint32_t signs = half_load_u32(p + IQ3_S_SIGNS_OFF + 4 * b);
        s->w[b] = with_signs(entries_8(grid_iq3_s, index), signs, 16);
    }
    __m256i scales = nibbles_of_u32(half_load_u32(p + IQ3_S_SCALES_OFF));
    s->c[0] = odd_scales(half_load_f16(p), 1, scales);
}

/* d, idx[32], u16 h[8]: four times 3 high index bits, a 3-bit scale, whether the eighth is
 * subtracted; offset 16 */
STEP_FN void step_iq1_s(const uint8_t *p, struct quant_step *s)
{
    for (int b = 0; b < 8; b++) {
        uint32_t h = half_load_u16(p + IQ1_S_QH_OFF + 2 * b), index[4];
        for (int k = 0; k < 4; k++)
            index[k] = p[IQ1_S_QS_OFF + 4 * b + k] | (h >> 3 * k & 7) << 8;
        __m256i shift = _mm256_set1_epi8((char)(17 - (h >> 15) * 2));
        s->w[b] = _mm256_add_epi8(entries_4(grid_iq1, index), shift);
    }
    __m256i h = _mm256_cvtepu16_epi32(load16(p + IQ1_S_QH_OFF));
    __m256i scales = _mm256_and_si256(_mm256_srli_epi32(h, 12), _mm256_set1_epi32(7));
    s->c[0] = odd_scales(half_load_f16(p), 0.125f, scales);
}

/* idx[32], qh[16]: per 8 a nibble of 3 high index bits and whether the eighth is subtracted, u16
 * s[4]: four 3-bit scales each, and in the top nibbles the bits of d; offset 16 */
STEP_FN void step_iq1_m(const uint8_t *p, struct quant_step *s)
{
    const __m256i by_nibble = _mm256_setr_epi64x(0, 4, 8, 12), down_bit = _mm256_set1_epi64x(8);
    const __m256i word = _mm256_setr_epi32(0, 0, 1, 1, 2, 2, 3, 3);
    const __m256i shift = _mm256_setr_epi32(0, 6, 0, 6, 0, 6, 0, 6), three = _mm256_set1_epi32(3);
    const __m256i mask = _mm256_set1_epi32(7);
    for (int b = 0; b < 8; b++) {
        uint32_t qh = half_load_u16(p + IQ1_M_QH_OFF + 2 * b), index[4];
        for (int k = 0; k < 4; k++)
            index[k] = p[4 * b + k] | (qh >> 4 * k & 7) << 8;
        __m256i nibbles = _mm256_srlv_epi64(_mm256_set1_epi64x(qh), by_nibble);
        __m256i is_down = _mm256_cmpeq_epi64(_mm256_and_si256(nibbles, down_bit), down_bit);
        __m256i twice_down = _mm256_add_epi8(is_down, is_down);
        __m256i shifts = _mm256_add_epi8(_mm256_set1_epi8(17), twice_down);
        s->w[b] = _mm256_add_epi8(entries_4(grid_iq1, index), shifts);
    }
    uint64_t words;
    memcpy(&words, p + IQ1_M_SCALES_OFF, sizeof words);
    uint32_t d_bits = (uint32_t)(words >> 12 & 15) | (uint32_t)(words >> 24 & 0xf0) |
                      (uint32_t)(words >> 36 & 0xf00) | (uint32_t)(words >> 48 & 0xf000);
    float d = half_from_f16((uint16_t)d_bits);
    __m256i scales = _mm256_cvtepu16_epi32(load8(p + IQ1_M_SCALES_OFF));
    scales = _mm256_srlv_epi32(_mm256_permutevar8x32_epi32(scales, word), shift);
    s->c[0] = odd_scales(d, 0.125f, _mm256_and_si256(scales, mask));
    scales = _mm256_srlv_epi32(scales, three);
    s->c[1] = odd_scales(d, 0.125f, _mm256_and_si256(scales, mask));
}

#endif
