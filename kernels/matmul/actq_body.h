/* actq_body: actq in plain C that compilers turn into vectors; compiled once per instruction set by
 * matmul_float_*.c. */
#ifndef KERNELS_MATMUL_ACTQ_BODY_H
#define KERNELS_MATMUL_ACTQ_BODY_H

#include "kernels/matmul/matmul_isa.h"
#include "kernels/quant/half.h"

#include <math.h>

static inline __attribute__((always_inline)) void actq_block(const struct actq_args *a,
                                                             uint64_t block)
{
    const float *x = a->x + 32 * block;
    int8_t *q = a->out.q + 32 * block;
    uint32_t bits[32],
        amax_bits = 0; /* magnitudes order as their bits do; every NaN is above infinity */
    memcpy(bits, x, sizeof bits);
    for (uint32_t i = 0; i < 32; i++) {
        bits[i] &= 0x7fffffff;
        amax_bits = bits[i] > amax_bits ? bits[i] : amax_bits;
    }
    float d = half_from_bits32(amax_bits) / 127;
    bool is_finite = amax_bits < 0x7f800000;
    if (!is_finite || half_bits32(d) < 0x00800000) {
        a->out.d[block] = is_finite ? 0 : half_from_bits32(0x7fc00000);
        memset(q, 0, 32);
        actq_put_sums(a, block, 0, 0);
        return;
    }
    float inverse = 1 / d;
    int32_t code[32], first = 0, second = 0;
    for (uint32_t i = 0; i < 32; i++)
        code[i] = (int32_t)rintf(x[i] * inverse); /* the default rounding: nearest, ties to even */
    for (uint32_t i = 0; i < 32; i++)
        q[i] = (int8_t)code[i];
    for (uint32_t i = 0; i < 16; i++) {
        first += code[i];
        second += code[16 + i];
    }
    a->out.d[block] = d;
    actq_put_sums(a, block, first, second);
}

static inline __attribute__((always_inline)) void
actq_body(const struct actq_args *a, uint64_t block_begin, uint64_t block_end)
{
    for (uint64_t block = block_begin; block < block_end; block++)
        actq_block(a, block);
}

#endif
