/* tok_small: a vocabulary of a few hundred tokens for tests: markers, byte tokens, printable ASCII,
 * runs of line feeds, a few words, and merges of a, b and c that compete with each other. Header
 * only; everything is freed by the caller. */
#ifndef TESTS_TOK_SMALL_H
#define TESTS_TOK_SMALL_H

#include "models/tok_image.h"

#include <stdio.h>
#include <stdlib.h>

enum { TOK_SMALL_MAX_PIECES = 600, TOK_SMALL_MAX_MERGES = 200, TOK_SMALL_TEXT_BYTES = 24 };

struct tok_small {
    struct tok_source source;
    uint32_t n_pieces, n_merges;
    struct str pieces[TOK_SMALL_MAX_PIECES];
    uint8_t classes[TOK_SMALL_MAX_PIECES];
    struct str merges[TOK_SMALL_MAX_MERGES];
    char text[TOK_SMALL_MAX_PIECES + TOK_SMALL_MAX_MERGES][TOK_SMALL_TEXT_BYTES];
    uint32_t n_texts;
};

static inline struct str tok_small_keep(struct tok_small *ts, const char *text)
{
    char *at = ts->text[ts->n_texts++];
    snprintf(at, TOK_SMALL_TEXT_BYTES, "%s", text);
    return str_of(at);
}

static inline void tok_small_add(struct tok_small *ts, const char *text, enum tok_class c)
{
    ts->classes[ts->n_pieces] = (uint8_t)c;
    ts->pieces[ts->n_pieces++] = tok_small_keep(ts, text);
}

static inline void tok_small_merge(struct tok_small *ts, const char *text)
{
    ts->merges[ts->n_merges++] = tok_small_keep(ts, text);
}

/* Fills ts->source; edit it before building to try what a bad file holds. */
static inline void tok_small_init(struct tok_small *ts)
{
    static const char *const controls[] = {"<pad>",   "<eos>",   "<bos>",     "<unk>",
                                           "<mask>",  "<|tool>", "<tool|>",   "<|think|>",
                                           "<|turn>", "<turn|>", "<|image|>", "<|audio|>"};
    static const char *const user_defined[] = {
        "<|tool_call>", "<tool_call|>", "<|tool_response>", "<tool_response|>",
        "<|\"|>",       "<|channel>",   "<channel|>"};
    static const char *const words[] = {"\n",
                                        "\n\n",
                                        "\n\n\n",
                                        "\t",
                                        "\xe2\x96\x81",
                                        "\xe2\x96\x81\xe2\x96\x81",
                                        "\xc3\xa9",
                                        "th",
                                        "the",
                                        "\xe2\x96\x81the",
                                        "tho",
                                        "ught",
                                        "thought",
                                        "ou",
                                        "gh"};
    static const char *const merges[] = {"\n \n", "\n \n\n", "\xe2\x96\x81 \xe2\x96\x81",
                                         "a ab",  "b b",     "a b",
                                         "a a",   "aa b",    "c c",
                                         "b c",   "ab ab",   "cc cc",
                                         "ab c",  "t h",     "o u",
                                         "g h",   "th e",    "\xe2\x96\x81 the",
                                         "th o"};
    static const char *const made[] = {"aab", "bb", "ab", "aa", "cc", "bc", "abab", "cccc", "abc"};
    char text[8];
    memset(ts, 0, sizeof *ts);
    for (size_t i = 0; i < sizeof controls / sizeof controls[0]; i++)
        tok_small_add(ts, controls[i], TOK_CONTROL);
    for (size_t i = 0; i < sizeof user_defined / sizeof user_defined[0]; i++)
        tok_small_add(ts, user_defined[i], TOK_USER_DEFINED);
    for (unsigned b = 0; b < 256; b++) {
        snprintf(text, sizeof text, "<0x%02X>", b);
        tok_small_add(ts, text, TOK_BYTE);
    }
    for (char c = 0x21; c < 0x7f; c++)
        tok_small_add(ts, (const char[]){c, 0}, TOK_NORMAL);
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        tok_small_add(ts, words[i], TOK_NORMAL);
    for (size_t i = 0; i < sizeof made / sizeof made[0]; i++)
        tok_small_add(ts, made[i], TOK_NORMAL);
    for (size_t i = 0; i < sizeof merges / sizeof merges[0]; i++)
        tok_small_merge(ts, merges[i]);
    ts->source = (struct tok_source){.name = "small",
                                     .n_vocab = ts->n_pieces,
                                     .n_merges = ts->n_merges,
                                     .pieces = ts->pieces,
                                     .classes = ts->classes,
                                     .merges = ts->merges,
                                     .template_rev = 2,
                                     .has_empty_thought = true};
}

/* The image of the unchanged vocabulary, or NULL; free() it after use. */
static inline void *tok_small_open(struct tok *t, struct err *e)
{
    struct tok_small *ts = malloc(sizeof *ts);
    size_t image_bytes;
    if (!ts)
        return NULL;
    tok_small_init(ts);
    void *image = tok_image_build(&ts->source, &image_bytes, e);
    free(ts);
    if (image && !tok_open(t, image, image_bytes, e)) {
        free(image);
        image = NULL;
    }
    return image;
}

#endif
