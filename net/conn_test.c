#include "tests/net_box_http.h"

static char out[65536];

TEST(conn_answers_the_worked_examples_exactly)
{
    box_open();
    const char *a =
        box_ask("GET /v1/models HTTP/1.1\r\n" HOST "Authorization: Bearer sk-wrong\r\n\r\n");
    CHECK_EQ(box_status(a), 401);
    CHECK_TRUE(box_has(a, "HTTP/1.1 401 Unauthorized\r\n") &&
               box_has(a, "\r\nWWW-Authenticate: Bearer\r\n") &&
               box_has(a, "\r\nContent-Length: 117\r\n"));
    CHECK_STR(
        box_body(a),
        "{\"error\":{\"message\":\"The API key is not "
        "valid.\",\"type\":\"authentication_error\",\"param\":null,\"code\":\"invalid_api_key\"}}");
    a = box_ask("POST /v1/chat/completions HTTP/1.1\r\n" HOST
                "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n");
    CHECK_TRUE(box_has(a, "HTTP/1.1 400 Bad Request\r\n") &&
               box_has(a, "\r\nConnection: close\r\n") &&
               box_has(a, "\r\nContent-Length: 153\r\n"));
    CHECK_STR(box_body(a),
              "{\"error\":{\"message\":\"Content-Length and Transfer-Encoding must not be "
              "combined.\",\"type\":\"invalid_request_error\",\"param\":null,\"code\":\"malformed_"
              "request\"}}");
    a = box_ask(box_with_key(
        "POST /v1/chat/completions HTTP/1.1\r\n" HOST
        "Authorization: Bearer KEY\r\nContent-Type: application/json\r\nContent-Length: "
        "52428800\r\nExpect: 100-continue\r\n\r\n"));
    CHECK_TRUE(box_has(a, "HTTP/1.1 413 Content Too Large\r\n") &&
               box_has(a, "\r\nConnection: close\r\n") &&
               box_has(a, "\r\nContent-Length: 128\r\n"));
    CHECK_STR(box_body(a), "{\"error\":{\"message\":\"The body limit is 33554432 "
                           "bytes.\",\"type\":\"invalid_request_error\",\"param\":null,\"code\":"
                           "\"request_too_large\"}}");
}

TEST(conn_every_answer_carries_the_common_fields)
{
    box_open();
    const char *a = box_ask("GET /health HTTP/1.1\r\n" HOST "\r\n");
    CHECK_EQ(box_status(a), 200);
    CHECK_TRUE(box_has(a, "\r\nx-request-id: req_") &&
               box_has(a, "\r\nDate: Thu, 10 Sep 2026 00:26:40 GMT\r\n") &&
               box_has(a, "\r\nCache-Control: no-store\r\n") &&
               box_has(a, "\r\nX-Content-Type-Options: nosniff\r\n") &&
               box_has(a, "\r\nContent-Type: application/json\r\n"));
    CHECK_TRUE(!box_has(a, "Server:") && !box_has(a, "Connection: close"));
    CHECK_STR(box_body(a), "{\"status\":\"ok\"}");
    box.m->api.engine_state = API_ENGINE_IS_LOADING;
    box.m->api.loading_frac = 0.42f;
    a = box_ask("GET /health HTTP/1.1\r\n" HOST "\r\n");
    CHECK_EQ(box_status(a), 503);
    CHECK_STR(box_body(a),
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
    box_open();
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
        const char *a = box_ask(box_with_key(refusals[i].request));
        char code[64];
        snprintf(code, sizeof code, "\"code\":\"%s\"", refusals[i].code);
        bool ok = box_status(a) == refusals[i].status &&
                  (refusals[i].code[0] ? box_has(a, code) : box_body(a)[0] == 0);
        if (!CHECK_TRUE(ok))
            fprintf(stderr, "   case %zu: %s\n   got: %s\n", i, refusals[i].request, a);
    }
    CHECK_TRUE(box_has(box_ask("GET /v1/chat/completions HTTP/1.1\r\n" HOST "\r\n"),
                       "\r\nAllow: POST, OPTIONS\r\n"));
}

