/* qblk_avx512_small: unpackers for AVX-512 of the encodings whose nibbles lie per 32 or 64
 * elements; see qblk_avx512.h. */
#ifndef KERNELS_MATMUL_QBLK_AVX512_SMALL_H
#define KERNELS_MATMUL_QBLK_AVX512_SMALL_H

#include "kernels/matmul/qblk_avx512.h"

/* The codes of two blocks from 16 bytes each: low nibbles, then high. */
STEP_FN __m512i codes_of_two(__m256i qs)
{
    const __m512i twice = _mm512_setr_epi64(0, 1, 0, 1, 2, 3, 2, 3);
    const __m512i shift = _mm512_setr_epi64(0, 0, 4, 4, 0, 0, 4, 4);
    __m512i pairs = _mm512_permutexvar_epi64(twice, _mm512_castsi256_si512(qs));
    return _mm512_and_si512(_mm512_srlv_epi64(pairs, shift), _mm512_set1_epi8(15));
}

/* Those of 8 blocks, from where the first has its 16 bytes. */
STEP_FN void codes_of_blocks(const uint8_t *qs, size_t block_bytes, __m512i w[4])
{
    for (int i = 0; i < 4; i++, qs += 2 * block_bytes)
        w[i] = codes_of_two(_mm256_set_m128i(load16(qs + block_bytes), load16(qs)));
}

/* w += 16 where bit i % 32 of the block's word is set. */
STEP_FN void add_fifth_bits(const uint8_t *words, size_t block_bytes, __m512i w[4])
{
    for (int i = 0; i < 4; i++, words += 2 * block_bytes) {
        uint64_t bits = half_load_u32(words) | (uint64_t)half_load_u32(words + block_bytes) << 32;
        w[i] = _mm512_mask_add_epi8(w[i], bits, w[i], _mm512_set1_epi8(16));
    }
}

/* The files have an offset to add, the step a minimum to subtract. */
STEP_FN __m512 minima_of_blocks(const uint8_t *m, size_t block_bytes)
{
    return _mm512_xor_ps(f16_in_low(m, block_bytes), _mm512_set1_ps(-0.0f));
}

/* d; qs[16]; offset 8 */
STEP_FN void step_q4_0(const uint8_t *p, struct quant_step *s)
{
    codes_of_blocks(p + Q4_0_QS_OFF, Q4_0_BYTES, s->w);
    s->c = f16_in_low(p, Q4_0_BYTES);
}

/* d, m; qs[16]; offset 0 */
STEP_FN void step_q4_1(const uint8_t *p, struct quant_step *s)
{
    codes_of_blocks(p + Q4_1_QS_OFF, Q4_1_BYTES, s->w);
    s->c = f16_in_low(p, Q4_1_BYTES);
    s->m = minima_of_blocks(p + Q4_1_M_OFF, Q4_1_BYTES);
}

/* d; u32 of fifth bits; qs[16]; offset 16 */
STEP_FN void step_q5_0(const uint8_t *p, struct quant_step *s)
{
    codes_of_blocks(p + Q5_0_QS_OFF, Q5_0_BYTES, s->w);
    add_fifth_bits(p + Q5_0_QH_OFF, Q5_0_BYTES, s->w);
    s->c = f16_in_low(p, Q5_0_BYTES);
}

/* d, m; u32 of fifth bits; qs[16]; offset 0 */
STEP_FN void step_q5_1(const uint8_t *p, struct quant_step *s)
{
    codes_of_blocks(p + Q5_1_QS_OFF, Q5_1_BYTES, s->w);
    add_fifth_bits(p + Q5_1_QH_OFF, Q5_1_BYTES, s->w);
    s->c = f16_in_low(p, Q5_1_BYTES);
    s->m = minima_of_blocks(p + Q5_1_M_OFF, Q5_1_BYTES);
}

/* The levels of IQ4_NL and IQ4_XS, plus 128. */
STEP_FN __m512i iq4_levels(__m512i codes)
{
    const __m128i levels =
        _mm_setr_epi8(1, 24, 45, 63, 79, 93, 106, 118, (char)129, (char)141, (char)153, (char)166,
                      (char)181, (char)197, (char)217, (char)241);
    return _mm512_shuffle_epi8(_mm512_broadcast_i32x4(levels), codes);
}

