#include "runtime/kv.h"

#include "runtime/base/check.h"
#include "runtime/base/num.h"

#include <stdio.h>
#include <string.h>

uint32_t kv_pages_for(uint64_t n_tokens)
{
    return (uint32_t)num_ceil_div(n_tokens, KV_PAGE_TOKENS);
}

/* Keys or values of one page of layer i. */
static uint64_t half_page_bytes(const struct kv_config *cfg, uint32_t i)
{
    const struct kv_layer_dims *l = &cfg->layers[i];
    return (uint64_t)l->n_kv_heads * KV_PAGE_TOKENS * kv_cell_bytes(cfg->type, l->head_dim);
}

static uint64_t layer_page_bytes(const struct kv_config *cfg, uint32_t i)
{
    return 2 * half_page_bytes(cfg, i);
}

/* W + T - 1 cells so that a chunk of T rows is written before its first row attends, plus what a
 * rollback needs. */
static uint32_t ring_pages(const struct kv_config *cfg)
{
    uint64_t n_cells = (uint64_t)cfg->window + cfg->max_chunk_rows + cfg->rollback_rows;
    /* a window that does not begin at a page's start touches one page more */
    uint32_t n_touched = kv_pages_for((uint64_t)cfg->window + KV_PAGE_TOKENS - 1);
    return (uint32_t)num_min(num_max(kv_pages_for(n_cells), n_touched),
                             kv_pages_for(num_max(cfg->n_ctx, 1)));
}

bool kv_plan(struct kv *kv, const struct kv_config *cfg, struct plan *p, struct err *e)
{
    memset(kv, 0, sizeof *kv);
    kv->cfg = *cfg;
    kv->table_stride = kv_pages_for(cfg->n_ctx);
    kv->n_ring_pages = ring_pages(cfg);
    if ((uint32_t)cfg->type >= KV_N_TYPES)
        return err_set(e, ERR_STATE, "kv: no such cell type: %u", (uint32_t)cfg->type);
    if (cfg->n_layers > KV_MAX_LAYERS || cfg->n_pages < kv->table_stride || cfg->max_seqs == 0)
        return err_set(e, ERR_LIMIT, "kv: %u pages do not hold one sequence of %u tokens",
                       cfg->n_pages, cfg->n_ctx);
    for (uint32_t i = 0; i < cfg->n_layers; i++) {
        char name[PLAN_NAME_BYTES];
        const struct kv_layer_dims *l = &cfg->layers[i];
        uint64_t n_pages = l->is_local ? (uint64_t)cfg->max_seqs * kv->n_ring_pages : cfg->n_pages;
        snprintf(name, sizeof name, "kv layer %u %s %s", i, l->is_local ? "rings" : "pages",
                 kv_type_names[cfg->type]);
        if (!plan_add(p, name, n_pages, layer_page_bytes(cfg, i), &kv->cells_off_bytes[i], e))
            return false;
    }
    return plan_add(p, "kv page tables", (uint64_t)cfg->max_seqs * kv->table_stride,
                    sizeof(int32_t), &kv->table_off_bytes, e) &&
           plan_add(p, "kv ring tables", (uint64_t)cfg->max_seqs * kv->n_ring_pages,
                    sizeof(int32_t), &kv->ring_table_off_bytes, e) &&
           plan_add(p, "kv free list", cfg->n_pages, sizeof(int32_t), &kv->free_off_bytes, e) &&
           plan_add(p, "kv sequences", cfg->max_seqs, sizeof(struct kv_seq), &kv->seqs_off_bytes,
                    e);
}

static void init_view(struct kv *kv, const struct arena *a, uint32_t i)
{
    const struct kv_layer_dims *l = &kv->cfg.layers[i];
    uint64_t n_pages =
        l->is_local ? (uint64_t)kv->cfg.max_seqs * kv->n_ring_pages : kv->cfg.n_pages;
    struct kv_view *view = &kv->views[i];
    view->k = arena_at(a, kv->cells_off_bytes[i]);
    view->v = view->k + n_pages * half_page_bytes(&kv->cfg, i);
    view->type = kv->cfg.type;
    view->table = l->is_local ? kv->ring_table : kv->table;
    view->table_stride = view->n_table_pages = l->is_local ? kv->n_ring_pages : kv->table_stride;
}

