/* The engine's loop with both ends of the rings in one thread, on a tiny random model: what a
 * request gets must not depend on who else is there, and every way a request can end frees what it
 * held. */
#include "runtime/engine_loop.h"
#include "runtime/engine_role.h"
#include "runtime/tools.h"
#include "tests/t.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { N_CTX = 256, MAX_REQS = 64, MAX_TOKENS = N_CTX };

/* What the edge saw of one request. */
struct seen {
    int32_t ids[MAX_TOKENS];
    uint32_t n_tokens;
    float logprobs[MAX_TOKENS];
    bool is_done, is_refused;
    enum finish_reason reason;
    enum refuse_reason refused;
    uint32_t n_predicted;
};

struct rig {
    struct engine g;
    struct engine_client client;
    struct seen seen[MAX_REQS];
    uint32_t n_ready;
};

static struct rig *open_rig(uint32_t max_seqs, uint32_t max_queued)
{
    struct err e = {0};
    struct rig *r = calloc(1, sizeof *r);
    struct load_config cfg = {.n_ctx = N_CTX,
                              .max_seqs = max_seqs,
                              .max_queued = max_queued,
                              .max_rows = 64,
                              .n_threads = 2,
                              .budget_bytes = UINT64_C(1) << 32};
    char path[512], name[] = "synth", shape[] = "tiny", type[] = "F32";
    snprintf(path, sizeof path, "%s/tiny.gguf", t_scratch_dir());
    MUST_TRUE(r && tool_synth(4, (char *[]){name, shape, type, path, NULL}) == 0,
              "cannot make a tiny model");
    snprintf(cfg.model_path, sizeof cfg.model_path, "%s", path);
    MUST_TRUE(load_plan(&r->g.m, &cfg, engine_plan_regions, &r->g, &e), e.msg);
    MUST_TRUE(load_commit(&r->g.m, &e), e.msg);
    size_t image_bytes;
    void *image = tok_build(r->g.m.file, &image_bytes, &e);
    MUST_TRUE(image && tok_open(&r->g.tok, image, image_bytes, &e), e.msg);
    engine_loop_init(&r->g);
    int shared = engine_shared_create(&e), to = eventfd(0, EFD_NONBLOCK),
        from = eventfd(0, EFD_NONBLOCK);
    MUST_TRUE(shared >= 0 && engine_client_open(&r->client, dup(shared), dup(to), dup(from), &e),
              e.msg);
    MUST_TRUE(engine_loop_rings(&r->g, shared, to, from, &e), e.msg);
    return r;
}

static void close_rig(struct rig *r)
{
    engine_client_close(&r->client);
    engine_loop_drop_rings(&r->g);
    const void *image = r->g.tok.image;
    load_close(&r->g.m);
    free((void *)(uintptr_t)image);
    free(r);
}

static void drain_events(struct rig *r)
{
    struct engine_event ev;
    bool is_broken;
    while (engine_client_next(&r->client, &ev, &is_broken)) {
        struct seen *s = &r->seen[ev.req_id % MAX_REQS];
        if (ev.type == EVENT_READY)
            r->n_ready++;
        if (ev.type == EVENT_TOKENS)
            for (uint32_t i = 0; i < ev.tokens.n_tokens && s->n_tokens < MAX_TOKENS; i++) {
                s->logprobs[s->n_tokens] = ev.tokens.has_logprobs ? ev.tokens.logprob : 1.0f;
                s->ids[s->n_tokens++] = ev.tokens.ids[i];
            }
        if (ev.type == EVENT_DONE) {
            s->is_done = true;
            s->reason = ev.done.reason;
            s->n_predicted = ev.done.timings.n_predicted;
        }
        if (ev.type == EVENT_REFUSED) {
            s->is_refused = true;
            s->refused = ev.refused;
        }
    }
    MUST_TRUE(!is_broken, "a broken event");
}

