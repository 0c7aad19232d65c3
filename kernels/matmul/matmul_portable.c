/* The canonical order in C: what every other variant must equal bit for bit. */
#include "kernels/matmul/matmul_isa.h"

#include "kernels/quant/half.h"
#include "kernels/quant/qblk.h"
#include "runtime/base/num.h"

#include <math.h>

enum { TILE_COLS = 16 }; /* rows of x that share one decoding of a weight row */

/* Lanes i and i + width/2 down to one. */
static float fold(float *lane, uint32_t width)
{
    for (uint32_t half = width / 2; half > 0; half /= 2)
        for (uint32_t i = 0; i < half; i++)
            lane[i] += lane[i + half];
    return lane[0];
}

/* ---- quantised weights ---- */

static float block_product(const struct qblk_step *step, enum qblk_form form, uint32_t b,
                           const int8_t *q)
{
    int32_t dot[2] = {0, 0}, x_sum[2] = {0, 0};
    for (uint32_t i = 0; i < 32; i++) {
        dot[i / 16] += step->w[32 * b + i] * q[i];
        x_sum[i / 16] += q[i];
    }
    const float *c = step->c + 2 * b, *m = step->m + 2 * b;
    if (!qblk_has_halves(form)) {
        float product = c[0] * (float)(dot[0] + dot[1]);
        return form == QBLK_FORM_MINIMA ? fmaf(-m[0], (float)(x_sum[0] + x_sum[1]), product)
                                        : product;
    }
    float product = fmaf(c[1], (float)dot[1], c[0] * (float)dot[0]);
    if (form == QBLK_FORM_HALVES_MINIMA)
        product = fmaf(-m[1], (float)x_sum[1], fmaf(-m[0], (float)x_sum[0], product));
    return product;
}

static void quant_row(const struct matmul_args *a, uint32_t n, uint32_t t_begin, uint32_t n_cols)
{
    const struct qblk_trait *trait = qblk_trait(a->w_type);
    const uint8_t *row = (const uint8_t *)a->w + n * qtype_row_bytes(a->w_type, a->n_in);
    uint32_t n_blocks = a->n_in / 32;
    float lanes[TILE_COLS][8] = {{0}};
    for (uint32_t first = 0; first < n_blocks; first += 8, row += trait->step_bytes) {
        struct qblk_step step;
        uint32_t n_step_blocks = (uint32_t)num_min(n_blocks - first, 8);
        trait->unpack(row, 32 * n_step_blocks, &step);
        for (uint32_t t = 0; t < n_cols; t++)
            for (uint32_t b = 0; b < n_step_blocks; b++) {
                size_t block = (size_t)(t_begin + t) * n_blocks + first + b;
                float product = block_product(&step, trait->form, b, a->xq.q + 32 * block);
                lanes[t][b] = fmaf(a->xq.d[block], product, lanes[t][b]);
            }
    }
    for (uint32_t t = 0; t < n_cols; t++)
        a->y[(size_t)(t_begin + t) * a->y_stride + n] = fold(lanes[t], 8) * a->scale;
}

/* ---- float weights ---- */

static float float_weight(enum qtype type, const uint8_t *row, uint32_t k)
{
    if (type == QTYPE_F16)
        return half_load_f16(row + 2 * (size_t)k);
    if (type == QTYPE_BF16)
        return half_from_bf16(half_load_u16(row + 2 * (size_t)k));
    float w;
    memcpy(&w, row + 4 * (size_t)k, sizeof w);
    return w;
}

static void float_row(const struct matmul_args *a, uint32_t n, uint32_t t_begin, uint32_t n_cols)
{
    const uint8_t *row = (const uint8_t *)a->w + n * qtype_row_bytes(a->w_type, a->n_in);
    float lanes[TILE_COLS][16] = {{0}};
    for (uint32_t k = 0; k < a->n_in; k++) {
        float w = float_weight(a->w_type, row, k);
        for (uint32_t t = 0; t < n_cols; t++)
            lanes[t][k % 16] = fmaf(w, a->x[(size_t)(t_begin + t) * a->n_in + k], lanes[t][k % 16]);
    }
    for (uint32_t t = 0; t < n_cols; t++)
        a->y[(size_t)(t_begin + t) * a->y_stride + n] = fold(lanes[t], 16) * a->scale;
}

/* ---- ranges ---- */

typedef void row_fn(const struct matmul_args *a, uint32_t n, uint32_t t_begin, uint32_t n_cols);

static void each_row(const struct matmul_args *a, const struct matmul_part *part, row_fn *row)
{
    for (uint32_t t = part->t_begin; t < part->t_end; t += TILE_COLS)
        for (uint32_t n = part->n_begin; n < part->n_end; n++)
            row(a, n, t, (uint32_t)num_min(part->t_end - t, TILE_COLS));
}

void matmul_rows_portable(const struct matmul_args *a, const struct matmul_part *part)
{
    each_row(a, part, matmul_uses_actq(a->w_type) ? quant_row : float_row);
}

/* ---- activations ---- */

static void actq_block(const float *x, int8_t *q, float *d)
{
    uint32_t amax_bits = 0; /* magnitudes order as their bits do; every NaN is above infinity */
    for (uint32_t i = 0; i < 32; i++) {
        uint32_t bits = half_bits32(x[i]) & 0x7fffffff;
        amax_bits = bits > amax_bits ? bits : amax_bits;
    }
    float scale = half_from_bits32(amax_bits) / 127;
    uint32_t scale_bits = half_bits32(scale);
    bool is_normal = amax_bits < 0x7f800000 && scale_bits >= 0x00800000;
    *d = is_normal ? scale : amax_bits >= 0x7f800000 ? half_from_bits32(0x7fc00000) : 0;
    float inverse = 1 / scale;
    for (uint32_t i = 0; i < 32; i++)
        q[i] = is_normal ? (int8_t)nearbyintf(x[i] * inverse) : 0;
}

static void actq_blocks(const struct actq_args *a, uint64_t block_begin, uint64_t block_end)
{
    for (uint64_t block = block_begin; block < block_end; block++) {
        int8_t *q = a->out.q + 32 * block;
        actq_block(a->x + 32 * block, q, a->out.d + block);
        int32_t half_sum[2] = {0, 0};
        for (uint32_t i = 0; i < 32; i++)
            half_sum[i / 16] += q[i];
        actq_put_sums(a, block, half_sum[0], half_sum[1]);
    }
}

const struct matmul_isa matmul_isa_portable = {.actq = actq_blocks};
