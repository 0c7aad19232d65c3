#include "kernels/quant/qblk_unpack.h"

#include "kernels/quant/grid.h"
#include "kernels/quant/half.h"

/* Bit 7 makes the number of signs even. */
static uint32_t signs_of_7_bits(uint32_t index)
{
    return index | (uint32_t)__builtin_parity(index) << 7;
}

/* n magnitudes from the least significant byte on, element e negated if bit e is set. */
static void put_signed(int8_t *w, uint64_t magnitudes, uint32_t signs, uint32_t n)
{
    for (uint32_t e = 0; e < n; e++) {
        int8_t magnitude = (int8_t)(magnitudes >> 8 * e);
        w[e] = (int8_t)(signs >> e & 1 ? -magnitude : magnitude);
    }
}

/* 8 times trits, plus or minus one: the eighths of trit +- 1/8. */
static void put_shifted(int8_t *w, uint64_t trits, bool is_down)
{
    for (uint32_t e = 0; e < 8; e++)
        w[e] = (int8_t)((int8_t)(trits >> 8 * e) + (is_down ? -1 : 1));
}

/* d; per 32: four indices, u32 of four 7-bit signs and a 4-bit scale. */
void qblk_iq2_xxs(const uint8_t *p, uint32_t n_elems, struct qblk_step *out)
{
    float d = half_load_f16(p);
    for (uint32_t k = 0; k < n_elems / 8; k++) {
        const uint8_t *group = p + IQ2_XXS_QS_OFF + 8 * (k / 4);
        uint32_t packed = half_load_u32(group + 4);
        uint32_t signs = signs_of_7_bits(packed >> 7 * (k % 4) & 127);
        put_signed(out->w + 8 * k, grid_iq2_xxs[group[k % 4]], signs, 8);
        out->c[k / 2] = d * (0.5f + (float)(packed >> 28)) * 0.25f;
    }
}

/* Scale of the 16-group s from nibbles, as IQ2_XS and IQ2_S have it. */
static float iq2_scale(float d, const uint8_t *nibbles, uint32_t s)
{
    return d * (0.5f + (float)(nibbles[s / 2] >> 4 * (s % 2) & 15)) * 0.25f;
}

/* d, u16 q[32] of a 9-bit index and 7-bit signs, scales[8]. */
void qblk_iq2_xs(const uint8_t *p, uint32_t n_elems, struct qblk_step *out)
{
    float d = half_load_f16(p);
    for (uint32_t k = 0; k < n_elems / 8; k++) {
        uint32_t q = half_load_u16(p + IQ2_XS_QS_OFF + 2 * k);
        put_signed(out->w + 8 * k, grid_iq2_xs[q & 511], signs_of_7_bits(q >> 9), 8);
        out->c[k / 2] = iq2_scale(d, p + IQ2_XS_SCALES_OFF, k / 2);
    }
}

/* d, idx[32], signs[32], qh[8] of two high index bits each, scales[8]. */
void qblk_iq2_s(const uint8_t *p, uint32_t n_elems, struct qblk_step *out)
{
    float d = half_load_f16(p);
    for (uint32_t k = 0; k < n_elems / 8; k++) {
        uint32_t high = p[IQ2_S_QH_OFF + k / 4] >> 2 * (k % 4) & 3;
        uint64_t entry = grid_iq2_s[p[IQ2_S_QS_OFF + k] + 256 * high];
        put_signed(out->w + 8 * k, entry, p[IQ2_S_SIGNS_OFF + k], 8);
        out->c[k / 2] = iq2_scale(d, p + IQ2_S_SCALES_OFF, k / 2);
    }
}

/* d, idx[64], u32 per 32 of four 7-bit signs and a 4-bit scale. */
void qblk_iq3_xxs(const uint8_t *p, uint32_t n_elems, struct qblk_step *out)
{
    float d = half_load_f16(p);
    for (uint32_t m = 0; m < n_elems / 4; m++) {
        uint32_t packed = half_load_u32(p + IQ3_XXS_SIGNS_OFF + 4 * (m / 8));
        uint32_t signs = signs_of_7_bits(packed >> 7 * (m / 2 % 4) & 127) >> 4 * (m % 2);
        put_signed(out->w + 4 * m, grid_iq3_xxs[p[IQ3_XXS_QS_OFF + m]], signs, 4);
        out->c[m / 4] = d * (0.5f + (float)(packed >> 28)) * 0.5f;
    }
}

/* d, idx[64], qh[8] of a high index bit each, signs[32], scales[4]. */
void qblk_iq3_s(const uint8_t *p, uint32_t n_elems, struct qblk_step *out)
{
    float d = half_load_f16(p);
    for (uint32_t m = 0; m < n_elems / 4; m++) {
        uint32_t high = p[IQ3_S_QH_OFF + m / 8] >> m % 8 & 1;
        uint32_t signs = (uint32_t)p[IQ3_S_SIGNS_OFF + m / 2] >> 4 * (m % 2);
        put_signed(out->w + 4 * m, grid_iq3_s[p[IQ3_S_QS_OFF + m] + 256 * high], signs, 4);
        uint32_t scale = p[IQ3_S_SCALES_OFF + m / 16] >> 4 * (m / 8 % 2) & 15;
        out->c[m / 4] = d * (1 + 2 * (float)scale);
    }
}

/* d, idx[32], u16 h[8]: four times 3 high index bits, a 3-bit scale, and whether the eighth is
 * subtracted. */
void qblk_iq1_s(const uint8_t *p, uint32_t n_elems, struct qblk_step *out)
{
    float d = half_load_f16(p);
    for (uint32_t k = 0; k < n_elems / 8; k++) {
        uint32_t h = half_load_u16(p + IQ1_S_QH_OFF + 2 * (k / 4));
        uint64_t entry = grid_iq1[p[IQ1_S_QS_OFF + k] + 256 * (h >> 3 * (k % 4) & 7)];
        put_shifted(out->w + 8 * k, entry, h & 0x8000);
        out->c[k / 2] = d * (float)(2 * (h >> 12 & 7) + 1) * 0.125f;
    }
}

/* idx[32], qh[16]: per 8 a nibble of 3 high index bits and whether the eighth is subtracted, u16
 * s[4]: four 3-bit scales each, and in the top nibbles the bits of d. */
void qblk_iq1_m(const uint8_t *p, uint32_t n_elems, struct qblk_step *out)
{
    uint32_t d_bits = 0;
    for (uint32_t i = 0; i < 4; i++)
        d_bits |= (uint32_t)(p[IQ1_M_SCALES_OFF + 2 * i + 1] >> 4) << 4 * i;
    float d = half_from_f16((uint16_t)d_bits);
    for (uint32_t k = 0; k < n_elems / 8; k++) {
        uint32_t x = p[IQ1_M_QH_OFF + k / 2] >> 4 * (k % 2), s = k / 2;
        put_shifted(out->w + 8 * k, grid_iq1[p[k] + 256 * (x & 7)], x & 8);
        uint32_t scale = half_load_u16(p + IQ1_M_SCALES_OFF + 2 * (s / 4)) >> 3 * (s % 4) & 7;
        out->c[s] = d * (float)(2 * scale + 1) * 0.125f;
    }
}
