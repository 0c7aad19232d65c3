/* Expected values: tests/vectors/quant, computed by the reference library of the format, with its
 * own index of hashes. */
#include "kernels/quant/dequant.h"

#include "kernels/quant/half.h"
#include "tests/t.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { N_VECTOR_ELEMS = 2048 };

/* Decode the vector file of a type in rows of row_elems and count values that differ; -0 equals 0.
 */
static uint32_t n_wrong_values(enum qtype type, uint64_t row_elems)
{
    char path[128];
    size_t n_block_bytes, n_value_bytes;
    const char *name = qtype_info(type)->name;
    snprintf(path, sizeof path, "tests/vectors/quant/%s.blocks.bin", name);
    uint8_t *blocks = t_read_file(path, &n_block_bytes);
    snprintf(path, sizeof path, "tests/vectors/quant/%s.f32.bin", name);
    float *want = t_read_file(path, &n_value_bytes);
    CHECK_EQ(n_block_bytes, qtype_row_bytes(type, N_VECTOR_ELEMS));
    CHECK_EQ(n_value_bytes, N_VECTOR_ELEMS * sizeof *want);

    uint32_t n_wrong = 0;
    float *got = malloc(row_elems * sizeof *got); /* exact size: ASan sees a write beyond the row */
    for (uint64_t i = 0; i < N_VECTOR_ELEMS; i += row_elems) {
        dequant_row(type, blocks + qtype_row_bytes(type, i), got, row_elems);
        for (uint64_t j = 0; j < row_elems; j++) {
            bool is_same = half_bits32(got[j]) == half_bits32(want[i + j]) ||
                           (got[j] == 0 && want[i + j] == 0) ||
                           (isnan(got[j]) && isnan(want[i + j]));
            n_wrong += !is_same;
        }
    }
    free(got);
    free(want);
    free(blocks);
    return n_wrong;
}

TEST(dequant_gives_the_reference_bits_for_every_supported_type)
{
    uint32_t n_types = 0;
    for (uint32_t id = 0; id < QTYPE_ID_END; id++) {
        if (!qtype_info(id) || !dequant_supports((enum qtype)id))
            continue;
        n_types++;
        MUST_TRUE(n_wrong_values((enum qtype)id, N_VECTOR_ELEMS) == 0, qtype_info(id)->name);
        MUST_TRUE(n_wrong_values((enum qtype)id, 256) == 0, qtype_info(id)->name);
    }
    CHECK_EQ(n_types, 26);
}

TEST(dequant_decodes_rows_that_are_no_multiple_of_256)
{
    static const enum qtype types[] = {QTYPE_Q4_0, QTYPE_Q4_1,   QTYPE_Q5_0,  QTYPE_Q5_1,
                                       QTYPE_Q8_0, QTYPE_IQ4_NL, QTYPE_MXFP4, QTYPE_NVFP4};
    for (uint32_t i = 0; i < sizeof types / sizeof *types; i++)
        CHECK_EQ(n_wrong_values(types[i], qtype_info(types[i])->block_elems), 0);
}

TEST(dequant_refuses_types_it_cannot_decode)
{
    CHECK_TRUE(!dequant_supports(QTYPE_Q8_1));
    CHECK_TRUE(!dequant_supports(QTYPE_I32));
    CHECK_TRUE(!dequant_supports((enum qtype)QTYPE_ID_END));
}

TEST(half_f16_scales_keep_subnormals_signs_and_specials)
{
    CHECK_TRUE(half_from_f16(0x0001) == 0x1p-24f);
    CHECK_TRUE(half_from_f16(0x83ff) == -1023 * 0x1p-24f);
    CHECK_TRUE(half_from_f16(0x0400) == 0x1p-14f);
    CHECK_TRUE(half_from_f16(0xbc00) == -1);
    CHECK_TRUE(half_from_f16(0x7bff) == 65504);
    CHECK_TRUE(half_from_f16(0x7c00) == INFINITY);
    CHECK_TRUE(isnan(half_from_f16(0x7c01)));
    CHECK_EQ(half_bits32(half_from_f16(0x8000)), 0x80000000u);
}

TEST(half_ue4m3_covers_zero_subnormals_largest_and_nan_code)
{
    CHECK_TRUE(half_from_ue4m3(0) == 0);
    CHECK_TRUE(half_from_ue4m3(1) == 0x1p-9f);
    CHECK_TRUE(half_from_ue4m3(8) == 0x1p-6f);
    CHECK_TRUE(half_from_ue4m3(56) == 1);
    CHECK_TRUE(half_from_ue4m3(126) == 448);
    CHECK_TRUE(half_from_ue4m3(127) == 0);
    CHECK_TRUE(half_from_ue4m3(128 | 56) == 1);
}

TEST(half_e8m0_covers_both_subnormals_of_its_half_largest_and_nan)
{
    CHECK_EQ(half_bits32(half_from_e8m0(0)), 0x00400000u);
    CHECK_TRUE(0.5f * half_from_e8m0(0) == 0x1p-128f);
    CHECK_TRUE(half_from_e8m0(1) == 0x1p-126f);
    CHECK_TRUE(half_from_e8m0(127) == 1);
    CHECK_TRUE(half_from_e8m0(254) == 0x1p127f);
    CHECK_TRUE(isnan(half_from_e8m0(255)));
}
