#include "runtime/tool_convert.h"

#include "models/gguf.h"
#include "runtime/base/mem.h"
#include "runtime/tool_arg.h"
#include "tests/model_dir.h"
#include "tests/tool_run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RUN(...) TOOL_RUN(tool_convert, "convert", __VA_ARGS__)

TEST(convert_tool_writes_one_file_with_any_number_of_threads)
{
    struct model_dir d;
    struct t_path one = t_scratch_path("one.gguf"), many = t_scratch_path("many.gguf");
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
    CHECK_EQ(t_scratch_n_entries(), 3); /* with the model's folder */
    model_dir_free(&d);
    CHECK_EQ(mem_n_live(), 0);
}

TEST(convert_tool_leaves_no_file_when_it_fails)
{
    struct model_dir d;
    struct t_path out = t_scratch_path("out.gguf");
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
    CHECK_EQ(t_scratch_n_entries(), 1); /* the model's folder */
    model_dir_free(&d);
    CHECK_EQ(mem_n_live(), 0);
}
