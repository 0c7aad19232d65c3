/* vmath: exp and tanh on sixteen lanes, the same bits on every instruction set
 * (kernels/cpu/simd.h). exp(x) = 2^n (1 + r + r^2 q(r)), n = rint(x / ln 2), |r| <= ln 2 / 2, q of
 * degree 4. Minimax error of the polynomial 3.2e-9 relative; with rounding <= VMATH_EXP_MAX_ULP
 * against libm, subnormal results and overflow included. tanh(x) = x + x^3 p(x^2) for |x| <= 0.625
 * (p of degree 5, 1.6e-10 relative), else 1 - 2 / (exp(2|x|) + 1) with the sign of x; <=
 * VMATH_TANH_MAX_ULP. Coefficients: Remez exchange in 40 digits, rounded to f32. The budgets are
 * checked in vmath_test.c. */
#ifndef KERNELS_CPU_VMATH_H
#define KERNELS_CPU_VMATH_H

#include "kernels/cpu/simd.h"

#define VMATH_EXP_MAX_ULP  1.2 /* 1.03 seen */
#define VMATH_TANH_MAX_ULP 1.5 /* 1.27 seen */

SIMD_PURE struct simd_f32 vmath_exp(struct simd_f32 x)
{
    /* Beyond these the result is infinity or 0 already; the bounds keep n within what scale2 can
     * build. */
    struct simd_f32 most = simd_set1(89.0f), least = simd_set1(-105.0f);
    x = simd_select_gt(x, most, most, x);
    x = simd_select_gt(least, x, least, x);
    struct simd_f32 t = simd_fma(x, simd_set1(0x1.715476p+0f), simd_set1(SIMD_ROUND));
    struct simd_f32 n = simd_sub(t, simd_set1(SIMD_ROUND));
    struct simd_f32 r =
        simd_fnma(n, simd_set1(0x1.62p-1f), x); /* ln 2 in two parts; n * first is exact */
    r = simd_fnma(n, simd_set1(0x1.c85fep-10f), r);
    struct simd_f32 q = simd_set1(0x1.6db4eap-10f);
    q = simd_fma(q, r, simd_set1(0x1.123bdep-7f));
    q = simd_fma(q, r, simd_set1(0x1.55545ep-5f));
    q = simd_fma(q, r, simd_set1(0x1.55548ep-3f));
    q = simd_fma(q, r, simd_set1(0.5f));
    struct simd_f32 p = simd_add(simd_fma(simd_mul(r, r), q, r), simd_set1(1.0f));
    return simd_scale2(p, t);
}

SIMD_PURE struct simd_f32 vmath_tanh(struct simd_f32 x)
{
    struct simd_f32 a = simd_abs(x), z = simd_mul(a, a), one = simd_set1(1.0f);
    struct simd_f32 p = simd_set1(0x1.18e1dep-9f);
    p = simd_fma(p, z, simd_set1(-0x1.0bf4fcp-7f));
    p = simd_fma(p, z, simd_set1(0x1.638b58p-6f));
    p = simd_fma(p, z, simd_set1(-0x1.b9ee9p-5f));
    p = simd_fma(p, z, simd_set1(0x1.111066p-3f));
    p = simd_fma(p, z, simd_set1(-0x1.555554p-2f));
    struct simd_f32 near_zero = simd_fma(simd_mul(a, z), p, a);
    struct simd_f32 grown = simd_add(vmath_exp(simd_add(a, a)), one);
    struct simd_f32 far_out = simd_sub(one, simd_div(simd_set1(2.0f), grown));
    return simd_copysign(simd_select_gt(a, simd_set1(0.625f), far_out, near_zero), x);
}

#endif
