/* hearth bench: runs the measurements of bench.h for each number of threads; table and JSON. */
#include "kernels/matmul/matmul_bench.h"
#include "runtime/bench.h"
#include "runtime/tool_arg.h"
#include "runtime/tool_input.h"
#include "runtime/tools.h"

#include "runtime/base/mem.h"
#include "runtime/base/version.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { MAX_THREAD_COUNTS = 8, MAX_TOKENS = 1 << 20, MAX_USERS = 256 };

static const char help[] =
    "hearth bench [-m MODEL.gguf] [--prompt N,...] [--generate N] [--threads N,...] [--users "
    "N,...] [--json FILE]\n"
    "hearth bench --encodings [--threads N,...] [--repeat N]\n"
    "  Speed of a model on this machine: prefill, decode, steps of 1 to 16 rows of one sequence\n"
    "  (what checking a draft costs), many users, and the memory's read bandwidth beside them.\n"
    "  After a short run that does not count, every repeat measures everything once; medians\n"
    "  are printed, with the extremes.\n"
    "  Tokens are random, choosing the next one is not part of the time. Bytes per token: all\n"
    "  weights but the embedding table, once, and the cache at the mean depth; a share of the\n"
    "  bandwidth above 100 % means that the weights fit the processor's cache.\n"
    "  --encodings         no model: the product of each weight encoding alone, 256 MiB of random\n"
    "                      weights with rows of 8192: GB/s of one row and their share of plain\n"
    "                      reading, multiply-adds of 16 and 256 rows and their share of an "
    "integer\n"
    "                      dot loop that touches registers only, steps of 4 and 16 rows to one\n"
    "  -m MODEL.gguf       without it pocket, the model built in\n"
    "  --prompt N,...      prompt lengths (256); the first is the depth for all that follows it\n"
    "  --generate N        tokens per decode sample (32)\n"
    "  --threads N,...     numbers of threads (one per CPU)\n"
    "  --users N,...       sequences that decode together (4)\n"
    "  --kv TYPE           how keys and values are stored: f16 or f32 (f16)\n"
    "  --repeat N          samples of everything (5)\n"
    "  --json FILE         also write the result as JSON\n";

struct bench_args {
    const char *model, *prompts, *threads, *users, *json;
    bool every_encoding;
    uint64_t n_generate, n_repeats, kv_type;
};

/* ---- table ---- */

/* A rate from times: amount per second at the median, slowest and fastest sample. */
static struct bench_stat rate_of(const struct bench_series *s, double amount)
{
    struct bench_stat t = bench_stat_of(s);
    return (struct bench_stat){amount / t.median, amount / t.max, amount / t.min};
}

static void print_rate(const char *what, const char *unit, struct bench_stat rate)
{
    printf("  %-34s %10.2f %10.2f %10.2f  %s\n", what, rate.median, rate.min, rate.max, unit);
}

static double gigabytes_per_s(const struct bench *b)
{
    return rate_of(&b->read, (double)b->read_bytes / 1e9).median;
}

static double decode_gigabytes_per_s(const struct bench *b)
{
    return rate_of(&b->decode, (double)(b->weight_bytes + b->kv_bytes) / 1e9).median;
}

static void print_head(const struct bench *b)
{
    char id[128];
    load_model_id(&b->r->m, id, sizeof id);
    printf("%s%s, %s, %.1f M parameters, cache %s, %s\n", id, b->cfg.model ? "" : " (built in)",
           load_quant_name(&b->r->m), (double)b->r->m.model.dims.n_params / 1e6,
           kv_type_names[b->cfg.kv_type], op_isa());
}

static void print_table(const struct bench *b)
{
    char what[64];
    double one_row = bench_stat_of(&b->verify[0]).median;
    printf("%u thread%s %39s %10s %10s\n", b->cfg.n_threads, b->cfg.n_threads == 1 ? " " : "s",
           "median", "min", "max");
    if (pool_is_pinned(b->r->m.pool)) {
        char cpus[POOL_CPUS_TEXT_BYTES];
        pool_cpus_describe(&b->r->m.cpus, b->cfg.n_threads, cpus);
        printf("  %-34s %s\n", "on CPUs of capacity", cpus);
    }
    print_rate("memory read", "GB/s", rate_of(&b->read, (double)b->read_bytes / 1e9));
    for (uint32_t i = 0; i < b->cfg.prompts.n; i++) {
        snprintf(what, sizeof what, "prefill, %u tokens", b->cfg.prompts.at[i]);
        print_rate(what, "tokens/s", rate_of(&b->prompt[i], b->cfg.prompts.at[i]));
    }
    snprintf(what, sizeof what, "decode, %u tokens after %u", b->cfg.n_generate,
             b->cfg.prompts.at[0]);
    print_rate(what, "tokens/s", rate_of(&b->decode, 1.0));
    printf("  %-34s %10.2f MB/token, %.2f GB/s, %.1f %% of memory read\n", "  bytes read",
           (double)(b->weight_bytes + b->kv_bytes) / 1e6, decode_gigabytes_per_s(b),
           100.0 * decode_gigabytes_per_s(b) / gigabytes_per_s(b));
    for (uint32_t i = 0; i < BENCH_N_VERIFY; i++) {
        snprintf(what, sizeof what, "step of %u row%s", bench_verify_rows[i], i ? "s" : "");
        struct bench_stat t = bench_stat_of(&b->verify[i]);
        printf("  %-34s %10.3f %10.3f %10.3f  ms, %.2f x 1 row\n", what, t.median * 1e3,
               t.min * 1e3, t.max * 1e3, t.median / one_row);
    }
    for (uint32_t i = 0; i < b->cfg.users.n; i++) {
        snprintf(what, sizeof what, "decode, %u user%s", b->cfg.users.at[i],
                 b->cfg.users.at[i] == 1 ? "" : "s");
        print_rate(what, "tokens/s", rate_of(&b->users[i], b->cfg.users.at[i]));
    }
}

