#include "net/tls.h"

#include "net/cert.h"
#include "tests/tls_client.h"

#include <stdio.h>
#include <stdlib.h>

static struct heap heap;
static struct tls *tls;
static struct pair {
    char cert_pem[CERT_PEM_BYTES], key_pem[CERT_PEM_BYTES];
} ca, leaf;
static char names[2][CERT_NAME_BYTES] = {"localhost", "127.0.0.1"};

/* Moves at most step bytes each way. */
static void carry(struct tls_client *c, struct tls_conn *s, size_t step)
{
    struct tls_room room = tls_wire_in(s);
    tls_wire_in_done(s, tls_client_say(c, room.p, room.n_bytes < step ? room.n_bytes : step));
    struct str down = tls_wire_out(s);
    down.n_bytes = down.n_bytes < step ? down.n_bytes : step;
    tls_wire_out_done(s, tls_client_hear(c, down));
}

static void open_service(size_t heap_bytes)
{
    struct err e = {0};
    void *memory = aligned_alloc(64, heap_bytes);
    MUST_TRUE(memory != NULL, NULL);
    heap_init(&heap, memory, heap_bytes);
    tls = calloc(1, tls_bytes());
    MUST_TRUE(tls && tls_open(tls, &heap, &e), e.msg);
    int64_t now_s = time(NULL);
    MUST_TRUE(cert_make_ca("Hearth test CA", ((struct cert_names){names, 2}), now_s, ca.cert_pem,
                           ca.key_pem, &e),
              e.msg);
    MUST_TRUE(cert_make_leaf(ca.cert_pem, ca.key_pem, ((struct cert_names){names, 1}), now_s,
                             leaf.cert_pem, leaf.key_pem, &e),
              e.msg);
    MUST_TRUE(tls_set_cert(tls, leaf.cert_pem, leaf.key_pem, &e), e.msg);
    tls_client_trust(ca.cert_pem);
}

static bool shake_hands(struct tls_client *c, struct tls_conn *s, size_t step)
{
    int client = -1;
    enum tls_result server = TLS_WAIT;
    for (int round = 0; round < 200000 && (client != 0 || server != TLS_OK); round++) {
        if (client != 0)
            client = mbedtls_ssl_handshake(&c->ssl);
        if (client != 0 && client != MBEDTLS_ERR_SSL_WANT_READ &&
            client != MBEDTLS_ERR_SSL_WANT_WRITE)
            return false;
        if (server == TLS_WAIT)
            server = tls_handshake(s);
        if (server > TLS_WAIT)
            return false;
        carry(c, s, step);
    }
    return client == 0 && server == TLS_OK;
}

/* Sends n_bytes from the server in a pattern, back as they came from the client; true if both saw
 * the same. */
static bool echo(struct tls_client *c, struct tls_conn *s, size_t n_bytes, size_t step)
{
    static char sent[50000], got[50000];
    size_t n_sent = 0, n_got = 0, n;
    for (size_t i = 0; i < n_bytes; i++)
        sent[i] = (char)(i * 7 + i / 256);
    for (int round = 0; round < 400000 && n_got < n_bytes; round++) {
        if (n_sent < n_bytes &&
            tls_write(s, (struct str){sent + n_sent, n_bytes - n_sent}, &n) > TLS_WAIT)
            return false;
        n_sent += n_sent < n_bytes ? n : 0;
        carry(c, s, step);
        int r = mbedtls_ssl_read(&c->ssl, (unsigned char *)got + n_got, sizeof got - n_got);
        if (r > 0)
            n_got += (size_t)r;
        else if (r != MBEDTLS_ERR_SSL_WANT_READ && r != MBEDTLS_ERR_SSL_RECEIVED_NEW_SESSION_TICKET)
            return false;
    }
    if (n_got != n_bytes || memcmp(sent, got, n_bytes) != 0)
        return false;
    size_t n_up = n_bytes < 9000 ? n_bytes : 9000, n_back = 0;
    int w = mbedtls_ssl_write(&c->ssl, (const unsigned char *)sent, n_up);
    memset(got, 0, sizeof got);
    for (int round = 0; round < 400000 && w > 0 && n_back < (size_t)w; round++) {
        carry(c, s, step);
        if (tls_read(s, got + n_back, sizeof got - n_back, &n) > TLS_WAIT)
            return false;
        n_back += n;
    }
    return w > 0 && n_back == (size_t)w && memcmp(sent, got, n_back) == 0;
}

