#include "runtime/base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* The one process-wide sink; set once at role entry, before any thread exists. */
static struct {
    int fd;
    enum log_level level;
    const char *role;
} sink = {STDERR_FILENO, LOG_INFO, "main"};

/* The C library reads /etc/localtime at the first use of any calendar function; in a sandbox that
 * would be the end. */
static void read_time_zone(void)
{
    time_t zero = 0;
    struct tm utc;
    gmtime_r(&zero, &utc);
}

void log_init(int fd, const char *role, enum log_level level)
{
    sink.fd = fd;
    sink.role = role;
    sink.level = level;
    read_time_zone();
}

void log_event(enum log_level level, const char *event, const char *fmt, ...)
{
    static const char *const level_names[] = {"debug", "info", "warn", "error"};
    if (level < sink.level)
        return;
    int errno_saved = errno;
    char line[1024];
    struct timespec now;
    struct tm utc;
    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &utc);
    size_t n = strftime(line, sizeof line, "%Y-%m-%dT%H:%M:%SZ", &utc);
    n += (size_t)snprintf(line + n, sizeof line - n, " level=%s role=%s event=%s",
                          level_names[level], sink.role, event);
    if (*fmt && n < sizeof line - 2) {
        line[n++] = ' ';
        va_list ap;
        va_start(ap, fmt);
        int more = vsnprintf(line + n, sizeof line - n - 1, fmt, ap);
        va_end(ap);
        if (more > 0)
            n += (size_t)more < sizeof line - n - 1 ? (size_t)more : sizeof line - n - 2;
    }
    for (size_t i = 0; i < n; i++)
        if ((unsigned char)line[i] < 0x20)
            line[i] = '?';
    line[n++] = '\n';
    ssize_t ignored = write(sink.fd, line, n);
    (void)ignored;
    errno = errno_saved;
}
