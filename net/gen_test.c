#include "net/gen.h"

#include "net/chunk.h"
#include "tests/net_box_engine.h"
#include "tests/net_box_http.h"

static char heard[1 << 18];

/* Sends the body on connection i and lets the engine take it; returns the request's id, or 0. */
static uint32_t begin(struct conn *c, const char *body, struct engine_msg *submit)
{
    heard[0] = 0;
    box_feed(c, str_of(box_chat(body)), 100000, heard, sizeof heard);
    return box_engine_takes(submit);
}

/* Body of a chunked answer without its framing. */
static void dechunk(const char *answer, char *out)
{
    struct chunk chunk;
    struct str in = str_of(box_body(answer)), piece;
    size_t n_used, n_out = 0;
    enum chunk_result r;
    chunk_init(&chunk);
    do {
        r = chunk_decode(&chunk, in, &n_used, &piece);
        if (piece.n_bytes)
            memcpy(out + n_out, piece.p, piece.n_bytes);
        n_out += piece.n_bytes;
        in = (struct str){in.p + n_used, in.n_bytes - n_used};
    } while (r == CHUNK_BODY);
    out[n_out] = 0;
}

/* All values of a string member, put together, still escaped. */
static void gather(const char *text, const char *member, char *out)
{
    size_t n = 0, n_member = strlen(member);
    while ((text = strstr(text, member))) {
        text += n_member;
        while (*text && *text != '"') {
            if (*text == '\\')
                out[n++] = *text++;
            out[n++] = *text++;
        }
    }
    out[n] = 0;
}

/* Takes the answer's own id out of it, which is random. */
static void hide_id(char *text)
{
    for (char *at = text; (at = strstr(at, "chatcmpl-"));) {
        at += 9;
        memmove(at, at + API_ID_BYTES, strlen(at + API_ID_BYTES) + 1);
    }
}

#define TIMINGS(stop)                                                                              \
    "\"timings\":{\"queue_ms\":0.0,\"cache_n\":0,\"prompt_n\":%u,\"prompt_ms\":118.0,\"prompt_"    \
    "per_second\":%s,\"predicted_n\":%u,"                                                          \
    "\"predicted_ms\":393.0,\"predicted_per_second\":%s,\"ttft_ms\":249.0,\"draft_n\":0,\"draft_"  \
    "n_accepted\":0,"                                                                              \
    "\"accept_len_mean\":0.0,\"spec_steps\":0,\"spec_mode\":\"off\",\"stop\":\"" stop "\"}"

static const char *rate(char *room, double n, double ms)
{
    struct text t;
    text_init(&t, room, 32);
    text_decimal(&t, n * 1000 / ms, 3);
    text_put(&t, (struct str){"", 1});
    return room;
}

TEST(gen_plain_answer_has_every_member_in_order)
{
    box_open();
    struct engine_msg submit;
    struct conn *c = box_conn(0);
    uint32_t id = begin(c,
                        "{\"model\":\"gemma-4-31b-it\",\"messages\":[{\"role\":\"user\","
                        "\"content\":\"What is 17 times 23?\"}],\"temperature\":0}",
                        &submit);
    MUST_TRUE(id != 0, heard);
    CHECK_STR(heard, "");
    CHECK_TRUE(submit.submit.params.temperature == 0.0f && submit.submit.params.top_k == 64);
    CHECK_EQ(submit.submit.params.n_logprobs, -1);
    CHECK_EQ(submit.submit.params.max_tokens, 1024);
    uint32_t n_prompt = submit.submit.n_tokens,
             n = box_engine_writes(id, "17 \xC3\x97 23 = 391.", 3);
    box_engine_ends(id, FINISH_EOS, n_prompt, n);
    box_listen(c, heard, sizeof heard);
    CHECK_EQ(box_status(heard), 200);
    char want[2048], a[32], b[32];
    snprintf(want, sizeof want,
             "{\"id\":\"chatcmpl-\",\"object\":\"chat.completion\",\"created\":1789000000,"
             "\"model\":\"gemma-4-31b-it\",\"choices\":[{\"index\":0,"
             "\"message\":{\"role\":\"assistant\",\"content\":\"17 \xC3\x97 23 = "
             "391.\",\"refusal\":null,\"annotations\":[]},\"logprobs\":null,"
             "\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":%u,\"completion_tokens\":%"
             "u,\"total_tokens\":%u,\"prompt_tokens_details\":"
             "{\"cached_tokens\":0,\"image_tokens\":0},\"completion_tokens_details\":{\"reasoning_"
             "tokens\":0}},\"system_fingerprint\":"
             "\"fp_9c41d07be2\"," TIMINGS("eos") "}",
             n_prompt, n, n_prompt + n, n_prompt, rate(a, n_prompt, 118), n, rate(b, n, 393));
    char length[64];
    snprintf(length, sizeof length, "\r\nContent-Length: %zu\r\n", strlen(want) + API_ID_BYTES);
    CHECK_TRUE(box_has(heard, length));
    hide_id(heard);
    CHECK_STR(box_body(heard), want);
    CHECK_EQ(c->state, CONN_IDLE);
    conn_close(c);
    CHECK_EQ(box.m->chains.n_idle, box.m->chains.n_blocks);
    CHECK_EQ(box.m->json_heap.used_bytes, 16); /* its own end mark: no tree is left */
}

