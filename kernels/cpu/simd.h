/* simd: sixteen float lanes with one meaning on every instruction set. Op bodies are written once
 * on these wrappers and compiled once per set (kernels/cpu/body_*.c); each wrapper is one IEEE
 * operation per lane, so all sets give the same bits. Element i of a row lives in lane i % 16; sums
 * over lanes fold i with i+8, then i+4, i+2, i+1.
 *
 * Every set provides, with struct simd_f32 as its register type:
 *   zero set1 load store load_f16 store_f16   store_f16 rounds to nearest even
 *   add sub mul div   fma(a,b,c) = a*b + c, fnma(a,b,c) = c - a*b, one rounding
 *   max(a,b) = a > b ? a : b     select_gt(a,b,x,y) = a > b ? x : y     abs copysign(magnitude,
 * sign) scale2(p,t) = p * 2^n, n = the integer that t = n + SIMD_ROUND carries; two exact-power
 * steps, one rounding fold4(a,out)  out[j] = the folded sum of a[j], j = 0..3 and the register
 * tiles that suit its register file: SIMD_DOT_ROWS x SIMD_DOT_COLS, SIMD_AXPY_ROWS. */
#ifndef KERNELS_CPU_SIMD_H
#define KERNELS_CPU_SIMD_H

#include <math.h>
#include <stdint.h>
#include <string.h>

enum { SIMD_LANES = 16 };

#define SIMD_FN static inline __attribute__((always_inline, unused))

/* Unroll a loop over an array of registers whose trip count is a constant, so that the array stays
 * in registers. */
#if defined(__clang__)
#define SIMD_UNROLL _Pragma("clang loop unroll(full)")
#else
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

/* The folded sum of all lanes. */
SIMD_FN float simd_sum(struct simd_f32 a)
{
    float x[SIMD_LANES];
    simd_store(x, a);
    for (int half = 8; half > 0; half /= 2)
        for (int i = 0; i < half; i++)
            x[i] += x[i + half];
    return x[0];
}

SIMD_FN float simd_max_lane(struct simd_f32 a)
{
    float x[SIMD_LANES];
    simd_store(x, a);
    for (int half = 8; half > 0; half /= 2)
        for (int i = 0; i < half; i++)
            x[i] = x[i] > x[i + half] ? x[i] : x[i + half];
    return x[0];
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
