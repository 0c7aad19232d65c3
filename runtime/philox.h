/* philox: Philox4x32-10, a counter-based generator: output is a pure function of (counter, key), so
 * any draw can be repeated without state. Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as
 * easy as 1, 2, 3", SC 2011, section 3; constants from there. */
#ifndef RUNTIME_PHILOX_H
#define RUNTIME_PHILOX_H

#include <stdint.h>

struct philox_block {
    uint32_t word[4];
};

static inline struct philox_block philox_at(struct philox_block counter, uint64_t key)
{
    struct philox_block c = counter;
    uint32_t key_lo = (uint32_t)key, key_hi = (uint32_t)(key >> 32);
    for (int round = 0; round < 10; round++) {
        uint64_t a = (uint64_t)0xD2511F53u * c.word[0], b = (uint64_t)0xCD9E8D57u * c.word[2];
        c = (struct philox_block){{(uint32_t)(b >> 32) ^ c.word[1] ^ key_lo, (uint32_t)b,
                                   (uint32_t)(a >> 32) ^ c.word[3] ^ key_hi, (uint32_t)a}};
        key_lo += 0x9E3779B9u;
        key_hi += 0xBB67AE85u;
    }
    return c;
}

#endif
