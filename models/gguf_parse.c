#include "models/gguf_parse.h"

#include "runtime/base/mem.h"
#include "runtime/base/num.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    HEAD_BYTES = 24,
    MIN_KV_BYTES = 14,
    MIN_TENSOR_BYTES = 25,
    SHOWN_NAME_BYTES = 64,
    SHOWN_FILE_BYTES = 80
};

/* Tests of the form x < 2^63 stand for "fits the signed sizes the format was defined with". */
static const uint64_t TWO_POW_63 = UINT64_C(1) << 63;

/* Smallest encoded size by value type; exact for scalars (gguf.md 4). */
static const unsigned char min_bytes[GGUF_TYPE_END] = {
    [GGUF_U8] = 1,  [GGUF_I8] = 1,  [GGUF_U16] = 2,  [GGUF_I16] = 2, [GGUF_U32] = 4,
    [GGUF_I32] = 4, [GGUF_F32] = 4, [GGUF_BOOL] = 1, [GGUF_STR] = 8, [GGUF_ARR] = 12,
    [GGUF_U64] = 8, [GGUF_I64] = 8, [GGUF_F64] = 8,
};

uint64_t gguf_parse_min_bytes(uint32_t type)
{
    return min_bytes[type];
}

/* ---- refusing ---- */

__attribute__((format(printf, 3, 4))) static void refuse_fill(const struct gguf_cur *c,
                                                              struct err *e, const char *fmt, ...)
{
    char why[ERR_MSG_BYTES], item[SHOWN_NAME_BYTES + 8];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(why, sizeof why, fmt, ap);
    va_end(ap);
    size_t n_file = strlen(c->file);
    bool is_cut = n_file > SHOWN_FILE_BYTES;
    const char *file = is_cut ? c->file + n_file - SHOWN_FILE_BYTES : c->file;
    if (c->item_word)
        err_fill(e, ERR_FORMAT, 0, "gguf: %s%s: byte %" PRIu64 ", %s \"%s\": %s",
                 is_cut ? "..." : "", file, c->field_off_bytes, c->item_word,
                 gguf_quote(c->item, item, sizeof item), why);
    else
        err_fill(e, ERR_FORMAT, 0, "gguf: %s%s: byte %" PRIu64 ": %s", is_cut ? "..." : "", file,
                 c->field_off_bytes, why);
}

#define refuse(c, e, ...) (refuse_fill((c), (e), __VA_ARGS__), false)

/* ---- the cursor ---- */

/* R4: the next n_bytes, or a refusal that says what was cut off. */
static bool cur_take(struct gguf_cur *c, uint64_t n_bytes, const char *what,
                     const unsigned char **out, struct err *e)
{
    c->field_off_bytes = c->off_bytes;
    if (n_bytes > c->left_bytes)
        return refuse(c, e, "%s needs %" PRIu64 " bytes, the file has %" PRIu64 " left", what,
                      n_bytes, c->left_bytes);
    *out = c->bytes + c->off_bytes;
    c->off_bytes += n_bytes;
    c->left_bytes -= n_bytes;
    return true;
}

static uint64_t load_le(const unsigned char *p, uint64_t n_bytes)
{
    uint64_t v = 0;
    for (uint64_t i = n_bytes; i-- > 0;)
        v = v << 8 | p[i];
    return v;
}

static bool cur_u32(struct gguf_cur *c, const char *what, uint32_t *out, struct err *e)
{
    const unsigned char *p;
    if (!cur_take(c, 4, what, &p, e))
        return false;
    *out = (uint32_t)load_le(p, 4);
    return true;
}

static bool cur_u64(struct gguf_cur *c, const char *what, uint64_t *out, struct err *e)
{
    const unsigned char *p;
    if (!cur_take(c, 8, what, &p, e))
        return false;
    *out = load_le(p, 8);
    return true;
}

/* R5: length, then the bytes. */
static bool cur_str(struct gguf_cur *c, const char *what, uint64_t max_bytes, struct str *out,
                    struct err *e)
{
    uint64_t n_bytes;
    const unsigned char *p;
    if (!cur_u64(c, what, &n_bytes, e))
        return false;
    if (n_bytes > c->left_bytes)
        return refuse(c, e, "%s of %" PRIu64 " bytes, the file has %" PRIu64 " left", what, n_bytes,
                      c->left_bytes);
    if (n_bytes > max_bytes)
        return refuse(c, e, "%s of %" PRIu64 " bytes, at most %" PRIu64 " are allowed", what,
                      n_bytes, max_bytes);
    if (!cur_take(c, n_bytes, what, &p, e))
        return false;
    *out = (struct str){(const char *)p, (size_t)n_bytes};
    return true;
}

