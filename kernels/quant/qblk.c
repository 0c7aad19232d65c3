#include "kernels/quant/qblk.h"

#include "kernels/quant/qblk_unpack.h"

static const struct qblk_trait traits[QTYPE_ID_END] = {
    [QTYPE_Q4_0] = {QBLK_FORM_BLOCK, 8 * Q4_0_BYTES, qblk_q4_0},
    [QTYPE_Q4_1] = {QBLK_FORM_MINIMA, 8 * Q4_1_BYTES, qblk_q4_1},
    [QTYPE_Q5_0] = {QBLK_FORM_BLOCK, 8 * Q5_0_BYTES, qblk_q5_0},
    [QTYPE_Q5_1] = {QBLK_FORM_MINIMA, 8 * Q5_1_BYTES, qblk_q5_1},
    [QTYPE_Q8_0] = {QBLK_FORM_BLOCK, 8 * Q8_0_BYTES, qblk_q8_0},
    [QTYPE_IQ4_NL] = {QBLK_FORM_BLOCK, 8 * IQ4_NL_BYTES, qblk_iq4_nl},
    [QTYPE_MXFP4] = {QBLK_FORM_BLOCK, 8 * MXFP4_BYTES, qblk_mxfp4},
    [QTYPE_NVFP4] = {QBLK_FORM_HALVES, 4 * NVFP4_BYTES, qblk_nvfp4},
    [QTYPE_Q2_K] = {QBLK_FORM_HALVES_MINIMA, Q2_K_BYTES, qblk_q2_k},
    [QTYPE_Q3_K] = {QBLK_FORM_HALVES, Q3_K_BYTES, qblk_q3_k},
    [QTYPE_Q4_K] = {QBLK_FORM_MINIMA, Q4_K_BYTES, qblk_q4_k},
    [QTYPE_Q5_K] = {QBLK_FORM_MINIMA, Q5_K_BYTES, qblk_q5_k},
    [QTYPE_Q6_K] = {QBLK_FORM_HALVES, Q6_K_BYTES, qblk_q6_k},
    [QTYPE_IQ4_XS] = {QBLK_FORM_BLOCK, IQ4_XS_BYTES, qblk_iq4_xs},
    [QTYPE_TQ1_0] = {QBLK_FORM_BLOCK, TQ1_0_BYTES, qblk_tq1_0},
    [QTYPE_TQ2_0] = {QBLK_FORM_BLOCK, TQ2_0_BYTES, qblk_tq2_0},
    [QTYPE_IQ1_S] = {QBLK_FORM_BLOCK, IQ1_S_BYTES, qblk_iq1_s},
    [QTYPE_IQ1_M] = {QBLK_FORM_HALVES, IQ1_M_BYTES, qblk_iq1_m},
    [QTYPE_IQ2_XXS] = {QBLK_FORM_BLOCK, IQ2_XXS_BYTES, qblk_iq2_xxs},
    [QTYPE_IQ2_XS] = {QBLK_FORM_HALVES, IQ2_XS_BYTES, qblk_iq2_xs},
    [QTYPE_IQ2_S] = {QBLK_FORM_HALVES, IQ2_S_BYTES, qblk_iq2_s},
    [QTYPE_IQ3_XXS] = {QBLK_FORM_BLOCK, IQ3_XXS_BYTES, qblk_iq3_xxs},
    [QTYPE_IQ3_S] = {QBLK_FORM_BLOCK, IQ3_S_BYTES, qblk_iq3_s},
};

const struct qblk_trait *qblk_trait(enum qtype type)
{
    return (uint32_t)type < QTYPE_ID_END && traits[type].unpack ? &traits[type] : NULL;
}
