#include "net/gen.h"

#include "net/answer.h"
#include "net/gen_write.h"
#include "net/prompt.h"

#include <stdio.h>
#include <string.h>

size_t gen_table_bytes(uint32_t max_requests)
{
    return (size_t)max_requests * (sizeof(struct gen) + GEMMA4_PARSE_BUF_BYTES);
}

void gen_table_init(struct gen_table *t, void *memory, uint32_t max_requests,
                    struct chain_pool *chains)
{
    char *bufs = (char *)memory + (size_t)max_requests * sizeof(struct gen);
    *t = (struct gen_table){.gens = memory, .n_gens = max_requests};
    for (uint32_t i = 0; i < max_requests; i++) {
        struct gen *g = &t->gens[i];
        memset(g, 0, sizeof *g);
        g->parse_buf = bufs + (size_t)i * GEMMA4_PARSE_BUF_BYTES;
        g->i_slot = i;
        chain_init(&g->content, chains);
        chain_init(&g->reasoning, chains);
        chain_init(&g->logprobs, chains);
        chain_init(&g->tail, chains);
    }
}

static struct gen *find(const struct gen_table *t, uint32_t req_id)
{
    for (uint32_t i = 0; i < t->n_gens; i++)
        if (t->gens[i].state != GEN_FREE && t->gens[i].req_id == req_id)
            return &t->gens[i];
    return NULL;
}

static struct gen *take_place(struct gen_table *t)
{
    for (uint32_t i = 0; i < t->n_gens; i++)
        if (t->gens[i].state == GEN_FREE)
            return &t->gens[i];
    return NULL;
}

/* ---- ends ---- */

static struct limit_who who_of(const struct api *a, const struct gen *g)
{
    int key_no =
        auth_find(a->auth, g->key_id, a->wall_s); /* the table may have been reloaded meanwhile */
    struct limit_who who = {.key_no = key_no, .mono_ms = a->mono_ms, .wall_s = a->wall_s};
    who.key = key_no == KEY_NONE ? NULL : &a->auth->table->keys[key_no];
    return who;
}

/* The place is free again; its call, if there is one, has been answered. */
static void release(struct api *a, struct gen *g)
{
    struct limit_who who = who_of(a, g);
    if (who.key)
        limit_settle(a->limit, &who, g->n_reserved, g->n_prompt + g->n_tokens);
    if (g->call) {
        g->call->gen = NULL;
        a->wake(g->call);
    }
    chain_deinit(&g->content);
    chain_deinit(&g->reasoning);
    chain_deinit(&g->logprobs);
    chain_deinit(&g->tail);
    a->gens->n_promised_bytes -= g->n_promised_bytes;
    g->n_promised_bytes = 0;
    g->n_held = 0;
    g->state = GEN_FREE;
    g->call = NULL;
}

/* Tell the engine to stop, once; its EVENT_DONE ends the generation. */
static void cut(struct api *a, struct gen *g, enum gen_cut why)
{
    if (g->state == GEN_ENDING || g->state == GEN_SENDING)
        return;
    g->state = GEN_ENDING;
    g->cut = why;
    if (!a->engine)
        return;
    if (why == GEN_CUT_STOP)
        engine_client_stop(a->engine, g->req_id, g->n_tokens);
    else
        engine_client_cancel(a->engine, g->req_id);
}

static void fail(struct api *a, struct gen *g, enum api_code code, uint32_t retry_after_s,
                 const char *message)
{
    struct api_error e;
    (void)api_fail(&e, code, NULL, "%s", message);
    e.retry_after_s = retry_after_s;
    gen_write_error(a, g, &e);
    a->metrics->n_finished[METRICS_ERROR]++;
    release(a, g);
}

/* ---- shares of the output memory ---- */

/* What anybody may hold: as much as is neither taken nor promised. */
static uint64_t share_bytes(const struct api *a)
{
    uint64_t idle_bytes = (uint64_t)a->chains->n_idle * CHAIN_BLOCK_BYTES;
    return idle_bytes > a->gens->n_promised_bytes ? idle_bytes - a->gens->n_promised_bytes : 0;
}

