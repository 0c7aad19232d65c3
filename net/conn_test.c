#include "net/conn.h"

#include "net/edge_memory.h"
#include "net/json_memory.h"
#include "tests/t.h"

#include <stdio.h>
#include <stdlib.h>

/* A box with one key and no sockets; connections are driven by hand, without TLS unless a test says
 * so. */
static struct edge_memory *m;
static char key_text[KEY_TEXT_BYTES + 1];

static void wake(struct api_call *call)
{
    (void)call;
}

static void open_box(uint32_t n_bodies)
{
    static struct edge_config cfg;
    static struct key_table keys;
    struct err e = {0};
    cfg = (struct edge_config){
        .version = EDGE_CTL_VERSION,
        .max_conns = 8,
        .max_conns_per_ip = 8,
        .n_bodies = n_bodies,
        .body_bytes = 32 << 20,
        .max_requests = 8,
        .default_max_tokens = 4096,
        .handshake_timeout_ms = 10000,
        .head_timeout_ms = 10000,
        .body_timeout_ms = 30000,
        .idle_timeout_ms = 75000,
        .write_timeout_ms = 30000,
        .stream_limit_ms = 600000,
        .plain_limit_ms = 280000,
        .port = 8443,
        .n_names = 3,
        .names = {"ai-4f2a.local", "192.168.1.20", "fd12::7"},
    };
    MUST_TRUE(secret_init(&e), e.msg);
    m = edge_memory_take(&cfg, &e);
    MUST_TRUE(m != NULL, e.msg);
    json_memory_use(&m->json_heap, 1);
    keys = (struct key_table){.version = KEY_TABLE_VERSION, .n_keys = 1};
    struct key_order order = {.name = "test", .scopes = KEY_CHAT};
    MUST_TRUE(key_create(&order, keys.pepper, 1, &keys.keys[0], key_text, &e), e.msg);
    MUST_TRUE(auth_open(&m->auth, &e) && auth_load(&m->auth, &keys, &e), e.msg);
    limit_init(&m->limit);
    limit_load(&m->limit, m->auth.table, 0);
    metrics_init(&m->metrics, 1);
    uint8_t first[SECRET_HASH_BYTES] = {0};
    audit_open(&m->audit, -1, first);
    m->api.wake = wake;
    m->api.mono_ms = 1000;
    m->api.wall_s = 1789000000;
    m->api.engine_state = API_ENGINE_IS_READY;
}

static struct conn *open_conn(uint32_t i)
{
    struct err e = {0};
    struct addr addr;
    MUST_TRUE(addr_parse(STR("192.168.1.7"), &addr), NULL);
    struct conn *c = &m->loop.conns[i];
    MUST_TRUE(conn_open(c, &m->env, EDGE_LISTEN_PLAIN, &addr, &e), e.msg);
    c->is_tls = false;
    c->call.is_tls = true; /* as if it had been decrypted already */
    return c;
}

/* Gives it the bytes in pieces of `step` and collects what it says. */
static void feed(struct conn *c, struct str bytes, size_t step, char *out, size_t room_bytes)
{
    size_t n_out = strlen(out);
    while (bytes.n_bytes) {
        struct tls_room room = conn_wire_in(c);
        size_t n = bytes.n_bytes < step ? bytes.n_bytes : step;
        n = n < room.n_bytes ? n : room.n_bytes;
        if (n == 0)
            break;
        memcpy(room.p, bytes.p, n);
        conn_wire_in_done(c, n);
        conn_run(c);
        bytes = (struct str){bytes.p + n, bytes.n_bytes - n};
        for (struct str s; (s = conn_wire_out(c)).n_bytes; conn_run(c)) {
            MUST_TRUE(n_out + s.n_bytes < room_bytes, "output does not fit the test's buffer");
            memcpy(out + n_out, s.p, s.n_bytes);
            n_out += s.n_bytes;
            conn_wire_out_done(c, s.n_bytes);
        }
    }
    out[n_out] = 0;
}

