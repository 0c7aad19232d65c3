/* attn_score: a tile's scores against one page, in register tiles of queries x cells, and from them
 * the page's softmax weights. For more than a few queries, cells are widened to f32 once. */
#ifndef KERNELS_ATTN_ATTN_SCORE_H
#define KERNELS_ATTN_ATTN_SCORE_H

#include "kernels/attn/attn_work.h"

/* acc[r * cols + c] = q[r] . cells[c] in the lanes of one native register, `e` its first element.
 */
SIMD_FN void attn_dot_lanes(const float *const *q, struct attn_cells cells, uint32_t E, uint32_t e,
                            const struct attn_shape shape, struct simd_reg *acc)
{
    struct simd_reg sum[16], cell[4];
    SIMD_UNROLL
    for (uint32_t i = 0; i < shape.rows * shape.cols; i++)
        sum[i] = simd_reg_set1(0.0f);
    for (; e < E; e += SIMD_LANES) {
        SIMD_UNROLL
        for (uint32_t c = 0; c < shape.cols; c++)
            cell[c] = attn_load(cells, c, e, shape.type);
        SIMD_UNROLL
        for (uint32_t r = 0; r < shape.rows; r++) {
            struct simd_reg qe = simd_reg_load(q[r] + e);
            SIMD_UNROLL
            for (uint32_t c = 0; c < shape.cols; c++)
                sum[r * shape.cols + c] = simd_reg_fma(qe, cell[c], sum[r * shape.cols + c]);
        }
    }
    SIMD_UNROLL
    for (uint32_t i = 0; i < shape.rows * shape.cols; i++)
        acc[i] = sum[i];
}

/* s[r][c0 + c] = q[r] . cells[c]; rows * cols is a multiple of 4, at most 16. Lanes are independent
 * until the fold, so the sums are built one native register of lanes at a time. */
SIMD_FN void attn_dot(const float *const *q, struct attn_cells cells, uint32_t E,
                      const struct attn_shape shape, float (*s)[KV_PAGE_TOKENS], uint32_t c0)
{
    struct simd_reg acc[SIMD_REGS][16];
    for (uint32_t part = 0; part < SIMD_REGS; part++)
        attn_dot_lanes(q, cells, E, part * SIMD_REG_LANES, shape, acc[part]);
    struct simd_f32 sums[16];
    SIMD_UNROLL
    for (uint32_t i = 0; i < shape.rows * shape.cols; i++)
        for (uint32_t part = 0; part < SIMD_REGS; part++)
            sums[i].r[part] = acc[part][i];
    float dots[16];
    for (uint32_t i = 0; i < shape.rows * shape.cols; i += 4)
        simd_fold4(sums + i, dots + i);
    SIMD_UNROLL
    for (uint32_t r = 0; r < shape.rows; r++)
        memcpy(s[r] + c0, dots + r * shape.cols, shape.cols * sizeof *dots);
}

/* Many queries against n widened cells (a multiple of 4), the first being the page's cell c0. */
static void attn_score_slab(struct attn_work *w, const float *slab, uint32_t c0, uint32_t n)
{
    const struct attn_shape shape = {SIMD_DOT_ROWS, SIMD_DOT_COLS, KV_TYPE_F32};
    struct attn_cells cells = {.stride_bytes = w->E * sizeof *slab};
    for (uint32_t i = 0; i < w->n_queries; i += shape.rows)
        for (uint32_t c = 0; c < n; c += shape.cols) {
            cells.at = slab + (uint64_t)c * w->E;
            attn_dot(w->q + i, cells, w->E, shape, w->s + i, c0 + c);
        }
}

/* Few queries: every cell is read once, from memory. V's cells follow soon and are read in columns,
 * which no hardware prefetcher recognises: ask for them here. */
SIMD_FN void attn_score_few(struct attn_work *w, uint32_t begin, uint32_t end, enum kv_type type)
{
    enum { LINE_BYTES = 64 };
    const struct attn_shape shape = {ATTN_FEW, 4, type};
    for (uint32_t c = begin; c < end; c += shape.cols) {
        const uint64_t at = c * w->cell_bytes;
        for (uint64_t i = 0; i < shape.cols * w->cell_bytes; i += LINE_BYTES)
            __builtin_prefetch(w->v + at + i);
        attn_dot(w->q, (struct attn_cells){w->k + at, w->cell_bytes, 0}, w->E, shape, w->s, c);
    }
}

/* The shape of a register tile must be a constant: one instance a type. */
static void attn_score_few_of_type(struct attn_work *w, uint32_t begin, uint32_t end)
{
    switch (w->type) {
    case KV_TYPE_F16:
        attn_score_few(w, begin, end, KV_TYPE_F16);
        break;
    case KV_TYPE_F32:
        attn_score_few(w, begin, end, KV_TYPE_F32);
        break;
    case KV_N_TYPES:
        break;
    }
}

static __attribute__((noinline)) void attn_page_scores(struct attn_work *w)
{
    /* Whole groups of four cells; the scores of cells outside a query's range are never used. */
    const uint32_t begin = w->begin / 4 * 4, end = (w->end + 3) / 4 * 4, E = w->E;
    if (w->n_queries <= ATTN_FEW) {
        attn_score_few_of_type(w, begin, end);
        return;
    }
    _Alignas(64) float slab[ATTN_SLAB_ELEMS];
    const uint32_t most = ATTN_SLAB_ELEMS / E / 4 * 4;
    for (uint32_t c = begin, n; c < end; c += n) {
        n = end - c < most ? end - c : most;
        for (uint32_t i = 0; i < n; i++)
            kv_cell_widen(w->k + (c + i) * w->cell_bytes, 0, slab + i * E, E, w->type);
        attn_score_slab(w, slab, c, n);
    }
}

/* Scores of query i become the page's weights; m, l, keep and add move on by this page. */
SIMD_FN void attn_weigh(struct attn_work *w, uint32_t i)
{
    float *s = w->s[i];
    for (uint32_t c = 0; c < w->lo[i]; c++)
        s[c] = -INFINITY;
    for (uint32_t c = w->hi[i]; c < KV_PAGE_TOKENS; c++)
        s[c] = -INFINITY;
    struct simd_f32 most = simd_load(s), sum = simd_zero();
    for (uint32_t c = SIMD_LANES; c < KV_PAGE_TOKENS; c += SIMD_LANES)
        most = simd_max(most, simd_load(s + c));
    const float m_page = simd_max_lane(most);
    for (uint32_t c = 0; c < KV_PAGE_TOKENS; c += SIMD_LANES) {
        struct simd_f32 weight = vmath_exp(simd_sub(simd_load(s + c), simd_set1(m_page)));
        simd_store(s + c, weight);
        sum = simd_add(sum, weight);
    }
    const float m = w->m[i] > m_page ? w->m[i] : m_page;
    float both[SIMD_LANES] = {w->m[i] - m, m_page - m};
    simd_store(both, vmath_exp(simd_load(both)));
    w->m[i] = m;
    w->keep[i] = both[0];
    w->add[i] = both[1];
    w->l[i] = fmaf(simd_sum(sum), both[1], w->l[i] * both[0]);
}

#endif
