/* attn_work: what attn_body and its halves (attn_score.h, attn_value.h) share: one tile's queries
 * against one page. On the stack of the thread that runs the tile. */
#ifndef KERNELS_ATTN_ATTN_WORK_H
#define KERNELS_ATTN_ATTN_WORK_H

#include "kernels/attn/attn_tile.h"
#include "kernels/cpu/kv_cell.h"
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
    const unsigned char *k, *v; /* this page: [KV_PAGE_TOKENS] cells */
    uint64_t cell_bytes;
    enum kv_type type;
    uint32_t begin, end;            /* cells that some query sees */
    uint32_t lo[ATTN_TILE_QUERIES]; /* cells that query i sees: lo <= cell < hi */
    uint32_t hi[ATTN_TILE_QUERIES]; /* lo == hi: none */
    float keep[ATTN_TILE_QUERIES], add[ATTN_TILE_QUERIES]; /* a, b of the merge */
    float s[ATTN_TILE_QUERIES][KV_PAGE_TOKENS];            /* scores, then weights */
};

/* Cells in a row, in the cache or widened: cell c begins at `at + c * stride_bytes`. */
struct attn_cells {
    const void *at;
    uint64_t stride_bytes;
    uint32_t first; /* the element of each to begin with */
};

struct attn_shape {    /* of a register tile: compile-time constants */
    uint32_t rows;     /* queries */
    uint32_t cols;     /* cells of scores, registers of values */
    enum kv_type type; /* of the cells it reads */
};

/* Tiles of scores and values are whole: queries beyond n_queries repeat the last one, see no cell,
 * and their sums go nowhere. */
_Static_assert(ATTN_TILE_QUERIES % SIMD_DOT_ROWS == 0 && ATTN_TILE_QUERIES % SIMD_ADD_ROWS == 0 &&
                   SIMD_DOT_ROWS <= SIMD_ADD_ROWS,
               "padding to SIMD_ADD_ROWS stays inside the arrays");

/* Up to this many queries, cells are read straight from the cache. */
enum { ATTN_FEW = 2 };

/* One register of cell c, e elements behind cells.first. */
SIMD_FN struct simd_reg attn_load(struct attn_cells cells, uint32_t c, uint32_t e,
                                  enum kv_type type)
{
    const unsigned char *cell = (const unsigned char *)cells.at + c * cells.stride_bytes;
    return kv_cell_load(cell, cells.first + e, type);
}

#endif
