#include "boot/supervise.h"

typedef enum sup_action sup_fn(struct sup *s, int64_t now_ms);

void sup_init(struct sup *s, uint32_t start_limit_ms, uint32_t beat_limit_ms)
{
    *s = (struct sup){
        .state = SUP_DOWN,
        .wants_up = true,
        .deadline_at_ms = INT64_MAX,
        .back_off_ms = SUP_BACK_OFF_MIN_MS,
        .start_limit_ms = start_limit_ms,
        .beat_limit_ms = beat_limit_ms,
    };
}

static int64_t after(int64_t now_ms, uint32_t limit_ms)
{
    return limit_ms ? now_ms + limit_ms : INT64_MAX;
}

static enum sup_action ignore(struct sup *s, int64_t now_ms)
{
    (void)s;
    (void)now_ms;
    return SUP_ACT_NONE;
}

static enum sup_action spawn(struct sup *s, int64_t now_ms)
{
    s->state = SUP_STARTING;
    s->deadline_at_ms = after(now_ms, s->start_limit_ms);
    return SUP_ACT_SPAWN;
}

static enum sup_action ready(struct sup *s, int64_t now_ms)
{
    s->state = SUP_READY;
    s->ready_at_ms = now_ms;
    s->n_failed_starts = 0;
    s->deadline_at_ms = after(now_ms, s->beat_limit_ms);
    return SUP_ACT_NONE;
}

static enum sup_action beat(struct sup *s, int64_t now_ms)
{
    s->deadline_at_ms = after(now_ms, s->beat_limit_ms);
    return SUP_ACT_NONE;
}

static enum sup_action wait_and_retry(struct sup *s, int64_t now_ms)
{
    s->state = SUP_DOWN;
    if (!s->wants_up) {
        s->deadline_at_ms = INT64_MAX;
        return SUP_ACT_NONE;
    }
    s->deadline_at_ms = now_ms + s->back_off_ms;
    s->back_off_ms =
        s->back_off_ms * 2 > SUP_BACK_OFF_MAX_MS ? SUP_BACK_OFF_MAX_MS : s->back_off_ms * 2;
    return SUP_ACT_NONE;
}

static enum sup_action died_starting(struct sup *s, int64_t now_ms)
{
    if (s->wants_up && ++s->n_failed_starts >= SUP_MAX_FAILED_STARTS) {
        s->state = SUP_GIVEN_UP;
        s->deadline_at_ms = INT64_MAX;
        return SUP_ACT_GIVE_UP;
    }
    return wait_and_retry(s, now_ms);
}

static enum sup_action died_ready(struct sup *s, int64_t now_ms)
{
    if (now_ms - s->ready_at_ms >= SUP_HEALTHY_MS)
        s->back_off_ms = SUP_BACK_OFF_MIN_MS;
    return wait_and_retry(s, now_ms);
}

static enum sup_action ask_stop(struct sup *s, int64_t now_ms)
{
    s->wants_up = false;
    s->state = SUP_STOPPING;
    s->deadline_at_ms = now_ms + SUP_STOP_MS;
    return SUP_ACT_ASK_STOP;
}

static enum sup_action stay_down(struct sup *s, int64_t now_ms)
{
    (void)now_ms;
    s->wants_up = false;
    s->deadline_at_ms = INT64_MAX;
    return SUP_ACT_NONE;
}

/* Too slow to start, no heartbeat, or deaf to a stop: kill; EXITED follows. */
static enum sup_action kill_it(struct sup *s, int64_t now_ms)
{
    (void)now_ms;
    s->deadline_at_ms = INT64_MAX;
    return SUP_ACT_KILL;
}

static sup_fn *const step[SUP_N_STATES][SUP_N_EVENTS] = {
    /*                  START   EXITED          SAID_READY  BEAT    STOP       DEADLINE */
    [SUP_DOWN] = {spawn, ignore, ignore, ignore, stay_down, spawn},
    [SUP_STARTING] = {ignore, died_starting, ready, ignore, ask_stop, kill_it},
    [SUP_READY] = {ignore, died_ready, ignore, beat, ask_stop, kill_it},
    [SUP_STOPPING] = {ignore, wait_and_retry, ignore, ignore, ignore, kill_it},
    [SUP_GIVEN_UP] = {ignore, ignore, ignore, ignore, stay_down, ignore},
};

enum sup_action sup_step(struct sup *s, enum sup_event event, int64_t now_ms)
{
    return step[s->state][event](s, now_ms);
}
