#include "models/convert.h"

#include "kernels/quant/dequant.h"
#include "models/gemma4_text.h"
#include "models/tok.h"
#include "runtime/base/mem.h"
#include "tests/model_dir.h"
#include "tests/t.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static const struct convert_want as_stored = {CONVERT_AS_STORED, NULL};

static bool write_all(const struct convert *c, struct gguf_writer *w, const char *path,
                      struct err *e)
{
    bool ok = convert_declare(c, w, e) && gguf_write_seal(w, e) && gguf_write_open(w, path, e);
    for (uint32_t i = 0; i < convert_n_tensors(c) && ok; i++) {
        const struct convert_tensor *t = convert_at(c, i);
        uint64_t i_bad, row_bytes = convert_row_bytes(t);
        float *scratch = calloc(convert_row_elems(t), sizeof *scratch);
        void *row = calloc(1, row_bytes);
        for (uint64_t r = 0; r < convert_n_rows(t) && ok; r++) {
            const char *why = convert_rows(t, r, 1, scratch, row, &i_bad);
            ok =
                why ? convert_bad_row(c, t, i_bad, why, e) : gguf_write_bytes(w, row, row_bytes, e);
        }
        convert_done(c, t);
        free(scratch);
        free(row);
    }
    return ok && gguf_write_commit(w, e);
}

/* The directory as a GGUF file, opened; NULL with a message. */
static struct gguf *convert_whole(const struct model_dir *d, const struct convert_want *want,
                                  struct err *e)
{
    char path[600];
    snprintf(path, sizeof path, "%s.gguf", d->path);
    struct convert *c = convert_open(d->path, want, e);
    struct gguf_writer *w = c ? gguf_write_new(e) : NULL;
    bool ok = w && write_all(c, w, path, e);
    gguf_write_free(w);
    convert_close(c);
    return ok ? gguf_open(path, e) : NULL;
}

static struct gguf *must_convert(const struct model_dir *d, const struct convert_want *want)
{
    struct err e = {0};
    struct gguf *g = convert_whole(d, want, &e);
    MUST_TRUE(g != NULL, e.msg);
    return g;
}

/* A tensor of the file holds the formula's values of the tensor `from`, row r from row of[r]. */
static void check_floats(const struct gguf *g, const char *to, const char *from,
                         uint64_t (*of)(uint64_t r))
{
    const struct gguf_tensor *t = gguf_tensor(g, to);
    MUST_TRUE(t != NULL, to);
    uint64_t n = t->dims[0], row_bytes = qtype_row_bytes(t->type, n), n_wrong = 0;
    float row[512];
    MUST_TRUE(n <= 512, to);
    for (uint64_t r = 0; r < t->dims[1]; r++) {
        dequant_row(t->type, t->bytes + r * row_bytes, row, n);
        for (uint64_t i = 0; i < n; i++)
            n_wrong += row[i] != model_dir_value(from, (of ? of(r) : r) * n + i);
    }
    CHECK_EQ(n_wrong, 0);
}

static void check_u32(const struct gguf *g, const char *key, uint32_t want)
{
    struct err e = {0};
    uint32_t got = 0;
    MUST_TRUE(gguf_get_u32(g, key, &got, &e), e.msg);
    CHECK_EQ(got, want);
}

static void check_f32(const struct gguf *g, const char *key, float want)
{
    struct err e = {0};
    float got = 0;
    MUST_TRUE(gguf_get_f32(g, key, &got, &e), e.msg);
    CHECK_TRUE(got == want);
}

static void check_list(const struct gguf *g, const char *key, const int32_t *want, uint64_t n)
{
    struct err e = {0};
    struct gguf_array a;
    MUST_TRUE(gguf_get_arr(g, key, &a, &e), e.msg);
    CHECK_EQ(a.n_elems, n);
    for (uint64_t i = 0; i < n && i < a.n_elems; i++) {
        int32_t got = -1;
        bool flag;
        if (a.elem_type == GGUF_BOOL && gguf_arr_bool(&a, i, &flag))
            got = flag;
        else
            (void)gguf_arr_i32(&a, i, &got);
        CHECK_EQ(got, want[i]);
    }
}

