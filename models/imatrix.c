#include "models/imatrix.h"

#include "models/gguf_index.h"
#include "models/gguf_write.h"
#include "runtime/base/file_map.h"
#include "runtime/base/mem.h"
#include "runtime/base/num.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

struct imatrix {
    char *name;
    const unsigned char *bytes;
    size_t n_bytes;
    struct file_map file;          /* zeroed: bytes are the caller's */
    struct gguf *gguf;             /* NULL: the older form */
    struct imatrix_entry *at;      /* [index.n_names] */
    float *values;                 /* of all entries */
    uint64_t n_values, max_values; /* used, room */
    struct gguf_index index;
    struct str dataset;
    uint32_t n_chunks;
};

/* ---- entries ---- */

/* Room for entries of n_values values in all; what the file can hold bounds both. */
static bool take_room(struct imatrix *m, uint64_t n_entries, uint64_t n_values, struct err *e)
{
    m->at = mem_alloc(n_entries, sizeof *m->at);
    m->values = mem_alloc(n_values, sizeof *m->values);
    m->max_values = n_values;
    return (m->at && m->values && gguf_index_reserve(&m->index, m->at, n_entries, e)) ||
           err_set(e, ERR_NOMEM, "%s: no memory for %" PRIu64 " values", m->name, n_values);
}

/* A new entry whose values the caller fills; NULL if the name is there already. */
static float *add_entry(struct imatrix *m, struct str name, uint64_t n_values, struct err *e)
{
    char shown[72];
    float *values = m->values + m->n_values;
    m->at[m->index.n_names] = (struct imatrix_entry){name, values, n_values};
    if (n_values > m->max_values - m->n_values || !gguf_index_add(&m->index, m->at))
        return err_null(e, ERR_FORMAT, "%s: two entries for \"%s\"", m->name,
                        gguf_quote(name, shown, sizeof shown));
    m->n_values += n_values;
    return values;
}

static bool check_values(const struct imatrix *m, struct err *e)
{
    char shown[72];
    for (uint64_t i = 0; i < m->index.n_names; i++)
        for (uint64_t k = 0; k < m->at[i].n_values; k++)
            if (!isfinite(m->at[i].values[k]) || m->at[i].values[k] < 0)
                return err_set(e, ERR_FORMAT,
                               "%s: entry \"%s\": value %" PRIu64 " is negative or not finite",
                               m->name, gguf_quote(m->at[i].name, shown, sizeof shown), k);
    return true;
}

/* ---- GGUF form: NAME.in_sum2 [columns, matrices] and NAME.counts [1, matrices] ---- */

static bool cut_suffix(struct str *name, struct str suffix)
{
    if (name->n_bytes <= suffix.n_bytes ||
        memcmp(name->p + name->n_bytes - suffix.n_bytes, suffix.p, suffix.n_bytes) != 0)
        return false;
    name->n_bytes -= suffix.n_bytes;
    return true;
}

static uint64_t n_matrices(const struct gguf_tensor *t)
{
    return t->dims[1] * t->dims[2] * t->dims[3];
}

static const struct gguf_tensor *partner(const struct gguf *g, struct str weight,
                                         const char *suffix)
{
    char name[128];
    int n = snprintf(name, sizeof name, "%.*s%s", STR_ARG(weight), suffix);
    return n > 0 && (size_t)n < sizeof name ? gguf_tensor(g, name) : NULL;
}

/* Mean per column; a matrix that no row reached (an expert never chosen) weighs all alike. */
static void fill_means(float *out, const struct gguf_tensor *sums, const struct gguf_tensor *counts)
{
    uint64_t n_in = sums->dims[0];
    for (uint64_t k = 0; k < n_matrices(sums); k++) {
        float count, sum;
        memcpy(&count, counts->bytes + k * sizeof count, sizeof count);
        for (uint64_t j = 0; j < n_in; j++) {
            memcpy(&sum, sums->bytes + (k * n_in + j) * sizeof sum, sizeof sum);
            out[k * n_in + j] = count > 0 ? sum / count : count == 0 ? 1 : NAN;
        }
    }
}

static bool read_tensor(struct imatrix *m, const struct gguf_tensor *t, struct err *e)
{
    char shown[72];
    struct str weight = t->name;
    bool is_sums = cut_suffix(&weight, STR(".in_sum2"));
    if (!is_sums && !cut_suffix(&weight, STR(".counts")))
        return err_set(e, ERR_FORMAT, "%s: tensor \"%s\" is neither .in_sum2 nor .counts", m->name,
                       gguf_quote(t->name, shown, sizeof shown));
    const struct gguf_tensor *other = partner(m->gguf, weight, is_sums ? ".counts" : ".in_sum2");
    if (!other)
        return err_set(e, ERR_FORMAT, "%s: \"%s\" has only one of .in_sum2 and .counts", m->name,
                       gguf_quote(weight, shown, sizeof shown));
    if (!is_sums)
        return true; /* seen with its partner */
    if (t->type != QTYPE_F32 || other->type != QTYPE_F32 || other->dims[0] != 1 ||
        n_matrices(other) != n_matrices(t))
        return err_set(e, ERR_FORMAT, "%s: \"%s\": .in_sum2 and .counts do not match in shape",
                       m->name, gguf_quote(weight, shown, sizeof shown));
    float *values = add_entry(m, weight, t->n_bytes / sizeof(float), e);
    if (values)
        fill_means(values, t, other);
    return values != NULL;
}

