#include "kernels/cpu/cpu.h"

#include <stdbool.h>

#if defined(__x86_64__)
#include <cpuid.h>

/* clang 14's built-in does not know this one by name. Its registers are AVX's, whose state the
 * built-ins check. */
static bool has_f16c(void)
{
    unsigned a, b, c, d;
    return __get_cpuid(1, &a, &b, &c, &d) && (c & bit_F16C);
}

static uint32_t native_mask(void)
{
    /* The built-ins look at the enabled register state (xgetbv) as well as at the instruction bits.
     */
    __builtin_cpu_init();
    bool has_avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && has_f16c();
    bool has_avx512 = has_avx2 && __builtin_cpu_supports("avx512f") &&
                      __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
                      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vnni");
    return (uint32_t)has_avx2 << CPU_ISA_AVX2 | (uint32_t)has_avx512 << CPU_ISA_AVX512;
}
#elif defined(__aarch64__)
#include <asm/hwcap.h>
#include <sys/auxv.h>

static uint32_t native_mask(void)
{
    unsigned long caps = getauxval(AT_HWCAP);
    bool has_dotprod = (caps & HWCAP_ASIMDDP) && (caps & HWCAP_ASIMDHP);
    bool has_i8mm = has_dotprod && (getauxval(AT_HWCAP2) & HWCAP2_I8MM);
    return (uint32_t)has_dotprod << CPU_ISA_DOTPROD | (uint32_t)has_i8mm << CPU_ISA_I8MM;
}
#else
static uint32_t native_mask(void)
{
    return 0;
}
#endif

uint32_t cpu_isa_mask(void)
{
    return 1u << CPU_ISA_PORTABLE | native_mask();
}

#define X(name, text) [CPU_ISA_##name] = text,
static const char *const names[CPU_N_ISAS] = {CPU_ISAS(X)};
#undef X

const char *cpu_isa_name(enum cpu_isa isa)
{
    return names[isa];
}

enum cpu_isa cpu_isa_best(uint32_t isa_mask)
{
    uint32_t isa = CPU_N_ISAS - 1;
    while (isa > CPU_ISA_PORTABLE && !(isa_mask >> isa & 1))
        isa--;
    return (enum cpu_isa)isa;
}
