/* body_all: every op body, compiled with the flags of the including file; defines BODY_SET(name).
 * Included by body_*.c. */
#include "kernels/cpu/body.h"
#include "kernels/cpu/vmath.h"

#include "kernels/attn/attn_body.h"
#include "kernels/glu/glu_body.h"
#include "kernels/qkv/qkv_store_body.h"
#include "kernels/rmsnorm/rmsnorm_body.h"
#include "kernels/softcap/softcap_body.h"

static void exp16(const float x[16], float y[16])
{
    simd_store(y, vmath_exp(simd_load(x)));
}

static void tanh16(const float x[16], float y[16])
{
    simd_store(y, vmath_tanh(simd_load(x)));
}

static void to_f16(const float x[16], uint16_t y[16])
{
    simd_store_f16(y, simd_load(x));
}

static void from_f16(const uint16_t x[16], float y[16])
{
    simd_store(y, simd_load_f16(x));
}

#define BODY_SET(set)                                                                              \
    const struct body_set body_##set = {                                                           \
        .rmsnorm = rmsnorm_body,                                                                   \
        .qkv_store = qkv_store_body,                                                               \
        .attn = attn_body,                                                                         \
        .glu = glu_body,                                                                           \
        .softcap = softcap_body,                                                                   \
        .exp16 = exp16,                                                                            \
        .tanh16 = tanh16,                                                                          \
        .to_f16 = to_f16,                                                                          \
        .from_f16 = from_f16,                                                                      \
    }
