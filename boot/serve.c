/* serve: boot's loop. It reads no hostile bytes: only its own files, signals and its roles' control
 * messages. */
#include "boot/serve.h"

#include "boot/audit_log.h"
#include "boot/listen.h"
#include "boot/roles.h"
#include "boot/sandbox.h"
#include "boot/state.h"
#include "boot/state_file.h"
#include "runtime/base/clock.h"
#include "runtime/base/ctl.h"
#include "runtime/base/log.h"
#include "runtime/base/version.h"
#include "runtime/engine_loop.h"
#include "runtime/engine_role.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CERT_CHECK_MS = 3600 * 1000, AUDIT_CHECK_MS = 10 * 1000, N_OWN_FDS = 3 };

struct server {
    struct config cfg;
    struct state state;
    struct audit_log audit;
    struct sup sup[ROLE_N];
    struct role_process process[ROLE_N];
    struct names names;
    struct names_watch names_watch;
    int tls_listen_fd, plain_listen_fd, signal_fd, watch_fd;
    int tok_fd;      /* the engine's tokenizer image; -1 while it is not loaded */
    int exit_status; /* of the role that died last */
    int64_t cert_check_at_ms, audit_check_at_ms;
    char first_key[KEY_TEXT_BYTES + 1]; /* made by this start, "" otherwise */
    char model_id[128];
    char last_error[240]; /* what a role said before it died */
    bool has_state;       /* the state directory is open */
    bool is_announced, is_stopping;
    int exit_code;
};

/* ---- what the roles are given ---- */

/* All but the names. */
static void fill_edge_config(const struct config *c, struct edge_config *ec)
{
    *ec = (struct edge_config){
        .version = EDGE_CTL_VERSION,
        .max_conns = (uint32_t)c->max_connections,
        .max_conns_per_ip = (uint32_t)c->connections_per_address,
        .n_bodies = (uint32_t)c->bodies,
        .body_bytes = (uint32_t)c->body_mib << 20,
        .max_requests = 256 + (uint32_t)c->queue,
        .default_max_tokens = (uint32_t)c->max_tokens,
        .handshake_timeout_ms = (uint32_t)c->handshake_timeout_ms,
        .head_timeout_ms = (uint32_t)c->head_timeout_ms,
        .body_timeout_ms = (uint32_t)c->body_timeout_ms,
        .idle_timeout_ms = (uint32_t)c->idle_timeout_ms,
        .write_timeout_ms = (uint32_t)c->write_timeout_ms,
        .stream_limit_ms = (uint32_t)c->stream_limit_ms,
        .plain_limit_ms = (uint32_t)c->plain_limit_ms,
        .thinking_default = (uint8_t)c->thinking,
        .timings = (uint8_t)c->timings,
        .strict_params = (uint8_t)c->strict_parameters,
        .log_level = (uint8_t)c->log_level,
        .port = (uint16_t)c->port,
    };
    snprintf(ec->model_alias, sizeof ec->model_alias, "%.*s", (int)sizeof ec->model_alias - 1,
             c->model_alias);
}

/* edge: the other role's plan, which takes its part of the same memory. */
static void fill_load_config(const struct config *c, const struct plan *edge,
                             struct load_config *lc)
{
    *lc = (struct load_config){
        .n_ctx = (uint32_t)c->context_tokens,
        .max_seqs = (uint32_t)c->users,
        .kv_type = (enum kv_type)c->kv,
        .kv_tokens = c->kv_tokens,
        .max_rows = (uint32_t)c->batch_rows,
        .max_queued = (uint32_t)c->queue,
        .n_threads = (uint32_t)c->threads,
        .budget_bytes = c->memory_mib << 20,
        .edge_bytes = plan_resident_bytes(edge),
    };
    memcpy(lc->model_path, c->model, sizeof c->model);
}

static bool plan_edge(const struct config *c, struct plan *p, struct err *e)
{
    struct edge_config ec;
    fill_edge_config(c, &ec);
    plan_init(p);
    return edge_plan(&ec, p, e);
}

