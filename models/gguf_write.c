#include "models/gguf_write.h"

#include "models/gguf_parse.h"
#include "runtime/base/file_part.h"
#include "runtime/base/mem.h"
#include "runtime/base/num.h"

#include <inttypes.h>
#include <stdio.h>

struct named { /* what gguf_index looks at */
    struct str name;
};

struct declared { /* one tensor; begins like struct named */
    struct str name;
    enum qtype type;
    uint32_t n_dims;
    uint64_t dims[GGUF_MAX_DIMS];
    uint64_t n_bytes;
    uint64_t off_bytes; /* in the data section */
};

/* A growing table of records that begin with a name they own. */
struct table {
    void *at;
    uint64_t n_room;
    struct gguf_index index; /* index.n_names is the number of records */
};

struct gguf_writer {
    struct table keys, tensors; /* struct named, struct declared */
    unsigned char
        *head; /* packed so far: header and keys; after sealing all up to the data section */
    uint64_t n_head_bytes, head_room_bytes;
    uint64_t n_data_bytes; /* sealed: padded size of the data section */
    bool is_sealed;
    struct file_part file;
    uint64_t i_tensor;     /* being streamed */
    uint64_t n_done_bytes; /* of it */
};

enum { HEAD_BYTES = 24, N_TENSORS_OFF_BYTES = 8, N_KV_OFF_BYTES = 16 };

/* ---- tables ---- */

static void table_deinit(struct table *t)
{
    for (uint64_t i = 0; i < t->index.n_names; i++)
        mem_free(
            (void *)(uintptr_t)((struct named *)(void *)((char *)t->at + i * t->index.record_bytes))
                ->name.p);
    mem_free(t->at);
    gguf_index_deinit(&t->index);
}

/* Appends a zeroed record with a copy of the name. NULL: no memory, or the name is there already.
 */
static void *table_add(struct table *t, struct str name, const char *word, struct err *e)
{
    size_t record_bytes = t->index.record_bytes;
    uint64_t n = t->index.n_names;
    char shown[72];
    if (n == t->n_room) {
        uint64_t n_room = n ? n * 2 : 64;
        void *at = mem_grow(t->at, n, n_room, record_bytes);
        if (!at)
            return err_null(e, ERR_NOMEM, "gguf: no memory for %" PRIu64 " names", n_room);
        t->at = at;
        t->n_room = n_room;
    }
    if (!gguf_index_reserve(&t->index, t->at, n + 1, e))
        return NULL;
    char *copy = mem_alloc(name.n_bytes, 1);
    if (!copy)
        return err_null(e, ERR_NOMEM, "gguf: no memory for a name");
    memcpy(copy, name.p, name.n_bytes);
    struct named *record = (void *)((char *)t->at + n * record_bytes);
    memset(record, 0, record_bytes);
    record->name = (struct str){copy, name.n_bytes};
    if (gguf_index_add(&t->index, t->at))
        return record;
    mem_free(copy);
    return err_null(e, ERR_STATE, "gguf: %s \"%s\" is written twice", word,
                    gguf_quote(name, shown, sizeof shown));
}

static struct declared *tensor_at(const struct gguf_writer *w, uint64_t i)
{
    return (struct declared *)w->tensors.at + i;
}

/* ---- packing into memory ---- */

static bool head_put(struct gguf_writer *w, const void *bytes, uint64_t n_bytes, struct err *e)
{
    if (n_bytes > w->head_room_bytes - w->n_head_bytes) {
        uint64_t room_bytes;
        if (!num_add(w->head_room_bytes, num_max(n_bytes, w->head_room_bytes), &room_bytes))
            return err_set(e, ERR_LIMIT, "gguf: metadata too large");
        unsigned char *head = mem_grow(w->head, w->n_head_bytes, room_bytes, 1);
        if (!head)
            return err_set(e, ERR_NOMEM, "gguf: no memory for %" PRIu64 " bytes of metadata",
                           room_bytes);
        w->head = head;
        w->head_room_bytes = room_bytes;
    }
    if (n_bytes)
        memcpy(w->head + w->n_head_bytes, bytes, n_bytes);
    w->n_head_bytes += n_bytes;
    return true;
}

