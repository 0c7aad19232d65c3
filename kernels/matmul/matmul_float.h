/* matmul_float: F32, F16 and BF16 weights on the sixteen lanes of kernels/cpu/simd.h: lane = k %
 * 16, a tile of rows of W times rows of x in registers. Compiled once per instruction set by
 * matmul_float_*.c. A few rows of x: matmul_float_tile.h. Many: FLOAT_PANEL_ROWS rows of W are
 * widened to f32 a slab of K at a time, and the lanes of all their outputs wait in memory between
 * slabs, so that a slab of x and of W stays in the caches; bound by multiply-adds. */
#ifndef KERNELS_MATMUL_MATMUL_FLOAT_H
#define KERNELS_MATMUL_MATMUL_FLOAT_H

#include "kernels/matmul/matmul_float_tile.h"

/* Scratch: the slab of W as f32 [FLOAT_PANEL_ROWS][FLOAT_SLAB_ELEMS], then the lanes
 * [FLOAT_PANEL_ROWS][T][16]. */
struct float_panel {
    float *w;
    float *lanes;
    uint32_t n_cols; /* T of this pass */
};

SIMD_FN float *float_lanes(const struct float_panel *p, uint32_t r, uint32_t c)
{
    return p->lanes + ((size_t)r * p->n_cols + c) * SIMD_LANES;
}

/* Rows r.. of the panel, columns c.. of the pass. */
SIMD_FN void float_panel_tile(const struct float_panel *p, struct float_tile tile, uint32_t r,
                              uint32_t c)
{
    struct simd_f32 acc[FLOAT_ROWS][FLOAT_COLS];
    tile.type = QTYPE_F32;
    tile.n_rows = FLOAT_ROWS;
    tile.w_row_bytes = FLOAT_SLAB_ELEMS * sizeof(float);
    tile.w = (const char *)p->w + r * tile.w_row_bytes;
    tile.x += c * tile.x_stride;
    SIMD_UNROLL
    for (uint32_t i = 0; i < tile.n_rows; i++)
        SIMD_UNROLL
    for (uint32_t j = 0; j < tile.n_cols; j++)
        acc[i][j] = simd_load(float_lanes(p, r + i, c + j));
    float_tile_add(&tile, acc);
    SIMD_UNROLL
    for (uint32_t i = 0; i < tile.n_rows; i++)
        SIMD_UNROLL
    for (uint32_t j = 0; j < tile.n_cols; j++)
        simd_store(float_lanes(p, r + i, c + j), acc[i][j]);
}

/* Elements k.. of the rows of W at w against the pass's rows of x. */
SIMD_FN void float_slab(const struct matmul_args *a, const struct float_panel *p, const char *w,
                        struct float_tile tile)
{
    size_t row_bytes = qtype_row_bytes(a->w_type, a->n_in);
    for (uint32_t r = 0; r < tile.n_rows; r++)
        for (size_t i = 0; i < tile.n_in; i += SIMD_LANES)
            simd_store(p->w + r * FLOAT_SLAB_ELEMS + i,
                       float_load(a->w_type, w + r * row_bytes, i));
    uint32_t c = 0;
    tile.n_cols = FLOAT_COLS;
    for (; c + FLOAT_COLS <= p->n_cols; c += FLOAT_COLS)
        for (uint32_t r = 0; r < FLOAT_PANEL_ROWS; r += FLOAT_ROWS)
            float_panel_tile(p, tile, r, c);
    tile.n_cols = 1;
    for (; c < p->n_cols; c++)
        for (uint32_t r = 0; r < FLOAT_PANEL_ROWS; r += FLOAT_ROWS)
            float_panel_tile(p, tile, r, c);
}

SIMD_FN void float_panel(const struct matmul_args *a, const struct matmul_part *part)
{
    struct float_panel p = {.w = part->scratch, .n_cols = part->t_end - part->t_begin};
    p.lanes = p.w + FLOAT_PANEL_ROWS * FLOAT_SLAB_ELEMS;
    size_t row_bytes = qtype_row_bytes(a->w_type, a->n_in);
    memset(p.w, 0, FLOAT_PANEL_ROWS * FLOAT_SLAB_ELEMS * sizeof(float));
    for (uint32_t n = part->n_begin; n < part->n_end; n += FLOAT_PANEL_ROWS) {
        uint32_t n_rows = (uint32_t)num_min(part->n_end - n, FLOAT_PANEL_ROWS);
        const char *w = (const char *)a->w + n * row_bytes;
        memset(p.lanes, 0, (size_t)FLOAT_PANEL_ROWS * p.n_cols * SIMD_LANES * sizeof(float));
        for (size_t k = 0; k < a->n_in; k += FLOAT_SLAB_ELEMS) {
            struct float_tile tile = {.n_rows = n_rows, .x_stride = a->n_in};
            tile.n_in = num_min(a->n_in - k, FLOAT_SLAB_ELEMS);
            tile.x = a->x + (size_t)part->t_begin * a->n_in + k;
            float_slab(a, &p, w + qtype_row_bytes(a->w_type, k), tile);
        }
        for (uint32_t r = 0; r < n_rows; r++)
            for (uint32_t c = 0; c < p.n_cols; c++)
                a->y[(size_t)(part->t_begin + c) * a->y_stride + n + r] =
                    simd_sum(simd_load(float_lanes(&p, r, c))) * a->scale;
    }
}

/* The float bodies and actq of one instruction set. */
#define FLOAT_SET(set)                                                                             \
    void matmul_float_rows_##set(const struct matmul_args *a, const struct matmul_part *part)      \
    {                                                                                              \
        if (a->w_type == QTYPE_F32)                                                                \
            float_rows(a, part, QTYPE_F32);                                                        \
        else if (a->w_type == QTYPE_F16)                                                           \
            float_rows(a, part, QTYPE_F16);                                                        \
        else                                                                                       \
            float_rows(a, part, QTYPE_BF16);                                                       \
    }                                                                                              \
    void matmul_float_panel_##set(const struct matmul_args *a, const struct matmul_part *part)     \
    {                                                                                              \
        float_panel(a, part);                                                                      \
    }                                                                                              \
    void actq_##set(const struct actq_args *a, uint64_t block_begin, uint64_t block_end)           \
    {                                                                                              \
        actq_body(a, block_begin, block_end);                                                      \
    }                                                                                              \
    struct float_set_##set

#endif
