#include "models/synth.h"

#include "kernels/quant/encode.h"
#include "kernels/quant/random_qblk.h"
#include "models/synth_tok.h"
#include "runtime/base/mem.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <strings.h>

/* name, what it is, layers, model width, ffn width, heads, kv local, kv global, head dim local,
 * global, window, context, vocabulary */
static const struct synth_shape shapes[] = {
    {"31b", "Gemma 4 31B", 60, 5376, 21504, 32, 16, 4, 256, 512, 1024, 262144, 262144},
    {"12b", "Gemma 4 12B", 48, 3840, 15360, 16, 8, 1, 256, 512, 1024, 262144, 262144},
    {"1b", "1.6 B parameters, for CPU benchmarks", 24, 2048, 8192, 8, 4, 2, 256, 512, 512, 32768,
     65536},
    {"tiny", "6 layers of width 256, for tests", 6, 256, 512, 4, 2, 1, 64, 128, 16, 512, 512},
    {"tiny-heads", "tiny with the head sizes and groups of the 31B", 6, 256, 512, 8, 4, 1, 256, 512,
     64, 4096, 512},
};

const struct synth_shape *synth_shape_at(unsigned i)
{
    return i < sizeof shapes / sizeof *shapes ? &shapes[i] : NULL;
}

const struct synth_shape *synth_shape_by_name(const char *name)
{
    for (unsigned i = 0; synth_shape_at(i); i++)
        if (strcasecmp(shapes[i].name, name) == 0)
            return &shapes[i];
    return NULL;
}

/* Every sixth layer and the last one see everything. */
static bool is_global(const struct synth_shape *shape, uint32_t i_layer)
{
    return (i_layer + 1) % 6 == 0 || i_layer + 1 == shape->n_layers;
}

/* ---- the tensor list ---- */

enum { MAX_TENSORS_PER_LAYER = 14 + 7, N_TENSORS_OUTSIDE = 3 }; /* 7: NVFP4 scales */

__attribute__((format(printf, 2, 3))) static struct synth_tensor *tensor_add(struct synth *s,
                                                                             const char *fmt, ...)
{
    struct synth_tensor *t = &s->tensors[s->n_tensors++];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(t->name, sizeof t->name, fmt, ap);
    va_end(ap);
    return t;
}

static void vector(struct synth *s, const char *name, int i_layer, uint32_t n_elems, double base,
                   double amp)
{
    struct synth_tensor *t = i_layer < 0 ? tensor_add(s, "%s.weight", name)
                                         : tensor_add(s, "blk.%d.%s.weight", i_layer, name);
    t->n_dims = 1;
    t->dims[0] = n_elems;
    t->dims[1] = 1;
    t->type = QTYPE_F32;
    t->base = base;
    t->amp = amp;
}

static void matrix(struct synth *s, const char *name, int i_layer, uint32_t n_in, uint32_t n_out)
{
    struct synth_tensor *t = i_layer < 0 ? tensor_add(s, "%s.weight", name)
                                         : tensor_add(s, "blk.%d.%s.weight", i_layer, name);
    t->n_dims = 2;
    t->dims[0] = n_in;
    t->dims[1] = n_out;
    t->amp = sqrt(3.0 / n_in); /* deviation 1 / sqrt(n_in) */
}

static void layer(struct synth *s, int i)
{
    const struct synth_shape *p = &s->shape;
    bool global = is_global(p, (uint32_t)i);
    uint32_t d = p->d_model, head_dim = global ? p->head_dim_global : p->head_dim_local;
    uint32_t n_q = p->n_heads * head_dim,
             n_kv = (global ? p->n_kv_global : p->n_kv_local) * head_dim;
    vector(s, "attn_norm", i, d, 1.0, 0.25);
    matrix(s, "attn_q", i, d, n_q);
    vector(s, "attn_q_norm", i, head_dim, 0.4, 0.1);
    matrix(s, "attn_k", i, d, n_kv);
    vector(s, "attn_k_norm", i, head_dim, 0.4, 0.1);
    if (!global) /* there V is the K projection */
        matrix(s, "attn_v", i, d, n_kv);
    matrix(s, "attn_output", i, n_q, d);
    vector(s, "post_attention_norm", i, d, 1.0, 0.25);
    vector(s, "ffn_norm", i, d, 1.0, 0.25);
    matrix(s, "ffn_gate", i, d, p->d_ffn);
    matrix(s, "ffn_up", i, d, p->d_ffn);
    matrix(s, "ffn_down", i, p->d_ffn, d);
    vector(s, "post_ffw_norm", i, d, 1.0, 0.25);
    vector(s, "layer_output_scale", i, 1, 0.75, 0.25);
}

/* "X.scale" for "X.weight": what the decoded blocks are multiplied by (quant-formats 4.3). */
static void add_scale(struct synth *s, const struct synth_tensor *weight)
{
    int n_stem = (int)(strlen(weight->name) - strlen("weight"));
    struct synth_tensor *t = tensor_add(s, "%.*sscale", n_stem, weight->name);
    t->n_dims = 1;
    t->dims[0] = t->dims[1] = 1;
    t->type = QTYPE_F32;
    t->base = weight->amp / sqrt(3.0) / (double)random_qblk_fixed_rms(weight->type);
}

