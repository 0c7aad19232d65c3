#include "kernels/qkv/qkv_store.h"

#include "kernels/kv_ref.h"

#include <math.h>
#include <stddef.h>

static void norm(const float *x, const float *w, const struct qkv_store_args *a, double *y)
{
    double sum = 0;
    for (uint32_t j = 0; j < a->head_dim; j++)
        sum += (double)x[j] * x[j];
    double inverse = 1 / sqrt(sum / a->head_dim + a->eps);
    for (uint32_t j = 0; j < a->head_dim; j++)
        y[j] = x[j] * inverse * (w ? w[j] : 1);
}

static void rotate(double *x, const struct qkv_store_args *a, int32_t pos)
{
    uint32_t half = a->head_dim / 2;
    for (uint32_t j = 0; j < half; j++) {
        double angle = pos * a->inv_freq[j], c = cos(angle), s = sin(angle);
        double lo = x[j], hi = x[j + half];
        x[j] = lo * c - hi * s;
        x[j + half] = hi * c + lo * s;
    }
}

static void store(unsigned char *cells, const struct qkv_store_args *a, uint32_t t, uint32_t g,
                  const double *x)
{
    uint64_t at = kv_view_cell_off_bytes(&a->kv, a->seq[t], (uint32_t)a->pos[t], g, a->n_kv_heads,
                                         a->head_dim);
    kv_ref_put(cells + at, x, a->head_dim, a->kv.type);
}

void qkv_store_ref(const void *args)
{
    const struct qkv_store_args *a = args;
    const size_t E = a->head_dim;
    double x[QKV_MAX_HEAD_DIM];
    for (uint32_t t = 0; t < a->n_rows; t++) {
        for (uint32_t h = 0; h < a->n_heads; h++) {
            float *q = a->q + ((size_t)t * a->n_heads + h) * E;
            norm(q, a->q_norm, a, x);
            rotate(x, a, a->pos[t]);
            for (size_t j = 0; j < E; j++)
                q[j] = (float)x[j];
        }
        for (uint32_t g = 0; g < a->n_kv_heads; g++) {
            size_t raw_at = ((size_t)t * a->n_kv_heads + g) * E;
            norm(a->v + raw_at, NULL, a, x);
            store(a->kv.v, a, t, g, x);
            norm(a->k + raw_at, a->k_norm, a, x);
            rotate(x, a, a->pos[t]);
            store(a->kv.k, a, t, g, x);
        }
    }
}
