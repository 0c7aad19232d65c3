/* attn_value: a page's weighted sum of V, in register tiles of queries x columns, merged into the
 * running output. Cells that no query sees are never multiplied: a NaN left in a stale cell must
 * not leak. For more than a few queries, V is widened to f32 once, a slab of columns at a time. */
#ifndef KERNELS_ATTN_ATTN_VALUE_H
#define KERNELS_ATTN_ATTN_VALUE_H

#include "kernels/attn/attn_work.h"

/* acc[r][j] += w(c) * v(c)[j] over cells range[0] <= c < range[1], ascending, for the queries whose
 * weights are s[0], s[1].., and shape.cols registers of columns. */
SIMD_FN void attn_add_cells(const float (*s)[KV_PAGE_TOKENS], const uint32_t range[2],
                            struct attn_cells v, const struct attn_shape shape,
                            struct simd_reg *acc)
{
    struct simd_reg sum[16], cell[8];
    SIMD_UNROLL
    for (uint32_t j = 0; j < shape.rows * shape.cols; j++)
        sum[j] = acc[j];
    for (uint32_t c = range[0]; c < range[1]; c++) {
        SIMD_UNROLL
        for (uint32_t j = 0; j < shape.cols; j++)
            cell[j] = attn_load(v, c, j * SIMD_REG_LANES, shape.type);
        SIMD_UNROLL
        for (uint32_t r = 0; r < shape.rows; r++) {
            struct simd_reg weight = simd_reg_set1(s[r][c]);
            SIMD_UNROLL
            for (uint32_t j = 0; j < shape.cols; j++)
                sum[r * shape.cols + j] = simd_reg_fma(weight, cell[j], sum[r * shape.cols + j]);
        }
    }
    SIMD_UNROLL
    for (uint32_t j = 0; j < shape.rows * shape.cols; j++)
        acc[j] = sum[j];
}

typedef void attn_add_fn(const float (*s)[KV_PAGE_TOKENS], const uint32_t range[2],
                         struct attn_cells v, struct simd_reg *acc);

#define ATTN_ADD(name, rows, cols, type)                                                           \
    static void name(const float(*s)[KV_PAGE_TOKENS], const uint32_t range[2],                     \
                     struct attn_cells v, struct simd_reg *acc)                                    \
    {                                                                                              \
        attn_add_cells(s, range, v, (struct attn_shape){rows, cols, type}, acc);                   \
    }

ATTN_ADD(attn_add_many, SIMD_ADD_ROWS, SIMD_ADD_REGS, KV_TYPE_F32)
ATTN_ADD(attn_add_many_edge, 1, SIMD_ADD_REGS, KV_TYPE_F32)
ATTN_ADD(attn_add_few_f16, ATTN_FEW, SIMD_FEW_ADD_REGS, KV_TYPE_F16)
ATTN_ADD(attn_add_few_edge_f16, 1, SIMD_FEW_ADD_REGS, KV_TYPE_F16)
ATTN_ADD(attn_add_few_f32, ATTN_FEW, SIMD_FEW_ADD_REGS, KV_TYPE_F32)
ATTN_ADD(attn_add_few_edge_f32, 1, SIMD_FEW_ADD_REGS, KV_TYPE_F32)

struct attn_sum { /* a register tile of values */
    uint32_t rows, cols;
    attn_add_fn *add;  /* all rows */
    attn_add_fn *edge; /* one row */
};

static const struct attn_sum attn_sum_many = {SIMD_ADD_ROWS, SIMD_ADD_REGS, attn_add_many,
                                              attn_add_many_edge};
static const struct attn_sum attn_sum_few[KV_N_TYPES] = {
    [KV_TYPE_F16] = {ATTN_FEW, SIMD_FEW_ADD_REGS, attn_add_few_f16, attn_add_few_edge_f16},
    [KV_TYPE_F32] = {ATTN_FEW, SIMD_FEW_ADD_REGS, attn_add_few_f32, attn_add_few_edge_f32},
};

/* acc of query i + r: cells that all n queries see are added together, those that only some see (at
 * the causal and window edges) before and after, query by query. */
