#include "runtime/base/pool_cpus.h"

#include "tests/t.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static void make_dir(const char *path)
{
    MUST_TRUE(mkdir(path, 0700) == 0, path);
}

/* NULL = no file. */
static void put_capacity(int cpu, const char *text)
{
    char path[256];
    snprintf(path, sizeof path, "%s/devices", t_scratch_dir());
    struct stat st;
    if (stat(path, &st) != 0) {
        make_dir(path);
        snprintf(path, sizeof path, "%s/devices/system", t_scratch_dir());
        make_dir(path);
        snprintf(path, sizeof path, "%s/devices/system/cpu", t_scratch_dir());
        make_dir(path);
    }
    snprintf(path, sizeof path, "%s/devices/system/cpu/cpu%d", t_scratch_dir(), cpu);
    if (stat(path, &st) != 0)
        make_dir(path);
    snprintf(path, sizeof path, "%s/devices/system/cpu/cpu%d/cpu_capacity", t_scratch_dir(), cpu);
    if (!text) {
        MUST_TRUE(remove(path) == 0, path);
        return;
    }
    FILE *f = fopen(path, "w");
    MUST_TRUE(f && fputs(text, f) >= 0 && fclose(f) == 0, path);
}

static struct pool_cpus read_cpus(int n_cpus)
{
    cpu_set_t mask;
    CPU_ZERO(&mask);
    for (int cpu = 0; cpu < n_cpus; cpu++)
        CPU_SET(cpu, &mask);
    struct pool_cpus c;
    pool_cpus_read(&c, &mask, t_scratch_dir());
    return c;
}

/* Five small ones, then five big ones, twice. */
static struct pool_cpus read_ten_and_ten(void)
{
    for (int cpu = 0; cpu < 20; cpu++)
        put_capacity(cpu, cpu / 5 % 2 ? "1024\n" : "718\n");
    return read_cpus(20);
}

TEST(pool_cpus_are_ranked_by_capacity_then_number)
{
    static const uint16_t big_first[20] = {5, 6, 7, 8, 9, 15, 16, 17, 18, 19,
                                           0, 1, 2, 3, 4, 10, 11, 12, 13, 14};
    struct pool_cpus c = read_ten_and_ten();
    CHECK_TRUE(c.is_mixed);
    CHECK_EQ(c.n_cpus, 20);
    CHECK_BYTES(c.cpu, big_first, sizeof big_first);
    for (uint32_t i = 0; i < 20; i++)
        CHECK_EQ(c.capacity[i], i < 10 ? 1024 : 718);
}

TEST(pool_cpus_outside_the_mask_are_not_looked_at)
{
    put_capacity(0, "nonsense");
    put_capacity(2, "512");
    put_capacity(3, "1024");
    cpu_set_t mask;
    CPU_ZERO(&mask);
    CPU_SET(2, &mask);
    CPU_SET(3, &mask);
    struct pool_cpus c;
    pool_cpus_read(&c, &mask, t_scratch_dir());
    CHECK_TRUE(c.is_mixed);
    CHECK_EQ(c.n_cpus, 2);
    CHECK_EQ(c.cpu[0], 3);
    CHECK_EQ(c.cpu[1], 2);
}

TEST(pool_cpus_are_equal_without_files_or_with_nonsense)
{
    struct pool_cpus c = read_cpus(4);
    CHECK_EQ(c.n_cpus, 4);
    CHECK_TRUE(!c.is_mixed);
    for (int cpu = 0; cpu < 4; cpu++)
        put_capacity(cpu, "1024\n");
    CHECK_TRUE(!read_cpus(4).is_mixed); /* read, and equal */
    put_capacity(0, "700\n");
    CHECK_TRUE(read_cpus(4).is_mixed);
    static const char *const wrong[] = {"",     "\n",     "0\n",    "1025\n",
                                        "-1\n", "12ab\n", " 700\n", "18446744073709551617\n"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        put_capacity(3, wrong[i]);
        c = read_cpus(4);
        CHECK_TRUE(!c.is_mixed);
        CHECK_EQ(c.n_cpus, 4);
    }
    put_capacity(3, NULL);
    CHECK_TRUE(!read_cpus(4).is_mixed);
    put_capacity(3, "1");
    CHECK_TRUE(read_cpus(4).is_mixed);
    CHECK_EQ(read_cpus(0).n_cpus, 1); /* an empty mask: nothing is known */
}

