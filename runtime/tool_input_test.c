#include "runtime/tool_input.h"

#include "tests/t.h"

#include <stdio.h>
#include <stdlib.h>

static void check_ids(const char *text, const int32_t *want, uint32_t n_want)
{
    struct err e = {.code = ERR_NONE};
    uint32_t n_got;
    int32_t *got = tool_ids_parse(str_of(text), &n_got, &e);
    MUST_TRUE(got, e.msg);
    CHECK_EQ(n_got, n_want);
    CHECK_BYTES(got, want, n_want * sizeof *want);
    free(got);
}

TEST(tool_ids_parse_takes_commas_and_white_space)
{
    const int32_t want[3] = {2, 105, INT32_MAX};
    check_ids("2,105,2147483647", want, 3);
    check_ids(" 2 , 105\n2147483647\r\n", want, 3);
    check_ids("2\t105,,2147483647,", want, 3);
    check_ids("2", want, 1);
}

TEST(tool_ids_parse_names_the_word_that_is_no_id)
{
    static const struct {
        const char *text, *named;
    } cases[] = {
        {"2,x,3", "\"x\""},           {"2,-1", "\"-1\""},      {"2,1.5", "\"1.5\""},
        {"2147483648", "2147483648"}, {"2,+3", "\"+3\""},      {"99999999999999999999", "9999999"},
        {"", "no token ids"},         {" , ", "no token ids"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct err e = {.code = ERR_NONE};
        uint32_t n;
        CHECK_TRUE(!tool_ids_parse(str_of(cases[i].text), &n, &e));
        CHECK_EQ(e.code, ERR_FORMAT);
        CHECK_TRUE(strstr(e.msg, cases[i].named) != NULL);
    }
}

TEST(tool_read_file_returns_every_byte_of_a_large_file)
{
    char path[4200];
    struct err e = {.code = ERR_NONE};
    snprintf(path, sizeof path, "%s/big", t_scratch_dir());
    FILE *f = fopen(path, "w");
    MUST_TRUE(f, path);
    for (int i = 0; i < 300000; i++)
        fputc(i % 251, f);
    fclose(f);
    size_t n_bytes = 0;
    unsigned char *got = (unsigned char *)tool_read_file(path, &n_bytes, &e);
    MUST_TRUE(got, e.msg);
    CHECK_EQ(n_bytes, 300000);
    uint32_t n_wrong = 0;
    for (size_t i = 0; i < n_bytes; i++)
        n_wrong += got[i] != i % 251;
    CHECK_EQ(n_wrong, 0);
    free(got);
}

TEST(tool_ids_read_names_the_file)
{
    struct err e = {.code = ERR_NONE};
    uint32_t n;
    CHECK_TRUE(!tool_ids_read("no/such/file", &n, &e));
    CHECK_EQ(e.code, ERR_IO);
    CHECK_TRUE(strstr(e.msg, "no/such/file") != NULL);
}
