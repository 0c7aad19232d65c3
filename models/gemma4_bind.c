/* gemma4_bind: metadata and tensors of a Gemma 4 file into struct gemma4 (gemma4-text.md 2).
 * Numbers from the file are hostile until checked here; nothing past this file divides by or
 * allocates from an unchecked one. */
#include "models/bind.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { MAX_D = 65536, MAX_HEADS = 512, MAX_WINDOW = 1 << 20, MAX_FF = 1 << 20, MAX_CTX = 1 << 24 };

static bool get_range(const struct gguf *g, const char *key, uint32_t low, uint32_t high,
                      uint32_t *out, struct err *e)
{
    if (!gguf_get_u32(g, key, out, e))
        return false;
    if (*out < low || *out > high)
        return err_set(e, ERR_FORMAT, "%s: %s is %u, must be %u to %u", gguf_name(g), key, *out,
                       low, high);
    return true;
}

/* A count that may be one number for all layers or an array with one per layer. */
static bool get_per_layer(const struct gguf *g, const char *key, uint32_t n_layers, uint32_t high,
                          uint32_t *out, struct err *e)
{
    const struct gguf_kv *kv = gguf_find(g, key);
    if (kv && kv->type == GGUF_ARR) {
        const struct gguf_array *a = &kv->value.arr;
        if (a->n_elems != n_layers)
            return err_set(e, ERR_FORMAT, "%s: %s has %" PRIu64 " elements for %u layers",
                           gguf_name(g), key, a->n_elems, n_layers);
        for (uint32_t i = 0; i < n_layers; i++)
            if (!gguf_arr_u32(a, i, &out[i]) || out[i] < 1 || out[i] > high)
                return err_set(e, ERR_FORMAT, "%s: %s[%u] must be a whole number from 1 to %u",
                               gguf_name(g), key, i, high);
        return true;
    }
    uint32_t all;
    if (!get_range(g, key, 1, high, &all, e))
        return false;
    for (uint32_t i = 0; i < n_layers; i++)
        out[i] = all;
    return true;
}

/* True = local (sliding). Released files carry the array; without it every sixth layer is global.
 */
static bool get_pattern(const struct gguf *g, uint32_t n_layers, bool *is_local, struct err *e)
{
    static const char key[] = "gemma4.attention.sliding_window_pattern";
    const struct gguf_kv *kv = gguf_find(g, key);
    if (!kv) {
        for (uint32_t i = 0; i < n_layers; i++)
            is_local[i] = (i + 1) % 6 != 0;
        return true;
    }
    if (kv->type != GGUF_ARR || kv->value.arr.n_elems != n_layers)
        return err_set(e, ERR_FORMAT, "%s: %s must be an array of %u booleans", gguf_name(g), key,
                       n_layers);
    for (uint32_t i = 0; i < n_layers; i++)
        if (!gguf_arr_bool(&kv->value.arr, i, &is_local[i]))
            return err_set(e, ERR_FORMAT, "%s: %s[%u] is not a boolean", gguf_name(g), key, i);
    return true;
}

/* Family members that need parts this version does not have are refused by what they carry. */
static bool refuse_other_members(const struct gguf *g, struct err *e)
{
    static const struct {
        const char *key, *what;
    } parts[] = {
        {"gemma4.embedding_length_per_layer_input", "per-layer embeddings (E2B, E4B)"},
        {"gemma4.attention.shared_kv_layers", "layers that share key/value caches (E2B, E4B)"},
        {"gemma4.expert_count", "mixture-of-experts layers (26B-A4B)"},
    };
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        uint32_t n = 0;
        if (gguf_find(g, parts[i].key) && !gguf_get_u32(g, parts[i].key, &n, e))
            return false;
        if (n)
            return err_set(
                e, ERR_FORMAT,
                "%s: %s = %u: models with %s cannot be run yet, only dense ones (12B, 31B)",
                gguf_name(g), parts[i].key, n, parts[i].what);
    }
    return true;
}

/* Head size of one attention kind; K and V sizes and the rotary width must be the same number. */
static bool get_head_dim(const struct gguf *g, const char *suffix, uint32_t *head_dim,
                         struct err *e)
{
    char key[80];
    uint32_t value_dim, rope_dim;
    snprintf(key, sizeof key, "gemma4.attention.key_length%s", suffix);
    if (!get_range(g, key, 16, GEMMA4_MAX_HEAD_DIM, head_dim, e))
        return false;
    if (*head_dim % 16)
        return err_set(e, ERR_FORMAT, "%s: %s is %u, must be a multiple of 16", gguf_name(g), key,
                       *head_dim);
    snprintf(key, sizeof key, "gemma4.attention.value_length%s", suffix);
    if (!get_range(g, key, *head_dim, *head_dim, &value_dim, e))
        return false;
    snprintf(key, sizeof key, "gemma4.rope.dimension_count%s", suffix);
    return !gguf_find(g, key) || get_range(g, key, *head_dim, *head_dim, &rope_dim, e);
}

