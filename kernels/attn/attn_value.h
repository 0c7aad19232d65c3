/* attn_value: a page's weighted sum of V, in register tiles of queries x columns, merged into the
 * running output. Cells that no query sees are never multiplied: a NaN left in a stale cell must
 * not leak. For more than a few queries, V is widened to f32 once, a slab of columns at a time. */
#ifndef KERNELS_ATTN_ATTN_VALUE_H
#define KERNELS_ATTN_ATTN_VALUE_H

#include "kernels/attn/attn_work.h"

struct attn_cells { /* columns of V: at[c * stride] is cell c's first */
    const void *at;
    uint32_t stride;
};

/* acc[r][j] += w(c) * v(c)[j] over cells lo <= c < hi, ascending, for queries i.. and columns of a
 * register tile. */
SIMD_FN void attn_add_cells(const struct attn_work *w, uint32_t i, const uint32_t range[2],
                            struct attn_cells v, const struct attn_shape shape,
                            struct simd_f32 *acc)
{
    struct simd_f32 sum[16], cell[4];
    SIMD_UNROLL
    for (uint32_t j = 0; j < shape.rows * shape.cols; j++)
        sum[j] = acc[j];
    for (uint32_t c = range[0]; c < range[1]; c++) {
        SIMD_UNROLL
        for (uint32_t j = 0; j < shape.cols; j++)
            cell[j] = attn_load(v.at, (uint64_t)c * v.stride + j * SIMD_LANES, shape.elem);
        SIMD_UNROLL
        for (uint32_t r = 0; r < shape.rows; r++) {
            struct simd_f32 weight = simd_set1(w->s[i + r][c]);
            SIMD_UNROLL
            for (uint32_t j = 0; j < shape.cols; j++)
                sum[r * shape.cols + j] = simd_fma(weight, cell[j], sum[r * shape.cols + j]);
        }
    }
    SIMD_UNROLL
    for (uint32_t j = 0; j < shape.rows * shape.cols; j++)
        acc[j] = sum[j];
}

/* This page's values for queries i.. and columns e.., merged into out. Cells that all see are done
 * together; those that only some see (at the causal and window edges) before and after, query by
 * query. */
SIMD_FN void attn_value_tile(struct attn_work *w, uint32_t i, uint32_t e, struct attn_cells v,
                             const struct attn_shape shape)
{
    const struct attn_shape single = {1, shape.cols, shape.elem};
    uint32_t all[2] = {w->lo[i], w->hi[i]};
    for (uint32_t r = 1; r < shape.rows; r++) {
        all[0] = w->lo[i + r] > all[0] ? w->lo[i + r] : all[0];
        all[1] = w->hi[i + r] < all[1] ? w->hi[i + r] : all[1];
    }
    if (all[0] > all[1])
        all[0] = all[1] = 0; /* nothing in common: each alone, all of it "after" */
    struct simd_f32 acc[16];
    for (uint32_t j = 0; j < shape.rows * shape.cols; j++)
        acc[j] = simd_zero();
    for (uint32_t r = 0; r < shape.rows; r++)
        if (w->lo[i + r] < all[0])
            attn_add_cells(w, i + r, (uint32_t[2]){w->lo[i + r], all[0]}, v, single,
                           acc + r * shape.cols);
    attn_add_cells(w, i, all, v, shape, acc);
    for (uint32_t r = 0; r < shape.rows; r++) {
        uint32_t from = all[1] > w->lo[i + r] ? all[1] : w->lo[i + r];
        if (from < w->hi[i + r])
            attn_add_cells(w, i + r, (uint32_t[2]){from, w->hi[i + r]}, v, single,
                           acc + r * shape.cols);
    }
    for (uint32_t r = 0; r < shape.rows; r++) {
        if (w->lo[i + r] == w->hi[i + r])
            continue;
        struct simd_f32 keep = simd_set1(w->keep[i + r]), add = simd_set1(w->add[i + r]);
        float *out = w->out[i + r] + e;
        for (uint32_t j = 0; j < shape.cols; j++, out += SIMD_LANES)
            simd_store(out, simd_fma(acc[r * shape.cols + j], add, simd_mul(simd_load(out), keep)));
    }
}

/* All queries, shape.cols registers of columns from e on. */
SIMD_FN void attn_value_columns(struct attn_work *w, uint32_t e, struct attn_cells v,
                                const struct attn_shape shape)
{
    const struct attn_shape one = {1, shape.cols, shape.elem};
    uint32_t i = 0;
    for (; i + shape.rows <= w->n_queries; i += shape.rows)
        attn_value_tile(w, i, e, v, shape);
    for (; i < w->n_queries; i++)
        attn_value_tile(w, i, e, v, one);
}

/* Few queries: straight from f16, wide columns. */
static void attn_page_values_few(struct attn_work *w)
{
    uint32_t e = 0;
    for (; e + 4 * SIMD_LANES <= w->E; e += 4 * SIMD_LANES)
        attn_value_columns(w, e, (struct attn_cells){w->v + e, w->E},
                           (struct attn_shape){2, 4, ATTN_F16});
    for (; e < w->E; e += SIMD_LANES)
        attn_value_columns(w, e, (struct attn_cells){w->v + e, w->E},
                           (struct attn_shape){2, 1, ATTN_F16});
}

static __attribute__((noinline)) void attn_page_values(struct attn_work *w)
{
    enum { COLS = 2, WIDTH = COLS * SIMD_LANES };
    _Static_assert(KV_PAGE_TOKENS * WIDTH <= ATTN_SLAB_ELEMS, "a slab holds a page's columns");
    _Alignas(64) float slab[ATTN_SLAB_ELEMS];
    for (uint32_t e = 0; e < w->E; e += WIDTH) {
        const uint32_t width = w->E - e < WIDTH ? w->E - e : WIDTH;
        for (uint32_t c = w->begin; c < w->end; c++)
            attn_widen(w->v + (uint64_t)c * w->E + e, slab + c * WIDTH, width);
        if (width == WIDTH)
            attn_value_columns(w, e, (struct attn_cells){slab, WIDTH},
                               (struct attn_shape){SIMD_AXPY_ROWS, COLS, ATTN_F32});
        else
            attn_value_columns(w, e, (struct attn_cells){slab, WIDTH},
                               (struct attn_shape){SIMD_AXPY_ROWS, 1, ATTN_F32});
    }
}

#endif
