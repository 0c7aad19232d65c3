/* convert_arch: the architectures that convert knows, as tables: names, shapes, what may be left
 * out (gemma4-text.md 2.2, drafters.md 2.2, 3.2, 4.2). */
#include "models/convert_priv.h"

#include "models/gguf.h"

#include <stdio.h>

enum {
    OPTIONAL = CONVERT_ROW_OPTIONAL,
    ROOT = CONVERT_ROW_ROOT,
    NVFP4 = CONVERT_ROW_MAY_BE_NVFP4,
    INTERLEAVE = CONVERT_ROW_INTERLEAVE,
    OWN_V = CONVERT_ROW_V,
    UNTIED = CONVERT_ROW_UNTIED,
    D2T = CONVERT_ROW_D2T,
    NORM_FC = CONVERT_ROW_NORM_FC,
    NONE = CONVERT_DIM_NONE,
    ONE = CONVERT_DIM_ONE,
    D = CONVERT_DIM_D,
    D2 = CONVERT_DIM_2D,
    F = CONVERT_DIM_F,
    V = CONVERT_DIM_V,
    Q = CONVERT_DIM_Q,
    KV = CONVERT_DIM_KV,
    E = CONVERT_DIM_E,
    TAPS = CONVERT_DIM_TAPS,
    B = CONVERT_DIM_B,
    B2 = CONVERT_DIM_2B,
    DRAFT_V = CONVERT_DIM_DRAFT_V,
};

/* from, to, rows, row length, properties */
static const struct convert_row gemma4_outside[] = {
    {"embed_tokens.weight", "token_embd.weight", V, D, 0},
    {"lm_head.weight", "output.weight", V, D, ROOT | UNTIED | NVFP4},
    {"norm.weight", "output_norm.weight", D, NONE, 0},
    {0},
};
static const struct convert_row gemma4_layer[] = {
    {"input_layernorm.weight", "attn_norm.weight", D, NONE, 0},
    {"self_attn.q_proj.weight", "attn_q.weight", Q, D, NVFP4},
    {"self_attn.k_proj.weight", "attn_k.weight", KV, D, NVFP4},
    {"self_attn.v_proj.weight", "attn_v.weight", KV, D, NVFP4 | OWN_V},
    {"self_attn.o_proj.weight", "attn_output.weight", D, Q, NVFP4},
    {"self_attn.q_norm.weight", "attn_q_norm.weight", E, NONE, 0},
    {"self_attn.k_norm.weight", "attn_k_norm.weight", E, NONE, 0},
    {"post_attention_layernorm.weight", "post_attention_norm.weight", D, NONE, 0},
    {"pre_feedforward_layernorm.weight", "ffn_norm.weight", D, NONE, 0},
    {"mlp.gate_proj.weight", "ffn_gate.weight", F, D, NVFP4},
    {"mlp.up_proj.weight", "ffn_up.weight", F, D, NVFP4},
    {"mlp.down_proj.weight", "ffn_down.weight", D, F, NVFP4},
    {"post_feedforward_layernorm.weight", "post_ffw_norm.weight", D, NONE, 0},
    {"layer_scalar", "layer_output_scale.weight", ONE, NONE, 0},
    {0},
};

/* Queries only: keys and values are the target's. */
static const struct convert_row mtp_outside[] = {
    {"embed_tokens.weight", "token_embd.weight", V, D, 0},
    {"pre_projection.weight", "nextn.pre_projection.weight", D, B2, ROOT | NVFP4},
    {"post_projection.weight", "nextn.post_projection.weight", B, D, ROOT | NVFP4},
    {"lm_head.weight", "output.weight", V, D, ROOT | UNTIED},
    {"norm.weight", "output_norm.weight", D, NONE, 0},
    {0},
};
static const struct convert_row mtp_layer[] = {
    {"input_layernorm.weight", "attn_norm.weight", D, NONE, 0},
    {"self_attn.q_proj.weight", "attn_q.weight", Q, D, NVFP4},
    {"self_attn.o_proj.weight", "attn_output.weight", D, Q, NVFP4},
    {"self_attn.q_norm.weight", "attn_q_norm.weight", E, NONE, 0},
    {"post_attention_layernorm.weight", "post_attention_norm.weight", D, NONE, 0},
    {"pre_feedforward_layernorm.weight", "ffn_norm.weight", D, NONE, 0},
    {"mlp.gate_proj.weight", "ffn_gate.weight", F, D, NVFP4},
    {"mlp.up_proj.weight", "ffn_up.weight", F, D, NVFP4},
    {"mlp.down_proj.weight", "ffn_down.weight", D, F, NVFP4},
    {"post_feedforward_layernorm.weight", "post_ffw_norm.weight", D, NONE, 0},
    {"layer_scalar", "layer_output_scale.weight", ONE, NONE, 0},
    {0},
};

