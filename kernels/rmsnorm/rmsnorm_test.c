#include "kernels/cpu/body.h"
#include "kernels/op.h"
#include "tests/near.h"
#include "tests/t.h"

#include <string.h>

enum { MAX_T = 5, MAX_D = 5376 };

static const uint32_t widths[] = {1, 2, 15, 16, 17, 83, 256, 1536, MAX_D};
enum { N_WIDTHS = sizeof widths / sizeof *widths };

static struct rmsnorm_args make(uint64_t *state, uint32_t d_model, bool has_w, bool has_resid)
{
    return (struct rmsnorm_args){.x = near_floats(MAX_T * d_model, state, 3.0f),
                                 .w = has_w ? near_floats(d_model, state, 2.0f) : NULL,
                                 .resid =
                                     has_resid ? near_floats(MAX_T * d_model, state, 3.0f) : NULL,
                                 .y = near_floats(MAX_T * d_model, state, 0.0f),
                                 .n_rows = MAX_T,
                                 .d_model = d_model,
                                 .eps = 1e-6f,
                                 .out_scale = has_resid ? 0.7f : 1.0f};
}

TEST(rmsnorm_is_within_its_budget_of_the_reference)
{
    uint64_t state = 1;
    for (uint32_t i = 0; i < N_WIDTHS; i++)
        for (uint32_t form = 0; form < 4; form++) {
            struct rmsnorm_args a = make(&state, widths[i], form & 1, form & 2), ref = a;
            ref.y = near_floats(MAX_T * a.d_model, &state, 0.0f);
            op_rmsnorm.cpu(&a, 0, 1);
            rmsnorm_ref(&ref);
            CHECK_TRUE(near_nmse(a.y, ref.y, (size_t)MAX_T * a.d_model) <= RMSNORM_MAX_NMSE);
        }
}

TEST(rmsnorm_comparison_notices_one_wrong_element)
{
    uint64_t state = 2;
    struct rmsnorm_args a = make(&state, 5376, true, true), ref = a;
    ref.y = near_floats(MAX_T * a.d_model, &state, 0.0f);
    op_rmsnorm.cpu(&a, 0, 1);
    rmsnorm_ref(&ref);
    a.y[777] *= 1.001f;
    CHECK_TRUE(near_nmse(a.y, ref.y, (size_t)MAX_T * a.d_model) > RMSNORM_MAX_NMSE);
}

TEST(rmsnorm_row_does_not_depend_on_neighbours_threads_or_aliasing)
{
    uint64_t state = 3;
    for (uint32_t i = 0; i < N_WIDTHS; i++) {
        struct rmsnorm_args a = make(&state, widths[i], true, true);
        size_t row_bytes = a.d_model * sizeof(float);
        op_rmsnorm.cpu(&a, 0, 1);
        float *alone = near_floats(a.d_model, &state, 0.0f);
        for (uint32_t t = 0; t < MAX_T; t++) {
            struct rmsnorm_args one = a;
            one.x += t * a.d_model;
            one.resid += t * a.d_model;
            one.y = alone;
            one.n_rows = 1;
            op_rmsnorm.cpu(&one, 0, 1);
            CHECK_BYTES(alone, a.y + t * a.d_model, row_bytes);
        }
        struct rmsnorm_args in_place = a;
        in_place.y = near_floats(MAX_T * a.d_model, &state, 0.0f);
        memcpy(in_place.y, a.resid, MAX_T * row_bytes);
        in_place.resid = in_place.y;
        for (uint32_t tid = 0; tid < 3; tid++)
            op_rmsnorm.cpu(&in_place, tid, 3);
        CHECK_BYTES(in_place.y, a.y, MAX_T * row_bytes);
    }
}

TEST(rmsnorm_refuses_missing_tensors_and_a_bad_eps)
{
    uint64_t state = 4;
    struct rmsnorm_args a = make(&state, 16, false, false);
    struct err e = {0};
    CHECK_TRUE(op_rmsnorm.check(&a, &e));
    a.eps = -1;
    CHECK_TRUE(!op_rmsnorm.check(&a, &e));
    a.eps = 0;
    a.y = NULL;
    CHECK_TRUE(!op_rmsnorm.check(&a, &e));
}
