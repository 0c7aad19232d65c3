/* simd on AArch64 Advanced SIMD: four lanes a register. Included by simd.h alone. */
#ifndef KERNELS_CPU_SIMD_NEON_H
#define KERNELS_CPU_SIMD_NEON_H

#include <arm_neon.h>

enum {
    SIMD_REG_LANES = 4,
    SIMD_DOT_ROWS = 4, /* 16 sums + 4 cells + 1 of the 32 registers */
    SIMD_DOT_COLS = 4,
    SIMD_ADD_ROWS = 4, /* 16 sums + 4 cells + 1 */
    SIMD_ADD_REGS = 4,
    SIMD_FEW_ADD_REGS = 8, /* 16 sums + 8 cells + 1 */
};

struct simd_reg {
    float32x4_t v;
};

struct simd_f32 {
    struct simd_reg r[SIMD_LANES / SIMD_REG_LANES];
};

SIMD_PURE struct simd_reg simd_reg_set1(float x)
{
    return (struct simd_reg){vdupq_n_f32(x)};
}

SIMD_FN struct simd_reg simd_reg_load(const float *p)
{
    return (struct simd_reg){vld1q_f32(p)};
}

SIMD_FN void simd_reg_store(float *p, struct simd_reg a)
{
    vst1q_f32(p, a.v);
}

SIMD_FN struct simd_reg simd_reg_load_f16(const uint16_t *p)
{
    return (struct simd_reg){vcvt_f32_f16(vreinterpret_f16_u16(vld1_u16(p)))};
}

SIMD_FN struct simd_reg simd_reg_load_bf16(const uint16_t *p)
{
    return (struct simd_reg){vreinterpretq_f32_u32(vshll_n_u16(vld1_u16(p), 16))};
}

SIMD_FN void simd_reg_store_f16(uint16_t *p, struct simd_reg a)
{
    vst1_u16(p, vreinterpret_u16_f16(vcvt_f16_f32(a.v)));
}

SIMD_PURE struct simd_reg simd_reg_add(struct simd_reg a, struct simd_reg b)
{
    return (struct simd_reg){vaddq_f32(a.v, b.v)};
}

SIMD_PURE struct simd_reg simd_reg_sub(struct simd_reg a, struct simd_reg b)
{
    return (struct simd_reg){vsubq_f32(a.v, b.v)};
}

SIMD_PURE struct simd_reg simd_reg_mul(struct simd_reg a, struct simd_reg b)
{
    return (struct simd_reg){vmulq_f32(a.v, b.v)};
}

SIMD_PURE struct simd_reg simd_reg_div(struct simd_reg a, struct simd_reg b)
{
    return (struct simd_reg){vdivq_f32(a.v, b.v)};
}

SIMD_PURE struct simd_reg simd_reg_fma(struct simd_reg a, struct simd_reg b, struct simd_reg c)
{
    return (struct simd_reg){vfmaq_f32(c.v, a.v, b.v)};
}

SIMD_PURE struct simd_reg simd_reg_fnma(struct simd_reg a, struct simd_reg b, struct simd_reg c)
{
    return (struct simd_reg){vfmsq_f32(c.v, a.v, b.v)};
}

SIMD_PURE struct simd_reg simd_reg_select_gt(struct simd_reg a, struct simd_reg b,
                                             struct simd_reg x, struct simd_reg z)
{
    return (struct simd_reg){vbslq_f32(vcgtq_f32(a.v, b.v), x.v, z.v)};
}

SIMD_PURE struct simd_reg simd_reg_max(struct simd_reg a, struct simd_reg b)
{
    return simd_reg_select_gt(a, b, a, b);
}

SIMD_PURE struct simd_reg simd_reg_abs(struct simd_reg a)
{
    return (struct simd_reg){vabsq_f32(a.v)};
}

SIMD_PURE struct simd_reg simd_reg_copysign(struct simd_reg magnitude, struct simd_reg sign)
{
    return (struct simd_reg){vbslq_f32(vdupq_n_u32(0x80000000u), sign.v, magnitude.v)};
}

SIMD_PURE struct simd_reg simd_reg_scale2(struct simd_reg p, struct simd_reg t)
{
    int32x4_t n = vsubq_s32(vreinterpretq_s32_f32(t.v), vdupq_n_s32(0x4B400000));
    int32x4_t first = vshrq_n_s32(n, 1), second = vsubq_s32(n, first), bias = vdupq_n_s32(127);
    float32x4_t a = vreinterpretq_f32_s32(vshlq_n_s32(vaddq_s32(first, bias), 23));
    float32x4_t b = vreinterpretq_f32_s32(vshlq_n_s32(vaddq_s32(second, bias), 23));
    return (struct simd_reg){vmulq_f32(vmulq_f32(p.v, a), b)};
}

SIMD_PURE float simd_reg_max_lane(struct simd_reg a)
{
    return vmaxvq_f32(a.v);
}

SIMD_PURE void simd_fold4(const struct simd_f32 a[4], float out[4])
{
    float32x4_t x[4];
    SIMD_UNROLL
    for (int j = 0; j < 4; j++) /* i with i+8, then i with i+4 */
        x[j] = vaddq_f32(vaddq_f32(a[j].r[0].v, a[j].r[2].v), vaddq_f32(a[j].r[1].v, a[j].r[3].v));
    /* i with i+2: a0+a2 a1+a3 b0+b2 b1+b3, then neighbours */
    float32x4_t ab = vaddq_f32(vcombine_f32(vget_low_f32(x[0]), vget_low_f32(x[1])),
                               vcombine_f32(vget_high_f32(x[0]), vget_high_f32(x[1])));
    float32x4_t cd = vaddq_f32(vcombine_f32(vget_low_f32(x[2]), vget_low_f32(x[3])),
                               vcombine_f32(vget_high_f32(x[2]), vget_high_f32(x[3])));
    vst1q_f32(out, vpaddq_f32(ab, cd));
}

#endif
