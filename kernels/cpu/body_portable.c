#define SIMD_PORTABLE
#include "kernels/cpu/body_all.h"
#include "kernels/cpu/body_sets.h"

BODY_SET(portable);
