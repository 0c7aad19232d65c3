#include "models/safetensors.h"

#include "models/dir_file.h"
#include "models/gguf.h"
#include "models/gguf_index.h"
#include "runtime/base/file_map.h"
#include "runtime/base/mem.h"
#include "runtime/base/num.h"

#include <inttypes.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static const char single_name[] = "model.safetensors";
static const char index_name[] = "model.safetensors.index.json";

struct file {
    char *path;  /* for messages; owned */
    char *names; /* texts of the tensor names; owned */
    const unsigned char *bytes;
    uint64_t n_bytes;
    struct file_map map; /* zeroed: bytes are the caller's */
};

struct safetensors {
    struct file *files; /* [n_files], the last maybe half filled */
    uint32_t n_files;
    struct safetensors_tensor *tensors; /* [index.n_names] */
    uint64_t n_room;
    struct gguf_index index;
};

static const struct {
    const char *name;
    uint32_t n_bytes;
} dtypes[] = {
#define X(name, bytes) {#name, bytes},
    SAFETENSORS_DTYPES(X)
#undef X
};

const char *safetensors_dtype_name(enum safetensors_dtype dtype)
{
    return dtypes[dtype].name;
}

uint32_t safetensors_dtype_bytes(enum safetensors_dtype dtype)
{
    return dtypes[dtype].n_bytes;
}

/* ---- one entry of a header ---- */

static bool refuse(const struct file *f, struct str name, const char *why, struct err *e)
{
    char shown[120];
    return err_set(e, ERR_FORMAT, "%s: tensor \"%s\": %s", f->path,
                   gguf_quote(name, shown, sizeof shown), why);
}

/* A whole number from 0 to 2^63 - 1. */
static bool get_size(const json_t *v, uint64_t *out)
{
    if (!json_is_integer(v) || json_integer_value(v) < 0)
        return false;
    *out = (uint64_t)json_integer_value(v);
    return true;
}

static bool read_dtype(const json_t *v, enum safetensors_dtype *out)
{
    struct str name = json_text_str(v);
    for (uint32_t i = 0; i < SAFETENSORS_N_DTYPES; i++)
        if (str_is(name, dtypes[i].name)) {
            *out = (enum safetensors_dtype)i;
            return true;
        }
    return false;
}

/* *n_bytes: what dtype and shape ask for. */
static bool read_shape(const json_t *v, struct safetensors_tensor *t, uint64_t *n_bytes)
{
    *n_bytes = safetensors_dtype_bytes(t->dtype);
    if (!json_is_array(v) || json_array_size(v) > SAFETENSORS_MAX_DIMS)
        return false;
    t->n_dims = (uint32_t)json_array_size(v);
    for (uint32_t i = 0; i < SAFETENSORS_MAX_DIMS; i++) {
        t->dims[i] = 1;
        if (i < t->n_dims && (!get_size(json_array_get(v, i), &t->dims[i]) ||
                              !num_mul(*n_bytes, t->dims[i], n_bytes)))
            return false;
    }
    return *n_bytes <= INT64_MAX;
}

/* data: what follows the header. */
static bool read_entry(const struct file *f, struct str data, const json_t *v,
                       struct safetensors_tensor *t, struct err *e)
{
    uint64_t n_bytes, begin, end;
    const json_t *offsets = json_object_get(v, "data_offsets");
    if (!json_is_object(v) || json_object_size(v) != 3)
        return refuse(f, t->name, "not an object of dtype, shape and data_offsets", e);
    if (!read_dtype(json_object_get(v, "dtype"), &t->dtype))
        return refuse(f, t->name, "dtype is none of those known", e);
    if (!read_shape(json_object_get(v, "shape"), t, &n_bytes))
        return refuse(f, t->name, "shape is not a list of at most 8 sizes, or too large", e);
    if (json_array_size(offsets) != 2 || !get_size(json_array_get(offsets, 0), &begin) ||
        !get_size(json_array_get(offsets, 1), &end) || begin > end)
        return refuse(f, t->name, "data_offsets are not a begin and an end", e);
    if (end > data.n_bytes)
        return refuse(f, t->name, "its bytes end after the file does: the file was cut off", e);
    if (end - begin != n_bytes)
        return refuse(f, t->name, "data_offsets do not fit dtype and shape", e);
    t->bytes = (const unsigned char *)data.p + begin;
    t->n_bytes = n_bytes;
    return true;
}

