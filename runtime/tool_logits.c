/* hearth logits: one pass over given token ids; the hook for comparing the model with others. */
#include "runtime/logprob.h"
#include "runtime/runner.h"
#include "runtime/tool_arg.h"
#include "runtime/tool_input.h"
#include "runtime/tools.h"

#include "runtime/base/num.h"

#include <stdio.h>
#include <stdlib.h>

enum { TOP_MAX = 1000, MAX_CHUNK_ROWS = 4096 };

static const char help[] =
    "hearth logits [-m MODEL.gguf] --tokens ID,ID,... [--out FILE.f32] [--all]\n"
    "  One forward pass over the token ids exactly as given; nothing is added, not even <bos>.\n"
    "  Without --out: the last row's best tokens with their logits (after the soft cap) and log\n"
    "  probabilities; with --all one line per position: position, id, best token, its logit, its\n"
    "  lead over the second.\n"
    "  -m MODEL.gguf       without it pocket, the model built in\n"
    "  --tokens ID,ID,...  the token ids\n"
    "  --tokens-file FILE  the token ids, from a file\n"
    "  --out FILE.f32      write the logits as little-endian float32, [V] or with --all [n, V]\n"
    "  --all               every position, not only the last\n"
    "  --top N             tokens to print (10)\n"
    "  --chunk N           rows per batch (64); the result is the same for all, bit for bit\n"
    "  --kv TYPE           how keys and values are stored: f32, for what the model itself says,\n"
    "                      or f16, as it is served (f32)\n"
    "  --threads N         worker threads (one per CPU)\n";

struct logits_args {
    const char *model, *tokens, *tokens_file, *out;
    bool every_row;
    uint64_t n_top, n_threads, chunk_rows, kv_type;
};

/* A run: the ids, and where rows go as they are computed. */
struct logits_run {
    const struct logits_args *args;
    struct runner *r;
    const int32_t *ids;
    uint32_t n_ids;
    FILE *out; /* NULL: print */
};

/* ---- printing ---- */

/* The piece of a token for people, from the file's own list; "" if it has none. */
static const char *piece_of(const struct runner *r, int32_t id, char *room, size_t room_bytes)
{
    struct gguf_array pieces;
    struct err ignored;
    struct str piece = {0};
    uint64_t off_bytes = 0;
    if (!gguf_find(r->m.file, "tokenizer.ggml.tokens") ||
        !gguf_get_arr(r->m.file, "tokenizer.ggml.tokens", &pieces, &ignored))
        return "";
    for (int32_t i = 0; i <= id; i++)
        if (!gguf_arr_str_next(&pieces, &off_bytes, &piece))
            return "";
    return gguf_quote(piece, room, room_bytes);
}

static void print_top(const struct logits_run *run, const float *logits)
{
    enum { PIECE_BYTES = 64 };
    uint32_t n_vocab = run->r->m.model.dims.n_vocab;
    uint32_t n_top = (uint32_t)num_min(run->args->n_top, n_vocab);
    int32_t top[TOP_MAX];
    logprob_top(logits, n_vocab, top, n_top);
    double log_sum = logprob_log_sum(logits, n_vocab);
    printf("after %u tokens, vocabulary %u\n%4s %8s %12s %10s  %s\n", run->n_ids, n_vocab, "rank",
           "id", "logit", "logprob", "piece");
    for (uint32_t i = 0; i < n_top; i++) {
        char room[PIECE_BYTES];
        printf("%4u %8d %12.6f %10.4f  %s\n", i + 1, top[i], (double)logits[top[i]],
               (double)logits[top[i]] - log_sum, piece_of(run->r, top[i], room, sizeof room));
    }
}

static void print_row(const struct logits_run *run, uint32_t pos, const float *logits)
{
    int32_t best[2] = {0, 0};
    uint32_t n_vocab = run->r->m.model.dims.n_vocab;
    logprob_top(logits, n_vocab, best, n_vocab < 2 ? 1 : 2);
    printf("%u %d %d %.6f %.6f\n", pos, run->ids[pos], best[0], (double)logits[best[0]],
           (double)logits[best[0]] - (double)logits[best[1]]);
}

/* ---- running ---- */

static bool put_rows(const struct logits_run *run, uint32_t first_pos, uint32_t n_rows,
                     struct err *e)
{
    size_t n_vocab = run->r->m.model.dims.n_vocab;
    const float *logits = runner_logits(run->r, 0);
    if (run->out)
        return fwrite(logits, sizeof *logits * n_vocab, n_rows, run->out) == n_rows ||
               err_sys(e, "%s: cannot write", run->args->out);
    for (uint32_t i = 0; i < n_rows; i++)
        if (run->args->every_row)
            print_row(run, first_pos + i, logits + i * n_vocab);
        else
            print_top(run, logits + i * n_vocab);
    return true;
}

