#include "runtime/base/stats.h"

#include "tests/t.h"

TEST(stats_hist_counts_a_value_in_the_first_bucket_that_holds_it)
{
    static const double bounds[] = {1, 10};
    struct stats_hist h;
    stats_hist_init(&h, bounds, 2);
    stats_hist_add(&h, 0.5);
    stats_hist_add(&h, 1);
    stats_hist_add(&h, 1.5);
    stats_hist_add(&h, 100);
    CHECK_EQ(h.counts[0], 2);
    CHECK_EQ(h.counts[1], 1);
    CHECK_EQ(h.counts[2], 1);
    CHECK_EQ(h.n, 4);
    CHECK_NEAR(h.sum, 103, 1e-12);
}