static bool send_role(struct server *s, enum role_id id, uint32_t type, uint32_t arg,
                      const int *fds, uint32_t n_fds, struct err *e)
{
    return ctl_send(s->process[id].ctl_fd, &(struct ctl_msg){.type = type, .arg = arg}, fds, n_fds,
                    e);
}

/* A table as a sealed memfd in one message. */
static bool send_table(struct server *s, enum role_id id, uint32_t type, const void *bytes,
                       size_t n_bytes, struct err *e)
{
    int fd = ctl_seal_bytes("hearth-table", bytes, n_bytes, e);
    if (fd < 0)
        return false;
    bool ok = send_role(s, id, type, 0, &fd, 1, e);
    close(fd);
    return ok;
}

static bool send_edge_config(struct server *s, struct err *e)
{
    struct edge_config ec;
    fill_edge_config(&s->cfg, &ec);
    ec.n_names = s->names.n;
    memcpy(ec.names, s->names.at, sizeof ec.names);
    return send_table(s, ROLE_EDGE, EDGE_CTL_CONFIG, &ec, sizeof ec, e);
}

static bool send_cert(struct server *s, struct err *e)
{
    struct edge_cert *cert = calloc(1, sizeof *cert);
    if (!cert)
        return err_set(e, ERR_NOMEM, "boot: out of memory");
    bool ok = state_cert(&s->state, &s->names, STATE_RENEW_IF_DUE, cert, e) &&
              send_table(s, ROLE_EDGE, EDGE_CTL_CERT, cert, sizeof *cert, e);
    explicit_bzero(cert, sizeof *cert);
    free(cert);
    s->cert_check_at_ms = clock_mono_ms() + CERT_CHECK_MS;
    return ok;
}

static bool send_keys(struct server *s, struct err *e)
{
    struct key_table *keys = calloc(1, sizeof *keys);
    if (!keys)
        return err_set(e, ERR_NOMEM, "boot: out of memory");
    bool ok = state_keys(&s->state, keys, e) &&
              send_table(s, ROLE_EDGE, EDGE_CTL_KEYS, keys, sizeof *keys, e);
    explicit_bzero(keys, sizeof *keys);
    free(keys);
    return ok;
}

/* The audit log's end, and for a new life of the edge the hash its chain goes on from. */
static bool send_audit(struct server *s, bool is_new_life, struct err *e)
{
    struct ctl_msg m = {.type = EDGE_CTL_AUDIT};
    _Static_assert((int)AUDIT_LOG_HEX_BYTES <= (int)sizeof m.text, "the hash fits the message");
    return (!is_new_life || audit_log_last(&s->audit, m.text, e)) &&
           ctl_send(s->process[ROLE_EDGE].ctl_fd, &m, &s->audit.fd, 1, e);
}

/* Fresh rings for this pair of lives; both ends get them. */
static bool connect_roles(struct server *s, struct err *e)
{
    if (s->tok_fd < 0 || s->sup[ROLE_EDGE].state != SUP_READY ||
        s->sup[ROLE_ENGINE].state != SUP_READY)
        return true;
    int fds[4] = {engine_shared_create(e), eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK),
                  eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), s->tok_fd};
    bool ok = fds[0] >= 0 && fds[1] >= 0 && fds[2] >= 0 &&
              send_role(s, ROLE_ENGINE, ENGINE_CTL_RINGS, 0, fds, 3, e) &&
              send_role(s, ROLE_EDGE, EDGE_CTL_ENGINE_UP, 0, fds, 4, e);
    for (int i = 0; i < 3; i++)
        if (fds[i] >= 0)
            close(fds[i]);
    return ok;
}

static bool start_edge(struct server *s, struct err *e)
{
    return send_edge_config(s, e) && send_cert(s, e) && send_keys(s, e) && send_audit(s, true, e) &&
           send_role(s, ROLE_EDGE, EDGE_CTL_LISTEN, EDGE_LISTEN_TLS, &s->tls_listen_fd, 1, e) &&
           (s->plain_listen_fd < 0 || send_role(s, ROLE_EDGE, EDGE_CTL_LISTEN, EDGE_LISTEN_PLAIN,
                                                &s->plain_listen_fd, 1, e)) &&
           send_role(s, ROLE_EDGE, EDGE_CTL_START, 0, NULL, 0, e);
}