#define CHUNK_HEAD                                                                                 \
    "data: "                                                                                       \
    "{\"id\":\"chatcmpl-\",\"object\":\"chat.completion.chunk\",\"created\":1789000000,\"model\":" \
    "\"gemma-4-31b-it\",\"system_fingerprint\":\"fp_9c41d07be2\",\"choices\":["

TEST(gen_stream_has_the_documented_chunks_and_framing)
{
    box_open();
    struct engine_msg submit;
    struct conn *c = box_conn(0);
    uint32_t id = begin(c,
                        "{\"messages\":[{\"role\":\"user\",\"content\":\"What is 17 times "
                        "23?\"}],\"stream\":true,\"stream_options\":{\"include_usage\":true}}",
                        &submit);
    MUST_TRUE(id != 0, heard);
    CHECK_STR(heard, ""); /* no 200 before the engine has taken it */
    box_engine_says((struct engine_event){.type = EVENT_QUEUED, .req_id = id, .n_ahead = 3});
    box_listen(c, heard, sizeof heard);
    CHECK_TRUE(box_has(heard, "HTTP/1.1 200 OK\r\n") &&
               box_has(heard, "\r\nContent-Type: text/event-stream; charset=utf-8\r\n") &&
               box_has(heard, "\r\nX-Accel-Buffering: no\r\nTransfer-Encoding: chunked\r\n\r\n"));
    box.m->api.mono_ms += GEN_COMMENT_MS;
    api_tick(&box.m->api);
    box_listen(c, heard, sizeof heard);
    CHECK_STR(box_body(heard), "c\r\n: queued 3\n\n\r\n");
    uint32_t n_prompt = submit.submit.n_tokens, n = box_engine_writes(id, "17 \xC3\x97 23", 8);
    n += box_engine_writes(id, " = 391.", 7);
    box_engine_ends(id, FINISH_EOS, n_prompt, n);
    box_listen(c, heard, sizeof heard);
    static char body[1 << 16];
    dechunk(heard, body);
    hide_id(body);
    char want[4096], a[32], b[32];
    snprintf(want, sizeof want,
             ": queued 3\n\n" CHUNK_HEAD
             "{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"\"},\"logprobs\":null,"
             "\"finish_reason\":null}],\"usage\":null}\n\n" CHUNK_HEAD
             "{\"index\":0,\"delta\":{\"content\":\"17 \xC3\x97 "
             "23\"},\"logprobs\":null,\"finish_reason\":null}],\"usage\":null}\n\n" CHUNK_HEAD
             "{\"index\":0,\"delta\":{\"content\":\" = "
             "391.\"},\"logprobs\":null,\"finish_reason\":null}],\"usage\":null}\n\n" CHUNK_HEAD
             "{\"index\":0,\"delta\":{},\"logprobs\":null,\"finish_reason\":\"stop\"}],\"usage\":"
             "null}\n\n" CHUNK_HEAD
             "],\"usage\":{\"prompt_tokens\":%u,\"completion_tokens\":%u,\"total_tokens\":%u,"
             "\"prompt_tokens_details\":{\"cached_tokens\":0,"
             "\"image_tokens\":0},\"completion_tokens_details\":{\"reasoning_tokens\":0}}," TIMINGS(
                 "eos") "}\n\ndata: [DONE]\n\n",
             n_prompt, n, n_prompt + n, n_prompt, rate(a, n_prompt, 118), n, rate(b, n, 393));
    CHECK_STR(body, want);
    CHECK_TRUE(strcmp(heard + strlen(heard) - 5, "0\r\n\r\n") == 0);
    CHECK_EQ(c->state, CONN_IDLE); /* the connection stays usable */
    conn_close(c);
}

TEST(gen_thought_is_streamed_apart_from_the_answer)
{
    box_open();
    struct engine_msg submit;
    struct conn *c = box_conn(0);
    uint32_t id = begin(c,
                        "{\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}],\"stream\":true,"
                        "\"chat_template_kwargs\":{\"enable_thinking\":true}}",
                        &submit);
    MUST_TRUE(id != 0, heard);
    uint32_t n = box_engine_writes(id, "<|channel>thought\n17*20=340,", 40);
    n += box_engine_writes(id, " 17*3=51.\n<channel|>391", 40);
    box_engine_ends(id, FINISH_EOS, submit.submit.n_tokens, n);
    box_listen(c, heard, sizeof heard);
    static char body[1 << 16], thought[256], content[256];
    dechunk(heard, body);
    gather(body, "\"reasoning_content\":\"", thought);
    gather(body, "{\"content\":\"", content);
    CHECK_STR(thought, "17*20=340, 17*3=51.");
    CHECK_STR(content, "391");
    const char *chunk = strstr(body, "reasoning_content");
    MUST_TRUE(chunk != NULL, body);
    CHECK_TRUE(box_has(body, "\"timings\":{") && !box_has(body, "\"usage\""));
    conn_close(c);
}

