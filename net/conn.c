#include "net/conn.h"

#include "net/answer.h"
#include "runtime/base/check.h"
#include "runtime/base/log.h"
#include "runtime/base/secret.h"

#include <string.h>

_Static_assert((int)CONN_IN_BYTES > (int)HTTP_MAX_HEAD_BYTES, "a head fits");

void conn_bodies_init(struct conn_bodies *b, char *base, uint32_t n_bodies, size_t body_bytes)
{
    CHECK(n_bodies <= CONN_MAX_BODIES);
    memset(b, 0, sizeof *b);
    b->base = base;
    b->body_bytes = body_bytes;
    for (uint32_t i = 0; i < n_bodies; i++)
        b->idle[b->n_idle++] = i;
}

static bool has_large_body(const struct conn *c)
{
    return c->body && c->body != c->small_body;
}

static void release_body(struct conn *c)
{
    c->call.body = (struct str){NULL, 0};
    if (has_large_body(c)) {
        struct conn_bodies *b = &c->env->bodies;
        b->idle[b->n_idle++] = c->i_body;
    }
    c->body = NULL;
    c->body_bytes = c->body_room_bytes = 0;
}

/* Room for n_bytes; what has come so far moves along. */
static bool grow_body(struct conn *c, size_t n_bytes)
{
    struct conn_bodies *b = &c->env->bodies;
    if (n_bytes <= c->body_room_bytes)
        return true;
    if (n_bytes <= CONN_SMALL_BODY_BYTES) {
        c->body = c->small_body;
        c->body_room_bytes = CONN_SMALL_BODY_BYTES;
        return true;
    }
    if (b->n_idle == 0 || n_bytes > b->body_bytes)
        return false;
    uint32_t i = b->idle[--b->n_idle];
    char *large = b->base + (size_t)i * b->body_bytes;
    if (c->body_bytes)
        memcpy(large, c->body, c->body_bytes);
    c->i_body = i;
    c->body = large;
    c->body_room_bytes = b->body_bytes;
    return true;
}

static void enter(struct conn *c, enum conn_state state)
{
    c->state = state;
    c->since_ms = c->progress_at_ms = c->sent_at_ms = c->env->api->mono_ms;
}

/* Keeps the first n_bytes of the input. What lies behind in[in_bytes] is always zero: no key and no
 * prompt outlives its request there. */
static void cut_in(struct conn *c, size_t n_bytes)
{
    secret_wipe(c->in + n_bytes, c->in_bytes - n_bytes);
    c->in_bytes = n_bytes;
}

bool conn_open(struct conn *c, struct conn_env *env, enum edge_listen kind, const struct addr *addr,
               struct err *e)
{
    c->env = env;
    c->is_tls = kind == EDGE_LISTEN_TLS;
    if (c->is_tls && !tls_conn_open(c->tls, env->tls, e))
        return false;
    c->is_gone = c->is_woken = c->wants_fin = c->has_call = false;
    c->addr = *addr;
    c->n_requests = 0;
    c->in_bytes = c->n_lingered_bytes = 0;
    memset(&c->call, 0, sizeof c->call);
    c->call.addr = *addr;
    c->call.is_tls = c->is_tls;
    c->call.key_no = KEY_NONE;
    chain_init(&c->call.out, env->api->chains);
    http_init(&c->http);
    enter(c, c->is_tls ? CONN_HANDSHAKE : CONN_IDLE);
    return true;
}

void conn_close(struct conn *c)
{
    if (c->state == CONN_UNUSED)
        return;
    struct api *a = c->env->api;
    if (c->has_call) {
        api_gone(a, &c->call);
        if (!c->call.is_started)
            c->call.status = 499; /* never sent: the client was gone first */
        api_end(a, &c->call);
    }
    c->has_call = false;
    release_body(c);
    chain_deinit(&c->call.out);
    if (c->is_tls)
        tls_conn_close(c->tls);
    cut_in(c, 0);
    c->state = CONN_UNUSED;
}

/* ---- in ---- */

struct tls_room conn_wire_in(struct conn *c)
{
    if (c->is_gone || c->state == CONN_DEAD)
        return (struct tls_room){NULL, 0};
    if (c->is_tls)
        return tls_wire_in(c->tls);
    return (struct tls_room){c->in + c->in_bytes, CONN_IN_BYTES - c->in_bytes};
}

void conn_wire_in_done(struct conn *c, size_t n_bytes)
{
    if (c->is_tls)
        tls_wire_in_done(c->tls, n_bytes);
    else
        c->in_bytes += n_bytes;
    if (n_bytes)
        c->progress_at_ms = c->env->api->mono_ms;
}

void conn_wire_in_eof(struct conn *c)
{
    if (c->is_tls)
        tls_wire_in_eof(c->tls);
    else
        c->is_gone = true;
}

