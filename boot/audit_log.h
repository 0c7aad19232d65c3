/* audit_log: the files behind the lines of net/audit.h (api.md 3):
 * STATE/audit/YYYY-MM-DD-NNNN.jsonl, one a day and 16 MiB at most, kept for 90 days and 256 MiB
 * together; their names sort by age. boot makes and drops them; the edge holds one descriptor that
 * can append to the newest and nothing else. The chain of hashes goes on from file to file. Thread:
 * boot.   Allocates: directory listings only. */
#ifndef BOOT_AUDIT_LOG_H
#define BOOT_AUDIT_LOG_H

#include "runtime/base/err.h"
#include "runtime/base/secret.h"

#include <stdint.h>

enum {
    AUDIT_LOG_FILE_BYTES = 16 << 20,
    AUDIT_LOG_KEPT_BYTES = 256 << 20,
    AUDIT_LOG_KEPT_DAYS = 90,
    AUDIT_LOG_NAME_BYTES = sizeof "2026-01-01-0001.jsonl",
    AUDIT_LOG_HEX_BYTES = 2 * SECRET_HASH_BYTES + 1,
};

struct audit_log {
    int dir_fd; /* of STATE/audit; -1 = closed */
    int fd;     /* append-only, of the newest file; -1 = none */
    char name[AUDIT_LOG_NAME_BYTES];
};

/* Makes the directory and today's file where missing. Nothing is followed through a symbolic link.
 * now_s: wall time. */
bool audit_log_open(struct audit_log *a, const char *state_dir, int64_t now_s, struct err *e);
void audit_log_close(struct audit_log *a);

/* Begins a new file (*is_new: hand a->fd to the edge) when the day or the file's room is over, and
 * drops files past their days or the bound. */
bool audit_log_turn(struct audit_log *a, int64_t now_s, bool *is_new, struct err *e);

/* Hash of the last line, as net/audit.h wants it to go on; "" for a log without lines. Only while
 * nobody appends. A last line that was cut short gets its end first. */
bool audit_log_last(struct audit_log *a, char hex[AUDIT_LOG_HEX_BYTES], struct err *e);

#endif