/* ---- one file ---- */

static bool reserve(struct safetensors *s, uint64_t n_more, struct err *e)
{
    uint64_t n = s->index.n_names + n_more;
    if (n > UINT32_MAX / 2)
        return err_set(e, ERR_LIMIT, "safetensors: %" PRIu64 " tensors are too many", n);
    if (n > s->n_room) {
        struct safetensors_tensor *t = mem_grow(s->tensors, s->n_room, n, sizeof *t);
        if (!t)
            return err_set(e, ERR_NOMEM, "safetensors: no memory for %" PRIu64 " tensors", n);
        s->tensors = t;
        s->n_room = n;
    }
    return gguf_index_reserve(&s->index, s->tensors, n, e);
}

/* By place; an empty one before the one that begins where it stands. */
static int compare_place(const void *a, const void *b)
{
    const struct safetensors_tensor *x = a, *y = b;
    if (x->bytes != y->bytes)
        return x->bytes < y->bytes ? -1 : 1;
    return (x->n_bytes > y->n_bytes) - (x->n_bytes < y->n_bytes);
}

/* [tensors, tensors + n) are sorted by place here, before the index knows them. */
static bool check_places(const struct file *f, struct str data, struct safetensors_tensor *t,
                         uint64_t n, struct err *e)
{
    const unsigned char *at = (const unsigned char *)data.p;
    if (n > 1)
        qsort(t, n, sizeof *t, compare_place);
    for (uint64_t i = 0; i < n; i++) {
        if (t[i].bytes < at)
            return refuse(f, t[i].name, "its bytes overlap those of another tensor", e);
        if (t[i].bytes > at)
            return refuse(f, t[i].name, "there are unused bytes before it", e);
        at += t[i].n_bytes;
    }
    uint64_t left_bytes = data.n_bytes - (uint64_t)(at - (const unsigned char *)data.p);
    return left_bytes == 0 ||
           err_set(e, ERR_FORMAT, "%s: %" PRIu64 " bytes after the last tensor belong to none",
                   f->path, left_bytes);
}

static bool add_tensors(struct safetensors *s, uint32_t i_file, struct str data, json_t *header,
                        struct err *e)
{
    struct file *f = &s->files[i_file];
    uint64_t first = s->index.n_names, n = 0;
    const char *key;
    json_t *v;
    char *names = f->names;
    if (!reserve(s, json_object_size(header), e))
        return false;
    json_object_foreach(header, key, v)
    {
        if (strcmp(key, "__metadata__") == 0)
            continue;
        struct safetensors_tensor *t = &s->tensors[first + n++];
        size_t n_name = strlen(key);
        memcpy(names, key, n_name);
        *t = (struct safetensors_tensor){.name = {names, n_name}, .i_file = i_file};
        names += n_name;
        if (n_name == 0)
            return refuse(f, t->name, "has no name", e);
        if (!read_entry(f, data, v, t, e))
            return false;
    }
    if (!check_places(f, data, s->tensors + first, n, e))
        return false;
    for (uint64_t i = 0; i < n; i++)
        if (!gguf_index_add(&s->index, s->tensors))
            return refuse(f, s->tensors[first + i].name, "is in another file already", e);
    return true;
}

static uint64_t load_u64(const unsigned char *p)
{
    uint64_t v = 0;
    for (int i = 7; i >= 0; i--)
        v = v << 8 | p[i];
    return v;
}

