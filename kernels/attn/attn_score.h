/* attn_score: a tile's scores against one page, in register tiles of queries x cells, and from them
 * the page's softmax weights. For more than a few queries, cells are widened to f32 once. */
#ifndef KERNELS_ATTN_ATTN_SCORE_H
#define KERNELS_ATTN_ATTN_SCORE_H

#include "kernels/attn/attn_work.h"

/* s[r * 64 + c] = q[r] . cells[c]; rows * cols is a multiple of 4, at most 16. */
SIMD_FN void attn_dot(const float *const *q, const void *cells, uint32_t E,
                      const struct attn_shape shape, float *s)
{
    struct simd_f32 acc[16], cell[4];
    SIMD_UNROLL
    for (uint32_t i = 0; i < shape.rows * shape.cols; i++)
        acc[i] = simd_zero();
    for (uint32_t e = 0; e < E; e += SIMD_LANES) {
        SIMD_UNROLL
        for (uint32_t c = 0; c < shape.cols; c++)
            cell[c] = attn_load(cells, (uint64_t)c * E + e, shape.elem);
        SIMD_UNROLL
        for (uint32_t r = 0; r < shape.rows; r++) {
            struct simd_f32 qe = simd_load(q[r] + e);
            SIMD_UNROLL
            for (uint32_t c = 0; c < shape.cols; c++)
                acc[r * shape.cols + c] = simd_fma(qe, cell[c], acc[r * shape.cols + c]);
        }
    }
    float dots[16];
    SIMD_UNROLL
    for (uint32_t i = 0; i < shape.rows * shape.cols; i += 4)
        simd_fold4(acc + i, dots + i);
    SIMD_UNROLL
    for (uint32_t r = 0; r < shape.rows; r++)
        memcpy(s + r * KV_PAGE_TOKENS, dots + r * shape.cols, shape.cols * sizeof *dots);
}

/* Scores of all queries against n cells (a multiple of 4), the first being the page's cell c0. */
SIMD_FN void attn_score_cells(struct attn_work *w, const void *cells, enum attn_elem elem,
                              uint32_t c0, uint32_t n)
{
    const uint64_t cell_bytes = w->E * (elem == ATTN_F16 ? sizeof(uint16_t) : sizeof(float));
    const char *at = cells;
    const struct attn_shape many = {SIMD_DOT_ROWS, SIMD_DOT_COLS, elem};
    const struct attn_shape two = {2, 2, elem}, one = {1, 4, elem};
    uint32_t i = 0;
    for (; i + many.rows <= w->n_queries; i += many.rows)
        for (uint32_t c = 0; c < n; c += many.cols)
            attn_dot(w->q + i, at + c * cell_bytes, w->E, many, w->s[i] + c0 + c);
    for (; i + two.rows <= w->n_queries; i += two.rows)
        for (uint32_t c = 0; c < n; c += two.cols)
            attn_dot(w->q + i, at + c * cell_bytes, w->E, two, w->s[i] + c0 + c);
    for (; i < w->n_queries; i++)
        for (uint32_t c = 0; c < n; c += one.cols)
            attn_dot(w->q + i, at + c * cell_bytes, w->E, one, w->s[i] + c0 + c);
}

static __attribute__((noinline)) void attn_page_scores(struct attn_work *w)
{
    /* Whole groups of four cells; the scores of cells outside a query's range are never used. */
    const uint32_t begin = w->begin / 4 * 4, end = (w->end + 3) / 4 * 4, E = w->E;
    if (w->n_queries <= SIMD_DOT_ROWS) {
        attn_score_cells(w, w->k + (uint64_t)begin * E, ATTN_F16, begin, end - begin);
        return;
    }
    _Alignas(64) float slab[ATTN_SLAB_ELEMS];
    const uint32_t most = ATTN_SLAB_ELEMS / E / 4 * 4;
    for (uint32_t c = begin, n; c < end; c += n) {
        n = end - c < most ? end - c : most;
        attn_widen(w->k + (uint64_t)c * E, slab, n * E);
        attn_score_cells(w, slab, ATTN_F32, c, n);
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
