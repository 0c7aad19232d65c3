/* str: a borrowed slice of bytes with a length; not terminated, may hold NUL. Lives as long as its
 * lender says. */
#ifndef RUNTIME_BASE_STR_H
#define RUNTIME_BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct str {
    const char *p; /* may be NULL when n_bytes is 0 */
    size_t n_bytes;
};

#define STR(literal) ((struct str){(literal), sizeof(literal) - 1})
/* For printf("%.*s", STR_ARG(s)). */
#define STR_ARG(s) (int)((s).n_bytes > 4096 ? 4096 : (s).n_bytes), ((s).p ? (s).p : "")

static inline struct str str_of(const char *c)
{
    return (struct str){c, c ? strlen(c) : 0};
}

static inline bool str_eq(struct str a, struct str b)
{
    return a.n_bytes == b.n_bytes && (a.n_bytes == 0 || memcmp(a.p, b.p, a.n_bytes) == 0);
}

static inline bool str_is(struct str a, const char *c)
{
    return str_eq(a, str_of(c));
}

static inline bool str_has_prefix(struct str a, struct str prefix)
{
    return a.n_bytes >= prefix.n_bytes &&
           (prefix.n_bytes == 0 || memcmp(a.p, prefix.p, prefix.n_bytes) == 0);
}

/* First occurrence of needle at or after byte `from`, or SIZE_MAX. An empty needle is found at
 * `from`. */
static inline size_t str_find(struct str hay, struct str needle, size_t from)
{
    if (from > hay.n_bytes || needle.n_bytes > hay.n_bytes - from)
        return SIZE_MAX;
    if (needle.n_bytes == 0)
        return from;
    const char *at = memmem(hay.p + from, hay.n_bytes - from, needle.p, needle.n_bytes);
    return at ? (size_t)(at - hay.p) : SIZE_MAX;
}

/* True if s is well-formed UTF-8 (RFC 3629: no overlong forms, no surrogates, at most U+10FFFF). */
bool str_is_utf8(struct str s);

/* Length in bytes of the well-formed UTF-8 character at p[0..n_bytes): 1..4; 0 = could still become
 * one with more bytes; -1 = no continuation can make it well-formed. */
int utf8_char_bytes(const char *p, size_t n_bytes);

/* Decode one well-formed character; *n_used gets its length. Ill-formed input yields U+FFFD and 1
 * byte. */
uint32_t utf8_decode(const char *p, size_t n_bytes, size_t *n_used);

/* Write cp (a valid scalar value) to out[4]; returns the length. */
size_t utf8_put(uint32_t cp, char *out);

#endif
