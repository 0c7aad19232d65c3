/* audit: one JSON line per finished request on an append-only descriptor (api.md 3): who, when, how
 * much; never what was said. Each line carries the BLAKE2b-256 of the line before, so a removed or
 * changed line shows. Thread: edge. Allocates: never. A line that cannot be written is counted and
 * the chain goes on with what was meant; the first of a row is logged. */
#ifndef NET_AUDIT_H
#define NET_AUDIT_H

#include "net/addr.h"
#include "runtime/base/secret.h"

#include <stdint.h>

enum { AUDIT_LINE_BYTES = 2048 };

/* Filled in by whoever knows; zero means nothing to say. */
struct audit_entry {
    const char *finish_reason;
    uint32_t n_prompt, n_cached, n_completion, n_reasoning;
    double queue_ms, prompt_ms, ttft_ms;
    bool has_user;
    uint8_t user_hash[SECRET_HASH_BYTES]; /* keyed hash of `user`, with has_user */
    bool key_in_clear;                    /* an Authorization header came over plain HTTP */
};

struct audit_line {
    int64_t wall_s;
    const char *id;     /* without "req_" */
    const char *key_id; /* KEY_ID_BYTES characters, or NULL */
    const struct addr *addr;
    const char *path; /* the route's, or "-" */
    uint16_t status;
    const char *error_code; /* or NULL */
    const char *tls_version;
    uint64_t n_sent_bytes;
    int64_t total_ms;
    const struct audit_entry *entry;
};

struct audit {
    int fd; /* -1: no audit log */
    uint64_t n_lost;
    bool is_losing; /* the last line was lost */
    bool is_cut;    /* the log ends in a part of a line: the next one begins with its end */
    uint8_t chain[SECRET_HASH_BYTES]; /* hash of the last line */
    uint8_t user_key[SECRET_KEY_BYTES];
};

/* first: hash of the last line already in the log, all zero for an empty one. */
void audit_open(struct audit *a, int fd, const uint8_t first[SECRET_HASH_BYTES]);
/* Goes on in another file; the one before is closed. */
void audit_move(struct audit *a, int fd);
void audit_write(struct audit *a, const struct audit_line *line);
void audit_hash_user(const struct audit *a, struct str user, struct audit_entry *entry);

#endif
