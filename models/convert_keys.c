/* convert_keys: the metadata of each architecture (gemma4-text.md 2.1; drafters.md 2.2, 3.2, 4.2).
 */
#include "models/convert_priv.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

struct u32_key {
    const char *key; /* after "ARCH." */
    uint32_t v;
};

struct f32_key {
    const char *key;
    float v;
};

static const char *full_key(const struct convert *c, const char *key, char out[96])
{
    snprintf(out, 96, "%s.%s", c->arch->name, key);
    return out;
}

static bool put_u32s(const struct convert *c, const struct u32_key *keys, size_t n,
                     struct gguf_writer *w, struct err *e)
{
    char key[96];
    bool ok = true;
    for (size_t i = 0; i < n && ok; i++)
        ok = gguf_write_u32(w, full_key(c, keys[i].key, key), keys[i].v, e);
    return ok;
}

static bool put_f32s(const struct convert *c, const struct f32_key *keys, size_t n,
                     struct gguf_writer *w, struct err *e)
{
    char key[96];
    bool ok = true;
    for (size_t i = 0; i < n && ok; i++)
        ok = gguf_write_f32(w, full_key(c, keys[i].key, key), keys[i].v, e);
    return ok;
}

/* Sizes that every architecture has. */
static bool put_common(const struct convert *c, struct gguf_writer *w, struct err *e)
{
    const struct convert_shape *s = &c->shape;
    const struct u32_key u32s[] = {
        {"block_count", s->n_layers},
        {"context_length", s->context_tokens},
        {"embedding_length", s->d_model},
        {"feed_forward_length", s->d_ffn},
        {"attention.head_count", s->n_heads},
        {"attention.key_length", s->head_dim_global},
        {"attention.value_length", s->head_dim_global},
        {"rope.dimension_count", s->head_dim_global},
    };
    const struct f32_key f32s[] = {
        {"attention.layer_norm_rms_epsilon", s->eps},
        {"rope.freq_base", s->rope_base_global},
    };
    return put_u32s(c, u32s, sizeof u32s / sizeof *u32s, w, e) &&
           put_f32s(c, f32s, sizeof f32s / sizeof *f32s, w, e);
}

static bool put_taps(const struct convert *c, uint32_t shift, struct gguf_writer *w, struct err *e)
{
    char key[96];
    int32_t taps[CONVERT_MAX_TAPS];
    for (uint32_t i = 0; i < c->shape.n_taps; i++)
        taps[i] = (int32_t)(c->shape.taps[i] + shift);
    return gguf_write_i32s(w, full_key(c, "target_layers", key), taps, c->shape.n_taps, e);
}

static bool put_pattern(const struct convert *c, struct gguf_writer *w, struct err *e)
{
    char key[96];
    return gguf_write_bools(w, full_key(c, "attention.sliding_window_pattern", key),
                            c->shape.is_local, c->shape.n_layers, e);
}

/* ---- Gemma 4 and its MTP drafter ---- */

static bool put_family(const struct convert *c, uint32_t n_shared, struct gguf_writer *w,
                       struct err *e)
{
    const struct convert_shape *s = &c->shape;
    char key[96];
    int32_t n_kv[CONVERT_MAX_LAYERS];
    const struct u32_key u32s[] = {
        {"attention.key_length_swa", s->head_dim_local},
        {"attention.value_length_swa", s->head_dim_local},
        {"rope.dimension_count_swa", s->head_dim_local},
        {"attention.sliding_window", s->window_tokens},
        {"attention.shared_kv_layers", n_shared},
        {"embedding_length_per_layer_input", 0},
    };
    const struct f32_key f32s[] = {
        {"rope.freq_base_swa", s->rope_base_local},
        {"final_logit_softcapping",
         s->softcap}, /* 0: none; some readers take an absent one for 30 */
    };
    for (uint32_t i = 0; i < s->n_layers; i++)
        n_kv[i] = (int32_t)s->n_kv[i];
    return put_common(c, w, e) && put_u32s(c, u32s, sizeof u32s / sizeof *u32s, w, e) &&
           put_f32s(c, f32s, sizeof f32s / sizeof *f32s, w, e) &&
           gguf_write_i32s(w, full_key(c, "attention.head_count_kv", key), n_kv, s->n_layers, e) &&
           put_pattern(c, w, e);
}

