/* kv: the key/value cache: one pool of pages for the global layers, shared by all sequences, and
 * one ring per sequence for the sliding layers (gemma4-text.md 4.3). Flow: sched asks kv_reserve /
 * kv_release -> page tables -> struct kv_view per layer for the ops. Thread: engine.   Allocates:
 * nothing after kv_init; tables and pages are regions of the plan. Invariant: free pages + sum of
 * pages held by sequences == n_pages; a page belongs to one sequence. */
#ifndef RUNTIME_KV_H
#define RUNTIME_KV_H

#include "kernels/kv_view.h"
#include "runtime/base/arena.h"
#include "runtime/base/plan.h"

enum { KV_MAX_LAYERS = 128 };

struct kv_layer_dims {
    bool is_local;
    uint32_t n_kv_heads, head_dim; /* K, E */
};

struct kv_config {
    uint32_t n_layers;
    struct kv_layer_dims layers[KV_MAX_LAYERS];
    enum kv_type type;       /* of all cells */
    uint32_t window;         /* of the local layers */
    uint32_t max_seqs;       /* sequences at once */
    uint32_t n_ctx;          /* positions one sequence may hold */
    uint32_t n_pages;        /* global pool; >= pages of one full sequence */
    uint32_t max_chunk_rows; /* most rows of one sequence in one batch */
    uint32_t rollback_rows;  /* positions that kv_truncate must always be able to take back */
};

struct kv_seq {
    uint32_t n_tokens; /* positions written: 0..n_tokens-1 */
    uint32_t n_high;   /* most positions ever written since the sequence was taken: what the rings
                          have overwritten */
    uint32_t n_pages;  /* held from the pool */
    bool is_used;
};

struct kv {
    struct kv_config cfg;
    uint32_t table_stride, n_ring_pages;
    uint32_t n_free;
    uint64_t cells_off_bytes[KV_MAX_LAYERS], table_off_bytes, ring_table_off_bytes, free_off_bytes,
        seqs_off_bytes;
    struct kv_view views[KV_MAX_LAYERS];
    int32_t *table;      /* [max_seqs, table_stride] */
    int32_t *ring_table; /* [max_seqs, n_ring_pages] fixed */
    int32_t *free_pages; /* [n_pages] stack */
    struct kv_seq *seqs; /* [max_seqs] */
};

uint32_t kv_pages_for(uint64_t n_tokens);

bool kv_plan(struct kv *kv, const struct kv_config *cfg, struct plan *p, struct err *e);
void kv_init(struct kv *kv, const struct arena *a);

/* A free sequence number, or -1. */
int32_t kv_seq_take(struct kv *kv);
void kv_seq_release(struct kv *kv, int32_t seq);

/* Make positions 0..n_tokens-1 writable; false (nothing changed) if the pool lacks pages or
 * n_tokens > n_ctx. */
bool kv_reserve(struct kv *kv, int32_t seq, uint32_t n_tokens);
/* The next forward pass writes positions up to n_tokens-1 (all reserved; at most max_chunk_rows
 * beyond the last call). */
void kv_advance(struct kv *kv, int32_t seq, uint32_t n_tokens);

/* Take back to n_tokens positions (pages stay reserved); false if the rings have already
 * overwritten what a row at n_tokens would see. */
bool kv_truncate(struct kv *kv, int32_t seq, uint32_t n_tokens);

uint32_t kv_n_free_pages(const struct kv *kv);

#endif