static bool start_engine(struct server *s, struct err *e)
{
    struct engine_config *ec = calloc(1, sizeof *ec);
    struct plan *edge = calloc(1, sizeof *edge);
    bool ok = (ec && edge) || err_set(e, ERR_NOMEM, "boot: out of memory");
    ok = ok && plan_edge(&s->cfg, edge, e);
    if (ok) {
        ec->version = CTL_VERSION;
        ec->log_level = (uint32_t)s->cfg.log_level;
        fill_load_config(&s->cfg, edge, &ec->load);
    }
    ok = ok && send_table(s, ROLE_ENGINE, ENGINE_CTL_CONFIG, ec, sizeof *ec, e);
    free(ec);
    free(edge);
    return ok;
}

/* ---- actions ---- */

/* Why a role cannot start or go on. Before the box is announced that is the configuration's fault,
 * not luck: one attempt and one line. */
static void note_failure(struct server *s, enum role_id id, const char *reason)
{
    snprintf(s->last_error, sizeof s->last_error, "%s", reason);
    if (s->is_announced)
        log_event(LOG_ERROR, "failed", "peer=%s reason=\"%s\"", role_at(id)->name, reason);
    else
        s->sup[id].n_failed_starts = SUP_MAX_FAILED_STARTS - 1;
}