bool convert_keys_gemma4(const struct convert *c, struct gguf_writer *w, struct err *e)
{
    return put_family(c, 0, w, e);
}

bool convert_keys_mtp(const struct convert *c, struct gguf_writer *w, struct err *e)
{
    const struct u32_key u32s[] = {
        {"embedding_length_out", c->shape.d_target},
        {"nextn_predict_layers", c->shape.n_layers},
    };
    return put_family(c, c->shape.n_layers, w, e) && put_u32s(c, u32s, 2, w, e);
}

/* ---- DFlash ---- */

/* Where a tokenizer is taken along, its mask token has to be the one the drafter was trained with.
 */
static bool put_mask(const struct convert *c, struct gguf_writer *w, struct err *e)
{
    if (!c->tok)
        return gguf_write_u32(w, "tokenizer.ggml.mask_token_id", c->shape.mask_id, e);
    return str_is(c->tok->pieces[c->shape.mask_id], "<mask>") ||
           convert_config_refuse(&c->src.config, "dflash_config.mask_token_id",
                                 "is not the <mask> of the tokenizer", e);
}

/* The upstream naming: taps are layer inputs, one more than the outputs of the configuration. The
 * softcap, which that naming lacks, is added: a reader that does not know the key skips it. */
bool convert_keys_dflash(const struct convert *c, struct gguf_writer *w, struct err *e)
{
    const struct convert_shape *s = &c->shape;
    const struct u32_key u32s[] = {
        {"attention.head_count_kv", s->n_kv[0]},
        {"vocab_size", s->n_vocab},
        {"block_size", s->block_tokens},
    };
    const struct u32_key window = {"attention.sliding_window", s->window_tokens};
    const struct f32_key softcap = {"final_logit_softcapping", s->softcap};
    bool ok = put_common(c, w, e) && put_u32s(c, u32s, sizeof u32s / sizeof *u32s, w, e) &&
              put_taps(c, 1, w, e) && put_mask(c, w, e);
    if (ok && s->window_tokens)
        ok = put_u32s(c, &window, 1, w, e) && put_pattern(c, w, e);
    return ok && (s->softcap == 0.0f || put_f32s(c, &softcap, 1, w, e));
}

/* ---- EAGLE-3 ---- */

bool convert_keys_eagle3(const struct convert *c, struct gguf_writer *w, struct err *e)
{
    const struct convert_shape *s = &c->shape;
    char key[96];
    const struct u32_key u32s[] = {
        {"attention.head_count_kv", s->n_kv[0]},
        {"vocab_size", s->n_vocab},
        {"target_hidden_size", s->d_target},
    };
    return put_common(c, w, e) && put_u32s(c, u32s, sizeof u32s / sizeof *u32s, w, e) &&
           put_taps(c, 0, w, e) &&
           gguf_write_bool(w, full_key(c, "norm_before_residual", key), s->norm_before_residual,
                           e) &&
           gguf_write_bool(w, full_key(c, "norm_before_fc", key), s->norm_before_fc, e);
}

/* ---- general ---- */

/* general.file_type: what most of the matrices are. */
static uint32_t file_type(const struct convert *c)
{
    uint64_t n_bytes[QTYPE_ID_END] = {0};
    for (uint32_t i = 0; i < c->n_tensors; i++)
        if (c->tensors[i].n_dims == 2)
            n_bytes[c->tensors[i].type] +=
                convert_n_rows(&c->tensors[i]) * convert_row_bytes(&c->tensors[i]);
    if (c->has_nvfp4)
        return 39;
    if (n_bytes[QTYPE_F32] > n_bytes[QTYPE_F16] && n_bytes[QTYPE_F32] > n_bytes[QTYPE_BF16])
        return 0;
    return n_bytes[QTYPE_F16] > n_bytes[QTYPE_BF16] ? 1 : 32;
}

