#include "models/convert_tok.h"

#include "models/dir_file.h"
#include "models/tok_image.h"
#include "runtime/base/mem.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static const char file_name[] = "tokenizer.json";
static const char template_name[] = "chat_template.jinja";
static const char config_name[] = "tokenizer_config.json";
static const char space_piece[] = "\xe2\x96\x81"; /* U+2581 */

enum { MAX_MADE_PIECE_BYTES = 24 };

/* Shown by the chat format, so never hidden as control tokens are (gemma4-chat 1). */
static const char *const user_defined[] = {
    "<|tool_call>", "<tool_call|>", "<|tool_response>", "<tool_response|>",
    "<|\"|>",       "<|channel>",   "<channel|>",
};

static bool refuse(const struct convert_tok *t, const char *why, struct err *e)
{
    return err_set(e, ERR_FORMAT, "%s/%s: %s", t->dir, file_name, why);
}

bool convert_tok_is_there(const char *dir)
{
    return dir_file_exists(dir, file_name);
}

/* ---- what kind of tokenizer it is ---- */

static bool text_is(const json_t *v, const char *want)
{
    return str_is(json_text_str(v), want);
}

/* {"type": "Replace", "pattern": {"String": " "}, "content": "\u2581"} */
static bool is_space_replacement(const json_t *v)
{
    return text_is(json_object_get(v, "type"), "Replace") &&
           text_is(json_object_get(json_object_get(v, "pattern"), "String"), " ") &&
           text_is(json_object_get(v, "content"), space_piece);
}

/* Absent, or a split at U+0020, of which none is left after the replacement. */
static bool splits_nothing(const json_t *v)
{
    return !v || json_is_null(v) ||
           (text_is(json_object_get(v, "type"), "Split") &&
            text_is(json_object_get(json_object_get(v, "pattern"), "String"), " "));
}

static bool check_kind(const struct convert_tok *t, const json_t *model, struct err *e)
{
    if (!text_is(json_object_get(model, "type"), "BPE") ||
        !json_is_true(json_object_get(model, "byte_fallback")))
        return refuse(t, "model: is not byte pair encoding with byte_fallback", e);
    if (!is_space_replacement(json_object_get(t->root, "normalizer")))
        return refuse(t, "normalizer: is not the replacement of spaces by U+2581", e);
    return splits_nothing(json_object_get(t->root, "pre_tokenizer")) ||
           refuse(t, "pre_tokenizer: splits text, which Gemma 4 does not", e);
}

/* ---- pieces ---- */

static bool put_piece(struct convert_tok *t, struct str text, const json_t *id, struct err *e)
{
    if (!json_is_integer(id) || json_integer_value(id) < 0 ||
        json_integer_value(id) >= (json_int_t)t->n_vocab)
        return err_set(e, ERR_FORMAT,
                       "%s/%s: the id of piece \"%.40s\" is not a whole number below %u, the rows "
                       "of the embedding",
                       t->dir, file_name, text.p, t->n_vocab);
    struct str *at = &t->pieces[json_integer_value(id)];
    if (at->p && !str_eq(*at, text))
        return err_set(e, ERR_FORMAT, "%s/%s: id %" PRId64 " is \"%.40s\" and \"%.40s\"", t->dir,
                       file_name, (int64_t)json_integer_value(id), at->p, text.p);
    *at = text;
    return true;
}

static bool read_vocab(struct convert_tok *t, json_t *vocab, struct err *e)
{
    const char *key;
    json_t *id;
    if (!json_is_object(vocab))
        return refuse(t, "model.vocab is missing", e);
    json_object_foreach(vocab, key, id)
    {
        if (!put_piece(t, str_of(key), id, e))
            return false;
    }
    return true;
}

static void class_of(struct convert_tok *t, uint32_t id, bool is_special)
{
    struct str text = t->pieces[id];
    t->classes[id] = tok_byte_of(text) >= 0 ? TOK_BYTE : is_special ? TOK_CONTROL : TOK_NORMAL;
    for (size_t i = 0; i < sizeof user_defined / sizeof *user_defined; i++)
        if (str_is(text, user_defined[i]))
            t->classes[id] = TOK_USER_DEFINED;
}

static bool read_added(struct convert_tok *t, struct err *e)
{
    const json_t *added = json_object_get(t->root, "added_tokens");
    for (uint32_t id = 0; id < t->n_vocab; id++)
        class_of(t, id, false);
    for (size_t i = 0; i < json_array_size(added); i++) {
        const json_t *one = json_array_get(added, i), *id = json_object_get(one, "id");
        struct str text = json_text_str(json_object_get(one, "content"));
        if (text.n_bytes == 0 || memchr(text.p, '\0', text.n_bytes))
            return refuse(t, "added_tokens: an entry has no content", e);
        if (!put_piece(t, text, id, e))
            return false;
        class_of(t, (uint32_t)json_integer_value(id),
                 json_is_true(json_object_get(one, "special")));
    }
    return true;
}

