/* kv_type: how one cell of the cache is stored: the key or the value of one kv head at one
 * position, E elements. Everyone addresses cells in bytes; only the traits know what is inside:
 * kv_cell_bytes here, kernels/kv_ref.h (scalar truth) and kernels/cpu/kv_cell.h (lanes). Bodies are
 * written once over them, and a switch without a type does not compile. */
#ifndef KERNELS_KV_TYPE_H
#define KERNELS_KV_TYPE_H

#include <stdint.h>

enum kv_type { KV_TYPE_F16, KV_TYPE_F32, KV_N_TYPES };

/* "f16", as options and tables say it; ends with NULL. */
extern const char *const kv_type_names[KV_N_TYPES + 1];

static inline uint64_t kv_cell_bytes(enum kv_type type, uint32_t head_dim)
{
    switch (type) {
    case KV_TYPE_F16:
        return (uint64_t)head_dim * sizeof(uint16_t);
    case KV_TYPE_F32:
        return (uint64_t)head_dim * sizeof(float);
    case KV_N_TYPES:
        break;
    }
    return 0;
}

#endif
