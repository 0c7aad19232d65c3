/* answer: whole answers and errors into call->out (api.md 2.11, 3, 10): status line, the fields
 * every answer has, the body. Flow: handler -> answer_* -> call->out; is_started and is_done are
 * set.   Thread: edge.   Allocates: chain blocks only. */
#ifndef NET_ANSWER_H
#define NET_ANSWER_H

#include "net/api.h"
#include "net/api_error.h"

/* A whole answer that is no error. body: copied. */
void answer_send(struct api *a, struct api_call *call, uint16_t status, const char *content_type,
                 struct str body);

/* A JSON answer whose body has been collected in pieces; body is emptied. n_more_bytes: of the body
 * that the caller will write to call->out itself, and then set is_done. */
void answer_send_json(struct api *a, struct api_call *call, struct chain *body,
                      uint64_t n_more_bytes);

/* No body: 204 with Allow. */
void answer_options(struct api *a, struct api_call *call, const char *allow);

/* The head of an event stream, without body (api.md 9.1). */
void answer_begin_stream(struct api *a, struct api_call *call);

/* An error (api.md 10). allow: value of Allow with API_METHOD, else NULL. */
void answer_fail(struct api *a, struct api_call *call, const struct api_error *error,
                 const char *allow);
/* The usual case. param may be NULL. */
void answer_error(struct api *a, struct api_call *call, enum api_code code, const char *param,
                  const char *fmt, ...) __attribute__((format(printf, 5, 6)));
/* An error whose body the handler has written itself. */
void answer_fail_body(struct api *a, struct api_call *call, const struct api_error *error,
                      struct str body);

#endif
