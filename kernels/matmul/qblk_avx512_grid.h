/* qblk_avx512_grid: unpackers for AVX-512 of the codebook encodings; see qblk_avx512.h. Entries
 * come by scalar loads; sign bytes in the order of elements are the mask of a register. */
#ifndef KERNELS_MATMUL_QBLK_AVX512_GRID_H
#define KERNELS_MATMUL_QBLK_AVX512_GRID_H

#include "kernels/matmul/qblk_avx512.h"
#include "kernels/quant/grid.h"

STEP_FN __m512i entries_8(const uint64_t *grid, const uint32_t i[8])
{
    return _mm512_setr_epi64((long long)grid[i[0]], (long long)grid[i[1]], (long long)grid[i[2]],
                             (long long)grid[i[3]], (long long)grid[i[4]], (long long)grid[i[5]],
                             (long long)grid[i[6]], (long long)grid[i[7]]);
}

STEP_FN __m128i entries_4(const uint32_t *grid, const uint32_t i[4])
{
    return _mm_setr_epi32((int)grid[i[0]], (int)grid[i[1]], (int)grid[i[2]], (int)grid[i[3]]);
}

STEP_FN __m512i entries_16(const uint32_t *grid, const uint32_t i[16])
{
    __m512i x = _mm512_castsi128_si512(entries_4(grid, i));
    x = _mm512_inserti32x4(x, entries_4(grid, i + 4), 1);
    x = _mm512_inserti32x4(x, entries_4(grid, i + 8), 2);
    return _mm512_inserti32x4(x, entries_4(grid, i + 12), 3);
}

