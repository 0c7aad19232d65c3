#if defined(__x86_64__)
#include "kernels/matmul/matmul_float.h"

FLOAT_SET(avx2);
#else
typedef int matmul_float_avx2_is_empty_here;
#endif
