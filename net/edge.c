#include "net/edge.h"

#include "net/edge_memory.h"
#include "net/gen.h"
#include "net/json_memory.h"
#include "runtime/base/clock.h"
#include "runtime/base/ctl.h"
#include "runtime/base/fd_limit.h"
#include "runtime/base/log.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* OWN_FDS: standard ones, control, listeners, audit log, event queue, rings, a table in passing,
 * and one accepted connection too many. */
enum { HEARTBEAT_MS = 1000, GEN_TICK_MS = 100, OWN_FDS = 32 };

/* What came before START. */
struct edge_tables {
    const struct edge_config *cfg;
    const struct edge_cert *cert;
    const struct key_table *keys;
    int audit_fd;
    uint8_t audit_first[SECRET_HASH_BYTES]; /* hash of the log's last line */
    struct {
        int fd;
        uint32_t kind;
    } listeners[LOOP_MAX_LISTENERS];
    uint32_t n_listeners;
};

struct edge {
    struct edge_memory *m;
    struct engine_client engine;
    const void *tok_image;
    size_t tok_image_bytes;
    bool has_engine;
    int64_t beat_at_ms;
};

static bool say(uint32_t type, const char *text, struct err *e)
{
    struct ctl_msg m = {.version = CTL_VERSION, .type = type};
    size_t n = strlen(text) < sizeof m.text - 1 ? strlen(text) : sizeof m.text - 1;
    memcpy(m.text, text, n);
    return ctl_send(CTL_ROLE_FD, &m, NULL, 0, e);
}

/* ---- tables ---- */

/* The n-th descriptor of a message as a mapped table; the descriptor is closed either way. */
static const void *map_table(int fd, size_t n_bytes, struct err *e)
{
    size_t n;
    const void *table = ctl_map_sealed(fd, n_bytes, &n, e);
    close(fd);
    return table;
}

static bool check_version(uint32_t got, const char *what, struct err *e)
{
    return got == EDGE_CTL_VERSION ||
           err_set(e, ERR_FORMAT, "edge: %s of version %u, not %d", what, got, EDGE_CTL_VERSION);
}

static bool take_config(struct edge_tables *t, int fd, struct err *e)
{
    const struct edge_config *c = map_table(fd, sizeof *c, e);
    if (!c || !check_version(c->version, "configuration", e))
        return false;
    bool is_sound =
        c->n_names <= EDGE_MAX_NAMES && memchr(c->model_alias, 0, sizeof c->model_alias);
    for (uint32_t i = 0; is_sound && i < c->n_names; i++)
        is_sound = memchr(c->names[i], 0, EDGE_NAME_BYTES) != NULL;
    t->cfg = c;
    return is_sound || err_set(e, ERR_FORMAT, "edge: damaged configuration");
}

static const struct edge_cert *take_cert(int fd, struct err *e)
{
    const struct edge_cert *c = map_table(fd, sizeof *c, e);
    if (!c || !check_version(c->version, "certificate", e))
        return NULL;
    if (!memchr(c->chain_pem, 0, sizeof c->chain_pem) ||
        !memchr(c->key_pem, 0, sizeof c->key_pem) || !memchr(c->ca_pem, 0, sizeof c->ca_pem))
        return err_null(e, ERR_FORMAT, "edge: damaged certificate table");
    return c;
}

static bool use_cert(struct edge_memory *m, const struct edge_cert *c, struct err *e)
{
    struct cert_info info;
    struct api_ca *ca = &m->api.ca;
    if (!tls_set_cert(m->env.tls, c->chain_pem, c->key_pem, e) || !cert_read(c->ca_pem, &info, e))
        return false;
    memcpy(ca->pem, c->ca_pem, sizeof ca->pem);
    ca->der_bytes = tls_cert_der(c->ca_pem, ca->der, sizeof ca->der);
    memcpy(ca->fingerprint, info.fingerprint, sizeof ca->fingerprint);
    return true;
}

static void close_fds(const int *fds, uint32_t n_fds)
{
    for (uint32_t i = 0; i < n_fds; i++)
        close(fds[i]);
}