/* d; qs[16]; offset 128 */
STEP_FN void step_iq4_nl(const uint8_t *p, struct quant_step *s)
{
    codes_of_blocks(p + IQ4_NL_QS_OFF, IQ4_NL_BYTES, s->w);
    for (int i = 0; i < 4; i++)
        s->w[i] = iq4_levels(s->w[i]);
    s->c = f16_in_low(p, IQ4_NL_BYTES);
}

/* d, u16 of high bits, u32 of low nibbles of 8 scales of 6 bits, less 32; qs[128], 16 bytes per
 * block; offset 128 */
STEP_FN void step_iq4_xs(const uint8_t *p, struct quant_step *s)
{
    for (int i = 0; i < 4; i++)
        s->w[i] = iq4_levels(codes_of_two(load32(p + IQ4_XS_QS_OFF + 32 * i)));
    __m256 d = _mm512_castps512_ps256(f16_in_all(p));
    s->c = _mm512_castps256_ps512(_mm256_mul_ps(d, iq4_xs_scale_levels(p)));
}

/* Doubled values of E2M1 codes, plus 16. */
STEP_FN __m512i e2m1_values(__m512i codes)
{
    const __m128i values =
        _mm_setr_epi8(16, 17, 18, 19, 20, 22, 24, 28, 16, 15, 14, 13, 12, 10, 8, 4);
    return _mm512_shuffle_epi8(_mm512_broadcast_i32x4(values), codes);
}

/* 2^(code - 128) of the first byte of 8 blocks; subnormal for 0 and 1, 255 is a NaN. */
STEP_FN __m512 half_e8m0_of_blocks(const uint8_t *p)
{
    __m256i code = e8m0_of_blocks(p);
    __m256i bits = _mm256_slli_epi32(_mm256_sub_epi32(code, _mm256_set1_epi32(1)), 23);
    __mmask8 is_tiny = _mm256_cmplt_epi32_mask(code, _mm256_set1_epi32(2));
    bits = _mm256_mask_sllv_epi32(bits, is_tiny, _mm256_set1_epi32(0x00200000), code);
    __mmask8 is_nan = _mm256_cmpeq_epi32_mask(code, _mm256_set1_epi32(255));
    bits = _mm256_mask_mov_epi32(bits, is_nan, _mm256_set1_epi32(0x7fc00000));
    return _mm512_castps256_ps512(_mm256_castsi256_ps(bits));
}

/* E8M0 scale; qs[16]; doubled E2M1 values, offset 16 */
STEP_FN void step_mxfp4(const uint8_t *p, struct quant_step *s)
{
    codes_of_blocks(p + MXFP4_QS_OFF, MXFP4_BYTES, s->w);
    for (int i = 0; i < 4; i++)
        s->w[i] = e2m1_values(s->w[i]);
    s->c = half_e8m0_of_blocks(p);
}

/* UE4M3 d[4], qs[32] per 64: group g of 16 has elements 0..7 in the low, 8..15 in the high nibbles
 * of qs[8g ..]; doubled E2M1 values, offset 16 */
STEP_FN void step_nvfp4(const uint8_t *p, struct quant_step *s)
{
    const __m512i nibble = _mm512_set1_epi8(15);
    const __m512i shift = _mm512_setr_epi64(0, 4, 0, 4, 0, 4, 0, 4);
    const __m512i twice = _mm512_setr_epi64(0, 0, 1, 1, 2, 2, 3, 3);
    uint32_t d[4];
    for (int i = 0; i < 4; i++) {
        const uint8_t *block = p + NVFP4_BYTES * i;
        memcpy(d + i, block, sizeof *d);
        __m256i qs = load32(block + NVFP4_QS_OFF);
        __m512i pairs = _mm512_permutexvar_epi64(twice, _mm512_castsi256_si512(qs));
        __m512i codes = _mm512_and_si512(_mm512_srlv_epi64(pairs, shift), nibble);
        s->w[i] = e2m1_values(codes);
    }
    __m128i codes = _mm_setr_epi32((int)d[0], (int)d[1], (int)d[2], (int)d[3]);
    codes = evens_then_odds(_mm_and_si128(codes, _mm_set1_epi8(0x7f)));
    __mmask16 is_number = _mm_cmpneq_epi8_mask(codes, _mm_set1_epi8(0x7f));
    __m256i f16 = _mm256_slli_epi16(_mm256_cvtepu8_epi16(_mm_maskz_mov_epi8(is_number, codes)), 7);
    s->c =
        _mm512_mul_ps(_mm512_cvtph_ps(f16), _mm512_set1_ps(128)); /* 2^8 of the bit trick, halved */
}

#endif
