/* convert_plan: the tensors of the output, each matched with its source by the architecture's
 * tables; what is missing, has another shape or type, or is left over is refused by name. */
#include "models/convert_priv.h"

#include "models/gguf.h"
#include "runtime/base/mem.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>

enum { NAME_BYTES = 192, GROUP = CONVERT_NVFP4_GROUP, BLOCK = CONVERT_NVFP4_BLOCK };

/* A name of the checkpoint in the making. */
struct source_name {
    char at[NAME_BYTES];
};

struct planner {
    struct convert *c;
    const char *prefix;       /* of the text model's names */
    const char *layer_prefix; /* a format with the layer's number */
    const struct convert_row *row;
    uint32_t i_layer;
    bool in_layer;
};

/* ---- finding ---- */

static struct source_name name_of(const struct planner *p, const char *rest)
{
    struct source_name name;
    char layer[NAME_BYTES / 2] = "";
    const char *prefix = p->row && p->row->is & CONVERT_ROW_ROOT ? "" : p->prefix;
    if (p->in_layer) {
        const char *number = strstr(p->layer_prefix, "%u");
        if (number)
            snprintf(layer, sizeof layer, "%.*s%" PRIu32 "%s", (int)(number - p->layer_prefix),
                     p->layer_prefix, p->i_layer, number + 2);
        else
            snprintf(layer, sizeof layer, "%s", p->layer_prefix);
    }
    snprintf(name.at, sizeof name.at, "%.40s%.60s%.80s", prefix, layer, rest);
    return name;
}

/* NULL if it is not there; marks it as used. */
static const struct safetensors_tensor *take(const struct planner *p, const char *name)
{
    uint64_t i = safetensors_find(p->c->src.weights, str_of(name));
    if (i == UINT64_MAX)
        return NULL;
    p->c->is_used[i] = true;
    return safetensors_at(p->c->src.weights, i);
}

static bool has(const struct planner *p, const char *name)
{
    return safetensors_find(p->c->src.weights, str_of(name)) != UINT64_MAX;
}

static bool missing(const struct planner *p, const char *name, struct err *e)
{
    return err_set(e, ERR_FORMAT, "%s: tensor \"%s\" is missing", p->c->src.dir, name);
}

bool convert_refuse(const struct convert *c, const struct safetensors_tensor *t, const char *why,
                    struct err *e)
{
    char shown[120];
    return err_set(e, ERR_FORMAT, "%s: tensor \"%s\" %s", safetensors_file(c->src.weights, t),
                   gguf_quote(t->name, shown, sizeof shown), why);
}

/* "ab" without the end "b", then c. */
static struct source_name with_end(const struct source_name *name, const char *end,
                                   const char *other)
{
    struct source_name out;
    size_t n = strlen(name->at), n_end = strlen(end);
    bool ends = n >= n_end && strcmp(name->at + n - n_end, end) == 0;
    snprintf(out.at, sizeof out.at, "%.*s%s", (int)(ends ? n - n_end : n), name->at, other);
    return out;
}

/* ---- checking ---- */

static void print_shape(const uint64_t *dims, uint32_t n_dims, char *out, size_t n_out_bytes)
{
    size_t n = (size_t)snprintf(out, n_out_bytes, "[");
    for (uint32_t i = 0; i < n_dims && n < n_out_bytes; i++)
        n += (size_t)snprintf(out + n, n_out_bytes - n, "%s%" PRIu64, i ? ", " : "", dims[i]);
    if (n < n_out_bytes)
        snprintf(out + n, n_out_bytes - n, "]");
}

static bool check_shape(const struct planner *p, const struct safetensors_tensor *t,
                        const uint64_t *want, uint32_t n_want, struct err *e)
{
    char got_text[96], want_text[64], why[192];
    bool same = t->n_dims == n_want;
    for (uint32_t i = 0; i < n_want && same; i++)
        same = t->dims[i] == want[i];
    if (same)
        return true;
    print_shape(t->dims, t->n_dims, got_text, sizeof got_text);
    print_shape(want, n_want, want_text, sizeof want_text);
    snprintf(why, sizeof why, "has shape %s, expected %s", got_text, want_text);
    return convert_refuse(p->c, t, why, e);
}

