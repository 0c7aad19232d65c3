#include "tests/model_dir.h"

#include "kernels/quant/encode.h"
#include "tests/t.h"
#include "tests/tok_small.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* ---- values ---- */

uint8_t model_dir_byte(const char *name, uint64_t i)
{
    uint64_t h = 0xcbf29ce484222325u; /* FNV-1a of the name, then of the index */
    for (; *name; name++)
        h = (h ^ (unsigned char)*name) * 0x100000001b3u;
    for (int k = 0; k < 4; k++)
        h = (h ^ (i >> 8 * k & 255)) * 0x100000001b3u;
    return (uint8_t)(h >> 32);
}

float model_dir_value(const char *name, uint64_t i)
{
    return (float)((int)model_dir_byte(name, i) - 128) / 64.0f;
}

static size_t elem_bytes(const char *dtype)
{
    static const struct {
        const char *name;
        size_t n_bytes;
    } sizes[] = {{"BF16", 2}, {"F16", 2},     {"F32", 4}, {"I64", 8},
                 {"U8", 1},   {"F8_E4M3", 1}, {"BOOL", 1}};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        if (strcmp(sizes[i].name, dtype) == 0)
            return sizes[i].n_bytes;
    MUST_TRUE(false, "dtype");
    return 0;
}

static void put_value(const struct model_dir_tensor *t, uint64_t i)
{
    float v = model_dir_value(t->name, i);
    uint16_t half = strcmp(t->dtype, "F16") == 0 ? encode_f16(v) : encode_bf16(v);
    if (strcmp(t->dtype, "F32") == 0)
        memcpy(t->bytes + 4 * i, &v, 4);
    else if (strcmp(t->dtype, "BF16") == 0 || strcmp(t->dtype, "F16") == 0)
        memcpy(t->bytes + 2 * i, &half, 2);
    else
        t->bytes[i] = model_dir_byte(t->name, i);
}

/* ---- tensors ---- */

struct model_dir_tensor *model_dir_add(struct model_dir *d, const char *name, const char *dtype,
                                       uint64_t n_out, uint64_t n_in)
{
    MUST_TRUE(d->n_tensors < MODEL_DIR_MAX_TENSORS, "room");
    struct model_dir_tensor *t = &d->tensors[d->n_tensors++];
    uint64_t n_elems = n_out * (n_in ? n_in : 1), width = elem_bytes(dtype);
    *t = (struct model_dir_tensor){
        .dtype = dtype, .dims = {n_out, n_in}, .n_dims = n_in ? 2 : 1, .n_bytes = n_elems * width};
    snprintf(t->name, sizeof t->name, "%s", name);
    t->bytes = calloc(1, t->n_bytes ? t->n_bytes : 1);
    MUST_TRUE(t->bytes != NULL, "memory");
    uint64_t n_put = width == 8 || width == 1 ? t->n_bytes : n_elems;
    for (uint64_t i = 0; i < n_put; i++)
        put_value(t, i);
    return t;
}

struct model_dir_tensor *model_dir_find(struct model_dir *d, const char *name)
{
    for (uint32_t i = 0; i < d->n_tensors; i++)
        if (strcmp(d->tensors[i].name, name) == 0)
            return &d->tensors[i];
    MUST_TRUE(false, name);
    return NULL;
}

void model_dir_remove(struct model_dir *d, const char *name)
{
    struct model_dir_tensor *t = model_dir_find(d, name);
    free(t->bytes);
    *t = d->tensors[--d->n_tensors];
}

void model_dir_rename(struct model_dir *d, const char *from, const char *to)
{
    struct model_dir_tensor *t = model_dir_find(d, from);
    snprintf(t->name, sizeof t->name, "%s", to);
}

static void add_scalar(struct model_dir *d, const char *name, float v)
{
    struct model_dir_tensor *t = model_dir_add(d, name, "F32", 1, 0);
    t->n_dims = 0;
    memcpy(t->bytes, &v, sizeof v);
}

