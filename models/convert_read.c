/* convert_read: the numbers of a model from its configuration. What a configuration can ask for and
 * this program cannot run is refused by the member's name; what it leaves out has the default of
 * the public model classes. */
#include "models/convert_priv.h"

#include "models/dir_file.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    MAX_WIDTH = 1 << 20,
    MAX_HEADS = 512,
    MAX_HEAD_DIM = 4096,
    MAX_VOCAB = 1 << 24,
    MAX_CONTEXT = 1 << 26,
};

/* Preset where an architecture has a default. */
static bool read_context(struct convert_shape *s, const struct convert_config *c, struct err *e)
{
    static const char name[] = "max_position_embeddings";
    return (s->context_tokens && !convert_config_has(c, name)) ||
           convert_config_u32(c, name, 1, MAX_CONTEXT, &s->context_tokens, e);
}

static const char odd[] = "must be even: RoPE turns pairs";

/* What all architectures state alike. */
static bool read_common(struct convert_shape *s, const struct convert_config *c, struct err *e)
{
    uint32_t n_kv;
    if (!convert_config_u32(c, "hidden_size", 1, MAX_WIDTH, &s->d_model, e) ||
        !convert_config_u32(c, "intermediate_size", 1, MAX_WIDTH, &s->d_ffn, e) ||
        !convert_config_u32(c, "num_hidden_layers", 1, CONVERT_MAX_LAYERS, &s->n_layers, e) ||
        !convert_config_u32(c, "num_attention_heads", 1, MAX_HEADS, &s->n_heads, e) ||
        !convert_config_u32(c, "num_key_value_heads", 1, MAX_HEADS, &n_kv, e) ||
        !convert_config_u32(c, "head_dim", 2, MAX_HEAD_DIM, &s->head_dim_local, e) ||
        !convert_config_u32(c, "vocab_size", 1, MAX_VOCAB, &s->n_vocab, e) ||
        !read_context(s, c, e) || !convert_config_f32(c, "rms_norm_eps", &s->eps, e) ||
        !convert_config_must_be_off(c, "attention_bias", e) ||
        !convert_config_must_be_off(c, "mlp_bias", e))
        return false;
    if (s->head_dim_local % 2 != 0)
        return convert_config_refuse(c, "head_dim", odd, e);
    s->head_dim_global = s->head_dim_local;
    for (uint32_t i = 0; i < s->n_layers; i++)
        s->n_kv[i] = n_kv;
    return true;
}

/* "layer_types" into is_local; *has_list: it is there. */
static bool read_layer_types(struct convert_shape *s, const struct convert_config *c,
                             bool *has_list, struct err *e)
{
    char why[96];
    const json_t *types = json_object_get(c->root, "layer_types");
    *has_list = convert_config_has(c, "layer_types");
    if (!*has_list)
        return true;
    snprintf(why, sizeof why,
             "must be a list of \"sliding_attention\" and \"full_attention\", %u "
             "of them",
             s->n_layers);
    if (json_array_size(types) != s->n_layers)
        return convert_config_refuse(c, "layer_types", why, e);
    for (uint32_t i = 0; i < s->n_layers; i++) {
        struct str type = json_text_str(json_array_get(types, i));
        s->is_local[i] = str_is(type, "sliding_attention");
        if (!s->is_local[i] && !str_is(type, "full_attention"))
            return convert_config_refuse(c, "layer_types", why, e);
    }
    return true;
}

/* ---- Gemma 4 ---- */

/* One entry of per_layer_config, whose key is the layer's number. */
static bool read_override(struct convert_shape *s, const struct convert_config *part,
                          const char *key, uint32_t *head_dim, struct err *e)
{
    const char *name;
    const json_t *v;
    char *end;
    unsigned long i_layer = strtoul(key, &end, 10);
    if (end == key || *end || i_layer >= s->n_layers)
        return convert_config_refuse(part, key, "is not the number of a layer", e);
    json_object_foreach(part->root, name, v)
    {
        if (strcmp(name, "head_dim") != 0 && strcmp(name, "num_key_value_heads") != 0)
            return convert_config_refuse(part, name, "cannot be different for one layer", e);
    }
    *head_dim = s->is_local[i_layer] ? s->head_dim_local : s->head_dim_global;
    if (!convert_config_opt_u32(part, "num_key_value_heads", MAX_HEADS, &s->n_kv[i_layer], e) ||
        !convert_config_opt_u32(part, "head_dim", MAX_HEAD_DIM, head_dim, e))
        return false;
    if (s->n_kv[i_layer] == 0)
        return convert_config_refuse(part, "num_key_value_heads", "is 0", e);
    if (s->is_local[i_layer] ? *head_dim != s->head_dim_local
                             : s->head_dim_global && *head_dim != s->head_dim_global)
        return convert_config_refuse(part, "head_dim", "differs among layers of one kind", e);
    if (!s->is_local[i_layer])
        s->head_dim_global = *head_dim;
    return true;
}

