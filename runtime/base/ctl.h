/* ctl: control messages between boot and a role: one struct ctl_msg per datagram on a
 * SOCK_SEQPACKET pair, descriptors beside it (SCM_RIGHTS). End of file is the peer's death. Tables
 * travel as sealed memfds, so the receiver maps what cannot change. Thread: the socket's owner.
 * Allocates: never. */
#ifndef RUNTIME_BASE_CTL_H
#define RUNTIME_BASE_CTL_H

#include "runtime/base/err.h"

#include <stddef.h>
#include <stdint.h>

enum { CTL_VERSION = 1, CTL_MAX_FDS = 4, CTL_ROLE_FD = 3 /* where a role finds its socket */ };

struct ctl_msg {
    uint32_t version; /* CTL_VERSION */
    uint32_t type;    /* the role's own enum */
    uint32_t arg;
    uint32_t n_fds;
    char text[240]; /* terminated */
};

enum ctl_result { CTL_MSG, CTL_AGAIN, CTL_EOF, CTL_BROKEN };

/* fds stay the caller's. */
bool ctl_send(int fd, const struct ctl_msg *m, const int *fds, uint32_t n_fds, struct err *e);

/* One message; received descriptors (close-on-exec) are the caller's. CTL_AGAIN only on a
 * non-blocking socket. CTL_BROKEN: not one of our messages; any descriptors that came along are
 * closed. */
enum ctl_result ctl_recv(int fd, struct ctl_msg *m, int *fds);

/* A memfd holding a copy of the bytes, sealed against every change. -1 on failure. */
int ctl_seal_bytes(const char *name, const void *bytes, size_t n_bytes, struct err *e);

/* Maps a sealed memfd of exactly n_bytes (0 = whatever it has, told in *n_out) read-only; refuses
 * one that is not sealed. */
const void *ctl_map_sealed(int fd, size_t n_bytes, size_t *n_out, struct err *e);

#endif
