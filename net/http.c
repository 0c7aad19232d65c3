#include "net/http.h"

#include <string.h>

void http_init(struct http_parser *p)
{
    memset(p, 0, sizeof *p);
}

static bool is_token_char(unsigned char c) /* RFC 9110 5.6.2 */
{
    if ((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'))
        return true;
    return c && strchr("!#$%&'*+-.^_`|~", c) != NULL;
}

static bool
is_target_char(unsigned char c) /* visible ASCII; the grammar proper is the router's business */
{
    return c > 0x20 && c < 0x7f;
}

static bool is_value_char(unsigned char c) /* RFC 9110 5.5: VCHAR, obs-text, blanks */
{
    return c == '\t' || (c >= 0x20 && c != 0x7f);
}

static char lower_of(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

bool http_name_is(struct str name, const char *lower)
{
    size_t n = strlen(lower);
    if (name.n_bytes != n)
        return false;
    for (size_t i = 0; i < n; i++)
        if (lower_of(name.p[i]) != lower[i])
            return false;
    return true;
}

const struct str *http_field(const struct http_head *head, const char *name)
{
    for (uint32_t i = 0; i < head->n_fields; i++)
        if (http_name_is(head->fields[i].name, name))
            return &head->fields[i].value;
    return NULL;
}

/* ---- bytes to spans ---- */

static enum http_state refuse(struct http_parser *p, uint16_t status, const char *message)
{
    p->refusal = (struct http_refusal){status, message};
    return HTTP_IS_BAD;
}

static enum http_state malformed(struct http_parser *p, const char *message)
{
    return refuse(p, 400, message);
}

static enum http_state at_start(struct http_parser *p, unsigned char c)
{
    if (c == '\r' && !p->has_skipped_line) {
        p->has_skipped_line = true;
        return HTTP_AT_START_LF;
    }
    if (!is_token_char(c))
        return malformed(p, "The request line is malformed.");
    p->line_at = p->at;
    return HTTP_IN_METHOD;
}

static enum http_state in_method(struct http_parser *p, unsigned char c)
{
    if (is_token_char(c))
        return HTTP_IN_METHOD;
    if (c != ' ')
        return malformed(p, "The request line is malformed.");
    p->method_end = p->at;
    p->target_at = p->at + 1;
    return HTTP_IN_TARGET;
}

static enum http_state in_target(struct http_parser *p, unsigned char c)
{
    if (is_target_char(c))
        return HTTP_IN_TARGET;
    if (c != ' ' || p->at == p->target_at)
        return malformed(p, "The request line is malformed.");
    p->target_end = p->at;
    p->version_at = p->at + 1;
    return HTTP_IN_VERSION;
}

static enum http_state in_version(struct http_parser *p, unsigned char c)
{
    if (c == '\r') {
        p->version_end = p->at;
        return HTTP_AT_LINE_LF;
    }
    if (!is_target_char(c) || p->at - p->version_at >= 8) /* "HTTP/1.1" */
        return malformed(p, "The request line is malformed.");
    return HTTP_IN_VERSION;
}

static enum http_state after_line(struct http_parser *p, const char *buf, unsigned char c)
{
    const char *v = buf + p->version_at;
    if (c != '\n')
        return malformed(p, "A line must end with CR LF.");
    if (p->version_end - p->version_at != 8 || memcmp(v, "HTTP/", 5) != 0 || v[5] < '0' ||
        v[5] > '9' || v[6] != '.' || v[7] < '0' || v[7] > '9')
        return malformed(p, "The request line is malformed.");
    if (v[5] != '1' || v[7] > '1')
        return refuse(p, 505, "Only HTTP/1.1 and HTTP/1.0 are spoken here.");
    p->fields_at = p->at + 1;
    return HTTP_AT_FIELD;
}

static enum http_state at_field(struct http_parser *p, unsigned char c)
{
    if (c == '\r')
        return HTTP_AT_END_LF;
    if (!is_token_char(c))
        return malformed(p, c == ' ' || c == '\t' ? "Folded header fields are not accepted."
                                                  : "A header field name is malformed.");
    if (p->n_fields == HTTP_MAX_FIELDS)
        return refuse(p, 431, "There are more than 100 header fields.");
    p->mark_at = p->at;
    return HTTP_IN_NAME;
}

static enum http_state in_name(struct http_parser *p, unsigned char c)
{
    if (is_token_char(c))
        return HTTP_IN_NAME;
    if (c != ':')
        return malformed(p, "A header field name is malformed.");
    p->spans[p->n_fields].name_at = (uint32_t)p->mark_at;
    p->spans[p->n_fields].name_end = (uint32_t)p->at;
    return HTTP_BEFORE_VALUE;
}

static enum http_state in_value(struct http_parser *p, unsigned char c)
{
    bool is_first = p->state == HTTP_BEFORE_VALUE;
    if (is_first && (c == ' ' || c == '\t'))
        return HTTP_BEFORE_VALUE;
    if (is_first)
        p->mark_at = p->value_end = p->at;
    if (c == '\r') {
        p->spans[p->n_fields].value_at = (uint32_t)p->mark_at;
        p->spans[p->n_fields].value_end = (uint32_t)p->value_end;
        p->n_fields++;
        return HTTP_AT_FIELD_LF;
    }
    if (!is_value_char(c))
        return malformed(p, c == '\n' ? "A line must end with CR LF."
                                      : "A header field value is malformed.");
    if (c != ' ' && c != '\t')
        p->value_end = p->at + 1;
    return HTTP_IN_VALUE;
}

static bool is_over_limit(struct http_parser *p)
{
    bool in_fields = p->state >= HTTP_AT_FIELD;
    if (p->state >= HTTP_IN_METHOD && p->state <= HTTP_IN_VERSION &&
        p->at - p->line_at > HTTP_MAX_LINE_BYTES)
        p->state = refuse(p, 414, "The request line is longer than 8192 bytes.");
    else if (in_fields && p->at - p->fields_at >= HTTP_MAX_FIELDS_BYTES + 2)
        p->state = refuse(p, 431, "The header fields are larger than 32768 bytes.");
    else
        return false;
    return true;
}

static enum http_state next_state(struct http_parser *p, const char *buf, unsigned char c)
{
    switch (p->state) {
    case HTTP_AT_START:
        return at_start(p, c);
    case HTTP_AT_START_LF:
        return c == '\n' ? HTTP_AT_START : malformed(p, "A line must end with CR LF.");
    case HTTP_IN_METHOD:
        return in_method(p, c);
    case HTTP_IN_TARGET:
        return in_target(p, c);
    case HTTP_IN_VERSION:
        return in_version(p, c);
    case HTTP_AT_LINE_LF:
        return after_line(p, buf, c);
    case HTTP_AT_FIELD:
        return at_field(p, c);
    case HTTP_IN_NAME:
        return in_name(p, c);
    case HTTP_BEFORE_VALUE:
    case HTTP_IN_VALUE:
        return in_value(p, c);
    case HTTP_AT_FIELD_LF:
        return c == '\n' ? HTTP_AT_FIELD : malformed(p, "A line must end with CR LF.");
    case HTTP_AT_END_LF:
        return c == '\n' ? HTTP_IS_DONE : malformed(p, "A line must end with CR LF.");
    case HTTP_IS_DONE:
    case HTTP_IS_BAD:
        break;
    }
    return p->state;
}

/* ---- spans to meaning ---- */

static enum http_method method_of(struct str name) /* case-sensitive: RFC 9110 9.1 */
{
    static const struct {
        const char *name;
        enum http_method method;
    } methods[] = {{"GET", HTTP_GET},
                   {"HEAD", HTTP_HEAD},
                   {"POST", HTTP_POST},
                   {"OPTIONS", HTTP_OPTIONS},
                   {"DELETE", HTTP_DELETE}};
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++)
        if (str_is(name, methods[i].name))
            return methods[i].method;
    return HTTP_OTHER;
}

/* Next element of a comma-separated list (RFC 9110 5.6.1), lower level blanks removed. false at the
 * end. */
static bool next_element(struct str *list, struct str *element)
{
    while (list->n_bytes && (*list->p == ',' || *list->p == ' ' || *list->p == '\t')) {
        list->p++;
        list->n_bytes--;
    }
    if (list->n_bytes == 0)
        return false;
    size_t n = 0;
    while (n < list->n_bytes && list->p[n] != ',')
        n++;
    *element = (struct str){list->p, n};
    list->p += n;
    list->n_bytes -= n;
    while (element->p[element->n_bytes - 1] == ' ' || element->p[element->n_bytes - 1] == '\t')
        element->n_bytes--;
    return true;
}

static bool read_length(struct http_parser *p, struct http_head *head, struct str value)
{
    if (head->has_length)
        return refuse(p, 400, "Content-Length must be sent once."), false;
    uint64_t n = 0;
    for (size_t i = 0; i < value.n_bytes; i++) {
        unsigned digit = (unsigned char)value.p[i] - (unsigned)'0';
        if (digit > 9)
            return refuse(p, 400, "Content-Length must be a number."), false;
        if (n > (UINT64_MAX - digit) / 10)
            return refuse(p, 413, "The Content-Length is too large."), false;
        n = n * 10 + digit;
    }
    if (value.n_bytes == 0)
        return refuse(p, 400, "Content-Length must be a number."), false;
    head->has_length = true;
    head->body_bytes = n;
    if (head->body != HTTP_BODY_CHUNKED && n > 0)
        head->body = HTTP_BODY_LENGTH;
    return true;
}

static bool read_field(struct http_parser *p, struct http_head *head, const struct http_field *f)
{
    struct str list = f->value, element;
    if (http_name_is(f->name, "host")) {
        if (head->host.p)
            return refuse(p, 400, "Host must be sent once."), false;
        head->host = f->value;
    } else if (http_name_is(f->name, "content-length")) {
        return read_length(p, head, f->value);
    } else if (http_name_is(f->name, "transfer-encoding")) {
        if (!http_name_is(f->value, "chunked") || head->body == HTTP_BODY_CHUNKED)
            return refuse(p, 501, "The only Transfer-Encoding understood is chunked."), false;
        head->body = HTTP_BODY_CHUNKED;
    } else if (http_name_is(f->name, "connection")) {
        while (next_element(&list, &element))
            if (http_name_is(element, "close"))
                head->keeps_alive = false;
    } else if (http_name_is(f->name, "expect")) {
        if (http_name_is(f->value, "100-continue"))
            head->expects_continue = head->minor == 1; /* RFC 9110 10.1.1: ignored from 1.0 */
        else
            head->expects_other = true;
    }
    return true;
}

static bool has_field(const struct http_head *head, const char *name)
{
    return http_field(head, name) != NULL;
}

static bool finish_head(struct http_parser *p, const char *buf, struct http_head *head)
{
    memset(head, 0, sizeof *head);
    head->n_bytes = p->at;
    head->method = method_of((struct str){buf + p->line_at, p->method_end - p->line_at});
    head->target = (struct str){buf + p->target_at, p->target_end - p->target_at};
    head->minor = buf[p->version_end - 1] - '0';
    head->keeps_alive = head->minor == 1; /* 1.0 always closes */
    size_t query_at = str_find(head->target, STR("?"), 0);
    head->path =
        (struct str){head->target.p, query_at == SIZE_MAX ? head->target.n_bytes : query_at};
    if (head->target.p[0] != '/' && !(str_is(head->target, "*") && head->method == HTTP_OPTIONS))
        return refuse(p, 400, "The request target must be a path."), false;
    head->n_fields = p->n_fields;
    for (uint32_t i = 0; i < p->n_fields; i++) {
        head->fields[i].name =
            (struct str){buf + p->spans[i].name_at, p->spans[i].name_end - p->spans[i].name_at};
        head->fields[i].value =
            (struct str){buf + p->spans[i].value_at, p->spans[i].value_end - p->spans[i].value_at};
    }
    if (has_field(head, "content-length") && has_field(head, "transfer-encoding"))
        return refuse(p, 400, "Content-Length and Transfer-Encoding must not be combined."), false;
    for (uint32_t i = 0; i < p->n_fields; i++)
        if (!read_field(p, head, &head->fields[i]))
            return false;
    if (head->minor == 0 && head->body == HTTP_BODY_CHUNKED) /* RFC 9112 6.1: faulty framing */
        return refuse(p, 400, "HTTP/1.0 has no Transfer-Encoding."), false;
    if (head->minor == 1 && !head->host.p)
        return refuse(p, 400, "Host is missing."), false;
    return true;
}

enum http_result http_parse(struct http_parser *p, const char *buf, size_t n_bytes,
                            struct http_head *head)
{
    while (p->at < n_bytes && p->state < HTTP_IS_DONE && !is_over_limit(p)) {
        p->state = next_state(p, buf, (unsigned char)buf[p->at]);
        p->at++;
    }
    if (p->state == HTTP_IS_DONE && !finish_head(p, buf, head))
        p->state = HTTP_IS_BAD;
    return p->state == HTTP_IS_BAD ? HTTP_BAD : p->state == HTTP_IS_DONE ? HTTP_DONE : HTTP_MORE;
}

/* ---- paths ---- */

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = lower_of(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool has_dot_segment(const char *path, size_t n_bytes)
{
    size_t begin = 0;
    for (size_t i = 0; i <= n_bytes; i++) {
        if (i < n_bytes && path[i] != '/')
            continue;
        size_t n = i - begin;
        if ((n == 1 || n == 2) && path[begin] == '.' && path[i - 1] == '.')
            return true;
        begin = i + 1;
    }
    return false;
}

bool http_decode_path(struct str path, char *out, size_t room_bytes, size_t *n_out)
{
    size_t n = 0;
    for (size_t i = 0; i < path.n_bytes; i++) {
        char c = path.p[i];
        if (c == '%') {
            if (path.n_bytes - i < 3)
                return false;
            int high = hex_value(path.p[i + 1]), low = hex_value(path.p[i + 2]);
            if (high < 0 || low < 0)
                return false;
            c = (char)(high * 16 + low);
            if (c == '/' || c == 0)
                return false;
            i += 2;
        }
        if (n == room_bytes)
            return false;
        out[n++] = c;
    }
    *n_out = n;
    return !has_dot_segment(out, n);
}