/* Both keys are for people; a file without them is as good. */
static void read_origin(struct imatrix *m)
{
    struct gguf_array datasets;
    uint64_t off_bytes = 0;
    if (!gguf_get_u32(m->gguf, "imatrix.chunk_count", &m->n_chunks, NULL))
        m->n_chunks = 0;
    if (gguf_get_arr(m->gguf, "imatrix.datasets", &datasets, NULL) &&
        datasets.elem_type == GGUF_STR)
        (void)gguf_arr_str_next(&datasets, &off_bytes, &m->dataset);
}

static bool read_gguf(struct imatrix *m, struct err *e)
{
    struct str type;
    m->gguf = gguf_open_mem(m->bytes, m->n_bytes, m->name, e);
    if (!m->gguf || !gguf_get_str(m->gguf, "general.type", &type, e))
        return false;
    if (!str_is(type, "imatrix"))
        return err_set(e, ERR_FORMAT, "%s: general.type is not \"imatrix\": no importance matrix",
                       m->name);
    uint64_t n = gguf_n_tensors(m->gguf);
    if (!take_room(m, n, m->n_bytes / sizeof(float), e))
        return false;
    for (uint64_t i = 0; i < n; i++)
        if (!read_tensor(m, gguf_tensor_at(m->gguf, i), e))
            return false;
    read_origin(m);
    return m->index.n_names > 0 || err_set(e, ERR_FORMAT, "%s: no entries", m->name);
}

/* ---- the older form ---- */

struct cursor {
    const unsigned char *p;
    size_t left_bytes;
};

static bool take_i32(struct cursor *c, int32_t *out)
{
    if (c->left_bytes < 4)
        return false;
    *out = (int32_t)((uint32_t)c->p[0] | (uint32_t)c->p[1] << 8 | (uint32_t)c->p[2] << 16 |
                     (uint32_t)c->p[3] << 24);
    c->p += 4;
    c->left_bytes -= 4;
    return true;
}

/* An i32 length of at least 1 and that many items of item_bytes. */
static bool take_counted(struct cursor *c, uint32_t item_bytes, struct str *out)
{
    int32_t n;
    if (!take_i32(c, &n) || n < 1 || (uint32_t)n > c->left_bytes / item_bytes)
        return false;
    *out = (struct str){(const char *)c->p, (size_t)n * item_bytes};
    c->p += out->n_bytes;
    c->left_bytes -= out->n_bytes;
    return true;
}

/* i32 name length, name, i32 calls, i32 n, n f32: the mean is value / calls. */
static bool read_old_entry(struct imatrix *m, struct cursor *c, int32_t i_entry, struct err *e)
{
    struct str name, packed;
    int32_t n_calls;
    if (!take_counted(c, 1, &name) || !take_i32(c, &n_calls) || !take_counted(c, 4, &packed))
        return err_set(e, ERR_FORMAT,
                       "%s: entry %" PRId32 " is cut off or not of an importance matrix", m->name,
                       i_entry);
    float *values = add_entry(m, name, packed.n_bytes / sizeof *values, e);
    if (!values)
        return false;
    memcpy(values, packed.p, packed.n_bytes);
    for (size_t k = 0; n_calls > 0 && k < packed.n_bytes / sizeof *values; k++)
        values[k] /= (float)n_calls;
    return true;
}

static bool read_old(struct imatrix *m, struct err *e)
{
    enum { MIN_ENTRY_BYTES = 4 + 1 + 4 + 4 + 4 };
    struct cursor c = {m->bytes, m->n_bytes};
    int32_t n_entries, n_chunks;
    if (!take_i32(&c, &n_entries) || n_entries < 1 ||
        (uint32_t)n_entries > c.left_bytes / MIN_ENTRY_BYTES)
        return err_set(e, ERR_FORMAT, "%s: not an importance matrix", m->name);
    if (!take_room(m, (uint64_t)n_entries, m->n_bytes / sizeof(float), e))
        return false;
    for (int32_t i = 0; i < n_entries; i++)
        if (!read_old_entry(m, &c, i, e))
            return false;
    if (take_i32(&c, &n_chunks) && n_chunks > 0) {
        m->n_chunks = (uint32_t)n_chunks;
        if (!take_counted(&c, 1, &m->dataset))
            m->dataset = (struct str){NULL, 0};
    }
    return true;
}

/* ---- open and close ---- */

