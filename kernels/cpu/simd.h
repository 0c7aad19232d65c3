/* simd: sixteen float lanes with one meaning on every instruction set. Op bodies are written once
 * on these wrappers and compiled once per set (kernels/cpu/body_*.c); each wrapper is one IEEE
 * operation per lane, so all sets give the same bits. Element i of a row lives in lane i % 16; sums
 * over lanes fold i with i+8, then i+4, i+2, i+1.
 *
 * struct simd_f32 is the sixteen lanes, struct simd_reg one native register of SIMD_REG_LANES of
 * them. Every set provides, on simd_reg (prefix simd_reg_; simd.h derives the same on simd_f32):
 *   set1 load store load_f16 load_bf16 store_f16    store_f16 rounds to nearest even
 *   add sub mul div    fma(a,b,c) = a*b + c, fnma(a,b,c) = c - a*b, one rounding
 *   max(a,b) = a > b ? a : b    select_gt(a,b,x,z) = a > b ? x : z    abs
 *   copysign(magnitude, sign)    max_lane(a): the greatest lane (of +0 and -0, either)
 *   scale2(p,t) = p * 2^n, n = the integer that t = n + SIMD_ROUND carries; two exact-power steps
 * and, on simd_f32, fold4(a,out): out[j] = the folded sum of a[j], j = 0..3; and the register tiles
 * that suit its register file: SIMD_DOT_ROWS x SIMD_DOT_COLS sums of products (attn_score.h),
 * SIMD_ADD_ROWS x SIMD_ADD_REGS and 2 x SIMD_FEW_ADD_REGS weighted sums (attn_value.h). */
#ifndef KERNELS_CPU_SIMD_H
#define KERNELS_CPU_SIMD_H

#include <math.h>
#include <stdint.h>
#include <string.h>

enum { SIMD_LANES = 16 };

/* SIMD_FN: wrappers and register tiles; they must be inlined and their loops unrolled, or lanes
 * leave the registers. SIMD_PURE: those that touch no memory but their operands. Plain C has no
 * registers to lose (each fma may be a library call), and address checks on the lanes of pure
 * functions find nothing but take minutes to compile. */
#if defined(SIMD_PORTABLE)
#define SIMD_FN   static __attribute__((noinline, unused))
#define SIMD_PURE static __attribute__((noinline, unused, no_sanitize("address")))
#define SIMD_UNROLL
#elif defined(__clang__)
#define SIMD_FN     static inline __attribute__((always_inline, unused))
#define SIMD_PURE   SIMD_FN
#define SIMD_UNROLL _Pragma("clang loop unroll(full)")
#else
#define SIMD_FN     static inline __attribute__((always_inline, unused))
#define SIMD_PURE   SIMD_FN
#define SIMD_UNROLL _Pragma("GCC unroll 16")
#endif

/* 1.5 * 2^23: adding it rounds |x| < 2^22 to an integer, kept in the low bits. */
static const float SIMD_ROUND = 0x1.8p23f;

#if defined(SIMD_PORTABLE)
#include "kernels/cpu/simd_portable.h"
#elif defined(__AVX512F__)
#include "kernels/cpu/simd_avx512.h"
#elif defined(__AVX2__)
#include "kernels/cpu/simd_avx2.h"
#elif defined(__ARM_NEON)
#include "kernels/cpu/simd_neon.h"
#endif

#define SIMD_EACH(expr)                                                                            \
    struct simd_f32 y;                                                                             \
    SIMD_UNROLL for (int i = 0; i < SIMD_REGS; i++) y.r[i] = (expr);                               \
    return y
#define SIMD_DERIVE1(name)                                                                         \
    SIMD_PURE struct simd_f32 simd_##name(struct simd_f32 a)                                       \
    {                                                                                              \
        SIMD_EACH(simd_reg_##name(a.r[i]));                                                        \
    }
#define SIMD_DERIVE2(name)                                                                         \
    SIMD_PURE struct simd_f32 simd_##name(struct simd_f32 a, struct simd_f32 b)                    \
    {                                                                                              \
        SIMD_EACH(simd_reg_##name(a.r[i], b.r[i]));                                                \
    }
#define SIMD_DERIVE3(name)                                                                         \
    SIMD_PURE struct simd_f32 simd_##name(struct simd_f32 a, struct simd_f32 b, struct simd_f32 c) \
    {                                                                                              \
        SIMD_EACH(simd_reg_##name(a.r[i], b.r[i], c.r[i]));                                        \
    }

enum { SIMD_REGS = SIMD_LANES / SIMD_REG_LANES };

SIMD_DERIVE1(abs)
SIMD_DERIVE2(add)
SIMD_DERIVE2(sub)
SIMD_DERIVE2(mul)
SIMD_DERIVE2(div)
SIMD_DERIVE2(max)
SIMD_DERIVE2(copysign)
SIMD_DERIVE2(scale2)
SIMD_DERIVE3(fma)
SIMD_DERIVE3(fnma)

SIMD_PURE struct simd_f32 simd_select_gt(struct simd_f32 a, struct simd_f32 b, struct simd_f32 x,
                                         struct simd_f32 z)
{
    SIMD_EACH(simd_reg_select_gt(a.r[i], b.r[i], x.r[i], z.r[i]));
}

SIMD_PURE struct simd_f32 simd_set1(float x)
{
    SIMD_EACH(simd_reg_set1(x));
}

SIMD_PURE struct simd_f32 simd_zero(void)
{
    return simd_set1(0.0f);
}

SIMD_FN struct simd_f32 simd_load(const float *p)
{
    SIMD_EACH(simd_reg_load(p + i * SIMD_REG_LANES));
}

SIMD_FN void simd_store(float *p, struct simd_f32 a)
{
    SIMD_UNROLL
    for (int i = 0; i < SIMD_REGS; i++)
        simd_reg_store(p + i * SIMD_REG_LANES, a.r[i]);
}

SIMD_FN struct simd_f32 simd_load_bf16(const uint16_t *p)
{
    SIMD_EACH(simd_reg_load_bf16(p + i * SIMD_REG_LANES));
}

SIMD_FN struct simd_f32 simd_load_f16(const uint16_t *p)
{
    SIMD_EACH(simd_reg_load_f16(p + i * SIMD_REG_LANES));
}

SIMD_FN void simd_store_f16(uint16_t *p, struct simd_f32 a)
{
    SIMD_UNROLL
    for (int i = 0; i < SIMD_REGS; i++)
        simd_reg_store_f16(p + i * SIMD_REG_LANES, a.r[i]);
}

/* The folded sum of all lanes. */
SIMD_PURE float simd_sum(struct simd_f32 a)
{
    const struct simd_f32 four[4] = {a, simd_zero(), simd_zero(), simd_zero()};
    float sums[4];
    simd_fold4(four, sums);
    return sums[0];
}

SIMD_PURE float simd_max_lane(struct simd_f32 a)
{
    struct simd_reg most = a.r[0];
    SIMD_UNROLL
    for (int i = 1; i < SIMD_REGS; i++)
        most = simd_reg_max(most, a.r[i]);
    return simd_reg_max_lane(most);
}

/* n < 16 elements, the other lanes 0. */
SIMD_FN struct simd_f32 simd_load_part(const float *p, uint32_t n)
{
    float x[SIMD_LANES] = {0};
    memcpy(x, p, n * sizeof *p);
    return simd_load(x);
}

SIMD_FN void simd_store_part(float *p, struct simd_f32 a, uint32_t n)
{
    float x[SIMD_LANES];
    simd_store(x, a);
    memcpy(p, x, n * sizeof *p);
}

#endif