static void store_le(unsigned char *p, uint64_t v, unsigned n_bytes)
{
    for (unsigned i = 0; i < n_bytes; i++)
        p[i] = (unsigned char)(v >> 8 * i);
}

static bool put_int(struct gguf_writer *w, uint64_t v, unsigned n_bytes, struct err *e)
{
    unsigned char le[8];
    store_le(le, v, n_bytes);
    return head_put(w, le, n_bytes, e);
}

static bool put_str(struct gguf_writer *w, struct str s, struct err *e)
{
    return put_int(w, s.n_bytes, 8, e) && head_put(w, s.p, s.n_bytes, e);
}

struct gguf_writer *gguf_write_new(struct err *e)
{
    struct gguf_writer *w = mem_alloc(1, sizeof *w);
    if (!w)
        return err_null(e, ERR_NOMEM, "gguf: no memory");
    if (gguf_index_init(&w->keys.index, sizeof(struct named), e) &&
        gguf_index_init(&w->tensors.index, sizeof(struct declared), e) &&
        head_put(w, "GGUF", 4, e) && put_int(w, 3, 4, e) && put_int(w, 0, 8, e) &&
        put_int(w, 0, 8, e)) /* counts: see seal */
        return w;
    gguf_write_free(w);
    return NULL;
}

void gguf_write_free(struct gguf_writer *w)
{
    if (!w)
        return;
    file_part_close(&w->file);
    mem_free(w->head);
    table_deinit(&w->keys);
    table_deinit(&w->tensors);
    mem_free(w);
}

/* ---- keys ---- */

bool gguf_write_may_copy(struct str key)
{
    return !str_is(key, "general.alignment") && !str_is(key, "split.no") &&
           !str_is(key, "split.count") && !str_is(key, "split.tensors.count");
}

static bool put_array(struct gguf_writer *w, const struct gguf_array *a, struct err *e)
{
    return put_int(w, a->elem_type, 4, e) && put_int(w, a->n_elems, 8, e) &&
           head_put(w, a->bytes, a->n_bytes, e);
}

static bool put_value(struct gguf_writer *w, const struct gguf_kv *kv, struct err *e)
{
    uint64_t bits = kv->value.u64; /* two's complement: signed values pack alike */
    if (kv->type == GGUF_STR)
        return put_str(w, kv->value.str, e);
    if (kv->type == GGUF_ARR)
        return put_array(w, &kv->value.arr, e);
    if (kv->type == GGUF_F32) {
        float narrow = (float)kv->value.f64;
        uint32_t narrow_bits;
        memcpy(&narrow_bits, &narrow, sizeof narrow);
        bits = narrow_bits;
    } else if (kv->type == GGUF_F64) {
        memcpy(&bits, &kv->value.f64, sizeof bits);
    }
    return put_int(w, bits, (unsigned)gguf_parse_min_bytes(kv->type), e);
}

/* Key and value type; the caller packs the value behind it. */
static bool begin_kv(struct gguf_writer *w, struct str key, enum gguf_type type, struct err *e)
{
    char shown[72];
    if (w->is_sealed || !gguf_write_may_copy(key) || key.n_bytes == 0 ||
        key.n_bytes > GGUF_MAX_KEY_BYTES)
        return err_set(e, ERR_STATE, "gguf: key \"%s\" cannot be written",
                       gguf_quote(key, shown, sizeof shown));
    return table_add(&w->keys, key, "key", e) && put_str(w, key, e) && put_int(w, type, 4, e);
}

bool gguf_write_kv(struct gguf_writer *w, const struct gguf_kv *kv, struct err *e)
{
    return begin_kv(w, kv->key, kv->type, e) && put_value(w, kv, e);
}

bool gguf_write_u32(struct gguf_writer *w, const char *key, uint32_t v, struct err *e)
{
    return gguf_write_kv(w, &(struct gguf_kv){.key = str_of(key), .type = GGUF_U32, .value.u64 = v},
                         e);
}

bool gguf_write_i32(struct gguf_writer *w, const char *key, int32_t v, struct err *e)
{
    return gguf_write_kv(w, &(struct gguf_kv){.key = str_of(key), .type = GGUF_I32, .value.i64 = v},
                         e);
}