static bool check_dtype(const struct planner *p, const struct safetensors_tensor *t,
                        enum safetensors_dtype want, struct err *e)
{
    char why[80];
    if (t->dtype == want)
        return true;
    snprintf(why, sizeof why, "is %s, expected %s", safetensors_dtype_name(t->dtype),
             safetensors_dtype_name(want));
    return convert_refuse(p->c, t, why, e);
}

/* ---- adding ---- */

__attribute__((format(printf, 3, 4))) static struct convert_tensor *
tensor_add(const struct planner *p, struct err *e, const char *fmt, ...)
{
    struct convert *c = p->c;
    va_list ap;
    if (c->n_tensors == c->n_room) {
        uint32_t n_room = c->n_room ? 2 * c->n_room : 64;
        struct convert_tensor *t = mem_grow(c->tensors, c->n_room, n_room, sizeof *t);
        if (!t)
            return err_null(e, ERR_NOMEM, "no memory for %" PRIu32 " tensors", n_room);
        c->tensors = t;
        c->n_room = n_room;
    }
    struct convert_tensor *t = &c->tensors[c->n_tensors++];
    *t = (struct convert_tensor){.type = QTYPE_F32, .n_dims = 1, .dims = {1, 1}};
    va_start(ap, fmt);
    vsnprintf(t->name, sizeof t->name, fmt, ap);
    va_end(ap);
    return t;
}

static struct convert_tensor *row_add(const struct planner *p, const char *to, struct err *e)
{
    return p->in_layer ? tensor_add(p, e, "blk.%" PRIu32 ".%s", p->i_layer, to)
                       : tensor_add(p, e, "%s", to);
}

static enum qtype matrix_type(const struct convert *c, enum safetensors_dtype dtype)
{
    switch (c->matrices) {
    case CONVERT_TO_F32:
        return QTYPE_F32;
    case CONVERT_TO_F16:
        return QTYPE_F16;
    case CONVERT_TO_BF16:
        return QTYPE_BF16;
    case CONVERT_AS_STORED:
        break;
    }
    return convert_float_type(dtype);
}

static uint32_t interleave_rows(const struct planner *p)
{
    return p->row->is & CONVERT_ROW_INTERLEAVE
               ? (uint32_t)convert_dim_of(&p->c->shape, CONVERT_DIM_E, p->i_layer)
               : 0;
}

/* Vectors become F32, whatever they were. */
static bool plan_floats(const struct planner *p, const struct safetensors_tensor *source,
                        struct err *e)
{
    const struct convert_row *row = p->row;
    const uint64_t want[] = {convert_dim_of(&p->c->shape, row->n_out, p->i_layer),
                             convert_dim_of(&p->c->shape, row->n_in, p->i_layer)};
    uint32_t n_dims = row->n_in == CONVERT_DIM_NONE ? 1 : 2;
    char why[80];
    if (source->dtype != SAFETENSORS_F32 && source->dtype != SAFETENSORS_F16 &&
        source->dtype != SAFETENSORS_BF16) {
        snprintf(why, sizeof why, "is %s, expected BF16, F16 or F32",
                 safetensors_dtype_name(source->dtype));
        return convert_refuse(p->c, source, why, e);
    }
    if (!check_shape(p, source, want, n_dims, e))
        return false;
    struct convert_tensor *t = row_add(p, row->to, e);
    if (!t)
        return false;
    t->source = source;
    t->n_dims = n_dims;
    t->dims[0] = n_dims == 2 ? want[1] : want[0];
    t->dims[1] = n_dims == 2 ? want[0] : 1;
    t->type = n_dims == 2 ? matrix_type(p->c, source->dtype) : QTYPE_F32;
    t->interleave_rows = interleave_rows(p);
    return true;
}

/* ---- NVFP4 (drafters 3.7, quant-formats 4.3) ---- */

