/* num: checked arithmetic for lengths from files, sockets and configuration; alignment. */
#ifndef RUNTIME_BASE_NUM_H
#define RUNTIME_BASE_NUM_H

#include <stdbool.h>
#include <stdint.h>

/* true = fits; *out is then the exact result. */
#define num_add(a, b, out) (!__builtin_add_overflow((a), (b), (out)))
#define num_mul(a, b, out) (!__builtin_mul_overflow((a), (b), (out)))

/* Round n up to a multiple of align (a power of two). false = would wrap. */
static inline bool num_align_up(uint64_t n, uint64_t align, uint64_t *out)
{
    uint64_t mask = align - 1;
    if (n > UINT64_MAX - mask)
        return false;
    *out = (n + mask) & ~mask;
    return true;
}

static inline bool num_is_pow2(uint64_t n)
{
    return n && (n & (n - 1)) == 0;
}

static inline uint64_t num_ceil_div(uint64_t n, uint64_t d)
{
    return n / d + (n % d != 0);
}

static inline uint64_t num_min(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static inline uint64_t num_max(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

#endif