static bool put_sampling(const struct convert_config *g, struct gguf_writer *w, struct err *e)
{
    float temperature = NAN, top_p = NAN;
    uint32_t top_k = UINT32_MAX;
    if (!convert_config_opt_f32(g, "temperature", &temperature, e) ||
        !convert_config_opt_f32(g, "top_p", &top_p, e) ||
        !convert_config_opt_u32(g, "top_k", INT32_MAX, &top_k, e))
        return false;
    return (isnan(temperature) || gguf_write_f32(w, "general.sampling.temp", temperature, e)) &&
           (isnan(top_p) || gguf_write_f32(w, "general.sampling.top_p", top_p, e)) &&
           (top_k == UINT32_MAX || gguf_write_i32(w, "general.sampling.top_k", (int32_t)top_k, e));
}

static bool put_suppressed(const struct convert *c, struct gguf_writer *w, struct err *e)
{
    enum { MAX_SUPPRESSED = 1024 };
    static const char name[] = "suppress_tokens";
    uint32_t ids[MAX_SUPPRESSED], n_ids = 0;
    int32_t signed_ids[MAX_SUPPRESSED];
    const json_t *list = json_object_get(c->src.generation.root, name);
    if (json_array_size(list) == 0)
        return true;
    if (!convert_config_u32s(&c->src.generation, name, c->shape.n_vocab - 1, MAX_SUPPRESSED, ids,
                             &n_ids, e))
        return false;
    for (uint32_t i = 0; i < n_ids; i++)
        signed_ids[i] = (int32_t)ids[i];
    return gguf_write_i32s(w, "tokenizer.ggml.suppress_tokens", signed_ids, n_ids, e);
}

bool convert_keys_general(const struct convert *c, struct gguf_writer *w, struct err *e)
{
    char name[256]; /* a folder's name need not be UTF-8 */
    const char *slash = strrchr(c->dir, '/');
    gguf_quote(str_of(slash && slash[1] ? slash + 1 : c->dir), name, sizeof name);
    return gguf_write_str(w, "general.architecture", c->arch->name, e) &&
           gguf_write_str(w, "general.type", "model", e) &&
           gguf_write_str(w, "general.name", name, e) &&
           gguf_write_u32(w, "general.file_type", file_type(c), e) &&
           gguf_write_u32(w, "general.quantization_version", 2, e) &&
           put_sampling(&c->src.generation, w, e) && put_suppressed(c, w, e);
}

static bool is_stop(const struct convert_tok *t, const json_t *id)
{
    static const char *const stops[] = {"<eos>", "<turn|>", "<|tool_response>"};
    json_int_t v = json_integer_value(id);
    if (!json_is_integer(id) || v < 0 || v >= (json_int_t)t->n_vocab)
        return false;
    for (size_t i = 0; i < sizeof stops / sizeof *stops; i++)
        if (str_is(t->pieces[v], stops[i]))
            return true;
    return false;
}

bool convert_check_stops(const struct convert *c, struct err *e)
{
    static const char name[] = "eos_token_id";
    char why[128];
    const json_t *v = json_object_get(c->src.generation.root, name);
    size_t n = json_is_array(v) ? json_array_size(v) : v && !json_is_null(v);
    for (size_t i = 0; i < n && c->tok; i++) {
        const json_t *id = json_is_array(v) ? json_array_get(v, i) : v;
        snprintf(why, sizeof why,
                 "has %" PRId64 ", but generation ends at <eos>, <turn|> and <|tool_response> only",
                 (int64_t)json_integer_value(id));
        if (!is_stop(c->tok, id))
            return convert_config_refuse(&c->src.generation, name, why, e);
    }
    return true;
}