static int hex_digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool take_audit(struct edge_tables *t, const struct ctl_msg *msg, int fd, struct err *e)
{
    t->audit_fd = fd;
    for (size_t i = 0; msg->text[0] && i < sizeof t->audit_first; i++) {
        int high = hex_digit(msg->text[2 * i]),
            low = high < 0 ? -1 : hex_digit(msg->text[2 * i + 1]);
        if (low < 0)
            return err_set(e, ERR_FORMAT, "edge: damaged hash of the audit log");
        t->audit_first[i] = (uint8_t)(high * 16 + low);
    }
    return true;
}

/* One message of the start sequence. */
static bool collect(struct edge_tables *t, const struct ctl_msg *msg, const int *fds, struct err *e)
{
    uint32_t want_fds = msg->type == EDGE_CTL_START ? 0 : 1;
    if (msg->n_fds != want_fds) {
        close_fds(fds, msg->n_fds);
        return err_set(e, ERR_FORMAT, "edge: message %u with %u descriptors", msg->type,
                       msg->n_fds);
    }
    switch (msg->type) {
    case EDGE_CTL_CONFIG:
        return take_config(t, fds[0], e);
    case EDGE_CTL_CERT:
        t->cert = take_cert(fds[0], e);
        return t->cert != NULL;
    case EDGE_CTL_KEYS:
        t->keys = map_table(fds[0], sizeof *t->keys, e);
        return t->keys != NULL;
    case EDGE_CTL_AUDIT:
        return take_audit(t, msg, fds[0], e);
    case EDGE_CTL_LISTEN:
        if (t->n_listeners == LOOP_MAX_LISTENERS)
            return err_set(e, ERR_LIMIT, "edge: more than %d listening sockets",
                           LOOP_MAX_LISTENERS);
        t->listeners[t->n_listeners].fd = fds[0];
        t->listeners[t->n_listeners++].kind = msg->arg;
        return true;
    case EDGE_CTL_START:
        return (t->cfg && t->cert && t->keys) ||
               err_set(e, ERR_STATE, "edge: START before configuration, certificate and keys");
    default:
        return err_set(e, ERR_FORMAT, "edge: message %u before START", msg->type);
    }
}

static bool collect_all(struct edge_tables *t, struct err *e)
{
    struct ctl_msg msg = {0};
    int fds[CTL_MAX_FDS];
    memset(t, 0, sizeof *t);
    t->audit_fd = -1;
    while (msg.type != EDGE_CTL_START) {
        enum ctl_result r = ctl_recv(CTL_ROLE_FD, &msg, fds);
        if (r != CTL_MSG)
            return err_set(e, ERR_IO, "edge: no START from boot");
        if (!collect(t, &msg, fds, e))
            return false;
    }
    return true;
}

/* ---- start ---- */

static void wake(struct api_call *call)
{
    struct conn *c = (struct conn *)(void *)((char *)call - offsetof(struct conn, call));
    c->is_woken = true;
}

static bool open_all(struct edge *edge, struct edge_tables *t, struct err *e)
{
    edge->m = edge_memory_take(t->cfg, e);
    if (!edge->m)
        return false;
    struct edge_memory *m = edge->m;
    m->api.wake = wake;
    m->api.mono_ms = clock_mono_ms();
    m->api.wall_s = clock_wall_s();
    uint32_t seed = 0;
    if (!secret_init(e))
        return false;
    while (seed == 0)
        secret_random(&seed, sizeof seed);
    json_memory_use(&m->json_heap, seed);
    if (!tls_open(m->env.tls, &m->tls_heap, e) || !use_cert(m, t->cert, e) ||
        !auth_open(&m->auth, e) || !auth_load(&m->auth, t->keys, e))
        return false;
    limit_init(&m->limit);
    limit_load(&m->limit, m->auth.table, m->api.mono_ms);
    metrics_init(&m->metrics, m->api.wall_s);
    audit_open(&m->audit, t->audit_fd, t->audit_first);
    (void)munmap((void *)(uintptr_t)t->cert, sizeof *t->cert);
    (void)munmap((void *)(uintptr_t)t->keys, sizeof *t->keys);
    if (!loop_open(&m->loop, &m->env, e) || !loop_watch(&m->loop, CTL_ROLE_FD, LOOP_CTL, e))
        return false;
    for (uint32_t i = 0; i < t->n_listeners; i++)
        if (!loop_listen(
                &m->loop, t->listeners[i].fd,
                t->listeners[i].kind == EDGE_LISTEN_PLAIN ? EDGE_LISTEN_PLAIN : EDGE_LISTEN_TLS, e))
            return false;
    return true;
}

