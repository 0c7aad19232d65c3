#include "kernels/quant/qblk_random.h"

#include "kernels/quant/qblk.h"

#include <string.h>

/* A positive f16 between 2^exponent and 2^(exponent + 2). */
static void put_f16(uint8_t *p, uint64_t *state, int exponent)
{
    uint32_t bits = (uint32_t)(exponent + 15) * 1024 + (uint32_t)(qblk_random_u64(state) >> 53);
    p[0] = (uint8_t)bits;
    p[1] = (uint8_t)(bits >> 8);
}

static void put_f32(uint8_t *p, uint64_t *state)
{
    float x = 0.05f * qblk_random_float(state);
    memcpy(p, &x, sizeof x);
}

/* Overwrite what random bytes would make extreme: the scales. */
static void set_scales(enum qtype type, uint64_t *state, uint8_t *p)
{
    uint32_t id = (uint32_t)type;
    if (id == QTYPE_F32) {
        put_f32(p, state);
    } else if (id == QTYPE_BF16) {
        uint8_t x[4];
        put_f32(x, state);
        memcpy(p, x + 2, 2);
    } else if (id == QTYPE_F16) {
        uint8_t sign = p[1] & 0x80;
        put_f16(p, state, -6);
        p[1] |= sign;
    } else if (id == QTYPE_Q8_0) {
        put_f16(p, state, -11);
    } else if (id == QTYPE_Q4_K) {
        put_f16(p, state, -14);
        put_f16(p + Q4_K_DMIN_OFF, state, -14);
    } else if (id == QTYPE_Q6_K) {
        put_f16(p + Q6_K_D_OFF, state, -15);
    } else if (id == QTYPE_NVFP4) {
        for (uint32_t s = 0; s < NVFP4_QS_OFF; s++)
            p[s] = (uint8_t)(8 + qblk_random_u64(state) % 16); /* 2^-6 .. 2^-4 */
    }
}

void qblk_fill_random(enum qtype type, uint64_t *state, void *blocks, uint64_t n_blocks)
{
    uint8_t *p = blocks;
    uint32_t block_bytes = qtype_info(type)->block_bytes;
    for (uint64_t i = 0; i < n_blocks; i++, p += block_bytes) {
        for (uint32_t j = 0; j < block_bytes; j += 8) {
            uint64_t bits = qblk_random_u64(state);
            memcpy(p + j, &bits, block_bytes - j < 8 ? block_bytes - j : 8);
        }
        set_scales(type, state, p);
    }
}