/* Decrypts while there is room; true if something came. */
static bool fill_in(struct conn *c)
{
    bool has_more = false;
    while (c->is_tls && !c->is_gone && c->state != CONN_HANDSHAKE && c->in_bytes < CONN_IN_BYTES) {
        size_t n;
        enum tls_result r = tls_read(c->tls, c->in + c->in_bytes, CONN_IN_BYTES - c->in_bytes, &n);
        c->in_bytes += n;
        has_more |= n > 0;
        if (r == TLS_OK)
            continue;
        c->is_gone = r == TLS_CLOSED || r == TLS_FAILED;
        break;
    }
    return has_more;
}

/* Forgets the first n_bytes of the input: they were a request, or are being thrown away. */
static void drop_in(struct conn *c, size_t n_bytes)
{
    memmove(c->in, c->in + n_bytes, c->in_bytes - n_bytes);
    cut_in(c, c->in_bytes - n_bytes);
}

/* The key has been judged, and the head waits here until its body has come. */
static void wipe_keys(struct conn *c)
{
    for (uint32_t i = 0; i < c->head.n_fields; i++) {
        const struct http_field *f = &c->head.fields[i];
        if (http_name_is(f->name, "authorization") || http_name_is(f->name, "x-api-key"))
            secret_wipe(c->in + (f->value.p - c->in), f->value.n_bytes);
    }
}

/* ---- requests ---- */

static void after_handler(struct conn *c, enum api_next next, size_t n_used_bytes)
{
    if (next != API_LATER)
        release_body(c);
    c->call.head = NULL;
    drop_in(c, n_used_bytes);
    bool is_pending = next == API_PENDING || next == API_LATER;
    enter(c, is_pending && !c->call.is_done ? CONN_BUSY : CONN_SEND);
}

static void answer_bad(struct conn *c, enum api_code code, const char *message)
{
    c->has_call = true;
    c->call.has_unread_body = true;
    answer_error(c->env->api, &c->call, code, NULL, "%s", message);
    after_handler(c, API_ANSWERED, c->in_bytes);
}

static void handle_body(struct conn *c, size_t n_used_bytes)
{
    c->call.body = (struct str){c->body, c->body_bytes};
    c->call.has_unread_body = false;
    after_handler(c, api_handle(c->env->api, &c->call), n_used_bytes);
}

static void begin_body(struct conn *c)
{
    const struct http_head *h = &c->head;
    size_t want_bytes = h->body == HTTP_BODY_LENGTH ? (size_t)h->body_bytes : 1;
    if (h->body == HTTP_BODY_NONE) {
        handle_body(c, h->n_bytes);
        return;
    }
    if (!grow_body(c, want_bytes)) {
        struct api_error error;
        (void)api_fail(&error, API_OVERLOADED, NULL,
                       "Too many large requests are being read at once.");
        error.retry_after_s = 2;
        answer_fail(c->env->api, &c->call, &error, NULL);
        after_handler(c, API_ANSWERED, c->in_bytes);
        return;
    }
    chunk_init(&c->chunk);
    enter(c, CONN_BODY);
    if (h->expects_continue && c->in_bytes == h->n_bytes &&
        !chain_put(&c->call.out, STR("HTTP/1.1 100 Continue\r\n\r\n")))
        c->call.is_broken = true;
}

static void run_head(struct conn *c)
{
    struct api *a = c->env->api;
    if (c->state == CONN_IDLE) {
        api_begin(a, &c->call);
        c->call.is_last = ++c->n_requests >= CONN_MAX_REQUESTS;
        enter(c, CONN_HEAD);
    }
    enum http_result r = http_parse(&c->http, c->in, c->in_bytes, &c->head);
    if (r == HTTP_BAD) {
        answer_bad(c, api_code_of_status(c->http.refusal.status), c->http.refusal.message);
    } else if (r == HTTP_DONE) {
        http_init(&c->http);
        c->has_call = true;
        c->call.head = &c->head;
        c->call.tls_version = c->is_tls ? tls_version(c->tls) : "-";
        enum api_next next = api_admit(a, &c->call);
        wipe_keys(c);
        if (next == API_READ_BODY)
            begin_body(c);
        else
            after_handler(c, next, c->call.has_unread_body ? c->in_bytes : c->head.n_bytes);
    }
}

