#include "kernels/quant/random_qblk.h"

#include "kernels/quant/encode.h"
#include "kernels/quant/qblk.h"

#include <math.h>
#include <string.h>

/* Blocks of random bytes and one f16 d: root mean square of what they decode to with d = 1, over
 * all codes, codebook entries and scales. d gets a random sign, so that the mean is 0. */
struct plain {
    float rms;
    uint8_t d_off_bytes;
};

static const struct plain plain[QTYPE_ID_END] = {
    [QTYPE_Q4_0] = {4.637f, 0},
    [QTYPE_Q5_0] = {9.247f, 0},
    [QTYPE_IQ4_NL] = {67.44f, 0},
    [QTYPE_Q3_K] = {2.345f * 18.48f, Q3_K_D_OFF}, /* scales -32 .. 31 */
    [QTYPE_IQ4_XS] = {67.44f * 18.48f, 0},
    [QTYPE_TQ1_0] = {0.8173f, TQ1_0_D_OFF},
    [QTYPE_IQ1_S] = {0.7809f * 9.220f, 0},          /* scales 1, 3, .. 15 */
    [QTYPE_IQ2_XXS] = {23.12f * 0.25f * 9.233f, 0}, /* scales 0.5, 1.5, .. 15.5, quartered */
    [QTYPE_IQ2_XS] = {24.22f * 0.25f * 9.233f, 0},
    [QTYPE_IQ2_S] = {24.43f * 0.25f * 9.233f, 0},
    [QTYPE_IQ3_XXS] = {30.85f * 0.5f * 9.233f, 0},
    [QTYPE_IQ3_S] = {7.594f * 18.47f, 0}, /* scales 1, 3, .. 31 */
};
static const float IQ1_M_RMS = 0.7809f * 9.220f;
static const float E2M1_RMS = 2.926f; /* over its 16 codes: 68.5 / 8, root */

/* raw: the block filled with random bytes; the writer sets scales and whatever may not be random.
 */
typedef void block_fn(uint8_t *raw, float sigma);

/* Standard deviations of the uniform integers that random bits decode to. */
static const float Q8_DEV = 74.7f;        /* -128 .. 127, times the rms of spread() */
static const float Q6_DEV = 18.47f;       /* -32 .. 31 */
static const float Q5_DEV = 9.233f;       /* 0 .. 31 */
static const float Q4_DEV = 4.61f;        /* 0 .. 15 */
static const float Q2_DEV = 1.118f;       /* 0 .. 3 */
static const float TERNARY_DEV = 0.7071f; /* -1, 0, 0, 1 */
/* NVFP4: times rms of the block scales below. */
static const float NVFP4_RMS = 2.926f * 1.159f;

static void put_f16(uint8_t *p, float x)
{
    uint16_t half = encode_f16(x);
    p[0] = (uint8_t)half;
    p[1] = (uint8_t)(half >> 8);
}

/* 0.75 .. 1.25 from one random byte: real blocks differ in scale too. */
static float spread(uint8_t byte)
{
    return 0.75f + (float)byte / 510.0f;
}

static void q8_0_block(uint8_t *raw, float sigma)
{
    put_f16(raw, sigma / Q8_DEV * spread(raw[0]));
    for (int i = 2; i < 34; i++)
        raw[i] = raw[i] == 0x80 ? 0x7f : raw[i]; /* -128 does not occur */
}

/* f16 d, m. Value d*q + m: with m = -7.5 d the mean is 0. Q5_1 alike. */
static void q4_1_block(uint8_t *raw, float sigma)
{
    put_f16(raw, sigma / Q4_DEV);
    put_f16(raw + Q4_1_M_OFF, -7.5f * sigma / Q4_DEV);
}

static void q5_1_block(uint8_t *raw, float sigma)
{
    put_f16(raw, sigma / Q5_DEV);
    put_f16(raw + Q5_1_M_OFF, -15.5f * sigma / Q5_DEV);
}

/* 6-bit scales and minima in 12 bytes, both from 33..63, as quant-formats 3.4 packs them. */
static void put_k_scales(uint8_t *s)
{
    uint8_t scales[8];
    for (int i = 0; i < 8; i++)
        scales[i] = (uint8_t)(33 + s[i] % 31);
    for (int i = 0; i < 4; i++) {
        uint8_t low = scales[i], high = scales[i + 4];
        s[i] = s[i + 4] = (uint8_t)(low | (high >> 4) << 6);
        s[i + 8] = (uint8_t)((high & 15) * 0x11);
    }
}

/* Value d*sc*q - dmin*mn: with mn = sc and dmin = mean * d the mean is 0. */
static void k_block(uint8_t *raw, float d, float mean)
{
    put_k_scales(raw + Q4_K_SCALES_OFF);
    put_f16(raw, d);
    put_f16(raw + Q4_K_DMIN_OFF, mean * d);
}

