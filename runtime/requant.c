#include "runtime/requant.h"

#include "kernels/quant/dequant.h"
#include "kernels/quant/encode_nvfp4.h"
#include "models/gguf_write.h"
#include "runtime/base/mem.h"
#include "runtime/base/num.h"
#include "runtime/base/pool.h"
#include "runtime/progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>

enum { PIECE_BYTES = 16 << 20, MAX_NAME_BYTES = 96 };

/* One tensor of the output. */
struct target {
    const struct gguf_tensor *source;
    enum qtype type;         /* source->type: its bytes are copied */
    bool is_scale;           /* the tensor scale of the target before it, not of the source */
    bool has_scale;          /* such a target follows */
    float in_scale;          /* of the source: what its decoded values are multiplied by */
    const float *importance; /* [dims[0], matrices] or NULL */
};

/* One piece of one tensor: rows [i_first, i_first + n_rows). */
struct piece {
    const struct target *target;
    uint64_t i_first, n_rows;
    uint64_t in_row_bytes, out_row_bytes;
    uint64_t scratch_elems;             /* per thread */
    float *scratch;                     /* [n_threads, scratch_elems] */
    unsigned char *out;                 /* [n_rows, out_row_bytes] */
    float tensor_scale;                 /* of the output; 0: none */
    float abs_max[POOL_MAX_THREADS];    /* of each thread's share */
    uint64_t bad_row[POOL_MAX_THREADS]; /* first row of each thread's share that has no encoding, or
                                           UINT64_MAX */
};

