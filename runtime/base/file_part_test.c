#include "runtime/base/file_part.h"

#include "runtime/base/mem.h"
#include "tests/t.h"

#include <stdlib.h>
#include <string.h>

static void write_file(const char *text)
{
    struct file_part f = {.path = NULL};
    struct err e = {.code = ERR_NONE};
    MUST_TRUE(file_part_open(&f, t_scratch_path("out").at, &e) &&
                  file_part_reserve(&f, strlen(text), &e) && file_part_put(&f, text, 2, &e) &&
                  file_part_put(&f, text + 2, strlen(text) - 2, &e) && file_part_commit(&f, &e),
              e.msg);
    file_part_close(&f);
}

static bool holds(const char *text)
{
    size_t n_bytes;
    char *got = t_read_file(t_scratch_path("out").at, &n_bytes);
    bool is_same = n_bytes == strlen(text) && memcmp(got, text, n_bytes) == 0;
    free(got);
    return is_same;
}

TEST(file_part_replaces_the_old_file_only_at_the_commit)
{
    struct file_part f = {.path = NULL};
    struct err e = {.code = ERR_NONE};
    write_file("first");
    CHECK_TRUE(holds("first"));
    MUST_TRUE(file_part_open(&f, t_scratch_path("out").at, &e) &&
                  file_part_put(&f, "second", 6, &e),
              e.msg);
    CHECK_TRUE(holds("first"));
    CHECK_EQ(t_scratch_n_entries(), 2);
    MUST_TRUE(file_part_commit(&f, &e), e.msg);
    file_part_close(&f);
    CHECK_TRUE(holds("second"));
    CHECK_EQ(t_scratch_n_entries(), 1);
    CHECK_EQ(mem_n_live(), 0);
}

TEST(file_part_leaves_nothing_of_what_was_not_committed)
{
    struct file_part f = {.path = NULL};
    struct err e = {.code = ERR_NONE};
    MUST_TRUE(file_part_open(&f, t_scratch_path("out").at, &e) && file_part_put(&f, "half", 4, &e),
              e.msg);
    file_part_close(&f);
    file_part_close(&f); /* again is fine */
    CHECK_EQ(t_scratch_n_entries(), 0);
    CHECK_EQ(mem_n_live(), 0);
}

TEST(file_part_names_what_it_cannot_write)
{
    struct file_part f = {.path = NULL};
    struct err e = {.code = ERR_NONE};
    CHECK_TRUE(!file_part_open(&f, t_scratch_dir(), &e));
    CHECK_EQ(e.code, ERR_STATE);
    CHECK_TRUE(strstr(e.msg, "is not a regular file") && strstr(e.msg, t_scratch_dir()));
    CHECK_TRUE(!file_part_open(&f, "absent/out", &e));
    CHECK_EQ(e.code, ERR_IO);
    CHECK_TRUE(strstr(e.msg, "cannot create absent/out.partial-"));
    mem_fault_arm(1);
    CHECK_TRUE(!file_part_open(&f, t_scratch_path("out").at, &e));
    CHECK_EQ(e.code, ERR_NOMEM);
    CHECK_EQ(mem_n_live(), 0);
    CHECK_EQ(t_scratch_n_entries(), 0);
}
