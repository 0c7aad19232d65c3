/* names: host names and addresses this box answers to: for the leaf certificate and the Host check.
 * Thread: start-up and the boot loop; tools. */
#ifndef BOOT_NAMES_H
#define BOOT_NAMES_H

#include "boot/config.h"
#include "net/edge.h"

struct names {
    char at[EDGE_MAX_NAMES][EDGE_NAME_BYTES];
    uint32_t n;
};

/* localhost, host, host.local, operator names, private addresses of interfaces that are up. */
bool names_collect(struct names *l, const struct config *c, struct err *e);

#endif
