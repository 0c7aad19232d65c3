#include "boot/roles.h"

#include "boot/sandbox.h"
#include "net/edge.h"
#include "runtime/base/ctl.h"
#include "runtime/engine_role.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

static bool restrict_files_auto(struct err *e)
{
    return sandbox_restrict_files(false, e);
}

static bool restrict_files_strict(struct err *e)
{
    return sandbox_restrict_files(true, e);
}

static bool edge_restrict_auto(struct err *e)
{
    return restrict_files_auto(e) && sandbox_restrict_calls(SANDBOX_EDGE, e);
}

static bool edge_restrict_strict(struct err *e)
{
    return restrict_files_strict(e) && sandbox_restrict_calls(SANDBOX_EDGE, e);
}

static bool engine_restrict_calls(struct err *e)
{
    return sandbox_restrict_calls(SANDBOX_ENGINE, e);
}

static int run_edge(bool is_strict)
{
    return edge_main(&(struct edge_hooks){is_strict ? edge_restrict_strict : edge_restrict_auto});
}

static int run_engine(bool is_strict)
{
    return engine_main(&(struct engine_hooks){
        is_strict ? restrict_files_strict : restrict_files_auto, engine_restrict_calls});
}

static const struct role roles[ROLE_N] = {
    /* name      entry       start    beat */
    {"edge", run_edge, 10000, 30000},
    {"engine", run_engine, 0,
     60000}, /* a large model on a slow disk takes what it takes; a step takes seconds at most */
};

const struct role *role_at(enum role_id id)
{
    return &roles[id];
}

const struct role *role_by_name(const char *name)
{
    for (int i = 0; i < ROLE_N; i++)
        if (strcmp(roles[i].name, name) == 0)
            return &roles[i];
    return NULL;
}

/* In the child: only async-signal-safe calls. */
static _Noreturn void become(enum role_id id, bool is_strict, int ctl_fd, pid_t boot_pid)
{
    static const char self[] = "/proc/self/exe";
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != boot_pid) /* boot died before the line above */
        _exit(1);
    if (ctl_fd == CTL_ROLE_FD)
        fcntl(ctl_fd, F_SETFD, 0);
    else
        dup2(ctl_fd, CTL_ROLE_FD);
    syscall(SYS_close_range, CTL_ROLE_FD + 1, ~0u,
            0); /* kernels before 5.9: everything is close-on-exec anyway */
    execl(self, "hearth", "-x", roles[id].name, is_strict ? "strict" : "auto", (char *)NULL);
    _exit(127);
}

bool role_spawn(struct role_process *p, enum role_id id, bool is_strict, struct err *e)
{
    int pair[2];
    *p = (struct role_process){.ctl_fd = -1};
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
        return err_sys(e, "boot: no control socket for role %s", roles[id].name);
    pid_t boot_pid = getpid();
    pid_t pid = fork();
    if (pid == 0)
        become(id, is_strict, pair[1], boot_pid);
    close(pair[1]);
    if (pid < 0) {
        close(pair[0]);
        return err_sys(e, "boot: cannot start role %s", roles[id].name);
    }
    fcntl(pair[0], F_SETFL, O_NONBLOCK);
    *p = (struct role_process){pid, pair[0]};
    return true;
}
