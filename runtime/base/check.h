/* check: CHECK(x) states an invariant of our own code and is kept in release builds. A broken one
 * ends the role (the supervisor restarts it). No condition reachable from bytes we did not write
 * may be a CHECK: those are struct err. */
#ifndef RUNTIME_BASE_CHECK_H
#define RUNTIME_BASE_CHECK_H

#define CHECK(x) ((x) ? (void)0 : check_failed(#x, __FILE__, __LINE__))

/* Prints one line to stderr with write(2) and aborts. */
_Noreturn void check_failed(const char *what, const char *file, int line);

#endif
