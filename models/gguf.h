/* gguf: read-only, fully checked view of a GGUF file (or a set of split parts), mapped private.
 * Flow: path -> gguf_open (every byte of metadata checked, nothing trusted) -> typed getters and
 * tensors. Borrowing: every struct str and pointer lent here lives until gguf_close.   Thread:
 * read-only after open, any. Allocates: tables proportional to the metadata at open; nothing later.
 * Invariant: every tensor's bytes lie inside its mapping and n_bytes matches its type and dims.
 * Spec: gguf.md, all rows of 10. */
#ifndef MODELS_GGUF_H
#define MODELS_GGUF_H

#include "kernels/quant/qtype.h"
#include "runtime/base/err.h"
#include "runtime/base/str.h"

enum gguf_type {
    GGUF_U8 = 0,
    GGUF_I8 = 1,
    GGUF_U16 = 2,
    GGUF_I16 = 3,
    GGUF_U32 = 4,
    GGUF_I32 = 5,
    GGUF_F32 = 6,
    GGUF_BOOL = 7,
    GGUF_STR = 8,
    GGUF_ARR = 9,
    GGUF_U64 = 10,
    GGUF_I64 = 11,
    GGUF_F64 = 12,
};

struct gguf_array {
    enum gguf_type elem_type;
    uint64_t n_elems;
    const unsigned char *bytes; /* packed elements as in the file */
    uint64_t n_bytes;
};

struct gguf_kv {
    struct str key;
    enum gguf_type type;
    union {
        uint64_t u64; /* every unsigned type and bool */
        int64_t i64;  /* every signed type */
        double f64;   /* f32, f64 */
        struct str str;
        struct gguf_array arr;
    } value;
};

struct gguf_tensor {
    struct str name;
    enum qtype type;
    uint32_t n_dims;
    uint64_t dims[4];           /* dims[0] is the row length; missing ones are 1 */
    const unsigned char *bytes; /* in the mapping, at least 8-byte aligned */
    uint64_t n_bytes;
    uint64_t file_off_bytes; /* absolute, in its part */
    uint32_t i_part;         /* split part, 0-based */
};

struct gguf; /* opaque */

const char *gguf_type_name(enum gguf_type type); /* "u32", "str", "array" */
bool gguf_type_is_signed(enum gguf_type type);   /* i8, i16, i32, i64 */
bool gguf_type_is_unsigned(enum gguf_type type); /* u8, u16, u32, u64; not bool */

/* Opens path; given part 1 of a split set, opens all parts. NULL on failure: *e names file, byte
 * position and key/tensor. */
struct gguf *gguf_open(const char *path, struct err *e);
/* The same over 8-byte aligned memory that outlives the result; for fuzzing and for the embedded
 * pocket model. name: for messages. Parts of a split set are refused. */
struct gguf *gguf_open_mem(const void *bytes, size_t n_bytes, const char *name, struct err *e);
void gguf_close(struct gguf *g); /* NULL is fine */

const char *gguf_name(const struct gguf *g); /* path or name, for messages; of the first part */
const char *gguf_part_name(const struct gguf *g, uint32_t i_part);
uint32_t gguf_version(const struct gguf *g);      /* 2 or 3 */
uint32_t gguf_alignment(const struct gguf *g);    /* of part 0 */
uint32_t gguf_n_parts(const struct gguf *g);      /* 1 if not split */
uint64_t gguf_mapped_bytes(const struct gguf *g); /* all parts */
uint64_t gguf_n_kv(const struct gguf *g);
const struct gguf_kv *gguf_kv_at(const struct gguf *g, uint64_t i); /* file order */
uint64_t gguf_n_tensors(const struct gguf *g);
const struct gguf_tensor *gguf_tensor_at(const struct gguf *g,
                                         uint64_t i); /* file order, parts in order */

/* NULL if absent. Hash lookups. */
const struct gguf_kv *gguf_find(const struct gguf *g, const char *key);
const struct gguf_tensor *gguf_tensor(const struct gguf *g, const char *name);

/* Required values: false and a message naming file and key if absent, of a wrong type or out of
 * range. Integers of any width and sign are accepted if the value fits. */
bool gguf_get_u32(const struct gguf *g, const char *key, uint32_t *out, struct err *e);
bool gguf_get_f32(const struct gguf *g, const char *key, float *out,
                  struct err *e); /* f32 or f64, finite */
bool gguf_get_str(const struct gguf *g, const char *key, struct str *out, struct err *e);
/* Any element type; the caller checks elem_type or uses the element readers below. */
bool gguf_get_arr(const struct gguf *g, const char *key, struct gguf_array *out, struct err *e);

/* Element readers: false if the element type is not convertible or the value does not fit. i <
 * n_elems. */
bool gguf_arr_u32(const struct gguf_array *a, uint64_t i, uint32_t *out);
bool gguf_arr_i32(const struct gguf_array *a, uint64_t i, int32_t *out);
bool gguf_arr_u64(const struct gguf_array *a, uint64_t i, uint64_t *out);
bool gguf_arr_i64(const struct gguf_array *a, uint64_t i, int64_t *out);
bool gguf_arr_f64(const struct gguf_array *a, uint64_t i, double *out);
bool gguf_arr_bool(const struct gguf_array *a, uint64_t i, bool *out);
/* Strings have no fixed size: walk from *off_bytes = 0; each call yields the next and advances.
 * false at the end. */
bool gguf_arr_str_next(const struct gguf_array *a, uint64_t *off_bytes, struct str *out);
bool gguf_arr_arr_next(const struct gguf_array *a, uint64_t *off_bytes, struct gguf_array *out);

/* s for a terminal or a message: control characters and bytes that are not UTF-8 become '?', what
 * does not fit ends in
 * "...". Returns out (at least 8 bytes, always terminated). */
const char *gguf_quote(struct str s, char *out, size_t n_out_bytes);

#endif
