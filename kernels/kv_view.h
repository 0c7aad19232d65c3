/* kv_view: what an attention op sees of one layer's key/value cache. Plain data; runtime/kv.c fills
 * it.
 *
 * Cells live in pages of KV_PAGE_TOKENS positions; a page holds all kv heads of one layer:
 *     k, v: [n_pages, K, KV_PAGE_TOKENS] cells of E elements (kernels/kv_type.h)
 * Position p of sequence s is in page  table[s * table_stride + (p / KV_PAGE_TOKENS) %
 * n_table_pages], cell p % KV_PAGE_TOKENS. Global layers have a table as long as the context, so
 * the modulus never wraps; sliding layers have a ring of n_table_pages pages. The writer guarantees
 * that every position a row may see is still in the ring. K is stored after its norm and RoPE, V
 * after its norm. */
#ifndef KERNELS_KV_VIEW_H
#define KERNELS_KV_VIEW_H

#include "kernels/kv_type.h"
#include "runtime/base/err.h"

/* Also the fixed split length of attention: scores are summed per page, pages in ascending absolute
 * position, so a row's result never depends on who else is in the batch or how the prompt was cut.
 */
enum { KV_PAGE_TOKENS = 64 };

struct kv_view {
    unsigned char *k;     /* [n_pages, K, KV_PAGE_TOKENS] cells */
    unsigned char *v;     /* [n_pages, K, KV_PAGE_TOKENS] cells */
    const int32_t *table; /* [n_seqs, table_stride] page ids */
    uint32_t table_stride;
    uint32_t n_table_pages; /* modulus, <= table_stride */
    enum kv_type type;      /* of the cells */
};

/* Where in k and v the cells of kv head g of K begin in the page that holds position pos of
 * sequence seq; E elements a cell. */
static inline uint64_t kv_view_page_off_bytes(const struct kv_view *kv, int32_t seq, uint32_t pos,
                                              uint32_t g, uint32_t n_kv_heads, uint32_t head_dim)
{
    uint64_t entry =
        (uint64_t)(uint32_t)seq * kv->table_stride + pos / KV_PAGE_TOKENS % kv->n_table_pages;
    uint64_t page = (uint32_t)kv->table[entry];
    return (page * n_kv_heads + g) * KV_PAGE_TOKENS * kv_cell_bytes(kv->type, head_dim);
}

/* Where in k and v the cell of kv head g at position pos begins. */
static inline uint64_t kv_view_cell_off_bytes(const struct kv_view *kv, int32_t seq, uint32_t pos,
                                              uint32_t g, uint32_t n_kv_heads, uint32_t head_dim)
{
    return kv_view_page_off_bytes(kv, seq, pos, g, n_kv_heads, head_dim) +
           pos % KV_PAGE_TOKENS * kv_cell_bytes(kv->type, head_dim);
}

/* What can be known to be wrong without the pool's size; `op` begins the error text. */
static inline bool kv_view_check(const struct kv_view *kv, const char *op, struct err *e)
{
    if (!kv->k || !kv->v || !kv->table)
        return err_set(e, ERR_STATE, "%s: the cache or its page table is missing", op);
    if (kv->n_table_pages == 0 || kv->n_table_pages > kv->table_stride)
        return err_set(e, ERR_STATE, "%s: %u table pages in rows of %u", op, kv->n_table_pages,
                       kv->table_stride);
    if ((uint32_t)kv->type >= KV_N_TYPES)
        return err_set(e, ERR_STATE, "%s: no such cell type: %u", op, (uint32_t)kv->type);
    return true;
}

#endif
