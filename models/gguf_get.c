/* Typed access: values are converted only where they fit, never reinterpreted (gguf.md 4). */
#include "models/gguf_parse.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

static const char *const type_names[GGUF_TYPE_END] = {
    [GGUF_U8] = "u8",   [GGUF_I8] = "i8",     [GGUF_U16] = "u16", [GGUF_I16] = "i16",
    [GGUF_U32] = "u32", [GGUF_I32] = "i32",   [GGUF_F32] = "f32", [GGUF_BOOL] = "bool",
    [GGUF_STR] = "str", [GGUF_ARR] = "array", [GGUF_U64] = "u64", [GGUF_I64] = "i64",
    [GGUF_F64] = "f64",
};

const char *gguf_type_name(enum gguf_type type)
{
    return type_names[type];
}

bool gguf_type_is_signed(enum gguf_type type)
{
    return type == GGUF_I8 || type == GGUF_I16 || type == GGUF_I32 || type == GGUF_I64;
}

bool gguf_type_is_unsigned(enum gguf_type type)
{
    return type == GGUF_U8 || type == GGUF_U16 || type == GGUF_U32 || type == GGUF_U64;
}

/* U+0080..U+009F are control characters too; in UTF-8 they are C2 80..C2 9F. */
static bool is_control(const char *p, size_t n_bytes)
{
    unsigned char a = (unsigned char)p[0];
    return a < 0x20 || a == 0x7f || (n_bytes == 2 && a == 0xc2 && (unsigned char)p[1] < 0xa0);
}

const char *gguf_quote(struct str s, char *out, size_t n_out_bytes)
{
    size_t n = 0, i = 0;
    while (i < s.n_bytes) {
        int n_char = utf8_char_bytes(s.p + i, s.n_bytes - i);
        size_t n_used = n_char > 0 ? (size_t)n_char : 1;
        bool is_shown = n_char > 0 && !is_control(s.p + i, n_used);
        size_t n_left = n_out_bytes - n;
        if (s.n_bytes - i >= n_left && n_left < n_used + sizeof "...")
            break; /* not all will fit: keep room for the dots */
        if (is_shown)
            memcpy(out + n, s.p + i, n_used);
        else
            out[n] = '?';
        n += is_shown ? n_used : 1;
        i += n_used;
    }
    snprintf(out + n, n_out_bytes - n, "%s", i < s.n_bytes ? "..." : "");
    return out;
}

/* ---- required values ---- */

static const struct gguf_kv *need(const struct gguf *g, const char *key, struct err *e)
{
    const struct gguf_kv *kv = gguf_find(g, key);
    if (!kv)
        return err_null(e, ERR_FORMAT, "gguf: %s: key \"%s\" is missing", gguf_name(g), key);
    return kv;
}

static bool wrong_type(const struct gguf *g, const struct gguf_kv *kv, const char *key,
                       const char *want, struct err *e)
{
    return err_set(e, ERR_FORMAT, "gguf: %s: key \"%s\" has type %s, must be %s", gguf_name(g), key,
                   gguf_type_name(kv->type), want);
}

static bool get_unsigned(const struct gguf *g, const char *key, uint64_t max, uint64_t *out,
                         struct err *e)
{
    *out = 0;
    const struct gguf_kv *kv = need(g, key, e);
    if (!kv)
        return false;
    bool is_signed = gguf_type_is_signed(kv->type);
    if (!is_signed && !gguf_type_is_unsigned(kv->type))
        return wrong_type(g, kv, key, "an integer", e);
    if (is_signed && kv->value.i64 < 0)
        return err_set(e, ERR_FORMAT, "gguf: %s: key \"%s\" is %" PRId64 ", must not be negative",
                       gguf_name(g), key, kv->value.i64);
    if (kv->value.u64 > max)
        return err_set(e, ERR_FORMAT,
                       "gguf: %s: key \"%s\" is %" PRIu64 ", at most %" PRIu64 " is possible",
                       gguf_name(g), key, kv->value.u64, max);
    *out = kv->value.u64;
    return true;
}

bool gguf_get_u32(const struct gguf *g, const char *key, uint32_t *out, struct err *e)
{
    uint64_t wide;
    bool ok = get_unsigned(g, key, UINT32_MAX, &wide, e);
    *out = (uint32_t)wide;
    return ok;
}

bool gguf_get_f32(const struct gguf *g, const char *key, float *out, struct err *e)
{
    *out = 0;
    const struct gguf_kv *kv = need(g, key, e);
    if (!kv)
        return false;
    if (kv->type != GGUF_F32 && kv->type != GGUF_F64)
        return wrong_type(g, kv, key, "f32 or f64", e);
    float narrow = (float)kv->value.f64;
    if (!isfinite(narrow))
        return err_set(e, ERR_FORMAT, "gguf: %s: key \"%s\" is not a finite f32", gguf_name(g),
                       key);
    *out = narrow;
    return true;
}

