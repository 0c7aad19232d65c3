#include "runtime/base/ctl.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

union fd_control { /* aligned room for one SCM_RIGHTS message */
    struct cmsghdr head;
    char bytes[CMSG_SPACE(sizeof(int) * CTL_MAX_FDS)];
};

bool ctl_send(int fd, const struct ctl_msg *m, const int *fds, uint32_t n_fds, struct err *e)
{
    struct ctl_msg copy = *m;
    union fd_control control;
    copy.version = CTL_VERSION;
    copy.n_fds = n_fds;
    struct iovec iov = {&copy, sizeof copy};
    struct msghdr mh = {.msg_iov = &iov, .msg_iovlen = 1};
    if (n_fds > CTL_MAX_FDS)
        return err_set(e, ERR_LIMIT, "control: %u descriptors in one message", n_fds);
    if (n_fds) {
        memset(&control, 0, sizeof control);
        mh.msg_control = control.bytes;
        mh.msg_controllen = CMSG_SPACE(sizeof(int) * n_fds);
        struct cmsghdr *c = CMSG_FIRSTHDR(&mh);
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(sizeof(int) * n_fds);
        memcpy(CMSG_DATA(c), fds, sizeof(int) * n_fds);
    }
    ssize_t n;
    do
        n = sendmsg(fd, &mh, MSG_NOSIGNAL);
    while (n < 0 && errno == EINTR);
    return n == (ssize_t)sizeof copy || err_sys(e, "control: cannot send message %u", m->type);
}

/* Descriptors of a received message; returns how many. */
static uint32_t take_fds(struct msghdr *mh, int *fds)
{
    uint32_t n_fds = 0;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(mh); c; c = CMSG_NXTHDR(mh, c)) {
        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
            continue;
        size_t n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t i = 0; i < n; i++) {
            int one;
            memcpy(&one, CMSG_DATA(c) + i * sizeof one, sizeof one);
            if (n_fds < CTL_MAX_FDS)
                fds[n_fds++] = one;
            else
                close(one);
        }
    }
    return n_fds;
}

enum ctl_result ctl_recv(int fd, struct ctl_msg *m, int *fds)
{
    union fd_control control;
    struct iovec iov = {m, sizeof *m};
    struct msghdr mh = {.msg_iov = &iov,
                        .msg_iovlen = 1,
                        .msg_control = control.bytes,
                        .msg_controllen = sizeof control.bytes};
    ssize_t n;
    do
        n = recvmsg(fd, &mh, MSG_CMSG_CLOEXEC);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return errno == EAGAIN ? CTL_AGAIN : CTL_EOF;
    if (n == 0)
        return CTL_EOF;
    uint32_t n_fds = take_fds(&mh, fds);
    bool is_ours = n == (ssize_t)sizeof *m && m->version == CTL_VERSION && m->n_fds == n_fds &&
                   memchr(m->text, 0, sizeof m->text) && !(mh.msg_flags & (MSG_TRUNC | MSG_CTRUNC));
    if (is_ours)
        return CTL_MSG;
    while (n_fds > 0)
        close(fds[--n_fds]);
    return CTL_BROKEN;
}

int ctl_seal_bytes(const char *name, const void *bytes, size_t n_bytes, struct err *e)
{
    int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd < 0) {
        (void)err_sys(e, "control: cannot create memory for %s", name);
        return -1;
    }
    const char *p = bytes;
    for (size_t done = 0; done < n_bytes;) {
        ssize_t n = write(fd, p + done, n_bytes - done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) {
            (void)err_sys(e, "control: cannot fill memory for %s", name);
            close(fd);
            return -1;
        }
        done += (size_t)n;
    }
    if (fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) < 0) {
        (void)err_sys(e, "control: cannot seal %s", name);
        close(fd);
        return -1;
    }
    return fd;
}

const void *ctl_map_sealed(int fd, size_t n_bytes, size_t *n_out, struct err *e)
{
    enum { NEEDED = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE };
    int seals = fcntl(fd, F_GET_SEALS);
    if (seals < 0 || (seals & NEEDED) != NEEDED)
        return err_null(e, ERR_STATE, "control: a table that is not sealed was refused");
    off_t size_bytes =
        lseek(fd, 0, SEEK_END); /* not fstat: a sandboxed role may not ask about files */
    if (size_bytes <= 0 || (n_bytes && (size_t)size_bytes != n_bytes))
        return err_null(e, ERR_FORMAT, "control: a table of %lld bytes was refused",
                        (long long)size_bytes);
    void *p = mmap(NULL, (size_t)size_bytes, PROT_READ, MAP_PRIVATE, fd, 0);
    if (p == MAP_FAILED) {
        (void)err_sys(e, "control: cannot map a table");
        return NULL;
    }
    if (n_out)
        *n_out = (size_t)size_bytes;
    return p;
}
