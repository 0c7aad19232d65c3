/* qblk: quant blocks taken apart. Every quantised encoding is brought to one form, 256 consecutive
 * weights of a row as value[i] = c[i / 16] * w[i] - m[i / 16]          (each operation rounded once
 * to f32, no fused multiply-add) with small integers w, so that decoding, the reference and the
 * portable product are one body over a trait per encoding. c and m are exact: a block scale of 11
 * significant bits times an integer of at most 8. Powers of two move between w and c where that
 * makes w integer: half units of E2M1, eighths of IQ1. Flow: tensor bytes -> qblk trait -> struct
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
    QBLK_FORM_BLOCK,         /* one scale per 32: c[2b] == c[2b + 1], no minima */
    QBLK_FORM_MINIMA,        /* the same with minima: m[2b] == m[2b + 1] */
    QBLK_FORM_HALVES,        /* a scale per 16, no minima */
    QBLK_FORM_HALVES_MINIMA, /* a scale and a minimum per 16 */
};

static inline bool qblk_has_halves(enum qblk_form form)
{
    return form == QBLK_FORM_HALVES || form == QBLK_FORM_HALVES_MINIMA;
}

static inline bool qblk_has_minima(enum qblk_form form)
{
    return form == QBLK_FORM_MINIMA || form == QBLK_FORM_HALVES_MINIMA;
}

struct qblk_step {
    int8_t w[QBLK_STEP_ELEMS];
    float c[2 * QBLK_STEP_BLOCKS];
    float m[2 * QBLK_STEP_BLOCKS]; /* forms with minima only */
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

/* Field offsets inside a block, in bytes; layouts in quant-formats 3. Q4_0, IQ4_NL, Q8_0, IQ2 and
 * IQ3 start with their f16 d, encodings with minima with d and dmin (Q2_K ends with them). */
enum {
    Q4_0_QS_OFF = 2,
    Q4_1_M_OFF = 2,
    Q4_1_QS_OFF = 4,
    Q5_0_QH_OFF = 2, /* bit i: the fifth of element i */
    Q5_0_QS_OFF = 6,
    Q5_1_M_OFF = 2,
    Q5_1_QH_OFF = 4,
    Q5_1_QS_OFF = 8,
    Q8_0_QS_OFF = 2,
    IQ4_NL_QS_OFF = 2,
    MXFP4_QS_OFF = 1, /* after an E8M0 scale */
    NVFP4_QS_OFF = 4, /* after a UE4M3 scale per 16 elements */
    Q2_K_QS_OFF = 16, /* after a nibble of scale and one of minimum per 16 elements */
    Q2_K_D_OFF = 80,
    Q2_K_DMIN_OFF = 82,
    Q3_K_QS_OFF = 32,     /* after the high bits */
    Q3_K_SCALES_OFF = 96, /* 16 scales of 6 bits in 12 bytes */
    Q3_K_D_OFF = 108,
    Q4_K_DMIN_OFF = 2,
    Q4_K_SCALES_OFF = 4, /* 8 scales and 8 minima of 6 bits in 12 bytes; Q5_K alike */
    Q4_K_QS_OFF = 16,
    Q5_K_QH_OFF = 16,
    Q5_K_QS_OFF = 48,
    Q6_K_QH_OFF = 128,
    Q6_K_SCALES_OFF = 192, /* i8 per 16 elements */
    Q6_K_D_OFF = 208,
    IQ4_XS_SH_OFF = 2,
    IQ4_XS_SL_OFF = 4,
    IQ4_XS_QS_OFF = 8,
    TQ1_0_QH_OFF = 48,
    TQ1_0_D_OFF = 52,
    TQ2_0_D_OFF = 64,
    IQ1_S_QS_OFF = 2,
    IQ1_S_QH_OFF = 34,
    IQ1_M_QH_OFF = 32,
    IQ1_M_SCALES_OFF = 48, /* 16 scales of 3 bits, d in the top nibbles */
    IQ2_XXS_QS_OFF = 2,    /* per 32: four indices, then the signs and the scale */
    IQ2_XS_QS_OFF = 2,
    IQ2_XS_SCALES_OFF = 66,
    IQ2_S_QS_OFF = 2,
    IQ2_S_SIGNS_OFF = 34,
    IQ2_S_QH_OFF = 66,
    IQ2_S_SCALES_OFF = 74,
    IQ3_XXS_QS_OFF = 2,
    IQ3_XXS_SIGNS_OFF = 66, /* per 32: 28 bits of signs and the scale */
    IQ3_S_QS_OFF = 2,
    IQ3_S_QH_OFF = 66,
    IQ3_S_SIGNS_OFF = 74,
    IQ3_S_SCALES_OFF = 106,
};
_Static_assert(Q4_0_QS_OFF + 16 == (int)Q4_0_BYTES, "Q4_0");
_Static_assert(Q4_1_QS_OFF + 16 == (int)Q4_1_BYTES, "Q4_1");
_Static_assert(Q5_0_QS_OFF + 16 == (int)Q5_0_BYTES, "Q5_0");
_Static_assert(Q5_1_QS_OFF + 16 == (int)Q5_1_BYTES, "Q5_1");
_Static_assert(Q8_0_QS_OFF + 32 == (int)Q8_0_BYTES, "Q8_0");
_Static_assert(IQ4_NL_QS_OFF + 16 == (int)IQ4_NL_BYTES, "IQ4_NL");
_Static_assert(MXFP4_QS_OFF + 16 == (int)MXFP4_BYTES, "MXFP4");
_Static_assert(NVFP4_QS_OFF + 32 == (int)NVFP4_BYTES, "NVFP4");
_Static_assert(Q2_K_DMIN_OFF + 2 == (int)Q2_K_BYTES, "Q2_K");
_Static_assert(Q3_K_D_OFF + 2 == (int)Q3_K_BYTES, "Q3_K");
_Static_assert(Q4_K_QS_OFF + 128 == (int)Q4_K_BYTES, "Q4_K");
_Static_assert(Q5_K_QS_OFF + 128 == (int)Q5_K_BYTES, "Q5_K");
_Static_assert(Q6_K_D_OFF + 2 == (int)Q6_K_BYTES, "Q6_K");
_Static_assert(IQ4_XS_QS_OFF + 128 == (int)IQ4_XS_BYTES, "IQ4_XS");
_Static_assert(TQ1_0_D_OFF + 2 == (int)TQ1_0_BYTES, "TQ1_0");
_Static_assert(TQ2_0_D_OFF + 2 == (int)TQ2_0_BYTES, "TQ2_0");
_Static_assert(IQ1_S_QH_OFF + 16 == (int)IQ1_S_BYTES, "IQ1_S");
_Static_assert(IQ1_M_SCALES_OFF + 8 == (int)IQ1_M_BYTES, "IQ1_M");
_Static_assert(IQ2_XXS_QS_OFF + 64 == (int)IQ2_XXS_BYTES, "IQ2_XXS");
_Static_assert(IQ2_XS_SCALES_OFF + 8 == (int)IQ2_XS_BYTES, "IQ2_XS");
_Static_assert(IQ2_S_SCALES_OFF + 8 == (int)IQ2_S_BYTES, "IQ2_S");
_Static_assert(IQ3_XXS_SIGNS_OFF + 32 == (int)IQ3_XXS_BYTES, "IQ3_XXS");
_Static_assert(IQ3_S_SCALES_OFF + 4 == (int)IQ3_S_BYTES, "IQ3_S");

#endif
