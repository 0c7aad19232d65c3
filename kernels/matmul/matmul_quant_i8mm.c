/* Quantised weights on Advanced SIMD with i8mm, for many rows of x: smmla, two rows of W by two of
 * x and 8 of K at a time. A few rows of x go as without it.   See matmul_quant.h */
#if defined(__aarch64__)

enum {
    QUANT_ROWS = 4,      /* with 16 columns: 16 sums of 2 x 2, 2 of w, 8 of x of the 32 registers */
    QUANT_LANE_SIDE = 2, /* as smmla gives them */
    QUANT_DOT_MACS = 32,
};

#include "kernels/matmul/matmul_quant_neon.h"

enum { N_ROW_PAIRS = QUANT_ROWS / 2, N_COL_PAIRS = PANEL_COLS / 2 };

/* panel_x.q: [4 octets of K][N_COL_PAIRS][2 columns][8] */
QUANT_INLINE void panel_transpose(const int8_t *const row[PANEL_COLS], struct panel_x *out)
{
    int8_t *q = out->q[0][0];
    for (int octet = 0; octet < 4; octet++)
        for (int col = 0; col < PANEL_COLS; col++, q += 8)
            vst1_s8(q, vld1_s8(row[col] + 8 * octet));
}

/* The rows of a pair in slab->w: [4 octets of K][2 rows][8] */
QUANT_INLINE void panel_put_step(const struct quant_encoding e, const struct quant_step *s,
                                 struct panel_slab *slab, uint32_t i, uint32_t r)
{
    for (int b = 0; b < 8; b++) {
        uint8_t *w = slab->w[b][i][r - r % 2] + 8 * (r % 2);
        for (int half = 0; half < 2; half++, w += 32) {
            uint8x16_t codes = vreinterpretq_u8_s8(s->w[2 * b + half]);
            vst1_u8(w, vget_low_u8(codes));
            vst1_u8(w + 16, vget_high_u8(codes));
        }
    }
    panel_put_scales(e, s, slab, i, r);
}

/* For a vector of lanes: what belongs to two rows of W, to two columns. */
QUANT_INLINE float32x4_t of_rows(float first, float second)
{
    return vcombine_f32(vdup_n_f32(first), vdup_n_f32(second));
}

QUANT_INLINE float32x4_t of_cols(const float *pair)
{
    float32x2_t both = vld1_f32(pair);
    return vcombine_f32(both, both);
}

typedef int32x4_t tile_dots[N_ROW_PAIRS][N_COL_PAIRS];
typedef float32x4_t tile_products[N_ROW_PAIRS][N_COL_PAIRS];

/* dot += over octets begin..end-1 of block i. */
QUANT_INLINE void dot_octets(const struct panel_class *k, uint32_t i, const struct panel_x *x,
                             int begin, int end, tile_dots dot)
{
    const uint8_t(*rows)[32] = k->slab->w[k->j][i];
    for (int octet = begin; octet < end; octet++) {
        int8x16_t w[N_ROW_PAIRS];
        for (int r = 0; r < N_ROW_PAIRS; r++)
            w[r] = vreinterpretq_s8_u8(vld1q_u8(rows[2 * r] + 16 * octet));
        for (int c = 0; c < N_COL_PAIRS; c++) {
            int8x16_t xs = vld1q_s8(x->q[0][0] + 16 * (octet * N_COL_PAIRS + c));
            for (int r = 0; r < N_ROW_PAIRS; r++)
                dot[r][c] = vmmlaq_s32(dot[r][c], w[r], xs);
        }
    }
}

/* Over half h of block i, or all of it: c * (float)S, added to p but for the first half. */
QUANT_INLINE void half_products(const struct quant_encoding e, const struct panel_class *k,
                                uint32_t i, const struct panel_x *x, int h, tile_products p)
{
    tile_dots dot;
    for (int v = 0; v < N_ROW_PAIRS * N_COL_PAIRS; v++)
        dot[v / N_COL_PAIRS][v % N_COL_PAIRS] = vdupq_n_s32(0);
    dot_octets(k, i, x, 2 * h, qblk_has_halves(e.form) ? 2 * h + 2 : 4, dot);
    for (int r = 0; r < N_ROW_PAIRS; r++) {
        const float(*scales)[2][8] = &k->slab->c[i][2 * r];
        float32x4_t c = of_rows(scales[0][h][k->j], scales[1][h][k->j]);
        for (int v = 0; v < N_COL_PAIRS; v++) {
            float32x4_t sum = vcvtq_f32_s32(dot[r][v]);
            p[r][v] = h == 0 ? vmulq_f32(c, sum) : vfmaq_f32(p[r][v], c, sum);
        }
    }
}

QUANT_INLINE void take_minima(const struct panel_class *k, uint32_t i, const struct panel_x *x,
                              int h, tile_products p)
{
    for (int r = 0; r < N_ROW_PAIRS; r++) {
        const float(*minima)[2][8] = &k->slab->m[i][2 * r];
        float32x4_t m = of_rows(minima[0][h][k->j], minima[1][h][k->j]);
        for (int v = 0; v < N_COL_PAIRS; v++)
            p[r][v] = vfmsq_f32(p[r][v], m, of_cols(x->q_sum[h] + 2 * v));
    }
}

QUANT_INLINE void panel_add(const struct quant_encoding e, const struct panel_class *k,
                            float *lanes)
{
    for (uint32_t i = 0; i < k->n; i++) {
        const struct panel_x *x = (const struct panel_x *)(const void *)(k->x + i * k->x_bytes);
        tile_products p;
        if (k->ahead)
            quant_fetch(e, k->ahead + i * e.step_bytes);
        half_products(e, k, i, x, 0, p);
        if (qblk_has_halves(e.form))
            half_products(e, k, i, x, 1, p);
        if (qblk_has_minima(e.form))
            take_minima(k, i, x, 0, p);
        if (e.form == QBLK_FORM_HALVES_MINIMA)
            take_minima(k, i, x, 1, p);
        for (int v = 0; v < N_ROW_PAIRS * N_COL_PAIRS; v++) {
            float32x4_t d = of_cols(x->d + v % N_COL_PAIRS * 2);
            float32x4_t sum = vld1q_f32(lanes + 4 * v);
            vst1q_f32(lanes + 4 * v, vfmaq_f32(sum, d, p[v / N_COL_PAIRS][v % N_COL_PAIRS]));
        }
    }
}

QUANT_INLINE int32x4_t quant_dot(int32x4_t acc, int8x16_t w, int8x16_t x)
{
    return vmmlaq_s32(acc, w, x);
}

ENCODINGS(ROWS_INSTANCE)
ENCODINGS(PANEL_INSTANCE)

const struct matmul_isa matmul_isa_i8mm = NEON_ISA;

#else
typedef int matmul_quant_i8mm_is_empty_here;
#endif
