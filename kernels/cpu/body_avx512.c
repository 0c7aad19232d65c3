#if defined(__x86_64__)
#include "kernels/cpu/body_all.h"
#include "kernels/cpu/body_sets.h"

BODY_SET(avx512);
#else
typedef int body_avx512_is_empty_here;
#endif