/* R5, R6, R7: a key or tensor name. */
static bool cur_name(struct gguf_cur *c, const char *what, uint64_t max_bytes, struct str *out,
                     struct err *e)
{
    if (!cur_str(c, what, max_bytes, out, e))
        return false;
    if (out->n_bytes == 0)
        return refuse(c, e, "%s is empty", what);
    if (!str_is_utf8(*out))
        return refuse(c, e, "%s is not valid UTF-8", what);
    if (memchr(out->p, 0, out->n_bytes))
        return refuse(c, e, "%s contains a NUL byte", what);
    return true;
}

/* R7, R12: the elements that need more than a length check. */
static bool cur_text(struct gguf_cur *c, bool may_be_bytes, struct str *out, struct err *e)
{
    if (!cur_str(c, "string", GGUF_MAX_STR_BYTES, out, e))
        return false;
    if (!may_be_bytes && !str_is_utf8(*out))
        return refuse(c, e, "string value is not valid UTF-8");
    return true;
}

static bool cur_bools(struct gguf_cur *c, const unsigned char *p, uint64_t n, struct err *e)
{
    for (uint64_t i = 0; i < n; i++)
        if (p[i] > 1) {
            c->field_off_bytes = (uint64_t)(p - c->bytes) + i;
            return refuse(c, e, "bool is %u, neither 0 nor 1", (unsigned)p[i]);
        }
    return true;
}

/* ---- values ---- */

/* R9, R10: element type and count of an array. */
static bool array_head(struct gguf_cur *c, struct gguf_array *out, struct err *e)
{
    uint32_t elem_type;
    uint64_t n_elems;
    if (!cur_u32(c, "array element type", &elem_type, e))
        return false;
    if (elem_type >= GGUF_TYPE_END)
        return refuse(c, e, "array element type %" PRIu32 " does not exist", elem_type);
    if (!cur_u64(c, "array length", &n_elems, e))
        return false;
    if (n_elems > c->left_bytes / min_bytes[elem_type])
        return refuse(c, e, "array of %" PRIu64 " %s elements, the file has %" PRIu64 " bytes left",
                      n_elems, gguf_type_name((enum gguf_type)elem_type), c->left_bytes);
    out->elem_type = (enum gguf_type)elem_type;
    out->n_elems = n_elems;
    out->bytes = c->bytes + c->off_bytes;
    return true;
}

/* Recursion is at most GGUF_MAX_ARRAY_DEPTH deep (R11). */
bool gguf_parse_array(struct gguf_cur *c, uint32_t depth, bool may_be_bytes, struct gguf_array *out,
                      struct err *e)
{
    if (!array_head(c, out, e))
        return false;
    uint64_t begin_off_bytes = c->off_bytes;
    struct gguf_array inner;
    struct str text;
    const unsigned char *p;
    switch (out->elem_type) {
    case GGUF_STR:
        for (uint64_t i = 0; i < out->n_elems; i++)
            if (!cur_text(c, may_be_bytes, &text, e))
                return false;
        break;
    case GGUF_ARR:
        if (depth == GGUF_MAX_ARRAY_DEPTH)
            return refuse(c, e, "arrays are nested deeper than %d", GGUF_MAX_ARRAY_DEPTH);
        for (uint64_t i = 0; i < out->n_elems; i++)
            if (!gguf_parse_array(c, depth + 1, false, &inner, e))
                return false;
        break;
    case GGUF_U8:
    case GGUF_I8:
    case GGUF_U16:
    case GGUF_I16:
    case GGUF_U32:
    case GGUF_I32:
    case GGUF_F32:
    case GGUF_U64:
    case GGUF_I64:
    case GGUF_F64:
    case GGUF_BOOL:
        if (!cur_take(c, out->n_elems * min_bytes[out->elem_type], "array", &p, e) ||
            (out->elem_type == GGUF_BOOL && !cur_bools(c, p, out->n_elems, e)))
            return false;
        break;
    }
    out->n_bytes = c->off_bytes - begin_off_bytes;
    return true;
}

