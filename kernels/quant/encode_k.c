/* encode_k: super-blocks of 256 elements whose sub-block scales are small integers times a scale
 * of the super-block; quant-formats 5.3 and 5.4, layouts 3.4. */
#include "kernels/quant/encode_part.h"
#include "kernels/quant/qblk.h"

#include <math.h>

enum { ELEMS = QBLK_STEP_ELEMS, MAX_SUBS = 16 };

/* ---- Q2_K, Q4_K, Q5_K: scale and minimum per sub-block ---- */

struct min_format {
    uint32_t sub_elems;
    int32_t max_level, max_scale;
    struct encode_fit_steps plain; /* without importance */
    float sigma_factor;            /* with: sigma^2 in units of the mean square */
};

static const struct min_format q2_format = {16, 3, 15, {-0.5f, 0.1f, 15, true}, 1};
static const struct min_format q4_format = {32, 15, 63, {-1.0f, 0.1f, 20, false}, 2};
static const struct min_format q5_format = {32, 31, 63, {-0.5f, 0.1f, 15, false}, 2};

/* A super-block before it is packed. */
struct min_block {
    float scales[MAX_SUBS], minima[MAX_SUBS], weights[MAX_SUBS];
    uint8_t scale_levels[MAX_SUBS], min_levels[MAX_SUBS];
    float d, dmin; /* as a reader will see them */
    uint8_t levels[ELEMS];
};

/* Weights of one sub-block's errors. sigma2: of the whole super-block. */
static void weigh(const struct min_format *f, const float *x, const float *importance, float sigma2,
                  float *w)
{
    float mean = sqrtf(encode_sum_sq(x, f->sub_elems) / (float)f->sub_elems);
    for (uint32_t i = 0; i < f->sub_elems; i++)
        if (importance)
            w[i] = importance[i] * sqrtf(sigma2 + x[i] * x[i]);
        else
            w[i] = f->plain.is_absolute ? encode_abs(x[i]) : mean + encode_abs(x[i]);
}

static void fit_subs(const struct min_format *f, const float *x, const float *importance,
                     struct min_block *b)
{
    static const struct encode_fit_steps guided = {-0.9f, 0.05f, 36, false};
    float sigma2 = f->sigma_factor * encode_sum_sq(x, ELEMS) / ELEMS, w[ENCODE_FIT_MAX];
    for (uint32_t s = 0; s < ELEMS / f->sub_elems; s++) {
        uint32_t at = s * f->sub_elems;
        weigh(f, x + at, importance ? importance + at : NULL, sigma2, w);
        b->weights[s] = 0;
        for (uint32_t i = 0; i < f->sub_elems; i++)
            b->weights[s] += w[i];
        b->scales[s] =
            encode_fit_min(&(struct encode_fit){x + at, w, f->sub_elems, f->max_level},
                           importance ? &guided : &f->plain, b->levels + at, &b->minima[s]);
    }
}

/* v ~ d * level without importance: d from the largest alone. */
static float spread(const float *v, uint32_t n, int32_t max_level, uint8_t *levels)
{
    float max = 0;
    for (uint32_t i = 0; i < n; i++)
        max = v[i] > max ? v[i] : max;
    memset(levels, 0, n);
    if (!(max > 0))
        return 0;
    float per = (float)max_level / max;
    for (uint32_t i = 0; i < n; i++)
        levels[i] = (uint8_t)encode_round(per * v[i], 0, max_level);
    return max / (float)max_level;
}

/* Levels anew from the scales as stored. */
static void settle_levels(const struct min_format *f, const float *x, struct min_block *b)
{
    for (uint32_t i = 0; i < ELEMS; i++) {
        uint32_t s = i / f->sub_elems;
        float scale = b->d * (float)b->scale_levels[s], low = b->dmin * (float)b->min_levels[s];
        if (scale != 0)
            b->levels[i] = (uint8_t)encode_round((x[i] + low) / scale, 0, f->max_level);
    }
}

