/* engine_loop: the engine's state and main loop, apart from how it was started (engine.c). Private
 * to the engine role and its tests. Thread: engine.   Allocates: nothing; the request table is a
 * region of the plan. */
#ifndef RUNTIME_ENGINE_LOOP_H
#define RUNTIME_ENGINE_LOOP_H

#include "models/tok.h"
#include "runtime/engine_msg.h"
#include "runtime/load.h"
#include "runtime/sample.h"
#include "runtime/sched.h"

/* A request beside its sched slot of the same index. */
struct engine_req {
    struct gen_params params;
    int32_t *toks;                              /* [n_ctx] prompt, then generated */
    uint32_t n_received;                        /* prompt tokens that have arrived */
    uint32_t n_told_ahead;                      /* queue place last told */
    uint32_t n_thought_tokens;                  /* generated in the thought channel */
    bool is_thinking;                           /* that channel is open */
    int64_t received_us, admitted_us, first_us; /* 0 = not yet */
};

struct engine {
    struct loaded m;
    struct sched sched;
    struct tok tok;                 /* for stop ids only */
    struct engine_req *reqs;        /* [n_slots] */
    struct sched_item *items;       /* [max_seqs] */
    struct sample_scratch *scratch; /* one sampler's working memory */
    int32_t *suppressed; /* [n_suppressed] ids never to be chosen, then what begins a thought */
    uint32_t n_slots, n_suppressed;
    uint64_t slots_off_bytes, reqs_off_bytes, toks_off_bytes, items_off_bytes, scratch_off_bytes,
        suppressed_off_bytes;
    double us_per_row; /* measured, of steps with prompt rows; 0 = not yet */
    bool is_draining;
    /* rings of the current edge; shared == NULL while there is none */
    void *shared;
    struct ring to_engine, from_engine;
    int wake_engine_fd, wake_edge_fd;
    struct engine_info info;
};

/* After load_commit: tables to pointers. tok is opened over the image that was published. */
void engine_loop_init(struct engine *g);

/* A new edge: take over its rings and drop everything that ran for the last one. */
bool engine_loop_rings(struct engine *g, int shared_fd, int wake_engine_fd, int wake_edge_fd,
                       struct err *e);
void engine_loop_drop_rings(struct engine *g);

/* One turn: messages in, admission, at most one batch, events out. *did_work = false: nothing to do
 * until a message comes. false only when the engine itself failed (a backend error). */
bool engine_loop_turn(struct engine *g, bool *did_work, struct err *e);

/* Requests that are running or waiting. */
uint32_t engine_loop_n_busy(const struct engine *g);

#endif
