#include "kernels/cpu/body.h"
#include "kernels/cpu/f16.h"
#include "kernels/op.h"
#include "kernels/quant/half.h"
#include "tests/near.h"
#include "tests/t.h"

#include <string.h>

/* Runs the body of a test for every set this machine can execute. */
static bool can_run(uint32_t isa)
{
    return (cpu_isa_mask() >> isa & 1) && body_get((enum cpu_isa)isa);
}

TEST(body_sets_agree_on_the_start_up_probe)
{
    for (uint32_t isa = 0; isa < CPU_N_ISAS; isa++)
        if (can_run(isa))
            CHECK_TRUE(body_isa_agrees((enum cpu_isa)isa));
}

TEST(body_f16_loads_are_exact_for_all_65536_codes_on_every_set)
{
    for (uint32_t isa = 0; isa < CPU_N_ISAS; isa++)
        for (uint32_t code = 0; can_run(isa) && code < 65536; code += 16) {
            uint16_t x[16];
            float y[16], want[16];
            for (uint32_t i = 0; i < 16; i++) {
                x[i] = (uint16_t)(code + i);
                want[i] = half_from_f16(x[i]);
            }
            body_get((enum cpu_isa)isa)->from_f16(x, y);
            CHECK_BYTES(y, want, sizeof y);
        }
}

/* Every f16, the exact middle between it and its neighbour, and one f32 step to each side of that
 * middle. */
TEST(body_f16_stores_round_to_nearest_even_on_every_set)
{
    for (uint32_t isa = 0; isa < CPU_N_ISAS; isa++)
        for (uint32_t code = 0; can_run(isa) && code < 0x7C00; code++) {
            float lo = half_from_f16((uint16_t)code);
            float hi = code + 1 < 0x7C00 ? half_from_f16((uint16_t)(code + 1)) : 65536.0f;
            float mid = lo + (hi - lo) / 2,
                  x[16] = {lo, mid, nextafterf(mid, lo), nextafterf(mid, hi)};
            uint16_t y[16], even = (uint16_t)(code + (code & 1));
            for (uint32_t i = 0; i < 4; i++)
                x[4 + i] = -x[i];
            body_get((enum cpu_isa)isa)->to_f16(x, y);
            const uint16_t want[8] = {(uint16_t)code,
                                      even,
                                      (uint16_t)code,
                                      (uint16_t)(code + 1),
                                      (uint16_t)(code | 0x8000),
                                      even | 0x8000,
                                      (uint16_t)(code | 0x8000),
                                      (uint16_t)((code + 1) | 0x8000)};
            CHECK_BYTES(y, want, sizeof want);
        }
}
