/* matmul_quant_neon: what the Advanced SIMD variants share: the lanes and the pass over a few rows
 * of x, the scales of a panel, the list of encodings. Included after QUANT_ROWS is set. */
#ifndef KERNELS_MATMUL_MATMUL_QUANT_NEON_H
#define KERNELS_MATMUL_MATMUL_QUANT_NEON_H

#include "kernels/matmul/qblk_neon.h"
#include "kernels/matmul/qblk_neon_grid.h"
#include "kernels/matmul/qblk_neon_small.h"
#include "kernels/matmul/qblk_neon_super.h"

struct quant_lanes {
    float32x4_t v[2];
};

#include "kernels/matmul/matmul_panel.h"
#include "kernels/matmul/matmul_rows.h"

QUANT_INLINE struct quant_lanes quant_zero(void)
{
    return (struct quant_lanes){{vdupq_n_f32(0), vdupq_n_f32(0)}};
}

QUANT_INLINE int32x4_t sum_each(const int32x4_t dot[4])
{
    return vpaddq_s32(vpaddq_s32(dot[0], dot[1]), vpaddq_s32(dot[2], dot[3]));
}

/* P of blocks 4v .. 4v + 3. */
QUANT_INLINE float32x4_t products(const struct quant_encoding e, const struct quant_step *s,
                                  const struct actq_view *x, int v)
{
    int32x4_t first[4], second[4];
    for (int i = 0; i < 4; i++) {
        const int8_t *q = x->q + 32 * (4 * v + i);
        const int8x16_t *w = s->w + 2 * (4 * v + i);
        first[i] = vdotq_s32(vdupq_n_s32(0), w[0], vld1q_s8(q));
        second[i] =
            vdotq_s32(qblk_has_halves(e.form) ? vdupq_n_s32(0) : first[i], w[1], vld1q_s8(q + 16));
    }
    if (!qblk_has_halves(e.form)) {
        float32x4_t p = vmulq_f32(s->c[v], vcvtq_f32_s32(sum_each(second)));
        return e.form == QBLK_FORM_MINIMA ? vfmsq_f32(p, s->m[v], vld1q_f32(x->q_sum + 4 * v)) : p;
    }
    float32x4_t p = vmulq_f32(s->c[v], vcvtq_f32_s32(sum_each(first)));
    p = vfmaq_f32(p, s->c[2 + v], vcvtq_f32_s32(sum_each(second)));
    for (int h = 0; h < 2 && e.form == QBLK_FORM_HALVES_MINIMA; h++) {
        int32x4_t sums = vld1q_s32(x->half_sum + 8 * h + 4 * v);
        p = vfmsq_f32(p, s->m[2 * h + v], vcvtq_f32_s32(sums));
    }
    return p;
}

QUANT_INLINE struct quant_lanes quant_add(const struct quant_encoding e, const struct quant_step *s,
                                          const struct actq_view *x, uint32_t n_blocks,
                                          struct quant_lanes acc)
{
    static const uint32_t index[8] = {0, 1, 2, 3, 4, 5, 6, 7};
    for (int v = 0; v < 2; v++) {
        float32x4_t sum = vfmaq_f32(acc.v[v], vld1q_f32(x->d + 4 * v), products(e, s, x, v));
        uint32x4_t is_real = vcltq_u32(vld1q_u32(index + 4 * v), vdupq_n_u32(n_blocks));
        acc.v[v] = n_blocks == 8 ? sum : vbslq_f32(is_real, sum, acc.v[v]);
    }
    return acc;
}

QUANT_INLINE float quant_fold(struct quant_lanes acc)
{
    float32x4_t x = vaddq_f32(acc.v[0], acc.v[1]);
    float32x2_t y = vadd_f32(vget_low_f32(x), vget_high_f32(x));
    return vget_lane_f32(y, 0) + vget_lane_f32(y, 1);
}

/* Scales and minima of a step to c and m of the slab. */
QUANT_INLINE void panel_put_scales(const struct quant_encoding e, const struct quant_step *s,
                                   struct panel_slab *slab, uint32_t i, uint32_t r)
{
    for (int v = 0; v < (qblk_has_halves(e.form) ? 4 : 2); v++) {
        vst1q_f32(slab->c[i][r][v / 2] + v % 2 * 4, s->c[v]);
        if (qblk_has_minima(e.form))
            vst1q_f32(slab->m[i][r][v / 2] + v % 2 * 4, s->m[v]);
    }
}

/* One integer dot of the variant. */
QUANT_INLINE int32x4_t quant_dot(int32x4_t acc, int8x16_t w, int8x16_t x);

