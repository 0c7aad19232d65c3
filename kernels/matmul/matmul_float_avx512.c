#if defined(__x86_64__)
enum { FLOAT_ROWS = 4, FLOAT_COLS = 4 }; /* 16 sums, 4 of x and 1 of w of the 32 registers */

#include "kernels/matmul/matmul_float.h"

FLOAT_SET(avx512);
#else
typedef int matmul_float_avx512_is_empty_here;
#endif
