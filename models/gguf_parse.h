/* gguf_parse: one GGUF file in memory -> its keys and tensor records, every byte of metadata
 * checked before it is used. Sans-I/O: bytes in, tables out. Internal to models/gguf*.c; everyone
 * else includes models/gguf.h. Invariant of the cursor: bytes[off_bytes .. off_bytes + left_bytes)
 * is what remains; lengths are compared with left_bytes before use and nothing is ever added to a
 * position that was not checked so. Rows of gguf.md section 10 are cited as R1..R24. */
#ifndef MODELS_GGUF_PARSE_H
#define MODELS_GGUF_PARSE_H

#include "models/gguf.h"
#include "models/gguf_index.h"
#include "runtime/base/file_map.h"

enum {
    GGUF_DEFAULT_ALIGN_BYTES = 32,
    GGUF_MIN_ALIGN_BYTES = 8,
    GGUF_MAX_ALIGN_BYTES = 1 << 20,
    GGUF_MAX_KEY_BYTES = 65535,
    GGUF_MAX_TENSOR_NAME_BYTES = 63, /* the reference reader's field of 64 holds a NUL */
    GGUF_MAX_STR_BYTES = 1 << 30,
    GGUF_MAX_ARRAY_DEPTH = 4,
    GGUF_MAX_DIMS = 4,
    GGUF_TYPE_END = 13, /* value types are below this */
};

/* One file: a whole model or one part of a split set. */
struct gguf_part {
    char *name; /* path, or the caller's name for memory; owned */
    const unsigned char *bytes;
    uint64_t n_bytes;
    struct file_map file; /* zeroed: bytes are the caller's */
    uint32_t version, align_bytes;
    struct gguf_kv *kv; /* [n_kv] */
    uint64_t n_kv;
    struct gguf_index kv_index;
};

/* The tensors of all parts, in part order. */
struct gguf_tensors {
    struct gguf_tensor *at; /* [n_room], the first n are filled */
    uint64_t n, n_room;
    struct gguf_index index;
};

/* A place in a file, and what is being read there (for messages). */
struct gguf_cur {
    const char *file;
    const unsigned char *bytes;
    uint64_t off_bytes, left_bytes;
    uint64_t field_off_bytes; /* where the field under test begins */
    const char *item_word;    /* "key", "tensor", or NULL while no name is known */
    struct str item;
};

/* Fills part->version, align_bytes, kv, n_kv and kv_index, and appends the part's tensors with
 * i_part. part->bytes, n_bytes and name are set by the caller; kv_index and tensors->index are
 * initialised. On failure what was filled stays the caller's to free. */
bool gguf_parse_part(struct gguf_part *part, uint32_t i_part, struct gguf_tensors *tensors,
                     struct err *e);

/* Reads the rest of an array value (element type, count, elements); depth 1 is the outermost.
 * may_be_bytes: string elements need not be UTF-8. */
bool gguf_parse_array(struct gguf_cur *c, uint32_t depth, bool may_be_bytes, struct gguf_array *out,
                      struct err *e);

/* Smallest size in bytes of one value of the type; exact for scalars. type < GGUF_TYPE_END. */
uint64_t gguf_parse_min_bytes(uint32_t type);

#endif
