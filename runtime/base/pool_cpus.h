/* pool_cpus: the CPUs this process may run on, ranked by what the kernel says each can do, and the
 * shares of work that follow from it. On a box with big and small cores (GB10 has ten of each)
 * equal shares would make every fork-join wait for the small ones. Flow: affinity mask + sysfs ->
 * pool_cpus -> pool_open_on pins and weighs -> pool_share. Thread: any; pure but for reading sysfs.
 * Allocates: nothing that stays. */
#ifndef RUNTIME_BASE_POOL_CPUS_H
#define RUNTIME_BASE_POOL_CPUS_H

#include "runtime/base/pool.h"

#include <sched.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    POOL_CPUS_MAX_CAPACITY = 1024, /* the kernel's scale: the biggest CPU has this */
    POOL_CPUS_TEXT_BYTES = 64      /* room for what pool_cpus_describe writes */
};

struct pool_cpus {
    uint32_t n_cpus; /* in the mask, at least 1, at most POOL_MAX_THREADS: the biggest are kept */
    bool is_mixed;   /* the capacities are known and differ; else there is no ranking */
    uint16_t cpu[POOL_MAX_THREADS];      /* [n_cpus] kernel's numbers, biggest capacity first */
    uint16_t capacity[POOL_MAX_THREADS]; /* [n_cpus] 1..1024 */
};

/* Files: sysfs_root/devices/system/cpu/cpuN/cpu_capacity. One that is missing or holds no number
 * from 1 to 1024 makes all CPUs equal: nothing can be said about them. */
void pool_cpus_read(struct pool_cpus *c, const cpu_set_t *mask, const char *sysfs_root);

/* Whether n_threads threads get a CPU of their own and shares by its capacity. */
bool pool_cpus_are_weighed(const struct pool_cpus *c, uint32_t n_threads);

/* "10x1024+10x718": how many threads on CPUs of which capacity; "" if they are not weighed. What
 * does not fit is summed up as "+3 more". */
void pool_cpus_describe(const struct pool_cpus *c, uint32_t n_threads,
                        char out[POOL_CPUS_TEXT_BYTES]);

struct pool_cpus_weights {
    uint32_t n_threads;                 /* 0 = none */
    uint32_t sum[POOL_MAX_THREADS + 1]; /* capacities before thread tid; [n_threads] = all */
};

void pool_cpus_weigh(struct pool_cpus_weights *w, const struct pool_cpus *c, uint32_t n_threads);

/* Grains [*first, *last) of n_grains for thread tid: its boundaries are n_grains * sum / all,
 * rounded up, so a share is within one grain of its proportion and a lone grain goes to the biggest
 * CPU. */
void pool_cpus_share(const struct pool_cpus_weights *w, uint64_t n_grains, uint32_t tid,
                     uint64_t *first, uint64_t *last);

#endif