void model_dir_pack(struct model_dir *d, const char *stem, float tensor_scale, float input_scale)
{
    char name[96];
    snprintf(name, sizeof name, "%s.weight", stem);
    struct model_dir_tensor *t = model_dir_find(d, name);
    uint64_t n_out = t->dims[0], n_in = t->dims[1];
    model_dir_remove(d, name);
    model_dir_add(d, name, "U8", n_out, n_in / 2);
    snprintf(name, sizeof name, "%s.weight_scale", stem);
    t = model_dir_add(d, name, "F8_E4M3", n_out, n_in / 16);
    for (size_t i = 0; i < t->n_bytes; i++)
        t->bytes[i] = t->bytes[i] % 0x7f; /* positive and a number */
    snprintf(name, sizeof name, "%s.weight_scale_2", stem);
    add_scalar(d, name, tensor_scale);
    snprintf(name, sizeof name, "%s.input_scale", stem);
    add_scalar(d, name, input_scale);
}

/* ---- models ---- */

static void begin(struct model_dir *d, const char *name, const char *config)
{
    json_error_t at;
    memset(d, 0, sizeof *d);
    snprintf(d->path, sizeof d->path, "%s/%s", t_scratch_dir(), name);
    mkdir(d->path, 0755); /* may be there already: tests write one directory several times */
    d->config = json_loads(config, 0, &at);
    MUST_TRUE(d->config != NULL, at.text);
}

void model_dir_free(struct model_dir *d)
{
    for (uint32_t i = 0; i < d->n_tensors; i++)
        free(d->tensors[i].bytes);
    json_decref(d->config);
    memset(d, 0, sizeof *d);
}

static uint32_t n_vocab_small(void)
{
    struct tok_small *ts = malloc(sizeof *ts);
    MUST_TRUE(ts != NULL, "memory");
    tok_small_init(ts);
    uint32_t n = ts->n_pieces;
    free(ts);
    return n;
}

#define ROPE_PARAMETERS                                                                            \
    "\"rope_parameters\": {\"sliding_attention\": {\"rope_type\": \"default\", \"rope_theta\": "   \
    "10000.0}, \"full_attention\": {\"rope_type\": \"proportional\", \"partial_rotary_factor\": "  \
    "0.25, \"rope_theta\": 1000000.0}}, "

/* prefix: with the layer's number in it. */
static void add_vector(struct model_dir *d, const char *prefix, const char *name, uint64_t n)
{
    char whole[96];
    snprintf(whole, sizeof whole, "%s%s", prefix, name);
    model_dir_add(d, whole, "BF16", n, 0);
}

static void add_matrix(struct model_dir *d, const char *prefix, const char *name, uint64_t n_out,
                       uint64_t n_in)
{
    char whole[96];
    snprintf(whole, sizeof whole, "%s%s.weight", prefix, name);
    model_dir_add(d, whole, "BF16", n_out, n_in);
}

static void add_mlp(struct model_dir *d, const char *prefix, uint64_t n_in, uint64_t n_ff)
{
    add_matrix(d, prefix, "mlp.gate_proj", n_ff, n_in);
    add_matrix(d, prefix, "mlp.up_proj", n_ff, n_in);
    add_matrix(d, prefix, "mlp.down_proj", n_in, n_ff);
}

static void add_gemma4_norms(struct model_dir *d, const char *prefix, uint64_t n)
{
    add_vector(d, prefix, "input_layernorm.weight", n);
    add_vector(d, prefix, "post_attention_layernorm.weight", n);
    add_vector(d, prefix, "pre_feedforward_layernorm.weight", n);
    add_vector(d, prefix, "post_feedforward_layernorm.weight", n);
    add_vector(d, prefix, "layer_scalar", 1);
}

