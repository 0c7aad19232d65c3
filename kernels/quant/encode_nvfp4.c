/* encode_nvfp4: groups of 16 E2M1 codes under a UE4M3 scale; quant-formats 5.7, layout 3.2.
 * One level: the reference quantizer's rounding. Two levels: the scales are in units of the
 * tensor's, and each group takes the best of 13 scales around the rounded one. */
#include "kernels/quant/encode_nvfp4.h"

#include "kernels/quant/qblk.h"

enum { GROUP = 16, MAX_SCALE = 126, FULL_SEARCH = 13 };

static const float e2m1[8] = {0, 0.5f, 1, 1.5f, 2, 3, 4, 6};

float encode_nvfp4_tensor_scale(float abs_max)
{
    float scale = abs_max / 2688.0f; /* 6 * 448: the largest code times the largest scale */
    return scale > 0 ? scale : 1;
}

/* Element j in the low, j + 8 in the high nibble of byte j. */
static void pack_codes(const uint8_t *codes, uint8_t *qs)
{
    for (uint32_t j = 0; j < GROUP / 2; j++)
        qs[j] = (uint8_t)(codes[j] | codes[j + 8] << 4);
}

/* ---- one level ---- */

/* The reference's rounding to UE4M3 of v >= 0: half up, in the subnormals as well. */
static uint8_t ue4m3_half_up(float v)
{
    if (v >= 448)
        return MAX_SCALE;
    if (v < 0x1p-6f) {
        uint32_t m = (uint32_t)(v * 512 + 0.5f);
        return (uint8_t)(m > 7 ? 7 : m);
    }
    uint32_t bits = half_bits32(v);
    uint32_t code = (bits - ((127 - 7) << 23) + (1 << 19)) >> 20;
    return (uint8_t)(code > MAX_SCALE ? MAX_SCALE : code);
}

static uint8_t one_level_group(const float *x, uint8_t *qs)
{
    uint8_t codes[GROUP], scale_code = ue4m3_half_up(encode_abs_max(x, GROUP) / 6);
    float half = half_from_ue4m3(scale_code) / 2;
    for (uint32_t i = 0; i < GROUP; i++)
        codes[i] = encode_e2m1_near(x[i], half);
    pack_codes(codes, qs);
    return scale_code;
}

/* ---- two levels ---- */

/* Round to nearest even in UE4M3, v >= 0, within 1 .. 126. */
static uint8_t ue4m3_even(float v)
{
    uint32_t code;
    if (v >= 448)
        return MAX_SCALE;
    if (v < 0x1p-6f) {
        code = (uint32_t)encode_round(v * 512, 0, 8);
    } else {
        uint32_t bits = half_bits32(v) - ((127 - 7) << 23);
        code = (bits + 0x7ffff + (bits >> 20 & 1)) >> 20;
    }
    return (uint8_t)(code < 1 ? 1 : code > MAX_SCALE ? MAX_SCALE : code);
}

/* Round to nearest even in E2M1 of v >= 0: past how many thresholds it is; at the odd ones a tie
 * goes up. */
static uint8_t e2m1_even(float v)
{
    return (uint8_t)((v > 0.25f) + (v >= 0.75f) + (v > 1.25f) + (v >= 1.75f) + (v > 2.5f) +
                     (v >= 3.5f) + (v > 5));
}

/* Codes of a group under one scale; returns the weighted squared error. */
static double codes_under(const float *x, const float *importance, float scale, uint8_t *codes)
{
    double error = 0;
    for (uint32_t i = 0; i < GROUP; i++) {
        float magnitude = encode_abs(x[i]);
        uint8_t code = e2m1_even(magnitude / scale);
        double diff = (double)magnitude - (double)e2m1[code] * (double)scale;
        error += (importance ? (double)importance[i] : 1.0) * (diff * diff);
        codes[i] = (uint8_t)(code | (x[i] < 0 && code ? 8 : 0));
    }
    return error;
}

/* Offset number k of the list 0, -1, 1, -2, 2, .. */
static int32_t offset_at(uint32_t k)
{
    int32_t step = (int32_t)(k + 1) / 2;
    return k % 2 ? -step : step;
}

static uint8_t two_level_group(const float *x, const float *importance, float tensor_scale,
                               uint32_t n_candidates, uint8_t *qs)
{
    uint8_t codes[GROUP], best_codes[GROUP] = {0}, best_scale = 0;
    float abs_max = encode_abs_max(x, GROUP);
    double best = 0;
    int32_t rounded = abs_max > 0 ? ue4m3_even(abs_max / (6 * tensor_scale)) : 0;
    for (uint32_t k = 0; k < n_candidates && abs_max > 0; k++) {
        int32_t scale_code = rounded + offset_at(k);
        if (scale_code < 1 || scale_code > MAX_SCALE)
            continue;
        float scale = half_from_ue4m3((uint8_t)scale_code) * tensor_scale;
        double error = scale > 0 ? codes_under(x, importance, scale, codes) : 0;
        if (scale > 0 && (!best_scale || error < best)) {
            best = error;
            best_scale = (uint8_t)scale_code;
            memcpy(best_codes, codes, sizeof codes);
        }
    }
    pack_codes(best_codes, qs);
    return best_scale;
}

bool encode_nvfp4_search(const float *x, const struct encode_guide *guide, uint32_t n_candidates,
                         uint8_t *out, uint64_t n_elems)
{
    for (uint64_t i = 0; i < n_elems; i += 4 * GROUP, out += NVFP4_BYTES)
        for (uint32_t s = 0; s < 4; s++) {
            uint64_t at = i + s * GROUP;
            out[s] = two_level_group(x + at, encode_importance_at(guide, at), guide->tensor_scale,
                                     n_candidates, out + NVFP4_QS_OFF + 8 * s);
        }
    return true;
}

bool encode_nvfp4(const float *x, const struct encode_guide *guide, uint8_t *out, uint64_t n_elems)
{
    if (guide->tensor_scale > 0)
        return encode_nvfp4_search(x, guide, FULL_SEARCH, out, n_elems);
    for (uint64_t i = 0; i < n_elems; i += 4 * GROUP, out += NVFP4_BYTES)
        for (uint32_t s = 0; s < 4; s++)
            out[s] = one_level_group(x + i + s * GROUP, out + NVFP4_QS_OFF + 8 * s);
    return true;
}
