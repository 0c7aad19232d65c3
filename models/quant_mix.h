/* quant_mix: which encoding each tensor of a model gets under a named mix ("Q8_0", "Q4_K_M"), by
 * the rules of the standard quantizer (quant-formats 4.1). One row of the table in quant_mix.c per
 * mix. Flow: quant_mix_begin -> quant_mix_next for every tensor in file order (some rules count).
 * Pure. */
#ifndef MODELS_QUANT_MIX_H
#define MODELS_QUANT_MIX_H

#include "kernels/quant/qtype.h"
#include "runtime/base/str.h"

enum quant_mix_when {
    QUANT_MIX_ALWAYS,
    QUANT_MIX_FIRST_4,               /* index < 4 */
    QUANT_MIX_FIRST_EIGHTH,          /* index < n / 8 */
    QUANT_MIX_GUIDED_FIRST_EIGHTH,   /* the same, with an importance matrix only */
    QUANT_MIX_UNGUIDED_FIRST_EIGHTH, /* without one only */
    QUANT_MIX_MANY_QUERIES,          /* 4 or more query heads share a K/V head in layer 0 */
    QUANT_MIX_MORE,                  /* the first and last eighth, and every third between */
};

/* One class of tensors that the mix treats apart. */
struct quant_mix_rule {
    const char *tensor; /* the name behind "blk.N." without ".weight"; NULL ends the list */
    enum quant_mix_when when;
    enum qtype type;
};

enum { QUANT_MIX_MAX_RULES = 4 };

struct quant_mix {
    const char *name;
    uint32_t file_type; /* general.file_type */
    enum qtype base;    /* every matrix without a rule that holds */
    enum qtype head;    /* output.weight, or token_embd.weight when that is the head too */
    struct quant_mix_rule rules[QUANT_MIX_MAX_RULES + 1]; /* the first that holds decides */
};

/* In upper or lower case; NULL if there is none of that name. */
const struct quant_mix *quant_mix_by_name(const char *name);
/* Table order; NULL past the end: for help texts. */
const struct quant_mix *quant_mix_at(unsigned i);

struct quant_mix_walk {
    const struct quant_mix *mix;
    uint32_t n_layers;
    uint32_t n_attn_v; /* attn_v tensors in the file: layers without one do not count */
    uint32_t gqa;      /* query heads per K/V head in layer 0; 0 = not known */
    bool has_output;   /* output.weight exists */
    bool is_guided;    /* an importance matrix is given */
    uint32_t i_attn_v; /* so far */
};

/* True and the encoding if the tensor is to be (re)encoded; false: leave it as it is. Falls back
 * where a row is not a whole number of blocks. */
bool quant_mix_next(struct quant_mix_walk *w, struct str name, uint32_t n_dims,
                    const uint64_t *dims, enum qtype *out);

/* Layer number of "blk.N.<rest>", or UINT32_MAX; *rest gets what follows the number and its dot. */
uint32_t quant_mix_layer(struct str name, struct str *rest);

#endif
