/* gemma4_chat_value: JSON values as the template prints them (gemma4-chat.md 5.4). */
#include "models/gemma4_chat_priv.h"

#include "models/unicode.h"

#include <stdio.h>
#include <stdlib.h>

static const char delimiter[] = "<|\"|>";

enum value_kind value_kind_of(const json_t *v)
{
    struct str digits;
    if (!v)
        return V_MISSING;
    switch (json_typeof(v)) {
    case JSON_NULL:
        return V_NULL;
    case JSON_TRUE:
    case JSON_FALSE:
        return V_BOOL;
    case JSON_INTEGER:
    case JSON_REAL:
        return V_NUMBER;
    case JSON_STRING:
        return json_text_is_big_int(v, &digits) ? V_NUMBER : V_STRING;
    case JSON_ARRAY:
        return V_ARRAY;
    case JSON_OBJECT:
        return V_OBJECT;
    }
    return V_MISSING;
}

bool value_is_true(const json_t *v)
{
    switch (value_kind_of(v)) {
    case V_MISSING:
    case V_NULL:
        return false;
    case V_BOOL:
        return json_is_true(v);
    case V_NUMBER:
        if (json_is_integer(v))
            return json_integer_value(v) != 0;
        return !json_is_real(v) || json_real_value(v) < 0 || json_real_value(v) > 0;
    case V_STRING:
        return json_string_length(v) > 0;
    case V_ARRAY:
        return json_array_size(v) > 0;
    case V_OBJECT:
        return json_object_size(v) > 0;
    }
    return false;
}

const json_t *value_get(const json_t *v, const char *key)
{
    return json_is_object(v) ? json_object_get(v, key) : NULL;
}

/* ---- numbers ---- */

static void print_digits(struct sink *s, const char *text)
{
    if (s->is_upper)
        sink_text(s, str_of(text));
    else
        sink_plain(s, text);
}

static bool reads_back(const char *text, double x)
{
    double back = strtod(text, NULL);
    return memcmp(&back, &x, sizeof x) == 0;
}

/* Adds one to the last digit of "d.ddde+XX"; false if that would carry out of the first one. */
static bool step_up(char *sci)
{
    for (char *p = strchr(sci, 'e') - 1; p >= sci && *p != '-'; p--) {
        if (*p == '.')
            continue;
        if (*p != '9') {
            (*p)++;
            return true;
        }
        *p = '0';
    }
    return false;
}

/* The fewest digits that read back as x, as "d.ddde+XX". Rounding to nearest finds them but for
 * powers of two, where the next double below is nearer than the one above: there the digits may
 * have to be rounded up. */
static void shortest_digits(char sci[32], double x)
{
    for (int n_frac = 0; n_frac < 17; n_frac++) {
        char up[32];
        snprintf(sci, 32, "%.*e", n_frac, x);
        if (reads_back(sci, x))
            return;
        memcpy(up, sci, sizeof up);
        if (step_up(up) && reads_back(up, x)) {
            memcpy(sci, up, sizeof up);
            return;
        }
    }
}

/* Laid out as Python does: fixed for decimal exponents -4..15, else d.ddde+XX. */
static void print_real(struct sink *s, double x)
{
    char sci[32], out[48];
    shortest_digits(sci, x);
    const char *exp_at = strchr(sci, 'e');
    long exponent = strtol(exp_at + 1, NULL, 10);
    if (exponent < -4 || exponent > 15) {
        snprintf(out, sizeof out, "%.*se%c%02ld", (int)(exp_at - sci), sci,
                 exponent < 0 ? '-' : '+', labs(exponent));
    } else {
        long n_frac = exp_at - sci - (sci[0] == '-') -
                      2; /* digits after the first one; -1: there is no point */
        long n_decimals = (n_frac < 0 ? 0 : n_frac) - exponent;
        snprintf(out, sizeof out, "%.*f", n_decimals < 1 ? 1 : (int)n_decimals, x);
    }
    print_digits(s, out);
}

static void print_number(struct sink *s, const json_t *v)
{
    struct str digits;
    char text[24];
    if (json_is_real(v)) {
        print_real(s, json_real_value(v));
    } else if (json_is_integer(v)) {
        snprintf(text, sizeof text, "%lld", (long long)json_integer_value(v));
        print_digits(s, text);
    } else if (json_text_is_big_int(v, &digits)) {
        sink_text(s, digits);
    }
}

