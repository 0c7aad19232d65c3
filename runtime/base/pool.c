#include "runtime/base/pool.h"

#include "runtime/base/num.h"
#include "runtime/base/pool_cpus.h"

#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Spins before a futex sleep. At about 1 ns a pause this covers the gap between two ops of one
 * decode step; longer gaps (waiting for the network) cost nothing. */
enum { SPINS_BEFORE_SLEEP = 4000, WORKER_STACK_BYTES = 256 * 1024 };

struct worker {
    struct pool *pool;
    pthread_t thread;
    uint32_t tid;
};

struct pool {
    _Alignas(64) _Atomic uint32_t run_no; /* futex word: changes when there is work */
    _Atomic uint32_t n_sleeping;
    _Alignas(64) _Atomic uint32_t n_left; /* futex word: workers still busy with this run */
    _Atomic uint32_t caller_sleeps;
    _Alignas(64) pool_fn *fn; /* written before run_no changes */
    void *arg;
    bool stop;
    uint32_t n_threads;
    uint32_t n_spins;
    struct worker workers[POOL_MAX_THREADS];
};

/* The pool whose threads are pinned; ops ask pool_share without naming a pool. Workers see it
 * through the first change of run_no, and it stays until they are joined. */
static struct {
    const struct pool *owner; /* NULL = none */
    cpu_set_t mask_before;    /* the caller's, given back at pool_close */
    struct pool_cpus_weights weights;
} pinned;

static void cpu_relax(void)
{
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

static void futex_wait(_Atomic uint32_t *word, uint32_t seen)
{
    syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, seen, NULL, NULL, 0);
}

static void futex_wake_all(_Atomic uint32_t *word)
{
    syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, POOL_MAX_THREADS, NULL, NULL, 0);
}

static uint32_t wait_for_run(struct pool *p, uint32_t seen)
{
    for (uint32_t i = 0; i < p->n_spins; i++) {
        uint32_t now = atomic_load_explicit(&p->run_no, memory_order_acquire);
        if (now != seen)
            return now;
        cpu_relax();
    }
    for (;;) {
        atomic_fetch_add(&p->n_sleeping, 1);
        uint32_t now = atomic_load(&p->run_no);
        if (now == seen)
            futex_wait(&p->run_no, seen);
        atomic_fetch_sub(&p->n_sleeping, 1);
        now = atomic_load_explicit(&p->run_no, memory_order_acquire);
        if (now != seen)
            return now;
    }
}

static void *worker_main(void *arg)
{
    struct worker *w = arg;
    struct pool *p = w->pool;
    uint32_t seen = 0;
    for (;;) {
        seen = wait_for_run(p, seen);
        if (p->stop)
            return NULL;
        p->fn(p->arg, w->tid, p->n_threads);
        if (atomic_fetch_sub(&p->n_left, 1) == 1 && atomic_load(&p->caller_sleeps))
            futex_wake_all(&p->n_left);
    }
}

static void release_workers(struct pool *p)
{
    atomic_fetch_add(&p->run_no, 1);
    if (atomic_load(&p->n_sleeping))
        futex_wake_all(&p->run_no);
}

void pool_run(struct pool *p, pool_fn *fn, void *arg)
{
    if (p->n_threads == 1) {
        fn(arg, 0, 1);
        return;
    }
    p->fn = fn;
    p->arg = arg;
    atomic_store(&p->n_left, p->n_threads - 1);
    release_workers(p);
    fn(arg, 0, p->n_threads);
    for (uint32_t i = 0; i < p->n_spins; i++) {
        if (atomic_load_explicit(&p->n_left, memory_order_acquire) == 0)
            return;
        cpu_relax();
    }
    atomic_store(&p->caller_sleeps, 1);
    for (uint32_t left; (left = atomic_load(&p->n_left)) != 0;)
        futex_wait(&p->n_left, left);
    atomic_store(&p->caller_sleeps, 0);
}

static bool get_mask(cpu_set_t *mask)
{
    if (pinned.owner)
        *mask = pinned.mask_before;
    return pinned.owner || sched_getaffinity(0, sizeof *mask, mask) == 0;
}

uint32_t pool_n_cpus(void)
{
    cpu_set_t mask;
    int n = get_mask(&mask) ? CPU_COUNT(&mask) : 1;
    return n < 1 ? 1 : n > POOL_MAX_THREADS ? POOL_MAX_THREADS : (uint32_t)n;
}

void pool_read_cpus(struct pool_cpus *c)
{
    cpu_set_t mask;
    if (!get_mask(&mask))
        CPU_ZERO(&mask);
    pool_cpus_read(c, &mask, "/sys");
}

/* ---- placing threads ---- */

static bool set_mask(const struct pool *p, uint32_t tid, const cpu_set_t *mask)
{
    pthread_t thread = tid ? p->workers[tid].thread : pthread_self();
    return pthread_setaffinity_np(thread, sizeof *mask, mask) == 0;
}

