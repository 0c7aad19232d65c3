#include "runtime/tool_synth.h"

#include "models/synth.h"
#include "runtime/base/mem.h"
#include "runtime/base/num.h"
#include "runtime/base/pool.h"
#include "runtime/progress.h"
#include "runtime/tool_arg.h"

#include <stdio.h>

static const char help[] = "hearth synth SHAPE TYPE OUT.gguf [--seed N] [--layers N] [--vocab N] "
                           "[--context N] [--threads N]\n"
                           "\n"
                           "Writes a random Gemma 4 model of a real shape, for benchmarks and "
                           "tests. Equal arguments give equal bytes.\n"
                           "SHAPE: 31b, 12b, 1b (1.6 B parameters), tiny, tiny-heads.\n"
                           "TYPE:  a tensor encoding for every matrix (F32, F16, BF16, Q4_0, Q4_1, "
                           "Q5_0, Q5_1, Q8_0, Q2_K, Q3_K, Q4_K,\n"
                           "       Q5_K, Q6_K, IQ1_S, IQ1_M, IQ2_XXS, IQ2_XS, IQ2_S, IQ3_XXS, "
                           "IQ3_S, IQ4_NL, IQ4_XS, TQ1_0, TQ2_0,\n"
                           "       MXFP4, NVFP4 with a Q8_0 head), or a mix such as "
                           "Q4_K_M or IQ2_M.\n"
                           "\n"
                           "  --seed N      another model of the same shape (default 0)\n"
                           "  --layers N    another number of layers\n"
                           "  --vocab N     another vocabulary size, at least 400\n"
                           "  --context N   another context length in the metadata\n"
                           "  --threads N   default: all CPUs of this process\n";

enum { PIECE_BYTES = 16 << 20 };

/* One piece of one tensor: rows [i_first, i_first + n_rows) into out. */
struct piece {
    const struct synth *synth;
    const struct synth_tensor *tensor;
    uint64_t i_first, n_rows, row_bytes;
    uint64_t scratch_elems; /* per thread */
    float *scratch;         /* [n_threads, scratch_elems] */
    unsigned char *out;
};

static void piece_share(void *arg, uint32_t tid, uint32_t n_threads)
{
    const struct piece *p = arg;
    uint64_t begin, end;
    pool_share(p->n_rows, 1, tid, n_threads, &begin, &end);
    if (begin < end)
        synth_fill(p->synth, p->tensor, p->i_first + begin, end - begin,
                   p->scratch + tid * p->scratch_elems, p->out + begin * p->row_bytes);
}

static bool write_tensor(struct gguf_writer *w, struct pool *pool, struct piece *p,
                         struct progress *progress, struct err *e)
{
    const struct synth_tensor *t = p->tensor;
    p->row_bytes = qtype_row_bytes(t->type, t->dims[0]);
    uint64_t rows_per_piece = num_max(1, PIECE_BYTES / p->row_bytes);
    for (p->i_first = 0; p->i_first < t->dims[1]; p->i_first += p->n_rows) {
        p->n_rows = num_min(rows_per_piece, t->dims[1] - p->i_first);
        pool_run(pool, piece_share, p);
        if (!gguf_write_bytes(w, p->out, p->n_rows * p->row_bytes, e))
            return false;
        progress_add(progress, p->n_rows * p->row_bytes);
    }
    return true;
}

/* Streams every tensor; memory is one piece and one row of floats per thread. */
static bool write_tensors(const struct synth *s, struct gguf_writer *w, struct pool *pool,
                          struct err *e)
{
    struct progress progress;
    struct piece p = {.synth = s};
    uint64_t out_bytes = PIECE_BYTES;
    for (uint32_t i = 0; i < s->n_tensors; i++) {
        const struct synth_tensor *t = &s->tensors[i];
        p.scratch_elems = num_max(p.scratch_elems, t->dims[0]);
        out_bytes = num_max(out_bytes, qtype_row_bytes(t->type, t->dims[0]));
    }
    p.out = mem_alloc(out_bytes, 1);
    p.scratch = mem_alloc(p.scratch_elems * pool_n_threads(pool), sizeof *p.scratch);
    bool ok = p.out && p.scratch;
    if (!ok)
        (void)err_set(e, ERR_NOMEM, "synth: no memory for %.1f MiB of buffers",
                      (double)out_bytes / 0x1p20);
    progress_begin(&progress, "synth", PROGRESS_BYTES, gguf_write_file_bytes(w));
    for (uint32_t i = 0; i < s->n_tensors && ok; i++) {
        p.tensor = &s->tensors[i];
        ok = write_tensor(w, pool, &p, &progress, e);
    }
    progress_end(&progress);
    mem_free(p.out);
    mem_free(p.scratch);
    return ok;
}

