#include "models/convert_tok.h"

#include "models/tok_image.h"
#include "runtime/base/mem.h"
#include "tests/model_dir.h"
#include "tests/t.h"
#include "tests/tok_small.h"

#include <stdio.h>
#include <stdlib.h>

/* A tokenizer.json in the scratch directory, as a tree to change. */
static json_t *tokenizer_json(struct model_dir *d, uint32_t *n_vocab)
{
    char path[600];
    size_t n_bytes;
    model_dir_gemma4(d, "tok");
    *n_vocab = (uint32_t)json_integer_value(json_object_get(d->config, "vocab_size"));
    model_dir_write_tokenizer(d);
    snprintf(path, sizeof path, "%s/tokenizer.json", d->path);
    char *text = t_read_file(path, &n_bytes);
    json_t *root = json_loadb(text, n_bytes, 0, NULL);
    free(text);
    MUST_TRUE(root != NULL, "tokenizer.json");
    return root;
}

static void write_root(const struct model_dir *d, const json_t *root)
{
    char *text = json_dumps(root, JSON_COMPACT);
    MUST_TRUE(text != NULL, "memory");
    model_dir_write_text(d->path, "tokenizer.json", text, strlen(text));
    free(text);
}

static void check_same(const struct convert_tok *t)
{
    struct tok_small *ts = malloc(sizeof *ts);
    uint64_t n_wrong = 0;
    MUST_TRUE(ts != NULL, "memory");
    tok_small_init(ts);
    CHECK_EQ(t->n_merges, ts->n_merges);
    for (uint32_t i = 0; i < ts->n_pieces; i++)
        n_wrong += !str_eq(t->pieces[i], ts->pieces[i]) || t->classes[i] != ts->classes[i];
    for (uint32_t i = 0; i < ts->n_merges; i++)
        n_wrong += !str_eq(t->merges[i], ts->merges[i]);
    CHECK_EQ(n_wrong, 0);
    free(ts);
}

TEST(convert_tok_takes_pieces_types_and_both_forms_of_merges)
{
    struct model_dir d;
    struct err e = {0};
    uint32_t n_vocab;
    json_t *root = tokenizer_json(&d, &n_vocab);
    struct convert_tok *t = convert_tok_open(d.path, n_vocab, &e);
    MUST_TRUE(t && convert_tok_check(t, &e), e.msg);
    check_same(t);
    CHECK_TRUE(t->chat_template.p == NULL);
    convert_tok_close(t);
    json_t *merges = json_object_get(json_object_get(root, "model"), "merges");
    for (size_t i = 0; i < json_array_size(merges); i++) {
        const json_t *pair = json_array_get(merges, i);
        json_array_set_new(merges, i,
                           json_sprintf("%s %s", json_string_value(json_array_get(pair, 0)),
                                        json_string_value(json_array_get(pair, 1))));
    }
    write_root(&d, root);
    t = convert_tok_open(d.path, n_vocab, &e);
    MUST_TRUE(t && convert_tok_check(t, &e), e.msg);
    check_same(t);
    convert_tok_close(t);
    json_decref(root);
    model_dir_free(&d);
    CHECK_EQ(mem_n_live(), 0);
}

TEST(convert_tok_fills_rows_without_a_piece_and_finds_the_template)
{
    struct model_dir d;
    struct err e = {0};
    uint32_t n_vocab;
    static const char plain[] = "{\"chat_template\": \"one\"}";
    static const char named[] =
        "{\"chat_template\": [{\"name\": \"tools\", \"template\": \"no\"}, {\"name\": "
        "\"default\", \"template\": \"two\"}]}";
    static const char *const want[] = {"one", "two", "three"};
    json_decref(tokenizer_json(&d, &n_vocab));
    for (int i = 0; i < 3; i++) {
        if (i < 2)
            model_dir_write_text(d.path, "tokenizer_config.json", i ? named : plain,
                                 strlen(i ? named : plain));
        else
            model_dir_write_text(d.path, "chat_template.jinja", "three", 5);
        struct convert_tok *t = convert_tok_open(d.path, n_vocab + 2, &e);
        MUST_TRUE(t && convert_tok_check(t, &e), e.msg);
        CHECK_TRUE(str_is(t->chat_template, want[i]));
        CHECK_EQ(t->classes[n_vocab + 1], TOK_UNUSED);
        CHECK_TRUE(!str_eq(t->pieces[n_vocab], t->pieces[n_vocab + 1]));
        convert_tok_close(t);
    }
    model_dir_free(&d);
    CHECK_EQ(mem_n_live(), 0);
}

/* path: members down from the root, the last one set to json. */
static void expect_refused(const char *const *path, const char *json, const char *says)
{
    struct model_dir d;
    struct err e = {0};
    uint32_t n_vocab;
    json_t *root = tokenizer_json(&d, &n_vocab), *at = root;
    for (; path[1]; path++)
        at = json_object_get(at, path[0]);
    json_object_set_new(at, path[0], json_loads(json, JSON_DECODE_ANY, NULL));
    write_root(&d, root);
    json_decref(root);
    struct convert_tok *t = convert_tok_open(d.path, n_vocab, &e);
    CHECK_TRUE(!(t && convert_tok_check(t, &e)));
    if (!strstr(e.msg, "tokenizer.json: ") || !strstr(e.msg, says))
        CHECK_STR(e.msg, says);
    convert_tok_close(t);
    model_dir_free(&d);
    CHECK_EQ(mem_n_live(), 0);
}

#define AT(...) ((const char *const[]){__VA_ARGS__, NULL})

TEST(convert_tok_refuses_other_kinds_of_tokenizers)
{
    expect_refused(AT("model", "type"), "\"Unigram\"", "model: is not byte pair");
    expect_refused(AT("model", "byte_fallback"), "false", "model: is not byte pair");
    expect_refused(AT("normalizer"), "{\"type\": \"NFC\"}", "normalizer: is not");
    expect_refused(AT("normalizer"), "null", "normalizer: is not");
    expect_refused(AT("pre_tokenizer"), "{\"type\": \"ByteLevel\"}", "pre_tokenizer: splits");
    expect_refused(AT("model", "vocab"), "[]", "model.vocab is missing");
    expect_refused(AT("model", "vocab", "a"), "100000", "the id of piece \"a\"");
    expect_refused(AT("model", "vocab", "a"), "-1", "the id of piece \"a\"");
    expect_refused(AT("model", "vocab", "a"), "2", "id 2 is");
    expect_refused(AT("model", "vocab"), "{\"<pad>\": 0}", "there is no byte token");
    expect_refused(AT("model", "merges"), "[]", "model.merges is missing");
    expect_refused(AT("model", "merges"), "[[\"a\"]]", "model.merges: entry 0 is not two pieces");
    expect_refused(AT("model", "merges"), "[[\"a\", \"q q\"]]", "entry 0 is not two pieces");
    expect_refused(AT("model", "merges"), "[[\"a\", \"qqq\"]]", "entry 0: its right side");
    expect_refused(AT("added_tokens"), "[{\"id\": 3}]", "an entry has no content");
    expect_refused(AT("added_tokens"), "[{\"id\": 3, \"content\": \"x y\"}]", "id 3 is");
}