/* Two namings of the same four tensors. */
static const struct dialect {
    const char *codes, *scale, *tensor_scale, *input_scale;
    bool is_reciprocal; /* of the tensor and input scale */
} modelopt = {"weight", "weight_scale", "weight_scale_2", "input_scale", false},
  compressed = {"weight_packed", "weight_scale", "weight_global_scale", "input_global_scale", true};

/* A companion of one value as "X.scale" or "X.input_scale"; one that is 1 is left out. */
static bool plan_scale(const struct planner *p, const struct safetensors_tensor *source,
                       const char *end, bool is_reciprocal, struct err *e)
{
    struct source_name stem;
    float v;
    bool is_one_value =
        source->dtype == SAFETENSORS_F32 && source->n_bytes == sizeof v && source->n_dims <= 1;
    if (!is_one_value)
        return convert_refuse(p->c, source, "is not one F32 value", e);
    memcpy(&v, source->bytes, sizeof v);
    if (is_reciprocal)
        v = 1.0f / v;
    if (!(isfinite(v) && v > 0.0f))
        return convert_refuse(p->c, source, "is not a positive, finite scale", e);
    if (v == 1.0f)
        return true;
    snprintf(stem.at, sizeof stem.at, "%.60s", p->row->to);
    stem = with_end(&stem, "weight", end);
    struct convert_tensor *t = row_add(p, stem.at, e);
    if (!t)
        return false;
    t->how = CONVERT_VALUE;
    t->value = v;
    return true;
}

/* codes and block scales of one matrix, shapes checked. */
static bool plan_blocks(const struct planner *p, const struct safetensors_tensor *codes,
                        const struct safetensors_tensor *scales, struct err *e)
{
    const uint64_t n_out = convert_dim_of(&p->c->shape, p->row->n_out, p->i_layer);
    const uint64_t n_in = convert_dim_of(&p->c->shape, p->row->n_in, p->i_layer);
    const uint64_t want_codes[] = {n_out, n_in / 2}, want_scales[] = {n_out, n_in / GROUP};
    if (n_in % BLOCK)
        return convert_refuse(p->c, codes, "has rows that are no multiple of 64 elements", e);
    if (!check_dtype(p, codes, SAFETENSORS_U8, e) ||
        !check_dtype(p, scales, SAFETENSORS_F8_E4M3, e) ||
        !check_shape(p, codes, want_codes, 2, e) || !check_shape(p, scales, want_scales, 2, e))
        return false;
    struct convert_tensor *t = row_add(p, p->row->to, e);
    if (!t)
        return false;
    t->how = CONVERT_NVFP4;
    t->type = QTYPE_NVFP4;
    t->source = codes;
    t->scales = scales;
    t->n_dims = 2;
    t->dims[0] = n_in;
    t->dims[1] = n_out;
    t->interleave_rows = interleave_rows(p);
    p->c->has_nvfp4 = true;
    return true;
}

static bool plan_nvfp4(const struct planner *p, const struct source_name *name,
                       const struct dialect *d, struct err *e)
{
    struct source_name codes = with_end(name, "weight", d->codes),
                       scale = with_end(name, "weight", d->scale),
                       tensor_scale = with_end(name, "weight", d->tensor_scale),
                       input_scale = with_end(name, "weight", d->input_scale);
    const struct safetensors_tensor *q = take(p, codes.at), *s = take(p, scale.at),
                                    *ts = take(p, tensor_scale.at), *in = take(p, input_scale.at);
    if (!q)
        return missing(p, codes.at, e);
    if (!s)
        return missing(p, scale.at, e);
    if (!ts)
        return missing(p, tensor_scale.at, e);
    return plan_blocks(p, q, s, e) && plan_scale(p, ts, "scale", d->is_reciprocal, e) &&
           (!in || plan_scale(p, in, "input_scale", d->is_reciprocal, e));
}

/* ---- the drafter's vocabulary (drafters 3.3) ---- */

