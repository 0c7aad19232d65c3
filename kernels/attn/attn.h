/* attn: out_h = sum_p softmax_p(q_h . k_g(p)) v_g(p), g = h / (H/K), over the positions p that row
 * t may see: 0 <= p <= pos[t], and for window > 0 also pos[t] - p < window. gemma4-text 3.6, 3.7;
 * scale 1, no cap, no sinks.
 *
 * Canonical order (kernels/cpu/simd.h names the lanes and the fold):
 *   score(p)  lane = element % 16, fma in ascending element, fold.
 *   page      KV_PAGE_TOKENS positions from a multiple of it; cells outside the row's range take no
 *             part. m = the maximal score, w(p) = exp(score(p) - m),
 *             l = w summed in lanes cell % 16, ascending, fold,
 *             acc[e] = fma(w(p), v(p)[e], acc[e]) in ascending p from 0.
 *   merge     pages in ascending position: m' = max(m, m_page),
 *             a = exp(m - m'), b = exp(m_page - m'),
 *             l = fma(l_page, b, l * a), acc = fma(acc_page, b, acc * a).
 *   end       out = acc * (1 / l).
 * So results depend on absolute positions alone: not on the other rows, on how a prompt was cut, or
 * on how the work was split. */
#ifndef KERNELS_ATTN_ATTN_H
#define KERNELS_ATTN_ATTN_H

#include "kernels/kv_view.h"

enum { ATTN_MAX_HEAD_DIM = 512 };

/* Against the f64 reference: f32 scores of up to |q||k| ~ 50 carry ~3e-6 absolute error into the
 * exponent, so outputs are off by ~3e-6 relative, squared 1e-11; ten times that is allowed. */
#define ATTN_MAX_NMSE 1e-10

struct attn_args {
    const float *q;     /* [T, H, E] after norm and RoPE */
    float *out;         /* [T, H, E]; overlaps no input */
    const int32_t *pos; /* [T] absolute positions, >= 0 */
    const int32_t *seq; /* [T] row of the page table */
    struct kv_view kv;
    uint32_t n_rows;     /* T */
    uint32_t n_heads;    /* H, a multiple of K */
    uint32_t n_kv_heads; /* K */
    uint32_t head_dim;   /* E, a multiple of 16, <= ATTN_MAX_HEAD_DIM */
    uint32_t window;     /* W, 0 = unlimited */
};

/* First position row t may see. */
static inline uint32_t attn_first_pos(const struct attn_args *a, uint32_t t)
{
    uint32_t pos = (uint32_t)a->pos[t];
    return a->window && pos >= a->window ? pos - a->window + 1 : 0;
}

/* Scalar truth in f64. */
void attn_ref(const void *args);

#endif