static void check_bool(const struct gguf *g, const char *key, bool want)
{
    const struct gguf_kv *kv = gguf_find(g, key);
    CHECK_TRUE(kv && kv->type == GGUF_BOOL && kv->value.u64 == want);
}

/* ---- Gemma 4 ---- */

static void write_gemma4(struct model_dir *d, uint32_t n_shards)
{
    model_dir_gemma4(d, "gemma");
    model_dir_write(d, n_shards);
    model_dir_write_tokenizer(d);
}

static void check_gemma4_tensors(const struct gguf *g, enum qtype matrices)
{
    static const struct {
        const char *to, *from;
    } pairs[] = {
        {"token_embd.weight", "model.embed_tokens.weight"},
        {"output_norm.weight", "model.norm.weight"},
        {"blk.0.attn_norm.weight", "model.layers.0.input_layernorm.weight"},
        {"blk.0.attn_q.weight", "model.layers.0.self_attn.q_proj.weight"},
        {"blk.0.attn_k.weight", "model.layers.0.self_attn.k_proj.weight"},
        {"blk.0.attn_v.weight", "model.layers.0.self_attn.v_proj.weight"},
        {"blk.1.attn_output.weight", "model.layers.1.self_attn.o_proj.weight"},
        {"blk.1.attn_q_norm.weight", "model.layers.1.self_attn.q_norm.weight"},
        {"blk.1.attn_k_norm.weight", "model.layers.1.self_attn.k_norm.weight"},
        {"blk.1.post_attention_norm.weight", "model.layers.1.post_attention_layernorm.weight"},
        {"blk.1.ffn_norm.weight", "model.layers.1.pre_feedforward_layernorm.weight"},
        {"blk.1.ffn_gate.weight", "model.layers.1.mlp.gate_proj.weight"},
        {"blk.1.ffn_up.weight", "model.layers.1.mlp.up_proj.weight"},
        {"blk.1.ffn_down.weight", "model.layers.1.mlp.down_proj.weight"},
        {"blk.1.post_ffw_norm.weight", "model.layers.1.post_feedforward_layernorm.weight"},
        {"blk.1.layer_output_scale.weight", "model.layers.1.layer_scalar"},
    };
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        check_floats(g, pairs[i].to, pairs[i].from, NULL);
        const struct gguf_tensor *t = gguf_tensor(g, pairs[i].to);
        CHECK_EQ(t->type, t->n_dims == 2 ? matrices : QTYPE_F32);
    }
    CHECK_TRUE(gguf_tensor(g, "blk.1.attn_v.weight") == NULL);
    CHECK_TRUE(gguf_tensor(g, "output.weight") == NULL);
    CHECK_EQ(gguf_n_tensors(g), 3 + 14 + 13);
}

TEST(convert_makes_a_gemma4_file_that_the_loaders_take)
{
    struct model_dir d;
    struct err e = {0};
    size_t image_bytes;
    const int32_t n_kv[] = {2, 1}, pattern[] = {1, 0};
    write_gemma4(&d, 1);
    struct gguf *g = must_convert(&d, &as_stored);
    check_gemma4_tensors(g, QTYPE_BF16);
    check_u32(g, "general.file_type", 32);
    check_u32(g, "gemma4.attention.key_length", 64);
    check_u32(g, "gemma4.attention.key_length_swa", 32);
    check_u32(g, "gemma4.rope.dimension_count", 64);
    check_f32(g, "gemma4.rope.freq_base_swa", 10000.0f);
    check_f32(g, "gemma4.final_logit_softcapping", 30.0f);
    check_list(g, "gemma4.attention.head_count_kv", n_kv, 2);
    check_list(g, "gemma4.attention.sliding_window_pattern", pattern, 2);
    const float *rope = (const float *)(const void *)gguf_tensor(g, "rope_freqs.weight")->bytes;
    for (int i = 0; i < 32; i++) /* 0.25 * 64 / 2 pairs rotate */
        CHECK_TRUE(rope[i] == (i < 8 ? 1.0f : 1e30f));
    struct gemma4 *m = calloc(1, sizeof *m);
    MUST_TRUE(m && gemma4_bind(m, g, &e), e.msg);
    CHECK_TRUE(m->dims.n_layers == 2 && m->dims.window == 16 && m->output.bytes);
    free(m);
    void *image = tok_build(g, &image_bytes, &e);
    MUST_TRUE(image != NULL, e.msg);
    free(image);
    gguf_close(g);
    model_dir_free(&d);
    CHECK_EQ(mem_n_live(), 0);
}