/* Ids that no text makes: the embedding may have more rows than the tokenizer pieces. */
static bool fill_unused(struct convert_tok *t, char **made)
{
    for (uint32_t id = 0; id < t->n_vocab; id++) {
        if (t->pieces[id].p)
            continue;
        int n = snprintf(*made, MAX_MADE_PIECE_BYTES, "[PAD%" PRIu32 "]", id);
        t->pieces[id] = (struct str){*made, (size_t)n};
        t->classes[id] = TOK_UNUSED;
        *made += n;
    }
    return true;
}

/* ---- merges ---- */

/* ["left", "right"] (newer files) or "left right". */
static bool merge_sides(const json_t *v, struct str *left, struct str *right)
{
    *left = json_text_str(json_array_get(v, 0));
    *right = json_text_str(json_array_get(v, 1));
    return json_array_size(v) == 2 && left->n_bytes > 0 && right->n_bytes > 0 &&
           !memchr(left->p, ' ', left->n_bytes) && !memchr(right->p, ' ', right->n_bytes);
}

static bool read_merges(struct convert_tok *t, const json_t *merges, char **made, struct err *e)
{
    struct str left, right;
    for (uint32_t i = 0; i < t->n_merges; i++) {
        const json_t *v = json_array_get(merges, i);
        if (json_is_string(v)) {
            t->merges[i] = json_text_str(v);
            continue;
        }
        if (!merge_sides(v, &left, &right))
            return err_set(e, ERR_FORMAT, "%s/%s: model.merges: entry %u is not two pieces", t->dir,
                           file_name, i);
        t->merges[i] = (struct str){*made, left.n_bytes + 1 + right.n_bytes};
        memcpy(*made, left.p, left.n_bytes);
        (*made)[left.n_bytes] = ' ';
        memcpy(*made + left.n_bytes + 1, right.p, right.n_bytes);
        *made += t->merges[i].n_bytes;
    }
    return true;
}

static uint64_t made_bytes(const struct convert_tok *t, const json_t *merges)
{
    uint64_t n_bytes = (uint64_t)t->n_vocab * MAX_MADE_PIECE_BYTES;
    for (uint32_t i = 0; i < t->n_merges; i++) {
        const json_t *v = json_array_get(merges, i);
        n_bytes += 1 + json_text_str(json_array_get(v, 0)).n_bytes +
                   json_text_str(json_array_get(v, 1)).n_bytes;
    }
    return n_bytes;
}

/* ---- the chat template ---- */

/* tokenizer_config.json of older files: a text, or a list of named ones. */
static struct str template_in(const json_t *config)
{
    const json_t *v = json_object_get(config, "chat_template");
    for (size_t i = 0; i < json_array_size(v); i++)
        if (text_is(json_object_get(json_array_get(v, i), "name"), "default"))
            return json_text_str(json_object_get(json_array_get(v, i), "template"));
    return json_text_str(v);
}

static bool copy_template(struct convert_tok *t, struct str text, struct err *e)
{
    if (text.n_bytes == 0)
        return true;
    char *copy = mem_alloc(text.n_bytes, 1);
    if (!copy)
        return err_set(e, ERR_NOMEM, "%s/%s: no memory", t->dir, config_name);
    memcpy(copy, text.p, text.n_bytes);
    t->chat_template = (struct str){copy, text.n_bytes};
    return true;
}

static bool read_template(struct convert_tok *t, struct err *e)
{
    if (dir_file_exists(t->dir, template_name)) {
        t->chat_template = dir_file_read(t->dir, template_name, e);
        if (!t->chat_template.p)
            return false;
        return str_is_utf8(t->chat_template) ||
               err_set(e, ERR_FORMAT, "%s/%s: not valid UTF-8", t->dir, template_name);
    }
    if (!dir_file_exists(t->dir, config_name))
        return true;
    json_t *config = dir_file_json(t->dir, config_name, e);
    bool ok = config && copy_template(t, template_in(config), e);
    json_decref(config);
    return ok;
}

/* ---- open, check, declare ---- */

