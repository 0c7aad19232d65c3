#include "net/text.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <time.h>

void text_init(struct text *t, char *p, size_t room_bytes)
{
    *t = (struct text){.p = p, .room_bytes = room_bytes};
}

void text_put(struct text *t, struct str s)
{
    if (t->is_full || s.n_bytes > t->room_bytes - t->n_bytes) {
        t->is_full = true;
        return;
    }
    if (s.n_bytes)
        memcpy(t->p + t->n_bytes, s.p, s.n_bytes);
    t->n_bytes += s.n_bytes;
}

void text_puts(struct text *t, const char *c)
{
    text_put(t, str_of(c));
}

void text_fmt(struct text *t, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    size_t n_room = t->room_bytes - t->n_bytes;
    int n = t->is_full ? -1 : vsnprintf(t->p + t->n_bytes, n_room, fmt, args);
    va_end(args);
    if (n < 0 || (size_t)n >= n_room)
        t->is_full = true; /* the place of the final 0 byte counts, so a tight fit is refused too */
    else
        t->n_bytes += (size_t)n;
}

static void json_char(struct text *t, unsigned char c)
{
    switch (c) {
    case '"':
        text_puts(t, "\\\"");
        break;
    case '\\':
        text_puts(t, "\\\\");
        break;
    case '\n':
        text_puts(t, "\\n");
        break;
    case '\r':
        text_puts(t, "\\r");
        break;
    case '\t':
        text_puts(t, "\\t");
        break;
    default:
        text_fmt(t, "\\u%04x", c);
    }
}

void text_json_inner(struct text *t, struct str s)
{
    size_t at = 0, plain_at = 0;
    while (at < s.n_bytes) {
        unsigned char c = (unsigned char)s.p[at];
        if (c >= 0x20 && c < 0x7f && c != '"' && c != '\\') {
            at++;
            continue;
        }
        int n = utf8_char_bytes(s.p + at, s.n_bytes - at);
        if (n > 1) {
            at += (size_t)n;
            continue;
        }
        text_put(t, (struct str){s.p + plain_at, at - plain_at});
        if (n < 1)
            text_puts(t, "\xEF\xBF\xBD");
        else if (c == 0x7f)
            text_put(t, STR("\x7f"));
        else
            json_char(t, c);
        plain_at = ++at;
    }
    text_put(t, (struct str){s.p + plain_at, s.n_bytes - plain_at});
}

void text_json(struct text *t, struct str s)
{
    text_puts(t, "\"");
    text_json_inner(t, s);
    text_puts(t, "\"");
}

void text_decimal(struct text *t, double x, int n_decimals)
{
    char c[352]; /* the widest double has 309 digits before the point */
    if (!isfinite(x))
        x = 0;
    int n = snprintf(c, sizeof c, "%.*f",
                     n_decimals < 1    ? 1
                     : n_decimals > 17 ? 17
                                       : n_decimals,
                     x);
    while (n > 2 && c[n - 1] == '0' && c[n - 2] != '.')
        n--;
    text_put(t, (struct str){c, (size_t)n});
}

void text_http_date(struct text *t, int64_t wall_s)
{
    static const char days[] = "SunMonTueWedThuFriSat";
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    time_t s = wall_s;
    struct tm tm = {0};
    if (!gmtime_r(&s, &tm))
        memset(&tm, 0, sizeof tm);
    text_fmt(t, "%.3s, %02d %.3s %04d %02d:%02d:%02d GMT", days + 3 * tm.tm_wday, tm.tm_mday,
             months + 3 * tm.tm_mon, tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec);
}

void text_utc(struct text *t, int64_t wall_s)
{
    time_t s = wall_s;
    struct tm tm = {0};
    if (!gmtime_r(&s, &tm))
        memset(&tm, 0, sizeof tm);
    text_fmt(t, "%04d-%02d-%02dT%02d:%02d:%02dZ", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday,
             tm.tm_hour, tm.tm_min, tm.tm_sec);
}
