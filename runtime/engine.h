/* engine: what the edge sees of the engine role, and nothing more: token ids go in, token ids come
 * out, over two rings of fixed-size messages in one shared memfd and an eventfd each way. The
 * engine never sees text, the edge never a tensor.
 *
 *   edge    engine_client.c: submit -> next yields events of that req_id ... until EVENT_DONE or
 *           EVENT_REFUSED
 *   engine  engine_loop.c: the other end of the rings; engine.c is the role around it
 *
 * Thread: the edge's only thread. Allocates: never. Every event is copied out and checked before it
 * is returned. */
#ifndef RUNTIME_ENGINE_H
#define RUNTIME_ENGINE_H

#include "runtime/base/err.h"
#include "runtime/base/ring.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    ENGINE_MAX_TOP_LOGPROBS = 20,
    ENGINE_EVENT_MAX_TOKENS = 64, /* tokens in one EVENT_TOKENS */
    ENGINE_NAME_BYTES = 128,
};

/* How to choose tokens. Ranges are the edge's to check (api.md 5); the engine refuses what is
 * outside all the same. */
struct gen_params {
    float temperature; /* 0 = greedy */
    float top_p;       /* (0, 1] */
    float min_p;       /* [0, 1] */
    float repetition_penalty, presence_penalty, frequency_penalty;
    int32_t top_k;       /* 0 = off */
    int32_t n_logprobs;  /* -1 = none, else 0..20 alternatives beside the chosen token */
    uint64_t seed;       /* draws depend on (seed, position) alone */
    uint32_t max_tokens; /* >= 1 */
    /* in the thought channel, over the whole answer; then it is closed and stays so */
    uint32_t max_thought_tokens;
    uint32_t starts_in_thought; /* 1: the prompt ends inside a thought */
    uint32_t key_no;            /* whose request it is: index in the key table, for fairness */
};

struct token_logprob {
    int32_t id;
    float logprob;
};

enum engine_event_type {
    EVENT_LOADING = 1, /* progress of a start: frac */
    EVENT_READY,       /* info is filled */
    EVENT_QUEUED,      /* n_ahead requests before this one */
    EVENT_PROGRESS,    /* n_done of n_prompt prompt tokens computed */
    EVENT_TOKENS,      /* n_tokens more tokens; stop tokens are never among them */
    EVENT_DONE,        /* the sequence is freed */
    EVENT_REFUSED,     /* never started */
};

enum finish_reason {
    FINISH_EOS = 1, /* the model ended its turn (stop_id says with which token) */
    FINISH_STOP,    /* engine_client_stop */
    FINISH_LENGTH,  /* max_tokens */
    FINISH_CONTEXT, /* context full */
    FINISH_CANCEL,  /* engine_client_cancel */
    FINISH_ERROR,   /* the engine failed this sequence; text in the log */
};

enum refuse_reason {
    REFUSE_QUEUE_FULL = 1,
    REFUSE_TOO_LONG, /* prompt does not fit the context */
    REFUSE_INVALID,  /* token id or parameter out of range: an edge bug */
    REFUSE_DRAINING, /* shutting down */
};

/* Facts about the loaded model, for /v1/models, defaults and the fingerprint. */
struct engine_info {
    char model_id[ENGINE_NAME_BYTES]; /* file's general.name as an id, or the file name */
    char quant[32];                   /* most frequent matrix encoding */
    char fingerprint[16];             /* "fp_" + 10 hex */
    char isa[32];                     /* op_isa() */
    uint64_t n_params;
    uint64_t file_bytes;
    uint32_t n_ctx;       /* tokens one sequence may hold */
    uint32_t n_ctx_train; /* the file's own limit */
    uint32_t n_vocab;
    uint32_t max_seqs; /* sequences that run at once */
    float default_temperature, default_top_p;
    int32_t default_top_k;
};

/* Times of one request, all milliseconds as double for exact sums. */
struct gen_timings {
    double queue_ms, prompt_ms, predicted_ms, ttft_ms;
    uint32_t n_cached, n_prompt,
        n_predicted; /* prompt tokens reused, computed; tokens sampled and kept */
};

struct engine_event {
    enum engine_event_type type;
    uint32_t req_id; /* 0 for LOADING and READY */
    union {
        float loading_frac;
        struct engine_info info;
        uint32_t n_ahead;
        struct {
            uint32_t n_done, n_prompt;
        } progress;
        struct {
            uint32_t n_tokens;
            int32_t ids[ENGINE_EVENT_MAX_TOKENS];
            /* with n_logprobs >= 0 each event carries one token: */
            bool has_logprobs;
            float logprob;
            uint32_t n_top;
            struct token_logprob top[ENGINE_MAX_TOP_LOGPROBS]; /* descending */
        } tokens;
        struct {
            enum finish_reason reason;
            int32_t stop_id; /* with FINISH_EOS, else -1 */
            struct gen_timings timings;
        } done;
        enum refuse_reason refused;
    };
};

struct engine_client {
    struct ring to_engine, from_engine;
    void *shared;
    size_t shared_bytes;
    int wake_engine_fd; /* eventfd: we write */
    int wake_edge_fd; /* eventfd: readable when events wait; add it to the loop, engine_client_next
                         drains it */
};

/* Creates the shared memory for one engine life (boot does this): a memfd of engine_shared_bytes(),
 * sealed against resizing. */
size_t engine_shared_bytes(void);
int engine_shared_create(struct err *e); /* descriptor, or -1 */

/* Takes over the three descriptors on success. */
bool engine_client_open(struct engine_client *c, int shared_fd, int wake_engine_fd,
                        int wake_edge_fd, struct err *e);
void engine_client_close(struct engine_client *c);

/* req_id: the caller's, not 0, unique among its unfinished requests. ERR_LIMIT: the ring has no
 * room now (answer 503). */
bool engine_client_submit(struct engine_client *c, uint32_t req_id, const struct gen_params *params,
                          const int32_t *tokens, uint32_t n_tokens, struct err *e);
/* The client is gone: free the sequence. EVENT_DONE with FINISH_CANCEL follows. Unknown ids are
 * ignored. */
void engine_client_cancel(struct engine_client *c, uint32_t req_id);
/* A stop string matched: keep the first n_keep generated tokens, end with FINISH_STOP. */
void engine_client_stop(struct engine_client *c, uint32_t req_id, uint32_t n_keep);
/* While its client does not read, a sequence keeps its cache and takes no part in batches; tokens
 * that were under way still come. */
void engine_client_pause(struct engine_client *c, uint32_t req_id);
void engine_client_resume(struct engine_client *c, uint32_t req_id);

/* Next event, oldest first; false if there is none. A malformed message from the engine: *is_broken
 * = true (treat the engine as dead). */
bool engine_client_next(struct engine_client *c, struct engine_event *ev, bool *is_broken);

#endif
