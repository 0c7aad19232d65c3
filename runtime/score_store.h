/* score_store: what a reference model predicted for a text, on disk, so that other models (its
 * quantizations) can be compared with it without running it again.
 *
 * File, little-endian, version 1:
 *   0 "hearthLP"   8 u32 version   12 u32 vocabulary V   16 u32 window   20 u32 stride
 *   24 u64 tokens N   32 char model[96], zero-padded   128 i32 ids[N] of the text   then N rows.
 * Row of one token, 20 + 2 V bytes: f32 nll of the token; f32 step; i32 the likeliest id; u32
 * reserved, 0; u32 check (FNV-1a of the rest of the row); u16 level[V]. log p of id j is -step *
 * level[j] less the log of the sum of exp of that over all j.
 * Level 0 is the likeliest id; the range is the row's own, at most 32 nats: what lies deeper has
 * less than 1.3e-14 of its probability and is stored at 32. A step is then below 0.0005 nats, and
 * the divergence of a model from its own store about 1e-8.
 * The size must match exactly; rows are checked as they are read.
 * Thread: one (pack and unpack: any). Allocates: a path; one row's head at a time is on the stack.
 */
#ifndef RUNTIME_SCORE_STORE_H
#define RUNTIME_SCORE_STORE_H

#include "runtime/base/err.h"

#include <stddef.h>
#include <stdint.h>

enum { SCORE_STORE_MODEL_BYTES = 96, SCORE_STORE_MAX_VOCAB = 1 << 24 };

struct score_store_info {
    uint32_t n_vocab, n_ctx, n_stride;
    uint64_t n_tokens;
    char model[SCORE_STORE_MODEL_BYTES]; /* name, terminated */
};

/* ---- rows ---- */

uint64_t score_store_row_bytes(uint32_t n_vocab);

/* logits [n_vocab], finite where it matters; nll of the token that followed. */
void score_store_pack(const float *logits, uint32_t n_vocab, double nll, void *row);

struct score_store_row {
    double nll;
    float step;
    int32_t top;                 /* the likeliest id */
    const unsigned char *levels; /* [n_vocab] u16, little-endian; lent by the row */
};

/* False: the bytes are damaged. */
bool score_store_unpack(const void *row, uint32_t n_vocab, struct score_store_row *out);

/* ---- writing: the file appears under its name when it is complete ---- */

struct score_store_writer; /* opaque */

struct score_store_writer *score_store_create(const char *path, const struct score_store_info *info,
                                              const int32_t *ids, struct err *e);
bool score_store_put(struct score_store_writer *w, const void *rows, uint64_t n_rows,
                     struct err *e);
/* All rows were put. */
bool score_store_commit(struct score_store_writer *w, struct err *e);
void score_store_free(
    struct score_store_writer *w); /* NULL is fine; an unfinished file is removed */

/* ---- reading ---- */

struct score_store; /* opaque: the file, mapped */

struct score_store *score_store_open(const char *path, struct err *e);
void score_store_close(struct score_store *s); /* NULL is fine */
const struct score_store_info *score_store_info(const struct score_store *s);
int32_t score_store_id(const struct score_store *s, uint64_t i_token);
const void *score_store_row(const struct score_store *s, uint64_t i_token); /* lent till close */

#endif