/* ---- JSON ---- */

static void put_stat(FILE *f, const char *name, struct bench_stat s)
{
    fprintf(f, "\"%s\":{\"median\":%.9g,\"min\":%.9g,\"max\":%.9g}", name, s.median, s.min, s.max);
}

/* Names come from load_model_id and op_isa: nothing in them needs escaping. */
static void put_head(FILE *f, const struct bench *b, const struct bench_args *a)
{
    char id[128];
    load_model_id(&b->r->m, id, sizeof id);
    fprintf(f,
            "{\"hearth\":\"%s\",\"model\":\"%s\",\"quant\":\"%s\",\"n_params\":%" PRIu64
            ",\"kv\":\"%s\",\"isa\":\"%s\",\"repeats\":%" PRIu64
            ",\"generate_tokens\":%u,\"weight_bytes\":%" PRIu64 ",\"kv_bytes\":%" PRIu64
            ",\"threads\":[",
            HEARTH_VERSION, id, load_quant_name(&b->r->m), b->r->m.model.dims.n_params,
            kv_type_names[b->cfg.kv_type], op_isa(), a->n_repeats, b->cfg.n_generate,
            b->weight_bytes, b->kv_bytes);
}

static void put_threads(FILE *f, const struct bench *b)
{
    fprintf(f, "{\"n_threads\":%u,", b->cfg.n_threads);
    put_stat(f, "read_bytes_per_s", rate_of(&b->read, (double)b->read_bytes));
    fputs(",\"prefill\":[", f);
    for (uint32_t i = 0; i < b->cfg.prompts.n; i++) {
        fprintf(f, "%s{\"tokens\":%u,", i ? "," : "", b->cfg.prompts.at[i]);
        put_stat(f, "tokens_per_s", rate_of(&b->prompt[i], b->cfg.prompts.at[i]));
        fputc('}', f);
    }
    fprintf(f, "],\"decode\":{\"after_tokens\":%u,\"read_frac\":%.6g,", b->cfg.prompts.at[0],
            decode_gigabytes_per_s(b) / gigabytes_per_s(b));
    put_stat(f, "tokens_per_s", rate_of(&b->decode, 1.0));
    fputs("},\"verify\":[", f);
    for (uint32_t i = 0; i < BENCH_N_VERIFY; i++) {
        struct bench_stat t = bench_stat_of(&b->verify[i]);
        fprintf(f, "%s{\"rows\":%u,\"ratio\":%.6g,", i ? "," : "", bench_verify_rows[i],
                t.median / bench_stat_of(&b->verify[0]).median);
        put_stat(f, "seconds", t);
        fputc('}', f);
    }
    fputs("],\"users\":[", f);
    for (uint32_t i = 0; i < b->cfg.users.n; i++) {
        fprintf(f, "%s{\"users\":%u,", i ? "," : "", b->cfg.users.at[i]);
        put_stat(f, "tokens_per_s", rate_of(&b->users[i], b->cfg.users.at[i]));
        fputc('}', f);
    }
    fputs("]}", f);
}

/* ---- the runs ---- */

static bool read_list(struct bench_list *l, const char *name, const char *text, uint32_t max,
                      struct err *e)
{
    if (!text)
        return true;
    uint32_t n;
    int32_t *values = tool_ids_parse(str_of(text), &n, e);
    if (!values)
        return err_set(e, ERR_FORMAT, "%s wants numbers separated by commas, not \"%.60s\"", name,
                       text);
    bool ok = n <= BENCH_MAX_CASES;
    l->n = n;
    for (uint32_t i = 0; ok && i < n; i++) {
        ok = values[i] >= 1 && (uint32_t)values[i] <= max;
        l->at[i] = (uint32_t)values[i];
    }
    free(values);
    return ok || err_set(e, ERR_LIMIT, "%s takes up to %d numbers from 1 to %u", name,
                         BENCH_MAX_CASES, max);
}

