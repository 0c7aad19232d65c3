#include "runtime/logprob.h"

#include "tests/t.h"

#include <math.h>

TEST(logprob_log_sum_agrees_with_closed_forms)
{
    float same[1000], ramp[3] = {0.0f, (float)log(2.0), (float)log(5.0)};
    for (int i = 0; i < 1000; i++)
        same[i] = 3.5f;
    CHECK_NEAR(logprob_log_sum(same, 1000), 3.5 + log(1000.0), 1e-12);
    CHECK_NEAR(logprob_log_sum(ramp, 3), log(8.0), 1e-6);
}

TEST(logprob_log_sum_survives_large_logits)
{
    const float high[2] = {30000.0f, 30000.0f}, low[2] = {-30000.0f, -30001.0f};
    CHECK_NEAR(logprob_log_sum(high, 2), 30000.0 + log(2.0), 1e-9);
    CHECK_NEAR(logprob_log_sum(low, 2), -30000.0 + log(1.0 + exp(-1.0)), 1e-9);
}

TEST(logprob_top_orders_and_gives_ties_to_the_lower_id)
{
    const float z[8] = {1.0f, 5.0f, 2.0f, 5.0f, -1.0f, 4.0f, 5.0f, 2.0f};
    const int32_t want[8] = {1, 3, 6, 5, 2, 7, 0, 4};
    for (uint32_t n = 0; n <= 8; n++) {
        int32_t got[9] = {-1, -1, -1, -1, -1, -1, -1, -1, -1};
        logprob_top(z, 8, got, n);
        CHECK_BYTES(got, want, n * sizeof *want);
        CHECK_EQ(got[n], -1);
    }
}