TEST(convert_gives_the_same_file_from_shards_and_from_both_forms_of_configuration)
{
    struct model_dir d;
    char path[600];
    size_t n_first, n_again;
    write_gemma4(&d, 1);
    snprintf(path, sizeof path, "%s.gguf", d.path);
    gguf_close(must_convert(&d, &as_stored));
    char *first = t_read_file(path, &n_first);
    json_object_del(d.config, "num_global_key_value_heads");
    json_object_del(d.config, "global_head_dim");
    json_object_set_new(d.config, "per_layer_config",
                        json_pack("{s:{s:i, s:i}}", "1", "head_dim", 64, "num_key_value_heads", 1));
    char file[600];
    snprintf(file, sizeof file, "%s/model.safetensors", d.path);
    CHECK_EQ(remove(file), 0);
    model_dir_write(&d, 4);
    gguf_close(must_convert(&d, &as_stored));
    char *again = t_read_file(path, &n_again);
    CHECK_EQ(n_again, n_first);
    CHECK_TRUE(n_again == n_first && memcmp(first, again, n_first) == 0);
    free(first);
    free(again);
    model_dir_free(&d);
}

TEST(convert_rounds_matrices_to_the_type_asked_for)
{
    static const struct {
        enum convert_float want;
        enum qtype type;
        uint32_t file_type;
    } cases[] = {{CONVERT_TO_F32, QTYPE_F32, 0},
                 {CONVERT_TO_F16, QTYPE_F16, 1},
                 {CONVERT_TO_BF16, QTYPE_BF16, 32}};
    static const char *const stored[] = {"F32", "F16", "BF16"};
    for (int i = 0; i < 3; i++) {
        struct model_dir d;
        model_dir_gemma4(&d, "gemma");
        model_dir_remove(&d, "model.layers.0.mlp.up_proj.weight");
        model_dir_add(&d, "model.layers.0.mlp.up_proj.weight", stored[i], 128, 64);
        model_dir_write(&d, 1);
        model_dir_write_tokenizer(&d);
        struct gguf *g = must_convert(&d, &(struct convert_want){cases[i].want, NULL});
        check_gemma4_tensors(g, cases[i].type);
        check_floats(g, "blk.0.ffn_up.weight", "model.layers.0.mlp.up_proj.weight", NULL);
        check_u32(g, "general.file_type", cases[i].file_type);
        gguf_close(g);
        model_dir_free(&d);
    }
}

