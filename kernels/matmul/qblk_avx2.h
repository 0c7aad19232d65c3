/* qblk_avx2: unpackers of quant blocks for AVX2, one per encoding; included by matmul_quant_avx2.c
 * alone. Here that of Q8_0 and what several share; qblk_avx2_small.h has nibbles per 32 or 64,
 * qblk_avx2_super.h the K and ternary encodings, qblk_avx2_grid.h the codebooks. No read is outside
 * the step. A step is 256 weights of one row as bytes in order of k, a block per register. */
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

STEP_FN __m128i load8(const uint8_t *p)
{
    return _mm_loadl_epi64((const __m128i *)(const void *)p);
}

/* The f16 of 8 successive blocks. */
STEP_FN __m256 f16_of_blocks(const uint8_t *p, size_t block_bytes)
{
    __m128i words =
        _mm_setzero_si128(); /* not a gather: those are slow where their data leaks are patched */
    words = _mm_insert_epi16(words, half_load_u16(p), 0);
    words = _mm_insert_epi16(words, half_load_u16(p + block_bytes), 1);
    words = _mm_insert_epi16(words, half_load_u16(p + 2 * block_bytes), 2);
    words = _mm_insert_epi16(words, half_load_u16(p + 3 * block_bytes), 3);
    words = _mm_insert_epi16(words, half_load_u16(p + 4 * block_bytes), 4);
    words = _mm_insert_epi16(words, half_load_u16(p + 5 * block_bytes), 5);
    words = _mm_insert_epi16(words, half_load_u16(p + 6 * block_bytes), 6);
    words = _mm_insert_epi16(words, half_load_u16(p + 7 * block_bytes), 7);
    return _mm256_cvtph_ps(words);
}

/* d times bytes 0..7 in c[0], bytes 8..15 in c[1]. */
STEP_FN void scaled_unsigned(float d, __m128i bytes, __m256 c[2])
{
    __m256i low = _mm256_cvtepu8_epi32(bytes);
    __m256i high = _mm256_cvtepu8_epi32(_mm_srli_si128(bytes, 8));
    c[0] = _mm256_mul_ps(_mm256_set1_ps(d), _mm256_cvtepi32_ps(low));
    c[1] = _mm256_mul_ps(_mm256_set1_ps(d), _mm256_cvtepi32_ps(high));
}

STEP_FN void scaled_signed(float d, __m128i bytes, __m256 c[2])
{
    __m256i low = _mm256_cvtepi8_epi32(bytes);
    __m256i high = _mm256_cvtepi8_epi32(_mm_srli_si128(bytes, 8));
    c[0] = _mm256_mul_ps(_mm256_set1_ps(d), _mm256_cvtepi32_ps(low));
    c[1] = _mm256_mul_ps(_mm256_set1_ps(d), _mm256_cvtepi32_ps(high));
}

/* Bytes 0, 2, 4, ... then 1, 3, 5, ... */
STEP_FN __m128i evens_then_odds(__m128i x)
{
    return _mm_shuffle_epi8(x, _mm_setr_epi8(0, 2, 4, 6, 8, 10, 12, 14, 1, 3, 5, 7, 9, 11, 13, 15));
}

/* w += amount where bit i / 32 of high[i % 32] is set. */
STEP_FN void add_high_bits(__m256i high, char amount, __m256i w[8])
{
    for (int b = 0; b < 8; b++) {
        __m256i bit = _mm256_and_si256(high, _mm256_set1_epi8((char)(1 << b)));
        __m256i is_clear = _mm256_cmpeq_epi8(bit, _mm256_setzero_si256());
        w[b] = _mm256_add_epi8(w[b], _mm256_andnot_si256(is_clear, _mm256_set1_epi8(amount)));
    }
}

/* qs[64]: per half of 128, quarter j is at bits 2j of 32 bytes. */
STEP_FN void two_bit_codes(const uint8_t *qs, __m256i w[8])
{
    for (int b = 0; b < 8; b++) {
        __m256i quarters = load32(qs + 32 * (b / 4));
        w[b] = _mm256_and_si256(_mm256_srli_epi16(quarters, b % 4 * 2), _mm256_set1_epi8(3));
    }
}

/* d; i8 qs[32] per block; signed as they are */
STEP_FN void step_q8_0(const uint8_t *p, struct quant_step *s)
{
    for (int b = 0; b < 8; b++)
        s->w[b] = load32(p + Q8_0_BYTES * b + Q8_0_QS_OFF);
    s->c[0] = f16_of_blocks(p, Q8_0_BYTES);
}

#endif
