/* attn_tile: how attention is cut into tiles and dealt to threads. A tile is one kv head (or some
 * of the query heads it serves) times neighbouring rows of one sequence at consecutive positions;
 * threads get runs of tiles whose cost (pages x queries) is about their pool_share. Pure: depends
 * on the arguments and the threads alone. */
#ifndef KERNELS_ATTN_ATTN_TILE_H
#define KERNELS_ATTN_ATTN_TILE_H

#include "kernels/attn/attn.h"

enum { ATTN_TILE_QUERIES = 32 };

struct attn_tile {
    uint32_t first_row, n_rows;   /* rows of the batch */
    uint32_t first_head, n_heads; /* query heads, all served by kv_head */
    uint32_t kv_head;
};

typedef void attn_tile_fn(const struct attn_args *a, const struct attn_tile *tile);

/* Call run for every tile of thread tid. */
void attn_tiles(const struct attn_args *a, uint32_t tid, uint32_t n_tid, attn_tile_fn *run);

#endif
