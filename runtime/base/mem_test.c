#include "runtime/base/mem.h"

#include "tests/t.h"

TEST(mem_counts_what_is_live)
{
    uint64_t n_before = mem_n_live();
    char *p = mem_alloc(4, 8);
    MUST_TRUE(p != NULL, "no memory");
    CHECK_EQ(mem_n_live(), n_before + 1);
    CHECK_EQ(p[31], 0);
    mem_free(p);
    mem_free(NULL);
    CHECK_EQ(mem_n_live(), n_before);
}

TEST(mem_refuses_a_size_that_overflows)
{
    CHECK_TRUE(mem_alloc(UINT64_MAX / 2, 4) == NULL);
    CHECK_TRUE(mem_alloc(1, UINT64_MAX) == NULL);
}

TEST(mem_grow_keeps_the_old_items_and_zeroes_the_rest)
{
    uint32_t *p = mem_alloc(2, sizeof *p);
    MUST_TRUE(p != NULL, "no memory");
    p[0] = 7;
    p[1] = 8;
    uint32_t *grown = mem_grow(p, 2, 1000, sizeof *p);
    MUST_TRUE(grown != NULL, "no memory");
    CHECK_EQ(grown[1], 8);
    CHECK_EQ(grown[999], 0);
    CHECK_EQ(mem_taken_bytes(), (2 + 1000) * sizeof *p);
    mem_free(grown);
}

TEST(mem_fault_fails_exactly_the_armed_allocation)
{
    mem_fault_arm(1);
    void *first = mem_alloc(1, 1);
    void *second = mem_alloc(1, 1);
    void *third = mem_alloc(1, 1);
    CHECK_TRUE(first != NULL);
    CHECK_TRUE(second == NULL);
    CHECK_TRUE(third != NULL);
    CHECK_TRUE(mem_fault_fired());
    CHECK_TRUE(!mem_fault_fired());
    mem_free(first);
    mem_free(third);
}

TEST(mem_is_refused_once_frozen)
{
    void *before = mem_alloc(1, 1);
    mem_freeze();
    CHECK_TRUE(before != NULL);
    CHECK_TRUE(mem_alloc(1, 1) == NULL);
    CHECK_TRUE(mem_grow(before, 1, 2, 1) == NULL);
    mem_free(before);
}