static char out[65536];

/* One request on a connection of its own; the whole answer. */
static const char *ask(const char *request)
{
    out[0] = 0;
    struct conn *c = open_conn(0);
    feed(c, str_of(request), SIZE_MAX, out, sizeof out);
    conn_close(c);
    return out;
}

static int status_of(const char *answer)
{
    return strncmp(answer, "HTTP/1.1 ", 9) == 0 ? atoi(answer + 9) : 0;
}

static const char *body_of(const char *answer)
{
    const char *end = strstr(answer, "\r\n\r\n");
    return end ? end + 4 : "";
}

static bool has(const char *answer, const char *text)
{
    return strstr(answer, text) != NULL;
}

#define HOST "Host: ai-4f2a.local\r\n"

/* The request with the box's key in the place of KEY. */
static const char *with_key(const char *request)
{
    static char full[16384];
    const char *at = strstr(request, "KEY");
    if (!at)
        return request;
    snprintf(full, sizeof full, "%.*s%s%s", (int)(at - request), request, key_text, at + 3);
    return full;
}

TEST(conn_answers_the_worked_examples_exactly)
{
    open_box(1);
    const char *a =
        ask("GET /v1/models HTTP/1.1\r\n" HOST "Authorization: Bearer sk-wrong\r\n\r\n");
    CHECK_EQ(status_of(a), 401);
    CHECK_TRUE(has(a, "HTTP/1.1 401 Unauthorized\r\n") &&
               has(a, "\r\nWWW-Authenticate: Bearer\r\n") && has(a, "\r\nContent-Length: 117\r\n"));
    CHECK_STR(
        body_of(a),
        "{\"error\":{\"message\":\"The API key is not "
        "valid.\",\"type\":\"authentication_error\",\"param\":null,\"code\":\"invalid_api_key\"}}");
    a = ask("POST /v1/chat/completions HTTP/1.1\r\n" HOST
            "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n");
    CHECK_TRUE(has(a, "HTTP/1.1 400 Bad Request\r\n") && has(a, "\r\nConnection: close\r\n") &&
               has(a, "\r\nContent-Length: 153\r\n"));
    CHECK_STR(body_of(a),
              "{\"error\":{\"message\":\"Content-Length and Transfer-Encoding must not be "
              "combined.\",\"type\":\"invalid_request_error\",\"param\":null,\"code\":\"malformed_"
              "request\"}}");
    a = ask(
        with_key("POST /v1/chat/completions HTTP/1.1\r\n" HOST
                 "Authorization: Bearer KEY\r\nContent-Type: application/json\r\nContent-Length: "
                 "52428800\r\nExpect: 100-continue\r\n\r\n"));
    CHECK_TRUE(has(a, "HTTP/1.1 413 Content Too Large\r\n") &&
               has(a, "\r\nConnection: close\r\n") && has(a, "\r\nContent-Length: 128\r\n"));
    CHECK_STR(body_of(a), "{\"error\":{\"message\":\"The body limit is 33554432 "
                          "bytes.\",\"type\":\"invalid_request_error\",\"param\":null,\"code\":"
                          "\"request_too_large\"}}");
}

TEST(conn_every_answer_carries_the_common_fields)
{
    open_box(1);
    const char *a = ask("GET /health HTTP/1.1\r\n" HOST "\r\n");
    CHECK_EQ(status_of(a), 200);
    CHECK_TRUE(has(a, "\r\nx-request-id: req_") &&
               has(a, "\r\nDate: Thu, 10 Sep 2026 00:26:40 GMT\r\n") &&
               has(a, "\r\nCache-Control: no-store\r\n") &&
               has(a, "\r\nX-Content-Type-Options: nosniff\r\n") &&
               has(a, "\r\nContent-Type: application/json\r\n"));
    CHECK_TRUE(!has(a, "Server:") && !has(a, "Connection: close"));
    CHECK_STR(body_of(a), "{\"status\":\"ok\"}");
    m->api.engine_state = API_ENGINE_IS_LOADING;
    m->api.loading_frac = 0.42f;
    a = ask("GET /health HTTP/1.1\r\n" HOST "\r\n");
    CHECK_EQ(status_of(a), 503);
    CHECK_STR(body_of(a),
              "{\"error\":{\"message\":\"The model is "
              "loading.\",\"type\":\"server_error\",\"param\":null,\"code\":\"model_loading\"},"
              "\"status\":\"loading\",\"progress\":0.42,\"phase\":\"weights\"}");
}

