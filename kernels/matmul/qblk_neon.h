/* qblk_neon: unpackers of quant blocks for Advanced SIMD, one per encoding; included by
 * matmul_quant_dotprod.c alone. Here that of Q8_0 and what several share;
 * qblk_neon_small.h has nibbles per 32 or 64, qblk_neon_super.h the K and ternary encodings,
 * qblk_neon_grid.h the codebooks. A step is 256 weights
 * of one row as signed bytes in order of k, half a block per register. */
#ifndef KERNELS_MATMUL_QBLK_NEON_H
#define KERNELS_MATMUL_QBLK_NEON_H

#include "kernels/quant/half.h"
#include "kernels/quant/qblk.h"

#include <arm_neon.h>
#include <string.h>

#define STEP_FN static inline __attribute__((always_inline))

struct quant_step {
    int8x16_t w[16];
    float32x4_t c[4]; /* scales of the first, then of the second halves of blocks 0..7; whole
                         blocks: c[0], c[1] */
    float32x4_t m[4]; /* minima likewise */
};

/* The f16 of 8 successive blocks. */
STEP_FN void f16_of_blocks(const uint8_t *p, size_t block_bytes, float32x4_t out[2])
{
    uint16_t bits[8];
    for (int b = 0; b < 8; b++)
        bits[b] = half_load_u16(p + b * block_bytes);
    float16x8_t f16 = vreinterpretq_f16_u16(vld1q_u16(bits));
    out[0] = vcvt_f32_f16(vget_low_f16(f16));
    out[1] = vcvt_f32_f16(vget_high_f16(f16));
}

/* 8 signed bytes to floats, times d. */
STEP_FN void scaled_signed_bytes(int8x8_t bytes, float d, float32x4_t out[2])
{
    int16x8_t wide = vmovl_s8(bytes);
    out[0] = vmulq_n_f32(vcvtq_f32_s32(vmovl_s16(vget_low_s16(wide))), d);
    out[1] = vmulq_n_f32(vcvtq_f32_s32(vmovl_s16(vget_high_s16(wide))), d);
}

/* x less an offset, as signed bytes. */
STEP_FN int8x16_t minus(uint8x16_t x, int8_t offset)
{
    return vsubq_s8(vreinterpretq_s8_u8(x), vdupq_n_s8(offset));
}

STEP_FN void all_minus(const uint8x16_t q[16], int8_t offset, int8x16_t w[16])
{
    for (int i = 0; i < 16; i++)
        w[i] = minus(q[i], offset);
}

/* d; i8 qs[32] per block */
STEP_FN void step_q8_0(const uint8_t *p, struct quant_step *s)
{
    f16_of_blocks(p, Q8_0_BYTES, s->c);
    for (int b = 0; b < 8; b++, p += Q8_0_BYTES) {
        s->w[2 * b] = vreinterpretq_s8_u8(vld1q_u8(p + Q8_0_QS_OFF));
        s->w[2 * b + 1] = vreinterpretq_s8_u8(vld1q_u8(p + Q8_0_QS_OFF + 16));
    }
}

/* 8 bytes to floats, times d. */
STEP_FN void scaled_bytes(uint64_t bytes, float d, float32x4_t out[2])
{
    uint16x8_t wide = vmovl_u8(vcreate_u8(bytes));
    out[0] = vmulq_n_f32(vcvtq_f32_u32(vmovl_u16(vget_low_u16(wide))), d);
    out[1] = vmulq_n_f32(vcvtq_f32_u32(vmovl_u16(vget_high_u16(wide))), d);
}

#endif