static bool check_d2t(const struct planner *p, const struct safetensors_tensor *d2t,
                      const struct safetensors_tensor *t2d, struct err *e)
{
    const struct convert_shape *s = &p->c->shape;
    char why[96];
    bool ok = true;
    unsigned char *is_reached = mem_alloc(s->n_vocab, 1);
    if (!is_reached)
        return err_set(e, ERR_NOMEM, "no memory for %" PRIu32 " tokens", s->n_vocab);
    for (uint32_t i = 0; i < s->n_draft_vocab && ok; i++) {
        int64_t offset;
        memcpy(&offset, d2t->bytes + (uint64_t)i * sizeof offset, sizeof offset);
        bool in_range = offset >= -(int64_t)i && offset < (int64_t)s->n_vocab - (int64_t)i;
        if (!in_range || is_reached[i + offset]++) {
            snprintf(why, sizeof why, "element %" PRIu32 " leads %s", i,
                     in_range ? "to a token that another one leads to" : "outside the vocabulary");
            ok = convert_refuse(p->c, d2t, why, e);
        }
    }
    if (ok && t2d && memcmp(t2d->bytes, is_reached, s->n_vocab) != 0)
        ok = convert_refuse(p->c, t2d, "does not mark the tokens that d2t leads to", e);
    mem_free(is_reached);
    return ok;
}

static bool plan_d2t(const struct planner *p, const struct safetensors_tensor *d2t, struct err *e)
{
    const struct convert_shape *s = &p->c->shape;
    const uint64_t n_draft = s->n_draft_vocab, n_vocab = s->n_vocab;
    const struct safetensors_tensor *t2d = take(p, "t2d");
    if (!check_dtype(p, d2t, SAFETENSORS_I64, e) || !check_shape(p, d2t, &n_draft, 1, e) ||
        (t2d &&
         (!check_dtype(p, t2d, SAFETENSORS_BOOL, e) || !check_shape(p, t2d, &n_vocab, 1, e))) ||
        !check_d2t(p, d2t, t2d, e))
        return false;
    struct convert_tensor *t = row_add(p, p->row->to, e);
    if (!t)
        return false;
    t->how = CONVERT_D2T;
    t->type = QTYPE_I64;
    t->source = d2t;
    t->dims[0] = n_draft;
    return true;
}

/* ---- rows of the tables ---- */

/* A copy of the embedding that some exporters store although the two are one matrix. */
static bool drop_tied_copy(const struct planner *p, const struct source_name *name, struct err *e)
{
    const struct safetensors_tensor *head = take(p, name->at);
    struct planner no_row = *p;
    no_row.row = NULL;
    struct source_name embd_name = name_of(&no_row, "embed_tokens.weight");
    const struct safetensors_tensor *embd = take(p, embd_name.at);
    if (!head)
        return true;
    p->c->n_left_out++;
    bool is_copy = embd && head->dtype == embd->dtype && head->n_bytes == embd->n_bytes &&
                   memcmp(head->bytes, embd->bytes, head->n_bytes) == 0;
    return is_copy || convert_refuse(p->c, head,
                                     "differs from the embedding, although the configuration has "
                                     "tie_word_embeddings",
                                     e);
}

static bool is_wanted(const struct planner *p)
{
    const struct convert_shape *s = &p->c->shape;
    uint32_t is = p->row->is;
    return !(is & CONVERT_ROW_V && !s->is_local[p->i_layer] && !s->has_global_v) &&
           !(is & CONVERT_ROW_NORM_FC && !s->norm_before_fc);
}

static bool plan_row(const struct planner *p, struct err *e)
{
    uint32_t is = p->row->is;
    struct source_name name = name_of(p, p->row->from);
    struct source_name scale = with_end(&name, "weight", modelopt.scale),
                       packed = with_end(&name, "weight", compressed.codes);
    if (!is_wanted(p))
        return true;
    if (is & CONVERT_ROW_UNTIED && p->c->shape.is_tied)
        return drop_tied_copy(p, &name, e);
    if (is & CONVERT_ROW_MAY_BE_NVFP4 && has(p, packed.at))
        return plan_nvfp4(p, &name, &compressed, e);
    if (is & CONVERT_ROW_MAY_BE_NVFP4 && has(p, scale.at))
        return plan_nvfp4(p, &name, &modelopt, e);
    const struct safetensors_tensor *t = take(p, name.at);
    if (!t)
        return is & CONVERT_ROW_OPTIONAL || missing(p, name.at, e);
    return is & CONVERT_ROW_D2T ? plan_d2t(p, t, e) : plan_floats(p, t, e);
}