void model_dir_gemma4(struct model_dir *d, const char *name)
{
    begin(d, name,
          "{\"architectures\": [\"Gemma4ForCausalLM\"], \"hidden_size\": 64, "
          "\"intermediate_size\": 128, \"num_hidden_layers\": 2, \"num_attention_heads\": 2, "
          "\"num_key_value_heads\": 2, \"num_global_key_value_heads\": 1, \"head_dim\": 32, "
          "\"global_head_dim\": 64, \"attention_k_eq_v\": true, \"max_position_embeddings\": 512, "
          "\"rms_norm_eps\": 1e-6, \"sliding_window\": 16, \"final_logit_softcapping\": 30.0, "
          "\"layer_types\": [\"sliding_attention\", \"full_attention\"], " ROPE_PARAMETERS
          "\"tie_word_embeddings\": true, \"hidden_size_per_layer_input\": 0}");
    json_object_set_new(d->config, "vocab_size", json_integer(n_vocab_small()));
    add_matrix(d, "model.", "embed_tokens", n_vocab_small(), 64);
    add_vector(d, "model.", "norm.weight", 64);
    for (uint32_t i = 0; i < 2; i++) {
        char p[32];
        uint64_t head = i ? 64 : 32;
        snprintf(p, sizeof p, "model.layers.%u.", i);
        add_gemma4_norms(d, p, 64);
        add_matrix(d, p, "self_attn.q_proj", 2 * head, 64);
        add_matrix(d, p, "self_attn.k_proj", 64, 64); /* 2 x 32, 1 x 64 */
        if (i == 0)
            add_matrix(d, p, "self_attn.v_proj", 64, 64);
        add_matrix(d, p, "self_attn.o_proj", 64, 2 * head);
        add_vector(d, p, "self_attn.q_norm.weight", head);
        add_vector(d, p, "self_attn.k_norm.weight", head);
        add_mlp(d, p, 64, 128);
    }
}

void model_dir_mtp(struct model_dir *d, const char *name)
{
    begin(d, name,
          "{\"architectures\": [\"Gemma4AssistantForCausalLM\"], \"backbone_hidden_size\": 128, "
          "\"use_ordered_embeddings\": false, \"text_config\": {\"hidden_size\": 64, "
          "\"intermediate_size\": 128, \"num_hidden_layers\": 2, \"num_attention_heads\": 2, "
          "\"num_key_value_heads\": 2, \"num_global_key_value_heads\": 1, \"head_dim\": 32, "
          "\"global_head_dim\": 64, \"attention_k_eq_v\": true, \"max_position_embeddings\": 512, "
          "\"rms_norm_eps\": 1e-6, \"sliding_window\": 16, \"vocab_size\": 96, "
          "\"layer_types\": [\"sliding_attention\", \"full_attention\"], " ROPE_PARAMETERS
          "\"num_kv_shared_layers\": 2, \"tie_word_embeddings\": true}}");
    add_matrix(d, "model.", "embed_tokens", 96, 64);
    add_vector(d, "model.", "norm.weight", 64);
    add_matrix(d, "", "pre_projection", 64, 256);
    add_matrix(d, "", "post_projection", 128, 64);
    for (uint32_t i = 0; i < 2; i++) {
        char p[32];
        uint64_t head = i ? 64 : 32;
        snprintf(p, sizeof p, "model.layers.%u.", i);
        add_gemma4_norms(d, p, 64);
        add_matrix(d, p, "self_attn.q_proj", 2 * head, 64);
        add_matrix(d, p, "self_attn.o_proj", 64, 2 * head);
        add_vector(d, p, "self_attn.q_norm.weight", head);
        add_mlp(d, p, 64, 128);
    }
}

void model_dir_dflash(struct model_dir *d, const char *name)
{
    begin(d, name,
          "{\"architectures\": [\"DFlashDraftModel\"], \"hidden_size\": 64, "
          "\"intermediate_size\": 128, \"num_hidden_layers\": 2, \"num_attention_heads\": 4, "
          "\"num_key_value_heads\": 2, \"head_dim\": 32, \"vocab_size\": 96, "
          "\"max_position_embeddings\": 512, \"rms_norm_eps\": 1e-6, \"rope_theta\": 1000000, "
          "\"sliding_window\": 16, \"use_sliding_window\": true, \"hidden_act\": \"silu\", "
          "\"layer_types\": [\"sliding_attention\", \"full_attention\"], "
          "\"final_logit_softcapping\": 30.0, \"block_size\": 8, "
          "\"dflash_config\": {\"target_layer_ids\": [1, 2, 3], \"mask_token_id\": 4}}");
    add_matrix(d, "", "fc", 64, 192);
    add_vector(d, "", "hidden_norm.weight", 64);
    add_vector(d, "", "norm.weight", 64);
    for (uint32_t i = 0; i < 2; i++) {
        char p[32];
        snprintf(p, sizeof p, "layers.%u.", i);
        add_vector(d, p, "input_layernorm.weight", 64);
        add_vector(d, p, "post_attention_layernorm.weight", 64);
        add_matrix(d, p, "self_attn.q_proj", 128, 64);
        add_matrix(d, p, "self_attn.k_proj", 64, 64);
        add_matrix(d, p, "self_attn.v_proj", 64, 64);
        add_matrix(d, p, "self_attn.o_proj", 64, 128);
        add_vector(d, p, "self_attn.q_norm.weight", 32);
        add_vector(d, p, "self_attn.k_norm.weight", 32);
        add_mlp(d, p, 64, 128);
    }
}

