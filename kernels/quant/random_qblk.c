#include "kernels/quant/random_qblk.h"

#include "kernels/quant/encode.h"

#include <string.h>

/* raw: the block filled with random bytes; the writer sets scales and whatever may not be random.
 */
typedef void block_fn(uint8_t *raw, float sigma);

/* Standard deviations of the uniform integers that random bits decode to. */
static const float Q8_DEV = 74.7f;  /* -128 .. 127, times the rms of spread() */
static const float Q6_DEV = 18.47f; /* -32 .. 31 */
static const float Q4_DEV = 4.61f;  /* 0 .. 15 */
/* NVFP4: rms of E2M1 over its 16 codes (68.5 / 8, root) times rms of the block scales below. */
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

/* f16 d, dmin; 6-bit scales and minima in 12 bytes; nibbles. Value d*sc*q - dmin*mn. With mn = sc
 * and dmin = 7.5 d the mean is 0. Scales 33..63: bit 5 set, packed as quant-formats 3.4. */
static void q4_k_block(uint8_t *raw, float sigma)
{
    enum { SCALES = 4 };
    uint8_t scales[8], *s = raw + SCALES;
    for (int i = 0; i < 8; i++)
        scales[i] = (uint8_t)(33 + s[i] % 31);
    for (int i = 0; i < 4; i++) {
        uint8_t low = scales[i], high = scales[i + 4];
        s[i] = s[i + 4] = (uint8_t)(low | (high >> 4) << 6);
        s[i + 8] = (uint8_t)((high & 15) * 0x11);
    }
    float d = sigma / (Q4_DEV * 48.8f); /* rms of 33..63 */
    put_f16(raw, d);
    put_f16(raw + 2, 7.5f * d);
}

/* ql[128], qh[64], i8 scales[16], f16 d. */
static void q6_k_block(uint8_t *raw, float sigma)
{
    enum { SCALES = 192, D = 208 };
    for (int i = 0; i < 16; i++)
        raw[SCALES + i] = (uint8_t)(64 + raw[SCALES + i] % 64);
    put_f16(raw + D, sigma / (Q6_DEV * 97.2f)); /* rms of 64..127 */
}

/* u8 d[4] of UE4M3; nibbles. Codes 0x30..0x3f are 0.5 .. 1.875. */
static void nvfp4_block(uint8_t *raw, float sigma)
{
    (void)sigma;
    for (int i = 0; i < 4; i++)
        raw[i] = (uint8_t)(0x30 | (raw[i] & 15));
}

static block_fn *const writers[QTYPE_ID_END] = {
    [QTYPE_Q8_0] = q8_0_block,
    [QTYPE_Q4_K] = q4_k_block,
    [QTYPE_Q6_K] = q6_k_block,
    [QTYPE_NVFP4] = nvfp4_block,
};

bool random_qblk_supports(enum qtype type)
{
    return writers[type] != NULL;
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
        writers[type](p, sigma);
    }
}
