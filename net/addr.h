/* addr: a peer's address as 16 bytes, IPv4 in its mapped form (RFC 4291 2.5.5.2), so that one
 * comparison serves both. */
#ifndef NET_ADDR_H
#define NET_ADDR_H

#include "runtime/base/str.h"

#include <stdbool.h>
#include <stdint.h>

struct sockaddr;

enum { ADDR_TEXT_BYTES = 48 };

struct addr {
    uint8_t ip[16];
};

/* All zero for families other than IPv4 and IPv6. */
struct addr addr_of(const struct sockaddr *sa);

/* "192.168.0.7", "fd00::1", without brackets. false: not an address. */
bool addr_parse(struct str text, struct addr *out);

void addr_text(const struct addr *a, char out[ADDR_TEXT_BYTES]);

bool addr_eq(const struct addr *a, const struct addr *b);

/* What one customer of an access network usually holds: IPv4 whole, IPv6 the first 64 bits. Limits
 * per address count by it. */
struct addr addr_prefix(const struct addr *a);

#endif
