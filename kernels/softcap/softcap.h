/* softcap: y = cap * tanh(x / cap) in place, over logits.   gemma4-text 3.13 */
#ifndef KERNELS_SOFTCAP_SOFTCAP_H
#define KERNELS_SOFTCAP_SOFTCAP_H

#include <stdint.h>

struct softcap_args {
    float *x;        /* [R, V] */
    uint32_t n_rows; /* R */
    uint32_t n_cols; /* V */
    float cap;       /* > 0 */
};

#endif
