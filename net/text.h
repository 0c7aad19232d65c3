/* text: builds text in a caller's buffer: response heads, JSON, event frames, metrics. What does
 * not fit sets is_full, once, and nothing more is written; the caller asks at the end.   Thread:
 * owner's.   Allocates: never. */
#ifndef NET_TEXT_H
#define NET_TEXT_H

#include "runtime/base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct text {
    char *p;
    size_t n_bytes, room_bytes;
    bool is_full;
};

void text_init(struct text *t, char *p, size_t room_bytes);
static inline struct str text_str(const struct text *t)
{
    return (struct str){t->p, t->n_bytes};
}

void text_put(struct text *t, struct str s);
void text_puts(struct text *t, const char *c);
void text_fmt(struct text *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* A JSON string with its quotes (RFC 8259 7); ill-formed UTF-8 becomes U+FFFD. */
void text_json(struct text *t, struct str s);
/* The same without quotes, for a string written in pieces at character borders. */
void text_json_inner(struct text *t, struct str s);

/* A JSON number: at most n_decimals, trailing zeros dropped, one kept ("118.0", "-0.0112"). Not
 * finite: 0.0. */
void text_decimal(struct text *t, double x, int n_decimals);

/* Seconds since 1970 as an HTTP date (RFC 9110 5.6.7), and as RFC 3339 UTC. */
void text_http_date(struct text *t, int64_t wall_s);
void text_utc(struct text *t, int64_t wall_s);

#endif