/* NaN and infinity are outside of every range. */
static bool get_real(const struct gguf *g, const char *key, double low, double high, float *out,
                     struct err *e)
{
    if (!gguf_get_f32(g, key, out, e))
        return false;
    return ((double)*out >= low && (double)*out <= high) ||
           err_set(e, ERR_FORMAT, "%s: %s is %g, must be %g to %g", gguf_name(g), key, (double)*out,
                   low, high);
}

static bool get_reals(struct gemma4_dims *d, const struct gguf *g, struct err *e)
{
    static const char base[] = "gemma4.rope.freq_base", base_swa[] = "gemma4.rope.freq_base_swa",
                      softcap[] = "gemma4.final_logit_softcapping";
    float base_global = 1000000.0f, base_local = 10000.0f;
    d->softcap = 0.0f;
    if (!get_real(g, "gemma4.attention.layer_norm_rms_epsilon", 1e-12, 0.1, &d->eps, e) ||
        (gguf_find(g, base) && !get_real(g, base, 1.0, 1e12, &base_global, e)) ||
        (gguf_find(g, base_swa) && !get_real(g, base_swa, 1.0, 1e12, &base_local, e)) ||
        (gguf_find(g, softcap) && !get_real(g, softcap, 0.0, 1e6, &d->softcap, e)))
        return false;
    d->rope_base_global = (double)base_global;
    d->rope_base_local = (double)base_local;
    return true;
}

static bool read_dims(struct gemma4_dims *d, const struct gguf *g, struct err *e)
{
    struct str arch;
    if (!gguf_get_str(g, "general.architecture", &arch, e))
        return false;
    if (!str_is(arch, "gemma4"))
        return err_set(e, ERR_FORMAT,
                       "%s: general.architecture is \"%.*s\"; this program runs \"gemma4\" models",
                       gguf_name(g), STR_ARG(arch));
    if (!refuse_other_members(g, e) ||
        !get_range(g, "gemma4.block_count", 1, GEMMA4_MAX_LAYERS, &d->n_layers, e) ||
        !get_range(g, "gemma4.embedding_length", 32, MAX_D, &d->d_model, e) ||
        !get_range(g, "gemma4.attention.head_count", 1, MAX_HEADS, &d->n_heads, e) ||
        !get_range(g, "gemma4.context_length", 1, MAX_CTX, &d->n_ctx_train, e) ||
        !get_range(g, "gemma4.attention.sliding_window", 1, MAX_WINDOW, &d->window, e) ||
        !get_head_dim(g, "", &d->head_dim_global, e) ||
        !get_head_dim(g, "_swa", &d->head_dim_local, e) || !get_reals(d, g, e))
        return false;
    if (d->d_model % 32)
        return err_set(e, ERR_FORMAT, "%s: gemma4.embedding_length is %u, must be a multiple of 32",
                       gguf_name(g), d->d_model);
    d->embed_scale = sqrtf((float)d->d_model); /* gemma4-text 3.2: the f32 constant */
    return true;
}

static bool bind_attention(struct gemma4_layer *l, const struct gemma4_dims *d,
                           const struct gguf *g, uint32_t i, struct err *e)
{
    char name[64];
    uint32_t q_width = d->n_heads * l->head_dim, kv_width = l->n_kv_heads * l->head_dim;
#define BLK(tail) (snprintf(name, sizeof name, "blk.%u." tail, i), name)
    return bind_vector(&l->attn_norm, g, BLK("attn_norm.weight"), d->d_model, BIND_REQUIRED, e) &&
           bind_matrix(&l->attn_q, g, BLK("attn_q.weight"), d->d_model, q_width, BIND_REQUIRED,
                       e) &&
           bind_matrix(&l->attn_k, g, BLK("attn_k.weight"), d->d_model, kv_width, BIND_REQUIRED,
                       e) &&
           bind_matrix(&l->attn_v, g, BLK("attn_v.weight"), d->d_model, kv_width,
                       l->is_local ? BIND_REQUIRED : BIND_OPTIONAL, e) &&
           bind_matrix(&l->attn_output, g, BLK("attn_output.weight"), q_width, d->d_model,
                       BIND_REQUIRED, e) &&
           bind_vector(&l->attn_q_norm, g, BLK("attn_q_norm.weight"), l->head_dim, BIND_REQUIRED,
                       e) &&
           bind_vector(&l->attn_k_norm, g, BLK("attn_k_norm.weight"), l->head_dim, BIND_REQUIRED,
                       e) &&
           bind_vector(&l->post_attention_norm, g, BLK("post_attention_norm.weight"), d->d_model,
                       BIND_REQUIRED, e);
}