static void give_up(struct server *s, enum role_id id)
{
    int status = s->exit_status;
    if (s->last_error[0] && !s->is_announced)
        fprintf(stderr, "hearth: %s\n", s->last_error);
    else if (s->last_error[0])
        fprintf(stderr, "hearth: role %s does not start: %s\n", role_at(id)->name, s->last_error);
    else
        fprintf(stderr, "hearth: role %s does not start: it ended %d times, the last with %s %d\n",
                role_at(id)->name, SUP_MAX_FAILED_STARTS, WIFSIGNALED(status) ? "signal" : "code",
                WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
    s->is_stopping = true;
    s->exit_code = 1;
}

static void act(struct server *s, enum role_id id, enum sup_action action)
{
    struct err e = {0};
    struct role_process *p = &s->process[id];
    switch (action) {
    case SUP_ACT_NONE:
        break;
    case SUP_ACT_SPAWN:
        if (!role_spawn(p, id, s->cfg.sandbox == CONFIG_SANDBOX_STRICT, &e) ||
            !(id == ROLE_EDGE ? start_edge(s, &e) : start_engine(s, &e)))
            note_failure(s, id, e.msg);
        if (e.code != ERR_NONE && p->pid > 0)
            kill(p->pid, SIGKILL);
        if (p->pid <= 0) /* no process, so no exit will be seen */
            act(s, id, sup_step(&s->sup[id], SUP_EV_EXITED, clock_mono_ms()));
        break;
    case SUP_ACT_ASK_STOP:
        send_role(s, id, id == ROLE_EDGE ? (uint32_t)EDGE_CTL_DRAIN : (uint32_t)ENGINE_CTL_DRAIN, 0,
                  NULL, 0, NULL);
        break;
    case SUP_ACT_KILL:
        log_event(LOG_ERROR, "killed", "peer=%s reason=\"no answer\"", role_at(id)->name);
        if (p->pid > 0)
            kill(p->pid, SIGKILL);
        break;
    case SUP_ACT_GIVE_UP:
        give_up(s, id);
        break;
    }
}

static void event(struct server *s, enum role_id id, enum sup_event ev)
{
    act(s, id, sup_step(&s->sup[id], ev, clock_mono_ms()));
}

static void stop_all(struct server *s)
{
    s->is_stopping = true;
    event(s, ROLE_EDGE,
          SUP_EV_STOP); /* it finishes its streams; the engine follows when it is gone */
    if (s->sup[ROLE_EDGE].state == SUP_DOWN || s->sup[ROLE_EDGE].state == SUP_GIVEN_UP)
        event(s, ROLE_ENGINE, SUP_EV_STOP);
}

static void kill_all(struct server *s)
{
    for (int id = 0; id < ROLE_N; id++)
        if (s->process[id].pid > 0)
            kill(s->process[id].pid, SIGKILL);
}

/* Nothing has been served yet, so nobody is waited for. */
static void refuse_start(struct server *s, const struct err *e)
{
    fprintf(stderr, "hearth: %s\n", e->msg);
    s->exit_code = 1;
    stop_all(s);
    event(s, ROLE_ENGINE, SUP_EV_STOP);
    kill_all(s);
}

/* A box without keys is closed. The first start makes one and shows it, or writes it where key_file
 * says; so does every start that finds no such file. */
static bool make_first_key(struct server *s, struct err *e)
{
    struct key_table *keys = calloc(1, sizeof *keys);
    if (!keys)
        return err_set(e, ERR_NOMEM, "boot: out of memory");
    bool ok = state_keys(&s->state, keys, e);
    bool is_first = ok && keys->n_keys == 0;
    explicit_bzero(keys, sizeof *keys);
    free(keys);
    bool wants_file = s->cfg.key_file[0] && access(s->cfg.key_file, F_OK) < 0;
    if (!ok || (!is_first && !wants_file))
        return ok;
    const char *name = wants_file ? "key-file" : "first";
    struct key_order order = {
        .name = name, .scopes = KEY_CHAT | KEY_METRICS | KEY_ADMIN, .limits.weight = 1};
    state_key_revoke(&s->state, name, NULL); /* one of that name whose file is gone */
    if (!state_key_add(&s->state, &order, s->first_key, e))
        return false;
    if (!wants_file)
        return true;
    ok = state_file_write(s->cfg.key_file, s->first_key, strlen(s->first_key), e);
    explicit_bzero(s->first_key, sizeof s->first_key);
    return ok;
}

/* What a person needs to use the box, once everything is up. */
static void announce(struct server *s)
{
    char ca[CONFIG_TEXT_BYTES + 16];
    if (s->is_announced)
        return;
    struct err e = {0};
    if (!make_first_key(s, &e) || !send_keys(s, &e)) {
        refuse_start(s, &e);
        return;
    }
    s->is_announced = true;
    state_path(&s->state, "ca.crt", ca, sizeof ca);
    printf("Hearth %s is ready on https://localhost:%llu\n", HEARTH_VERSION,
           (unsigned long long)s->cfg.port);
    printf("  model     %s%s\n", s->model_id,
           s->cfg.model[0] ? "" : " (built in; --model FILE.gguf serves another)");
    printf("  CA file   %s\n", ca);
    if (s->first_key[0])
        printf("  API key   %s  (shown this once; \"hearth key add NAME\" makes more)\n",
               s->first_key);
    printf("Try it:\n  curl --cacert %s https://localhost:%llu/v1/chat/completions -H "
           "\"Authorization: Bearer %s%s%s\" "
           "-H \"Content-Type: application/json\" "
           "-d '{\"messages\":[{\"role\":\"user\",\"content\":\"Hello! What are you?\"}]}'\n",
           ca, (unsigned long long)s->cfg.port,
           s->first_key[0]      ? s->first_key
           : s->cfg.key_file[0] ? "$(cat "
                                : "YOUR_KEY",
           s->first_key[0] ? "" : s->cfg.key_file,
           !s->first_key[0] && s->cfg.key_file[0] ? ")" : "");
    fflush(stdout);
    explicit_bzero(s->first_key, sizeof s->first_key);
}

/* ---- what the loop hears ---- */

static bool open_state(struct server *s, struct err *e)
{
    struct edge_cert *cert = calloc(1, sizeof *cert);
    struct key_table *keys = calloc(1, sizeof *keys);
    bool ok = (cert && keys) || err_set(e, ERR_NOMEM, "boot: out of memory");
    ok = ok && state_open(&s->state, &s->cfg, STATE_MAY_BE_MADE, e) &&
         audit_log_open(&s->audit, s->state.dir, clock_wall_s(), e) &&
         state_keys(&s->state, keys, e) &&
         state_cert(&s->state, &s->names, STATE_RENEW_IF_DUE, cert, e);
    if (ok && inotify_add_watch(s->watch_fd, s->state.dir, IN_MOVED_TO) < 0)
        ok = err_sys(e, "boot: cannot watch %s", s->state.dir);
    if (cert)
        explicit_bzero(cert, sizeof *cert);
    if (keys)
        explicit_bzero(keys, sizeof *keys);
    free(cert);
    free(keys);
    s->audit_check_at_ms = clock_mono_ms();
    return ok;
}

/* The state directory is made, and the edge started, once nothing is left that a wrong file or
 * setting could break: a start that is refused leaves no trace. */
static void on_planned(struct server *s)
{
    struct err e = {0};
    if (s->has_state || s->is_stopping)
        return;
    s->has_state = open_state(s, &e);
    if (s->has_state)
        event(s, ROLE_EDGE, SUP_EV_START);
    else
        refuse_start(s, &e);
}

static void on_role_msg(struct server *s, enum role_id id, const struct ctl_msg *m, int *fds)
{
    bool is_ready =
        id == ROLE_EDGE ? m->type == EDGE_CTL_READY : m->type == ENGINE_CTL_LOADED && m->n_fds == 1;
    bool is_beat =
        id == ROLE_EDGE ? m->type == EDGE_CTL_HEARTBEAT : m->type == ENGINE_CTL_HEARTBEAT;
    bool is_failed = id == ROLE_EDGE ? m->type == EDGE_CTL_FAILED : m->type == ENGINE_CTL_FAILED;
    struct err e = {0};
    if (is_failed)
        note_failure(s, id, m->text);
    if (id == ROLE_ENGINE && m->type == ENGINE_CTL_PLANNED)
        on_planned(s);
    if (is_beat)
        event(s, id, SUP_EV_BEAT);
    if (is_ready && s->sup[id].state == SUP_STARTING) {
        event(s, id, SUP_EV_SAID_READY);
        if (id == ROLE_ENGINE) {
            s->tok_fd = fds[0];
            fds[0] = -1;
            snprintf(s->model_id, sizeof s->model_id, "%.*s", (int)sizeof s->model_id - 1, m->text);
        }
        if (!connect_roles(s, &e))
            log_event(LOG_ERROR, "connect-failed", "reason=\"%s\"", e.msg);
        if (s->sup[ROLE_EDGE].state == SUP_READY && s->sup[ROLE_ENGINE].state == SUP_READY)
            announce(s);
    }
    for (uint32_t i = 0; i < m->n_fds; i++)
        if (fds[i] >= 0)
            close(fds[i]);
}

static void on_role_socket(struct server *s, enum role_id id)
{
    struct ctl_msg m;
    int fds[CTL_MAX_FDS];
    enum ctl_result result;
    while ((result = ctl_recv(s->process[id].ctl_fd, &m, fds)) == CTL_MSG)
        on_role_msg(s, id, &m, fds);
    if (result == CTL_AGAIN)
        return;
    close(s->process[id].ctl_fd); /* its exit follows as SIGCHLD */
    s->process[id].ctl_fd = -1;
    if (result == CTL_BROKEN && s->process[id].pid > 0)
        kill(s->process[id].pid, SIGKILL);
}

static void on_role_exit(struct server *s, enum role_id id, int status)
{
    struct role_process *p = &s->process[id];
    /* until the box is announced, give_up() says it all */
    enum log_level level = !s->is_announced      ? LOG_DEBUG
                           : s->sup[id].wants_up ? LOG_ERROR
                                                 : LOG_INFO;
    if (p->ctl_fd >= 0)
        on_role_socket(s, id); /* its last words */
    if (p->ctl_fd >= 0)
        close(p->ctl_fd);
    *p = (struct role_process){.ctl_fd = -1};
    s->exit_status = status;
    log_event(level, "exited", "peer=%s %s=%d", role_at(id)->name,
              WIFSIGNALED(status) ? "signal" : "code",
              WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
    if (id == ROLE_ENGINE) {
        if (s->tok_fd >= 0)
            close(s->tok_fd);
        s->tok_fd = -1;
        if (s->sup[ROLE_EDGE].state == SUP_READY)
            send_role(s, ROLE_EDGE, EDGE_CTL_ENGINE_DOWN, 0, NULL, 0, NULL);
    }
    event(s, id, SUP_EV_EXITED);
    if (id == ROLE_EDGE && s->is_stopping)
        event(s, ROLE_ENGINE, SUP_EV_STOP);
}

static void reap(struct server *s)
{
    int status;
    for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) > 0;)
        for (int id = 0; id < ROLE_N; id++)
            if (s->process[id].pid == pid)
                on_role_exit(s, (enum role_id)id, status);
}

