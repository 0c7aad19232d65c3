/* api_error: every refusal the API can give, as one table of (status, type, code), and its JSON
 * body (api.md 10):
 *   {"error":{"message":"..","type":"..","param":null,"code":".."}}
 * Messages are one English sentence, without internals and without prompt text.   Thread: any.
 * Allocates: never. */
#ifndef NET_API_ERROR_H
#define NET_API_ERROR_H

#include "net/text.h"

/* X(enum suffix, status, type, code) */
#define API_CODES(X)                                                                               \
    X(INVALID_JSON, 400, "invalid_request_error", "invalid_json")                                  \
    X(MISSING_PARAMETER, 400, "invalid_request_error", "missing_required_parameter")               \
    X(INVALID_TYPE, 400, "invalid_request_error", "invalid_type")                                  \
    X(INVALID_VALUE, 400, "invalid_request_error", "invalid_value")                                \
    X(UNSUPPORTED_PARAMETER, 400, "invalid_request_error", "unsupported_parameter")                \
    X(UNSUPPORTED_VALUE, 400, "invalid_request_error", "unsupported_value")                        \
    X(CONTEXT_LENGTH, 400, "invalid_request_error", "context_length_exceeded")                     \
    X(UNSUPPORTED_PART, 400, "invalid_request_error", "unsupported_content_part")                  \
    X(MALFORMED_REQUEST, 400, "invalid_request_error", "malformed_request")                        \
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
    X(ENGINE_DOWN, 503, "server_error", "gpu_recovering")                                          \
    X(HTTP_VERSION, 505, "invalid_request_error", "http_version")

#define X(name, status, type, code) API_##name,
enum api_code { API_CODES(X) API_N_CODES };
#undef X

/* X(enum suffix, least, most seconds of Retry-After): every code of 429 and 503 stands here; the
 * least is also what is said when the place that refuses knows no better. More than 120 s makes
 * clients give up, which only a day's quota is meant to do. */
#define API_RETRIES(X)                                                                             \
    X(RATE_LIMIT, 1, 60)                                                                           \
    X(DAILY_QUOTA, 1, 86400)                                                                       \
    X(LOADING, 2, 120)                                                                             \
    X(OVERLOADED, 2, 30)                                                                           \
    X(QUEUE_TIMEOUT, 5, 30)                                                                        \
    X(SHUTTING_DOWN, 10, 30)                                                                       \
    X(ENGINE_DOWN, 2, 30)

enum { API_PARAM_BYTES = 96, API_MESSAGE_BYTES = 320 };

struct api_error {
    enum api_code code;
    char param[API_PARAM_BYTES]; /* JSON path; "" = null */
    char message[API_MESSAGE_BYTES];
    uint32_t n_prompt_tokens, n_ctx; /* with API_CONTEXT_LENGTH */
    uint32_t retry_after_s;          /* with the codes of API_RETRIES; 0 = their least */
};

/* Always false, so that a check can end in `return api_fail(...)`. param may be NULL. */
bool api_fail(struct api_error *e, enum api_code code, const char *param, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

int api_error_status(const struct api_error *e);
const char *api_error_code(const struct api_error *e);
/* What Retry-After must say; 0 = the code has none. */
uint32_t api_error_retry_after_s(const struct api_error *e);

/* The body. */
void api_error_write(const struct api_error *e, struct text *out);
/* The code whose status is this, for refusals of the HTTP layer. */
enum api_code api_code_of_status(int status);

#endif
