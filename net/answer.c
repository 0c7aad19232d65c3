#include "net/answer.h"

#include "net/audit.h"

#include <stdarg.h>
#include <stdio.h>

enum { HEAD_ROOM_BYTES = 4096, BODY_ROOM_BYTES = 4096 };

static const char *reason_of(uint16_t status) /* RFC 9110 15 */
{
    static const struct {
        uint16_t status;
        const char *reason;
    } reasons[] = {
        {200, "OK"},
        {204, "No Content"},
        {304, "Not Modified"},
        {400, "Bad Request"},
        {401, "Unauthorized"},
        {403, "Forbidden"},
        {404, "Not Found"},
        {405, "Method Not Allowed"},
        {408, "Request Timeout"},
        {411, "Length Required"},
        {413, "Content Too Large"},
        {414, "URI Too Long"},
        {415, "Unsupported Media Type"},
        {417, "Expectation Failed"},
        {421, "Misdirected Request"},
        {429, "Too Many Requests"},
        {431, "Request Header Fields Too Large"},
        {500, "Internal Server Error"},
        {501, "Not Implemented"},
        {503, "Service Unavailable"},
        {505, "HTTP Version Not Supported"},
    };
    for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++)
        if (reasons[i].status == status)
            return reasons[i].reason;
    return "";
}

static void put_rate_limit(struct text *t, const char *what, struct limit_state s)
{
    if (s.limit == 0)
        return;
    text_fmt(t,
             "x-ratelimit-limit-%s: %u\r\nx-ratelimit-remaining-%s: %u\r\nx-ratelimit-reset-%s: ",
             what, s.limit, what, s.remaining, what);
    text_decimal(t, s.reset_s, 1);
    text_puts(t, "s\r\n");
}

/* Status line and the fields every answer has. */
static void begin_head(const struct api *a, struct api_call *call, uint16_t status, struct text *t)
{
    call->status = status;
    if (call->has_unread_body)
        call->must_close = true;
    text_fmt(t, "HTTP/1.1 %u %s\r\nDate: ", status, reason_of(status));
    text_http_date(t, a->wall_s);
    text_fmt(t,
             "\r\nCache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\nx-request-id: "
             "req_%s\r\n",
             call->id);
    if (api_key(a, call)) {
        struct limit_who who = api_limit_who(a, call);
        put_rate_limit(t, "requests", limit_requests_state(a->limit, &who));
        put_rate_limit(t, "tokens", limit_tokens_state(a->limit, &who));
    }
    if (call->ignored[0])
        text_fmt(t, "x-ignored-params: %s\r\n", call->ignored);
    if (call->must_close)
        text_puts(t, "Connection: close\r\n");
}

/* A head that finds no memory leaves a connection that can only be closed. */
static void put_out(struct api_call *call, struct str s)
{
    if (!call->is_broken && !chain_put(&call->out, s)) {
        call->is_broken = call->must_close = true;
        call->is_done = true;
    }
}

static void finish_head(struct api_call *call, struct text *t)
{
    text_puts(t, "\r\n");
    call->is_started = true;
    put_out(call, text_str(t));
}

void answer_send(struct api *a, struct api_call *call, uint16_t status, const char *content_type,
                 struct str body)
{
    char room[HEAD_ROOM_BYTES];
    struct text t;
    text_init(&t, room, sizeof room);
    begin_head(a, call, status, &t);
    text_fmt(&t, "Content-Type: %s\r\nContent-Length: %zu\r\n", content_type, body.n_bytes);
    finish_head(call, &t);
    if (!call->is_head)
        put_out(call, body);
    call->is_done = true;
}

void answer_send_json(struct api *a, struct api_call *call, struct chain *body,
                      uint64_t n_more_bytes)
{
    char room[HEAD_ROOM_BYTES];
    struct text t;
    text_init(&t, room, sizeof room);
    begin_head(a, call, 200, &t);
    text_fmt(&t, "Content-Type: application/json\r\nContent-Length: %llu\r\n",
             (unsigned long long)(body->n_bytes + n_more_bytes));
    finish_head(call, &t);
    if (!call->is_head && !call->is_broken)
        chain_splice(&call->out, body);
    chain_deinit(body);
    if (n_more_bytes == 0)
        call->is_done = true;
}

void answer_options(struct api *a, struct api_call *call, const char *allow)
{
    char room[HEAD_ROOM_BYTES];
    struct text t;
    text_init(&t, room, sizeof room);
    begin_head(a, call, 204, &t);
    text_fmt(&t, "Allow: %s\r\n", allow);
    finish_head(call, &t);
    call->is_done = true;
}

void answer_begin_stream(struct api *a, struct api_call *call)
{
    char room[HEAD_ROOM_BYTES];
    struct text t;
    text_init(&t, room, sizeof room);
    if (!call->is_chunked)
        call->must_close = true; /* HTTP/1.0: the end of the connection ends the body */
    begin_head(a, call, 200, &t);
    text_puts(&t, "Content-Type: text/event-stream; charset=utf-8\r\nX-Accel-Buffering: no\r\n");
    if (call->is_chunked)
        text_puts(&t, "Transfer-Encoding: chunked\r\n");
    finish_head(call, &t);
}

static void fail(struct api *a, struct api_call *call, const struct api_error *error,
                 const char *allow, struct str body)
{
    char room[HEAD_ROOM_BYTES];
    struct text head;
    text_init(&head, room, sizeof room);
    uint16_t status = (uint16_t)api_error_status(error);
    call->error_code = api_error_code(error);
    begin_head(a, call, status, &head);
    if (status == 401)
        text_puts(&head, "WWW-Authenticate: Bearer\r\n");
    if (allow)
        text_fmt(&head, "Allow: %s\r\n", allow);
    if (api_error_retry_after_s(error))
        text_fmt(&head, "Retry-After: %u\r\n", api_error_retry_after_s(error));
    if (error->code == API_DAILY_QUOTA)
        text_puts(&head, "x-should-retry: false\r\n");
    text_fmt(&head, "Content-Type: application/json\r\nContent-Length: %zu\r\n", body.n_bytes);
    finish_head(call, &head);
    if (!call->is_head)
        put_out(call, body);
    call->is_done = true;
}

void answer_fail(struct api *a, struct api_call *call, const struct api_error *error,
                 const char *allow)
{
    char room[BODY_ROOM_BYTES];
    struct text body;
    text_init(&body, room, sizeof room);
    api_error_write(error, &body);
    fail(a, call, error, allow, text_str(&body));
}

void answer_fail_body(struct api *a, struct api_call *call, const struct api_error *error,
                      struct str body)
{
    fail(a, call, error, NULL, body);
}

void answer_error(struct api *a, struct api_call *call, enum api_code code, const char *param,
                  const char *fmt, ...)
{
    struct api_error error = {.code = code};
    va_list args;
    va_start(args, fmt);
    vsnprintf(error.message, sizeof error.message, fmt, args);
    va_end(args);
    snprintf(error.param, sizeof error.param, "%s", param ? param : "");
    answer_fail(a, call, &error, NULL);
}
