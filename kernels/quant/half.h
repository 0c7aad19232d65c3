/* half: exact decoding of the small float formats that tensors and block scales use. quant-formats
 * 2 */
#ifndef KERNELS_QUANT_HALF_H
#define KERNELS_QUANT_HALF_H

#include <stdint.h>
#include <string.h>

static inline float half_from_bits32(uint32_t bits)
{
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

static inline uint32_t half_bits32(float x)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

/* IEEE binary16, subnormals included; a NaN comes out quiet with its payload, as F16C and NEON do
 * it. */
static inline float half_from_f16(uint16_t f16)
{
    uint32_t sign = (uint32_t)(f16 & 0x8000) << 16;
    uint32_t rest = f16 & 0x7fff;
    if (rest < 0x0400) /* subnormal: an integer times 2^-24 */
        return half_from_bits32(sign | half_bits32((float)rest * 0x1p-24f));
    if (rest < 0x7c00)
        return half_from_bits32(sign | ((rest << 13) + ((127 - 15) << 23)));
    uint32_t quiet = rest > 0x7c00 ? 0x00400000 : 0;
    return half_from_bits32(sign | 0x7f800000 | (rest & 0x3ff) << 13 | quiet);
}

static inline float half_from_bf16(uint16_t bf16)
{
    return half_from_bits32((uint32_t)bf16 << 16);
}

/* OCP E4M3 without its sign bit; code 127 counts as 0, bit 7 is ignored. */
static inline float half_from_ue4m3(uint8_t code)
{
    uint32_t exponent = code >> 3 & 15, mantissa = code & 7;
    if ((code & 0x7f) == 0x7f)
        return 0;
    if (exponent == 0)
        return (float)mantissa * 0x1p-9f;
    return half_from_bits32((exponent + 127 - 7) << 23 | mantissa << 20);
}

/* OCP E8M0: 2^(code - 127), subnormal for code 0; 255 is a NaN. */
static inline float half_from_e8m0(uint8_t code)
{
    if (code == 255)
        return half_from_bits32(0x7fc00000);
    return half_from_bits32(code == 0 ? 0x00400000 : (uint32_t)code << 23);
}

/* Little-endian loads from unaligned tensor bytes. */
static inline uint16_t half_load_u16(const uint8_t *p)
{
    return (uint16_t)(p[0] | p[1] << 8);
}

static inline uint32_t half_load_u32(const uint8_t *p)
{
    return half_load_u16(p) | (uint32_t)half_load_u16(p + 2) << 16;
}

static inline float half_load_f16(const uint8_t *p)
{
    return half_from_f16(half_load_u16(p));
}

#endif
