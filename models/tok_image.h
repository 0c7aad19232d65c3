/* tok_image: layout of the tokenizer image, private to tok*.c and their tests.
 *
 *   +--------+--------+---------+------+-----------+----------+-------+--------+---------+
 *   | header | pieces | classes | blob | piece_map | char_ids | pairs | merges | results |
 *   +--------+--------+---------+------+-----------+----------+-------+--------+---------+
 *
 * Offsets are from the start of the image, sections start on 64 bytes, numbers are the host's (one
 * machine writes and reads it). tok_open has checked every offset, length and id in it before
 * anything is looked up.
 *   pieces     u32[n_vocab + 1]   piece i is blob[pieces[i] .. pieces[i + 1])
 *   piece_map  u64 slots: 43 bits of the hash, 21 bits of id; linear probing; all ones = empty
 *   char_ids   u32[65536]         id of the piece that is this one code point, or TOK_NO_ID
 *   pairs      bit set of hashed code point pairs (last of left, first of right) over all merges: a
 *              place in the text whose pair is absent can be cut, as no merge spans it. A false hit
 *              costs time, never correctness.
 *   merges     u64 slots: left << 43 | right << 22 | rank; linear probing; all ones = empty
 *   results    u32[n_merges]      id of the merged piece by rank */
#ifndef MODELS_TOK_IMAGE_H
#define MODELS_TOK_IMAGE_H

#include "models/tok.h"
#include "models/tok_hash.h"

#include <stdint.h>

enum {
    TOK_IMAGE_VERSION = 1,
    TOK_ALIGN_BYTES = 64,
    TOK_MAX_VOCAB = (1 << 21) - 2, /* left and right have 21 bits in a merge slot */
    TOK_MAX_MERGES = (1 << 22) - 2,
    TOK_RANK_BITS = 22,
    TOK_MAX_PIECE_BYTES = 1024,
    TOK_MAX_MARKER_BYTES = 255,
    TOK_MAX_PROBES = 1024, /* about ten times the longest chain of an honest table at half load */
    TOK_N_CHAR_IDS = 65536,
};

#define TOK_NO_ID      UINT32_MAX
#define TOK_EMPTY_SLOT UINT64_MAX
#define TOK_NO_RANK    UINT32_MAX

enum tok_section {
    TOK_SEC_PIECES,
    TOK_SEC_CLASSES,
    TOK_SEC_BLOB,
    TOK_SEC_PIECE_MAP,
    TOK_SEC_CHAR_IDS,
    TOK_SEC_PAIRS,
    TOK_SEC_MERGES,
    TOK_SEC_RESULTS,
    TOK_N_SECTIONS,
};

struct tok_tables {
    char magic[8];
    uint32_t version;
    uint32_t n_vocab;
    uint64_t image_bytes;
    uint64_t off_bytes[TOK_N_SECTIONS];
    uint32_t n_blob_bytes;
    uint32_t n_merges;
    uint32_t piece_slots_log2;
    uint32_t merge_slots_log2;
    uint32_t template_rev;
    uint32_t has_empty_thought;
    uint32_t special[TOK_N_SPECIAL];
    uint32_t byte_ids[256];
    uint8_t marker_firsts[32];  /* bit set: first bytes of markers */
    uint8_t marker_lengths[32]; /* bit set: byte lengths of markers */
};

extern const char tok_magic[8];

static inline const void *tok_section_at(const struct tok_tables *tb, enum tok_section sec)
{
    return (const char *)tb + tb->off_bytes[sec];
}

static inline uint64_t tok_section_bytes(const struct tok_tables *tb, enum tok_section sec)
{
    switch (sec) {
    case TOK_SEC_PIECES:
        return 4 * ((uint64_t)tb->n_vocab + 1);
    case TOK_SEC_CLASSES:
        return tb->n_vocab;
    case TOK_SEC_BLOB:
        return tb->n_blob_bytes;
    case TOK_SEC_PIECE_MAP:
        return UINT64_C(8) << tb->piece_slots_log2;
    case TOK_SEC_CHAR_IDS:
        return 4 * TOK_N_CHAR_IDS;
    case TOK_SEC_PAIRS:
        return UINT64_C(1) << (TOK_PAIR_BITS_LOG2 - 3);
    case TOK_SEC_MERGES:
        return UINT64_C(8) << tb->merge_slots_log2;
    case TOK_SEC_RESULTS:
        return 4 * (uint64_t)tb->n_merges;
    case TOK_N_SECTIONS:
        break;
    }
    return 0;
}

/* The byte that a token "<0xXX>" (upper-case hexadecimal digits) stands for, or -1. */
static inline int tok_byte_of(struct str piece)
{
    if (piece.n_bytes != 6 || memcmp(piece.p, "<0x", 3) != 0 || piece.p[5] != '>')
        return -1;
    int byte = 0;
    for (int i = 3; i < 5; i++) {
        char c = piece.p[i];
        int digit = c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
        if (digit < 0)
            return -1;
        byte = byte << 4 | digit;
    }
    return byte;
}

static inline bool tok_bit_test(const uint8_t *bits, uint32_t i)
{
    return bits[i >> 3] >> (i & 7) & 1;
}

static inline void tok_bit_set(uint8_t *bits, uint32_t i)
{
    bits[i >> 3] = (uint8_t)(bits[i >> 3] | 1u << (i & 7));
}

/* What tok_build takes from a GGUF file; tests fill it by hand. */
struct tok_source {
    const char *name; /* for messages */
    uint32_t n_vocab, n_merges;
    const struct str *pieces; /* [n_vocab] */
    const uint8_t *classes;   /* [n_vocab] enum tok_class */
    const struct str
        *merges; /* [n_merges] "left right", split at the first space that is not the first byte */
    uint32_t template_rev;
    bool has_empty_thought;
};

/* tok_build after the file has been read. */
void *tok_image_build(const struct tok_source *src, size_t *image_bytes, struct err *e);

#endif
