/* chat: a conversation with a model in this process: history, prompt, generation, parsed answer.
 * Flow: question -> messages -> gemma4_chat -> tok -> runner -> sample -> gemma4_parse -> sink.
 * What the cache holds of the conversation is used again as far as its tokens are those of the next
 * prompt (a row's result depends on the tokens before it alone, so this changes no bit); where it
 * cannot be taken back to there, all is computed anew.
 * Thread: one.   Allocates: with the length of the conversation. */
#ifndef RUNTIME_CHAT_H
#define RUNTIME_CHAT_H

#include "runtime/runner.h"
#include "runtime/sample.h"

struct chat_config {
    const char *system; /* NULL = none; borrowed, lives as long as the chat */
    bool thinks;
    struct sample_params sampling;
    uint32_t max_tokens; /* of an answer; 0 = as many as the context has room for */
};

enum chat_part { CHAT_THOUGHT, CHAT_ANSWER };

/* Where an answer goes, piece by piece; asked between steps whether to go on. */
struct chat_sink {
    void *arg;
    void (*put)(void *arg, enum chat_part part, struct str text); /* whole UTF-8 characters */
    bool (*wants_stop)(void *arg);
};

enum chat_end {
    CHAT_END_TURN,    /* the model is done */
    CHAT_END_LIMIT,   /* max_tokens */
    CHAT_END_CONTEXT, /* no room for another token */
    CHAT_END_STOPPED, /* wants_stop */
};

struct chat_stats {
    uint32_t n_prompt, n_reused, n_generated; /* tokens; n_reused of n_prompt were in the cache */
    int64_t prompt_us, generate_us;
    enum chat_end end;
};

struct chat; /* opaque */

/* r: with its tokenizer open; borrowed, and its sequence 0 is the chat's. */
struct chat *chat_new(struct runner *r, const struct chat_config *cfg, struct err *e);
void chat_free(struct chat *c); /* NULL is fine */

/* Forget the conversation. */
void chat_reset(struct chat *c);

/* One turn. On failure (text that is not UTF-8, a conversation longer than the context) the
 * question is forgotten and the conversation stands as before. */
bool chat_ask(struct chat *c, struct str question, const struct chat_sink *sink,
              struct chat_stats *stats, struct err *e);

#endif