TEST(conn_options_and_head_work_where_get_does)
{
    box_open();
    const char *a = box_ask("OPTIONS * HTTP/1.1\r\n" HOST "\r\n");
    CHECK_EQ(box_status(a), 204);
    a = box_ask("OPTIONS /health HTTP/1.1\r\n" HOST "\r\n");
    CHECK_TRUE(box_status(a) == 204 && box_has(a, "\r\nAllow: GET, HEAD, OPTIONS\r\n") &&
               !box_has(a, "Access-Control"));
    a = box_ask("HEAD /health HTTP/1.1\r\n" HOST "\r\n");
    CHECK_TRUE(box_status(a) == 200 && box_has(a, "\r\nContent-Length: 15\r\n"));
    CHECK_STR(box_body(a), "");
}

TEST(conn_pipelined_requests_are_answered_in_order_whatever_the_pieces)
{
    static const char both[] =
        "GET /health HTTP/1.1\r\n" HOST "\r\n\r\nGET /nothing HTTP/1.1\r\n" HOST "\r\n"
        "HEAD /health/live HTTP/1.1\r\n" HOST "\r\nGET /v1/models HTTP/1.1\r\n" HOST
        "Connection: close\r\n\r\n";
    static const int want[] = {200, 404, 200, 401};
    box_open();
    for (size_t step = 1; step < sizeof both; step += step < 8 ? 1 : 13) {
        out[0] = 0;
        struct conn *c = box_conn(0);
        box_feed(c, str_of(both), step, out, sizeof out);
        const char *at = out;
        size_t n_right = 0;
        for (size_t i = 0; i < 4 && (at = strstr(at, "HTTP/1.1 ")); i++, at += 9)
            n_right += box_status(at) == want[i];
        if (!CHECK_EQ(n_right, 4))
            fprintf(stderr, "   step %zu: %s\n", step, out);
        CHECK_EQ(c->state, CONN_LINGER);
        conn_close(c);
    }
}

TEST(conn_says_continue_once_the_head_is_admitted_and_not_before)
{
    box_open();
    out[0] = 0;
    struct conn *c = box_conn(0);
    box_feed(
        c,
        str_of(box_with_key("POST /v1/chat/completions HTTP/1.1\r\n" HOST
                            "x-api-key: KEY\r\nContent-Type: application/json\r\nContent-Length: "
                            "1\r\nExpect: 100-continue\r\n\r\n")),
        10, out, sizeof out);
    CHECK_STR(out, "HTTP/1.1 100 Continue\r\n\r\n");
    box_feed(c, STR("{"), 1, out, sizeof out);
    CHECK_TRUE(box_has(out, "HTTP/1.1 400 Bad Request\r\n") && box_has(out, "invalid_json") &&
               !box_has(out, "Connection: close"));
    CHECK_EQ(c->state, CONN_IDLE);
    conn_close(c);
    const char *a = box_ask(
        "POST /v1/chat/completions HTTP/1.1\r\n" HOST
        "Content-Type: application/json\r\nContent-Length: 1\r\nExpect: 100-continue\r\n\r\n");
    CHECK_TRUE(box_status(a) == 401 && box_has(a, "Connection: close"));
}

TEST(conn_http_1_0_closes_and_needs_no_host)
{
    box_open();
    out[0] = 0;
    struct conn *c = box_conn(0);
    box_feed(c, STR("GET /health HTTP/1.0\r\n\r\n"), 100, out, sizeof out);
    CHECK_EQ(box_status(out), 200);
    CHECK_TRUE(box_has(out, "Connection: close"));
    CHECK_EQ(c->state, CONN_LINGER);
    CHECK_TRUE(c->wants_fin);
    conn_wire_in_eof(c);
    conn_run(c);
    CHECK_TRUE(conn_is_dead(c));
    conn_close(c);
}

TEST(conn_plain_port_serves_only_the_ca_and_notes_exposed_keys)
{
    box_open();
    snprintf(box.m->api.ca.pem, sizeof box.m->api.ca.pem, "PEM");
    struct conn *c = box_conn(0);
    c->call.is_tls = false;
    out[0] = 0;
    box_feed(c, STR("GET /ca.crt HTTP/1.1\r\n" HOST "\r\n"), 100, out, sizeof out);
    CHECK_TRUE(box_status(out) == 200 && box_has(out, "application/x-x509-ca-cert"));
    CHECK_STR(box_body(out), "PEM");
    out[0] = 0;
    box_feed(c, STR("GET /v1/models HTTP/1.1\r\n" HOST "Authorization: Bearer x\r\n\r\n"), 100, out,
             sizeof out);
    CHECK_TRUE(box_status(out) == 403 && box_has(out, "tls_required") && !box_has(out, "Location"));
    conn_close(c);
}

