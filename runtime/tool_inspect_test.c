#include "runtime/tool_inspect.h"

#include "kernels/quant/dequant.h"
#include "models/gguf_write.h"
#include "runtime/base/mem.h"
#include "runtime/load.h"
#include "runtime/tool_arg.h"
#include "runtime/tool_synth.h"
#include "tests/tool_run.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* Runs a tool with its standard output in a file; NULL ends the words. *listing is the caller's to
 * free. */
static int run(int (*tool)(int, char **), const char *const *words, char **listing)
{
    struct t_path out = t_scratch_path("stdout");
    size_t n_bytes;
    MUST_TRUE(freopen(out.at, "w", stdout) != NULL, out.at);
    int exit_code = tool_run_words(tool, words);
    fflush(stdout);
    *listing = t_read_file(out.at, &n_bytes);
    return exit_code;
}

#define WORDS(...)                                                                                 \
    (const char *const[])                                                                          \
    {                                                                                              \
        __VA_ARGS__, NULL                                                                          \
    }

TEST(inspect_lists_keys_tensors_and_bits_per_weight)
{
    struct t_path model = t_scratch_path("model.gguf");
    char *listing;
    CHECK_EQ(run(tool_synth, WORDS("synth", "tiny", "Q8_0", model.at), &listing), TOOL_OK);
    free(listing);
    CHECK_EQ(run(tool_inspect, WORDS("inspect", model.at, "--check"), &listing), TOOL_OK);
    CHECK_TRUE(strstr(listing, "GGUF version 3, 1 part") != NULL);
    CHECK_TRUE(strstr(listing, "gemma4.block_count") && strstr(listing, "u32   6\n"));
    CHECK_TRUE(strstr(listing, "[6 i32] 2 2 2 2 2 1\n") != NULL);
    CHECK_TRUE(
        strstr(listing, "[512 str] \"<pad>\" \"<eos>\" \"<bos>\" \"<unk>\" \"<mask>\" ...\n") !=
        NULL);
    CHECK_TRUE(strstr(listing, "blk.0.ffn_down.weight") && strstr(listing, "[512, 256]"));
    CHECK_TRUE(strstr(listing, "3768320 weights") != NULL); /* 512 * 256 + 6 layers of matrices */
    CHECK_TRUE(strstr(listing, "bits per weight") != NULL);
    CHECK_TRUE(strstr(listing, "check: all values and block scales of 86 tensors are sound; "
                               "hearth serve takes this model\n") != NULL);
    free(listing);
    CHECK_EQ(mem_n_live(), 0);
}

TEST(inspect_refuses_a_broken_file_and_prints_nothing_of_it)
{
    char *listing;
    CHECK_EQ(run(tool_inspect, WORDS("inspect", "tests/vectors/gguf/i_overlap.gguf"), &listing),
             TOOL_FAILED);
    CHECK_STR(listing, "");
    free(listing);
    CHECK_EQ(run(tool_inspect,
                 WORDS("inspect", "tests/vectors/gguf/v_every_tensor_type.gguf", "--check"),
                 &listing),
             TOOL_FAILED); /* its random NVFP4 block has a signed scale */
    free(listing);
    CHECK_EQ(run(tool_inspect, WORDS("inspect"), &listing), TOOL_USAGE);
    free(listing);
}

/* A copy of a model with another value under one key; other NULL: without its first tensor. */
static void write_copy(const char *from, const struct gguf_kv *other, const char *to)
{
    struct err e = {0};
    struct gguf *g = gguf_open(from, &e);
    struct gguf_writer *w = gguf_write_new(&e);
    MUST_TRUE(g && w, e.msg);
    uint64_t n_tensors = gguf_n_tensors(g), i_first = other ? 0 : 1;
    bool ok = true;
    for (uint64_t i = 0; i < gguf_n_kv(g) && ok; i++) {
        const struct gguf_kv *kv = gguf_kv_at(g, i);
        ok = gguf_write_kv(w, other && str_eq(kv->key, other->key) ? other : kv, &e);
    }
    for (uint64_t i = i_first; i < n_tensors && ok; i++) {
        const struct gguf_tensor *t = gguf_tensor_at(g, i);
        ok = gguf_write_tensor(w, t->name, t->type, t->n_dims, t->dims, &e);
    }
    ok = ok && gguf_write_seal(w, &e) && gguf_write_open(w, to, &e);
    for (uint64_t i = i_first; i < n_tensors && ok; i++)
        ok = gguf_write_bytes(w, gguf_tensor_at(g, i)->bytes, gguf_tensor_at(g, i)->n_bytes, &e);
    MUST_TRUE(ok && gguf_write_commit(w, &e), e.msg);
    gguf_write_free(w);
    gguf_close(g);
}

