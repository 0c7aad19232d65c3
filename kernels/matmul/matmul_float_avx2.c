#if defined(__x86_64__)
enum { FLOAT_ROWS = 2, FLOAT_COLS = 2 }; /* 8 sums, 4 of x and 2 of w of the 16 registers */

#include "kernels/matmul/matmul_float.h"

FLOAT_SET(avx2);
#else
typedef int matmul_float_avx2_is_empty_here;
#endif
