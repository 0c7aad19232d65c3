/* Configurations that ask for what cannot be converted: refused by file and member. */
#include "models/convert.h"

#include "runtime/base/mem.h"
#include "tests/model_dir.h"
#include "tests/t.h"

static const struct convert_want as_stored = {CONVERT_AS_STORED, NULL};

enum kind { GEMMA4, MTP, DFLASH, EAGLE3 };

/* The member of config.json (or of the object `within`) set to `json`, or taken away if that is
 * NULL. */
struct config_case {
    enum kind kind;
    const char *within, *member, *json, *says;
};

static void (*const make[])(struct model_dir *, const char *) = {
    model_dir_gemma4, model_dir_mtp, model_dir_dflash, model_dir_eagle3};

static void check_case(const struct config_case *k)
{
    struct model_dir d;
    struct err e = {0};
    make[k->kind](&d, "m");
    model_dir_write_tokenizer(&d);
    json_t *at = k->within ? json_object_get(d.config, k->within) : d.config;
    if (k->json)
        json_object_set_new(at, k->member, json_loads(k->json, JSON_DECODE_ANY, NULL));
    else
        json_object_del(at, k->member);
    model_dir_write(&d, 1);
    struct convert *c = convert_open(d.path, &as_stored, &e);
    CHECK_TRUE(c == NULL && e.code == ERR_FORMAT);
    if (!strstr(e.msg, "/m/config.json: ") || !strstr(e.msg, k->says))
        CHECK_STR(e.msg, k->says);
    convert_close(c);
    CHECK_EQ(mem_n_live(), 0);
    model_dir_free(&d);
}