static bool can_make(enum qtype type)
{
    return encode_supports(type) || random_qblk_supports(type);
}

/* Types by the mix; an encoding whose scales cannot follow the deviation gets its tensor scale as a
 * companion. */
static bool apply_mix(struct synth *s, struct err *e)
{
    struct quant_mix_walk walk = {.mix = &s->mix, .n_layers = s->shape.n_layers};
    uint32_t n_declared = s->n_tensors;
    for (uint32_t i = 0; i < s->shape.n_layers; i++)
        walk.n_attn_v += !is_global(&s->shape, i);
    for (uint32_t i = 0; i < n_declared; i++) {
        struct synth_tensor *t = &s->tensors[i];
        if (!quant_mix_next(&walk, str_of(t->name), t->n_dims, t->dims, &t->type))
            continue;
        if (!can_make(t->type))
            return err_set(e, ERR_LIMIT, "synth: tensor \"%s\": this build cannot make %s", t->name,
                           qtype_info(t->type)->name);
        if (random_qblk_fixed_rms(t->type) > 0)
            add_scale(s, t);
    }
    return true;
}

/* general.file_type of one encoding throughout, or of the mix it is the base of. */
static const uint32_t file_types[QTYPE_ID_END] = {
    [QTYPE_F32] = 0,      [QTYPE_F16] = 1,     [QTYPE_Q4_0] = 2,     [QTYPE_Q4_1] = 3,
    [QTYPE_Q8_0] = 7,     [QTYPE_Q5_0] = 8,    [QTYPE_Q5_1] = 9,     [QTYPE_Q2_K] = 10,
    [QTYPE_Q3_K] = 11,    [QTYPE_Q4_K] = 14,   [QTYPE_Q5_K] = 16,    [QTYPE_Q6_K] = 18,
    [QTYPE_IQ2_XXS] = 19, [QTYPE_IQ2_XS] = 20, [QTYPE_IQ3_XXS] = 23, [QTYPE_IQ1_S] = 24,
    [QTYPE_IQ4_NL] = 25,  [QTYPE_IQ3_S] = 26,  [QTYPE_IQ2_S] = 29,   [QTYPE_IQ4_XS] = 30,
    [QTYPE_IQ1_M] = 31,   [QTYPE_BF16] = 32,   [QTYPE_TQ1_0] = 36,   [QTYPE_TQ2_0] = 37,
    [QTYPE_MXFP4] = 38,   [QTYPE_NVFP4] = 39,
};

bool synth_mix_by_name(const char *name, struct quant_mix *out)
{
    enum qtype type;
    if (qtype_by_name(name, &type) && can_make(type)) {
        enum qtype head = type == QTYPE_NVFP4 ? QTYPE_Q8_0 : type;
        *out = (struct quant_mix){
            .name = qtype_info(type)->name,
            .file_type = file_types[type],
            .base = type,
            .head = head,
        };
        return true;
    }
    const struct quant_mix *mix = quant_mix_by_name(name);
    if (mix)
        *out = *mix;
    return mix != NULL;
}

bool synth_init(struct synth *s, const struct synth_shape *shape, const struct quant_mix *mix,
                uint64_t seed, struct err *e)
{
    *s = (struct synth){.shape = *shape, .mix = *mix, .seed = seed};
    if (shape->n_layers < 1 || shape->n_layers > SYNTH_MAX_LAYERS ||
        shape->n_vocab < SYNTH_MIN_VOCAB)
        return err_set(e, ERR_LIMIT, "synth: needs 1 to %d layers and a vocabulary of at least %d",
                       SYNTH_MAX_LAYERS, SYNTH_MIN_VOCAB);
    s->tensors = mem_alloc(N_TENSORS_OUTSIDE + (uint64_t)shape->n_layers * MAX_TENSORS_PER_LAYER,
                           sizeof *s->tensors);
    if (!s->tensors)
        return err_set(e, ERR_NOMEM, "synth: no memory for %u layers", shape->n_layers);
    matrix(s, "token_embd", -1, shape->d_model, shape->n_vocab);
    vector(s, "output_norm", -1, shape->d_model, 1.0, 0.25);
    vector(s, "rope_freqs", -1, shape->head_dim_global / 2, 0, 0);
    s->tensors[s->n_tensors - 1].is_rope_factor = true;
    for (uint32_t i = 0; i < shape->n_layers; i++)
        layer(s, (int)i);
    if (apply_mix(s, e))
        return true;
    synth_deinit(s);
    return false;
}

void synth_deinit(struct synth *s)
{
    mem_free(s->tensors);
    *s = (struct synth){.n_tensors = 0};
}

/* ---- keys ---- */

