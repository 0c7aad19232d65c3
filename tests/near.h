/* near: seeded inputs and the error measure of op tests. Header only; for *_test.c.
 * NMSE = sum (got - want)^2 / sum want^2. */
#ifndef TESTS_NEAR_H
#define TESTS_NEAR_H

#include "tests/t.h"

#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct near_block {
    struct near_block *older;
    _Alignas(64) char bytes[];
};

static struct near_block *near_newest;

/* Zeroed memory that lives as long as the test's process (each test is one); the list keeps it
 * reachable, so a leak checker has nothing to say about it. */
static inline void *near_alloc(size_t n_bytes)
{
    struct near_block *block = aligned_alloc(64, (sizeof *block + n_bytes + 63) / 64 * 64);
    MUST_TRUE(block != NULL, "out of memory");
    memset(block->bytes, 0, n_bytes);
    block->older = near_newest;
    near_newest = block;
    return block->bytes;
}

/* SplitMix64 (Steele, Lea, Flood 2014). */
static inline uint64_t near_bits(uint64_t *state)
{
    uint64_t z = *state += 0x9E3779B97F4A7C15u;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return z ^ z >> 31;
}

/* Uniform in [-amplitude, amplitude). */
static inline float near_uniform(uint64_t *state, float amplitude)
{
    return amplitude * ((float)(near_bits(state) >> 40) * 0x1p-23f - 1.0f);
}

/* n floats of that kind. */
static inline float *near_floats(size_t n, uint64_t *state, float amplitude)
{
    float *x = near_alloc(n * sizeof *x);
    for (size_t i = 0; i < n; i++)
        x[i] = near_uniform(state, amplitude);
    return x;
}

static inline double near_nmse(const float *got, const float *want, size_t n)
{
    double error = 0, power = 0;
    for (size_t i = 0; i < n; i++) {
        double d = (double)got[i] - (double)want[i];
        error += d * d;
        power += (double)want[i] * want[i];
    }
    return power > 0 ? error / power : error;
}

#endif
