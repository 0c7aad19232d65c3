#include "kernels/cpu/body.h"
#include "kernels/cpu/body_sets.h"

#include <stddef.h>

static const struct body_set *chosen = &body_portable; /* written by body_init alone */

const struct body_set *body_get(enum cpu_isa isa)
{
    switch (isa) {
    case CPU_ISA_PORTABLE:
        return &body_portable;
#if defined(__x86_64__)
    case CPU_ISA_AVX2:
        return &body_avx2;
    case CPU_ISA_AVX512:
        return &body_avx512;
    case CPU_ISA_DOTPROD:
    case CPU_ISA_I8MM:
#elif defined(__aarch64__)
    case CPU_ISA_DOTPROD:
    case CPU_ISA_I8MM:
        return &body_neon;
    case CPU_ISA_AVX2:
    case CPU_ISA_AVX512:
#endif
    case CPU_N_ISAS:
        break;
    }
    return NULL;
}

enum cpu_isa body_init(uint32_t isa_mask)
{
    uint32_t built_mask = 0;
    for (uint32_t isa = 0; isa < CPU_N_ISAS; isa++)
        built_mask |= (uint32_t)(body_get((enum cpu_isa)isa) != NULL) << isa;
    enum cpu_isa best = cpu_isa_best((isa_mask & built_mask) | 1u << CPU_ISA_PORTABLE);
    chosen = body_get(best);
    return best;
}

const struct body_set *body_chosen(void)
{
    return chosen;
}
