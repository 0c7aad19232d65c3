/* state: the state directory, which boot alone writes: pepper, API keys, device CA, leaf
 * certificate. Everything is 0600 in a 0700 directory and written as state_file.h says.
 *   keys             struct key_table (net/auth.h) with its pepper
 *   ca.crt ca.key    device CA, PEM, made once
 *   leaf.crt leaf.key   its leaf, reissued when due or names change
 *   audit/           audit_log.h
 * Thread: start-up and the boot loop; tools of the same machine beside a running server (a lock
 * file keeps writers apart). */
#ifndef BOOT_STATE_H
#define BOOT_STATE_H

#include "boot/config.h"
#include "boot/names.h"
#include "net/auth.h"

struct state {
    char dir[CONFIG_TEXT_BYTES];
    bool is_new; /* state_open made the directory */
};

enum state_want {
    STATE_MUST_EXIST, /* a tool that only looks, or changes what is there */
    STATE_MAY_BE_MADE /* with what is above it, if missing */
};

bool state_open(struct state *s, const struct config *c, enum state_want want, struct err *e);

enum state_renew {
    STATE_RENEW_NEVER, /* only read what is there */
    STATE_RENEW_IF_DUE,
    STATE_RENEW_LEAF,
    STATE_RENEW_CA /* and the leaf; clients must trust the new CA */
};

/* The CA and a leaf for these names: loaded, or made where missing, due, for other names or asked
 * for. A leaf that is damaged, without its own key or of another CA is made anew; a CA that is, is
 * ERR_STATE. */
bool state_cert(const struct state *s, const struct names *names, enum state_renew renew,
                struct edge_cert *out, struct err *e);

/* The key table with its pepper; an empty one where no key was ever made. */
bool state_keys(const struct state *s, struct key_table *out, struct err *e);

/* Adds and revokes under the lock. text: the key, terminated, shown once. */
bool state_key_add(const struct state *s, const struct key_order *order,
                   char text[KEY_TEXT_BYTES + 1], struct err *e);
bool state_key_revoke(const struct state *s, const char *id_or_name, struct err *e);

/* Writers of keys and certificates take turns: a descriptor to close, -1 on failure. */
int state_lock(const struct state *s, struct err *e);

/* Path of a file in the directory. */
void state_path(const struct state *s, const char *name, char *out, size_t n_room);

#endif