TEST(convert_takes_the_text_model_out_of_one_with_pictures)
{
    struct model_dir d;
    char name[96];
    model_dir_gemma4(&d, "gemma");
    json_t *text = json_deep_copy(d.config);
    json_object_clear(d.config);
    json_object_set_new(d.config, "text_config", text);
    json_object_set_new(d.config, "architectures",
                        json_pack("[s]", "Gemma4ForConditionalGeneration"));
    for (uint32_t i = 0; i < d.n_tensors; i++) {
        snprintf(name, sizeof name, "model.language_model.%s", d.tensors[i].name + 6);
        memcpy(d.tensors[i].name, name, sizeof name);
    }
    model_dir_add(&d, "model.vision_tower.patch.weight", "BF16", 4, 4);
    model_dir_add(&d, "model.embed_vision.embedding_projection.weight", "BF16", 4, 4);
    model_dir_write(&d, 2);
    model_dir_write_tokenizer(&d);
    static const char generation[] =
        "{\"temperature\": 0.5, \"top_p\": 0.75, \"top_k\": 12, \"suppress_tokens\": [7, 9], "
        "\"eos_token_id\": [1, 9]}"; /* <eos>, <turn|> */
    model_dir_write_text(d.path, "generation_config.json", generation, strlen(generation));
    static const char chat[] = "a template with preserve_thinking\n";
    model_dir_write_text(d.path, "chat_template.jinja", chat, strlen(chat));
    struct gguf *g = must_convert(&d, &as_stored);
    CHECK_EQ(gguf_n_tensors(g), 3 + 14 + 13);
    const int32_t suppressed[] = {7, 9};
    struct str template = {0};
    check_f32(g, "general.sampling.temp", 0.5f);
    check_f32(g, "general.sampling.top_p", 0.75f);
    check_u32(g, "general.sampling.top_k", 12);
    check_list(g, "tokenizer.ggml.suppress_tokens", suppressed, 2);
    CHECK_TRUE(gguf_get_str(g, "tokenizer.chat_template", &template, NULL) &&
               str_is(template, chat));
    gguf_close(g);
    model_dir_free(&d);
}

/* ---- NVFP4 ---- */

/* drafters 3.7, written anew: value [r, k] of a packed matrix. */
static double packed_value(const char *stem, uint64_t r, uint64_t k, uint64_t n_in)
{
    static const double e2m1[] = {0, 0.5, 1, 1.5, 2, 3, 4, 6};
    char name[96];
    snprintf(name, sizeof name, "%s.weight", stem);
    int byte = model_dir_byte(name, r * (n_in / 2) + k / 2), code = k % 2 ? byte >> 4 : byte & 15;
    snprintf(name, sizeof name, "%s.weight_scale", stem);
    int s = model_dir_byte(name, r * (n_in / 16) + k / 16) % 0x7f;
    double scale = s < 8 ? s * ldexp(1, -9) : (1 + (s & 7) / 8.0) * ldexp(1, (s >> 3) - 7);
    return (code & 8 ? -1 : 1) * e2m1[code & 7] * scale;
}

static void check_packed(const struct gguf *g, const char *to, const char *stem,
                         uint64_t (*of)(uint64_t r))
{
    const struct gguf_tensor *t = gguf_tensor(g, to);
    MUST_TRUE(t && t->type == QTYPE_NVFP4, to);
    uint64_t n = t->dims[0], row_bytes = qtype_row_bytes(QTYPE_NVFP4, n), n_wrong = 0;
    float row[512];
    MUST_TRUE(n <= 512, to);
    for (uint64_t r = 0; r < t->dims[1]; r++) {
        dequant_row(t->type, t->bytes + r * row_bytes, row, n);
        for (uint64_t k = 0; k < n; k++)
            n_wrong += (double)row[k] != packed_value(stem, of ? of(r) : r, k, n);
    }
    CHECK_EQ(n_wrong, 0);
}

static void check_value(const struct gguf *g, const char *name, float want)
{
    const struct gguf_tensor *t = gguf_tensor(g, name);
    MUST_TRUE(t && t->type == QTYPE_F32 && t->n_bytes == 4, name);
    float got;
    memcpy(&got, t->bytes, 4);
    CHECK_TRUE(got == want);
}