static uint32_t dot_loop(uint64_t n_rounds, int32_t *sink)
{
    enum { N_CHAINS = 16 };
    int32x4_t acc[N_CHAINS];
    int8x16_t w = vdupq_n_s8(3), x = vdupq_n_s8((int8_t)*sink);
    for (int i = 0; i < N_CHAINS; i++)
        acc[i] = vdupq_n_s32(i);
    for (uint64_t n = 0; n < n_rounds; n++)
        for (int i = 0; i < N_CHAINS; i++)
            acc[i] = quant_dot(acc[i], w, x);
    for (int i = 0; i < N_CHAINS; i++)
        *sink += vaddvq_s32(acc[i]);
    return N_CHAINS * QUANT_DOT_MACS;
}

/* Floats and the encoding of x gain nothing from i8mm: dotprod's bodies serve both. */
#define NEON_ISA                                                                                   \
    {                                                                                              \
        .actq = actq_dotprod,                                                                      \
        .rows = {ENCODINGS(ROWS_ENTRY) MATMUL_FLOAT_TYPES(matmul_float_rows_dotprod)},             \
        .panel = {ENCODINGS(PANEL_ENTRY) MATMUL_FLOAT_TYPES(matmul_float_panel_dotprod)},          \
        .panel_rows = panel_rows, .panel_min_rows = ROWS_MAX_COLS + 1, .dot_loop = dot_loop,       \
    }

/* X(name, unpacker, form, bytes of 256 weights, offset_log2) */
#define ENCODINGS(X)                                                                               \
    X(Q4_0, step_q4_0, QBLK_FORM_BLOCK, 8 * Q4_0_BYTES, -1)                                        \
    X(Q4_1, step_q4_1, QBLK_FORM_MINIMA, 8 * Q4_1_BYTES, -1)                                       \
    X(Q5_0, step_q5_0, QBLK_FORM_BLOCK, 8 * Q5_0_BYTES, -1)                                        \
    X(Q5_1, step_q5_1, QBLK_FORM_MINIMA, 8 * Q5_1_BYTES, -1)                                       \
    X(Q8_0, step_q8_0, QBLK_FORM_BLOCK, 8 * Q8_0_BYTES, -1)                                        \
    X(IQ4_NL, step_iq4_nl, QBLK_FORM_BLOCK, 8 * IQ4_NL_BYTES, -1)                                  \
    X(MXFP4, step_mxfp4, QBLK_FORM_BLOCK, 8 * MXFP4_BYTES, -1)                                     \
    X(NVFP4, step_nvfp4, QBLK_FORM_HALVES, 4 * NVFP4_BYTES, -1)                                    \
    X(Q2_K, step_q2_k, QBLK_FORM_HALVES_MINIMA, Q2_K_BYTES, -1)                                    \
    X(Q3_K, step_q3_k, QBLK_FORM_HALVES, Q3_K_BYTES, -1)                                           \
    X(Q4_K, step_q4_k, QBLK_FORM_MINIMA, Q4_K_BYTES, -1)                                           \
    X(Q5_K, step_q5_k, QBLK_FORM_MINIMA, Q5_K_BYTES, -1)                                           \
    X(Q6_K, step_q6_k, QBLK_FORM_HALVES, Q6_K_BYTES, -1)                                           \
    X(IQ4_XS, step_iq4_xs, QBLK_FORM_BLOCK, IQ4_XS_BYTES, -1)                                      \
    X(TQ1_0, step_tq1_0, QBLK_FORM_BLOCK, TQ1_0_BYTES, -1)                                         \
    X(TQ2_0, step_tq2_0, QBLK_FORM_BLOCK, TQ2_0_BYTES, -1)                                         \
    X(IQ1_S, step_iq1_s, QBLK_FORM_BLOCK, IQ1_S_BYTES, -1)                                         \
    X(IQ1_M, step_iq1_m, QBLK_FORM_HALVES, IQ1_M_BYTES, -1)                                        \
    X(IQ2_XXS, step_iq2_xxs, QBLK_FORM_BLOCK, IQ2_XXS_BYTES, -1)                                   \
    X(IQ2_XS, step_iq2_xs, QBLK_FORM_HALVES, IQ2_XS_BYTES, -1)                                     \
    X(IQ2_S, step_iq2_s, QBLK_FORM_HALVES, IQ2_S_BYTES, -1)                                        \
    X(IQ3_XXS, step_iq3_xxs, QBLK_FORM_BLOCK, IQ3_XXS_BYTES, -1)                                   \
    X(IQ3_S, step_iq3_s, QBLK_FORM_BLOCK, IQ3_S_BYTES, -1)

#endif
