#include "boot/names.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <string.h>
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

static bool add_addresses(struct names *l, struct err *e)
{
    struct ifaddrs *all;
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