static bool is_over_share(const struct api *a, const struct gen *g, uint32_t divisor)
{
    uint64_t share = share_bytes(a);
    if (!g->wants_stream)
        return g->content.n_bytes + g->reasoning.n_bytes > share / divisor;
    share = share < API_OUT_HIGH_BYTES ? share : API_OUT_HIGH_BYTES;
    return g->call && g->call->out.n_bytes + gen_write_n_held_bytes(g) > share / divisor;
}

/* After tokens, and whenever the client has read something. Text goes out while there is a share
 * left; with nothing on its way it always does, since only what is sent can wake a paused stream.
 */
static void balance(struct api *a, struct gen *g)
{
    if (!g->call || !g->wants_stream || g->state == GEN_SENDING)
        return;
    if (g->call->out.n_bytes == 0 || !is_over_share(a, g, 1))
        gen_write_flush(a, g);
    bool was_paused = g->is_paused;
    g->is_paused = is_over_share(a, g, was_paused ? 2 : 1);
    if (!a->engine || g->is_paused == was_paused)
        return;
    if (g->is_paused)
        engine_client_pause(a->engine, g->req_id);
    else
        engine_client_resume(a->engine, g->req_id);
}

/* ---- tokens to text ---- */

/* Content of token i, up to a stop string; the logprobs of what is shown come with it, those of a
 * stop string never. */
static void show_content(struct api *a, struct gen *g, struct str text, uint32_t i_token)
{
    struct stop_match *m = &g->stops;
    struct stop_match_text shown = stop_match_push(m, text, i_token);
    gen_write_logprobs_until(g,
                             m->is_matched ? m->match_at_bytes : m->n_fed_bytes - m->n_held_bytes);
    gen_write_text(a, g, GEN_CONTENT, shown.from_held);
    gen_write_text(a, g, GEN_CONTENT, shown.from_push);
}

static void show_events(struct api *a, struct gen *g, const struct gemma4_event *events,
                        size_t n_events, uint32_t i_token)
{
    for (size_t i = 0; i < n_events && !g->stops.is_matched; i++)
        switch (events[i].kind) {
        case GEMMA4_EVENT_REASONING:
            gen_write_text(a, g, GEN_REASONING, events[i].text);
            break;
        case GEMMA4_EVENT_CONTENT:
            show_content(a, g, events[i].text, i_token);
            break;
        case GEMMA4_EVENT_CALL: /* no tools were offered: what the model wrote is shown as it is */
            show_content(a, g, STR("call:"), i_token);
            show_content(a, g, events[i].name, i_token);
            show_content(a, g, events[i].arguments, i_token);
            break;
        case GEMMA4_EVENT_STOP:
            break;
        }
}

static void take_token(struct api *a, struct gen *g, const struct engine_event *ev, int32_t id)
{
    struct gemma4_event events[GEMMA4_MAX_EVENTS];
    uint32_t i_token = g->n_tokens++;
    bool was_thought = g->parse.state == GEMMA4_IN_REASONING;
    size_t n_events = gemma4_parse_push(&g->parse, id, events);
    if (was_thought || g->parse.state == GEMMA4_IN_REASONING)
        g->n_reasoning++;
    else if (g->wants_logprobs)
        gen_write_logprob(a, g, ev);
    show_events(a, g, events, n_events, i_token);
    if (g->stops.is_matched) {
        g->n_tokens = (uint32_t)g->stops.n_keep_tokens;
        cut(a, g, GEN_CUT_STOP);
    } else if (g->cut == GEN_CUT_SLOW || (!g->wants_stream && is_over_share(a, g, 1)) ||
               (g->wants_stream && gen_write_n_held_bytes(g) > GEN_MAX_HELD_BYTES)) {
        cut(a, g, GEN_CUT_SLOW);
    }
}

