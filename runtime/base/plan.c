#include "runtime/base/plan.h"

#include "runtime/base/num.h"

#include <inttypes.h>
#include <string.h>

void plan_init(struct plan *p)
{
    memset(p, 0, sizeof *p);
}

static struct plan_region *region_take(struct plan *p, const char *name, uint64_t size_bytes,
                                       struct err *e)
{
    if (p->n_regions == PLAN_MAX_REGIONS)
        return err_null(e, ERR_LIMIT, "plan: more than %d regions at \"%s\"", PLAN_MAX_REGIONS,
                        name);
    struct plan_region *r = &p->regions[p->n_regions++];
    snprintf(r->name, sizeof r->name, "%s", name);
    r->size_bytes = size_bytes;
    return r;
}

bool plan_add(struct plan *p, const char *name, uint64_t n_items, uint64_t item_bytes,
              uint64_t *off_bytes, struct err *e)
{
    uint64_t size_bytes, padded_bytes, end_bytes;
    *off_bytes = p->total_bytes;
    if (!num_mul(n_items, item_bytes, &size_bytes) ||
        !num_align_up(size_bytes, PLAN_ALIGN_BYTES, &padded_bytes) ||
        !num_add(padded_bytes, (uint64_t)PLAN_ALIGN_BYTES,
                 &padded_bytes) || /* red zone between regions */
        !num_add(p->total_bytes, padded_bytes, &end_bytes) ||
        end_bytes > (UINT64_C(1) << 62))
        return err_set(e, ERR_LIMIT,
                       "plan: size of \"%s\" overflows (%" PRIu64 " x %" PRIu64 " bytes)", name,
                       n_items, item_bytes);
    struct plan_region *r = region_take(p, name, size_bytes, e);
    if (!r)
        return false;
    r->off_bytes = p->total_bytes;
    p->total_bytes = end_bytes;
    return true;
}

static bool account(struct plan *p, const char *name, uint64_t size_bytes, enum plan_place place,
                    struct err *e)
{
    uint64_t *sum_bytes = place == PLAN_MAPPED ? &p->mapped_bytes : &p->elsewhere_bytes;
    uint64_t end_bytes;
    if (!num_add(*sum_bytes, size_bytes, &end_bytes) || end_bytes > (UINT64_C(1) << 61))
        return err_set(e, ERR_LIMIT, "plan: size of \"%s\" overflows (%" PRIu64 " bytes)", name,
                       size_bytes);
    struct plan_region *r = region_take(p, name, size_bytes, e);
    if (!r)
        return false;
    r->place = place;
    *sum_bytes = end_bytes;
    return true;
}

bool plan_add_mapped(struct plan *p, const char *name, uint64_t size_bytes, struct err *e)
{
    return account(p, name, size_bytes, PLAN_MAPPED, e);
}

bool plan_add_elsewhere(struct plan *p, const char *name, uint64_t size_bytes, struct err *e)
{
    return account(p, name, size_bytes, PLAN_ELSEWHERE, e);
}

uint64_t plan_resident_bytes(const struct plan *p)
{
    return p->total_bytes + p->mapped_bytes + p->elsewhere_bytes;
}

static double mib(uint64_t n_bytes)
{
    return (double)n_bytes / (1024.0 * 1024.0);
}

void plan_print(const struct plan *p, uint64_t budget_bytes, FILE *out)
{
    static const char *const places[] = {"", "  (file mapping)", "  (role of its own)"};
    for (uint32_t i = 0; i < p->n_regions; i++) {
        const struct plan_region *r = &p->regions[i];
        fprintf(out, "  %-32s %12.2f MiB%s\n", r->name, mib(r->size_bytes), places[r->place]);
    }
    fprintf(out, "  %-32s %12.2f MiB\n", "total", mib(plan_resident_bytes(p)));
    if (budget_bytes)
        fprintf(out, "  %-32s %12.2f MiB\n", "available", mib(budget_bytes));
}

bool plan_fits(const struct plan *p, uint64_t budget_bytes, struct err *e)
{
    uint64_t need_bytes = plan_resident_bytes(p);
    if (need_bytes <= budget_bytes)
        return true;
    return err_set(e, ERR_LIMIT,
                   "memory: the plan needs %.1f MiB, %.1f MiB are available: %.1f MiB short",
                   mib(need_bytes), mib(budget_bytes), mib(need_bytes - budget_bytes));
}
