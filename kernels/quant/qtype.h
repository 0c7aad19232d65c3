/* qtype: tensor encodings by their GGUF type id, with block geometry. The layouts are in the
 * families that decode them. Source of ids and sizes: the GGUF type table (types.csv beside the
 * vectors in tests/). */
#ifndef KERNELS_QUANT_QTYPE_H
#define KERNELS_QUANT_QTYPE_H

#include <stdbool.h>
#include <stdint.h>

/* X(name, GGUF id, elements per block, bytes per block) */
#define QTYPES(X)                                                                                  \
    X(F32, 0, 1, 4)                                                                                \
    X(F16, 1, 1, 2)                                                                                \
    X(Q4_0, 2, 32, 18)                                                                             \
    X(Q4_1, 3, 32, 20)                                                                             \
    X(Q5_0, 6, 32, 22)                                                                             \
    X(Q5_1, 7, 32, 24)                                                                             \
    X(Q8_0, 8, 32, 34)                                                                             \
    X(Q8_1, 9, 32, 36)                                                                             \
    X(Q2_K, 10, 256, 84)                                                                           \
    X(Q3_K, 11, 256, 110)                                                                          \
    X(Q4_K, 12, 256, 144)                                                                          \
    X(Q5_K, 13, 256, 176)                                                                          \
    X(Q6_K, 14, 256, 210)                                                                          \
    X(Q8_K, 15, 256, 292)                                                                          \
    X(IQ2_XXS, 16, 256, 66)                                                                        \
    X(IQ2_XS, 17, 256, 74)                                                                         \
    X(IQ3_XXS, 18, 256, 98)                                                                        \
    X(IQ1_S, 19, 256, 50)                                                                          \
    X(IQ4_NL, 20, 32, 18)                                                                          \
    X(IQ3_S, 21, 256, 110)                                                                         \
    X(IQ2_S, 22, 256, 82)                                                                          \
    X(IQ4_XS, 23, 256, 136)                                                                        \
    X(I8, 24, 1, 1)                                                                                \
    X(I16, 25, 1, 2)                                                                               \
    X(I32, 26, 1, 4)                                                                               \
    X(I64, 27, 1, 8)                                                                               \
    X(F64, 28, 1, 8)                                                                               \
    X(IQ1_M, 29, 256, 56)                                                                          \
    X(BF16, 30, 1, 2)                                                                              \
    X(TQ1_0, 34, 256, 54)                                                                          \
    X(TQ2_0, 35, 256, 66)                                                                          \
    X(MXFP4, 39, 32, 17)                                                                           \
    X(NVFP4, 40, 64, 36)                                                                           \
    X(Q1_0, 41, 128, 18)                                                                           \
    X(Q2_0, 42, 64, 18)

#define X(name, id, elems, bytes) QTYPE_##name = id,
enum qtype { QTYPES(X) };
#undef X

enum { QTYPE_ID_END = 43 }; /* ids are below this */

struct qtype_info {
    const char *name;     /* "Q4_K"; NULL for an unassigned or removed id */
    uint32_t block_elems; /* elements per block; a row is a whole number of blocks */
    uint32_t block_bytes;
};

/* NULL for an id that names no encoding. */
const struct qtype_info *qtype_info(uint32_t id);

/* Name, in upper or lower case, to type; false if there is none. */
bool qtype_by_name(const char *name, enum qtype *out);

/* Bytes of one row of n_elems (a multiple of block_elems, below 2^56). */
uint64_t qtype_row_bytes(enum qtype type, uint64_t n_elems);

#endif