static const struct {
    int status;
    const char *code, *request;
} refusals[] = {
    {404, "unknown_url", "GET /nothing HTTP/1.1\r\n" HOST "\r\n"},
    {404, "unknown_url", "GET /v1/%2e%2e/health HTTP/1.1\r\n" HOST "\r\n"},
    {404, "unknown_url", "GET /v1%2Fmodels HTTP/1.1\r\n" HOST "\r\n"},
    {404, "unknown_url", "POST /v1/embeddings HTTP/1.1\r\n" HOST "Content-Length: 2\r\n\r\n{}"},
    {405, "method_not_allowed", "GET /v1/chat/completions HTTP/1.1\r\n" HOST "\r\n"},
    {405, "method_not_allowed", "TRACE /health HTTP/1.1\r\n" HOST "\r\n"},
    {405, "", "HEAD /v1/chat/completions HTTP/1.1\r\n" HOST "\r\n"},
    {421, "unknown_host", "GET /health HTTP/1.1\r\nHost: evil.example\r\n\r\n"},
    {421, "unknown_host", "GET /health HTTP/1.1\r\nHost: 10.0.0.1:8443\r\n\r\n"},
    {401, "missing_api_key", "GET /v1/models HTTP/1.1\r\n" HOST "\r\n"},
    {401, "invalid_api_key", "GET /v1/models HTTP/1.1\r\n" HOST "Authorization: Basic KEY\r\n\r\n"},
    {403, "insufficient_scope",
     "GET /metrics HTTP/1.1\r\n" HOST "Authorization: Bearer KEY\r\n\r\n"},
    {411, "length_required",
     "POST /v1/chat/completions HTTP/1.1\r\n" HOST
     "x-api-key: KEY\r\nContent-Type: application/json\r\n\r\n"},
    {415, "unsupported_media_type",
     "POST /v1/chat/completions HTTP/1.1\r\n" HOST "x-api-key: KEY\r\nContent-Length: 2\r\n\r\n{}"},
    {415, "unsupported_media_type",
     "POST /v1/chat/completions HTTP/1.1\r\n" HOST
     "x-api-key: KEY\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: "
     "2\r\n\r\n{}"},
    {415, "unsupported_media_type",
     "POST /v1/chat/completions HTTP/1.1\r\n" HOST
     "x-api-key: KEY\r\nContent-Type: application/json; charset=latin1\r\nContent-Length: "
     "2\r\n\r\n{}"},
    {415, "unsupported_media_type",
     "POST /v1/chat/completions HTTP/1.1\r\n" HOST
     "x-api-key: KEY\r\nContent-Type: application/json\r\nContent-Encoding: "
     "gzip\r\nContent-Length: "
     "2\r\n\r\n{}"},
    {417, "expectation_failed", "GET /health HTTP/1.1\r\n" HOST "Expect: 200-ok\r\n\r\n"},
    {501, "not_implemented",
     "POST /v1/chat/completions HTTP/1.1\r\n" HOST "Transfer-Encoding: gzip\r\n\r\n"},
    {505, "http_version", "GET /health HTTP/2.0\r\n\r\n"},
    {400, "malformed_request", "GET /health HTTP/1.1\r\n\r\n"},
    {400, "malformed_request",
     "POST /v1/chat/completions HTTP/1.1\r\n" HOST
     "x-api-key: KEY\r\nContent-Type: application/json\r\nTransfer-Encoding: "
     "chunked\r\n\r\nzz\r\n"},
    {400, "invalid_json",
     "POST /v1/chat/completions HTTP/1.1\r\n" HOST
     "x-api-key: KEY\r\nContent-Type: application/json; charset=\"UTF-8\"\r\nContent-Length: "
     "1\r\n\r\n{"},
    {400, "invalid_json",
     "POST /chat/completions/ HTTP/1.1\r\nHost: 192.168.1.20:8443\r\nx-api-key: "
     "KEY\r\nContent-Type: application/json\r\nTransfer-Encoding: "
     "chunked\r\n\r\n1\r\n{\r\n0\r\n\r\n"},
    {400, "invalid_json",
     "POST /v1/chat/completions?x=y HTTP/1.1\r\nHost: [fd12::7]\r\nauthorization: bearer "
     "KEY\r\nContent-Type: application/json\r\nContent-Length: 0\r\n\r\n"},
};

