#include "models/quant_mix.h"

/* clang-format off */
#define X(name, file_type, base, head, v_when, v_type, down_when, down_type)                       \
    {#name, file_type, QTYPE_##base, QTYPE_##head,                                                 \
     {QUANT_MIX_##v_when, QTYPE_##v_type}, {QUANT_MIX_##down_when, QTYPE_##down_type}},
static const struct quant_mix mixes[] = {
    /* name, file type, base, head; attn_v when, as; ffn_down when, as */
    X(F32, 0, F32, F32, NEVER, F32, NEVER, F32)
    X(F16, 1, F16, F16, NEVER, F32, NEVER, F32)
    X(BF16, 32, BF16, BF16, NEVER, F32, NEVER, F32)
    X(Q8_0, 7, Q8_0, Q8_0, NEVER, F32, NEVER, F32)
    X(Q6_K, 18, Q6_K, Q6_K, NEVER, F32, NEVER, F32)
    X(Q5_K_M, 17, Q5_K, Q6_K, MORE, Q6_K, MORE, Q6_K)
    X(Q5_K_S, 16, Q5_K, Q6_K, NEVER, F32, NEVER, F32)
    X(Q4_K_M, 15, Q4_K, Q6_K, MORE, Q6_K, MORE, Q6_K)
    X(Q4_K_S, 14, Q4_K, Q6_K, FIRST_4, Q5_K, FIRST_EIGHTH, Q5_K)
    X(Q4_0, 2, Q4_0, Q6_K, NEVER, F32, GUIDED_FIRST_EIGHTH, Q4_1)
    X(IQ4_XS, 30, IQ4_XS, Q6_K, MANY_QUERIES, Q5_K, UNGUIDED_FIRST_EIGHTH, Q5_K)
    X(IQ4_NL, 25, IQ4_NL, Q6_K, MANY_QUERIES, Q5_K, UNGUIDED_FIRST_EIGHTH, Q5_K)
    /* Not mixes of the standard quantizer, but what kernels are measured on: one encoding throughout.
     * The NVFP4 head is Q8_0, as an embedding has no tensor scale (quant-formats 4.3). */
    X(Q4_K, 14, Q4_K, Q4_K, NEVER, F32, NEVER, F32)
    X(Q5_K, 16, Q5_K, Q5_K, NEVER, F32, NEVER, F32)
    X(NVFP4, 39, NVFP4, Q8_0, NEVER, F32, NEVER, F32)
};
#undef X
/* clang-format on */

const struct quant_mix *quant_mix_at(unsigned i)
{
    return i < sizeof mixes / sizeof *mixes ? &mixes[i] : NULL;
}

const struct quant_mix *quant_mix_by_name(const char *name)
{
    for (unsigned i = 0; quant_mix_at(i); i++)
        if (strcmp(mixes[i].name, name) == 0)
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

static bool rule_holds(const struct quant_mix_walk *w, const struct quant_mix_rule *rule,
                       uint32_t i, uint32_t n)
{
    switch (rule->when) {
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
    case QUANT_MIX_NEVER:
        break;
    }
    return false;
}

/* A row that is not a whole number of blocks takes a relative with smaller blocks. */
static enum qtype fall_back(enum qtype type, uint64_t row_elems)
{
    if (row_elems % qtype_info(type)->block_elems == 0)
        return type;
    if (row_elems % 32 != 0)
        return QTYPE_F16;
    if (type == QTYPE_IQ4_XS)
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
    enum qtype type = mix->base;
    bool is_head = str_is(name, "output.weight") ||
                   (!w->has_output && (str_is(name, "token_embd.weight") ||
                                       str_is(name, "per_layer_token_embd.weight")));
    if (is_head)
        type = mix->head;
    else if (str_is(rest, "attn_v.weight") &&
             rule_holds(w, &mix->attn_v, w->i_attn_v++, w->n_attn_v))
        type = mix->attn_v.type;
    else if (str_is(rest, "ffn_down.weight") && rule_holds(w, &mix->ffn_down, i_layer, w->n_layers))
        type = mix->ffn_down.type;
    *out = fall_back(type, dims[0]);
    return true;
}
