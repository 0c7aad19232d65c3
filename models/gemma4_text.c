/* gemma4_text: buffers and the op list of one forward pass. The order of ops is gemma4-text.md 3.1,
 * line by line. */
#include "models/gemma4_text.h"

#include "kernels/attn/attn.h"
#include "kernels/embed/embed.h"
#include "kernels/glu/glu.h"
#include "kernels/matmul/matmul.h"
#include "kernels/qkv/qkv_store.h"
#include "kernels/rmsnorm/rmsnorm.h"
#include "kernels/softcap/softcap.h"
#include "runtime/base/check.h"
#include "runtime/base/num.h"

#include <math.h>
#include <string.h>

enum { MAX_CALLS_PER_LAYER = 18, MAX_OTHER_CALLS = 8 };

struct widths {
    uint64_t he, ke, f, widest; /* largest of any layer; widest op input */
};

static struct widths widths_of(const struct gemma4 *m)
{
    struct widths w = {0};
    for (uint32_t i = 0; i < m->dims.n_layers; i++) {
        const struct gemma4_layer *l = &m->layers[i];
        w.he = num_max(w.he, (uint64_t)m->dims.n_heads * l->head_dim);
        w.ke = num_max(w.ke, (uint64_t)l->n_kv_heads * l->head_dim);
        w.f = num_max(w.f, l->d_ff);
    }
    w.widest = num_max(num_max(w.he, w.f), m->dims.d_model);
    return w;
}

