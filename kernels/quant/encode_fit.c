/* encode_fit: quant-formats 5.2, step by step; the order of operations is part of the result. */
#include "kernels/quant/encode_part.h"

#include <math.h>

/* ---- scale and minimum ---- */

struct fit_range {
    float low, high;
};

static struct fit_range range_of(const float *x, uint32_t n)
{
    struct fit_range r = {x[0], x[0]};
    for (uint32_t i = 1; i < n; i++) {
        r.low = x[i] < r.low ? x[i] : r.low;
        r.high = x[i] > r.high ? x[i] : r.high;
    }
    r.low = r.low > 0 ? 0 : r.low;
    return r;
}

static float min_error(const struct encode_fit *f, const uint8_t *levels, float scale, float low,
                       bool is_absolute)
{
    float error = 0;
    for (uint32_t i = 0; i < f->n; i++) {
        float diff = scale * (float)levels[i] + low - f->x[i];
        diff = is_absolute ? encode_abs(diff) : diff * diff;
        error += f->w[i] * diff;
    }
    return error;
}

struct line {
    float scale, low;
};

/* Weighted least squares of x over the levels, through the origin where the offset would be
 * positive; false if all levels are the same. */
static bool fit_line(const struct encode_fit *f, const uint8_t *levels, struct line *out)
{
    float sum_w = 0, sum_x = 0, sum_l = 0, sum_l2 = 0, sum_xl = 0;
    for (uint32_t i = 0; i < f->n; i++) {
        float w = f->w[i], l = (float)levels[i];
        sum_w += w;
        sum_x += w * f->x[i];
        sum_l += w * l;
        sum_l2 += w * l * l;
        sum_xl += w * l * f->x[i];
    }
    float det = sum_w * sum_l2 - sum_l * sum_l;
    if (!(det > 0))
        return false;
    out->scale = (sum_w * sum_xl - sum_x * sum_l) / det;
    out->low = (sum_l2 * sum_x - sum_l * sum_xl) / det;
    if (out->low > 0) {
        out->low = 0;
        out->scale = sum_xl / sum_l2;
    }
    return true;
}

/* An accepted try moves `low`, and with it the levels of the tries after it: the reference does so.
 */
float encode_fit_min(const struct encode_fit *f, const struct encode_fit_steps *steps,
                     uint8_t *levels, float *minimum)
{
    struct fit_range r = range_of(f->x, f->n);
    uint8_t tried[ENCODE_FIT_MAX];
    struct line line;
    memset(levels, 0, f->n);
    *minimum = -r.low;
    if (r.high <= r.low)
        return 0;
    float per = (float)f->max_level / (r.high - r.low), scale = 1 / per;
    for (uint32_t i = 0; i < f->n; i++)
        levels[i] = (uint8_t)encode_round(per * (f->x[i] - r.low), 0, f->max_level);
    float best = min_error(f, levels, scale, r.low, steps->is_absolute);
    for (int s = 0; s <= steps->n_steps; s++) {
        per = (steps->first + steps->step * (float)s + (float)f->max_level) / (r.high - r.low);
        for (uint32_t i = 0; i < f->n; i++)
            tried[i] = (uint8_t)encode_round(per * (f->x[i] - r.low), 0, f->max_level);
        if (!fit_line(f, tried, &line))
            continue;
        float error = min_error(f, tried, line.scale, line.low, steps->is_absolute);
        if (!(error < best))
            continue;
        memcpy(levels, tried, f->n);
        best = error;
        scale = line.scale;
        r.low = line.low;
    }
    *minimum = -r.low;
    return scale;
}

/* ---- positive values ---- */

static float positive_error(const struct encode_fit *f, float per)
{
    float scale = 1 / per, error = 0;
    for (uint32_t i = 0; i < f->n; i++) {
        float diff = f->x[i] - scale * (float)encode_round(per * f->x[i], 0, f->max_level);
        error += f->w[i] * diff * diff;
    }
    return error;
}

