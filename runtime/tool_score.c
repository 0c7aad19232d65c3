/* hearth score: perplexity of a text. The method is in score.h; here it is run and told. */
#include "runtime/logprob.h"
#include "runtime/runner.h"
#include "runtime/score.h"
#include "runtime/tool_arg.h"
#include "runtime/tool_input.h"
#include "runtime/tools.h"

#include "runtime/base/clock.h"
#include "runtime/base/num.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { SCORE_ROWS = 128, USUAL_CTX = 2048, MAX_CTX = 1 << 20 };

static const char help[] =
    "hearth score FILE [-m MODEL.gguf] [--ctx N] [--stride N]\n"
    "  Perplexity of a text (UTF-8; markers in it stay plain text) with its standard error.\n"
    "\n"
    "  The text is cut into windows of --ctx positions that each begin with <bos>; the next "
    "window\n"
    "  starts --stride tokens later. A window scores only the tokens that no window before it\n"
    "  scored: every token counts once and, after the first window, is predicted from at least\n"
    "  ctx - 1 - stride tokens before it. perplexity = exp(mean of -log p). The error bar is one\n"
    "  standard error of that mean, tokens taken as independent. A smaller stride takes longer "
    "and\n"
    "  comes closer to the model's true figure; compare models at the same --ctx and --stride.\n"
    "\n"
    "  -m MODEL.gguf       without it pocket, the model built in\n"
    "  --ctx N             window in tokens (2048, or the model's limit)\n"
    "  --stride N          tokens from window to window (half a window)\n"
    "  --ids               FILE holds token ids instead of text\n"
    "  --kv TYPE           how keys and values are stored: f32, for what the model itself says,\n"
    "                      or f16, as it is served (f32)\n"
    "  --threads N         worker threads (one per CPU)\n";

struct score_args {
    const char *file, *model;
    bool holds_ids;
    uint64_t n_ctx, n_stride, n_threads, kv_type;
};

struct score_run {
    const struct score_args *args;
    struct runner *r;
    int32_t seq;
    int32_t bos;
    int32_t *ids; /* the text */
    uint64_t n_ids, n_text_bytes;
    uint32_t n_ctx, n_stride;
    int32_t *window; /* [n_ctx]: <bos>, then text */
    struct score_sum sum;
    struct progress progress;
};

/* ---- the text ---- */

static bool encode(struct score_run *run, struct str text, struct err *e)
{
    const struct tok_segment seg = {text, false};
    const struct tok_text whole = {.segs = &seg, .n_segs = 1};
    struct tok_ids ids = {.max = text.n_bytes + 1}; /* a token takes at least a byte */
    ids.at = run->ids = malloc(ids.max * sizeof *run->ids);
    if (!run->ids)
        return err_set(e, ERR_NOMEM, "no memory for the tokens");
    bool ok = tok_encode(&run->r->tok, &whole, run->r->tok_scratch, &ids, e);
    run->n_ids = ids.n;
    run->n_text_bytes = text.n_bytes;
    return ok || err_ctx(e, "%s", run->args->file);
}

static bool read_text(struct score_run *run, struct err *e)
{
    size_t n_bytes;
    char *text = tool_read_file(run->args->file, &n_bytes, e);
    bool ok = text && runner_open_tok(run->r, e) && encode(run, (struct str){text, n_bytes}, e);
    run->bos = run->r->tok.special[TOK_BOS];
    free(text);
    return ok;
}

/* Works without a tokenizer: the file's <bos> id is all that is needed of it. */
static bool read_ids(struct score_run *run, struct err *e)
{
    uint32_t n_ids = 0, bos = 0;
    run->ids = tool_ids_read(run->args->file, &n_ids, e);
    run->n_ids = n_ids;
    if (!run->ids || !gguf_get_u32(run->r->m.file, "tokenizer.ggml.bos_token_id", &bos, e))
        return false;
    run->bos = (int32_t)num_min(bos, INT32_MAX);
    for (uint32_t i = 0; i < n_ids; i++)
        if ((uint32_t)run->ids[i] >= run->r->m.model.dims.n_vocab)
            return err_set(e, ERR_FORMAT, "%s: token %d is not in the vocabulary of %u",
                           run->args->file, run->ids[i], run->r->m.model.dims.n_vocab);
    return true;
}