static bool run_rows(const struct logits_run *run, struct err *e)
{
    struct progress p;
    uint32_t max_rows = run->r->m.cfg.max_rows;
    bool ok = true;
    progress_begin(&p, "logits", PROGRESS_TOKENS, run->n_ids);
    for (uint32_t pos = 0, n; ok && pos < run->n_ids; pos += n) {
        n = (uint32_t)num_min(run->n_ids - pos, max_rows);
        enum runner_rows rows = run->args->every_row    ? RUNNER_EVERY_ROW
                                : pos + n == run->n_ids ? RUNNER_LAST_ROW
                                                        : RUNNER_NO_ROWS;
        struct runner_part part = {RUNNER_SEQ, run->ids + pos, n};
        ok = runner_step(run->r, &part, 1, rows, e);
        progress_add(&p, n);
        if (ok && run->out == NULL)
            progress_end(&p);
        if (ok && rows != RUNNER_NO_ROWS)
            ok = put_rows(run, pos, rows == RUNNER_LAST_ROW ? 1 : n, e);
    }
    progress_end(&p);
    return ok;
}

/* Runs with the output file open; a file that could not be completed is removed. */
static bool run_to_out(struct logits_run *run, struct err *e)
{
    const char *path = run->args->out;
    if (!path)
        return run_rows(run, e);
    run->out = fopen(path, "we");
    if (!run->out)
        return err_sys(e, "%s: cannot create", path);
    bool ok = run_rows(run, e);
    if (fclose(run->out) != 0 && ok)
        ok = err_sys(e, "%s: cannot write", path);
    if (!ok)
        remove(path);
    return ok;
}

static bool open_model(struct logits_run *run, struct err *e)
{
    const struct logits_args *a = run->args;
    uint32_t chunk_rows = (uint32_t)num_min(a->chunk_rows, run->n_ids);
    struct load_config cfg = {.n_ctx = run->n_ids,
                              .max_seqs = 1,
                              .kv_type = (enum kv_type)a->kv_type,
                              .max_rows = chunk_rows,
                              .max_logit_rows = a->every_row ? chunk_rows : 1,
                              .n_threads = (uint32_t)a->n_threads};
    run->r = runner_open(a->model, &cfg, cfg.n_ctx, e);
    return run->r;
}

int tool_logits(int argc, char **argv)
{
    struct logits_args a = {.n_top = 10, .chunk_rows = 64, .kv_type = KV_TYPE_F32};
    const struct tool_opt opts[] = {
        {"-m", TOOL_OPT_WORDS, .n_words = 1, .words = &a.model},
        {"--tokens", TOOL_OPT_WORDS, .n_words = 1, .words = &a.tokens},
        {"--tokens-file", TOOL_OPT_WORDS, .n_words = 1, .words = &a.tokens_file},
        {"--out", TOOL_OPT_WORDS, .n_words = 1, .words = &a.out},
        {"--all", TOOL_OPT_FLAG, .flag = &a.every_row},
        {"--top", TOOL_OPT_COUNT, 1, TOP_MAX, .count = &a.n_top},
        {"--chunk", TOOL_OPT_COUNT, 1, MAX_CHUNK_ROWS, .count = &a.chunk_rows},
        {"--kv", TOOL_OPT_NAME, .count = &a.kv_type, .names = kv_type_names},
        {"--threads", TOOL_OPT_COUNT, 1, POOL_MAX_THREADS, .count = &a.n_threads},
    };
    const struct tool_spec spec = {help, opts, sizeof opts / sizeof *opts, NULL};
    struct err e = {.code = ERR_NONE};
    int exit_code;
    if (!tool_parse(argc, argv, &spec, NULL, &exit_code))
        return exit_code;
    if (!a.tokens == !a.tokens_file)
        return tool_misused(argv[0], "either --tokens or --tokens-file is needed");
    struct logits_run run = {.args = &a};
    int32_t *ids = a.tokens ? tool_ids_parse(str_of(a.tokens), &run.n_ids, &e)
                            : tool_ids_read(a.tokens_file, &run.n_ids, &e);
    run.ids = ids;
    bool ok = ids && open_model(&run, &e) && run_to_out(&run, &e);
    runner_close(run.r);
    free(ids);
    return ok ? TOOL_OK : tool_failed(argv[0], &e);
}
