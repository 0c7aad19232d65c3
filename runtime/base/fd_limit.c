#include "runtime/base/fd_limit.h"

#include <sys/resource.h>

bool fd_limit_raise(uint32_t n_fds, const char *what, struct err *e)
{
    struct rlimit r;
    if (getrlimit(RLIMIT_NOFILE, &r) < 0)
        return err_sys(e, "limits: cannot read the limit of open files");
    if (r.rlim_cur >= n_fds) /* RLIM_INFINITY is the largest number */
        return true;
    if (r.rlim_max < n_fds)
        return err_set(e, ERR_LIMIT,
                       "limits: %s needs %u open files, the hard limit is %llu: lower it, or raise "
                       "the limit (ulimit -Hn, LimitNOFILE)",
                       what, n_fds, (unsigned long long)r.rlim_max);
    r.rlim_cur = n_fds;
    return setrlimit(RLIMIT_NOFILE, &r) == 0 ||
           err_sys(e, "limits: cannot raise the limit of open files to %u", n_fds);
}
