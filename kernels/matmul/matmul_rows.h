/* matmul_rows: quantised weights against a few rows of x. Weights come straight from the file
 * bytes, 256 of a row at a time; lane = block % 8; bound by memory. See matmul_quant.h. */
#ifndef KERNELS_MATMUL_MATMUL_ROWS_H
#define KERNELS_MATMUL_MATMUL_ROWS_H

#include "kernels/matmul/matmul_quant.h"

enum {
    ROWS_MAX_COLS = 6, /* rows of x that share one taking apart: more do not stay in registers */
    ROWS_PREFETCH_BYTES =
        4096, /* ahead of the step in hand: past the page end where hardware stops */
};

/* One row of x from some step on. */
QUANT_INLINE struct actq_view rows_x(const struct matmul_args *a, uint32_t t, uint32_t i_step)
{
    size_t elem = (size_t)t * a->n_in + 256 * (size_t)i_step;
    size_t half_sum = (size_t)t * actq_half_sum_stride(a->n_in) + 16 * (size_t)i_step;
    return (struct actq_view){a->xq.q + elem, a->xq.d + elem / 32, a->xq.q_sum + elem / 32,
                              a->xq.half_sum + half_sum};
}

/* Row n of W against n_cols rows of x from t on; n_cols is a constant. */
QUANT_INLINE void rows_one(const struct matmul_args *a, const struct quant_encoding e, uint32_t n,
                           uint32_t t, uint32_t n_cols)
{
    const uint8_t *p = (const uint8_t *)a->w + n * qtype_row_bytes(a->w_type, a->n_in);
    uint32_t n_steps = a->n_in / 256, n_tail_blocks = a->n_in / 32 % 8;
    struct quant_step s;
    struct quant_lanes acc[ROWS_MAX_COLS];
    for (uint32_t i = 0; i < n_cols; i++)
        acc[i] = quant_zero();
    for (uint32_t k = 0; k < n_steps; k++, p += e.step_bytes) {
        quant_fetch(e, p + ROWS_PREFETCH_BYTES);
        quant_unpack(e, p, 8, &s);
        for (uint32_t i = 0; i < n_cols; i++) {
            struct actq_view x = rows_x(a, t + i, k);
            acc[i] = quant_add(e, &s, &x, 8, acc[i]);
        }
    }
    if (n_tail_blocks) {
        quant_unpack(e, p, n_tail_blocks, &s);
        for (uint32_t i = 0; i < n_cols; i++) {
            struct actq_view x = rows_x(a, t + i, n_steps);
            acc[i] = quant_add(e, &s, &x, n_tail_blocks, acc[i]);
        }
    }
    for (uint32_t i = 0; i < n_cols; i++)
        a->y[(size_t)(t + i) * a->y_stride + n] = quant_fold(acc[i]) * a->scale;
}

QUANT_INLINE void rows_of_cols(const struct matmul_args *a, const struct matmul_part *part,
                               const struct quant_encoding e, uint32_t t, uint32_t n_cols)
{
    for (uint32_t n = part->n_begin; n < part->n_end; n++)
        rows_one(a, e, n, t, n_cols);
}

QUANT_INLINE void rows_products(const struct matmul_args *a, const struct matmul_part *part,
                                const struct quant_encoding e)
{
    for (uint32_t t = part->t_begin; t < part->t_end; t += ROWS_MAX_COLS) {
        switch (part->t_end - t) {
        case 1:
            rows_of_cols(a, part, e, t, 1);
            break;
        case 2:
            rows_of_cols(a, part, e, t, 2);
            break;
        case 3:
            rows_of_cols(a, part, e, t, 3);
            break;
        case 4:
            rows_of_cols(a, part, e, t, 4);
            break;
        case 5:
            rows_of_cols(a, part, e, t, 5);
            break;
        default:
            rows_of_cols(a, part, e, t, ROWS_MAX_COLS);
            break;
        }
    }
}

#define ROWS_INSTANCE(name, unpack, form, step_bytes, offset_log2)                                 \
    static void rows_##name(const struct matmul_args *a, const struct matmul_part *part)           \
    {                                                                                              \
        rows_products(a, part, (struct quant_encoding){unpack, form, step_bytes, offset_log2});    \
    }
#define ROWS_ENTRY(name, ...) [QTYPE_##name] = rows_##name,

#endif
