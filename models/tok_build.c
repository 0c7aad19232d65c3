/* tok_build: what the tokenizer and the chat format need to know, read from a GGUF file
 * (gemma4-chat.md 1, 5.1). */
#include "models/tok.h"

#include "models/tok_image.h"
#include "runtime/base/mem.h"

/* The lists point into the file; the arrays that hold them are ours. */
struct lists {
    struct str *pieces;
    uint8_t *classes;
    struct str *merges;
};

/* gguf_arr_str_next without its generality: there are close to a million strings to take. */
static inline bool take_str(const unsigned char **p, uint64_t *n_left, struct str *out)
{
    uint64_t n_bytes;
    if (*n_left < sizeof n_bytes)
        return false;
    memcpy(&n_bytes, *p, sizeof n_bytes);
    if (n_bytes > *n_left - sizeof n_bytes)
        return false;
    *out = (struct str){(const char *)*p + sizeof n_bytes, n_bytes};
    *p += sizeof n_bytes + n_bytes;
    *n_left -= sizeof n_bytes + n_bytes;
    return true;
}

static bool read_strings(const struct gguf *g, const char *key, uint64_t max_elems,
                         struct str **out, uint32_t *n_out, struct err *e)
{
    struct gguf_array arr;
    if (!gguf_get_arr(g, key, &arr, e))
        return false;
    if (arr.elem_type != GGUF_STR)
        return err_set(e, ERR_FORMAT, "%s: %s must be an array of strings", gguf_name(g), key);
    if (arr.n_elems > max_elems)
        return err_set(e, ERR_LIMIT, "%s: %s has %llu entries, the limit is %llu", gguf_name(g),
                       key, (unsigned long long)arr.n_elems, (unsigned long long)max_elems);
    *out = mem_alloc(arr.n_elems, sizeof **out);
    if (!*out)
        return err_set(e, ERR_NOMEM, "%s: no memory for %s", gguf_name(g), key);
    const unsigned char *p = arr.bytes;
    uint64_t n_left = arr.n_bytes;
    for (uint64_t i = 0; i < arr.n_elems; i++) {
        if (!take_str(&p, &n_left, &(*out)[i]))
            return err_set(e, ERR_FORMAT, "%s: %s ends after entry %llu", gguf_name(g), key,
                           (unsigned long long)i);
    }
    *n_out = (uint32_t)arr.n_elems;
    return true;
}

static bool read_classes(const struct gguf *g, uint32_t n_vocab, uint8_t **out, struct err *e)
{
    static const char key[] = "tokenizer.ggml.token_type";
    struct gguf_array arr;
    if (!gguf_get_arr(g, key, &arr, e))
        return false;
    if (arr.n_elems != n_vocab)
        return err_set(e, ERR_FORMAT, "%s: %s has %llu entries for %u tokens", gguf_name(g), key,
                       (unsigned long long)arr.n_elems, n_vocab);
    *out = mem_alloc(n_vocab, 1);
    if (!*out)
        return err_set(e, ERR_NOMEM, "%s: no memory for %s", gguf_name(g), key);
    bool is_usual = arr.elem_type == GGUF_I32 || arr.elem_type == GGUF_U32;
    for (uint32_t i = 0; i < n_vocab; i++) {
        int32_t type = 0;
        if (is_usual)
            memcpy(&type, arr.bytes + 4 * (size_t)i, 4);
        else if (!gguf_arr_i32(&arr, i, &type))
            type = 0;
        if (type < TOK_NORMAL || type > TOK_BYTE)
            return err_set(e, ERR_FORMAT, "%s: %s: entry %u is none of the types 1 to 6",
                           gguf_name(g), key, i);
        (*out)[i] = (uint8_t)type;
    }
    return true;
}

static bool key_is(const struct gguf *g, const char *key, const char *want)
{
    const struct gguf_kv *kv = gguf_find(g, key);
    return kv && kv->type == GGUF_STR && str_is(kv->value.str, want);
}

/* 5.1. Without a template the size of the model decides about the empty thought: small ones have
 * per-layer embeddings. */
static void read_template(const struct gguf *g, struct tok_source *src)
{
    const struct gguf_kv *kv = gguf_find(g, "tokenizer.chat_template");
    uint32_t ple_width = 0;
    struct err ignored;
    if (!kv || kv->type != GGUF_STR || kv->value.str.n_bytes == 0) {
        src->template_rev = 2;
        if (!gguf_get_u32(g, "gemma4.embedding_length_per_layer_input", &ple_width, &ignored))
            ple_width = 0;
        src->has_empty_thought = ple_width == 0;
        return;
    }
    struct str text = kv->value.str;
    src->template_rev = str_find(text, STR("preserve_thinking"), 0) != SIZE_MAX ? 2 : 1;
    src->has_empty_thought = str_find(text, STR("'<|channel>thought\\n<channel|>'"), 0) != SIZE_MAX;
}

static bool read_source(const struct gguf *g, struct lists *ls, struct tok_source *src,
                        struct err *e)
{
    src->name = gguf_name(g);
    if (!key_is(g, "tokenizer.ggml.model", "gemma4") && !key_is(g, "tokenizer.ggml.pre", "gemma4"))
        return err_set(
            e, ERR_FORMAT,
            "%s: tokenizer.ggml.model must be gemma4; other tokenizers are not supported",
            src->name);
    if (!read_strings(g, "tokenizer.ggml.tokens", TOK_MAX_VOCAB, &ls->pieces, &src->n_vocab, e) ||
        !read_classes(g, src->n_vocab, &ls->classes, e) ||
        !read_strings(g, "tokenizer.ggml.merges", TOK_MAX_MERGES, &ls->merges, &src->n_merges, e))
        return false;
    src->pieces = ls->pieces;
    src->classes = ls->classes;
    src->merges = ls->merges;
    read_template(g, src);
    return true;
}

void *tok_build(const struct gguf *g, size_t *image_bytes, struct err *e)
{
    struct lists ls = {NULL, NULL, NULL};
    struct tok_source src;
    void *image = NULL;
    memset(&src, 0, sizeof src);
    *image_bytes = 0;
    if (read_source(g, &ls, &src, e))
        image = tok_image_build(&src, image_bytes, e);
    mem_free(ls.pieces);
    mem_free(ls.classes);
    mem_free(ls.merges);
    return image;
}
