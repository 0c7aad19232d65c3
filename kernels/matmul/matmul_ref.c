/* The truth for matmul and actq: f64 sums over decoded weights and decoded activations, no SIMD,
 * any order. */
#include "kernels/matmul/matmul_isa.h"

#include "kernels/quant/dequant.h"
#include "kernels/quant/qblk.h"
#include "runtime/base/num.h"

#include <float.h>
#include <math.h>

static double x_value(const struct matmul_args *a, uint32_t t, uint32_t k)
{
    size_t i = (size_t)t * a->n_in + k;
    return matmul_uses_actq(a->w_type) ? (double)a->xq.q[i] * (double)a->xq.d[i / 32]
                                       : (double)a->x[i];
}

static double row_dot(const struct matmul_args *a, const uint8_t *row, uint32_t t)
{
    double sum = 0;
    float w[QBLK_STEP_ELEMS];
    for (uint32_t k = 0; k < a->n_in; k += QBLK_STEP_ELEMS) {
        uint32_t n = (uint32_t)num_min(a->n_in - k, QBLK_STEP_ELEMS);
        dequant_row(a->w_type, row + qtype_row_bytes(a->w_type, k), w, n);
        for (uint32_t i = 0; i < n; i++)
            sum += (double)w[i] * x_value(a, t, k + i);
    }
    return sum;
}

void matmul_ref(const void *args)
{
    const struct matmul_args *a = args;
    uint64_t row_bytes = qtype_row_bytes(a->w_type, a->n_in);
    for (uint32_t n = 0; n < a->n_out; n++)
        for (uint32_t t = 0; t < a->n_rows; t++)
            a->y[(size_t)t * a->y_stride + n] =
                (float)(row_dot(a, (const uint8_t *)a->w + n * row_bytes, t) * (double)a->scale);
}

/* q and d as the header defines them: they are codes, so the truth has the same bits and f32
 * arithmetic. */
static void ref_block(const float *x, int8_t *q, float *d)
{
    float amax = 0;
    bool is_finite = true;
    for (uint32_t i = 0; i < 32; i++) {
        is_finite = is_finite && isfinite(x[i]);
        amax = fmaxf(amax, fabsf(x[i]));
    }
    float scale = amax / 127;
    bool is_zero = !is_finite || scale < FLT_MIN;
    *d = !is_finite ? NAN : is_zero ? 0 : scale;
    for (uint32_t i = 0; i < 32; i++)
        q[i] = is_zero ? 0 : (int8_t)nearbyintf(x[i] * (1 / scale));
}

void actq_ref(const void *args)
{
    const struct actq_args *a = args;
    uint64_t n_blocks = (uint64_t)a->n_rows * (a->n_cols / 32);
    for (uint64_t block = 0; block < n_blocks; block++) {
        int8_t *q = a->out.q + 32 * block;
        ref_block(a->x + 32 * block, q, a->out.d + block);
        int32_t half_sum[2] = {0, 0};
        for (uint32_t i = 0; i < 32; i++)
            half_sum[i / 16] += q[i];
        actq_put_sums(a, block, half_sum[0], half_sum[1]);
    }
}
