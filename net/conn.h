/* conn: one client connection without its socket: bytes in, bytes out, deadlines; TLS, HTTP
 * framing, bodies, keep-alive, pipelining, Expect, the end of the client (api.md 2).
 *
 *   HANDSHAKE -> IDLE -> HEAD -> BODY -> BUSY -> SEND -> IDLE ...
 *                          \______\_____________/  \-> LINGER -> DEAD
 *
 *   state      what is awaited                  state    what is awaited
 *   HANDSHAKE  the client's part of it          BUSY     the handler
 *   IDLE       the first byte of a request      SEND     the client's reading
 *   HEAD       the rest of its head             LINGER   the client's end, ours having been sent
 *   BODY       the rest of its body             DEAD     conn_close
 *
 * Flow: loop: recv into conn_wire_in, conn_wire_in_done, conn_run, send from conn_wire_out,
 * conn_wire_out_done. A busy connection goes on reading, so that the client's FIN or close_notify
 * cancels its request at once; what it has pipelined waits in the input buffer, and a full buffer
 * stops the reading. Thread: edge. Allocates: chain blocks, a body buffer, TLS memory; all fixed.
 * One deadline per state: conn_deadline_ms. */
#ifndef NET_CONN_H
#define NET_CONN_H

#include "net/api.h"
#include "net/chunk.h"
#include "net/tls.h"

enum {
    CONN_IN_BYTES = 44 * 1024, /* holds the largest head */
    CONN_SMALL_BODY_BYTES = 32 * 1024,
    CONN_MAX_BODIES = 64,
    CONN_MAX_REQUESTS = 1000, /* of one connection; then it is closed */
    CONN_LINGER_MS = 2000,
    CONN_LINGER_BYTES = 64 * 1024, /* of an unread body, thrown away */
    CONN_SLOW_AFTER_MS = 10000,    /* from then on a body must have come, on average, at */
    CONN_MIN_BODY_BYTES_PER_S = 8192,
};

enum conn_state {
    CONN_UNUSED,
    CONN_HANDSHAKE,
    CONN_IDLE, /* also a plain connection's first state */
    CONN_HEAD,
    CONN_BODY,
    CONN_BUSY,
    CONN_SEND,
    CONN_LINGER,
    CONN_DEAD,
};

/* Large request bodies; small ones stay with their connection. */
struct conn_bodies {
    char *base;
    size_t body_bytes;
    uint32_t n_idle, idle[CONN_MAX_BODIES];
};

/* What all connections share. */
struct conn_env {
    struct api *api;
    struct tls *tls;
    struct conn_bodies bodies;
};

struct conn {
    enum conn_state state;
    bool is_tls, is_gone; /* is_gone: nothing more will come from the client */
    bool has_call;        /* from a complete head to the end of its answer */
    bool is_woken;        /* its call's out has grown: the loop must run it */
    bool wants_fin;       /* everything is sent: the loop shuts down its direction, once */
    struct conn_env *env;
    struct addr addr;
    int64_t since_ms, progress_at_ms; /* begin of the state; last byte that came */
    int64_t sent_at_ms;               /* last byte that went, or when nothing waited to go */
    uint32_t n_requests;
    struct tls_conn *tls; /* its own memory, for good */
    struct http_parser http;
    struct http_head head;
    struct chunk chunk;
    struct api_call call;
    char *in; /* [CONN_IN_BYTES]; a request begins at in[0] */
    size_t in_bytes;
    char *small_body; /* [CONN_SMALL_BODY_BYTES] */
    char *body;       /* small_body or a large one */
    uint32_t i_body;  /* which large one */
    size_t body_bytes, body_room_bytes, n_lingered_bytes;
};

void conn_bodies_init(struct conn_bodies *b, char *base, uint32_t n_bodies, size_t body_bytes);

/* c: zeroed, with in, small_body and tls set. false: refused, nothing is held. */
bool conn_open(struct conn *c, struct conn_env *env, enum edge_listen kind, const struct addr *addr,
               struct err *e);
void conn_close(struct conn *c); /* cancels what runs; the conn can be opened again */

/* Our own end of it, for a full house or a shutdown: what is then on the wire is sent as far as the
 * socket takes it at once, and conn_close follows. */
void conn_end(struct conn *c);

struct tls_room conn_wire_in(struct conn *c); /* n_bytes 0: not now */
void conn_wire_in_done(struct conn *c, size_t n_bytes);
void conn_wire_in_eof(struct conn *c);
struct str conn_wire_out(const struct conn *c);
void conn_wire_out_done(struct conn *c, size_t n_bytes);

/* Goes as far as it can with what is there. */
void conn_run(struct conn *c);

/* When conn_tick has something to do; it is called for every open connection in each round of the
 * loop, and acts on a deadline that has passed. */
int64_t conn_deadline_ms(const struct conn *c);
void conn_tick(struct conn *c);

/* Nothing is left to do or to send. */
bool conn_is_dead(const struct conn *c);

#endif
