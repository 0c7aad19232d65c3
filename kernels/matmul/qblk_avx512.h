/* qblk_avx512: unpackers of quant blocks for AVX-512, one per encoding; private to
 * matmul_quant_avx512.c. A step is 256 weights of one row as unsigned bytes in order of k, offset
 * so that none is negative. */
#ifndef KERNELS_MATMUL_QBLK_AVX512_H
#define KERNELS_MATMUL_QBLK_AVX512_H

#include "kernels/quant/half.h"
#include "kernels/quant/qblk.h"

#include <immintrin.h>
#include <string.h>

struct quant_step {
    __m512i w[4]; /* bytes of blocks 2i and 2i + 1 */
    __m512 c; /* scale of the first halves of blocks 0..7, then of the second; whole blocks: low 8
                 only */
    __m256 m; /* minima of blocks 0..7 */
};

static inline __attribute__((always_inline)) __m256 f16_at_stride_34(const uint8_t *p)
{
    __m128i words =
        _mm_setzero_si128(); /* not a gather: those are slow where their data leaks are patched */
    words = _mm_insert_epi16(words, half_load_u16(p), 0);
    words = _mm_insert_epi16(words, half_load_u16(p + 34), 1);
    words = _mm_insert_epi16(words, half_load_u16(p + 68), 2);
    words = _mm_insert_epi16(words, half_load_u16(p + 102), 3);
    words = _mm_insert_epi16(words, half_load_u16(p + 136), 4);
    words = _mm_insert_epi16(words, half_load_u16(p + 170), 5);
    words = _mm_insert_epi16(words, half_load_u16(p + 204), 6);
    words = _mm_insert_epi16(words, half_load_u16(p + 238), 7);
    return _mm256_cvtph_ps(words);
}

/* d; i8 qs[32] per block; offset 128 */
static inline __attribute__((always_inline)) void step_q8_0(const uint8_t *p, struct quant_step *s)
{
    const __m512i flip = _mm512_set1_epi8((char)0x80);
    for (int i = 0; i < 4; i++) {
        const uint8_t *pair = p + 2 * Q8_0_BYTES * i + Q8_0_QS_OFF;
        __m256i even = _mm256_loadu_si256((const __m256i *)(const void *)pair);
        __m256i odd = _mm256_loadu_si256((const __m256i *)(const void *)(pair + Q8_0_BYTES));
        __m512i q = _mm512_inserti64x4(_mm512_castsi256_si512(even), odd, 1);
        s->w[i] = _mm512_xor_si512(q, flip);
    }
    s->c = _mm512_castps256_ps512(f16_at_stride_34(p));
}

/* d times the 8 six-bit scales, then dmin times the 8 minima, from a Q4_K or Q5_K header: d, dmin,
 * S[12]. Scales 0..3 and minima 0..3 are S[0..3] and S[4..7] & 63; the others have their low 4 bits
 * in the nibbles of S[8..11] and two high bits on top of S[0..3] and S[4..7]. */
static inline __attribute__((always_inline)) __m512 k_scales_minima(const uint8_t *p)
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

/* d, dmin, 12 bytes of scales and minima, qs[128]: 32 bytes hold blocks 2i (low nibbles) and 2i + 1
 * (high); offset 0 */
static inline __attribute__((always_inline)) void step_q4_k(const uint8_t *p, struct quant_step *s)
{
    const __m512i nibble = _mm512_set1_epi8(15);
    const __m512i shift = _mm512_setr_epi64(0, 0, 0, 0, 4, 4, 4, 4);
    for (int i = 0; i < 4; i++) {
        __m256i qs = _mm256_loadu_si256((const __m256i *)(const void *)(p + Q4_K_QS_OFF + 32 * i));
        s->w[i] = _mm512_and_si512(_mm512_srlv_epi64(_mm512_broadcast_i64x4(qs), shift), nibble);
    }
    s->c = k_scales_minima(p);
    s->m = _mm512_extractf32x8_ps(s->c, 1);
}

/* Bytes 0, 2, 4, ... then 1, 3, 5, ... */
static inline __attribute__((always_inline)) __m128i evens_then_odds(__m128i x)
{
    return _mm_shuffle_epi8(x, _mm_setr_epi8(0, 2, 4, 6, 8, 10, 12, 14, 1, 3, 5, 7, 9, 11, 13, 15));
}