static void turn(struct rig *r)
{
    struct err e = {0};
    bool did_work;
    MUST_TRUE(engine_loop_turn(&r->g, &did_work, &e), e.msg);
    drain_events(r);
}

static void run_until_idle(struct rig *r)
{
    for (int i = 0; i < 20000; i++) {
        turn(r);
        if (engine_loop_n_busy(&r->g) == 0)
            return;
    }
    MUST_TRUE(false, "the engine does not come to rest");
}

static struct gen_params greedy(uint32_t max_tokens)
{
    return (struct gen_params){.top_p = 1.0f,
                               .repetition_penalty = 1.0f,
                               .n_logprobs = -1,
                               .max_tokens = max_tokens,
                               .max_thought_tokens = UINT32_MAX,
                               .seed = 1};
}

/* A prompt of its own per number: bos, then ids of a formula. */
static uint32_t prompt(uint32_t no, int32_t *toks)
{
    uint32_t n = 5 + no * 7 % 60;
    toks[0] = 2;
    for (uint32_t i = 1; i < n; i++)
        toks[i] = (int32_t)((i * i * 7 + no * 31 + i * 13 + 5) % 300 + 40);
    return n;
}

static void submit(struct rig *r, uint32_t req_id, const struct gen_params *params)
{
    int32_t toks[N_CTX];
    struct err e = {0};
    uint32_t n = prompt(req_id, toks);
    MUST_TRUE(engine_client_submit(&r->client, req_id, params, toks, n, &e), e.msg);
}

TEST(engine_loop_tells_a_new_edge_about_the_model)
{
    struct rig *r = open_rig(1, 2);
    drain_events(r);
    CHECK_EQ(r->n_ready, 1);
    close_rig(r);
}

TEST(engine_loop_answers_alone_and_in_company_alike)
{
    enum { N = 12 };
    struct rig *r = open_rig(4, 16);
    struct gen_params p = greedy(20);
    static struct seen alone[N + 1];
    for (uint32_t id = 1; id <= N; id++) {
        submit(r, id, &p);
        run_until_idle(r);
        alone[id] = r->seen[id];
        CHECK_TRUE(alone[id].is_done && alone[id].n_tokens > 0);
    }
    memset(r->seen, 0, sizeof r->seen);
    for (uint32_t id = 1; id <= N; id++) { /* they join while others run */
        submit(r, id, &p);
        for (uint32_t i = 0; i < id % 4; i++)
            turn(r);
    }
    run_until_idle(r);
    for (uint32_t id = 1; id <= N; id++) {
        CHECK_EQ(r->seen[id].n_tokens, alone[id].n_tokens);
        CHECK_BYTES(r->seen[id].ids, alone[id].ids, alone[id].n_tokens * sizeof(int32_t));
        CHECK_EQ(r->seen[id].reason, alone[id].reason);
    }
    close_rig(r);
}

TEST(engine_loop_repeats_a_seeded_sample_under_load)
{
    struct rig *r = open_rig(4, 16);
    struct gen_params p = greedy(30);
    p.temperature = 1.0f;
    p.seed = 77;
    submit(r, 5, &p);
    run_until_idle(r);
    struct seen first = r->seen[5];
    memset(r->seen, 0, sizeof r->seen);
    struct gen_params other = p;
    for (uint32_t id = 20; id < 23; id++) {
        other.seed = id;
        submit(r, id, &other);
    }
    turn(r);
    submit(r, 5, &p);
    run_until_idle(r);
    CHECK_EQ(r->seen[5].n_tokens, first.n_tokens);
    CHECK_BYTES(r->seen[5].ids, first.ids, first.n_tokens * sizeof(int32_t));
    other = p; /* another seed gives another text, or the seed does nothing */
    other.seed = 78;
    memset(r->seen, 0, sizeof r->seen);
    submit(r, 5, &other);
    run_until_idle(r);
    CHECK_TRUE(r->seen[5].n_tokens != first.n_tokens ||
               memcmp(r->seen[5].ids, first.ids, sizeof first.ids) != 0);
    close_rig(r);
}

