#include "runtime/base/pool_cpus.h"

#include "runtime/base/num.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* 0 = missing or nonsense. */
static uint16_t read_capacity(const char *sysfs_root, int cpu)
{
    char path[512];
    int n =
        snprintf(path, sizeof path, "%s/devices/system/cpu/cpu%d/cpu_capacity", sysfs_root, cpu);
    FILE *f = n > 0 && (size_t)n < sizeof path ? fopen(path, "re") : NULL;
    if (!f)
        return 0;
    char text[16];
    text[fread(text, 1, sizeof text - 1, f)] = 0;
    fclose(f);
    if (!isdigit((unsigned char)text[0]))
        return 0;
    char *end;
    unsigned long capacity = strtoul(text, &end, 10);
    if ((*end && *end != '\n') || capacity > POOL_CPUS_MAX_CAPACITY)
        return 0;
    return (uint16_t)capacity;
}

/* Insert behind those at least as big: CPUs come in the order of their numbers, so ties stay in it.
 * When all places are taken, the smallest falls out. */
static void rank(struct pool_cpus *c, uint32_t n_ranked, int cpu, uint16_t capacity)
{
    uint32_t at = n_ranked;
    while (at > 0 && c->capacity[at - 1] < capacity)
        at--;
    if (at == POOL_MAX_THREADS)
        return;
    uint32_t n_behind = (uint32_t)num_min(n_ranked, POOL_MAX_THREADS - 1) - at;
    memmove(c->cpu + at + 1, c->cpu + at, n_behind * sizeof *c->cpu);
    memmove(c->capacity + at + 1, c->capacity + at, n_behind * sizeof *c->capacity);
    c->cpu[at] = (uint16_t)cpu;
    c->capacity[at] = capacity;
}

void pool_cpus_read(struct pool_cpus *c, const cpu_set_t *mask, const char *sysfs_root)
{
    uint32_t n_cpus = (uint32_t)num_max((uint64_t)CPU_COUNT(mask), 1);
    *c = (struct pool_cpus){.n_cpus = (uint32_t)num_min(n_cpus, POOL_MAX_THREADS)};
    uint32_t n_ranked = 0;
    uint16_t smallest = POOL_CPUS_MAX_CAPACITY;
    for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
        if (!CPU_ISSET(cpu, mask))
            continue;
        uint16_t capacity = read_capacity(sysfs_root, cpu);
        if (!capacity)
            return;
        smallest = (uint16_t)num_min(smallest, capacity);
        rank(c, n_ranked, cpu, capacity);
        n_ranked = (uint32_t)num_min(n_ranked + 1, POOL_MAX_THREADS);
    }
    c->is_mixed = n_ranked > 0 && c->capacity[0] != smallest;
}

bool pool_cpus_are_weighed(const struct pool_cpus *c, uint32_t n_threads)
{
    return c->is_mixed && n_threads <= c->n_cpus;
}

void pool_cpus_describe(const struct pool_cpus *c, uint32_t n_threads,
                        char out[POOL_CPUS_TEXT_BYTES])
{
    enum { REST_BYTES = sizeof "+128 more" };
    out[0] = 0;
    size_t n_bytes = 0;
    uint32_t i = 0;
    while (pool_cpus_are_weighed(c, n_threads) && i < n_threads) {
        uint32_t next = i + 1;
        while (next < n_threads && c->capacity[next] == c->capacity[i])
            next++;
        char kind[24];
        int n = snprintf(kind, sizeof kind, "%s%ux%u", i ? "+" : "", next - i, c->capacity[i]);
        if (n_bytes + (size_t)n + REST_BYTES > POOL_CPUS_TEXT_BYTES) {
            snprintf(out + n_bytes, POOL_CPUS_TEXT_BYTES - n_bytes, "+%u more", n_threads - i);
            return;
        }
        memcpy(out + n_bytes, kind, (size_t)n + 1);
        n_bytes += (size_t)n;
        i = next;
    }
}

void pool_cpus_weigh(struct pool_cpus_weights *w, const struct pool_cpus *c, uint32_t n_threads)
{
    *w = (struct pool_cpus_weights){.n_threads = n_threads};
    for (uint32_t tid = 0; tid < n_threads; tid++)
        w->sum[tid + 1] = w->sum[tid] + c->capacity[tid];
}

/* ceil(n_grains * part / all), exact: n_grains * part alone could wrap, part and all are below
 * 2^18. */
static uint64_t boundary(uint64_t n_grains, uint32_t part, uint32_t all)
{
    return n_grains / all * part + num_ceil_div(n_grains % all * part, all);
}

void pool_cpus_share(const struct pool_cpus_weights *w, uint64_t n_grains, uint32_t tid,
                     uint64_t *first, uint64_t *last)
{
    uint32_t all = w->sum[w->n_threads];
    *first = boundary(n_grains, w->sum[tid], all);
    *last = boundary(n_grains, w->sum[tid + 1], all);
}
