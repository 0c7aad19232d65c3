#include "models/gguf_parse.h"

#include "runtime/base/check.h"
#include "runtime/base/mem.h"
#include "runtime/base/num.h"

#include <inttypes.h>
#include <stdio.h>

struct gguf {
    struct gguf_part *parts; /* [n_part_room], the first n_parts are filled (the last maybe half) */
    uint32_t n_parts, n_part_room;
    struct gguf_tensors tensors;
};

/* ---- parts ---- */

static struct gguf *gguf_new(struct err *e)
{
    struct gguf *g = mem_alloc(1, sizeof *g);
    if (!g)
        return err_null(e, ERR_NOMEM, "gguf: no memory");
    if (!gguf_index_init(&g->tensors.index, sizeof(struct gguf_tensor), e)) {
        mem_free(g);
        return NULL;
    }
    return g;
}

static void part_deinit(struct gguf_part *part)
{
    file_map_close(&part->file);
    gguf_index_deinit(&part->kv_index);
    mem_free(part->kv);
    mem_free(part->name);
}

void gguf_close(struct gguf *g)
{
    if (!g)
        return;
    for (uint32_t i = 0; i < g->n_parts; i++)
        part_deinit(&g->parts[i]);
    mem_free(g->parts);
    gguf_index_deinit(&g->tensors.index);
    mem_free(g->tensors.at);
    mem_free(g);
}

static struct gguf *close_null(struct gguf *g)
{
    gguf_close(g);
    return NULL;
}

/* A named, empty part at the end of the list. */
static struct gguf_part *part_add(struct gguf *g, const char *name, struct err *e)
{
    if (g->n_parts == g->n_part_room) {
        uint32_t n_room = g->n_part_room ? g->n_part_room * 2 : 1;
        struct gguf_part *parts = mem_grow(g->parts, g->n_part_room, n_room, sizeof *parts);
        if (!parts)
            return err_null(e, ERR_NOMEM, "gguf: %s: no memory", name);
        g->parts = parts;
        g->n_part_room = n_room;
    }
    struct gguf_part *part = &g->parts[g->n_parts++];
    size_t n_name = strlen(name) + 1;
    part->name = mem_alloc(n_name, 1);
    if (!part->name)
        return err_null(e, ERR_NOMEM, "gguf: %s: no memory", name);
    memcpy(part->name, name, n_name);
    return gguf_index_init(&part->kv_index, sizeof(struct gguf_kv), e) ? part : NULL;
}

static bool part_map(struct gguf_part *part, struct err *e)
{
    if (!file_map_open(&part->file, part->name, e))
        return err_ctx(e, "gguf");
    part->bytes = part->file.bytes;
    part->n_bytes = part->file.n_bytes;
    return true;
}

static bool part_open(struct gguf *g, const char *path, struct err *e)
{
    uint32_t i_part = g->n_parts;
    struct gguf_part *part = part_add(g, path, e);
    return part && part_map(part, e) && gguf_parse_part(part, i_part, &g->tensors, e);
}

/* ---- split sets (gguf.md 8, R24) ---- */

struct split {
    uint64_t no, count; /* count 0 or 1: not split */
    uint64_t n_tensors; /* in all parts */
};

/* file name: PREFIX-00001-of-00003.gguf */
struct split_name {
    int n_prefix_bytes;
    unsigned number, count;
};

static const struct gguf_kv *part_find(const struct gguf_part *part, const char *key)
{
    uint32_t i = gguf_index_find(&part->kv_index, part->kv, str_of(key));
    return i == GGUF_INDEX_NONE ? NULL : &part->kv[i];
}

static bool split_refuse(const struct gguf_part *part, const char *key, const char *why,
                         struct err *e)
{
    const struct gguf_kv *kv = part_find(part, key);
    uint64_t off_bytes = kv ? (uint64_t)((const unsigned char *)kv->key.p - part->bytes) : 0;
    return err_set(e, ERR_FORMAT, "gguf: %s: byte %" PRIu64 ", key \"%s\": %s", part->name,
                   off_bytes, key, why);
}

