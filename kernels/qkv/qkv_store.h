/* qkv_store: what lies between the projections and attention: per-head RMS norm of q and k (with
 * weight) and v (without), NeoX-style RoPE on q and k, and the store of k and v into the cache.
 * gemma4-text 3.4, 3.5
 *   q_h = rope(rms(q_h, q_norm), p)   k_g = rope(rms(k_g, k_norm), p)   v_g = rms(v_g)
 *   rope: element j pairs with j + E/2; angle a_j = p * inv_freq[j] in double, its sine and cosine
 *   in double, rounded to f32.
 * Layers that share one projection for K and V pass v = k: both are read raw, neither is written.
 */
#ifndef KERNELS_QKV_QKV_STORE_H
#define KERNELS_QKV_QKV_STORE_H

#include "kernels/kv_view.h"

enum { QKV_MAX_HEAD_DIM = 512 };

/* Against the f64 reference: q as rmsnorm plus a rotation of f32 sines (~1e-7, squared 1e-14, times
 * ten), and so are k and v in f32 cells; f16 cells round them, where a value near a tie may fall
 * the other way: 2^-11 squared, rarely. */
#define QKV_STORE_MAX_NMSE_F32 1e-13
#define QKV_STORE_MAX_NMSE_F16 1e-9

struct qkv_store_args {
    float *q;               /* [T, H, E], normed and rotated in place */
    const float *k;         /* [T, K, E] raw projection */
    const float *v;         /* [T, K, E] raw projection; may equal k */
    const float *q_norm;    /* [E] */
    const float *k_norm;    /* [E] */
    const double *inv_freq; /* [E/2] radians per position; 0 = pair is not rotated */
    const int32_t *pos;     /* [T] absolute positions, >= 0 */
    const int32_t *seq;     /* [T] row of the page table */
    struct kv_view kv;      /* cell (seq, pos) is written */
    uint32_t n_rows;        /* T */
    uint32_t n_heads;       /* H */
    uint32_t n_kv_heads;    /* K */
    uint32_t head_dim;      /* E, a multiple of 16, <= QKV_MAX_HEAD_DIM */
    float eps;
};

/* Scalar truth in f64. */
void qkv_store_ref(const void *args);

#endif
