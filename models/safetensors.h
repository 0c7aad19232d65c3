/* safetensors: read-only, fully checked view of the weights in a model directory:
 * model.safetensors, or the shards that model.safetensors.index.json names, mapped private. Flow:
 * directory -> safetensors_open (headers parsed, every range, size, overlap and name checked,
 * nothing trusted)
 * -> tensors by name.   Borrowing: names and bytes live until safetensors_close.   Thread:
 * read-only after open, any. Allocates: at open, in proportion to the headers.
 * Layout of a file: u64 header length, JSON header {name: {dtype, shape, data_offsets}}, tensor
 * bytes; all little-endian. Tensors fill the rest of the file without gap or overlap.
 * Invariant: bytes [n_bytes] lie inside the mapping and n_bytes fits dtype and dims. They have no
 * alignment. */
#ifndef MODELS_SAFETENSORS_H
#define MODELS_SAFETENSORS_H

#include "runtime/base/err.h"
#include "runtime/base/str.h"

/* X(name, bytes per element) */
#define SAFETENSORS_DTYPES(X)                                                                      \
    X(BOOL, 1)                                                                                     \
    X(U8, 1)                                                                                       \
    X(I8, 1)                                                                                       \
    X(F8_E5M2, 1)                                                                                  \
    X(F8_E4M3, 1)                                                                                  \
    X(I16, 2)                                                                                      \
    X(U16, 2)                                                                                      \
    X(F16, 2)                                                                                      \
    X(BF16, 2)                                                                                     \
    X(I32, 4)                                                                                      \
    X(U32, 4)                                                                                      \
    X(F32, 4)                                                                                      \
    X(F64, 8)                                                                                      \
    X(I64, 8)                                                                                      \
    X(U64, 8)

#define X(name, bytes) SAFETENSORS_##name,
enum safetensors_dtype { SAFETENSORS_DTYPES(X) SAFETENSORS_N_DTYPES };
#undef X

enum {
    SAFETENSORS_MAX_DIMS = 8,
    SAFETENSORS_MAX_HEADER_BYTES = 100000000, /* the format's own limit */
};

struct safetensors_tensor {
    struct str name;
    enum safetensors_dtype dtype;
    uint32_t n_dims;
    uint64_t dims[SAFETENSORS_MAX_DIMS]; /* outermost first, as in the file; unused ones are 1 */
    const unsigned char *bytes;
    uint64_t n_bytes;
    uint32_t i_file;
};

struct safetensors; /* opaque */

const char *safetensors_dtype_name(enum safetensors_dtype dtype); /* "BF16" */
uint32_t safetensors_dtype_bytes(enum safetensors_dtype dtype);

/* NULL on failure: *e names the file, and the tensor where there is one. */
struct safetensors *safetensors_open(const char *dir, struct err *e);
/* One file in memory that outlives the result; for tests and fuzzing. */
struct safetensors *safetensors_open_mem(const void *bytes, size_t n_bytes, const char *name,
                                         struct err *e);
void safetensors_close(struct safetensors *s); /* NULL is fine */

const char *safetensors_file(const struct safetensors *s, const struct safetensors_tensor *t);
uint64_t safetensors_mapped_bytes(const struct safetensors *s);
uint64_t safetensors_n_tensors(const struct safetensors *s);
const struct safetensors_tensor *safetensors_at(const struct safetensors *s, uint64_t i);
/* Position among them for safetensors_at, or UINT64_MAX. */
uint64_t safetensors_find(const struct safetensors *s, struct str name);

/* Lets go of the memory behind a tensor that has been read: what is mapped then stays bounded by
 * what is being read. The bytes remain readable. */
void safetensors_release(const struct safetensors *s, const struct safetensors_tensor *t);

#endif
