/* attn_body: attention over tiles (attn_tile.h): each page of K and V is read once per tile. What a
 * tile holds never changes a query's own arithmetic (attn.h, canonical order).
 * Stack: scores 8 KB (struct attn_work) and a slab of 8 KB, in frames of their own. */
#ifndef KERNELS_ATTN_ATTN_BODY_H
#define KERNELS_ATTN_ATTN_BODY_H

#include "kernels/attn/attn_score.h"
#include "kernels/attn/attn_value.h"

/* Which cells of the page that starts at position page_pos each query sees. */
static void attn_enter_page(struct attn_work *w, uint32_t page_pos)
{
    w->begin = KV_PAGE_TOKENS;
    w->end = 0;
    for (uint32_t i = 0; i < w->n_queries; i++) {
        uint32_t lo = w->first_pos[i] > page_pos ? w->first_pos[i] - page_pos : 0;
        uint32_t hi = w->pos[i] >= page_pos ? w->pos[i] - page_pos + 1 : 0;
        hi = hi < KV_PAGE_TOKENS ? hi : KV_PAGE_TOKENS;
        if (lo >= hi)
            lo = hi = 0;
        w->lo[i] = lo;
        w->hi[i] = hi;
        if (lo == hi)
            continue;
        w->begin = lo < w->begin ? lo : w->begin;
        w->end = hi > w->end ? hi : w->end;
    }
}

static void attn_begin_tile(struct attn_work *w, const struct attn_args *a,
                            const struct attn_tile *tile)
{
    w->n_queries = tile->n_rows * tile->n_heads;
    w->E = a->head_dim;
    w->cell_bytes = kv_cell_bytes(a->kv.type, w->E);
    w->type = a->kv.type;
    for (uint32_t i = 0; i < w->n_queries; i++) {
        uint32_t t = tile->first_row + i / tile->n_heads, h = tile->first_head + i % tile->n_heads;
        uint64_t at = ((uint64_t)t * a->n_heads + h) * w->E;
        w->q[i] = a->q + at;
        w->out[i] = a->out + at;
        w->pos[i] = (uint32_t)a->pos[t];
        w->first_pos[i] = attn_first_pos(a, t);
        w->m[i] = -INFINITY;
        w->l[i] = 0.0f;
        memset(w->out[i], 0, w->E * sizeof(float));
    }
    for (uint32_t i = w->n_queries; i % SIMD_ADD_ROWS != 0 || i % ATTN_FEW != 0; i++) {
        w->q[i] = w->q[i - 1];
        memset(w->s[i], 0, sizeof w->s[i]);
    }
}

static void attn_run_tile(const struct attn_args *a, const struct attn_tile *tile)
{
    struct attn_work w;
    attn_begin_tile(&w, a, tile);
    const uint32_t last_row = tile->first_row + tile->n_rows - 1;
    const uint32_t page_end = (uint32_t)a->pos[last_row] / KV_PAGE_TOKENS + 1;
    uint32_t page = attn_first_pos(a, tile->first_row) / KV_PAGE_TOKENS;
    for (; page < page_end; page++) {
        const uint32_t page_pos = page * KV_PAGE_TOKENS;
        attn_enter_page(&w, page_pos);
        uint64_t at = kv_view_page_off_bytes(&a->kv, a->seq[tile->first_row], page_pos,
                                             tile->kv_head, a->n_kv_heads, a->head_dim);
        w.k = a->kv.k + at;
        w.v = a->kv.v + at;
        attn_page_scores(&w);
        for (uint32_t i = 0; i < w.n_queries; i++)
            if (w.lo[i] < w.hi[i])
                attn_weigh(&w, i);
        if (!attn_page_values_few(&w))
            attn_page_values(&w);
    }
    for (uint32_t i = 0; i < w.n_queries; i++) {
        struct simd_f32 inverse = simd_set1(1.0f / w.l[i]);
        for (uint32_t e = 0; e < w.E; e += SIMD_LANES)
            simd_store(w.out[i] + e, simd_mul(simd_load(w.out[i] + e), inverse));
    }
}

static void attn_body(const struct attn_args *a, uint32_t tid, uint32_t n_tid)
{
    attn_tiles(a, tid, n_tid, attn_run_tile);
}

#endif
