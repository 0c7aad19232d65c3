#include "kernels/quant/qblk_unpack.h"

#include "kernels/quant/half.h"

const int8_t qblk_iq4_levels[16] = {-127, -104, -83, -65, -49, -35, -22, -10,
                                    1,    13,   25,  38,  53,  69,  89,  113};
const int8_t qblk_e2m1_doubled[16] = {0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12};

/* Element i of 32 codes in 16 bytes: low nibbles, then high nibbles. */
static uint32_t nibble(const uint8_t *qs, uint32_t i)
{
    return qs[i % 16] >> 4 * (i / 16) & 15;
}

/* One scale for block b. */
static void put_scale(struct qblk_step *out, uint32_t b, float c)
{
    out->c[2 * b] = out->c[2 * b + 1] = c;
}

/* The files have an offset to add, the step a minimum to subtract. */
static void put_offset(struct qblk_step *out, uint32_t b, float offset)
{
    out->m[2 * b] = out->m[2 * b + 1] = -offset;
}

/* d; qs[16]: (q - 8) * d */
void qblk_q4_0(const uint8_t *p, uint32_t n_elems, struct qblk_step *out)
{
    for (uint32_t b = 0; b < n_elems / 32; b++, p += Q4_0_BYTES) {
        put_scale(out, b, half_load_f16(p));
        for (uint32_t i = 0; i < 32; i++)
            out->w[32 * b + i] = (int8_t)((int)nibble(p + Q4_0_QS_OFF, i) - 8);
    }
}

/* d, m; qs[16]: q * d + m */
void qblk_q4_1(const uint8_t *p, uint32_t n_elems, struct qblk_step *out)
{
    for (uint32_t b = 0; b < n_elems / 32; b++, p += Q4_1_BYTES) {
        put_scale(out, b, half_load_f16(p));
        put_offset(out, b, half_load_f16(p + Q4_1_M_OFF));
        for (uint32_t i = 0; i < 32; i++)
            out->w[32 * b + i] = (int8_t)nibble(p + Q4_1_QS_OFF, i);
    }
}

/* d; u32 h; qs[16]: bit i of h is the fifth of q[i]; (q - 16) * d */
void qblk_q5_0(const uint8_t *p, uint32_t n_elems, struct qblk_step *out)
{
    for (uint32_t b = 0; b < n_elems / 32; b++, p += Q5_0_BYTES) {
        uint32_t high = half_load_u32(p + Q5_0_QH_OFF);
        put_scale(out, b, half_load_f16(p));
        for (uint32_t i = 0; i < 32; i++) {
            uint32_t q = nibble(p + Q5_0_QS_OFF, i) + 16 * (high >> i & 1);
            out->w[32 * b + i] = (int8_t)((int)q - 16);
        }
    }
}

/* d, m; u32 h; qs[16]: q * d + m */
void qblk_q5_1(const uint8_t *p, uint32_t n_elems, struct qblk_step *out)
{
    for (uint32_t b = 0; b < n_elems / 32; b++, p += Q5_1_BYTES) {
        uint32_t high = half_load_u32(p + Q5_1_QH_OFF);
        put_scale(out, b, half_load_f16(p));
        put_offset(out, b, half_load_f16(p + Q5_1_M_OFF));
        for (uint32_t i = 0; i < 32; i++)
            out->w[32 * b + i] = (int8_t)(nibble(p + Q5_1_QS_OFF, i) + 16 * (high >> i & 1));
    }
}

/* d; i8 qs[32]: qs[i] * d */
void qblk_q8_0(const uint8_t *p, uint32_t n_elems, struct qblk_step *out)
{
    for (uint32_t b = 0; b < n_elems / 32; b++, p += Q8_0_BYTES) {
        put_scale(out, b, half_load_f16(p));
        memcpy(out->w + 32 * b, p + Q8_0_QS_OFF, 32);
    }
}

/* d; qs[16]: levels[q] * d */
void qblk_iq4_nl(const uint8_t *p, uint32_t n_elems, struct qblk_step *out)
{
    for (uint32_t b = 0; b < n_elems / 32; b++, p += IQ4_NL_BYTES) {
        put_scale(out, b, half_load_f16(p));
        for (uint32_t i = 0; i < 32; i++)
            out->w[32 * b + i] = qblk_iq4_levels[nibble(p + IQ4_NL_QS_OFF, i)];
    }
}

/* E8M0 scale; qs[16] of E2M1 */
void qblk_mxfp4(const uint8_t *p, uint32_t n_elems, struct qblk_step *out)
{
    for (uint32_t b = 0; b < n_elems / 32; b++, p += MXFP4_BYTES) {
        put_scale(out, b, 0.5f * half_from_e8m0(p[0]));
        for (uint32_t i = 0; i < 32; i++)
            out->w[32 * b + i] = qblk_e2m1_doubled[nibble(p + MXFP4_QS_OFF, i)];
    }
}

/* UE4M3 d[4], qs[32]: group s of 16 has elements j and j + 8 in the low and high nibble of qs[8s +
 * j]. */
void qblk_nvfp4(const uint8_t *p, uint32_t n_elems, struct qblk_step *out)
{
    for (uint32_t s = 0; s < n_elems / 16; s++) {
        const uint8_t *block = p + s / 4 * NVFP4_BYTES;
        const uint8_t *qs = block + NVFP4_QS_OFF + 8 * (s % 4);
        out->c[s] = 0.5f * half_from_ue4m3(block[s % 4]);
        for (uint32_t j = 0; j < 8; j++) {
            out->w[16 * s + j] = qblk_e2m1_doubled[qs[j] & 15];
            out->w[16 * s + 8 + j] = qblk_e2m1_doubled[qs[j] >> 4];
        }
    }
}
