/* qblk: quant blocks taken apart. Every quantised encoding is brought to one form, 256 consecutive
 * weights of a row as value[i] = c[i / 16] * w[i] - m[i / 32]          (each operation rounded once
 * to f32, no fused multiply-add) with small integers w, so that decoding, the reference and the
 * portable product are one body over a trait per encoding. c and m are exact: a block scale of 11
 * significant bits times an integer of at most 8. Flow: tensor bytes -> qblk trait -> struct
 * qblk_step -> dequant, matmul.   Thread: any. Allocates: never. Layouts: quant-formats 3. Blocks
 * have no alignment beyond a byte. */
#ifndef KERNELS_QUANT_QBLK_H
#define KERNELS_QUANT_QBLK_H

#include "kernels/quant/qtype.h"

#include <stddef.h>

enum {
    QBLK_STEP_ELEMS = 256,
    QBLK_STEP_BLOCKS = 8, /* of 32 elements: the unit of activation scales */
};

/* What an encoding needs of the product. */
enum qblk_form {
    QBLK_FORM_BLOCK,  /* one scale per 32: c[2b] == c[2b + 1], no minima */
    QBLK_FORM_MINIMA, /* the same with minima */
    QBLK_FORM_HALVES, /* a scale per 16, no minima */
};

struct qblk_step {
    int8_t w[QBLK_STEP_ELEMS];
    float c[2 * QBLK_STEP_BLOCKS];
    float m[QBLK_STEP_BLOCKS]; /* QBLK_FORM_MINIMA only */
};

struct qblk_trait {
    enum qblk_form form;
    uint32_t step_bytes; /* file bytes of 256 elements */
    /* Take apart the n_elems (<= 256, whole blocks) at p; elements past them are left alone. */
    void (*unpack)(const uint8_t *p, uint32_t n_elems, struct qblk_step *out);
};

/* NULL for float and integer types and for encodings this build does not run. */
const struct qblk_trait *qblk_trait(enum qtype type);

/* Q8_0_BYTES and so on: bytes of a block. */
#define X(name, id, elems, bytes) name##_BYTES = bytes,
enum { QTYPES(X) };
#undef X

/* Field offsets inside a block, in bytes. */
enum {
    Q8_0_QS_OFF = 2,
    Q4_K_DMIN_OFF = 2,
    Q4_K_SCALES_OFF = 4, /* 8 scales and 8 minima of 6 bits in 12 bytes */
    Q4_K_QS_OFF = 16,
    Q6_K_QH_OFF = 128,
    Q6_K_SCALES_OFF = 192, /* i8 per 16 elements */
    Q6_K_D_OFF = 208,
    NVFP4_QS_OFF = 4, /* after a UE4M3 scale per 16 elements */
};
_Static_assert(Q8_0_QS_OFF + 32 == (int)Q8_0_BYTES, "Q8_0");
_Static_assert(Q4_K_QS_OFF + 128 == (int)Q4_K_BYTES, "Q4_K");
_Static_assert(Q6_K_D_OFF + 2 == (int)Q6_K_BYTES, "Q6_K");
_Static_assert(NVFP4_QS_OFF + 32 == (int)NVFP4_BYTES, "NVFP4");

#endif
