/* tls_client: the other end of a TLS connection in the same process, its two wires in memory, for
 * tests of net. It trusts one CA and asks for "localhost". Header only; open it after tls_open,
 * whose heap it shares. */
#ifndef TESTS_TLS_CLIENT_H
#define TESTS_TLS_CLIENT_H

#include "runtime/base/str.h"
#include "tests/t.h"

#include <mbedtls/pem.h>
#include <mbedtls/psa_util.h>
#include <mbedtls/ssl.h>
#include <mbedtls/x509_crt.h>

static mbedtls_ssl_config tls_client_conf;
static mbedtls_x509_crt tls_client_ca;

struct tls_client {
    mbedtls_ssl_context ssl;
    char in[65536], out[65536];
    size_t in_begin, in_end, out_begin, out_end;
};

static inline int tls_client_send(void *ctx, const unsigned char *p, size_t n_bytes)
{
    struct tls_client *c = ctx;
    size_t n = sizeof c->out - c->out_end < n_bytes ? sizeof c->out - c->out_end : n_bytes;
    memcpy(c->out + c->out_end, p, n);
    c->out_end += n;
    return n ? (int)n : MBEDTLS_ERR_SSL_WANT_WRITE;
}

static inline int tls_client_receive(void *ctx, unsigned char *p, size_t n_bytes)
{
    struct tls_client *c = ctx;
    size_t n = c->in_end - c->in_begin < n_bytes ? c->in_end - c->in_begin : n_bytes;
    memcpy(p, c->in + c->in_begin, n);
    c->in_begin += n;
    return n ? (int)n : MBEDTLS_ERR_SSL_WANT_READ;
}

/* Takes up to room_bytes of what it has to say; how many there were. */
static inline size_t tls_client_say(struct tls_client *c, char *room, size_t room_bytes)
{
    size_t n = c->out_end - c->out_begin < room_bytes ? c->out_end - c->out_begin : room_bytes;
    memcpy(room, c->out + c->out_begin, n);
    c->out_begin += n;
    if (c->out_begin == c->out_end)
        c->out_begin = c->out_end = 0;
    return n;
}

/* Gives it bytes of the server; how many it had room for. */
static inline size_t tls_client_hear(struct tls_client *c, struct str bytes)
{
    if (c->in_begin == c->in_end)
        c->in_begin = c->in_end = 0;
    size_t n = bytes.n_bytes < sizeof c->in - c->in_end ? bytes.n_bytes : sizeof c->in - c->in_end;
    memcpy(c->in + c->in_end, bytes.p, n);
    c->in_end += n;
    return n;
}

/* Mbed TLS refuses critical name constraints it does not know; the CA's are tested in cert_test. */
static inline int tls_client_accept_extension(void *ctx, mbedtls_x509_crt const *crt,
                                              mbedtls_x509_buf const *oid, int critical,
                                              const unsigned char *p, const unsigned char *end)
{
    (void)ctx, (void)crt, (void)oid, (void)critical, (void)p, (void)end;
    return 0;
}

static inline void tls_client_trust(const char *ca_pem)
{
    static const char *protocols[] = {"h2", "http/1.1", NULL};
    mbedtls_pem_context pem;
    size_t n_used, n_der;
    mbedtls_pem_init(&pem);
    MUST_TRUE(mbedtls_pem_read_buffer(&pem, "-----BEGIN CERTIFICATE-----",
                                      "-----END CERTIFICATE-----", (const unsigned char *)ca_pem,
                                      NULL, 0, &n_used) == 0,
              NULL);
    const unsigned char *der = mbedtls_pem_get_buffer(&pem, &n_der);
    mbedtls_x509_crt_init(&tls_client_ca);
    mbedtls_ssl_config_init(&tls_client_conf);
    MUST_TRUE(mbedtls_x509_crt_parse_der_with_ext_cb(&tls_client_ca, der, n_der, 1,
                                                     tls_client_accept_extension, NULL) == 0,
              NULL);
    mbedtls_pem_free(&pem);
    MUST_TRUE(mbedtls_ssl_config_defaults(&tls_client_conf, MBEDTLS_SSL_IS_CLIENT,
                                          MBEDTLS_SSL_TRANSPORT_STREAM,
                                          MBEDTLS_SSL_PRESET_DEFAULT) == 0,
              NULL);
    mbedtls_ssl_conf_rng(&tls_client_conf, mbedtls_psa_get_random, MBEDTLS_PSA_RANDOM_STATE);
    mbedtls_ssl_conf_authmode(&tls_client_conf, MBEDTLS_SSL_VERIFY_REQUIRED);
    mbedtls_ssl_conf_ca_chain(&tls_client_conf, &tls_client_ca, NULL);
    mbedtls_ssl_conf_alpn_protocols(&tls_client_conf, protocols);
}

/* mbedtls_ssl_free(&c->ssl) ends it. */
static inline void tls_client_open(struct tls_client *c)
{
    memset(c, 0, sizeof *c);
    mbedtls_ssl_init(&c->ssl);
    MUST_TRUE(mbedtls_ssl_setup(&c->ssl, &tls_client_conf) == 0, NULL);
    MUST_TRUE(mbedtls_ssl_set_hostname(&c->ssl, "localhost") == 0, NULL);
    mbedtls_ssl_set_bio(&c->ssl, c, tls_client_send, tls_client_receive, NULL);
}

#endif
