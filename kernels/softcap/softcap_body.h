/* softcap_body: cap * tanh(x / cap) lane by lane; elements are independent and split over threads
 * by 16. */
#ifndef KERNELS_SOFTCAP_SOFTCAP_BODY_H
#define KERNELS_SOFTCAP_SOFTCAP_BODY_H

#include "kernels/cpu/vmath.h"
#include "kernels/softcap/softcap.h"
#include "runtime/base/pool.h"

SIMD_PURE struct simd_f32 softcap_lanes(struct simd_f32 x, struct simd_f32 cap)
{
    return simd_mul(cap, vmath_tanh(simd_div(x, cap)));
}

static void softcap_body(const struct softcap_args *a, uint32_t tid, uint32_t n_tid)
{
    const struct simd_f32 cap = simd_set1(a->cap);
    uint64_t i, end;
    pool_share((uint64_t)a->n_rows * a->n_cols, SIMD_LANES, tid, n_tid, &i, &end);
    for (; i + SIMD_LANES <= end; i += SIMD_LANES)
        simd_store(a->x + i, softcap_lanes(simd_load(a->x + i), cap));
    uint32_t n = (uint32_t)(end - i);
    if (n)
        simd_store_part(a->x + i, softcap_lanes(simd_load_part(a->x + i, n), cap), n);
}

#endif
