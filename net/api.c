#include "net/api.h"

#include "net/answer.h"
#include "net/api_chat.h"
#include "net/api_models.h"
#include "net/api_pages.h"
#include "net/gen.h"
#include "net/lane.h"
#include "runtime/base/log.h"
#include "runtime/base/secret.h"

#include <string.h>

enum route_flag {
    ROUTE_POST = 1,      /* POST; else GET and HEAD */
    ROUTE_PREFIX = 2,    /* any path that begins so and goes on */
    ROUTE_PLAIN = 4,     /* also without TLS */
    ROUTE_ENGINE = 8,    /* makes no sense without a model */
    ROUTE_UNLISTED = 16, /* no audit line for a success: polled */
};

struct route {
    const char *path;
    uint32_t flags;
    uint32_t scope; /* enum key_scope; 0 = no key */
    enum api_next (*handle)(struct api *a, struct api_call *call);
};

static const struct route routes[] = {
    /* path                             flags                        scope        handler */
    {"/v1/chat/completions", ROUTE_POST | ROUTE_ENGINE, KEY_CHAT, api_chat_handle},
    {"/chat/completions", ROUTE_POST | ROUTE_ENGINE, KEY_CHAT, api_chat_handle},
    {"/v1/chat/completions/input_tokens", ROUTE_POST | ROUTE_ENGINE, KEY_CHAT,
     api_chat_input_tokens},
    {"/v1/models", 0, KEY_CHAT, api_models_list},
    {"/v1/models/", ROUTE_PREFIX, KEY_CHAT, api_models_one},
    {"/health", ROUTE_UNLISTED, 0, api_pages_health},
    {"/v1/health", ROUTE_UNLISTED, 0, api_pages_health},
    {"/health/ready", ROUTE_UNLISTED, 0, api_pages_health},
    {"/health/live", ROUTE_UNLISTED, 0, api_pages_live},
    {"/metrics", ROUTE_UNLISTED, KEY_METRICS, api_pages_metrics},
    {"/ca.crt", ROUTE_PLAIN | ROUTE_UNLISTED, 0, api_pages_ca_pem},
    {"/ca.der", ROUTE_PLAIN | ROUTE_UNLISTED, 0, api_pages_ca_der},
    {"/setup", ROUTE_PLAIN | ROUTE_UNLISTED, 0, api_pages_setup},
};

static const struct route *find_route(const char *path)
{
    for (size_t i = 0; i < sizeof routes / sizeof *routes; i++) {
        size_t n = strlen(routes[i].path);
        bool is_it = routes[i].flags & ROUTE_PREFIX
                         ? strncmp(path, routes[i].path, n) == 0 && path[n]
                         : strcmp(path, routes[i].path) == 0;
        if (is_it)
            return &routes[i];
    }
    return NULL;
}

static const char *allow_of(const struct route *r)
{
    return r->flags & ROUTE_POST ? "POST, OPTIONS" : "GET, HEAD, OPTIONS";
}

const struct key_record *api_key(const struct api *a, const struct api_call *call)
{
    return call->key_no == KEY_NONE ? NULL : &a->auth->table->keys[call->key_no];
}

struct limit_who api_limit_who(const struct api *a, const struct api_call *call)
{
    return (struct limit_who){api_key(a, call), call->key_no, a->mono_ms, a->wall_s};
}

void api_begin(struct api *a, struct api_call *call)
{
    struct api_call kept = *call;
    memset(call, 0, sizeof *call);
    call->head = kept.head;
    call->addr = kept.addr;
    call->is_tls = kept.is_tls;
    call->tls_version = kept.tls_version;
    call->out = kept.out;
    call->key_no = KEY_NONE;
    call->began_at_ms = a->mono_ms;
    secret_base62(call->id, API_ID_BYTES);
}

/* ---- admission: each step answers and says false, or lets pass ---- */

static bool refuse(struct api *a, struct api_call *call, enum api_code code, const char *message)
{
    answer_error(a, call, code, NULL, "%s", message);
    return false;
}

