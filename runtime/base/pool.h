/* pool: fork-join workers under one op. pool_run calls fn(arg, tid, n_threads) once on every thread
 * (the caller is tid 0) and returns when all are done. Work is split by tid alone, so results never
 * depend on timing. Workers spin briefly between runs (ops of one step follow each other within
 * microseconds), then sleep on a futex. Thread: one caller at a time. Allocates: thread stacks at
 * pool_open only.
 * CPUs of unequal capacity (pool_cpus.h): the threads, the caller too, are pinned one per CPU, the
 * biggest first, and shares go by capacity. More threads than CPUs, or equal CPUs: nothing is
 * pinned, shares are equal.
 * Invariant: at most one pool is pinned; a further one beside it is not. The weights of the pinned
 * one are a table of the process, written by pool_open before its first run, only read until
 * pool_close: no other thread may be in pool_share then. */
#ifndef RUNTIME_BASE_POOL_H
#define RUNTIME_BASE_POOL_H

#include "runtime/base/err.h"

#include <stdbool.h>
#include <stdint.h>

enum { POOL_MAX_THREADS = 128 };

typedef void pool_fn(void *arg, uint32_t tid, uint32_t n_threads);

struct pool; /* opaque: holds the atomics */
struct pool_cpus;

/* The CPUs this process may run on, as they were before a pool pinned its caller. Reads sysfs. */
void pool_read_cpus(struct pool_cpus *c);

/* n_threads >= 1 includes the caller; 0 = one per CPU this process may run on. NULL on failure.
 * Threads that cannot be pinned are as on equal CPUs. */
struct pool *pool_open(uint32_t n_threads, struct err *e);
/* The same for a role that lost sight of sysfs since pool_read_cpus. */
struct pool *pool_open_on(const struct pool_cpus *cpus, uint32_t n_threads, struct err *e);
void pool_close(struct pool *p); /* by the thread that opened it; NULL is fine */

void pool_run(struct pool *p, pool_fn *fn, void *arg);
uint32_t pool_n_threads(const struct pool *p);
bool pool_is_pinned(const struct pool *p);

/* CPUs in this process's affinity mask before a pool pinned its caller. */
uint32_t pool_n_cpus(void);

/* The share [*begin, *end) of n items that thread tid of n_threads takes; shares are multiples of
 * `grain` but the last. By capacity if a pinned pool of n_threads is open, else equal. */
void pool_share(uint64_t n, uint64_t grain, uint32_t tid, uint32_t n_threads, uint64_t *begin,
                uint64_t *end);

#endif