static void on_tokens(struct api *a, struct gen *g, const struct engine_event *ev)
{
    if (g->state == GEN_ENDING)
        return; /* sampled before the engine heard of the stop */
    if (g->token_at_ms)
        stats_hist_add(&a->metrics->gap_s, (double)(a->mono_ms - g->token_at_ms) / 1000.0);
    g->token_at_ms = a->mono_ms;
    g->state = GEN_WRITING;
    for (uint32_t i = 0; i < ev->tokens.n_tokens && g->state == GEN_WRITING; i++)
        take_token(a, g, ev, ev->tokens.ids[i]);
    balance(a, g);
    if (g->call)
        a->wake(g->call);
}

/* ---- the end ---- */

static void count_end(struct api *a, struct gen *g, const struct gen_timings *t,
                      const char *finish_reason)
{
    struct metrics *m = a->metrics;
    bool is_length = strcmp(finish_reason, "length") == 0;
    m->prompt_tokens += g->n_prompt;
    m->cached_tokens += t->n_cached;
    m->generation_tokens += g->n_tokens;
    m->reasoning_tokens += g->n_reasoning;
    m->n_finished[!g->call ? METRICS_CANCEL : is_length ? METRICS_LENGTH : METRICS_STOP]++;
    stats_hist_add(&m->ttft_s, t->ttft_ms / 1000.0);
    stats_hist_add(&m->queue_s, t->queue_ms / 1000.0);
    stats_hist_add(&m->prefill_s, t->prompt_ms / 1000.0);
    stats_hist_add(&m->e2e_s, (double)(a->mono_ms - g->began_at_ms) / 1000.0);
    stats_hist_add(&m->prompt_len, g->n_prompt);
    stats_hist_add(&m->generation_len, g->n_tokens);
    if (!g->call)
        return;
    struct audit_entry *audit = &g->call->audit;
    audit->finish_reason = finish_reason;
    audit->n_prompt = g->n_prompt;
    audit->n_cached = t->n_cached;
    audit->n_completion = g->n_tokens;
    audit->n_reasoning = g->n_reasoning;
    audit->queue_ms = t->queue_ms;
    audit->prompt_ms = t->prompt_ms;
    audit->ttft_ms = t->ttft_ms;
}

static const char *stop_word(const struct gen *g, enum finish_reason reason)
{
    switch (g->cut) {
    case GEN_CUT_STOP:
        return "stop";
    case GEN_CUT_TIME:
        return "time";
    case GEN_CUT_NONE:
    case GEN_CUT_QUEUE:
    case GEN_CUT_SLOW:
    case GEN_CUT_GONE:
    case GEN_CUT_KEY:
        break;
    }
    switch (reason) {
    case FINISH_EOS:
        return "eos";
    case FINISH_STOP:
        return "stop";
    case FINISH_LENGTH:
        return "max_tokens";
    case FINISH_CONTEXT:
        return "context";
    case FINISH_CANCEL:
    case FINISH_ERROR:
        break;
    }
    return "cancel";
}

/* What was held back comes out; then finish_reason and the rest. */
static void end_well(struct api *a, struct gen *g, const struct engine_event *ev)
{
    struct gemma4_event events[GEMMA4_MAX_EVENTS];
    enum finish_reason reason = ev->done.reason;
    bool is_cut_short =
        g->cut == GEN_CUT_TIME || reason == FINISH_LENGTH || reason == FINISH_CONTEXT;
    enum gemma4_parse_end_kind kind = is_cut_short ? GEMMA4_END_LIMIT : GEMMA4_END_STOP;
    if (!g->stops.is_matched) {
        size_t n = gemma4_parse_end(&g->parse, kind, events);
        show_events(a, g, events, n, g->n_tokens ? g->n_tokens - 1 : 0);
    }
    if (!g->stops.is_matched) {
        gen_write_logprobs_until(g, UINT64_MAX);
        gen_write_text(a, g, GEN_CONTENT, stop_match_end(&g->stops));
    }
    const char *finish_reason = is_cut_short && !g->stops.is_matched ? "length" : "stop";
    count_end(a, g, &ev->done.timings, finish_reason);
    if (gen_write_end(a, g, finish_reason, stop_word(g, reason), &ev->done.timings)) {
        release(a, g);
    } else {
        g->state = GEN_SENDING;
        a->wake(g->call);
    }
}