static bool split_read(const struct gguf_part *part, struct split *out, struct err *e)
{
    memset(out, 0, sizeof *out);
    const struct gguf_kv *count = part_find(part, "split.count"), *no = part_find(part, "split.no");
    const struct gguf_kv *n_tensors = part_find(part, "split.tensors.count");
    if (!count || ((gguf_type_is_unsigned(count->type) || gguf_type_is_signed(count->type)) &&
                   count->value.u64 <= 1))
        return true;
    if (count->type != GGUF_U16)
        return split_refuse(part, "split.count", "must be a u16", e);
    if (!no || no->type != GGUF_U16)
        return split_refuse(part, "split.no", "is missing or not a u16", e);
    if (!n_tensors || n_tensors->type != GGUF_I32)
        return split_refuse(part, "split.tensors.count", "is missing or not an i32", e);
    if (no->value.u64 >= count->value.u64)
        return split_refuse(part, "split.no", "is not below split.count", e);
    if (n_tensors->value.i64 < 0)
        return split_refuse(part, "split.tensors.count", "is negative", e);
    *out = (struct split){no->value.u64, count->value.u64, n_tensors->value.u64};
    return true;
}

/* Five decimal digits at p. */
static bool read_5_digits(const char *p, unsigned *out)
{
    *out = 0;
    for (int i = 0; i < 5; i++) {
        if (p[i] < '0' || p[i] > '9')
            return false;
        *out = *out * 10 + (unsigned)(p[i] - '0');
    }
    return true;
}

static bool split_name_read(const char *path, struct split_name *out)
{
    enum { TAIL_BYTES = 20 }; /* -NNNNN-of-NNNNN.gguf */
    size_t n_bytes = strlen(path);
    if (n_bytes < TAIL_BYTES || n_bytes > INT32_MAX)
        return false;
    const char *tail = path + n_bytes - TAIL_BYTES;
    out->n_prefix_bytes = (int)(n_bytes - TAIL_BYTES);
    return tail[0] == '-' && read_5_digits(tail + 1, &out->number) &&
           memcmp(tail + 6, "-of-", 4) == 0 && read_5_digits(tail + 10, &out->count) &&
           strcmp(tail + 15, ".gguf") == 0;
}

/* Part i_part of the set that `path` belongs to; owned by the caller. */
static char *split_path(const char *path, const struct split_name *name, unsigned i_part,
                        struct err *e)
{
    size_t n_bytes = strlen(path) + 32;
    char *out = mem_alloc(n_bytes, 1);
    if (!out)
        return err_null(e, ERR_NOMEM, "gguf: %s: no memory", path);
    snprintf(out, n_bytes, "%.*s-%05u-of-%05u.gguf", name->n_prefix_bytes, path, i_part + 1,
             name->count);
    return out;
}

/* Opens part i_part beside `path` and checks that it is that part of a set of `count`. */
static bool split_open_part(struct gguf *g, const char *path, const struct split_name *name,
                            unsigned i_part, struct err *e)
{
    char *part_path = split_path(path, name, i_part, e);
    if (!part_path)
        return false;
    struct split split;
    bool ok = part_open(g, part_path, e) && split_read(&g->parts[i_part], &split, e);
    if (ok && (split.no != i_part || split.count != name->count))
        ok = err_set(e, ERR_FORMAT,
                     "gguf: %s: says it is part %" PRIu64 " of %" PRIu64 ", its name says %u of %u",
                     part_path, split.no + 1, split.count, i_part + 1, name->count);
    mem_free(part_path);
    return ok;
}

/* parts[0] is the opened file `path` that says it is one part of several. */
static bool split_open_rest(struct gguf *g, const char *path, const struct split *split,
                            struct err *e)
{
    struct split_name name;
    if (!split_name_read(path, &name) || name.number != split->no + 1 || name.count != split->count)
        return err_set(e, ERR_FORMAT,
                       "gguf: %s: is part %" PRIu64 " of %" PRIu64
                       " and must be named ...-%05" PRIu64 "-of-%05" PRIu64 ".gguf",
                       path, split->no + 1, split->count, split->no + 1, split->count);
    for (unsigned i_part = 1; i_part < name.count; i_part++)
        if (!split_open_part(g, path, &name, i_part, e))
            return false;
    struct split first;
    if (!split_read(&g->parts[0], &first, e))
        return false;
    for (uint32_t i = 0; i < g->n_parts; i++) {
        struct split one;
        if (!split_read(&g->parts[i], &one, e))
            return false;
        if (one.n_tensors != g->tensors.n)
            return err_set(e, ERR_FORMAT,
                           "gguf: %s: key \"split.tensors.count\" says %" PRIu64
                           " tensors, the %u parts have %" PRIu64,
                           g->parts[i].name, one.n_tensors, name.count, g->tensors.n);
    }
    return true;
}

