#include "net/lane.h"

#include "net/answer.h"
#include "net/gen.h"
#include "runtime/base/secret.h"

#include <string.h>

/* The next in line has its turn; its connection calls lane_enter again. */
static void pass_on(struct api *a)
{
    struct lane *l = a->lane;
    chat_request_deinit(&l->job.rq);
    l->call = NULL;
    l->is_encoding = false;
    if (l->n_waiting == 0)
        return;
    l->call = l->waiting[0];
    memmove(l->waiting, l->waiting + 1, --l->n_waiting * sizeof *l->waiting);
    l->call->is_due = true;
    a->wake(l->call);
}

/* Body to a prompt that has begun; answers itself on failure. */
static bool begin(struct api *a, struct api_call *call, struct prompt_room *room,
                  struct lane_job *job)
{
    struct api_error e;
    struct chat_request *rq = &job->rq;
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
    bool ok = prompt_begin(a, rq, room, &job->prompt, &e);
    chat_request_detach(rq);
    if (!ok)
        answer_fail(a, call, &e, NULL);
    return ok;
}

static enum api_next finish(struct api *a, struct api_call *call, struct lane_job *job,
                            const struct prompt *prompt)
{
    struct chat_request *rq = &job->rq;
    if (!job->wants_count) {
        if (!rq->has_seed)
            secret_random(&rq->gen.seed, sizeof rq->gen.seed);
        return gen_start(a, call, rq, prompt);
    }
    char body[80];
    struct text t;
    text_init(&t, body, sizeof body);
    text_fmt(&t, "{\"object\":\"response.input_tokens\",\"input_tokens\":%u}", prompt->n_tokens);
    answer_send(a, call, 200, "application/json", text_str(&t));
    return API_ANSWERED;
}

static enum api_next run_short(struct api *a, struct api_call *call, bool wants_count)
{
    struct lane_job job = {.wants_count = wants_count};
    struct prompt prompt;
    struct api_error e;
    if (!begin(a, call, &a->short_room, &job))
        return API_ANSWERED;
    enum tok_progress p;
    do
        p = prompt_step(a, &job.prompt, SIZE_MAX, &prompt, &e);
    while (p == TOK_GOES_ON);
    if (p == TOK_FINISHED)
        return finish(a, call, &job, &prompt);
    answer_fail(a, call, &e, NULL);
    return API_ANSWERED;
}

enum api_next lane_enter(struct api *a, struct api_call *call, bool wants_count)
{
    struct lane *l = a->lane;
    if (call->body.n_bytes <= API_SHORT_BODY_BYTES)
        return run_short(a, call, wants_count);
    if (l->call && l->call != call) {
        if (l->n_waiting == CONN_MAX_BODIES) {
            answer_error(a, call, API_OVERLOADED, NULL, "Too many long prompts are waiting.");
            return API_ANSWERED;
        }
        l->waiting[l->n_waiting++] = call;
        return API_LATER;
    }
    l->call = call;
    l->job.wants_count = wants_count;
    if (begin(a, call, &a->long_room, &l->job)) {
        l->is_encoding = true;
        return API_PENDING;
    }
    pass_on(a);
    return API_ANSWERED;
}

void lane_work(struct api *a)
{
    struct lane *l = a->lane;
    struct prompt prompt;
    struct api_error e;
    if (!l->is_encoding)
        return;
    enum tok_progress p = prompt_step(a, &l->job.prompt, LANE_STEPS, &prompt, &e);
    if (p == TOK_GOES_ON)
        return;
    struct api_call *call = l->call;
    if (p == TOK_FAILED)
        answer_fail(a, call, &e, NULL);
    else if (call->key_no == KEY_NONE)
        answer_error(a, call, API_KEY_REVOKED, NULL, "The API key has been revoked.");
    else
        (void)finish(a, call, &l->job, &prompt);
    a->wake(call);
    pass_on(a);
}

static void drop_waiting(struct lane *l, uint32_t i)
{
    l->n_waiting--;
    memmove(l->waiting + i, l->waiting + i + 1, (l->n_waiting - i) * sizeof *l->waiting);
}

void lane_tick(struct api *a)
{
    struct lane *l = a->lane;
    for (uint32_t i = l->n_waiting; i-- > 0;) {
        struct api_call *call = l->waiting[i];
        if (a->mono_ms - call->began_at_ms <= GEN_QUEUE_LIMIT_MS)
            continue;
        drop_waiting(l, i);
        answer_error(a, call, API_QUEUE_TIMEOUT, NULL,
                     "The server is busy: the request waited too long.");
        a->wake(call);
    }
}

void lane_gone(struct api *a, struct api_call *call)
{
    struct lane *l = a->lane;
    for (uint32_t i = l->n_waiting; i-- > 0;)
        if (l->waiting[i] == call)
            drop_waiting(l, i);
    if (l->call == call)
        pass_on(a);
}

/* The encoder reads the tables of the engine that is gone; those who wait are answered at their
 * turn. */
void lane_engine_down(struct api *a)
{
    struct lane *l = a->lane;
    if (!l->is_encoding)
        return;
    answer_error(a, l->call, API_ENGINE_DOWN, NULL, "The engine is being restarted.");
    a->wake(l->call);
    pass_on(a);
}
