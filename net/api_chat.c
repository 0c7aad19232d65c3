#include "net/api_chat.h"

#include "net/answer.h"
#include "net/chat_request.h"
#include "net/gen.h"
#include "net/prompt.h"
#include "runtime/base/secret.h"

#include <string.h>

/* Body to prompt; answers itself on failure. */
static bool read_request(struct api *a, struct api_call *call, struct chat_request *rq,
                         struct prompt *prompt)
{
    struct api_error e;
    if (!chat_request_parse(rq, call->body, &a->info, &a->cfg, &e)) {
        answer_fail(a, call, &e, NULL);
        return false;
    }
    if (a->engine_state != API_ENGINE_IS_READY || !a->engine) { /* down since the head came */
        chat_request_deinit(rq);
        answer_error(a, call, API_ENGINE_DOWN, NULL, "The engine is being restarted.");
        return false;
    }
    memcpy(call->ignored, rq->ignored, sizeof rq->ignored);
    struct str user = json_text_str(json_object_get(rq->root, "user"));
    if (user.n_bytes > 0)
        audit_hash_user(a->audit, user, &call->audit);
    if (prompt_encode(a, rq, prompt, &e))
        return true;
    chat_request_deinit(rq);
    answer_fail(a, call, &e, NULL);
    return false;
}

enum api_next api_chat_handle(struct api *a, struct api_call *call)
{
    struct chat_request rq;
    struct prompt prompt;
    _Static_assert(sizeof rq.ignored <= API_IGNORED_BYTES, "ignored names fit the header's field");
    if (!read_request(a, call, &rq, &prompt))
        return API_ANSWERED;
    if (!rq.has_seed)
        secret_random(&rq.gen.seed, sizeof rq.gen.seed);
    enum api_next next = gen_start(a, call, &rq, &prompt);
    chat_request_deinit(&rq);
    return next;
}

enum api_next api_chat_input_tokens(struct api *a, struct api_call *call)
{
    struct chat_request rq;
    struct prompt prompt;
    if (!read_request(a, call, &rq, &prompt))
        return API_ANSWERED;
    chat_request_deinit(&rq);
    char body[80];
    struct text t;
    text_init(&t, body, sizeof body);
    text_fmt(&t, "{\"object\":\"response.input_tokens\",\"input_tokens\":%u}", prompt.n_tokens);
    answer_send(a, call, 200, "application/json", text_str(&t));
    return API_ANSWERED;
}
