#include "runtime/sample_default.h"

#include "runtime/base/num.h"

static float real_or(const struct gguf *file, const char *key, float max, float when_absent)
{
    float v;
    struct err ignored;
    bool is_there = gguf_find(file, key) && gguf_get_f32(file, key, &v, &ignored);
    return is_there && v >= 0.0f && v <= max ? v : when_absent;
}

struct sample_default sample_default_of(const struct gguf *file, uint32_t n_vocab)
{
    uint32_t top_k;
    struct err ignored;
    struct sample_default d = {
        .temperature = real_or(file, "general.sampling.temp", 2.0f, 1.0f),
        .top_p = real_or(file, "general.sampling.top_p", 1.0f, 0.95f),
        .top_k = 64,
    };
    if (d.top_p <= 0.0f)
        d.top_p = 0.95f;
    if (gguf_find(file, "general.sampling.top_k") &&
        gguf_get_u32(file, "general.sampling.top_k", &top_k, &ignored) && top_k <= n_vocab)
        d.top_k = top_k;
    return d;
}

static const char suppress_key[] = "tokenizer.ggml.suppress_tokens";

uint32_t sample_default_max_suppressed(const struct gguf *file, uint32_t n_vocab)
{
    const struct gguf_kv *kv = gguf_find(file, suppress_key);
    return kv && kv->type == GGUF_ARR ? (uint32_t)num_min(kv->value.arr.n_elems, n_vocab) : 0;
}

uint32_t sample_default_suppressed(const struct gguf *file, uint32_t n_vocab, int32_t *ids)
{
    uint32_t n_most = sample_default_max_suppressed(file, n_vocab), n = 0;
    const struct gguf_kv *kv = gguf_find(file, suppress_key);
    for (uint32_t i = 0, id; i < n_most; i++)
        if (gguf_arr_u32(&kv->value.arr, i, &id) && id < n_vocab)
            ids[n++] = (int32_t)id;
    return n;
}
