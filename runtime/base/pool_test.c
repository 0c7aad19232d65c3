#include "runtime/base/pool.h"

#include "runtime/base/pool_cpus.h"
#include "tests/t.h"

#include <string.h>

enum { N_ITEMS = 5000 };

/* What each thread of a run saw. */
struct seen {
    uint64_t out[N_ITEMS];
    uint32_t n_taken[POOL_MAX_THREADS];
    cpu_set_t mask[POOL_MAX_THREADS];
};

static void fill(void *arg, uint32_t tid, uint32_t n_threads)
{
    struct seen *s = arg;
    uint64_t begin, end;
    pool_share(N_ITEMS, 1, tid, n_threads, &begin, &end);
    for (uint64_t i = begin; i < end; i++)
        s->out[i] += i * i + 1;
    s->n_taken[tid] = (uint32_t)(end - begin);
    if (sched_getaffinity(0, sizeof s->mask[tid], &s->mask[tid]) != 0)
        CPU_ZERO(&s->mask[tid]); /* not what any test expects; checks are the caller's alone */
}

static void run(struct pool *p, struct seen *s)
{
    memset(s, 0, sizeof *s);
    pool_run(p, fill, s);
    bool is_whole = true;
    for (uint64_t i = 0; i < N_ITEMS; i++)
        is_whole = is_whole && s->out[i] == i * i + 1;
    CHECK_TRUE(is_whole);
}

/* The CPUs of this machine as if each of the later half did a third of the others' work. */
static struct pool_cpus made_up_cpus(cpu_set_t *mask)
{
    MUST_TRUE(sched_getaffinity(0, sizeof *mask, mask) == 0, NULL);
    struct pool_cpus c = {.n_cpus = pool_n_cpus(), .is_mixed = true};
    if (c.n_cpus < 2)
        SKIP("needs two CPUs");
    uint32_t n = 0;
    for (int cpu = CPU_SETSIZE - 1; cpu >= 0 && n < c.n_cpus; cpu--)
        if (CPU_ISSET(cpu, mask)) {
            c.cpu[n] = (uint16_t)cpu;
            c.capacity[n] = n < c.n_cpus / 2 ? 900 : 300;
            n++;
        }
    return c;
}

static bool is_mask_of_caller(const cpu_set_t *mask)
{
    cpu_set_t now;
    MUST_TRUE(sched_getaffinity(0, sizeof now, &now) == 0, NULL);
    return CPU_EQUAL(&now, mask);
}

static bool are_shares_equal(uint32_t n_threads)
{
    uint64_t begin, end;
    bool is_equal = true;
    for (uint32_t tid = 0; tid < n_threads; tid++) {
        pool_share(UINT64_C(64) * n_threads, 4, tid, n_threads, &begin, &end);
        is_equal = is_equal && begin == UINT64_C(64) * tid && end == begin + 64;
    }
    return is_equal;
}

TEST(pool_share_covers_in_multiples_of_the_grain)
{
    for (uint32_t n_threads = 1; n_threads < 9; n_threads++)
        for (uint64_t n = 0; n < 300; n++) {
            uint64_t at = 0, begin, end;
            for (uint32_t tid = 0; tid < n_threads; tid++) {
                pool_share(n, 16, tid, n_threads, &begin, &end);
                CHECK_TRUE(begin == at && end >= begin && (end % 16 == 0 || end == n));
                at = end;
            }
            CHECK_EQ(at, n);
        }
}

TEST(pool_on_equal_cpus_pins_nothing)
{
    struct err e = {0};
    cpu_set_t mask;
    struct pool_cpus c = made_up_cpus(&mask);
    c.is_mixed = false;
    static struct seen s;
    struct pool *p = pool_open_on(&c, 2, &e);
    MUST_TRUE(p, e.msg);
    CHECK_TRUE(!pool_is_pinned(p));
    run(p, &s);
    CHECK_TRUE(CPU_EQUAL(&s.mask[0], &mask) && CPU_EQUAL(&s.mask[1], &mask));
    CHECK_EQ(s.n_taken[0], N_ITEMS / 2);
    CHECK_TRUE(are_shares_equal(2));
    pool_close(p);
}