static bool declare_layers(const struct synth_shape *p, struct gguf_writer *w, struct err *e)
{
    int32_t n_kv[SYNTH_MAX_LAYERS];
    bool is_local[SYNTH_MAX_LAYERS];
    for (uint32_t i = 0; i < p->n_layers; i++) {
        is_local[i] = !is_global(p, i);
        n_kv[i] = (int32_t)(is_local[i] ? p->n_kv_local : p->n_kv_global);
    }
    return gguf_write_i32s(w, "gemma4.attention.head_count_kv", n_kv, p->n_layers, e) &&
           gguf_write_bools(w, "gemma4.attention.sliding_window_pattern", is_local, p->n_layers, e);
}

static bool declare_keys(const struct synth *s, struct gguf_writer *w, struct err *e)
{
    const struct synth_shape *p = &s->shape;
    char name[64];
    snprintf(name, sizeof name, "synth %s %s", p->name, s->mix.name);
    const struct {
        const char *key;
        uint32_t v;
    } u32s[] = {
        {"general.file_type", s->mix.file_type},
        {"general.quantization_version", 2},
        {"gemma4.block_count", p->n_layers},
        {"gemma4.context_length", p->context_tokens},
        {"gemma4.embedding_length", p->d_model},
        {"gemma4.feed_forward_length", p->d_ffn},
        {"gemma4.attention.head_count", p->n_heads},
        {"gemma4.attention.key_length", p->head_dim_global},
        {"gemma4.attention.value_length", p->head_dim_global},
        {"gemma4.attention.key_length_swa", p->head_dim_local},
        {"gemma4.attention.value_length_swa", p->head_dim_local},
        {"gemma4.attention.sliding_window", p->window_tokens},
        {"gemma4.attention.shared_kv_layers", 0},
        {"gemma4.embedding_length_per_layer_input", 0},
        {"gemma4.rope.dimension_count", p->head_dim_global},
        {"gemma4.rope.dimension_count_swa", p->head_dim_local},
    };
    const struct {
        const char *key;
        float v;
    } f32s[] = {
        {"general.sampling.temp", 1.0f},
        {"general.sampling.top_p", 0.95f},
        {"gemma4.rope.freq_base", 1000000.0f},
        {"gemma4.rope.freq_base_swa", 10000.0f},
        {"gemma4.final_logit_softcapping", 30.0f},
        {"gemma4.attention.layer_norm_rms_epsilon", 1e-6f},
    };
    bool ok = gguf_write_str(w, "general.architecture", "gemma4", e) &&
              gguf_write_str(w, "general.type", "model", e) &&
              gguf_write_str(w, "general.name", name, e) &&
              gguf_write_i32(w, "general.sampling.top_k", 64, e);
    for (size_t i = 0; i < sizeof u32s / sizeof *u32s && ok; i++)
        ok = gguf_write_u32(w, u32s[i].key, u32s[i].v, e);
    for (size_t i = 0; i < sizeof f32s / sizeof *f32s && ok; i++)
        ok = gguf_write_f32(w, f32s[i].key, f32s[i].v, e);
    return ok && declare_layers(p, w, e);
}

bool synth_declare(const struct synth *s, struct gguf_writer *w, struct err *e)
{
    bool ok = declare_keys(s, w, e) && synth_tok_declare(s->shape.n_vocab, w, e);
    for (uint32_t i = 0; i < s->n_tensors && ok; i++) {
        const struct synth_tensor *t = &s->tensors[i];
        ok = gguf_write_tensor(w, str_of(t->name), t->type, t->n_dims, t->dims, e);
    }
    return ok;
}

/* ---- weights ---- */

/* 64-bit FNV-1a (Fowler, Noll, Vo). */
static uint64_t name_seed(const char *name)
{
    uint64_t h = UINT64_C(0xcbf29ce484222325);
    for (; *name; name++)
        h = (h ^ (unsigned char)*name) * UINT64_C(0x100000001b3);
    return h;
}

static void float_row(const struct synth_tensor *t, uint64_t seed, uint64_t i_row, float *out)
{
    uint64_t n = t->dims[0];
    for (uint64_t i = 0; i < n; i++) {
        double u = (double)(random_u64(seed, i_row * n + i) >> 40) / 0x1p24;
        out[i] = (float)(t->base + t->amp * (2 * u - 1));
    }
    if (t->is_rope_factor)
        for (uint64_t i = 0; i < n; i++)
            out[i] = i < n / 4 ? 1.0f : 1e30f;
}

void synth_fill(const struct synth *s, const struct synth_tensor *t, uint64_t i_first,
                uint64_t n_rows, float *scratch, void *out)
{
    uint64_t seed = name_seed(t->name) ^ s->seed, row_bytes = qtype_row_bytes(t->type, t->dims[0]);
    uint64_t blocks_per_row = t->dims[0] / qtype_info(t->type)->block_elems;
    if (random_qblk_supports(t->type)) {
        random_qblk_fill(t->type, seed, i_first * blocks_per_row, n_rows * blocks_per_row,
                         (float)(t->amp / sqrt(3.0)), out);
        return;
    }
    for (uint64_t r = 0; r < n_rows; r++) {
        float_row(t, seed, i_first + r, scratch);
        encode_row(t->type, scratch, NULL, (uint8_t *)out + r * row_bytes,
                   t->dims[0]); /* finite by construction */
    }
}