bool gguf_get_str(const struct gguf *g, const char *key, struct str *out, struct err *e)
{
    *out = (struct str){NULL, 0};
    const struct gguf_kv *kv = need(g, key, e);
    if (!kv)
        return false;
    if (kv->type != GGUF_STR)
        return wrong_type(g, kv, key, "str", e);
    *out = kv->value.str;
    return true;
}

bool gguf_get_arr(const struct gguf *g, const char *key, struct gguf_array *out, struct err *e)
{
    memset(out, 0, sizeof *out);
    const struct gguf_kv *kv = need(g, key, e);
    if (!kv)
        return false;
    if (kv->type != GGUF_ARR)
        return wrong_type(g, kv, key, "an array", e);
    *out = kv->value.arr;
    return true;
}

/* ---- array elements ----
 * The bytes may sit in a mapping that someone else writes to: lengths are compared again at every
 * step. */

/* Sign-extended or zero-extended element i; the caller looks at the element type. */
static bool elem_raw(const struct gguf_array *a, uint64_t i, uint64_t *raw)
{
    uint64_t size_bytes = gguf_parse_min_bytes(a->elem_type);
    if (i >= a->n_elems || i >= a->n_bytes / size_bytes)
        return false;
    const unsigned char *p = a->bytes + i * size_bytes;
    *raw = 0;
    for (uint64_t k = size_bytes; k-- > 0;)
        *raw = *raw << 8 | p[k];
    unsigned n_unused_bits = (unsigned)(64 - 8 * size_bytes);
    if (gguf_type_is_signed(a->elem_type))
        *raw = (uint64_t)((int64_t)(*raw << n_unused_bits) >> n_unused_bits);
    return true;
}

bool gguf_arr_u64(const struct gguf_array *a, uint64_t i, uint64_t *out)
{
    bool is_signed = gguf_type_is_signed(a->elem_type);
    uint64_t raw;
    if (!(is_signed || gguf_type_is_unsigned(a->elem_type)) || !elem_raw(a, i, &raw) ||
        (is_signed && (int64_t)raw < 0))
        return false;
    *out = raw;
    return true;
}

bool gguf_arr_i64(const struct gguf_array *a, uint64_t i, int64_t *out)
{
    bool is_signed = gguf_type_is_signed(a->elem_type);
    uint64_t raw;
    if (!(is_signed || gguf_type_is_unsigned(a->elem_type)) || !elem_raw(a, i, &raw) ||
        (!is_signed && raw > INT64_MAX))
        return false;
    *out = (int64_t)raw;
    return true;
}

bool gguf_arr_u32(const struct gguf_array *a, uint64_t i, uint32_t *out)
{
    uint64_t wide;
    if (!gguf_arr_u64(a, i, &wide) || wide > UINT32_MAX)
        return false;
    *out = (uint32_t)wide;
    return true;
}

bool gguf_arr_i32(const struct gguf_array *a, uint64_t i, int32_t *out)
{
    int64_t wide;
    if (!gguf_arr_i64(a, i, &wide) || wide > INT32_MAX || wide < INT32_MIN)
        return false;
    *out = (int32_t)wide;
    return true;
}

bool gguf_arr_f64(const struct gguf_array *a, uint64_t i, double *out)
{
    uint64_t raw;
    if ((a->elem_type != GGUF_F32 && a->elem_type != GGUF_F64) || !elem_raw(a, i, &raw))
        return false;
    if (a->elem_type == GGUF_F64) {
        memcpy(out, &raw, sizeof *out);
        return true;
    }
    uint32_t bits = (uint32_t)raw;
    float narrow;
    memcpy(&narrow, &bits, sizeof narrow);
    *out = (double)narrow;
    return true;
}

bool gguf_arr_bool(const struct gguf_array *a, uint64_t i, bool *out)
{
    uint64_t raw;
    if (a->elem_type != GGUF_BOOL || !elem_raw(a, i, &raw) || raw > 1)
        return false;
    *out = raw != 0;
    return true;
}

bool gguf_arr_str_next(const struct gguf_array *a, uint64_t *off_bytes, struct str *out)
{
    if (a->elem_type != GGUF_STR || *off_bytes > a->n_bytes || a->n_bytes - *off_bytes < 8)
        return false;
    const unsigned char *p = a->bytes + *off_bytes;
    uint64_t n_bytes = 0, left_bytes = a->n_bytes - *off_bytes - 8;
    for (unsigned k = 8; k-- > 0;)
        n_bytes = n_bytes << 8 | p[k];
    if (n_bytes > left_bytes)
        return false;
    *out = (struct str){(const char *)p + 8, (size_t)n_bytes};
    *off_bytes += 8 + n_bytes;
    return true;
}

bool gguf_arr_arr_next(const struct gguf_array *a, uint64_t *off_bytes, struct gguf_array *out)
{
    if (a->elem_type != GGUF_ARR || *off_bytes >= a->n_bytes)
        return false;
    struct gguf_cur c = {.file = "",
                         .bytes = a->bytes,
                         .off_bytes = *off_bytes,
                         .left_bytes = a->n_bytes - *off_bytes};
    if (!gguf_parse_array(&c, 2, false, out, NULL))
        return false;
    *off_bytes = c.off_bytes;
    return true;
}
