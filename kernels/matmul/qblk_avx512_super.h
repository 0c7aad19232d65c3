/* qblk_avx512_super: unpackers for AVX-512 of the K and ternary encodings; see qblk_avx512.h. */
#ifndef KERNELS_MATMUL_QBLK_AVX512_SUPER_H
#define KERNELS_MATMUL_QBLK_AVX512_SUPER_H

#include "kernels/matmul/qblk_avx512.h"

/* d times the 8 six-bit scales, then dmin times the 8 minima, from a Q4_K or Q5_K header: d, dmin,
 * S[12]. Scales 0..3 and minima 0..3 are S[0..3] and S[4..7] & 63; the others have their low 4 bits
 * in the nibbles of S[8..11] and two high bits on top of S[0..3] and S[4..7]. */
STEP_FN __m512 k_scales_minima(const uint8_t *p)
{
    const __m128i low_from =
        _mm_setr_epi8(4, 5, 6, 7, 12, 13, 14, 15, 8, 9, 10, 11, 12, 13, 14, 15);
    const __m128i high_from =
        _mm_setr_epi8(-1, -1, -1, -1, 4, 5, 6, 7, -1, -1, -1, -1, 8, 9, 10, 11);
    const __m128i low_mask = _mm_setr_epi32(0x3f3f3f3f, 0x0f0f0f0f, 0x3f3f3f3f, 0x0f0f0f0f);
    const __m512i d_from = _mm512_setr_epi32(0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1);
    enum { A_AND_B_OR_C = 0xea };
    __m128i header = _mm_loadu_si128((const __m128i *)(const void *)p);
    __m128i low = _mm_srlv_epi32(_mm_shuffle_epi8(header, low_from), _mm_setr_epi32(0, 0, 0, 4));
    __m128i high = _mm_srli_epi32(_mm_shuffle_epi8(header, high_from), 2);
    __m128i codes = _mm_ternarylogic_epi32(high, _mm_set1_epi8(0x30), _mm_and_si128(low, low_mask),
                                           A_AND_B_OR_C);
    __m512 d = _mm512_permutexvar_ps(d_from, _mm512_castps128_ps512(_mm_cvtph_ps(header)));
    return _mm512_mul_ps(d, _mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(codes)));
}

/* qs[128]: 32 bytes hold blocks 2i (low nibbles) and 2i + 1 (high). */
STEP_FN void k_nibbles(const uint8_t *qs, __m512i w[4])
{
    const __m512i nibble = _mm512_set1_epi8(15);
    const __m512i shift = _mm512_setr_epi64(0, 0, 0, 0, 4, 4, 4, 4);
    for (int i = 0; i < 4; i++) {
        __m512i both = _mm512_broadcast_i64x4(load32(qs + 32 * i));
        w[i] = _mm512_and_si512(_mm512_srlv_epi64(both, shift), nibble);
    }
}

/* d, dmin, 12 bytes of scales and minima, qs[128]; offset 0 */
STEP_FN void step_q4_k(const uint8_t *p, struct quant_step *s)
{
    k_nibbles(p + Q4_K_QS_OFF, s->w);
    s->c = k_scales_minima(p);
    s->m = _mm512_castps256_ps512(_mm512_extractf32x8_ps(s->c, 1));
}

/* The same with qh[32] before qs: bit i / 32 of qh[i % 32] is the fifth; offset 0 */
STEP_FN void step_q5_k(const uint8_t *p, struct quant_step *s)
{
    k_nibbles(p + Q5_K_QS_OFF, s->w);
    add_high_bits(load32(p + Q5_K_QH_OFF), 16, s->w);
    s->c = k_scales_minima(p);
    s->m = _mm512_castps256_ps512(_mm512_extractf32x8_ps(s->c, 1));
}

/* scales[16] of a nibble of scale and one of minimum, qs[64], d, dmin; offset 0 */
STEP_FN void step_q2_k(const uint8_t *p, struct quant_step *s)
{
    __m128i packed = evens_then_odds(load16(p)), nibble = _mm_set1_epi8(15);
    two_bit_codes(p + Q2_K_QS_OFF, s->w);
    __m512 scales = floats_of_unsigned(_mm_and_si128(packed, nibble));
    __m512 minima = floats_of_unsigned(_mm_and_si128(_mm_srli_epi16(packed, 4), nibble));
    s->c = _mm512_mul_ps(f16_in_all(p + Q2_K_D_OFF), scales);
    s->m = _mm512_mul_ps(f16_in_all(p + Q2_K_DMIN_OFF), minima);
}