TEST(conn_deadlines_end_every_state)
{
    box_open();
    struct conn *c = box_conn(0);
    box.m->api.mono_ms += 74999;
    conn_tick(c);
    CHECK_EQ(c->state, CONN_IDLE);
    box.m->api.mono_ms += 1;
    conn_tick(c);
    CHECK_TRUE(conn_is_dead(c)); /* idle: closed without a word */
    conn_close(c);

    c = box_conn(0);
    out[0] = 0;
    box_feed(c, STR("GET /he"), 1, out, sizeof out);
    box.m->api.mono_ms += 10000;
    conn_tick(c);
    box_feed(c, STR("alth"), 1, out, sizeof out);
    CHECK_TRUE(box_status(out) == 408 && box_has(out, "request_timeout"));
    box.m->api.mono_ms += CONN_LINGER_MS;
    conn_tick(c);
    CHECK_TRUE(conn_is_dead(c));
    conn_close(c);

    c = box_conn(0); /* a slow body: steady, but below 8 KiB a second */
    out[0] = 0;
    box_feed(
        c,
        str_of(box_with_key(
            "POST /v1/chat/completions HTTP/1.1\r\n" HOST
            "x-api-key: KEY\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n")),
        1000, out, sizeof out);
    for (int i = 0; i < 9; i++) {
        box.m->api.mono_ms += 1000;
        box_feed(c, STR("0123456789"), 10, out, sizeof out);
        conn_tick(c);
    }
    CHECK_EQ(c->state, CONN_BODY);
    box.m->api.mono_ms += 1000;
    conn_tick(c);
    CHECK_TRUE(c->state != CONN_BODY);
    CHECK_EQ(box.m->env.bodies.n_idle, 1);
    conn_close(c);
}

TEST(conn_output_nobody_reads_ends_the_connection)
{
    box_open();
    struct conn *c = box_conn(0);
    struct tls_room room = conn_wire_in(c);
    static const char request[] = "GET /health HTTP/1.1\r\n" HOST "\r\n";
    box.m->api.mono_ms += 60000; /* being quiet before does not count */
    conn_tick(c);
    memcpy(room.p, request, sizeof request - 1);
    conn_wire_in_done(c, sizeof request - 1);
    conn_run(c);
    CHECK_EQ(c->state, CONN_SEND);
    box.m->api.mono_ms += 29999;
    conn_tick(c);
    CHECK_EQ(c->state, CONN_SEND);
    box.m->api.mono_ms += 1;
    conn_tick(c);
    CHECK_TRUE(conn_is_dead(c));
    conn_close(c);
    CHECK_EQ(box.m->chains.n_idle, box.m->chains.n_blocks);
}

TEST(conn_large_bodies_share_a_pool_and_small_ones_need_none)
{
    box_open();
    static const char big[] =
        "POST /v1/chat/completions HTTP/1.1\r\n" HOST
        "x-api-key: KEY\r\nContent-Type: application/json\r\nContent-Length: 40000\r\n\r\n{";
    static const char chunked[] =
        "POST /v1/chat/completions HTTP/1.1\r\n" HOST
        "x-api-key: KEY\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n";
    struct conn *holder = box_conn(1), *c;
    out[0] = 0;
    box_feed(holder, str_of(box_with_key(big)), 1000, out, sizeof out);
    CHECK_EQ(box.m->env.bodies.n_idle, 0);
    const char *a = box_ask(box_with_key(big));
    CHECK_TRUE(box_status(a) == 503 && box_has(a, "server_overloaded") &&
               box_has(a, "Retry-After: "));
    a = box_ask(box_with_key(
        "POST /v1/chat/completions HTTP/1.1\r\n" HOST
        "x-api-key: KEY\r\nContent-Type: application/json\r\nContent-Length: 1\r\n\r\n{"));
    CHECK_TRUE(box_status(a) == 400 && box_has(a, "invalid_json"));
    conn_wire_in_eof(holder);
    conn_run(holder);
    CHECK_TRUE(conn_is_dead(holder));
    conn_close(holder);
    CHECK_EQ(box.m->env.bodies.n_idle, 1);

    c = box_conn(0); /* of unknown size: moves to a large one when it outgrows the small */
    out[0] = 0;
    box_feed(c, str_of(box_with_key(chunked)), 1000, out, sizeof out);
    for (int i = 0; i < 40; i++) {
        char piece[1100];
        int n = snprintf(piece, sizeof piece, "400\r\n%01024d\r\n", 7);
        box_feed(c, (struct str){piece, (size_t)n}, 77, out, sizeof out);
    }
    CHECK_EQ(box.m->env.bodies.n_idle, 0);
    CHECK_EQ(c->body_bytes, 40 * 1024);
    box_feed(c, STR("0\r\n\r\n"), 1, out, sizeof out);
    CHECK_TRUE(box_status(out) == 400 && box_has(out, "invalid_json"));
    CHECK_EQ(box.m->env.bodies.n_idle, 1);
    conn_close(c);
}

