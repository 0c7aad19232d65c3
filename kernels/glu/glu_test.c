#include "kernels/op.h"
#include "kernels/glu/glu.h"
#include "tests/near.h"
#include "tests/t.h"

#include <string.h>

static float gelu(float t)
{
    float gate[1] = {t}, up[1] = {1}, y[1];
    op_glu.cpu(&(struct glu_args){gate, up, y, 1, 1}, 0, 1);
    return y[0];
}

TEST(glu_gives_the_published_values_of_gelu)
{
    CHECK_NEAR(gelu(1), 0.8411919906, 1e-7);
    CHECK_NEAR(gelu(-1), -0.1588080094, 5e-8);
    CHECK_NEAR(gelu(0.5f), 0.3457140098, 5e-8);
    CHECK_NEAR(gelu(3), 2.9963626079, 3e-7);
    CHECK_TRUE(gelu(0) == 0);
    CHECK_NEAR(gelu(-1000), 0, 0);
    CHECK_NEAR(gelu(1000), 1000, 0);
}

TEST(glu_is_within_its_budget_of_the_reference_at_every_length)
{
    uint64_t state = 1;
    for (uint32_t n = 1; n < 70; n++)
        for (uint32_t n_tid = 1; n_tid < 4; n_tid++) {
            struct glu_args a = {near_floats(3 * n, &state, 6), near_floats(3 * n, &state, 2),
                                 near_floats(3 * n, &state, 0), 3, n};
            struct glu_args ref = a;
            ref.y = near_floats(3 * n, &state, 0);
            for (uint32_t tid = 0; tid < n_tid; tid++)
                op_glu.cpu(&a, tid, n_tid);
            glu_ref(&ref);
            CHECK_TRUE(near_nmse(a.y, ref.y, 3 * n) <= GLU_MAX_NMSE);
            a.y[n] += 0.001f;
            CHECK_TRUE(near_nmse(a.y, ref.y, 3 * n) > GLU_MAX_NMSE);
        }
}

TEST(glu_element_does_not_depend_on_its_place_and_may_overwrite_an_input)
{
    uint64_t state = 2;
    enum { N = 101 };
    float *gate = near_floats(N, &state, 9), *up = near_floats(N, &state, 2);
    float y[N], one[N];
    op_glu.cpu(&(struct glu_args){gate, up, y, 1, N}, 0, 1);
    for (uint32_t i = 0; i < N; i++)
        op_glu.cpu(&(struct glu_args){gate + i, up + i, one + i, 1, 1}, 0, 1);
    CHECK_BYTES(one, y, sizeof y);
    op_glu.cpu(&(struct glu_args){gate, up, gate, 1, N}, 0, 1);
    CHECK_BYTES(gate, y, sizeof y);
}

TEST(glu_refuses_missing_tensors)
{
    float x[1] = {0};
    CHECK_TRUE(op_glu.check(&(struct glu_args){x, x, x, 1, 1}, NULL));
    CHECK_TRUE(!op_glu.check(&(struct glu_args){x, NULL, x, 1, 1}, NULL));
}
