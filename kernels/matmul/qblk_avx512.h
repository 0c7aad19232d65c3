/* qblk_avx512: unpackers of quant blocks for AVX-512, one per encoding; private to
 * matmul_quant_avx512.c. A step is 256 weights of one row as unsigned bytes in order of k, offset
 * so that none is negative. */
#ifndef KERNELS_MATMUL_QBLK_AVX512_H
#define KERNELS_MATMUL_QBLK_AVX512_H

#include "kernels/quant/qblk.h"

#include <immintrin.h>
#include <string.h>

struct step512 {
    __m512i w[4]; /* bytes of blocks 2i and 2i + 1 */
    __m512 c; /* scale of the first halves of blocks 0..7, then of the second; whole blocks: low 8
                 only */
    __m256 m; /* minima of blocks 0..7 */
};

static inline __attribute__((always_inline)) __m256 f16_at_stride_34(const uint8_t *p)
{
    const __m256i at = _mm256_setr_epi32(0, 17, 34, 51, 68, 85, 102, 119); /* in units of 2 bytes */
    __m256i words = _mm256_i32gather_epi32((const int *)(const void *)p, at, 2);
    return _mm256_cvtph_ps(_mm256_cvtepi32_epi16(words));
}

/* d; i8 qs[32] per block; offset 128 */
static inline __attribute__((always_inline)) void step_q8_0(const uint8_t *p, struct step512 *s)
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

/* d, dmin, 12 bytes of scales and minima, qs[128]: 32 bytes hold blocks 2i (low nibbles) and 2i + 1
 * (high); offset 0 */
static inline __attribute__((always_inline)) void step_q4_k(const uint8_t *p, struct step512 *s)
{
    const __m512i nibble = _mm512_set1_epi8(15);
    const __m512i shift = _mm512_setr_epi64(0, 0, 0, 0, 4, 4, 4, 4);
    for (int i = 0; i < 4; i++) {
        __m256i qs = _mm256_loadu_si256((const __m256i *)(const void *)(p + Q4_K_QS_OFF + 32 * i));
        s->w[i] = _mm512_and_si512(_mm512_srlv_epi64(_mm512_broadcast_i64x4(qs), shift), nibble);
    }
    uint32_t u[3];
    memcpy(u, p + Q4_K_SCALES_OFF, sizeof u);
    uint64_t scales =
        (u[0] & 0x3f3f3f3f) | (uint64_t)((u[2] & 0x0f0f0f0f) | (u[0] >> 2 & 0x30303030)) << 32;
    uint64_t minima =
        (u[1] & 0x3f3f3f3f) | (uint64_t)((u[2] >> 4 & 0x0f0f0f0f) | (u[1] >> 2 & 0x30303030)) << 32;
    uint32_t d_bits;
    memcpy(&d_bits, p, sizeof d_bits);
    __m128 d = _mm_cvtph_ps(_mm_cvtsi32_si128((int)d_bits));
    __m256i scales_i32 = _mm256_cvtepu8_epi32(_mm_cvtsi64_si128((long long)scales));
    __m256i minima_i32 = _mm256_cvtepu8_epi32(_mm_cvtsi64_si128((long long)minima));
    __m256 c = _mm256_mul_ps(_mm256_broadcastss_ps(d), _mm256_cvtepi32_ps(scales_i32));
    s->c = _mm512_castps256_ps512(c);
    s->m = _mm256_mul_ps(_mm256_broadcastss_ps(_mm_movehdup_ps(d)), _mm256_cvtepi32_ps(minima_i32));
}

/* Bytes 0, 2, 4, ... then 1, 3, 5, ... */
static inline __attribute__((always_inline)) __m128i evens_then_odds(__m128i x)
{
    return _mm_shuffle_epi8(x, _mm_setr_epi8(0, 2, 4, 6, 8, 10, 12, 14, 1, 3, 5, 7, 9, 11, 13, 15));
}

/* ql[128], qh[64], i8 scales[16], d; half n: ql[64n ..] low nibbles are blocks 4n, 4n + 1, high
 * nibbles 4n + 2, 4n + 3, block k of the half has its two high bits at qh[32n ..] >> 2k; offset 32
 */
static inline __attribute__((always_inline)) void step_q6_k(const uint8_t *p, struct step512 *s)
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
static inline __attribute__((always_inline)) void step_nvfp4(const uint8_t *p, struct step512 *s)
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