/* sum w*x*l and sum w*l*l: scale = xl / l2. */
struct ratio {
    float xl, l2;
};

/* One sweep: each level may move to the best one given all others. Returns whether any did. */
static bool improve_positive(const struct encode_fit *f, uint8_t *levels, struct ratio *sum)
{
    bool moved = false;
    for (uint32_t i = 0; i < f->n; i++) {
        float w = f->w[i], x = f->x[i], l = (float)levels[i];
        struct ratio rest = {sum->xl - w * x * l, sum->l2 - w * l * l};
        if (!(rest.xl > 0) || !(rest.l2 > 0))
            continue;
        int32_t next = encode_round(x * rest.l2 / rest.xl, 0, f->max_level);
        if (next == levels[i])
            continue;
        rest.xl += w * x * (float)next;
        rest.l2 += w * (float)next * (float)next;
        if (rest.xl * rest.xl * sum->l2 > sum->xl * sum->xl * rest.l2) {
            levels[i] = (uint8_t)next;
            *sum = rest;
            moved = true;
        }
    }
    return moved;
}

float encode_fit_positive(const struct encode_fit *f, uint8_t *levels)
{
    float max = 0;
    struct ratio sum = {0, 0};
    for (uint32_t i = 0; i < f->n; i++)
        max = f->x[i] > max ? f->x[i] : max;
    memset(levels, 0, f->n);
    if (max < ENCODE_TINY)
        return 0;
    float per = (float)f->max_level / max, best = positive_error(f, per);
    for (int s = -4; s <= 4; s++) {
        float per_tried = (0.1f * (float)s + (float)f->max_level) / max;
        float error = s ? positive_error(f, per_tried) : best;
        if (error < best) {
            best = error;
            per = per_tried;
        }
    }
    for (uint32_t i = 0; i < f->n; i++) {
        int32_t l = encode_round(per * f->x[i], 0, f->max_level);
        levels[i] = (uint8_t)l;
        sum.xl += f->w[i] * f->x[i] * (float)l;
        sum.l2 += f->w[i] * (float)l * (float)l;
    }
    for (int sweep = 0; sweep < 5 && improve_positive(f, levels, &sum); sweep++)
        ;
    return sum.l2 > 0 ? sum.xl / sum.l2 : 0;
}

/* ---- values of both signs ---- */

static struct ratio symmetric_sums(const struct encode_fit *f, float per)
{
    struct ratio sum = {0, 0};
    for (uint32_t i = 0; i < f->n; i++) {
        float x = f->x[i], w = f->w ? f->w[i] : x * x;
        float l = (float)encode_round(per * x, -f->max_level, f->max_level - 1);
        sum.xl += w * x * l;
        sum.l2 += w * l * l;
    }
    return sum;
}

float encode_fit_symmetric(const struct encode_fit *f, uint8_t *levels)
{
    float largest = encode_largest(f->x, f->n);
    memset(levels, 0, f->n);
    if (encode_abs(largest) < ENCODE_TINY)
        return 0;
    float per = -(float)f->max_level / largest;
    struct ratio sum = symmetric_sums(f, per);
    float scale = sum.l2 != 0 ? sum.xl / sum.l2 : 0, best = scale * sum.xl;
    for (int s = -9; s <= 9; s++) {
        float per_tried = -((float)f->max_level + 0.1f * (float)s) / largest;
        sum = s ? symmetric_sums(f, per_tried) : (struct ratio){0, 0};
        if (sum.l2 > 0 && sum.xl * sum.xl > best * sum.l2) {
            scale = sum.xl / sum.l2;
            best = scale * sum.xl;
            per = per_tried;
        }
    }
    for (uint32_t i = 0; i < f->n; i++)
        levels[i] =
            (uint8_t)(f->max_level + encode_round(per * f->x[i], -f->max_level, f->max_level - 1));
    return scale;
}