TEST(pool_cpus_beyond_the_most_threads_leave_the_biggest)
{
    enum { N = POOL_MAX_THREADS + 12 };
    for (int cpu = 0; cpu < N; cpu++) {
        char text[16];
        snprintf(text, sizeof text, "%d", cpu < 6 ? 100 : cpu % 2 ? 900 : 800);
        put_capacity(cpu, text);
    }
    struct pool_cpus c = read_cpus(N);
    CHECK_TRUE(c.is_mixed);
    CHECK_EQ(c.n_cpus, POOL_MAX_THREADS);
    CHECK_EQ(c.cpu[0], 7);
    uint32_t n_big = 0;
    for (uint32_t i = 0; i < c.n_cpus; i++) {
        CHECK_TRUE(i == 0 || c.capacity[i] <= c.capacity[i - 1]);
        CHECK_EQ(c.capacity[i], c.cpu[i] % 2 ? 900 : 800);
        n_big += c.capacity[i] == 900;
    }
    CHECK_EQ(n_big, (N - 6) / 2);
    CHECK_EQ(c.cpu[c.n_cpus - 1], 126); /* 8, 10, .. until all places are taken */
}

TEST(pool_cpus_are_weighed_only_with_a_cpu_for_each_thread)
{
    struct pool_cpus c = read_ten_and_ten();
    char text[POOL_CPUS_TEXT_BYTES];
    CHECK_TRUE(pool_cpus_are_weighed(&c, 20));
    pool_cpus_describe(&c, 20, text);
    CHECK_STR(text, "10x1024+10x718");
    pool_cpus_describe(&c, 12, text);
    CHECK_STR(text, "10x1024+2x718");
    pool_cpus_describe(&c, 10, text);
    CHECK_STR(text, "10x1024");
    CHECK_TRUE(!pool_cpus_are_weighed(&c, 21));
    pool_cpus_describe(&c, 21, text);
    CHECK_STR(text, "");
    c.is_mixed = false;
    pool_cpus_describe(&c, 20, text);
    CHECK_STR(text, "");
}

TEST(pool_cpus_of_many_kinds_are_described_within_the_room)
{
    struct pool_cpus c = {.n_cpus = POOL_MAX_THREADS, .is_mixed = true};
    for (uint32_t i = 0; i < c.n_cpus; i++)
        c.capacity[i] = (uint16_t)(1024 - i);
    char text[POOL_CPUS_TEXT_BYTES];
    pool_cpus_describe(&c, c.n_cpus, text);
    CHECK_STR(text, "1x1024+1x1023+1x1022+1x1021+1x1020+1x1019+1x1018+121 more");
}

/* Every share of n_grains: without gap or overlap, and within a grain of its proportion. */
static void check_shares(const struct pool_cpus_weights *w, uint64_t n_grains)
{
    uint64_t at = 0, first, last;
    bool is_near = true;
    uint32_t all = w->sum[w->n_threads];
    for (uint32_t tid = 0; tid < w->n_threads; tid++) {
        pool_cpus_share(w, n_grains, tid, &first, &last);
        CHECK_EQ(first, at);
        MUST_TRUE(last >= first, NULL);
        __extension__ __int128 off =
            (__int128)(last - first) * all - (__int128)n_grains * (w->sum[tid + 1] - w->sum[tid]);
        is_near = is_near && off < all && off > -(int64_t)all;
        at = last;
    }
    CHECK_TRUE(is_near);
    CHECK_EQ(at, n_grains);
}

TEST(pool_cpus_shares_cover_exactly_in_proportion)
{
    struct pool_cpus c = read_ten_and_ten();
    struct pool_cpus odd = {.n_cpus = 5, .capacity = {1024, 1000, 37, 2, 1}, .is_mixed = true};
    static const uint64_t big[] = {65536, 262144, UINT64_C(1) << 40, UINT64_MAX};
    struct pool_cpus_weights w;
    for (uint32_t n_threads = 1; n_threads <= 20; n_threads++) {
        const struct pool_cpus *of = n_threads <= 5 ? &odd : &c;
        pool_cpus_weigh(&w, of, n_threads);
        for (uint64_t n_grains = 0; n_grains < 200; n_grains++)
            check_shares(&w, n_grains);
        for (size_t i = 0; i < sizeof big / sizeof *big; i++)
            check_shares(&w, big[i]);
    }
    uint64_t first, last;
    pool_cpus_share(&w, 17420, 0, &first, &last); /* the sum of all: each its capacity */
    CHECK_EQ(last - first, 1024);
    pool_cpus_share(&w, 17420, 19, &first, &last);
    CHECK_EQ(last - first, 718);
    pool_cpus_share(&w, 1, 0, &first, &last); /* a lone grain stays with the caller */
    CHECK_EQ(last - first, 1);
}