static bool read_all(struct convert_tok *t, struct err *e)
{
    t->root = dir_file_json(t->dir, file_name, e);
    if (!t->root)
        return false;
    json_t *model = json_object_get(t->root, "model");
    const json_t *merges = json_object_get(model, "merges");
    size_t n_merges = json_array_size(merges);
    if (!check_kind(t, model, e))
        return false;
    if (n_merges == 0 || n_merges > TOK_MAX_MERGES || t->n_vocab > TOK_MAX_VOCAB)
        return refuse(t, "model.merges is missing, or merges or pieces are too many", e);
    t->n_merges = (uint32_t)n_merges;
    t->pieces = mem_alloc(t->n_vocab, sizeof *t->pieces);
    t->classes = mem_alloc(t->n_vocab, 1);
    t->merges = mem_alloc(n_merges, sizeof *t->merges);
    t->made = mem_alloc(made_bytes(t, merges), 1);
    if (!t->pieces || !t->classes || !t->merges || !t->made)
        return err_set(e, ERR_NOMEM, "%s/%s: no memory", t->dir, file_name);
    char *made = t->made;
    return read_vocab(t, json_object_get(model, "vocab"), e) && read_added(t, e) &&
           fill_unused(t, &made) && read_merges(t, merges, &made, e) && read_template(t, e);
}

struct convert_tok *convert_tok_open(const char *dir, uint32_t n_vocab, struct err *e)
{
    struct convert_tok *t = mem_alloc(1, sizeof *t);
    if (!t)
        return err_null(e, ERR_NOMEM, "%s/%s: no memory", dir, file_name);
    t->dir = dir;
    t->n_vocab = n_vocab;
    if (read_all(t, e))
        return t;
    convert_tok_close(t);
    return NULL;
}

void convert_tok_close(struct convert_tok *t)
{
    if (!t)
        return;
    json_decref(t->root);
    mem_free(t->pieces);
    mem_free(t->classes);
    mem_free(t->merges);
    mem_free(t->made);
    mem_free((void *)(uintptr_t)t->chat_template.p);
    mem_free(t);
}

bool convert_tok_check(const struct convert_tok *t, struct err *e)
{
    char path[DIR_FILE_PATH_BYTES];
    size_t image_bytes;
    if (!dir_file_path(t->dir, file_name, path, e))
        return false;
    const struct tok_source source = {
        .name = path,
        .n_vocab = t->n_vocab,
        .n_merges = t->n_merges,
        .pieces = t->pieces,
        .classes = t->classes,
        .merges = t->merges,
        .template_rev = 2,
    };
    void *image = tok_image_build(&source, &image_bytes, e);
    free(image);
    return image != NULL;
}

static bool declare_ids(const struct convert_tok *t, struct gguf_writer *w, struct err *e)
{
    static const struct {
        const char *text, *key;
    } ids[] = {
        {"<bos>", "tokenizer.ggml.bos_token_id"},     {"<eos>", "tokenizer.ggml.eos_token_id"},
        {"<unk>", "tokenizer.ggml.unknown_token_id"}, {"<pad>", "tokenizer.ggml.padding_token_id"},
        {"<mask>", "tokenizer.ggml.mask_token_id"},
    };
    bool ok = true;
    for (size_t k = 0; k < sizeof ids / sizeof *ids && ok; k++)
        for (uint32_t id = 0; id < t->n_vocab; id++)
            if (str_is(t->pieces[id], ids[k].text)) {
                ok = gguf_write_u32(w, ids[k].key, id, e);
                break;
            }
    return ok;
}

static bool declare_lists(const struct convert_tok *t, struct gguf_writer *w, struct err *e)
{
    float *scores = mem_alloc(t->n_vocab, sizeof *scores);
    int32_t *types = mem_alloc(t->n_vocab, sizeof *types);
    bool ok = scores && types;
    for (uint32_t i = 0; i < t->n_vocab && ok; i++) {
        scores[i] = -1000.0f; /* as every file has it; nothing reads them */
        types[i] = t->classes[i];
    }
    ok = ok ? gguf_write_strs(w, "tokenizer.ggml.tokens", t->pieces, t->n_vocab, e) &&
                  gguf_write_f32s(w, "tokenizer.ggml.scores", scores, t->n_vocab, e) &&
                  gguf_write_i32s(w, "tokenizer.ggml.token_type", types, t->n_vocab, e) &&
                  gguf_write_strs(w, "tokenizer.ggml.merges", t->merges, t->n_merges, e)
            : err_set(e, ERR_NOMEM, "%s/%s: no memory", t->dir, file_name);
    mem_free(scores);
    mem_free(types);
    return ok;
}

bool convert_tok_declare(const struct convert_tok *t, struct gguf_writer *w, struct err *e)
{
    const struct gguf_kv chat = {
        .key = STR("tokenizer.chat_template"), .type = GGUF_STR, .value.str = t->chat_template};
    return gguf_write_str(w, "tokenizer.ggml.model", "gemma4", e) && declare_lists(t, w, e) &&
           declare_ids(t, w, e) && gguf_write_bool(w, "tokenizer.ggml.add_bos_token", true, e) &&
           gguf_write_bool(w, "tokenizer.ggml.add_space_prefix", false, e) &&
           (!t->chat_template.p || gguf_write_kv(w, &chat, e));
}
