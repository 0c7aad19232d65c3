/* simd on AVX2 + FMA + F16C: eight lanes a register. Included by simd.h alone. */
#ifndef KERNELS_CPU_SIMD_AVX2_H
#define KERNELS_CPU_SIMD_AVX2_H

#include <immintrin.h>

enum {
    SIMD_REG_LANES = 8,
    SIMD_DOT_ROWS = 4, /* 8 sums + 2 cells + 1 of the 16 registers */
    SIMD_DOT_COLS = 2,
    SIMD_ADD_ROWS = 4, /* 8 sums + 2 cells + 1 */
    SIMD_ADD_REGS = 2,
    SIMD_FEW_ADD_REGS = 4, /* 8 sums + 4 cells + 1 */
};

struct simd_reg {
    __m256 v;
};

struct simd_f32 {
    struct simd_reg r[SIMD_LANES / SIMD_REG_LANES];
};

SIMD_PURE struct simd_reg simd_reg_set1(float x)
{
    return (struct simd_reg){_mm256_set1_ps(x)};
}

SIMD_FN struct simd_reg simd_reg_load(const float *p)
{
    return (struct simd_reg){_mm256_loadu_ps(p)};
}

SIMD_FN void simd_reg_store(float *p, struct simd_reg a)
{
    _mm256_storeu_ps(p, a.v);
}

SIMD_FN struct simd_reg simd_reg_load_f16(const uint16_t *p)
{
    return (struct simd_reg){_mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)(const void *)p))};
}

SIMD_FN struct simd_reg simd_reg_load_bf16(const uint16_t *p)
{
    __m128i h = _mm_loadu_si128((const __m128i *)(const void *)p);
    return (struct simd_reg){_mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(h), 16))};
}

SIMD_FN void simd_reg_store_f16(uint16_t *p, struct simd_reg a)
{
    __m128i h = _mm256_cvtps_ph(a.v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
    _mm_storeu_si128((__m128i *)(void *)p, h);
}

SIMD_PURE struct simd_reg simd_reg_add(struct simd_reg a, struct simd_reg b)
{
    return (struct simd_reg){_mm256_add_ps(a.v, b.v)};
}

SIMD_PURE struct simd_reg simd_reg_sub(struct simd_reg a, struct simd_reg b)
{
    return (struct simd_reg){_mm256_sub_ps(a.v, b.v)};
}

SIMD_PURE struct simd_reg simd_reg_mul(struct simd_reg a, struct simd_reg b)
{
    return (struct simd_reg){_mm256_mul_ps(a.v, b.v)};
}

SIMD_PURE struct simd_reg simd_reg_div(struct simd_reg a, struct simd_reg b)
{
    return (struct simd_reg){_mm256_div_ps(a.v, b.v)};
}

SIMD_PURE struct simd_reg simd_reg_max(struct simd_reg a, struct simd_reg b)
{
    return (struct simd_reg){_mm256_max_ps(a.v, b.v)};
}

SIMD_PURE struct simd_reg simd_reg_fma(struct simd_reg a, struct simd_reg b, struct simd_reg c)
{
    return (struct simd_reg){_mm256_fmadd_ps(a.v, b.v, c.v)};
}

SIMD_PURE struct simd_reg simd_reg_fnma(struct simd_reg a, struct simd_reg b, struct simd_reg c)
{
    return (struct simd_reg){_mm256_fnmadd_ps(a.v, b.v, c.v)};
}

SIMD_PURE struct simd_reg simd_reg_select_gt(struct simd_reg a, struct simd_reg b,
                                             struct simd_reg x, struct simd_reg z)
{
    __m256 gt = _mm256_cmp_ps(a.v, b.v, _CMP_GT_OQ);
    return (struct simd_reg){_mm256_blendv_ps(z.v, x.v, gt)};
}

SIMD_PURE struct simd_reg simd_reg_abs(struct simd_reg a)
{
    return (struct simd_reg){_mm256_andnot_ps(_mm256_set1_ps(-0.0f), a.v)};
}

SIMD_PURE struct simd_reg simd_reg_copysign(struct simd_reg magnitude, struct simd_reg sign)
{
    __m256 sign_bit = _mm256_and_ps(_mm256_set1_ps(-0.0f), sign.v);
    return (struct simd_reg){_mm256_or_ps(simd_reg_abs(magnitude).v, sign_bit)};
}

SIMD_PURE struct simd_reg simd_reg_scale2(struct simd_reg p, struct simd_reg t)
{
    __m256i n = _mm256_sub_epi32(_mm256_castps_si256(t.v), _mm256_set1_epi32(0x4B400000));
    __m256i first = _mm256_srai_epi32(n, 1), second = _mm256_sub_epi32(n, first);
    __m256i bias = _mm256_set1_epi32(127);
    __m256 a = _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_add_epi32(first, bias), 23));
    __m256 b = _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_add_epi32(second, bias), 23));
    return (struct simd_reg){_mm256_mul_ps(_mm256_mul_ps(p.v, a), b)};
}

SIMD_PURE float simd_reg_max_lane(struct simd_reg a)
{
    __m128 x = _mm_max_ps(_mm256_castps256_ps128(a.v), _mm256_extractf128_ps(a.v, 1));
    x = _mm_max_ps(x, _mm_movehl_ps(x, x));
    return _mm_cvtss_f32(_mm_max_ss(x, _mm_movehdup_ps(x)));
}

SIMD_PURE void simd_fold4(const struct simd_f32 a[4], float out[4])
{
    __m256 x[4];
    SIMD_UNROLL
    for (int j = 0; j < 4; j++)
        x[j] = _mm256_add_ps(a[j].r[0].v, a[j].r[1].v);
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

#endif
