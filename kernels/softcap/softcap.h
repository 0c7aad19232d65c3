/* softcap: y = cap * tanh(x / cap) in place, over logits.   gemma4-text 3.13 */
#ifndef KERNELS_SOFTCAP_SOFTCAP_H
#define KERNELS_SOFTCAP_SOFTCAP_H

#include <stdint.h>

/* Against the f64 reference: division, tanh within VMATH_TANH_MAX_ULP and a multiplication, squared
 * 5e-14 at worst. */
#define SOFTCAP_MAX_NMSE 5e-14

struct softcap_args {
    float *x;        /* [R, V] */
    uint32_t n_rows; /* R */
    uint32_t n_cols; /* V */
    float cap;       /* > 0 */
};

/* Scalar truth in f64. */
void softcap_ref(const void *args);

#endif
