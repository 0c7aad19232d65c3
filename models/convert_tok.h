/* convert_tok: a Hugging Face tokenizer.json as the tokenizer keys of a GGUF file (gemma4-chat.md
 * 1), with the chat template beside it. Only the Gemma kind is taken: byte pair merges over whole
 * text, spaces as U+2581, bytes as a last resort.   Thread: one. Allocates: at open, about ten
 * times the file. */
#ifndef MODELS_CONVERT_TOK_H
#define MODELS_CONVERT_TOK_H

#include "models/gguf_write.h"
#include "models/json_text.h"

struct convert_tok {
    const char *dir;          /* borrowed; for messages */
    json_t *root;             /* owns most texts */
    struct str *pieces;       /* [n_vocab] by id */
    uint8_t *classes;         /* [n_vocab] enum tok_class */
    struct str *merges;       /* [n_merges] "left right" */
    char *made;               /* texts that tokenizer.json does not hold as they are written here */
    struct str chat_template; /* p NULL: there is none; owned */
    uint32_t n_vocab, n_merges;
};

bool convert_tok_is_there(const char *dir);

/* n_vocab: rows of the embedding; ids without a piece become unused ones, more pieces than rows are
 * refused. NULL on failure. */
struct convert_tok *convert_tok_open(const char *dir, uint32_t n_vocab, struct err *e);
void convert_tok_close(struct convert_tok *t); /* NULL is fine */

/* Everything the loader will ask: markers, byte tokens, both sides of every merge. */
bool convert_tok_check(const struct convert_tok *t, struct err *e);

bool convert_tok_declare(const struct convert_tok *t, struct gguf_writer *w, struct err *e);

#endif
