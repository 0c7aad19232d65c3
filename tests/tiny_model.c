#include "tests/tiny_model.h"

#include "kernels/quant/encode.h"
#include "models/gguf_write.h"
#include "tests/t.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

json_t *tiny_model_golden(const char *name)
{
    char path[128];
    size_t n_bytes;
    snprintf(path, sizeof path, "tests/golden/logits/%s.json", name);
    char *text = t_read_file(path, &n_bytes);
    json_error_t at;
    json_t *golden = json_loadb(text, n_bytes, 0, &at);
    free(text);
    MUST_TRUE(golden != NULL, at.text);
    return golden;
}

/* tests/golden/README.md, "Weights": FNV-1a of the name seeds splitmix64 over the element index. */
static uint64_t name_seed(const char *name)
{
    uint64_t h = 0xcbf29ce484222325u;
    for (; *name; name++)
        h = (h ^ (unsigned char)*name) * 0x100000001b3u;
    return h;
}

static float element(uint64_t seed, uint64_t i, double base, double amp)
{
    uint64_t z = seed + (i + 1) * 0x9E3779B97F4A7C15u;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    z ^= z >> 31;
    double u = (double)(z >> 40) / 16777216.0;
    return (float)(base + amp * (2 * u - 1));
}

struct tensor_spec {
    const char *name;
    uint64_t dims[2];
    uint32_t n_dims;
    double base, amp;
    int64_t n_ones; /* >= 0: rope_freqs */
    enum qtype type;
};

static struct tensor_spec spec_of(const json_t *t, enum qtype matrix_type)
{
    struct tensor_spec s = {
        .name = json_string_value(json_object_get(t, "name")), .dims = {1, 1}, .n_ones = -1};
    const json_t *shape = json_object_get(t, "shape");
    s.n_dims = (uint32_t)json_array_size(shape);
    for (uint32_t i = 0; i < s.n_dims; i++)
        s.dims[i] = (uint64_t)json_integer_value(json_array_get(shape, i));
    s.base = json_number_value(json_object_get(t, "base"));
    s.amp = json_number_value(json_object_get(t, "amp"));
    if (json_object_get(t, "n_ones"))
        s.n_ones = json_integer_value(json_object_get(t, "n_ones"));
    s.type = s.n_dims == 2 ? matrix_type : QTYPE_F32;
    return s;
}

static bool write_rows(struct gguf_writer *w, const struct tensor_spec *s, struct err *e)
{
    float *x = calloc(s->dims[0], sizeof *x);
    void *row = calloc(1, qtype_row_bytes(s->type, s->dims[0]));
    uint64_t seed = name_seed(s->name);
    bool ok = x && row;
    for (uint64_t r = 0; ok && r < s->dims[1]; r++) {
        for (uint64_t c = 0; c < s->dims[0]; c++)
            x[c] = s->n_ones >= 0 ? ((int64_t)c < s->n_ones ? 1.0f : 1e30f)
                                  : element(seed, r * s->dims[0] + c, s->base, s->amp);
        ok = encode_row(s->type, x, NULL, row, s->dims[0]) &&
             gguf_write_bytes(w, row, qtype_row_bytes(s->type, s->dims[0]), e);
    }
    free(x);
    free(row);
    return ok;
}

/* Members of `config` become `gguf4.` keys by their JSON type. */
static bool write_keys(struct gguf_writer *w, const json_t *config, struct err *e)
{
    const char *name;
    json_t *value;
    bool ok = gguf_write_str(w, "general.architecture", "gemma4", e);
    json_object_foreach((json_t *)(uintptr_t)config, name, value)
    {
        char key[96];
        snprintf(key, sizeof key, "gemma4.%s", name);
        if (json_is_integer(value))
            ok = ok && gguf_write_u32(w, key, (uint32_t)json_integer_value(value), e);
        else if (json_is_real(value))
            ok = ok && gguf_write_f32(w, key, (float)json_real_value(value), e);
        else if (json_is_array(value) && json_is_boolean(json_array_get(value, 0))) {
            bool v[128];
            size_t n = json_array_size(value);
            for (size_t i = 0; i < n && i < 128; i++)
                v[i] = json_is_true(json_array_get(value, i));
            ok = ok && gguf_write_bools(w, key, v, n, e);
        } else if (json_is_array(value)) {
            int32_t v[128];
            size_t n = json_array_size(value);
            for (size_t i = 0; i < n && i < 128; i++)
                v[i] = (int32_t)json_integer_value(json_array_get(value, i));
            ok = ok && gguf_write_i32s(w, key, v, n, e);
        }
    }
    /* the golden files name these once; GGUF carries the value sizes too (gemma4-text 2.1) */
    uint32_t global_dim =
        (uint32_t)json_integer_value(json_object_get(config, "attention.key_length"));
    uint32_t local_dim =
        (uint32_t)json_integer_value(json_object_get(config, "attention.key_length_swa"));
    return ok && gguf_write_u32(w, "gemma4.attention.value_length", global_dim, e) &&
           gguf_write_u32(w, "gemma4.attention.value_length_swa", local_dim, e);
}

static bool write_all(struct gguf_writer *w, const json_t *golden, enum qtype type,
                      const char *path, struct err *e)
{
    const json_t *tensors = json_object_get(golden, "tensors");
    size_t n_tensors = json_array_size(tensors);
    if (!write_keys(w, json_object_get(golden, "config"), e))
        return false;
    for (size_t i = 0; i < n_tensors; i++) {
        struct tensor_spec s = spec_of(json_array_get(tensors, i), type);
        if (!gguf_write_tensor(w, str_of(s.name), s.type, s.n_dims, s.dims, e))
            return false;
    }
    if (!gguf_write_seal(w, e) || !gguf_write_open(w, path, e))
        return false;
    for (size_t i = 0; i < n_tensors; i++) {
        struct tensor_spec s = spec_of(json_array_get(tensors, i), type);
        if (!write_rows(w, &s, e))
            return false;
    }
    return gguf_write_commit(w, e);
}

bool tiny_model_write(const json_t *golden, enum qtype type, const char *path, struct err *e)
{
    struct gguf_writer *w = gguf_write_new(e);
    bool ok = w && write_all(w, golden, type, path, e);
    gguf_write_free(w);
    return ok;
}
