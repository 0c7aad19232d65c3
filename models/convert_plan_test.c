/* What is missing, left over, of another shape or type, or not a number: each refused in one line
 * that names file and tensor. */
#include "models/convert.h"

#include "runtime/base/mem.h"
#include "tests/model_dir.h"
#include "tests/t.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static const struct convert_want as_stored = {CONVERT_AS_STORED, NULL};

/* Writes and converts; frees d. Rows are read too. */
static void expect_refused(struct model_dir *d, const char *file, const char *says)
{
    struct err e = {0};
    const char *why = NULL;
    uint64_t i_bad = 0;
    model_dir_write(d, 1);
    struct convert *c = convert_open(d->path, &as_stored, &e);
    for (uint32_t i = 0; c && i < convert_n_tensors(c) && !why; i++) {
        const struct convert_tensor *t = convert_at(c, i);
        uint64_t n_rows = convert_n_rows(t);
        float *scratch = calloc(convert_row_elems(t), sizeof *scratch);
        void *rows = calloc(n_rows, convert_row_bytes(t));
        why = convert_rows(t, 0, n_rows, scratch, rows, &i_bad);
        if (why)
            (void)convert_bad_row(c, t, i_bad, why, &e);
        free(scratch);
        free(rows);
    }
    CHECK_TRUE(e.code == ERR_FORMAT && !strchr(e.msg, '\n'));
    if (!strstr(e.msg, file) || !strstr(e.msg, says))
        CHECK_STR(e.msg, says);
    convert_close(c);
    CHECK_EQ(mem_n_live(), 0);
    model_dir_free(d);
}

static void begin(struct model_dir *d)
{
    model_dir_gemma4(d, "gemma");
    model_dir_write_tokenizer(d);
}

static const char up[] = "model.layers.1.mlp.up_proj.weight";

TEST(convert_names_a_missing_tensor)
{
    static const char *const names[] = {
        "model.norm.weight",
        "model.embed_tokens.weight",
        "model.layers.0.self_attn.v_proj.weight",
        "model.layers.1.layer_scalar",
        "model.layers.1.mlp.up_proj.weight",
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct model_dir d;
        char says[128];
        begin(&d);
        model_dir_remove(&d, names[i]);
        snprintf(says, sizeof says, "tensor \"%s\" is missing", names[i]);
        expect_refused(&d, d.path, says);
    }
}

TEST(convert_names_a_tensor_that_has_no_place)
{
    static const char *const names[] = {
        "model.layers.1.self_attn.v_proj.weight", /* the global layer has none */
        "model.layers.2.mlp.up_proj.weight",      "model.layers.0.mlp.up_proj.bias",
        "model.layers.0.experts.gate.weight",     "some.k_scale", /* a cache scale is one value */
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct model_dir d;
        char says[128];
        begin(&d);
        model_dir_add(&d, names[i], "BF16", 64, 64);
        snprintf(says, sizeof says, "tensor \"%s\" has no place", names[i]);
        expect_refused(&d, "model.safetensors: ", says);
    }
}

