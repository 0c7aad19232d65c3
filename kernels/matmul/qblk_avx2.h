/* qblk_avx2: unpackers of quant blocks for AVX2, one per encoding; included by matmul_quant_avx2.c
 * alone. A step is 256 weights of one row as bytes in order of k, a block per register. */
#ifndef KERNELS_MATMUL_QBLK_AVX2_H
#define KERNELS_MATMUL_QBLK_AVX2_H

#include "kernels/quant/half.h"
#include "kernels/quant/qblk.h"

#include <immintrin.h>
#include <string.h>

#define STEP_FN static inline __attribute__((always_inline))

struct quant_step {
    __m256i w[8];
    __m256 c[2]; /* scales of the first, then of the second halves of blocks 0..7; whole blocks:
                    c[0] */
    __m256 m[2]; /* minima likewise */
};

STEP_FN __m256i load32(const uint8_t *p)
{
    return _mm256_loadu_si256((const __m256i *)(const void *)p);
}

STEP_FN __m128i load16(const uint8_t *p)
{
    return _mm_loadu_si128((const __m128i *)(const void *)p);
}

/* d; i8 qs[32] per block; signed as they are */
STEP_FN void step_q8_0(const uint8_t *p, struct quant_step *s)
{
    for (int b = 0; b < 8; b++)
        s->w[b] = load32(p + Q8_0_BYTES * b + Q8_0_QS_OFF);
    __m128i d =
        _mm_setzero_si128(); /* not a gather: those are slow where their data leaks are patched */
    d = _mm_insert_epi16(d, half_load_u16(p), 0);
    d = _mm_insert_epi16(d, half_load_u16(p + Q8_0_BYTES), 1);
    d = _mm_insert_epi16(d, half_load_u16(p + 2 * Q8_0_BYTES), 2);
    d = _mm_insert_epi16(d, half_load_u16(p + 3 * Q8_0_BYTES), 3);
    d = _mm_insert_epi16(d, half_load_u16(p + 4 * Q8_0_BYTES), 4);
    d = _mm_insert_epi16(d, half_load_u16(p + 5 * Q8_0_BYTES), 5);
    d = _mm_insert_epi16(d, half_load_u16(p + 6 * Q8_0_BYTES), 6);
    d = _mm_insert_epi16(d, half_load_u16(p + 7 * Q8_0_BYTES), 7);
    s->c[0] = _mm256_cvtph_ps(d);
}

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

/* d, dmin, 12 bytes of scales and minima, qs[128]: 32 bytes hold blocks 2i (low nibbles) and 2i + 1
 * (high) */
STEP_FN void step_q4_k(const uint8_t *p, struct quant_step *s)
{
    const __m256i nibble = _mm256_set1_epi8(15);
    for (int i = 0; i < 4; i++) {
        __m256i qs = load32(p + Q4_K_QS_OFF + 32 * i);
        s->w[2 * i] = _mm256_and_si256(qs, nibble);
        s->w[2 * i + 1] = _mm256_and_si256(_mm256_srli_epi16(qs, 4), nibble);
    }
    __m128i header = load16(p), codes = k_scales_minima(header);
    __m128 d = _mm_cvtph_ps(header);
    __m256 scales = _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(codes));
    __m256 minima = _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(_mm_srli_si128(codes, 8)));
    s->c[0] = _mm256_mul_ps(_mm256_broadcastss_ps(d), scales);
    s->m[0] = _mm256_mul_ps(_mm256_broadcastss_ps(_mm_movehdup_ps(d)), minima);
}

/* Bytes 0, 2, 4, ... then 1, 3, 5, ... */
STEP_FN __m128i evens_then_odds(__m128i x)
{
    return _mm_shuffle_epi8(x, _mm_setr_epi8(0, 2, 4, 6, 8, 10, 12, 14, 1, 3, 5, 7, 9, 11, 13, 15));
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
    __m256 d = _mm256_set1_ps(half_load_f16(p + Q6_K_D_OFF));
    __m128i scales = evens_then_odds(load16(p + Q6_K_SCALES_OFF));
    s->c[0] = _mm256_mul_ps(d, _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(scales)));
    s->c[1] = _mm256_mul_ps(d, _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_srli_si128(scales, 8))));
}

/* UE4M3 d[4], qs[32] per 64: group g of 16 has elements 0..7 in the low, 8..15 in the high nibbles
 * of qs[8g ..]; doubled E2M1 values, offset 16 */
STEP_FN void step_nvfp4(const uint8_t *p, struct quant_step *s)
{
    const __m256i nibble = _mm256_set1_epi8(15);
    const __m256i values = _mm256_broadcastsi128_si256(
        _mm_setr_epi8(16, 17, 18, 19, 20, 22, 24, 28, 16, 15, 14, 13, 12, 10, 8, 4));
    uint32_t d[4];
    for (int i = 0; i < 4; i++) {
        const uint8_t *block = p + NVFP4_BYTES * i;
        memcpy(d + i, block, sizeof *d);
        for (int j = 0; j < 2; j++) {
            __m128i qs = load16(block + NVFP4_QS_OFF + 16 * j), upper = _mm_srli_epi16(qs, 4);
            __m256i codes =
                _mm256_setr_m128i(_mm_unpacklo_epi64(qs, upper), _mm_unpackhi_epi64(qs, upper));
            s->w[2 * i + j] = _mm256_shuffle_epi8(values, _mm256_and_si256(codes, nibble));
        }
    }
    __m128i codes = _mm_setr_epi32((int)d[0], (int)d[1], (int)d[2], (int)d[3]);
    codes = evens_then_odds(_mm_and_si128(codes, _mm_set1_epi8(0x7f)));
    codes = _mm_andnot_si128(_mm_cmpeq_epi8(codes, _mm_set1_epi8(0x7f)), codes);
    __m256i f16 =
        _mm256_slli_epi16(_mm256_cvtepu8_epi16(codes), 7); /* as f16: the scale times 2^-8 */
    s->c[0] = _mm256_mul_ps(_mm256_cvtph_ps(_mm256_castsi256_si128(f16)), _mm256_set1_ps(128));
    s->c[1] = _mm256_mul_ps(_mm256_cvtph_ps(_mm256_extracti128_si256(f16, 1)), _mm256_set1_ps(128));
}

#endif
