/* attn_work: what attn_body and its halves (attn_score.h, attn_value.h) share: one tile's queries
 * against one page. On the stack of the thread that runs the tile. */
#ifndef KERNELS_ATTN_ATTN_WORK_H
#define KERNELS_ATTN_ATTN_WORK_H

#include "kernels/attn/attn_tile.h"
#include "kernels/cpu/vmath.h"

enum { ATTN_SLAB_ELEMS = 2048 }; /* 8 KB of f32: a quarter of the smallest L1 in use */

/* One tile's queries, and what one page adds to them. */
struct attn_work {
    uint32_t n_queries, E;
    const float *q[ATTN_TILE_QUERIES]; /* [E] each */
    float *out[ATTN_TILE_QUERIES];     /* [E] each, the running acc */
    uint32_t pos[ATTN_TILE_QUERIES];
    uint32_t first_pos[ATTN_TILE_QUERIES];
    float m[ATTN_TILE_QUERIES], l[ATTN_TILE_QUERIES];
    const uint16_t *k, *v;          /* this page: [64, E] f16 */
    uint32_t begin, end;            /* cells that some query sees */
    uint32_t lo[ATTN_TILE_QUERIES]; /* cells that query i sees: lo <= cell < hi */
    uint32_t hi[ATTN_TILE_QUERIES]; /* lo == hi: none */
    float keep[ATTN_TILE_QUERIES], add[ATTN_TILE_QUERIES]; /* a, b of the merge */
    float s[ATTN_TILE_QUERIES][KV_PAGE_TOKENS];            /* scores, then weights */
};

enum attn_elem { ATTN_F16, ATTN_F32 };

struct attn_shape { /* of a register tile: compile-time constants */
    uint32_t rows;  /* queries */
    uint32_t cols;  /* cells of scores, registers of values */
    enum attn_elem elem;
};

/* Tiles of scores and values are whole: queries beyond n_queries repeat the last one, see no cell,
 * and their sums go nowhere. */
_Static_assert(ATTN_TILE_QUERIES % SIMD_DOT_ROWS == 0 && ATTN_TILE_QUERIES % SIMD_ADD_ROWS == 0 &&
                   SIMD_DOT_ROWS <= SIMD_ADD_ROWS,
               "padding to SIMD_ADD_ROWS stays inside the arrays");

/* Up to this many queries, cells are read straight from f16. */
enum { ATTN_FEW = 2 };

SIMD_FN struct simd_reg attn_load(const void *p, uint64_t at, enum attn_elem elem)
{
    return elem == ATTN_F16 ? simd_reg_load_f16((const uint16_t *)p + at)
                            : simd_reg_load((const float *)p + at);
}

SIMD_FN void attn_widen(const uint16_t *from, float *to, uint32_t n)
{
    for (uint32_t i = 0; i < n; i += SIMD_LANES)
        simd_store(to + i, simd_load_f16(from + i));
}

#endif
