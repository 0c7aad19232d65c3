/* synth_tok: a small but valid tokenizer for random models: special tokens, byte tokens, printable
 * ASCII, runs of line feeds, tabs and spaces, and merges of lower-case letters until the vocabulary
 * is full. With the real vocabulary size, special and byte tokens have their real ids (gemma4-chat
 * 2). */
#ifndef MODELS_SYNTH_TOK_H
#define MODELS_SYNTH_TOK_H

#include "models/gguf_write.h"

/* n_vocab >= SYNTH_MIN_VOCAB. Writes the tokenizer.ggml.* keys. */
bool synth_tok_declare(uint32_t n_vocab, struct gguf_writer *w, struct err *e);

#endif
