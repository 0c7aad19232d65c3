/* qblk_avx2_small: unpackers for AVX2 of the encodings whose nibbles lie per 32 or 64 elements; see
 * qblk_avx2.h. */
#ifndef KERNELS_MATMUL_QBLK_AVX2_SMALL_H
#define KERNELS_MATMUL_QBLK_AVX2_SMALL_H

#include "kernels/matmul/qblk_avx2.h"

/* The codes of a block from 16 bytes: low nibbles, then high. */
STEP_FN __m256i codes_of_16(const uint8_t *qs)
{
    __m128i low = load16(qs);
    __m256i both = _mm256_setr_m128i(low, _mm_srli_epi16(low, 4));
    return _mm256_and_si256(both, _mm256_set1_epi8(15));
}

/* Those of 8 blocks, from where the first has its 16 bytes. */
STEP_FN void codes_of_blocks(const uint8_t *qs, size_t block_bytes, __m256i w[8])
{
    for (int b = 0; b < 8; b++)
        w[b] = codes_of_16(qs + b * block_bytes);
}

/* Bytes of ones where a bit is set. */
STEP_FN __m256i mask_of_bits(uint32_t bits)
{
    const __m256i from = _mm256_setr_epi8(0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 2,
                                          2, 2, 2, 2, 2, 3, 3, 3, 3, 3, 3, 3, 3);
    const __m256i bit = _mm256_set1_epi64x((long long)0x8040201008040201u);
    __m256i bytes = _mm256_shuffle_epi8(_mm256_set1_epi32((int)bits), from);
    return _mm256_cmpeq_epi8(_mm256_and_si256(bytes, bit), bit);
}

/* w += 16 where bit i % 32 of the block's word is set. */
STEP_FN void add_fifth_bits(const uint8_t *words, size_t block_bytes, __m256i w[8])
{
    for (int b = 0; b < 8; b++) {
        __m256i is_set = mask_of_bits(half_load_u32(words + b * block_bytes));
        w[b] = _mm256_add_epi8(w[b], _mm256_and_si256(is_set, _mm256_set1_epi8(16)));
    }
}

/* The files have an offset to add, the step a minimum to subtract. */
STEP_FN __m256 minima_of_blocks(const uint8_t *m, size_t block_bytes)
{
    return _mm256_xor_ps(f16_of_blocks(m, block_bytes), _mm256_set1_ps(-0.0f));
}

/* d; qs[16]; offset 8 */
STEP_FN void step_q4_0(const uint8_t *p, struct quant_step *s)
{
    codes_of_blocks(p + Q4_0_QS_OFF, Q4_0_BYTES, s->w);
    s->c[0] = f16_of_blocks(p, Q4_0_BYTES);
}

/* d, m; qs[16] */
STEP_FN void step_q4_1(const uint8_t *p, struct quant_step *s)
{
    codes_of_blocks(p + Q4_1_QS_OFF, Q4_1_BYTES, s->w);
    s->c[0] = f16_of_blocks(p, Q4_1_BYTES);
    s->m[0] = minima_of_blocks(p + Q4_1_M_OFF, Q4_1_BYTES);
}

/* d; u32 of fifth bits; qs[16]; offset 16 */
STEP_FN void step_q5_0(const uint8_t *p, struct quant_step *s)
{
    codes_of_blocks(p + Q5_0_QS_OFF, Q5_0_BYTES, s->w);
    add_fifth_bits(p + Q5_0_QH_OFF, Q5_0_BYTES, s->w);
    s->c[0] = f16_of_blocks(p, Q5_0_BYTES);
}

/* d, m; u32 of fifth bits; qs[16] */
STEP_FN void step_q5_1(const uint8_t *p, struct quant_step *s)
{
    codes_of_blocks(p + Q5_1_QS_OFF, Q5_1_BYTES, s->w);
    add_fifth_bits(p + Q5_1_QH_OFF, Q5_1_BYTES, s->w);
    s->c[0] = f16_of_blocks(p, Q5_1_BYTES);
    s->m[0] = minima_of_blocks(p + Q5_1_M_OFF, Q5_1_BYTES);
}