bool edge_raise_fd_limit(uint32_t max_conns, struct err *e)
{
    return fd_limit_raise(max_conns + OWN_FDS, "max_connections", e);
}

static bool start(struct edge *edge, const struct edge_hooks *hooks, struct err *e)
{
    struct edge_tables tables;
    if (!collect_all(&tables, e))
        return false;
    log_init(STDERR_FILENO, "edge", tables.cfg->log_level);
    if (!edge_raise_fd_limit(tables.cfg->max_conns, e) || !open_all(edge, &tables, e) ||
        !hooks->enter_sandbox(e))
        return false;
    int flags = fcntl(CTL_ROLE_FD, F_GETFL);
    if (flags < 0 || fcntl(CTL_ROLE_FD, F_SETFL, flags | O_NONBLOCK) < 0)
        return err_sys(e, "edge: cannot unblock the control socket");
    return say(EDGE_CTL_READY, "", e);
}

/* ---- the engine's life ---- */

static void drop_engine(struct edge *edge)
{
    struct api *a = &edge->m->api;
    if (!edge->has_engine)
        return;
    loop_unwatch(&edge->m->loop, edge->engine.wake_edge_fd);
    api_engine_down(a);
    a->engine = NULL;
    a->has_tok = false;
    engine_client_close(&edge->engine);
    (void)munmap((void *)(uintptr_t)edge->tok_image, edge->tok_image_bytes);
    edge->has_engine = false;
}

static bool open_engine(struct edge *edge, const int *fds, struct err *e)
{
    struct api *a = &edge->m->api;
    edge->tok_image = ctl_map_sealed(fds[3], 0, &edge->tok_image_bytes, e);
    close(fds[3]);
    if (!edge->tok_image || !engine_client_open(&edge->engine, fds[0], fds[1], fds[2], e)) {
        close_fds(fds, 3);
        return false;
    }
    edge->has_engine = true;
    a->has_tok = tok_open(&a->tok, edge->tok_image, edge->tok_image_bytes, e);
    if (!a->has_tok || !loop_watch(&edge->m->loop, fds[2], LOOP_ENGINE, e))
        return false;
    a->engine = &edge->engine;
    a->engine_state = API_ENGINE_IS_LOADING;
    return true;
}

static void on_engine_events(struct edge *edge)
{
    if (edge->has_engine && !api_engine_events(&edge->m->api)) {
        log_event(LOG_ERROR, "engine-broken",
                  "hint=\"it sent a malformed message; waiting for its successor\"");
        drop_engine(edge);
    }
}

/* ---- running ---- */

static bool reload_keys(struct edge *edge, int fd, struct err *e)
{
    struct edge_memory *m = edge->m;
    const struct key_table *keys = map_table(fd, sizeof *keys, e);
    if (!keys)
        return false;
    bool ok = auth_load(&m->auth, keys, e);
    (void)munmap((void *)(uintptr_t)keys, sizeof *keys);
    for (uint32_t i = 0; ok && i < m->loop.max_conns; i++) {
        struct api_call *call = &m->loop.conns[i].call;
        if (m->loop.fds[i] >= 0 && call->key_no != KEY_NONE)
            call->key_no = auth_find(&m->auth, call->key_id, m->api.wall_s);
    }
    if (ok)
        api_keys_changed(&m->api);
    return ok;
}

static bool reload_cert(struct edge *edge, int fd, struct err *e)
{
    const struct edge_cert *c = take_cert(fd, e);
    bool ok = c && use_cert(edge->m, c, e);
    if (c)
        (void)munmap((void *)(uintptr_t)c, sizeof *c);
    return ok;
}