TEST(gen_stop_string_ends_text_tokens_and_logprobs_at_the_same_place)
{
    box_open();
    struct engine_msg submit, stop;
    struct conn *c = box_conn(0);
    uint32_t id = begin(c,
                        "{\"messages\":[{\"role\":\"user\",\"content\":\"Colours\"}],\"stop\":[\","
                        "\"],\"seed\":7,\"temperature\":0,\"logprobs\":true,\"top_logprobs\":2}",
                        &submit);
    MUST_TRUE(id != 0, heard);
    CHECK_EQ(submit.submit.params.seed, 7);
    CHECK_EQ(submit.submit.params.n_logprobs, 2);
    int32_t ids[4];
    MUST_TRUE(box_ids("rR,x", ids, 4) == 4, NULL);
    for (int i = 0; i < 4; i += i == 0 ? 2 : 1) { /* r, then the comma, then one too many */
        struct engine_event ev = {.type = EVENT_TOKENS, .req_id = id};
        ev.tokens.n_tokens = 1;
        ev.tokens.ids[0] = ids[i];
        ev.tokens.has_logprobs = true;
        ev.tokens.logprob = i ? -0.5f : -0.0112f;
        ev.tokens.n_top = 2;
        ev.tokens.top[0] = (struct token_logprob){ids[i], ev.tokens.logprob};
        ev.tokens.top[1] = (struct token_logprob){ids[1], -4.8f};
        box_engine_says(ev);
    }
    MUST_TRUE(box_engine_hears(&stop) && stop.type == MSG_STOP, NULL);
    CHECK_EQ(stop.stop.n_keep, 2);
    box_engine_ends(id, FINISH_STOP, submit.submit.n_tokens, 2);
    box_listen(c, heard, sizeof heard);
    CHECK_TRUE(box_has(
        heard, "\"content\":\"r\",\"refusal\":null,\"annotations\":[]},\"logprobs\":{\"content\":[{"
               "\"token\":\"r\",\"logprob\":-0.0112,\"bytes\":[114],\"top_logprobs\":[{\"token\":"
               "\"r\",\"logprob\":-0.0112,\"bytes\":[114]},{\"token\":\"R\",\"logprob\":-4.8,"
               "\"bytes\":[82]}]}],\"refusal\":null},\"finish_reason\":\"stop\"}]"));
    CHECK_TRUE(box_has(heard, "\"completion_tokens\":2,") && box_has(heard, "\"stop\":\"stop\"}"));
    conn_close(c);
}

static const char *const texts[] = {
    "plain",
    "<|channel>thought\nhm\n<channel|>\xC3\xA9t\xC3\xA9 \xF0\x9F\x98\x80 end",
    "a \"quoted\" \\ line\nand END of it",
    "EN",
    "broken \xC3",
    "",
};

TEST(gen_stream_put_together_is_the_plain_answer)
{
    static char body[1 << 17], plain[4096], streamed[4096], plain_thought[4096],
        streamed_thought[4096];
    box_open();
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        for (uint32_t step = 1; step <= 64; step = step * 3 + 1) {
            struct engine_msg submit, stop;
            struct conn *c = box_conn(0);
            uint32_t id =
                begin(c, "{\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}],\"stop\":\"END\"}",
                      &submit);
            MUST_TRUE(id != 0, heard);
            uint32_t n = box_engine_writes(id, texts[i], step);
            box_engine_hears(&stop);
            box_engine_ends(id, FINISH_EOS, submit.submit.n_tokens, n);
            box_listen(c, heard, sizeof heard);
            gather(heard, "\"content\":\"", plain);
            gather(heard, "\"reasoning_content\":\"", plain_thought);
            id = begin(c,
                       "{\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}],\"stop\":\"END\","
                       "\"stream\":true}",
                       &submit);
            MUST_TRUE(id != 0, heard);
            n = box_engine_writes(id, texts[i], step);
            box_engine_hears(&stop);
            box_engine_ends(id, FINISH_EOS, submit.submit.n_tokens, n);
            box_listen(c, heard, sizeof heard);
            dechunk(heard, body);
            gather(body, "\"content\":\"", streamed);
            gather(body, "\"reasoning_content\":\"", streamed_thought);
            CHECK_STR(streamed, plain);
            CHECK_STR(streamed_thought, plain_thought);
            conn_close(c);
        }
    CHECK_EQ(box.m->chains.n_idle, box.m->chains.n_blocks);
}

TEST(gen_client_gone_cancels_and_frees_its_place)
{
    box_open();
    struct engine_msg submit, cancel;
    for (int i = 0; i < 12; i++) { /* more than there are places */
        struct conn *c = box_conn(0);
        uint32_t id =
            begin(c,
                  i % 2 ? "{\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}],\"stream\":true}"
                        : "{\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]}",
                  &submit);
        MUST_TRUE(id != 0, heard);
        if (i % 3)
            box_engine_writes(id, "abc", 1);
        conn_wire_in_eof(c);
        conn_run(c);
        CHECK_TRUE(conn_is_dead(c));
        conn_close(c);
        MUST_TRUE(box_engine_hears(&cancel), "no CANCEL came");
        CHECK_TRUE(cancel.type == MSG_CANCEL && cancel.req_id == id);
        box_engine_writes(id, "late", 1); /* was on its way */
        box_engine_ends(id, FINISH_CANCEL, 1, 1);
    }
    CHECK_EQ(gen_n_running(&box.m->api) + gen_n_waiting(&box.m->api), 0);
    CHECK_EQ(box.m->limit.usage[0].n_running, 0);
    CHECK_EQ(box.m->chains.n_idle, box.m->chains.n_blocks);
}