/* ---- scoring ---- */

/* Rows of one step, shared by the workers: nll[i] of target[i] by row i. */
struct nll_job {
    const float *logits;   /* [n_rows, V] */
    const int32_t *target; /* [n_rows] */
    double *nll;           /* [n_rows] */
    uint32_t n_rows, n_vocab;
};

static void nll_rows(void *arg, uint32_t tid, uint32_t n_threads)
{
    const struct nll_job *j = arg;
    uint64_t begin, end;
    pool_share(j->n_rows, 1, tid, n_threads, &begin, &end);
    for (uint64_t i = begin; i < end; i++) {
        const float *row = j->logits + i * j->n_vocab;
        j->nll[i] = logprob_log_sum(row, j->n_vocab) - (double)row[j->target[i]];
    }
}

static bool score_rows(struct score_run *run, uint32_t pos, uint32_t n_rows, struct err *e)
{
    double nll[SCORE_ROWS];
    struct nll_job job = {.logits = runner_logits(run->r, 0),
                          .target = run->window + pos + 1,
                          .nll = nll,
                          .n_rows = n_rows,
                          .n_vocab = run->r->m.model.dims.n_vocab};
    pool_run(run->r->m.pool, nll_rows, &job);
    for (uint32_t i = 0; i < n_rows; i++) {
        if (!isfinite(nll[i]))
            return err_set(e, ERR_FORMAT, "the model's output is not finite");
        score_add(&run->sum, nll[i]);
    }
    return true;
}

/* Row i predicts text token first + i; the last token needs no row of its own. */
static bool score_window(struct score_run *run, const struct score_window *w, struct err *e)
{
    run->window[0] = run->bos;
    for (uint32_t i = 0; i < w->n_tokens; i++)
        run->window[i + 1] = run->ids[w->first + i];
    runner_truncate(run->r, run->seq, 0);
    for (uint32_t pos = 0, n; pos < w->n_tokens; pos += n) {
        bool is_scored = pos >= w->n_unscored;
        n = is_scored ? (uint32_t)num_min(w->n_tokens - pos, SCORE_ROWS)
                      : (uint32_t)num_min(w->n_unscored - pos, run->r->m.cfg.max_rows);
        struct runner_part part = {run->seq, run->window + pos, n};
        if (!runner_step(run->r, &part, 1, is_scored ? RUNNER_EVERY_ROW : RUNNER_NO_ROWS, e) ||
            (is_scored && !score_rows(run, pos, n, e)))
            return false;
        progress_add(&run->progress, n);
    }
    return true;
}

static bool score_text(struct score_run *run, uint64_t *n_windows, struct err *e)
{
    struct score_window w;
    uint64_t n_rows = score_n_rows(run->n_ids, run->n_ctx, run->n_stride);
    bool ok = true;
    progress_begin(&run->progress, "score", PROGRESS_TOKENS, n_rows);
    *n_windows = 0;
    while (ok && score_window_at(run->n_ids, run->n_ctx, run->n_stride, *n_windows, &w)) {
        ok = score_window(run, &w, e);
        ++*n_windows;
    }
    progress_end(&run->progress);
    return ok;
}

/* ---- telling ---- */

