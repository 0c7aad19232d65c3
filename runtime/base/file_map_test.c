#include "runtime/base/file_map.h"

#include "tests/t.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

TEST(file_map_lends_the_whole_file)
{
    struct file_map m;
    struct err e = {.code = ERR_NONE};
    FILE *f = fopen(t_scratch_path("five").at, "w");
    MUST_TRUE(f && fputs("bytes", f) >= 0 && fclose(f) == 0, "no file");
    MUST_TRUE(file_map_open(&m, t_scratch_path("five").at, &e), e.msg);
    CHECK_EQ(m.n_bytes, 5);
    CHECK_TRUE(memcmp(m.bytes, "bytes", 5) == 0);
    file_map_close(&m);
    CHECK_TRUE(m.bytes == NULL && m.n_bytes == 0);
    file_map_close(&m);
}

TEST(file_map_refuses_what_is_no_file_with_bytes_and_never_waits)
{
    static const struct {
        const char *name, *why;
    } cases[] = {{"absent", "cannot open "},
                 {".", "not a regular file"},
                 {"pipe", "not a regular file"},
                 {"empty", "the file is empty"}};
    MUST_TRUE(mkfifo(t_scratch_path("pipe").at, 0600) == 0, "no pipe");
    FILE *f = fopen(t_scratch_path("empty").at, "w");
    MUST_TRUE(f && fclose(f) == 0, "no file");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct file_map m = {(const unsigned char *)"x", 1};
        struct err e = {.code = ERR_NONE};
        CHECK_TRUE(!file_map_open(&m, t_scratch_path(cases[i].name).at, &e));
        CHECK_TRUE(strstr(e.msg, cases[i].why) && strstr(e.msg, t_scratch_path(cases[i].name).at));
        CHECK_TRUE(m.bytes == NULL && m.n_bytes == 0);
    }
}