static bool host_is_ours(const struct api *a, struct str host)
{
    struct addr want, have;
    size_t colon = SIZE_MAX;
    for (size_t i = 0; i < host.n_bytes; i++)
        if (host.p[i] == ':')
            colon = i;
    if (host.n_bytes &&
        host.p[0] == '[') { /* RFC 3986 3.2.2: addresses with colons stand in brackets */
        size_t end = str_find(host, STR("]"), 0);
        if (end == SIZE_MAX)
            return false;
        host = (struct str){host.p + 1, end - 1};
    } else if (colon != SIZE_MAX) {
        host.n_bytes = colon;
    }
    bool is_address = addr_parse(host, &want);
    for (uint32_t i = 0; i < a->cfg.n_names; i++) {
        const char *name = a->cfg.names[i];
        if (is_address ? addr_parse(str_of(name), &have) && addr_eq(&have, &want)
                       : http_name_is(host, name))
            return true;
    }
    return false;
}

/* The decoded path, without a trailing slash. */
static bool take_path(struct api_call *call)
{
    size_t n;
    if (!http_decode_path(call->head->path, call->path, sizeof call->path - 1, &n))
        return false;
    call->path[n] = 0;
    if (n > 1 && call->path[n - 1] == '/')
        call->path[n - 1] = 0;
    return true;
}

static bool admit_plain(struct api *a, struct api_call *call)
{
    if (call->is_tls || (call->route && call->route->flags & ROUTE_PLAIN))
        return true;
    if (http_field(call->head, "authorization") || http_field(call->head, "x-api-key")) {
        char addr[ADDR_TEXT_BYTES];
        addr_text(&call->addr, addr);
        call->audit.key_in_clear = true;
        log_event(LOG_WARN, "key-in-clear",
                  "address=%s hint=\"a key was sent without TLS: revoke it\"", addr);
    }
    return refuse(a, call, API_TLS_REQUIRED,
                  "Use https; this port serves only the CA certificate.");
}

static bool admit_method(struct api *a, struct api_call *call)
{
    const struct http_head *h = call->head;
    if (h->method == HTTP_OPTIONS) {
        answer_options(a, call, call->route ? allow_of(call->route) : "GET, HEAD, POST, OPTIONS");
        return false;
    }
    bool is_allowed = call->route->flags & ROUTE_POST
                          ? h->method == HTTP_POST
                          : h->method == HTTP_GET || h->method == HTTP_HEAD;
    if (is_allowed)
        return true;
    struct api_error error;
    (void)api_fail(&error, API_METHOD, NULL, "This path does not take that method.");
    answer_fail(a, call, &error, allow_of(call->route));
    return false;
}

static bool fail_with_retry(struct api *a, struct api_call *call, enum api_code code,
                            uint32_t retry_after_s, const char *message)
{
    struct api_error error;
    (void)api_fail(&error, code, NULL, "%s", message);
    error.retry_after_s = retry_after_s;
    answer_fail(a, call, &error, NULL);
    return false;
}

static bool admit_key(struct api *a, struct api_call *call)
{
    if (!call->route->scope)
        return true;
    if (auth_is_blocked(a->auth, &call->addr, a->mono_ms))
        return fail_with_retry(a, call, API_RATE_LIMIT, 60,
                               "Too many wrong keys came from this address.");
    int key_no;
    enum auth_result r = auth_check(a->auth, http_field(call->head, "authorization"),
                                    http_field(call->head, "x-api-key"), a->wall_s, &key_no);
    if (r != AUTH_OK) {
        a->metrics->auth_failures++;
        if (r != AUTH_MISSING) /* who tries no key learns nothing */
            auth_note_failure(a->auth, &call->addr, a->mono_ms);
    }
    switch (r) {
    case AUTH_MISSING:
        return refuse(a, call, API_MISSING_KEY, "An API key is needed: Authorization: Bearer KEY.");
    case AUTH_INVALID:
        return refuse(a, call, API_INVALID_KEY, "The API key is not valid.");
    case AUTH_EXPIRED:
        return refuse(a, call, API_KEY_EXPIRED, "The API key has expired.");
    case AUTH_REVOKED:
        return refuse(a, call, API_KEY_REVOKED, "The API key has been revoked.");
    case AUTH_OK:
        break;
    }
    call->key_no = key_no;
    memcpy(call->key_id, api_key(a, call)->id, KEY_ID_BYTES);
    if (!(api_key(a, call)->scopes & (call->route->scope | KEY_ADMIN)))
        return refuse(a, call, API_SCOPE, "This API key may not use this path.");
    return true;
}

