/* Golden weights: gemma4-text 6.1 evaluated in Python (64-bit integers modulo 2^64, IEEE doubles,
 * struct.pack('<f')): h = FNV-1a(name); z = splitmix64 finalizer of h + (i + 1) *
 * 0x9E3779B97F4A7C15; base + amp * (2 * (z >> 40) / 2**24 - 1) */
#include "models/synth.h"

#include "models/tok.h"
#include "runtime/base/mem.h"
#include "tests/t.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static struct synth synth_of(const char *shape_name, const char *mix, uint32_t n_layers,
                             uint32_t n_vocab)
{
    struct synth s;
    struct err e = {0};
    struct synth_shape shape = *synth_shape_by_name(shape_name);
    shape.n_layers = n_layers ? n_layers : shape.n_layers;
    shape.n_vocab = n_vocab ? n_vocab : shape.n_vocab;
    struct quant_mix known;
    MUST_TRUE(synth_mix_by_name(mix, &known), mix);
    MUST_TRUE(synth_init(&s, &shape, &known, 0, &e), e.msg);
    return s;
}

static const struct synth_tensor *find(const struct synth *s, const char *name)
{
    for (uint32_t i = 0; i < s->n_tensors; i++)
        if (strcmp(s->tensors[i].name, name) == 0)
            return &s->tensors[i];
    MUST_TRUE(false, name);
    return NULL;
}

TEST(synth_tiny_weights_are_those_of_the_published_formula)
{
    static const struct {
        const char *name;
        uint32_t i, bits;
    } golden[] = {
        {"token_embd.weight", 0, 0x3cb13509},
        {"blk.0.attn_q.weight", 257, 0x3d56b3f1},
        {"blk.5.ffn_down.weight", 131071, 0x3d19d47c},
        {"blk.3.attn_q_norm.weight", 63, 0x3ef6d62e},
        {"blk.2.layer_output_scale.weight", 0, 0x3f32f592},
        {"output_norm.weight", 100, 0x3f8c2eba},
    };
    struct synth s = synth_of("tiny", "F32", 0, 0);
    for (size_t k = 0; k < sizeof golden / sizeof *golden; k++) {
        const struct synth_tensor *t = find(&s, golden[k].name);
        float scratch[512];
        uint32_t row[512];
        synth_fill(&s, t, golden[k].i / t->dims[0], 1, scratch, row);
        CHECK_EQ(row[golden[k].i % t->dims[0]], golden[k].bits);
    }
    float factors[64], scratch[64];
    synth_fill(&s, find(&s, "rope_freqs.weight"), 0, 1, scratch, factors);
    CHECK_NEAR(factors[15], 1, 0);
    CHECK_NEAR(factors[16], 1e30, 1e24);
    synth_deinit(&s);
}

TEST(synth_31b_has_the_tensors_and_parameters_of_the_real_one)
{
    struct synth s = synth_of("31b", "Q4_K_M", 0, 0);
    uint64_t n_params = 0;
    uint32_t n_matrices = 0, n_q6_v = 0, n_q6_down = 0;
    for (uint32_t i = 0; i < s.n_tensors; i++) {
        const struct synth_tensor *t = &s.tensors[i];
        n_params += t->dims[0] * t->dims[1];
        n_matrices += t->n_dims == 2;
        n_q6_v += strstr(t->name, "attn_v.") && t->type == QTYPE_Q6_K;
        n_q6_down += strstr(t->name, "ffn_down.") && t->type == QTYPE_Q6_K;
    }
    CHECK_EQ(s.n_tensors, 833);
    CHECK_EQ(n_matrices, 411);
    CHECK_NEAR((double)n_params / 1e9, 30.70, 0.005);
    CHECK_EQ(n_q6_v, 25);
    CHECK_EQ(n_q6_down, 30);
    synth_deinit(&s);
}

/* The whole file in memory, as the tool streams it. */
static unsigned char *write_all(const struct synth *s, size_t *n_bytes)
{
    struct err e = {0};
    struct gguf_writer *w = gguf_write_new(&e);
    MUST_TRUE(w && synth_declare(s, w, &e) && gguf_write_seal(w, &e), e.msg);
    *n_bytes = gguf_write_file_bytes(w);
    unsigned char *file = calloc(1, *n_bytes);
    float *scratch = malloc(65536 * sizeof *scratch);
    MUST_TRUE(file && scratch, "no memory");
    memcpy(file, gguf_write_head(w).p, gguf_write_head(w).n_bytes);
    for (uint32_t i = 0; i < s->n_tensors; i++)
        synth_fill(s, &s->tensors[i], 0, s->tensors[i].dims[1], scratch,
                   file + gguf_write_tensor_off_bytes(w, i));
    gguf_write_free(w);
    free(scratch);
    return file;
}