/* The first asks every role to finish, a second one ends them at once. */
static void on_stop_signal(struct server *s, uint32_t signal_no)
{
    if (!s->is_stopping) {
        log_event(LOG_INFO, "stopping", "signal=%u", signal_no);
        stop_all(s);
        return;
    }
    kill_all(s);
}

static void on_signal(struct server *s)
{
    struct signalfd_siginfo info;
    while (read(s->signal_fd, &info, sizeof info) == (ssize_t)sizeof info) {
        if (info.ssi_signo == SIGTERM || info.ssi_signo == SIGINT)
            on_stop_signal(s, info.ssi_signo);
        reap(s);
    }
}

/* It has been given what it starts with and takes what is new. */
static bool has_edge(const struct server *s)
{
    return s->sup[ROLE_EDGE].state == SUP_READY || s->sup[ROLE_EDGE].state == SUP_STARTING;
}

/* Something in the state directory changed: the key table, as far as a running server cares. */
static void on_watch(struct server *s)
{
    char events[4096];
    struct err e = {0};
    while (read(s->watch_fd, events, sizeof events) > 0)
        ;
    if (has_edge(s) && !send_keys(s, &e))
        log_event(LOG_ERROR, "keys", "reason=\"%s\"", e.msg);
}

/* New names: a leaf for them, and the Host check knows them. Open connections keep running. */
static void check_names(struct server *s)
{
    struct names found;
    struct err e = {0};
    bool ok = names_collect(&found, &s->cfg, &e);
    if (ok && !names_equal(&found, &s->names)) {
        s->names = found;
        log_event(LOG_INFO, "names", "changed=yes names=%u", found.n);
        ok = !has_edge(s) || (send_edge_config(s, &e) && send_cert(s, &e));
    }
    if (!ok)
        log_event(LOG_ERROR, "names", "reason=\"%s\"", e.msg);
}

