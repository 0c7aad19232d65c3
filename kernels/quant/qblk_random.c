#include "kernels/quant/qblk_random.h"

#include "kernels/quant/qblk.h"

#include <string.h>

/* The f16 scales of a block: where they are, and the exponent of 2 that keeps weights below 0.1. */
struct scales {
    uint8_t n, off_bytes[2];
    int8_t exponent;
};

static const struct scales scales_of[QTYPE_ID_END] = {
    [QTYPE_Q4_0] = {1, {0}, -8},
    [QTYPE_Q4_1] = {2, {0, Q4_1_M_OFF}, -8},
    [QTYPE_Q5_0] = {1, {0}, -9},
    [QTYPE_Q5_1] = {2, {0, Q5_1_M_OFF}, -9},
    [QTYPE_Q8_0] = {1, {0}, -11},
    [QTYPE_IQ4_NL] = {1, {0}, -11},
    [QTYPE_Q2_K] = {2, {Q2_K_D_OFF, Q2_K_DMIN_OFF}, -10},
    [QTYPE_Q3_K] = {1, {Q3_K_D_OFF}, -11},
    [QTYPE_Q4_K] = {2, {0, Q4_K_DMIN_OFF}, -14},
    [QTYPE_Q5_K] = {2, {0, Q4_K_DMIN_OFF}, -14},
    [QTYPE_Q6_K] = {1, {Q6_K_D_OFF}, -15},
    [QTYPE_IQ4_XS] = {1, {0}, -14},
    [QTYPE_TQ1_0] = {1, {TQ1_0_D_OFF}, -5},
    [QTYPE_TQ2_0] = {1, {TQ2_0_D_OFF}, -6},
    [QTYPE_IQ1_S] = {1, {0}, -9},
    [QTYPE_IQ2_XXS] = {1, {0}, -12},
    [QTYPE_IQ2_XS] = {1, {0}, -12},
    [QTYPE_IQ2_S] = {1, {0}, -12},
    [QTYPE_IQ3_XXS] = {1, {0}, -13},
    [QTYPE_IQ3_S] = {1, {0}, -13},
};
enum { IQ1_M_EXPONENT = -9 };

/* The bits of a positive f16 between 2^exponent and 2^(exponent + 2). */
static uint32_t random_f16(uint64_t *state, int exponent)
{
    return (uint32_t)(exponent + 15) * 1024 + (uint32_t)(qblk_random_u64(state) >> 53);
}

/* The bits of any finite f16. */
static uint32_t extreme_f16(uint64_t *state)
{
    uint32_t bits = (uint32_t)(qblk_random_u64(state) >> 48);
    return (bits & 0x7c00) == 0x7c00 ? bits ^ 0x4000 : bits;
}

static void put_u16(uint8_t *p, uint32_t bits)
{
    p[0] = (uint8_t)bits;
    p[1] = (uint8_t)(bits >> 8);
}

/* IQ1_M keeps the bits of d in the top nibbles of its four words of scales. */
static void put_spread(uint8_t *block, uint32_t bits)
{
    for (uint32_t i = 0; i < 4; i++) {
        uint8_t *top = block + IQ1_M_SCALES_OFF + 2 * i + 1;
        *top = (uint8_t)((*top & 15) | (bits >> 4 * i & 15) << 4);
    }
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
    const struct scales *f16 = &scales_of[id];
    for (uint32_t i = 0; i < f16->n; i++)
        put_u16(p + f16->off_bytes[i], random_f16(state, f16->exponent));
    if (id == QTYPE_F32) {
        put_f32(p, state);
    } else if (id == QTYPE_BF16) {
        uint8_t x[4];
        put_f32(x, state);
        memcpy(p, x + 2, 2);
    } else if (id == QTYPE_F16) {
        uint32_t sign = (uint32_t)(p[1] & 0x80) << 8;
        put_u16(p, sign | random_f16(state, -6));
    } else if (id == QTYPE_IQ1_M) {
        put_spread(p, random_f16(state, IQ1_M_EXPONENT));
    } else if (id == QTYPE_MXFP4) {
        p[0] = (uint8_t)(119 + qblk_random_u64(state) % 4); /* 2^-8 .. 2^-5 */
    } else if (id == QTYPE_NVFP4) {
        for (uint32_t s = 0; s < NVFP4_QS_OFF; s++)
            p[s] = (uint8_t)(8 + qblk_random_u64(state) % 16); /* 2^-6 .. 2^-4 */
    }
}

/* NVFP4's bytes are scales as they come. */
static void set_extreme_scales(enum qtype type, uint64_t *state, uint8_t *p)
{
    uint32_t id = (uint32_t)type;
    const struct scales *f16 = &scales_of[id];
    for (uint32_t i = 0; i < f16->n; i++)
        put_u16(p + f16->off_bytes[i], extreme_f16(state));
    if (id == QTYPE_IQ1_M)
        put_spread(p, extreme_f16(state));
    else if (id == QTYPE_MXFP4)
        p[0] = (uint8_t)(p[0] % 8 == 7 ? p[0] % 2 : p[0] % 255); /* subnormals often, never NaN */
}

typedef void set_fn(enum qtype type, uint64_t *state, uint8_t *p);

static void fill(enum qtype type, uint64_t *state, uint8_t *p, uint64_t n_blocks, set_fn *set)
{
    uint32_t block_bytes = qtype_info(type)->block_bytes;
    for (uint64_t i = 0; i < n_blocks; i++, p += block_bytes) {
        for (uint32_t j = 0; j < block_bytes; j += 8) {
            uint64_t bits = qblk_random_u64(state);
            memcpy(p + j, &bits, block_bytes - j < 8 ? block_bytes - j : 8);
        }
        set(type, state, p);
    }
}

void qblk_fill_random(enum qtype type, uint64_t *state, void *blocks, uint64_t n_blocks)
{
    fill(type, state, blocks, n_blocks, set_scales);
}

void qblk_fill_extreme(enum qtype type, uint64_t *state, void *blocks, uint64_t n_blocks)
{
    fill(type, state, blocks, n_blocks, set_extreme_scales);
}
