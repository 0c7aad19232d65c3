/* cpu: what this processor can execute, and the instruction-set variants kernels are built for.
 * A variant is a compile unit (x_avx2.c, x_dotprod.c, ...); every variant of an op gives the same
 * bits, so which one runs is a matter of speed alone. Thread: any. Allocates: never. */
#ifndef KERNELS_CPU_CPU_H
#define KERNELS_CPU_CPU_H

#include <stdint.h>

/* Variants from plain to wide; a later one is preferred. Those of another architecture are never
 * usable. */
#define CPU_ISAS(X)                                                                                \
    X(PORTABLE, "portable")    /* C alone */                                                       \
    X(AVX2, "avx2")            /* AVX2, FMA, F16C */                                               \
    X(AVX512, "avx512vnni")    /* AVX-512 F, BW, VL, DQ, VNNI; FMA, F16C */                        \
    X(DOTPROD, "neon-dotprod") /* Armv8.2-A with dotprod and fp16 */                               \
    X(I8MM, "neon-i8mm")       /* the same with i8mm */

#define X(name, text) CPU_ISA_##name,
enum cpu_isa { CPU_ISAS(X) CPU_N_ISAS };
#undef X

/* Set of variants this processor and operating system can run: bit i for enum value i; bit 0 is
 * always set. */
uint32_t cpu_isa_mask(void);

/* "avx2" and so on. */
const char *cpu_isa_name(enum cpu_isa isa);

/* The preferred member of a mask that has bit 0. */
enum cpu_isa cpu_isa_best(uint32_t isa_mask);

#endif
