/* gemma4_text: the Gemma 4 decoder, dense members (gemma4-text.md 1-3). Layer count and every size
 * come from the file. Flow: gguf -> gemma4_bind (names to fields, shapes checked once) ->
 * gemma4_plan / gemma4_init (buffers) -> gemma4_forward (a list of op calls over those buffers, run
 * by any backend).   Thread: engine.   Allocates: never; buffers are planned. Borrows: weights live
 * in the gguf, which outlives the model. */
#ifndef MODELS_GEMMA4_TEXT_H
#define MODELS_GEMMA4_TEXT_H

#include "kernels/kv_view.h"
#include "kernels/op.h"
#include "models/batch.h"
#include "models/gguf.h"
#include "runtime/base/arena.h"
#include "runtime/base/plan.h"

enum { GEMMA4_MAX_LAYERS = 128, GEMMA4_MAX_HEAD_DIM = 512 };

/* A linear layer's weight: [n_out, n_in], rows packed. */
struct weight {
    const void *bytes; /* NULL = absent */
    enum qtype type;
    uint32_t n_in, n_out;
    float scale; /* NVFP4 companion `.scale`, else 1 */
};

struct gemma4_layer {
    bool is_local;
    uint32_t n_kv_heads, head_dim, d_ff; /* K, E, F */
    struct weight attn_q, attn_k, attn_v /* absent: V = K projection */, attn_output;
    struct weight ffn_gate, ffn_up, ffn_down;
    const float *attn_norm, *post_attention_norm, *ffn_norm, *post_ffw_norm; /* [D] */
    const float *attn_q_norm, *attn_k_norm;                                  /* [E] */
    float out_scale; /* layer_output_scale */
};

struct gemma4_dims {
    uint32_t n_layers, d_model, n_vocab, n_heads; /* L, D, V, H */
    uint32_t window;                              /* W */
    uint32_t n_ctx_train;
    uint32_t head_dim_local, head_dim_global;
    float eps, softcap /* 0 = none */, embed_scale;
    double rope_base_local, rope_base_global;
    uint64_t n_params;
};

/* Planned buffers, by offset before the arena exists and by pointer after. T = max_rows, R =
 * max_logit_rows, HE = H * E and KE = K * E of the layer where they are largest. */
#define GEMMA4_BUFFERS(X)                                                                          \
    X(x, float, T *D)      /* residual stream */                                                   \
    X(norm, float, T *D)   /* normed input of a branch */                                          \
    X(branch, float, T *D) /* output of attention or MLP */                                        \
    X(q, float, T *HE)     /* queries; then the attention output is in att */                      \
    X(k, float, T *KE)     /* raw K projection */                                                  \
    X(v, float, T *KE)     /* raw V projection */                                                  \
    X(att, float, T *HE)   /* attention output, heads concatenated */                              \
    X(gate, float, T *F)   /* gate, then gelu(gate) * up */                                        \
    X(up, float, T *F)                                                                             \
    X(act, char, ACT_BYTES) /* quantised activations of the op input at hand */                    \
    X(out_x, float, R *D)   /* rows whose logits are wanted */                                     \
    X(logits, float, R *V)                                                                         \
    X(inv_freq_local, double, E_LOCAL / 2)                                                         \
    X(inv_freq_global, double, E_GLOBAL / 2)                                                       \
    X(scratch, char, SCRATCH_BYTES) /* per-thread scratch of matmul */                             \
    X(calls, struct op_call, N_CALLS)

struct gemma4 {
    struct gemma4_dims dims;
    struct gemma4_layer layers[GEMMA4_MAX_LAYERS];
    struct weight token_embd, output; /* output = token_embd when the file has no head of its own */
    const float *output_norm;         /* [D] */
    const float *rope_freqs;          /* [E_GLOBAL/2] divisors, NULL = built from the 0.25 rule */
    uint32_t max_rows, max_logit_rows, n_threads;
    size_t scratch_bytes;
    const struct op_watch *watch; /* NULL, or told of every op before it runs */
#define X(name, type, count)                                                                       \
    type *name;                                                                                    \
    uint64_t name##_off_bytes;
    GEMMA4_BUFFERS(X)
#undef X
};

/* Reads and checks metadata and every tensor this model needs; refuses what it cannot run
 * (per-layer embeddings, experts, unsupported encodings, wrong shapes) by name. *m is zeroed on
 * failure. */
bool gemma4_bind(struct gemma4 *m, const struct gguf *g, struct err *e);

/* Buffer sizes for batches of up to max_rows rows and max_logit_rows logit rows on n_threads
 * workers. */
bool gemma4_plan(struct gemma4 *m, struct plan *p, uint32_t max_rows, uint32_t max_logit_rows,
                 uint32_t n_threads, struct err *e);
void gemma4_init(struct gemma4 *m, const struct arena *a);

/* One forward pass. views: [L] the layers' caches. On success m->logits holds [R, V] after the
 * final soft cap. Rows beyond the plan's limits: ERR_LIMIT. */
bool gemma4_forward(struct gemma4 *m, enum op_backend backend, struct pool *pool,
                    const struct batch *b, const struct kv_view *views, struct err *e);

#endif
