/* http: the head of an HTTP/1.1 request (RFC 9112 2-6; api.md 2), strict: every leniency that two
 * parsers could read differently is refused (bare CR or LF, folded fields, spaces before the colon,
 * two framings, two hosts). Flow: the connection appends received bytes to one buffer and calls
 * http_parse after each time; the parser looks at each byte once. HTTP_DONE: *head borrows from
 * that buffer. The result never depends on how the bytes arrived. Thread: owner's. Allocates:
 * never. */
#ifndef NET_HTTP_H
#define NET_HTTP_H

#include "runtime/base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    HTTP_MAX_LINE_BYTES = 8192,    /* request line without its CRLF */
    HTTP_MAX_FIELDS_BYTES = 32768, /* all field lines together */
    HTTP_MAX_FIELDS = 100,
    HTTP_MAX_HEAD_BYTES = 2 + HTTP_MAX_LINE_BYTES + 2 + HTTP_MAX_FIELDS_BYTES + 2,
};

enum http_method { HTTP_GET = 1, HTTP_HEAD, HTTP_POST, HTTP_OPTIONS, HTTP_DELETE, HTTP_OTHER };
enum http_body { HTTP_BODY_NONE, HTTP_BODY_LENGTH, HTTP_BODY_CHUNKED };

struct http_field {
    struct str name, value; /* value without surrounding blanks */
};

struct http_head {
    enum http_method method;
    struct str target; /* as sent: "/path?query" or "*" */
    struct str path;   /* target up to '?', still percent-encoded */
    struct str host;   /* value of Host; empty only in HTTP/1.0 */
    int minor;         /* HTTP/1.minor: 0 or 1 */
    enum http_body body;
    uint64_t body_bytes; /* with HTTP_BODY_LENGTH */
    bool has_length;     /* a Content-Length was sent, be it 0 */
    bool keeps_alive;
    bool expects_continue;
    bool expects_other; /* an Expect we do not know: 417 */
    struct http_field fields[HTTP_MAX_FIELDS];
    uint32_t n_fields;
    size_t n_bytes; /* of the whole head: the body begins there */
};

/* What is wrong: the answer to give before the connection is closed. */
struct http_refusal {
    uint16_t status;
    const char *message;
};

enum http_result { HTTP_MORE, HTTP_DONE, HTTP_BAD };

enum http_state {
    HTTP_AT_START, /* one empty line may come before the request */
    HTTP_AT_START_LF,
    HTTP_IN_METHOD,
    HTTP_IN_TARGET,
    HTTP_IN_VERSION,
    HTTP_AT_LINE_LF,
    HTTP_AT_FIELD,
    HTTP_IN_NAME,
    HTTP_BEFORE_VALUE,
    HTTP_IN_VALUE,
    HTTP_AT_FIELD_LF,
    HTTP_AT_END_LF,
    HTTP_IS_DONE,
    HTTP_IS_BAD,
};

struct http_parser {
    enum http_state state;
    bool has_skipped_line;
    size_t at;        /* bytes looked at so far */
    size_t line_at;   /* where the request line begins */
    size_t fields_at; /* where the field lines begin */
    size_t mark_at;   /* where the element being read begins */
    size_t value_end; /* end of the value without trailing blanks */
    size_t method_end, target_at, target_end, version_at, version_end;
    struct {
        uint32_t name_at, name_end, value_at, value_end;
    } spans[HTTP_MAX_FIELDS];
    uint32_t n_fields;
    struct http_refusal refusal;
};

void http_init(struct http_parser *p);

/* buf[0..n_bytes) is everything received since http_init, the same bytes as before plus more. With
 * HTTP_BAD (which is sticky) p->refusal says why. */
enum http_result http_parse(struct http_parser *p, const char *buf, size_t n_bytes,
                            struct http_head *head);

/* Value of the first field of that name (any case); NULL if there is none. */
const struct str *http_field(const struct http_head *head, const char *name);

/* ASCII case-insensitive. */
bool http_name_is(struct str name, const char *lower);

/* One percent-decoding of a path into out; false: malformed escape, NUL, an escaped slash, a "." or
 * ".." segment, or too long. */
bool http_decode_path(struct str path, char *out, size_t room_bytes, size_t *n_out);

#endif
