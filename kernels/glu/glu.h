/* glu: y = gelu(gate) * up, gelu(t) = 0.5 t (1 + tanh(sqrt(2/pi) (t + 0.044715 t^3))).   gemma4-text 3.9 */
#ifndef KERNELS_GLU_GLU_H
#define KERNELS_GLU_GLU_H

#include <stdint.h>

struct glu_args {
    const float *gate; /* [T, F] */
    const float *up;   /* [T, F] */
    float *y;          /* [T, F]; may be gate or up */
    uint32_t n_rows;   /* T */
    uint32_t n_cols;   /* F */
};

#endif
