/* net_box_engine: the engine's part of a net_box: the test takes requests from the ring and sends
 * events. */
#ifndef TESTS_NET_BOX_ENGINE_H
#define TESTS_NET_BOX_ENGINE_H

#include "tests/net_box.h"

/* The next message to the engine; false if there is none. */
static inline bool box_engine_hears(struct engine_msg *m)
{
    const void *slot = ring_pop(&box.to_engine);
    if (!slot)
        return false;
    memcpy(m, slot, sizeof *m);
    ring_pop_done(&box.to_engine);
    return true;
}

/* Takes a SUBMIT with its prompt; returns the request's id, 0 if none came. */
static inline uint32_t box_engine_takes(struct engine_msg *submit)
{
    struct engine_msg m;
    if (!box_engine_hears(submit) || submit->type != MSG_SUBMIT)
        return 0;
    for (uint32_t n = 0; n < submit->submit.n_tokens; n += m.prompt.n_ids)
        MUST_TRUE(box_engine_hears(&m) && m.type == MSG_PROMPT && m.prompt.n_ids, NULL);
    return submit->req_id;
}

/* Sends an event and lets the edge take it; woken connections run. */
static inline void box_engine_says(struct engine_event ev)
{
    struct engine_msg m = {
        .version = ENGINE_MSG_VERSION, .type = MSG_EVENT, .req_id = ev.req_id, .event = ev};
    void *slot = ring_push(&box.from_engine);
    MUST_TRUE(slot != NULL, "event ring full");
    memcpy(slot, &m, sizeof m);
    ring_push_done(&box.from_engine);
    CHECK_TRUE(api_engine_events(&box.m->api));
    for (uint32_t i = 0; i < box.m->loop.max_conns; i++)
        if (box.m->loop.conns[i].is_woken)
            conn_run(&box.m->loop.conns[i]);
}

/* Ids of text: markers whole, else one token a character or byte. */
static inline uint32_t box_ids(const char *text, int32_t *ids, uint32_t max_ids)
{
    static const char *const markers[] = {"<|channel>", "<channel|>", "<turn|>"};
    const struct tok *t = &box.m->api.tok;
    uint32_t n = 0;
    while (*text && n < max_ids) {
        size_t n_bytes = 1;
        char byte[8];
        for (size_t i = 0; i < sizeof markers / sizeof *markers; i++)
            if (strncmp(text, markers[i], strlen(markers[i])) == 0)
                n_bytes = strlen(markers[i]);
        ids[n] = *text == ' ' ? tok_find(t, STR("\xe2\x96\x81"))
                              : tok_find(t, (struct str){text, n_bytes});
        if (ids[n] < 0) {
            snprintf(byte, sizeof byte, "<0x%02X>", (unsigned char)*text);
            ids[n] = tok_find(t, str_of(byte));
        }
        MUST_TRUE(ids[n] >= 0, text);
        n++;
        text += n_bytes;
    }
    return n;
}

/* The tokens of text, `step` in each event. Returns how many tokens there were. */
static inline uint32_t box_engine_writes(uint32_t req_id, const char *text, uint32_t step)
{
    int32_t ids[1024];
    uint32_t n = box_ids(text, ids, 1024);
    for (uint32_t at = 0; at < n; at += step) {
        struct engine_event ev = {.type = EVENT_TOKENS, .req_id = req_id};
        ev.tokens.n_tokens = n - at < step ? n - at : step;
        memcpy(ev.tokens.ids, ids + at, ev.tokens.n_tokens * sizeof *ids);
        box_engine_says(ev);
    }
    return n;
}

static inline void box_engine_ends(uint32_t req_id, enum finish_reason reason, uint32_t n_prompt,
                                   uint32_t n_predicted)
{
    struct engine_event ev = {.type = EVENT_DONE, .req_id = req_id};
    ev.done.reason = reason;
    ev.done.stop_id = -1;
    ev.done.timings = (struct gen_timings){.prompt_ms = 118,
                                           .predicted_ms = 393,
                                           .ttft_ms = 249,
                                           .n_prompt = n_prompt,
                                           .n_predicted = n_predicted};
    box_engine_says(ev);
}

#endif
