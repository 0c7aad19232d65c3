#include "runtime/base/err.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

__attribute__((format(printf, 4, 0))) static void fill_v(struct err *e, enum err_code code,
                                                         int os_code, const char *fmt, va_list ap)
{
    e->code = code;
    e->os_code = os_code;
    vsnprintf(e->msg, sizeof e->msg, fmt, ap);
    for (char *p = e->msg; *p; p++)
        if ((unsigned char)*p < 0x20 || *p == 0x7f) /* one line, whatever a hostile name holds */
            *p = '?';
}

void err_fill(struct err *e, enum err_code code, int os_code, const char *fmt, ...)
{
    if (!e)
        return;
    va_list ap;
    va_start(ap, fmt);
    fill_v(e, code, os_code, fmt, ap);
    va_end(ap);
}

void err_fill_errno(struct err *e, const char *fmt, ...)
{
    int os_code = errno;
    if (!e)
        return;
    va_list ap;
    va_start(ap, fmt);
    fill_v(e, os_code == ENOMEM ? ERR_NOMEM : ERR_IO, os_code, fmt, ap);
    va_end(ap);
    size_t n = strlen(e->msg);
    snprintf(e->msg + n, sizeof e->msg - n, ": %s", strerror(os_code));
}

void err_prepend(struct err *e, const char *fmt, ...)
{
    if (!e)
        return;
    struct err whole = {.code = e->code, .os_code = e->os_code};
    va_list ap;
    va_start(ap, fmt);
    fill_v(&whole, e->code, e->os_code, fmt, ap);
    va_end(ap);
    size_t n = strlen(whole.msg);
    size_t n_room = sizeof whole.msg - 1 - n;
    snprintf(whole.msg + n, n_room + 1, ": %.*s", (int)(n_room > 2 ? n_room - 2 : 0), e->msg);
    *e = whole;
}
