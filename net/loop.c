#include "net/loop.h"

#include "runtime/base/clock.h"
#include "runtime/base/log.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

/* What an epoll event belongs to: kind in the upper half, index in the lower. */
enum { EVENT_LISTENER, EVENT_CONN, EVENT_WATCH };

static uint64_t event_key(uint32_t kind, uint32_t index)
{
    return (uint64_t)kind << 32 | index;
}

/* A connection's events carry its life number, so that what was queued for the one before cannot
 * hit it. */
static uint64_t conn_key(const struct loop *l, uint32_t i)
{
    return event_key(EVENT_CONN, (l->lives[i] & 0xffff) << 16 | i);
}

bool loop_open(struct loop *l, struct conn_env *env, struct err *e)
{
    l->env = env;
    l->n_conns = l->n_listeners = 0;
    for (uint32_t i = 0; i < l->max_conns; i++)
        l->fds[i] = -1;
    l->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    return l->epoll_fd >= 0 || err_sys(e, "loop: cannot create the event queue");
}

static void close_conn(struct loop *l, uint32_t i)
{
    conn_close(&l->conns[i]);
    close(l->fds[i]); /* which also takes it out of the event queue */
    l->fds[i] = -1;
    l->lives[i]++;
    l->n_conns--;
}

static bool add(struct loop *l, int fd, uint32_t events, uint64_t key)
{
    struct epoll_event ev = {.events = events, .data.u64 = key};
    return epoll_ctl(l->epoll_fd, EPOLL_CTL_ADD, fd, &ev) == 0;
}

bool loop_listen(struct loop *l, int fd, enum edge_listen kind, struct err *e)
{
    if (l->n_listeners == LOOP_MAX_LISTENERS)
        return err_set(e, ERR_LIMIT, "loop: more than %d listening sockets", LOOP_MAX_LISTENERS);
    if (!add(l, fd, EPOLLIN, event_key(EVENT_LISTENER, l->n_listeners)))
        return err_sys(e, "loop: cannot watch a listening socket");
    l->listeners[l->n_listeners].fd = fd;
    l->listeners[l->n_listeners].kind = kind;
    l->n_listeners++;
    return true;
}

void loop_stop_listening(struct loop *l)
{
    for (uint32_t i = 0; i < l->n_listeners; i++)
        close(l->listeners[i].fd);
    l->n_listeners = 0;
}

bool loop_watch(struct loop *l, int fd, enum loop_watch what, struct err *e)
{
    return add(l, fd, EPOLLIN, event_key(EVENT_WATCH, what)) ||
           err_sys(e, "loop: cannot watch a descriptor");
}

void loop_unwatch(struct loop *l, int fd)
{
    (void)epoll_ctl(l->epoll_fd, EPOLL_CTL_DEL, fd, NULL);
}

/* ---- one connection ---- */

static void receive(struct conn *c, int fd)
{
    for (int round = 0; round < LOOP_ROUNDS; round++) {
        struct tls_room room = conn_wire_in(c);
        if (room.n_bytes == 0)
            return;
        ssize_t n = recv(fd, room.p, room.n_bytes, 0);
        if (n > 0) {
            conn_wire_in_done(c, (size_t)n);
        } else if (n == 0) {
            conn_wire_in_eof(c);
        } else {
            if (errno != EAGAIN && errno != EINTR)
                c->is_gone = true;
            return;
        }
        conn_run(c);
        if (n == 0 || (size_t)n < room.n_bytes)
            return;
    }
}

static void transmit(struct conn *c, int fd)
{
    for (int round = 0; round < 4 * LOOP_ROUNDS; round++) {
        struct str out = conn_wire_out(c);
        if (out.n_bytes == 0)
            return;
        ssize_t n = send(fd, out.p, out.n_bytes, MSG_NOSIGNAL);
        if (n < 0) {
            if (errno == EAGAIN || errno == EINTR)
                return;
            c->is_gone = true;
            c->call.is_broken = true; /* nothing of the answer can arrive any more */
            c->state = c->state == CONN_UNUSED ? CONN_UNUSED : CONN_DEAD;
            return;
        }
        conn_wire_out_done(c, (size_t)n);
        conn_run(c);
    }
}

/* Our own end of a connection; whether its last words still go out is up to the socket. */
static void end_conn(struct loop *l, uint32_t i)
{
    conn_end(&l->conns[i]);
    transmit(&l->conns[i], l->fds[i]);
    close_conn(l, i);
}

static void ask(struct loop *l, uint32_t i)
{
    struct conn *c = &l->conns[i];
    uint32_t want = c->is_gone ? 0 : (uint32_t)EPOLLRDHUP;
    if (conn_wire_in(c).n_bytes)
        want |= EPOLLIN;
    if (conn_wire_out(c).n_bytes)
        want |= EPOLLOUT;
    if (want == l->interest[i])
        return;
    struct epoll_event ev = {.events = want, .data.u64 = conn_key(l, i)};
    if (epoll_ctl(l->epoll_fd, EPOLL_CTL_MOD, l->fds[i], &ev) == 0)
        l->interest[i] = want;
}

/* After anything has happened: send, end, or wait for more. */
static void settle(struct loop *l, uint32_t i)
{
    struct conn *c = &l->conns[i];
    transmit(c, l->fds[i]);
    if (c->wants_fin && !l->has_fin[i] && conn_wire_out(c).n_bytes == 0) {
        l->has_fin[i] = true;
        (void)shutdown(l->fds[i], SHUT_WR);
    }
    if (conn_is_dead(c))
        close_conn(l, i);
    else
        ask(l, i);
}

