/* matmul_float_tile: what both passes of matmul_float.h share: loading float weights of any kind,
 * one tile of FLOAT_ROWS x FLOAT_COLS sums (the including file's choice for its registers), and the
 * pass over a few rows of x (whole rows of W; bound by memory). */
#ifndef KERNELS_MATMUL_MATMUL_FLOAT_TILE_H
#define KERNELS_MATMUL_MATMUL_FLOAT_TILE_H

#include "kernels/cpu/simd.h"
#include "kernels/matmul/actq_body.h"
#include "kernels/matmul/matmul_isa.h"
#include "runtime/base/num.h"

enum {
    FLOAT_PREFETCH_BYTES = 2048, /* ahead in each row: past the page end where hardware stops */
    FLOAT_PANEL_ROWS = 16,       /* of W */
    FLOAT_SLAB_ELEMS = 256,      /* of K */
};
_Static_assert(FLOAT_PANEL_ROWS *(FLOAT_SLAB_ELEMS + MATMUL_FLOAT_PANEL_COLS * SIMD_LANES) *
                       sizeof(float) <=
                   MATMUL_SCRATCH_BYTES,
               "a pass fits the scratch");

SIMD_FN struct simd_f32 float_load(enum qtype type, const char *row, size_t k)
{
    if (type == QTYPE_F32)
        return simd_load((const float *)(const void *)row + k);
    if (type == QTYPE_F16)
        return simd_load_f16((const uint16_t *)(const void *)row + k);
    return simd_load_bf16((const uint16_t *)(const void *)row + k);
}

/* A tile of products: n_rows rows of W, n_cols rows of x, both constants where this is inlined. */
struct float_tile {
    enum qtype type;
    uint32_t n_rows, n_cols;
    bool is_far;   /* w is in no cache */
    const char *w; /* rows w_row_bytes apart */
    size_t w_row_bytes;
    const float *x; /* rows x_stride elements apart */
    size_t x_stride, n_in;
};

SIMD_FN void float_tile_add(const struct float_tile *tile,
                            struct simd_f32 acc[FLOAT_ROWS][FLOAT_COLS])
{
    const size_t elem_bytes = tile->type == QTYPE_F32 ? 4 : 2;
    for (size_t k = 0; k < tile->n_in; k += SIMD_LANES) {
        struct simd_f32 xs[FLOAT_COLS];
        SIMD_UNROLL
        for (uint32_t c = 0; c < tile->n_cols; c++)
            xs[c] = simd_load(tile->x + c * tile->x_stride + k);
        SIMD_UNROLL
        for (uint32_t r = 0; r < tile->n_rows; r++) {
            const char *row = tile->w + r * tile->w_row_bytes;
            struct simd_f32 ws = float_load(tile->type, row, k);
            if (tile->is_far)
                __builtin_prefetch(row + elem_bytes * k + FLOAT_PREFETCH_BYTES);
            SIMD_UNROLL
            for (uint32_t c = 0; c < tile->n_cols; c++)
                acc[r][c] = simd_fma(ws, xs[c], acc[r][c]);
        }
    }
}

/* ---- a few rows of x ---- */

SIMD_FN void float_rows_tile(const struct matmul_args *a, struct float_tile tile, uint32_t n,
                             uint32_t t)
{
    struct simd_f32 acc[FLOAT_ROWS][FLOAT_COLS];
    tile.w_row_bytes = qtype_row_bytes(tile.type, a->n_in);
    tile.w = (const char *)a->w + n * tile.w_row_bytes;
    tile.is_far = true;
    tile.x = a->x + (size_t)t * a->n_in;
    tile.x_stride = tile.n_in = a->n_in;
    SIMD_UNROLL
    for (uint32_t r = 0; r < tile.n_rows; r++)
        SIMD_UNROLL
    for (uint32_t c = 0; c < tile.n_cols; c++)
        acc[r][c] = simd_zero();
    float_tile_add(&tile, acc);
    SIMD_UNROLL
    for (uint32_t r = 0; r < tile.n_rows; r++)
        SIMD_UNROLL
    for (uint32_t c = 0; c < tile.n_cols; c++)
        a->y[(size_t)(t + c) * a->y_stride + n + r] = simd_sum(acc[r][c]) * a->scale;
}

SIMD_FN void float_rows_of_cols(const struct matmul_args *a, const struct matmul_part *part,
                                enum qtype type, uint32_t t, uint32_t n_cols)
{
    uint32_t n = part->n_begin;
    for (; n + FLOAT_ROWS <= part->n_end; n += FLOAT_ROWS)
        float_rows_tile(
            a, (struct float_tile){.type = type, .n_rows = FLOAT_ROWS, .n_cols = n_cols}, n, t);
    for (; n < part->n_end; n++)
        float_rows_tile(a, (struct float_tile){.type = type, .n_rows = 1, .n_cols = n_cols}, n, t);
}

SIMD_FN void float_rows(const struct matmul_args *a, const struct matmul_part *part,
                        enum qtype type)
{
    _Static_assert(FLOAT_COLS <= 4, "a case for each");
    enum { TWO = 2 < FLOAT_COLS ? 2 : FLOAT_COLS, THREE = 3 < FLOAT_COLS ? 3 : FLOAT_COLS };
    for (uint32_t t = part->t_begin; t < part->t_end; t += FLOAT_COLS) {
        uint32_t n_cols = (uint32_t)num_min(part->t_end - t, FLOAT_COLS);
        if (n_cols == 1)
            float_rows_of_cols(a, part, type, t, 1);
        else if (n_cols == TWO)
            float_rows_of_cols(a, part, type, t, TWO);
        else if (n_cols == THREE)
            float_rows_of_cols(a, part, type, t, THREE);
        else
            float_rows_of_cols(a, part, type, t, FLOAT_COLS);
    }
}

#endif