/* Draft token i is token 4i + 1: the offset is 3i + 1. */
static void add_draft_vocab(struct model_dir *d)
{
    struct model_dir_tensor *d2t = model_dir_add(d, "d2t", "I64", 64, 0);
    struct model_dir_tensor *t2d = model_dir_add(d, "t2d", "BOOL", 256, 0);
    memset(t2d->bytes, 0, 256);
    for (int64_t i = 0; i < 64; i++) {
        int64_t offset = 3 * i + 1;
        memcpy(d2t->bytes + 8 * i, &offset, 8);
        t2d->bytes[4 * i + 1] = 1;
    }
}

void model_dir_eagle3(struct model_dir *d, const char *name)
{
    begin(d, name,
          "{\"architectures\": [\"Eagle3Speculator\"], \"speculators_model_type\": \"eagle3\", "
          "\"draft_vocab_size\": 64, \"norm_before_residual\": true, "
          "\"eagle_aux_hidden_state_layer_ids\": [1, 3, 5], \"transformer_layer_config\": {"
          "\"hidden_size\": 64, \"intermediate_size\": 128, \"num_hidden_layers\": 1, "
          "\"num_attention_heads\": 4, \"num_key_value_heads\": 2, \"head_dim\": 32, "
          "\"vocab_size\": 256, \"max_position_embeddings\": 512, \"rms_norm_eps\": 1e-6, "
          "\"rope_theta\": 10000.0, \"hidden_act\": \"silu\"}}");
    add_matrix(d, "", "embed_tokens", 256, 64);
    add_matrix(d, "", "fc", 64, 192);
    add_matrix(d, "", "lm_head", 64, 64);
    add_vector(d, "", "norm.weight", 64);
    add_vector(d, "layers.0.", "input_layernorm.weight", 64);
    add_vector(d, "layers.0.", "hidden_norm.weight", 64);
    add_vector(d, "layers.0.", "post_attention_layernorm.weight", 64);
    add_matrix(d, "layers.0.", "self_attn.q_proj", 128, 128);
    add_matrix(d, "layers.0.", "self_attn.k_proj", 64, 128);
    add_matrix(d, "layers.0.", "self_attn.v_proj", 64, 128);
    add_matrix(d, "layers.0.", "self_attn.o_proj", 64, 128);
    add_mlp(d, "layers.0.", 64, 128);
    add_draft_vocab(d);
}

/* ---- writing ---- */

void model_dir_write_text(const char *folder, const char *file, const void *text, size_t n_bytes)
{
    char path[768];
    snprintf(path, sizeof path, "%s/%s", folder, file);
    FILE *out = fopen(path, "wb");
    MUST_TRUE(out && fwrite(text, 1, n_bytes, out) == n_bytes && fclose(out) == 0, path);
}

static void write_json(const char *folder, const char *file, json_t *v)
{
    char *text = json_dumps(v, JSON_COMPACT);
    MUST_TRUE(text != NULL, file);
    model_dir_write_text(folder, file, text, strlen(text));
    free(text);
}