TEST(gen_refusals_come_with_a_status_also_for_streams)
{
    static const struct {
        enum refuse_reason reason;
        int status;
        const char *code;
    } cases[] = {{REFUSE_QUEUE_FULL, 503, "server_overloaded"},
                 {REFUSE_DRAINING, 503, "shutting_down"},
                 {REFUSE_INVALID, 500, "internal_error"}};
    box_open();
    for (size_t i = 0; i < 6; i++) {
        struct engine_msg submit;
        struct conn *c = box_conn(0);
        uint32_t id =
            begin(c,
                  i % 2 ? "{\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}],\"stream\":true}"
                        : "{\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]}",
                  &submit);
        MUST_TRUE(id != 0, heard);
        box_engine_says((struct engine_event){
            .type = EVENT_REFUSED, .req_id = id, .refused = cases[i / 2].reason});
        box_listen(c, heard, sizeof heard);
        CHECK_EQ(box_status(heard), cases[i / 2].status);
        CHECK_TRUE(box_has(heard, cases[i / 2].code));
        conn_close(c);
    }
}

TEST(gen_engine_death_ends_requests_with_a_clear_error)
{
    box_open();
    struct engine_msg submit;
    struct conn *plain = box_conn(0), *stream = box_conn(1);
    MUST_TRUE(begin(plain, "{\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]}", &submit) != 0,
              heard);
    uint32_t id = begin(
        stream, "{\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}],\"stream\":true}", &submit);
    MUST_TRUE(id != 0, heard);
    box_engine_writes(id, "abc", 3);
    api_engine_down(&box.m->api);
    heard[0] = 0;
    box_listen(plain, heard, sizeof heard);
    CHECK_TRUE(box_status(heard) == 503 && box_has(heard, "gpu_recovering") &&
               box_has(heard, "Retry-After"));
    heard[0] = 0;
    box_listen(stream, heard, sizeof heard);
    CHECK_TRUE(box_has(heard, "{\"content\":\"abc\"}") && box_has(heard, "data: {\"error\":{") &&
               !box_has(heard, "[DONE]") && !box_has(heard, "\"finish_reason\":\"stop\""));
    CHECK_TRUE(strcmp(heard + strlen(heard) - 5, "0\r\n\r\n") == 0);
    conn_close(plain);
    conn_close(stream);
    CHECK_EQ(box_status(box_ask("GET /health HTTP/1.1\r\n" HOST "\r\n")), 503);
}

TEST(gen_time_limits_end_with_what_there_is)
{
    box_open();
    struct engine_msg submit, cancel;
    struct conn *c = box_conn(0);
    uint32_t id = begin(c, "{\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]}", &submit);
    MUST_TRUE(id != 0, heard);
    box_engine_writes(id, "half", 1);
    box.m->api.mono_ms += 280001;
    api_tick(&box.m->api);
    MUST_TRUE(box_engine_hears(&cancel) && cancel.type == MSG_CANCEL, NULL);
    box_engine_ends(id, FINISH_CANCEL, submit.submit.n_tokens, 4);
    box_listen(c, heard, sizeof heard);
    CHECK_TRUE(box_status(heard) == 200 && box_has(heard, "\"content\":\"half\"") &&
               box_has(heard, "\"finish_reason\":\"length\"") &&
               box_has(heard, "\"stop\":\"time\""));
    id = begin(c, "{\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]}", &submit);
    MUST_TRUE(id != 0, heard);
    box.m->api.mono_ms += GEN_QUEUE_LIMIT_MS + 1;
    api_tick(&box.m->api);
    MUST_TRUE(box_engine_hears(&cancel) && cancel.type == MSG_CANCEL, NULL);
    box_engine_ends(id, FINISH_CANCEL, 0, 0);
    box_listen(c, heard, sizeof heard);
    CHECK_TRUE(box_status(heard) == 503 && box_has(heard, "queue_timeout"));
    conn_close(c);
}

TEST(gen_slow_reader_gets_everything_in_fewer_chunks)
{
    static char content[1 << 16], want[1 << 16];
    struct edge_config cfg = box_config();
    cfg.max_requests = 16;
    box_open_with(&cfg);
    struct engine_msg submit;
    struct conn *c = box_conn(0);
    uint32_t id = begin(c,
                        "{\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}],\"stream\":true,"
                        "\"max_tokens\":4000}",
                        &submit);
    MUST_TRUE(id != 0, heard);
    static char whole[1 << 21];
    whole[0] = 0;
    for (int i = 0; i < 2000;
         i++) { /* nobody reads: far more than API_OUT_HIGH_BYTES as single chunks */
        box_engine_writes(id, "ab", 1);
        memcpy(want + 2 * i, "ab", 3);
    }
    CHECK_TRUE(c->call.out.n_bytes >= API_OUT_HIGH_BYTES &&
               c->call.out.n_bytes < API_OUT_HIGH_BYTES + 4096);
    CHECK_TRUE(gen_n_running(&box.m->api) == 1);
    box_listen(c, whole, sizeof whole);
    box_engine_ends(id, FINISH_LENGTH, submit.submit.n_tokens, 4000);
    box_listen(c, whole, sizeof whole);
    static char all[1 << 21];
    dechunk(whole, all);
    gather(all, "{\"content\":\"", content);
    CHECK_STR(content, want);
    CHECK_TRUE(box_has(all, "\"finish_reason\":\"length\"") && box_has(all, "data: [DONE]"));
    conn_close(c);
    CHECK_EQ(box.m->chains.n_idle, box.m->chains.n_blocks);
}

TEST(gen_too_long_prompt_is_refused_with_both_numbers)
{
    box_open();
    static char content[8192], body[9000];
    memset(content, 'x', 5000);
    snprintf(body, sizeof body,
             "{\"messages\":[{\"role\":\"user\",\"content\":\"%s\"}],\"stream\":true}", content);
    const char *a = box_ask(box_chat(body));
    CHECK_TRUE(box_status(a) == 400 &&
               box_has(a, "\"code\":\"context_length_exceeded\",\"n_prompt_tokens\":5") &&
               box_has(a, ",\"n_ctx\":4096}}") && box_has(a, "\"param\":\"messages\""));
    struct engine_msg m;
    CHECK_TRUE(!box_engine_hears(&m));
}

