#include "kernels/glu/glu.h"

#include <math.h>
#include <stddef.h>

void glu_ref(const void *args)
{
    const struct glu_args *a = args;
    for (size_t i = 0; i < (size_t)a->n_rows * a->n_cols; i++) {
        double t = a->gate[i];
        double gelu = 0.5 * t * (1 + tanh(0.7978845608028654 * (t + 0.044715 * t * t * t)));
        a->y[i] = (float)(gelu * a->up[i]);
    }
}
