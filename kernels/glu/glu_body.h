/* glu_body: gelu(t) = t / (1 + exp(-2 u)), u = sqrt(2/pi) (t + 0.044715 t^3): the same function as
 * with tanh, without the cancellation of 1 + tanh(u) at negative t. Elements are independent and
 * split over threads by 16. */
#ifndef KERNELS_GLU_GLU_BODY_H
#define KERNELS_GLU_GLU_BODY_H

#include "kernels/cpu/vmath.h"
#include "kernels/glu/glu.h"
#include "runtime/base/pool.h"

SIMD_PURE struct simd_f32 glu_lanes(struct simd_f32 gate, struct simd_f32 up)
{
    /* -2 u = t (c1 + c3 t^2), c1 = -2 sqrt(2/pi), c3 = 0.044715 c1 */
    struct simd_f32 square = simd_mul(gate, gate);
    struct simd_f32 factor =
        simd_fma(square, simd_set1(-0.0713548162726f), simd_set1(-1.5957691216057f));
    struct simd_f32 grown = simd_add(vmath_exp(simd_mul(gate, factor)), simd_set1(1.0f));
    return simd_mul(simd_div(gate, grown), up);
}

static void glu_body(const struct glu_args *a, uint32_t tid, uint32_t n_tid)
{
    uint64_t i, end;
    pool_share((uint64_t)a->n_rows * a->n_cols, SIMD_LANES, tid, n_tid, &i, &end);
    for (; i + SIMD_LANES <= end; i += SIMD_LANES)
        simd_store(a->y + i, glu_lanes(simd_load(a->gate + i), simd_load(a->up + i)));
    uint32_t n = (uint32_t)(end - i);
    if (n)
        simd_store_part(a->y + i,
                        glu_lanes(simd_load_part(a->gate + i, n), simd_load_part(a->up + i, n)), n);
}

#endif
