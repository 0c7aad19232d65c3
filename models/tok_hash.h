/* tok_hash: hashes of pieces, merges and character pairs, private to tok*.c. They are written into
 * the tokenizer image: changing one changes TOK_IMAGE_VERSION. */
#ifndef MODELS_TOK_HASH_H
#define MODELS_TOK_HASH_H

#include "runtime/base/str.h"

#include <stdint.h>

enum {
    TOK_ID_BITS = 21,
    TOK_PAIR_BITS_LOG2 = 22, /* 512 KiB: 100 thousand distinct pairs leave 2 % false hits */
    TOK_N_SMALL_PAIRS = 128 * 128,
    TOK_SPACE = 0x2581,
};

/* Multiply and fold the 128-bit product; the constants are odd and of no further meaning. */
static inline uint64_t tok_mix(uint64_t a, uint64_t b)
{
    __extension__ unsigned __int128 wide = (unsigned __int128)a * b;
    return (uint64_t)wide ^ (uint64_t)(wide >> 64);
}

static inline uint64_t tok_load(const char *p, size_t n_bytes)
{
    uint64_t word = 0;
    uint32_t low, high;
    if (n_bytes >= 8) {
        memcpy(&word, p, 8);
    } else if (n_bytes >= 4) { /* two overlapping halves: no loop over a tail */
        memcpy(&low, p, 4);
        memcpy(&high, p + n_bytes - 4, 4);
        word = (uint64_t)high << 32 | low;
    } else if (n_bytes > 0) {
        word = (uint64_t)(unsigned char)p[0] << 16 | (uint64_t)(unsigned char)p[n_bytes / 2] << 8 |
               (unsigned char)p[n_bytes - 1];
    }
    return word;
}

static inline uint64_t tok_hash(struct str s)
{
    uint64_t h = UINT64_C(0x9e3779b97f4a7c15) * (s.n_bytes + 1);
    const char *p = s.p, *end = s.p + s.n_bytes;
    for (; end - p > 8; p += 8)
        h = tok_mix(h ^ tok_load(p, 8), UINT64_C(0xd1342543de82ef95));
    return tok_mix(h ^ tok_load(p, (size_t)(end - p)), UINT64_C(0xa0761d6478bd642f));
}

/* A slot of the piece map: the top bits of the hash as a tag (the low ones choose the slot), then
 * the id. */
static inline uint64_t tok_piece_slot(uint64_t hash, uint32_t id)
{
    return hash >> TOK_ID_BITS << TOK_ID_BITS | id;
}

static inline uint32_t tok_merge_slot(uint32_t left, uint32_t right, uint32_t slots_log2)
{
    uint64_t h = ((uint64_t)left << 32 | right) * UINT64_C(0x9e3779b97f4a7c15);
    return (uint32_t)((h ^ h >> 29) * UINT64_C(0xbf58476d1ce4e5b9) >> (64 - slots_log2));
}

/* Bit number of a code point pair. Pairs of ASCII characters and the space mark have a bit of their
 * own. */
static inline uint32_t tok_pair_bit(uint32_t a, uint32_t b)
{
    uint32_t low_a = a == TOK_SPACE ? ' ' : a, low_b = b == TOK_SPACE ? ' ' : b;
    if (low_a < 128 && low_b < 128)
        return low_a * 128 + low_b;
    uint64_t h = tok_mix((uint64_t)a << 32 | b, UINT64_C(0xd1342543de82ef95));
    uint32_t bit = (uint32_t)h & ((1u << TOK_PAIR_BITS_LOG2) - 1);
    return bit < TOK_N_SMALL_PAIRS ? bit + TOK_N_SMALL_PAIRS : bit;
}

#endif
