/* simd on AVX2 + FMA + F16C: two registers, lanes 0-7 and 8-15. Included by simd.h alone. */
#ifndef KERNELS_CPU_SIMD_AVX2_H
#define KERNELS_CPU_SIMD_AVX2_H

#include <immintrin.h>

/* 8 accumulators + 4 columns + 2 rows of the 16 registers. */
enum { SIMD_DOT_ROWS = 2, SIMD_DOT_COLS = 2, SIMD_AXPY_ROWS = 2 };

struct simd_f32 {
    __m256 lo, hi;
};

#define SIMD_BOTH(op)                                                                              \
    return (struct simd_f32)                                                                       \
    {                                                                                              \
        op(a.lo, b.lo), op(a.hi, b.hi)                                                             \
    }

SIMD_FN struct simd_f32 simd_set1(float x)
{
    return (struct simd_f32){_mm256_set1_ps(x), _mm256_set1_ps(x)};
}

SIMD_FN struct simd_f32 simd_zero(void)
{
    return (struct simd_f32){_mm256_setzero_ps(), _mm256_setzero_ps()};
}

SIMD_FN struct simd_f32 simd_load(const float *p)
{
    return (struct simd_f32){_mm256_loadu_ps(p), _mm256_loadu_ps(p + 8)};
}

SIMD_FN void simd_store(float *p, struct simd_f32 a)
{
    _mm256_storeu_ps(p, a.lo);
    _mm256_storeu_ps(p + 8, a.hi);
}

SIMD_FN struct simd_f32 simd_load_f16(const uint16_t *p)
{
    const __m128i *h = (const __m128i *)(const void *)p;
    return (struct simd_f32){_mm256_cvtph_ps(_mm_loadu_si128(h)),
                             _mm256_cvtph_ps(_mm_loadu_si128(h + 1))};
}

SIMD_FN void simd_store_f16(uint16_t *p, struct simd_f32 a)
{
    __m128i *h = (__m128i *)(void *)p;
    _mm_storeu_si128(h, _mm256_cvtps_ph(a.lo, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
    _mm_storeu_si128(h + 1, _mm256_cvtps_ph(a.hi, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
}

SIMD_FN struct simd_f32 simd_add(struct simd_f32 a, struct simd_f32 b)
{
    SIMD_BOTH(_mm256_add_ps);
}

SIMD_FN struct simd_f32 simd_sub(struct simd_f32 a, struct simd_f32 b)
{
    SIMD_BOTH(_mm256_sub_ps);
}

SIMD_FN struct simd_f32 simd_mul(struct simd_f32 a, struct simd_f32 b)
{
    SIMD_BOTH(_mm256_mul_ps);
}

SIMD_FN struct simd_f32 simd_div(struct simd_f32 a, struct simd_f32 b)
{
    SIMD_BOTH(_mm256_div_ps);
}

SIMD_FN struct simd_f32 simd_max(struct simd_f32 a, struct simd_f32 b)
{
    SIMD_BOTH(_mm256_max_ps);
}

SIMD_FN struct simd_f32 simd_fma(struct simd_f32 a, struct simd_f32 b, struct simd_f32 c)
{
    return (struct simd_f32){_mm256_fmadd_ps(a.lo, b.lo, c.lo), _mm256_fmadd_ps(a.hi, b.hi, c.hi)};
}

SIMD_FN struct simd_f32 simd_fnma(struct simd_f32 a, struct simd_f32 b, struct simd_f32 c)
{
    return (struct simd_f32){_mm256_fnmadd_ps(a.lo, b.lo, c.lo),
                             _mm256_fnmadd_ps(a.hi, b.hi, c.hi)};
}

SIMD_FN struct simd_f32 simd_select_gt(struct simd_f32 a, struct simd_f32 b, struct simd_f32 x,
                                       struct simd_f32 z)
{
    return (struct simd_f32){_mm256_blendv_ps(z.lo, x.lo, _mm256_cmp_ps(a.lo, b.lo, _CMP_GT_OQ)),
                             _mm256_blendv_ps(z.hi, x.hi, _mm256_cmp_ps(a.hi, b.hi, _CMP_GT_OQ))};
}

SIMD_FN struct simd_f32 simd_abs(struct simd_f32 a)
{
    __m256 sign_bit = _mm256_set1_ps(-0.0f);
    return (struct simd_f32){_mm256_andnot_ps(sign_bit, a.lo), _mm256_andnot_ps(sign_bit, a.hi)};
}

SIMD_FN struct simd_f32 simd_copysign(struct simd_f32 magnitude, struct simd_f32 sign)
{
    __m256 sign_bit = _mm256_set1_ps(-0.0f);
    struct simd_f32 y = simd_abs(magnitude);
    return (struct simd_f32){_mm256_or_ps(y.lo, _mm256_and_ps(sign_bit, sign.lo)),
                             _mm256_or_ps(y.hi, _mm256_and_ps(sign_bit, sign.hi))};
}

SIMD_FN __m256 simd_scale2_half(__m256 p, __m256 t)
{
    __m256i n = _mm256_sub_epi32(_mm256_castps_si256(t), _mm256_set1_epi32(0x4B400000));
    __m256i first = _mm256_srai_epi32(n, 1), second = _mm256_sub_epi32(n, first);
    __m256i bias = _mm256_set1_epi32(127);
    __m256 a = _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_add_epi32(first, bias), 23));
    __m256 b = _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_add_epi32(second, bias), 23));
    return _mm256_mul_ps(_mm256_mul_ps(p, a), b);
}

SIMD_FN struct simd_f32 simd_scale2(struct simd_f32 p, struct simd_f32 t)
{
    return (struct simd_f32){simd_scale2_half(p.lo, t.lo), simd_scale2_half(p.hi, t.hi)};
}

SIMD_FN void simd_fold4(const struct simd_f32 a[4], float out[4])
{
    __m256 x[4];
    for (int j = 0; j < 4; j++)
        x[j] = _mm256_add_ps(a[j].lo, a[j].hi);
    __m256 ab = _mm256_add_ps(_mm256_permute2f128_ps(x[0], x[1], 0x20),
                              _mm256_permute2f128_ps(x[0], x[1], 0x31));
    __m256 cd = _mm256_add_ps(_mm256_permute2f128_ps(x[2], x[3], 0x20),
                              _mm256_permute2f128_ps(x[2], x[3], 0x31));
    /* each 128-bit half: i with i+2 for a|b against c|d, then 0 with 1 */
    __m256 s = _mm256_add_ps(_mm256_shuffle_ps(ab, cd, 0x44), _mm256_shuffle_ps(ab, cd, 0xEE));
    s = _mm256_add_ps(s, _mm256_permute_ps(s, 0xB1)); /* a a c c | b b d d */
    __m128 ac = _mm256_castps256_ps128(s), bd = _mm256_extractf128_ps(s, 1);
    _mm_storeu_ps(out, _mm_blend_ps(ac, bd, 0xA));
}

#undef SIMD_BOTH
#endif