TEST(gen_revoked_key_ends_its_running_requests)
{
    box_open();
    struct engine_msg submit, cancel;
    struct conn *c = box_conn(0);
    uint32_t id = begin(c, "{\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]}", &submit);
    MUST_TRUE(id != 0, heard);
    box.m->auth.table->keys[0].revoked_s = 1;
    api_keys_changed(&box.m->api);
    MUST_TRUE(box_engine_hears(&cancel) && cancel.type == MSG_CANCEL && cancel.req_id == id, NULL);
    box_engine_ends(id, FINISH_CANCEL, 0, 0);
    box_listen(c, heard, sizeof heard);
    CHECK_TRUE(box_status(heard) == 401 && box_has(heard, "key_revoked"));
    conn_close(c);
}

#define ONE       "{\"messages\":[{\"role\":\"user\",\"content\":\"x\"}],"
#define SIXTEEN   "0123456789abcdef"
#define SIXTYFOUR SIXTEEN SIXTEEN SIXTEEN SIXTEEN
#define LONG_NAME SIXTYFOUR SIXTYFOUR SIXTYFOUR SIXTYFOUR "x"

static const struct {
    int status;
    const char *code, *param, *body;
} bodies[] = {
    {400, "invalid_json", NULL, "{\"messages\":"},
    {400, "invalid_json", NULL, "{\"messages\":[],\"messages\":[]}"},
    {400, "missing_required_parameter", "messages", "{}"},
    {400, "invalid_type", "messages", "{\"messages\":\"x\"}"},
    {400, "invalid_value", "messages", "{\"messages\":[]}"},
    {400, "invalid_type", "temperature",
     "{\"messages\":[{\"role\":\"user\",\"content\":\"x\"}],\"temperature\":\"0.7\"}"},
    {400, "invalid_value", "temperature",
     "{\"messages\":[{\"role\":\"user\",\"content\":\"x\"}],\"temperature\":2.1}"},
    {400, "invalid_value", "top_p",
     "{\"messages\":[{\"role\":\"user\",\"content\":\"x\"}],\"top_p\":0}"},
    {400, "unsupported_value", "n",
     "{\"messages\":[{\"role\":\"user\",\"content\":\"x\"}],\"n\":2}"},
    {400, "unsupported_parameter", "tools",
     "{\"messages\":[{\"role\":\"user\",\"content\":\"x\"}],\"tools\":[{\"type\":\"function\","
     "\"function\":{\"name\":\"f\"}}]}"},
    {400, "unsupported_parameter", "functions",
     "{\"messages\":[{\"role\":\"user\",\"content\":\"x\"}],\"functions\":[]}"},
    {400, "unsupported_value", "response_format.type",
     "{\"messages\":[{\"role\":\"user\",\"content\":\"x\"}],\"response_format\":{\"type\":\"json_"
     "object\"}}"},
    {400, "unsupported_content_part", "messages[0].content[0]",
     "{\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"image_url\",\"image_url\":{"
     "\"url\":\"data:\"}}]}]}"},
    {400, "invalid_value", "stream_options",
     "{\"messages\":[{\"role\":\"user\",\"content\":\"x\"}],\"stream_options\":{}}"},
    {400, "invalid_value", "top_logprobs",
     "{\"messages\":[{\"role\":\"user\",\"content\":\"x\"}],\"top_logprobs\":1}"},
    {400, "invalid_json", NULL, ""},
    {400, "invalid_type", "messages[0].content",
     "{\"messages\":[{\"role\":\"user\",\"content\":null}]}"},
    {400, "invalid_type", "messages[0].content",
     "{\"messages\":[{\"role\":\"user\",\"content\":7}]}"},
    {400, "missing_required_parameter", "messages[0].content",
     "{\"messages\":[{\"role\":\"user\"}]}"},
    {400, "invalid_value", "thinking_budget_tokens", ONE "\"thinking_budget_tokens\":-1}"},
    {400, "invalid_type", "thinking_budget_tokens", ONE "\"thinking_budget_tokens\":\"9\"}"},
    {400, "invalid_value", "metadata", ONE "\"metadata\":{\"a\":\"" LONG_NAME LONG_NAME "\"}}"},
    {400, "invalid_type", "metadata", ONE "\"metadata\":[]}"},
    {400, "invalid_value", "temperature", ONE "\"temperature\":123456789012345678901234567890}"},
    {400, "invalid_value", "seed", ONE "\"seed\":18446744073709551616}"},
    {400, "invalid_value", "seed", ONE "\"seed\":-9223372036854775809}"},
    {400, "invalid_value", "seed", ONE "\"seed\":1e20}"},
    {400, "invalid_type", "seed", ONE "\"seed\":\"7\"}"},
    {400, "invalid_value", "n", ONE "\"n\":0}"},
    {400, "invalid_value", "n", ONE "\"n\":5}"},
    {400, "missing_required_parameter", "response_format.type", ONE "\"response_format\":{}}"},
    {400, "invalid_type", "user", ONE "\"user\":1}"},
    {400, "invalid_value", "user", ONE "\"user\":\"" LONG_NAME "\"}"},
    {400, "invalid_type", "safety_identifier", ONE "\"safety_identifier\":[]}"},
    {400, "invalid_value", "prompt_cache_key", ONE "\"prompt_cache_key\":\"" LONG_NAME "\"}"},
    {404, "model_not_found", "model",
     "{\"model\":\"gpt-4\",\"messages\":[{\"role\":\"user\",\"content\":\"x\"}]}"},
};

