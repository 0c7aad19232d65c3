/* hearth imatrix: runs text through a model and sums the squares of every input column of every
 * layer's matrices: the importance matrix of `hearth quantize --imatrix` (quant-formats 6). The
 * sums are in double, row after row, so they depend on neither batch size nor threads. */
#include "kernels/matmul/matmul.h"
#include "models/imatrix.h"
#include "models/quant_mix.h"
#include "runtime/runner_text.h"
#include "runtime/tool_arg.h"
#include "runtime/tools.h"

#include "runtime/base/mem.h"
#include "runtime/base/num.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { USUAL_CTX = 512, MAX_CTX = 1 << 20 };

static const char help[] =
    "hearth imatrix TEXT... -o OUT.gguf [-m MODEL.gguf] [--ctx N]\n"
    "  Collects an importance matrix: the mean square of each input column of each matrix in the\n"
    "  layers, over the text. hearth quantize --imatrix then encodes what matters more closely.\n"
    "  The text is cut into windows of --ctx positions, each beginning with <bos>; a few hundred\n"
    "  thousand tokens of the kind the model will see are plenty. Use the model before it is\n"
    "  quantized, or its Q8_0.\n"
    "\n"
    "  -o OUT.gguf     the matrix, readable by other tools too; it appears when it is complete\n"
    "  -m MODEL.gguf   without it pocket, the model built in\n"
    "  --ctx N         window in tokens (512)\n"
    "  --markers       markers such as <|turn> in the text become their tokens\n"
    "  --ids           TEXT holds token ids instead of text\n"
    "  --threads N     worker threads (one per CPU)\n";

struct imatrix_args {
    const char *files[TOOL_MAX_WORDS]; /* unused ones are NULL */
    const char *model, *out;
    bool has_markers, holds_ids;
    uint64_t n_ctx, n_threads;
};

/* One matrix of a layer. */
struct column_sums {
    const void *weight; /* its bytes: who it is */
    struct imatrix_sum sum;
};

struct collect {
    const struct imatrix_args *args;
    struct runner *r;
    struct column_sums *at; /* [n] */
    uint32_t n;
    double *sum_sq; /* of all */
    const struct matmul_args *now;
    struct column_sums *now_sums;
    struct runner_text texts[TOOL_MAX_WORDS];
    int32_t *window; /* [n_ctx] */
    uint32_t n_ctx, n_windows;
    struct progress progress;
};

/* ---- what is summed ---- */

static bool is_collected(const struct gguf_tensor *t)
{
    struct str rest;
    size_t n = t->name.n_bytes;
    return t->n_dims == 2 && t->dims[1] > 1 && n > 7 &&
           memcmp(t->name.p + n - 7, ".weight", 7) == 0 &&
           quant_mix_layer(t->name, &rest) != UINT32_MAX;
}

static bool take_sums(struct collect *c, struct err *e)
{
    const struct gguf *g = c->r->m.file;
    uint64_t n_columns = 0;
    for (uint64_t i = 0; i < gguf_n_tensors(g); i++)
        if (is_collected(gguf_tensor_at(g, i))) {
            c->n++;
            n_columns += gguf_tensor_at(g, i)->dims[0];
        }
    c->at = mem_alloc(c->n, sizeof *c->at);
    c->sum_sq = mem_alloc(n_columns, sizeof *c->sum_sq);
    if (!c->at || !c->sum_sq)
        return err_set(e, ERR_NOMEM, "no memory for %" PRIu64 " sums", n_columns);
    struct column_sums *next = c->at;
    double *sum_sq = c->sum_sq;
    for (uint64_t i = 0; i < gguf_n_tensors(g); i++) {
        const struct gguf_tensor *t = gguf_tensor_at(g, i);
        if (!is_collected(t))
            continue;
        *next++ = (struct column_sums){t->bytes, {t->name, (uint32_t)t->dims[0], sum_sq, 0}};
        sum_sq += t->dims[0];
    }
    return true;
}

/* Threads share the columns; each adds its own row after row. */
static void add_columns(void *arg, uint32_t tid, uint32_t n_threads)
{
    const struct collect *c = arg;
    const struct matmul_args *m = c->now;
    double *sum_sq = c->now_sums->sum.sum_sq;
    uint64_t begin, end;
    pool_share(m->n_in, 8, tid, n_threads, &begin, &end);
    for (uint32_t t = 0; t < m->n_rows; t++) {
        const float *row = m->x + (size_t)t * m->n_in;
        for (uint64_t k = begin; k < end; k++)
            sum_sq[k] += (double)row[k] * (double)row[k];
    }
}

static void look_at(void *arg, const struct op_call *call)
{
    struct collect *c = arg;
    if (call->op != &op_matmul)
        return;
    c->now = (const struct matmul_args *)(const void *)call->args;
    for (uint32_t i = 0; i < c->n; i++)
        if (c->at[i].weight == c->now->w && c->at[i].sum.n_in == c->now->n_in) {
            c->now_sums = &c->at[i];
            c->now_sums->sum.n_rows += c->now->n_rows;
            pool_run(c->r->m.pool, add_columns, c);
        }
}

/* ---- running ---- */