static void check_audit(struct server *s, int64_t now_ms)
{
    struct err e = {0};
    bool is_new;
    s->audit_check_at_ms = now_ms + AUDIT_CHECK_MS;
    bool ok = audit_log_turn(&s->audit, clock_wall_s(), &is_new, &e);
    if (is_new && has_edge(s))
        ok = send_audit(s, false, &e) && ok;
    if (!ok)
        log_event(LOG_ERROR, "audit", "reason=\"%s\"", e.msg);
}

static void on_time(struct server *s)
{
    int64_t now_ms = clock_mono_ms();
    struct err e = {0};
    for (int id = 0; id < ROLE_N; id++)
        if (s->sup[id].deadline_at_ms <= now_ms)
            event(s, (enum role_id)id, SUP_EV_DEADLINE);
    if (now_ms >= s->cert_check_at_ms && s->sup[ROLE_EDGE].state == SUP_READY && !send_cert(s, &e))
        log_event(LOG_ERROR, "certificate", "reason=\"%s\"", e.msg);
    if (names_watch_is_due(&s->names_watch, now_ms))
        check_names(s);
    if (now_ms >= s->audit_check_at_ms)
        check_audit(s, now_ms);
}

static int poll_timeout_ms(const struct server *s)
{
    const int64_t checks_at_ms[] = {s->cert_check_at_ms, s->audit_check_at_ms,
                                    s->names_watch.check_at_ms};
    int64_t at_ms = INT64_MAX, now_ms = clock_mono_ms();
    for (size_t i = 0; i < sizeof checks_at_ms / sizeof *checks_at_ms; i++)
        at_ms = checks_at_ms[i] < at_ms ? checks_at_ms[i] : at_ms;
    for (int id = 0; id < ROLE_N; id++)
        at_ms = s->sup[id].deadline_at_ms < at_ms ? s->sup[id].deadline_at_ms : at_ms;
    return at_ms <= now_ms ? 0 : at_ms - now_ms > 60000 ? 60000 : (int)(at_ms - now_ms);
}

