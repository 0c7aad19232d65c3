#include "runtime/tools.h"

#include "models/gguf_write.h"
#include "models/json_text.h"
#include "runtime/tool_arg.h"
#include "tests/t.h"
#include "tests/tok_small.h"

#include <fcntl.h>
#include <stdarg.h>
#include <unistd.h>

struct run {
    int exit_code;
    char out[8192], err[1024];
    size_t n_out;
};

static char *scratch_path(char path[512], const char *file)
{
    snprintf(path, 512, "%s/%s", t_scratch_dir(), file);
    return path;
}

static void write_file(const char *file, const void *bytes, size_t n_bytes)
{
    char path[512];
    FILE *f = fopen(scratch_path(path, file), "wb");
    MUST_TRUE(f && fwrite(bytes, 1, n_bytes, f) == n_bytes && fclose(f) == 0, path);
}

/* A file of metadata alone: what these tools need of a model. */
static void write_model(void)
{
    struct tok_small *ts = malloc(sizeof *ts);
    struct err e = {0};
    struct gguf_writer *w = gguf_write_new(&e);
    int32_t types[TOK_SMALL_MAX_PIECES];
    MUST_TRUE(ts && w, e.msg);
    tok_small_init(ts);
    for (uint32_t i = 0; i < ts->n_pieces; i++)
        types[i] = ts->classes[i];
    bool ok = gguf_write_str(w, "tokenizer.ggml.model", "gemma4", &e) &&
              gguf_write_strs(w, "tokenizer.ggml.tokens", ts->pieces, ts->n_pieces, &e) &&
              gguf_write_i32s(w, "tokenizer.ggml.token_type", types, ts->n_pieces, &e) &&
              gguf_write_strs(w, "tokenizer.ggml.merges", ts->merges, ts->n_merges, &e) &&
              gguf_write_seal(w, &e);
    MUST_TRUE(ok, e.msg);
    struct str head = gguf_write_head(w);
    write_file("m.gguf", head.p, head.n_bytes);
    gguf_write_free(w);
    free(ts);
}

static size_t read_back(const char *file, char *out, size_t n_room)
{
    char path[512];
    size_t n_bytes;
    char *all = t_read_file(scratch_path(path, file), &n_bytes);
    MUST_TRUE(n_bytes < n_room, "output too long");
    memcpy(out, all, n_bytes + 1);
    free(all);
    return n_bytes;
}

