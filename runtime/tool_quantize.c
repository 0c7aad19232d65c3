#include "runtime/tool_quantize.h"

#include "kernels/quant/dequant.h"
#include "kernels/quant/encode.h"
#include "models/gguf_write.h"
#include "models/quant_mix.h"
#include "runtime/base/mem.h"
#include "runtime/base/num.h"
#include "runtime/base/pool.h"
#include "runtime/progress.h"
#include "runtime/tool_arg.h"

#include <inttypes.h>
#include <stdio.h>

static const char help[] = "hearth quantize IN.gguf OUT.gguf TYPE [--threads N]\n"
                           "\n"
                           "Encodes the matrices of a model; norms and other vectors stay as they "
                           "are. IN holds F32, F16 or BF16 weights\n"
                           "(all parts are read if it is one of a split set). OUT appears under "
                           "its name only when it is complete.\n"
                           "TYPE: Q8_0, or F32, F16, BF16 to convert.\n"
                           "\n"
                           "  --threads N   default: all CPUs of this process\n";

enum { PIECE_BYTES = 16 << 20 };

/* One piece of one tensor: rows [i_first, i_first + n_rows). */
struct piece {
    const struct gguf_tensor *source;
    enum qtype type;
    uint64_t i_first, n_rows;
    uint64_t in_row_bytes, out_row_bytes;
    uint64_t scratch_elems;             /* per thread */
    float *scratch;                     /* [n_threads, scratch_elems] */
    unsigned char *out;                 /* [n_rows, out_row_bytes] */
    uint64_t bad_row[POOL_MAX_THREADS]; /* first row of each thread's share that has no encoding, or
                                           UINT64_MAX */
};

struct job {
    struct gguf *in;
    const struct quant_mix *mix;
    enum qtype *types; /* [n_tensors] of the output */
    struct gguf_writer *writer;
    struct pool *pool;
    struct piece piece;
    struct progress progress;
};

/* ---- what becomes of each tensor ---- */

static bool is_float(enum qtype type)
{
    return type == QTYPE_F32 || type == QTYPE_F16 || type == QTYPE_BF16;
}

static struct quant_mix_walk walk_begin(const struct gguf *g, const struct quant_mix *mix)
{
    struct quant_mix_walk walk = {.mix = mix,
                                  .has_output = gguf_tensor(g, "output.weight") != NULL};
    for (uint64_t i = 0; i < gguf_n_tensors(g); i++) {
        struct str rest;
        uint32_t i_layer = quant_mix_layer(gguf_tensor_at(g, i)->name, &rest);
        if (i_layer == UINT32_MAX)
            continue;
        walk.n_layers = i_layer >= walk.n_layers ? i_layer + 1 : walk.n_layers;
        walk.n_attn_v += str_is(rest, "attn_v.weight");
    }
    return walk;
}

static bool choose_types(struct job *j, struct err *e)
{
    struct quant_mix_walk walk = walk_begin(j->in, j->mix);
    uint64_t n = gguf_n_tensors(j->in);
    j->types = mem_alloc(n, sizeof *j->types);
    if (!j->types)
        return err_set(e, ERR_NOMEM, "no memory for %" PRIu64 " tensors", n);
    for (uint64_t i = 0; i < n; i++) {
        const struct gguf_tensor *t = gguf_tensor_at(j->in, i);
        enum qtype type;
        j->types[i] = t->type;
        if (!quant_mix_next(&walk, t->name, t->n_dims, t->dims, &type) || type == t->type)
            continue;
        if (!is_float(t->type))
            return err_set(
                e, ERR_FORMAT,
                "%s: tensor \"%.*s\" is %s already: start from a file of F32, F16 or BF16 weights",
                gguf_name(j->in), STR_ARG(t->name), qtype_info(t->type)->name);
        if (!encode_supports(type))
            return err_set(e, ERR_LIMIT,
                           "%s: tensor \"%.*s\" would become %s, which this build cannot encode",
                           gguf_name(j->in), STR_ARG(t->name), qtype_info(type)->name);
        j->types[i] = type;
    }
    return true;
}

