/* simd on AVX-512F: one register. Included by simd.h alone. */
#ifndef KERNELS_CPU_SIMD_AVX512_H
#define KERNELS_CPU_SIMD_AVX512_H

#include <immintrin.h>

/* 16 accumulators + 4 columns + 1 row of the 32 registers. */
enum { SIMD_DOT_ROWS = 4, SIMD_DOT_COLS = 4, SIMD_AXPY_ROWS = 8 };

struct simd_f32 {
    __m512 v;
};

SIMD_FN struct simd_f32 simd_set1(float x)
{
    return (struct simd_f32){_mm512_set1_ps(x)};
}

SIMD_FN struct simd_f32 simd_zero(void)
{
    return (struct simd_f32){_mm512_setzero_ps()};
}

SIMD_FN struct simd_f32 simd_load(const float *p)
{
    return (struct simd_f32){_mm512_loadu_ps(p)};
}

SIMD_FN void simd_store(float *p, struct simd_f32 a)
{
    _mm512_storeu_ps(p, a.v);
}

SIMD_FN struct simd_f32 simd_load_f16(const uint16_t *p)
{
    return (struct simd_f32){_mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)(const void *)p))};
}

SIMD_FN void simd_store_f16(uint16_t *p, struct simd_f32 a)
{
    __m256i h = _mm512_cvtps_ph(a.v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
    _mm256_storeu_si256((__m256i *)(void *)p, h);
}

SIMD_FN struct simd_f32 simd_add(struct simd_f32 a, struct simd_f32 b)
{
    return (struct simd_f32){_mm512_add_ps(a.v, b.v)};
}

SIMD_FN struct simd_f32 simd_sub(struct simd_f32 a, struct simd_f32 b)
{
    return (struct simd_f32){_mm512_sub_ps(a.v, b.v)};
}

SIMD_FN struct simd_f32 simd_mul(struct simd_f32 a, struct simd_f32 b)
{
    return (struct simd_f32){_mm512_mul_ps(a.v, b.v)};
}

SIMD_FN struct simd_f32 simd_div(struct simd_f32 a, struct simd_f32 b)
{
    return (struct simd_f32){_mm512_div_ps(a.v, b.v)};
}

SIMD_FN struct simd_f32 simd_fma(struct simd_f32 a, struct simd_f32 b, struct simd_f32 c)
{
    return (struct simd_f32){_mm512_fmadd_ps(a.v, b.v, c.v)};
}

SIMD_FN struct simd_f32 simd_fnma(struct simd_f32 a, struct simd_f32 b, struct simd_f32 c)
{
    return (struct simd_f32){_mm512_fnmadd_ps(a.v, b.v, c.v)};
}

SIMD_FN struct simd_f32 simd_max(struct simd_f32 a, struct simd_f32 b)
{
    return (struct simd_f32){_mm512_max_ps(a.v, b.v)};
}

SIMD_FN struct simd_f32 simd_select_gt(struct simd_f32 a, struct simd_f32 b, struct simd_f32 x,
                                       struct simd_f32 z)
{
    __mmask16 gt = _mm512_cmp_ps_mask(a.v, b.v, _CMP_GT_OQ);
    return (struct simd_f32){_mm512_mask_blend_ps(gt, z.v, x.v)};
}

SIMD_FN struct simd_f32 simd_abs(struct simd_f32 a)
{
    return (struct simd_f32){_mm512_abs_ps(a.v)};
}

SIMD_FN struct simd_f32 simd_copysign(struct simd_f32 magnitude, struct simd_f32 sign)
{
    __m512i sign_bit = _mm512_set1_epi32(INT32_MIN);
    __m512i y = _mm512_ternarylogic_epi32(sign_bit, _mm512_castps_si512(sign.v),
                                          _mm512_castps_si512(magnitude.v), 0xCA); /* bit select */
    return (struct simd_f32){_mm512_castsi512_ps(y)};
}

SIMD_FN struct simd_f32 simd_scale2(struct simd_f32 p, struct simd_f32 t)
{
    __m512i n = _mm512_sub_epi32(_mm512_castps_si512(t.v), _mm512_set1_epi32(0x4B400000));
    __m512i first = _mm512_srai_epi32(n, 1), second = _mm512_sub_epi32(n, first);
    __m512i bias = _mm512_set1_epi32(127);
    __m512 a = _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_add_epi32(first, bias), 23));
    __m512 b = _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_add_epi32(second, bias), 23));
    return (struct simd_f32){_mm512_mul_ps(_mm512_mul_ps(p.v, a), b)};
}

SIMD_FN void simd_fold4(const struct simd_f32 a[4], float out[4])
{
    /* 128-bit quarters: 0x44 = low halves of both, 0xEE = high halves, 0x88 = quarters 0 and 2,
     * 0xDD = 1 and 3 */
    __m512 ab = _mm512_add_ps(_mm512_shuffle_f32x4(a[0].v, a[1].v, 0x44),
                              _mm512_shuffle_f32x4(a[0].v, a[1].v, 0xEE));
    __m512 cd = _mm512_add_ps(_mm512_shuffle_f32x4(a[2].v, a[3].v, 0x44),
                              _mm512_shuffle_f32x4(a[2].v, a[3].v, 0xEE));
    __m512 x =
        _mm512_add_ps(_mm512_shuffle_f32x4(ab, cd, 0x88), _mm512_shuffle_f32x4(ab, cd, 0xDD));
    x = _mm512_add_ps(x, _mm512_permute_ps(x, 0xEE)); /* i with i+2 in each quarter */
    x = _mm512_add_ps(x, _mm512_permute_ps(x, 0x55)); /* then 0 with 1 */
    __m512i pick = _mm512_setr_epi32(0, 4, 8, 12, 0, 4, 8, 12, 0, 4, 8, 12, 0, 4, 8, 12);
    _mm_storeu_ps(out, _mm512_castps512_ps128(_mm512_permutexvar_ps(pick, x)));
}

#endif
