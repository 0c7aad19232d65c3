/* matmul_panel: quantised weights against many rows of x, the part that is the same on every
 * instruction set. x lies 16 rows to a vector, so that a lane is one output and no sum crosses
 * lanes; QUANT_ROWS rows of W are taken apart once for all of x, a slab of K at a time that stays
 * in the first-level cache. Bound by integer dots. See matmul_quant.h. */
#ifndef KERNELS_MATMUL_MATMUL_PANEL_H
#define KERNELS_MATMUL_MATMUL_PANEL_H

#include "kernels/matmul/matmul_quant.h"

enum {
    PANEL_CACHE_BYTES = 896 << 10, /* what the x of a pass may fill of the caches past the first */
    PANEL_LANES_ELEMS = 8 * QUANT_ROWS * PANEL_COLS,
};

/* A group of 16 rows of x is its lanes [8][QUANT_ROWS][16] for the rows of W in hand, then
 * [n_slabs][8][PANEL_SLAB_STEPS] blocks; only halves need the second bias or sum, the others'
 * blocks end before it. */
struct panel {
    struct panel_slab *slab;
    char *groups;
    uint32_t n_blocks, n_slabs, n_groups;
    size_t x_bytes, group_bytes, row_bytes;
};

QUANT_INLINE struct panel panel_of(uint32_t n_in, enum qblk_form form, void *scratch)
{
    struct panel p = {.slab = scratch, .n_blocks = n_in / 32};
    p.groups = (char *)scratch + sizeof(struct panel_slab);
    p.n_slabs = (p.n_blocks + PANEL_SLAB_BLOCKS - 1) / PANEL_SLAB_BLOCKS;
    p.x_bytes = sizeof(struct panel_x) - (qblk_has_halves(form) ? 0 : PANEL_COLS * sizeof(int32_t));
    p.group_bytes = PANEL_LANES_ELEMS * sizeof(float) + p.n_slabs * PANEL_SLAB_BLOCKS * p.x_bytes;
    return p;
}

static uint32_t panel_rows(enum qtype w_type, uint32_t n_in)
{
    struct panel p = panel_of(n_in, qblk_trait(w_type)->form, NULL);
    if (sizeof(struct panel_slab) + p.group_bytes > MATMUL_SCRATCH_BYTES)
        return 0;
    return PANEL_COLS *
           (uint32_t)num_max((PANEL_CACHE_BYTES - sizeof(struct panel_slab)) / p.group_bytes, 1);
}

QUANT_INLINE float *panel_lanes(const struct panel *p, uint32_t g)
{
    return (float *)(void *)(p->groups + g * p->group_bytes);
}

/* Block b of a group; classes of a slab lie PANEL_SLAB_STEPS blocks apart. */
QUANT_INLINE char *panel_x_at(const struct panel *p, uint32_t g, uint32_t b)
{
    uint32_t i = (b / PANEL_SLAB_BLOCKS * 8 + b % 8) * PANEL_SLAB_STEPS + b / 8 % PANEL_SLAB_STEPS;
    return p->groups + g * p->group_bytes + PANEL_LANES_ELEMS * sizeof(float) + i * p->x_bytes;
}

/* Block b of the n_cols rows of x at t; missing rows repeat the last one: finite work nobody
 * stores. */
QUANT_INLINE void panel_fill_block(const struct matmul_args *a, const struct quant_encoding e,
                                   uint32_t b, uint32_t t, uint32_t n_cols, struct panel_x *x)
{
    const int8_t *rows[PANEL_COLS];
    int32_t offset = e.offset_log2 >= 0 ? 1 << e.offset_log2 : 0;
    for (uint32_t i = 0; i < PANEL_COLS; i++) {
        size_t row = t + num_min(i, n_cols - 1), block = row * (a->n_in / 32) + b;
        const int32_t *half_sum =
            a->xq.half_sum + row * actq_half_sum_stride(a->n_in) + b / 8 * 16 + b % 8;
        rows[i] = a->xq.q + 32 * block;
        x->d[i] = a->xq.d[block];
        if (e.form == QBLK_FORM_MINIMA) {
            x->q_sum[0][i] = a->xq.q_sum[block];
        } else if (e.form == QBLK_FORM_HALVES_MINIMA) {
            x->q_sum[0][i] = (float)half_sum[0];
            x->q_sum[1][i] = (float)half_sum[8];
        } else if (e.form == QBLK_FORM_HALVES) {
            x->bias[0][i] = -half_sum[0] * offset;
            x->bias[1][i] = -half_sum[8] * offset;
        } else {
            x->bias[0][i] = -(half_sum[0] + half_sum[8]) * offset;
        }
    }
    panel_transpose(rows, x);
}

