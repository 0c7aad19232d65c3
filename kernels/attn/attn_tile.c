#include "kernels/attn/attn_tile.h"

#include "runtime/base/num.h"
#include "runtime/base/pool.h"

struct cut {
    uint32_t n_rows;  /* most rows of a tile */
    uint32_t n_heads; /* most query heads of a tile */
};

static bool continues(const struct attn_args *a, uint32_t t)
{
    return a->seq[t] == a->seq[t - 1] && a->pos[t] == a->pos[t - 1] + 1;
}

static uint32_t row_end(const struct attn_args *a, uint32_t first_row, uint32_t n_rows)
{
    uint32_t end = first_row + 1;
    while (end < a->n_rows && end - first_row < n_rows && continues(a, end))
        end++;
    return end;
}

static uint64_t n_row_runs(const struct attn_args *a, uint32_t n_rows)
{
    uint64_t n = 0;
    for (uint32_t t = 0; t < a->n_rows; t = row_end(a, t, n_rows))
        n++;
    return n;
}

/* The largest tiles that still give every thread one; first fewer rows, then fewer heads each. */
static struct cut choose_cut(const struct attn_args *a, uint32_t n_tid)
{
    uint32_t group = a->n_heads / a->n_kv_heads;
    struct cut cut = {.n_heads = group < ATTN_TILE_QUERIES ? group : ATTN_TILE_QUERIES};
    cut.n_rows = ATTN_TILE_QUERIES / cut.n_heads;
    while (cut.n_rows > 1 && n_row_runs(a, cut.n_rows) * a->n_kv_heads < n_tid)
        cut.n_rows = (cut.n_rows + 1) / 2;
    uint64_t n_whole = n_row_runs(a, cut.n_rows) * a->n_kv_heads;
    while (cut.n_heads > 1 && n_whole * num_ceil_div(group, cut.n_heads) < n_tid)
        cut.n_heads = (cut.n_heads + 1) / 2;
    return cut;
}

static uint64_t pages_of(const struct attn_args *a, uint32_t first_row, uint32_t end_row)
{
    uint32_t first_page = attn_first_pos(a, first_row) / KV_PAGE_TOKENS;
    return (uint32_t)a->pos[end_row - 1] / KV_PAGE_TOKENS - first_page + 1;
}

static uint64_t total_cost(const struct attn_args *a, const struct cut *cut)
{
    uint64_t cost = 0;
    for (uint32_t t = 0, end; t < a->n_rows; t = end) {
        end = row_end(a, t, cut->n_rows);
        cost += pages_of(a, t, end) * (end - t) * a->n_heads;
    }
    return cost;
}

void attn_tiles(const struct attn_args *a, uint32_t tid, uint32_t n_tid, attn_tile_fn *run)
{
    const uint32_t group = a->n_heads / a->n_kv_heads;
    const struct cut cut = choose_cut(a, n_tid);
    uint64_t cost = 0; /* of all tiles before this one */
    uint64_t share_begin, share_end;
    pool_share(total_cost(a, &cut), 1, tid, n_tid, &share_begin, &share_end);
    for (uint32_t t = 0, end; t < a->n_rows; t = end) {
        end = row_end(a, t, cut.n_rows);
        uint64_t pages = pages_of(a, t, end);
        for (uint32_t h = 0, n_heads; h < a->n_heads; h += n_heads) {
            n_heads = (uint32_t)num_min(cut.n_heads, group - h % group);
            uint64_t tile_cost = pages * (end - t) * n_heads;
            uint64_t middle = cost + tile_cost / 2;
            if (share_begin <= middle && middle < share_end)
                run(a, &(struct attn_tile){t, end - t, h, n_heads, h / group});
            cost += tile_cost;
        }
    }
}