static struct imatrix *begin(const char *name, struct err *e)
{
    struct imatrix *m = mem_alloc(1, sizeof *m);
    char *copy = mem_alloc(strlen(name) + 1, 1);
    if (m && copy && gguf_index_init(&m->index, sizeof(struct imatrix_entry), e)) {
        memcpy(copy, name, strlen(name));
        m->name = copy;
        return m;
    }
    mem_free(copy);
    mem_free(m);
    return err_null(e, ERR_NOMEM, "%s: no memory", name);
}

static bool read_any(struct imatrix *m, struct err *e)
{
    bool is_gguf = m->n_bytes >= 4 && memcmp(m->bytes, "GGUF", 4) == 0;
    return (is_gguf ? read_gguf(m, e) : read_old(m, e)) && check_values(m, e);
}

struct imatrix *imatrix_open_mem(const void *bytes, size_t n_bytes, const char *name, struct err *e)
{
    struct imatrix *m = begin(name, e);
    if (!m)
        return NULL;
    m->bytes = bytes;
    m->n_bytes = n_bytes;
    if (read_any(m, e))
        return m;
    imatrix_close(m);
    return NULL;
}

struct imatrix *imatrix_open(const char *path, struct err *e)
{
    struct imatrix *m = begin(path, e);
    if (m && (file_map_open(&m->file, path, e) || err_ctx(e, "imatrix"))) {
        m->bytes = m->file.bytes;
        m->n_bytes = m->file.n_bytes;
        if (read_any(m, e))
            return m;
    }
    imatrix_close(m);
    return NULL;
}

void imatrix_close(struct imatrix *m)
{
    if (!m)
        return;
    gguf_close(m->gguf);
    file_map_close(&m->file);
    gguf_index_deinit(&m->index);
    mem_free(m->at);
    mem_free(m->values);
    mem_free(m->name);
    mem_free(m);
}

const struct imatrix_entry *imatrix_find(const struct imatrix *m, struct str weight_name)
{
    uint32_t i = gguf_index_find(&m->index, m->at, weight_name);
    return i == GGUF_INDEX_NONE ? NULL : &m->at[i];
}

uint64_t imatrix_n_entries(const struct imatrix *m)
{
    return m->index.n_names;
}

const struct imatrix_entry *imatrix_entry_at(const struct imatrix *m, uint64_t i)
{
    return &m->at[i];
}

const char *imatrix_name(const struct imatrix *m)
{
    return m->name;
}

struct str imatrix_dataset(const struct imatrix *m)
{
    return m->dataset;
}

uint32_t imatrix_n_chunks(const struct imatrix *m)
{
    return m->n_chunks;
}

/* ---- write ---- */

static bool declare_pair(struct gguf_writer *w, const struct imatrix_sum *s, struct err *e)
{
    char name[128];
    const uint64_t sums_dims[] = {s->n_in, 1}, counts_dims[] = {1, 1};
    snprintf(name, sizeof name, "%.*s.in_sum2", STR_ARG(s->name));
    if (!gguf_write_tensor(w, str_of(name), QTYPE_F32, 2, sums_dims, e))
        return false;
    snprintf(name, sizeof name, "%.*s.counts", STR_ARG(s->name));
    return gguf_write_tensor(w, str_of(name), QTYPE_F32, 2, counts_dims, e);
}

static bool write_pair(struct gguf_writer *w, const struct imatrix_sum *s, struct err *e)
{
    float count = (float)s->n_rows;
    for (uint32_t j = 0; j < s->n_in; j++) {
        float sum = (float)s->sum_sq[j];
        if (!isfinite(sum))
            return err_set(e, ERR_FORMAT, "the inputs of %.*s are not finite", STR_ARG(s->name));
        if (!gguf_write_bytes(w, &sum, sizeof sum, e))
            return false;
    }
    return gguf_write_bytes(w, &count, sizeof count, e);
}

static bool write_all(struct gguf_writer *w, const char *path, const struct imatrix_sum *sums,
                      uint32_t n_sums, struct err *e)
{
    for (uint32_t i = 0; i < n_sums; i++)
        if (sums[i].n_rows && !declare_pair(w, &sums[i], e))
            return false;
    if (!gguf_write_seal(w, e) || !gguf_write_open(w, path, e))
        return false;
    for (uint32_t i = 0; i < n_sums; i++)
        if (sums[i].n_rows && !write_pair(w, &sums[i], e))
            return false;
    return gguf_write_commit(w, e);
}

bool imatrix_write(const char *path, const struct imatrix_sum *sums, uint32_t n_sums,
                   const struct imatrix_origin *origin, struct err *e)
{
    struct str dataset = str_of(origin->dataset);
    struct gguf_writer *w = gguf_write_new(e);
    bool ok = w && gguf_write_str(w, "general.type", "imatrix", e) &&
              gguf_write_strs(w, "imatrix.datasets", &dataset, 1, e) &&
              gguf_write_u32(w, "imatrix.chunk_count", origin->n_chunks, e) &&
              gguf_write_u32(w, "imatrix.chunk_size", origin->chunk_tokens, e) &&
              write_all(w, path, sums, n_sums, e);
    gguf_write_free(w);
    return ok;
}