static bool parse_scalar(struct gguf_cur *c, struct gguf_kv *kv, struct err *e)
{
    const unsigned char *p;
    uint64_t n_bytes = min_bytes[kv->type];
    if (!cur_take(c, n_bytes, "value", &p, e))
        return false;
    uint64_t raw = load_le(p, n_bytes);
    unsigned n_unused_bits = (unsigned)(64 - 8 * n_bytes);
    if (kv->type == GGUF_F32) {
        uint32_t bits = (uint32_t)raw;
        float f;
        memcpy(&f, &bits, sizeof f);
        kv->value.f64 = (double)f;
    } else if (kv->type == GGUF_F64) {
        memcpy(&kv->value.f64, &raw, sizeof raw);
    } else if (gguf_type_is_signed(kv->type)) {
        kv->value.i64 =
            (int64_t)(raw << n_unused_bits) >> n_unused_bits; /* gcc, clang: arithmetic shift */
    } else {
        kv->value.u64 = raw;
        return kv->type != GGUF_BOOL || cur_bools(c, p, 1, e);
    }
    return true;
}

/* R13. Every other key is free to come in any order, so the value is used only once all keys are
 * read. */
static bool check_alignment(struct gguf_cur *c, const struct gguf_kv *kv, uint32_t *align_bytes,
                            struct err *e)
{
    if (kv->type != GGUF_U32)
        return refuse(c, e, "alignment has type %s, must be u32", gguf_type_name(kv->type));
    uint64_t n = kv->value.u64;
    if (!num_is_pow2(n) || n < GGUF_MIN_ALIGN_BYTES || n > GGUF_MAX_ALIGN_BYTES)
        return refuse(c, e, "alignment %" PRIu64 " is not a power of two from %d to %d", n,
                      GGUF_MIN_ALIGN_BYTES, GGUF_MAX_ALIGN_BYTES);
    *align_bytes = (uint32_t)n;
    return true;
}

static bool parse_kv(struct gguf_cur *c, struct gguf_part *part, struct gguf_kv *kv, struct err *e)
{
    uint32_t type;
    c->item_word = NULL;
    if (!cur_name(c, "key", GGUF_MAX_KEY_BYTES, &kv->key, e))
        return false;
    c->item_word = "key";
    c->item = kv->key;
    if (!gguf_index_add(&part->kv_index, part->kv)) /* R8 */
        return refuse(c, e, "key appears twice");
    if (!cur_u32(c, "value type", &type, e))
        return false;
    if (type >= GGUF_TYPE_END) /* R9 */
        return refuse(c, e, "value type %" PRIu32 " does not exist", type);
    kv->type = (enum gguf_type)type;
    if (kv->type == GGUF_STR)
        return cur_text(c, false, &kv->value.str, e);
    bool may_be_bytes =
        str_is(kv->key, "tokenizer.ggml.tokens") || str_is(kv->key, "tokenizer.ggml.merges");
    if (kv->type == GGUF_ARR)
        return gguf_parse_array(c, 1, may_be_bytes, &kv->value.arr, e);
    return parse_scalar(c, kv, e);
}

static bool parse_kvs(struct gguf_cur *c, struct gguf_part *part, uint64_t n_kv, struct err *e)
{
    part->kv = mem_alloc(n_kv, sizeof *part->kv);
    if (!part->kv)
        return err_set(e, ERR_NOMEM, "gguf: %s: no memory for %" PRIu64 " keys", part->name, n_kv);
    if (!gguf_index_reserve(&part->kv_index, part->kv, n_kv, e))
        return false;
    for (; part->n_kv < n_kv; part->n_kv++) {
        struct gguf_kv *kv = &part->kv[part->n_kv];
        if (!parse_kv(c, part, kv, e))
            return false;
        if (str_is(kv->key, "general.alignment") && !check_alignment(c, kv, &part->align_bytes, e))
            return false;
    }
    c->item_word = NULL;
    return true;
}

/* ---- tensor infos ---- */

/* R14, R15, R16: n_dims and dims; *n_elems is their product. */
static bool parse_dims(struct gguf_cur *c, struct gguf_tensor *t, uint64_t *n_elems, struct err *e)
{
    if (!cur_u32(c, "dimension count", &t->n_dims, e))
        return false;
    if (t->n_dims > GGUF_MAX_DIMS)
        return refuse(c, e, "%" PRIu32 " dimensions, at most %d are allowed", t->n_dims,
                      GGUF_MAX_DIMS);
    *n_elems = 1;
    for (uint32_t i = 0; i < GGUF_MAX_DIMS; i++) {
        t->dims[i] = 1;
        if (i >= t->n_dims)
            continue;
        if (!cur_u64(c, "dimension", &t->dims[i], e))
            return false;
        if (t->dims[i] == 0 || t->dims[i] >= TWO_POW_63)
            return refuse(c, e, "dimension %" PRIu32 " is %" PRIu64 ", must be from 1 to 2^63-1", i,
                          t->dims[i]);
        if (*n_elems > (TWO_POW_63 - 1) / t->dims[i])
            return refuse(c, e, "the product of the dimensions is 2^63 or more");
        *n_elems *= t->dims[i];
    }
    return true;
}