static bool has_processes(const struct server *s)
{
    for (int id = 0; id < ROLE_N; id++)
        if (s->process[id].pid > 0)
            return true;
    return false;
}

static void run(struct server *s)
{
    event(s, ROLE_ENGINE, SUP_EV_START); /* the edge follows in on_planned() */
    while (!s->is_stopping || has_processes(s)) {
        struct pollfd polled[N_OWN_FDS + ROLE_N] = {{.fd = s->signal_fd, .events = POLLIN},
                                                    {.fd = s->watch_fd, .events = POLLIN},
                                                    {.fd = s->names_watch.fd, .events = POLLIN}};
        for (int id = 0; id < ROLE_N; id++)
            polled[N_OWN_FDS + id] = (struct pollfd){.fd = s->process[id].ctl_fd, .events = POLLIN};
        if (poll(polled, N_OWN_FDS + ROLE_N, poll_timeout_ms(s)) < 0 && errno != EINTR)
            break;
        for (int id = 0; id < ROLE_N; id++)
            if (polled[N_OWN_FDS + id].revents &&
                s->process[id].ctl_fd == polled[N_OWN_FDS + id].fd)
                on_role_socket(s, (enum role_id)id);
        if (polled[0].revents)
            on_signal(s);
        if (polled[1].revents)
            on_watch(s);
        if (polled[2].revents)
            names_watch_heard(&s->names_watch, clock_mono_ms());
        on_time(s);
        if (s->is_stopping && s->exit_code && has_processes(s))
            stop_all(s);
    }
}

/* ---- start ---- */

static bool open_signals(struct server *s, struct err *e)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGCHLD);
    sigprocmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
    s->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    s->watch_fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    return (s->signal_fd >= 0 && s->watch_fd >= 0) ||
           err_sys(e, "boot: cannot watch signals and files");
}

/* It may lie in the state directory or where that will be made. */
static bool check_key_file(const struct config *c, struct err *e)
{
    const char *slash = strrchr(c->key_file, '/');
    size_t n_dir = slash ? (size_t)(slash - c->key_file) : 0;
    bool is_above_state = n_dir > 0 && strncmp(c->key_file, c->state_dir, n_dir) == 0 &&
                          (!c->state_dir[n_dir] || c->state_dir[n_dir] == '/');
    if (!c->key_file[0] || (is_above_state && access(c->key_file, F_OK) < 0 && errno == ENOENT))
        return true;
    return state_file_check_place(c->key_file, e) || err_ctx(e, "config: key_file");
}

static bool open_listeners(struct server *s, struct err *e)
{
    s->tls_listen_fd = listen_open(s->cfg.listen, (uint16_t)s->cfg.port, e);
    if (s->tls_listen_fd < 0)
        return false;
    if (s->cfg.plain_port)
        s->plain_listen_fd = listen_open(s->cfg.listen, (uint16_t)s->cfg.plain_port, e);
    return !s->cfg.plain_port || s->plain_listen_fd >= 0;
}

/* All but the state directory: see on_planned(). */
static bool open_all(struct server *s, struct err *e)
{
    return config_finish(&s->cfg, e) && check_key_file(&s->cfg, e) &&
           edge_raise_fd_limit((uint32_t)s->cfg.max_connections, e) && open_signals(s, e) &&
           open_listeners(s, e) && names_collect(&s->names, &s->cfg, e);
}

static void serve_help(void)
{
    printf("usage: hearth serve [-c FILE] [-m MODEL.gguf] [--KEY VALUE ...]\n"
           "Serves the model over HTTPS with the OpenAI chat API. Keys may stand in FILE as \"key "
           "= value\", with _ for -.\n");
    config_print_help(stdout);
}

