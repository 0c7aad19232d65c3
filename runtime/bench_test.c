#include "runtime/bench.h"

#include "tests/t.h"

TEST(bench_stat_is_median_and_extremes)
{
    struct bench_series odd = {3, {5.0, 1.0, 3.0}}, even = {4, {4.0, 1.0, 3.0, 8.0}},
                        one = {1, {7.0}};
    struct bench_stat s = bench_stat_of(&odd);
    CHECK_NEAR(s.median, 3.0, 0.0);
    CHECK_NEAR(s.min, 1.0, 0.0);
    CHECK_NEAR(s.max, 5.0, 0.0);
    s = bench_stat_of(&even);
    CHECK_NEAR(s.median, 3.5, 0.0);
    CHECK_NEAR(s.max, 8.0, 0.0);
    CHECK_NEAR(bench_stat_of(&one).median, 7.0, 0.0);
}
