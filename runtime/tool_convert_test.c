#include "runtime/tool_convert.h"

#include "models/gguf.h"
#include "runtime/base/mem.h"
#include "runtime/tool_arg.h"
#include "tests/model_dir.h"
#include "tests/t.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct path {
    char at[512];
};

static struct path scratch_path(const char *file)
{
    struct path path;
    snprintf(path.at, sizeof path.at, "%s/%s", t_scratch_dir(), file);
    return path;
}

/* Words up to a NULL. */
static int run(const char *const *words)
{
    char text[8][512], *argv[9] = {0};
    int argc = 0;
    for (; words[argc]; argc++) {
        snprintf(text[argc], sizeof text[argc], "%s", words[argc]);
        argv[argc] = text[argc];
    }
    return tool_convert(argc, argv);
}

#define RUN(...) run((const char *const[]){"convert", __VA_ARGS__, NULL})

/* Entries of the scratch directory that are not the model's. */
static int n_files_left(void)
{
    int n = 0;
    DIR *dir = opendir(t_scratch_dir());
    MUST_TRUE(dir != NULL, "scratch");
    for (struct dirent *entry; (entry = readdir(dir));)
        n += entry->d_name[0] != '.' && strcmp(entry->d_name, "gemma") != 0;
    closedir(dir);
    return n;
}

TEST(convert_tool_writes_one_file_with_any_number_of_threads)
{
    struct model_dir d;
    struct path one = scratch_path("one.gguf"), many = scratch_path("many.gguf");
    size_t n_one, n_many;
    struct err e = {0};
    model_dir_gemma4(&d, "gemma");
    model_dir_write(&d, 2);
    model_dir_write_tokenizer(&d);
    CHECK_EQ(RUN(d.path, one.at, "--threads", "1"), TOOL_OK);
    CHECK_EQ(RUN(d.path, many.at, "--threads", "3"), TOOL_OK);
    char *a = t_read_file(one.at, &n_one), *b = t_read_file(many.at, &n_many);
    CHECK_TRUE(n_one == n_many && memcmp(a, b, n_one) == 0);
    free(a);
    free(b);
    CHECK_EQ(RUN(d.path, one.at, "--type", "F32", "--tokenizer", d.path), TOOL_OK);
    struct gguf *g = gguf_open(one.at, &e);
    MUST_TRUE(g != NULL, e.msg);
    CHECK_EQ(gguf_tensor(g, "blk.0.attn_q.weight")->type, QTYPE_F32);
    gguf_close(g);
    CHECK_EQ(n_files_left(), 2);
    model_dir_free(&d);
    CHECK_EQ(mem_n_live(), 0);
}

TEST(convert_tool_leaves_no_file_when_it_fails)
{
    struct model_dir d;
    struct path out = scratch_path("out.gguf");
    model_dir_gemma4(&d, "gemma");
    model_dir_write_tokenizer(&d);
    model_dir_find(&d, "model.layers.1.mlp.down_proj.weight")->bytes[1] = 0xff; /* a NaN, late */
    model_dir_write(&d, 1);
    CHECK_EQ(RUN(d.path, out.at), TOOL_FAILED);
    model_dir_remove(&d, "model.norm.weight");
    model_dir_write(&d, 1);
    CHECK_EQ(RUN(d.path, out.at), TOOL_FAILED);
    CHECK_EQ(RUN(t_scratch_dir(), out.at), TOOL_FAILED);
    CHECK_EQ(RUN(d.path, out.at, "--type", "Q8_0"), TOOL_USAGE);
    CHECK_EQ(RUN(d.path), TOOL_USAGE);
    CHECK_EQ(n_files_left(), 0);
    model_dir_free(&d);
    CHECK_EQ(mem_n_live(), 0);
}
