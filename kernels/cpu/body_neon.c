#if defined(__aarch64__)
#include "kernels/cpu/body_all.h"
#include "kernels/cpu/body_sets.h"

BODY_SET(neon);
#else
typedef int body_neon_is_empty_here;
#endif