/* The levels of IQ4_NL and IQ4_XS, signed as they are. */
STEP_FN __m256i iq4_levels(__m256i codes)
{
    const __m128i levels =
        _mm_setr_epi8(-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113);
    return _mm256_shuffle_epi8(_mm256_broadcastsi128_si256(levels), codes);
}

/* d; qs[16] */
STEP_FN void step_iq4_nl(const uint8_t *p, struct quant_step *s)
{
    codes_of_blocks(p + IQ4_NL_QS_OFF, IQ4_NL_BYTES, s->w);
    for (int b = 0; b < 8; b++)
        s->w[b] = iq4_levels(s->w[b]);
    s->c[0] = f16_of_blocks(p, IQ4_NL_BYTES);
}

/* d, u16 of high bits, u32 of low nibbles of 8 scales of 6 bits, less 32; qs[128], 16 bytes per
 * block */
STEP_FN void step_iq4_xs(const uint8_t *p, struct quant_step *s)
{
    for (int b = 0; b < 8; b++)
        s->w[b] = iq4_levels(codes_of_16(p + IQ4_XS_QS_OFF + 16 * b));
    s->c[0] = _mm256_mul_ps(_mm256_set1_ps(half_load_f16(p)), iq4_xs_scale_levels(p));
}

/* Doubled values of E2M1 codes, plus 16. */
STEP_FN __m256i e2m1_values(__m256i codes)
{
    const __m128i values =
        _mm_setr_epi8(16, 17, 18, 19, 20, 22, 24, 28, 16, 15, 14, 13, 12, 10, 8, 4);
    return _mm256_shuffle_epi8(_mm256_broadcastsi128_si256(values), codes);
}

/* 2^(code - 128) of the first byte of 8 blocks; subnormal for 0 and 1, 255 is a NaN. */
STEP_FN __m256 half_e8m0_of_blocks(const uint8_t *p)
{
    __m256i code = e8m0_of_blocks(p);
    __m256i bits = _mm256_slli_epi32(_mm256_sub_epi32(code, _mm256_set1_epi32(1)), 23);
    __m256i tiny = _mm256_sllv_epi32(_mm256_set1_epi32(0x00200000), code);
    __m256i is_tiny = _mm256_cmpgt_epi32(_mm256_set1_epi32(2), code);
    bits = _mm256_blendv_epi8(bits, tiny, is_tiny);
    __m256i is_nan = _mm256_cmpeq_epi32(code, _mm256_set1_epi32(255));
    bits = _mm256_blendv_epi8(bits, _mm256_set1_epi32(0x7fc00000), is_nan);
    return _mm256_castsi256_ps(bits);
}

/* E8M0 scale; qs[16]; doubled E2M1 values, offset 16 */
STEP_FN void step_mxfp4(const uint8_t *p, struct quant_step *s)
{
    codes_of_blocks(p + MXFP4_QS_OFF, MXFP4_BYTES, s->w);
    for (int b = 0; b < 8; b++)
        s->w[b] = e2m1_values(s->w[b]);
    s->c[0] = half_e8m0_of_blocks(p);
}

/* UE4M3 d[4], qs[32] per 64: group g of 16 has elements 0..7 in the low, 8..15 in the high nibbles
 * of qs[8g ..]; doubled E2M1 values, offset 16 */
STEP_FN void step_nvfp4(const uint8_t *p, struct quant_step *s)
{
    const __m256i nibble = _mm256_set1_epi8(15);
    uint32_t d[4];
    for (int i = 0; i < 4; i++) {
        const uint8_t *block = p + NVFP4_BYTES * i;
        memcpy(d + i, block, sizeof *d);
        for (int j = 0; j < 2; j++) {
            __m128i qs = load16(block + NVFP4_QS_OFF + 16 * j), upper = _mm_srli_epi16(qs, 4);
            __m256i codes =
                _mm256_setr_m128i(_mm_unpacklo_epi64(qs, upper), _mm_unpackhi_epi64(qs, upper));
            s->w[2 * i + j] = e2m1_values(_mm256_and_si256(codes, nibble));
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
