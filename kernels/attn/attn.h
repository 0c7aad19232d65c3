/* attn: out_h = sum_p softmax_p(q_h . k_g(p)) v_g(p), g = h / (H/K), over the positions row t may see:
 *   0 <= p <= pos[t], and for window > 0 also pos[t] - p < window.   gemma4-text 3.6, 3.7; scale 1, no cap, no sinks.
 * Order: online softmax over KV pages in ascending absolute position; inside a page all scores first, then their maximum,
 * then exp and the weighted sum in ascending position. A page's partial is (m, l, acc); merging always rescales the running one.
 * So results depend on absolute positions alone. */
#ifndef KERNELS_ATTN_ATTN_H
#define KERNELS_ATTN_ATTN_H

#include "kernels/kv_view.h"

struct attn_args {
    const float *q;     /* [T, H, E] after norm and RoPE */
    float *out;         /* [T, H, E] */
    const int32_t *pos; /* [T] */
    const int32_t *seq; /* [T] */
    struct kv_view kv;
    uint32_t n_rows;     /* T */
    uint32_t n_heads;    /* H, a multiple of K */
    uint32_t n_kv_heads; /* K */
    uint32_t head_dim;   /* E, a multiple of 16, <= 512 */
    uint32_t window;     /* W, 0 = unlimited */
};

#endif