static void on_done(struct api *a, struct gen *g, const struct engine_event *ev)
{
    if (ev->done.reason == FINISH_ERROR) {
        fail(a, g, API_INTERNAL, 0,
             "The engine could not compute this answer; the request id is in the header "
             "x-request-id.");
        return;
    }
    switch (g->cut) {
    case GEN_CUT_QUEUE:
        fail(a, g, API_QUEUE_TIMEOUT, 5, "The server is busy: the request waited too long.");
        return;
    case GEN_CUT_SLOW:
        fail(a, g, API_OVERLOADED, 5,
             "The client reads too slowly, or the server has no memory left for the answer.");
        return;
    case GEN_CUT_KEY:
        fail(a, g, API_KEY_REVOKED, 0, "The API key has been revoked.");
        return;
    case GEN_CUT_NONE:
    case GEN_CUT_STOP:
    case GEN_CUT_TIME:
    case GEN_CUT_GONE:
        break;
    }
    end_well(a, g, ev);
}

static void on_refused(struct api *a, struct gen *g, enum refuse_reason why)
{
    switch (why) {
    case REFUSE_QUEUE_FULL:
        fail(a, g, API_OVERLOADED, 5, "The server is busy and its queue is full.");
        break;
    case REFUSE_DRAINING:
        fail(a, g, API_SHUTTING_DOWN, 10, "The server is shutting down.");
        break;
    case REFUSE_TOO_LONG:
    case REFUSE_INVALID:
        fail(a, g, API_INTERNAL, 0, "The engine refused the request.");
        break;
    }
}

/* The head of a stream goes out once the engine has taken the request: until then it can still be
 * refused with a status. */
static void begin_answer(struct api *a, struct gen *g)
{
    if (!g->wants_stream || !g->call || g->call->is_started)
        return;
    answer_begin_stream(a, g->call);
    a->wake(g->call);
}

void gen_event(struct api *a, const struct engine_event *ev)
{
    struct gen *g = find(a->gens, ev->req_id);
    if (!g || g->state == GEN_SENDING)
        return;
    if (ev->type == EVENT_QUEUED || ev->type == EVENT_PROGRESS || ev->type == EVENT_TOKENS)
        begin_answer(a, g);
    switch (ev->type) {
    case EVENT_QUEUED:
        g->n_ahead = ev->n_ahead;
        break;
    case EVENT_PROGRESS:
        g->n_prompt_done = ev->progress.n_done;
        break;
    case EVENT_TOKENS:
        on_tokens(a, g, ev);
        break;
    case EVENT_DONE:
        on_done(a, g, ev);
        break;
    case EVENT_REFUSED:
        on_refused(a, g, ev->refused);
        break;
    case EVENT_LOADING:
    case EVENT_READY:
        break;
    }
}

/* ---- start ---- */

static bool reserve(struct api *a, struct api_call *call, struct gen *g, uint64_t n_tokens)
{
    uint32_t retry_after_s = 0;
    struct limit_who who = api_limit_who(a, call);
    struct api_error e;
    switch (limit_reserve(a->limit, &who, n_tokens, &g->n_reserved, &retry_after_s)) {
    case LIMIT_OK:
        return true;
    case LIMIT_DAY:
        (void)api_fail(&e, API_DAILY_QUOTA, NULL, "This key has used its tokens of the day.");
        break;
    case LIMIT_CONCURRENT:
        (void)api_fail(&e, API_RATE_LIMIT, NULL,
                       "This key already has as many requests running as it may.");
        break;
    case LIMIT_TOKENS:
    case LIMIT_REQUESTS:
        (void)api_fail(&e, API_RATE_LIMIT, NULL,
                       "This key has used its tokens of the last minute.");
        break;
    }
    e.retry_after_s = retry_after_s;
    answer_fail(a, call, &e, NULL);
    return false;
}

