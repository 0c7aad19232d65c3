/* qblk_avx2_super: unpackers for AVX2 of the K and ternary encodings; see qblk_avx2.h. */
#ifndef KERNELS_MATMUL_QBLK_AVX2_SUPER_H
#define KERNELS_MATMUL_QBLK_AVX2_SUPER_H

#include "kernels/matmul/qblk_avx2.h"

/* The 8 six-bit scales, then the 8 minima, as bytes, from a Q4_K or Q5_K header: d, dmin, S[12].
 * Scales and minima 0..3 are S[0..3] and S[4..7] & 63; 4..7 have their low 4 bits in the nibbles of
 * S[8..11], two high bits on top of S[0..7]. */
STEP_FN __m128i k_scales_minima(__m128i header)
{
    const __m128i low_from =
        _mm_setr_epi8(4, 5, 6, 7, 12, 13, 14, 15, 8, 9, 10, 11, 12, 13, 14, 15);
    const __m128i high_from =
        _mm_setr_epi8(-1, -1, -1, -1, 4, 5, 6, 7, -1, -1, -1, -1, 8, 9, 10, 11);
    const __m128i low_mask = _mm_setr_epi32(0x3f3f3f3f, 0x0f0f0f0f, 0x3f3f3f3f, 0x0f0f0f0f);
    __m128i low = _mm_srlv_epi32(_mm_shuffle_epi8(header, low_from), _mm_setr_epi32(0, 0, 0, 4));
    __m128i high = _mm_srli_epi32(_mm_shuffle_epi8(header, high_from), 2);
    return _mm_or_si128(_mm_and_si128(low, low_mask), _mm_and_si128(high, _mm_set1_epi8(0x30)));
}

/* qs[128]: 32 bytes hold blocks 2i (low nibbles) and 2i + 1 (high). */
STEP_FN void k_nibbles(const uint8_t *qs, __m256i w[8])
{
    const __m256i nibble = _mm256_set1_epi8(15);
    for (int i = 0; i < 4; i++) {
        __m256i both = load32(qs + 32 * i);
        w[2 * i] = _mm256_and_si256(both, nibble);
        w[2 * i + 1] = _mm256_and_si256(_mm256_srli_epi16(both, 4), nibble);
    }
}

STEP_FN void k_header(const uint8_t *p, struct quant_step *s)
{
    __m128i header = load16(p), codes = k_scales_minima(header);
    __m128 d = _mm_cvtph_ps(header);
    __m256 scales = _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(codes));
    __m256 minima = _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(_mm_srli_si128(codes, 8)));
    s->c[0] = _mm256_mul_ps(_mm256_broadcastss_ps(d), scales);
    s->m[0] = _mm256_mul_ps(_mm256_broadcastss_ps(_mm_movehdup_ps(d)), minima);
}

/* d, dmin, 12 bytes of scales and minima, qs[128] */
STEP_FN void step_q4_k(const uint8_t *p, struct quant_step *s)
{
    k_nibbles(p + Q4_K_QS_OFF, s->w);
    k_header(p, s);
}

/* The same with qh[32] before qs: bit i / 32 of qh[i % 32] is the fifth */
STEP_FN void step_q5_k(const uint8_t *p, struct quant_step *s)
{
    k_nibbles(p + Q5_K_QS_OFF, s->w);
    add_high_bits(load32(p + Q5_K_QH_OFF), 16, s->w);
    k_header(p, s);
}

/* scales[16] of a nibble of scale and one of minimum, qs[64], d, dmin */
STEP_FN void step_q2_k(const uint8_t *p, struct quant_step *s)
{
    __m128i packed = evens_then_odds(load16(p)), nibble = _mm_set1_epi8(15);
    __m128i minima = _mm_and_si128(_mm_srli_epi16(packed, 4), nibble);
    two_bit_codes(p + Q2_K_QS_OFF, s->w);
    scaled_unsigned(half_load_f16(p + Q2_K_D_OFF), _mm_and_si128(packed, nibble), s->c);
    scaled_unsigned(half_load_f16(p + Q2_K_DMIN_OFF), minima, s->m);
}

/* hmask[32], qs[64], scales[12], d: bit i / 32 of hmask[i % 32] is the third; offset 4. Of the 16
 * scales S of 6 bits, less 32, the low 4 bits of S[0..7] and S[8..15] are the nibbles of 8 bytes,
 * the high two of S[4k ..] bits 2k of 4 bytes. */
