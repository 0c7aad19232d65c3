/* tls: TLS 1.3 and 1.2 (api.md 4) as a protocol engine without sockets: Mbed TLS behind four byte
 * ports.
 *
 *   socket --> tls_wire_in  --> | record layer | --> tls_read  --> plain bytes
 *   socket <-- tls_wire_out <-- |  handshake   | <-- tls_write <-- plain bytes
 *
 * The wire ports lend our own buffers, the plain ports take the caller's. The loop owns the
 * descriptor, this owns the bytes. One service per process holds configuration, tickets and the
 * certificate; a new certificate serves new connections while the old one lives as long as its last
 * connection. Thread: edge. Allocates: only in the heap given to tls_open; a full heap refuses that
 * one connection. Nobody else in the process may use Mbed TLS with another allocator. */
#ifndef NET_TLS_H
#define NET_TLS_H

#include "net/heap.h"
#include "runtime/base/err.h"
#include "runtime/base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    TLS_WIRE_BYTES = 8192, /* of each wire port; holds any record we write */
    TLS_CONN_HEAP_BYTES =
        26 * 1024, /* an idle connection (measured: platform.md 3.4 and the test) */
    TLS_HANDSHAKE_HEAP_BYTES = 24 * 1024, /* more while shaking hands */
    TLS_BASE_HEAP_BYTES = 1 << 20,
};

struct tls; /* the service */
struct tls_conn;

/* Fixed sizes of the opaque structs, for the plan. */
size_t tls_bytes(void);
size_t tls_conn_bytes(void);
size_t tls_heap_bytes(uint32_t max_conns);

/* t: tls_bytes() of memory. Sets Mbed TLS's allocator to heap for the whole process, which ends
 * with the service: there is no closing. */
bool tls_open(struct tls *t, struct heap *heap, struct err *e);

/* PEM texts, terminated. Serves all connections begun from now on. ERR_STATE: older certificates
 * are still in use by too many connections; the present one stays. */
bool tls_set_cert(struct tls *t, const char *chain_pem, const char *key_pem, struct err *e);

/* c: tls_conn_bytes() of memory, zeroed before the first time. false: nothing is held. */
bool tls_conn_open(struct tls_conn *c, struct tls *t, struct err *e);
void tls_conn_close(struct tls_conn *c); /* zeroed is fine */

enum tls_result {
    TLS_OK,
    TLS_WAIT,   /* more wire bytes, or more room on the wire, first */
    TLS_CLOSED, /* the peer said close_notify, or went away */
    TLS_FAILED, /* sticky; what the alert says is on the wire port */
};

/* Where to receive into (n_bytes 0: full, read plain bytes first), and how much came. */
struct tls_room {
    char *p;
    size_t n_bytes;
};
struct tls_room tls_wire_in(struct tls_conn *c);
void tls_wire_in_done(struct tls_conn *c, size_t n_bytes);
void tls_wire_in_eof(struct tls_conn *c);

/* What to send, and how much was sent. */
struct str tls_wire_out(const struct tls_conn *c);
void tls_wire_out_done(struct tls_conn *c, size_t n_bytes);

/* Goes on with the handshake until it is done (TLS_OK). */
enum tls_result tls_handshake(struct tls_conn *c);

/* *n_bytes: how many were read into out, or taken of plain; more than 0 exactly with TLS_OK. */
enum tls_result tls_read(struct tls_conn *c, char *out, size_t room_bytes, size_t *n_bytes);
enum tls_result tls_write(struct tls_conn *c, struct str plain, size_t *n_bytes);

/* Puts close_notify on the wire, once (RFC 8446 6.1); nothing before the handshake is done and
 * after a failure, whose alert was the last word. */
void tls_say_goodbye(struct tls_conn *c);

/* "TLSv1.3", "TLSv1.2"; "-" before the handshake is done. */
const char *tls_version(const struct tls_conn *c);

/* The DER form of a PEM certificate; its length, 0 if it is none or does not fit. */
size_t tls_cert_der(const char *cert_pem, uint8_t *out, size_t room_bytes);

/* Why the last operation failed, for the log; "" if nothing did. */
const char *tls_failure(const struct tls_conn *c);

#endif