/* R17, R18, R19: encoding, whole blocks per row, size in bytes. */
static bool parse_encoding(struct gguf_cur *c, struct gguf_tensor *t, uint64_t n_elems,
                           struct err *e)
{
    uint32_t id;
    if (!cur_u32(c, "type", &id, e))
        return false;
    const struct qtype_info *info = qtype_info(id);
    if (!info)
        return refuse(c, e, "encoding id %" PRIu32 " is unknown or was removed from the format",
                      id);
    if (id == QTYPE_Q8_1 || id == QTYPE_Q8_K)
        return refuse(c, e, "encoding %s (id %" PRIu32 ") is for activations, not for files",
                      info->name, id);
    if (t->dims[0] % info->block_elems != 0)
        return refuse(c, e,
                      "row of %" PRIu64 " elements is not a whole number of %s blocks of %" PRIu32,
                      t->dims[0], info->name, info->block_elems);
    uint64_t n_blocks = n_elems / info->block_elems;
    if (n_blocks > (TWO_POW_63 - 1) / info->block_bytes)
        return refuse(c, e, "size of 2^63 bytes or more");
    t->type = (enum qtype)id;
    t->n_bytes = n_blocks * info->block_bytes;
    return true;
}

static bool parse_tensor(struct gguf_cur *c, struct gguf_tensors *all, struct gguf_tensor *t,
                         struct err *e)
{
    uint64_t n_elems;
    c->item_word = NULL;
    if (!cur_name(c, "tensor name", GGUF_MAX_TENSOR_NAME_BYTES, &t->name, e))
        return false;
    c->item_word = "tensor";
    c->item = t->name;
    if (!gguf_index_add(&all->index, all->at)) /* R8, over all parts */
        return refuse(c, e, "tensor appears twice");
    /* file_off_bytes is relative to the data section until place_tensors has seen where that
     * begins. */
    return parse_dims(c, t, &n_elems, e) && parse_encoding(c, t, n_elems, e) &&
           cur_u64(c, "offset", &t->file_off_bytes, e);
}

static bool tensors_reserve(struct gguf_tensors *all, uint64_t n_more, struct err *e)
{
    uint64_t n_wanted = all->n + n_more; /* each is at most file bytes / 25 */
    if (n_wanted > all->n_room) {
        uint64_t n_room = all->n_room ? num_max(n_wanted, all->n_room * 2) : n_wanted;
        struct gguf_tensor *at = mem_grow(all->at, all->n_room, n_room, sizeof *at);
        if (!at)
            return err_set(e, ERR_NOMEM, "gguf: no memory for %" PRIu64 " tensor records", n_room);
        all->at = at;
        all->n_room = n_room;
    }
    return gguf_index_reserve(&all->index, all->at, n_wanted, e);
}

/* ---- data section ---- */

/* R20, R21. c stands at the end of the infos; info positions for messages come from the names. */
static bool place_tensors(struct gguf_cur *c, struct gguf_part *part, struct gguf_tensor *ts,
                          uint64_t n, struct err *e)
{
    uint64_t begin_off_bytes;
    c->field_off_bytes = c->off_bytes;
    if (!num_align_up(c->off_bytes, part->align_bytes, &begin_off_bytes) ||
        begin_off_bytes > part->n_bytes)
        return refuse(c, e,
                      "the file ends before its tensor data, which is aligned to %" PRIu32 " bytes",
                      part->align_bytes);
    uint64_t room_bytes = part->n_bytes - begin_off_bytes;
    c->item_word = "tensor";
    for (uint64_t i = 0; i < n; i++) {
        struct gguf_tensor *t = &ts[i];
        uint64_t off_bytes = t->file_off_bytes;
        c->item = t->name;
        c->field_off_bytes = (uint64_t)((const unsigned char *)t->name.p - c->bytes);
        if (off_bytes % part->align_bytes != 0)
            return refuse(c, e, "offset %" PRIu64 " is not a multiple of the alignment %" PRIu32,
                          off_bytes, part->align_bytes);
        if (off_bytes > room_bytes || t->n_bytes > room_bytes - off_bytes)
            return refuse(c, e,
                          "%" PRIu64 " bytes at offset %" PRIu64
                          " end beyond the data section of %" PRIu64 " bytes",
                          t->n_bytes, off_bytes, room_bytes);
        t->file_off_bytes = begin_off_bytes + off_bytes;
        t->bytes = part->bytes + t->file_off_bytes;
    }
    return true;
}

