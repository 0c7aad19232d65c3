/* gguf_index: name -> position in a table of keys or tensors; open addressing, at most half full,
 * one u32 per slot. The hash is seeded per open file, so that a crafted file cannot choose names
 * that all collide. The table it points into belongs to the caller and its records begin with their
 * name (struct str). Thread: read-only once filled, any.   Allocates: at reserve. */
#ifndef MODELS_GGUF_INDEX_H
#define MODELS_GGUF_INDEX_H

#include "runtime/base/err.h"
#include "runtime/base/str.h"

struct gguf_index {
    uint32_t *slots; /* position + 1; 0 = free. NULL until the first reserve */
    uint64_t n_slots;
    uint64_t n_names;
    uint64_t seed[2];
    size_t record_bytes; /* distance between two names in the table */
};

/* What gguf_index_find answers when there is no such name. */
#define GGUF_INDEX_NONE UINT32_MAX

/* record_bytes: size of one record. Takes its seed from the system. */
bool gguf_index_init(struct gguf_index *ix, size_t record_bytes, struct err *e);
void gguf_index_deinit(struct gguf_index *ix);

/* Room for n_names names in all; the names of records[0..ix->n_names) are kept. */
bool gguf_index_reserve(struct gguf_index *ix, const void *records, uint64_t n_names,
                        struct err *e);

/* Position of the name, or GGUF_INDEX_NONE. */
uint32_t gguf_index_find(const struct gguf_index *ix, const void *records, struct str name);

/* Adds records[ix->n_names]; false (and nothing added) if its name is there already. Needs reserved
 * room. */
bool gguf_index_add(struct gguf_index *ix, const void *records);

#endif
