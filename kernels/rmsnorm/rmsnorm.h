/* rmsnorm: y = out_scale * (resid + w * x / sqrt(mean(x^2) + eps)).   Zhang & Sennrich 2019, eq. 4; gemma4-text 3.1, 3.3
 * w = NULL means 1, resid = NULL means 0. The residual form is h = x + RMS(a, w); out_scale is the layer scalar. */
#ifndef KERNELS_RMSNORM_RMSNORM_H
#define KERNELS_RMSNORM_RMSNORM_H

#include <stdint.h>

struct rmsnorm_args {
    const float *x;     /* [T, D] */
    const float *w;     /* [D] or NULL */
    const float *resid; /* [T, D] or NULL; may be y */
    float *y;           /* [T, D]; may be x or resid */
    uint32_t n_rows;    /* T */
    uint32_t d_model;   /* D */
    float eps;
    float out_scale;
};

#endif