static bool is_json_type(struct str value) /* RFC 9110 8.3.1 */
{
    size_t end = str_find(value, STR(";"), 0);
    struct str type = {value.p, end == SIZE_MAX ? value.n_bytes : end};
    while (type.n_bytes && (type.p[type.n_bytes - 1] == ' ' || type.p[type.n_bytes - 1] == '\t'))
        type.n_bytes--;
    if (!http_name_is(type, "application/json"))
        return false;
    for (size_t at = 0; at + 8 <= value.n_bytes; at++)
        if (http_name_is((struct str){value.p + at, 8}, "charset=")) {
            struct str rest = {value.p + at + 8, value.n_bytes - at - 8};
            bool is_quoted = rest.n_bytes && rest.p[0] == '"';
            rest = (struct str){rest.p + is_quoted, rest.n_bytes - is_quoted};
            return rest.n_bytes >= 5 && http_name_is((struct str){rest.p, 5}, "utf-8");
        }
    return true;
}

static bool admit_body(struct api *a, struct api_call *call)
{
    const struct http_head *h = call->head;
    const struct str *type = http_field(h, "content-type"),
                     *encoding = http_field(h, "content-encoding");
    if (h->body == HTTP_BODY_NONE && !h->has_length)
        return refuse(a, call, API_LENGTH_REQUIRED,
                      "Content-Length or Transfer-Encoding: chunked is needed.");
    if (encoding && !http_name_is(*encoding, "identity"))
        return refuse(a, call, API_MEDIA_TYPE, "Content-Encoding must be identity.");
    if (!type || !is_json_type(*type))
        return refuse(a, call, API_MEDIA_TYPE, "The header Content-Type must be application/json.");
    if (h->body == HTTP_BODY_LENGTH && h->body_bytes > a->cfg.body_bytes) {
        answer_error(a, call, API_TOO_LARGE, NULL, "The body limit is %u bytes.",
                     a->cfg.body_bytes);
        return false;
    }
    return true;
}

static bool admit_load(struct api *a, struct api_call *call)
{
    uint32_t retry_after_s;
    if (!(call->route->flags & ROUTE_ENGINE))
        return true;
    if (a->is_draining)
        return fail_with_retry(a, call, API_SHUTTING_DOWN, 10, "The server is shutting down.");
    if (a->engine_state == API_ENGINE_IS_LOADING)
        return fail_with_retry(a, call, API_LOADING, 2, "The model is loading.");
    if (a->engine_state == API_ENGINE_IS_DOWN)
        return fail_with_retry(a, call, API_ENGINE_DOWN, 2, "The engine is being restarted.");
    struct limit_who who = api_limit_who(a, call);
    if (limit_request(a->limit, &who, &retry_after_s) != LIMIT_OK)
        return fail_with_retry(a, call, API_RATE_LIMIT, retry_after_s,
                               "This key has used its requests of the last minute.");
    return true;
}