/* gguf.md 9.3: all keys but those of the container, two of them set anew. */
static bool declare_keys(struct job *j, struct err *e)
{
    const struct {
        const char *key;
        uint32_t v;
    } set[] = {{"general.file_type", j->mix->file_type}, {"general.quantization_version", 2}};
    bool ok = true;
    for (uint64_t i = 0; i < gguf_n_kv(j->in) && ok; i++) {
        const struct gguf_kv *kv = gguf_kv_at(j->in, i);
        if (gguf_write_may_copy(kv->key) && !str_is(kv->key, set[0].key) &&
            !str_is(kv->key, set[1].key))
            ok = gguf_write_kv(j->writer, kv, e);
    }
    for (int i = 0; i < 2 && ok; i++)
        ok = gguf_write_u32(j->writer, set[i].key, set[i].v, e);
    return ok;
}

static bool declare_tensors(struct job *j, struct err *e)
{
    bool ok = true;
    for (uint64_t i = 0; i < gguf_n_tensors(j->in) && ok; i++) {
        const struct gguf_tensor *t = gguf_tensor_at(j->in, i);
        ok = gguf_write_tensor(j->writer, t->name, j->types[i], t->n_dims, t->dims, e);
    }
    return ok;
}

/* ---- the work ---- */

static void encode_share(void *arg, uint32_t tid, uint32_t n_threads)
{
    struct piece *p = arg;
    uint64_t begin, end, n_elems = p->source->dims[0];
    float *scratch = p->scratch + tid * p->scratch_elems;
    p->bad_row[tid] = UINT64_MAX;
    pool_share(p->n_rows, 1, tid, n_threads, &begin, &end);
    for (uint64_t r = begin; r < end; r++) {
        dequant_row(p->source->type, p->source->bytes + (p->i_first + r) * p->in_row_bytes, scratch,
                    n_elems);
        if (!encode_row(p->type, scratch, NULL, p->out + r * p->out_row_bytes, n_elems)) {
            p->bad_row[tid] = p->i_first + r;
            return;
        }
    }
}

static bool encode_tensor(struct job *j, const struct gguf_tensor *t, enum qtype type,
                          struct err *e)
{
    struct piece *p = &j->piece;
    uint64_t n_rows = t->dims[1] * t->dims[2] * t->dims[3];
    p->source = t;
    p->type = type;
    p->in_row_bytes = qtype_row_bytes(t->type, t->dims[0]);
    p->out_row_bytes = qtype_row_bytes(type, t->dims[0]);
    uint64_t rows_per_piece = num_max(1, PIECE_BYTES / p->out_row_bytes);
    for (p->i_first = 0; p->i_first < n_rows; p->i_first += p->n_rows) {
        p->n_rows = num_min(rows_per_piece, n_rows - p->i_first);
        pool_run(j->pool, encode_share, p);
        for (uint32_t tid = 0; tid < pool_n_threads(j->pool); tid++)
            if (p->bad_row[tid] != UINT64_MAX)
                return err_set(e, ERR_FORMAT,
                               "%s: tensor \"%.*s\", row %" PRIu64
                               ": a value is not finite or too large for %s",
                               gguf_name(j->in), STR_ARG(t->name), p->bad_row[tid],
                               qtype_info(type)->name);
        if (!gguf_write_bytes(j->writer, p->out, p->n_rows * p->out_row_bytes, e))
            return false;
        progress_add(&j->progress, p->n_rows * p->out_row_bytes);
    }
    return true;
}

static bool copy_tensor(struct job *j, const struct gguf_tensor *t, struct err *e)
{
    for (uint64_t done = 0, n; done < t->n_bytes; done += n) {
        n = num_min(PIECE_BYTES, t->n_bytes - done);
        if (!gguf_write_bytes(j->writer, t->bytes + done, n, e))
            return false;
        progress_add(&j->progress, n);
    }
    return true;
}

