/* grid: the codebooks of the IQ1, IQ2 and IQ3 encodings. An entry is 8 or 4 elements, byte e from
 * the least significant being element e, so that a load on a little-endian machine has them in
 * order. IQ2 and IQ3 hold magnitudes, whose signs are stored apart; IQ1 holds 8 times its trits, as
 * signed bytes. quant-formats 3.5 */
#ifndef KERNELS_QUANT_GRID_H
#define KERNELS_QUANT_GRID_H

#include <stdint.h>

extern const uint64_t grid_iq1[2048]; /* IQ1_S, IQ1_M */
extern const uint64_t grid_iq2_xxs[256];
extern const uint64_t grid_iq2_xs[512];
extern const uint64_t grid_iq2_s[1024];
extern const uint32_t grid_iq3_xxs[256];
extern const uint32_t grid_iq3_s[512];

#endif
