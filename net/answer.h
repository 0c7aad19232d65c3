/* answer: whole answers and errors into call->out (api.md 2.11, 3, 10): status line, the fields
 * every answer has, the body. Flow: handler -> answer_* -> call->out; is_started and is_done are
 * set.   Thread: edge.   Allocates: chain blocks only. */
#ifndef NET_ANSWER_H
#define NET_ANSWER_H

#include "net/api.h"

/* Every error of the API: X(name, status, type, code). */
#define ANSWER_ERRORS(X)                                                                           \
    X(INVALID_JSON, 400, "invalid_request_error", "invalid_json")                                  \
    X(MISSING_PARAMETER, 400, "invalid_request_error", "missing_required_parameter")               \
    X(INVALID_TYPE, 400, "invalid_request_error", "invalid_type")                                  \
    X(INVALID_VALUE, 400, "invalid_request_error", "invalid_value")                                \
    X(UNSUPPORTED_PARAMETER, 400, "invalid_request_error", "unsupported_parameter")                \
    X(UNSUPPORTED_VALUE, 400, "invalid_request_error", "unsupported_value")                        \
    X(UNSUPPORTED_PART, 400, "invalid_request_error", "unsupported_content_part")                  \
    X(CONTEXT_LENGTH, 400, "invalid_request_error", "context_length_exceeded")                     \
    X(INVALID_TOOL_CALL, 400, "invalid_request_error", "invalid_tool_call")                        \
    X(MALFORMED, 400, "invalid_request_error", "malformed_request")                                \
    X(INVALID_KEY, 401, "authentication_error", "invalid_api_key")                                 \
    X(MISSING_KEY, 401, "authentication_error", "missing_api_key")                                 \
    X(KEY_EXPIRED, 401, "authentication_error", "key_expired")                                     \
    X(KEY_REVOKED, 401, "authentication_error", "key_revoked")                                     \
    X(SCOPE, 403, "permission_error", "insufficient_scope")                                        \
    X(TLS_REQUIRED, 403, "permission_error", "tls_required")                                       \
    X(UNKNOWN_URL, 404, "invalid_request_error", "unknown_url")                                    \
    X(MODEL_NOT_FOUND, 404, "invalid_request_error", "model_not_found")                            \
    X(METHOD, 405, "invalid_request_error", "method_not_allowed")                                  \
    X(TIMEOUT, 408, "invalid_request_error", "request_timeout")                                    \
    X(LENGTH_REQUIRED, 411, "invalid_request_error", "length_required")                            \
    X(TOO_LARGE, 413, "invalid_request_error", "request_too_large")                                \
    X(URI_TOO_LONG, 414, "invalid_request_error", "uri_too_long")                                  \
    X(MEDIA_TYPE, 415, "invalid_request_error", "unsupported_media_type")                          \
    X(EXPECTATION, 417, "invalid_request_error", "expectation_failed")                             \
    X(UNKNOWN_HOST, 421, "invalid_request_error", "unknown_host")                                  \
    X(RATE_LIMIT, 429, "rate_limit_error", "rate_limit_exceeded")                                  \
    X(DAILY_QUOTA, 429, "insufficient_quota", "daily_quota_exceeded")                              \
    X(HEADERS_TOO_LARGE, 431, "invalid_request_error", "headers_too_large")                        \
    X(INTERNAL, 500, "server_error", "internal_error")                                             \
    X(NOT_IMPLEMENTED, 501, "invalid_request_error", "not_implemented")                            \
    X(LOADING, 503, "server_error", "model_loading")                                               \
    X(OVERLOADED, 503, "server_error", "server_overloaded")                                        \
    X(QUEUE_TIMEOUT, 503, "server_error", "queue_timeout")                                         \
    X(SHUTTING_DOWN, 503, "server_error", "shutting_down")                                         \
    X(HTTP_VERSION, 505, "invalid_request_error", "http_version")

enum answer_error_id {
#define X(name, status, type, code) ANSWER_##name,
    ANSWER_ERRORS(X)
#undef X
        ANSWER_N_ERRORS,
};

struct answer_error {
    enum answer_error_id id;
    const char *param; /* JSON path, or NULL */
    const char
        *members; /* further JSON members of the error object, each with a leading comma, or NULL */
    const char *outer;      /* the same beside the error object, or NULL */
    const char *allow;      /* value of Allow with METHOD */
    uint32_t retry_after_s; /* 0 = no Retry-After */
    char message[240];      /* one English sentence; no prompt text */
};

/* A whole answer that is no error. body: copied. */
void answer_send(struct api *a, struct api_call *call, uint16_t status, const char *content_type,
                 struct str body);

/* A JSON answer whose body has been collected in pieces; body is emptied. */
void answer_send_json(struct api *a, struct api_call *call, struct chain *body);

/* No body: 204 with Allow. */
void answer_options(struct api *a, struct api_call *call, const char *allow);

/* The head of an event stream, without body (api.md 9.1). */
void answer_begin_stream(struct api *a, struct api_call *call);

void answer_fail(struct api *a, struct api_call *call, const struct answer_error *error);
/* The usual case: no extra members. param may be NULL. */
void answer_error(struct api *a, struct api_call *call, enum answer_error_id id, const char *param,
                  const char *fmt, ...) __attribute__((format(printf, 5, 6)));

/* The JSON object {"error":{...}} alone, for event streams. */
void answer_error_json(struct text *t, const struct answer_error *error);

uint16_t answer_error_status(enum answer_error_id id);
const char *answer_error_code(enum answer_error_id id);

/* The error a refused HTTP head stands for. */
enum answer_error_id answer_error_of_status(uint16_t status);

#endif