/* Memory: one piece, and one row of floats per thread. */
static bool take_buffers(struct job *j, struct err *e)
{
    uint64_t out_bytes = PIECE_BYTES;
    for (uint64_t i = 0; i < gguf_n_tensors(j->in); i++) {
        const struct gguf_tensor *t = gguf_tensor_at(j->in, i);
        if (j->types[i] == t->type)
            continue;
        out_bytes = num_max(out_bytes, qtype_row_bytes(j->types[i], t->dims[0]));
        j->piece.scratch_elems = num_max(j->piece.scratch_elems, t->dims[0]);
    }
    j->piece.out = mem_alloc(out_bytes, 1);
    j->piece.scratch =
        mem_alloc(j->piece.scratch_elems * pool_n_threads(j->pool), sizeof *j->piece.scratch);
    return (j->piece.out && j->piece.scratch) ||
           err_set(e, ERR_NOMEM, "no memory for %.1f MiB of buffers", (double)out_bytes / 0x1p20);
}

static bool write_tensors(struct job *j, struct err *e)
{
    bool ok = take_buffers(j, e);
    progress_begin(&j->progress, "quantize", PROGRESS_BYTES, gguf_write_file_bytes(j->writer));
    for (uint64_t i = 0; i < gguf_n_tensors(j->in) && ok; i++) {
        const struct gguf_tensor *t = gguf_tensor_at(j->in, i);
        ok = j->types[i] == t->type ? copy_tensor(j, t, e) : encode_tensor(j, t, j->types[i], e);
    }
    progress_end(&j->progress);
    return ok;
}

static bool quantize(struct job *j, const char *out_path, struct err *e)
{
    return choose_types(j, e) && (j->writer = gguf_write_new(e)) && declare_keys(j, e) &&
           declare_tensors(j, e) && gguf_write_seal(j->writer, e) &&
           gguf_write_open(j->writer, out_path, e) && write_tensors(j, e) &&
           gguf_write_commit(j->writer, e);
}

int tool_quantize(int argc, char **argv)
{
    uint64_t n_threads = 0;
    const struct tool_opt opts[] = {
        {.name = "--threads",
         .kind = TOOL_OPT_COUNT,
         .min = 1,
         .max = POOL_MAX_THREADS,
         .count = &n_threads},
    };
    const struct tool_spec spec = {help, opts, sizeof opts / sizeof *opts, 3};
    const char *words[3];
    int exit_code;
    struct err e = {.code = ERR_NONE};
    if (!tool_parse(argc, argv, &spec, words, &exit_code))
        return exit_code;
    const struct quant_mix *mix = quant_mix_by_name(words[2]);
    if (!mix) {
        fprintf(stderr, "hearth quantize: unknown type \"%s\", see hearth quantize -h\n", words[2]);
        return TOOL_USAGE;
    }
    if (!encode_supports(mix->base)) {
        (void)err_set(&e, ERR_LIMIT, "this build cannot encode %s", qtype_info(mix->base)->name);
        return tool_failed("quantize", &e);
    }
    struct job j = {.mix = mix};
    j.in = gguf_open(words[0], &e);
    j.pool = j.in ? pool_open((uint32_t)n_threads, &e) : NULL;
    bool ok = j.pool && quantize(&j, words[1], &e);
    if (ok)
        printf("%s: %" PRIu64 " tensors, %.1f MiB (was %.1f MiB)\n", words[1], gguf_n_tensors(j.in),
               (double)gguf_write_file_bytes(j.writer) / 0x1p20,
               (double)gguf_mapped_bytes(j.in) / 0x1p20);
    mem_free(j.piece.out);
    mem_free(j.piece.scratch);
    mem_free(j.types);
    gguf_write_free(j.writer);
    pool_close(j.pool);
    gguf_close(j.in);
    return ok ? TOOL_OK : tool_failed("quantize", &e);
}