bool gguf_write_f32(struct gguf_writer *w, const char *key, float v, struct err *e)
{
    return gguf_write_kv(
        w, &(struct gguf_kv){.key = str_of(key), .type = GGUF_F32, .value.f64 = (double)v}, e);
}

bool gguf_write_bool(struct gguf_writer *w, const char *key, bool v, struct err *e)
{
    return gguf_write_kv(
        w, &(struct gguf_kv){.key = str_of(key), .type = GGUF_BOOL, .value.u64 = v}, e);
}

bool gguf_write_str(struct gguf_writer *w, const char *key, const char *v, struct err *e)
{
    return gguf_write_kv(
        w, &(struct gguf_kv){.key = str_of(key), .type = GGUF_STR, .value.str = str_of(v)}, e);
}

static bool begin_array(struct gguf_writer *w, const char *key, enum gguf_type elem_type,
                        uint64_t n, struct err *e)
{
    return begin_kv(w, str_of(key), GGUF_ARR, e) && put_int(w, elem_type, 4, e) &&
           put_int(w, n, 8, e);
}

bool gguf_write_i32s(struct gguf_writer *w, const char *key, const int32_t *v, uint64_t n,
                     struct err *e)
{
    bool ok = begin_array(w, key, GGUF_I32, n, e);
    for (uint64_t i = 0; i < n && ok; i++)
        ok = put_int(w, (uint32_t)v[i], 4, e);
    return ok;
}

bool gguf_write_f32s(struct gguf_writer *w, const char *key, const float *v, uint64_t n,
                     struct err *e)
{
    bool ok = begin_array(w, key, GGUF_F32, n, e);
    for (uint64_t i = 0; i < n && ok; i++) {
        uint32_t bits;
        memcpy(&bits, &v[i], sizeof bits);
        ok = put_int(w, bits, 4, e);
    }
    return ok;
}

bool gguf_write_bools(struct gguf_writer *w, const char *key, const bool *v, uint64_t n,
                      struct err *e)
{
    bool ok = begin_array(w, key, GGUF_BOOL, n, e);
    for (uint64_t i = 0; i < n && ok; i++)
        ok = put_int(w, v[i], 1, e);
    return ok;
}

bool gguf_write_strs(struct gguf_writer *w, const char *key, const struct str *v, uint64_t n,
                     struct err *e)
{
    bool ok = begin_array(w, key, GGUF_STR, n, e);
    for (uint64_t i = 0; i < n && ok; i++)
        ok = put_str(w, v[i], e);
    return ok;
}

/* ---- tensors ---- */

/* Size of the tensor in bytes; false unless a reader would take it. */
static bool size_of(enum qtype type, uint32_t n_dims, const uint64_t *dims, uint64_t *n_bytes)
{
    const struct qtype_info *info = qtype_info(type);
    uint64_t n_elems = 1;
    if (!info || n_dims > GGUF_MAX_DIMS || (n_dims ? dims[0] : 1) % info->block_elems != 0)
        return false;
    for (uint32_t i = 0; i < n_dims; i++)
        if (dims[i] == 0 || !num_mul(n_elems, dims[i], &n_elems) || n_elems > INT64_MAX)
            return false;
    return num_mul(n_elems / info->block_elems, (uint64_t)info->block_bytes, n_bytes) &&
           *n_bytes <= INT64_MAX;
}

bool gguf_write_tensor(struct gguf_writer *w, struct str name, enum qtype type, uint32_t n_dims,
                       const uint64_t *dims, struct err *e)
{
    uint64_t n_bytes;
    char shown[72];
    if (w->is_sealed || name.n_bytes == 0 || name.n_bytes > GGUF_MAX_TENSOR_NAME_BYTES ||
        !size_of(type, n_dims, dims, &n_bytes))
        return err_set(
            e, ERR_STATE,
            "gguf: tensor \"%s\" cannot be written: its name, encoding or shape is not legal",
            gguf_quote(name, shown, sizeof shown));
    struct declared *t = table_add(&w->tensors, name, "tensor", e);
    if (!t)
        return false;
    t->type = type;
    t->n_dims = n_dims;
    memcpy(t->dims, dims, n_dims * sizeof *dims);
    t->n_bytes = n_bytes;
    return true;
}

/* ---- layout ---- */

