/* err: the one error type. A failing call fills *e where the failure happens and returns false (or
 * NULL); callers on the way up may add context. The first cause wins: err_ctx keeps the code and
 * prepends text. Thread: any; a struct err belongs to its caller. Allocates: never. */
#ifndef RUNTIME_BASE_ERR_H
#define RUNTIME_BASE_ERR_H

#include <stdarg.h>
#include <stdbool.h>

enum err_code {
    ERR_NONE = 0,
    ERR_IO,     /* a system call failed; os_code holds errno */
    ERR_FORMAT, /* bytes from a file or socket break their format */
    ERR_LIMIT,  /* well-formed, but larger than this program or plan allows */
    ERR_NOMEM,  /* the host refused memory */
    ERR_DEVICE, /* GPU or driver */
    ERR_STATE,  /* the call does not fit the state (not found, already there, busy) */
    ERR_AUTH,   /* key or certificate refused */
};

enum { ERR_MSG_BYTES = 240 };

struct err {
    enum err_code code;
    int os_code;             /* errno of the cause, 0 if none */
    char msg[ERR_MSG_BYTES]; /* one line, no trailing newline */
};

/* Record the cause. e may be NULL (the caller does not want the text). Always false: a macro that
 * ends in the literal keeps the constant visible to the compiler's flow analysis. */
#define err_set(e, code, ...) (err_fill((e), (code), 0, __VA_ARGS__), false)
/* As err_set for a failed system call: appends strerror(errno) and stores errno. */
#define err_sys(e, ...) (err_fill_errno((e), __VA_ARGS__), false)
/* As err_set for functions that return a pointer. */
#define err_null(e, code, ...) (err_fill((e), (code), 0, __VA_ARGS__), (void *)0)
/* Prepend "text: " to what is already there. */
#define err_ctx(e, ...) (err_prepend((e), __VA_ARGS__), false)

void err_fill(struct err *e, enum err_code code, int os_code, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
void err_fill_errno(struct err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void err_prepend(struct err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
