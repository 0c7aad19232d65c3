/* qblk_neon: unpackers of quant blocks for Advanced SIMD, one per encoding; included by
 * matmul_quant_dotprod.c alone. A step is 256 weights of one row as signed bytes in order of k,
 * half a block per register. */
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

/* d; i8 qs[32] per block */
STEP_FN void step_q8_0(const uint8_t *p, struct quant_step *s)
{
    uint16_t d[8];
    for (int b = 0; b < 8; b++, p += Q8_0_BYTES) {
        memcpy(d + b, p, sizeof *d);
        s->w[2 * b] = vreinterpretq_s8_u8(vld1q_u8(p + Q8_0_QS_OFF));
        s->w[2 * b + 1] = vreinterpretq_s8_u8(vld1q_u8(p + Q8_0_QS_OFF + 16));
    }
    float16x8_t scales = vreinterpretq_f16_u16(vld1q_u16(d));
    s->c[0] = vcvt_f32_f16(vget_low_f16(scales));
    s->c[1] = vcvt_f32_f16(vget_high_f16(scales));
}

/* 8 bytes to floats, times d. */
STEP_FN void scaled_bytes(uint64_t bytes, float d, float32x4_t out[2])
{
    uint16x8_t wide = vmovl_u8(vcreate_u8(bytes));
    out[0] = vmulq_n_f32(vcvtq_f32_u32(vmovl_u16(vget_low_u16(wide))), d);
    out[1] = vmulq_n_f32(vcvtq_f32_u32(vmovl_u16(vget_high_u16(wide))), d);
}

/* d, dmin, 12 bytes of scales and minima, qs[128]: 32 bytes hold blocks 2i (low nibbles) and 2i + 1
 * (high). The words u of the 12 bytes: scales and minima 0..3 are the low 6 bits of u[0] and
 * u[1]; 4..7 are the nibbles of u[2] with the two high bits of u[0] and u[1] on top. */
STEP_FN void step_q4_k(const uint8_t *p, struct quant_step *s)
{
    for (int i = 0; i < 8; i++) {
        uint8x16_t qs = vld1q_u8(p + Q4_K_QS_OFF + 16 * i);
        int at = 4 * (i / 2) + i % 2;
        s->w[at] = vreinterpretq_s8_u8(vandq_u8(qs, vdupq_n_u8(15)));
        s->w[at + 2] = vreinterpretq_s8_u8(vshrq_n_u8(qs, 4));
    }
    uint32_t u[3];
    memcpy(u, p + Q4_K_SCALES_OFF, sizeof u);
    uint64_t scales = (u[2] & 0x0f0f0f0f) | (u[0] >> 2 & 0x30303030);
    uint64_t minima = (u[2] >> 4 & 0x0f0f0f0f) | (u[1] >> 2 & 0x30303030);
    scaled_bytes(scales << 32 | (u[0] & 0x3f3f3f3f), half_load_f16(p), s->c);
    scaled_bytes(minima << 32 | (u[1] & 0x3f3f3f3f), half_load_f16(p + Q4_K_DMIN_OFF), s->m);
}

/* 8 signed bytes to floats, times d. */
STEP_FN void scaled_signed_bytes(int8x8_t bytes, float d, float32x4_t out[2])
{
    int16x8_t wide = vmovl_s8(bytes);
    out[0] = vmulq_n_f32(vcvtq_f32_s32(vmovl_s16(vget_low_s16(wide))), d);
    out[1] = vmulq_n_f32(vcvtq_f32_s32(vmovl_s16(vget_high_s16(wide))), d);
}

/* ql[128], qh[64], i8 scales[16], d; half n: ql[64n ..] low nibbles are blocks 4n, 4n + 1, high
 * nibbles 4n + 2, 4n + 3, block k of the half has its two high bits at qh[32n ..] >> 2k */
STEP_FN void step_q6_k(const uint8_t *p, struct quant_step *s)
{
    const uint8x16_t nibble = vdupq_n_u8(15), high_bits = vdupq_n_u8(0x30);
    for (int i = 0; i < 4; i++) { /* half n = i / 2, bytes 16 * (i % 2) .. of its blocks */
        uint8x16_t qh = vld1q_u8(p + Q6_K_QH_OFF + 16 * i);
        const uint8_t *ql = p + 64 * (i / 2) + 16 * (i % 2);
        uint8x16_t even = vld1q_u8(ql), odd = vld1q_u8(ql + 32);
        uint8x16_t q[4] = {
            vorrq_u8(vandq_u8(even, nibble), vandq_u8(vshlq_n_u8(qh, 4), high_bits)),
            vorrq_u8(vandq_u8(odd, nibble), vandq_u8(vshlq_n_u8(qh, 2), high_bits)),
            vorrq_u8(vshrq_n_u8(even, 4), vandq_u8(qh, high_bits)),
            vorrq_u8(vshrq_n_u8(odd, 4), vandq_u8(vshrq_n_u8(qh, 2), high_bits)),
        };
        for (int k = 0; k < 4; k++)
            s->w[8 * (i / 2) + 2 * k + i % 2] = vsubq_s8(vreinterpretq_s8_u8(q[k]), vdupq_n_s8(32));
    }
    int8x8x2_t scales = vld2_s8((const int8_t *)p + Q6_K_SCALES_OFF);
    float d = half_load_f16(p + Q6_K_D_OFF);
    scaled_signed_bytes(scales.val[0], d, s->c);
    scaled_signed_bytes(scales.val[1], d, s->c + 2);
}

/* 8 UE4M3 codes to half the floats: as f16 their bits << 7 are the scale times 2^-8; code 127
 * counts as 0. */
STEP_FN void half_scales(uint8x8_t codes, float32x4_t out[2])
{
    codes = vand_u8(codes, vdup_n_u8(0x7f));
    codes = vbic_u8(codes, vceq_u8(codes, vdup_n_u8(0x7f)));
    float16x8_t f16 = vreinterpretq_f16_u16(vshlq_n_u16(vmovl_u8(codes), 7));
    out[0] = vmulq_n_f32(vcvt_f32_f16(vget_low_f16(f16)), 128);
    out[1] = vmulq_n_f32(vcvt_f32_f16(vget_high_f16(f16)), 128);
}

/* UE4M3 d[4], qs[32] per 64: group g of 16 has elements 0..7 in the low, 8..15 in the high nibbles
 * of qs[8g ..]; doubled E2M1 values */
STEP_FN void step_nvfp4(const uint8_t *p, struct quant_step *s)
{
    static const int8_t doubled[16] = {0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12};
    int8x16_t values = vld1q_s8(doubled);
    uint8_t d[16];
    for (int i = 0; i < 4; i++, p += NVFP4_BYTES) {
        memcpy(d + 4 * i, p, 4);
        for (int j = 0; j < 2; j++) {
            uint8x16_t qs = vld1q_u8(p + NVFP4_QS_OFF + 16 * j);
            uint8x16_t low = vandq_u8(qs, vdupq_n_u8(15)), high = vshrq_n_u8(qs, 4);
            uint8x16_t even = vcombine_u8(vget_low_u8(low), vget_low_u8(high));
            uint8x16_t odd = vcombine_u8(vget_high_u8(low), vget_high_u8(high));
            s->w[4 * i + 2 * j] = vqtbl1q_s8(values, even);
            s->w[4 * i + 2 * j + 1] = vqtbl1q_s8(values, odd);
        }
    }
    uint8x8x2_t codes = vld2_u8(d);
    half_scales(codes.val[0], s->c);
    half_scales(codes.val[1], s->c + 2);
}

#endif