bool gemma4_plan(struct gemma4 *m, struct plan *p, uint32_t max_rows, uint32_t max_logit_rows,
                 uint32_t n_threads, struct err *e)
{
    const struct widths w = widths_of(m);
    const uint64_t T = max_rows, R = max_logit_rows, D = m->dims.d_model, V = m->dims.n_vocab;
    const uint64_t HE = w.he, KE = w.ke, F = w.f, E_LOCAL = m->dims.head_dim_local,
                   E_GLOBAL = m->dims.head_dim_global;
    const uint64_t ACT_BYTES = actq_bytes(max_rows, (uint32_t)w.widest);
    const uint64_t SCRATCH_BYTES = matmul_scratch_bytes(n_threads);
    const uint64_t N_CALLS = (uint64_t)m->dims.n_layers * MAX_CALLS_PER_LAYER + MAX_OTHER_CALLS;
    m->max_rows = max_rows;
    m->max_logit_rows = max_logit_rows;
    m->n_threads = n_threads;
    m->scratch_bytes = SCRATCH_BYTES;
#define X(name, type, count)                                                                       \
    if (!plan_add(p, "forward: " #name, (count), sizeof(type), &m->name##_off_bytes, e))           \
        return false;
    GEMMA4_BUFFERS(X)
#undef X
    return true;
}

/* gemma4-text 3.5. Local: base^(-2j/E). Global: the same over the divisors; the file's tensor, or
 * the 0.25 rule. */
static void fill_inv_freq(const struct gemma4 *m)
{
    const struct gemma4_dims *d = &m->dims;
    uint32_t n_local = d->head_dim_local / 2, n_global = d->head_dim_global / 2;
    for (uint32_t j = 0; j < n_local; j++)
        m->inv_freq_local[j] = pow(d->rope_base_local, -2.0 * j / d->head_dim_local);
    for (uint32_t j = 0; j < n_global; j++) {
        double base = pow(d->rope_base_global, -2.0 * j / d->head_dim_global);
        bool is_rotated = m->rope_freqs ? m->rope_freqs[j] < 1e20f : j < d->head_dim_global / 8;
        double divisor = m->rope_freqs && is_rotated ? (double)m->rope_freqs[j] : 1.0;
        m->inv_freq_global[j] = is_rotated && divisor != 0.0 ? base / divisor : 0.0;
    }
}

void gemma4_init(struct gemma4 *m, const struct arena *a)
{
#define X(name, type, count) m->name = arena_at(a, m->name##_off_bytes);
    GEMMA4_BUFFERS(X)
#undef X
    fill_inv_freq(m);
}

/* The list under construction. */
struct graph {
    struct gemma4 *m;
    const struct batch *b;
    uint32_t n_calls;
};

static void emit(struct graph *g, const struct op *op, const void *args, size_t n_bytes)
{
    CHECK(n_bytes == op->args_bytes && n_bytes <= OP_MAX_ARGS_BYTES);
    struct op_call *c = &g->m->calls[g->n_calls++];
    c->op = op;
    memcpy(c->args, args, n_bytes);
}

#define EMIT(g, name, ...)                                                                         \
    emit((g), &op_##name, &(struct name##_args){__VA_ARGS__}, sizeof(struct name##_args))

/* An op input in the two forms matmuls may want. The quantised one is made once, if anyone reads
 * it. */
struct input {
    const float *x;
    struct actq_view xq;
};

static struct input emit_input(struct graph *g, const float *x, uint32_t n_rows, uint32_t n_cols,
                               bool wants_actq)
{
    struct input in = {x, {0}};
    if (wants_actq) {
        in.xq = actq_at(g->m->act, n_rows, n_cols);
        EMIT(g, actq, .x = x, .out = in.xq, .n_rows = n_rows, .n_cols = n_cols);
    }
    return in;
}

static void emit_matmul(struct graph *g, const struct weight *w, struct input in, uint32_t n_rows,
                        float *y)
{
    EMIT(g, matmul, .w = w->bytes, .x = in.x, .xq = in.xq, .y = y, .w_type = w->type,
         .n_rows = n_rows, .n_in = w->n_in, .n_out = w->n_out, .y_stride = w->n_out,
         .scale = w->scale, .scratch = g->m->scratch, .scratch_bytes = g->m->scratch_bytes);
}

static void emit_norm(struct graph *g, const float *x, const float *w, float *y, uint32_t n_rows)
{
    EMIT(g, rmsnorm, .x = x, .w = w, .y = y, .n_rows = n_rows, .d_model = g->m->dims.d_model,
         .eps = g->m->dims.eps, .out_scale = 1.0f);
}

/* x = out_scale * (x + RMS(branch, w)) */
static void emit_residual(struct graph *g, const float *w, float out_scale)
{
    struct gemma4 *m = g->m;
    EMIT(g, rmsnorm, .x = m->branch, .w = w, .resid = m->x, .y = m->x, .n_rows = g->b->n_rows,
         .d_model = m->dims.d_model, .eps = m->dims.eps, .out_scale = out_scale);
}

static void emit_attention(struct graph *g, const struct gemma4_layer *l, const struct kv_view *kv)
{
    struct gemma4 *m = g->m;
    const struct batch *b = g->b;
    uint32_t n_rows = b->n_rows, q_width = m->dims.n_heads * l->head_dim;
    bool wants_actq = matmul_uses_actq(l->attn_q.type) || matmul_uses_actq(l->attn_k.type) ||
                      (l->attn_v.bytes && matmul_uses_actq(l->attn_v.type));
    emit_norm(g, m->x, l->attn_norm, m->norm, n_rows);
    struct input in = emit_input(g, m->norm, n_rows, m->dims.d_model, wants_actq);
    emit_matmul(g, &l->attn_q, in, n_rows, m->q);
    emit_matmul(g, &l->attn_k, in, n_rows, m->k);
    if (l->attn_v.bytes)
        emit_matmul(g, &l->attn_v, in, n_rows, m->v);
    EMIT(g, qkv_store, .q = m->q, .k = m->k, .v = l->attn_v.bytes ? m->v : m->k,
         .q_norm = l->attn_q_norm, .k_norm = l->attn_k_norm,
         .inv_freq = l->is_local ? m->inv_freq_local : m->inv_freq_global, .pos = b->pos,
         .seq = b->seq, .kv = *kv, .n_rows = n_rows, .n_heads = m->dims.n_heads,
         .n_kv_heads = l->n_kv_heads, .head_dim = l->head_dim, .eps = m->dims.eps);
    EMIT(g, attn, .q = m->q, .out = m->att, .pos = b->pos, .seq = b->seq, .kv = *kv,
         .n_rows = n_rows, .n_heads = m->dims.n_heads, .n_kv_heads = l->n_kv_heads,
         .head_dim = l->head_dim, .window = l->is_local ? m->dims.window : 0);
    in = emit_input(g, m->att, n_rows, q_width, matmul_uses_actq(l->attn_output.type));
    emit_matmul(g, &l->attn_output, in, n_rows, m->branch);
    emit_residual(g, l->post_attention_norm, 1.0f);
}

static void emit_mlp(struct graph *g, const struct gemma4_layer *l)
{
    struct gemma4 *m = g->m;
    uint32_t n_rows = g->b->n_rows;
    emit_norm(g, m->x, l->ffn_norm, m->norm, n_rows);
    struct input in =
        emit_input(g, m->norm, n_rows, m->dims.d_model,
                   matmul_uses_actq(l->ffn_gate.type) || matmul_uses_actq(l->ffn_up.type));
    emit_matmul(g, &l->ffn_gate, in, n_rows, m->gate);
    emit_matmul(g, &l->ffn_up, in, n_rows, m->up);
    EMIT(g, glu, .gate = m->gate, .up = m->up, .y = m->gate, .n_rows = n_rows, .n_cols = l->d_ff);
    in = emit_input(g, m->gate, n_rows, l->d_ff, matmul_uses_actq(l->ffn_down.type));
    emit_matmul(g, &l->ffn_down, in, n_rows, m->branch);
    emit_residual(g, l->post_ffw_norm, l->out_scale);
}

/* Only rows whose logits are wanted: the head is the largest matrix. */
static void emit_head(struct graph *g)
{
    struct gemma4 *m = g->m;
    uint32_t n_rows = g->b->n_logit_rows, d_model = m->dims.d_model;
    EMIT(g, embed, .w = m->x, .tok = g->b->logit_rows, .y = m->out_x, .w_type = QTYPE_F32,
         .n_rows = n_rows, .d_model = d_model, .n_vocab = g->b->n_rows,
         .scale = 1.0f); /* gathers the rows */
    emit_norm(g, m->out_x, m->output_norm, m->out_x, n_rows);
    struct input in = emit_input(g, m->out_x, n_rows, d_model, matmul_uses_actq(m->output.type));
    emit_matmul(g, &m->output, in, n_rows, m->logits);
    if (m->dims.softcap > 0.0f)
        EMIT(g, softcap, .x = m->logits, .n_rows = n_rows, .n_cols = m->dims.n_vocab,
             .cap = m->dims.softcap);
}

bool gemma4_forward(struct gemma4 *m, enum op_backend backend, struct pool *pool,
                    const struct batch *b, const struct kv_view *views, struct err *e)
{
    if (b->n_rows == 0 || b->n_rows > m->max_rows || b->n_logit_rows > m->max_logit_rows)
        return err_set(e, ERR_LIMIT,
                       "forward: batch of %u rows, %u logit rows; planned for %u and %u", b->n_rows,
                       b->n_logit_rows, m->max_rows, m->max_logit_rows);
    struct graph g = {m, b, 0};
    EMIT(&g, embed, .w = m->token_embd.bytes, .tok = b->tok, .y = m->x,
         .w_type = m->token_embd.type, .n_rows = b->n_rows, .d_model = m->dims.d_model,
         .n_vocab = m->dims.n_vocab, .scale = m->dims.embed_scale * m->token_embd.scale);
    for (uint32_t i = 0; i < m->dims.n_layers; i++) {
        emit_attention(&g, &m->layers[i], &views[i]);
        emit_mlp(&g, &m->layers[i]);
    }
    if (b->n_logit_rows)
        emit_head(&g);
    if (m->watch)
        return op_run_watched(backend, pool, m->calls, g.n_calls, m->watch, e);
    return op_run(backend, pool, m->calls, g.n_calls, e);
}
