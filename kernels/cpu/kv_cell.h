/* kv_cell: cells of the cache in lanes: the trait that the bodies of attn and qkv_store are written
 * over. In inner loops `type` is a compile-time constant. */
#ifndef KERNELS_CPU_KV_CELL_H
#define KERNELS_CPU_KV_CELL_H

#include "kernels/cpu/simd.h"
#include "kernels/kv_type.h"

/* One native register of a cell, from element e on. */
SIMD_FN struct simd_reg kv_cell_load(const void *cell, uint32_t e, enum kv_type type)
{
    switch (type) {
    case KV_TYPE_F16:
        return simd_reg_load_f16((const uint16_t *)cell + e);
    case KV_TYPE_F32:
        return simd_reg_load((const float *)cell + e);
    case KV_N_TYPES:
        break;
    }
    return simd_reg_set1(0.0f);
}

/* n elements from element e on as f32; n is a multiple of 16. */
SIMD_FN void kv_cell_widen(const void *cell, uint32_t e, float *to, uint32_t n, enum kv_type type)
{
    switch (type) {
    case KV_TYPE_F16:
        for (uint32_t i = 0; i < n; i += SIMD_LANES)
            simd_store(to + i, simd_load_f16((const uint16_t *)cell + e + i));
        break;
    case KV_TYPE_F32:
        memcpy(to, (const float *)cell + e, n * sizeof *to);
        break;
    case KV_N_TYPES:
        break;
    }
}

/* A whole cell of n elements, a multiple of 16. */
SIMD_FN void kv_cell_store(void *cell, const float *x, uint32_t n, enum kv_type type)
{
    switch (type) {
    case KV_TYPE_F16:
        for (uint32_t i = 0; i < n; i += SIMD_LANES)
            simd_store_f16((uint16_t *)cell + i, simd_load(x + i));
        break;
    case KV_TYPE_F32:
        memcpy(cell, x, n * sizeof *x);
        break;
    case KV_N_TYPES:
        break;
    }
}

#endif
