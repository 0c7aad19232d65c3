#define SIMD_PORTABLE
#include "kernels/cpu/vmath.h"

#include "kernels/cpu/body.h"
#include "tests/near.h"
#include "tests/t.h"

#include <string.h>

static double ulp_of(double want)
{
    float f = fminf(fabsf((float)want), 0x1.fffffcp127f);
    return (double)nextafterf(f, INFINITY) - (double)f;
}

/* Largest distance in units of the last place over every 1009th float in [first, last] by bit
 * pattern, both signs. */
static double worst_ulp(void (*fn)(const float[16], float[16]), double (*truth)(double), float most)
{
    double worst = 0;
    uint32_t end;
    memcpy(&end, &most, sizeof end);
    for (uint32_t bits = 0; bits < end; bits += 8 * 1009) {
        float x[16], y[16];
        for (uint32_t i = 0; i < 16; i++) {
            uint32_t b = (bits + i / 2 * 1009) | (i & 1) << 31;
            memcpy(&x[i], &b, sizeof b);
        }
        fn(x, y);
        for (uint32_t i = 0; i < 16; i++) {
            double want = truth(x[i]);
            if (fabs(want) > 0x1.fffffep127)
                continue; /* overflow is checked apart */
            worst = fmax(worst, fabs(y[i] - want) / ulp_of(want));
        }
    }
    return worst;
}

TEST(vmath_exp_is_within_its_budget_of_libm_on_every_set)
{
    for (uint32_t isa = 0; isa < CPU_N_ISAS; isa++)
        if ((cpu_isa_mask() >> isa & 1) && body_get((enum cpu_isa)isa))
            CHECK_NEAR(worst_ulp(body_get((enum cpu_isa)isa)->exp16, exp, 110.0f), 0,
                       VMATH_EXP_MAX_ULP);
}

TEST(vmath_tanh_is_within_its_budget_of_libm_on_every_set)
{
    for (uint32_t isa = 0; isa < CPU_N_ISAS; isa++)
        if ((cpu_isa_mask() >> isa & 1) && body_get((enum cpu_isa)isa))
            CHECK_NEAR(worst_ulp(body_get((enum cpu_isa)isa)->tanh16, tanh, 30.0f), 0,
                       VMATH_TANH_MAX_ULP);
}

TEST(vmath_ends_of_the_range_are_exact)
{
    const float x[16] = {-INFINITY, -200, -104.5f, 0, 89, 200, INFINITY, -0.0f};
    float y[16];
    body_chosen()->exp16(x, y);
    CHECK_TRUE(y[0] == 0 && y[1] == 0 && y[2] == 0 && y[3] == 1 && y[7] == 1);
    CHECK_TRUE(isinf(y[4]) && isinf(y[5]) && isinf(y[6]));
    body_chosen()->tanh16(x, y);
    CHECK_TRUE(y[0] == -1 && y[1] == -1 && y[5] == 1 && y[6] == 1);
    CHECK_TRUE(y[3] == 0 && !signbit(y[3]) && y[7] == 0 && signbit(y[7]));
}

TEST(vmath_error_measure_notices_a_small_scale_error)
{
    CHECK_TRUE(fabs((double)(expf(2.0f) * 1.0000003f) - exp(2.0)) / ulp_of(exp(2.0)) >
               VMATH_EXP_MAX_ULP);
}