static void serve_conn(struct loop *l, uint64_t key, uint32_t events)
{
    uint32_t i = key & 0xffff;
    struct conn *c = &l->conns[i];
    if (l->fds[i] < 0 || key != conn_key(l, i))
        return; /* closed earlier in this round */
    if (events & (EPOLLIN | EPOLLRDHUP))
        receive(c, l->fds[i]);
    bool is_cut = events & (EPOLLHUP | EPOLLERR);
    /* a full input buffer hides the end of the stream; while a handler works it counts all the same
     */
    bool is_leaving =
        events & EPOLLRDHUP && (c->state == CONN_BUSY || conn_wire_in(c).n_bytes == 0);
    if (is_cut || is_leaving) {
        c->is_gone = true;
        conn_run(c);
    }
    if (is_cut)
        close_conn(l, i);
    else
        settle(l, i);
}

/* ---- accepting ---- */

static uint32_t n_conns_of(const struct loop *l, const struct addr *addr)
{
    uint32_t n = 0;
    struct addr want = addr_prefix(addr);
    for (uint32_t i = 0; i < l->max_conns; i++) {
        struct addr have = addr_prefix(&l->conns[i].addr);
        n += l->fds[i] >= 0 && addr_eq(&have, &want);
    }
    return n;
}

/* api.md 2: a full house gives up the connection that became idle last. */
static void close_newest_idle(struct loop *l)
{
    uint32_t newest = l->max_conns;
    for (uint32_t i = 0; i < l->max_conns; i++)
        if (l->fds[i] >= 0 && l->conns[i].state == CONN_IDLE &&
            (newest == l->max_conns || l->conns[i].since_ms > l->conns[newest].since_ms))
            newest = i;
    if (newest < l->max_conns)
        end_conn(l, newest);
}

static bool open_conn(struct loop *l, int fd, enum edge_listen kind, const struct addr *addr)
{
    struct err e;
    uint32_t i = 0;
    if (l->n_conns == l->max_conns)
        close_newest_idle(l);
    if (l->n_conns == l->max_conns || n_conns_of(l, addr) >= l->env->api->cfg.max_conns_per_ip)
        return false;
    while (l->fds[i] >= 0)
        i++;
    struct conn *c = &l->conns[i];
    if (!conn_open(c, l->env, kind, addr, &e)) {
        log_event(LOG_WARN, "connection-refused", "reason=\"%s\"", e.msg);
        return false;
    }
    int one = 1;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    l->interest[i] = EPOLLIN | EPOLLRDHUP;
    l->has_fin[i] = false;
    if (!add(l, fd, l->interest[i], conn_key(l, i))) {
        conn_close(c);
        return false;
    }
    l->fds[i] = fd;
    l->n_conns++;
    return true;
}

static void accept_all(struct loop *l, uint32_t i_listener)
{
    if (i_listener >= l->n_listeners)
        return;
    for (int round = 0; round < 64; round++) {
        struct sockaddr_storage sa;
        socklen_t n_sa = sizeof sa;
        int fd = accept4(l->listeners[i_listener].fd, (struct sockaddr *)&sa, &n_sa,
                         SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0)
            return;
        struct addr addr = addr_of((struct sockaddr *)&sa);
        if (!open_conn(l, fd, l->listeners[i_listener].kind, &addr)) {
            l->n_refused++;
            close(fd);
        }
    }
}

/* ---- rounds ---- */

uint32_t loop_wait(struct loop *l, int timeout_ms)
{
    struct epoll_event events[64];
    uint32_t watched = 0;
    int n = epoll_wait(l->epoll_fd, events, sizeof events / sizeof *events, timeout_ms);
    l->env->api->mono_ms = clock_mono_ms();
    l->env->api->wall_s = clock_wall_s();
    for (int i = 0; i < n; i++) {
        uint32_t kind = (uint32_t)(events[i].data.u64 >> 32), index = (uint32_t)events[i].data.u64;
        if (kind == EVENT_WATCH)
            watched |= index;
        else if (kind == EVENT_CONN)
            serve_conn(l, events[i].data.u64, events[i].events);
        else
            accept_all(l, index);
    }
    return watched;
}

int64_t loop_tick(struct loop *l)
{
    int64_t next_ms = INT64_MAX, now_ms = l->env->api->mono_ms;
    for (uint32_t i = 0; i < l->max_conns; i++) {
        struct conn *c = &l->conns[i];
        if (l->fds[i] < 0)
            continue;
        if (c->is_woken)
            conn_run(c);
        conn_tick(c);
        settle(l, i);
        if (l->fds[i] < 0)
            continue;
        int64_t deadline_ms = conn_deadline_ms(c);
        next_ms = deadline_ms < next_ms ? deadline_ms : next_ms;
    }
    return next_ms - now_ms < 1 ? 1 : next_ms - now_ms;
}

bool loop_drain(struct loop *l)
{
    for (uint32_t i = 0; i < l->max_conns; i++)
        if (l->fds[i] >= 0 &&
            (l->conns[i].state == CONN_IDLE || l->conns[i].state == CONN_HANDSHAKE))
            end_conn(l, i);
    return l->n_conns == 0;
}

void loop_close(struct loop *l)
{
    for (uint32_t i = 0; i < l->max_conns; i++)
        if (l->fds[i] >= 0)
            end_conn(l, i);
    loop_stop_listening(l);
    if (l->epoll_fd >= 0)
        close(l->epoll_fd);
    l->epoll_fd = -1;
}