TEST(conn_refuses_each_case_with_its_status_and_code)
{
    open_box(1);
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
        const char *a = ask(with_key(refusals[i].request));
        char code[64];
        snprintf(code, sizeof code, "\"code\":\"%s\"", refusals[i].code);
        bool ok = status_of(a) == refusals[i].status &&
                  (refusals[i].code[0] ? has(a, code) : body_of(a)[0] == 0);
        if (!CHECK_TRUE(ok))
            fprintf(stderr, "   case %zu: %s\n   got: %s\n", i, refusals[i].request, a);
    }
    CHECK_TRUE(has(ask("GET /v1/chat/completions HTTP/1.1\r\n" HOST "\r\n"),
                   "\r\nAllow: POST, OPTIONS\r\n"));
}

TEST(conn_options_and_head_work_where_get_does)
{
    open_box(1);
    const char *a = ask("OPTIONS * HTTP/1.1\r\n" HOST "\r\n");
    CHECK_EQ(status_of(a), 204);
    a = ask("OPTIONS /health HTTP/1.1\r\n" HOST "\r\n");
    CHECK_TRUE(status_of(a) == 204 && has(a, "\r\nAllow: GET, HEAD, OPTIONS\r\n") &&
               !has(a, "Access-Control"));
    a = ask("HEAD /health HTTP/1.1\r\n" HOST "\r\n");
    CHECK_TRUE(status_of(a) == 200 && has(a, "\r\nContent-Length: 15\r\n"));
    CHECK_STR(body_of(a), "");
}

TEST(conn_pipelined_requests_are_answered_in_order_whatever_the_pieces)
{
    static const char both[] =
        "GET /health HTTP/1.1\r\n" HOST "\r\n\r\nGET /nothing HTTP/1.1\r\n" HOST "\r\n"
        "HEAD /health/live HTTP/1.1\r\n" HOST "\r\nGET /v1/models HTTP/1.1\r\n" HOST
        "Connection: close\r\n\r\n";
    static const int want[] = {200, 404, 200, 401};
    open_box(1);
    for (size_t step = 1; step < sizeof both; step += step < 8 ? 1 : 13) {
        out[0] = 0;
        struct conn *c = open_conn(0);
        feed(c, str_of(both), step, out, sizeof out);
        const char *at = out;
        size_t n_right = 0;
        for (size_t i = 0; i < 4 && (at = strstr(at, "HTTP/1.1 ")); i++, at += 9)
            n_right += status_of(at) == want[i];
        if (!CHECK_EQ(n_right, 4))
            fprintf(stderr, "   step %zu: %s\n", step, out);
        CHECK_EQ(c->state, CONN_LINGER);
        conn_close(c);
    }
}