static void q4_k_block(uint8_t *raw, float sigma)
{
    k_block(raw, sigma / (Q4_DEV * 48.8f), 7.5f); /* rms of 33..63 */
}

static void q5_k_block(uint8_t *raw, float sigma)
{
    k_block(raw, sigma / (Q5_DEV * 48.8f), 15.5f);
}

/* Scales of 8..15 with equal minima. */
static void q2_k_block(uint8_t *raw, float sigma)
{
    float d = sigma / (Q2_DEV * 11.73f); /* rms of 8..15 */
    for (int i = 0; i < Q2_K_QS_OFF; i++)
        raw[i] = (uint8_t)((8 + raw[i] % 8) * 0x11);
    put_f16(raw + Q2_K_D_OFF, d);
    put_f16(raw + Q2_K_DMIN_OFF, 1.5f * d);
}

/* ql[128], qh[64], i8 scales[16], f16 d. */
static void q6_k_block(uint8_t *raw, float sigma)
{
    for (int i = 0; i < 16; i++)
        raw[Q6_K_SCALES_OFF + i] = (uint8_t)(64 + raw[Q6_K_SCALES_OFF + i] % 64);
    put_f16(raw + Q6_K_D_OFF, sigma / (Q6_DEV * 97.2f)); /* rms of 64..127 */
}

/* Code 3, which encoders never write, becomes 1, the zero. */
static void tq2_0_block(uint8_t *raw, float sigma)
{
    for (int i = 0; i < TQ2_0_D_OFF; i++)
        raw[i] = (uint8_t)(raw[i] & ~((raw[i] & raw[i] << 1) & 0xaa));
    put_f16(raw + TQ2_0_D_OFF, sigma / TERNARY_DEV);
}

/* d in the top nibbles of the four words of scales. */
static void iq1_m_block(uint8_t *raw, float sigma)
{
    uint32_t bits = encode_f16(sigma / IQ1_M_RMS);
    for (int i = 0; i < 4; i++) {
        uint8_t *top = raw + IQ1_M_SCALES_OFF + 2 * i + 1;
        *top = (uint8_t)((*top & 15) | (bits >> 4 * i & 15) << 4);
    }
}

/* A power of two cannot follow sigma, but how often the larger one of two is taken can. */
static void mxfp4_block(uint8_t *raw, float sigma)
{
    int exponent;
    float ratio = 2 * frexpf(sigma / E2M1_RMS, &exponent); /* 1 .. 2, times 2^(exponent - 1) */
    bool is_larger = (float)raw[0] < 256 * (ratio * ratio - 1) / 3;
    raw[0] = (uint8_t)(exponent - 1 + is_larger + 127);
}

/* u8 d[4] of UE4M3; nibbles. Codes 0x30..0x3f are 0.5 .. 1.875. */
static void nvfp4_block(uint8_t *raw, float sigma)
{
    (void)sigma;
    for (int i = 0; i < 4; i++)
        raw[i] = (uint8_t)(0x30 | (raw[i] & 15));
}

static block_fn *const writers[QTYPE_ID_END] = {
    [QTYPE_Q4_1] = q4_1_block,   [QTYPE_Q5_1] = q5_1_block,   [QTYPE_Q8_0] = q8_0_block,
    [QTYPE_Q2_K] = q2_k_block,   [QTYPE_Q4_K] = q4_k_block,   [QTYPE_Q5_K] = q5_k_block,
    [QTYPE_Q6_K] = q6_k_block,   [QTYPE_TQ2_0] = tq2_0_block, [QTYPE_IQ1_M] = iq1_m_block,
    [QTYPE_MXFP4] = mxfp4_block, [QTYPE_NVFP4] = nvfp4_block,
};

static void write_block(enum qtype type, uint8_t *raw, float sigma)
{
    if (writers[type]) {
        writers[type](raw, sigma);
        return;
    }
    uint8_t *d = raw + plain[type].d_off_bytes;
    float sign = d[0] & 1 ? -1.0f : 1.0f;
    put_f16(d, sign * sigma / plain[type].rms);
}

bool random_qblk_supports(enum qtype type)
{
    return writers[type] || plain[type].rms > 0;
}

float random_qblk_fixed_rms(enum qtype type)
{
    return type == QTYPE_NVFP4 ? NVFP4_RMS : 0;
}

void random_qblk_fill(enum qtype type, uint64_t seed, uint64_t i_first, uint64_t n_blocks,
                      float sigma, void *out)
{
    uint32_t block_bytes = qtype_info(type)->block_bytes, n_words = (block_bytes + 7) / 8;
    uint8_t *p = out;
    for (uint64_t b = i_first; b < i_first + n_blocks; b++, p += block_bytes) {
        for (uint32_t w = 0; w < n_words; w++) {
            uint64_t bits = random_u64(seed, b * n_words + w);
            uint32_t n_left = block_bytes - 8 * w;
            memcpy(p + 8 * w, &bits, n_left < 8 ? n_left : 8);
        }
        write_block(type, p, sigma);
    }
}
