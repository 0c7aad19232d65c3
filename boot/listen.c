#include "boot/listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BACKLOG = 256 };

/* Fills *sa from a numeric address. Names are not looked up: that would need the host's resolver
 * modules. */
static socklen_t parse_address(const char *address, uint16_t port, struct sockaddr_storage *sa)
{
    memset(sa, 0, sizeof *sa);
    struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
    struct sockaddr_in four = {.sin_family = AF_INET, .sin_port = htons(port)};
    if (inet_pton(AF_INET6, address, &six.sin6_addr) == 1) {
        memcpy(sa, &six, sizeof six);
        return sizeof six;
    }
    if (inet_pton(AF_INET, address, &four.sin_addr) == 1) {
        memcpy(sa, &four, sizeof four);
        return sizeof four;
    }
    return 0;
}

static int bind_and_listen(const struct sockaddr_storage *sa, socklen_t sa_bytes)
{
    int on = 1, off = 0;
    int fd = socket(sa->ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (sa->ss_family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
    const void *any = sa;
    if (bind(fd, any, sa_bytes) == 0 && listen(fd, BACKLOG) == 0)
        return fd;
    int errno_saved = errno;
    close(fd);
    errno = errno_saved;
    return -1;
}

int listen_open(const char *address, uint16_t port, struct err *e)
{
    struct sockaddr_storage sa;
    socklen_t sa_bytes = parse_address(address, port, &sa);
    if (sa_bytes == 0) {
        (void)err_set(e, ERR_FORMAT, "listen: \"%s\" is not a numeric IPv4 or IPv6 address",
                      address);
        return -1;
    }
    int fd = bind_and_listen(&sa, sa_bytes);
    if (fd < 0 && errno == EAFNOSUPPORT && strcmp(address, "::") == 0) { /* a host without IPv6 */
        sa_bytes = parse_address("0.0.0.0", port, &sa);
        fd = bind_and_listen(&sa, sa_bytes);
    }
    if (fd < 0)
        (void)err_sys(
            e, "listen: cannot listen on %s port %u%s", address, port,
            errno == EADDRINUSE ? " (another server is running there; choose another --port)" : "");
    return fd;
}