TEST(conn_says_continue_once_the_head_is_admitted_and_not_before)
{
    open_box(1);
    out[0] = 0;
    struct conn *c = open_conn(0);
    feed(c,
         str_of(with_key("POST /v1/chat/completions HTTP/1.1\r\n" HOST
                         "x-api-key: KEY\r\nContent-Type: application/json\r\nContent-Length: "
                         "1\r\nExpect: 100-continue\r\n\r\n")),
         10, out, sizeof out);
    CHECK_STR(out, "HTTP/1.1 100 Continue\r\n\r\n");
    feed(c, STR("{"), 1, out, sizeof out);
    CHECK_TRUE(has(out, "HTTP/1.1 400 Bad Request\r\n") && has(out, "invalid_json") &&
               !has(out, "Connection: close"));
    CHECK_EQ(c->state, CONN_IDLE);
    conn_close(c);
    const char *a =
        ask("POST /v1/chat/completions HTTP/1.1\r\n" HOST
            "Content-Type: application/json\r\nContent-Length: 1\r\nExpect: 100-continue\r\n\r\n");
    CHECK_TRUE(status_of(a) == 401 && has(a, "Connection: close"));
}

TEST(conn_http_1_0_closes_and_needs_no_host)
{
    open_box(1);
    out[0] = 0;
    struct conn *c = open_conn(0);
    feed(c, STR("GET /health HTTP/1.0\r\n\r\n"), 100, out, sizeof out);
    CHECK_EQ(status_of(out), 200);
    CHECK_TRUE(has(out, "Connection: close"));
    CHECK_EQ(c->state, CONN_LINGER);
    CHECK_TRUE(c->wants_fin);
    conn_wire_in_eof(c);
    conn_run(c);
    CHECK_TRUE(conn_is_dead(c));
    conn_close(c);
}

TEST(conn_plain_port_serves_only_the_ca_and_notes_exposed_keys)
{
    open_box(1);
    snprintf(m->api.ca.pem, sizeof m->api.ca.pem, "PEM");
    struct conn *c = open_conn(0);
    c->call.is_tls = false;
    out[0] = 0;
    feed(c, STR("GET /ca.crt HTTP/1.1\r\n" HOST "\r\n"), 100, out, sizeof out);
    CHECK_TRUE(status_of(out) == 200 && has(out, "application/x-x509-ca-cert"));
    CHECK_STR(body_of(out), "PEM");
    out[0] = 0;
    feed(c, STR("GET /v1/models HTTP/1.1\r\n" HOST "Authorization: Bearer x\r\n\r\n"), 100, out,
         sizeof out);
    CHECK_TRUE(status_of(out) == 403 && has(out, "tls_required") && !has(out, "Location"));
    conn_close(c);
}

TEST(conn_deadlines_end_every_state)
{
    open_box(1);
    struct conn *c = open_conn(0);
    m->api.mono_ms += 74999;
    conn_tick(c);
    CHECK_EQ(c->state, CONN_IDLE);
    m->api.mono_ms += 1;
    conn_tick(c);
    CHECK_TRUE(conn_is_dead(c)); /* idle: closed without a word */
    conn_close(c);

    c = open_conn(0);
    out[0] = 0;
    feed(c, STR("GET /he"), 1, out, sizeof out);
    m->api.mono_ms += 10000;
    conn_tick(c);
    feed(c, STR("alth"), 1, out, sizeof out);
    CHECK_TRUE(status_of(out) == 408 && has(out, "request_timeout"));
    m->api.mono_ms += CONN_LINGER_MS;
    conn_tick(c);
    CHECK_TRUE(conn_is_dead(c));
    conn_close(c);

    c = open_conn(0); /* a slow body: steady, but below 8 KiB a second */
    out[0] = 0;
    feed(c,
         str_of(with_key(
             "POST /v1/chat/completions HTTP/1.1\r\n" HOST
             "x-api-key: KEY\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n")),
         1000, out, sizeof out);
    for (int i = 0; i < 9; i++) {
        m->api.mono_ms += 1000;
        feed(c, STR("0123456789"), 10, out, sizeof out);
        conn_tick(c);
    }
    CHECK_EQ(c->state, CONN_BODY);
    m->api.mono_ms += 1000;
    conn_tick(c);
    CHECK_TRUE(c->state != CONN_BODY);
    CHECK_EQ(m->env.bodies.n_idle, 1);
    conn_close(c);
}