/* Tensors i_shard, i_shard + n_shards, .. */
static void write_shard(const struct model_dir *d, const char *file, uint32_t i_shard,
                        uint32_t n_shards)
{
    json_t *header = json_pack("{s:{s:s}}", "__metadata__", "format", "pt");
    uint64_t n_data_bytes = 0;
    for (uint32_t i = i_shard; i < d->n_tensors; i += n_shards) {
        const struct model_dir_tensor *t = &d->tensors[i];
        json_t *shape = json_array();
        for (uint32_t k = 0; k < t->n_dims; k++)
            json_array_append_new(shape, json_integer((json_int_t)t->dims[k]));
        json_object_set_new(header, t->name,
                            json_pack("{s:s, s:o, s:[I, I]}", "dtype", t->dtype, "shape", shape,
                                      "data_offsets", (json_int_t)n_data_bytes,
                                      (json_int_t)(n_data_bytes + t->n_bytes)));
        n_data_bytes += t->n_bytes;
    }
    char *text = json_dumps(header, JSON_COMPACT);
    json_decref(header);
    MUST_TRUE(text != NULL, file);
    size_t n_text = strlen(text), at = 8 + n_text;
    unsigned char *whole = calloc(1, at + n_data_bytes);
    MUST_TRUE(whole != NULL, "memory");
    for (int k = 0; k < 8; k++)
        whole[k] = (unsigned char)((uint64_t)n_text >> 8 * k);
    memcpy(whole + 8, text, n_text);
    free(text);
    for (uint32_t i = i_shard; i < d->n_tensors; i += n_shards) {
        memcpy(whole + at, d->tensors[i].bytes, d->tensors[i].n_bytes);
        at += d->tensors[i].n_bytes;
    }
    model_dir_write_text(d->path, file, whole, at);
    free(whole);
}

void model_dir_write(const struct model_dir *d, uint32_t n_shards)
{
    char file[64];
    write_json(d->path, "config.json", d->config);
    if (n_shards <= 1) {
        write_shard(d, "model.safetensors", 0, 1);
        return;
    }
    json_t *map = json_object();
    for (uint32_t s = 0; s < n_shards; s++) {
        snprintf(file, sizeof file, "model-%05u-of-%05u.safetensors", s + 1, n_shards);
        write_shard(d, file, s, n_shards);
        for (uint32_t i = s; i < d->n_tensors; i += n_shards)
            json_object_set_new(map, d->tensors[i].name, json_string(file));
    }
    json_t *index = json_pack("{s:o}", "weight_map", map);
    write_json(d->path, "model.safetensors.index.json", index);
    json_decref(index);
}

static json_t *merge_of(struct str text)
{
    const char *space = memchr(text.p + 1, ' ', text.n_bytes - 1);
    MUST_TRUE(space != NULL, "merge");
    size_t n_left = (size_t)(space - text.p);
    return json_pack("[s%, s%]", text.p, n_left, space + 1, text.n_bytes - n_left - 1);
}

void model_dir_write_tokenizer(const struct model_dir *d)
{
    struct tok_small *ts = malloc(sizeof *ts);
    MUST_TRUE(ts != NULL, "memory");
    tok_small_init(ts);
    json_t *vocab = json_object(), *merges = json_array(), *added = json_array();
    for (uint32_t i = 0; i < ts->n_pieces; i++) {
        enum tok_class c = (enum tok_class)ts->classes[i];
        json_object_setn_new(vocab, ts->pieces[i].p, ts->pieces[i].n_bytes,
                             json_integer((json_int_t)i));
        if (c == TOK_CONTROL || c == TOK_USER_DEFINED)
            json_array_append_new(added,
                                  json_pack("{s:i, s:s%, s:b}", "id", (int)i, "content",
                                            ts->pieces[i].p, ts->pieces[i].n_bytes, "special", 1));
    }
    for (uint32_t i = 0; i < ts->n_merges; i++)
        json_array_append_new(merges, merge_of(ts->merges[i]));
    free(ts);
    json_t *root = json_pack("{s:o, s:{s:s, s:{s:s}, s:s}, s:n, s:{s:s, s:b, s:o, s:o}}",
                             "added_tokens", added, "normalizer", "type", "Replace", "pattern",
                             "String", " ", "content", "\xe2\x96\x81", "pre_tokenizer", "model",
                             "type", "BPE", "byte_fallback", 1, "vocab", vocab, "merges", merges);
    MUST_TRUE(root != NULL, "tokenizer.json");
    write_json(d->path, "tokenizer.json", root);
    json_decref(root);
}
