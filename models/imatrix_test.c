/* Vectors: tests/vectors/imatrix, one matrix in both file forms; the expected numbers are those of
 * its index.json. */
#include "models/imatrix.h"

#include "runtime/base/mem.h"
#include "tests/t.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static const struct {
    const char *name;
    uint64_t n_values;
    float first[4];
    double sum;
} wanted[] = {
    {"blk.0.attn_q.weight", 256, {1.00184691f, 1.56536388f, 0.66284984f, 0.26292467f}, 483.0563255},
    {"blk.0.ffn_down.weight",
     512,
     {5.45165825f, 1.2667315f, 1.07465410f, 0.922938466f},
     1270.5256762},
    {"blk.1.ffn_up_exps.weight",
     768,
     {10.2884979f, 0.36180165f, 1.13215041f, 0.45836565f},
     2098.1410667},
};

TEST(imatrix_reads_both_forms_to_the_same_weights)
{
    static const char *const paths[] = {"tests/vectors/imatrix/imatrix.gguf",
                                        "tests/vectors/imatrix/imatrix.dat"};
    for (int k = 0; k < 2; k++) {
        struct err e = {0};
        struct imatrix *m = imatrix_open(paths[k], &e);
        MUST_TRUE(m != NULL, e.msg);
        CHECK_EQ(imatrix_n_entries(m), 3);
        CHECK_TRUE(str_is(imatrix_dataset(m), "calib.txt"));
        CHECK_EQ(imatrix_n_chunks(m), 4);
        CHECK_TRUE(imatrix_find(m, STR("blk.0.attn_k.weight")) == NULL);
        for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
            const struct imatrix_entry *entry = imatrix_find(m, str_of(wanted[i].name));
            MUST_TRUE(entry && entry->n_values == wanted[i].n_values, wanted[i].name);
            double sum = 0;
            for (uint64_t j = 0; j < entry->n_values; j++)
                sum += (double)entry->values[j];
            for (int j = 0; j < 4; j++)
                CHECK_NEAR(entry->values[j], wanted[i].first[j], 1e-6 * (double)wanted[i].first[j]);
            CHECK_NEAR(sum, wanted[i].sum, 1e-5 * wanted[i].sum);
        }
        imatrix_close(m);
    }
    CHECK_EQ(mem_n_live(), 0);
}

/* Every shorter file is refused or, where only the optional tail is gone, read. */
TEST(imatrix_survives_every_truncation)
{
    static const char *const paths[] = {"tests/vectors/imatrix/imatrix.gguf",
                                        "tests/vectors/imatrix/imatrix.dat"};
    for (int k = 0; k < 2; k++) {
        size_t n_bytes, n_read = 0;
        unsigned char *whole = t_read_file(paths[k], &n_bytes);
        for (size_t n = 0; n < n_bytes; n++) {
            struct err e = {0};
            unsigned char *part = malloc(n ? n : 1);
            MUST_TRUE(part != NULL, NULL);
            memcpy(part, whole, n);
            struct imatrix *m = imatrix_open_mem(part, n, "part", &e);
            n_read += m != NULL;
            if (!m && e.code == ERR_NONE)
                CHECK_TRUE(false);
            imatrix_close(m);
            free(part);
        }
        CHECK_EQ(n_read, k == 0 ? 20 /* padding */ : 4 + 4 + sizeof "calib.txt" - 1);
        free(whole);
    }
    CHECK_EQ(mem_n_live(), 0);
}

/* An old-form file of one entry "w" with the value given. */
static struct imatrix *open_old(float value, int32_t n_values_said, struct err *e)
{
    static _Alignas(8) unsigned char bytes[64];
    int32_t n_entries = 1, n_name = 1, n_calls = 2;
    memcpy(bytes, &n_entries, 4);
    memcpy(bytes + 4, &n_name, 4);
    bytes[8] = 'w';
    memcpy(bytes + 9, &n_calls, 4);
    memcpy(bytes + 13, &n_values_said, 4);
    memcpy(bytes + 17, &value, 4);
    return imatrix_open_mem(bytes, 21, "old", e);
}

TEST(imatrix_refuses_values_that_weigh_nothing_sensible)
{
    static const float bad[] = {-1, NAN, INFINITY};
    struct err e = {0};
    struct imatrix *m = open_old(3, 1, &e);
    MUST_TRUE(m != NULL, e.msg);
    CHECK_NEAR(imatrix_find(m, STR("w"))->values[0], 1.5, 0);
    imatrix_close(m);
    for (int i = 0; i < 3; i++) {
        e = (struct err){0};
        CHECK_TRUE(open_old(bad[i], 1, &e) == NULL);
        CHECK_TRUE(strstr(e.msg, "not finite") && strstr(e.msg, "\"w\""));
    }
    e = (struct err){0};
    CHECK_TRUE(open_old(1, 0x40000000, &e) == NULL && strstr(e.msg, "entry 0"));
    CHECK_TRUE(open_old(1, -1, NULL) == NULL && open_old(1, 0, NULL) == NULL);
    e = (struct err){0};
    CHECK_TRUE(imatrix_open("tests/absent.dat", &e) == NULL && e.code == ERR_IO);
    CHECK_TRUE(imatrix_open("tests/vectors/gguf/v_minimal.gguf", NULL) == NULL);
    CHECK_EQ(mem_n_live(), 0);
}

TEST(imatrix_returns_what_was_written)
{
    double up[3] = {3, 6, 0.75}, down[2] = {1e-3, 2e30};
    struct imatrix_sum sums[] = {{STR("blk.0.ffn_up.weight"), 3, up, 3},
                                 {STR("blk.0.ffn_gate.weight"), 3, up, 0},
                                 {STR("blk.0.ffn_down.weight"), 2, down, 2}};
    struct imatrix_origin origin = {"text", 5, 128};
    struct err e = {0};
    char path[512];
    snprintf(path, sizeof path, "%s/m.gguf", t_scratch_dir());
    MUST_TRUE(imatrix_write(path, sums, 3, &origin, &e), e.msg);
    struct imatrix *m = imatrix_open(path, &e);
    MUST_TRUE(m != NULL, e.msg);
    CHECK_EQ(imatrix_n_entries(m), 2);
    CHECK_EQ(imatrix_n_chunks(m), 5);
    CHECK_TRUE(str_is(imatrix_dataset(m), "text"));
    const struct imatrix_entry *entry = imatrix_find(m, STR("blk.0.ffn_up.weight"));
    MUST_TRUE(entry && entry->n_values == 3, NULL);
    CHECK_NEAR(entry->values[1], 2, 0);
    CHECK_NEAR(entry->values[2], 0.25, 0);
    CHECK_TRUE(imatrix_find(m, STR("blk.0.ffn_gate.weight")) == NULL);
    imatrix_close(m);
    down[0] = 1e39;
    CHECK_TRUE(!imatrix_write(path, sums, 3, &origin, &e) && strstr(e.msg, "ffn_down"));
    CHECK_EQ(mem_n_live(), 0);
}