/* hmask[32], qs[64], scales[12], d: bit i / 32 of hmask[i % 32] is the third; offset 4. Of the 16
 * scales S of 6 bits, less 32, the low 4 bits of S[0..7] and S[8..15] are the nibbles of 8 bytes,
 * the high two of S[4k ..] bits 2k of 4 bytes. */
STEP_FN void step_q3_k(const uint8_t *p, struct quant_step *s)
{
    two_bit_codes(p + Q3_K_QS_OFF, s->w);
    add_high_bits(load32(p), 4, s->w);
    s->c = _mm512_mul_ps(f16_in_all(p + Q3_K_D_OFF), floats_of_signed(q3_k_scale_levels(p)));
}

/* ql[128], qh[64], i8 scales[16], d; half n: ql[64n ..] low nibbles are blocks 4n, 4n + 1, high
 * nibbles 4n + 2, 4n + 3, block k of the half has its two high bits at qh[32n ..] >> 2k; offset 32
 */
STEP_FN void step_q6_k(const uint8_t *p, struct quant_step *s)
{
    const __m512i nibble = _mm512_set1_epi8(15), high_bits = _mm512_set1_epi8(0x30);
    const __m512i left = _mm512_setr_epi64(4, 4, 4, 4, 2, 2, 2, 2);
    const __m512i right = _mm512_setr_epi64(0, 0, 0, 0, 2, 2, 2, 2);
    enum { A_AND_B_OR_C = 0xea };
    for (int n = 0; n < 2; n++) {
        __m512i ql = _mm512_loadu_si512(p + 64 * n);
        __m512i qh = _mm512_broadcast_i64x4(load32(p + Q6_K_QH_OFF + 32 * n));
        s->w[2 * n] = _mm512_ternarylogic_epi64(_mm512_sllv_epi64(qh, left), high_bits,
                                                _mm512_and_si512(ql, nibble), A_AND_B_OR_C);
        __m512i upper = _mm512_and_si512(_mm512_srli_epi16(ql, 4), nibble);
        s->w[2 * n + 1] =
            _mm512_ternarylogic_epi64(_mm512_srlv_epi64(qh, right), high_bits, upper, A_AND_B_OR_C);
    }
    __m128i scales = evens_then_odds(load16(p + Q6_K_SCALES_OFF));
    s->c = _mm512_mul_ps(f16_in_all(p + Q6_K_D_OFF), floats_of_signed(scales));
}

/* qs[64], d; offset 1 */
STEP_FN void step_tq2_0(const uint8_t *p, struct quant_step *s)
{
    two_bit_codes(p, s->w);
    s->c = f16_in_all(p + TQ2_0_D_OFF);
}

/* The integer part of 3 / 256 times each byte. */
STEP_FN __m512i top_trits(__m512i x)
{
    __mmask64 is_1 = _mm512_cmpge_epu8_mask(x, _mm512_set1_epi8(86));
    __mmask64 is_2 = _mm512_cmpge_epu8_mask(x, _mm512_set1_epi8((char)171));
    __m512i trits = _mm512_maskz_set1_epi8(is_1, 1);
    return _mm512_mask_set1_epi8(trits, is_2, 2);
}

/* qs[48], qh[4], d: bytes of five trits as fractions, digit t after t multiplications by 3; 5 x 32
 * elements in qs[0..31], 5 x 16 in qs[32..47], 4 x 4 in qh; offset 1 */
STEP_FN void step_tq1_0(const uint8_t *p, struct quant_step *s)
{
    int32_t few;
    memcpy(&few, p + TQ1_0_QH_OFF, sizeof few);
    __m256i a[5], b[5]; /* b: 16 bytes of qs[32..47], 4 of qh four times */
    a[0] = load32(p);
    b[0] = _mm256_set_m128i(_mm_set1_epi32(few), load16(p + 32));
    for (int t = 1; t < 5; t++) {
        a[t] = times_3(a[t - 1]);
        b[t] = times_3(b[t - 1]);
    }
    __m256i few_01 = _mm256_blend_epi32(b[0], b[1], 0xa0),
            few_23 = _mm256_blend_epi32(b[2], b[3], 0xa0);
    __m256i few_all = _mm256_blend_epi32(few_01, few_23, 0xc0);
    s->w[0] = top_trits(two_halves(a[0], a[1]));
    s->w[1] = top_trits(two_halves(a[2], a[3]));
    s->w[2] = top_trits(two_halves(a[4], _mm256_permute2x128_si256(b[0], b[1], 0x20)));
    s->w[3] = top_trits(two_halves(_mm256_permute2x128_si256(b[2], b[3], 0x20),
                                   _mm256_permute2x128_si256(b[4], few_all, 0x30)));
    s->c = f16_in_all(p + TQ1_0_D_OFF);
}

#endif
