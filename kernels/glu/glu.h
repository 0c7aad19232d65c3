/* glu: y = gelu(gate) * up, gelu(t) = 0.5 t (1 + tanh(sqrt(2/pi) (t + 0.044715 t^3))).
 * gemma4-text 3.9 */
#ifndef KERNELS_GLU_GLU_H
#define KERNELS_GLU_GLU_H

#include <stdint.h>

/* Against the f64 reference: the exponent's argument carries a relative 2^-23, so where gelu
 * matters (|t| < 4) a result is within ~1e-6 relative; squared and averaged below 1e-13. Ten times
 * that. */
#define GLU_MAX_NMSE 1e-12

struct glu_args {
    const float *gate; /* [T, F] */
    const float *up;   /* [T, F] */
    float *y;          /* [T, F]; may be gate or up */
    uint32_t n_rows;   /* T */
    uint32_t n_cols;   /* F */
};

/* Scalar truth in f64. */
void glu_ref(const void *args);

#endif
