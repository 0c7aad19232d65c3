#include "runtime/base/plan.h"

#include "tests/t.h"

#include <stdlib.h>
#include <string.h>

TEST(plan_counts_mappings_and_other_roles_in_the_total_but_not_in_the_arena)
{
    struct plan p;
    struct err e = {0};
    uint64_t off_bytes;
    plan_init(&p);
    MUST_TRUE(plan_add(&p, "here", 100, 10, &off_bytes, &e), e.msg);
    uint64_t arena_bytes = p.total_bytes;
    MUST_TRUE(plan_add_mapped(&p, "file", 5 << 20, &e), e.msg);
    MUST_TRUE(plan_add_elsewhere(&p, "edge", 7 << 20, &e), e.msg);
    CHECK_EQ(p.total_bytes, arena_bytes);
    CHECK_EQ(plan_resident_bytes(&p), arena_bytes + (12 << 20));
    CHECK_TRUE(plan_fits(&p, arena_bytes + (12 << 20), &e));
    CHECK_TRUE(!plan_fits(&p, arena_bytes + (12 << 20) - 1, &e));
    CHECK_EQ(e.code, ERR_LIMIT);
    char *text = NULL;
    size_t n_bytes = 0;
    FILE *out = open_memstream(&text, &n_bytes);
    MUST_TRUE(out != NULL, NULL);
    plan_print(&p, 64 << 20, out);
    fclose(out);
    CHECK_TRUE(strstr(text, "7.00 MiB  (role of its own)\n"));
    CHECK_TRUE(strstr(text, "5.00 MiB  (file mapping)\n"));
    CHECK_TRUE(strstr(text, "64.00 MiB\n"));
    free(text);
}

TEST(plan_refuses_sums_that_overflow)
{
    struct plan p;
    struct err e = {0};
    plan_init(&p);
    MUST_TRUE(plan_add_elsewhere(&p, "edge", UINT64_C(1) << 61, &e), e.msg);
    CHECK_TRUE(!plan_add_elsewhere(&p, "more", UINT64_MAX - 10, &e));
    CHECK_EQ(e.code, ERR_LIMIT);
    CHECK_TRUE(!plan_add_mapped(&p, "file", UINT64_MAX, &e));
}
