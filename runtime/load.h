/* load: a model file and a configuration become a plan, then a model ready to run.
 * Flow: load_plan (open, check, size: takes no memory to speak of) -> plan_print / plan_fits ->
 * load_commit (one arena, worker threads) -> forward passes.   Used by the engine role and by every
 * tool that runs a model. Thread: engine.   Allocates: gguf tables in load_plan; arena and threads
 * in load_commit. */
#ifndef RUNTIME_LOAD_H
#define RUNTIME_LOAD_H

#include "models/gemma4_text.h"
#include "models/tok.h"
#include "runtime/base/pool_cpus.h"
#include "runtime/kv.h"

enum {
    LOAD_MAX_PATH_BYTES = 4096,
    LOAD_DEFAULT_ROWS = 256, /* rows of one batch: prefill is compute-bound from about here */
    LOAD_DEFAULT_SEQS =
        4, /* design.md 5: at most 4 x 32k unless the configuration says otherwise */
    LOAD_DEFAULT_CTX = 32768,
    LOAD_ROLLBACK_ROWS = 32, /* deepest speculation that must be undoable */
};

struct load_config {
    char model_path[LOAD_MAX_PATH_BYTES]; /* "" = the embedded pocket model */
    uint32_t n_ctx;       /* tokens per sequence; 0 = as much as fits, at most LOAD_DEFAULT_CTX */
    uint32_t max_seqs;    /* 0 = as many as fit, at most LOAD_DEFAULT_SEQS */
    enum kv_type kv_type; /* how keys and values are stored */
    uint64_t kv_tokens;   /* tokens all sequences may hold together; 0 = max_seqs * n_ctx */
    uint32_t max_rows;    /* 0 = LOAD_DEFAULT_ROWS */
    uint32_t max_logit_rows; /* 0 = max_seqs */
    uint32_t max_queued;   /* waiting requests, each with room for n_ctx tokens; 0 for tools that do
                              not queue */
    uint32_t n_threads;    /* 0 = one per CPU */
    uint64_t budget_bytes; /* memory the plan may take; 0 = what the machine has available */
    uint64_t edge_bytes;   /* of it for the edge beside this process; 0 for tools */
};

struct loaded {
    struct load_config cfg; /* as resolved: no zeros left */
    struct pool_cpus cpus;  /* read by load_plan: a role may see no files when load_commit runs */
    struct gguf *file;
    struct gemma4 model;
    struct kv kv;
    struct plan plan;
    struct arena arena;
    struct pool *pool;
    uint64_t batch_off_bytes; /* token, position, sequence, logit-row arrays */
    int32_t *batch_tok, *batch_pos, *batch_seq, *batch_logit_rows;
};

/* A further part of the process (the engine's request table, the sampler's scratch) adds its
 * regions here. */
typedef bool load_plan_fn(void *part, const struct loaded *m, struct plan *p, struct err *e);

/* Opens and binds the model, resolves the zeros of cfg to what fits the budget, fills m->plan. On
 * failure m is closed; when the smallest configuration does not fit, *e names the shortfall and
 * m->plan still holds that table. */
bool load_plan(struct loaded *m, const struct load_config *cfg, load_plan_fn *part_plan, void *part,
               struct err *e);
bool load_commit(struct loaded *m, struct err *e);
void load_close(struct loaded *m);

/* What a start asks of a model file, whatever the configuration: metadata, every tensor of the
 * graph, the tokenizer. */
bool load_check_file(const struct gguf *file, struct err *e);
/* The tokenizer has an id for every row of the embedding. */
bool load_check_vocab(const struct gguf *file, const struct gemma4_dims *dims,
                      const struct tok *tok, struct err *e);

/* MemAvailable of the host, or 0 if it cannot be read. */
uint64_t load_available_bytes(void);

/* Name for people and /v1/models: general.name turned into an id ("gemma-4-31b-it"), else the file
 * name without ending. */
void load_model_id(const struct loaded *m, char *out, size_t n_room);
/* The encoding that most matrix elements have. */
const char *load_quant_name(const struct loaded *m);

#endif
