/* random_qblk: valid random blocks of a quantised encoding, written directly, for models that only
 * need a shape. Weights are near uniform with mean 0 and a wanted standard deviation. A block is a
 * function of (seed, its index) alone, so any number of threads writes the same bytes.   Thread:
 * any. Allocates: never. */
#ifndef KERNELS_QUANT_RANDOM_QBLK_H
#define KERNELS_QUANT_RANDOM_QBLK_H

#include "kernels/quant/qtype.h"

bool random_qblk_supports(enum qtype type);

/* Root mean square of the decoded weights when the encoding's scales cannot follow sigma (NVFP4
 * keeps its range in the tensor scale): multiply by sigma / this. 0: random_qblk_fill follows
 * sigma. */
float random_qblk_fixed_rms(enum qtype type);

/* Blocks [i_first, i_first + n_blocks) of a supported type into out, standard deviation about
 * sigma. */
void random_qblk_fill(enum qtype type, uint64_t seed, uint64_t i_first, uint64_t n_blocks,
                      float sigma, void *out);

/* The n-th 64-bit number of the stream `seed`: splitmix64 (Steele, Lea, Flood 2014), counter based.
 */
static inline uint64_t random_u64(uint64_t seed, uint64_t n)
{
    uint64_t z = seed + (n + 1) * UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

#endif
