/* log: key=value lines on one descriptor, one write(2) per line, so that lines of several roles
 * never interleave. 2026-11-21T09:14:03Z level=info role=edge event=ready port=8443 No prompt,
 * answer, file content or key text ever goes through here: callers pass ids, counts, names and
 * times. Thread: any. Allocates: never. */
#ifndef RUNTIME_BASE_LOG_H
#define RUNTIME_BASE_LOG_H

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };

/* role: short name printed in each line; it must outlive the process's logging. Lines below `level`
 * are dropped. */
void log_init(int fd, const char *role, enum log_level level);

/* event: one word; fmt: further `key=value` pairs (values with spaces in double quotes), may be "".
 */
void log_event(enum log_level level, const char *event, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

#endif