static bool take_body_bytes(struct conn *c, struct str piece)
{
    struct api *a = c->env->api;
    size_t n_bytes = c->body_bytes + piece.n_bytes;
    if (n_bytes > a->cfg.body_bytes) {
        c->call.has_unread_body = true;
        answer_error(a, &c->call, API_TOO_LARGE, NULL, "The body limit is %u bytes.",
                     a->cfg.body_bytes);
        after_handler(c, API_ANSWERED, c->in_bytes);
        return false;
    }
    if (!grow_body(c, n_bytes)) {
        answer_bad(c, API_OVERLOADED, "Too many large requests are being read at once.");
        return false;
    }
    if (piece.n_bytes)
        memcpy(c->body + c->body_bytes, piece.p, piece.n_bytes);
    c->body_bytes = n_bytes;
    return true;
}

/* What stands behind the head belongs to the body; it is taken out, so the head stays where it is.
 */
static void run_sized_body(struct conn *c)
{
    size_t n_have = c->in_bytes - c->head.n_bytes,
           n_need = (size_t)c->head.body_bytes - c->body_bytes;
    size_t n = n_have < n_need ? n_have : n_need;
    if (!take_body_bytes(c, (struct str){c->in + c->head.n_bytes, n}))
        return;
    size_t used_end = c->head.n_bytes + n;
    if (n == n_need) {
        handle_body(c, used_end);
        return;
    }
    cut_in(c, c->head.n_bytes); /* all of it was taken */
}

static void run_chunked_body(struct conn *c)
{
    size_t at = c->head.n_bytes, n_used;
    enum chunk_result r;
    do {
        struct str piece;
        r = chunk_decode(&c->chunk, (struct str){c->in + at, c->in_bytes - at}, &n_used, &piece);
        at += n_used;
        if (r == CHUNK_BODY && !take_body_bytes(c, piece))
            return;
    } while (r == CHUNK_BODY);
    if (r == CHUNK_BAD)
        answer_bad(c, API_MALFORMED_REQUEST, "The chunked body is malformed.");
    else if (r == CHUNK_FINISHED)
        handle_body(c, at);
    else
        cut_in(c, c->head.n_bytes);
}

/* ---- out ---- */

static void note_sent(struct conn *c, size_t n_bytes)
{
    chain_drop(&c->call.out, n_bytes);
    c->call.n_sent_bytes += n_bytes;
    if (n_bytes)
        c->sent_at_ms = c->env->api->mono_ms;
    if (n_bytes && c->call.out.n_bytes < API_OUT_HIGH_BYTES / 2 && c->state == CONN_BUSY)
        api_drained(c->env->api, &c->call);
}

struct str conn_wire_out(const struct conn *c)
{
    return c->is_tls ? tls_wire_out(c->tls) : chain_front(&c->call.out);
}

void conn_wire_out_done(struct conn *c, size_t n_bytes)
{
    if (!c->is_tls) {
        note_sent(c, n_bytes);
        return;
    }
    tls_wire_out_done(c->tls, n_bytes);
    if (n_bytes)
        c->sent_at_ms = c->env->api->mono_ms;
}

static void encrypt_out(struct conn *c)
{
    while (c->is_tls && c->call.out.n_bytes && c->state != CONN_DEAD) {
        size_t n;
        enum tls_result r = tls_write(c->tls, chain_front(&c->call.out), &n);
        note_sent(c, n);
        if (r == TLS_OK)
            continue;
        if (r == TLS_CLOSED || r == TLS_FAILED)
            c->is_gone = true;
        break;
    }
}

/* RFC 8446 6.1: close_notify before our direction ends. Only an answer that is cut short ends
 * without, so that the client can tell it from a whole one. */
static void enter_dead(struct conn *c)
{
    bool is_cut = c->has_call && c->call.is_started;
    if (c->is_tls && !is_cut)
        tls_say_goodbye(c->tls);
    enter(c, CONN_DEAD);
}

void conn_end(struct conn *c)
{
    c->is_gone = true;
    enter_dead(c);
}

static void begin_linger(struct conn *c)
{
    if (c->is_tls)
        tls_say_goodbye(c->tls);
    enter(c, CONN_LINGER);
}

/* The answer is out: the next request, or the end. */
static void finish_call(struct conn *c)
{
    bool must_close = c->call.must_close || c->call.is_broken || c->is_gone;
    bool was_broken = c->call.is_broken;
    api_end(c->env->api, &c->call);
    c->has_call = false;
    if (was_broken)
        enter(c, CONN_DEAD);
    else if (must_close)
        begin_linger(c);
    else
        enter(c, CONN_IDLE);
}

/* ---- driving ---- */

static void run_handshake(struct conn *c)
{
    enum tls_result r = tls_handshake(c->tls);
    if (r == TLS_OK) {
        enter(c, CONN_IDLE);
    } else if (r != TLS_WAIT) {
        metrics_count_tls_error(c->env->api->metrics, r == TLS_CLOSED ? "closed" : "failed");
        log_event(LOG_DEBUG, "handshake-failed", "reason=\"%s\"", tls_failure(c->tls));
        c->is_gone = true;
        enter(c, CONN_DEAD);
    }
}

