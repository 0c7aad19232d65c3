/* qblk_unpack: the taking apart of each encoding, in C; private to this folder, collected into
 * traits in qblk.c. */
#ifndef KERNELS_QUANT_QBLK_UNPACK_H
#define KERNELS_QUANT_QBLK_UNPACK_H

#include "kernels/quant/qblk.h"

typedef void qblk_unpack_fn(const uint8_t *p, uint32_t n_elems, struct qblk_step *out);

/* qblk_small.c: blocks of 32 or 64 elements. */
qblk_unpack_fn qblk_q4_0, qblk_q4_1, qblk_q5_0, qblk_q5_1, qblk_q8_0, qblk_iq4_nl, qblk_mxfp4,
    qblk_nvfp4;
/* qblk_super.c: blocks of 256 elements without a codebook. */
qblk_unpack_fn qblk_q2_k, qblk_q3_k, qblk_q4_k, qblk_q5_k, qblk_q6_k, qblk_iq4_xs, qblk_tq1_0,
    qblk_tq2_0;
/* qblk_grid.c: blocks of 256 elements in groups of a codebook. */
qblk_unpack_fn qblk_iq1_s, qblk_iq1_m, qblk_iq2_xxs, qblk_iq2_xs, qblk_iq2_s, qblk_iq3_xxs,
    qblk_iq3_s;

/* Levels of the codes of IQ4_NL and IQ4_XS. */
extern const int8_t qblk_iq4_levels[16];
/* Twice the values of E2M1 codes 0 .. 15. */
extern const int8_t qblk_e2m1_doubled[16];

#endif