/* ql[128], qh[64], i8 scales[16], d; half n: ql[64n ..] low nibbles are blocks 4n, 4n + 1, high
 * nibbles 4n + 2, 4n + 3, block k of the half has its two high bits at qh[32n ..] >> 2k; offset 32
 */
static inline __attribute__((always_inline)) void step_q6_k(const uint8_t *p, struct quant_step *s)
{
    const __m512i nibble = _mm512_set1_epi8(15), high_bits = _mm512_set1_epi8(0x30);
    const __m512i left = _mm512_setr_epi64(4, 4, 4, 4, 2, 2, 2, 2);
    const __m512i right = _mm512_setr_epi64(0, 0, 0, 0, 2, 2, 2, 2);
    enum { A_AND_B_OR_C = 0xea };
    for (int n = 0; n < 2; n++) {
        __m512i ql = _mm512_loadu_si512(p + 64 * n);
        __m512i qh = _mm512_broadcast_i64x4(
            _mm256_loadu_si256((const __m256i *)(const void *)(p + Q6_K_QH_OFF + 32 * n)));
        s->w[2 * n] = _mm512_ternarylogic_epi64(_mm512_sllv_epi64(qh, left), high_bits,
                                                _mm512_and_si512(ql, nibble), A_AND_B_OR_C);
        __m512i upper = _mm512_and_si512(_mm512_srli_epi16(ql, 4), nibble);
        s->w[2 * n + 1] =
            _mm512_ternarylogic_epi64(_mm512_srlv_epi64(qh, right), high_bits, upper, A_AND_B_OR_C);
    }
    uint16_t d_bits;
    memcpy(&d_bits, p + Q6_K_D_OFF, sizeof d_bits);
    __m512 d = _mm512_broadcastss_ps(_mm_cvtph_ps(_mm_cvtsi32_si128(d_bits)));
    __m128i scales = _mm_loadu_si128((const __m128i *)(const void *)(p + Q6_K_SCALES_OFF));
    s->c = _mm512_mul_ps(d, _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(evens_then_odds(scales))));
}

/* UE4M3 d[4], qs[32] per 64: group g of 16 has elements 0..7 in the low, 8..15 in the high nibbles
 * of qs[8g ..]; doubled E2M1 values, offset 16 */
static inline __attribute__((always_inline)) void step_nvfp4(const uint8_t *p, struct quant_step *s)
{
    const __m512i nibble = _mm512_set1_epi8(15);
    const __m512i shift = _mm512_setr_epi64(0, 4, 0, 4, 0, 4, 0, 4);
    const __m512i twice = _mm512_setr_epi64(0, 0, 1, 1, 2, 2, 3, 3);
    const __m512i values = _mm512_broadcast_i32x4(
        _mm_setr_epi8(16, 17, 18, 19, 20, 22, 24, 28, 16, 15, 14, 13, 12, 10, 8, 4));
    uint32_t d[4];
    for (int i = 0; i < 4; i++) {
        const uint8_t *block = p + NVFP4_BYTES * i;
        memcpy(d + i, block, sizeof *d);
        __m256i qs = _mm256_loadu_si256((const __m256i *)(const void *)(block + NVFP4_QS_OFF));
        __m512i pairs = _mm512_permutexvar_epi64(twice, _mm512_castsi256_si512(qs));
        __m512i codes = _mm512_and_si512(_mm512_srlv_epi64(pairs, shift), nibble);
        s->w[i] = _mm512_shuffle_epi8(values, codes);
    }
    __m128i codes = _mm_setr_epi32((int)d[0], (int)d[1], (int)d[2], (int)d[3]);
    codes = evens_then_odds(_mm_and_si128(codes, _mm_set1_epi8(0x7f)));
    __mmask16 is_number = _mm_cmpneq_epi8_mask(codes, _mm_set1_epi8(0x7f));
    __m256i f16 = _mm256_slli_epi16(_mm256_cvtepu8_epi16(_mm_maskz_mov_epi8(is_number, codes)), 7);
    s->c =
        _mm512_mul_ps(_mm512_cvtph_ps(f16), _mm512_set1_ps(128)); /* 2^8 of the bit trick, halved */
}

#endif