static bool put_info(struct gguf_writer *w, const struct declared *t, struct err *e)
{
    bool ok = put_str(w, t->name, e) && put_int(w, t->n_dims, 4, e);
    for (uint32_t i = 0; i < t->n_dims && ok; i++)
        ok = put_int(w, t->dims[i], 8, e);
    return ok && put_int(w, t->type, 4, e) && put_int(w, t->off_bytes, 8, e);
}

static const unsigned char zeros[GGUF_DEFAULT_ALIGN_BYTES];

static uint64_t pad_bytes(uint64_t n_bytes)
{
    return -n_bytes & (GGUF_DEFAULT_ALIGN_BYTES - 1);
}

bool gguf_write_seal(struct gguf_writer *w, struct err *e)
{
    uint64_t n_tensors = w->tensors.index.n_names;
    for (uint64_t i = 0; i < n_tensors; i++) {
        struct declared *t = tensor_at(w, i);
        t->off_bytes = w->n_data_bytes;
        if (!num_add(w->n_data_bytes, t->n_bytes + pad_bytes(t->n_bytes), &w->n_data_bytes) ||
            w->n_data_bytes > INT64_MAX / 2)
            return err_set(e, ERR_LIMIT, "gguf: the tensors are larger than any file can be");
        if (!put_info(w, t, e))
            return false;
    }
    store_le(w->head + N_TENSORS_OFF_BYTES, n_tensors, 8);
    store_le(w->head + N_KV_OFF_BYTES, w->keys.index.n_names, 8);
    w->is_sealed = true;
    return n_tensors == 0 || head_put(w, zeros, pad_bytes(w->n_head_bytes), e);
}

struct str gguf_write_head(const struct gguf_writer *w)
{
    return (struct str){(const char *)w->head, (size_t)w->n_head_bytes};
}

uint64_t gguf_write_file_bytes(const struct gguf_writer *w)
{
    return w->n_head_bytes + w->n_data_bytes;
}

uint64_t gguf_write_tensor_off_bytes(const struct gguf_writer *w, uint64_t i)
{
    return w->n_head_bytes + tensor_at(w, i)->off_bytes;
}

/* ---- streaming ---- */

bool gguf_write_open(struct gguf_writer *w, const char *path, struct err *e)
{
    if (!w->is_sealed || w->file.path)
        return err_set(e, ERR_STATE, "gguf: %s: not laid out yet, or open already", path);
    return (file_part_open(&w->file, path, e) &&
            file_part_reserve(&w->file, gguf_write_file_bytes(w), e) &&
            file_part_put(&w->file, w->head, w->n_head_bytes, e)) ||
           err_ctx(e, "gguf");
}

bool gguf_write_bytes(struct gguf_writer *w, const void *bytes, uint64_t n_bytes, struct err *e)
{
    if (!w->file.is_open || w->i_tensor == w->tensors.index.n_names)
        return err_set(e, ERR_STATE, "gguf: no tensor is open for %" PRIu64 " bytes", n_bytes);
    const struct declared *t = tensor_at(w, w->i_tensor);
    if (n_bytes > t->n_bytes - w->n_done_bytes)
        return err_set(e, ERR_STATE,
                       "gguf: tensor \"%.*s\" has %" PRIu64 " bytes, more were written",
                       STR_ARG(t->name), t->n_bytes);
    if (!file_part_put(&w->file, bytes, n_bytes, e))
        return err_ctx(e, "gguf");
    w->n_done_bytes += n_bytes;
    if (w->n_done_bytes < t->n_bytes)
        return true;
    w->i_tensor++;
    w->n_done_bytes = 0;
    return file_part_put(&w->file, zeros, pad_bytes(t->n_bytes), e) || err_ctx(e, "gguf");
}

bool gguf_write_commit(struct gguf_writer *w, struct err *e)
{
    if (!w->file.is_open || w->i_tensor != w->tensors.index.n_names)
        return err_set(e, ERR_STATE, "gguf: %s: %" PRIu64 " of %" PRIu64 " tensors were written",
                       w->file.path ? w->file.path : "", w->i_tensor, w->tensors.index.n_names);
    return file_part_commit(&w->file, e) || err_ctx(e, "gguf");
}
