#include "kernels/quant/qblk_unpack.h"

#include "kernels/quant/half.h"

/* Element i of 256 codes of two bits in 64 bytes: per half of 128, quarter j of 32 is at bits 2j of
 * 32 bytes. */
static uint32_t two_bits(const uint8_t *qs, uint32_t i)
{
    return qs[32 * (i / 128) + i % 32] >> 2 * (i % 128 / 32) & 3;
}

/* Element i of 256 nibbles in 128 bytes: blocks 2p and 2p + 1 are the low and high nibbles of
 * qs[32p .. 32p + 31]. */
static uint32_t nibble(const uint8_t *qs, uint32_t i)
{
    return qs[32 * (i / 64) + i % 32] >> 4 * (i / 32 % 2) & 15;
}

/* scales[16] of a nibble of scale and one of minimum, qs[64], d, dmin. */
void qblk_q2_k(const uint8_t *p, uint32_t n_elems, struct qblk_step *out)
{
    float d = half_load_f16(p + Q2_K_D_OFF), dmin = half_load_f16(p + Q2_K_DMIN_OFF);
    for (uint32_t i = 0; i < n_elems; i++)
        out->w[i] = (int8_t)two_bits(p + Q2_K_QS_OFF, i);
    for (uint32_t s = 0; s < n_elems / 16; s++) {
        out->c[s] = d * (float)(p[s] & 15);
        out->m[s] = dmin * (float)(p[s] >> 4);
    }
}

/* hmask[32], qs[64], scales[12], d: bit i / 32 of hmask[i % 32] is the third of q; q - 4. Scale s
 * has its low 4 bits in the nibbles of scales[0 .. 7], two high bits in scales[8 + s % 4]; less 32.
 */
