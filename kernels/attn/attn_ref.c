#include "kernels/attn/attn.h"

#include "kernels/kv_ref.h"

#include <math.h>
#include <stddef.h>

static double score(const struct attn_args *a, const float *q, const unsigned char *cell)
{
    double sum = 0;
    for (uint32_t j = 0; j < a->head_dim; j++)
        sum += (double)q[j] * kv_ref_get(cell, j, a->kv.type);
    return sum;
}

static uint64_t cell_off_bytes(const struct attn_args *a, uint32_t t, uint32_t pos, uint32_t g)
{
    return kv_view_cell_off_bytes(&a->kv, a->seq[t], pos, g, a->n_kv_heads, a->head_dim);
}

/* Scores are computed twice, first for their maximum, so that no buffer as long as the context is
 * needed. */
static void one_query(const struct attn_args *a, uint32_t t, uint32_t h)
{
    const uint32_t E = a->head_dim, g = h / (a->n_heads / a->n_kv_heads);
    const uint32_t first = attn_first_pos(a, t), last = (uint32_t)a->pos[t];
    const float *q = a->q + ((size_t)t * a->n_heads + h) * E;
    double most = -INFINITY, sum = 0, acc[ATTN_MAX_HEAD_DIM] = {0};
    for (uint32_t p = first; p <= last; p++)
        most = fmax(most, score(a, q, a->kv.k + cell_off_bytes(a, t, p, g)));
    for (uint32_t p = first; p <= last; p++) {
        uint64_t at = cell_off_bytes(a, t, p, g);
        double weight = exp(score(a, q, a->kv.k + at) - most);
        sum += weight;
        for (uint32_t j = 0; j < E; j++)
            acc[j] += weight * kv_ref_get(a->kv.v + at, j, a->kv.type);
    }
    float *out = a->out + ((size_t)t * a->n_heads + h) * E;
    for (uint32_t j = 0; j < E; j++)
        out[j] = (float)(acc[j] / sum);
}

void attn_ref(const void *args)
{
    const struct attn_args *a = args;
    for (uint32_t t = 0; t < a->n_rows; t++)
        for (uint32_t h = 0; h < a->n_heads; h++)
            one_query(a, t, h);
}