/* ---- open ---- */

/* Given a later part, the first one is found by its name and opened instead; the rest follow from
 * there. */
static struct gguf *open_first(const char *path, struct split *split, struct err *e)
{
    struct gguf *g = gguf_new(e);
    if (!g)
        return NULL;
    if (!part_open(g, path, e) || !split_read(&g->parts[0], split, e))
        return close_null(g);
    return g;
}

struct gguf *gguf_open(const char *path, struct err *e)
{
    struct split split;
    struct split_name name;
    struct gguf *g = open_first(path, &split, e);
    if (!g)
        return NULL;
    if (split.count <= 1)
        return g;
    if (split.no == 0 || !split_name_read(path, &name))
        return split_open_rest(g, path, &split, e) ? g : close_null(g);
    gguf_close(g);
    char *first_path = split_path(path, &name, 0, e);
    if (!first_path)
        return NULL;
    g = open_first(first_path, &split, e);
    if (g && split.count <= 1)
        (void)err_set(e, ERR_FORMAT, "gguf: %s: is not the first part of %s", first_path, path);
    if (g && (split.count <= 1 || !split_open_rest(g, first_path, &split, e)))
        g = close_null(g);
    mem_free(first_path);
    return g;
}

struct gguf *gguf_open_mem(const void *bytes, size_t n_bytes, const char *name, struct err *e)
{
    CHECK(((uintptr_t)bytes & (GGUF_MIN_ALIGN_BYTES - 1)) == 0);
    struct split split;
    struct gguf *g = gguf_new(e);
    if (!g)
        return NULL;
    struct gguf_part *part = part_add(g, name, e);
    if (!part)
        return close_null(g);
    part->bytes = bytes;
    part->n_bytes = n_bytes;
    if (!gguf_parse_part(part, 0, &g->tensors, e) || !split_read(part, &split, e))
        return close_null(g);
    if (split.count > 1) {
        (void)err_set(e, ERR_FORMAT,
                      "gguf: %s: is part %" PRIu64 " of %" PRIu64
                      ", parts cannot be opened from memory",
                      name, split.no + 1, split.count);
        return close_null(g);
    }
    return g;
}

/* ---- what it holds ---- */

const char *gguf_name(const struct gguf *g)
{
    return g->parts[0].name;
}

const char *gguf_part_name(const struct gguf *g, uint32_t i_part)
{
    return g->parts[i_part].name;
}

uint32_t gguf_version(const struct gguf *g)
{
    return g->parts[0].version;
}

uint32_t gguf_alignment(const struct gguf *g)
{
    return g->parts[0].align_bytes;
}

uint32_t gguf_n_parts(const struct gguf *g)
{
    return g->n_parts;
}

uint64_t gguf_mapped_bytes(const struct gguf *g)
{
    uint64_t n_bytes = 0;
    for (uint32_t i = 0; i < g->n_parts; i++)
        n_bytes += g->parts[i].n_bytes;
    return n_bytes;
}

uint64_t gguf_n_kv(const struct gguf *g)
{
    return g->parts[0].n_kv;
}

const struct gguf_kv *gguf_kv_at(const struct gguf *g, uint64_t i)
{
    return &g->parts[0].kv[i];
}

uint64_t gguf_n_tensors(const struct gguf *g)
{
    return g->tensors.n;
}

const struct gguf_tensor *gguf_tensor_at(const struct gguf *g, uint64_t i)
{
    return &g->tensors.at[i];
}

const struct gguf_kv *gguf_find(const struct gguf *g, const char *key)
{
    return part_find(&g->parts[0], key);
}

const struct gguf_tensor *gguf_tensor(const struct gguf *g, const char *name)
{
    uint32_t i = gguf_index_find(&g->tensors.index, g->tensors.at, str_of(name));
    return i == GGUF_INDEX_NONE ? NULL : &g->tensors.at[i];
}