void qblk_q3_k(const uint8_t *p, uint32_t n_elems, struct qblk_step *out)
{
    float d = half_load_f16(p + Q3_K_D_OFF);
    const uint8_t *packed = p + Q3_K_SCALES_OFF;
    for (uint32_t i = 0; i < n_elems; i++) {
        uint32_t high = p[i % 32] >> i / 32 & 1;
        out->w[i] = (int8_t)((int)(two_bits(p + Q3_K_QS_OFF, i) + 4 * high) - 4);
    }
    for (uint32_t s = 0; s < n_elems / 16; s++) {
        uint32_t low = packed[s % 8] >> 4 * (s / 8) & 15;
        uint32_t high = packed[8 + s % 4] >> 2 * (s / 4) & 3;
        out->c[s] = d * (float)((int)(low + 16 * high) - 32);
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

/* The d, dmin, scales[12] of Q4_K and Q5_K. */
static void k_header(const uint8_t *p, uint32_t n_elems, struct qblk_step *out)
{
    float d = half_load_f16(p), dmin = half_load_f16(p + Q4_K_DMIN_OFF);
    for (uint32_t b = 0; b < n_elems / 32; b++) {
        uint32_t scale, minimum;
        k_scale_min(p + Q4_K_SCALES_OFF, b, &scale, &minimum);
        out->c[2 * b] = out->c[2 * b + 1] = d * (float)scale;
        out->m[2 * b] = out->m[2 * b + 1] = dmin * (float)minimum;
    }
}

/* d, dmin, scales[12], qs[128] */
void qblk_q4_k(const uint8_t *p, uint32_t n_elems, struct qblk_step *out)
{
    k_header(p, n_elems, out);
    for (uint32_t i = 0; i < n_elems; i++)
        out->w[i] = (int8_t)nibble(p + Q4_K_QS_OFF, i);
}

/* d, dmin, scales[12], qh[32], qs[128]: bit i / 32 of qh[i % 32] is the fifth of q. */
void qblk_q5_k(const uint8_t *p, uint32_t n_elems, struct qblk_step *out)
{
    k_header(p, n_elems, out);
    for (uint32_t i = 0; i < n_elems; i++) {
        uint32_t high = p[Q5_K_QH_OFF + i % 32] >> i / 32 & 1;
        out->w[i] = (int8_t)(nibble(p + Q5_K_QS_OFF, i) + 16 * high);
    }
}

/* ql[128], qh[64], i8 scales[16], d: q - 32 with the low nibble in ql and two high bits in qh, per
 * half of 128. */
void qblk_q6_k(const uint8_t *p, uint32_t n_elems, struct qblk_step *out)
{
    float d = half_load_f16(p + Q6_K_D_OFF);
    for (uint32_t i = 0; i < n_elems; i++) {
        uint32_t half = i / 128, quarter = i % 128 / 32, l = i % 32;
        uint32_t low = p[64 * half + 32 * (quarter % 2) + l] >> 4 * (quarter / 2) & 15;
        uint32_t high = two_bits(p + Q6_K_QH_OFF, i);
        out->w[i] = (int8_t)((int)(low + 16 * high) - 32);
    }
    for (uint32_t s = 0; s < n_elems / 16; s++)
        out->c[s] = d * (float)(int8_t)p[Q6_K_SCALES_OFF + s];
}

/* d, u16 sh, sl[4], qs[128]: block b has its codes in 16 bytes, low nibbles first, and a scale of 6
 * bits, less 32. */
void qblk_iq4_xs(const uint8_t *p, uint32_t n_elems, struct qblk_step *out)
{
    float d = half_load_f16(p);
    uint32_t high = half_load_u16(p + IQ4_XS_SH_OFF), low = half_load_u32(p + IQ4_XS_SL_OFF);
    for (uint32_t i = 0; i < n_elems; i++) {
        uint32_t code = p[IQ4_XS_QS_OFF + 16 * (i / 32) + i % 16] >> 4 * (i / 16 % 2) & 15;
        out->w[i] = qblk_iq4_levels[code];
    }
    for (uint32_t b = 0; b < n_elems / 32; b++) {
        uint32_t scale = (low >> 4 * b & 15) + 16 * (high >> 2 * b & 3);
        out->c[2 * b] = out->c[2 * b + 1] = d * (float)((int)scale - 32);
    }
}

/* One scale for all. */
static void put_scale(struct qblk_step *out, float d)
{
    for (uint32_t s = 0; s < 2 * QBLK_STEP_BLOCKS; s++)
        out->c[s] = d;
}

/* Trit t, 0 .. 2, of a byte that holds five as a fraction: the integer part of 3 times what is left
 * after t digits. */
static uint32_t trit_at(uint8_t fraction, uint32_t t)
{
    static const uint8_t power[5] = {1, 3, 9, 27, 81};
    return (uint8_t)(fraction * power[t]) * 3u >> 8;
}

/* qs[48], qh[4], d: 5 x 32 elements in qs[0 .. 31], 5 x 16 in qs[32 .. 47], 4 x 4 in qh. */
void qblk_tq1_0(const uint8_t *p, uint32_t n_elems, struct qblk_step *out)
{
    for (uint32_t i = 0; i < n_elems; i++) {
        uint32_t trit;
        if (i < 160)
            trit = trit_at(p[i % 32], i / 32);
        else if (i < 240)
            trit = trit_at(p[32 + i % 16], (i - 160) / 16);
        else
            trit = trit_at(p[TQ1_0_QH_OFF + i % 4], (i - 240) / 4);
        out->w[i] = (int8_t)((int)trit - 1);
    }
    put_scale(out, half_load_f16(p + TQ1_0_D_OFF));
}

/* qs[64], d: q - 1 */
void qblk_tq2_0(const uint8_t *p, uint32_t n_elems, struct qblk_step *out)
{
    for (uint32_t i = 0; i < n_elems; i++)
        out->w[i] = (int8_t)((int)two_bits(p, i) - 1);
    put_scale(out, half_load_f16(p + TQ2_0_D_OFF));
}
