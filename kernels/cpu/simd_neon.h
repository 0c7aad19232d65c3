/* simd on AArch64 Advanced SIMD: four registers. Included by simd.h alone. */
#ifndef KERNELS_CPU_SIMD_NEON_H
#define KERNELS_CPU_SIMD_NEON_H

#include <arm_neon.h>

/* 16 accumulators + 8 columns + 4 of a row of the 32 registers. */
enum { SIMD_DOT_ROWS = 2, SIMD_DOT_COLS = 2, SIMD_AXPY_ROWS = 2 };

struct simd_f32 {
    float32x4_t v[4];
};

#define SIMD_EACH(expr)                                                                            \
    struct simd_f32 y;                                                                             \
    SIMD_UNROLL for (int i = 0; i < 4; i++) y.v[i] = (expr);                                       \
    return y

SIMD_FN struct simd_f32 simd_set1(float x)
{
    SIMD_EACH(vdupq_n_f32(x));
}

SIMD_FN struct simd_f32 simd_zero(void)
{
    return simd_set1(0.0f);
}

SIMD_FN struct simd_f32 simd_load(const float *p)
{
    SIMD_EACH(vld1q_f32(p + 4 * i));
}

SIMD_FN void simd_store(float *p, struct simd_f32 a)
{
    SIMD_UNROLL
    for (int i = 0; i < 4; i++)
        vst1q_f32(p + 4 * i, a.v[i]);
}

SIMD_FN struct simd_f32 simd_load_f16(const uint16_t *p)
{
    SIMD_EACH(vcvt_f32_f16(vreinterpret_f16_u16(vld1_u16(p + 4 * i))));
}

SIMD_FN void simd_store_f16(uint16_t *p, struct simd_f32 a)
{
    SIMD_UNROLL
    for (int i = 0; i < 4; i++)
        vst1_u16(p + 4 * i, vreinterpret_u16_f16(vcvt_f16_f32(a.v[i])));
}

SIMD_FN struct simd_f32 simd_add(struct simd_f32 a, struct simd_f32 b)
{
    SIMD_EACH(vaddq_f32(a.v[i], b.v[i]));
}

SIMD_FN struct simd_f32 simd_sub(struct simd_f32 a, struct simd_f32 b)
{
    SIMD_EACH(vsubq_f32(a.v[i], b.v[i]));
}

SIMD_FN struct simd_f32 simd_mul(struct simd_f32 a, struct simd_f32 b)
{
    SIMD_EACH(vmulq_f32(a.v[i], b.v[i]));
}

SIMD_FN struct simd_f32 simd_div(struct simd_f32 a, struct simd_f32 b)
{
    SIMD_EACH(vdivq_f32(a.v[i], b.v[i]));
}

SIMD_FN struct simd_f32 simd_fma(struct simd_f32 a, struct simd_f32 b, struct simd_f32 c)
{
    SIMD_EACH(vfmaq_f32(c.v[i], a.v[i], b.v[i]));
}

SIMD_FN struct simd_f32 simd_fnma(struct simd_f32 a, struct simd_f32 b, struct simd_f32 c)
{
    SIMD_EACH(vfmsq_f32(c.v[i], a.v[i], b.v[i]));
}

SIMD_FN struct simd_f32 simd_max(struct simd_f32 a, struct simd_f32 b)
{
    SIMD_EACH(vbslq_f32(vcgtq_f32(a.v[i], b.v[i]), a.v[i], b.v[i]));
}

SIMD_FN struct simd_f32 simd_select_gt(struct simd_f32 a, struct simd_f32 b, struct simd_f32 x,
                                       struct simd_f32 z)
{
    SIMD_EACH(vbslq_f32(vcgtq_f32(a.v[i], b.v[i]), x.v[i], z.v[i]));
}

SIMD_FN struct simd_f32 simd_abs(struct simd_f32 a)
{
    SIMD_EACH(vabsq_f32(a.v[i]));
}

SIMD_FN struct simd_f32 simd_copysign(struct simd_f32 magnitude, struct simd_f32 sign)
{
    SIMD_EACH(vbslq_f32(vdupq_n_u32(0x80000000u), sign.v[i], magnitude.v[i]));
}

SIMD_FN float32x4_t simd_scale2_quarter(float32x4_t p, float32x4_t t)
{
    int32x4_t n = vsubq_s32(vreinterpretq_s32_f32(t), vdupq_n_s32(0x4B400000));
    int32x4_t first = vshrq_n_s32(n, 1), second = vsubq_s32(n, first), bias = vdupq_n_s32(127);
    float32x4_t a = vreinterpretq_f32_s32(vshlq_n_s32(vaddq_s32(first, bias), 23));
    float32x4_t b = vreinterpretq_f32_s32(vshlq_n_s32(vaddq_s32(second, bias), 23));
    return vmulq_f32(vmulq_f32(p, a), b);
}

SIMD_FN struct simd_f32 simd_scale2(struct simd_f32 p, struct simd_f32 t)
{
    SIMD_EACH(simd_scale2_quarter(p.v[i], t.v[i]));
}

SIMD_FN void simd_fold4(const struct simd_f32 a[4], float out[4])
{
    float32x4_t x[4];
    SIMD_UNROLL
    for (int j = 0; j < 4; j++) /* i with i+8, then i with i+4 */
        x[j] = vaddq_f32(vaddq_f32(a[j].v[0], a[j].v[2]), vaddq_f32(a[j].v[1], a[j].v[3]));
    /* i with i+2: a0+a2 a1+a3 b0+b2 b1+b3, then neighbours */
    float32x4_t ab = vaddq_f32(vcombine_f32(vget_low_f32(x[0]), vget_low_f32(x[1])),
                               vcombine_f32(vget_high_f32(x[0]), vget_high_f32(x[1])));
    float32x4_t cd = vaddq_f32(vcombine_f32(vget_low_f32(x[2]), vget_low_f32(x[3])),
                               vcombine_f32(vget_high_f32(x[2]), vget_high_f32(x[3])));
    vst1q_f32(out, vpaddq_f32(ab, cd));
}

#undef SIMD_EACH
#endif