/* offset + magnitude, or offset - magnitude where the sign bit is set. */
STEP_FN __m512i with_signs(__m512i magnitudes, uint64_t signs, char offset)
{
    __m512i zero = _mm512_set1_epi8(offset);
    __m512i plus = _mm512_add_epi8(zero, magnitudes);
    return _mm512_mask_sub_epi8(plus, signs, zero, magnitudes);
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

/* The sign masks of 64 elements each from 8 words of four 7-bit signs, whose top 4 bits are
 * ignored.
 */
STEP_FN void masks_of_words(__m256i words, uint64_t signs[4])
{
    __m256i x = _mm256_and_si256(words, _mm256_set1_epi32(0x7f));
    for (int i = 1; i < 4; i++) {
        __m256i field = _mm256_set1_epi32(0x7f << 8 * i);
        __m256i moved = _mm256_slli_epi32(words, i);
        x = _mm256_or_si256(x, _mm256_and_si256(moved, field));
    }
    x = even_signs(x);
    signs[0] = (uint64_t)_mm256_extract_epi64(x, 0);
    signs[1] = (uint64_t)_mm256_extract_epi64(x, 1);
    signs[2] = (uint64_t)_mm256_extract_epi64(x, 2);
    signs[3] = (uint64_t)_mm256_extract_epi64(x, 3);
}

/* d * unit * (2 * scale + 1) in the first 8 lanes. */
STEP_FN __m512 odd_scales_8(const uint8_t *d, float unit, __m256i scales)
{
    __m256i odd = _mm256_add_epi32(_mm256_add_epi32(scales, scales), _mm256_set1_epi32(1));
    __m256 c = _mm256_mul_ps(_mm512_castps512_ps256(f16_in_all(d)), _mm256_set1_ps(unit));
    return _mm512_castps256_ps512(_mm256_mul_ps(c, _mm256_cvtepi32_ps(odd)));
}

STEP_FN __m512 odd_scales_16(__m512 d, float unit, __m512i scales)
{
    __m512i odd = _mm512_add_epi32(_mm512_add_epi32(scales, scales), _mm512_set1_epi32(1));
    return _mm512_mul_ps(_mm512_mul_ps(d, _mm512_set1_ps(unit)), _mm512_cvtepi32_ps(odd));
}

/* Low nibbles of 8 bytes, then high nibbles: IQ2_XS and IQ2_S scale halves of blocks so. */
STEP_FN __m512i nibbles_of_bytes(const uint8_t *p)
{
    __m128i bytes = load8(p);
    __m128i both = _mm_unpacklo_epi64(bytes, _mm_srli_epi16(bytes, 4));
    return _mm512_cvtepu8_epi32(_mm_and_si128(both, _mm_set1_epi8(15)));
}

/* d; per 32: idx[4], a word of four 7-bit signs and a 4-bit scale; offset 64 */
STEP_FN void step_iq2_xxs(const uint8_t *p, struct quant_step *s)
{
    __m512i groups = _mm512_loadu_si512(p + IQ2_XXS_QS_OFF);
    __m256i words = _mm512_cvtepi64_epi32(_mm512_srli_epi64(groups, 32));
    uint64_t signs[4];
    masks_of_words(words, signs);
    for (int i = 0; i < 4; i++) {
        const uint8_t *even = p + IQ2_XXS_QS_OFF + 16 * i, *odd = even + 8;
        const uint32_t index[8] = {even[0], even[1], even[2], even[3],
                                   odd[0],  odd[1],  odd[2],  odd[3]};
        s->w[i] = with_signs(entries_8(grid_iq2_xxs, index), signs[i], 64);
    }
    s->c = odd_scales_8(p, 0.125f, _mm256_srli_epi32(words, 28));
}

/* d, u16 q[32] of a 9-bit index and 7-bit signs, scales[8]; offset 64 */
STEP_FN void step_iq2_xs(const uint8_t *p, struct quant_step *s)
{
    __m512i q = _mm512_loadu_si512(p + IQ2_XS_QS_OFF);
    __m256i bytes = even_signs(_mm512_cvtepi16_epi8(_mm512_srli_epi16(q, 9)));
    const uint64_t signs[4] = {
        (uint64_t)_mm256_extract_epi64(bytes, 0), (uint64_t)_mm256_extract_epi64(bytes, 1),
        (uint64_t)_mm256_extract_epi64(bytes, 2), (uint64_t)_mm256_extract_epi64(bytes, 3)};
    for (int i = 0; i < 4; i++) {
        uint32_t index[8];
        for (int k = 0; k < 8; k++)
            index[k] = half_load_u16(p + IQ2_XS_QS_OFF + 16 * i + 2 * k) & 511;
        s->w[i] = with_signs(entries_8(grid_iq2_xs, index), signs[i], 64);
    }
    s->c = odd_scales_16(f16_in_all(p), 0.125f, nibbles_of_bytes(p + IQ2_XS_SCALES_OFF));
}

/* d, idx[32], signs[32], qh[8] of two high index bits each, scales[8]; offset 64 */
STEP_FN void step_iq2_s(const uint8_t *p, struct quant_step *s)
{
    for (int i = 0; i < 4; i++) {
        const uint8_t *qs = p + IQ2_S_QS_OFF + 8 * i;
        uint32_t high = half_load_u16(p + IQ2_S_QH_OFF + 2 * i), index[8];
        for (int k = 0; k < 8; k++)
            index[k] = qs[k] | (high >> 2 * k & 3) << 8;
        uint64_t signs = load_u64(p + IQ2_S_SIGNS_OFF + 8 * i);
        s->w[i] = with_signs(entries_8(grid_iq2_s, index), signs, 64);
    }
    s->c = odd_scales_16(f16_in_all(p), 0.125f, nibbles_of_bytes(p + IQ2_S_SCALES_OFF));
}

/* d, idx[64], per 32 a word of four 7-bit signs and a 4-bit scale; offset 64 */
STEP_FN void step_iq3_xxs(const uint8_t *p, struct quant_step *s)
{
    __m256i words = load32(p + IQ3_XXS_SIGNS_OFF);
    uint64_t signs[4];
    masks_of_words(words, signs);
    for (int i = 0; i < 4; i++) {
        uint32_t index[16];
        for (int m = 0; m < 16; m++)
            index[m] = p[IQ3_XXS_QS_OFF + 16 * i + m];
        s->w[i] = with_signs(entries_16(grid_iq3_xxs, index), signs[i], 64);
    }
    s->c = odd_scales_8(p, 0.25f, _mm256_srli_epi32(words, 28));
}

/* d, idx[64], qh[8] of a high index bit each, signs[32], scales[4]; offset 16 */
STEP_FN void step_iq3_s(const uint8_t *p, struct quant_step *s)
{
    for (int i = 0; i < 4; i++) {
        uint32_t high = half_load_u16(p + IQ3_S_QH_OFF + 2 * i), index[16];
        for (int m = 0; m < 16; m++)
            index[m] = p[IQ3_S_QS_OFF + 16 * i + m] | (high >> m & 1) << 8;
        uint64_t signs = load_u64(p + IQ3_S_SIGNS_OFF + 8 * i);
        s->w[i] = with_signs(entries_16(grid_iq3_s, index), signs, 16);
    }
    s->c = odd_scales_8(p, 1, nibbles_of_u32(half_load_u32(p + IQ3_S_SCALES_OFF)));
}

#endif