static bool parse_file(struct safetensors *s, uint32_t i_file, struct err *e)
{
    struct file *f = &s->files[i_file];
    if (f->n_bytes < 8)
        return err_set(e, ERR_FORMAT, "%s: %" PRIu64 " bytes are too few for a safetensors file",
                       f->path, f->n_bytes);
    uint64_t n_header_bytes = load_u64(f->bytes), left_bytes = f->n_bytes - 8;
    if (n_header_bytes > SAFETENSORS_MAX_HEADER_BYTES)
        return err_set(e, ERR_FORMAT,
                       "%s: not a safetensors file, or a header of %" PRIu64 " bytes, the limit "
                       "is %d",
                       f->path, n_header_bytes, SAFETENSORS_MAX_HEADER_BYTES);
    if (n_header_bytes > left_bytes)
        return err_set(e, ERR_FORMAT,
                       "%s: the header has %" PRIu64 " bytes, the file ends after %" PRIu64
                       ": it was cut off",
                       f->path, n_header_bytes, left_bytes);
    struct str text = {(const char *)f->bytes + 8, n_header_bytes};
    struct str data = {text.p + n_header_bytes, left_bytes - n_header_bytes};
    if (n_header_bytes == 0 || text.p[0] != '{')
        return err_set(e, ERR_FORMAT, "%s: the header does not begin with {", f->path);
    json_t *header = json_text_parse(text, e);
    if (!header)
        return err_ctx(e, "%s: header", f->path);
    /* names are shorter decoded than as they stand in the header */
    f->names = mem_alloc(n_header_bytes, 1);
    bool ok = f->names ? add_tensors(s, i_file, data, header, e)
                       : err_set(e, ERR_NOMEM, "%s: no memory for its names", f->path);
    json_decref(header);
    return ok;
}

/* ---- opening ---- */

static struct safetensors *safetensors_new(uint32_t n_files, struct err *e)
{
    struct safetensors *s = mem_alloc(1, sizeof *s);
    if (!s)
        return err_null(e, ERR_NOMEM, "safetensors: no memory");
    s->files = mem_alloc(n_files, sizeof *s->files);
    if (!s->files)
        (void)err_set(e, ERR_NOMEM, "safetensors: no memory for %u files", n_files);
    if (s->files && gguf_index_init(&s->index, sizeof *s->tensors, e))
        return s;
    mem_free(s->files);
    mem_free(s);
    return NULL;
}

void safetensors_close(struct safetensors *s)
{
    if (!s)
        return;
    for (uint32_t i = 0; i < s->n_files; i++) {
        file_map_close(&s->files[i].map);
        mem_free(s->files[i].path);
        mem_free(s->files[i].names);
    }
    mem_free(s->files);
    mem_free(s->tensors);
    gguf_index_deinit(&s->index);
    mem_free(s);
}

/* The next file, named but empty. There is room. */
static struct file *file_add(struct safetensors *s, const char *path, struct err *e)
{
    struct file *f = &s->files[s->n_files];
    size_t n_path = strlen(path) + 1;
    f->path = mem_alloc(n_path, 1);
    if (!f->path)
        return err_null(e, ERR_NOMEM, "%s: no memory", path);
    memcpy(f->path, path, n_path);
    s->n_files++;
    return f;
}

static bool file_open(struct safetensors *s, const char *dir, const char *name, struct err *e)
{
    char path[DIR_FILE_PATH_BYTES];
    struct file *f = dir_file_path(dir, name, path, e) ? file_add(s, path, e) : NULL;
    if (!f)
        return false;
    if (!file_map_open(&f->map, path, e))
        return false;
    f->bytes = f->map.bytes;
    f->n_bytes = f->map.n_bytes;
    return parse_file(s, s->n_files - 1, e);
}

struct safetensors *safetensors_open_mem(const void *bytes, size_t n_bytes, const char *name,
                                         struct err *e)
{
    struct safetensors *s = safetensors_new(1, e);
    struct file *f = s ? file_add(s, name, e) : NULL;
    if (f) {
        f->bytes = bytes;
        f->n_bytes = n_bytes;
        if (parse_file(s, 0, e))
            return s;
    }
    safetensors_close(s);
    return NULL;
}

/* ---- shards ---- */

static uint32_t file_by_name(const struct safetensors *s, struct str name)
{
    for (uint32_t i = 0; i < s->n_files; i++) {
        const char *slash = strrchr(s->files[i].path, '/');
        if (slash && str_is(name, slash + 1))
            return i;
    }
    return UINT32_MAX;
}