TEST(synth_file_opens_with_every_encoding_and_its_tokenizer_builds)
{
    static const char *const mixes[] = {"F32",     "F16",   "BF16",   "Q4_0",    "Q4_1",   "Q5_0",
                                        "Q5_1",    "Q8_0",  "Q2_K",   "Q3_K",    "Q4_K",   "Q5_K",
                                        "Q6_K",    "IQ1_S", "IQ1_M",  "IQ2_XXS", "IQ2_XS", "IQ2_S",
                                        "IQ3_XXS", "IQ3_S", "IQ4_NL", "IQ4_XS",  "TQ1_0",  "TQ2_0",
                                        "MXFP4",   "NVFP4", "Q4_K_M", "Q5_K_S"};
    for (size_t i = 0; i < sizeof mixes / sizeof *mixes; i++) {
        struct err e = {0};
        size_t n_bytes, n_image_bytes;
        struct synth s = synth_of("tiny", mixes[i], 0, 0);
        unsigned char *file = write_all(&s, &n_bytes);
        struct gguf *g = gguf_open_mem(file, n_bytes, mixes[i], &e);
        MUST_TRUE(g != NULL, e.msg);
        CHECK_EQ(gguf_n_tensors(g), s.n_tensors);
        CHECK_EQ(gguf_tensor(g, "rope_freqs.weight")->dims[0], 64);
        enum qtype type;
        if (qtype_by_name(mixes[i], &type))
            CHECK_EQ(gguf_tensor(g, "blk.0.ffn_up.weight")->type, type);
        CHECK_EQ(gguf_tensor(g, "blk.0.ffn_up.scale") != NULL, strcmp(mixes[i], "NVFP4") == 0);
        CHECK_TRUE(gguf_tensor(g, "blk.5.attn_v.weight") == NULL);
        void *image = tok_build(g, &n_image_bytes, &e);
        if (!CHECK_TRUE(image != NULL))
            printf("%s\n", e.msg);
        free(image);
        gguf_close(g);
        free(file);
        synth_deinit(&s);
    }
    CHECK_EQ(mem_n_live(), 0);
}

TEST(synth_tokenizer_of_the_real_size_has_the_real_ids)
{
    struct err e = {0};
    size_t n_bytes, n_image_bytes;
    struct synth s = synth_of("tiny", "Q4_K", 1, 262144);
    unsigned char *file = write_all(&s, &n_bytes);
    struct gguf *g = gguf_open_mem(file, n_bytes, "real size", &e);
    MUST_TRUE(g != NULL, e.msg);
    void *image = tok_build(g, &n_image_bytes, &e);
    MUST_TRUE(image != NULL, e.msg);
    struct tok t;
    MUST_TRUE(tok_open(&t, image, n_image_bytes, &e), e.msg);
    CHECK_EQ(t.n_vocab, 262144);
    CHECK_EQ(tok_find(&t, STR("<turn|>")), 106);
    CHECK_EQ(tok_find(&t, STR("<0x41>")), 238 + 0x41);
    CHECK_EQ(tok_find(&t, STR("\n\n")), 108);
    CHECK_EQ(tok_find(&t, STR("<|image|>")), 258880);
    free(image);
    gguf_close(g);
    free(file);
    synth_deinit(&s);
}

TEST(synth_refuses_what_it_cannot_make)
{
    struct err e = {0};
    struct synth s;
    struct synth_shape shape = *synth_shape_by_name("tiny");
    struct quant_mix mix = {.name = "activations", .base = QTYPE_Q8_K, .head = QTYPE_Q8_K};
    CHECK_TRUE(!synth_mix_by_name("Q8_K", &mix));
    CHECK_TRUE(!synth_init(&s, &shape, &mix, 0, &e));
    CHECK_TRUE(strstr(e.msg, "this build cannot make Q8_K") != NULL);
    shape.n_vocab = SYNTH_MIN_VOCAB - 1;
    CHECK_TRUE(!synth_init(&s, &shape, quant_mix_by_name("Q8_0"), 0, &e));
    CHECK_EQ(mem_n_live(), 0);
}

TEST(synth_makes_mixes_that_quantize_cannot)
{
    static const struct {
        const char *mix, *tensor;
        enum qtype type;
    } want[] = {
        {"IQ3_M", "blk.0.attn_v.weight", QTYPE_Q4_K},
        {"IQ3_M", "blk.0.ffn_up.weight", QTYPE_IQ3_S},
        {"IQ2_M", "blk.0.attn_output.weight", QTYPE_IQ3_S},
        {"IQ2_M", "blk.0.attn_q.weight", QTYPE_IQ2_S},
        {"IQ2_M", "token_embd.weight", QTYPE_Q5_K},
    };
    for (size_t k = 0; k < sizeof want / sizeof *want; k++) {
        struct synth s = synth_of("tiny", want[k].mix, 0, 0);
        CHECK_EQ(find(&s, want[k].tensor)->type, want[k].type);
        synth_deinit(&s);
    }
}
