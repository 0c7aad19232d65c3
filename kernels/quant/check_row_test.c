#include "kernels/quant/check_row.h"

#include "kernels/quant/dequant.h"
#include "tests/t.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool is_checked(uint32_t id)
{
    return qtype_info(id) && !(id >= QTYPE_I8 && id <= QTYPE_I64) && id != QTYPE_Q8_1 &&
           id != QTYPE_Q8_K;
}

TEST(check_row_finds_no_fault_in_zeros_and_a_fault_in_ones_of_every_float_encoding)
{
    for (uint32_t id = 0; id < QTYPE_ID_END; id++) {
        if (!is_checked(id))
            continue;
        uint8_t zeros[4 * 256] = {0}, ones[4 * 256];
        uint32_t block_bytes = qtype_info(id)->block_bytes;
        const char *why = NULL;
        memset(ones, 0, sizeof ones);
        memset(ones + 2 * block_bytes, 0xff, block_bytes); /* the third of four */
        CHECK_EQ(check_row((enum qtype)id, zeros, 4, &why), 4);
        CHECK_TRUE(why == NULL);
        if (!CHECK_EQ(check_row((enum qtype)id, ones, 4, &why), 2))
            printf("%s\n", qtype_info(id)->name);
        CHECK_TRUE(why != NULL);
    }
}

/* MXFP4 scales of 2^126 and up are numbers, but weights times them may not fit f32. */
static bool may_overflow(uint32_t id, const uint8_t *block)
{
    return id == QTYPE_MXFP4 && block[0] >= 253 && block[0] < 255;
}

static bool all_finite(const float *x, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        if (!isfinite(x[i]))
            return false;
    return true;
}

/* The decoder knows the layouts by another path: random blocks are faulty exactly when they decode
 * to something that is not finite. Scalar types and f16 scales alike; UE4M3 decodes its NaN as 0
 * and is tested above. */
TEST(check_row_agrees_with_the_decoder_on_random_blocks)
{
    uint64_t state = 1;
    for (uint32_t id = 0; id < QTYPE_ID_END; id++) {
        if (!is_checked(id) || id == QTYPE_NVFP4 || !dequant_supports((enum qtype)id))
            continue;
        const struct qtype_info *info = qtype_info(id);
        uint32_t n_faulty = 0, n_wrong = 0;
        for (int k = 0; k < 4000; k++) {
            uint8_t block[256];
            float x[256];
            const char *why;
            for (uint32_t i = 0; i < info->block_bytes; i++) {
                state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
                block[i] = (uint8_t)(state >> 56);
            }
            if (may_overflow(id, block))
                continue;
            dequant_row((enum qtype)id, block, x, info->block_elems);
            bool is_faulty = check_row((enum qtype)id, block, 1, &why) == 0;
            n_faulty += is_faulty;
            n_wrong += is_faulty == all_finite(x, info->block_elems);
        }
        CHECK_EQ(n_wrong, 0);
        CHECK_TRUE(n_faulty > 0);
    }
}

TEST(check_row_of_nvfp4_wants_plain_scales)
{
    uint8_t block[36] = {0x38, 0x7e, 0, 0x01};
    const char *why;
    CHECK_EQ(check_row(QTYPE_NVFP4, block, 1, &why), 1);
    block[3] = 0x7f;
    CHECK_EQ(check_row(QTYPE_NVFP4, block, 1, &why), 1); /* decoded as 0 everywhere */
    block[3] = 0x80;
    CHECK_EQ(check_row(QTYPE_NVFP4, block, 1, &why), 0);
    CHECK_STR(why, "scale byte with a sign");
}
