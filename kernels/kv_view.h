/* kv_view: what an attention op sees of one layer's key/value cache. Plain data; runtime/kv.c fills it.
 *
 * Cells live in pages of KV_PAGE_TOKENS positions; a page holds all kv heads of one layer:
 *     k, v: [n_pages, K, KV_PAGE_TOKENS, E] f16
 * Position p of sequence s is in page  table[s * table_stride + (p / KV_PAGE_TOKENS) % n_table_pages],
 * cell p % KV_PAGE_TOKENS. Global layers have a table as long as the context, so the modulus never wraps; sliding layers
 * have a ring of n_table_pages pages. The writer guarantees that every position a row may see is still in the ring.
 * K is stored after its norm and RoPE, V after its norm. */
#ifndef KERNELS_KV_VIEW_H
#define KERNELS_KV_VIEW_H

#include <stdint.h>

/* Also the fixed split length of attention: scores are summed per page, pages in ascending absolute position, so a row's
 * result never depends on who else is in the batch or how the prompt was cut. */
enum { KV_PAGE_TOKENS = 64 };

struct kv_view {
    uint16_t *k;          /* [n_pages, K, KV_PAGE_TOKENS, E] f16 */
    uint16_t *v;          /* [n_pages, K, KV_PAGE_TOKENS, E] f16 */
    const int32_t *table; /* [n_seqs, table_stride] page ids */
    uint32_t table_stride;
    uint32_t n_table_pages; /* modulus, <= table_stride */
};

#endif