/* A plain answer with logprobs: its records have their memory for certain, or it does not begin.
 * All of them together get half of the pool, and one that wants more than that is cut down to it,
 * as to the room in the context. */
static bool promise(struct api *a, struct api_call *call, struct gen *g, struct gen_params *params)
{
    uint64_t budget_bytes = (uint64_t)a->chains->n_blocks * CHAIN_BLOCK_BYTES / 2,
             record_bytes = gen_write_record_bytes((uint32_t)params->n_logprobs);
    if (params->max_tokens > budget_bytes / record_bytes)
        params->max_tokens = (uint32_t)(budget_bytes / record_bytes);
    uint64_t n_bytes = params->max_tokens * record_bytes;
    if (a->gens->n_promised_bytes + n_bytes > budget_bytes) {
        answer_error(a, call, API_OVERLOADED, NULL,
                     "Answers with logprobs take all the memory there is for them; try again, "
                     "stream, or ask for fewer tokens.");
        return false;
    }
    g->n_promised_bytes = n_bytes;
    a->gens->n_promised_bytes += n_bytes;
    return true;
}

/* A thought that takes all the tokens leaves none for the answer: a quarter of them, at most
 * GEN_ANSWER_TOKENS, and the two markers of the thought are not for it. */
static void limit_thought(struct gen_params *params)
{
    uint32_t kept = params->max_tokens / 4;
    kept = (kept < GEN_ANSWER_TOKENS ? kept : GEN_ANSWER_TOKENS) + 2;
    uint32_t most = params->max_tokens > kept ? params->max_tokens - kept : 0;
    if (params->max_thought_tokens > most)
        params->max_thought_tokens = most;
}

static void fill(struct api *a, struct gen *g, struct api_call *call, const struct chat_request *rq,
                 const struct prompt *prompt)
{
    struct gen_table *t = a->gens;
    g->state = GEN_WAITING;
    g->cut = GEN_CUT_NONE;
    g->call = call;
    g->req_id = ++t->n_started ? t->n_started : ++t->n_started; /* never 0 */
    memcpy(g->id, call->id, sizeof g->id);
    memcpy(g->model_id, a->info.model_id, sizeof g->model_id);
    memcpy(g->fingerprint, a->info.fingerprint, sizeof g->fingerprint);
    g->created_s = a->wall_s;
    g->began_at_ms = g->written_at_ms = a->mono_ms;
    g->token_at_ms = 0;
    g->wants_stream = rq->wants_stream;
    g->wants_usage = rq->wants_usage;
    g->wants_logprobs = rq->gen.n_logprobs >= 0;
    g->has_begun = g->is_paused = g->has_sent_item = false;
    g->n_json_bytes = 0;
    g->n_prompt = prompt->n_tokens;
    g->n_tokens = g->n_reasoning = g->n_ahead = g->n_prompt_done = g->n_logprobs = 0;
    g->key_no = call->key_no;
    memcpy(g->key_id, call->key_id, sizeof g->key_id);
    gemma4_parse_init(&g->parse, &a->tok,
                      prompt->starts_in_reasoning ? GEMMA4_STARTS_IN_REASONING : 0, g->parse_buf,
                      GEMMA4_PARSE_BUF_BYTES);
}