static const struct convert_row dflash_outside[] = {
    {"fc.weight", "fc.weight", D, TAPS, NVFP4},
    {"hidden_norm.weight", "enc.output_norm.weight", D, NONE, 0},
    {"norm.weight", "output_norm.weight", D, NONE, 0},
    {0},
};
static const struct convert_row dflash_layer[] = {
    {"input_layernorm.weight", "attn_norm.weight", D, NONE, 0},
    {"self_attn.q_proj.weight", "attn_q.weight", Q, D, NVFP4},
    {"self_attn.k_proj.weight", "attn_k.weight", KV, D, NVFP4},
    {"self_attn.v_proj.weight", "attn_v.weight", KV, D, NVFP4},
    {"self_attn.o_proj.weight", "attn_output.weight", D, Q, NVFP4},
    {"self_attn.q_norm.weight", "attn_q_norm.weight", E, NONE, 0},
    {"self_attn.k_norm.weight", "attn_k_norm.weight", E, NONE, 0},
    {"post_attention_layernorm.weight", "ffn_norm.weight", D, NONE, 0},
    {"mlp.gate_proj.weight", "ffn_gate.weight", F, D, NVFP4},
    {"mlp.up_proj.weight", "ffn_up.weight", F, D, NVFP4},
    {"mlp.down_proj.weight", "ffn_down.weight", D, F, NVFP4},
    {0},
};

static const struct convert_row eagle3_outside[] = {
    {"embed_tokens.weight", "token_embd.weight", V, D, OPTIONAL},
    {"fc.weight", "fc.weight", D, TAPS, NVFP4},
    {"input_norm.weight", "enc.output_norm.weight", TAPS, NONE, NORM_FC},
    {"norm.weight", "output_norm.weight", D, NONE, 0},
    {"lm_head.weight", "output.weight", DRAFT_V, D, ROOT | NVFP4},
    {"d2t", "d2t", DRAFT_V, NONE, ROOT | D2T},
    {0},
};
static const struct convert_row eagle3_layer[] = {
    {"input_layernorm.weight", "attn_norm.weight", D, NONE, 0},
    {"hidden_norm.weight", "attn_norm_2.weight", D, NONE, 0},
    {"self_attn.q_proj.weight", "attn_q.weight", Q, D2, NVFP4 | INTERLEAVE},
    {"self_attn.k_proj.weight", "attn_k.weight", KV, D2, NVFP4 | INTERLEAVE},
    {"self_attn.v_proj.weight", "attn_v.weight", KV, D2, NVFP4},
    {"self_attn.o_proj.weight", "attn_output.weight", D, Q, NVFP4},
    {"post_attention_layernorm.weight", "ffn_norm.weight", D, NONE, 0},
    {"mlp.gate_proj.weight", "ffn_gate.weight", F, D, NVFP4},
    {"mlp.up_proj.weight", "ffn_up.weight", F, D, NVFP4},
    {"mlp.down_proj.weight", "ffn_down.weight", D, F, NVFP4},
    {0},
};

/* Scales of a quantised cache in the checkpoint; caches here have their own encodings. */
#define CACHE_SCALES ".k_scale", ".v_scale"

