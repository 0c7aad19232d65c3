#include "runtime/runner_text.h"

#include "runtime/base/num.h"
#include "runtime/tool_input.h"

#include <stdlib.h>
#include <string.h>

static bool encode(struct runner_text *t, struct runner *r, struct str text,
                   enum runner_text_kind kind, struct err *e)
{
    const struct tok_segment seg = {text, kind == RUNNER_TEXT_MARKERS};
    const struct tok_text whole = {.segs = &seg, .n_segs = 1};
    struct tok_ids ids = {.max = text.n_bytes + 1}; /* a token takes at least a byte */
    ids.at = t->ids = malloc(ids.max * sizeof *t->ids);
    if (!t->ids)
        return err_set(e, ERR_NOMEM, "no memory for the tokens");
    bool ok = tok_encode(&r->tok, &whole, r->tok_scratch, &ids, e);
    t->n_ids = ids.n;
    t->n_bytes = text.n_bytes;
    t->bos = r->tok.special[TOK_BOS];
    return ok;
}

static bool read_words(struct runner_text *t, struct runner *r, const char *path,
                       enum runner_text_kind kind, struct err *e)
{
    size_t n_bytes;
    char *text = tool_read_file(path, &n_bytes, e);
    if (!text)
        return false;
    bool ok = (r->tok_image || runner_open_tok(r, e)) &&
              (encode(t, r, (struct str){text, n_bytes}, kind, e) || err_ctx(e, "%s", path));
    free(text);
    return ok;
}

/* The file's <bos> id is all that is needed of a tokenizer. */
static bool read_ids(struct runner_text *t, struct runner *r, const char *path, struct err *e)
{
    uint32_t n_ids = 0, bos = 0;
    t->ids = tool_ids_read(path, &n_ids, e);
    t->n_ids = n_ids;
    if (!t->ids || !gguf_get_u32(r->m.file, "tokenizer.ggml.bos_token_id", &bos, e))
        return false;
    t->bos = (int32_t)num_min(bos, INT32_MAX);
    for (uint32_t i = 0; i < n_ids; i++)
        if ((uint32_t)t->ids[i] >= r->m.model.dims.n_vocab)
            return err_set(e, ERR_FORMAT, "%s: token %d is not in the vocabulary of %u", path,
                           t->ids[i], r->m.model.dims.n_vocab);
    return true;
}

bool runner_text_read(struct runner_text *t, struct runner *r, const char *path,
                      enum runner_text_kind kind, struct err *e)
{
    *t = (struct runner_text){.ids = NULL};
    bool ok = kind == RUNNER_TEXT_IDS ? read_ids(t, r, path, e) : read_words(t, r, path, kind, e);
    if (ok && t->n_ids == 0)
        ok = err_set(e, ERR_FORMAT, "%s: empty, no text", path);
    if (!ok)
        runner_text_deinit(t);
    return ok;
}

void runner_text_window(const struct runner_text *t, uint64_t first, uint32_t n_tokens,
                        int32_t *window)
{
    window[0] = t->bos;
    memcpy(window + 1, t->ids + first, n_tokens * sizeof *window);
}

void runner_text_deinit(struct runner_text *t)
{
    free(t->ids);
    *t = (struct runner_text){.ids = NULL};
}
