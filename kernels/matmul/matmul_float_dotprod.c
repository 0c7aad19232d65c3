#if defined(__aarch64__)
enum { FLOAT_ROWS = 2, FLOAT_COLS = 2 }; /* 16 sums, 8 of x and 4 of w of the 32 registers */

#include "kernels/matmul/matmul_float.h"

FLOAT_SET(dotprod);
#else
typedef int matmul_float_dotprod_is_empty_here;
#endif