static void attn_add_page(const struct attn_work *w, uint32_t i, struct attn_cells v,
                          const struct attn_sum *sum, struct simd_reg *acc)
{
    const uint32_t n = w->n_queries - i < sum->rows ? w->n_queries - i : sum->rows;
    uint32_t all[2] = {w->lo[i], w->hi[i]};
    for (uint32_t r = 1; r < n; r++) {
        all[0] = w->lo[i + r] > all[0] ? w->lo[i + r] : all[0];
        all[1] = w->hi[i + r] < all[1] ? w->hi[i + r] : all[1];
    }
    if (all[0] > all[1])
        all[0] = all[1] = 0; /* nothing in common: each alone, all of it "after" */
    for (uint32_t r = 0; r < n; r++)
        if (w->lo[i + r] < all[0])
            sum->edge(w->s + i + r, (uint32_t[2]){w->lo[i + r], all[0]}, v, acc + r * sum->cols);
    sum->add(w->s + i, all, v, acc);
    for (uint32_t r = 0; r < n; r++) {
        uint32_t from = all[1] > w->lo[i + r] ? all[1] : w->lo[i + r];
        if (from < w->hi[i + r])
            sum->edge(w->s + i + r, (uint32_t[2]){from, w->hi[i + r]}, v, acc + r * sum->cols);
    }
}

/* This page's values for queries i.. in columns e.., merged into out. */
static void attn_value_tile(struct attn_work *w, uint32_t i, uint32_t e, struct attn_cells v,
                            const struct attn_sum *sum)
{
    struct simd_reg acc[16];
    for (uint32_t j = 0; j < sum->rows * sum->cols; j++)
        acc[j] = simd_reg_set1(0.0f);
    attn_add_page(w, i, v, sum, acc);
    const uint32_t n_cols = (w->E - e) / SIMD_REG_LANES;
    for (uint32_t r = 0; r < sum->rows && i + r < w->n_queries; r++) {
        if (w->lo[i + r] == w->hi[i + r])
            continue;
        struct simd_reg keep = simd_reg_set1(w->keep[i + r]), add = simd_reg_set1(w->add[i + r]);
        float *out = w->out[i + r] + e;
        for (uint32_t j = 0; j < sum->cols && j < n_cols; j++, out += SIMD_REG_LANES) {
            struct simd_reg kept = simd_reg_mul(simd_reg_load(out), keep);
            simd_reg_store(out, simd_reg_fma(acc[r * sum->cols + j], add, kept));
        }
    }
}

static __attribute__((noinline)) void attn_page_values(struct attn_work *w)
{
    enum { WIDTH = ATTN_SLAB_ELEMS / KV_PAGE_TOKENS, STEP = SIMD_ADD_REGS * SIMD_REG_LANES };
    _Static_assert(WIDTH % STEP == 0 && WIDTH % SIMD_LANES == 0, "slabs are whole tiles");
    _Alignas(64) float slab[ATTN_SLAB_ELEMS];
    for (uint32_t e = 0; e < w->E; e += WIDTH) {
        const uint32_t width = w->E - e < WIDTH ? w->E - e : WIDTH;
        if (width < WIDTH)
            memset(slab, 0, sizeof slab);
        for (uint32_t c = w->begin; c < w->end; c++)
            kv_cell_widen(w->v + c * w->cell_bytes, e, slab + c * WIDTH, width, w->type);
        for (uint32_t i = 0; i < w->n_queries; i += SIMD_ADD_ROWS)
            for (uint32_t j = 0; j < width; j += STEP)
                attn_value_tile(w, i, e + j, (struct attn_cells){slab, WIDTH * sizeof *slab, j},
                                &attn_sum_many);
    }
}

/* Few queries, straight from the cache; false if E is not a whole number of tiles. */
static bool attn_page_values_few(struct attn_work *w)
{
    enum { STEP = SIMD_FEW_ADD_REGS * SIMD_REG_LANES };
    if (w->n_queries > ATTN_FEW || w->E % STEP != 0)
        return false;
    for (uint32_t e = 0; e < w->E; e += STEP)
        attn_value_tile(w, 0, e, (struct attn_cells){w->v, w->cell_bytes, e},
                        &attn_sum_few[w->type]);
    return true;
}

#endif
