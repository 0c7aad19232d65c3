#include "runtime/base/file_part.h"

#include "runtime/base/mem.h"
#include "tests/t.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

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
    CHECK_TRUE(access(f.part_path, F_OK) == 0);
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

static bool exists(const char *file)
{
    return access(t_scratch_path(file).at, F_OK) == 0;
}

/* A file that is there already; its descriptor. */
static int other_file(const char *file)
{
    int fd = open(t_scratch_path(file).at, O_RDWR | O_CREAT, 0600);
    MUST_TRUE(fd >= 0 && write(fd, "old", 3) == 3, file);
    return fd;
}

TEST(file_part_removes_what_a_killed_writer_left)
{
    struct file_part f = {.path = NULL};
    struct err e = {.code = ERR_NONE};
    int status;
    pid_t pid = fork();
    MUST_TRUE(pid >= 0, "fork");
    if (pid == 0) {
        if (file_part_open(&f, t_scratch_path("out").at, &e) && file_part_put(&f, "x", 1, &e))
            raise(SIGKILL);
        _exit(1);
    }
    char left[64];
    snprintf(left, sizeof left, "out.partial-%ld", (long)pid);
    MUST_TRUE(waitpid(pid, &status, 0) == pid && WIFSIGNALED(status), "wait");
    CHECK_TRUE(exists(left));
    close(other_file("out.partial-1")); /* a number that some living process has */
    MUST_TRUE(file_part_open(&f, t_scratch_path("out").at, &e), e.msg);
    CHECK_TRUE(!exists(left) && !exists("out.partial-1"));
    CHECK_TRUE(file_part_commit(&f, &e) && exists("out"));
    file_part_close(&f);
}

TEST(file_part_leaves_other_files_and_writers_alone)
{
    static const char *const others[] = {"out.partial-",  "out.partial-7x",  "out.partial",
                                         "out.partial-x", "other.partial-7", "xout.partial-7",
                                         "out2.partial-7"};
    struct file_part f = {.path = NULL}, other = {.path = NULL};
    struct err e = {.code = ERR_NONE};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        close(other_file(others[i]));
    int fd = other_file("out.partial-77777777");
    MUST_TRUE(flock(fd, LOCK_EX) == 0, "lock");
    MUST_TRUE(symlink("other.partial-7", t_scratch_path("out.partial-8").at) == 0, "link");
    MUST_TRUE(file_part_open(&f, t_scratch_path("out").at, &e), e.msg);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        CHECK_TRUE(exists(others[i]));
    CHECK_TRUE(exists("out.partial-77777777"));
    CHECK_TRUE(!file_part_open(&other, t_scratch_path("out").at, &e)); /* of the same process */
    file_part_close(&other);
    CHECK_TRUE(file_part_commit(&f, &e) && exists("out"));
    file_part_close(&f);
    close(fd);
}
