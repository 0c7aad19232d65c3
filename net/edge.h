/* edge: the role that reads hostile bytes: TCP, TLS, HTTP, JSON, keys, chat format, tokenizer,
 * event streams. No model weights, no GPU, no file system: everything it needs arrives from boot as
 * messages and descriptors on one socket.
 *
 * Control socket (CTL_ROLE_FD, runtime/base/ctl.h): boot sends struct ctl_msg of these types;
 * tables are sealed memfds. Order at start: CONFIG, CERT, KEYS, [AUDIT], LISTEN..., START;
 * ENGINE_UP when the engine has published its tokenizer; KEYS, CERT and AUDIT again whenever they
 * change.
 * EOF = boot is gone: exit. Thread: one. Allocates: before the answer to START only. */
#ifndef NET_EDGE_H
#define NET_EDGE_H

#include "runtime/base/err.h"
#include "runtime/base/plan.h"

#include <stdint.h>

enum { EDGE_CTL_VERSION = 1 };

enum edge_ctl_type {
    EDGE_CTL_CONFIG = 1, /* fds: memfd of struct edge_config */
    EDGE_CTL_CERT,       /* fds: memfd of struct edge_cert (leaf chain, key, CA) */
    EDGE_CTL_KEYS,       /* fds: memfd of struct key_table (net/auth.h) */
    EDGE_CTL_AUDIT,  /* fds: append-only descriptor; text: hash of the log's last line in hex, "" =
                        none. After START: the next file, and the chain goes on */
    EDGE_CTL_LISTEN, /* fds: listening socket; arg = enum edge_listen */
    EDGE_CTL_START,  /* allocate everything, sandbox, answer READY, serve */
    EDGE_CTL_ENGINE_UP, /* fds: ring memfd, wake-engine eventfd, wake-edge eventfd, tokenizer image
                           memfd */
    EDGE_CTL_ENGINE_DOWN, /* running requests end with a clear error */
    EDGE_CTL_DRAIN,       /* stop accepting, finish what runs, exit 0 */
    /* edge to boot */
    EDGE_CTL_READY = 100,
    EDGE_CTL_HEARTBEAT, /* once a second from the loop */
    EDGE_CTL_FAILED,    /* text holds the error; the role then exits 1 */
};

enum edge_listen { EDGE_LISTEN_TLS = 0, EDGE_LISTEN_PLAIN = 1 };

enum { EDGE_NAME_BYTES = 64, EDGE_MAX_NAMES = 64, EDGE_PEM_BYTES = 16384 };

/* All limits of the role, decided by boot from the configuration file (units in the names; defaults
 * in boot/config.c). */
struct edge_config {
    uint32_t version;
    uint32_t max_conns;          /* 512 */
    uint32_t max_conns_per_ip;   /* 32 */
    uint32_t n_bodies;           /* request body buffers: 8 */
    uint32_t body_bytes;         /* 32 MiB each */
    uint32_t max_requests;       /* chat requests in flight, queue included: 160 */
    uint32_t default_max_tokens; /* 4096 */
    uint32_t handshake_timeout_ms, head_timeout_ms, body_timeout_ms, idle_timeout_ms,
        write_timeout_ms;
    uint32_t stream_limit_ms, plain_limit_ms; /* wall time of a generation */
    uint8_t thinking_default;                 /* enable_thinking when the request does not say */
    uint8_t timings;                          /* 0 = leave `timings` out of all answers */
    uint8_t strict_params;                    /* unknown request members are refused */
    uint8_t log_level;
    uint16_t port;                     /* for messages and the Host check */
    char model_alias[EDGE_NAME_BYTES]; /* further accepted model name, "" = none */
    uint32_t n_names; /* names and addresses in the leaf: the Host header must be one of them */
    char names[EDGE_MAX_NAMES][EDGE_NAME_BYTES];
};

struct edge_cert {
    uint32_t version;
    uint32_t chain_bytes, key_bytes, ca_bytes;
    char chain_pem[EDGE_PEM_BYTES]; /* leaf first */
    char key_pem[EDGE_PEM_BYTES / 4];
    char ca_pem[EDGE_PEM_BYTES / 4];
};

/* What the role needs from above it. */
struct edge_hooks {
    bool (*enter_sandbox)(struct err *e); /* gives up every right the role does not need; called
                                             once, when all is allocated */
};

/* Role entry; returns the process's exit code. */
int edge_main(const struct edge_hooks *hooks);

/* Adds everything the role will hold to the plan, for the table that `hearth plan` prints. */
bool edge_plan(const struct edge_config *cfg, struct plan *p, struct err *e);

/* Raises the limit of open files to what so many connections need. The role does it for itself;
 * boot before, so that a limit too low is refused while nothing is made (children inherit it). */
bool edge_raise_fd_limit(uint32_t max_conns, struct err *e);

#endif
