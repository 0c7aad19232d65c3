#include "net/lane.h"

#include "net/gen.h"
#include "tests/net_box_engine.h"
#include "tests/net_box_http.h"

enum { WORDS = 20000, MAX_REQUEST_BYTES = 1 << 21 };

static char heard[1 << 16], request[MAX_REQUEST_BYTES];

#define HI "{\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]}"

/* A chat request of n_words words; every word ends a run. */
static struct str long_request(const char *path, uint32_t n_words)
{
    static char content[MAX_REQUEST_BYTES / 2];
    size_t n = 0;
    for (uint32_t i = 0; i < n_words; i++)
        n += (size_t)snprintf(content + n, sizeof content - n, "abc the %u\\n", i);
    int n_request = snprintf(
        request, sizeof request,
        "POST %s HTTP/1.1\r\n" HOST
        "Authorization: Bearer %s\r\nContent-Type: application/json\r\nContent-Length: "
        "%zu\r\n\r\n{\"messages\":[{\"role\":\"user\",\"content\":\"%s\"}],\"stop\":\"END\"}",
        path, box.key_text, n + 56, content);
    return (struct str){request, (size_t)n_request};
}

static void open_lane_box(uint32_t n_bodies)
{
    struct edge_config cfg = box_config();
    cfg.n_bodies = n_bodies;
    box_open_with(&cfg);
    box.m->api.info.n_ctx = API_MAX_CONTEXT_TOKENS;
}

static struct conn *send_long(uint32_t i_conn, const char *path, uint32_t n_words)
{
    struct conn *c = box_conn(i_conn);
    struct str r = long_request(path, n_words);
    heard[0] = 0;
    box_feed(c, r, 40000, heard, sizeof heard);
    return c;
}

/* One round of the loop, as far as it matters here. */
static void turn(void)
{
    api_work(&box.m->api);
    api_tick(&box.m->api);
    for (uint32_t i = 0; i < box.m->loop.max_conns; i++)
        if (box.m->loop.conns[i].is_woken)
            conn_run(&box.m->loop.conns[i]);
}

static uint32_t turns_to_the_end(void)
{
    uint32_t n = 0;
    while (api_has_work(&box.m->api) && n++ < 100000)
        turn();
    return n;
}

static void check_clean(void)
{
    CHECK_TRUE(!api_has_work(&box.m->api));
    CHECK_EQ(box.m->lane.n_waiting, 0);
    CHECK_EQ(box.m->chains.n_idle, box.m->chains.n_blocks);
    CHECK_EQ(box.m->json_heap.used_bytes, 16);
    CHECK_EQ(box.m->env.bodies.n_idle, box.m->api.cfg.n_bodies);
}

TEST(lane_serves_others_between_the_slices_of_a_long_prompt)
{
    open_lane_box(1);
    struct engine_msg submit;
    struct conn *greedy = send_long(0, "/v1/chat/completions", WORDS);
    CHECK_TRUE(!box_engine_hears(&submit)); /* not all of it at once */
    uint32_t n_served = 0, n_turns = 0;
    for (; api_has_work(&box.m->api); n_turns++) {
        struct conn *c = box_conn(1); /* a whole chat of somebody else between any two slices */
        heard[0] = 0;
        box_feed(c, str_of(box_chat(HI)), 4096, heard, sizeof heard);
        uint32_t id = box_engine_takes(&submit);
        MUST_TRUE(id != 0, heard);
        box_engine_writes(id, "ok", 2);
        box_engine_ends(id, FINISH_EOS, submit.submit.n_tokens, 2);
        box_listen(c, heard, sizeof heard);
        n_served += box_status(heard) == 200 && box_has(heard, "\"content\":\"ok\"");
        conn_close(c);
        turn();
    }
    CHECK_EQ(n_served, n_turns);
    CHECK_TRUE(n_turns >= WORDS * 10 / LANE_STEPS); /* at least a step for each character */
    uint32_t id = box_engine_takes(&submit);
    MUST_TRUE(id != 0, "the long prompt never came");
    uint32_t n_prompt = submit.submit.n_tokens;
    heard[0] = 0;
    box_engine_writes(id, "seen END", 8); /* its stop string was kept */
    box_engine_hears(&submit);
    box_engine_ends(id, FINISH_STOP, n_prompt, 8);
    box_listen(greedy, heard, sizeof heard);
    CHECK_TRUE(box_status(heard) == 200 && box_has(heard, "\"content\":\"seen \""));
    conn_close(greedy);

    struct conn *c = send_long(0, "/v1/chat/completions/input_tokens", WORDS);
    turns_to_the_end();
    box_listen(c, heard, sizeof heard);
    char want[80];
    snprintf(want, sizeof want, "{\"object\":\"response.input_tokens\",\"input_tokens\":%u}",
             n_prompt);
    CHECK_STR(box_body(heard), want);
    conn_close(c);
    check_clean();
}

