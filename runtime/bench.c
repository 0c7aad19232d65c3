#include "runtime/bench.h"

#include "kernels/quant/qblk_random.h"
#include "runtime/base/check.h"
#include "runtime/base/clock.h"
#include "runtime/base/mem.h"
#include "runtime/base/num.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum {
    READ_PASSES = 3,  /* per repeat: a pass is short */
    VERIFY_STEPS = 4, /* per repeat and row count */
    READ_MIN_BYTES = 256 << 20,
};

const uint32_t bench_verify_rows[BENCH_N_VERIFY] = {1, 2, 4, 8, BENCH_MAX_VERIFY_ROWS};

/* ---- statistics ---- */

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

struct bench_stat bench_stat_of(const struct bench_series *s)
{
    double sorted[BENCH_MAX_SAMPLES];
    CHECK(s->n > 0 && s->n <= BENCH_MAX_SAMPLES);
    memcpy(sorted, s->seconds, s->n * sizeof *sorted);
    qsort(sorted, s->n, sizeof *sorted, compare_doubles);
    return (struct bench_stat){.median = (sorted[(s->n - 1) / 2] + sorted[s->n / 2]) / 2.0,
                               .min = sorted[0],
                               .max = sorted[s->n - 1]};
}

static void add_sample(struct bench_series *s, double seconds)
{
    if (s->n < BENCH_MAX_SAMPLES)
        s->seconds[s->n++] = seconds;
}

static double seconds_since(int64_t start_us)
{
    return (double)(clock_mono_us() - start_us) / 1e6;
}

/* ---- read bandwidth ---- */

struct read_job {
    const uint64_t *words;
    uint64_t n_words;
    uint64_t sums[POOL_MAX_THREADS]; /* so that the loads are not optimised away */
};

/* Eight sums keep more loads in flight than memory can answer; wider registers change nothing. */
static void read_words(void *arg, uint32_t tid, uint32_t n_threads)
{
    struct read_job *j = arg;
    uint64_t begin, end, sum[8] = {0};
    pool_share(j->n_words, 8, tid, n_threads, &begin, &end);
    for (uint64_t i = begin; i + 8 <= end; i += 8)
        for (uint32_t k = 0; k < 8; k++)
            sum[k] += j->words[i + k];
    for (uint32_t k = 1; k < 8; k++)
        sum[0] += sum[k];
    j->sums[tid] = sum[0];
}

static void measure_read(struct bench *b)
{
    struct read_job j = {.words = b->read_buf, .n_words = b->read_bytes / sizeof(uint64_t)};
    for (uint32_t i = 0; i < READ_PASSES; i++) {
        int64_t start_us = clock_mono_us();
        pool_run(b->r->m.pool, read_words, &j);
        add_sample(&b->read, seconds_since(start_us));
    }
}

