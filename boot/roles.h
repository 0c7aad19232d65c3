/* roles: the one table of processes, and how one is started: the same executable again, with one
 * inherited control socket (CTL_ROLE_FD), standard error, and nothing else open.   Thread: boot. */
#ifndef BOOT_ROLES_H
#define BOOT_ROLES_H

#include "boot/supervise.h"
#include "runtime/base/err.h"

#include <sys/types.h>

enum role_id { ROLE_EDGE, ROLE_ENGINE, ROLE_N };

struct role {
    const char *name;
    int (*entry)(bool is_strict); /* runs in the role's process; returns its exit code */
    uint32_t start_limit_ms;      /* to say ready; 0 = no limit */
    uint32_t beat_limit_ms;       /* between heartbeats */
};

const struct role *role_at(enum role_id id);
/* The table's row by name (`hearth -x NAME`), or NULL. */
const struct role *role_by_name(const char *name);

/* Whether sandbox = strict was asked for travels to the role as an argument. */
struct role_process {
    pid_t pid;  /* 0 = not running */
    int ctl_fd; /* boot's end of the control socket, non-blocking; -1 = none */
};

bool role_spawn(struct role_process *p, enum role_id id, bool is_strict, struct err *e);

#endif