#define U32(name, n)                                                                               \
    {                                                                                              \
        .key = STR(name), .type = GGUF_U32, .value.u64 = n                                         \
    }
#define F32(name, x)                                                                               \
    {                                                                                              \
        .key = STR(name), .type = GGUF_F32, .value.f64 = x                                         \
    }

TEST(inspect_check_refuses_what_a_start_refuses)
{
    const struct gguf_kv others[] = {
        U32("gemma4.block_count", 0),
        U32("gemma4.block_count", 9999),
        U32("gemma4.attention.head_count", 0),
        U32("gemma4.attention.key_length", 7),
        U32("gemma4.context_length", 0),
        F32("gemma4.attention.layer_norm_rms_epsilon", NAN),
        F32("gemma4.attention.layer_norm_rms_epsilon", -1.0),
        F32("gemma4.rope.freq_base", 0.0),
        F32("gemma4.final_logit_softcapping", INFINITY),
        U32("gemma4.feed_forward_length", 480), /* not what the tensors have */
        U32("tokenizer.ggml.model", 1),
    };
    struct t_path model = t_scratch_path("model.gguf"), bad = t_scratch_path("bad.gguf");
    char *listing;
    CHECK_EQ(run(tool_synth, WORDS("synth", "tiny", "Q8_0", model.at), &listing), TOOL_OK);
    free(listing);
    for (size_t i = 0; i <= sizeof others / sizeof *others; i++) {
        struct err e = {0};
        bool is_last = i == sizeof others / sizeof *others;
        write_copy(model.at, is_last ? NULL : &others[i], bad.at);
        struct load_config cfg = {.max_seqs = 1, .n_ctx = 64, .budget_bytes = UINT64_C(1) << 32};
        struct loaded *m = calloc(1, sizeof *m);
        snprintf(cfg.model_path, sizeof cfg.model_path, "%s", bad.at);
        bool is_tokenizer = !is_last && str_has_prefix(others[i].key, STR("tokenizer."));
        MUST_TRUE(m != NULL, NULL);
        CHECK_EQ(load_plan(m, &cfg, NULL, NULL, &e), is_tokenizer);
        load_close(m);
        free(m);
        CHECK_EQ(run(tool_inspect, WORDS("inspect", bad.at, "--check"), &listing), TOOL_FAILED);
        CHECK_TRUE(strstr(listing, "metadata: ") && !strstr(listing, "\ncheck: "));
        free(listing);
        CHECK_EQ(run(tool_inspect, WORDS("inspect", bad.at), &listing), TOOL_OK);
        free(listing);
    }
    CHECK_EQ(mem_n_live(), 0);
}

TEST(inspect_dump_is_the_tensor_decoded)
{
    static const char *const types[] = {"F16",  "Q8_0",  "Q4_1",  "Q2_K",
                                        "Q6_K", "NVFP4", "IQ1_M", "IQ3_S"};
    struct t_path model = t_scratch_path("model.gguf"), out = t_scratch_path("out.f32");
    for (size_t k = 0; k < sizeof types / sizeof *types; k++) {
        char *listing;
        struct err e = {0};
        size_t n_bytes;
        CHECK_EQ(run(tool_synth, WORDS("synth", "tiny", types[k], model.at), &listing), TOOL_OK);
        free(listing);
        CHECK_EQ(run(tool_inspect,
                     WORDS("inspect", model.at, "--dump", "blk.2.ffn_down.weight", out.at),
                     &listing),
                 TOOL_OK);
        free(listing);
        struct gguf *g = gguf_open(model.at, &e);
        MUST_TRUE(g != NULL, e.msg);
        const struct gguf_tensor *t = gguf_tensor(g, "blk.2.ffn_down.weight");
        float *want = malloc(512 * 256 * sizeof *want), *got = t_read_file(out.at, &n_bytes);
        MUST_TRUE(want && n_bytes == 512 * 256 * sizeof *want, "size");
        dequant_row(t->type, t->bytes, want, 512 * 256);
        CHECK_BYTES(got, want, n_bytes);
        free(want);
        free(got);
        gguf_close(g);
    }
}

TEST(inspect_dump_refuses_by_name_and_leaves_no_file)
{
    char *listing;
    struct t_path out = t_scratch_path("out.f32");
    const char *file = "tests/vectors/gguf/v_every_tensor_type.gguf";
    CHECK_EQ(run(tool_inspect, WORDS("inspect", file, "--dump", "absent", out.at), &listing),
             TOOL_FAILED);
    free(listing);
    CHECK_EQ(run(tool_inspect, WORDS("inspect", file, "--dump", "t24", out.at), &listing),
             TOOL_FAILED); /* I8 */
    free(listing);
    CHECK_TRUE(access(out.at, F_OK) != 0);
}