static bool bind_mlp(struct gemma4_layer *l, const struct gemma4_dims *d, const struct gguf *g,
                     uint32_t i, struct err *e)
{
    char name[64];
    const float *out_scale;
    if (!bind_vector(&l->ffn_norm, g, BLK("ffn_norm.weight"), d->d_model, BIND_REQUIRED, e) ||
        !bind_matrix(&l->ffn_gate, g, BLK("ffn_gate.weight"), d->d_model, l->d_ff, BIND_REQUIRED,
                     e) ||
        !bind_matrix(&l->ffn_up, g, BLK("ffn_up.weight"), d->d_model, l->d_ff, BIND_REQUIRED, e) ||
        !bind_matrix(&l->ffn_down, g, BLK("ffn_down.weight"), l->d_ff, d->d_model, BIND_REQUIRED,
                     e) ||
        !bind_vector(&l->post_ffw_norm, g, BLK("post_ffw_norm.weight"), d->d_model, BIND_REQUIRED,
                     e) ||
        !bind_vector(&out_scale, g, BLK("layer_output_scale.weight"), 1, BIND_OPTIONAL, e))
        return false;
#undef BLK
    l->out_scale = out_scale ? *out_scale : 1.0f;
    return true;
}

static bool bind_layers(struct gemma4 *m, const struct gguf *g, struct err *e)
{
    struct gemma4_dims *d = &m->dims;
    uint32_t n_kv_heads[GEMMA4_MAX_LAYERS], d_ff[GEMMA4_MAX_LAYERS];
    bool is_local[GEMMA4_MAX_LAYERS];
    if (!get_per_layer(g, "gemma4.attention.head_count_kv", d->n_layers, MAX_HEADS, n_kv_heads,
                       e) ||
        !get_per_layer(g, "gemma4.feed_forward_length", d->n_layers, MAX_FF, d_ff, e) ||
        !get_pattern(g, d->n_layers, is_local, e))
        return false;
    for (uint32_t i = 0; i < d->n_layers; i++) {
        struct gemma4_layer *l = &m->layers[i];
        l->is_local = is_local[i];
        l->n_kv_heads = n_kv_heads[i];
        l->d_ff = d_ff[i];
        l->head_dim = l->is_local ? d->head_dim_local : d->head_dim_global;
        if (d->n_heads % l->n_kv_heads)
            return err_set(
                e, ERR_FORMAT,
                "%s: layer %u has %u key/value heads, which do not divide %u query heads",
                gguf_name(g), i, l->n_kv_heads, d->n_heads);
        if (l->d_ff % 32 || (d->n_heads * l->head_dim) % 32)
            return err_set(e, ERR_FORMAT, "%s: layer %u: widths %u and %u must be multiples of 32",
                           gguf_name(g), i, l->d_ff, d->n_heads * l->head_dim);
        if (!bind_attention(l, d, g, i, e) || !bind_mlp(l, d, g, i, e))
            return false;
    }
    return true;
}

static uint64_t count_params(const struct gguf *g)
{
    uint64_t n_params = 0;
    for (uint64_t i = 0; i < gguf_n_tensors(g); i++) {
        const struct gguf_tensor *t = gguf_tensor_at(g, i);
        if (!str_is(t->name, "rope_freqs.weight"))
            n_params += t->dims[0] * t->dims[1] * t->dims[2] * t->dims[3];
    }
    return n_params;
}

static bool bind_all(struct gemma4 *m, const struct gguf *g, struct err *e)
{
    struct gemma4_dims *d = &m->dims;
    if (!read_dims(d, g, e) ||
        !bind_matrix(&m->token_embd, g, "token_embd.weight", d->d_model, 0, BIND_REQUIRED, e))
        return false;
    d->n_vocab = m->token_embd.n_out;
    if (!bind_matrix(&m->output, g, "output.weight", d->d_model, d->n_vocab, BIND_OPTIONAL, e) ||
        !bind_vector(&m->output_norm, g, "output_norm.weight", d->d_model, BIND_REQUIRED, e) ||
        !bind_vector(&m->rope_freqs, g, "rope_freqs.weight", d->head_dim_global / 2, BIND_OPTIONAL,
                     e) ||
        !bind_layers(m, g, e))
        return false;
    if (!m->output.bytes)
        m->output = m->token_embd;
    d->n_params = count_params(g);
    return true;
}

bool gemma4_bind(struct gemma4 *m, const struct gguf *g, struct err *e)
{
    memset(m, 0, sizeof *m);
    if (bind_all(m, g, e))
        return true;
    memset(m, 0, sizeof *m);
    return false;
}
