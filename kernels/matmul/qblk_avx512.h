/* qblk_avx512: unpackers of quant blocks for AVX-512, one per encoding; private to
 * matmul_quant_avx512.c. Here that of Q8_0 and what several share; qblk_avx512_small.h
 * has nibbles per 32 or 64, qblk_avx512_super.h the K and ternary encodings, qblk_avx512_grid.h and
 * qblk_avx512_iq1.h the codebooks. No read is outside the step. A step
 * is 256 weights of one row as unsigned bytes in order of k, offset so that none is negative. */
#ifndef KERNELS_MATMUL_QBLK_AVX512_H
#define KERNELS_MATMUL_QBLK_AVX512_H

#include "kernels/matmul/qblk_x86.h"

struct quant_step {
    __m512i w[4]; /* bytes of blocks 2i and 2i + 1 */
    __m512 c; /* scale of the first halves of blocks 0..7, then of the second; whole blocks: low 8
                 only */
    __m512 m; /* minima likewise */
};

STEP_FN uint64_t load_u64(const uint8_t *p)
{
    uint64_t bits;
    memcpy(&bits, p, sizeof bits);
    return bits;
}

/* Every lane the f16 at p. */
STEP_FN __m512 f16_in_all(const uint8_t *p)
{
    return _mm512_broadcastss_ps(_mm_cvtph_ps(_mm_cvtsi32_si128(half_load_u16(p))));
}

/* The f16 of 8 successive blocks in the low half; the high one is not used. */
STEP_FN __m512 f16_in_low(const uint8_t *p, size_t block_bytes)
{
    return _mm512_castps256_ps512(f16_of_blocks(p, block_bytes));
}

STEP_FN __m512 floats_of_unsigned(__m128i bytes)
{
    return _mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(bytes));
}

STEP_FN __m512 floats_of_signed(__m128i bytes)
{
    return _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(bytes));
}

/* w += amount where bit i / 32 of high[i % 32] is set. */
STEP_FN void add_high_bits(__m256i high, char amount, __m512i w[4])
{
    const __m512i first_bits = _mm512_inserti64x4(_mm512_set1_epi8(1), _mm256_set1_epi8(2), 1);
    __m512i both = _mm512_broadcast_i64x4(high);
    for (int i = 0; i < 4; i++) {
        __m512i bits = _mm512_slli_epi16(first_bits, (unsigned)(2 * i));
        __mmask64 is_set = _mm512_test_epi8_mask(both, bits);
        w[i] = _mm512_mask_add_epi8(w[i], is_set, w[i], _mm512_set1_epi8(amount));
    }
}

/* qs[64]: per half of 128, quarter j is at bits 2j of 32 bytes. */
STEP_FN void two_bit_codes(const uint8_t *qs, __m512i w[4])
{
    const __m512i first = _mm512_setr_epi64(0, 0, 0, 0, 2, 2, 2, 2), mask = _mm512_set1_epi8(3);
    for (int n = 0; n < 2; n++) {
        __m512i both = _mm512_broadcast_i64x4(load32(qs + 32 * n));
        __m512i low = _mm512_srlv_epi64(both, first), high = _mm512_srli_epi64(low, 4);
        w[2 * n] = _mm512_and_si512(low, mask);
        w[2 * n + 1] = _mm512_and_si512(high, mask);
    }
}

STEP_FN __m512i two_halves(__m256i low, __m256i high)
{
    return _mm512_inserti64x4(_mm512_castsi256_si512(low), high, 1);
}

/* d; i8 qs[32] per block; offset 128 */
STEP_FN void step_q8_0(const uint8_t *p, struct quant_step *s)
{
    const __m512i flip = _mm512_set1_epi8((char)0x80);
    for (int i = 0; i < 4; i++) {
        const uint8_t *pair = p + 2 * Q8_0_BYTES * i + Q8_0_QS_OFF;
        __m512i q = _mm512_castsi256_si512(load32(pair));
        q = _mm512_inserti64x4(q, load32(pair + Q8_0_BYTES), 1);
        s->w[i] = _mm512_xor_si512(q, flip);
    }
    s->c = f16_in_low(p, Q8_0_BYTES);
}

#endif
