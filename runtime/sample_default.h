/* sample_default: the sampling a model file recommends: general.sampling.*, else what the model
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

#endif