TEST(conn_ends_after_a_thousand_requests)
{
    box_open();
    struct conn *c = box_conn(0);
    for (int i = 1; i <= CONN_MAX_REQUESTS; i++) {
        out[0] = 0;
        box_feed(c, STR("GET /health/live HTTP/1.1\r\n" HOST "\r\n"), 1000, out, sizeof out);
        MUST_TRUE(box_has(out, "Connection: close") == (i == CONN_MAX_REQUESTS), out);
    }
    CHECK_EQ(c->state, CONN_LINGER);
    conn_close(c);
}

TEST(conn_wrong_keys_block_their_address)
{
    box_open();
    for (int i = 0; i < AUTH_MAX_FAILURES; i++)
        CHECK_EQ(box_status(box_ask("GET /v1/models HTTP/1.1\r\n" HOST
                                    "Authorization: Bearer sk-wrong\r\n\r\n")),
                 401);
    const char *a = box_ask(
        box_with_key("GET /v1/models HTTP/1.1\r\n" HOST "Authorization: Bearer KEY\r\n\r\n"));
    CHECK_TRUE(box_status(a) == 429 && box_has(a, "Retry-After: 60\r\n"));
    box.m->api.mono_ms += AUTH_WINDOW_MS;
    CHECK_EQ(box_status(box_ask(box_with_key("GET /v1/models HTTP/1.1\r\n" HOST
                                             "Authorization: Bearer KEY\r\n\r\n"))),
             200);
}

TEST(conn_models_list_has_the_documented_members)
{
    box_open();
    box.m->api.info = (struct engine_info){.model_id = "gemma-4-31b-it",
                                           .quant = "Q8_0",
                                           .n_params = 30700000000,
                                           .file_bytes = 32600000000,
                                           .n_ctx = 262144,
                                           .default_temperature = 1.0f,
                                           .default_top_p = 0.95f,
                                           .default_top_k = 64};
    const char *a = box_ask(
        box_with_key("GET /v1/models HTTP/1.1\r\n" HOST "Authorization: Bearer KEY\r\n\r\n"));
    CHECK_STR(box_body(a),
              "{\"object\":\"list\",\"data\":[{\"id\":\"gemma-4-31b-it\",\"object\":\"model\","
              "\"created\":1,\"owned_by\":\"hearth\",\"context_length\":262144,\"max_model_len\":"
              "262144,\"max_completion_tokens\":262144,\"capabilities\":[\"chat\",\"reasoning\"],"
              "\"default_sampling\":{\"temperature\":1.0,\"top_p\":0.95,\"top_k\":64,\"min_p\":0},"
              "\"meta\":{\"quant\":\"Q8_0\",\"n_params\":30700000000,\"size\":32600000000}}]}");
    CHECK_EQ(box_status(box_ask(box_with_key("GET /v1/models/gemma-4-31b-it HTTP/1.1\r\n" HOST
                                             "Authorization: Bearer KEY\r\n\r\n"))),
             200);
    a = box_ask(
        box_with_key("GET /v1/models/other HTTP/1.1\r\n" HOST "Authorization: Bearer KEY\r\n\r\n"));
    CHECK_TRUE(box_status(a) == 404 && box_has(a, "model_not_found") &&
               box_has(a, "gemma-4-31b-it"));
}