TEST(convert_names_a_tensor_of_another_shape_or_type)
{
    static const struct {
        const char *name, *dtype;
        uint64_t n_out, n_in;
        const char *says;
    } cases[] = {
        {up, "BF16", 64, 128, "has shape [64, 128], expected [128, 64]"},
        {up, "BF16", 128 * 64, 0, "has shape [8192], expected [128, 64]"},
        {up, "I64", 128, 64, "is I64, expected BF16, F16 or F32"},
        {up, "U8", 128, 32, "is U8, expected BF16, F16 or F32"},
        {"model.norm.weight", "BF16", 63, 0, "has shape [63], expected [64]"},
        {"model.norm.weight", "BOOL", 64, 0, "is BOOL, expected"},
        {"model.layers.1.layer_scalar", "BF16", 2, 0, "has shape [2], expected [1]"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct model_dir d;
        char says[160];
        begin(&d);
        model_dir_remove(&d, cases[i].name);
        model_dir_add(&d, cases[i].name, cases[i].dtype, cases[i].n_out, cases[i].n_in);
        snprintf(says, sizeof says, "tensor \"%s\" %s", cases[i].name, cases[i].says);
        expect_refused(&d, "model.safetensors: ", says);
    }
}

TEST(convert_names_the_row_of_a_value_that_is_not_finite)
{
    struct model_dir d;
    begin(&d);
    model_dir_find(&d, up)->bytes[2 * (5 * 64 + 3)] = 0x80; /* row 5: +infinity */
    model_dir_find(&d, up)->bytes[2 * (5 * 64 + 3) + 1] = 0x7f;
    expect_refused(&d, "model.safetensors", "row 5 (of \"blk.1.ffn_up.weight\"): not finite");
}

TEST(convert_refuses_a_value_too_large_for_the_type_asked_for)
{
    struct model_dir d;
    struct err e = {0};
    float scratch[64];
    uint16_t row[64];
    uint64_t i_bad;
    const char *why = NULL;
    begin(&d);
    model_dir_find(&d, up)->bytes[1] = 0x7e; /* about 1e38 */
    model_dir_write(&d, 1);
    struct convert *c = convert_open(d.path, &(struct convert_want){CONVERT_TO_F16, NULL}, &e);
    MUST_TRUE(c != NULL, e.msg);
    for (uint32_t i = 0; i < convert_n_tensors(c) && !why; i++)
        if (convert_row_elems(convert_at(c, i)) == 64 && convert_n_rows(convert_at(c, i)) > 1)
            why = convert_rows(convert_at(c, i), 0, 1, scratch, row, &i_bad);
    CHECK_STR(why, "a value is too large for the type");
    convert_close(c);
    model_dir_free(&d);
}

TEST(convert_takes_a_copy_of_the_tied_embedding_and_refuses_another_matrix)
{
    struct model_dir d;
    struct err e = {0};
    begin(&d);
    struct model_dir_tensor *embd = model_dir_find(&d, "model.embed_tokens.weight");
    struct model_dir_tensor *head =
        model_dir_add(&d, "lm_head.weight", "BF16", embd->dims[0], embd->dims[1]);
    memcpy(head->bytes, embd->bytes, embd->n_bytes);
    model_dir_write(&d, 1);
    struct convert *c = convert_open(d.path, &as_stored, &e);
    MUST_TRUE(c != NULL, e.msg);
    CHECK_EQ(convert_n_left_out(c), 1);
    convert_close(c);
    head->bytes[7] ^= 1;
    expect_refused(&d, "model.safetensors", "\"lm_head.weight\" differs from the embedding");
}

TEST(convert_keeps_an_output_matrix_that_is_not_tied)
{
    struct model_dir d;
    struct err e = {0};
    begin(&d);
    json_object_set_new(d.config, "tie_word_embeddings", json_false());
    model_dir_add(&d, "lm_head.weight", "BF16",
                  model_dir_find(&d, "model.embed_tokens.weight")->dims[0], 64);
    model_dir_write(&d, 1);
    struct convert *c = convert_open(d.path, &as_stored, &e);
    MUST_TRUE(c != NULL, e.msg);
    CHECK_EQ(convert_n_tensors(c), 4 + 14 + 13);
    CHECK_EQ(convert_n_left_out(c), 0);
    convert_close(c);
    model_dir_remove(&d, "lm_head.weight");
    expect_refused(&d, d.path, "\"lm_head.weight\" is missing");
}

/* ---- NVFP4 ---- */

static const char stem[] = "model.layers.1.mlp.up_proj";

static void begin_packed(struct model_dir *d)
{
    begin(d);
    model_dir_pack(d, stem, 0.5f, 1.0f);
}

/* The value of a companion of one F32. */
static void set_scalar(struct model_dir *d, const char *name, float v)
{
    memcpy(model_dir_find(d, name)->bytes, &v, sizeof v);
}

TEST(convert_names_what_an_nvfp4_matrix_lacks)
{
    static const char *const ends[] = {"", "_scale_2"};
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        struct model_dir d;
        char name[96], says[128];
        begin_packed(&d);
        snprintf(name, sizeof name, "%s.weight%s", stem, ends[i]);
        model_dir_remove(&d, name);
        snprintf(says, sizeof says, "tensor \"%s\" is missing", name);
        expect_refused(&d, d.path, says);
    }
    struct model_dir d;
    begin_packed(&d);
    model_dir_remove(&d, "model.layers.1.mlp.up_proj.weight_scale");
    expect_refused(&d, "model.safetensors", "up_proj.weight\" is U8, expected BF16");
}

