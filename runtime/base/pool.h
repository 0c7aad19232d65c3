/* pool: fork-join workers under one op. pool_run calls fn(arg, tid, n_threads) once on every thread
 * (the caller is tid 0) and returns when all are done. Work is split by tid alone, so results never
 * depend on timing. Workers spin briefly between runs (ops of one step follow each other within
 * microseconds), then sleep on a futex. Thread: one caller at a time. Allocates: thread stacks at
 * pool_open only. */
#ifndef RUNTIME_BASE_POOL_H
#define RUNTIME_BASE_POOL_H

#include "runtime/base/err.h"

#include <stdint.h>

enum { POOL_MAX_THREADS = 128 };

typedef void pool_fn(void *arg, uint32_t tid, uint32_t n_threads);

struct pool; /* opaque: holds the atomics */

/* n_threads >= 1 includes the caller; 0 = one per CPU this process may run on. NULL on failure. */
struct pool *pool_open(uint32_t n_threads, struct err *e);
void pool_close(struct pool *p); /* NULL is fine */

void pool_run(struct pool *p, pool_fn *fn, void *arg);
uint32_t pool_n_threads(const struct pool *p);

/* CPUs in this process's affinity mask. */
uint32_t pool_n_cpus(void);

/* The share [*begin, *end) of n items that thread tid of n_threads takes; shares are multiples of
 * `grain` but the last. */
void pool_share(uint64_t n, uint64_t grain, uint32_t tid, uint32_t n_threads, uint64_t *begin,
                uint64_t *end);

#endif
