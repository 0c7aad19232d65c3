#include "models/quant_mix.h"

#include <strings.h>

/* clang-format off */
#define MIX(name, file_type, base, head) #name, file_type, QTYPE_##base, QTYPE_##head
#define RULE(tensor, when, type) {#tensor, QUANT_MIX_##when, QTYPE_##type}
static const struct quant_mix mixes[] = {
    {MIX(F32, 0, F32, F32), {{0}}},
    {MIX(F16, 1, F16, F16), {{0}}},
    {MIX(BF16, 32, BF16, BF16), {{0}}},
    {MIX(Q8_0, 7, Q8_0, Q8_0), {{0}}},
    {MIX(Q6_K, 18, Q6_K, Q6_K), {{0}}},
    {MIX(Q5_K_M, 17, Q5_K, Q6_K), {RULE(attn_v, MORE, Q6_K), RULE(ffn_down, MORE, Q6_K)}},
    {MIX(Q5_K_S, 16, Q5_K, Q6_K), {{0}}},
    {MIX(Q4_K_M, 15, Q4_K, Q6_K), {RULE(attn_v, MORE, Q6_K), RULE(ffn_down, MORE, Q6_K)}},
    {MIX(Q4_K_S, 14, Q4_K, Q6_K), {RULE(attn_v, FIRST_4, Q5_K), RULE(ffn_down, FIRST_EIGHTH, Q5_K)}},
    {MIX(Q4_0, 2, Q4_0, Q6_K), {RULE(ffn_down, GUIDED_FIRST_EIGHTH, Q4_1)}},
    {MIX(IQ4_XS, 30, IQ4_XS, Q6_K),
     {RULE(attn_v, MANY_QUERIES, Q5_K), RULE(ffn_down, UNGUIDED_FIRST_EIGHTH, Q5_K)}},
    {MIX(IQ4_NL, 25, IQ4_NL, Q6_K),
     {RULE(attn_v, MANY_QUERIES, Q5_K), RULE(ffn_down, UNGUIDED_FIRST_EIGHTH, Q5_K)}},
    {MIX(IQ3_M, 27, IQ3_S, Q6_K),
     {RULE(attn_v, ALWAYS, Q4_K), RULE(ffn_down, FIRST_EIGHTH, Q4_K), RULE(attn_output, ALWAYS, Q4_K)}},
    {MIX(IQ2_M, 29, IQ2_S, Q5_K),
     {RULE(attn_v, MANY_QUERIES, Q4_K), RULE(attn_v, ALWAYS, IQ3_S),
      RULE(ffn_down, FIRST_EIGHTH, IQ3_S), RULE(attn_output, ALWAYS, IQ3_S)}},
    /* Not mixes of the standard quantizer, but what kernels are measured on: one encoding throughout.
     * The NVFP4 head is Q8_0, as an embedding has no tensor scale (quant-formats 4.3). */
    {MIX(Q4_K, 14, Q4_K, Q4_K), {{0}}},
    {MIX(Q5_K, 16, Q5_K, Q5_K), {{0}}},
    {MIX(NVFP4, 39, NVFP4, Q8_0), {{0}}},
};
#undef RULE
#undef MIX
/* clang-format on */

const struct quant_mix *quant_mix_at(unsigned i)
{
    return i < sizeof mixes / sizeof *mixes ? &mixes[i] : NULL;
}

const struct quant_mix *quant_mix_by_name(const char *name)
{
    for (unsigned i = 0; quant_mix_at(i); i++)
        if (strcasecmp(mixes[i].name, name) == 0)
            return &mixes[i];
    return NULL;
}

static bool has_part(struct str name, const char *part)
{
    return str_find(name, str_of(part), 0) != SIZE_MAX;
}

static bool has_suffix(struct str name, struct str suffix)
{
    return name.n_bytes >= suffix.n_bytes &&
           str_eq((struct str){name.p + name.n_bytes - suffix.n_bytes, suffix.n_bytes}, suffix);
}

static bool is_quantizable(struct str name, uint32_t n_dims, const uint64_t *dims)
{
    static const char *const kept[] = {"_norm.weight", "ffn_gate_inp.weight",  "altup",
                                       "laurel",       "per_layer_model_proj", "position_embd"};
    bool is_vector = n_dims < 2 || (dims[1] == 1 && (n_dims < 3 || dims[2] == 1));
    if (is_vector || !has_suffix(name, STR("weight")))
        return false;
    for (size_t i = 0; i < sizeof kept / sizeof *kept; i++)
        if (has_part(name, kept[i]))
            return false;
    return true;
}

