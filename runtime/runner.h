/* runner: a model run by this process alone, step by step: what the subcommands use instead of the
 * engine role. The caller says which tokens each sequence gets; positions, pages and chunks are
 * looked after here.
 * Flow: runner_open (plan, memory, threads) -> runner_step / runner_feed -> logits rows.
 * Thread: one, plus the model's workers.   Allocates: at open only. */
#ifndef RUNTIME_RUNNER_H
#define RUNTIME_RUNNER_H

#include "models/tok.h"
#include "runtime/load.h"
#include "runtime/progress.h"

struct runner {
    struct loaded m;
    struct tok tok; /* valid after runner_open_tok */
    void *tok_image;
    struct tok_scratch *tok_scratch;
};

/* The sequence of a runner with max_seqs 1. */
enum { RUNNER_SEQ = 0 };

/* What to compute logits for. */
enum runner_rows { RUNNER_NO_ROWS, RUNNER_LAST_ROW, RUNNER_EVERY_ROW };

/* One sequence's share of a step; its tokens go behind those it holds already. */
struct runner_part {
    int32_t seq;
    const int32_t *ids; /* [n_ids] */
    uint32_t n_ids;
};

/* The model at path (NULL or "": pocket, the built-in one) with memory and threads taken, and
 * sequences 0 .. max_seqs - 1, all empty; NULL with *e. The file must fit the memory the machine
 * has to spare, as for `serve`. cfg->n_ctx 0: usual_ctx, or what the model and the memory allow if
 * that is less. cfg->model_path is not looked at. */
struct runner *runner_open(const char *path, const struct load_config *cfg, uint32_t usual_ctx,
                           struct err *e);
void runner_close(struct runner *r); /* NULL is fine */

/* Also the file's tokenizer; ERR_FORMAT if it has none or one of another size than the model. */
bool runner_open_tok(struct runner *r, struct err *e);

uint32_t runner_n_tokens(const struct runner *r, int32_t seq);

/* One forward pass over the parts, each with at least one token; at most max_rows rows together and
 * max_logit_rows logit rows. Logit rows come in the order of parts and tokens. A token
 * id outside the vocabulary: ERR_FORMAT; a context that is full: ERR_LIMIT. */
bool runner_step(struct runner *r, const struct runner_part *parts, uint32_t n_parts,
                 enum runner_rows rows, struct err *e);

/* Any number of tokens of one sequence in steps of at most max_rows; logits of the last (row 0). p
 * counts tokens and may be NULL. */
bool runner_feed(struct runner *r, struct runner_part part, struct progress *p, struct err *e);

/* One row [V] of the last step, after the final soft cap. */
const float *runner_logits(const struct runner *r, uint32_t i_row);

/* Takes the sequence back to n_tokens tokens, or, where the cache has overwritten what the next row
 * would see, to none; returns how many it holds then. */
uint32_t runner_truncate(struct runner *r, int32_t seq, uint32_t n_tokens);

#endif
