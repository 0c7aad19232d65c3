/* runner_text: a file as token ids of a runner's model: what `score` and `imatrix` read.
 * Thread: one.   Allocates: the ids; runner_text_deinit frees them. */
#ifndef RUNTIME_RUNNER_TEXT_H
#define RUNTIME_RUNNER_TEXT_H

#include "runtime/runner.h"

enum runner_text_kind {
    RUNNER_TEXT_PLAIN,   /* UTF-8; markers in it stay text */
    RUNNER_TEXT_MARKERS, /* UTF-8; markers become their tokens */
    RUNNER_TEXT_IDS,     /* decimal ids; needs no tokenizer in the model's file */
};

struct runner_text {
    int32_t *ids;
    uint64_t n_ids;
    uint64_t n_bytes; /* of the text; 0 for ids */
    int32_t bos;      /* the model's <bos> */
};

/* At least one id; every id is in the vocabulary. */
bool runner_text_read(struct runner_text *t, struct runner *r, const char *path,
                      enum runner_text_kind kind, struct err *e);

/* <bos> and the n_tokens ids from `first` on, as the model is given them: window [n_tokens + 1]. */
void runner_text_window(const struct runner_text *t, uint64_t first, uint32_t n_tokens,
                        int32_t *window);

void runner_text_deinit(struct runner_text *t);

#endif
