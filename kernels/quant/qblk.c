#include "kernels/quant/qblk.h"

#include "kernels/quant/half.h"

/* d; i8 qs[32]: qs[i] * d */
static void unpack_q8_0(const uint8_t *p, uint32_t n_elems, struct qblk_step *out)
{
    for (uint32_t b = 0; b < n_elems / 32; b++, p += Q8_0_BYTES) {
        memcpy(out->w + 32 * b, p + Q8_0_QS_OFF, 32);
        out->c[2 * b] = out->c[2 * b + 1] = half_load_f16(p);
    }
}

/* Six-bit scale and minimum of sub-block s from the 12 packed bytes. */
static void k_scale_min(const uint8_t *packed, uint32_t s, uint32_t *scale, uint32_t *minimum)
{
    if (s < 4) {
        *scale = packed[s] & 63u;
        *minimum = packed[s + 4] & 63u;
    } else {
        *scale = (packed[s + 4] & 15u) + 16u * (packed[s - 4] >> 6);
        *minimum = (packed[s + 4] >> 4) + 16u * (packed[s] >> 6);
    }
}

/* d, dmin, scales[12], qs[128]: sub-blocks 2p and 2p + 1 are the low and high nibbles of qs[32p ..
 * 32p + 31]. */
static void unpack_q4_k(const uint8_t *p, uint32_t n_elems, struct qblk_step *out)
{
    float d = half_load_f16(p), dmin = half_load_f16(p + Q4_K_DMIN_OFF);
    for (uint32_t s = 0; s < n_elems / 32; s++) {
        uint32_t scale, minimum;
        k_scale_min(p + Q4_K_SCALES_OFF, s, &scale, &minimum);
        out->c[2 * s] = out->c[2 * s + 1] = d * (float)scale;
        out->m[s] = dmin * (float)minimum;
        const uint8_t *qs = p + Q4_K_QS_OFF + 32 * (s / 2);
        for (uint32_t l = 0; l < 32; l++)
            out->w[32 * s + l] = (int8_t)(qs[l] >> 4 * (s % 2) & 15);
    }
}

/* ql[128], qh[64], i8 scales[16], d: q - 32 with the low nibble in ql and two high bits in qh, per
 * half of 128. */
static void unpack_q6_k(const uint8_t *p, uint32_t n_elems, struct qblk_step *out)
{
    float d = half_load_f16(p + Q6_K_D_OFF);
    for (uint32_t i = 0; i < n_elems; i++) {
        uint32_t half = i / 128, quarter = i % 128 / 32, l = i % 32;
        uint32_t low = p[64 * half + 32 * (quarter % 2) + l] >> 4 * (quarter / 2) & 15;
        uint32_t high = p[Q6_K_QH_OFF + 32 * half + l] >> 2 * quarter & 3;
        out->w[i] = (int8_t)((int)(low + 16 * high) - 32);
    }
    for (uint32_t s = 0; s < n_elems / 16; s++)
        out->c[s] = d * (float)(int8_t)p[Q6_K_SCALES_OFF + s];
}

/* Twice the values of E2M1 codes 0 .. 15. */
static const int8_t e2m1_doubled[16] = {0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12};

/* UE4M3 d[4], qs[32]: group s of 16 has elements j and j + 8 in the low and high nibble of qs[8s +
 * j]. */
static void unpack_nvfp4(const uint8_t *p, uint32_t n_elems, struct qblk_step *out)
{
    for (uint32_t s = 0; s < n_elems / 16; s++) {
        const uint8_t *block = p + s / 4 * NVFP4_BYTES;
        const uint8_t *qs = block + NVFP4_QS_OFF + 8 * (s % 4);
        out->c[s] = 0.5f * half_from_ue4m3(block[s % 4]);
        for (uint32_t j = 0; j < 8; j++) {
            out->w[16 * s + j] = e2m1_doubled[qs[j] & 15];
            out->w[16 * s + 8 + j] = e2m1_doubled[qs[j] >> 4];
        }
    }
}

static const struct qblk_trait traits[QTYPE_ID_END] = {
    [QTYPE_Q8_0] = {QBLK_FORM_BLOCK, 8 * Q8_0_BYTES, unpack_q8_0},
    [QTYPE_Q4_K] = {QBLK_FORM_MINIMA, Q4_K_BYTES, unpack_q4_k},
    [QTYPE_Q6_K] = {QBLK_FORM_HALVES, Q6_K_BYTES, unpack_q6_k},
    [QTYPE_NVFP4] = {QBLK_FORM_HALVES, 4 * NVFP4_BYTES, unpack_nvfp4},
};

const struct qblk_trait *qblk_trait(enum qtype type)
{
    return (uint32_t)type < QTYPE_ID_END && traits[type].unpack ? &traits[type] : NULL;
}