/* ---- sorted members ---- */

struct lower_walk {
    struct str text;
    size_t at;
    uint32_t pending;
};

/* Next code point of the lower-cased text; UINT32_MAX at the end. (Python writes a capital sigma at
 * the end of a word as final sigma; here it is the ordinary one, which no two keys in practice are
 * told apart by.) */
static uint32_t lower_next(struct lower_walk *w)
{
    size_t n_used;
    if (w->pending) {
        uint32_t cp = w->pending;
        w->pending = 0;
        return cp;
    }
    if (w->at >= w->text.n_bytes)
        return UINT32_MAX;
    uint32_t cp = utf8_decode(w->text.p + w->at, w->text.n_bytes - w->at, &n_used);
    w->at += n_used;
    if (cp == 0x130) { /* the only one that becomes two: i and U+0307 */
        w->pending = 0x307;
        return 'i';
    }
    return unicode_to_lower(cp);
}

static bool sorts_before(const struct value_member *a, const struct value_member *b)
{
    struct lower_walk wa = {.text = a->key}, wb = {.text = b->key};
    for (;;) {
        uint32_t ca = lower_next(&wa), cb = lower_next(&wb);
        if (ca == UINT32_MAX && cb == UINT32_MAX)
            return a->i_input < b->i_input;
        if (ca == UINT32_MAX || cb == UINT32_MAX)
            return ca == UINT32_MAX; /* the shorter one first */
        if (ca != cb)
            return ca < cb;
    }
}

static void sift_down(struct value_member *at, size_t i, size_t n)
{
    for (size_t child = 2 * i + 1; child < n; child = 2 * i + 1) {
        if (child + 1 < n && sorts_before(&at[child], &at[child + 1]))
            child++;
        if (!sorts_before(&at[i], &at[child]))
            return;
        struct value_member swap = at[i];
        at[i] = at[child];
        at[child] = swap;
        i = child;
    }
}

/* Heap sort: qsort of the C library may allocate. The input order decides among equals, so all keys
 * differ. */
static void sort_members(struct value_member *at, size_t n)
{
    for (size_t i = n / 2; i-- > 0;)
        sift_down(at, i, n);
    for (size_t end = n; end > 1; end--) {
        struct value_member swap = at[0];
        at[0] = at[end - 1];
        at[end - 1] = swap;
        sift_down(at, 0, end - 1);
    }
}

bool value_members_get(struct value_members *m, const json_t *object, struct err *e)
{
    json_malloc_t take;
    json_free_t give;
    json_get_alloc_funcs(&take, &give);
    *m = (struct value_members){NULL, 0};
    if (!json_is_object(object) || json_object_size(object) == 0)
        return true;
    m->at = take(json_object_size(object) * sizeof *m->at);
    if (!m->at)
        return err_set(e, ERR_NOMEM,
                       "chat: sorting the members of an object needs more memory than there is");
    /* jansson's iterators ask for a mutable object and leave it alone */
    json_t *mutable_object;
    memcpy(&mutable_object, &object, sizeof object);
    for (void *it = json_object_iter(mutable_object); it;
         it = json_object_iter_next(mutable_object, it)) {
        m->at[m->n] =
            (struct value_member){.key = {json_object_iter_key(it), json_object_iter_key_len(it)},
                                  .value = json_object_iter_value(it),
                                  .i_input = (uint32_t)m->n};
        m->n++;
    }
    sort_members(m->at, m->n);
    return true;
}

void value_members_put(struct value_members *m)
{
    json_malloc_t take;
    json_free_t give;
    json_get_alloc_funcs(&take, &give);
    if (m->at)
        give(m->at);
    *m = (struct value_members){NULL, 0};
}

/* ---- values ---- */

static void print_delimited(struct sink *s, struct str text)
{
    sink_mark(s, delimiter);
    sink_text(s, text);
    sink_mark(s, delimiter);
}

static bool print_object(struct sink *s, const json_t *v, struct value_style style, struct err *e)
{
    struct value_members m;
    if (!value_members_get(&m, v, e))
        return false;
    bool ok = true;
    sink_plain(s, "{");
    for (size_t i = 0; ok && i < m.n; i++) {
        if (i > 0)
            sink_plain(s, ",");
        if (style.keys == KEYS_WRAPPED)
            print_delimited(s, m.at[i].key);
        else
            sink_text(s, m.at[i].key);
        sink_plain(s, ":");
        ok = value_print(s, m.at[i].value, style, e);
    }
    sink_plain(s, "}");
    value_members_put(&m);
    return ok;
}

