#if defined(__x86_64__)
#include "kernels/cpu/body_all.h"
#include "kernels/cpu/body_sets.h"

BODY_SET(avx2);
#else
typedef int body_avx2_is_empty_here;
#endif
