#include "net/tls.h"

#include "runtime/base/check.h"

#include <mbedtls/error.h>
#include <mbedtls/pem.h>
#include <mbedtls/pk.h>
#include <mbedtls/platform.h>
#include <mbedtls/psa_util.h>
#include <mbedtls/ssl.h>
#include <mbedtls/ssl_ciphersuites.h>
#include <mbedtls/ssl_ticket.h>
#include <mbedtls/x509_crt.h>
#include <psa/crypto.h>

#include <stdio.h>
#include <string.h>

enum { MAX_IDENTITIES = 3, TICKET_LIFE_S = 12 * 3600, FAILURE_BYTES = 96 };

/* A certificate and all that refers to it. */
struct identity {
    mbedtls_ssl_config conf;
    mbedtls_x509_crt chain;
    mbedtls_pk_context key;
    uint32_t n_conns;
    bool is_used;
};

struct tls {
    struct identity identities[MAX_IDENTITIES];
    struct identity *current; /* NULL before tls_set_cert */
    mbedtls_ssl_ticket_context ticket;
};

struct tls_conn {
    mbedtls_ssl_context ssl;
    struct tls *tls;
    struct identity *identity; /* NULL: not open */
    bool is_eof;               /* the socket has ended */
    bool is_shaken;            /* the handshake is done */
    bool is_failed;
    bool has_said_goodbye;   /* nothing follows close_notify */
    size_t in_begin, in_end; /* received, not yet taken by the record layer */
    size_t out_begin, out_end;
    char failure[FAILURE_BYTES];
    char in[TLS_WIRE_BYTES];
    char out[TLS_WIRE_BYTES];
};

/* Mbed TLS's allocation hooks carry no context, so the heap of the process is named here: the one
 * hidden global of net, set once by tls_open. */
static struct heap *mbed_heap;

static void *mbed_calloc(size_t n_items, size_t item_bytes)
{
    return mbed_heap ? heap_alloc_zeroed(mbed_heap, n_items, item_bytes) : NULL;
}

static void mbed_free(void *p)
{
    heap_free(mbed_heap, p);
}

size_t tls_bytes(void)
{
    return sizeof(struct tls);
}

size_t tls_conn_bytes(void)
{
    return sizeof(struct tls_conn);
}

/* An eighth of all connections may shake hands at the same moment; more are refused and come again.
 */
size_t tls_heap_bytes(uint32_t max_conns)
{
    return TLS_BASE_HEAP_BYTES + (size_t)max_conns * TLS_CONN_HEAP_BYTES +
           (size_t)(max_conns / 8 + 16) * TLS_HANDSHAKE_HEAP_BYTES;
}

static bool mbed_ok(int status, const char *what, struct err *e)
{
    char text[120];
    if (status == 0)
        return true;
    mbedtls_strerror(status, text, sizeof text);
    return err_set(e, ERR_STATE, "tls: cannot %s: %s", what, text);
}

bool tls_open(struct tls *t, struct heap *heap, struct err *e)
{
    memset(t, 0, sizeof *t);
    mbed_heap = heap;
    mbedtls_platform_set_calloc_free(mbed_calloc, mbed_free);
    mbedtls_ssl_ticket_init(&t->ticket);
    if (psa_crypto_init() != PSA_SUCCESS)
        return err_set(e, ERR_STATE, "tls: Mbed TLS cannot start (random numbers or memory)");
    return mbed_ok(mbedtls_ssl_ticket_setup(&t->ticket, mbedtls_psa_get_random,
                                            MBEDTLS_PSA_RANDOM_STATE, MBEDTLS_CIPHER_AES_256_GCM,
                                            TICKET_LIFE_S),
                   "set up session tickets", e);
}

static void drop_identity(struct identity *id)
{
    if (!id->is_used)
        return;
    mbedtls_ssl_config_free(&id->conf);
    mbedtls_x509_crt_free(&id->chain);
    mbedtls_pk_free(&id->key);
    memset(id, 0, sizeof *id);
}

