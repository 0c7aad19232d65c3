/* fd_limit: room for the descriptors that a configuration needs, made at start or refused.
 * Thread: start-up only. */
#ifndef RUNTIME_BASE_FD_LIMIT_H
#define RUNTIME_BASE_FD_LIMIT_H

#include "runtime/base/err.h"

#include <stdint.h>

/* Raises this process's soft limit to n_fds if it is lower. ERR_LIMIT when the hard limit does not
 * allow it; what: the configuration key the number comes from. */
bool fd_limit_raise(uint32_t n_fds, const char *what, struct err *e);

#endif
