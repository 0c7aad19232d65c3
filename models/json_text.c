/* json_text: one pass over the text checks what jansson does not (depth, the private prefix) and
 * finds integers beyond 64 bits. Only if there are any, jansson reads a copy of the text in which
 * they are quoted. */
#include "models/json_text.h"

#include <stdlib.h>

/* U+FDD0, the noncharacter that marks an integer in a string. */
static const char big_int_prefix[] = "\xef\xb7\x90";
enum { PREFIX_BYTES = sizeof big_int_prefix - 1, GROWTH_BYTES = PREFIX_BYTES + 2 };

struct scan {
    const char *p;
    size_t n_bytes;
    size_t at;
    unsigned depth;
    size_t n_big_ints;
    char *copy; /* NULL while only counting */
    size_t n_copied_bytes;
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* More than 18 digits may not fit 64 bits; up to 19 are compared with the largest magnitude. */
static bool is_beyond_64_bits(struct str number)
{
    bool is_negative = number.p[0] == '-';
    const char *digits = number.p + is_negative;
    size_t n_digits = number.n_bytes - is_negative;
    if (n_digits != 19)
        return n_digits > 19;
    return memcmp(digits, is_negative ? "9223372036854775808" : "9223372036854775807", 19) > 0;
}

static void copy_bytes(struct scan *s, const char *p, size_t n_bytes)
{
    if (s->copy)
        memcpy(s->copy + s->n_copied_bytes, p, n_bytes);
    s->n_copied_bytes += n_bytes;
}

/* p[at] is the opening quote. Escapes are judged by jansson; here only the end and the first
 * character count. */
static bool scan_string(struct scan *s, struct err *e)
{
    size_t first = s->at + 1, end = first;
    while (end < s->n_bytes && s->p[end] != '"')
        end += s->p[end] == '\\' ? 2 : 1;
    if (end >= s->n_bytes)
        return err_set(e, ERR_FORMAT, "json: the string that begins at byte %zu has no end", s->at);
    struct str body = {s->p + first, end - first};
    if (str_has_prefix(body, (struct str){big_int_prefix, PREFIX_BYTES}) ||
        (body.n_bytes >= 6 && strncasecmp(body.p, "\\ufdd0", 6) == 0))
        return err_set(e, ERR_FORMAT,
                       "json: the string at byte %zu begins with U+FDD0, which is not a character",
                       s->at);
    copy_bytes(s, s->p + s->at, end + 1 - s->at);
    s->at = end + 1;
    return true;
}

/* A quoted number would pass for the name of a member. */
static bool stands_for_a_name(const struct scan *s, size_t at)
{
    while (at < s->n_bytes && s->p[at] && strchr(" \t\r\n", s->p[at]))
        at++;
    return at < s->n_bytes && s->p[at] == ':';
}

/* p[at] is '-' or a digit. What is no JSON number at all is left for jansson to refuse. */
static void scan_number(struct scan *s)
{
    size_t first = s->at, end = first + 1;
    while (end < s->n_bytes && is_digit(s->p[end]))
        end++;
    struct str number = {s->p + first, end - first};
    bool is_integer = end == s->n_bytes || !strchr(".eE", s->p[end]) || s->p[end] == '\0';
    char leading = number.p[number.p[0] == '-' && number.n_bytes > 1];
    s->at = end;
    if (!is_integer || leading < '1' || !is_digit(leading) || !is_beyond_64_bits(number) ||
        stands_for_a_name(s, end)) {
        copy_bytes(s, number.p, number.n_bytes);
        return;
    }
    s->n_big_ints++;
    copy_bytes(s, "\"", 1);
    copy_bytes(s, big_int_prefix, PREFIX_BYTES);
    copy_bytes(s, number.p, number.n_bytes);
    copy_bytes(s, "\"", 1);
}

static bool scan_text(struct scan *s, struct err *e)
{
    while (s->at < s->n_bytes) {
        char c = s->p[s->at];
        if (c == '"') {
            if (!scan_string(s, e))
                return false;
            continue;
        }
        if (c == '-' || is_digit(c)) {
            scan_number(s);
            continue;
        }
        if ((c == '{' || c == '[') && ++s->depth > JSON_TEXT_MAX_DEPTH)
            return err_set(e, ERR_FORMAT, "json: nested deeper than %d levels at byte %zu",
                           JSON_TEXT_MAX_DEPTH, s->at);
        if ((c == '}' || c == ']') && s->depth > 0)
            s->depth--;
        copy_bytes(s, &c, 1);
        s->at++;
    }
    return true;
}

static json_t *load(const char *p, size_t n_bytes, bool is_copy, struct err *e)
{
    json_error_t je;
    json_t *v =
        json_loadb(p, n_bytes, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL | JSON_DECODE_ANY, &je);
    if (v)
        return v;
    if (json_error_code(&je) == json_error_out_of_memory || je.text[0] == '\0')
        return err_null(e, ERR_NOMEM, "json: the text needs more memory than there is");
    /* Texts that jansson quotes from the input stay out of the message, and so out of logs. */
    const char *near = strstr(je.text, " near '");
    int n_text = near ? (int)(near - je.text) : (int)strlen(je.text);
    if (is_copy)
        return err_null(e, ERR_FORMAT, "json: %.*s", n_text, je.text);
    return err_null(e, ERR_FORMAT, "json: %.*s at byte %d", n_text, je.text, je.position);
}

json_t *json_text_parse(struct str text, struct err *e)
{
    if (str_has_prefix(text, STR("\xef\xbb\xbf")))
        text = (struct str){text.p + 3, text.n_bytes - 3};
    struct scan s = {.p = text.p, .n_bytes = text.n_bytes};
    if (!str_is_utf8(text))
        return err_null(e, ERR_FORMAT, "json: the text is not valid UTF-8");
    if (!scan_text(&s, e))
        return NULL;
    if (s.n_big_ints == 0)
        return load(text.p, text.n_bytes, false, e);

    json_malloc_t take;
    json_free_t give;
    json_get_alloc_funcs(&take, &give);
    struct scan again = {.p = text.p, .n_bytes = text.n_bytes};
    again.copy = take(text.n_bytes + s.n_big_ints * GROWTH_BYTES);
    if (!again.copy)
        return err_null(e, ERR_NOMEM, "json: the text needs more memory than there is");
    json_t *v = scan_text(&again, e) ? load(again.copy, again.n_copied_bytes, true, e) : NULL;
    give(again.copy);
    return v;
}

bool json_text_is_big_int(const json_t *v, struct str *digits)
{
    struct str s = json_text_str(v);
    bool is_big = str_has_prefix(s, (struct str){big_int_prefix, PREFIX_BYTES});
    *digits =
        is_big ? (struct str){s.p + PREFIX_BYTES, s.n_bytes - PREFIX_BYTES} : (struct str){NULL, 0};
    return is_big;
}

struct str json_text_str(const json_t *v)
{
    return (struct str){json_string_value(v), json_string_length(v)};
}
