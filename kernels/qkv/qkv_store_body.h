/* qkv_store_body: one head at a time in a stack buffer: norm (rmsnorm_inverse), rotation, store. A
 * thread takes a run of (row, head) pairs and builds a row's sines and cosines once. The angle's
 * sine and cosine are computed in double by plain IEEE operations, so they do not depend on the
 * instruction set or on the C library (except beyond 2^20 radians). rotation: y[j] = fnma(x[j +
 * E/2], s, x[j] * c), y[j + E/2] = fma(x[j], s, x[j + E/2] * c) */
#ifndef KERNELS_QKV_QKV_STORE_BODY_H
#define KERNELS_QKV_QKV_STORE_BODY_H

#include "kernels/cpu/kv_cell.h"
#include "kernels/qkv/qkv_store.h"
#include "kernels/rmsnorm/rmsnorm_body.h"

struct qkv_rot {
    float cos[QKV_MAX_HEAD_DIM / 2];
    float sin[QKV_MAX_HEAD_DIM / 2];
};

/* |a| <= 2^20. a = n pi/2 + r with pi/2 in three parts of 33 bits (n times each of the first two is
 * exact), then the Taylor series of sine and cosine on |r| <= pi/4: remainders below 1e-16. */
static void qkv_sincos(double a, double *sin_out, double *cos_out)
{
    const double round = 0x1.8p52;
    double turns = a * 0x1.45f306dc9c883p-1 + round;
    int64_t n;
    memcpy(&n, &turns, sizeof n);
    turns -= round;
    double r = a - turns * 0x1.921fb544p+0;
    r -= turns * 0x1.0b4611a6p-34;
    r -= turns * 0x1.3198a2e037073p-69;
    double z = r * r;
    double s = -1.0 / 1307674368000.0;
    s = s * z + 1.0 / 6227020800.0;
    s = s * z - 1.0 / 39916800.0;
    s = s * z + 1.0 / 362880.0;
    s = s * z - 1.0 / 5040.0;
    s = s * z + 1.0 / 120.0;
    s = s * z - 1.0 / 6.0;
    s = r + r * z * s;
    double c = 1.0 / 20922789888000.0;
    c = c * z - 1.0 / 87178291200.0;
    c = c * z + 1.0 / 479001600.0;
    c = c * z - 1.0 / 3628800.0;
    c = c * z + 1.0 / 40320.0;
    c = c * z - 1.0 / 720.0;
    c = c * z + 1.0 / 24.0;
    c = c * z - 0.5;
    c = 1.0 + z * c;
    double swapped_s = n & 1 ? c : s, swapped_c = n & 1 ? s : c;
    *sin_out = n & 2 ? -swapped_s : swapped_s;
    *cos_out = (n + 1) & 2 ? -swapped_c : swapped_c;
}

static void qkv_build_rot(const struct qkv_store_args *a, int32_t pos, struct qkv_rot *rot)
{
    for (uint32_t j = 0; j < a->head_dim / 2; j++) {
        double angle = (double)pos * a->inv_freq[j], s, c;
        if (fabs(angle) <= 0x1p20)
            qkv_sincos(angle, &s, &c);
        else
            sincos(angle, &s, &c);
        rot->cos[j] = (float)c;
        rot->sin[j] = (float)s;
    }
}

/* y = w * x * inverse; w NULL means 1. */
SIMD_FN void qkv_norm_head(const float *x, const float *w, const struct qkv_store_args *a, float *y)
{
    struct simd_f32 inverse = simd_set1(rmsnorm_inverse(x, a->head_dim, a->eps));
    for (uint32_t c = 0; c < a->head_dim; c += SIMD_LANES) {
        struct simd_f32 t = simd_mul(simd_load(x + c), inverse);
        simd_store(y + c, w ? simd_mul(t, simd_load(w + c)) : t);
    }
}

SIMD_FN void qkv_rotate_head(float *x, const struct qkv_rot *rot, uint32_t half)
{
    uint32_t j = 0;
    for (; j + SIMD_LANES <= half; j += SIMD_LANES) {
        struct simd_f32 c = simd_load(rot->cos + j), s = simd_load(rot->sin + j);
        struct simd_f32 lo = simd_load(x + j), hi = simd_load(x + half + j);
        simd_store(x + j, simd_fnma(hi, s, simd_mul(lo, c)));
        simd_store(x + half + j, simd_fma(lo, s, simd_mul(hi, c)));
    }
    uint32_t n = half - j; /* 0 or 8: head_dim is a multiple of 16 */
    if (n) {
        struct simd_f32 c = simd_load_part(rot->cos + j, n), s = simd_load_part(rot->sin + j, n);
        struct simd_f32 lo = simd_load_part(x + j, n), hi = simd_load_part(x + half + j, n);
        simd_store_part(x + j, simd_fnma(hi, s, simd_mul(lo, c)), n);
        simd_store_part(x + half + j, simd_fma(lo, s, simd_mul(hi, c)), n);
    }
}

/* head counts q heads, then k heads, then v heads. */
static void qkv_store_head(const struct qkv_store_args *a, uint32_t t, uint32_t head,
                           const struct qkv_rot *rot)
{
    const uint32_t E = a->head_dim;
    float x[QKV_MAX_HEAD_DIM];
    if (head < a->n_heads) {
        float *q = a->q + ((uint64_t)t * a->n_heads + head) * E;
        qkv_norm_head(q, a->q_norm, a, x);
        qkv_rotate_head(x, rot, E / 2);
        memcpy(q, x, E * sizeof *q);
        return;
    }
    uint32_t g = head - a->n_heads;
    bool is_v = g >= a->n_kv_heads;
    g -= is_v ? a->n_kv_heads : 0;
    uint64_t raw_at = ((uint64_t)t * a->n_kv_heads + g) * E;
    uint64_t cell_at =
        kv_view_cell_off_bytes(&a->kv, a->seq[t], (uint32_t)a->pos[t], g, a->n_kv_heads, E);
    if (is_v) {
        qkv_norm_head(a->v + raw_at, NULL, a, x);
        kv_cell_store(a->kv.v + cell_at, x, E, a->kv.type);
    } else {
        qkv_norm_head(a->k + raw_at, a->k_norm, a, x);
        qkv_rotate_head(x, rot, E / 2);
        kv_cell_store(a->kv.k + cell_at, x, E, a->kv.type);
    }
}

static void qkv_store_body(const struct qkv_store_args *a, uint32_t tid, uint32_t n_tid)
{
    const uint32_t n_heads = a->n_heads + 2 * a->n_kv_heads;
    uint64_t begin, end;
    pool_share((uint64_t)a->n_rows * n_heads, 1, tid, n_tid, &begin, &end);
    struct qkv_rot rot;
    uint32_t rot_row = UINT32_MAX; /* none yet */
    for (uint64_t i = begin; i < end; i++) {
        uint32_t t = (uint32_t)(i / n_heads), head = (uint32_t)(i % n_heads);
        if (t != rot_row && head < a->n_heads + a->n_kv_heads) {
            qkv_build_rot(a, a->pos[t], &rot);
            rot_row = t;
        }
        qkv_store_head(a, t, head, &rot);
    }
}

#endif
