#include "boot/sandbox.h"

#include "runtime/base/log.h"

#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

/* ---- Landlock ---- */

/* Declared here because build hosts' headers differ (linux/landlock.h, ABI 1 to 7). */
enum {
    NR_LANDLOCK_CREATE_RULESET = 444,
    NR_LANDLOCK_RESTRICT_SELF = 446,
    LANDLOCK_VERSION_FLAG = 1
};

struct landlock_attr {
    uint64_t handled_access_fs;
    uint64_t handled_access_net; /* from ABI 4 */
    uint64_t scoped;             /* from ABI 6 */
};

/* Of the running kernel, 0 = none. */
static int landlock_abi(void)
{
    long abi = syscall(NR_LANDLOCK_CREATE_RULESET, NULL, 0, LANDLOCK_VERSION_FLAG);
    return abi > 0 ? (int)abi : 0;
}

/* Every right this ABI knows is handled and none is granted. */
static bool landlock_nothing(int abi, struct err *e)
{
    static const uint64_t fs_rights[] = {0,
                                         0x1fff /* 1: the 13 first */,
                                         0x3fff /* 2: refer */,
                                         0x7fff /* 3: truncate */,
                                         0x7fff,
                                         0xffff /* 5: device ioctl */};
    enum { NEWEST = sizeof fs_rights / sizeof *fs_rights - 1 };
    struct landlock_attr attr = {.handled_access_fs = fs_rights[abi > NEWEST ? NEWEST : abi]};
    size_t n_bytes = sizeof attr.handled_access_fs;
    if (abi >= 4) {
        attr.handled_access_net = 3; /* bind and connect of TCP sockets */
        n_bytes = offsetof(struct landlock_attr, scoped);
    }
    if (abi >= 6) {
        attr.scoped = 3; /* no abstract unix sockets, no signals to the outside */
        n_bytes = sizeof attr;
    }
    long fd = syscall(NR_LANDLOCK_CREATE_RULESET, &attr, n_bytes, 0);
    if (fd < 0)
        return err_sys(e, "sandbox: landlock_create_ruleset");
    bool ok = syscall(NR_LANDLOCK_RESTRICT_SELF, fd, 0) == 0 ||
              err_sys(e, "sandbox: landlock_restrict_self");
    close((int)fd);
    if (!ok)
        return false;
    int probe = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (probe < 0)
        return true;
    close(probe);
    return err_set(e, ERR_STATE, "sandbox: Landlock is on, but files can still be opened");
}

/* ---- seccomp ---- */

static bool has_seccomp(void)
{
    return prctl(PR_GET_SECCOMP, 0, 0, 0, 0) >= 0;
}

#if defined(__x86_64__)
#define SANDBOX_AUDIT_ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define SANDBOX_AUDIT_ARCH AUDIT_ARCH_AARCH64
#endif

/* What both roles need to compute, wait, answer boot and end. */
#define CALLS_COMMON                                                                               \
    SYS_read, SYS_write, SYS_readv, SYS_writev, SYS_recvmsg, SYS_sendmsg, SYS_close, SYS_ppoll,    \
        SYS_futex, SYS_mmap, SYS_munmap, SYS_mremap, SYS_mprotect, SYS_madvise, SYS_brk,           \
        SYS_getrandom, SYS_clock_gettime, SYS_gettimeofday, SYS_clock_nanosleep, SYS_nanosleep,    \
        SYS_exit, SYS_exit_group, SYS_rt_sigreturn, SYS_rt_sigprocmask, SYS_rt_sigaction,          \
        SYS_sched_yield, SYS_restart_syscall, SYS_gettid, SYS_getpid, SYS_tgkill,                  \
        SYS_set_robust_list, SYS_rseq, SYS_fcntl, SYS_fstat, SYS_sched_getaffinity

static const int edge_calls[] = {
    CALLS_COMMON,    SYS_recvfrom,      SYS_sendto,    SYS_accept4,    SYS_epoll_pwait,
    SYS_epoll_ctl,   SYS_epoll_create1, SYS_shutdown,  SYS_getsockopt, SYS_setsockopt,
    SYS_getpeername, SYS_getsockname,   SYS_getrusage, SYS_lseek,
#if defined(__x86_64__)
    SYS_epoll_wait,  SYS_poll,
#endif
};

static const int engine_calls[] = {
    CALLS_COMMON,
#if defined(__x86_64__)
    SYS_poll,
#endif
};

enum { MAX_CALLS = 96, PROGRAM_ROOM = MAX_CALLS * 2 + 16 };

static uint32_t put(struct sock_filter *program, uint32_t n, struct sock_filter one)
{
    program[n] = one;
    return n + 1;
}

/* Check the architecture word, refuse x32 numbers, then compare with each allowed number. */
static uint32_t build_program(struct sock_filter *p, const int *calls, size_t n_calls)
{
    uint32_t n = 0;
    n = put(p, n,
            (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
                                         offsetof(struct seccomp_data, arch)));
    n = put(p, n,
            (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SANDBOX_AUDIT_ARCH, 1, 0));
    n = put(p, n, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS));
    n = put(
        p, n,
        (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)));
    n = put(p, n, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, 0x40000000, 0, 1));
    n = put(p, n, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS));
    for (size_t i = 0; i < n_calls; i++) {
        n = put(p, n,
                (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)calls[i], 0, 1));
        n = put(p, n, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
    }
    return put(p, n, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS));
}

bool sandbox_restrict_calls(enum sandbox_role role, struct err *e)
{
    struct sock_filter program[PROGRAM_ROOM];
    const int *calls = role == SANDBOX_EDGE ? edge_calls : engine_calls;
    size_t n_calls = role == SANDBOX_EDGE ? sizeof edge_calls / sizeof *edge_calls
                                          : sizeof engine_calls / sizeof *engine_calls;
    _Static_assert(sizeof edge_calls / sizeof *edge_calls <= MAX_CALLS, "the program has room");
    struct sock_fprog prog = {.len = (unsigned short)build_program(program, calls, n_calls),
                              .filter = program};
    if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &prog) != 0)
        return err_sys(e, "sandbox: seccomp (required)");
    return true;
}

/* ---- the whole ---- */

void sandbox_describe(FILE *out)
{
    int abi = landlock_abi();
    fprintf(out, "sandbox: no_new_privs, rlimits: yes; seccomp: %s; Landlock: ",
            has_seccomp() ? "yes" : "MISSING (required)");
    if (abi == 0)
        fprintf(out, "missing (this kernel has none: files are kept out by seccomp alone)\n");
    else
        fprintf(out, "ABI %d%s\n", abi, abi < 4 ? " (no network rules; seccomp covers them)" : "");
}

static bool set_limit(int which, rlim_t value, struct err *e)
{
    struct rlimit r = {value, value};
    return setrlimit((__rlimit_resource_t)which, &r) == 0 || err_sys(e, "sandbox: setrlimit");
}

bool sandbox_restrict_files(bool is_strict, struct err *e)
{
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return err_sys(e, "sandbox: no_new_privs (required)");
    if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
        return err_sys(e, "sandbox: PR_SET_DUMPABLE");
    if (!set_limit(RLIMIT_CORE, 0, e))
        return false;
    int abi = landlock_abi();
    if (abi > 0)
        return landlock_nothing(abi, e);
    if (is_strict)
        return err_set(e, ERR_STATE, "sandbox: this kernel has no Landlock and sandbox = strict");
    log_event(LOG_WARN, "sandbox", "landlock=missing");
    return true;
}