STEP_FN void step_q3_k(const uint8_t *p, struct quant_step *s)
{
    two_bit_codes(p + Q3_K_QS_OFF, s->w);
    add_high_bits(load32(p), 4, s->w);
    scaled_signed(half_load_f16(p + Q3_K_D_OFF), q3_k_scale_levels(p), s->c);
}

/* ql[128], qh[64], i8 scales[16], d; half n: ql[64n ..] low nibbles are blocks 4n, 4n + 1, high
 * nibbles 4n + 2, 4n + 3, block k of the half has its two high bits at qh[32n ..] >> 2k; offset 32
 */
STEP_FN void step_q6_k(const uint8_t *p, struct quant_step *s)
{
    const __m256i nibble = _mm256_set1_epi8(15), high_bits = _mm256_set1_epi8(0x30);
    for (int n = 0; n < 2; n++) {
        __m256i qh = load32(p + Q6_K_QH_OFF + 32 * n);
        __m256i high[4] = {_mm256_slli_epi16(qh, 4), _mm256_slli_epi16(qh, 2), qh,
                           _mm256_srli_epi16(qh, 2)};
        for (int k = 0; k < 4; k++) {
            __m256i ql = load32(p + 64 * n + 32 * (k % 2));
            __m256i low = _mm256_and_si256(k < 2 ? ql : _mm256_srli_epi16(ql, 4), nibble);
            s->w[4 * n + k] = _mm256_or_si256(low, _mm256_and_si256(high[k], high_bits));
        }
    }
    __m128i scales = evens_then_odds(load16(p + Q6_K_SCALES_OFF));
    scaled_signed(half_load_f16(p + Q6_K_D_OFF), scales, s->c);
}

/* qs[64], d; offset 1 */
STEP_FN void step_tq2_0(const uint8_t *p, struct quant_step *s)
{
    two_bit_codes(p, s->w);
    s->c[0] = _mm256_set1_ps(half_load_f16(p + TQ2_0_D_OFF));
}

/* The integer part of 3 / 256 times each byte: 1 from 86, 2 from 171 on. */
STEP_FN __m256i top_trits(__m256i x)
{
    const __m256i one = _mm256_set1_epi8(86), two = _mm256_set1_epi8((char)171);
    __m256i minus_1 = _mm256_cmpeq_epi8(_mm256_max_epu8(x, one), x);
    __m256i minus_2 = _mm256_add_epi8(minus_1, _mm256_cmpeq_epi8(_mm256_max_epu8(x, two), x));
    return _mm256_sub_epi8(_mm256_setzero_si256(), minus_2);
}

/* qs[48], qh[4], d: bytes of five trits as fractions, digit t after t multiplications by 3; 5 x 32
 * elements in qs[0..31], 5 x 16 in qs[32..47], 4 x 4 in qh; offset 1 */
STEP_FN void step_tq1_0(const uint8_t *p, struct quant_step *s)
{
    int32_t few;
    memcpy(&few, p + TQ1_0_QH_OFF, sizeof few);
    __m256i a[5], b[5]; /* b: 16 bytes of qs[32..47], 4 of qh four times */
    a[0] = load32(p);
    b[0] = _mm256_setr_m128i(load16(p + 32), _mm_set1_epi32(few));
    for (int t = 1; t < 5; t++) {
        a[t] = times_3(a[t - 1]);
        b[t] = times_3(b[t - 1]);
    }
    for (int t = 0; t < 5; t++)
        s->w[t] = top_trits(a[t]);
    __m256i few_01 = _mm256_blend_epi32(b[0], b[1], 0xa0);
    __m256i few_23 = _mm256_blend_epi32(b[2], b[3], 0xa0);
    __m256i few_all = _mm256_blend_epi32(few_01, few_23, 0xc0);
    s->w[5] = top_trits(_mm256_permute2x128_si256(b[0], b[1], 0x20));
    s->w[6] = top_trits(_mm256_permute2x128_si256(b[2], b[3], 0x20));
    s->w[7] = top_trits(_mm256_permute2x128_si256(b[4], few_all, 0x30));
    s->c[0] = _mm256_set1_ps(half_load_f16(p + TQ1_0_D_OFF));
}

#endif