TEST(lane_sends_the_ids_that_encoding_in_one_go_gives)
{
    open_lane_box(1);
    struct engine_msg m;
    struct conn *c = send_long(0, "/v1/chat/completions", WORDS);
    turns_to_the_end();
    MUST_TRUE(box_engine_hears(&m) && m.type == MSG_SUBMIT, NULL);
    uint32_t n = m.submit.n_tokens, n_same = 0;
    struct api *a = &box.m->api;
    struct tok_ids want = {malloc(n * sizeof(int32_t)), n, 0};
    struct err e = {0};
    MUST_TRUE(want.at != NULL, "memory");
    /* the text still lies in the room; what is trusted in it is known from its ends */
    const struct tok_text whole = {a->lane->job.prompt.encoder.segs,
                                   a->lane->job.prompt.encoder.n_segs, true};
    MUST_TRUE(tok_encode(&a->tok, &whole, a->short_room.tok_scratch, &want, &e), e.msg);
    CHECK_EQ(want.n, n);
    for (uint32_t at = 0; at < n; at += m.prompt.n_ids) {
        MUST_TRUE(box_engine_hears(&m) && m.type == MSG_PROMPT && at + m.prompt.n_ids <= n, NULL);
        n_same += memcmp(m.prompt.ids, want.at + at, m.prompt.n_ids * sizeof(int32_t)) == 0
                      ? m.prompt.n_ids
                      : 0;
    }
    CHECK_EQ(n_same, n);
    free(want.at);
    conn_close(c);
}

TEST(lane_takes_long_prompts_in_order_and_forgets_who_goes)
{
    open_lane_box(4);
    struct engine_msg submit = {0};
    struct conn *c[4];
    for (uint32_t i = 0; i < 4; i++)
        c[i] = send_long(i, "/v1/chat/completions", 5000 + i);
    CHECK_EQ(box.m->lane.n_waiting, 3);
    turn();
    conn_close(c[2]); /* one that waits, and then the one at work */
    CHECK_EQ(box.m->lane.n_waiting, 2);
    conn_close(c[0]);
    turns_to_the_end();
    uint32_t first = box_engine_takes(&submit), n_first = submit.submit.n_tokens;
    uint32_t second = box_engine_takes(&submit);
    MUST_TRUE(first && second, NULL);
    CHECK_TRUE(n_first < submit.submit.n_tokens); /* 1 came before 3, which has more words */
    CHECK_TRUE(!box_engine_hears(&submit));
    box_engine_ends(first, FINISH_EOS, 1, 0);
    box_engine_ends(second, FINISH_EOS, 1, 0);
    heard[0] = 0;
    box_listen(c[1], heard, sizeof heard);
    CHECK_EQ(box_status(heard), 200);
    heard[0] = 0;
    box_listen(c[3], heard, sizeof heard);
    CHECK_EQ(box_status(heard), 200);
    conn_close(c[1]);
    conn_close(c[3]);
    check_clean();
}

TEST(lane_waiting_has_an_end)
{
    open_lane_box(2);
    struct conn *at_work = send_long(0, "/v1/chat/completions", WORDS),
                *waits = send_long(1, "/v1/chat/completions", WORDS);
    box.m->api.mono_ms += GEN_QUEUE_LIMIT_MS + 1;
    turn();
    heard[0] = 0;
    box_listen(waits, heard, sizeof heard);
    CHECK_TRUE(box_status(heard) == 503 && box_has(heard, "queue_timeout") &&
               box_has(heard, "Retry-After: "));
    CHECK_EQ(box.m->env.bodies.n_idle, 2);
    conn_close(waits);
    conn_close(at_work);
    check_clean();
}

TEST(lane_ends_with_its_engine_or_its_key)
{
    open_lane_box(2);
    struct engine_msg m;
    struct conn *at_work = send_long(0, "/v1/chat/completions", WORDS),
                *waits = send_long(1, "/v1/chat/completions", WORDS);
    turn();
    api_engine_down(&box.m->api);
    turns_to_the_end();
    heard[0] = 0;
    box_listen(at_work, heard, sizeof heard);
    CHECK_TRUE(box_status(heard) == 503 && box_has(heard, "gpu_recovering"));
    heard[0] = 0;
    box_listen(waits, heard, sizeof heard);
    CHECK_TRUE(box_status(heard) == 503 && box_has(heard, "gpu_recovering"));
    conn_close(waits);
    conn_close(at_work);
    check_clean();
    box.m->api.engine_state = API_ENGINE_IS_READY;
    at_work = send_long(0, "/v1/chat/completions", WORDS);
    turn();
    at_work->call.key_no = KEY_NONE; /* as the role does when a table comes without it */
    turns_to_the_end();
    heard[0] = 0;
    box_listen(at_work, heard, sizeof heard);
    CHECK_TRUE(box_status(heard) == 401 && box_has(heard, "key_revoked"));
    CHECK_TRUE(!box_engine_hears(&m));
    conn_close(at_work);
    check_clean();
}

TEST(lane_refuses_at_once_what_its_bytes_prove_too_long)
{
    open_lane_box(1);
    struct api *a = &box.m->api;
    a->info.n_ctx = 4096;
    struct conn *c = send_long(0, "/v1/chat/completions", WORDS);
    CHECK_TRUE(!api_has_work(a)); /* no character was looked at */
    CHECK_TRUE(box_status(heard) == 400 && box_has(heard, "\"code\":\"context_length_exceeded\"") &&
               box_has(heard, "The prompt has at least ") && box_has(heard, "\"n_ctx\":4096}}"));
    conn_close(c);
    a->info.n_ctx = 40000; /* too many tokens, but only counting shows it */
    c = send_long(0, "/v1/chat/completions", WORDS);
    CHECK_TRUE(api_has_work(a));
    turns_to_the_end();
    box_listen(c, heard, sizeof heard);
    CHECK_TRUE(box_status(heard) == 400 && box_has(heard, "\"code\":\"context_length_exceeded\"") &&
               !box_has(heard, "at least"));
    conn_close(c);
    check_clean();
}
