#include "kernels/quant/random_qblk.h"

#include "kernels/quant/check_row.h"
#include "kernels/quant/dequant.h"
#include "kernels/quant/qblk.h"
#include "tests/t.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { N_ELEMS = 256 * 256 };

/* Every encoding that is taken apart in steps: all but the float types. */
static const enum qtype types[] = {
    QTYPE_Q4_0,   QTYPE_Q4_1,   QTYPE_Q5_0,    QTYPE_Q5_1,    QTYPE_Q8_0,  QTYPE_Q2_K,
    QTYPE_Q3_K,   QTYPE_Q4_K,   QTYPE_Q5_K,    QTYPE_Q6_K,    QTYPE_IQ1_S, QTYPE_IQ1_M,
    QTYPE_IQ2_S,  QTYPE_IQ2_XS, QTYPE_IQ2_XXS, QTYPE_IQ3_XXS, QTYPE_IQ3_S, QTYPE_IQ4_NL,
    QTYPE_IQ4_XS, QTYPE_TQ1_0,  QTYPE_TQ2_0,   QTYPE_MXFP4,   QTYPE_NVFP4};

TEST(random_qblk_makes_every_encoding_that_has_a_trait_and_sound_blocks)
{
    uint32_t n_supported = 0;
    for (size_t k = 0; k < sizeof types / sizeof *types; k++) {
        uint8_t blocks[16 * 256];
        const char *why = NULL;
        MUST_TRUE(random_qblk_supports(types[k]), qtype_info(types[k])->name);
        random_qblk_fill(types[k], 3, 0, 16, 0.02f, blocks);
        CHECK_EQ(check_row(types[k], blocks, 16, &why), 16);
    }
    for (uint32_t id = 0; id < QTYPE_ID_END; id++) {
        n_supported += random_qblk_supports((enum qtype)id);
        CHECK_EQ(random_qblk_supports((enum qtype)id), qblk_trait((enum qtype)id) != NULL);
    }
    CHECK_EQ(n_supported, sizeof types / sizeof *types);
}

TEST(random_qblk_weights_have_mean_0_and_the_wanted_deviation)
{
    for (size_t k = 0; k < sizeof types / sizeof *types; k++) {
        const struct qtype_info *info = qtype_info(types[k]);
        float *x = malloc(N_ELEMS * sizeof *x),
              sigma = 0.0068f; /* 1 / sqrt(21504), the longest row of the 31B */
        uint8_t *blocks = malloc(qtype_row_bytes(types[k], N_ELEMS));
        MUST_TRUE(x && blocks, "no memory");
        random_qblk_fill(types[k], 7, 0, N_ELEMS / info->block_elems, sigma, blocks);
        dequant_row(types[k], blocks, x, N_ELEMS);
        double sum = 0, power = 0, want = sigma;
        for (int i = 0; i < N_ELEMS; i++) {
            sum += x[i];
            power += (double)x[i] * x[i];
        }
        if (random_qblk_fixed_rms(types[k]) > 0)
            want = random_qblk_fixed_rms(types[k]);
        bool is_near = CHECK_NEAR(sum / N_ELEMS / want, 0, 0.05);
        if (!CHECK_NEAR(sqrt(power / N_ELEMS) / want, 1, 0.02) || !is_near)
            printf("%s\n", info->name);
        free(x);
        free(blocks);
    }
}

TEST(random_qblk_bytes_do_not_depend_on_how_the_work_is_cut)
{
    for (size_t k = 0; k < sizeof types / sizeof *types; k++) {
        uint32_t block_bytes = qtype_info(types[k])->block_bytes;
        uint8_t whole[16 * 256], pieces[16 * 256], other[16 * 256];
        random_qblk_fill(types[k], 7, 100, 16, 0.01f, whole);
        for (uint64_t i = 0, n; i < 16; i += n) {
            n = i % 5 + 1 < 16 - i ? i % 5 + 1 : 16 - i;
            random_qblk_fill(types[k], 7, 100 + i, n, 0.01f, pieces + i * block_bytes);
        }
        CHECK_BYTES(pieces, whole, 16 * block_bytes);
        random_qblk_fill(types[k], 8, 100, 16, 0.01f, other);
        CHECK_TRUE(memcmp(other, whole, 16 * block_bytes) != 0);
    }
}