/* Four times the last cache level, so that little of a pass is found there. */
static bool open_read_buf(struct bench *b, struct err *e)
{
    long l3_bytes = sysconf(_SC_LEVEL3_CACHE_SIZE);
    uint64_t n_bytes = num_max(READ_MIN_BYTES, l3_bytes > 0 ? 4 * (uint64_t)l3_bytes : 0);
    b->read_bytes = num_min(n_bytes, load_available_bytes() / 4) & ~(uint64_t)4095;
    b->read_buf = b->read_bytes ? mmap(NULL, b->read_bytes, PROT_READ | PROT_WRITE,
                                       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
                                : MAP_FAILED;
    if (b->read_buf == MAP_FAILED) {
        b->read_buf = NULL;
        return err_set(e, ERR_NOMEM, "no memory for a read test of %zu MiB", b->read_bytes >> 20);
    }
    memset(b->read_buf, 1, b->read_bytes); /* real pages, not the shared page of zeros */
    return true;
}

/* ---- what a token reads ---- */

static uint64_t matrix_bytes(const struct weight *w)
{
    return w->bytes ? qtype_row_bytes(w->type, w->n_in) * w->n_out : 0;
}

static uint64_t weight_bytes_of(const struct gemma4 *m)
{
    uint64_t n_bytes = matrix_bytes(&m->output) +
                       qtype_row_bytes(m->token_embd.type, m->dims.d_model) +
                       m->dims.d_model * sizeof(float);
    for (uint32_t i = 0; i < m->dims.n_layers; i++) {
        const struct gemma4_layer *l = &m->layers[i];
        n_bytes += matrix_bytes(&l->attn_q) + matrix_bytes(&l->attn_k) + matrix_bytes(&l->attn_v) +
                   matrix_bytes(&l->attn_output) + matrix_bytes(&l->ffn_gate) +
                   matrix_bytes(&l->ffn_up) + matrix_bytes(&l->ffn_down);
        n_bytes += (4 * (uint64_t)m->dims.d_model + 2 * (uint64_t)l->head_dim) * sizeof(float);
    }
    return n_bytes;
}

/* Keys and values of the positions a row at `depth` sees. */
static uint64_t kv_bytes_of(const struct gemma4 *m, uint32_t depth, enum kv_type type)
{
    uint64_t n_bytes = 0;
    for (uint32_t i = 0; i < m->dims.n_layers; i++) {
        const struct gemma4_layer *l = &m->layers[i];
        uint64_t n_seen = l->is_local ? num_min(depth, m->dims.window) : depth;
        n_bytes += n_seen * l->n_kv_heads * kv_cell_bytes(type, l->head_dim) * 2;
    }
    return n_bytes;
}

/* ---- runs of the model ---- */

/* Sequence s at exactly n_tokens tokens, whatever it held. */
static bool bring_to(struct bench *b, int32_t seq, uint32_t n_tokens, struct err *e)
{
    uint32_t n_now = runner_n_tokens(b->r, seq);
    if (n_now > n_tokens)
        n_now = runner_truncate(b->r, seq, n_tokens);
    struct runner_part rest = {seq, b->ids + n_now, n_tokens - n_now};
    return runner_feed(b->r, rest, NULL, e);
}

static bool measure_prompts(struct bench *b, struct err *e)
{
    for (uint32_t i = 0; i < b->cfg.prompts.n; i++) {
        runner_truncate(b->r, 0, 0);
        int64_t start_us = clock_mono_us();
        if (!runner_feed(b->r, (struct runner_part){0, b->ids, b->cfg.prompts.at[i]}, NULL, e))
            return false;
        add_sample(&b->prompt[i], seconds_since(start_us));
    }
    return true;
}

/* n_steps steps of n_seqs sequences, one row each, from the common depth on; *seconds for one. */
static bool time_decode(struct bench *b, uint32_t n_seqs, uint32_t n_steps, double *seconds,
                        struct err *e)
{
    uint32_t depth = b->cfg.prompts.at[0];
    struct runner_part *parts = mem_alloc(n_seqs, sizeof *parts);
    bool ok = parts || err_set(e, ERR_NOMEM, "no memory for a step");
    for (uint32_t s = 0; ok && s < n_seqs; s++)
        ok = bring_to(b, (int32_t)s, depth, e);
    int64_t start_us = clock_mono_us();
    for (uint32_t i = 0; ok && i < n_steps; i++) {
        for (uint32_t s = 0; s < n_seqs; s++)
            parts[s] = (struct runner_part){(int32_t)s, b->ids + depth + i, 1};
        ok = runner_step(b->r, parts, n_seqs, RUNNER_LAST_ROW, e);
    }
    *seconds = seconds_since(start_us) / n_steps;
    mem_free(parts);
    return ok;
}

static bool measure_decode(struct bench *b, struct err *e)
{
    double seconds;
    if (!time_decode(b, 1, b->cfg.n_generate, &seconds, e))
        return false;
    add_sample(&b->decode, seconds);
    for (uint32_t i = 0; i < b->cfg.users.n; i++) {
        uint32_t n_steps = (uint32_t)num_max(1, num_min(b->cfg.n_generate, 16));
        if (!time_decode(b, b->cfg.users.at[i], n_steps, &seconds, e))
            return false;
        add_sample(&b->users[i], seconds);
    }
    return true;
}

/* Rows of one sequence with logits for each, as a drafter's proposals are checked. */
static bool measure_verify(struct bench *b, struct err *e)
{
    uint32_t depth = b->cfg.prompts.at[0];
    for (uint32_t step = 0; step < VERIFY_STEPS; step++)
        for (uint32_t i = 0; i < BENCH_N_VERIFY; i++) {
            if (!bring_to(b, 0, depth, e))
                return false;
            struct runner_part part = {0, b->ids + depth, bench_verify_rows[i]};
            int64_t start_us = clock_mono_us();
            if (!runner_step(b->r, &part, 1, RUNNER_EVERY_ROW, e))
                return false;
            add_sample(&b->verify[i], seconds_since(start_us));
        }
    return true;
}

bool bench_repeat(struct bench *b, struct err *e)
{
    measure_read(b);
    return measure_prompts(b, e) && measure_decode(b, e) && measure_verify(b, e);
}

/* ---- open ---- */

static uint32_t largest(const struct bench_list *l)
{
    uint32_t max = 0;
    for (uint32_t i = 0; i < l->n; i++)
        max = l->at[i] > max ? l->at[i] : max;
    return max;
}

/* A fixed seed: the same tokens on every machine. */
static void fill_ids(int32_t *ids, uint64_t n_ids, uint32_t n_vocab)
{
    uint64_t state = 1;
    for (uint64_t i = 0; i < n_ids; i++)
        ids[i] = (int32_t)(qblk_random_u64(&state) % n_vocab);
}

static bool open_model(struct bench *b, uint32_t n_ctx, struct err *e)
{
    uint32_t max_users = (uint32_t)num_max(1, largest(&b->cfg.users));
    struct load_config load = {.n_ctx = n_ctx,
                               .max_seqs = max_users,
                               .kv_type = b->cfg.kv_type,
                               .max_logit_rows =
                                   (uint32_t)num_max(max_users, BENCH_MAX_VERIFY_ROWS),
                               .n_threads = b->cfg.n_threads};
    b->r = runner_open(b->cfg.model, &load, n_ctx, e);
    return b->r;
}

/* Not measured: the first touch of the weights maps them, or even reads them from the disk. */
static bool warm_up(struct bench *b, struct err *e)
{
    uint32_t n_tokens = (uint32_t)num_min(b->cfg.prompts.at[0], BENCH_MAX_VERIFY_ROWS);
    bool ok = runner_feed(b->r, (struct runner_part){0, b->ids, n_tokens}, NULL, e);
    runner_truncate(b->r, 0, 0);
    return ok;
}

bool bench_open(struct bench *b, const struct bench_config *cfg, struct err *e)
{
    memset(b, 0, sizeof *b);
    b->cfg = *cfg;
    uint32_t n_behind = (uint32_t)num_max(cfg->n_generate, BENCH_MAX_VERIFY_ROWS);
    uint32_t n_ids = largest(&cfg->prompts) + n_behind;
    b->ids = mem_alloc(n_ids, sizeof *b->ids);
    bool ok = b->ids || err_set(e, ERR_NOMEM, "no memory for %u tokens", n_ids);
    ok = ok && open_model(b, n_ids, e) && open_read_buf(b, e);
    if (ok) {
        fill_ids(b->ids, n_ids, b->r->m.model.dims.n_vocab);
        ok = warm_up(b, e);
    }
    if (!ok) {
        bench_close(b);
        return false;
    }
    b->cfg.n_threads = b->r->m.cfg.n_threads;
    b->weight_bytes = weight_bytes_of(&b->r->m.model);
    b->kv_bytes =
        kv_bytes_of(&b->r->m.model, cfg->prompts.at[0] + cfg->n_generate / 2, cfg->kv_type);
    return true;
}

void bench_close(struct bench *b)
{
    runner_close(b->r);
    mem_free(b->ids);
    if (b->read_buf)
        munmap(b->read_buf, b->read_bytes);
    memset(b, 0, sizeof *b);
}
