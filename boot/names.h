/* names: host names and addresses this box answers to: for the leaf certificate and the Host check.
 * While the server runs they are collected again ten seconds after the kernel tells of a change of
 * links or addresses (api.md 4: the debounce), and once a minute, which also finds a new host name.
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

/* Whether both hold the same; the order of interfaces is no difference. */
bool names_equal(const struct names *a, const struct names *b);

enum { NAMES_SETTLE_MS = 10 * 1000, NAMES_RECHECK_MS = 60 * 1000 };

struct names_watch {
    int fd;              /* the kernel's messages; -1 = none, the minute must do */
    int64_t check_at_ms; /* monotonic */
};

void names_watch_open(struct names_watch *w, int64_t now_ms);
/* The descriptor is readable. */
void names_watch_heard(struct names_watch *w, int64_t now_ms);
/* true: collect now; the next time is set. */
bool names_watch_is_due(struct names_watch *w, int64_t now_ms);

#endif