static bool plan_table(struct planner *p, const struct convert_row *rows, struct err *e)
{
    for (p->row = rows; p->row->from; p->row++)
        if (!plan_row(p, e))
            return false;
    p->row = NULL;
    return true;
}

static bool plan_rope(const struct planner *p, struct err *e)
{
    struct convert_tensor *t = tensor_add(p, e, "rope_freqs.weight");
    if (!t)
        return false;
    t->how = CONVERT_ROPE;
    t->dims[0] = p->c->shape.head_dim_global / 2;
    t->n_ones = p->c->shape.n_rotated_pairs;
    return true;
}

/* ---- the whole ---- */

/* Some tensor's name begins with prefix and layer_prefix, up to the layer's number. */
static bool has_layers(const struct convert *c, const char *prefix, const char *layer_prefix)
{
    struct source_name begin;
    snprintf(begin.at, sizeof begin.at, "%s%.*s", prefix, (int)strcspn(layer_prefix, "%"),
             layer_prefix);
    for (uint64_t i = 0; i < safetensors_n_tensors(c->src.weights); i++)
        if (str_has_prefix(safetensors_at(c->src.weights, i)->name, str_of(begin.at)))
            return true;
    return false;
}

/* The first of the architecture's spellings under which there are layers; if none, its first. */
static void find_prefixes(struct planner *p)
{
    const struct convert_arch *a = p->c->arch;
    p->prefix = a->prefixes[0];
    p->layer_prefix = a->layer_prefixes[0];
    for (int i = 0; a->prefixes[i]; i++)
        for (int k = 0; a->layer_prefixes[k]; k++)
            if (has_layers(p->c, a->prefixes[i], a->layer_prefixes[k])) {
                p->prefix = a->prefixes[i];
                p->layer_prefix = a->layer_prefixes[k];
                return;
            }
}

static bool may_be_left_out(const struct convert_arch *a, const struct safetensors_tensor *t)
{
    for (int i = 0; a->left_out_prefixes[i]; i++)
        if (str_has_prefix(t->name, str_of(a->left_out_prefixes[i])))
            return true;
    for (int i = 0; a->left_out_suffixes[i]; i++) {
        size_t n = strlen(a->left_out_suffixes[i]);
        if (t->name.n_bytes > n && t->n_dims <= 1 && t->dims[0] == 1 &&
            memcmp(t->name.p + t->name.n_bytes - n, a->left_out_suffixes[i], n) == 0)
            return true;
    }
    return false;
}

static bool check_left_over(struct convert *c, struct err *e)
{
    char why[80];
    snprintf(why, sizeof why, "has no place in a model of the kind %s", c->arch->name);
    for (uint64_t i = 0; i < safetensors_n_tensors(c->src.weights); i++) {
        const struct safetensors_tensor *t = safetensors_at(c->src.weights, i);
        if (c->is_used[i])
            continue;
        if (!may_be_left_out(c->arch, t))
            return convert_refuse(c, t, why, e);
        c->n_left_out++;
    }
    return true;
}

bool convert_plan(struct convert *c, struct err *e)
{
    struct planner p = {.c = c};
    c->is_used = mem_alloc(safetensors_n_tensors(c->src.weights), sizeof *c->is_used);
    if (!c->is_used)
        return err_set(e, ERR_NOMEM, "%s: no memory", c->src.dir);
    find_prefixes(&p);
    if (!plan_table(&p, c->arch->outside, e) || (c->arch->has_rope_freqs && !plan_rope(&p, e)))
        return false;
    p.in_layer = true;
    for (p.i_layer = 0; p.i_layer < c->shape.n_layers; p.i_layer++)
        if (!plan_table(&p, c->arch->layer, e))
            return false;
    return check_left_over(c, e);
}