TEST(gen_requests_it_cannot_honour_are_refused_by_name)
{
    box_open();
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
        char code[64], param[64];
        const char *a = box_ask(box_chat(bodies[i].body));
        snprintf(code, sizeof code, "\"code\":\"%s\"", bodies[i].code);
        if (bodies[i].param)
            snprintf(param, sizeof param, "\"param\":\"%s\"", bodies[i].param);
        else
            snprintf(param, sizeof param, "\"param\":null");
        if (!CHECK_TRUE(box_status(a) == bodies[i].status && box_has(a, code) && box_has(a, param)))
            fprintf(stderr, "   body %s\n   got %s\n", bodies[i].body, box_body(a));
    }
    struct engine_msg m;
    CHECK_TRUE(!box_engine_hears(&m));
    CHECK_EQ(box.m->json_heap.used_bytes, 16);
}

TEST(gen_seed_is_any_integer_of_64_bits)
{
    static const struct {
        const char *text;
        uint64_t seed;
    } seeds[] = {{"0", 0},
                 {"1.0", 1},
                 {"-2", UINT64_MAX - 1},
                 {"9223372036854775807", INT64_MAX},
                 {"9223372036854775808", UINT64_C(1) << 63},
                 {"18446744073709551615", UINT64_MAX},
                 {"-9223372036854775808", UINT64_C(1) << 63},
                 {"1e18", UINT64_C(1000000000000000000)}};
    box_open();
    for (size_t i = 0; i < sizeof seeds / sizeof *seeds; i++) {
        char body[128];
        struct engine_msg submit;
        struct conn *c = box_conn(0);
        snprintf(body, sizeof body, ONE "\"seed\":%s}", seeds[i].text);
        uint32_t id = begin(c, body, &submit);
        MUST_TRUE(id != 0, heard);
        CHECK_TRUE(submit.submit.params.seed == seeds[i].seed);
        box_engine_ends(id, FINISH_EOS, 1, 0);
        conn_close(c);
    }
}

TEST(gen_ignored_members_are_named_in_a_header)
{
    box_open();
    struct engine_msg submit;
    struct conn *c = box_conn(0);
    uint32_t id = begin(
        c, "{\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}],\"user\":\"anna\",\"frob\":1}",
        &submit);
    MUST_TRUE(id != 0, heard);
    box_engine_ends(id, FINISH_EOS, submit.submit.n_tokens, 0);
    box_listen(c, heard, sizeof heard);
    CHECK_TRUE(box_has(heard, "\r\nx-ignored-params: user,frob\r\n"));
    CHECK_TRUE(box_has(heard, "\"content\":\"\""));
    conn_close(c);
}

TEST(gen_thinking_budget_follows_the_effort_and_leaves_room_for_the_answer)
{
    static const struct {
        const char *members;
        uint32_t max_tokens, max_thought_tokens;
    } cases[] = {
        {"\"reasoning_effort\":\"minimal\",\"max_tokens\":3000", 3000, 512},
        {"\"reasoning_effort\":\"low\",\"max_tokens\":3000", 3000, 1024},
        {"\"reasoning\":{\"effort\":\"low\"},\"max_tokens\":3000", 3000, 1024},
        {"\"reasoning_effort\":\"medium\",\"max_tokens\":3000", 3000, 3000 - 750 - 2},
        {"\"reasoning_effort\":\"max\",\"max_tokens\":40", 40, 40 - 10 - 2},
        {"\"reasoning_effort\":\"low\",\"thinking_budget_tokens\":7,\"max_tokens\":3000", 3000, 7},
        {"\"thinking_budget_tokens\":0,\"max_tokens\":3000", 3000, 0},
        {"\"thinking_budget_tokens\":99999999999,\"max_tokens\":100", 100, 100 - 25 - 2},
        {"\"chat_template_kwargs\":{\"enable_thinking\":true},\"max_tokens\":100", 100,
         100 - 25 - 2},
        {"\"max_tokens\":1", 1, 0},
    };
    box_open();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char body[256];
        struct engine_msg submit;
        struct conn *c = box_conn(0);
        snprintf(body, sizeof body, ONE "%s}", cases[i].members);
        uint32_t id = begin(c, body, &submit);
        MUST_TRUE(id != 0, heard);
        CHECK_EQ(submit.submit.params.max_tokens, cases[i].max_tokens);
        CHECK_EQ(submit.submit.params.max_thought_tokens, cases[i].max_thought_tokens);
        CHECK_EQ(submit.submit.params.starts_in_thought, 0);
        box_engine_ends(id, FINISH_EOS, 1, 0);
        conn_close(c);
    }
}

TEST(gen_tells_the_engine_that_a_continued_thought_is_open)
{
    box_open();
    struct engine_msg submit;
    struct conn *c = box_conn(0);
    uint32_t id =
        begin(c,
              "{\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"},{\"role\":\"assistant\","
              "\"content\":\"\",\"reasoning_content\":\"Well\"}]}",
              &submit);
    MUST_TRUE(id != 0, heard);
    CHECK_EQ(submit.submit.params.starts_in_thought, 1);
    box_engine_ends(id, FINISH_EOS, 1, 0);
    conn_close(c);
}

