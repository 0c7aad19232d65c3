/* Every place that answers 429 or 503 says when to come back (api.md 10). */
#include "net/gen.h"
#include "tests/net_box_engine.h"
#include "tests/net_box_http.h"

#define HI     "{\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]}"
#define CHAT   "POST /v1/chat/completions HTTP/1.1\r\n" HOST
#define TYPE   "x-api-key: KEY\r\nContent-Type: application/json\r\n"
#define HEALTH "GET /health HTTP/1.1\r\n" HOST "\r\n"

static char heard[1 << 16];

/* A chat request on a connection of its own that stays open; its id, 0 if the engine got nothing.
 */
static uint32_t begin(uint32_t i_conn)
{
    struct engine_msg submit;
    heard[0] = 0;
    box_feed(box_conn(i_conn), str_of(box_chat(HI)), 4096, heard, sizeof heard);
    return box_engine_takes(&submit);
}

static const char *hear(uint32_t i_conn)
{
    box_listen(&box.m->loop.conns[i_conn], heard, sizeof heard);
    return heard;
}

static const char *ask_chat(void)
{
    return box_ask(box_chat(HI));
}

static struct key_limits *limits(void)
{
    limit_load(&box.m->limit, box.m->auth.table, box.m->api.mono_ms);
    return &box.m->auth.table->keys[0].limits;
}

static const char *wrong_keys(void)
{
    for (int i = 0; i < AUTH_MAX_FAILURES; i++)
        box_ask("GET /v1/models HTTP/1.1\r\n" HOST "Authorization: Bearer sk-wrong\r\n\r\n");
    return ask_chat();
}

static const char *too_many_requests(void)
{
    limits()->requests_per_min = 1;
    begin(1);
    return ask_chat();
}

static const char *too_many_tokens(void)
{
    limits()->tokens_per_min = 100;
    begin(1);
    return ask_chat();
}

static const char *too_many_at_once(void)
{
    limits()->n_concurrent = 1;
    begin(1);
    return ask_chat();
}

static const char *day_is_used(void)
{
    limits()->tokens_per_day = 1;
    begin(1);
    return ask_chat();
}

static const char *draining(void)
{
    box.m->api.is_draining = true;
    return ask_chat();
}

static const char *loading(void)
{
    box.m->api.engine_state = API_ENGINE_IS_LOADING;
    return ask_chat();
}

static const char *down(void)
{
    box.m->api.engine_state = API_ENGINE_IS_DOWN;
    return ask_chat();
}

static const char *health_loading(void)
{
    box.m->api.engine_state = API_ENGINE_IS_LOADING;
    return box_ask(HEALTH);
}

static const char *health_down(void)
{
    box.m->api.engine_state = API_ENGINE_IS_DOWN;
    return box_ask(HEALTH);
}

static const char *down_since_the_head(void)
{
    struct conn *c = box_conn(1);
    heard[0] = 0;
    box_feed(c, str_of(box_with_key(CHAT TYPE "Content-Length: 48\r\n\r\n")), 4096, heard,
             sizeof heard);
    api_engine_down(&box.m->api);
    box_feed(c, STR(HI "   "), 64, heard, sizeof heard);
    return heard;
}

static const char *no_body_buffer(void)
{
    box.m->env.bodies.n_idle = 0;
    return box_ask(box_with_key(CHAT TYPE "Content-Length: 40000\r\n\r\n{"));
}

static const char *no_buffer_for_chunks(void)
{
    static char request[1 << 16];
    int n = snprintf(request, sizeof request, "%s9000\r\n",
                     box_with_key(CHAT TYPE "Transfer-Encoding: chunked\r\n\r\n"));
    memset(request + n, ' ', 0x9000);
    request[n + 0x9000] = 0;
    box.m->env.bodies.n_idle = 0;
    return box_ask(request);
}

static const char *no_place(void)
{
    for (uint32_t i = 1; i <= 4; i++)
        begin(i);
    return ask_chat();
}

static const char *request_ring_full(void)
{
    while (ring_push(&box.client.to_engine))
        ring_push_done(&box.client.to_engine);
    return ask_chat();
}

static const char *refused(enum refuse_reason why)
{
    uint32_t id = begin(1);
    box_engine_says((struct engine_event){.type = EVENT_REFUSED, .req_id = id, .refused = why});
    return hear(1);
}

