/* cert: the device's own CA and its leaf: made, read, judged; pure over memory (boot keeps the
 * files). api.md 4. CA    ECDSA P-256, 20 years, pathlen 0, keyCertSign; critical name constraints:
 * the names it was made for and private addresses, so whoever trusts it trusts nothing but this box
 *   leaf  ECDSA P-256, 397 days, serverAuth, digitalSignature, random 128-bit serial, names in the
 * SAN only Wall time comes in as an argument; notBefore is 48 h earlier, so a client's slow clock
 * does not refuse a new box. Thread: any after cert_init. Allocates: through Mbed TLS. Formats: RFC
 * 5280. */
#ifndef NET_CERT_H
#define NET_CERT_H

#include "runtime/base/err.h"

#include <stddef.h>
#include <stdint.h>

enum {
    CERT_PEM_BYTES = 4096,
    CERT_NAME_BYTES = 64,
    CERT_MAX_NAMES = 64,
    CERT_FINGERPRINT_BYTES = 72, /* 8 groups of 8 hex digits, spaces between, terminated */
    CERT_CA_DAYS = 7305,
    CERT_LEAF_DAYS = 397, /* below Apple's limit of 825 and the browsers' of 398 */
};

struct cert_info {
    int64_t not_before_s, not_after_s; /* wall time */
    char common_name[CERT_NAME_BYTES];
    char names[CERT_MAX_NAMES][CERT_NAME_BYTES]; /* SAN: DNS names and addresses as text */
    uint32_t n_names;
    char permits[CERT_MAX_NAMES][CERT_NAME_BYTES]; /* of a CA: DNS names its constraints allow */
    uint32_t n_permits;
    char fingerprint[CERT_FINGERPRINT_BYTES]; /* SHA-256 of the DER */
};

/* DNS names and numeric addresses as text. */
struct cert_names {
    char (*at)[CERT_NAME_BYTES];
    uint32_t n;
};

/* Once per process, before anything else here or in tls.h. */
bool cert_init(struct err *e);

/* names: DNS names and numeric addresses. common_name: what people see in their trust store. PEM
 * buffers are CERT_PEM_BYTES each; the key's is to be wiped by the caller. */
bool cert_make_ca(const char *common_name, struct cert_names names, int64_t now_s, char *cert_pem,
                  char *key_pem, struct err *e);
bool cert_make_leaf(const char *ca_cert_pem, const char *ca_key_pem, struct cert_names names,
                    int64_t now_s, char *cert_pem, char *key_pem, struct err *e);

bool cert_read(const char *cert_pem, struct cert_info *out, struct err *e);

/* Whether the key is the certificate's own; no for what is no certificate or no key, as a file cut
 * short is. */
bool cert_has_key(const char *cert_pem, const char *key_pem);
/* Whether this CA signed the leaf. */
bool cert_is_issued_by(const char *leaf_pem, const char *ca_pem);

/* Past two thirds of its life, or not yet valid by a day, or for other names. */
bool cert_is_due(const struct cert_info *info, struct cert_names names, int64_t now_s);

/* Whether a leaf under this CA may carry the name: a DNS name it permits or one below it, or a
 * private address. A single other name would make clients refuse the whole certificate (RFC
 * 5280 6.1.4). */
bool cert_permits(const struct cert_info *ca, const char *name);

#endif
