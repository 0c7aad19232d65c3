#if defined(__x86_64__)
#include "kernels/matmul/matmul_float.h"

FLOAT_SET(avx512);
#else
typedef int matmul_float_avx512_is_empty_here;
#endif