/* The names that an accepted request's answer says it ignored; "" = none. */
static const char *ignored_of(const char *body)
{
    static char names[CHAT_IGNORED_BYTES + 1];
    struct engine_msg submit;
    struct conn *c = box_conn(0);
    uint32_t id = begin(c, body, &submit);
    MUST_TRUE(id != 0, heard);
    box_engine_says((struct engine_event){.type = EVENT_QUEUED, .req_id = id});
    box_engine_ends(id, FINISH_EOS, submit.submit.n_tokens, 0);
    box_listen(c, heard, sizeof heard);
    conn_close(c);
    const char *field = strstr(heard, "\r\nx-ignored-params: ");
    snprintf(names, sizeof names, "%.*s", field ? (int)strcspn(field + 20, "\r") : 0,
             field ? field + 20 : "");
    return names;
}

TEST(gen_null_content_is_told_from_missing_content)
{
    box_open();
    CHECK_TRUE(box_has(box_ask(box_chat("{\"messages\":[{\"role\":\"user\",\"content\":null}]}")),
                       "messages[0].content must be a string or an array of parts, not null."));
    CHECK_TRUE(box_has(box_ask(box_chat("{\"messages\":[{\"role\":\"user\"}]}")),
                       "messages[0].content is missing."));
}

TEST(gen_members_of_members_that_are_not_read_are_named)
{
    box_open();
    CHECK_STR(ignored_of(ONE "\"chat_template_kwargs\":{\"enable_thinking\":true,\"tone\":\"dry\","
                             "\"x\":null,\"a b\":1}}"),
              "chat_template_kwargs.tone");
    CHECK_STR(ignored_of(ONE "\"stream\":true,\"stream_options\":{\"include_usage\":true,"
                             "\"include_obfuscation\":false}}"),
              "stream_options.include_obfuscation");
    CHECK_STR(ignored_of(ONE "\"reasoning\":{\"effort\":\"low\",\"summary\":\"auto\"}}"),
              "reasoning.summary");
}

TEST(gen_documented_members_are_ignored_also_when_parameters_are_strict)
{
    static const char documented[] =
        ONE "\"metadata\":{\"a\":\"b\"},\"user\":\"anna\",\"modalities\":[\"text\"],"
            "\"store\":false,\"mirostat_tau\":5,\"dry_base\":1}";
    struct edge_config cfg = box_config();
    box_open();
    CHECK_STR(ignored_of(documented), "metadata,user,modalities,store,mirostat_tau,dry_base");
    CHECK_STR(ignored_of(ONE "\"dry\":1,\"metadata\":null,\"top_k\":1}"), "dry");
    cfg.strict_params = 1;
    box_open_with(&cfg);
    CHECK_STR(ignored_of(documented), "metadata,user,modalities,store,mirostat_tau,dry_base");
    CHECK_TRUE(
        box_has(box_ask(box_chat(ONE "\"dry\":1}")), "does not know the parameter \\\"dry\\\""));
}

TEST(gen_input_tokens_are_those_of_the_chat_request)
{
    box_open();
    struct engine_msg submit;
    struct conn *c = box_conn(0);
    static const char body[] = "{\"messages\":[{\"role\":\"user\",\"content\":\"How many?\"}]}";
    MUST_TRUE(begin(c, body, &submit) != 0, heard);
    conn_close(c);
    char request[2048], want[96];
    snprintf(request, sizeof request,
             "POST /v1/chat/completions/input_tokens HTTP/1.1\r\n" HOST
             "x-api-key: %s\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
             box.key_text, strlen(body), body);
    snprintf(want, sizeof want, "{\"object\":\"response.input_tokens\",\"input_tokens\":%u}",
             submit.submit.n_tokens);
    CHECK_STR(box_body(box_ask(request)), want);
}

/* n tokens "a", each with n_top alternatives. */
static void write_logprobs(uint32_t id, uint32_t n, uint32_t n_top)
{
    int32_t ids[2];
    MUST_TRUE(box_ids("ab", ids, 2) == 2, NULL);
    for (uint32_t i = 0; i < n; i++) {
        struct engine_event ev = {.type = EVENT_TOKENS, .req_id = id};
        ev.tokens.n_tokens = 1;
        ev.tokens.ids[0] = ids[0];
        ev.tokens.has_logprobs = true;
        ev.tokens.logprob = -0.25f;
        ev.tokens.n_top = n_top;
        for (uint32_t j = 0; j < n_top; j++)
            ev.tokens.top[j] = (struct token_logprob){ids[j % 2], -0.25f - (float)j};
        box_engine_says(ev);
    }
}

static uint32_t count(const char *text, const char *what)
{
    uint32_t n = 0;
    while ((text = strstr(text, what))) {
        text += strlen(what);
        n++;
    }
    return n;
}

/* A second client: it must get every token it is given, whatever the first one holds. */
static void check_second_client_is_served(uint32_t i_conn)
{
    static char its[1 << 16];
    struct engine_msg submit;
    struct conn *c = box_conn(i_conn);
    uint32_t id = begin(
        c, "{\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}],\"stream\":true}", &submit);
    MUST_TRUE(id != 0, heard);
    its[0] = 0;
    for (int i = 0; i < 50; i++) {
        box_engine_writes(id, "xy", 1);
        box_listen(c, its, sizeof its);
    }
    box_engine_ends(id, FINISH_EOS, submit.submit.n_tokens, 100);
    box_listen(c, its, sizeof its);
    CHECK_EQ(count(its, "{\"content\":\"x\"}"), 50);
    CHECK_EQ(count(its, "{\"content\":\"y\"}"), 50);
    CHECK_TRUE(box_has(its, "data: [DONE]"));
    conn_close(c);
}

