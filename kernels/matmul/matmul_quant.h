/* matmul_quant: quantised weights, what the bodies of all instruction sets share. A variant file
 * (matmul_quant_*.c) defines
 *
 *   struct quant_step     256 weights of a row taken apart, in registers
 *   struct quant_lanes    8 float lanes
 *   QUANT_ROWS            rows of W side by side in a panel
 *   QUANT_LANE_SIDE       lanes of a panel lie in squares of so many rows of W by rows of x
 *
 * includes matmul_rows.h (a few rows of x) and matmul_panel.h (many), defines the hooks declared
 * here and lists its encodings. All of it is inlined into one function per encoding and body. */
#ifndef KERNELS_MATMUL_MATMUL_QUANT_H
#define KERNELS_MATMUL_MATMUL_QUANT_H

#include "kernels/matmul/matmul_isa.h"
#include "kernels/quant/qblk.h"
#include "runtime/base/num.h"

#include <string.h>

#define QUANT_INLINE static inline __attribute__((always_inline))

enum {
    QUANT_MAX_STEP_BYTES = 8 * Q8_0_BYTES,
    PANEL_COLS = MATMUL_PANEL_COLS,
    PANEL_SLAB_STEPS = 4, /* of K: what is taken apart at a time stays in the first-level cache */
    PANEL_SLAB_BLOCKS = 8 * PANEL_SLAB_STEPS,
};

/* A constant wherever it is used. */
struct quant_encoding {
    void (*unpack)(const uint8_t *p, struct quant_step *s);
    enum qblk_form form;
    uint32_t step_bytes; /* file bytes of 256 weights */
    int offset_log2;     /* w is kept as w + (1 << offset_log2), to be unsigned; -1: as it is */
};

/* Weights of QUANT_ROWS rows, by class j = b % 8, so that what one lane adds up is one stream. */
struct panel_slab {
    _Alignas(64) uint8_t w[8][PANEL_SLAB_STEPS][QUANT_ROWS][32];
    float c[PANEL_SLAB_STEPS][QUANT_ROWS][2][8]; /* whole blocks use the first half */
    float m[PANEL_SLAB_STEPS][QUANT_ROWS][2][8];
};

/* A block of 16 rows of x. */
struct panel_x {
    _Alignas(64) int8_t q[8][PANEL_COLS][4]; /* a vector is 4 successive k of each row */
    float d[PANEL_COLS];
    union {
        float q_sum[2][PANEL_COLS];  /* minima: sum(q), of the block or of each half */
        int32_t bias[2][PANEL_COLS]; /* else: -offset * sum(q), likewise */
    };
};

/* The blocks of one class: slab->w[j][i] against x + i * x_bytes, i = 0..n-1. */
struct panel_class {
    const struct panel_slab *slab;
    const char *x;
    size_t x_bytes;
    uint32_t j, n;
    const uint8_t *ahead; /* file bytes to fetch while at it, a step per block; NULL: none */
};

/* Hooks of matmul_rows.h: lanes of zeros; acc[b] += d * P over the first n_blocks of 8; the
 * canonical tree. */
QUANT_INLINE struct quant_lanes quant_zero(void);
QUANT_INLINE struct quant_lanes quant_add(const struct quant_encoding e, const struct quant_step *s,
                                          const struct actq_view *x, uint32_t n_blocks,
                                          struct quant_lanes acc);
QUANT_INLINE float quant_fold(struct quant_lanes acc);

/* Hooks of matmul_panel.h: 16 rows of 32 bytes to panel_x.q; a step to slab->w[..][i][r], c and m;
 * lanes += d * P over a class, calling quant_fetch with each block. The order of bytes in q and w
 * is the variant's. */
QUANT_INLINE void panel_transpose(const int8_t *const row[PANEL_COLS], struct panel_x *out);
QUANT_INLINE void panel_put_step(const struct quant_encoding e, const struct quant_step *s,
                                 struct panel_slab *slab, uint32_t i, uint32_t r);
QUANT_INLINE void panel_add(const struct quant_encoding e, const struct panel_class *k,
                            float *lanes);

/* The lane of row r of W by row col of x: squares of QUANT_LANE_SIDE, row by row. */
QUANT_INLINE uint32_t panel_lane(uint32_t r, uint32_t col)
{
    enum { SIDE = QUANT_LANE_SIDE };
    uint32_t square = r / SIDE * (PANEL_COLS / SIDE) + col / SIDE;
    return square * SIDE * SIDE + r % SIDE * SIDE + col % SIDE;
}

/* panel_transpose without vectors. */
QUANT_INLINE void panel_transpose_plain(const int8_t *const row[PANEL_COLS], struct panel_x *out)
{
    for (int i = 0; i < PANEL_COLS; i++)
        for (int quad = 0; quad < 8; quad++)
            memcpy(out->q[quad][i], row[i] + 4 * quad, 4);
}

/* Take apart the n_blocks <= 8 at p, reading nothing behind them. */
QUANT_INLINE void quant_unpack(const struct quant_encoding e, const uint8_t *p, uint32_t n_blocks,
                               struct quant_step *s)
{
    if (n_blocks == 8) {
        e.unpack(p, s);
        return;
    }
    uint8_t padded[QUANT_MAX_STEP_BYTES] = {0};
    memcpy(padded, p, (size_t)e.step_bytes * n_blocks / 8);
    e.unpack(padded, s);
}

/* Bring a step's file bytes near. Addresses past the end of a tensor do no harm. */
QUANT_INLINE void quant_fetch(const struct quant_encoding e, const uint8_t *p)
{
    for (uint32_t at = 0; at < e.step_bytes; at += 64)
        __builtin_prefetch(p + at);
}

#endif
