/* rmsnorm: y = out_scale * (resid + w * x / sqrt(mean(x^2) + eps)).
 * Zhang & Sennrich 2019, eq. 4; gemma4-text 3.1, 3.3
 *   w = NULL means 1, resid = NULL means 0. The residual form is h = x + RMS(a, w); out_scale is
 * the layer scalar. */
#ifndef KERNELS_RMSNORM_RMSNORM_H
#define KERNELS_RMSNORM_RMSNORM_H

#include <stdint.h>

/* Against the f64 reference: every output is a few f32 roundings (2^-24 each) from it, squared
 * 4e-15 each; the sum of squares adds less. Ten times that. */
#define RMSNORM_MAX_NMSE 4e-14

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

/* Scalar truth in f64. */
void rmsnorm_ref(const void *args);

#endif
