#include "runtime/runner.h"

#include "runtime/base/check.h"
#include "runtime/base/mem.h"
#include "runtime/base/num.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static bool set_path(struct load_config *cfg, const char *path, struct err *e)
{
    int n = snprintf(cfg->model_path, sizeof cfg->model_path, "%s", path ? path : "");
    return (n >= 0 && (size_t)n < sizeof cfg->model_path) ||
           err_set(e, ERR_LIMIT, "the model's path is longer than %d bytes",
                   LOAD_MAX_PATH_BYTES - 1);
}

/* How much context the model allows is known only once it is open: plan, and plan again. */
static bool plan_usual(struct loaded *m, const struct load_config *cfg, uint32_t usual_ctx,
                       struct err *e)
{
    struct load_config fixed = *cfg;
    if (!load_plan(m, cfg, NULL, NULL, e))
        return false;
    if (cfg->n_ctx || m->cfg.n_ctx <= usual_ctx)
        return true;
    load_close(m);
    fixed.n_ctx = usual_ctx;
    return load_plan(m, &fixed, NULL, NULL, e);
}

struct runner *runner_open(const char *path, const struct load_config *cfg, uint32_t usual_ctx,
                           struct err *e)
{
    struct load_config here = *cfg;
    struct runner *r = mem_alloc(1, sizeof *r);
    if (!r)
        return err_null(e, ERR_NOMEM, "no memory for the model's tables");
    if (!set_path(&here, path, e) || !plan_usual(&r->m, &here, usual_ctx, e) ||
        !load_commit(&r->m, e)) {
        mem_free(r);
        return NULL;
    }
    for (uint32_t i = 0; i < r->m.cfg.max_seqs; i++)
        CHECK(kv_seq_take(&r->m.kv) == (int32_t)i);
    return r;
}

void runner_close(struct runner *r)
{
    if (!r)
        return;
    load_close(&r->m);
    mem_free(r->tok_scratch);
    free(r->tok_image);
    mem_free(r);
}

bool runner_open_tok(struct runner *r, struct err *e)
{
    size_t n_bytes;
    r->tok_image = tok_build(r->m.file, &n_bytes, e);
    if (!r->tok_image || !tok_open(&r->tok, r->tok_image, n_bytes, e) ||
        !load_check_vocab(r->m.file, &r->m.model.dims, &r->tok, e))
        return false;
    r->tok_scratch = mem_alloc(1, tok_scratch_bytes());
    return r->tok_scratch || err_set(e, ERR_NOMEM, "no memory for the tokenizer");
}

uint32_t runner_n_tokens(const struct runner *r, int32_t seq)
{
    CHECK(seq >= 0 && (uint32_t)seq < r->m.cfg.max_seqs);
    return r->m.kv.seqs[seq].n_tokens;
}

uint32_t runner_truncate(struct runner *r, int32_t seq, uint32_t n_tokens)
{
    if (!kv_truncate(&r->m.kv, seq, n_tokens))
        CHECK(kv_truncate(&r->m.kv, seq, 0));
    return runner_n_tokens(r, seq);
}

const float *runner_logits(const struct runner *r, uint32_t i_row)
{
    return r->m.model.logits + (size_t)i_row * r->m.model.dims.n_vocab;
}

/* ---- one step ---- */

/* Everything that can go wrong with the parts, before anything changes. */
static bool check_parts(struct runner *r, const struct runner_part *parts, uint32_t n_parts,
                        struct err *e)
{
    uint64_t n_rows = 0;
    for (uint32_t i = 0; i < n_parts; i++) {
        const struct runner_part *part = &parts[i];
        uint64_t n_tokens = (uint64_t)runner_n_tokens(r, part->seq) + part->n_ids;
        n_rows += part->n_ids;
        for (uint32_t j = 0; j < part->n_ids; j++)
            if (part->ids[j] < 0 || (uint32_t)part->ids[j] >= r->m.model.dims.n_vocab)
                return err_set(e, ERR_FORMAT, "token %d is not in the vocabulary of %u",
                               part->ids[j], r->m.model.dims.n_vocab);
        if (n_tokens > r->m.cfg.n_ctx)
            return err_set(e, ERR_LIMIT, "%" PRIu64 " tokens do not fit the context of %u",
                           n_tokens, r->m.cfg.n_ctx);
        if (!kv_reserve(&r->m.kv, part->seq, (uint32_t)n_tokens))
            return err_set(e, ERR_LIMIT, "the cache has no room for %" PRIu64 " tokens more",
                           (uint64_t)part->n_ids);
    }
    if (n_rows > r->m.cfg.max_rows)
        return err_set(e, ERR_LIMIT, "step of %" PRIu64 " rows, planned for %u", n_rows,
                       r->m.cfg.max_rows);
    return true;
}

/* Appends the rows of one part to the batch. */
static bool add_part(struct runner *r, const struct runner_part *part, enum runner_rows rows,
                     struct batch *b, struct err *e)
{
    struct loaded *m = &r->m;
    uint32_t first_pos = runner_n_tokens(r, part->seq);
    for (uint32_t j = 0; j < part->n_ids; j++, b->n_rows++) {
        m->batch_tok[b->n_rows] = part->ids[j];
        m->batch_pos[b->n_rows] = (int32_t)(first_pos + j);
        m->batch_seq[b->n_rows] = part->seq;
        bool is_wanted =
            rows == RUNNER_EVERY_ROW || (rows == RUNNER_LAST_ROW && j + 1 == part->n_ids);
        if (!is_wanted)
            continue;
        if (b->n_logit_rows == m->cfg.max_logit_rows)
            return err_set(e, ERR_LIMIT, "step wants more than the %u logit rows planned for",
                           m->cfg.max_logit_rows);
        m->batch_logit_rows[b->n_logit_rows++] = (int32_t)b->n_rows;
    }
    return true;
}

bool runner_step(struct runner *r, const struct runner_part *parts, uint32_t n_parts,
                 enum runner_rows rows, struct err *e)
{
    struct loaded *m = &r->m;
    struct batch b = {.tok = m->batch_tok,
                      .pos = m->batch_pos,
                      .seq = m->batch_seq,
                      .logit_rows = m->batch_logit_rows};
    if (!check_parts(r, parts, n_parts, e))
        return false;
    for (uint32_t i = 0; i < n_parts; i++)
        if (!add_part(r, &parts[i], rows, &b, e))
            return false;
    for (uint32_t i = 0; i < n_parts; i++)
        kv_advance(&m->kv, parts[i].seq, runner_n_tokens(r, parts[i].seq) + parts[i].n_ids);
    return gemma4_forward(&m->model, OP_BACKEND_CPU, m->pool, &b, m->kv.views, e);
}

bool runner_feed(struct runner *r, struct runner_part part, struct progress *p, struct err *e)
{
    while (part.n_ids > 0) {
        struct runner_part now = part;
        now.n_ids = (uint32_t)num_min(part.n_ids, r->m.cfg.max_rows);
        bool is_last = now.n_ids == part.n_ids;
        if (!runner_step(r, &now, 1, is_last ? RUNNER_LAST_ROW : RUNNER_NO_ROWS, e))
            return false;
        if (p)
            progress_add(p, now.n_ids);
        part.ids += now.n_ids;
        part.n_ids -= now.n_ids;
    }
    return true;
}