/* d and dmin go to p and p + 2. */
static bool fit_block(const struct min_format *f, const float *x, const float *importance,
                      uint8_t *p, struct min_block *b)
{
    uint32_t n = ELEMS / f->sub_elems;
    bool fits = true;
    float d, dmin;
    fit_subs(f, x, importance, b);
    if (importance) {
        struct encode_fit fit = {b->scales, b->weights, n, f->max_scale};
        d = encode_fit_positive(&fit, b->scale_levels);
        fit.x = b->minima;
        dmin = encode_fit_positive(&fit, b->min_levels);
    } else {
        d = spread(b->scales, n, f->max_scale, b->scale_levels);
        dmin = spread(b->minima, n, f->max_scale, b->min_levels);
    }
    b->d = encode_store_f16(p, d, &fits);
    b->dmin = encode_store_f16(p + 2, dmin, &fits);
    settle_levels(f, x, b);
    return fits;
}

/* Eight scales and eight minima of 6 bits in 12 bytes. */
static void pack_scale_min(const struct min_block *b, uint8_t *packed)
{
    for (uint32_t s = 0; s < 4; s++) {
        uint32_t scale = b->scale_levels[s], high_scale = b->scale_levels[s + 4];
        uint32_t minimum = b->min_levels[s], high_minimum = b->min_levels[s + 4];
        packed[s] = (uint8_t)(scale | high_scale >> 4 << 6);
        packed[s + 4] = (uint8_t)(minimum | high_minimum >> 4 << 6);
        packed[s + 8] = (uint8_t)((high_scale & 15) | (high_minimum & 15) << 4);
    }
}

/* Sub-blocks 2p and 2p + 1 in the low and high nibbles of 32 bytes. */
static void pack_nibbles(const uint8_t *levels, uint8_t *qs)
{
    for (uint32_t i = 0; i < ELEMS / 2; i++) {
        const uint8_t *pair = levels + i / 32 * 64 + i % 32;
        qs[i] = (uint8_t)((pair[0] & 15) | (pair[32] & 15) << 4);
    }
}

bool encode_k_q4(const float *x, const struct encode_guide *guide, uint8_t *out, uint64_t n_elems)
{
    struct min_block b;
    bool fits = true;
    for (uint64_t i = 0; i < n_elems; i += ELEMS, out += Q4_K_BYTES) {
        fits &= fit_block(&q4_format, x + i, encode_importance_at(guide, i), out, &b);
        pack_scale_min(&b, out + 4);
        pack_nibbles(b.levels, out + 16);
    }
    return fits;
}

bool encode_k_q5(const float *x, const struct encode_guide *guide, uint8_t *out, uint64_t n_elems)
{
    struct min_block b;
    bool fits = true;
    for (uint64_t i = 0; i < n_elems; i += ELEMS, out += Q5_K_BYTES) {
        fits &= fit_block(&q5_format, x + i, encode_importance_at(guide, i), out, &b);
        pack_scale_min(&b, out + 4);
        memset(out + 16, 0, 32);
        for (uint32_t k = 0; k < ELEMS; k++)
            out[16 + k % 32] |= (uint8_t)(b.levels[k] >> 4 << k / 32);
        pack_nibbles(b.levels, out + 48);
    }
    return fits;
}

/* Elements 32 apart share a byte, two bits each. */
static void pack_pairs(const uint8_t *levels, uint8_t *qs)
{
    memset(qs, 0, ELEMS / 4);
    for (uint32_t i = 0; i < ELEMS; i++)
        qs[i / 128 * 32 + i % 32] |= (uint8_t)((levels[i] & 3) << i % 128 / 32 * 2);
}