#define GREEDY                                                                                     \
    "{\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}],\"logprobs\":true,\"top_logprobs\":"   \
    "20,"

TEST(gen_greedy_plain_logprobs_leave_the_others_their_tokens)
{
    static char whole[1 << 23];
    box_open();
    struct engine_msg submit;
    struct conn *greedy = box_conn(2);
    uint32_t id = begin(greedy, GREEDY "\"max_tokens\":1000000}", &submit);
    MUST_TRUE(id != 0, heard);
    uint32_t n = submit.submit.params.max_tokens; /* cut down to the memory there is */
    CHECK_TRUE(n >= 1000 && n < 4096 - submit.submit.n_tokens);
    const char *a =
        box_ask(box_chat(GREEDY "\"max_tokens\":1000}")); /* which is all promised now */
    CHECK_TRUE(box_status(a) == 503 && box_has(a, "Retry-After: "));
    write_logprobs(id, n, 20);
    check_second_client_is_served(1);
    box_engine_ends(id, FINISH_LENGTH, submit.submit.n_tokens, n);
    CHECK_TRUE(greedy->call.out.n_bytes < API_OUT_HIGH_BYTES);
    check_second_client_is_served(1); /* also while the first is being sent */
    whole[0] = 0;
    box_listen(greedy, whole, sizeof whole);
    const char *length = strstr(whole, "Content-Length: ");
    MUST_TRUE(length != NULL, whole);
    CHECK_EQ(strlen(box_body(whole)), strtoul(length + 16, NULL, 10));
    CHECK_EQ(count(whole, "{\"token\":"), 21 * n);
    CHECK_EQ(count(whole, "\"top_logprobs\":["), n);
    CHECK_TRUE(box_has(whole, "}]}],\"refusal\":null},\"finish_reason\":\"length\"}]"));
    CHECK_EQ(greedy->state, CONN_IDLE);
    conn_close(greedy);
    CHECK_EQ(box.m->chains.n_idle, box.m->chains.n_blocks);
    CHECK_EQ(box.m->gens.n_promised_bytes, 0);
}

TEST(gen_streams_nobody_reads_are_paused_and_leave_the_others_their_tokens)
{
    static char whole[1 << 23], body[1 << 23];
    enum { N = 3 };
    box_open();
    struct engine_msg submit, m;
    uint32_t ids[N], n_tokens[N] = {0};
    for (uint32_t i = 0; i < N; i++) {
        ids[i] = begin(box_conn(i), GREEDY "\"stream\":true}", &submit);
        MUST_TRUE(ids[i] != 0, heard);
    }
    for (uint32_t i = 0; i < N; i++) { /* each until it is paused, and a little more on its way */
        bool is_paused = false;
        for (; !is_paused && n_tokens[i] < 4000; n_tokens[i]++) {
            write_logprobs(ids[i], 1, 20);
            while (box_engine_hears(&m))
                is_paused |= m.type == MSG_PAUSE && m.req_id == ids[i];
        }
        CHECK_TRUE(is_paused);
        write_logprobs(ids[i], 2, 20);
        n_tokens[i] += 2;
    }
    check_second_client_is_served(N);
    for (uint32_t i = 0; i < N; i++) { /* who reads goes on, and has lost nothing */
        struct conn *c = &box.m->loop.conns[i];
        bool has_resumed = false;
        whole[0] = 0;
        box_listen(c, whole, sizeof whole);
        while (box_engine_hears(&m))
            has_resumed |= m.type == MSG_RESUME && m.req_id == ids[i];
        CHECK_TRUE(has_resumed);
        box_engine_ends(ids[i], FINISH_LENGTH, 10, n_tokens[i]);
        box_listen(c, whole, sizeof whole);
        dechunk(whole, body);
        CHECK_EQ(count(body, "{\"token\":"), 21 * n_tokens[i]);
        CHECK_TRUE(box_has(body, "data: [DONE]"));
        conn_close(c);
    }
    CHECK_EQ(box.m->chains.n_idle, box.m->chains.n_blocks);
}

TEST(gen_answer_being_sent_ends_with_its_engine_or_its_client)
{
    struct engine_msg submit;
    for (int engine_dies = 0; engine_dies < 2; engine_dies++) {
        box_open();
        struct conn *c = box_conn(0);
        uint32_t id = begin(c, GREEDY "\"max_tokens\":1000}", &submit);
        MUST_TRUE(id != 0, heard);
        write_logprobs(id, 1000, 20);
        box_engine_ends(id, FINISH_LENGTH, submit.submit.n_tokens, 1000);
        CHECK_EQ(c->state, CONN_BUSY);
        CHECK_EQ(gen_n_running(&box.m->api), 1);
        if (engine_dies) { /* its token texts are gone with it */
            api_engine_down(&box.m->api);
            conn_run(c);
            CHECK_TRUE(c->call.is_broken);
        } else {
            conn_wire_in_eof(c);
            conn_run(c);
        }
        conn_close(c);
        CHECK_EQ(gen_n_running(&box.m->api), 0);
        CHECK_EQ(box.m->chains.n_idle, box.m->chains.n_blocks);
        CHECK_EQ(box.m->gens.n_promised_bytes, 0);
    }
}
