/* gguf_write: makes GGUF version 3 files with the default alignment, tensors packed exactly in the
 * order declared. Flow: keys and tensors are declared (packed in memory) -> gguf_write_seal fixes
 * the layout -> either gguf_write_head lends the head, or gguf_write_open, gguf_write_bytes..,
 * gguf_write_commit stream a file, so memory is bounded by the metadata. Until commit it is a
 * file_part; gguf_write_free removes it.   Thread: one. Any false leaves the writer good for
 * gguf_write_free alone. Spec: gguf.md 9. */
#ifndef MODELS_GGUF_WRITE_H
#define MODELS_GGUF_WRITE_H

#include "models/gguf.h"

struct gguf_writer; /* opaque */

struct gguf_writer *gguf_write_new(struct err *e);
void gguf_write_free(struct gguf_writer *w); /* NULL is fine */

/* ---- declare ---- */

/* As read from another file, or made up; refused: a second key of that name, general.alignment, the
 * split keys. */
bool gguf_write_kv(struct gguf_writer *w, const struct gguf_kv *kv, struct err *e);

bool gguf_write_u32(struct gguf_writer *w, const char *key, uint32_t v, struct err *e);
bool gguf_write_i32(struct gguf_writer *w, const char *key, int32_t v, struct err *e);
bool gguf_write_f32(struct gguf_writer *w, const char *key, float v, struct err *e);
bool gguf_write_bool(struct gguf_writer *w, const char *key, bool v, struct err *e);
bool gguf_write_str(struct gguf_writer *w, const char *key, const char *v, struct err *e);
bool gguf_write_i32s(struct gguf_writer *w, const char *key, const int32_t *v, uint64_t n,
                     struct err *e);
bool gguf_write_f32s(struct gguf_writer *w, const char *key, const float *v, uint64_t n,
                     struct err *e);
bool gguf_write_bools(struct gguf_writer *w, const char *key, const bool *v, uint64_t n,
                      struct err *e);
bool gguf_write_strs(struct gguf_writer *w, const char *key, const struct str *v, uint64_t n,
                     struct err *e);

/* False for the keys that describe a container rather than a model: leave them out when copying. */
bool gguf_write_may_copy(struct str key);

/* dims[0] is the row length; n_dims 0..4. */
bool gguf_write_tensor(struct gguf_writer *w, struct str name, enum qtype type, uint32_t n_dims,
                       const uint64_t *dims, struct err *e);

/* ---- lay out ---- */

/* No more declarations after this. */
bool gguf_write_seal(struct gguf_writer *w, struct err *e);

/* Sealed: header, keys, infos and padding up to the first tensor; lent until gguf_write_free. */
struct str gguf_write_head(const struct gguf_writer *w);
/* Sealed: size of the whole file. */
uint64_t gguf_write_file_bytes(const struct gguf_writer *w);
/* Sealed: place of a tensor in the file, in the order declared. */
uint64_t gguf_write_tensor_off_bytes(const struct gguf_writer *w, uint64_t i);

/* ---- stream ---- */

/* Sealed: opens the file_part, reserves its space and writes the head. */
bool gguf_write_open(struct gguf_writer *w, const char *path, struct err *e);
/* The next bytes of tensor data, in order; a call stays inside one tensor. Padding is added where a
 * tensor ends. */
bool gguf_write_bytes(struct gguf_writer *w, const void *bytes, uint64_t n_bytes, struct err *e);
/* All tensors written: makes the file durable and gives it its name, replacing what was there. */
bool gguf_write_commit(struct gguf_writer *w, struct err *e);

#endif