TEST(conn_output_nobody_reads_ends_the_connection)
{
    open_box(1);
    struct conn *c = open_conn(0);
    struct tls_room room = conn_wire_in(c);
    static const char request[] = "GET /health HTTP/1.1\r\n" HOST "\r\n";
    m->api.mono_ms += 60000; /* being quiet before does not count */
    conn_tick(c);
    memcpy(room.p, request, sizeof request - 1);
    conn_wire_in_done(c, sizeof request - 1);
    conn_run(c);
    CHECK_EQ(c->state, CONN_SEND);
    m->api.mono_ms += 29999;
    conn_tick(c);
    CHECK_EQ(c->state, CONN_SEND);
    m->api.mono_ms += 1;
    conn_tick(c);
    CHECK_TRUE(conn_is_dead(c));
    conn_close(c);
    CHECK_EQ(m->chains.n_idle, m->chains.n_blocks);
}

TEST(conn_large_bodies_share_a_pool_and_small_ones_need_none)
{
    open_box(1);
    static const char big[] =
        "POST /v1/chat/completions HTTP/1.1\r\n" HOST
        "x-api-key: KEY\r\nContent-Type: application/json\r\nContent-Length: 40000\r\n\r\n{";
    static const char chunked[] =
        "POST /v1/chat/completions HTTP/1.1\r\n" HOST
        "x-api-key: KEY\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n";
    struct conn *holder = open_conn(1), *c;
    out[0] = 0;
    feed(holder, str_of(with_key(big)), 1000, out, sizeof out);
    CHECK_EQ(m->env.bodies.n_idle, 0);
    const char *a = ask(with_key(big));
    CHECK_TRUE(status_of(a) == 503 && has(a, "server_overloaded") && has(a, "Retry-After: "));
    a = ask(
        with_key("POST /v1/chat/completions HTTP/1.1\r\n" HOST
                 "x-api-key: KEY\r\nContent-Type: application/json\r\nContent-Length: 1\r\n\r\n{"));
    CHECK_TRUE(status_of(a) == 400 && has(a, "invalid_json"));
    conn_wire_in_eof(holder);
    conn_run(holder);
    CHECK_TRUE(conn_is_dead(holder));
    conn_close(holder);
    CHECK_EQ(m->env.bodies.n_idle, 1);

    c = open_conn(0); /* of unknown size: moves to a large one when it outgrows the small */
    out[0] = 0;
    feed(c, str_of(with_key(chunked)), 1000, out, sizeof out);
    for (int i = 0; i < 40; i++) {
        char piece[1100];
        int n = snprintf(piece, sizeof piece, "400\r\n%01024d\r\n", 7);
        feed(c, (struct str){piece, (size_t)n}, 77, out, sizeof out);
    }
    CHECK_EQ(m->env.bodies.n_idle, 0);
    CHECK_EQ(c->body_bytes, 40 * 1024);
    feed(c, STR("0\r\n\r\n"), 1, out, sizeof out);
    CHECK_TRUE(status_of(out) == 400 && has(out, "invalid_json"));
    CHECK_EQ(m->env.bodies.n_idle, 1);
    conn_close(c);
}

TEST(conn_ends_after_a_thousand_requests)
{
    open_box(1);
    struct conn *c = open_conn(0);
    for (int i = 1; i <= CONN_MAX_REQUESTS; i++) {
        out[0] = 0;
        feed(c, STR("GET /health/live HTTP/1.1\r\n" HOST "\r\n"), 1000, out, sizeof out);
        MUST_TRUE(has(out, "Connection: close") == (i == CONN_MAX_REQUESTS), out);
    }
    CHECK_EQ(c->state, CONN_LINGER);
    conn_close(c);
}