/* Every tensor of the index is in the file it names, and no file holds another. */
static bool check_map(const struct safetensors *s, const char *dir, json_t *map, struct err *e)
{
    const char *key;
    json_t *v;
    char shown[120];
    json_object_foreach(map, key, v)
    {
        uint64_t i = safetensors_find(s, str_of(key));
        uint32_t i_file = file_by_name(s, json_text_str(v));
        if (i == UINT64_MAX || s->tensors[i].i_file != i_file)
            return err_set(e, ERR_FORMAT, "%s: tensor \"%s\" is missing, %s says it is there",
                           s->files[i_file].path, gguf_quote(str_of(key), shown, sizeof shown),
                           index_name);
    }
    for (uint64_t i = 0; i < s->index.n_names; i++) {
        const struct safetensors_tensor *t = &s->tensors[i];
        json_t *at = json_object_getn(map, t->name.p, t->name.n_bytes);
        if (!at)
            return refuse(&s->files[t->i_file], t->name, "is not in the index", e);
    }
    return json_object_size(map) > 0 ||
           err_set(e, ERR_FORMAT, "%s/%s: weight_map is empty", dir, index_name);
}

static bool open_shards(struct safetensors *s, const char *dir, json_t *map, struct err *e)
{
    const char *key;
    json_t *v;
    json_object_foreach(map, key, v)
    {
        struct str name = json_text_str(v);
        if (!dir_file_is_plain(name))
            return err_set(e, ERR_FORMAT,
                           "%s/%s: weight_map: the value of \"%.60s\" is not a file name", dir,
                           index_name, key);
        if (file_by_name(s, name) == UINT32_MAX && !file_open(s, dir, name.p, e))
            return false;
    }
    return check_map(s, dir, map, e);
}

/* Different files in the index: no more than it has entries. */
static struct safetensors *open_index(const char *dir, struct err *e)
{
    json_t *index = dir_file_json(dir, index_name, e);
    json_t *map = json_object_get(index, "weight_map");
    struct safetensors *s = NULL;
    if (index && !json_is_object(map))
        (void)err_set(e, ERR_FORMAT, "%s/%s: weight_map is missing", dir, index_name);
    else if (index)
        s = safetensors_new((uint32_t)num_min(json_object_size(map), UINT32_MAX / 64), e);
    if (s && !open_shards(s, dir, map, e)) {
        safetensors_close(s);
        s = NULL;
    }
    json_decref(index);
    return s;
}

struct safetensors *safetensors_open(const char *dir, struct err *e)
{
    struct stat st;
    if (stat(dir, &st) != 0) {
        (void)err_sys(e, "cannot open %s", dir);
        return NULL;
    }
    if (!S_ISDIR(st.st_mode))
        return err_null(e, ERR_FORMAT, "%s: not a directory", dir);
    bool has_single = dir_file_exists(dir, single_name),
         has_index = dir_file_exists(dir, index_name);
    if (has_single && has_index)
        return err_null(e, ERR_FORMAT, "%s: holds %s and %s: which one counts is not clear", dir,
                        single_name, index_name);
    if (has_index)
        return open_index(dir, e);
    struct safetensors *s = safetensors_new(1, e);
    if (s && file_open(s, dir, single_name, e))
        return s;
    safetensors_close(s);
    return NULL;
}

/* ---- use ---- */

const char *safetensors_file(const struct safetensors *s, const struct safetensors_tensor *t)
{
    return s->files[t->i_file].path;
}

uint64_t safetensors_mapped_bytes(const struct safetensors *s)
{
    uint64_t n_bytes = 0;
    for (uint32_t i = 0; i < s->n_files; i++)
        n_bytes += s->files[i].n_bytes;
    return n_bytes;
}

uint64_t safetensors_n_tensors(const struct safetensors *s)
{
    return s->index.n_names;
}

const struct safetensors_tensor *safetensors_at(const struct safetensors *s, uint64_t i)
{
    return &s->tensors[i];
}

uint64_t safetensors_find(const struct safetensors *s, struct str name)
{
    uint32_t i = gguf_index_find(&s->index, s->tensors, name);
    return i == GGUF_INDEX_NONE ? UINT64_MAX : i;
}

void safetensors_release(const struct safetensors *s, const struct safetensors_tensor *t)
{
    const struct file *f = &s->files[t->i_file];
    const uint64_t page_bytes = (uint64_t)sysconf(_SC_PAGESIZE);
    uint64_t begin = (uint64_t)(t->bytes - f->bytes) & ~(page_bytes - 1);
    uint64_t end = (uint64_t)(t->bytes - f->bytes) + t->n_bytes;
    if (f->map.bytes && end > begin)
        (void)madvise((void *)(uintptr_t)(f->bytes + begin), end - begin, MADV_DONTNEED);
}
