/* simd on AVX-512F: all sixteen lanes in one register. Included by simd.h alone. */
#ifndef KERNELS_CPU_SIMD_AVX512_H
#define KERNELS_CPU_SIMD_AVX512_H

#include <immintrin.h>

enum {
    SIMD_REG_LANES = 16,
    SIMD_DOT_ROWS = 4, /* 16 sums + 4 cells + 1 of the 32 registers */
    SIMD_DOT_COLS = 4,
    SIMD_ADD_ROWS = 8, /* 16 sums + 2 cells + 1 */
    SIMD_ADD_REGS = 2,
    SIMD_FEW_ADD_REGS = 4, /* 8 sums + 4 cells + 1 */
};

struct simd_reg {
    __m512 v;
};

struct simd_f32 {
    struct simd_reg r[SIMD_LANES / SIMD_REG_LANES];
};

SIMD_PURE struct simd_reg simd_reg_set1(float x)
{
    return (struct simd_reg){_mm512_set1_ps(x)};
}

SIMD_FN struct simd_reg simd_reg_load(const float *p)
{
    return (struct simd_reg){_mm512_loadu_ps(p)};
}

SIMD_FN void simd_reg_store(float *p, struct simd_reg a)
{
    _mm512_storeu_ps(p, a.v);
}

SIMD_FN struct simd_reg simd_reg_load_f16(const uint16_t *p)
{
    return (struct simd_reg){_mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)(const void *)p))};
}

SIMD_FN struct simd_reg simd_reg_load_bf16(const uint16_t *p)
{
    __m256i h = _mm256_loadu_si256((const __m256i *)(const void *)p);
    return (struct simd_reg){_mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(h), 16))};
}

SIMD_FN void simd_reg_store_f16(uint16_t *p, struct simd_reg a)
{
    __m256i h = _mm512_cvtps_ph(a.v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
    _mm256_storeu_si256((__m256i *)(void *)p, h);
}

SIMD_PURE struct simd_reg simd_reg_add(struct simd_reg a, struct simd_reg b)
{
    return (struct simd_reg){_mm512_add_ps(a.v, b.v)};
}

SIMD_PURE struct simd_reg simd_reg_sub(struct simd_reg a, struct simd_reg b)
{
    return (struct simd_reg){_mm512_sub_ps(a.v, b.v)};
}

SIMD_PURE struct simd_reg simd_reg_mul(struct simd_reg a, struct simd_reg b)
{
    return (struct simd_reg){_mm512_mul_ps(a.v, b.v)};
}

SIMD_PURE struct simd_reg simd_reg_div(struct simd_reg a, struct simd_reg b)
{
    return (struct simd_reg){_mm512_div_ps(a.v, b.v)};
}

SIMD_PURE struct simd_reg simd_reg_max(struct simd_reg a, struct simd_reg b)
{
    return (struct simd_reg){_mm512_max_ps(a.v, b.v)};
}

SIMD_PURE struct simd_reg simd_reg_fma(struct simd_reg a, struct simd_reg b, struct simd_reg c)
{
    return (struct simd_reg){_mm512_fmadd_ps(a.v, b.v, c.v)};
}

SIMD_PURE struct simd_reg simd_reg_fnma(struct simd_reg a, struct simd_reg b, struct simd_reg c)
{
    return (struct simd_reg){_mm512_fnmadd_ps(a.v, b.v, c.v)};
}

SIMD_PURE struct simd_reg simd_reg_select_gt(struct simd_reg a, struct simd_reg b,
                                             struct simd_reg x, struct simd_reg z)
{
    __mmask16 gt = _mm512_cmp_ps_mask(a.v, b.v, _CMP_GT_OQ);
    return (struct simd_reg){_mm512_mask_blend_ps(gt, z.v, x.v)};
}

SIMD_PURE struct simd_reg simd_reg_abs(struct simd_reg a)
{
    return (struct simd_reg){_mm512_abs_ps(a.v)};
}

SIMD_PURE struct simd_reg simd_reg_copysign(struct simd_reg magnitude, struct simd_reg sign)
{
    __m512i sign_bit = _mm512_set1_epi32(INT32_MIN);
    __m512i y = _mm512_ternarylogic_epi32(sign_bit, _mm512_castps_si512(sign.v),
                                          _mm512_castps_si512(magnitude.v), 0xCA); /* bit select */
    return (struct simd_reg){_mm512_castsi512_ps(y)};
}

SIMD_PURE struct simd_reg simd_reg_scale2(struct simd_reg p, struct simd_reg t)
{
    __m512i n = _mm512_sub_epi32(_mm512_castps_si512(t.v), _mm512_set1_epi32(0x4B400000));
    __m512i first = _mm512_srai_epi32(n, 1), second = _mm512_sub_epi32(n, first);
    __m512i bias = _mm512_set1_epi32(127);
    __m512 a = _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_add_epi32(first, bias), 23));
    __m512 b = _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_add_epi32(second, bias), 23));
    return (struct simd_reg){_mm512_mul_ps(_mm512_mul_ps(p.v, a), b)};
}

SIMD_PURE float simd_reg_max_lane(struct simd_reg a)
{
    return _mm512_reduce_max_ps(a.v);
}

SIMD_PURE void simd_fold4(const struct simd_f32 a[4], float out[4])
{
    /* 128-bit quarters: 0x44 = low halves of both, 0xEE = high halves, 0x88 = quarters 0 and 2,
     * 0xDD = 1 and 3 */
    __m512 ab = _mm512_add_ps(_mm512_shuffle_f32x4(a[0].r[0].v, a[1].r[0].v, 0x44),
                              _mm512_shuffle_f32x4(a[0].r[0].v, a[1].r[0].v, 0xEE));
    __m512 cd = _mm512_add_ps(_mm512_shuffle_f32x4(a[2].r[0].v, a[3].r[0].v, 0x44),
                              _mm512_shuffle_f32x4(a[2].r[0].v, a[3].r[0].v, 0xEE));
    __m512 x =
        _mm512_add_ps(_mm512_shuffle_f32x4(ab, cd, 0x88), _mm512_shuffle_f32x4(ab, cd, 0xDD));
    x = _mm512_add_ps(x, _mm512_permute_ps(x, 0xEE)); /* i with i+2 in each quarter */
    x = _mm512_add_ps(x, _mm512_permute_ps(x, 0x55)); /* then 0 with 1 */
    __m512i pick = _mm512_setr_epi32(0, 4, 8, 12, 0, 4, 8, 12, 0, 4, 8, 12, 0, 4, 8, 12);
    _mm_storeu_ps(out, _mm512_castps512_ps128(_mm512_permutexvar_ps(pick, x)));
}

#endif
