/* sample_default: what a model file says about sampling: general.sampling.*, else what the model
 * card says (gemma4-chat.md 6: temperature 1.0, top_p 0.95, top_k 64). Thread: any. */
#ifndef RUNTIME_SAMPLE_DEFAULT_H
#define RUNTIME_SAMPLE_DEFAULT_H

#include "models/gguf.h"

struct sample_default {
    float temperature, top_p;
    uint32_t top_k; /* 0 = off */
};

/* Values that no sampler takes (negative, top_p above 1, top_k above n_vocab) count as absent. */
struct sample_default sample_default_of(const struct gguf *file, uint32_t n_vocab);

/* Ids the file says must never be chosen (tokenizer.ggml.suppress_tokens; the 12B has some,
 * gemma4-chat.md 1). Room that the ids below n_vocab take at most, then the ids; returns how many.
 */
uint32_t sample_default_max_suppressed(const struct gguf *file, uint32_t n_vocab);
uint32_t sample_default_suppressed(const struct gguf *file, uint32_t n_vocab, int32_t *ids);

#endif
