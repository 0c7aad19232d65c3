/* qblk_avx512_iq1: unpackers for AVX-512 of IQ1_S and IQ1_M; see qblk_avx512_grid.h. */
#ifndef KERNELS_MATMUL_QBLK_AVX512_IQ1_H
#define KERNELS_MATMUL_QBLK_AVX512_IQ1_H

#include "kernels/matmul/qblk_avx512_grid.h"

/* d, idx[32], u16 h[8]: four times 3 high index bits, a 3-bit scale, whether the eighth is
 * subtracted; offset 16 */
STEP_FN void step_iq1_s(const uint8_t *p, struct quant_step *s)
{
    for (int i = 0; i < 4; i++) {
        const uint8_t *qs = p + IQ1_S_QS_OFF + 8 * i;
        uint32_t even = half_load_u16(p + IQ1_S_QH_OFF + 4 * i), index[8];
        uint32_t odd = half_load_u16(p + IQ1_S_QH_OFF + 4 * i + 2);
        for (int k = 0; k < 8; k++)
            index[k] = qs[k] | ((k < 4 ? even : odd) >> 3 * (k % 4) & 7) << 8;
        __m256i even_shift = _mm256_set1_epi8(even >> 15 ? 15 : 17);
        __m256i odd_shift = _mm256_set1_epi8(odd >> 15 ? 15 : 17);
        s->w[i] = _mm512_add_epi8(entries_8(grid_iq1, index), two_halves(even_shift, odd_shift));
    }
    __m256i h = _mm256_cvtepu16_epi32(load16(p + IQ1_S_QH_OFF));
    __m256i scales = _mm256_and_si256(_mm256_srli_epi32(h, 12), _mm256_set1_epi32(7));
    s->c = odd_scales_8(p, 0.125f, scales);
}

/* idx[32], qh[16]: per 8 a nibble of 3 high index bits and whether the eighth is subtracted, u16
 * s[4]: four 3-bit scales each, and in the top nibbles the bits of d; offset 16 */
STEP_FN void step_iq1_m(const uint8_t *p, struct quant_step *s)
{
    const __m512i by_nibble = _mm512_setr_epi64(0, 4, 8, 12, 16, 20, 24, 28);
    const __m512i word = _mm512_setr_epi32(0, 0, 1, 1, 2, 2, 3, 3, 0, 0, 1, 1, 2, 2, 3, 3);
    const __m512i shift = _mm512_setr_epi32(0, 6, 0, 6, 0, 6, 0, 6, 3, 9, 3, 9, 3, 9, 3, 9);
    for (int i = 0; i < 4; i++) {
        uint32_t qh = half_load_u32(p + IQ1_M_QH_OFF + 4 * i), index[8];
        for (int k = 0; k < 8; k++)
            index[k] = p[8 * i + k] | (qh >> 4 * k & 7) << 8;
        __m512i nibbles = _mm512_srlv_epi64(_mm512_set1_epi64(qh), by_nibble);
        __mmask8 is_down = _mm512_test_epi64_mask(nibbles, _mm512_set1_epi64(8));
        __m512i shifts =
            _mm512_mask_blend_epi64(is_down, _mm512_set1_epi8(17), _mm512_set1_epi8(15));
        s->w[i] = _mm512_add_epi8(entries_8(grid_iq1, index), shifts);
    }
    uint64_t words = load_u64(p + IQ1_M_SCALES_OFF);
    uint32_t d = (uint32_t)(words >> 12 & 15) | (uint32_t)(words >> 24 & 0xf0) |
                 (uint32_t)(words >> 36 & 0xf00) | (uint32_t)(words >> 48 & 0xf000);
    __m512 d_in_all = _mm512_broadcastss_ps(_mm_cvtph_ps(_mm_cvtsi32_si128((int)d)));
    __m512i scales = _mm512_cvtepu16_epi32(_mm256_castsi128_si256(load8(p + IQ1_M_SCALES_OFF)));
    scales = _mm512_srlv_epi32(_mm512_permutexvar_epi32(word, scales), shift);
    s->c = odd_scales_16(d_in_all, 0.125f, _mm512_and_si512(scales, _mm512_set1_epi32(7)));
}

#endif
