/* hearth score: perplexity of a text, and how far a model is from a reference on it. The methods
 * are in score.h and score_diff.h; here they are run and told. */
#include "runtime/logprob.h"
#include "runtime/runner_text.h"
#include "runtime/score_diff.h"
#include "runtime/tool_arg.h"
#include "runtime/tools.h"

#include "runtime/base/clock.h"
#include "runtime/base/num.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { SCORE_ROWS = 128, USUAL_CTX = 2048, MAX_CTX = 1 << 20 };

static const char help[] =
    "hearth score FILE [-m MODEL.gguf] [--ctx N] [--stride N] [--save-logits OUT | --against IN]\n"
    "  Perplexity of a text (UTF-8; markers in it stay plain text) with its standard error; with\n"
    "  --against also how far the model's predictions are from a reference model's: "
    "Kullback-Leibler\n"
    "  divergence, how often the likeliest token is the same, ratio of the perplexities.\n"
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
    "  --save-logits OUT   store what this model predicts (about 2 bytes per token and vocabulary\n"
    "                      entry), to compare others with: first the reference (BF16, say) ...\n"
    "  --against IN        ... then each of its quantizations, on the same text; --ctx and "
    "--stride\n"
    "                      are the reference's\n"
    "  --markers           markers such as <|turn> in the text become their tokens\n"
    "  --ids               FILE holds token ids instead of text\n"
    "  --kv TYPE           how keys and values are stored: f32, for what the model itself says,\n"
    "                      or f16, as it is served (f32)\n"
    "  --threads N         worker threads (one per CPU)\n";

struct score_args {
    const char *file, *model, *save_path, *against_path;
    bool holds_ids, has_markers;
    uint64_t n_ctx, n_stride, n_threads, kv_type;
};

struct score_run {
    const struct score_args *args;
    struct runner *r;
    struct runner_text text;
    uint32_t n_ctx, n_stride;
    int32_t *window; /* [n_ctx]: <bos>, then text */
    struct score_sum sum;
    struct progress progress;
    struct score_store_writer *writer; /* --save-logits */
    unsigned char *packed;             /* [SCORE_ROWS] rows on their way there */
    struct score_store *ref;           /* --against */
    struct score_diff diff;
};

/* ---- scoring ---- */

/* Rows of one step, shared by the workers: row i predicts target[i], token i_first + i of the text.
 */
struct row_job {
    const struct score_run *run;
    const float *logits;   /* [n_rows, V] */
    const int32_t *target; /* [n_rows] */
    uint64_t i_first;
    uint32_t n_rows, n_vocab;
    double nll[SCORE_ROWS];
    double ref_nll[SCORE_ROWS];
    struct score_diff_token diff[SCORE_ROWS];
    bool is_damaged[SCORE_ROWS]; /* the reference's row */
};

static void compare_row(struct row_job *j, uint64_t i, const float *logits)
{
    struct score_store_row ref;
    j->is_damaged[i] =
        !score_store_unpack(score_store_row(j->run->ref, j->i_first + i), j->n_vocab, &ref);
    if (j->is_damaged[i])
        return;
    j->ref_nll[i] = ref.nll;
    j->diff[i] = score_diff_row(&ref, logits, j->n_vocab, j->nll[i]);
}

static void work_rows(void *arg, uint32_t tid, uint32_t n_threads)
{
    struct row_job *j = arg;
    uint64_t begin, end;
    pool_share(j->n_rows, 1, tid, n_threads, &begin, &end);
    for (uint64_t i = begin; i < end; i++) {
        const float *row = j->logits + i * j->n_vocab;
        j->nll[i] = logprob_log_sum(row, j->n_vocab) - (double)row[j->target[i]];
        if (!isfinite(j->nll[i]))
            continue;
        if (j->run->packed)
            score_store_pack(row, j->n_vocab, j->nll[i],
                             j->run->packed + i * score_store_row_bytes(j->n_vocab));
        if (j->run->ref)
            compare_row(j, i, row);
    }
}

static bool score_rows(struct score_run *run, uint32_t pos, uint32_t n_rows, struct err *e)
{
    struct row_job job = {.run = run,
                          .logits = runner_logits(run->r, 0),
                          .target = run->window + pos + 1,
                          .i_first = run->sum.n,
                          .n_rows = n_rows,
                          .n_vocab = run->r->m.model.dims.n_vocab};
    pool_run(run->r->m.pool, work_rows, &job);
    for (uint32_t i = 0; i < n_rows; i++) {
        if (!isfinite(job.nll[i]))
            return err_set(e, ERR_FORMAT, "the model's output is not finite");
        if (job.is_damaged[i])
            return err_set(e, ERR_FORMAT, "%s: damaged: the row of token %" PRIu64,
                           run->args->against_path, job.i_first + i);
        score_add(&run->sum, job.nll[i]);
        if (run->ref)
            score_diff_add(&run->diff, &job.diff[i], job.ref_nll[i]);
    }
    return !run->writer || score_store_put(run->writer, run->packed, n_rows, e);
}