TEST(convert_repacks_modelopt_nvfp4_without_changing_a_value)
{
    struct model_dir d;
    model_dir_gemma4(&d, "gemma");
    model_dir_pack(&d, "model.layers.0.mlp.gate_proj", 0.125f, 3.0f);
    model_dir_pack(&d, "model.layers.1.mlp.down_proj", 1.0f, 1.0f);
    model_dir_add(&d, "model.layers.1.self_attn.k_proj.k_scale", "F32", 1, 0);
    json_object_set_new(d.config, "quantization_config",
                        json_pack("{s:s, s:s}", "quant_method", "modelopt", "quant_algo", "NVFP4"));
    static const char sidecar[] =
        "{\"quantization\": {\"quant_algo\": \"NVFP4\", \"group_size\": 16}}";
    model_dir_write(&d, 1);
    model_dir_write_tokenizer(&d);
    model_dir_write_text(d.path, "hf_quant_config.json", sidecar, strlen(sidecar));
    struct gguf *g = must_convert(&d, &(struct convert_want){CONVERT_TO_F16, NULL});
    check_packed(g, "blk.0.ffn_gate.weight", "model.layers.0.mlp.gate_proj", NULL);
    check_packed(g, "blk.1.ffn_down.weight", "model.layers.1.mlp.down_proj", NULL);
    check_value(g, "blk.0.ffn_gate.scale", 0.125f);
    check_value(g, "blk.0.ffn_gate.input_scale", 3.0f);
    CHECK_TRUE(!gguf_tensor(g, "blk.1.ffn_down.scale")); /* 1 is what absence means */
    CHECK_TRUE(!gguf_tensor(g, "blk.1.ffn_down.input_scale"));
    CHECK_EQ(gguf_tensor(g, "blk.0.ffn_up.weight")->type, QTYPE_F16);
    check_u32(g, "general.file_type", 39);
    gguf_close(g);
    model_dir_free(&d);
}

TEST(convert_repacks_compressed_tensors_nvfp4_with_reciprocal_scales)
{
    struct model_dir d;
    const char *stem = "model.layers.0.mlp.gate_proj";
    model_dir_gemma4(&d, "gemma");
    model_dir_pack(&d, stem, 8.0f, 0.25f);
    model_dir_rename(&d, "model.layers.0.mlp.gate_proj.weight",
                     "model.layers.0.mlp.gate_proj.weight_packed");
    model_dir_rename(&d, "model.layers.0.mlp.gate_proj.weight_scale_2",
                     "model.layers.0.mlp.gate_proj.weight_global_scale");
    model_dir_rename(&d, "model.layers.0.mlp.gate_proj.input_scale",
                     "model.layers.0.mlp.gate_proj.input_global_scale");
    json_object_set_new(d.config, "quantization_config",
                        json_pack("{s:s, s:s}", "quant_method", "compressed-tensors", "format",
                                  "nvfp4-pack-quantized"));
    model_dir_write(&d, 1);
    model_dir_write_tokenizer(&d);
    struct gguf *g = must_convert(&d, &as_stored);
    check_packed(g, "blk.0.ffn_gate.weight", stem, NULL);
    check_value(g, "blk.0.ffn_gate.scale", 0.125f);
    check_value(g, "blk.0.ffn_gate.input_scale", 4.0f);
    gguf_close(g);
    model_dir_free(&d);
}

/* ---- drafters ---- */

TEST(convert_makes_an_mtp_file)
{
    struct model_dir d;
    const int32_t n_kv[] = {2, 1};
    model_dir_mtp(&d, "mtp");
    memcpy(model_dir_add(&d, "lm_head.weight", "BF16", 96, 64)->bytes,
           model_dir_find(&d, "model.embed_tokens.weight")->bytes, 2 * 96 * 64);
    model_dir_write(&d, 1);
    struct gguf *g = must_convert(&d, &as_stored);
    CHECK_EQ(gguf_n_tensors(g), 5 + 2 * 11);
    check_floats(g, "nextn.pre_projection.weight", "pre_projection.weight", NULL);
    check_floats(g, "nextn.post_projection.weight", "post_projection.weight", NULL);
    check_floats(g, "token_embd.weight", "model.embed_tokens.weight", NULL);
    check_floats(g, "blk.1.attn_q.weight", "model.layers.1.self_attn.q_proj.weight", NULL);
    check_floats(g, "blk.1.layer_output_scale.weight", "model.layers.1.layer_scalar", NULL);
    check_u32(g, "gemma4-assistant.embedding_length", 64);
    check_u32(g, "gemma4-assistant.embedding_length_out", 128);
    check_u32(g, "gemma4-assistant.nextn_predict_layers", 2);
    check_u32(g, "gemma4-assistant.attention.shared_kv_layers", 2);
    check_list(g, "gemma4-assistant.attention.head_count_kv", n_kv, 2);
    CHECK_TRUE(!gguf_find(g, "tokenizer.ggml.tokens"));
    gguf_close(g);
    model_dir_free(&d);
}