TEST(convert_refuses_what_a_configuration_asks_for_in_vain)
{
    static const struct config_case cases[] = {
        {GEMMA4, 0, "architectures", "[\"LlamaForCausalLM\"]", "\"LlamaForCausalLM\" cannot be"},
        {GEMMA4, 0, "architectures", 0, "architectures: \"\" cannot be"},
        {GEMMA4, 0, "hidden_size", 0, "hidden_size is missing"},
        {GEMMA4, 0, "hidden_size", "\"64\"", "hidden_size must be a whole number"},
        {GEMMA4, 0, "hidden_size", "0", "hidden_size must be a whole number"},
        {GEMMA4, 0, "num_hidden_layers", "1000", "num_hidden_layers must be a whole number"},
        {GEMMA4, 0, "rms_norm_eps", "true", "rms_norm_eps must be a finite number"},
        {GEMMA4, 0, "rms_norm_eps", "1e300", "rms_norm_eps must be a finite number"},
        {GEMMA4, 0, "hidden_size_per_layer_input", "256", "hidden_size_per_layer_input asks for"},
        {GEMMA4, 0, "num_kv_shared_layers", "20", "num_kv_shared_layers asks for"},
        {GEMMA4, 0, "enable_moe_block", "true", "enable_moe_block asks for"},
        {GEMMA4, 0, "attention_bias", "true", "attention_bias asks for"},
        {GEMMA4, 0, "hidden_activation", "\"silu\"", "hidden_activation must be"},
        {GEMMA4, 0, "use_bidirectional_attention", "\"all\"", "use_bidirectional_attention must"},
        {GEMMA4, 0, "use_bidirectional_attention", "true", "use_bidirectional_attention must"},
        {GEMMA4, 0, "attention_k_eq_v", "1", "attention_k_eq_v must be true or false"},
        {GEMMA4, 0, "layer_types", "[\"full_attention\"]", "layer_types must be a list"},
        {GEMMA4, 0, "layer_types", "[\"full_attention\", \"chunked\"]", "layer_types must be"},
        {GEMMA4, 0, "global_head_dim", 0, "global_head_dim is missing"},
        {GEMMA4, 0, "global_head_dim", "33", "global_head_dim must be even"},
        {GEMMA4, 0, "per_layer_config", "[1]", "per_layer_config is not an object"},
        {GEMMA4, 0, "text_config", "[]", "text_config is not an object"},
        {GEMMA4, 0, "per_layer_config", "{\"7\": {}}", "7 is not the number of a layer"},
        {GEMMA4, 0, "per_layer_config", "{\"1\": {\"head_dim\": 48}}", "head_dim differs among"},
        {GEMMA4, 0, "per_layer_config", "{\"1\": {\"intermediate_size\": 48}}",
         "intermediate_size cannot be different"},
        {GEMMA4, 0, "per_layer_config", "{\"1\": 7}", "per_layer_config.1 is not an object"},
        {GEMMA4, "rope_parameters", "full_attention", 0, "rope_parameters must have"},
        {GEMMA4, "rope_parameters", "full_attention", "{\"rope_type\": \"proportional\"}",
         "rope_parameters.full_attention.rope_theta is missing"},
        {GEMMA4, 0, "quantization_config", "{\"quant_method\": \"gptq\"}",
         "quantization_config.quant_method must be modelopt"},
        {GEMMA4, 0, "quantization_config",
         "{\"quant_method\": \"modelopt\", \"quant_algo\": \"FP8\"}",
         "quantization_config.quant_algo is not NVFP4"},
        {GEMMA4, 0, "quantization_config",
         "{\"quant_method\": \"compressed-tensors\", \"format\": \"float-quantized\"}",
         "quantization_config.format must be"},
        {MTP, 0, "use_ordered_embeddings", "true", "use_ordered_embeddings asks for"},
        {MTP, 0, "backbone_hidden_size", 0, "backbone_hidden_size is missing"},
        {MTP, "text_config", "num_kv_shared_layers", "1", "num_kv_shared_layers must be the"},
        {MTP, "text_config", "tie_word_embeddings", "false", "tie_word_embeddings must be true"},
        {DFLASH, 0, "dflash_config", 0, "dflash_config is missing"},
        {DFLASH, 0, "dflash_config", "7", "dflash_config is not an object"},
        {DFLASH, 0, "rope_parameters", "[]", "rope_parameters is not an object"},
        {DFLASH, "dflash_config", "target_layer_ids", "[]", "target_layer_ids must be a list"},
        {DFLASH, "dflash_config", "target_layer_ids", "[1, -2]", "target_layer_ids must be"},
        {DFLASH, "dflash_config", "mask_token_id", "96", "mask_token_id must be a whole number"},
        {DFLASH, 0, "block_size", 0, "block_size is missing"},
        {DFLASH, 0, "hidden_act", "\"gelu\"", "hidden_act must be \"silu\""},
        {DFLASH, 0, "rope_scaling", "{\"type\": \"yarn\"}", "rope_scaling cannot be"},
        {DFLASH, 0, "sliding_window", 0, "sliding_window is missing"},
        {DFLASH, 0, "draft_vocab_size", "64", "draft_vocab_size belongs to another kind"},
        {EAGLE3, 0, "speculators_model_type", "\"dflash\"", "speculators_model_type must be"},
        {EAGLE3, 0, "speculators_model_type", "7", "speculators_model_type must be"},
        {EAGLE3, "transformer_layer_config", "head_dim", "33", "head_dim must be even"},
        {EAGLE3, 0, "eagle_aux_hidden_state_layer_ids", "[1, 3]", "must be 3 layers"},
        {EAGLE3, 0, "eagle_aux_hidden_state_layer_ids", 0, "layer_ids is missing"},
        {EAGLE3, 0, "norm_output", "true", "norm_output asks for"},
        {EAGLE3, 0, "draft_vocab_size", "300", "draft_vocab_size must be a whole number"},
        {EAGLE3, "transformer_layer_config", "num_hidden_layers", "2", "must be 1 for EAGLE-3"},
        {EAGLE3, "transformer_layer_config", "mlp_bias", "true", "mlp_bias asks for"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        check_case(&cases[i]);
}

static void expect_refused(struct model_dir *d, const char *file, const char *text,
                           const char *says)
{
    struct err e = {0};
    model_dir_write_text(d->path, file, text, strlen(text));
    CHECK_TRUE(convert_open(d->path, &as_stored, &e) == NULL);
    if (!strstr(e.msg, file) || !strstr(e.msg, says))
        CHECK_STR(e.msg, says);
}

TEST(convert_refuses_side_files_by_name)
{
    struct model_dir d;
    model_dir_gemma4(&d, "m");
    model_dir_write(&d, 1);
    model_dir_write_tokenizer(&d);
    static const char q[] = "hf_quant_config.json", g[] = "generation_config.json";
    expect_refused(&d, q, "{\"quantization\": {\"quant_algo\": \"FP8\"}}", "quant_algo is not");
    expect_refused(&d, q, "{\"quantization\": {\"quant_algo\": \"NVFP4\", \"group_size\": 32}}",
                   "group_size must be 16");
    expect_refused(&d, q, "[]", "not an object");
    expect_refused(&d, q, "{", "json");
    model_dir_write_text(d.path, q, "{}", 2);
    expect_refused(&d, g, "{\"eos_token_id\": [1, 7]}", "eos_token_id has 7, but generation ends");
    expect_refused(&d, g, "{\"eos_token_id\": 99999}", "eos_token_id has 99999");
    expect_refused(&d, g, "not json", "json");
    model_dir_write_text(d.path, g, "{}", 2);
    expect_refused(&d, "config.json", "{\"a\": 1, \"a\": 2}", "duplicate");
    model_dir_free(&d);
}
