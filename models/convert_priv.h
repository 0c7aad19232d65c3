/* convert_priv: what models/convert*.c share: the numbers of a model, the name tables, the plan of
 * one output tensor. Everyone else includes models/convert.h. */
#ifndef MODELS_CONVERT_PRIV_H
#define MODELS_CONVERT_PRIV_H

#include "models/convert.h"
#include "models/convert_config.h"
#include "models/convert_tok.h"
#include "models/safetensors.h"

enum { CONVERT_MAX_LAYERS = 128, CONVERT_MAX_TAPS = 16 };

/* The numbers of a model, from config.json. Zero where an architecture has no such thing. */
struct convert_shape {
    uint32_t n_layers, d_model, d_ffn, n_heads, n_vocab, context_tokens, window_tokens;
    uint32_t head_dim_local, head_dim_global; /* drafters with one size: both */
    uint32_t n_kv[CONVERT_MAX_LAYERS];
    bool is_local[CONVERT_MAX_LAYERS];
    bool is_tied;      /* the embedding is the output matrix */
    bool has_global_v; /* false: global layers use the K projection as V */
    float eps, softcap, rope_base_local, rope_base_global;
    uint32_t n_rotated_pairs; /* of a global head */
    /* drafters */
    uint32_t d_target;                       /* width of the target's residual stream */
    uint32_t n_draft_vocab;                  /* rows of the drafter's own output matrix */
    uint32_t n_taps, taps[CONVERT_MAX_TAPS]; /* as the configuration counts them */
    uint32_t block_tokens, mask_id;
    bool norm_before_residual, norm_before_fc;
};

/* A size in a table, looked up in struct convert_shape per layer. */
enum convert_dim {
    CONVERT_DIM_NONE, /* a vector has no second one */
    CONVERT_DIM_ONE,
    CONVERT_DIM_D,       /* model width */
    CONVERT_DIM_2D,      /* embedding and feature side by side */
    CONVERT_DIM_F,       /* ffn width */
    CONVERT_DIM_V,       /* vocabulary */
    CONVERT_DIM_Q,       /* query heads x head size */
    CONVERT_DIM_KV,      /* key/value heads x head size */
    CONVERT_DIM_E,       /* head size */
    CONVERT_DIM_TAPS,    /* taps x target width */
    CONVERT_DIM_B,       /* target width */
    CONVERT_DIM_2B,      /* target embedding and target hidden state */
    CONVERT_DIM_DRAFT_V, /* drafter's vocabulary */
};

/* Properties of a row, or-ed. */
enum {
    CONVERT_ROW_OPTIONAL = 1,
    CONVERT_ROW_ROOT = 2, /* the name stands without the prefix of the text model */
    CONVERT_ROW_MAY_BE_NVFP4 = 4,
    CONVERT_ROW_INTERLEAVE = 8, /* rows of a head: pairs (i, i + E/2) become neighbours */
    CONVERT_ROW_V = 16,         /* only on layers that have a V projection */
    CONVERT_ROW_UNTIED = 32,    /* only if the embedding is not the output matrix */
    CONVERT_ROW_D2T = 64,       /* offsets from draft id to target id; absolute in GGUF */
    CONVERT_ROW_NORM_FC = 128,  /* only with norm_before_fc */
};

struct convert_row {
    const char *from;    /* after the prefixes */
    const char *to;      /* after "blk.N." in a layer */
    uint8_t n_out, n_in; /* enum convert_dim */
    uint32_t is;
};

struct convert_source {
    const char *dir;
    struct convert_config config;     /* config.json */
    struct convert_config generation; /* generation_config.json; root NULL without one */
    struct convert_config text;       /* the part of config that describes the text model */
    struct safetensors *weights;
};

