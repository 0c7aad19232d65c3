/* loop: the sockets of the edge: epoll, accepting, receiving and sending for each connection,
 * limits per address. Flow: loop_wait -> what is ready -> conn ports.   Thread: edge.   Allocates:
 * never; descriptors only. Invariant: conns[i].state == CONN_UNUSED exactly when fds[i] < 0. */
#ifndef NET_LOOP_H
#define NET_LOOP_H

#include "net/conn.h"

enum {
    LOOP_MAX_LISTENERS = 8,
    LOOP_MAX_CONNS = 65535,
    LOOP_ROUNDS = 16 /* receives of one connection before others have their turn */
};

enum loop_watch { LOOP_CTL = 1, LOOP_ENGINE = 2 }; /* bits of what else became readable */

struct loop {
    int epoll_fd;
    struct conn_env *env;
    struct conn *conns; /* [max_conns] */
    int *fds;           /* [max_conns]; -1 = unused */
    uint32_t *interest; /* [max_conns] epoll events asked for */
    uint32_t *lives;    /* [max_conns] how often the place was used */
    bool *has_fin;      /* [max_conns] our direction is shut down */
    uint32_t max_conns, n_conns;
    struct {
        int fd;
        enum edge_listen kind;
    } listeners[LOOP_MAX_LISTENERS];
    uint32_t n_listeners;
    uint64_t n_refused;
};

/* conns, fds, interest, lives and has_fin are set by the caller. */
bool loop_open(struct loop *l, struct conn_env *env, struct err *e);
void loop_close(struct loop *l);

/* Takes over the descriptor. */
bool loop_listen(struct loop *l, int fd, enum edge_listen kind, struct err *e);
void loop_stop_listening(struct loop *l);

bool loop_watch(struct loop *l, int fd, enum loop_watch what, struct err *e);
void loop_unwatch(struct loop *l, int fd);

/* Waits at most timeout_ms, sets the api's clocks, serves every socket that is ready; returns bits
 * of enum loop_watch. */
uint32_t loop_wait(struct loop *l, int timeout_ms);

/* Deadlines, and connections that were woken by the handlers. Returns milliseconds to the next
 * deadline (at least 1). */
int64_t loop_tick(struct loop *l);

/* Closes connections that wait for a request; true if none is left at all. */
bool loop_drain(struct loop *l);

#endif