bool value_print(struct sink *s, const json_t *v, struct value_style style, struct err *e)
{
    switch (value_kind_of(v)) {
    case V_NULL:
        sink_plain(s, style.null);
        return true;
    case V_BOOL:
        sink_plain(s, json_is_true(v) ? "true" : "false");
        return true;
    case V_NUMBER:
        print_number(s, v);
        return true;
    case V_STRING:
        print_delimited(s, json_text_str(v));
        return true;
    case V_OBJECT:
        return print_object(s, v, style, e);
    case V_ARRAY:
    case V_MISSING: /* to the template language a missing value is an empty sequence */
        break;
    }
    sink_plain(s, "[");
    for (size_t i = 0; i < json_array_size(v); i++) {
        if (i > 0)
            sink_plain(s, ",");
        if (!value_print(s, json_array_get(v, i), style, e))
            return false;
    }
    sink_plain(s, "]");
    return true;
}

/* ---- expressions, printed as Python prints them ---- */

/* Python's escape of one character, empty if it stands for itself. */
static void escape_char(char escaped[12], uint32_t cp, char quote)
{
    escaped[0] = '\0';
    if (cp == '\\' || cp == (unsigned char)quote)
        snprintf(escaped, 12, "\\%c", (char)cp);
    else if (cp == '\n' || cp == '\r' || cp == '\t')
        snprintf(escaped, 12, "\\%c", cp == '\n' ? 'n' : cp == '\r' ? 'r' : 't');
    else if (!unicode_is_printable(cp))
        snprintf(escaped, 12, cp < 0x100 ? "\\x%02x" : cp < 0x10000 ? "\\u%04x" : "\\U%08x", cp);
}

static void print_str_repr(struct sink *s, struct str text)
{
    bool has_single = text.n_bytes && memchr(text.p, '\'', text.n_bytes);
    bool has_double = text.n_bytes && memchr(text.p, '"', text.n_bytes);
    const char *quote = has_single && !has_double ? "\"" : "'";
    sink_text(s, str_of(quote));
    for (size_t at = 0, n_used; at < text.n_bytes; at += n_used) {
        char escaped[12];
        escape_char(escaped, utf8_decode(text.p + at, text.n_bytes - at, &n_used), quote[0]);
        sink_text(s, escaped[0] ? str_of(escaped) : (struct str){text.p + at, n_used});
    }
    sink_text(s, str_of(quote));
}

static void print_repr(struct sink *s, const json_t *v)
{
    switch (value_kind_of(v)) {
    case V_MISSING:
        return;
    case V_NULL:
        sink_text(s, STR("None"));
        return;
    case V_BOOL:
        sink_text(s, json_is_true(v) ? STR("True") : STR("False"));
        return;
    case V_NUMBER:
        print_number(s, v);
        return;
    case V_STRING:
        print_str_repr(s, json_text_str(v));
        return;
    case V_ARRAY:
        sink_text(s, STR("["));
        for (size_t i = 0; i < json_array_size(v); i++) {
            sink_text(s, i > 0 ? STR(", ") : STR(""));
            print_repr(s, json_array_get(v, i));
        }
        sink_text(s, STR("]"));
        return;
    case V_OBJECT:
        break;
    }
    sink_text(s, STR("{"));
    json_t *object;
    memcpy(&object, &v, sizeof v);
    void *first = json_object_iter(object);
    for (void *it = first; it; it = json_object_iter_next(object, it)) {
        sink_text(s, it == first ? STR("") : STR(", "));
        print_str_repr(s, (struct str){json_object_iter_key(it), json_object_iter_key_len(it)});
        sink_text(s, STR(": "));
        print_repr(s, json_object_iter_value(it));
    }
    sink_text(s, STR("}"));
}

void value_print_expr(struct sink *s, const json_t *v)
{
    if (value_kind_of(v) == V_STRING)
        sink_text(s, json_text_str(v));
    else
        print_repr(s, v);
}

void value_print_wrapped_expr(struct sink *s, const json_t *v)
{
    sink_mark(s, delimiter);
    value_print_expr(s, v);
    sink_mark(s, delimiter);
}