bool encode_k_q2(const float *x, const struct encode_guide *guide, uint8_t *out, uint64_t n_elems)
{
    struct min_block b;
    bool fits = true;
    for (uint64_t i = 0; i < n_elems; i += ELEMS, out += Q2_K_BYTES) {
        fits &= fit_block(&q2_format, x + i, encode_importance_at(guide, i), out + 80, &b);
        for (uint32_t s = 0; s < 16; s++)
            out[s] = (uint8_t)(b.scale_levels[s] | b.min_levels[s] << 4);
        pack_pairs(b.levels, out + 16);
    }
    return fits;
}

/* ---- Q6_K, Q3_K: a signed scale per 16, no minima ---- */

struct sym_block {
    float scales[MAX_SUBS], weights[MAX_SUBS];
    int32_t scale_levels[MAX_SUBS]; /* signed */
    uint8_t levels[ELEMS];          /* offset by half their range */
};

/* Levels anew from the scales as stored; d as a reader will see it. */
static void settle_signed(const float *x, float d, int32_t half, struct sym_block *b)
{
    for (uint32_t i = 0; i < ELEMS; i++) {
        float scale = d * (float)b->scale_levels[i / 16];
        if (scale != 0)
            b->levels[i] = (uint8_t)(encode_round(x[i] / scale, -half, half - 1) + half);
    }
}

static void pack_q6(const struct sym_block *b, uint8_t *out)
{
    memset(out, 0, 192);
    for (uint32_t i = 0; i < ELEMS; i++) {
        uint32_t part = i / 128, quarter = i % 128 / 32, l = i % 32;
        out[64 * part + 32 * (quarter % 2) + l] |=
            (uint8_t)((b->levels[i] & 15) << 4 * (quarter / 2));
        out[128 + 32 * part + l] |= (uint8_t)(b->levels[i] >> 4 << 2 * quarter);
    }
    for (uint32_t s = 0; s < MAX_SUBS; s++)
        out[192 + s] = (uint8_t)(int8_t)b->scale_levels[s];
}

bool encode_k_q6(const float *x, const struct encode_guide *guide, uint8_t *out, uint64_t n_elems)
{
    struct sym_block b;
    bool fits = true;
    for (uint64_t i = 0; i < n_elems; i += ELEMS, out += Q6_K_BYTES) {
        const float *importance = encode_importance_at(guide, i);
        for (uint32_t s = 0; s < MAX_SUBS; s++)
            b.scales[s] = encode_fit_symmetric(
                &(struct encode_fit){x + i + 16 * s, importance ? importance + 16 * s : NULL, 16,
                                     32},
                b.levels + 16 * s);
        float largest = encode_largest(b.scales, MAX_SUBS);
        if (encode_abs(largest) < ENCODE_TINY) {
            memset(out, 0, Q6_K_BYTES);
            continue;
        }
        float per = -128.0f / largest, d = encode_store_f16(out + 208, 1 / per, &fits);
        for (uint32_t s = 0; s < MAX_SUBS; s++)
            b.scale_levels[s] = encode_round(per * b.scales[s], -128, 127);
        settle_signed(x + i, d, 32, &b);
        pack_q6(&b, out);
    }
    return fits;
}

/* One sweep over the levels of a group, signed; whether any moved. xl = sum w*x*l, l2 = sum w*l*l.
 */
static bool improve_q3(const float *x, int32_t *levels, float *xl, float *l2)
{
    bool moved = false;
    for (uint32_t i = 0; i < 16; i++) {
        float w = x[i] * x[i], l = (float)levels[i];
        float rest_xl = *xl - w * x[i] * l, rest_l2 = *l2 - w * l * l;
        if (!(rest_xl > 0))
            continue;
        int32_t next = encode_round(x[i] * rest_l2 / rest_xl, -4, 3);
        if (next == levels[i])
            continue;
        rest_xl += w * x[i] * (float)next;
        rest_l2 += w * (float)next * (float)next;
        if (rest_l2 > 0 && rest_xl * rest_xl * *l2 > *xl * *xl * rest_l2) {
            levels[i] = next;
            *xl = rest_xl;
            *l2 = rest_l2;
            moved = true;
        }
    }
    return moved;
}