TEST(tls_carries_bytes_whatever_the_pieces_in_both_versions)
{
    static const size_t steps[] = {1, 7, 1000, 65536};
    static struct tls_client client;
    struct err e = {0};
    open_service(8 << 20);
    struct tls_conn *s = calloc(1, tls_conn_bytes());
    for (int v = 0; v < 2; v++) {
        mbedtls_ssl_protocol_version version =
            v ? MBEDTLS_SSL_VERSION_TLS1_3 : MBEDTLS_SSL_VERSION_TLS1_2;
        mbedtls_ssl_conf_min_tls_version(&tls_client_conf, version);
        mbedtls_ssl_conf_max_tls_version(&tls_client_conf, version);
        for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
            tls_client_open(&client);
            MUST_TRUE(tls_conn_open(s, tls, &e), e.msg);
            CHECK_STR(tls_version(s), "-");
            CHECK_TRUE(shake_hands(&client, s, steps[i]));
            CHECK_STR(tls_version(s), v ? "TLSv1.3" : "TLSv1.2");
            CHECK_STR(mbedtls_ssl_get_alpn_protocol(&client.ssl), "http/1.1");
            CHECK_TRUE(echo(&client, s, i == 3 ? 50000 : 3000, steps[i]));
            tls_conn_close(s);
            mbedtls_ssl_free(&client.ssl);
        }
    }
    free(s);
    CHECK_TRUE(heap_is_sound(&heap));
}

TEST(tls_notices_close_notify_and_eof)
{
    static struct tls_client client;
    struct err e = {0};
    size_t n;
    char c;
    open_service(8 << 20);
    struct tls_conn *s = calloc(1, tls_conn_bytes());
    tls_client_open(&client);
    MUST_TRUE(tls_conn_open(s, tls, &e) && shake_hands(&client, s, 65536), e.msg);
    CHECK_EQ(tls_read(s, &c, 1, &n), TLS_WAIT);
    CHECK_EQ(mbedtls_ssl_close_notify(&client.ssl), 0);
    carry(&client, s, 65536);
    CHECK_EQ(tls_read(s, &c, 1, &n), TLS_CLOSED);
    tls_conn_close(s);
    mbedtls_ssl_free(&client.ssl);

    tls_client_open(&client);
    MUST_TRUE(tls_conn_open(s, tls, &e) && shake_hands(&client, s, 65536), e.msg);
    tls_wire_in_eof(s);
    CHECK_EQ(tls_read(s, &c, 1, &n), TLS_CLOSED);
    tls_say_goodbye(s);
    size_t n_last = tls_wire_out(s).n_bytes;
    CHECK_TRUE(n_last > 0);
    tls_say_goodbye(s); /* once is enough */
    CHECK_EQ(tls_wire_out(s).n_bytes, n_last);
    tls_conn_close(s);
    mbedtls_ssl_free(&client.ssl);
    free(s);
}

TEST(tls_garbage_fails_that_connection_alone)
{
    static const char garbage[] = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
    static struct tls_client client;
    struct err e = {0};
    open_service(8 << 20);
    struct tls_conn *bad = calloc(1, tls_conn_bytes()), *good = calloc(1, tls_conn_bytes());
    MUST_TRUE(tls_conn_open(bad, tls, &e) && tls_conn_open(good, tls, &e), e.msg);
    memcpy(tls_wire_in(bad).p, garbage, sizeof garbage);
    tls_wire_in_done(bad, sizeof garbage);
    CHECK_EQ(tls_handshake(bad), TLS_FAILED);
    CHECK_EQ(tls_handshake(bad), TLS_FAILED);
    CHECK_TRUE(tls_failure(bad)[0] != 0);
    tls_client_open(&client);
    CHECK_TRUE(shake_hands(&client, good, 65536));
    tls_conn_close(bad);
    tls_conn_close(good);
    mbedtls_ssl_free(&client.ssl);
    free(bad);
    free(good);
}