TEST(engine_loop_cancels_at_every_stage_and_frees_everything)
{
    struct rig *r = open_rig(2, 8);
    struct gen_params p = greedy(100);
    uint32_t n_free = kv_n_free_pages(&r->g.m.kv);
    for (uint32_t n_turns = 0; n_turns < 12; n_turns++) {
        memset(r->seen, 0, sizeof r->seen);
        for (uint32_t id = 1; id <= 5; id++) /* two run, three wait */
            submit(r, id, &p);
        for (uint32_t i = 0; i < n_turns; i++)
            turn(r);
        for (uint32_t id = 1; id <= 5; id++)
            engine_client_cancel(&r->client, id);
        turn(r);
        CHECK_EQ(engine_loop_n_busy(&r->g), 0);
        CHECK_EQ(kv_n_free_pages(&r->g.m.kv), n_free);
        for (uint32_t id = 1; id <= 5; id++)
            CHECK_TRUE(r->seen[id].is_done);
    }
    engine_client_cancel(&r->client, 999); /* unknown: ignored */
    turn(r);
    CHECK_TRUE(!r->seen[999 % MAX_REQS].is_done);
    close_rig(r);
}

TEST(engine_loop_ends_at_max_tokens_and_at_the_context)
{
    struct rig *r = open_rig(2, 4);
    struct gen_params p = greedy(7);
    submit(r, 1, &p);
    p.max_tokens = 100000; /* more than the context holds */
    p.temperature = 1.0f;
    p.seed = 3;
    submit(r, 2, &p);
    run_until_idle(r);
    CHECK_TRUE(r->seen[1].reason == FINISH_LENGTH || r->seen[1].reason == FINISH_EOS);
    CHECK_TRUE(r->seen[1].n_tokens <= 7);
    CHECK_EQ(r->seen[1].n_predicted, r->seen[1].n_tokens);
    CHECK_TRUE(r->seen[2].reason == FINISH_CONTEXT || r->seen[2].reason == FINISH_EOS);
    int32_t toks[N_CTX];
    CHECK_TRUE(r->seen[2].n_tokens + prompt(2, toks) <= N_CTX);
    close_rig(r);
}

TEST(engine_loop_stops_where_the_edge_says)
{
    struct rig *r = open_rig(1, 2);
    struct gen_params p = greedy(200);
    submit(r, 1, &p);
    while (r->seen[1].n_tokens < 3 && !r->seen[1].is_done)
        turn(r);
    engine_client_stop(&r->client, 1, 2);
    turn(r);
    MUST_TRUE(r->seen[1].is_done, NULL);
    CHECK_EQ(r->seen[1].reason, FINISH_STOP);
    CHECK_EQ(r->seen[1].n_predicted, 2);
    CHECK_EQ(engine_loop_n_busy(&r->g), 0);
    close_rig(r);
}

TEST(engine_loop_leaves_a_paused_sequence_out_and_goes_on_with_the_same_tokens)
{
    struct rig *r = open_rig(2, 2);
    struct gen_params p = greedy(40);
    submit(r, 1, &p);
    run_until_idle(r);
    static struct seen alone;
    alone = r->seen[1];
    memset(r->seen, 0, sizeof r->seen);
    submit(r, 1, &p);
    while (r->seen[1].n_tokens < 3)
        turn(r);
    uint32_t n_free = kv_n_free_pages(&r->g.m.kv);
    engine_client_pause(&r->client, 1);
    engine_client_pause(&r->client, 999); /* unknown: ignored */
    for (int i = 0; i < 10; i++)
        turn(r);
    CHECK_EQ(r->seen[1].n_tokens, 3);
    CHECK_EQ(kv_n_free_pages(&r->g.m.kv), n_free); /* it keeps what it has */
    submit(r, 2, &p);
    while (!r->seen[2].is_done) /* its neighbour is served meanwhile */
        turn(r);
    CHECK_EQ(r->seen[1].n_tokens, 3);
    engine_client_resume(&r->client, 1);
    run_until_idle(r);
    CHECK_EQ(r->seen[1].n_tokens, alone.n_tokens);
    CHECK_BYTES(r->seen[1].ids, alone.ids, alone.n_tokens * sizeof(int32_t));
    close_rig(r);
}