TEST(convert_makes_a_dflash_file_whose_taps_are_layer_inputs)
{
    struct model_dir d;
    const int32_t taps[] = {2, 3, 4}, pattern[] = {1, 0};
    struct str name = {0};
    model_dir_dflash(&d, "dfl\xe4sh"); /* Latin-1 */
    json_object_del(d.config, "max_position_embeddings");
    model_dir_write(&d, 1);
    struct gguf *g = must_convert(&d, &as_stored);
    CHECK_TRUE(gguf_get_str(g, "general.name", &name, NULL) && str_is(name, "dfl?sh"));
    check_u32(g, "dflash.context_length", 8192);
    CHECK_EQ(gguf_n_tensors(g), 3 + 2 * 11);
    check_floats(g, "fc.weight", "fc.weight", NULL);
    check_floats(g, "enc.output_norm.weight", "hidden_norm.weight", NULL);
    check_floats(g, "blk.0.ffn_norm.weight", "layers.0.post_attention_layernorm.weight", NULL);
    check_floats(g, "blk.1.attn_k.weight", "layers.1.self_attn.k_proj.weight", NULL);
    check_list(g, "dflash.target_layers", taps, 3);
    check_list(g, "dflash.attention.sliding_window_pattern", pattern, 2);
    check_u32(g, "dflash.attention.sliding_window", 16);
    check_u32(g, "dflash.block_size", 8);
    check_u32(g, "dflash.attention.head_count_kv", 2);
    check_u32(g, "tokenizer.ggml.mask_token_id", 4);
    gguf_close(g);
    model_dir_free(&d);
}

/* Heads of 32 rows: 0, 16, 1, 17, .. */
static uint64_t interleaved_32(uint64_t r)
{
    return r / 32 * 32 + r % 32 / 2 + (r % 2 ? 16 : 0);
}

static void check_draft_ids(const struct gguf *g)
{
    const struct gguf_tensor *t = gguf_tensor(g, "d2t");
    MUST_TRUE(t && t->type == QTYPE_I64 && t->dims[0] == 64, "d2t");
    for (int64_t i = 0; i < 64; i++) {
        int64_t id;
        memcpy(&id, t->bytes + 8 * i, 8);
        CHECK_EQ(id, 4 * i + 1);
    }
    CHECK_TRUE(!gguf_tensor(g, "t2d"));
}

TEST(convert_makes_an_eagle3_file_with_interleaved_heads_and_absolute_ids)
{
    struct model_dir d;
    const int32_t taps[] = {1, 3, 5};
    model_dir_eagle3(&d, "eagle3");
    model_dir_write(&d, 1);
    struct gguf *g = must_convert(&d, &as_stored);
    CHECK_EQ(gguf_n_tensors(g), 5 + 10);
    check_floats(g, "blk.0.attn_q.weight", "layers.0.self_attn.q_proj.weight", interleaved_32);
    check_floats(g, "blk.0.attn_k.weight", "layers.0.self_attn.k_proj.weight", interleaved_32);
    check_floats(g, "blk.0.attn_v.weight", "layers.0.self_attn.v_proj.weight", NULL);
    check_floats(g, "blk.0.attn_norm_2.weight", "layers.0.hidden_norm.weight", NULL);
    check_floats(g, "output.weight", "lm_head.weight", NULL);
    check_draft_ids(g);
    check_list(g, "eagle3.target_layers", taps, 3);
    check_u32(g, "eagle3.target_hidden_size", 64);
    check_bool(g, "eagle3.norm_before_residual", true);
    check_bool(g, "eagle3.norm_before_fc", false);
    gguf_close(g);
    model_dir_free(&d);
}