static bool run_threads(struct bench *b, const struct bench_args *a, struct err *e)
{
    struct progress p;
    bool ok = true;
    progress_begin(&p, "bench", PROGRESS_STEPS, a->n_repeats);
    for (uint64_t i = 0; ok && i < a->n_repeats; i++) {
        ok = bench_repeat(b, e);
        progress_add(&p, 1);
    }
    progress_end(&p);
    return ok;
}

/* All thread counts, one after the other: a model has one pool of workers. */
static bool run_all(struct bench *b, const struct bench_args *a, struct bench_config *cfg,
                    const struct bench_list *threads, FILE *json, struct err *e)
{
    for (uint32_t i = 0; i < threads->n; i++) {
        cfg->n_threads = threads->at[i];
        bool ok = bench_open(b, cfg, e) && run_threads(b, a, e);
        if (ok && i == 0)
            print_head(b);
        if (ok)
            print_table(b);
        if (ok && json) {
            if (i == 0)
                put_head(json, b, a);
            fputs(i ? "," : "", json);
            put_threads(json, b);
        }
        bench_close(b);
        if (!ok)
            return false;
    }
    if (json)
        fputs("]}\n", json);
    return true;
}

/* The table comes even if the file cannot be written; an incomplete file is removed. */
static bool run_bench(const struct bench_args *a, struct bench_config *cfg,
                      const struct bench_list *threads, struct err *e)
{
    FILE *json = a->json ? fopen(a->json, "we") : NULL;
    if (a->json && !json)
        return err_sys(e, "%s: cannot create", a->json);
    struct bench *b = mem_alloc(1, sizeof *b);
    bool ok = b ? run_all(b, a, cfg, threads, json, e) : err_set(e, ERR_NOMEM, "out of memory");
    mem_free(b);
    if (!json)
        return ok;
    bool is_written = !ferror(json);
    is_written = fclose(json) == 0 && is_written;
    if (ok && !is_written)
        ok = err_sys(e, "%s: cannot write", a->json);
    if (!ok)
        remove(a->json);
    return ok;
}

static bool run_encodings(const struct bench_args *a, const struct bench_list *threads,
                          struct err *e)
{
    enum { ROW_ELEMS = 8192 };
    for (uint32_t i = 0; i < threads->n; i++) {
        const struct matmul_bench_args args = {
            .n_threads = threads->at[i], .n_in = ROW_ELEMS, .n_repeats = (uint32_t)a->n_repeats};
        if (!matmul_bench(&args, stdout, e))
            return false;
    }
    return true;
}

int tool_bench(int argc, char **argv)
{
    struct bench_args a = {.n_generate = 32, .n_repeats = 5};
    const struct tool_opt opts[] = {
        {"-m", TOOL_OPT_WORDS, .n_words = 1, .words = &a.model},
        {"--encodings", TOOL_OPT_FLAG, .flag = &a.every_encoding},
        {"--prompt", TOOL_OPT_WORDS, .n_words = 1, .words = &a.prompts},
        {"--generate", TOOL_OPT_COUNT, 1, MAX_TOKENS, .count = &a.n_generate},
        {"--threads", TOOL_OPT_WORDS, .n_words = 1, .words = &a.threads},
        {"--users", TOOL_OPT_WORDS, .n_words = 1, .words = &a.users},
        {"--kv", TOOL_OPT_NAME, .count = &a.kv_type, .names = kv_type_names},
        {"--repeat", TOOL_OPT_COUNT, 1, BENCH_MAX_REPEATS, .count = &a.n_repeats},
        {"--json", TOOL_OPT_WORDS, .n_words = 1, .words = &a.json},
    };
    const struct tool_spec spec = {help, opts, sizeof opts / sizeof *opts, NULL};
    struct err e = {.code = ERR_NONE};
    int exit_code;
    if (!tool_parse(argc, argv, &spec, NULL, &exit_code))
        return exit_code;
    struct bench_config cfg = {.model = a.model,
                               .prompts = {1, {256}},
                               .users = {1, {4}},
                               .n_generate = (uint32_t)a.n_generate,
                               .kv_type = (enum kv_type)a.kv_type};
    struct bench_list threads = {1, {pool_n_cpus()}};
    if (!read_list(&cfg.prompts, "--prompt", a.prompts, MAX_TOKENS, &e) ||
        !read_list(&cfg.users, "--users", a.users, MAX_USERS, &e) ||
        !read_list(&threads, "--threads", a.threads, POOL_MAX_THREADS, &e))
        return tool_misused(argv[0], e.msg);
    if (a.every_encoding && (a.model || a.json || a.prompts || a.users))
        return tool_misused(argv[0], "--encodings goes with --threads and --repeat alone");
    if (a.every_encoding)
        return run_encodings(&a, &threads, &e) ? TOOL_OK : tool_failed(argv[0], &e);
    return run_bench(&a, &cfg, &threads, &e) ? TOOL_OK : tool_failed(argv[0], &e);
}