TEST(tls_full_heap_refuses_one_connection_and_harms_no_other)
{
    enum { N = 64 };
    static struct tls_client client;
    struct err e = {0};
    open_service(TLS_BASE_HEAP_BYTES + 4 * TLS_CONN_HEAP_BYTES);
    struct tls_conn *conns[N];
    int n_open = 0;
    for (int i = 0; i < N; i++) {
        conns[i] = calloc(1, tls_conn_bytes());
        n_open += tls_conn_open(conns[i], tls, &e);
    }
    CHECK_TRUE(n_open >= 4 && n_open < N);
    CHECK_TRUE(strstr(e.msg, "tls:") != NULL);
    CHECK_TRUE(heap.n_refused > 0);
    for (int i = 0; i < N; i++)
        tls_conn_close(conns[i]);
    MUST_TRUE(tls_conn_open(conns[0], tls, &e), e.msg);
    tls_client_open(&client);
    CHECK_TRUE(shake_hands(&client, conns[0], 65536) && echo(&client, conns[0], 5000, 65536));
    CHECK_TRUE(heap_is_sound(&heap));
    for (int i = 0; i < N; i++)
        free(conns[i]);
}

TEST(tls_connections_stay_within_their_planned_memory)
{
    enum { N = 24 };
    static struct tls_client client;
    struct err e = {0};
    open_service(16 << 20);
    struct tls_conn *conns[N];
    size_t base_bytes = heap.used_bytes;
    for (int i = 0; i < N; i++) {
        conns[i] = calloc(1, tls_conn_bytes());
        tls_client_open(&client);
        MUST_TRUE(tls_conn_open(conns[i], tls, &e) && shake_hands(&client, conns[i], 65536), e.msg);
        mbedtls_ssl_free(&client.ssl);
    }
    size_t idle_bytes = (heap.used_bytes - base_bytes) / N;
    printf("   one idle connection: %zu bytes of heap; base: %zu\n", idle_bytes, base_bytes);
    CHECK_TRUE(idle_bytes <= TLS_CONN_HEAP_BYTES);
    CHECK_TRUE(base_bytes <= TLS_BASE_HEAP_BYTES);
    size_t before_bytes = heap.used_bytes;
    heap.peak_bytes = before_bytes;
    struct tls_conn *more = calloc(1, tls_conn_bytes());
    tls_client_open(&client);
    size_t client_bytes = heap.used_bytes - before_bytes;
    MUST_TRUE(tls_conn_open(more, tls, &e) && shake_hands(&client, more, 65536), e.msg);
    size_t shaking_bytes = heap.peak_bytes - before_bytes;
    printf("   a handshake, client included: %zu bytes (client before it: %zu)\n", shaking_bytes,
           client_bytes);
    CHECK_TRUE(shaking_bytes - client_bytes <= TLS_CONN_HEAP_BYTES + 2 * TLS_HANDSHAKE_HEAP_BYTES);
    for (int i = 0; i < N; i++) {
        tls_conn_close(conns[i]);
        free(conns[i]);
    }
    tls_conn_close(more);
    free(more);
}

TEST(tls_new_certificate_serves_connections_and_spares_old_ones)
{
    static struct tls_client old_client, later_client;
    struct err e = {0};
    open_service(8 << 20);
    struct tls_conn *old = calloc(1, tls_conn_bytes()), *later = calloc(1, tls_conn_bytes());
    tls_client_open(&old_client);
    MUST_TRUE(tls_conn_open(old, tls, &e) && shake_hands(&old_client, old, 65536), e.msg);
    static struct pair next;
    MUST_TRUE(cert_make_leaf(ca.cert_pem, ca.key_pem, ((struct cert_names){names, 2}), time(NULL),
                             next.cert_pem, next.key_pem, &e),
              e.msg);
    CHECK_TRUE(
        !tls_set_cert(tls, next.cert_pem, leaf.key_pem, &e)); /* key of another certificate */
    MUST_TRUE(tls_set_cert(tls, next.cert_pem, next.key_pem, &e), e.msg);
    tls_client_open(&later_client);
    MUST_TRUE(tls_conn_open(later, tls, &e), e.msg);
    CHECK_TRUE(shake_hands(&later_client, later, 65536));
    CHECK_TRUE(echo(&old_client, old, 5000, 65536) && echo(&later_client, later, 5000, 65536));
    size_t used_bytes = heap.used_bytes;
    tls_conn_close(old);
    CHECK_TRUE(heap.used_bytes < used_bytes - 1000);
    for (int i = 0; i < 10; i++)
        CHECK_TRUE(tls_set_cert(tls, next.cert_pem, next.key_pem, &e));
    tls_conn_close(later);
    free(old);
    free(later);
}
