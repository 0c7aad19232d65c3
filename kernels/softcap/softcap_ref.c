#include "kernels/softcap/softcap.h"

#include <math.h>
#include <stddef.h>

void softcap_ref(const void *args)
{
    const struct softcap_args *a = args;
    for (size_t i = 0; i < (size_t)a->n_rows * a->n_cols; i++)
        a->x[i] = (float)(a->cap * tanh((double)a->x[i] / a->cap));
}
