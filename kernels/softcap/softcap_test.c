#include "kernels/op.h"
#include "kernels/softcap/softcap.h"
#include "tests/near.h"
#include "tests/t.h"

#include <string.h>

TEST(softcap_gives_the_published_values)
{
    float x[4] = {30, 5, -45, 0};
    op_softcap.cpu(&(struct softcap_args){x, 1, 4, 30}, 0, 1);
    CHECK_NEAR(x[0], 22.8478246787, 4e-6);
    CHECK_NEAR(x[1], 4.9542123877, 1e-6);
    CHECK_NEAR(x[2], -27.1544476093, 4e-6);
    CHECK_TRUE(x[3] == 0);
}

TEST(softcap_is_within_its_budget_of_the_reference_at_every_length)
{
    uint64_t state = 1;
    for (uint32_t n = 1; n < 70; n++)
        for (uint32_t n_tid = 1; n_tid < 4; n_tid++) {
            float *x = near_floats(2 * n, &state, 70), *want = near_alloc(2 * n * sizeof *want);
            memcpy(want, x, 2 * n * sizeof *x);
            for (uint32_t tid = 0; tid < n_tid; tid++)
                op_softcap.cpu(&(struct softcap_args){x, 2, n, 30}, tid, n_tid);
            softcap_ref(&(struct softcap_args){want, 2, n, 30});
            CHECK_TRUE(near_nmse(x, want, 2 * n) <= SOFTCAP_MAX_NMSE);
            x[n] += 0.01f;
            CHECK_TRUE(near_nmse(x, want, 2 * n) > SOFTCAP_MAX_NMSE);
        }
}

TEST(softcap_keeps_order_and_stays_inside_the_cap)
{
    enum { N = 4001 };
    static float x[N];
    for (int i = 0; i < N; i++)
        x[i] = (float)(i - N / 2) * 0.1f;
    op_softcap.cpu(&(struct softcap_args){x, 1, N, 30}, 0, 1);
    for (int i = 1; i < N; i++)
        CHECK_TRUE(x[i] >= x[i - 1]);
    CHECK_TRUE(x[0] >= -30 && x[N - 1] <= 30);
}

TEST(softcap_refuses_a_cap_that_is_not_positive)
{
    float x[1] = {0};
    CHECK_TRUE(op_softcap.check(&(struct softcap_args){x, 1, 1, 30}, NULL));
    CHECK_TRUE(!op_softcap.check(&(struct softcap_args){x, 1, 1, 0}, NULL));
    CHECK_TRUE(!op_softcap.check(&(struct softcap_args){x, 1, 1, NAN}, NULL));
}
