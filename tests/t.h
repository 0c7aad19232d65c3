/* t: unit test harness; every x_test.c includes it, tests/t.c runs them.
 * Flow: TEST() registers at load -> t.c forks one child per test -> counted checks come back in
 * shared memory. Working directory: always the source root, so tests open "tests/golden/x" by that
 * relative name. Invariants: a test without checks fails; a crash, leak, time-out or early exit
 * fails the test it happened in.
 *
 *   TEST(kv_prefix_shares_pages_until_first_divergence)
 *   {
 *       CHECK_EQ(kv_n_shared(&kv), 3);            what we got first, what we want second
 *       MUST_TRUE(kv_init(&kv, &e), e.msg);       nothing below makes sense without it: ends the
 * test
 *   } */
#ifndef TESTS_T_H
#define TESTS_T_H

#include <stdbool.h>
#include <stddef.h>

struct t_case {
    const char *file;
    const char *name;
    void (*body)(void);
    struct t_case *next;
};

struct t_at { /* where a check stands, and its source text */
    const char *file;
    int line;
    const char *text;
};

#define T_AT(text) (&(const struct t_at){__FILE__, __LINE__, text})

#define TEST(name)                                                                                 \
    static void test_##name(void);                                                                 \
    __attribute__((constructor)) static void test_register_##name(void)                            \
    {                                                                                              \
        static struct t_case this_case = {__FILE__, #name, test_##name, NULL};                     \
        t_register(&this_case);                                                                    \
    }                                                                                              \
    static void test_##name(void)

#define T_IS_INTEGER(x) _Generic((x), float : 0, double : 0, long double : 0, default : 1)

/* Each is one counted check and yields whether it held; the test goes on after a failed one. */
#define CHECK_TRUE(cond) t_check_true(T_AT(#cond), (cond))
#define CHECK_EQ(got, want)                                                                        \
    __extension__({                                                                                \
        _Static_assert(T_IS_INTEGER(got) && T_IS_INTEGER(want), "floats: use CHECK_NEAR");         \
        t_check_eq(T_AT(#got " == " #want), (__int128)(got), (__int128)(want));                    \
    })
#define CHECK_STR(got, want) t_check_str(T_AT(#got " == " #want), (got), (want))
#define CHECK_NEAR(got, want, max_diff)                                                            \
    t_check_near(T_AT(#got " ~ " #want), (double)(got), (double)(want), (double)(max_diff))
#define CHECK_BYTES(got, want, n_bytes)                                                            \
    t_check_bytes(T_AT(#got " == " #want), (got), (want), (n_bytes))

/* A check the rest of the test stands on: if it fails, `why` (may be NULL) is printed and the test
 * ends. */
#define MUST_TRUE(cond, why) t_must_true(T_AT(#cond), (cond), (why))

/* Ends the test; counted and printed as skipped, never as passed. */
#define SKIP(reason) t_skip(T_AT("skip"), (reason))

void t_register(struct t_case *one);
bool t_check_true(const struct t_at *at, bool held);
__extension__ bool t_check_eq(const struct t_at *at, __int128 got, __int128 want);
bool t_check_str(const struct t_at *at, const char *got, const char *want);
bool t_check_near(const struct t_at *at, double got, double want, double max_diff);
bool t_check_bytes(const struct t_at *at, const void *got, const void *want, size_t n_bytes);
void t_must_true(const struct t_at *at, bool held, const char *why);
_Noreturn void t_skip(const struct t_at *at, const char *reason);

/* Whole file, relative to the source root, malloced with a 0 byte after its end; ends the test if
 * unreadable. */
void *t_read_file(const char *path, size_t *n_bytes);

/* A directory of this test's own, empty at first, removed with all it holds when the test is over.
 */
const char *t_scratch_dir(void);

struct t_path {
    char at[512];
};
struct t_path t_scratch_path(const char *name); /* of name in it */
int t_scratch_n_entries(void);                  /* files and folders in it */

#endif
