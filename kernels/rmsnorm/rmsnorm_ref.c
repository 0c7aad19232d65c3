#include "kernels/rmsnorm/rmsnorm.h"

#include <math.h>
#include <stddef.h>

void rmsnorm_ref(const void *args)
{
    const struct rmsnorm_args *a = args;
    for (size_t t = 0; t < a->n_rows; t++) {
        const float *x = a->x + t * a->d_model;
        double sum = 0;
        for (uint32_t c = 0; c < a->d_model; c++)
            sum += (double)x[c] * x[c];
        double inverse = 1 / sqrt(sum / a->d_model + a->eps);
        for (uint32_t c = 0; c < a->d_model; c++) {
            double y = x[c] * inverse * (a->w ? a->w[c] : 1);
            y += a->resid ? a->resid[t * a->d_model + c] : 0;
            a->y[t * a->d_model + c] = (float)(y * a->out_scale);
        }
    }
}