/* Before the first run. All threads are pinned or none. */
static void pin_threads(struct pool *p, const struct pool_cpus *cpus)
{
    cpu_set_t mask_before, mask;
    bool ok = get_mask(&mask_before);
    uint32_t tid = 0;
    for (; ok && tid < p->n_threads; tid++) {
        CPU_ZERO(&mask);
        CPU_SET(cpus->cpu[tid], &mask);
        ok = set_mask(p, tid, &mask);
    }
    if (ok) {
        pinned.owner = p;
        pinned.mask_before = mask_before;
        pool_cpus_weigh(&pinned.weights, cpus, p->n_threads);
        return;
    }
    while (tid > 0)
        set_mask(p, --tid, &mask_before);
}

/* A worker starts on what its creator may run on, which for a pinned caller is one CPU. */
static void unpin_workers(struct pool *p)
{
    for (uint32_t tid = 1; tid < p->n_threads; tid++)
        set_mask(p, tid, &pinned.mask_before);
}

static void place_threads(struct pool *p, const struct pool_cpus *cpus)
{
    if (pinned.owner)
        unpin_workers(p);
    else if (pool_cpus_are_weighed(cpus, p->n_threads))
        pin_threads(p, cpus);
}

/* ---- life ---- */

static bool start_workers(struct pool *p, uint32_t n_threads, struct err *e)
{
    pthread_attr_t attr;
    if (pthread_attr_init(&attr) != 0)
        return err_set(e, ERR_NOMEM, "pool: cannot prepare worker threads");
    pthread_attr_setstacksize(&attr, WORKER_STACK_BYTES);
    bool ok = true;
    for (uint32_t tid = 1; ok && tid < n_threads; tid++) {
        struct worker *w = &p->workers[tid];
        *w = (struct worker){.pool = p, .tid = tid};
        int rc = pthread_create(&w->thread, &attr, worker_main, w);
        if (rc != 0) {
            ok = err_set(e, ERR_NOMEM, "pool: cannot start worker thread %u of %u (error %d)", tid,
                         n_threads, rc);
            break;
        }
        char name[16];
        snprintf(name, sizeof name, "pool-%u", tid);
        pthread_setname_np(w->thread, name);
        p->n_threads = tid + 1;
    }
    pthread_attr_destroy(&attr);
    return ok;
}

struct pool *pool_open_on(const struct pool_cpus *cpus, uint32_t n_threads, struct err *e)
{
    uint32_t n_cpus = cpus->n_cpus;
    if (n_threads == 0)
        n_threads = n_cpus;
    if (n_threads > POOL_MAX_THREADS)
        return err_null(e, ERR_LIMIT, "pool: %u threads asked for, at most %d are possible",
                        n_threads, POOL_MAX_THREADS);
    struct pool *p = NULL;
    if (posix_memalign((void **)&p, 64, sizeof *p) != 0)
        return err_null(e, ERR_NOMEM, "pool: out of memory");
    *p = (struct pool){.n_threads = 1, .n_spins = n_threads <= n_cpus ? SPINS_BEFORE_SLEEP : 0};
    if (!start_workers(p, n_threads, e)) {
        pool_close(p);
        return NULL;
    }
    place_threads(p, cpus);
    return p;
}

struct pool *pool_open(uint32_t n_threads, struct err *e)
{
    struct pool_cpus cpus;
    pool_read_cpus(&cpus);
    return pool_open_on(&cpus, n_threads, e);
}

void pool_close(struct pool *p)
{
    if (!p)
        return;
    if (p->n_threads > 1) {
        p->stop = true;
        release_workers(p);
        for (uint32_t tid = 1; tid < p->n_threads; tid++)
            pthread_join(p->workers[tid].thread, NULL);
    }
    if (pinned.owner == p) {
        set_mask(p, 0, &pinned.mask_before);
        pinned.owner = NULL;
        pinned.weights.n_threads = 0;
    }
    free(p);
}

uint32_t pool_n_threads(const struct pool *p)
{
    return p->n_threads;
}

bool pool_is_pinned(const struct pool *p)
{
    return p && pinned.owner == p;
}

void pool_share(uint64_t n, uint64_t grain, uint32_t tid, uint32_t n_threads, uint64_t *begin,
                uint64_t *end)
{
    uint64_t n_grains = num_ceil_div(n, grain);
    uint64_t first, last;
    if (n_threads == pinned.weights.n_threads) {
        pool_cpus_share(&pinned.weights, n_grains, tid, &first, &last);
    } else {
        uint64_t each = n_grains / n_threads, extra = n_grains % n_threads;
        first = each * tid + num_min(tid, extra);
        last = first + each + (tid < extra);
    }
    *begin = num_min(first * grain, n);
    *end = num_min(last * grain, n);
}