/* Only the names may change while running; the rest sized the memory. */
static bool reload_names(struct edge *edge, int fd, struct err *e)
{
    struct edge_tables t = {0};
    bool ok = take_config(&t, fd, e);
    if (ok) {
        edge->m->api.cfg.n_names = t.cfg->n_names;
        memcpy(edge->m->api.cfg.names, t.cfg->names, sizeof t.cfg->names);
    }
    if (t.cfg)
        (void)munmap((void *)(uintptr_t)t.cfg, sizeof *t.cfg);
    return ok;
}

static bool on_ctl_msg(struct edge *edge, const struct ctl_msg *msg, const int *fds, struct err *e)
{
    uint32_t want_fds = msg->type == EDGE_CTL_ENGINE_UP                                    ? 4
                        : msg->type == EDGE_CTL_ENGINE_DOWN || msg->type == EDGE_CTL_DRAIN ? 0
                                                                                           : 1;
    if (msg->n_fds != want_fds) {
        close_fds(fds, msg->n_fds);
        return err_set(e, ERR_FORMAT, "edge: message %u with %u descriptors", msg->type,
                       msg->n_fds);
    }
    switch (msg->type) {
    case EDGE_CTL_KEYS:
        return reload_keys(edge, fds[0], e);
    case EDGE_CTL_CERT:
        return reload_cert(edge, fds[0], e);
    case EDGE_CTL_CONFIG:
        return reload_names(edge, fds[0], e);
    case EDGE_CTL_AUDIT:
        audit_move(&edge->m->audit, fds[0]);
        return true;
    case EDGE_CTL_ENGINE_UP:
        drop_engine(edge);
        return open_engine(edge, fds, e);
    case EDGE_CTL_ENGINE_DOWN:
        drop_engine(edge);
        return true;
    case EDGE_CTL_DRAIN:
        edge->m->api.is_draining = true;
        loop_stop_listening(&edge->m->loop);
        return true;
    default:
        close_fds(fds, msg->n_fds);
        return err_set(e, ERR_FORMAT, "edge: unknown message %u", msg->type);
    }
}

/* false: boot is gone. A message that cannot be used is logged, and what was before stays. */
static bool on_ctl(struct edge *edge)
{
    struct ctl_msg msg;
    int fds[CTL_MAX_FDS];
    enum ctl_result r;
    while ((r = ctl_recv(CTL_ROLE_FD, &msg, fds)) == CTL_MSG) {
        struct err e = {0};
        if (!on_ctl_msg(edge, &msg, fds, &e))
            log_event(LOG_ERROR, "control", "error=\"%s\"", e.msg);
    }
    return r == CTL_AGAIN;
}

static bool beat(struct edge *edge)
{
    struct err e;
    int64_t now_ms = edge->m->api.mono_ms;
    if (now_ms < edge->beat_at_ms)
        return true;
    edge->beat_at_ms = now_ms + HEARTBEAT_MS;
    return say(EDGE_CTL_HEARTBEAT, "", &e);
}

static void run(struct edge *edge)
{
    struct edge_memory *m = edge->m;
    int64_t wait_ms = 0;
    for (bool is_alive = true; is_alive;) {
        uint32_t ready = loop_wait(&m->loop, (int)wait_ms);
        if (ready & LOOP_CTL && !on_ctl(edge))
            break;
        if (ready & LOOP_ENGINE)
            on_engine_events(edge);
        api_tick(&m->api);
        api_work(&m->api);
        wait_ms = loop_tick(&m->loop);
        is_alive = beat(edge) && !(m->api.is_draining && loop_drain(&m->loop));
        int64_t most_ms = gen_n_running(&m->api) + gen_n_waiting(&m->api)
                              ? GEN_TICK_MS
                              : edge->beat_at_ms - m->api.mono_ms;
        wait_ms = wait_ms < most_ms ? wait_ms : most_ms > 0 ? most_ms : 0;
        wait_ms = api_has_work(&m->api) ? 0 : wait_ms;
    }
    loop_close(&m->loop);
}

int edge_main(const struct edge_hooks *hooks)
{
    struct edge edge = {0};
    struct err e = {0};
    log_init(STDERR_FILENO, "edge", LOG_INFO);
    if (!start(&edge, hooks, &e)) {
        (void)say(EDGE_CTL_FAILED, e.msg, NULL);
        return 1;
    }
    run(&edge);
    return 0;
}