uint32_t quant_mix_layer(struct str name, struct str *rest)
{
    uint32_t i_layer = 0;
    size_t i = 4;
    if (!str_has_prefix(name, STR("blk.")))
        return UINT32_MAX;
    for (; i < name.n_bytes && i < 10 && name.p[i] >= '0' && name.p[i] <= '9'; i++)
        i_layer = i_layer * 10 + (uint32_t)(name.p[i] - '0');
    if (i == 4 || i == name.n_bytes || name.p[i] != '.')
        return UINT32_MAX;
    *rest = (struct str){name.p + i + 1, name.n_bytes - i - 1};
    return i_layer;
}

/* i: the tensor's place among the n of its class. */
static bool when_holds(const struct quant_mix_walk *w, enum quant_mix_when when, uint32_t i,
                       uint32_t n)
{
    switch (when) {
    case QUANT_MIX_ALWAYS:
        return true;
    case QUANT_MIX_FIRST_4:
        return i < 4;
    case QUANT_MIX_FIRST_EIGHTH:
        return i < n / 8;
    case QUANT_MIX_GUIDED_FIRST_EIGHTH:
        return w->is_guided && i < n / 8;
    case QUANT_MIX_UNGUIDED_FIRST_EIGHTH:
        return !w->is_guided && i < n / 8;
    case QUANT_MIX_MANY_QUERIES:
        return w->gqa >= 4;
    case QUANT_MIX_MORE:
        return i < n / 8 || i >= (uint32_t)((uint64_t)7 * n / 8) || (i - n / 8) % 3 == 2;
    }
    return false;
}

/* The type of layer tensor "blk.<i_layer>.<rest>". */
static enum qtype layer_type(struct quant_mix_walk *w, struct str rest, uint32_t i_layer)
{
    bool is_v = str_is(rest, "attn_v.weight");
    /* Standard files count attn_v by those that exist, everything else by layers. */
    uint32_t i = is_v ? w->i_attn_v++ : i_layer, n = is_v ? w->n_attn_v : w->n_layers;
    for (const struct quant_mix_rule *rule = w->mix->rules; rule->tensor; rule++) {
        size_t n_stem = strlen(rule->tensor);
        if (str_has_prefix(rest, str_of(rule->tensor)) &&
            str_is((struct str){rest.p + n_stem, rest.n_bytes - n_stem}, ".weight") &&
            when_holds(w, rule->when, i, n))
            return rule->type;
    }
    return w->mix->base;
}

/* A row that is not a whole number of blocks takes a relative with smaller blocks. */
static enum qtype fall_back(enum qtype type, uint64_t row_elems)
{
    if (row_elems % qtype_info(type)->block_elems == 0)
        return type;
    if (row_elems % 32 != 0)
        return QTYPE_F16;
    if (type == QTYPE_IQ2_S || type == QTYPE_IQ3_S || type == QTYPE_IQ4_XS)
        return QTYPE_IQ4_NL;
    if (type == QTYPE_Q4_K)
        return QTYPE_Q5_0;
    if (type == QTYPE_Q5_K)
        return QTYPE_Q5_1;
    return QTYPE_Q8_0; /* Q6_K; NVFP4 rows of 32 x odd */
}

bool quant_mix_next(struct quant_mix_walk *w, struct str name, uint32_t n_dims,
                    const uint64_t *dims, enum qtype *out)
{
    const struct quant_mix *mix = w->mix;
    struct str rest = {NULL, 0};
    uint32_t i_layer = quant_mix_layer(name, &rest);
    if (!is_quantizable(name, n_dims, dims))
        return false;
    bool is_head = str_is(name, "output.weight") ||
                   (!w->has_output && (str_is(name, "token_embd.weight") ||
                                       str_is(name, "per_layer_token_embd.weight")));
    enum qtype type = mix->base;
    if (is_head)
        type = mix->head;
    else if (i_layer != UINT32_MAX)
        type = layer_type(w, rest, i_layer);
    *out = fall_back(type, dims[0]);
    return true;
}