static void print_result(const struct score_run *run, uint64_t n_windows, double seconds)
{
    const struct score_args *a = run->args;
    struct score_result res = score_result_of(&run->sum);
    char id[128];
    load_model_id(&run->r->m, id, sizeof id);
    printf("model       %s, %s%s, cache %s\n", id, load_quant_name(&run->r->m),
           a->model ? "" : " (built in)", kv_type_names[run->r->m.cfg.kv_type]);
    printf("text        %s, %" PRIu64 " tokens\n", a->file, run->n_ids);
    printf("windows     %" PRIu64 " of %u tokens, stride %u\n", n_windows, run->n_ctx,
           run->n_stride);
    printf("perplexity  %.4f +- %.4f\n", res.perplexity, res.ppl_err);
    printf("nll         %.6f +- %.6f nats per token", res.nll, res.nll_err);
    if (run->n_text_bytes)
        printf(", %.4f bits per byte",
               res.nll * (double)run->n_ids / log(2.0) / (double)run->n_text_bytes);
    printf("\nspeed       %.1f tokens/s, %u threads\n",
           seconds > 0.0 ? (double)run->progress.n_done / seconds : 0.0, run->r->m.cfg.n_threads);
}

static bool open_model(struct score_run *run, struct err *e)
{
    const struct score_args *a = run->args;
    struct load_config cfg = {.n_ctx = (uint32_t)a->n_ctx,
                              .max_seqs = 1,
                              .kv_type = (enum kv_type)a->kv_type,
                              .max_logit_rows = SCORE_ROWS,
                              .n_threads = (uint32_t)a->n_threads};
    if (!runner_set_model(&cfg, a->model, e) || !(run->r = runner_open(&cfg, USUAL_CTX, e)))
        return false;
    run->seq = runner_seq_take(run->r);
    run->n_ctx = run->r->m.cfg.n_ctx;
    run->n_stride = a->n_stride ? (uint32_t)a->n_stride : run->n_ctx / 2;
    if (run->n_ctx < 2 || run->n_stride > run->n_ctx - 1)
        return err_set(e, ERR_LIMIT, "--stride %u is not below the window of %u tokens",
                       run->n_stride, run->n_ctx);
    run->window = malloc(run->n_ctx * sizeof *run->window);
    return run->window || err_set(e, ERR_NOMEM, "no memory for a window");
}

static bool run_score(struct score_run *run, struct err *e)
{
    uint64_t n_windows;
    if (!open_model(run, e) || !(run->args->holds_ids ? read_ids(run, e) : read_text(run, e)))
        return false;
    if (run->n_ids == 0)
        return err_set(e, ERR_FORMAT, "%s: no text to score", run->args->file);
    int64_t start_us = clock_mono_us();
    if (!score_text(run, &n_windows, e))
        return false;
    print_result(run, n_windows, (double)(clock_mono_us() - start_us) / 1e6);
    return true;
}

int tool_score(int argc, char **argv)
{
    struct score_args a = {.kv_type = KV_TYPE_F32};
    const struct tool_opt opts[] = {
        {"-m", TOOL_OPT_WORDS, .n_words = 1, .words = &a.model},
        {"--ctx", TOOL_OPT_COUNT, 2, MAX_CTX, .count = &a.n_ctx},
        {"--stride", TOOL_OPT_COUNT, 1, MAX_CTX, .count = &a.n_stride},
        {"--ids", TOOL_OPT_FLAG, .flag = &a.holds_ids},
        {"--kv", TOOL_OPT_NAME, .count = &a.kv_type, .names = kv_type_names},
        {"--threads", TOOL_OPT_COUNT, 1, POOL_MAX_THREADS, .count = &a.n_threads},
    };
    const struct tool_spec spec = {help, opts, sizeof opts / sizeof *opts, 1};
    struct err e = {.code = ERR_NONE};
    int exit_code;
    if (!tool_parse(argc, argv, &spec, &a.file, &exit_code))
        return exit_code;
    struct score_run run = {.args = &a};
    bool ok = run_score(&run, &e);
    runner_close(run.r);
    free(run.ids);
    free(run.window);
    return ok ? TOOL_OK : tool_failed(argv[0], &e);
}