static const struct convert_arch archs[] = {
    {
        .config_names = {"Gemma4ForConditionalGeneration", "Gemma4ForCausalLM",
                         "Gemma4UnifiedForConditionalGeneration", "Gemma4UnifiedForCausalLM"},
        .name = "gemma4",
        .prefixes = {"model.language_model.", "model."},
        .layer_prefixes = {"layers.%u."},
        .outside = gemma4_outside,
        .layer = gemma4_layer,
        .left_out_prefixes = {"model.vision_tower.", "model.embed_vision.",
                              "model.vision_embedder.", "model.audio_tower.", "model.embed_audio."},
        .left_out_suffixes = {CACHE_SCALES},
        .has_rope_freqs = true,
        .needs_tokenizer = true,
        .read = convert_read_gemma4,
        .keys = convert_keys_gemma4,
    },
    {
        .config_names = {"Gemma4AssistantForCausalLM", "Gemma4UnifiedAssistantForCausalLM"},
        .name = "gemma4-assistant",
        .prefixes = {"model."},
        .layer_prefixes = {"layers.%u."},
        .outside = mtp_outside,
        .layer = mtp_layer,
        .has_rope_freqs = true,
        .read = convert_read_mtp,
        .keys = convert_keys_mtp,
    },
    {
        .config_names = {"DFlashDraftModel"},
        .name = "dflash",
        .prefixes = {"", "model."},
        .layer_prefixes = {"layers.%u."},
        .outside = dflash_outside,
        .layer = dflash_layer,
        /* drafts are embedded and projected with the target's own tables */
        .left_out_prefixes = {"embed_tokens.", "lm_head.", "model.embed_tokens."},
        .left_out_suffixes = {CACHE_SCALES},
        .read = convert_read_dflash,
        .keys = convert_keys_dflash,
    },
    {
        .config_names = {"Eagle3Speculator", "Eagle3DraftModel", "LlamaForCausalLMEagle3",
                         "Eagle3LlamaForCausalLM"},
        .name = "eagle3",
        .prefixes = {"", "model."},
        .layer_prefixes = {"layers.%u.", "midlayer."},
        .outside = eagle3_outside,
        .layer = eagle3_layer,
        .left_out_suffixes = {CACHE_SCALES},
        .read = convert_read_eagle3,
        .keys = convert_keys_eagle3,
    },
};

enum { N_ARCHS = sizeof archs / sizeof *archs };

const struct convert_arch *convert_arch_find(const struct convert_config *config, struct err *e)
{
    char shown[64];
    const json_t *first = json_array_get(json_object_get(config->root, "architectures"), 0);
    struct str name = json_text_str(first);
    for (int i = 0; i < N_ARCHS; i++)
        for (int k = 0; archs[i].config_names[k]; k++)
            if (str_is(name, archs[i].config_names[k]))
                return &archs[i];
    return err_null(e, ERR_FORMAT,
                    "%s/%s: architectures: \"%s\" cannot be converted; known are Gemma 4 text "
                    "models, and their MTP, DFlash and EAGLE-3 drafters",
                    config->dir, config->file, gguf_quote(name, shown, sizeof shown));
}

uint64_t convert_dim_of(const struct convert_shape *s, enum convert_dim dim, uint32_t i_layer)
{
    uint64_t head_dim = s->is_local[i_layer] ? s->head_dim_local : s->head_dim_global;
    switch (dim) {
    case CONVERT_DIM_NONE:
    case CONVERT_DIM_ONE:
        return 1;
    case CONVERT_DIM_D:
        return s->d_model;
    case CONVERT_DIM_2D:
        return 2 * (uint64_t)s->d_model;
    case CONVERT_DIM_F:
        return s->d_ffn;
    case CONVERT_DIM_V:
        return s->n_vocab;
    case CONVERT_DIM_Q:
        return s->n_heads * head_dim;
    case CONVERT_DIM_KV:
        return s->n_kv[i_layer] * head_dim;
    case CONVERT_DIM_E:
        return head_dim;
    case CONVERT_DIM_TAPS:
        return (uint64_t)s->n_taps * s->d_target;
    case CONVERT_DIM_B:
        return s->d_target;
    case CONVERT_DIM_2B:
        return 2 * (uint64_t)s->d_target;
    case CONVERT_DIM_DRAFT_V:
        return s->n_draft_vocab;
    }
    return 0;
}
