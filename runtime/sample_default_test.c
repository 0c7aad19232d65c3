#include "runtime/sample_default.h"

#include "models/gguf_write.h"
#include "tests/t.h"

#include <stdio.h>

/* A file of these keys alone; NULL values are left out. */
struct keys {
    const float *temp, *top_p;
    const uint32_t *top_k;
    const int32_t *suppressed;
    uint64_t n_suppressed;
};

static struct gguf *file_of(const struct keys *k)
{
    struct err e = {.code = ERR_NONE};
    char path[512];
    snprintf(path, sizeof path, "%s/keys.gguf", t_scratch_dir());
    struct gguf_writer *w = gguf_write_new(&e);
    bool ok = w && gguf_write_str(w, "general.architecture", "gemma4", &e) &&
              (!k->temp || gguf_write_f32(w, "general.sampling.temp", *k->temp, &e)) &&
              (!k->top_p || gguf_write_f32(w, "general.sampling.top_p", *k->top_p, &e)) &&
              (!k->top_k || gguf_write_u32(w, "general.sampling.top_k", *k->top_k, &e)) &&
              (!k->suppressed || gguf_write_i32s(w, "tokenizer.ggml.suppress_tokens", k->suppressed,
                                                 k->n_suppressed, &e)) &&
              gguf_write_seal(w, &e) && gguf_write_open(w, path, &e) && gguf_write_commit(w, &e);
    gguf_write_free(w);
    struct gguf *g = ok ? gguf_open(path, &e) : NULL;
    MUST_TRUE(g, e.msg);
    return g;
}

static void check_default(const struct keys *k, float temperature, float top_p, uint32_t top_k)
{
    struct gguf *g = file_of(k);
    struct sample_default d = sample_default_of(g, 1000);
    CHECK_NEAR(d.temperature, temperature, 0.0);
    CHECK_NEAR(d.top_p, top_p, 0.0);
    CHECK_EQ(d.top_k, top_k);
    gguf_close(g);
}

TEST(sample_default_is_the_file_s_word_else_the_model_card_s)
{
    const float temp = 0.5f, top_p = 0.8f;
    const uint32_t top_k = 40, off = 0;
    check_default(&(struct keys){.temp = NULL}, 1.0f, 0.95f, 64);
    check_default(&(struct keys){.temp = &temp, .top_p = &top_p, .top_k = &top_k}, 0.5f, 0.8f, 40);
    check_default(&(struct keys){.top_k = &off}, 1.0f, 0.95f, 0);
}

TEST(sample_default_ignores_what_no_sampler_takes)
{
    const float negative = -0.5f, above = 1.5f, none = 0.0f;
    const uint32_t too_many = 1001;
    check_default(&(struct keys){.temp = &negative, .top_p = &above, .top_k = &too_many}, 1.0f,
                  0.95f, 64);
    check_default(&(struct keys){.top_p = &none}, 1.0f, 0.95f, 64);
}

TEST(sample_default_suppresses_the_ids_that_exist)
{
    const int32_t ids[5] = {7, -1, 999, 1000, 0}, want[3] = {7, 999, 0};
    int32_t got[5];
    struct gguf *g = file_of(&(struct keys){.suppressed = ids, .n_suppressed = 5});
    CHECK_EQ(sample_default_max_suppressed(g, 1000), 5);
    CHECK_EQ(sample_default_suppressed(g, 1000, got), 3);
    CHECK_BYTES(got, want, sizeof want);
    gguf_close(g);
    g = file_of(&(struct keys){.temp = NULL});
    CHECK_EQ(sample_default_max_suppressed(g, 1000), 0);
    CHECK_EQ(sample_default_suppressed(g, 1000, got), 0);
    gguf_close(g);
}