void kv_init(struct kv *kv, const struct arena *a)
{
    const struct kv_config *cfg = &kv->cfg;
    kv->table = arena_at(a, kv->table_off_bytes);
    kv->ring_table = arena_at(a, kv->ring_table_off_bytes);
    kv->free_pages = arena_at(a, kv->free_off_bytes);
    kv->seqs = arena_at(a, kv->seqs_off_bytes);
    for (uint32_t i = 0; i < cfg->max_seqs * kv->n_ring_pages; i++)
        kv->ring_table[i] = (int32_t)i;
    for (uint32_t i = 0; i < cfg->n_pages; i++) /* page 0 is handed out first */
        kv->free_pages[i] = (int32_t)(cfg->n_pages - 1 - i);
    kv->n_free = cfg->n_pages;
    memset(kv->seqs, 0, cfg->max_seqs * sizeof *kv->seqs);
    for (uint32_t i = 0; i < cfg->n_layers; i++)
        init_view(kv, a, i);
}

int32_t kv_seq_take(struct kv *kv)
{
    for (uint32_t i = 0; i < kv->cfg.max_seqs; i++)
        if (!kv->seqs[i].is_used) {
            kv->seqs[i] = (struct kv_seq){.is_used = true};
            return (int32_t)i;
        }
    return -1;
}

static struct kv_seq *seq_at(struct kv *kv, int32_t seq)
{
    CHECK(seq >= 0 && (uint32_t)seq < kv->cfg.max_seqs && kv->seqs[seq].is_used);
    return &kv->seqs[seq];
}

void kv_seq_release(struct kv *kv, int32_t seq)
{
    struct kv_seq *s = seq_at(kv, seq);
    const int32_t *row = kv->table + (size_t)seq * kv->table_stride;
    while (s->n_pages > 0)
        kv->free_pages[kv->n_free++] = row[--s->n_pages];
    kv->seqs[seq] = (struct kv_seq){0};
}

bool kv_reserve(struct kv *kv, int32_t seq, uint32_t n_tokens)
{
    struct kv_seq *s = seq_at(kv, seq);
    uint32_t n_pages = kv_pages_for(n_tokens);
    if (n_tokens > kv->cfg.n_ctx || (n_pages > s->n_pages && n_pages - s->n_pages > kv->n_free))
        return false;
    int32_t *row = kv->table + (size_t)seq * kv->table_stride;
    while (s->n_pages < n_pages)
        row[s->n_pages++] = kv->free_pages[--kv->n_free];
    return true;
}

void kv_advance(struct kv *kv, int32_t seq, uint32_t n_tokens)
{
    struct kv_seq *s = seq_at(kv, seq);
    CHECK(n_tokens >= s->n_tokens && n_tokens - s->n_tokens <= kv->cfg.max_chunk_rows &&
          kv_pages_for(n_tokens) <= s->n_pages);
    s->n_tokens = n_tokens;
    s->n_high = (uint32_t)num_max(s->n_high, n_tokens);
}

bool kv_truncate(struct kv *kv, int32_t seq, uint32_t n_tokens)
{
    struct kv_seq *s = seq_at(kv, seq);
    uint32_t n_cells = kv->n_ring_pages * KV_PAGE_TOKENS;
    if (n_tokens > s->n_tokens)
        return false;
    /* gemma4-text 4.3: a row at position n_tokens sees back to n_tokens - W + 1; that cell must not
     * have been reused. */
    bool is_intact = s->n_high <= n_cells || s->n_high - n_tokens <= n_cells - kv->cfg.window + 1;
    if (!is_intact && n_tokens > 0)
        return false;
    s->n_tokens = n_tokens;
    if (n_tokens == 0)
        s->n_high = 0;
    return true;
}

uint32_t kv_n_free_pages(const struct kv *kv)
{
    return kv->n_free;
}
