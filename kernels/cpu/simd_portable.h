/* simd on plain C: what every other set must equal. Included by simd.h alone. */
#ifndef KERNELS_CPU_SIMD_PORTABLE_H
#define KERNELS_CPU_SIMD_PORTABLE_H

#include "kernels/cpu/f16.h"
#include "kernels/quant/half.h"

enum {
    SIMD_REG_LANES = 16,
    SIMD_DOT_ROWS = 2,
    SIMD_DOT_COLS = 2,
    SIMD_ADD_ROWS = 2,
    SIMD_ADD_REGS = 2,
    SIMD_FEW_ADD_REGS = 2,
};

struct simd_reg {
    float v[16];
};

struct simd_f32 {
    struct simd_reg r[1];
};

#define SIMD_EACH(expr)                                                                            \
    struct simd_reg y;                                                                             \
    for (int i = 0; i < 16; i++)                                                                   \
        y.v[i] = (expr);                                                                           \
    return y

SIMD_PURE struct simd_reg simd_reg_set1(float x)
{
    SIMD_EACH(x);
}

SIMD_FN struct simd_reg simd_reg_load(const float *p)
{
    SIMD_EACH(p[i]);
}

SIMD_FN void simd_reg_store(float *p, struct simd_reg a)
{
    memcpy(p, a.v, sizeof a.v);
}

SIMD_FN struct simd_reg simd_reg_load_f16(const uint16_t *p)
{
    SIMD_EACH(half_from_f16(p[i]));
}

SIMD_FN struct simd_reg simd_reg_load_bf16(const uint16_t *p)
{
    SIMD_EACH(half_from_bf16(p[i]));
}

SIMD_FN void simd_reg_store_f16(uint16_t *p, struct simd_reg a)
{
    for (int i = 0; i < 16; i++)
        p[i] = f16_from_f32(a.v[i]);
}

SIMD_PURE struct simd_reg simd_reg_add(struct simd_reg a, struct simd_reg b)
{
    SIMD_EACH(a.v[i] + b.v[i]);
}

SIMD_PURE struct simd_reg simd_reg_sub(struct simd_reg a, struct simd_reg b)
{
    SIMD_EACH(a.v[i] - b.v[i]);
}

SIMD_PURE struct simd_reg simd_reg_mul(struct simd_reg a, struct simd_reg b)
{
    SIMD_EACH(a.v[i] * b.v[i]);
}

SIMD_PURE struct simd_reg simd_reg_div(struct simd_reg a, struct simd_reg b)
{
    SIMD_EACH(a.v[i] / b.v[i]);
}

SIMD_PURE struct simd_reg simd_reg_fma(struct simd_reg a, struct simd_reg b, struct simd_reg c)
{
    SIMD_EACH(fmaf(a.v[i], b.v[i], c.v[i]));
}

SIMD_PURE struct simd_reg simd_reg_fnma(struct simd_reg a, struct simd_reg b, struct simd_reg c)
{
    SIMD_EACH(fmaf(-a.v[i], b.v[i], c.v[i]));
}

SIMD_PURE struct simd_reg simd_reg_max(struct simd_reg a, struct simd_reg b)
{
    SIMD_EACH(a.v[i] > b.v[i] ? a.v[i] : b.v[i]);
}

SIMD_PURE struct simd_reg simd_reg_select_gt(struct simd_reg a, struct simd_reg b,
                                             struct simd_reg x, struct simd_reg z)
{
    SIMD_EACH(a.v[i] > b.v[i] ? x.v[i] : z.v[i]);
}

SIMD_PURE struct simd_reg simd_reg_abs(struct simd_reg a)
{
    SIMD_EACH(fabsf(a.v[i]));
}

SIMD_PURE struct simd_reg simd_reg_copysign(struct simd_reg magnitude, struct simd_reg sign)
{
    SIMD_EACH(copysignf(magnitude.v[i], sign.v[i]));
}

SIMD_PURE struct simd_reg simd_reg_scale2(struct simd_reg p, struct simd_reg t)
{
    struct simd_reg y;
    for (int i = 0; i < 16; i++) {
        int32_t n;
        memcpy(&n, &t.v[i], sizeof n);
        n -= 0x4B400000;
        int32_t first = n >> 1, second = n - first;
        uint32_t bits[2] = {(uint32_t)(first + 127) << 23, (uint32_t)(second + 127) << 23};
        float step[2];
        memcpy(step, bits, sizeof step);
        y.v[i] = p.v[i] * step[0] * step[1];
    }
    return y;
}

SIMD_PURE float simd_reg_max_lane(struct simd_reg a)
{
    float most = a.v[0];
    for (int i = 1; i < 16; i++)
        most = a.v[i] > most ? a.v[i] : most;
    return most;
}

SIMD_PURE void simd_fold4(const struct simd_f32 a[4], float out[4])
{
    for (int j = 0; j < 4; j++) {
        struct simd_reg x = a[j].r[0];
        for (int half = 8; half > 0; half /= 2)
            for (int i = 0; i < half; i++)
                x.v[i] += x.v[i + half];
        out[j] = x.v[0];
    }
}

#undef SIMD_EACH
#endif