/* Row i predicts text token first + i; the last token needs no row of its own. */
static bool score_window(struct score_run *run, const struct score_window *w, struct err *e)
{
    runner_text_window(&run->text, w->first, w->n_tokens, run->window);
    runner_truncate(run->r, RUNNER_SEQ, 0);
    for (uint32_t pos = 0, n; pos < w->n_tokens; pos += n) {
        bool is_scored = pos >= w->n_unscored;
        n = is_scored ? (uint32_t)num_min(w->n_tokens - pos, SCORE_ROWS)
                      : (uint32_t)num_min(w->n_unscored - pos, run->r->m.cfg.max_rows);
        struct runner_part part = {RUNNER_SEQ, run->window + pos, n};
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
    uint64_t n_rows = score_n_rows(run->text.n_ids, run->n_ctx, run->n_stride);
    bool ok = true;
    progress_begin(&run->progress, "score", PROGRESS_TOKENS, n_rows);
    *n_windows = 0;
    while (ok && score_window_at(run->text.n_ids, run->n_ctx, run->n_stride, *n_windows, &w)) {
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
    printf("text        %s, %" PRIu64 " tokens\n", a->file, run->text.n_ids);
    printf("windows     %" PRIu64 " of %u tokens, stride %u\n", n_windows, run->n_ctx,
           run->n_stride);
    printf("perplexity  %.4f +- %.4f\n", res.perplexity, res.ppl_err);
    printf("nll         %.6f +- %.6f nats per token", res.nll, res.nll_err);
    if (run->text.n_bytes)
        printf(", %.4f bits per byte",
               res.nll * (double)run->text.n_ids / log(2.0) / (double)run->text.n_bytes);
    printf("\nspeed       %.1f tokens/s, %u threads\n",
           seconds > 0.0 ? (double)run->progress.n_done / seconds : 0.0, run->r->m.cfg.n_threads);
}

static void print_diff(struct score_run *run)
{
    struct score_diff_result r = score_diff_result_of(&run->diff);
    printf("reference   %s, perplexity %.4f\n", score_store_info(run->ref)->model,
           r.ref_perplexity);
    printf("ppl ratio   %.6f +- %.6f\n", r.ppl_ratio.value, r.ppl_ratio.err);
    printf("kl mean     %.6f +- %.6f nats per token\n", r.kl.value, r.kl.err);
    for (int i = 0; i < SCORE_DIFF_N_PERCENTILES; i++)
        printf("kl %-4.1f %%   %.6f +- %.6f\n", 100 * score_diff_fractions[i],
               r.percentiles[i].value, r.percentiles[i].err);
    printf("kl max      %.6f\n", r.kl_max);
    printf("same top 1  %.3f +- %.3f %%\n", 100 * r.same_top.value, 100 * r.same_top.err);
    printf("rms dp      %.3f +- %.3f %%\n", 100 * r.rms_dp.value, 100 * r.rms_dp.err);
}

/* ---- the reference ---- */

static bool open_ref(struct score_run *run, struct err *e)
{
    const struct score_args *a = run->args;
    run->ref = score_store_open(a->against_path, e);
    if (!run->ref)
        return false;
    const struct score_store_info *info = score_store_info(run->ref);
    if ((a->n_ctx && a->n_ctx != info->n_ctx) || (a->n_stride && a->n_stride != info->n_stride))
        return err_set(e, ERR_STATE, "%s was made with --ctx %u --stride %u: leave them out",
                       a->against_path, info->n_ctx, info->n_stride);
    return true;
}

static bool match_ref(struct score_run *run, struct err *e)
{
    const struct score_store_info *info = score_store_info(run->ref);
    const char *path = run->args->against_path;
    if (info->n_vocab != run->r->m.model.dims.n_vocab)
        return err_set(e, ERR_STATE, "%s: vocabulary of %u, the model has %u", path, info->n_vocab,
                       run->r->m.model.dims.n_vocab);
    bool is_same = info->n_tokens == run->text.n_ids;
    for (uint64_t i = 0; i < run->text.n_ids && is_same; i++)
        is_same = score_store_id(run->ref, i) == run->text.ids[i];
    if (!is_same)
        return err_set(e, ERR_STATE, "%s was made of another text than %s", path, run->args->file);
    return score_diff_init(&run->diff, run->text.n_ids, e);
}

static bool begin_store(struct score_run *run, struct err *e)
{
    struct score_store_info info = {.n_vocab = run->r->m.model.dims.n_vocab,
                                    .n_ctx = run->n_ctx,
                                    .n_stride = run->n_stride,
                                    .n_tokens = run->text.n_ids};
    char id[64];
    load_model_id(&run->r->m, id, sizeof id);
    snprintf(info.model, sizeof info.model, "%s, %s", id, load_quant_name(&run->r->m));
    run->packed = malloc(SCORE_ROWS * score_store_row_bytes(info.n_vocab));
    if (!run->packed)
        return err_set(e, ERR_NOMEM, "no memory for rows of %u levels", info.n_vocab);
    run->writer = score_store_create(run->args->save_path, &info, run->text.ids, e);
    return run->writer != NULL;
}

static bool open_model(struct score_run *run, struct err *e)
{
    const struct score_args *a = run->args;
    const struct score_store_info *ref = run->ref ? score_store_info(run->ref) : NULL;
    struct load_config cfg = {.n_ctx = ref ? ref->n_ctx : (uint32_t)a->n_ctx,
                              .max_seqs = 1,
                              .kv_type = (enum kv_type)a->kv_type,
                              .max_logit_rows = SCORE_ROWS,
                              .n_threads = (uint32_t)a->n_threads};
    run->r = runner_open(a->model, &cfg, USUAL_CTX, e);
    if (!run->r)
        return false;
    run->n_ctx = run->r->m.cfg.n_ctx;
    run->n_stride = ref ? ref->n_stride : a->n_stride ? (uint32_t)a->n_stride : run->n_ctx / 2;
    if (run->n_ctx < 2 || run->n_stride > run->n_ctx - 1)
        return err_set(e, ERR_LIMIT, "--stride %u is not below the window of %u tokens",
                       run->n_stride, run->n_ctx);
    run->window = malloc(run->n_ctx * sizeof *run->window);
    return run->window || err_set(e, ERR_NOMEM, "no memory for a window");
}

static bool run_score(struct score_run *run, struct err *e)
{
    uint64_t n_windows;
    const struct score_args *a = run->args;
    enum runner_text_kind kind = a->holds_ids     ? RUNNER_TEXT_IDS
                                 : a->has_markers ? RUNNER_TEXT_MARKERS
                                                  : RUNNER_TEXT_PLAIN;
    if ((a->against_path && !open_ref(run, e)) || !open_model(run, e) ||
        !runner_text_read(&run->text, run->r, a->file, kind, e))
        return false;
    if ((run->ref && !match_ref(run, e)) || (a->save_path && !begin_store(run, e)))
        return false;
    int64_t start_us = clock_mono_us();
    if (!score_text(run, &n_windows, e) || (run->writer && !score_store_commit(run->writer, e)))
        return false;
    print_result(run, n_windows, (double)(clock_mono_us() - start_us) / 1e6);
    if (run->ref)
        print_diff(run);
    return true;
}

int tool_score(int argc, char **argv)
{
    struct score_args a = {.kv_type = KV_TYPE_F32};
    const struct tool_opt opts[] = {
        {"-m", TOOL_OPT_WORDS, .n_words = 1, .words = &a.model},
        {"--ctx", TOOL_OPT_COUNT, 2, MAX_CTX, .count = &a.n_ctx},
        {"--stride", TOOL_OPT_COUNT, 1, MAX_CTX, .count = &a.n_stride},
        {"--save-logits", TOOL_OPT_WORDS, .n_words = 1, .words = &a.save_path},
        {"--against", TOOL_OPT_WORDS, .n_words = 1, .words = &a.against_path},
        {"--markers", TOOL_OPT_FLAG, .flag = &a.has_markers},
        {"--ids", TOOL_OPT_FLAG, .flag = &a.holds_ids},
        {"--kv", TOOL_OPT_NAME, .count = &a.kv_type, .names = kv_type_names},
        {"--threads", TOOL_OPT_COUNT, 1, POOL_MAX_THREADS, .count = &a.n_threads},
    };
    const struct tool_spec spec = {help, opts, sizeof opts / sizeof *opts, "FILE"};
    struct err e = {.code = ERR_NONE};
    int exit_code;
    if (!tool_parse(argc, argv, &spec, &a.file, &exit_code))
        return exit_code;
    struct score_run run = {.args = &a};
    bool ok = run_score(&run, &e);
    score_diff_deinit(&run.diff);
    score_store_close(run.ref);
    score_store_free(run.writer);
    free(run.packed);
    runner_close(run.r);
    runner_text_deinit(&run.text);
    free(run.window);
    return ok ? TOOL_OK : tool_failed(argv[0], &e);
}
