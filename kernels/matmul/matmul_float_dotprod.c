#if defined(__aarch64__)
#include "kernels/matmul/matmul_float.h"

FLOAT_SET(dotprod);
#else
typedef int matmul_float_dotprod_is_empty_here;
#endif
