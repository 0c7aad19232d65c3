/* Quantised weights on Advanced SIMD with dotprod: sdot, all bytes signed.   See matmul_quant.h */
#if defined(__aarch64__)

enum {
    QUANT_ROWS = 4, /* with 16 columns: 16 sums, 4 of x, 4 of w of the 32 registers */
    QUANT_LANE_SIDE = 1,
    QUANT_DOT_MACS = 16,
};

#include "kernels/matmul/matmul_quant_neon.h"

enum { N_VECTORS = PANEL_COLS / 4 };

QUANT_INLINE void panel_transpose(const int8_t *const row[PANEL_COLS], struct panel_x *out)
{
    panel_transpose_plain(row, out);
}

QUANT_INLINE void panel_put_step(const struct quant_encoding e, const struct quant_step *s,
                                 struct panel_slab *slab, uint32_t i, uint32_t r)
{
    for (int b = 0; b < 8; b++) {
        vst1q_u8(slab->w[b][i][r], vreinterpretq_u8_s8(s->w[2 * b]));
        vst1q_u8(slab->w[b][i][r] + 16, vreinterpretq_u8_s8(s->w[2 * b + 1]));
    }
    panel_put_scales(e, s, slab, i, r);
}

/* The lane of vdotq_laneq must be a literal. */
#define DOT_QUAD(quad)                                                                             \
    for (int v = 0; v < N_VECTORS; v++) {                                                          \
        int8x16_t xs = vld1q_s8(x->q[4 * half + (quad)][4 * v]);                                   \
        for (int r = 0; r < QUANT_ROWS; r++)                                                       \
            dot[r][v] = vdotq_laneq_s32(dot[r][v], xs, ws[r], quad);                               \
    }

/* dot += over one half of a block. */
QUANT_INLINE void dot_half(const uint8_t (*w)[32], const struct panel_x *x, int half,
                           int32x4_t dot[QUANT_ROWS][N_VECTORS])
{
    int8x16_t ws[QUANT_ROWS];
    for (int r = 0; r < QUANT_ROWS; r++)
        ws[r] = vreinterpretq_s8_u8(vld1q_u8(w[r] + 16 * half));
    DOT_QUAD(0)
    DOT_QUAD(1)
    DOT_QUAD(2)
    DOT_QUAD(3)
}

QUANT_INLINE void clear(int32x4_t dot[QUANT_ROWS][N_VECTORS])
{
    for (int r = 0; r < QUANT_ROWS; r++)
        for (int v = 0; v < N_VECTORS; v++)
            dot[r][v] = vdupq_n_s32(0);
}

/* P of a block. */
QUANT_INLINE void block_products(const struct quant_encoding e, const struct panel_class *k,
                                 uint32_t i, float32x4_t p[QUANT_ROWS][N_VECTORS])
{
    const struct panel_x *x = (const struct panel_x *)(const void *)(k->x + i * k->x_bytes);
    const uint8_t(*w)[32] = k->slab->w[k->j][i];
    const float(*c)[2][8] = k->slab->c[i];
    int32x4_t dot[QUANT_ROWS][N_VECTORS];
    clear(dot);
    dot_half(w, x, 0, dot);
    if (!qblk_has_halves(e.form))
        dot_half(w, x, 1, dot);
    for (int r = 0; r < QUANT_ROWS; r++)
        for (int v = 0; v < N_VECTORS; v++)
            p[r][v] = vmulq_n_f32(vcvtq_f32_s32(dot[r][v]), c[r][0][k->j]);
    if (!qblk_has_halves(e.form))
        return;
    clear(dot);
    dot_half(w, x, 1, dot);
    for (int r = 0; r < QUANT_ROWS; r++)
        for (int v = 0; v < N_VECTORS; v++)
            p[r][v] = vfmaq_n_f32(p[r][v], vcvtq_f32_s32(dot[r][v]), c[r][1][k->j]);
}

QUANT_INLINE void take_minima(const struct panel_class *k, uint32_t i, int h,
                              float32x4_t p[QUANT_ROWS][N_VECTORS])
{
    const struct panel_x *x = (const struct panel_x *)(const void *)(k->x + i * k->x_bytes);
    for (int r = 0; r < QUANT_ROWS; r++)
        for (int v = 0; v < N_VECTORS; v++)
            p[r][v] =
                vfmsq_n_f32(p[r][v], vld1q_f32(x->q_sum[h] + 4 * v), k->slab->m[i][r][h][k->j]);
}

QUANT_INLINE void panel_add(const struct quant_encoding e, const struct panel_class *k,
                            float *lanes)
{
    for (uint32_t i = 0; i < k->n; i++) {
        const struct panel_x *x = (const struct panel_x *)(const void *)(k->x + i * k->x_bytes);
        float32x4_t p[QUANT_ROWS][N_VECTORS];
        if (k->ahead)
            quant_fetch(e, k->ahead + i * e.step_bytes);
        block_products(e, k, i, p);
        if (qblk_has_minima(e.form))
            take_minima(k, i, 0, p);
        if (e.form == QBLK_FORM_HALVES_MINIMA)
            take_minima(k, i, 1, p);
        for (int v = 0; v < QUANT_ROWS * N_VECTORS; v++) {
            float *lane = lanes + 4 * v;
            float32x4_t d = vld1q_f32(x->d + v % N_VECTORS * 4);
            vst1q_f32(lane, vfmaq_f32(vld1q_f32(lane), d, p[v / N_VECTORS][v % N_VECTORS]));
        }
    }
}

QUANT_INLINE int32x4_t quant_dot(int32x4_t acc, int8x16_t w, int8x16_t x)
{
    return vdotq_s32(acc, w, x);
}

ENCODINGS(ROWS_INSTANCE)
ENCODINGS(PANEL_INSTANCE)

const struct matmul_isa matmul_isa_dotprod = NEON_ISA;

#else
typedef int matmul_quant_dotprod_is_empty_here;
#endif
