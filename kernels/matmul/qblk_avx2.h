/* qblk_avx2: unpackers of quant blocks for AVX2, one per encoding; included by matmul_quant_avx2.c
 * alone. Here that of Q8_0 and what several share; qblk_avx2_small.h has nibbles per 32 or 64,
 * qblk_avx2_super.h the K and ternary encodings, qblk_avx2_grid.h the codebooks. No read is outside
 * the step. A step is 256 weights of one row as bytes in order of k, a block per register. */
#ifndef KERNELS_MATMUL_QBLK_AVX2_H
#define KERNELS_MATMUL_QBLK_AVX2_H

#include "kernels/matmul/qblk_x86.h"

struct quant_step {
    __m256i w[8];
    __m256 c[2]; /* scales of the first, then of the second halves of blocks 0..7; whole blocks:
                    c[0] */
    __m256 m[2]; /* minima likewise */
};

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