static void run_gone(struct conn *c)
{
    if (c->state == CONN_SEND && (c->call.out.n_bytes || conn_wire_out(c).n_bytes))
        return; /* it may have closed its direction only: the answer is tried */
    enter_dead(c);
}

/* The handler is at work; or the body waits for its turn, which may come to nothing. */
static bool run_busy(struct conn *c)
{
    if (c->call.is_due) {
        c->call.is_due = false;
        after_handler(c, api_handle(c->env->api, &c->call), 0);
    } else if (c->call.is_done) {
        release_body(c);
        enter(c, CONN_SEND);
    }
    return c->state != CONN_BUSY;
}

/* One step; true if another may follow. */
static bool step(struct conn *c)
{
    switch (c->state) {
    case CONN_HANDSHAKE:
        run_handshake(c);
        return c->state == CONN_IDLE;
    case CONN_IDLE:
    case CONN_HEAD:
        if (c->in_bytes == 0)
            return false;
        run_head(c);
        return c->state != CONN_HEAD;
    case CONN_BODY:
        if (c->head.body == HTTP_BODY_LENGTH)
            run_sized_body(c);
        else
            run_chunked_body(c);
        return c->state != CONN_BODY;
    case CONN_BUSY:
        return run_busy(c);
    case CONN_SEND:
        if (c->call.out.n_bytes)
            return false;
        finish_call(c);
        return true;
    case CONN_LINGER:
        c->n_lingered_bytes += c->in_bytes;
        drop_in(c, c->in_bytes);
        if (conn_wire_out(c).n_bytes == 0)
            c->wants_fin = true;
        if (c->n_lingered_bytes > CONN_LINGER_BYTES)
            enter_dead(c);
        return false;
    case CONN_UNUSED:
    case CONN_DEAD:
        break;
    }
    return false;
}

void conn_run(struct conn *c)
{
    c->is_woken = false;
    for (bool goes_on = true; goes_on && c->state != CONN_DEAD && c->state != CONN_UNUSED;) {
        bool has_more = fill_in(c);
        goes_on = step(c) || has_more;
        encrypt_out(c);
        if (c->call.is_broken && c->call.out.n_bytes == 0)
            enter(c, CONN_DEAD);
    }
    if (c->is_gone && c->state != CONN_DEAD && c->state != CONN_UNUSED)
        run_gone(c);
}

bool conn_is_dead(const struct conn *c)
{
    return c->state == CONN_DEAD &&
           (conn_wire_out(c).n_bytes == 0 || c->call.is_broken || c->is_gone);
}

/* ---- deadlines ---- */

static int64_t body_deadline(const struct conn *c)
{
    int64_t stall_ms = c->progress_at_ms + c->env->api->cfg.body_timeout_ms;
    int64_t paid_ms = (int64_t)c->body_bytes * 1000 / CONN_MIN_BODY_BYTES_PER_S;
    int64_t rate_ms = c->since_ms + (paid_ms > CONN_SLOW_AFTER_MS ? paid_ms : CONN_SLOW_AFTER_MS);
    return stall_ms < rate_ms ? stall_ms : rate_ms;
}

static bool has_output(const struct conn *c)
{
    return c->call.out.n_bytes || conn_wire_out(c).n_bytes;
}

int64_t conn_deadline_ms(const struct conn *c)
{
    const struct edge_config *cfg = &c->env->api->cfg;
    switch (c->state) {
    case CONN_HANDSHAKE:
        return c->since_ms + cfg->handshake_timeout_ms;
    case CONN_IDLE:
        return c->since_ms + cfg->idle_timeout_ms;
    case CONN_HEAD:
        return c->since_ms + cfg->head_timeout_ms;
    case CONN_BODY:
        return body_deadline(c);
    case CONN_BUSY: /* the generation has its own wall limits */
    case CONN_SEND:
        return has_output(c) ? c->sent_at_ms + cfg->write_timeout_ms : INT64_MAX;
    case CONN_LINGER:
        return c->since_ms + CONN_LINGER_MS;
    case CONN_UNUSED:
    case CONN_DEAD:
        break;
    }
    return INT64_MAX;
}

void conn_tick(struct conn *c)
{
    if (c->state == CONN_UNUSED)
        return;
    if (!has_output(c))
        c->sent_at_ms = c->env->api->mono_ms;
    if (c->env->api->mono_ms < conn_deadline_ms(c))
        return;
    if (c->state == CONN_HEAD || c->state == CONN_BODY) {
        answer_bad(c, API_TIMEOUT,
                   c->state == CONN_HEAD ? "The request head did not arrive in time."
                                         : "The request body did not arrive in time.");
        conn_run(c);
        return;
    }
    conn_end(c);
}
