/* kv_ref: cells read and written one element after the other, for the references of the ops. */
#ifndef KERNELS_KV_REF_H
#define KERNELS_KV_REF_H

#include "kernels/cpu/f16.h"
#include "kernels/kv_type.h"
#include "kernels/quant/half.h"

/* Element j of a cell. */
static inline float kv_ref_get(const void *cell, uint32_t j, enum kv_type type)
{
    switch (type) {
    case KV_TYPE_F16:
        return half_from_f16(((const uint16_t *)cell)[j]);
    case KV_TYPE_F32:
        return ((const float *)cell)[j];
    case KV_N_TYPES:
        break;
    }
    return 0.0f;
}

/* A whole cell, x [head_dim]. */
static inline void kv_ref_put(void *cell, const double *x, uint32_t head_dim, enum kv_type type)
{
    for (uint32_t j = 0; j < head_dim; j++)
        switch (type) {
        case KV_TYPE_F16:
            ((uint16_t *)cell)[j] = f16_from_f32((float)x[j]);
            break;
        case KV_TYPE_F32:
            ((float *)cell)[j] = (float)x[j];
            break;
        case KV_N_TYPES:
            break;
        }
}

#endif