static float fit_q3_group(const float *x, uint8_t *offset_levels)
{
    float largest = encode_largest(x, 16), xl = 0, l2 = 0;
    int32_t levels[16];
    memset(offset_levels, 0, 16);
    if (encode_abs(largest) < ENCODE_TINY)
        return 0;
    float per = -4 / largest;
    for (uint32_t i = 0; i < 16; i++) {
        float w = x[i] * x[i];
        levels[i] = encode_round(per * x[i], -4, 3);
        xl += w * x[i] * (float)levels[i];
        l2 += w * (float)levels[i] * (float)levels[i];
    }
    for (int sweep = 0; sweep < 5 && improve_q3(x, levels, &xl, &l2); sweep++)
        ;
    for (uint32_t i = 0; i < 16; i++)
        offset_levels[i] = (uint8_t)(levels[i] + 4);
    return l2 > 0 ? xl / l2 : 0;
}

/* Scales of the groups as integers of 6 bits, signed; returns d. */
static float fit_q3_scales(const float *x, const float *importance, struct sym_block *b)
{
    float sigma2 = 2 * encode_sum_sq(x, ELEMS) / ELEMS, w[16];
    uint8_t scale_levels[MAX_SUBS];
    for (uint32_t s = 0; s < MAX_SUBS; s++) {
        const float *group = x + 16 * s;
        b->weights[s] = 0;
        if (!importance) {
            b->scales[s] = fit_q3_group(group, b->levels + 16 * s);
            continue;
        }
        for (uint32_t i = 0; i < 16; i++) {
            w[i] = importance[16 * s + i] * sqrtf(sigma2 + group[i] * group[i]);
            b->weights[s] += w[i];
        }
        b->scales[s] =
            encode_fit_symmetric(&(struct encode_fit){group, w, 16, 4}, b->levels + 16 * s);
    }
    if (importance) {
        float d = encode_fit_symmetric(&(struct encode_fit){b->scales, b->weights, MAX_SUBS, 32},
                                       scale_levels);
        for (uint32_t s = 0; s < MAX_SUBS; s++)
            b->scale_levels[s] = scale_levels[s] - 32;
        return d;
    }
    float largest = encode_largest(b->scales, MAX_SUBS), per = largest != 0 ? -32 / largest : 0;
    for (uint32_t s = 0; s < MAX_SUBS; s++)
        b->scale_levels[s] = largest != 0 ? encode_round(per * b->scales[s], -32, 31) : -32;
    return largest != 0 ? 1 / per : 0;
}

static void pack_q3(const struct sym_block *b, uint8_t *out)
{
    memset(out, 0, 32);
    for (uint32_t i = 0; i < ELEMS; i++)
        out[i % 32] |= (uint8_t)(b->levels[i] >> 2 << i / 32);
    pack_pairs(b->levels, out + 32);
    memset(out + 96, 0, 12);
    for (uint32_t t = 0; t < MAX_SUBS; t++) {
        uint32_t scale = (uint32_t)(b->scale_levels[t] + 32);
        out[96 + t % 8] |= (uint8_t)((scale & 15) << 4 * (t / 8));
        out[104 + t % 4] |= (uint8_t)(scale >> 4 << 2 * (t / 4));
    }
}

bool encode_k_q3(const float *x, const struct encode_guide *guide, uint8_t *out, uint64_t n_elems)
{
    struct sym_block b;
    bool fits = true;
    for (uint64_t i = 0; i < n_elems; i += ELEMS, out += Q3_K_BYTES) {
        float d = fit_q3_scales(x + i, encode_importance_at(guide, i), &b);
        settle_signed(x + i, encode_store_f16(out + 108, d, &fits), 4, &b);
        pack_q3(&b, out);
    }
    return fits;
}