/* Sizes of the global layers: members of their own, or one entry per layer (newer files). */
static bool read_global_sizes(struct convert_shape *s, const struct convert_config *c,
                              struct err *e)
{
    uint32_t n_kv = 0, head_dim;
    const char *key;
    json_t *v;
    s->head_dim_global = 0;
    if (!convert_config_opt_u32(c, "global_head_dim", MAX_HEAD_DIM, &s->head_dim_global, e) ||
        !convert_config_opt_u32(c, "num_global_key_value_heads", MAX_HEADS, &n_kv, e))
        return false;
    for (uint32_t i = 0; i < s->n_layers && n_kv && !s->has_global_v; i++)
        s->n_kv[i] = s->is_local[i] ? s->n_kv[i] : n_kv;
    struct convert_config layers;
    if (!convert_config_opt_part(c, "per_layer_config", "per_layer_config.", &layers, e))
        return false;
    json_object_foreach(layers.root, key, v)
    {
        struct convert_config part = convert_config_part(&layers, key, "per_layer_config: ");
        if (!part.root)
            return convert_config_refuse(&layers, key, "is not an object", e);
        if (!read_override(s, &part, key, &head_dim, e))
            return false;
    }
    if (s->head_dim_global == 0)
        return convert_config_refuse(c, "global_head_dim", "is missing", e);
    return s->head_dim_global % 2 == 0 || convert_config_refuse(c, "global_head_dim", odd, e);
}

/* rope_parameters: one entry per kind of layer (gemma4-text 3.5). */
static bool read_rope(struct convert_shape *s, const struct convert_config *c, struct err *e)
{
    static const char all[] = "rope_parameters";
    float share = 0.25f, local_share = 1.0f;
    s->rope_base_local = 10000.0f;
    s->rope_base_global = 1000000.0f;
    if (convert_config_has(c, all)) {
        struct convert_config both = convert_config_part(c, all, "rope_parameters.");
        struct convert_config local =
            convert_config_part(&both, "sliding_attention", "rope_parameters.sliding_attention.");
        struct convert_config global =
            convert_config_part(&both, "full_attention", "rope_parameters.full_attention.");
        if (!local.root || !global.root)
            return convert_config_refuse(
                c, all, "must have the members sliding_attention and full_attention", e);
        if (!convert_config_must_be(&local, "rope_type", "default", e) ||
            !convert_config_must_be(&global, "rope_type", "proportional", e) ||
            !convert_config_f32(&local, "rope_theta", &s->rope_base_local, e) ||
            !convert_config_f32(&global, "rope_theta", &s->rope_base_global, e) ||
            !convert_config_opt_f32(&local, "partial_rotary_factor", &local_share, e) ||
            !convert_config_f32(&global, "partial_rotary_factor", &share, e))
            return false;
    }
    if (!(share > 0.0f && share <= 1.0f) || local_share != 1.0f)
        return convert_config_refuse(c, all, "has a partial_rotary_factor that cannot be converted",
                                     e);
    s->n_rotated_pairs = (uint32_t)(share * (float)s->head_dim_global / 2);
    return true;
}

/* Parts of other members of the family (gemma4-text 2.3). */
static bool refuse_other_members(const struct convert_config *c, struct err *e)
{
    static const char *const off[] = {"hidden_size_per_layer_input", "enable_moe_block",
                                      "use_double_wide_mlp"};
    for (size_t i = 0; i < sizeof off / sizeof *off; i++)
        if (!convert_config_must_be_off(c, off[i], e))
            return false;
    static const char seeing[] = "use_bidirectional_attention";
    return (json_is_false(json_object_get(c->root, seeing)) ||
            convert_config_must_be(c, seeing, "vision", e)) &&
           convert_config_must_be(c, "hidden_activation", "gelu_pytorch_tanh", e);
}

/* What the target and its MTP drafter share. */
static bool read_family(struct convert_shape *s, const struct convert_config *c, struct err *e)
{
    bool has_list, k_is_v = false;
    s->is_tied = true;
    if (!refuse_other_members(c, e) || !read_common(s, c, e) ||
        !read_layer_types(s, c, &has_list, e) ||
        !convert_config_opt_bool(c, "attention_k_eq_v", &k_is_v, e) ||
        !convert_config_opt_bool(c, "tie_word_embeddings", &s->is_tied, e) ||
        !convert_config_u32(c, "sliding_window", 1, MAX_CONTEXT, &s->window_tokens, e) ||
        !convert_config_opt_f32(c, "final_logit_softcapping", &s->softcap, e))
        return false;
    s->has_global_v = !k_is_v;
    for (uint32_t i = 0; i < s->n_layers && !has_list; i++)
        s->is_local[i] = (i + 1) % 6 != 0 && i + 1 != s->n_layers;
    return read_global_sizes(s, c, e) && read_rope(s, c, e);
}