TEST(conn_wrong_keys_block_their_address)
{
    open_box(1);
    for (int i = 0; i < AUTH_MAX_FAILURES; i++)
        CHECK_EQ(status_of(ask("GET /v1/models HTTP/1.1\r\n" HOST
                               "Authorization: Bearer sk-wrong\r\n\r\n")),
                 401);
    const char *a =
        ask(with_key("GET /v1/models HTTP/1.1\r\n" HOST "Authorization: Bearer KEY\r\n\r\n"));
    CHECK_TRUE(status_of(a) == 429 && has(a, "Retry-After: 60\r\n"));
    m->api.mono_ms += AUTH_WINDOW_MS;
    CHECK_EQ(status_of(ask(
                 with_key("GET /v1/models HTTP/1.1\r\n" HOST "Authorization: Bearer KEY\r\n\r\n"))),
             200);
}

TEST(conn_models_list_has_the_documented_members)
{
    open_box(1);
    m->api.info = (struct engine_info){.model_id = "gemma-4-31b-it",
                                       .quant = "Q8_0",
                                       .n_params = 30700000000,
                                       .file_bytes = 32600000000,
                                       .n_ctx = 262144,
                                       .default_temperature = 1.0f,
                                       .default_top_p = 0.95f,
                                       .default_top_k = 64};
    const char *a =
        ask(with_key("GET /v1/models HTTP/1.1\r\n" HOST "Authorization: Bearer KEY\r\n\r\n"));
    CHECK_STR(body_of(a),
              "{\"object\":\"list\",\"data\":[{\"id\":\"gemma-4-31b-it\",\"object\":\"model\","
              "\"created\":1,\"owned_by\":\"hearth\",\"context_length\":262144,\"max_model_len\":"
              "262144,\"max_completion_tokens\":262144,\"capabilities\":[\"chat\",\"reasoning\"],"
              "\"default_sampling\":{\"temperature\":1.0,\"top_p\":0.95,\"top_k\":64,\"min_p\":0},"
              "\"meta\":{\"quant\":\"Q8_0\",\"n_params\":30700000000,\"size\":32600000000}}]}");
    CHECK_EQ(status_of(ask(with_key("GET /v1/models/gemma-4-31b-it HTTP/1.1\r\n" HOST
                                    "Authorization: Bearer KEY\r\n\r\n"))),
             200);
    a = ask(with_key("GET /v1/models/other HTTP/1.1\r\n" HOST "Authorization: Bearer KEY\r\n\r\n"));
    CHECK_TRUE(status_of(a) == 404 && has(a, "model_not_found") && has(a, "gemma-4-31b-it"));
}

TEST(conn_metrics_count_what_happened)
{
    open_box(1);
    m->auth.table->keys[0].scopes = KEY_METRICS;
    ask("GET /nothing HTTP/1.1\r\n" HOST "\r\n");
    ask("GET /health HTTP/1.1\r\n" HOST "\r\n");
    const char *a =
        ask(with_key("GET /metrics HTTP/1.1\r\n" HOST "Authorization: Bearer KEY\r\n\r\n"));
    CHECK_TRUE(has(a, "Content-Type: text/plain; version=0.0.4; charset=utf-8\r\n"));
    CHECK_TRUE(has(a, "\nhearth_requests_total{path=\"/health\",code=\"200\"} 1\n"));
    CHECK_TRUE(has(a, "\nhearth_requests_total{path=\"-\",code=\"404\"} 1\n"));
    CHECK_TRUE(has(a, "\nhearth_rejected_total{code=\"unknown_url\"} 1\n"));
    CHECK_TRUE(has(a, "\nhearth_time_to_first_token_seconds_bucket{le=\"+Inf\"} 0\n"));
}
