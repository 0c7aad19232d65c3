#include "boot/names.h"

#include "runtime/base/log.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <ifaddrs.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void add_name(struct names *l, const char *name)
{
    char lower[EDGE_NAME_BYTES] = "";
    struct in6_addr six;
    size_t n = strlen(name);
    if (n == 0 || n >= EDGE_NAME_BYTES || l->n == EDGE_MAX_NAMES)
        return;
    for (size_t i = 0; i < n; i++)
        lower[i] = (char)tolower((unsigned char)name[i]);
    if (inet_pton(AF_INET6, lower, &six) == 1) /* one spelling */
        inet_ntop(AF_INET6, &six, lower, sizeof lower);
    for (uint32_t i = 0; i < l->n; i++)
        if (strcmp(l->at[i], lower) == 0)
            return;
    memcpy(l->at[l->n++], lower, sizeof lower);
}

/* RFC 1918, 100.64/10, 169.254/16, loopback; fc00::/7 and ::1. Others are not covered by the CA's
 * name constraints. */
static bool is_private(const struct sockaddr *sa)
{
    if (sa->sa_family == AF_INET) {
        const struct sockaddr_in *in = (const void *)sa;
        uint32_t a = ntohl(in->sin_addr.s_addr);
        return a >> 24 == 10 || a >> 20 == 0xac1 || a >> 16 == 0xc0a8 || a >> 22 == 0x191 ||
               a >> 16 == 0xa9fe || a >> 24 == 127;
    }
    if (sa->sa_family == AF_INET6) {
        const struct sockaddr_in6 *in6 = (const void *)sa;
        return (in6->sin6_addr.s6_addr[0] & 0xfe) == 0xfc || IN6_IS_ADDR_LOOPBACK(&in6->sin6_addr);
    }
    return false;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(a, b);
}

static bool add_addresses(struct names *l, struct err *e)
{
    struct ifaddrs *all;
    uint32_t n_before = l->n;
    if (getifaddrs(&all) < 0)
        return err_sys(e, "names: cannot list network addresses");
    for (const struct ifaddrs *one = all; one; one = one->ifa_next) {
        char text[INET6_ADDRSTRLEN] = "";
        if (!one->ifa_addr || !(one->ifa_flags & IFF_UP) || !is_private(one->ifa_addr))
            continue;
        if (one->ifa_addr->sa_family == AF_INET)
            inet_ntop(AF_INET, &((const struct sockaddr_in *)(const void *)one->ifa_addr)->sin_addr,
                      text, sizeof text);
        else
            inet_ntop(AF_INET6,
                      &((const struct sockaddr_in6 *)(const void *)one->ifa_addr)->sin6_addr, text,
                      sizeof text);
        add_name(l, text);
    }
    freeifaddrs(all);
    qsort(l->at[n_before], l->n - n_before, sizeof l->at[0], compare_names);
    return true;
}

bool names_collect(struct names *l, const struct config *c, struct err *e)
{
    char host[EDGE_NAME_BYTES] = "", local[EDGE_NAME_BYTES], own[CONFIG_TEXT_BYTES];
    memset(l, 0, sizeof *l);
    add_name(l, "localhost");
    add_name(l, "127.0.0.1");
    add_name(l, "::1");
    gethostname(host, sizeof host - 1);
    bool has_local = strlen(host) > 6 && strcmp(host + strlen(host) - 6, ".local") == 0;
    snprintf(local, sizeof local, "%.*s%s", (int)sizeof local - 8, host,
             has_local || !host[0] ? "" : ".local");
    add_name(l, host);
    add_name(l, local);
    snprintf(own, sizeof own, "%s", c->names);
    char *rest = own;
    for (char *name; (name = strsep(&rest, ", "));)
        if (strlen(name) >= EDGE_NAME_BYTES)
            return err_set(e, ERR_LIMIT, "config: name \"%.40s...\" is longer than %d characters",
                           name, EDGE_NAME_BYTES - 1);
        else
            add_name(l, name);
    return add_addresses(l, e);
}

bool names_equal(const struct names *a, const struct names *b)
{
    if (a->n != b->n)
        return false;
    for (uint32_t i = 0; i < a->n; i++)
        if (strcmp(a->at[i], b->at[i]) != 0)
            return false;
    return true;
}

/* ---- watching ---- */

void names_watch_open(struct names_watch *w, int64_t now_ms)
{
    struct sockaddr_nl sa = {.nl_family = AF_NETLINK,
                             .nl_groups = RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR};
    const void *any = &sa;
    w->check_at_ms = now_ms + NAMES_RECHECK_MS;
    w->fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);
    if (w->fd >= 0 && bind(w->fd, any, sizeof sa) == 0)
        return;
    log_event(LOG_WARN, "names",
              "reason=\"no messages about addresses: %s; looking once a minute\"", strerror(errno));
    if (w->fd >= 0)
        close(w->fd);
    w->fd = -1;
}

/* What the messages say does not matter: the addresses are read anew. */
void names_watch_heard(struct names_watch *w, int64_t now_ms)
{
    char ignored[8192];
    bool is_heard = false;
    for (ssize_t n = 1;
         n > 0 || (n < 0 && errno == ENOBUFS);) { /* it lost some: heard all the same */
        n = recv(w->fd, ignored, sizeof ignored, 0);
        is_heard |= n > 0 || (n < 0 && errno == ENOBUFS);
    }
    if (is_heard && w->check_at_ms > now_ms + NAMES_SETTLE_MS)
        w->check_at_ms = now_ms + NAMES_SETTLE_MS;
}

bool names_watch_is_due(struct names_watch *w, int64_t now_ms)
{
    if (now_ms < w->check_at_ms)
        return false;
    w->check_at_ms = now_ms + NAMES_RECHECK_MS;
    return true;
}