/* api.md 4: AEAD suites only, forward secrecy always, ALPN http/1.1. */
static bool configure(struct tls *t, struct identity *id, struct err *e)
{
    static const int suites[] = {MBEDTLS_TLS1_3_AES_128_GCM_SHA256,
                                 MBEDTLS_TLS1_3_CHACHA20_POLY1305_SHA256,
                                 MBEDTLS_TLS1_3_AES_256_GCM_SHA384,
                                 MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
                                 MBEDTLS_TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
                                 MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
                                 0};
    static const uint16_t groups[] = {MBEDTLS_SSL_IANA_TLS_GROUP_X25519,
                                      MBEDTLS_SSL_IANA_TLS_GROUP_SECP256R1, 0};
    static const char *protocols[] = {"http/1.1", NULL};
    mbedtls_ssl_config *c = &id->conf;
    if (!mbed_ok(mbedtls_ssl_config_defaults(c, MBEDTLS_SSL_IS_SERVER, MBEDTLS_SSL_TRANSPORT_STREAM,
                                             MBEDTLS_SSL_PRESET_DEFAULT),
                 "configure", e) ||
        !mbed_ok(mbedtls_ssl_conf_alpn_protocols(c, protocols), "configure ALPN", e) ||
        !mbed_ok(mbedtls_ssl_conf_own_cert(c, &id->chain, &id->key), "take the certificate", e))
        return false;
    mbedtls_ssl_conf_rng(c, mbedtls_psa_get_random, MBEDTLS_PSA_RANDOM_STATE);
    mbedtls_ssl_conf_min_tls_version(c, MBEDTLS_SSL_VERSION_TLS1_2);
    mbedtls_ssl_conf_max_tls_version(c, MBEDTLS_SSL_VERSION_TLS1_3);
    mbedtls_ssl_conf_tls13_key_exchange_modes(c, MBEDTLS_SSL_TLS1_3_KEY_EXCHANGE_MODE_ALL);
    mbedtls_ssl_conf_ciphersuites(c, suites);
    mbedtls_ssl_conf_groups(c, groups);
    mbedtls_ssl_conf_session_tickets(c, MBEDTLS_SSL_SESSION_TICKETS_ENABLED);
    mbedtls_ssl_conf_session_tickets_cb(c, mbedtls_ssl_ticket_write, mbedtls_ssl_ticket_parse,
                                        &t->ticket);
    return true;
}

bool tls_set_cert(struct tls *t, const char *chain_pem, const char *key_pem, struct err *e)
{
    struct identity *id = NULL;
    for (int i = 0; i < MAX_IDENTITIES; i++)
        if (!t->identities[i].is_used)
            id = &t->identities[i];
    if (!id)
        return err_set(e, ERR_STATE, "tls: earlier certificates are still in use; try again later");
    id->is_used = true;
    mbedtls_ssl_config_init(&id->conf);
    mbedtls_x509_crt_init(&id->chain);
    mbedtls_pk_init(&id->key);
    if (!mbed_ok(mbedtls_x509_crt_parse(&id->chain, (const unsigned char *)chain_pem,
                                        strlen(chain_pem) + 1),
                 "read the certificate", e) ||
        !mbed_ok(mbedtls_pk_parse_key(&id->key, (const unsigned char *)key_pem, strlen(key_pem) + 1,
                                      NULL, 0, mbedtls_psa_get_random, MBEDTLS_PSA_RANDOM_STATE),
                 "read the private key", e) ||
        !mbed_ok(mbedtls_pk_check_pair(&id->chain.pk, &id->key, mbedtls_psa_get_random,
                                       MBEDTLS_PSA_RANDOM_STATE),
                 "use this key with this certificate", e) ||
        !configure(t, id, e)) {
        drop_identity(id);
        return false;
    }
    struct identity *old = t->current;
    t->current = id;
    if (old && old->n_conns == 0)
        drop_identity(old);
    return true;
}

/* ---- connections ---- */

static int wire_send(void *ctx, const unsigned char *p, size_t n_bytes)
{
    struct tls_conn *c = ctx;
    if (c->out_begin == c->out_end)
        c->out_begin = c->out_end = 0;
    size_t n = sizeof c->out - c->out_end;
    if (n == 0)
        return MBEDTLS_ERR_SSL_WANT_WRITE;
    if (n > n_bytes)
        n = n_bytes;
    memcpy(c->out + c->out_end, p, n);
    c->out_end += n;
    return (int)n;
}

static int wire_receive(void *ctx, unsigned char *p, size_t n_bytes)
{
    struct tls_conn *c = ctx;
    size_t n = c->in_end - c->in_begin;
    if (n == 0)
        return c->is_eof ? 0 : MBEDTLS_ERR_SSL_WANT_READ;
    if (n > n_bytes)
        n = n_bytes;
    memcpy(p, c->in + c->in_begin, n);
    c->in_begin += n;
    if (c->in_begin == c->in_end)
        c->in_begin = c->in_end = 0;
    return (int)n;
}

bool tls_conn_open(struct tls_conn *c, struct tls *t, struct err *e)
{
    if (!t->current)
        return err_set(e, ERR_STATE, "tls: no certificate yet");
    mbedtls_ssl_init(&c->ssl);
    if (!mbed_ok(mbedtls_ssl_setup(&c->ssl, &t->current->conf), "begin a connection", e)) {
        mbedtls_ssl_free(&c->ssl);
        return false;
    }
    c->is_eof = c->is_shaken = c->is_failed = c->has_said_goodbye = false;
    c->in_begin = c->in_end = c->out_begin = c->out_end = 0;
    c->failure[0] = 0;
    c->tls = t;
    c->identity = t->current;
    c->identity->n_conns++;
    mbedtls_ssl_set_bio(&c->ssl, c, wire_send, wire_receive, NULL);
    return true;
}

void tls_conn_close(struct tls_conn *c)
{
    struct identity *id = c->identity;
    if (!id)
        return;
    mbedtls_ssl_free(&c->ssl);
    c->identity = NULL;
    if (--id->n_conns == 0 && id != c->tls->current)
        drop_identity(id);
}