TEST(engine_loop_refuses_with_the_reason)
{
    struct rig *r = open_rig(1, 1);
    struct gen_params p = greedy(200);
    int32_t toks[N_CTX + 1] = {0};
    struct err e = {0};
    MUST_TRUE(engine_client_submit(&r->client, 1, &p, toks, N_CTX, &e),
              e.msg); /* no room for an answer */
    turn(r);
    CHECK_TRUE(r->seen[1].is_refused && r->seen[1].refused == REFUSE_TOO_LONG);
    toks[3] = 1 << 30;
    MUST_TRUE(engine_client_submit(&r->client, 2, &p, toks, 8, &e), e.msg);
    turn(r);
    CHECK_TRUE(r->seen[2].is_refused && r->seen[2].refused == REFUSE_INVALID);
    p.top_p = 2.0f;
    submit(r, 3, &p);
    turn(r);
    CHECK_TRUE(r->seen[3].is_refused && r->seen[3].refused == REFUSE_INVALID);
    p = greedy(200);
    for (uint32_t id = 4; id <= 6; id++) /* one place, one waiting */
        submit(r, id, &p);
    turn(r);
    CHECK_TRUE(r->seen[6].is_refused && r->seen[6].refused == REFUSE_QUEUE_FULL);
    CHECK_TRUE(!r->seen[4].is_refused && !r->seen[5].is_refused);
    close_rig(r);
}

static uint32_t n_of(const struct seen *s, int32_t id)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < s->n_tokens; i++)
        n += s->ids[i] == id;
    return n;
}

TEST(engine_loop_closes_a_thought_that_has_used_its_budget)
{
    enum { BUDGET = 5 };
    struct rig *r = open_rig(4, 4);
    int32_t shut = r->g.tok.special[TOK_CHANNEL_CLOSE], open = r->g.tok.special[TOK_CHANNEL_OPEN];
    struct gen_params p = greedy(40);
    p.starts_in_thought = 1;
    submit(r, 1, &p);
    run_until_idle(r);
    static struct seen free_one, alone;
    free_one = r->seen[1];
    MUST_TRUE(free_one.n_tokens > BUDGET + 1 && n_of(&free_one, shut) == 0, NULL);
    p.max_thought_tokens = BUDGET;
    memset(r->seen, 0, sizeof r->seen);
    submit(r, 1, &p);
    run_until_idle(r);
    alone = r->seen[1];
    MUST_TRUE(alone.n_tokens > BUDGET, NULL);
    CHECK_BYTES(alone.ids, free_one.ids, BUDGET * sizeof(int32_t)); /* free until then */
    CHECK_EQ(alone.ids[BUDGET], shut);
    CHECK_EQ(n_of(&alone, open), 0);
    p.starts_in_thought = 0; /* outside of a thought the budget closes nothing */
    submit(r, 2, &p);
    run_until_idle(r);
    CHECK_TRUE(r->seen[2].n_tokens > 0 && n_of(&r->seen[2], shut) == 0);
    memset(r->seen, 0, sizeof r->seen); /* and nobody else changes it */
    p.starts_in_thought = 1;
    for (uint32_t id = 10; id < 13; id++)
        submit(r, id, &p);
    turn(r);
    submit(r, 1, &p);
    run_until_idle(r);
    CHECK_EQ(r->seen[1].n_tokens, alone.n_tokens);
    CHECK_BYTES(r->seen[1].ids, alone.ids, alone.n_tokens * sizeof(int32_t));
    close_rig(r);
}