TEST(conn_metrics_count_what_happened)
{
    box_open();
    box.m->auth.table->keys[0].scopes = KEY_METRICS;
    box_ask("GET /nothing HTTP/1.1\r\n" HOST "\r\n");
    box_ask("GET /health HTTP/1.1\r\n" HOST "\r\n");
    const char *a =
        box_ask(box_with_key("GET /metrics HTTP/1.1\r\n" HOST "Authorization: Bearer KEY\r\n\r\n"));
    CHECK_TRUE(box_has(a, "Content-Type: text/plain; version=0.0.4; charset=utf-8\r\n"));
    CHECK_TRUE(box_has(a, "\nhearth_requests_total{path=\"/health\",code=\"200\"} 1\n"));
    CHECK_TRUE(box_has(a, "\nhearth_requests_total{path=\"-\",code=\"404\"} 1\n"));
    CHECK_TRUE(box_has(a, "\nhearth_rejected_total{code=\"unknown_url\"} 1\n"));
    CHECK_TRUE(box_has(a, "\nhearth_time_to_first_token_seconds_bucket{le=\"+Inf\"} 0\n"));
}

/* Does any of the key's secret stand anywhere in the connection's input? */
static bool has_secret(const struct conn *c, const char *key_text)
{
    return memmem(c->in, CONN_IN_BYTES, key_text + KEY_TEXT_BYTES - 8, 8) != NULL;
}

static const struct {
    const char *name, *request;
    enum { KEY_GOOD, KEY_REVOKED, KEY_EXPIRED, KEY_UNKNOWN } kind;
    int status; /* 0: still waiting for the body */
} wipes[] = {
    {"good", "GET /v1/models HTTP/1.1\r\n" HOST "Authorization: Bearer KEY\r\n\r\n", KEY_GOOD, 200},
    {"good, body to come",
     "POST /v1/chat/completions HTTP/1.1\r\n" HOST
     "Content-Type: application/json\r\nx-api-key: KEY\r\nContent-Length: 9\r\n\r\n{",
     KEY_GOOD, 0},
    {"good, chunks to come",
     "POST /v1/chat/completions HTTP/1.1\r\n" HOST "Authorization: Bearer KEY\r\n"
     "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n",
     KEY_GOOD, 0},
    {"revoked", "GET /v1/models HTTP/1.1\r\n" HOST "Authorization: Bearer KEY\r\n\r\n", KEY_REVOKED,
     401},
    {"expired", "GET /v1/models HTTP/1.1\r\n" HOST "authorization: bearer KEY\r\n\r\n", KEY_EXPIRED,
     401},
    {"unknown", "GET /v1/models HTTP/1.1\r\n" HOST "X-API-Key: KEY\r\n\r\n", KEY_UNKNOWN, 401},
    {"unknown, unread body",
     "POST /v1/chat/completions HTTP/1.1\r\n" HOST
     "x-api-key: KEY\r\nContent-Length: 3000\r\n\r\n{\"messages\":",
     KEY_UNKNOWN, 401},
    {"no such path", "GET /nothing HTTP/1.1\r\n" HOST "Authorization: Bearer KEY\r\n\r\n", KEY_GOOD,
     404},
    {"malformed head",
     "GET /v1/models HTTP/1.1\r\n" HOST "Authorization: Bearer KEY\r\n folded\r\n\r\n", KEY_GOOD,
     400},
};

TEST(conn_keeps_no_byte_of_a_key_once_it_is_judged)
{
    for (size_t i = 0; i < sizeof wipes / sizeof *wipes; i++) {
        box_open();
        struct key_record *r = &box.m->auth.table->keys[0];
        r->revoked_s = wipes[i].kind == KEY_REVOKED;
        r->expires_s = wipes[i].kind == KEY_EXPIRED;
        if (wipes[i].kind == KEY_UNKNOWN)
            r->hash[0] ^= 1;
        struct conn *c = box_conn(0);
        out[0] = 0;
        box_feed(c, str_of(box_with_key(wipes[i].request)), 4096, out, sizeof out);
        if (!CHECK_TRUE(box_status(out) == wipes[i].status && !has_secret(c, box.key_text)))
            fprintf(stderr, "   %s: %s\n", wipes[i].name, out);
        conn_close(c);
    }
    struct conn *c = box_conn(0); /* a head that is never finished */
    out[0] = 0;
    box_feed(c,
             str_of(box_with_key("GET /v1/models HTTP/1.1\r\n" HOST "Authorization: Bearer KEY")),
             4096, out, sizeof out);
    CHECK_TRUE(has_secret(c, box.key_text));
    conn_close(c);
    CHECK_TRUE(!has_secret(c, box.key_text));
}