TEST(pool_on_unequal_cpus_pins_the_biggest_and_weighs)
{
    struct err e = {0};
    cpu_set_t mask;
    struct pool_cpus c = made_up_cpus(&mask);
    static struct seen s;
    struct pool *p = pool_open_on(&c, 0, &e);
    MUST_TRUE(p, e.msg);
    CHECK_EQ(pool_n_threads(p), c.n_cpus);
    CHECK_TRUE(pool_is_pinned(p));
    run(p, &s);
    for (uint32_t tid = 0; tid < c.n_cpus; tid++) {
        CHECK_EQ(CPU_COUNT(&s.mask[tid]), 1);
        CHECK_TRUE(CPU_ISSET(c.cpu[tid], &s.mask[tid]));
    }
    CHECK_TRUE(s.n_taken[0] >= 3 * (s.n_taken[c.n_cpus - 1] - 1));
    CHECK_TRUE(!are_shares_equal(c.n_cpus));
    CHECK_TRUE(are_shares_equal(c.n_cpus + 1)); /* of another number of threads */
    uint64_t at = 0, begin, end;
    for (uint32_t tid = 0; tid < c.n_cpus; tid++) {
        pool_share(1001, 16, tid, c.n_cpus, &begin, &end);
        CHECK_TRUE(begin == at && (end % 16 == 0 || end == 1001));
        at = end;
    }
    CHECK_EQ(at, 1001);
    CHECK_EQ(pool_n_cpus(), c.n_cpus); /* not the one the caller is pinned to */
    pool_close(p);
    CHECK_TRUE(is_mask_of_caller(&mask));
    CHECK_TRUE(are_shares_equal(c.n_cpus));
}

TEST(pool_with_more_threads_than_unequal_cpus_pins_nothing)
{
    struct err e = {0};
    cpu_set_t mask;
    struct pool_cpus c = made_up_cpus(&mask);
    static struct seen s;
    struct pool *p = pool_open_on(&c, c.n_cpus + 1, &e);
    MUST_TRUE(p, e.msg);
    CHECK_TRUE(!pool_is_pinned(p));
    run(p, &s);
    CHECK_TRUE(CPU_EQUAL(&s.mask[0], &mask) && CPU_EQUAL(&s.mask[c.n_cpus], &mask));
    CHECK_TRUE(are_shares_equal(c.n_cpus + 1));
    pool_close(p);
}

TEST(pool_that_cannot_pin_a_thread_pins_none)
{
    struct err e = {0};
    cpu_set_t mask;
    struct pool_cpus c = made_up_cpus(&mask);
    c.cpu[1] = CPU_SETSIZE - 1; /* gone since its capacity was read */
    static struct seen s;
    struct pool *p = pool_open_on(&c, 2, &e);
    MUST_TRUE(p, e.msg);
    CHECK_TRUE(!pool_is_pinned(p));
    run(p, &s);
    CHECK_TRUE(CPU_EQUAL(&s.mask[0], &mask) && CPU_EQUAL(&s.mask[1], &mask));
    CHECK_TRUE(are_shares_equal(2));
    pool_close(p);
}

TEST(pool_beside_a_pinned_one_is_not_pinned)
{
    struct err e = {0};
    cpu_set_t mask;
    struct pool_cpus c = made_up_cpus(&mask), later;
    static struct seen s;
    struct pool *p = pool_open_on(&c, 1, &e);
    MUST_TRUE(p && pool_is_pinned(p), e.msg);
    pool_read_cpus(&later);
    CHECK_EQ(later.n_cpus, c.n_cpus);
    struct pool *q = pool_open_on(&c, 2, &e);
    MUST_TRUE(q, e.msg);
    CHECK_TRUE(!pool_is_pinned(q));
    run(q, &s);
    CHECK_TRUE(CPU_EQUAL(&s.mask[1], &mask));
    CHECK_EQ(s.n_taken[0], N_ITEMS / 2);
    pool_close(q);
    CHECK_TRUE(pool_is_pinned(p) && !is_mask_of_caller(&mask));
    pool_close(p);
    CHECK_TRUE(is_mask_of_caller(&mask));
}
