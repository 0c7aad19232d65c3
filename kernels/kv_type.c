#include "kernels/kv_type.h"

#include <stddef.h>

const char *const kv_type_names[KV_N_TYPES + 1] = {
    [KV_TYPE_F16] = "f16", [KV_TYPE_F32] = "f32", [KV_N_TYPES] = NULL};
