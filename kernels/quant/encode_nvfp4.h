/* encode_nvfp4: NVFP4 with its second level, the scale of the tensor (quant-formats 5.7).
 * Flow: the tensor's largest magnitude -> encode_nvfp4_tensor_scale -> encode_row with that scale
 * in the guide; readers multiply what the blocks hold by it.   Thread: any. Allocates: never. */
#ifndef KERNELS_QUANT_ENCODE_NVFP4_H
#define KERNELS_QUANT_ENCODE_NVFP4_H

#include "kernels/quant/encode_part.h"

/* Of a tensor of largest magnitude abs_max; 1 if that is 0. */
float encode_nvfp4_tensor_scale(float abs_max);

/* As encode_row with guide->tensor_scale (> 0), every group taking the best of the first
 * n_candidates scales around the rounded one. encode_row tries 13: more gain nothing. */
bool encode_nvfp4_search(const float *x, const struct encode_guide *guide, uint32_t n_candidates,
                         uint8_t *out, uint64_t n_elems);

#endif
