/* kv_view: what an attention op sees of one layer's key/value cache. Plain data; runtime/kv.c fills
 * it.
 *
 * Cells live in pages of KV_PAGE_TOKENS positions; a page holds all kv heads of one layer:
 *     k, v: [n_pages, K, KV_PAGE_TOKENS, E] f16
 * Position p of sequence s is in page  table[s * table_stride + (p / KV_PAGE_TOKENS) %
 * n_table_pages], cell p % KV_PAGE_TOKENS. Global layers have a table as long as the context, so
 * the modulus never wraps; sliding layers have a ring of n_table_pages pages. The writer guarantees
 * that every position a row may see is still in the ring. K is stored after its norm and RoPE, V
 * after its norm. */
#ifndef KERNELS_KV_VIEW_H
#define KERNELS_KV_VIEW_H

#include "runtime/base/err.h"

#include <stdint.h>

/* Also the fixed split length of attention: scores are summed per page, pages in ascending absolute
 * position, so a row's result never depends on who else is in the batch or how the prompt was cut.
 */
enum { KV_PAGE_TOKENS = 64 };

struct kv_view {
    uint16_t *k;          /* [n_pages, K, KV_PAGE_TOKENS, E] f16 */
    uint16_t *v;          /* [n_pages, K, KV_PAGE_TOKENS, E] f16 */
    const int32_t *table; /* [n_seqs, table_stride] page ids */
    uint32_t table_stride;
    uint32_t n_table_pages; /* modulus, <= table_stride */
};

/* Element index in k and v of the cells of kv head g of K in the page that holds position pos of
 * sequence seq; E elements a cell. */
static inline uint64_t kv_view_page(const struct kv_view *kv, int32_t seq, uint32_t pos, uint32_t g,
                                    uint32_t n_kv_heads, uint32_t head_dim)
{
    uint64_t entry =
        (uint64_t)(uint32_t)seq * kv->table_stride + pos / KV_PAGE_TOKENS % kv->n_table_pages;
    uint64_t page = (uint32_t)kv->table[entry];
    return (page * n_kv_heads + g) * KV_PAGE_TOKENS * head_dim;
}

/* What can be known to be wrong without the pool's size; `op` begins the error text. */
static inline bool kv_view_check(const struct kv_view *kv, const char *op, struct err *e)
{
    if (!kv->k || !kv->v || !kv->table)
        return err_set(e, ERR_STATE, "%s: the cache or its page table is missing", op);
    if (kv->n_table_pages == 0 || kv->n_table_pages > kv->table_stride)
        return err_set(e, ERR_STATE, "%s: %u table pages in rows of %u", op, kv->n_table_pages,
                       kv->table_stride);
    return true;
}

#endif
