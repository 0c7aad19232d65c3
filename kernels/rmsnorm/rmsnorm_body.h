/* rmsnorm_body: a row's sum of squares in 16 lanes (lane = column % 16, ascending, fma), folded;
 * then t = x * (1 / sqrt(sum / D + eps)) and y = out_scale * (t * w), or out_scale * fma(t, w,
 * resid). Rows are split over threads. */
#ifndef KERNELS_RMSNORM_RMSNORM_BODY_H
#define KERNELS_RMSNORM_RMSNORM_BODY_H

#include "kernels/cpu/simd.h"
#include "kernels/rmsnorm/rmsnorm.h"
#include "runtime/base/pool.h"

/* 1 / sqrt(mean(x^2) + eps) of one row or head of n elements. */
SIMD_FN float rmsnorm_inverse(const float *x, uint32_t n, float eps)
{
    struct simd_f32 sum = simd_zero();
    uint32_t c = 0;
    for (; c + SIMD_LANES <= n; c += SIMD_LANES) {
        struct simd_f32 v = simd_load(x + c);
        sum = simd_fma(v, v, sum);
    }
    if (c < n) {
        struct simd_f32 v = simd_load_part(x + c, n - c);
        sum = simd_fma(v, v, sum);
    }
    return 1.0f / sqrtf(simd_sum(sum) / (float)n + eps);
}

struct rmsnorm_row {
    const float *x, *w, *resid; /* [D]; w and resid may be NULL */
    float inverse, out_scale;
};

SIMD_PURE struct simd_f32 rmsnorm_lanes(const struct rmsnorm_row *r, struct simd_f32 x,
                                        struct simd_f32 w, struct simd_f32 resid)
{
    struct simd_f32 t = simd_mul(x, simd_set1(r->inverse));
    if (r->resid)
        t = simd_fma(t, w, resid);
    else
        t = simd_mul(t, w);
    return simd_mul(t, simd_set1(r->out_scale));
}

static void rmsnorm_body(const struct rmsnorm_args *a, uint32_t tid, uint32_t n_tid)
{
    uint64_t begin, end;
    pool_share(a->n_rows, 1, tid, n_tid, &begin, &end);
    const struct simd_f32 one = simd_set1(1.0f), none = simd_zero();
    for (uint64_t t = begin; t < end; t++) {
        const uint64_t at = t * a->d_model;
        struct rmsnorm_row r = {a->x + at, a->w, a->resid ? a->resid + at : NULL, 0, a->out_scale};
        float *y = a->y + at;
        r.inverse = rmsnorm_inverse(r.x, a->d_model, a->eps);
        uint32_t c = 0;
        for (; c + SIMD_LANES <= a->d_model; c += SIMD_LANES)
            simd_store(y + c, rmsnorm_lanes(&r, simd_load(r.x + c), r.w ? simd_load(r.w + c) : one,
                                            r.resid ? simd_load(r.resid + c) : none));
        uint32_t n = a->d_model - c;
        if (n)
            simd_store_part(y + c,
                            rmsnorm_lanes(&r, simd_load_part(r.x + c, n),
                                          r.w ? simd_load_part(r.w + c, n) : one,
                                          r.resid ? simd_load_part(r.resid + c, n) : none),
                            n);
    }
}

#endif