static bool run_window(struct collect *c, const struct runner_text *t, uint64_t first,
                       struct err *e)
{
    uint32_t n = (uint32_t)num_min(t->n_ids - first, c->n_ctx - 1);
    runner_text_window(t, first, n, c->window);
    runner_truncate(c->r, RUNNER_SEQ, 0);
    for (uint32_t pos = 0, n_rows; pos < n + 1; pos += n_rows) {
        n_rows = (uint32_t)num_min(n + 1 - pos, c->r->m.cfg.max_rows);
        struct runner_part part = {RUNNER_SEQ, c->window + pos, n_rows};
        if (!runner_step(c->r, &part, 1, RUNNER_NO_ROWS, e))
            return false;
        progress_add(&c->progress, n_rows);
    }
    c->n_windows++;
    return true;
}

static bool run_texts(struct collect *c, struct err *e)
{
    const struct op_watch watch = {look_at, c};
    uint64_t n_ids = 0;
    bool ok = true;
    for (int i = 0; i < TOOL_MAX_WORDS; i++)
        n_ids += c->texts[i].n_ids + num_ceil_div(c->texts[i].n_ids, c->n_ctx - 1);
    progress_begin(&c->progress, "imatrix", PROGRESS_TOKENS, n_ids);
    c->r->m.model.watch = &watch;
    for (int i = 0; i < TOOL_MAX_WORDS; i++)
        for (uint64_t at = 0; at < c->texts[i].n_ids && ok; at += c->n_ctx - 1)
            ok = run_window(c, &c->texts[i], at, e);
    c->r->m.model.watch = NULL;
    progress_end(&c->progress);
    return ok;
}

static bool open_model(struct collect *c, struct err *e)
{
    const struct imatrix_args *a = c->args;
    struct load_config cfg = {
        .n_ctx = (uint32_t)a->n_ctx, .max_seqs = 1, .n_threads = (uint32_t)a->n_threads};
    c->r = runner_open(a->model, &cfg, USUAL_CTX, e);
    if (!c->r)
        return false;
    c->n_ctx = c->r->m.cfg.n_ctx;
    c->window = mem_alloc(c->n_ctx, sizeof *c->window);
    return c->window || err_set(e, ERR_NOMEM, "no memory for a window");
}

static bool read_texts(struct collect *c, struct err *e)
{
    const struct imatrix_args *a = c->args;
    enum runner_text_kind kind = a->holds_ids     ? RUNNER_TEXT_IDS
                                 : a->has_markers ? RUNNER_TEXT_MARKERS
                                                  : RUNNER_TEXT_PLAIN;
    for (int i = 0; i < TOOL_MAX_WORDS && a->files[i]; i++)
        if (!runner_text_read(&c->texts[i], c->r, a->files[i], kind, e))
            return false;
    return true;
}

static bool write_sums(struct collect *c, struct err *e)
{
    const char *slash = strrchr(c->args->files[0], '/');
    struct imatrix_origin origin = {slash ? slash + 1 : c->args->files[0], c->n_windows, c->n_ctx};
    struct imatrix_sum *sums = mem_alloc(c->n, sizeof *sums);
    if (!sums)
        return err_set(e, ERR_NOMEM, "no memory for the result");
    for (uint32_t i = 0; i < c->n; i++)
        sums[i] = c->at[i].sum;
    bool ok = imatrix_write(c->args->out, sums, c->n, &origin, e);
    mem_free(sums);
    return ok;
}

static bool run_collect(struct collect *c, struct err *e)
{
    if (!open_model(c, e) || !take_sums(c, e) || !read_texts(c, e) || !run_texts(c, e) ||
        !write_sums(c, e))
        return false;
    printf("%s: %u matrices, %u windows of %u tokens\n", c->args->out, c->n, c->n_windows,
           c->n_ctx);
    return true;
}

int tool_imatrix(int argc, char **argv)
{
    struct imatrix_args a = {.out = NULL};
    const struct tool_opt opts[] = {
        {"-o", TOOL_OPT_WORDS, .n_words = 1, .words = &a.out},
        {"-m", TOOL_OPT_WORDS, .n_words = 1, .words = &a.model},
        {"--ctx", TOOL_OPT_COUNT, 2, MAX_CTX, .count = &a.n_ctx},
        {"--markers", TOOL_OPT_FLAG, .flag = &a.has_markers},
        {"--ids", TOOL_OPT_FLAG, .flag = &a.holds_ids},
        {"--threads", TOOL_OPT_COUNT, 1, POOL_MAX_THREADS, .count = &a.n_threads},
    };
    const struct tool_spec spec = {help, opts, sizeof opts / sizeof *opts, "TEXT"};
    struct tool_list files = {.at = a.files, .max = TOOL_MAX_WORDS};
    struct err e = {.code = ERR_NONE};
    int exit_code;
    if (!tool_parse_list(argc, argv, &spec, &files, &exit_code))
        return exit_code;
    if (!a.out)
        return tool_misused(argv[0], "-o OUT.gguf is needed");
    struct collect c = {.args = &a};
    bool ok = run_collect(&c, &e);
    runner_close(c.r);
    for (int i = 0; i < TOOL_MAX_WORDS; i++)
        runner_text_deinit(&c.texts[i]);
    mem_free(c.at);
    mem_free(c.sum_sq);
    mem_free(c.window);
    return ok ? TOOL_OK : tool_failed(argv[0], &e);
}