enum api_next gen_start(struct api *a, struct api_call *call, const struct chat_request *rq,
                        const struct prompt *prompt)
{
    struct gen_params params = rq->gen;
    struct err e = {0};
    struct gen *g = take_place(a->gens);
    uint32_t room = a->info.n_ctx - prompt->n_tokens;
    params.max_tokens = params.max_tokens < room ? params.max_tokens : room;
    params.key_no = (uint32_t)call->key_no;
    if (!g) {
        answer_error(a, call, API_OVERLOADED, NULL, "The server is busy and its queue is full.");
        return API_ANSWERED;
    }
    if (params.n_logprobs >= 0 && !rq->wants_stream && !promise(a, call, g, &params))
        return API_ANSWERED;
    if (!reserve(a, call, g, (uint64_t)prompt->n_tokens + params.max_tokens)) {
        a->gens->n_promised_bytes -= g->n_promised_bytes;
        g->n_promised_bytes = 0;
        return API_ANSWERED;
    }
    limit_thought(&params);
    params.starts_in_thought = prompt->starts_in_reasoning;
    fill(a, g, call, rq, prompt);
    bool ok =
        stop_match_init(&g->stops, rq->stops, rq->n_stops, &e) &&
        engine_client_submit(a->engine, g->req_id, &params, prompt->ids, prompt->n_tokens, &e);
    if (!ok) {
        fail(a, g, API_OVERLOADED, 2, "The server is busy; try again in a moment.");
        return API_ANSWERED;
    }
    call->gen = g;
    return API_PENDING;
}

/* ---- what happens to a call later ---- */

void gen_drained(struct api *a, struct api_call *call)
{
    struct gen *g = call->gen;
    if (g->state != GEN_SENDING)
        balance(a, g);
    else if (gen_write_more(a, g))
        release(a, g);
}

void gen_gone(struct api *a, struct api_call *call)
{
    struct gen *g = call->gen;
    if (!g)
        return;
    call->gen = NULL;
    call->audit.finish_reason = "cancel";
    call->audit.n_prompt = g->n_prompt;
    call->audit.n_completion = g->n_tokens;
    g->call = NULL;
    if (g->state == GEN_SENDING)
        release(a, g); /* the engine has forgotten it already */
    else
        cut(a, g, GEN_CUT_GONE);
}

static void check_time(struct api *a, struct gen *g)
{
    int64_t age_ms = a->mono_ms - g->began_at_ms;
    if (g->state == GEN_SENDING)
        return; /* the connection's deadlines hold */
    if (g->is_paused)
        balance(a, g); /* others may have left room */
    bool is_waiting = g->state == GEN_WAITING && g->n_prompt_done == 0;
    if (age_ms >= GEN_HEAD_LIMIT_MS)
        begin_answer(a, g);
    if (is_waiting && age_ms > GEN_QUEUE_LIMIT_MS)
        cut(a, g, GEN_CUT_QUEUE);
    else if (g->state != GEN_ENDING &&
             age_ms > (g->wants_stream ? a->cfg.stream_limit_ms : a->cfg.plain_limit_ms))
        cut(a, g, GEN_CUT_TIME);
    else if (a->mono_ms - g->written_at_ms >= GEN_COMMENT_MS && g->call && g->wants_stream) {
        gen_write_comment(a, g);
        a->wake(g->call);
    }
}

void gen_tick(struct api *a)
{
    for (uint32_t i = 0; i < a->gens->n_gens; i++)
        if (a->gens->gens[i].state != GEN_FREE)
            check_time(a, &a->gens->gens[i]);
}

void gen_engine_down(struct api *a)
{
    for (uint32_t i = 0; i < a->gens->n_gens; i++)
        if (a->gens->gens[i].state != GEN_FREE)
            fail(a, &a->gens->gens[i], API_ENGINE_DOWN, 2,
                 "The engine stopped while it computed this answer; it is being restarted.");
}

void gen_keys_changed(struct api *a)
{
    for (uint32_t i = 0; i < a->gens->n_gens; i++) {
        struct gen *g = &a->gens->gens[i];
        if (g->state != GEN_FREE && auth_find(a->auth, g->key_id, a->wall_s) == KEY_NONE)
            cut(a, g, GEN_CUT_KEY);
    }
}

static uint32_t count(const struct api *a, bool is_running)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < a->gens->n_gens; i++) {
        const struct gen *g = &a->gens->gens[i];
        bool has_started = g->state >= GEN_WRITING || g->n_prompt_done > 0;
        n += g->state != GEN_FREE && has_started == is_running;
    }
    return n;
}

uint32_t gen_n_running(const struct api *a)
{
    return count(a, true);
}

uint32_t gen_n_waiting(const struct api *a)
{
    return count(a, false);
}
