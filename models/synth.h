/* synth: random Gemma 4 models of a real shape: every key and tensor a loader asks for, weights
 * from a formula. Float weights: value i of tensor s is base + amp * (2u - 1) with u from
 * splitmix64 at (FNV-1a of s) ^ seed, so with seed 0 the shape "tiny" is the model of
 * gemma4-text 6.1 and its logits are known. Quantized weights: random blocks of the same deviation
 * (random_qblk).   Flow: synth_new -> synth_declare -> synth_fill per tensor and row. Thread:
 * read-only after synth_new, any. */
#ifndef MODELS_SYNTH_H
#define MODELS_SYNTH_H

#include "models/gguf_write.h"
#include "models/quant_mix.h"

struct synth_shape {
    const char *name, *says; /* says: for help texts */
    uint32_t n_layers, d_model, d_ffn, n_heads;
    uint32_t n_kv_local, n_kv_global, head_dim_local, head_dim_global;
    uint32_t window_tokens, context_tokens, n_vocab;
};

enum { SYNTH_MIN_VOCAB = 400, SYNTH_MAX_LAYERS = 1024 };

/* Table order; NULL past the end. */
const struct synth_shape *synth_shape_at(unsigned i);
/* Names are found in upper and lower case. */
const struct synth_shape *synth_shape_by_name(const char *name);

struct synth_tensor {
    char name[64];
    uint32_t n_dims;
    uint64_t dims[2];
    enum qtype type;
    double base, amp;    /* quantized: base 0 and deviation amp / sqrt(3) */
    bool is_rope_factor; /* 1.0 for the first quarter of the row, then 1e30 (gemma4-text 2.2) */
};

struct synth {
    struct synth_shape shape;
    struct quant_mix mix;
    uint64_t seed;
    struct synth_tensor *tensors; /* [n_tensors] */
    uint32_t n_tensors;
};

/* The name of an encoding: every matrix in it (NVFP4: the head in Q8_0, as an embedding has no
 * tensor scale, quant-formats 4.3); else that of a mix. */
bool synth_mix_by_name(const char *name, struct quant_mix *out);

/* The shape is taken as given (n_layers and n_vocab may differ from the table). Refuses encodings
 * it cannot write. */
bool synth_init(struct synth *s, const struct synth_shape *shape, const struct quant_mix *mix,
                uint64_t seed, struct err *e);
void synth_deinit(struct synth *s);

/* All keys, the tokenizer among them, and all tensors. */
bool synth_declare(const struct synth *s, struct gguf_writer *w, struct err *e);

/* Rows [i_first, i_first + n_rows) of a tensor, encoded, into out. scratch: dims[0] floats. */
void synth_fill(const struct synth *s, const struct synth_tensor *t, uint64_t i_first,
                uint64_t n_rows, float *scratch, void *out);

#endif
