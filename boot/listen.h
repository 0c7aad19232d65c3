/* listen: the listening sockets, bound by boot and handed to the edge, which may not bind. */
#ifndef BOOT_LISTEN_H
#define BOOT_LISTEN_H

#include "runtime/base/err.h"

#include <stdint.h>

/* A listening, non-blocking TCP socket on address (IPv4, IPv6 or "::" for both) and port; -1 on
 * failure. */
int listen_open(const char *address, uint16_t port, struct err *e);

#endif
