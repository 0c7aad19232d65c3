/* tool_text: `hearth tokenize` and `hearth render`, the hooks by which others check the tokenizer
 * and the chat format. Thread: main. */
#include "models/gemma4_chat.h"
#include "models/json_text.h"
#include "models/pocket_file.h"
#include "models/tok.h"
#include "runtime/tool_arg.h"
#include "runtime/tool_input.h"
#include "runtime/tools.h"

#include <stdio.h>
#include <stdlib.h>

/* ---- the model's tokenizer ---- */

struct model_text {
    void *image;
    struct tok tok;
};

/* path NULL: the built-in model. */
static bool model_text_open(struct model_text *m, const char *path, struct err *e)
{
    *m = (struct model_text){.image = NULL};
    size_t image_bytes;
    struct gguf *g = path ? gguf_open(path, e)
                          : gguf_open_mem(pocket_file, pocket_file_bytes(), "pocket (built in)", e);
    if (!g)
        return false;
    m->image = tok_build(g, &image_bytes, e);
    gguf_close(g);
    return m->image && tok_open(&m->tok, m->image, image_bytes, e);
}

static void model_text_close(struct model_text *m)
{
    free(m->image);
    m->image = NULL;
}

/* False if what was printed did not get out, say to a full disk. */
static bool flush_out(struct err *e)
{
    return (fflush(stdout) == 0 && !ferror(stdout)) || err_sys(e, "standard output");
}

/* ---- tokenize ---- */

static const char tokenize_help[] =
    "hearth tokenize [-m MODEL.gguf] [--bos] [--plain] [--] TEXT\n"
    "  Prints the token ids of TEXT on one line. Markers such as <|turn> are matched.\n"
    "  -m MODEL.gguf  whose tokenizer; without it pocket, the model built in\n"
    "  --bos          put <bos> first if TEXT does not begin with it\n"
    "  --plain        no markers: the ids of the same text in a message\n";

static bool print_ids(const struct tok *t, const struct tok_text *text, struct err *e)
{
    /* a byte token per byte is the most there can be, plus <bos> */
    struct tok_ids ids = {.max = text->segs->text.n_bytes + 1};
    struct tok_scratch *scratch = malloc(tok_scratch_bytes());
    ids.at = malloc(ids.max * sizeof *ids.at);
    bool ok = scratch && ids.at ? tok_encode(t, text, scratch, &ids, e)
                                : err_set(e, ERR_NOMEM, "no memory for %zu tokens", ids.max);
    for (size_t i = 0; ok && i < ids.n; i++)
        printf(i ? " %d" : "%d", (int)ids.at[i]);
    if (ok)
        putchar('\n');
    free(scratch);
    free(ids.at);
    return ok && flush_out(e);
}

int tool_tokenize(int argc, char **argv)
{
    const char *model = NULL, *text;
    bool add_bos = false, is_plain = false;
    const struct tool_opt opts[] = {
        {.name = "-m", .kind = TOOL_OPT_WORDS, .n_words = 1, .words = &model},
        {.name = "--bos", .kind = TOOL_OPT_FLAG, .flag = &add_bos},
        {.name = "--plain", .kind = TOOL_OPT_FLAG, .flag = &is_plain},
    };
    const struct tool_spec spec = {tokenize_help, opts, sizeof opts / sizeof *opts, "TEXT"};
    int exit_code;
    if (!tool_parse(argc, argv, &spec, &text, &exit_code))
        return exit_code;
    struct err e = {.code = ERR_NONE};
    struct model_text m;
    struct tok_segment seg = {str_of(text), !is_plain};
    bool ok = model_text_open(&m, model, &e) &&
              print_ids(&m.tok, &(struct tok_text){&seg, 1, add_bos}, &e);
    model_text_close(&m);
    return ok ? TOOL_OK : tool_failed("tokenize", &e);
}

/* ---- render ---- */

static const char render_help[] =
    "hearth render [-m MODEL.gguf] [--template r1|r2] REQUEST.json\n"
    "  Prints the prompt text that the chat template makes of a request: the members messages, "
    "tools\n"
    "  and, at the top or in chat_template_kwargs, enable_thinking, preserve_thinking and\n"
    "  add_generation_prompt (true unless it is false). Nothing is added beyond the template; a\n"
    "  conversation without messages and roles that no model knows are refused, as by the API.\n"
    "  Tool-call arguments are objects.\n"
    "  -m MODEL.gguf     whose template; without it pocket, the model built in\n"
    "  --template r1|r2  another revision than the model's\n";

