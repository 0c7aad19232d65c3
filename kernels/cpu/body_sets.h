/* body_sets: the tables that body_*.c define, for body.c alone. */
#ifndef KERNELS_CPU_BODY_SETS_H
#define KERNELS_CPU_BODY_SETS_H

#include "kernels/cpu/body.h"

extern const struct body_set body_portable;
#if defined(__x86_64__)
extern const struct body_set body_avx2;
extern const struct body_set body_avx512;
#elif defined(__aarch64__)
extern const struct body_set body_neon;
#endif

#endif
