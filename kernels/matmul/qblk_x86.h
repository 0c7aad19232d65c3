/* qblk_x86: what the unpackers for AVX2 and AVX-512 share: loads, and the scales of 8 blocks, which
 * fit 256 bits in both. Included by qblk_avx2.h and qblk_avx512.h alone; everything is inlined into
 * files built for either, so it may use AVX2 and F16C. No read is outside the step. */
#ifndef KERNELS_MATMUL_QBLK_X86_H
#define KERNELS_MATMUL_QBLK_X86_H

#include "kernels/quant/half.h"
#include "kernels/quant/qblk.h"

#include <immintrin.h>
#include <string.h>

#define STEP_FN static inline __attribute__((always_inline))

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

/* Bytes 0, 2, 4, ... then 1, 3, 5, ... */
STEP_FN __m128i evens_then_odds(__m128i x)
{
    return _mm_shuffle_epi8(x, _mm_setr_epi8(0, 2, 4, 6, 8, 10, 12, 14, 1, 3, 5, 7, 9, 11, 13, 15));
}

/* Bytes times 3 modulo 256. */
STEP_FN __m256i times_3(__m256i x)
{
    return _mm256_add_epi8(x, _mm256_add_epi8(x, x));
}

/* 8 nibbles, the least significant first. */
STEP_FN __m256i nibbles_of_u32(uint32_t packed)
{
    __m256i shifted = _mm256_srlv_epi32(_mm256_set1_epi32((int)packed),
                                        _mm256_setr_epi32(0, 4, 8, 12, 16, 20, 24, 28));
    return _mm256_and_si256(shifted, _mm256_set1_epi32(15));
}

/* E8M0 codes: the first byte of each of 8 blocks of MXFP4. */
STEP_FN __m256i e8m0_of_blocks(const uint8_t *p)
{
    __m128i bytes = _mm_setzero_si128();
    bytes = _mm_insert_epi8(bytes, p[0], 0);
    bytes = _mm_insert_epi8(bytes, p[MXFP4_BYTES], 1);
    bytes = _mm_insert_epi8(bytes, p[2 * MXFP4_BYTES], 2);
    bytes = _mm_insert_epi8(bytes, p[3 * MXFP4_BYTES], 3);
    bytes = _mm_insert_epi8(bytes, p[4 * MXFP4_BYTES], 4);
    bytes = _mm_insert_epi8(bytes, p[5 * MXFP4_BYTES], 5);
    bytes = _mm_insert_epi8(bytes, p[6 * MXFP4_BYTES], 6);
    bytes = _mm_insert_epi8(bytes, p[7 * MXFP4_BYTES], 7);
    return _mm256_cvtepu8_epi32(bytes);
}

/* Levels of the 16 scales of a Q3_K block, -32 .. 31, even ones first. */
STEP_FN __m128i q3_k_scale_levels(const uint8_t *block)
{
    enum { BEFORE = 2 }; /* bytes loaded before the scales, to end with the block */
    const __m128i low_from = _mm_setr_epi8(2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5, 6, 7, 8, 9);
    const __m128i high_from =
        _mm_setr_epi8(10, 11, 12, 13, 10, 11, 12, 13, 10, 11, 12, 13, 10, 11, 12, 13);
    __m128i packed = load16(block + Q3_K_SCALES_OFF - BEFORE);
    __m128i low = _mm_shuffle_epi8(packed, low_from), high = _mm_shuffle_epi8(packed, high_from);
    low = _mm_and_si128(_mm_srlv_epi32(low, _mm_setr_epi32(0, 0, 4, 4)), _mm_set1_epi8(15));
    high = _mm_sllv_epi32(high, _mm_setr_epi32(4, 2, 0, 0));
    high = _mm_srlv_epi32(high, _mm_setr_epi32(0, 0, 0, 2));
    __m128i codes = _mm_or_si128(low, _mm_and_si128(high, _mm_set1_epi8(0x30)));
    return evens_then_odds(_mm_sub_epi8(codes, _mm_set1_epi8(32)));
}

/* Levels of the 8 scales of an IQ4_XS block, -32 .. 31. */
STEP_FN __m256 iq4_xs_scale_levels(const uint8_t *block)
{
    const __m256i by_2 = _mm256_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14);
    __m256i low = nibbles_of_u32(half_load_u32(block + IQ4_XS_SL_OFF));
    __m256i high = _mm256_set1_epi32(half_load_u16(block + IQ4_XS_SH_OFF) << 4);
    high = _mm256_and_si256(_mm256_srlv_epi32(high, by_2), _mm256_set1_epi32(0x30));
    return _mm256_cvtepi32_ps(_mm256_sub_epi32(_mm256_or_si256(low, high), _mm256_set1_epi32(32)));
}

#endif