/* A flag of the template, as a template argument or at the top; null is as good as absent. */
static bool read_flag(const json_t *request, const char *key, bool *flag, struct err *e)
{
    const json_t *v = json_object_get(json_object_get(request, "chat_template_kwargs"), key);
    if (!v || json_is_null(v))
        v = json_object_get(request, key);
    if (v && !json_is_null(v) && !json_is_boolean(v))
        return err_set(e, ERR_FORMAT, "%s must be true or false", key);
    if (json_is_boolean(v))
        *flag = json_is_true(v);
    return true;
}

/* What the template would print all the same. An empty list has a text as long as no answer to it
 * is asked for. */
static bool check_messages(const struct gemma4_chat_request *rq, struct err *e)
{
    static const char *const roles[] = {"system", "developer", "user", "assistant", "tool"};
    size_t n = json_array_size(rq->messages);
    if (json_is_array(rq->messages) && n == 0 && rq->add_generation_prompt)
        return err_set(e, ERR_FORMAT, "messages must hold at least one message");
    for (size_t i = 0; i < n; i++) {
        const json_t *role = json_object_get(json_array_get(rq->messages, i), "role");
        bool is_known = !json_is_string(role); /* the template names what is no string */
        for (size_t k = 0; k < sizeof roles / sizeof *roles; k++)
            is_known |= str_is(json_text_str(role), roles[k]);
        if (!is_known)
            return err_set(e, ERR_FORMAT,
                           "messages[%zu].role must be system, developer, user, assistant or tool",
                           i);
    }
    return true;
}

static bool print_prompt(const struct gemma4_chat_request *rq, size_t n_request_bytes,
                         struct err *e)
{
    /* what the template adds to a member is less than this many times the member's own text */
    struct gemma4_chat_out out = {.room_bytes = 32 * n_request_bytes + 4096,
                                  .max_segs = 4 * n_request_bytes + 64};
    out.text = malloc(out.room_bytes);
    out.segs = malloc(out.max_segs * sizeof *out.segs);
    bool ok = out.text && out.segs ? gemma4_chat_render(rq, &out, e)
                                   : err_set(e, ERR_NOMEM, "no memory for the prompt");
    if (ok)
        fwrite(out.text, 1, out.n_bytes, stdout);
    free(out.text);
    free(out.segs);
    return ok && flush_out(e);
}

static bool render(const char *path, struct gemma4_chat_request *rq, struct err *e)
{
    size_t n_bytes;
    char *text = tool_read_file(path, &n_bytes, e);
    if (!text)
        return false;
    json_t *request = json_text_parse((struct str){text, n_bytes}, e);
    free(text);
    rq->add_generation_prompt = true;
    bool ok = request != NULL;
    if (ok && !json_is_object(request))
        ok = err_set(e, ERR_FORMAT, "the request must be a JSON object");
    if (ok) {
        rq->messages = json_object_get(request, "messages");
        rq->tools = json_object_get(request, "tools");
        ok = read_flag(request, "enable_thinking", &rq->enable_thinking, e) &&
             read_flag(request, "preserve_thinking", &rq->preserve_thinking, e) &&
             read_flag(request, "add_generation_prompt", &rq->add_generation_prompt, e) &&
             check_messages(rq, e) && print_prompt(rq, n_bytes, e);
    }
    json_decref(request);
    return ok || err_ctx(e, "%s", path);
}

int tool_render(int argc, char **argv)
{
    const char *model = NULL, *revision = NULL, *path;
    const struct tool_opt opts[] = {
        {.name = "-m", .kind = TOOL_OPT_WORDS, .n_words = 1, .words = &model},
        {.name = "--template", .kind = TOOL_OPT_WORDS, .n_words = 1, .words = &revision},
    };
    const struct tool_spec spec = {render_help, opts, sizeof opts / sizeof *opts, "REQUEST.json"};
    int exit_code;
    if (!tool_parse(argc, argv, &spec, &path, &exit_code))
        return exit_code;
    if (revision && strcmp(revision, "r1") != 0 && strcmp(revision, "r2") != 0)
        return tool_unknown("render", "template revision", revision, "r1, r2");
    struct err e = {.code = ERR_NONE};
    struct model_text m;
    bool ok = model_text_open(&m, model, &e);
    if (ok) {
        struct gemma4_chat_request rq = {.template_rev = m.tok.template_rev,
                                         .has_empty_thought = m.tok.has_empty_thought};
        if (revision)
            rq.template_rev = revision[1] == '1' ? 1 : 2;
        ok = render(path, &rq, &e);
    }
    model_text_close(&m);
    return ok ? TOOL_OK : tool_failed("render", &e);
}