static bool admit(struct api *a, struct api_call *call)
{
    const struct http_head *h = call->head;
    bool has_path = take_path(call);
    call->route = has_path ? find_route(call->path) : NULL;
    if (!admit_plain(a, call))
        return false;
    if (!host_is_ours(a, h->host) && h->minor == 1)
        return refuse(a, call, API_UNKNOWN_HOST,
                      "This host name is not in the server's certificate.");
    if (h->expects_other)
        return refuse(a, call, API_EXPECTATION, "Only Expect: 100-continue is understood.");
    if (!call->route && !str_is(h->target, "*"))
        return refuse(a, call, API_UNKNOWN_URL, "There is nothing at this path.");
    if (!admit_method(a, call) || !admit_key(a, call))
        return false;
    return !(call->route->flags & ROUTE_POST) || (admit_body(a, call) && admit_load(a, call));
}

enum api_next api_admit(struct api *a, struct api_call *call)
{
    call->is_head = call->head->method == HTTP_HEAD;
    call->is_chunked = call->head->minor == 1;
    call->must_close = !call->head->keeps_alive || call->is_last || a->is_draining;
    call->has_unread_body = call->head->body != HTTP_BODY_NONE;
    if (!admit(a, call))
        return API_ANSWERED;
    if (call->route->flags & ROUTE_POST)
        return API_READ_BODY;
    return call->route->handle(a, call);
}

enum api_next api_handle(struct api *a, struct api_call *call)
{
    if (call->route->scope && call->key_no == KEY_NONE) { /* revoked while the body came in */
        (void)refuse(a, call, API_KEY_REVOKED, "The API key has been revoked.");
        return API_ANSWERED;
    }
    return call->route->handle(a, call);
}

/* ---- what happens to a call later ---- */

void api_drained(struct api *a, struct api_call *call)
{
    if (call->gen)
        gen_drained(a, call);
}

void api_gone(struct api *a, struct api_call *call)
{
    lane_gone(a, call);
    if (call->gen)
        gen_gone(a, call);
}

void api_end(struct api *a, struct api_call *call)
{
    const char *path = !call->route                        ? "-"
                       : call->route->flags & ROUTE_PREFIX ? "/v1/models/{id}"
                                                           : call->route->path;
    metrics_count_request(a->metrics, path, call->status);
    if (call->error_code)
        metrics_count_rejected(a->metrics, call->error_code);
    if (call->route && call->route->flags & ROUTE_UNLISTED && call->status < 400)
        return;
    struct audit_line line = {
        .wall_s = a->wall_s,
        .id = call->id,
        .key_id = call->key_no == KEY_NONE ? NULL : call->key_id,
        .addr = &call->addr,
        .path = path,
        .status = call->status,
        .error_code = call->error_code,
        .tls_version = call->is_tls ? call->tls_version : "-",
        .n_sent_bytes = call->n_sent_bytes,
        .total_ms = a->mono_ms - call->began_at_ms,
        .entry = &call->audit,
    };
    audit_write(a->audit, &line);
}

static void take_info(struct api *a, const struct engine_info *info)
{
    a->info = *info;
    if (a->info.n_ctx > API_MAX_CONTEXT_TOKENS)
        a->info.n_ctx = API_MAX_CONTEXT_TOKENS;
    a->engine_state = a->has_tok ? API_ENGINE_IS_READY : API_ENGINE_IS_LOADING;
}

bool api_engine_events(struct api *a)
{
    struct engine_event ev;
    bool is_broken = false;
    while (a->engine && engine_client_next(a->engine, &ev, &is_broken)) {
        if (ev.type == EVENT_LOADING)
            a->loading_frac = ev.loading_frac;
        else if (ev.type == EVENT_READY)
            take_info(a, &ev.info);
        else
            gen_event(a, &ev);
    }
    return !is_broken;
}

void api_engine_down(struct api *a)
{
    a->engine_state = API_ENGINE_IS_DOWN;
    lane_engine_down(a);
    gen_engine_down(a);
}

void api_tick(struct api *a)
{
    gen_tick(a);
    lane_tick(a);
}

void api_work(struct api *a)
{
    lane_work(a);
}

bool api_has_work(const struct api *a)
{
    return a->lane->call != NULL;
}

void api_keys_changed(struct api *a)
{
    limit_load(a->limit, a->auth->table, a->mono_ms);
    gen_keys_changed(a);
}