static const char *engine_queue_full(void)
{
    return refused(REFUSE_QUEUE_FULL);
}

static const char *engine_draining(void)
{
    return refused(REFUSE_DRAINING);
}

static const char *waited_too_long(void)
{
    uint32_t id = begin(1);
    box.m->api.mono_ms += GEN_QUEUE_LIMIT_MS + 1;
    api_tick(&box.m->api);
    box_engine_ends(id, FINISH_CANCEL, 0, 0);
    return hear(1);
}

static const char *engine_died(void)
{
    begin(1);
    api_engine_down(&box.m->api);
    return hear(1);
}

/* All output blocks but n are somebody else's. */
static struct chain *hog(uint32_t n_left)
{
    static struct chain others;
    chain_init(&others, &box.m->chains);
    while (box.m->chains.n_idle > n_left)
        MUST_TRUE(chain_put(&others, STR("some bytes of another request")), NULL);
    return &others;
}

static const char *no_memory_for_tokens(void)
{
    uint32_t id = begin(1);
    struct chain *others = hog(0);
    box_engine_writes(id, "abc", 1);
    chain_deinit(others);
    box_engine_ends(id, FINISH_CANCEL, 1, 1);
    return hear(1);
}

static const struct {
    const char *name;
    const char *(*ask)(void);
    int status;
    const char *code;
    int least_s, most_s;
} places[] = {
    {"wrong keys", wrong_keys, 429, "rate_limit_exceeded", 60, 60},
    {"requests", too_many_requests, 429, "rate_limit_exceeded", 1, 60},
    {"tokens", too_many_tokens, 429, "rate_limit_exceeded", 1, 60},
    {"at once", too_many_at_once, 429, "rate_limit_exceeded", 1, 60},
    {"day", day_is_used, 429, "daily_quota_exceeded", 1, 86400},
    {"draining", draining, 503, "shutting_down", 2, 30},
    {"loading", loading, 503, "model_loading", 2, 120},
    {"down", down, 503, "gpu_recovering", 2, 30},
    {"health, loading", health_loading, 503, "model_loading", 2, 120},
    {"health, down", health_down, 503, "gpu_recovering", 2, 30},
    {"down since the head", down_since_the_head, 503, "gpu_recovering", 2, 30},
    {"body pool", no_body_buffer, 503, "server_overloaded", 2, 30},
    {"body pool, chunked", no_buffer_for_chunks, 503, "server_overloaded", 2, 30},
    {"places", no_place, 503, "server_overloaded", 2, 30},
    {"request ring", request_ring_full, 503, "server_overloaded", 2, 30},
    {"engine's queue", engine_queue_full, 503, "server_overloaded", 2, 30},
    {"engine drains", engine_draining, 503, "shutting_down", 2, 30},
    {"queue time", waited_too_long, 503, "queue_timeout", 2, 30},
    {"engine died", engine_died, 503, "gpu_recovering", 2, 30},
    {"output memory", no_memory_for_tokens, 503, "server_overloaded", 2, 30},
};

TEST(answer_of_429_and_503_always_says_when_to_come_back)
{
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        char code[64];
        box_open();
        const char *a = places[i].ask(), *field = strstr(a, "\r\nRetry-After: ");
        snprintf(code, sizeof code, "\"code\":\"%s\"", places[i].code);
        int retry_s = field ? atoi(field + strlen("\r\nRetry-After: ")) : 0;
        if (!CHECK_TRUE(box_status(a) == places[i].status && box_has(a, code) &&
                        retry_s >= places[i].least_s && retry_s <= places[i].most_s))
            fprintf(stderr, "   %s: %s\n", places[i].name, a);
    }
}

TEST(answer_codes_of_429_and_503_and_no_others_have_a_time_to_come_back)
{
    for (int code = 0; code < API_N_CODES; code++) {
        struct api_error e = {.code = (enum api_code)code};
        int status = api_error_status(&e);
        CHECK_EQ(api_error_retry_after_s(&e) > 0, status == 429 || status == 503);
        e.retry_after_s = 1000000;
        CHECK_TRUE(api_error_retry_after_s(&e) <= 120 || code == API_DAILY_QUOTA);
    }
}