/* Lists end with a NULL or with a row whose from is NULL. */
struct convert_arch {
    const char *config_names[5];   /* architectures[0] in config.json */
    const char *name;              /* general.architecture */
    const char *prefixes[4];       /* of tensor names */
    const char *layer_prefixes[3]; /* with %u for the layer, or without for a single one */
    const struct convert_row *outside, *layer;
    const char *left_out_prefixes[6];
    const char *left_out_suffixes[4];
    bool has_rope_freqs;  /* rope_freqs.weight is made from the numbers */
    bool needs_tokenizer; /* the file must be able to turn text into ids */
    bool (*read)(struct convert_shape *shape, const struct convert_source *src, struct err *e);
    bool (*keys)(const struct convert *c, struct gguf_writer *w, struct err *e);
};

/* NULL with a message that lists what is known. */
const struct convert_arch *convert_arch_find(const struct convert_config *config, struct err *e);

bool convert_read_gemma4(struct convert_shape *s, const struct convert_source *src, struct err *e);
bool convert_read_mtp(struct convert_shape *s, const struct convert_source *src, struct err *e);
bool convert_read_dflash(struct convert_shape *s, const struct convert_source *src, struct err *e);
bool convert_read_eagle3(struct convert_shape *s, const struct convert_source *src, struct err *e);

bool convert_keys_gemma4(const struct convert *c, struct gguf_writer *w, struct err *e);
bool convert_keys_mtp(const struct convert *c, struct gguf_writer *w, struct err *e);
bool convert_keys_dflash(const struct convert *c, struct gguf_writer *w, struct err *e);
bool convert_keys_eagle3(const struct convert *c, struct gguf_writer *w, struct err *e);
/* general.*, and what generation_config.json says about sampling. */
bool convert_keys_general(const struct convert *c, struct gguf_writer *w, struct err *e);
/* Tokens that end generation are found by their text: the configuration may name no others. */
bool convert_check_stops(const struct convert *c, struct err *e);

/* Quantised weights of a kind that this program cannot take over are refused by the name the
 * configuration gives them. */
bool convert_check_quantization(const struct convert_source *src, struct err *e);

uint64_t convert_dim_of(const struct convert_shape *s, enum convert_dim dim, uint32_t i_layer);

/* ---- one tensor of the output ---- */

enum convert_how {
    CONVERT_FLOATS, /* rows of F32, F16 or BF16 */
    CONVERT_NVFP4,  /* codes and block scales repacked */
    CONVERT_D2T,    /* I64: index added */
    CONVERT_VALUE,  /* one F32 that is known already */
    CONVERT_ROPE,   /* n_ones times 1, then 1e30 */
};

struct convert_tensor {
    char name[64];
    enum convert_how how;
    enum qtype type;
    uint32_t n_dims;
    uint64_t dims[2]; /* dims[0] is the row length */
    const struct safetensors_tensor *source, *scales;
    uint32_t interleave_rows; /* of one head; 0: rows keep their order */
    uint32_t n_ones;
    float value;
};

struct convert {
    const struct convert_arch *arch;
    struct convert_source src;
    struct convert_shape shape;
    struct convert_tok *tok; /* NULL without a tokenizer */
    char dir[1024];          /* resolved: its last part names the model */
    enum convert_float matrices;
    struct convert_tensor *tensors; /* [n_room] */
    uint32_t n_tensors, n_room;
    bool *is_used; /* [tensors of the directory] */
    uint32_t n_left_out;
    bool has_nvfp4;
};

enum { CONVERT_NVFP4_GROUP = 16, CONVERT_NVFP4_BLOCK = 64 }; /* elements to a scale, to a block */

/* Of a float dtype, which is all that safetensors may hold for a matrix that is not packed. */
enum qtype convert_float_type(enum safetensors_dtype dtype);

/* Fills c->tensors. */
bool convert_plan(struct convert *c, struct err *e);

/* "FILE: tensor "X" why": why goes on with the sentence. Always false. */
bool convert_refuse(const struct convert *c, const struct safetensors_tensor *t, const char *why,
                    struct err *e);

#endif