struct tls_room tls_wire_in(struct tls_conn *c)
{
    if (c->in_begin > 0 && c->in_end == sizeof c->in) {
        memmove(c->in, c->in + c->in_begin, c->in_end - c->in_begin);
        c->in_end -= c->in_begin;
        c->in_begin = 0;
    }
    return (struct tls_room){c->in + c->in_end, sizeof c->in - c->in_end};
}

void tls_wire_in_done(struct tls_conn *c, size_t n_bytes)
{
    CHECK(n_bytes <= sizeof c->in - c->in_end);
    c->in_end += n_bytes;
}

void tls_wire_in_eof(struct tls_conn *c)
{
    c->is_eof = true;
}

struct str tls_wire_out(const struct tls_conn *c)
{
    return (struct str){c->out + c->out_begin, c->out_end - c->out_begin};
}

void tls_wire_out_done(struct tls_conn *c, size_t n_bytes)
{
    CHECK(n_bytes <= c->out_end - c->out_begin);
    c->out_begin += n_bytes;
    if (c->out_begin == c->out_end)
        c->out_begin = c->out_end = 0;
}

static enum tls_result result_of(struct tls_conn *c, int status)
{
    if (status >= 0)
        return TLS_OK;
    switch (status) {
    case MBEDTLS_ERR_SSL_WANT_READ:
    case MBEDTLS_ERR_SSL_WANT_WRITE:
    case MBEDTLS_ERR_SSL_RECEIVED_NEW_SESSION_TICKET:
        return TLS_WAIT;
    case MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY:
    case MBEDTLS_ERR_SSL_CONN_EOF:
        return TLS_CLOSED;
    default:
        break;
    }
    c->is_failed = true;
    mbedtls_strerror(status, c->failure, sizeof c->failure);
    return TLS_FAILED;
}

enum tls_result tls_handshake(struct tls_conn *c)
{
    if (c->is_failed)
        return TLS_FAILED;
    enum tls_result r = result_of(c, mbedtls_ssl_handshake(&c->ssl));
    if (r == TLS_OK)
        c->is_shaken = true;
    return r;
}

enum tls_result tls_read(struct tls_conn *c, char *out, size_t room_bytes, size_t *n_bytes)
{
    *n_bytes = 0;
    if (c->is_failed)
        return TLS_FAILED;
    int status = mbedtls_ssl_read(&c->ssl, (unsigned char *)out, room_bytes);
    if (status == 0)
        return TLS_CLOSED;
    if (status > 0)
        *n_bytes = (size_t)status;
    return result_of(c, status);
}

/* Mbed TLS must be called again with the very same bytes if a record does not fit, so none is begun
 * that might not. */
enum tls_result tls_write(struct tls_conn *c, struct str plain, size_t *n_bytes)
{
    enum { RECORD_BYTES = MBEDTLS_SSL_OUT_CONTENT_LEN + 256 };
    _Static_assert((int)RECORD_BYTES <= (int)TLS_WIRE_BYTES, "a record fits the wire port");
    *n_bytes = 0;
    if (c->is_failed)
        return TLS_FAILED;
    size_t n_pending = c->out_end - c->out_begin;
    if (c->out_begin > 0) {
        memmove(c->out, c->out + c->out_begin, n_pending);
        c->out_begin = 0;
        c->out_end = n_pending;
    }
    if (sizeof c->out - n_pending < RECORD_BYTES)
        return TLS_WAIT;
    int status = mbedtls_ssl_write(&c->ssl, (const unsigned char *)plain.p, plain.n_bytes);
    if (status > 0)
        *n_bytes = (size_t)status;
    return result_of(c, status);
}

void tls_say_goodbye(struct tls_conn *c)
{
    if (!c->identity || !c->is_shaken || c->is_failed || c->has_said_goodbye)
        return;
    c->has_said_goodbye = true;
    /* if the wire is full the peer sees the end of the stream instead */
    (void)mbedtls_ssl_close_notify(&c->ssl);
}

const char *tls_version(const struct tls_conn *c)
{
    return c->is_shaken ? mbedtls_ssl_get_version(&c->ssl) : "-";
}

const char *tls_failure(const struct tls_conn *c)
{
    return c->failure;
}

size_t tls_cert_der(const char *cert_pem, uint8_t *out, size_t room_bytes)
{
    mbedtls_pem_context pem;
    size_t n_used, n_bytes = 0;
    mbedtls_pem_init(&pem);
    if (mbedtls_pem_read_buffer(&pem, "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----",
                                (const unsigned char *)cert_pem, NULL, 0, &n_used) == 0) {
        const unsigned char *der = mbedtls_pem_get_buffer(&pem, &n_bytes);
        if (n_bytes > room_bytes)
            n_bytes = 0;
        memcpy(out, der, n_bytes);
    }
    mbedtls_pem_free(&pem);
    return n_bytes;
}