struct job {
    const struct requant_config *cfg;
    struct requant_told *told;
    struct gguf *in;
    struct target *targets; /* [n_targets] in the order of the file */
    uint64_t n_targets;
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

/* A number, or the first of an array of them; 0 if the file does not say. */
static uint32_t number_of(const struct gguf *g, struct str arch, const char *what)
{
    char key[128];
    struct gguf_array array;
    uint32_t n = 0;
    snprintf(key, sizeof key, "%.*s.attention.%s", STR_ARG(arch), what);
    if (gguf_get_u32(g, key, &n, NULL))
        return n;
    if (!gguf_get_arr(g, key, &array, NULL) || array.n_elems == 0 || !gguf_arr_u32(&array, 0, &n))
        return 0;
    return n;
}

static struct quant_mix_walk walk_begin(const struct job *j)
{
    const struct gguf *g = j->in;
    struct quant_mix_walk walk = {.mix = j->cfg->mix,
                                  .has_output = gguf_tensor(g, "output.weight") != NULL,
                                  .is_guided = j->cfg->imatrix != NULL};
    struct str arch;
    if (gguf_get_str(g, "general.architecture", &arch, NULL)) {
        uint32_t n_kv = number_of(g, arch, "head_count_kv");
        walk.gqa = n_kv ? number_of(g, arch, "head_count") / n_kv : 0;
    }
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

/* "X.scale" for "X.weight"; false if the name has another ending. */
static bool scale_name(struct str weight, char out[MAX_NAME_BYTES])
{
    size_t n_stem = weight.n_bytes - (sizeof "weight" - 1);
    if (weight.n_bytes < sizeof ".weight" || weight.n_bytes + 1 > MAX_NAME_BYTES ||
        memcmp(weight.p + n_stem - 1, ".weight", sizeof ".weight" - 1) != 0)
        return false;
    snprintf(out, MAX_NAME_BYTES, "%.*sscale", (int)n_stem, weight.p);
    return true;
}

/* The weights whose scale readers look for (quant-formats 4.3). */
static bool takes_scale(const struct gguf_tensor *t)
{
    static const char *const parts[] = {"attn_q",      "attn_k",   "attn_v", "attn_qkv",
                                        "attn_output", "ffn_gate", "ffn_up", "ffn_down"};
    struct str rest;
    if (t->n_dims != 2 || quant_mix_layer(t->name, &rest) == UINT32_MAX)
        return false;
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (str_has_prefix(rest, str_of(parts[i])) &&
            str_is((struct str){rest.p + strlen(parts[i]), rest.n_bytes - strlen(parts[i])},
                   ".weight"))
            return true;
    return false;
}

/* The second level of an NVFP4 source. */
static bool read_in_scale(const struct job *j, struct target *target, struct err *e)
{
    char name[MAX_NAME_BYTES];
    target->in_scale = 1;
    const struct gguf_tensor *t = target->source, *scale = NULL;
    if (t->type == QTYPE_NVFP4 && scale_name(t->name, name))
        scale = gguf_tensor(j->in, name);
    if (!scale)
        return true;
    if (scale->type != QTYPE_F32 || scale->n_bytes != sizeof target->in_scale)
        return err_set(e, ERR_FORMAT, "%s: tensor \"%s\" is not one F32 value", gguf_name(j->in),
                       name);
    memcpy(&target->in_scale, scale->bytes, sizeof target->in_scale);
    return true;
}

static bool find_importance(const struct job *j, struct target *target, struct err *e)
{
    const struct gguf_tensor *t = target->source;
    const struct imatrix_entry *entry =
        j->cfg->imatrix ? imatrix_find(j->cfg->imatrix, t->name) : NULL;
    if (!entry)
        return true;
    uint64_t n_wanted = t->dims[0] * t->dims[2] * t->dims[3];
    if (entry->n_values == n_wanted)
        target->importance = entry->values;
    else if (!str_is(t->name, "token_embd.weight")) /* read by token, not by column */
        return err_set(e, ERR_FORMAT,
                       "%s: \"%.*s\" has %" PRIu64 " values, the tensor in %s needs %" PRIu64,
                       imatrix_name(j->cfg->imatrix), STR_ARG(t->name), entry->n_values,
                       gguf_name(j->in), n_wanted);
    return true;
}

static bool may_encode(const struct job *j, const struct gguf_tensor *t, enum qtype type,
                       struct err *e)
{
    if (!dequant_supports(t->type))
        return err_set(e, ERR_LIMIT, "%s: tensor \"%.*s\" is %s, which this build cannot decode",
                       gguf_name(j->in), STR_ARG(t->name), qtype_info(t->type)->name);
    return encode_supports(type) ||
           err_set(e, ERR_LIMIT,
                   "%s: tensor \"%.*s\" would become %s, which this build cannot "
                   "encode",
                   gguf_name(j->in), STR_ARG(t->name), qtype_info(type)->name);
}

static bool add_encoded(struct job *j, struct target target, struct err *e)
{
    const struct gguf_tensor *t = target.source;
    if (!may_encode(j, t, target.type, e) || !read_in_scale(j, &target, e) ||
        !find_importance(j, &target, e))
        return false;
    target.has_scale = target.type == QTYPE_NVFP4 && takes_scale(t);
    j->told->n_encoded++;
    j->told->n_guided += target.importance != NULL;
    j->told->n_lossy += !is_float(t->type) && !is_float(target.type);
    j->targets[j->n_targets++] = target;
    if (target.has_scale)
        j->targets[j->n_targets++] =
            (struct target){.source = t, .type = QTYPE_F32, .is_scale = true};
    return true;
}

/* A source scale whose weight is encoded anew goes with the old weight. */
static bool is_spent_scale(const struct job *j, const struct gguf_tensor *t)
{
    char name[MAX_NAME_BYTES];
    for (uint64_t i = 0; i < j->n_targets; i++) {
        const struct target *target = &j->targets[i];
        bool is_scaled = target->source->type == QTYPE_NVFP4 || target->has_scale;
        if (is_scaled && target->type != target->source->type &&
            scale_name(target->source->name, name) && str_is(t->name, name))
            return true;
    }
    return false;
}

static void drop_spent_scales(struct job *j)
{
    uint64_t n_kept = 0;
    for (uint64_t i = 0; i < j->n_targets; i++)
        if (j->targets[i].is_scale || !is_spent_scale(j, j->targets[i].source))
            j->targets[n_kept++] = j->targets[i];
    j->n_targets = n_kept;
}

static bool choose_targets(struct job *j, struct err *e)
{
    struct quant_mix_walk walk = walk_begin(j);
    uint64_t n = gguf_n_tensors(j->in);
    j->targets = mem_alloc(2 * n, sizeof *j->targets);
    if (!j->targets)
        return err_set(e, ERR_NOMEM, "no memory for %" PRIu64 " tensors", n);
    for (uint64_t i = 0; i < n; i++) {
        const struct gguf_tensor *t = gguf_tensor_at(j->in, i);
        struct target target = {.source = t, .type = t->type};
        enum qtype type;
        bool is_encoded =
            quant_mix_next(&walk, t->name, t->n_dims, t->dims, &type) && type != t->type;
        if (is_encoded)
            target.type = type;
        if (is_encoded && !add_encoded(j, target, e))
            return false;
        if (!is_encoded)
            j->targets[j->n_targets++] = target;
    }
    drop_spent_scales(j);
    j->told->n_tensors = j->n_targets;
    if (j->cfg->imatrix && j->told->n_encoded && !j->told->n_guided)
        return err_set(e, ERR_FORMAT, "%s has no entry for any tensor of %s",
                       imatrix_name(j->cfg->imatrix), gguf_name(j->in));
    return true;
}

/* ---- keys ---- */

static bool declare_origin(struct job *j, struct err *e)
{
    const struct imatrix *m = j->cfg->imatrix;
    if (!m)
        return true;
    struct str dataset = imatrix_dataset(m);
    const char *slash = strrchr(imatrix_name(m), '/');
    struct gguf_kv set = {.key = STR("quantize.imatrix.dataset"),
                          .type = GGUF_STR,
                          .value.str = str_is_utf8(dataset) ? dataset : STR("")};
    return gguf_write_str(j->writer, "quantize.imatrix.file", slash ? slash + 1 : imatrix_name(m),
                          e) &&
           gguf_write_kv(j->writer, &set, e) &&
           gguf_write_u32(j->writer, "quantize.imatrix.entries_count",
                          (uint32_t)imatrix_n_entries(m), e) &&
           gguf_write_u32(j->writer, "quantize.imatrix.chunks_count", imatrix_n_chunks(m), e);
}

/* gguf.md 9.3: all keys but those of the container and those that tell of an earlier quantization.
 */
static bool declare_keys(struct job *j, struct err *e)
{
    const struct {
        const char *key;
        uint32_t v;
    } set[] = {{"general.file_type", j->cfg->mix->file_type}, {"general.quantization_version", 2}};
    bool ok = true;
    for (uint64_t i = 0; i < gguf_n_kv(j->in) && ok; i++) {
        const struct gguf_kv *kv = gguf_kv_at(j->in, i);
        if (gguf_write_may_copy(kv->key) && !str_is(kv->key, set[0].key) &&
            !str_is(kv->key, set[1].key) && !str_has_prefix(kv->key, STR("quantize.imatrix.")))
            ok = gguf_write_kv(j->writer, kv, e);
    }
    for (int i = 0; i < 2 && ok; i++)
        ok = gguf_write_u32(j->writer, set[i].key, set[i].v, e);
    return ok && declare_origin(j, e);
}

static bool declare_tensors(struct job *j, struct err *e)
{
    static const uint64_t one[] = {1};
    char name[MAX_NAME_BYTES];
    bool ok = true;
    for (uint64_t i = 0; i < j->n_targets && ok; i++) {
        const struct target *target = &j->targets[i];
        const struct gguf_tensor *t = target->source;
        if (!target->is_scale)
            ok = gguf_write_tensor(j->writer, t->name, target->type, t->n_dims, t->dims, e);
        else if (scale_name(t->name, name))
            ok = gguf_write_tensor(j->writer, str_of(name), QTYPE_F32, 1, one, e);
    }
    return ok;
}

/* ---- the work ---- */

/* One row of the source as floats. */
static void source_row(const struct piece *p, uint64_t i_row, float *out)
{
    const struct target *target = p->target;
    uint64_t n_elems = target->source->dims[0];
    dequant_row(target->source->type, target->source->bytes + i_row * p->in_row_bytes, out,
                n_elems);
    for (uint64_t i = 0; target->in_scale != 1 && i < n_elems; i++)
        out[i] *= target->in_scale;
}

static void encode_share(void *arg, uint32_t tid, uint32_t n_threads)
{
    struct piece *p = arg;
    const struct target *target = p->target;
    uint64_t begin, end, n_elems = target->source->dims[0];
    float *scratch = p->scratch + tid * p->scratch_elems;
    p->bad_row[tid] = UINT64_MAX;
    pool_share(p->n_rows, 1, tid, n_threads, &begin, &end);
    for (uint64_t r = begin; r < end; r++) {
        uint64_t i_row = p->i_first + r, i_matrix = i_row / target->source->dims[1];
        struct encode_guide guide = {
            target->importance ? target->importance + i_matrix * n_elems : NULL, p->tensor_scale};
        source_row(p, i_row, scratch);
        if (!encode_row(target->type, scratch, &guide, p->out + r * p->out_row_bytes, n_elems)) {
            p->bad_row[tid] = i_row;
            return;
        }
    }
}

static void abs_max_share(void *arg, uint32_t tid, uint32_t n_threads)
{
    struct piece *p = arg;
    uint64_t begin, end;
    float *scratch = p->scratch + tid * p->scratch_elems;
    p->abs_max[tid] = 0;
    pool_share(p->n_rows, 1, tid, n_threads, &begin, &end);
    for (uint64_t r = begin; r < end; r++) {
        source_row(p, r, scratch);
        float row_max = encode_abs_max(scratch, p->target->source->dims[0]);
        p->abs_max[tid] = row_max > p->abs_max[tid] ? row_max : p->abs_max[tid];
    }
}

/* An extra pass over the tensor. */
static float tensor_scale_of(struct job *j, uint64_t n_rows)
{
    struct piece *p = &j->piece;
    float abs_max = 0;
    p->n_rows = n_rows;
    pool_run(j->pool, abs_max_share, p);
    for (uint32_t tid = 0; tid < pool_n_threads(j->pool); tid++)
        abs_max = p->abs_max[tid] > abs_max ? p->abs_max[tid] : abs_max;
    return encode_nvfp4_tensor_scale(abs_max);
}

static bool check_rows(const struct job *j, struct err *e)
{
    const struct piece *p = &j->piece;
    for (uint32_t tid = 0; tid < pool_n_threads(j->pool); tid++)
        if (p->bad_row[tid] != UINT64_MAX)
            return err_set(e, ERR_FORMAT,
                           "%s: tensor \"%.*s\", row %" PRIu64
                           ": a value is not finite or too large for %s",
                           gguf_name(j->in), STR_ARG(p->target->source->name), p->bad_row[tid],
                           qtype_info(p->target->type)->name);
    return true;
}

static bool encode_tensor(struct job *j, const struct target *target, struct err *e)
{
    const struct gguf_tensor *t = target->source;
    struct piece *p = &j->piece;
    uint64_t n_rows = t->dims[1] * t->dims[2] * t->dims[3];
    p->target = target;
    p->in_row_bytes = qtype_row_bytes(t->type, t->dims[0]);
    p->out_row_bytes = qtype_row_bytes(target->type, t->dims[0]);
    p->tensor_scale = target->has_scale ? tensor_scale_of(j, n_rows) : 0;
    uint64_t rows_per_piece = num_max(1, PIECE_BYTES / p->out_row_bytes);
    for (p->i_first = 0; p->i_first < n_rows; p->i_first += p->n_rows) {
        p->n_rows = num_min(rows_per_piece, n_rows - p->i_first);
        pool_run(j->pool, encode_share, p);
        if (!check_rows(j, e) ||
            !gguf_write_bytes(j->writer, p->out, p->n_rows * p->out_row_bytes, e))
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

static bool write_target(struct job *j, const struct target *target, struct err *e)
{
    if (target->is_scale) /* of the tensor just written */
        return gguf_write_bytes(j->writer, &j->piece.tensor_scale, sizeof(float), e);
    return target->type == target->source->type ? copy_tensor(j, target->source, e)
                                                : encode_tensor(j, target, e);
}

/* Memory: one piece, and one row of floats per thread. */
static bool take_buffers(struct job *j, struct err *e)
{
    uint64_t out_bytes = PIECE_BYTES;
    for (uint64_t i = 0; i < j->n_targets; i++) {
        const struct target *target = &j->targets[i];
        if (target->is_scale || target->type == target->source->type)
            continue;
        uint64_t n_elems = target->source->dims[0];
        out_bytes = num_max(out_bytes, qtype_row_bytes(target->type, n_elems));
        j->piece.scratch_elems = num_max(j->piece.scratch_elems, n_elems);
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
    for (uint64_t i = 0; i < j->n_targets && ok; i++)
        ok = write_target(j, &j->targets[i], e);
    progress_end(&j->progress);
    return ok;
}

/* Encoding loses: an output that takes its input's place would be the end of the original. */
static bool is_another_file(const char *in, const char *out, struct err *e)
{
    struct stat from, to;
    if (stat(in, &from) == 0 && stat(out, &to) == 0 && from.st_dev == to.st_dev &&
        from.st_ino == to.st_ino)
        return err_set(e, ERR_STATE, "%s is the input itself: choose another name for the output",
                       out);
    return true;
}

bool requant_file(const char *in, const char *out, const struct requant_config *cfg,
                  struct requant_told *told, struct err *e)
{
    struct job j = {.cfg = cfg, .told = told};
    *told = (struct requant_told){0};
    j.in = is_another_file(in, out, e) ? gguf_open(in, e) : NULL;
    j.pool = j.in ? pool_open(cfg->n_threads, e) : NULL;
    bool ok = j.pool && choose_targets(&j, e) && (j.writer = gguf_write_new(e)) &&
              declare_keys(&j, e) && declare_tensors(&j, e) && gguf_write_seal(j.writer, e) &&
              gguf_write_open(j.writer, out, e) && write_tensors(&j, e) &&
              gguf_write_commit(j.writer, e);
    if (ok) {
        told->in_bytes = gguf_mapped_bytes(j.in);
        told->out_bytes = gguf_write_file_bytes(j.writer);
    }
    mem_free(j.piece.out);
    mem_free(j.piece.scratch);
    mem_free(j.targets);
    gguf_write_free(j.writer);
    pool_close(j.pool);
    gguf_close(j.in);
    return ok;
}