static int compare_offset(const void *a, const void *b)
{
    const struct gguf_tensor *const *x = a, *const *y = b;
    return ((*x)->file_off_bytes > (*y)->file_off_bytes) -
           ((*x)->file_off_bytes < (*y)->file_off_bytes);
}

/* R22. Files are nearly always in offset order; only others are sorted. */
static bool check_overlap(struct gguf_cur *c, const struct gguf_tensor *ts, uint64_t n,
                          struct err *e)
{
    bool is_sorted = true;
    for (uint64_t i = 1; i < n && is_sorted; i++)
        is_sorted = ts[i - 1].file_off_bytes + ts[i - 1].n_bytes <= ts[i].file_off_bytes;
    if (is_sorted)
        return true;
    const struct gguf_tensor **by_off = mem_alloc(n, sizeof *by_off);
    if (!by_off)
        return err_set(e, ERR_NOMEM, "gguf: %s: no memory to sort %" PRIu64 " tensors", c->file, n);
    for (uint64_t i = 0; i < n; i++)
        by_off[i] = &ts[i];
    qsort(by_off, n, sizeof *by_off, compare_offset);
    bool ok = true;
    for (uint64_t i = 1; i < n && ok; i++) {
        const struct gguf_tensor *a = by_off[i - 1], *b = by_off[i];
        if (a->file_off_bytes + a->n_bytes <= b->file_off_bytes)
            continue;
        char other[SHOWN_NAME_BYTES + 8];
        c->item_word = "tensor";
        c->item = b->name;
        c->field_off_bytes = b->file_off_bytes;
        ok = refuse(c, e, "overlaps tensor \"%s\"", gguf_quote(a->name, other, sizeof other));
    }
    mem_free(by_off);
    return ok;
}

/* ---- the whole file ---- */

/* R1, R2, R3. */
static bool parse_head(struct gguf_cur *c, struct gguf_part *part, uint64_t *n_tensors,
                       uint64_t *n_kv, struct err *e)
{
    const unsigned char *magic;
    if (c->left_bytes < HEAD_BYTES)
        return refuse(c, e, "not a GGUF file: %" PRIu64 " bytes, the header alone has %d",
                      c->left_bytes, HEAD_BYTES);
    if (!cur_take(c, 4, "magic", &magic, e))
        return false;
    if (memcmp(magic, "GGUF", 4) != 0)
        return refuse(c, e, "not a GGUF file: it does not begin with \"GGUF\"");
    if (!cur_u32(c, "version", &part->version, e))
        return false;
    if (part->version != 0 && (part->version & 0xffff) == 0)
        return refuse(c, e, "big-endian GGUF is not supported");
    if (part->version != 2 && part->version != 3)
        return refuse(c, e, "GGUF version %" PRIu32 " is not supported, only 2 and 3",
                      part->version);
    if (!cur_u64(c, "tensor count", n_tensors, e) || !cur_u64(c, "key count", n_kv, e))
        return false;
    if (*n_kv > c->left_bytes / MIN_KV_BYTES)
        return refuse(c, e, "%" PRIu64 " keys cannot fit in the %" PRIu64 " bytes left", *n_kv,
                      c->left_bytes);
    c->field_off_bytes = 8;
    if (*n_tensors > c->left_bytes / MIN_TENSOR_BYTES)
        return refuse(c, e, "%" PRIu64 " tensors cannot fit in the %" PRIu64 " bytes left",
                      *n_tensors, c->left_bytes);
    return true;
}

bool gguf_parse_part(struct gguf_part *part, uint32_t i_part, struct gguf_tensors *tensors,
                     struct err *e)
{
    struct gguf_cur c = {.file = part->name, .bytes = part->bytes, .left_bytes = part->n_bytes};
    uint64_t n_tensors, n_kv;
    part->align_bytes = GGUF_DEFAULT_ALIGN_BYTES;
    if (!parse_head(&c, part, &n_tensors, &n_kv, e) || !parse_kvs(&c, part, n_kv, e) ||
        !tensors_reserve(tensors, n_tensors, e))
        return false;
    uint64_t i_first = tensors->n;
    for (uint64_t i = 0; i < n_tensors; i++) {
        struct gguf_tensor *t = &tensors->at[tensors->n];
        t->i_part = i_part;
        if (!parse_tensor(&c, tensors, t, e))
            return false;
        tensors->n++;
    }
    c.item_word = NULL;
    if (n_tensors == 0) /* then there is no data section */
        return true;
    struct gguf_tensor *ts = tensors->at + i_first;
    return place_tensors(&c, part, ts, n_tensors, e) && check_overlap(&c, ts, n_tensors, e);
}