/* Slab k of the QUANT_ROWS rows of W at w, n_rows of them real, against all groups. */
QUANT_INLINE void panel_slab_products(const struct quant_encoding e, const struct panel *p,
                                      const uint8_t *w, uint32_t n_rows, uint32_t k)
{
    size_t slab_bytes = (size_t)PANEL_SLAB_STEPS * e.step_bytes;
    uint32_t first = k * PANEL_SLAB_BLOCKS,
             n_blocks = (uint32_t)num_min(p->n_blocks - first, PANEL_SLAB_BLOCKS);
    for (uint32_t r = 0; r < n_rows; r++)
        for (uint32_t i = 0; 8 * i < n_blocks; i++) {
            struct quant_step s;
            const uint8_t *src = w + r * p->row_bytes + k * slab_bytes + i * e.step_bytes;
            quant_unpack(e, src, (uint32_t)num_min(n_blocks - 8 * i, 8), &s);
            panel_put_step(e, &s, p->slab, i, r);
        }
    const uint8_t *ahead =
        k + 1 < p->n_slabs ? w + (k + 1) * slab_bytes : w + QUANT_ROWS * p->row_bytes;
    for (uint32_t g = 0; g < p->n_groups; g++)
        for (uint32_t j = 0; j < num_min(n_blocks, 8); j++) {
            struct panel_class class = {.slab = p->slab, .x = panel_x_at(p, g, first + j)};
            class.x_bytes = p->x_bytes;
            class.j = j;
            class.n = (n_blocks + 7 - j) / 8;
            if (g == 0 && j < QUANT_ROWS)
                class.ahead = ahead + j * p->row_bytes; /* class j fetches row j */
            panel_add(e, &class, panel_lanes(p, g) + j * QUANT_ROWS * PANEL_COLS);
        }
}

/* Fold the lanes of a group into y, leave them zero for the next rows. */
QUANT_INLINE void panel_finish(const struct matmul_args *a, const struct panel *p, uint32_t g,
                               uint32_t n, const struct matmul_part *part)
{
    enum { LANE = QUANT_ROWS * PANEL_COLS };
    float *lanes = panel_lanes(p, g);
    for (uint32_t half = 4; half > 0; half /= 2)
        for (uint32_t i = 0; i < half * LANE; i++)
            lanes[i] += lanes[half * LANE + i];
    uint32_t t = part->t_begin + g * PANEL_COLS;
    uint32_t n_cols = (uint32_t)num_min(part->t_end - t, PANEL_COLS);
    uint32_t n_rows = (uint32_t)num_min(part->n_end - n, QUANT_ROWS);
    for (uint32_t i = 0; i < n_cols; i++)
        for (uint32_t r = 0; r < n_rows; r++)
            a->y[(size_t)(t + i) * a->y_stride + n + r] = lanes[panel_lane(r, i)] * a->scale;
    memset(lanes, 0, PANEL_LANES_ELEMS * sizeof *lanes);
}

QUANT_INLINE void panel_products(const struct matmul_args *a, const struct matmul_part *part,
                                 const struct quant_encoding e)
{
    struct panel p = panel_of(a->n_in, e.form, part->scratch);
    p.row_bytes = qtype_row_bytes(a->w_type, a->n_in);
    p.n_groups = (part->t_end - part->t_begin + PANEL_COLS - 1) / PANEL_COLS;
    for (uint32_t g = 0; g < p.n_groups; g++) {
        uint32_t t = part->t_begin + g * PANEL_COLS;
        uint32_t n_cols = (uint32_t)num_min(part->t_end - t, PANEL_COLS);
        memset(panel_lanes(&p, g), 0, PANEL_LANES_ELEMS * sizeof(float));
        for (uint32_t b = 0; b < p.n_blocks; b++)
            panel_fill_block(a, e, b, t, n_cols, (struct panel_x *)(void *)panel_x_at(&p, g, b));
    }
    for (uint32_t n = part->n_begin; n < part->n_end; n += QUANT_ROWS) {
        const uint8_t *w = (const uint8_t *)a->w + n * p.row_bytes;
        for (uint32_t k = 0; k < p.n_slabs; k++)
            panel_slab_products(e, &p, w, (uint32_t)num_min(part->n_end - n, QUANT_ROWS), k);
        for (uint32_t g = 0; g < p.n_groups; g++)
            panel_finish(a, &p, g, n, part);
    }
}

#define PANEL_INSTANCE(name, unpack, form, step_bytes, offset_log2)                                \
    static void panel_##name(const struct matmul_args *a, const struct matmul_part *part)          \
    {                                                                                              \
        panel_products(a, part, (struct quant_encoding){unpack, form, step_bytes, offset_log2});   \
    }
#define PANEL_ENTRY(name, ...) [QTYPE_##name] = panel_##name,

#endif
