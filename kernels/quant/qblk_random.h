/* qblk_random: valid random tensor bytes of any supported encoding, for probes, tests and
 * benchmarks. Values are finite, of both signs and up to about 0.1 in size. Same seed, same
 * bytes. Thread: any. Allocates: never. */
#ifndef KERNELS_QUANT_QBLK_RANDOM_H
#define KERNELS_QUANT_QBLK_RANDOM_H

#include "kernels/quant/qtype.h"

/* 64 random bits; *state may start as anything. Steele, Lea, Flood 2014: SplitMix. */
static inline uint64_t qblk_random_u64(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

/* Uniform in -1 .. 1. */
static inline float qblk_random_float(uint64_t *state)
{
    return (float)(int32_t)(qblk_random_u64(state) >> 32) * 0x1p-31f;
}

void qblk_fill_random(enum qtype type, uint64_t *state, void *blocks, uint64_t n_blocks);

/* The same with any finite value as a block scale: zero, subnormal, negative, largest. Quantised
 * types only. */
void qblk_fill_extreme(enum qtype type, uint64_t *state, void *blocks, uint64_t n_blocks);

#endif