static int redirect(int fd, const char *file)
{
    char path[512];
    int kept = dup(fd), to = open(scratch_path(path, file), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    MUST_TRUE(kept >= 0 && to >= 0 && dup2(to, fd) == fd, path);
    close(to);
    return kept;
}

static void restore(int fd, int kept)
{
    dup2(kept, fd);
    close(kept);
}

/* Words up to NULL; "@name" stands for that file in the scratch directory. */
static void run_tool(struct run *r, int (*tool)(int, char **), ...)
{
    char words[8][512], *argv[9];
    int argc = 0;
    va_list ap;
    va_start(ap, tool);
    for (const char *w; (w = va_arg(ap, const char *)) && argc < 8; argc++) {
        if (w[0] == '@')
            scratch_path(words[argc], w + 1);
        else
            snprintf(words[argc], sizeof words[argc], "%s", w);
        argv[argc] = words[argc];
    }
    va_end(ap);
    argv[argc] = NULL;
    fflush(stdout);
    int out = redirect(1, "stdout"), err = redirect(2, "stderr");
    r->exit_code = tool(argc, argv);
    fflush(stdout);
    restore(1, out);
    restore(2, err);
    r->n_out = read_back("stdout", r->out, sizeof r->out);
    read_back("stderr", r->err, sizeof r->err);
}

static void check_one_line(const struct run *r, int want_exit_code, const char *want_word)
{
    CHECK_EQ(r->exit_code, want_exit_code);
    CHECK_STR(r->out, "");
    CHECK_TRUE(strchr(r->err, '\n') == r->err + strlen(r->err) - 1);
    if (!CHECK_TRUE(strstr(r->err, want_word)))
        CHECK_STR(r->err, want_word);
}

TEST(tool_tokenize_prints_ids_on_one_line)
{
    struct run r;
    struct tok t;
    struct err e = {0};
    void *image = tok_small_open(&t, &e);
    MUST_TRUE(image, e.msg);
    write_model();
    char want[256];
    snprintf(want, sizeof want, "%d %d %d\n", t.special[TOK_TURN_OPEN], tok_find(&t, STR("abc")),
             tok_find(&t, STR("\xe2\x96\x81the")));
    run_tool(&r, tool_tokenize, "tokenize", "-m", "@m.gguf", "<|turn>abc the", NULL);
    CHECK_EQ(r.exit_code, TOOL_OK);
    CHECK_STR(r.out, want);
    snprintf(want, sizeof want, "%d %d\n", t.special[TOK_BOS], tok_find(&t, STR("-")));
    run_tool(&r, tool_tokenize, "tokenize", "--bos", "-m", "@m.gguf", "--", "-", NULL);
    CHECK_STR(r.out, want);
    run_tool(&r, tool_tokenize, "tokenize", "--plain", "-m", "@m.gguf", "<bos>", NULL);
    CHECK_TRUE(strchr(r.out, ' '));
    run_tool(&r, tool_tokenize, "tokenize", "hello", NULL); /* the built-in model's */
    CHECK_EQ(r.exit_code, TOOL_OK);
    CHECK_TRUE(r.n_out > 1);
    run_tool(&r, tool_tokenize, "tokenize", "-m", "@m.gguf", "", NULL);
    CHECK_STR(r.out, "\n");
    free(image);
}

TEST(tool_tokenize_says_what_is_wrong_on_one_line)
{
    struct run r;
    write_model();
    run_tool(&r, tool_tokenize, "tokenize", "-m", "@none.gguf", "x", NULL);
    check_one_line(&r, TOOL_FAILED, "none.gguf");
    run_tool(&r, tool_tokenize, "tokenize", "-m", "@m.gguf", "\xff", NULL);
    check_one_line(&r, TOOL_FAILED, "UTF-8");
    run_tool(&r, tool_tokenize, "tokenize", "-m", "@m.gguf", NULL);
    CHECK_EQ(r.exit_code, TOOL_USAGE);
    run_tool(&r, tool_tokenize, "tokenize", "-h", NULL);
    CHECK_EQ(r.exit_code, TOOL_OK);
    CHECK_TRUE(strstr(r.out, "usage: hearth tokenize"));
}

static void check_rendered(struct run *r, const char *revision, const char *request,
                           const char *want)
{
    write_file("rq.json", request, strlen(request));
    run_tool(r, tool_render, "render", "-m", "@m.gguf", "--template", revision, "@rq.json", NULL);
    CHECK_EQ(r->exit_code, TOOL_OK);
    CHECK_STR(r->out, want);
    CHECK_STR(r->err, "");
}

TEST(tool_render_prints_the_exact_prompt)
{
    struct run r;
    write_model();
    check_rendered(&r, "r1", "{\"messages\":[{\"role\":\"user\",\"content\":\" hi \"}]}",
                   "<bos><|turn>user\nhi<turn|>\n<|turn>model\n<|channel>thought\n<channel|>");
    check_rendered(
        &r, "r2",
        "{\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}],\"add_generation_prompt\":false}",
        "<bos><|turn>user\nhi<turn|>\n");
    check_rendered(
        &r, "r2",
        "{\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}],\"enable_thinking\":false,"
        "\"chat_template_kwargs\":{\"enable_thinking\":true}}",
        "<bos><|turn>system\n<|think|>\n<turn|>\n<|turn>user\nhi<turn|>\n<|turn>model\n");
    check_rendered(&r, "r2", "{\"messages\":[],\"add_generation_prompt\":false}", "<bos>");
    check_rendered(&r, "r2",
                   "{\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}],\"enable_thinking\":"
                   "null,\"tools\":null}",
                   "<bos><|turn>user\nhi<turn|>\n<|turn>model\n<|channel>thought\n<channel|>");
}

TEST(tool_render_equals_a_vector_with_tools)
{
    struct run r;
    size_t n_bytes, n_checked = 0;
    write_model();
    char *all = t_read_file("tests/vectors/chat/gemma4-chat-template-r2.jsonl", &n_bytes),
         *line = all;
    for (char *end; (end = strchr(line, '\n')); line = end + 1) {
        struct err e = {0};
        json_t *v = json_text_parse((struct str){line, (size_t)(end - line)}, &e);
        MUST_TRUE(v, e.msg);
        struct str want = json_text_str(json_object_get(v, "rendered"));
        if (json_array_size(json_object_get(v, "tools")) > 0 && want.n_bytes < sizeof r.out) {
            write_file("rq.json", line, (size_t)(end - line));
            run_tool(&r, tool_render, "render", "-m", "@m.gguf", "@rq.json", NULL);
            MUST_TRUE(r.n_out == want.n_bytes, r.err);
            CHECK_BYTES(r.out, want.p, want.n_bytes);
            n_checked++;
        }
        json_decref(v);
    }
    CHECK_TRUE(n_checked > 20);
    free(all);
}

TEST(tool_render_says_what_is_wrong_on_one_line)
{
    static const char *const bad[][2] = {
        {"", "json"},
        {"[]", "JSON object"},
        {"{}", "messages"},
        {"{\"messages\":[{\"role\":\"user\"}],\"enable_thinking\":1}", "enable_thinking"},
        {"{\"messages\":[{\"content\":\"x\"}]}", "messages[0].role"},
        {"{\"messages\":[]}", "at least one message"},
        {"{\"messages\":[{\"role\":\"user\",\"content\":\"x\"},{\"role\":\"bard\",\"content\":"
         "\"x\"}]}",
         "messages[1].role must be system, developer, user, assistant or tool"},
        {"{\"messages\":[{\"role\":\"model\",\"content\":\"x\"}]}", "messages[0].role"}};
    struct run r;
    write_model();
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        write_file("rq.json", bad[i][0], strlen(bad[i][0]));
        run_tool(&r, tool_render, "render", "-m", "@m.gguf", "@rq.json", NULL);
        check_one_line(&r, TOOL_FAILED, bad[i][1]);
    }
    run_tool(&r, tool_render, "render", "-m", "@m.gguf", "@none.json", NULL);
    check_one_line(&r, TOOL_FAILED, "none.json");
    run_tool(&r, tool_render, "render", "-m", "@m.gguf", "--template", "r3", "@rq.json", NULL);
    check_one_line(&r, TOOL_USAGE, "r3");
}
