#include "net/addr.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

struct addr addr_of(const struct sockaddr *sa)
{
    struct addr a = {{0}};
    if (sa->sa_family == AF_INET) {
        struct sockaddr_in in;
        memcpy(&in, sa, sizeof in);
        memcpy(a.ip, mapped, sizeof mapped);
        memcpy(a.ip + 12, &in.sin_addr, 4);
    } else if (sa->sa_family == AF_INET6) {
        struct sockaddr_in6 in6;
        memcpy(&in6, sa, sizeof in6);
        memcpy(a.ip, &in6.sin6_addr, 16);
    }
    return a;
}

bool addr_parse(struct str text, struct addr *out)
{
    char c[ADDR_TEXT_BYTES];
    memset(out, 0, sizeof *out);
    if (text.n_bytes == 0 || text.n_bytes >= sizeof c || memchr(text.p, 0, text.n_bytes))
        return false;
    memcpy(c, text.p, text.n_bytes);
    c[text.n_bytes] = 0;
    if (inet_pton(AF_INET, c, out->ip + 12) == 1) {
        memcpy(out->ip, mapped, sizeof mapped);
        return true;
    }
    return inet_pton(AF_INET6, c, out->ip) == 1;
}

static bool is_v4(const struct addr *a)
{
    return memcmp(a->ip, mapped, sizeof mapped) == 0;
}

void addr_text(const struct addr *a, char out[ADDR_TEXT_BYTES])
{
    const char *ok = is_v4(a) ? inet_ntop(AF_INET, a->ip + 12, out, ADDR_TEXT_BYTES)
                              : inet_ntop(AF_INET6, a->ip, out, ADDR_TEXT_BYTES);
    if (!ok)
        out[0] = 0;
}

bool addr_eq(const struct addr *a, const struct addr *b)
{
    return memcmp(a->ip, b->ip, sizeof a->ip) == 0;
}

struct addr addr_prefix(const struct addr *a)
{
    struct addr p = *a;
    if (!is_v4(a))
        memset(p.ip + 8, 0, 8);
    return p;
}