/* 0 = go on, else the exit code plus one. */
static int parse_args(struct config *cfg, int argc, char **argv, void (*help)(void))
{
    struct err e = {0};
    bool wants_help;
    config_defaults(cfg);
    if (!config_from_args(cfg, argc, argv, &wants_help, &e)) {
        fprintf(stderr, "hearth %s: %s\n", argv[0], e.msg);
        return e.code == ERR_STATE ? 3 : 2;
    }
    if (wants_help)
        help();
    return wants_help ? 1 : 0;
}

int serve_main(int argc, char **argv)
{
    struct err e = {0};
    struct server *s = calloc(1, sizeof *s);
    if (!s)
        return 1;
    s->audit = (struct audit_log){.dir_fd = -1, .fd = -1};
    s->cert_check_at_ms = s->audit_check_at_ms = INT64_MAX; /* when there is a state directory */
    s->tls_listen_fd = s->plain_listen_fd = s->signal_fd = s->watch_fd = s->tok_fd = -1;
    s->names_watch.fd = -1;
    int stop = parse_args(&s->cfg, argc, argv, serve_help);
    if (stop) {
        free(s);
        return stop - 1;
    }
    log_init(STDERR_FILENO, "boot", (enum log_level)s->cfg.log_level);
    for (int id = 0; id < ROLE_N; id++) {
        s->process[id].ctl_fd = -1;
        sup_init(&s->sup[id], role_at((enum role_id)id)->start_limit_ms,
                 role_at((enum role_id)id)->beat_limit_ms);
    }
    if (open_all(s, &e)) {
        names_watch_open(&s->names_watch, clock_mono_ms());
        run(s);
    } else {
        fprintf(stderr, "hearth: %s\n", e.msg);
        s->exit_code = 1;
    }
    int exit_code = s->exit_code;
    free(s);
    return exit_code;
}

static void plan_help(void)
{
    printf("usage: hearth plan [-c FILE] [-m MODEL.gguf] [--KEY VALUE ...]\n"
           "Prints the memory that \"hearth serve\" with the same arguments would take, and starts "
           "nothing.\n");
    config_print_help(stdout);
}

static bool print_plan(const struct config *cfg, struct engine *g, struct load_config *lc,
                       struct plan *edge, struct err *e)
{
    if (!plan_edge(cfg, edge, e))
        return false;
    fill_load_config(cfg, edge, lc);
    bool ok = load_plan(&g->m, lc, engine_plan_regions, g, e);
    if (g->m.plan.n_regions) {
        plan_print(&g->m.plan, g->m.cfg.budget_bytes, stdout);
        printf("of it for the edge:\n");
        plan_print(edge, 0, stdout);
    }
    char cpus[POOL_CPUS_TEXT_BYTES];
    pool_cpus_describe(&g->m.cpus, g->m.cfg.n_threads, cpus);
    if (ok)
        printf("context %u tokens, %u conversations at once, %u may wait, cache %s, "
               "%u threads%s%s\n",
               g->m.cfg.n_ctx, g->m.cfg.max_seqs, g->m.cfg.max_queued,
               kv_type_names[g->m.cfg.kv_type], g->m.cfg.n_threads,
               cpus[0] ? " on CPUs of capacity " : "", cpus);
    load_close(&g->m);
    return ok;
}

int serve_plan_main(int argc, char **argv)
{
    struct err e = {0};
    struct config *cfg = calloc(1, sizeof *cfg);
    struct engine *g = calloc(1, sizeof *g);
    struct load_config *lc = calloc(1, sizeof *lc);
    struct plan *edge = calloc(1, sizeof *edge);
    int stop = cfg && g && lc && edge ? parse_args(cfg, argc, argv, plan_help) : 2;
    if (!stop) {
        bool ok = print_plan(cfg, g, lc, edge, &e);
        if (!ok)
            fprintf(stderr, "hearth: %s\n", e.msg);
        sandbox_describe(stdout);
        stop = ok ? 1 : 2;
    }
    free(cfg);
    free(g);
    free(lc);
    free(edge);
    return stop - 1;
}
