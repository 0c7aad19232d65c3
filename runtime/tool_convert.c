#include "runtime/tool_convert.h"

#include "models/convert.h"
#include "runtime/base/mem.h"
#include "runtime/base/num.h"
#include "runtime/base/pool.h"
#include "runtime/progress.h"
#include "runtime/tool_arg.h"

#include <inttypes.h>
#include <stdio.h>
#include <strings.h>

static const char help[] =
    "hearth convert DIR OUT.gguf [--type TYPE] [--tokenizer DIR] [--threads N]\n"
    "\n"
    "Turns a Hugging Face directory (config.json, *.safetensors, tokenizer.json) into a GGUF "
    "file.\n"
    "DIR holds a dense Gemma 4 text model (pictures and sound are left out), or an MTP, DFlash or\n"
    "EAGLE-3 drafter for one. Weights are BF16, F16, F32 or NVFP4 (ModelOpt, compressed-tensors).\n"
    "OUT appears under its name only when it is complete. Use hearth quantize for other "
    "encodings.\n"
    "\n"
    "  --type TYPE      F32, F16 or BF16 for every matrix that is not NVFP4; default: as stored\n"
    "  --tokenizer DIR  take tokenizer.json and the chat template from there; a drafter needs "
    "none\n"
    "  --threads N      default: all CPUs of this process\n";

enum { PIECE_BYTES = 16 << 20 };

/* Rows [i_first, i_first + n_rows) of one tensor. */
struct piece {
    const struct convert_tensor *tensor;
    uint64_t i_first, n_rows, row_bytes;
    uint64_t scratch_elems;            /* per thread */
    float *scratch;                    /* [n_threads, scratch_elems] */
    unsigned char *out;                /* [n_rows, row_bytes] */
    const char *why[POOL_MAX_THREADS]; /* NULL, or what is wrong in this thread's share */
    uint64_t i_bad[POOL_MAX_THREADS];
};

static void piece_share(void *arg, uint32_t tid, uint32_t n_threads)
{
    struct piece *p = arg;
    uint64_t begin, end;
    pool_share(p->n_rows, 1, tid, n_threads, &begin, &end);
    p->why[tid] = NULL;
    if (begin < end)
        p->why[tid] = convert_rows(p->tensor, p->i_first + begin, end - begin,
                                   p->scratch + tid * p->scratch_elems,
                                   p->out + begin * p->row_bytes, &p->i_bad[tid]);
}

struct job {
    struct convert *convert;
    struct gguf_writer *writer;
    struct pool *pool;
    struct piece piece;
    struct progress progress;
};

static bool write_tensor(struct job *j, const struct convert_tensor *t, struct err *e)
{
    struct piece *p = &j->piece;
    uint64_t n_rows = convert_n_rows(t);
    p->tensor = t;
    p->row_bytes = convert_row_bytes(t);
    uint64_t rows_per_piece = num_max(1, PIECE_BYTES / p->row_bytes);
    for (p->i_first = 0; p->i_first < n_rows; p->i_first += p->n_rows) {
        p->n_rows = num_min(rows_per_piece, n_rows - p->i_first);
        pool_run(j->pool, piece_share, p);
        for (uint32_t tid = 0; tid < pool_n_threads(j->pool); tid++)
            if (p->why[tid])
                return convert_bad_row(j->convert, t, p->i_bad[tid], p->why[tid], e);
        if (!gguf_write_bytes(j->writer, p->out, p->n_rows * p->row_bytes, e))
            return false;
        progress_add(&j->progress, p->n_rows * p->row_bytes);
    }
    convert_done(j->convert, t);
    return true;
}

/* Memory: one piece, and one row of floats per thread. */
static bool take_buffers(struct job *j, struct err *e)
{
    uint64_t out_bytes = PIECE_BYTES;
    for (uint32_t i = 0; i < convert_n_tensors(j->convert); i++) {
        const struct convert_tensor *t = convert_at(j->convert, i);
        out_bytes = num_max(out_bytes, convert_row_bytes(t));
        j->piece.scratch_elems = num_max(j->piece.scratch_elems, convert_row_elems(t));
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
    progress_begin(&j->progress, "convert", PROGRESS_BYTES, gguf_write_file_bytes(j->writer));
    for (uint32_t i = 0; i < convert_n_tensors(j->convert) && ok; i++)
        ok = write_tensor(j, convert_at(j->convert, i), e);
    progress_end(&j->progress);
    return ok;
}

static bool convert(struct job *j, const char *out_path, struct err *e)
{
    return (j->writer = gguf_write_new(e)) && convert_declare(j->convert, j->writer, e) &&
           gguf_write_seal(j->writer, e) && gguf_write_open(j->writer, out_path, e) &&
           write_tensors(j, e) && gguf_write_commit(j->writer, e);
}

static bool type_by_name(const char *name, enum convert_float *out)
{
    static const char *const names[] = {
        [CONVERT_TO_F32] = "F32", [CONVERT_TO_F16] = "F16", [CONVERT_TO_BF16] = "BF16"};
    *out = CONVERT_AS_STORED;
    for (int i = CONVERT_TO_F32; i <= CONVERT_TO_BF16 && name; i++)
        if (strcasecmp(names[i], name) == 0)
            *out = (enum convert_float)i;
    return !name || *out != CONVERT_AS_STORED;
}

static void print_result(const struct job *j, const char *path)
{
    printf("%s: %s, %u tensors, %.1f MiB (was %.1f MiB)", path, convert_arch_name(j->convert),
           convert_n_tensors(j->convert), (double)gguf_write_file_bytes(j->writer) / 0x1p20,
           (double)convert_source_bytes(j->convert) / 0x1p20);
    if (convert_n_left_out(j->convert))
        printf(", %u left out", convert_n_left_out(j->convert));
    puts(convert_has_tokenizer(j->convert) ? "" : ", no tokenizer");
}

int tool_convert(int argc, char **argv)
{
    uint64_t n_threads = 0;
    const char *type = NULL, *tokenizer_dir = NULL;
    const struct tool_opt opts[] = {
        {.name = "--type", .kind = TOOL_OPT_WORDS, .n_words = 1, .words = &type},
        {.name = "--tokenizer", .kind = TOOL_OPT_WORDS, .n_words = 1, .words = &tokenizer_dir},
        {.name = "--threads",
         .kind = TOOL_OPT_COUNT,
         .min = 1,
         .max = POOL_MAX_THREADS,
         .count = &n_threads},
    };
    const struct tool_spec spec = {help, opts, sizeof opts / sizeof *opts, "DIR OUT.gguf"};
    const char *words[2];
    int exit_code;
    struct convert_want want;
    struct err e = {.code = ERR_NONE};
    if (!tool_parse(argc, argv, &spec, words, &exit_code))
        return exit_code;
    want.tokenizer_dir = tokenizer_dir;
    if (!type_by_name(type, &want.matrices))
        return tool_unknown("convert", "type", type, "F32, F16, BF16");
    struct job j = {.convert = convert_open(words[0], &want, &e)};
    j.pool = j.convert ? pool_open((uint32_t)n_threads, &e) : NULL;
    bool ok = j.pool && convert(&j, words[1], &e);
    if (ok)
        print_result(&j, words[1]);
    mem_free(j.piece.out);
    mem_free(j.piece.scratch);
    gguf_write_free(j.writer);
    pool_close(j.pool);
    convert_close(j.convert);
    return ok ? TOOL_OK : tool_failed("convert", &e);
}
