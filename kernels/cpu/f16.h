/* f16: binary32 to IEEE 754 binary16 in plain C, nearest even, subnormals kept: the bits that F16C
 * and NEON give. The way back is half_from_f16 (kernels/quant/half.h). */
#ifndef KERNELS_CPU_F16_H
#define KERNELS_CPU_F16_H

#include <stdint.h>
#include <string.h>

static inline uint16_t f16_from_f32(float f)
{
    uint32_t bits;
    memcpy(&bits, &f, sizeof bits);
    uint32_t sign = bits >> 16 & 0x8000u, mag = bits & 0x7FFFFFFFu;
    if (mag > 0x7F800000u)
        return (uint16_t)(sign | 0x7E00u | (mag >> 13 & 0x3FFu));
    if (mag >= 0x477FF000u) /* 65520, half way to the next power of two: infinity */
        return (uint16_t)(sign | 0x7C00u);
    if (mag < 0x38800000u) { /* below 2^-14: adding 0.5 leaves units of 2^-24, rounded by the
                                addition itself */
        float m;
        memcpy(&m, &mag, sizeof m);
        m += 0.5f;
        memcpy(&mag, &m, sizeof mag);
        return (uint16_t)(sign | (mag - 0x3F000000u));
    }
    mag += 0xFFFu + (mag >> 13 & 1u);
    return (uint16_t)(sign | ((mag - 0x38000000u) >> 13));
}

#endif