TEST(engine_loop_counts_the_thoughts_that_the_model_begins_itself)
{
    enum { BUDGET = 2 };
    struct rig *r = open_rig(1, 1);
    int32_t shut = r->g.tok.special[TOK_CHANNEL_CLOSE], open = r->g.tok.special[TOK_CHANNEL_OPEN];
    struct gen_params p = greedy(150);
    static struct seen free_one;
    uint32_t at = 0;
    p.temperature = 2.0f;
    for (p.seed = 1; p.seed < 100 && at == 0; p.seed++) { /* one that thinks, early enough */
        memset(r->seen, 0, sizeof r->seen);
        submit(r, 1, &p);
        run_until_idle(r);
        free_one = r->seen[1];
        for (uint32_t i = 1; i + BUDGET + 2 < free_one.n_tokens && at == 0; i++)
            at = free_one.ids[i] == open && free_one.ids[i + 1] != shut &&
                         free_one.ids[i + 2] != shut && n_of(&free_one, open) == 1
                     ? i
                     : 0;
    }
    p.seed--;
    MUST_TRUE(at > 0, "no seed makes this model think");
    p.max_thought_tokens = BUDGET;
    memset(r->seen, 0, sizeof r->seen);
    submit(r, 1, &p);
    run_until_idle(r);
    MUST_TRUE(r->seen[1].n_tokens > at + BUDGET + 1, NULL);
    CHECK_BYTES(r->seen[1].ids, free_one.ids, (at + 1 + BUDGET) * sizeof(int32_t));
    CHECK_EQ(r->seen[1].ids[at + 1 + BUDGET], shut);
    CHECK_EQ(n_of(&r->seen[1], open), 1);
    p.max_thought_tokens = 0; /* no thought may begin */
    memset(r->seen, 0, sizeof r->seen);
    submit(r, 1, &p);
    run_until_idle(r);
    CHECK_TRUE(r->seen[1].n_tokens > 0 && n_of(&r->seen[1], open) == 0);
    close_rig(r);
}

TEST(engine_loop_gives_logprobs_of_the_raw_distribution)
{
    struct rig *r = open_rig(1, 1);
    struct gen_params p = greedy(5);
    p.n_logprobs = 3;
    submit(r, 1, &p);
    run_until_idle(r);
    CHECK_TRUE(r->seen[1].n_tokens > 0);
    for (uint32_t i = 0; i < r->seen[1].n_tokens; i++)
        CHECK_TRUE(r->seen[1].logprobs[i] <= 0.0f && r->seen[1].logprobs[i] > -20.0f);
    close_rig(r);
}

TEST(engine_loop_survives_an_edge_that_writes_garbage)
{
    struct rig *r = open_rig(2, 4);
    unsigned state = 12345;
    for (int i = 0; i < 3000; i++) {
        unsigned char *slot = ring_push(&r->client.to_engine);
        MUST_TRUE(slot != NULL, NULL);
        for (int j = 0; j < ENGINE_SLOT_BYTES; j++)
            slot[j] = (unsigned char)((state = state * 1103515245u + 12345u) >> 16);
        struct engine_msg *m = (void *)slot;
        m->version = ENGINE_MSG_VERSION;
        m->type = (uint16_t)(state >> 8) % (MSG_RESUME + 2);
        m->req_id = state >> 20 & 7;
        if (state & 1)
            m->submit.n_tokens = state >> 10 & 255;
        ring_push_done(&r->client.to_engine);
        if (i % 100 == 99)
            turn(r);
    }
    for (uint32_t id = 0; id < 8; id++)
        engine_client_cancel(&r->client, id);
    turn(r);
    CHECK_EQ(engine_loop_n_busy(&r->g), 0);
    struct gen_params p = greedy(3);
    memset(r->seen, 0, sizeof r->seen);
    submit(r, 40, &p);
    run_until_idle(r);
    CHECK_TRUE(r->seen[40].is_done);
    close_rig(r);
}
