#include "net/cert.h"
#include "tests/net_box_engine.h"
#include "tests/net_box_http.h"
#include "tests/tls_client.h"

#include <time.h>

static struct tls_client client;

/* A net_box that serves TLS, and a client that trusts it. */
static void open_tls_box(void)
{
    static char names[1][CERT_NAME_BYTES] = {"localhost"};
    static char ca_pem[CERT_PEM_BYTES], ca_key[CERT_PEM_BYTES], leaf_pem[CERT_PEM_BYTES],
        leaf_key[CERT_PEM_BYTES];
    const struct cert_names served = {names, 1};
    struct err e = {0};
    box_open();
    struct tls *tls = box.m->env.tls;
    MUST_TRUE(tls_open(tls, &box.m->tls_heap, &e), e.msg);
    MUST_TRUE(cert_make_ca("Hearth test CA", served, time(NULL), ca_pem, ca_key, &e) &&
                  cert_make_leaf(ca_pem, ca_key, served, time(NULL), leaf_pem, leaf_key, &e) &&
                  tls_set_cert(tls, leaf_pem, leaf_key, &e),
              e.msg);
    tls_client_trust(ca_pem);
}

/* Both sides go on until nothing moves any more. */
static void carry(struct conn *c)
{
    for (size_t n_moved = 1; n_moved > 0;) {
        struct tls_room room = conn_wire_in(c);
        n_moved = room.n_bytes ? tls_client_say(&client, room.p, room.n_bytes) : 0;
        if (n_moved)
            conn_wire_in_done(c, n_moved);
        conn_run(c);
        size_t n_heard = tls_client_hear(&client, conn_wire_out(c));
        conn_wire_out_done(c, n_heard);
        conn_run(c);
        n_moved += n_heard;
    }
}

static struct conn *connect_client(void)
{
    struct err e = {0};
    struct addr addr;
    struct conn *c = &box.m->loop.conns[0];
    MUST_TRUE(addr_parse(STR("192.168.1.7"), &addr), NULL);
    MUST_TRUE(conn_open(c, &box.m->env, EDGE_LISTEN_TLS, &addr, &e), e.msg);
    tls_client_open(&client);
    int status = -1;
    for (int round = 0; round < 10 && status != 0; round++) {
        status = mbedtls_ssl_handshake(&client.ssl);
        carry(c);
    }
    CHECK_EQ(status, 0);
    CHECK_EQ(c->state, CONN_IDLE);
    return c;
}

static void say(struct conn *c, const char *request)
{
    int n_bytes = (int)strlen(request);
    CHECK_EQ(mbedtls_ssl_write(&client.ssl, (const unsigned char *)request, (size_t)n_bytes),
             n_bytes);
    carry(c);
}

/* What Mbed TLS says when everything that came has been read; all of it is in box.out. */
static int hear(struct conn *c)
{
    size_t n_out = 0;
    int n = 1;
    carry(c);
    while (n > 0 || n == MBEDTLS_ERR_SSL_RECEIVED_NEW_SESSION_TICKET) {
        n = mbedtls_ssl_read(&client.ssl, (unsigned char *)box.out + n_out,
                             sizeof box.out - 1 - n_out);
        n_out += n > 0 ? (size_t)n : 0;
    }
    box.out[n_out] = 0;
    return n;
}

static void close_both(struct conn *c)
{
    conn_close(c);
    mbedtls_ssl_free(&client.ssl);
}

TEST(conn_says_close_notify_when_it_has_waited_long_enough)
{
    open_tls_box();
    struct conn *c = connect_client();
    CHECK_EQ(hear(c), MBEDTLS_ERR_SSL_WANT_READ);
    box.m->api.mono_ms += box.m->api.cfg.idle_timeout_ms;
    conn_tick(c);
    CHECK_EQ(hear(c), MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY);
    CHECK_TRUE(conn_is_dead(c));
    close_both(c);
}

TEST(conn_says_close_notify_when_the_edge_needs_its_place)
{
    open_tls_box();
    struct conn *c = connect_client();
    conn_end(c);
    CHECK_EQ(hear(c), MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY);
    CHECK_TRUE(conn_is_dead(c));
    close_both(c);
}

TEST(conn_answers_close_notify_and_the_end_of_the_stream_with_close_notify)
{
    open_tls_box();
    struct conn *c = connect_client();
    CHECK_EQ(mbedtls_ssl_close_notify(&client.ssl), 0);
    CHECK_EQ(hear(c), MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY);
    CHECK_TRUE(conn_is_dead(c));
    close_both(c);

    c = connect_client();
    conn_wire_in_eof(c);
    CHECK_EQ(hear(c), MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY);
    CHECK_TRUE(conn_is_dead(c));
    close_both(c);
}

TEST(conn_says_close_notify_after_its_last_answer)
{
    open_tls_box();
    struct conn *c = connect_client();
    say(c, "GET /health HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n");
    CHECK_EQ(hear(c), MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY);
    CHECK_EQ(box_status(box.out), 200);
    CHECK_EQ(c->state, CONN_LINGER);
    CHECK_TRUE(c->wants_fin);
    close_both(c);
}

TEST(conn_ends_an_answer_that_is_cut_short_without_close_notify)
{
    open_tls_box();
    struct engine_msg submit;
    struct conn *c = connect_client();
    say(c, box_chat("{\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}],\"stream\":true}"));
    uint32_t id = box_engine_takes(&submit);
    MUST_TRUE(id != 0, "no request came");
    box_engine_writes(id, "17", 8);
    CHECK_EQ(hear(c), MBEDTLS_ERR_SSL_WANT_READ);
    CHECK_EQ(box_status(box.out), 200);
    CHECK_EQ(c->state, CONN_BUSY);
    conn_end(c);
    CHECK_EQ(hear(c), MBEDTLS_ERR_SSL_WANT_READ);
    CHECK_TRUE(conn_is_dead(c));
    close_both(c);
}