static bool write_model(const struct synth *s, const char *path, uint32_t n_threads, struct err *e)
{
    struct pool *pool = pool_open(n_threads, e);
    struct gguf_writer *w = pool ? gguf_write_new(e) : NULL;
    bool ok = w && synth_declare(s, w, e) && gguf_write_seal(w, e) && gguf_write_open(w, path, e) &&
              write_tensors(s, w, pool, e) && gguf_write_commit(w, e);
    if (ok)
        printf("%s: %u tensors, %.1f MiB\n", path, s->n_tensors,
               (double)gguf_write_file_bytes(w) / 0x1p20);
    gguf_write_free(w);
    pool_close(pool);
    return ok;
}

static int unknown_shape(const char *word)
{
    char known[128] = "";
    for (unsigned i = 0; synth_shape_at(i); i++)
        tool_known_add(known, sizeof known, synth_shape_at(i)->name);
    return tool_unknown("synth", "shape", word, known);
}

static int unknown_type(const char *word)
{
    char known[512] = "";
    struct quant_mix ignored;
    enum qtype type;
    for (uint32_t id = 0; id < QTYPE_ID_END; id++)
        if (qtype_info(id) && synth_mix_by_name(qtype_info(id)->name, &ignored))
            tool_known_add(known, sizeof known, qtype_info(id)->name);
    for (unsigned i = 0; quant_mix_at(i); i++)
        if (!qtype_by_name(quant_mix_at(i)->name, &type))
            tool_known_add(known, sizeof known, quant_mix_at(i)->name);
    return tool_unknown("synth", "type", word, known);
}

int tool_synth(int argc, char **argv)
{
    uint64_t seed = 0, n_layers = 0, n_vocab = 0, context_tokens = 0, n_threads = 0;
    const struct tool_opt opts[] = {
        {.name = "--seed", .kind = TOOL_OPT_COUNT, .max = UINT64_MAX, .count = &seed},
        {.name = "--layers",
         .kind = TOOL_OPT_COUNT,
         .min = 1,
         .max = SYNTH_MAX_LAYERS,
         .count = &n_layers},
        {.name = "--vocab",
         .kind = TOOL_OPT_COUNT,
         .min = SYNTH_MIN_VOCAB,
         .max = 1 << 20,
         .count = &n_vocab},
        {.name = "--context",
         .kind = TOOL_OPT_COUNT,
         .min = 1,
         .max = 1 << 20,
         .count = &context_tokens},
        {.name = "--threads",
         .kind = TOOL_OPT_COUNT,
         .min = 1,
         .max = POOL_MAX_THREADS,
         .count = &n_threads},
    };
    const struct tool_spec spec = {help, opts, sizeof opts / sizeof *opts, "SHAPE TYPE OUT.gguf"};
    const char *words[3];
    int exit_code;
    struct err e = {.code = ERR_NONE};
    if (!tool_parse(argc, argv, &spec, words, &exit_code))
        return exit_code;
    const struct synth_shape *known = synth_shape_by_name(words[0]);
    struct quant_mix mix;
    if (!known)
        return unknown_shape(words[0]);
    if (!synth_mix_by_name(words[1], &mix))
        return unknown_type(words[1]);
    struct synth_shape shape = *known;
    shape.n_layers = n_layers ? (uint32_t)n_layers : shape.n_layers;
    shape.n_vocab = n_vocab ? (uint32_t)n_vocab : shape.n_vocab;
    shape.context_tokens = context_tokens ? (uint32_t)context_tokens : shape.context_tokens;
    struct synth s;
    bool ok = synth_init(&s, &shape, &mix, seed, &e) &&
              write_model(&s, words[2], (uint32_t)n_threads, &e);
    synth_deinit(&s);
    return ok ? TOOL_OK : tool_failed("synth", &e);
}
