/* The harness's own arithmetic; what it does with bad tests is tried by tests/lint/selftest.sh. */
#include "tests/t.h"

#include <math.h>
#include <stdio.h>
#include <stdint.h>
#include <stdlib.h>

TEST(t_checks_tell_extreme_integers_apart)
{
    CHECK_EQ(UINT64_MAX, UINT64_MAX);
    CHECK_TRUE((__int128)UINT64_MAX != (__int128)INT64_C(-1));
    CHECK_EQ(INT64_MIN, INT64_MIN);
}

TEST(t_near_accepts_equal_infinities_and_its_bound)
{
    CHECK_NEAR(INFINITY, INFINITY, 0);
    CHECK_NEAR(1.0f, 1.25, 0.25);
    CHECK_STR(NULL, NULL);
    CHECK_BYTES("abc", "abd", 2);
}

TEST(t_scratch_dir_is_empty_and_stays_the_same)
{
    const char *dir = t_scratch_dir();
    struct t_path path = t_scratch_path("x");
    CHECK_EQ(t_scratch_n_entries(), 0);
    FILE *out = fopen(path.at, "w");
    MUST_TRUE(out, path.at);
    CHECK_EQ(t_scratch_n_entries(), 1);
    CHECK_EQ(fputs("hearth", out) < 0, 0);
    CHECK_EQ(fclose(out), 0);
    size_t n_bytes;
    char *text = t_read_file(path.at, &n_bytes);
    CHECK_EQ(n_bytes, 6);
    CHECK_STR(text, "hearth");
    CHECK_STR(t_scratch_dir(), dir);
    free(text);
}
