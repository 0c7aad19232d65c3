#include "runtime/base/arena.h"

#include <string.h>
#include <sys/mman.h>

#if defined(__SANITIZE_ADDRESS__)
#define ARENA_POISONS 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ARENA_POISONS 1
#endif
#endif

#ifdef ARENA_POISONS
#include <sanitizer/asan_interface.h>

static void poison_red_zones(const struct arena *a, const struct plan *p)
{
    uint64_t end_bytes = a->size_bytes;
    for (uint32_t i = p->n_regions; i-- > 0;) {
        const struct plan_region *r = &p->regions[i];
        if (r->place != PLAN_ARENA)
            continue;
        uint64_t used_bytes = r->off_bytes + r->size_bytes;
        ASAN_POISON_MEMORY_REGION(a->base + used_bytes, end_bytes - used_bytes);
        end_bytes = r->off_bytes;
    }
}
#else
static void poison_red_zones(const struct arena *a, const struct plan *p)
{
    (void)a;
    (void)p;
}
#endif

bool arena_open(struct arena *a, const struct plan *p, struct err *e)
{
    memset(a, 0, sizeof *a);
    uint64_t size_bytes = p->total_bytes ? p->total_bytes : PLAN_ALIGN_BYTES;
    void *base = mmap(NULL, size_bytes, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    if (base == MAP_FAILED)
        return err_sys(e, "memory: cannot take the %.1f MiB arena",
                       (double)size_bytes / (1024.0 * 1024.0));
    a->base = base;
    a->size_bytes = size_bytes;
    poison_red_zones(a, p);
    return true;
}

void arena_close(struct arena *a)
{
    if (a->base) {
#ifdef ARENA_POISONS
        ASAN_UNPOISON_MEMORY_REGION(a->base, a->size_bytes);
#endif
        munmap(a->base, a->size_bytes);
    }
    memset(a, 0, sizeof *a);
}