TEST(convert_repacks_an_nvfp4_eagle3_without_embedding)
{
    static const char *const packed[][2] = {
        {"fc", "fc"},
        {"layers.0.self_attn.q_proj", "blk.0.attn_q"},
        {"layers.0.self_attn.k_proj", "blk.0.attn_k"},
        {"layers.0.self_attn.v_proj", "blk.0.attn_v"},
        {"layers.0.self_attn.o_proj", "blk.0.attn_output"},
        {"layers.0.mlp.gate_proj", "blk.0.ffn_gate"},
        {"layers.0.mlp.up_proj", "blk.0.ffn_up"},
        {"layers.0.mlp.down_proj", "blk.0.ffn_down"},
    };
    struct model_dir d;
    char to[96];
    model_dir_eagle3(&d, "eagle3");
    model_dir_remove(&d, "embed_tokens.weight");
    for (size_t i = 0; i < sizeof packed / sizeof *packed; i++)
        model_dir_pack(&d, packed[i][0], 0.5f + (float)i, 1.0f);
    model_dir_write(&d, 1);
    struct gguf *g = must_convert(&d, &as_stored);
    for (size_t i = 0; i < sizeof packed / sizeof *packed; i++) {
        snprintf(to, sizeof to, "%s.weight", packed[i][1]);
        check_packed(g, to, packed[i][0], i == 1 || i == 2 ? interleaved_32 : NULL);
        snprintf(to, sizeof to, "%s.scale", packed[i][1]);
        check_value(g, to, 0.5f + (float)i);
    }
    check_draft_ids(g);
    CHECK_TRUE(!gguf_tensor(g, "token_embd.weight"));
    gguf_close(g);
    model_dir_free(&d);
}

/* A target's directory, and its vocabulary size. */
static __attribute__((noinline)) json_t *write_target(char path[512])
{
    struct model_dir d;
    write_gemma4(&d, 1);
    snprintf(path, 512, "%s", d.path);
    json_t *n_vocab = json_incref(json_object_get(d.config, "vocab_size"));
    model_dir_free(&d);
    return n_vocab;
}

TEST(convert_takes_older_eagle3_names_and_a_tokenizer_from_elsewhere)
{
    struct model_dir d;
    char name[96], target[512];
    json_t *n_vocab = write_target(target);
    model_dir_eagle3(&d, "eagle3");
    json_object_set_new(json_object_get(d.config, "transformer_layer_config"), "vocab_size",
                        n_vocab);
    model_dir_remove(&d, "t2d");
    model_dir_remove(&d, "embed_tokens.weight");
    for (uint32_t i = 0; i < d.n_tensors; i++)
        if (strncmp(d.tensors[i].name, "layers.0.", 9) == 0) {
            snprintf(name, sizeof name, "midlayer.%s", d.tensors[i].name + 9);
            memcpy(d.tensors[i].name, name, sizeof name);
        }
    json_object_set_new(d.config, "norm_before_fc", json_true());
    model_dir_add(&d, "input_norm.weight", "BF16", 192, 0);
    model_dir_write(&d, 1);
    struct gguf *g = must_convert(&d, &(struct convert_want){CONVERT_AS_STORED, target});
    check_floats(g, "blk.0.attn_q.weight", "layers.0.self_attn.q_proj.weight", interleaved_32);
    check_floats(g, "enc.output_norm.weight", "input_norm.weight", NULL);
    check_bool(g, "eagle3.norm_before_fc", true);
    CHECK_TRUE(gguf_find(g, "tokenizer.ggml.tokens") != NULL);
    gguf_close(g);
    model_dir_free(&d);
}