bool convert_read_gemma4(struct convert_shape *s, const struct convert_source *src, struct err *e)
{
    return convert_config_must_be_off(&src->text, "num_kv_shared_layers", e) &&
           read_family(s, &src->text, e) &&
           convert_config_opt_bool(&src->config, "tie_word_embeddings", &s->is_tied, e);
}

bool convert_read_mtp(struct convert_shape *s, const struct convert_source *src, struct err *e)
{
    uint32_t n_shared = 0;
    if (!convert_config_must_be_off(&src->config, "use_ordered_embeddings", e) ||
        !read_family(s, &src->text, e) ||
        !convert_config_u32(&src->config, "backbone_hidden_size", 1, MAX_WIDTH, &s->d_target, e) ||
        !convert_config_opt_u32(&src->text, "num_kv_shared_layers", CONVERT_MAX_LAYERS, &n_shared,
                                e))
        return false;
    if (n_shared && n_shared != s->n_layers)
        return convert_config_refuse(&src->text, "num_kv_shared_layers",
                                     "must be the number of layers: the drafter has no own keys",
                                     e);
    return s->is_tied || convert_config_refuse(&src->text, "tie_word_embeddings",
                                               "must be true for this drafter", e);
}

/* ---- drafters ---- */

/* RoPE base: a member of its own, or in rope_parameters (newer files). No scaling of any kind. */
static bool read_plain_rope(struct convert_shape *s, const struct convert_config *c, struct err *e)
{
    struct convert_config rope;
    float share = 1.0f;
    if (!convert_config_opt_part(c, "rope_parameters", "rope_parameters.", &rope, e))
        return false;
    if (rope.root) {
        if (!convert_config_must_be(&rope, "rope_type", "default", e) ||
            !convert_config_f32(&rope, "rope_theta", &s->rope_base_global, e) ||
            !convert_config_opt_f32(&rope, "partial_rotary_factor", &share, e))
            return false;
    } else if (!convert_config_f32(c, "rope_theta", &s->rope_base_global, e)) {
        return false;
    }
    if (share != 1.0f)
        return convert_config_refuse(&rope, "partial_rotary_factor", "must be 1", e);
    return !convert_config_has(c, "rope_scaling") ||
           convert_config_refuse(c, "rope_scaling", "cannot be converted", e);
}

/* Sliding layers: as listed, else all but the last if there is a window (drafters 2.2). */
static bool read_dflash_window(struct convert_shape *s, const struct convert_config *c,
                               struct err *e)
{
    bool has_list, use_window = true, is_any = false;
    if (!convert_config_opt_u32(c, "sliding_window", MAX_CONTEXT, &s->window_tokens, e) ||
        !convert_config_opt_bool(c, "use_sliding_window", &use_window, e) ||
        !read_layer_types(s, c, &has_list, e))
        return false;
    for (uint32_t i = 0; i < s->n_layers; i++) {
        if (!has_list)
            s->is_local[i] = use_window && s->window_tokens && i + 1 < s->n_layers;
        is_any |= s->is_local[i];
    }
    if (is_any && s->window_tokens == 0)
        return convert_config_refuse(c, "sliding_window", "is missing, layer_types needs it", e);
    s->window_tokens = is_any ? s->window_tokens : 0;
    return true;
}

/* Relatives that draft differently (drafters 2.9). */
static bool refuse_relatives(const struct convert_config *c, struct err *e)
{
    static const char *const members[] = {"aux_hidden_state_layer_ids", "draft_vocab_size",
                                          "sample_from_anchor", "speculators_model_type",
                                          "markov_head_type"};
    for (size_t i = 0; i < sizeof members / sizeof *members; i++)
        if (convert_config_has(c, members[i]))
            return convert_config_refuse(
                c, members[i], "belongs to another kind of drafter, which cannot be converted", e);
    return true;
}