TEST(convert_refuses_nvfp4_scales_that_are_none)
{
    static const struct {
        const char *end;
        float v;
        const char *says;
    } cases[] = {
        {"weight_scale_2", 0.0f, "weight_scale_2\" is not a positive"},
        {"weight_scale_2", -1.0f, "weight_scale_2\" is not a positive"},
        {"weight_scale_2", NAN, "weight_scale_2\" is not a positive"},
        {"input_scale", INFINITY, "input_scale\" is not a positive"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct model_dir d;
        char name[96];
        begin_packed(&d);
        snprintf(name, sizeof name, "%s.%s", stem, cases[i].end);
        set_scalar(&d, name, cases[i].v);
        expect_refused(&d, "model.safetensors", cases[i].says);
    }
    static const uint8_t bad[] = {0x7f, 0xff, 0x81};
    for (size_t i = 0; i < sizeof bad; i++) {
        struct model_dir d;
        begin_packed(&d);
        model_dir_find(&d, "model.layers.1.mlp.up_proj.weight_scale")->bytes[4 * 9 + 1] = bad[i];
        expect_refused(&d, "model.safetensors",
                       i < 2 ? "row 9 (of \"blk.1.ffn_up.weight\"): a block scale is not a number"
                             : "row 9 (of \"blk.1.ffn_up.weight\"): a block scale is negative");
    }
}

TEST(convert_refuses_packed_matrices_of_another_kind)
{
    static const struct {
        const char *end, *dtype;
        uint64_t n_out, n_in;
        const char *says;
    } cases[] = {
        {"weight_scale", "F32", 128, 4, "weight_scale\" is F32, expected F8_E4M3"},
        {"weight_scale", "F8_E4M3", 128, 0, "weight_scale\" has shape [128], expected [128, 4]"},
        {"weight_scale", "F8_E4M3", 128, 2, "has shape [128, 2], expected [128, 4]"},
        {"weight", "F8_E4M3", 128, 64, "weight\" is F8_E4M3, expected U8"},
        {"weight", "U8", 128, 64, "weight\" has shape [128, 64], expected [128, 32]"},
        {"weight_scale_2", "F32", 128, 0, "weight_scale_2\" is not one F32 value"},
        {"weight_scale_2", "BF16", 1, 0, "weight_scale_2\" is not one F32 value"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct model_dir d;
        char name[96];
        begin_packed(&d);
        snprintf(name, sizeof name, "%s.%s", stem, cases[i].end);
        model_dir_remove(&d, name);
        model_dir_add(&d, name, cases[i].dtype, cases[i].n_out, cases[i].n_in);
        expect_refused(&d, "model.safetensors", cases[i].says);
    }
    struct model_dir d;
    begin(&d);
    model_dir_pack(&d, "model.embed_tokens", 0.5f, 1.0f); /* a table has no tensor scale */
    expect_refused(&d, "model.safetensors", "\"model.embed_tokens.weight\" is U8");
}

/* ---- drafters ---- */

static void set_offset(struct model_dir *d, uint32_t i, int64_t offset)
{
    memcpy(model_dir_find(d, "d2t")->bytes + 8 * i, &offset, sizeof offset);
}

TEST(convert_refuses_a_draft_vocabulary_that_leads_astray)
{
    struct model_dir d;
    model_dir_eagle3(&d, "eagle3");
    set_offset(&d, 5, 251);
    expect_refused(&d, "model.safetensors", "\"d2t\" element 5 leads outside the vocabulary");
    model_dir_eagle3(&d, "eagle3");
    set_offset(&d, 5, -6);
    expect_refused(&d, "model.safetensors", "\"d2t\" element 5 leads outside the vocabulary");
    model_dir_eagle3(&d, "eagle3");
    set_offset(&d, 5, INT64_MAX);
    expect_refused(&d, "model.safetensors", "\"d2t\" element 5 leads outside the vocabulary");
    model_dir_eagle3(&d, "eagle3");
    set_offset(&d, 5, 4 * 4 + 1 - 5);
    expect_refused(&d, "model.safetensors", "\"d2t\" element 5 leads to a token that another");
    model_dir_eagle3(&d, "eagle3");
    model_dir_find(&d, "t2d")->bytes[2] = 1;
    expect_refused(&d, "model.safetensors", "\"t2d\" does not mark the tokens");
    model_dir_eagle3(&d, "eagle3");
    model_dir_remove(&d, "d2t");
    expect_refused(&d, d.path, "\"d2t\" is missing");
}

TEST(convert_refuses_relatives_of_the_drafters_by_what_they_carry)
{
    struct model_dir d;
    model_dir_dflash(&d, "dflash");
    model_dir_add(&d, "conf_proj.weight", "BF16", 1, 64);
    expect_refused(&d, "model.safetensors", "\"conf_proj.weight\" has no place");
    model_dir_mtp(&d, "mtp");
    model_dir_add(&d, "masked_embedding.centroids.weight", "BF16", 8, 64);
    expect_refused(&d, "model.safetensors", "\"masked_embedding.centroids.weight\" has no place");
    model_dir_dflash(&d, "dflash");
    model_dir_remove(&d, "fc.weight");
    expect_refused(&d, d.path, "\"fc.weight\" is missing");
}

TEST(convert_releases_everything_when_memory_runs_out)
{
    struct model_dir d;
    struct err e;
    begin(&d);
    model_dir_write(&d, 1);
    for (int n = 0;; n++) {
        mem_fault_arm((uint64_t)n);
        struct convert *c = convert_open(d.path, &as_stored, &e);
        bool fired = mem_fault_fired();
        CHECK_TRUE(fired == (c == NULL));
        convert_close(c);
        CHECK_EQ(mem_n_live(), 0);
        if (!fired)
            break;
    }
    model_dir_free(&d);
}
