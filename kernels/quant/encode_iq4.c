/* encode_iq4: 16 uneven levels times a scale per 32 elements; quant-formats 5.5, layouts 3.1 and
 * 3.5. */
#include "kernels/quant/encode_part.h"
#include "kernels/quant/qblk.h"

#include <math.h>

enum { GROUP = 32, ELEMS = QBLK_STEP_ELEMS };

static const int8_t values[16] = {-127, -104, -83, -65, -49, -35, -22, -10,
                                  1,    13,   25,  38,  53,  69,  89,  113};
/* Half way from values[i] to values[i + 1]: from there on the upper one is nearest. */
static const float halfway[15] = {-115.5f, -93.5f, -74,   -57,   -42, -28.5f, -16, -4.5f,
                                  7,       19,     31.5f, 45.5f, 61,  79,     101};

static uint32_t near_index(float v)
{
    uint32_t n_passed = 0;
    for (uint32_t i = 0; i < 15; i++)
        n_passed += v >= halfway[i];
    return n_passed;
}

/* sum w*q*x and sum w*q*q over the values nearest to per * x. */
struct ratio {
    float qx, q2;
};

static struct ratio sums(const float *x, const float *w, float per)
{
    struct ratio sum = {0, 0};
    for (uint32_t i = 0; i < GROUP; i++) {
        float q = (float)values[near_index(per * x[i])];
        sum.qx += w[i] * q * x[i];
        sum.q2 += w[i] * q * q;
    }
    return sum;
}

/* The scale of one group; 0 for a group of zeros. sigma2 counts with importance only. */
static float fit_group(const float *x, const float *importance, float sigma2)
{
    float largest = encode_largest(x, GROUP), w[GROUP];
    if (encode_abs(largest) < ENCODE_TINY)
        return 0;
    for (uint32_t i = 0; i < GROUP; i++)
        w[i] = importance ? importance[i] * sqrtf(sigma2 + x[i] * x[i]) : x[i] * x[i];
    float d = -largest / (float)values[0];
    struct ratio sum = sums(x, w, 1 / d);
    d = sum.q2 > 0 ? sum.qx / sum.q2 : 0;
    float best = d * sum.qx;
    for (int t = -7; t <= 7; t++) {
        sum = sums(x, w, ((float)t + (float)values[0]) / largest);
        if (sum.q2 > 0 && sum.qx * sum.qx > best * sum.q2) {
            d = sum.qx / sum.q2;
            best = d * sum.qx;
        }
    }
    return d;
}

/* Element j of the group in the low, j + 16 in the high nibble of byte j. */
static void pack_group(const float *x, float scale, uint8_t *qs)
{
    float per = scale != 0 ? 1 / scale : 0;
    for (uint32_t j = 0; j < GROUP / 2; j++)
        qs[j] = (uint8_t)(near_index(per * x[j]) | near_index(per * x[j + 16]) << 4);
}

bool encode_iq4_nl(const float *x, const struct encode_guide *guide, uint8_t *out, uint64_t n_elems)
{
    bool fits = true;
    for (uint64_t i = 0; i < n_elems; i += GROUP, out += IQ4_NL_BYTES) {
        float sigma2 = 2 * encode_sum_sq(x + i, GROUP) / GROUP;
        float d = fit_group(x + i, encode_importance_at(guide, i), sigma2);
        encode_store_f16(out, d, &fits);
        pack_group(x + i, d, out + 2);
    }
    return fits;
}

/* f16 d, two high bits of each scale in a u16, four low bits in 4 bytes, nibbles. */
static bool encode_xs_block(const float *x, const float *importance, uint8_t *out)
{
    float scales[ELEMS / GROUP], sigma2 = 2 * encode_sum_sq(x, ELEMS) / ELEMS;
    uint32_t high_bits = 0;
    bool fits = true;
    for (uint32_t g = 0; g < ELEMS / GROUP; g++)
        scales[g] = fit_group(x + g * GROUP, importance ? importance + g * GROUP : NULL, sigma2);
    float d = -encode_largest(scales, ELEMS / GROUP) / 32, per = d != 0 ? 1 / d : 0;
    encode_store_f16(out, d, &fits);
    memset(out + 4, 0, 4);
    for (uint32_t g = 0; g < ELEMS / GROUP; g++) {
        int32_t level = encode_round(per * scales[g], -32, 31);
        uint32_t stored = (uint32_t)(level + 32);
        out[4 + g / 2] |= (uint8_t)((stored & 15) << 4 * (g % 2));
        high_bits |= stored >> 4 << 2 * g;
        pack_group(x + g * GROUP, d * (float)level, out + 8 + 16 * g);
    }
    encode_store_u16(out + 2, (uint16_t)high_bits);
    return fits;
}

bool encode_iq4_xs(const float *x, const struct encode_guide *guide, uint8_t *out, uint64_t n_elems)
{
    bool fits = true;
    for (uint64_t i = 0; i < n_elems; i += ELEMS, out += IQ4_XS_BYTES)
        fits &= encode_xs_block(x + i, encode_importance_at(guide, i), out);
    return fits;
}