bool convert_read_dflash(struct convert_shape *s, const struct convert_source *src, struct err *e)
{
    const struct convert_config *c = &src->config;
    struct convert_config d;
    s->context_tokens = 8192; /* drafters 2.2 */
    if (!convert_config_opt_part(c, "dflash_config", "dflash_config.", &d, e) ||
        !refuse_relatives(c, e) || !refuse_relatives(&d, e) || !read_common(s, c, e) ||
        !convert_config_must_be(c, "hidden_act", "silu", e) || !read_plain_rope(s, c, e) ||
        !read_dflash_window(s, c, e) ||
        !convert_config_u32(c, "block_size", 2, 1024, &s->block_tokens, e) ||
        !convert_config_opt_f32(c, "final_logit_softcapping", &s->softcap, e))
        return false;
    if (!d.root)
        return convert_config_refuse(c, "dflash_config", "is missing", e);
    s->d_target = s->d_model;
    return convert_config_u32s(&d, "target_layer_ids", 1 << 16, CONVERT_MAX_TAPS, s->taps,
                               &s->n_taps, e) &&
           convert_config_u32(&d, "mask_token_id", 0, s->n_vocab - 1, &s->mask_id, e);
}

/* Checkpoints of the speculators library nest the layer's numbers; older ones do not. */
bool convert_read_eagle3(struct convert_shape *s, const struct convert_source *src, struct err *e)
{
    const struct convert_config *c = &src->config;
    struct convert_config layer;
    if (!convert_config_opt_part(c, "transformer_layer_config", "transformer_layer_config.", &layer,
                                 e))
        return false;
    if (!layer.root)
        layer = *c;
    if (!convert_config_must_be(c, "speculators_model_type", "eagle3", e) ||
        !read_common(s, &layer, e) || !convert_config_must_be(&layer, "hidden_act", "silu", e) ||
        !read_plain_rope(s, &layer, e) || !convert_config_must_be_off(c, "norm_output", e) ||
        !convert_config_u32(c, "draft_vocab_size", 1, s->n_vocab, &s->n_draft_vocab, e) ||
        !convert_config_opt_bool(c, "norm_before_residual", &s->norm_before_residual, e) ||
        !convert_config_opt_bool(c, "norm_before_fc", &s->norm_before_fc, e) ||
        !convert_config_u32s(c, "eagle_aux_hidden_state_layer_ids", 1 << 16, CONVERT_MAX_TAPS,
                             s->taps, &s->n_taps, e))
        return false;
    s->d_target = s->d_model;
    if (!convert_config_opt_u32(c, "target_hidden_size", MAX_WIDTH, &s->d_target, e))
        return false;
    if (s->n_taps != 3)
        return convert_config_refuse(c, "eagle_aux_hidden_state_layer_ids", "must be 3 layers", e);
    return s->n_layers == 1 ||
           convert_config_refuse(&layer, "num_hidden_layers", "must be 1 for EAGLE-3", e);
}

/* ---- quantisation ---- */

/* Whether a tensor is quantised is seen by its companions (drafters 3.7); here only what is known
 * to be another encoding is refused. */
static bool check_algorithm(const struct convert_config *c, const char *name, struct err *e)
{
    struct str algo = convert_config_str(c, name);
    uint32_t group = 16;
    if (algo.n_bytes && !str_is(algo, "NVFP4") && !str_is(algo, "W4A16_NVFP4"))
        return convert_config_refuse(c, name, "is not NVFP4, which alone can be converted", e);
    return convert_config_opt_u32(c, "group_size", 1 << 16, &group, e) &&
           (group == 16 || convert_config_refuse(c, "group_size", "must be 16", e));
}

static bool check_sidecar(const char *dir, struct err *e)
{
    static const char file[] = "hf_quant_config.json";
    if (!dir_file_exists(dir, file))
        return true;
    json_t *root = dir_file_json(dir, file, e);
    struct convert_config whole = {dir, file, "", root};
    struct convert_config q;
    bool ok = root && convert_config_opt_part(&whole, "quantization", "quantization.", &q, e) &&
              check_algorithm(&q, "quant_algo", e);
    json_decref(root);
    return ok;
}

bool convert_check_quantization(const struct convert_source *src, struct err *e)
{
    static const char name[] = "quantization_config";
    if (!check_sidecar(src->dir, e))
        return false;
    struct convert_config q;
    if (!convert_config_opt_part(&src->config, name, "quantization_config.", &q, e) || !q.root)
        return !convert_config_has(&src->config, name);
    struct str method = convert_config_str(&q, "quant_method");
    if (str_is(method, "modelopt"))
        return check_algorithm(&q, "quant_algo", e);
    if (!str_is(method, "compressed-tensors"))
        return convert_config_refuse(
            &q, "quant_method",
            "must be modelopt or compressed-tensors: no other quantisation can be converted", e);
    return convert_config_must_be(&q, "format", "nvfp4-pack-quantized", e);
}
