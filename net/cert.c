#include "net/cert.h"

#include "runtime/base/secret.h"
#include "runtime/base/str.h"

#include <arpa/inet.h>
#include <mbedtls/oid.h>
#include <mbedtls/pem.h>
#include <mbedtls/pk.h>
#include <mbedtls/psa_util.h>
#include <mbedtls/sha256.h>
#include <mbedtls/x509_crt.h>
#include <psa/crypto.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum {
    DAY_S = 86400,
    BACKDATE_S = 2 * DAY_S,
    KEY_ID_BYTES_X509 = 20,
    SERIAL_BYTES = 16,
    DER_BYTES = 3072
};

#define RNG mbedtls_psa_get_random, MBEDTLS_PSA_RANDOM_STATE

bool cert_init(struct err *e)
{
    return secret_init(e) &&
           (psa_crypto_init() == PSA_SUCCESS ||
            err_set(e, ERR_STATE, "certificate: the cryptography library does not start"));
}

static bool failed(struct err *e, const char *what, int code)
{
    return err_set(e, ERR_STATE, "certificate: %s failed (Mbed TLS -0x%04x)", what,
                   (unsigned)-code);
}

/* ---- DER built by hand: extensions that the library has no call for ---- */

struct der {
    uint8_t bytes[DER_BYTES];
    size_t n_bytes;
    bool is_full;
};

static void der_put(struct der *d, const void *bytes, size_t n_bytes)
{
    if (n_bytes > sizeof d->bytes - d->n_bytes) {
        d->is_full = true;
        return;
    }
    memcpy(d->bytes + d->n_bytes, bytes, n_bytes);
    d->n_bytes += n_bytes;
}

/* Tag, definite length, content (X.690 8.1). */
static void der_tlv(struct der *d, uint8_t tag, const void *content, size_t n_bytes)
{
    uint8_t head[4] = {tag};
    size_t n_head;
    if (n_bytes < 0x80) {
        head[1] = (uint8_t)n_bytes;
        n_head = 2;
    } else if (n_bytes < 0x100) {
        head[1] = 0x81;
        head[2] = (uint8_t)n_bytes;
        n_head = 3;
    } else {
        head[1] = 0x82;
        head[2] = (uint8_t)(n_bytes >> 8);
        head[3] = (uint8_t)n_bytes;
        n_head = 4;
    }
    der_put(d, head, n_head);
    der_put(d, content, n_bytes);
}

/* A text address as bytes; 0 for a DNS name. */
static size_t address_bytes(const char *name, uint8_t out[16])
{
    if (inet_pton(AF_INET, name, out) == 1)
        return 4;
    return inet_pton(AF_INET6, name, out) == 1 ? 16 : 0;
}

enum {
    TAG_SEQUENCE = 0x30,
    TAG_OCTETS = 0x04,
    TAG_CONTEXT_0 = 0x80,
    TAG_CONTEXT_0_SET = 0xa0,
    TAG_DNS = 0x82,
    TAG_ADDRESS = 0x87
};

/* RFC 5280 4.2.1.10: permittedSubtrees only. A DNS name permits itself and what is below it;
 * addresses carry a mask. */
static void der_name_constraints(struct der *out, struct cert_names names)
{
    static const uint8_t v4_ranges[][8] = {
        {10, 0, 0, 0, 255, 0, 0, 0},      {172, 16, 0, 0, 255, 240, 0, 0},
        {192, 168, 0, 0, 255, 255, 0, 0}, {100, 64, 0, 0, 255, 192, 0, 0},
        {169, 254, 0, 0, 255, 255, 0, 0}, {127, 0, 0, 0, 255, 0, 0, 0},
    };
    static const uint8_t v6_ranges[][32] = {
        {[0] = 0xfc, [16] = 0xfe}, /* unique local */
        {[15] = 1,
         [16] = 255,
         255,
         255,
         255,
         255,
         255,
         255,
         255,
         255,
         255,
         255,
         255,
         255,
         255,
         255,
         255}, /* loopback */
    };
    struct der list = {.n_bytes = 0}, all = {.n_bytes = 0}, one;
    uint8_t address[16];
    for (uint32_t i = 0; i < names.n; i++) {
        if (address_bytes(names.at[i], address))
            continue; /* covered by the ranges, or not allowed at all */
        one.n_bytes = 0;
        one.is_full = false;
        der_tlv(&one, TAG_DNS, names.at[i], strlen(names.at[i]));
        der_tlv(&list, TAG_SEQUENCE, one.bytes, one.n_bytes);
    }
    for (size_t i = 0;
         i < sizeof v4_ranges / sizeof *v4_ranges + sizeof v6_ranges / sizeof *v6_ranges; i++) {
        size_t n_v4 = sizeof v4_ranges / sizeof *v4_ranges;
        one.n_bytes = 0;
        one.is_full = false;
        if (i < n_v4)
            der_tlv(&one, TAG_ADDRESS, v4_ranges[i], sizeof v4_ranges[i]);
        else
            der_tlv(&one, TAG_ADDRESS, v6_ranges[i - n_v4], sizeof v6_ranges[i - n_v4]);
        der_tlv(&list, TAG_SEQUENCE, one.bytes, one.n_bytes);
    }
    der_tlv(&all, TAG_CONTEXT_0_SET, list.bytes, list.n_bytes);
    der_tlv(out, TAG_SEQUENCE, all.bytes, all.n_bytes);
    out->is_full |= list.is_full || all.is_full;
}

/* RFC 7093 method 1: the first 160 bits of SHA-256 over the public key. */
static bool key_id_of(mbedtls_pk_context *pk, uint8_t id[KEY_ID_BYTES_X509], struct err *e)
{
    uint8_t der[256], hash[32];
    int n = mbedtls_pk_write_pubkey_der(pk, der, sizeof der); /* written at the end of the buffer */
    if (n < 0)
        return failed(e, "encoding the public key", n);
    int rc = mbedtls_sha256(der + sizeof der - (size_t)n, (size_t)n, hash, 0);
    memcpy(id, hash, KEY_ID_BYTES_X509);
    return rc == 0 || failed(e, "hashing the public key", rc);
}

static int set_extension(mbedtls_x509write_cert *w, const char *oid, size_t n_oid, int is_critical,
                         const struct der *d)
{
    return d->is_full ? MBEDTLS_ERR_X509_BUFFER_TOO_SMALL
                      : mbedtls_x509write_crt_set_extension(w, oid, n_oid, is_critical, d->bytes,
                                                            d->n_bytes);
}

static int set_key_ids(mbedtls_x509write_cert *w, const uint8_t *subject_id,
                       const uint8_t *issuer_id)
{
    struct der subject = {.n_bytes = 0}, inner = {.n_bytes = 0}, issuer = {.n_bytes = 0};
    der_tlv(&subject, TAG_OCTETS, subject_id, KEY_ID_BYTES_X509);
    der_tlv(&inner, TAG_CONTEXT_0, issuer_id, KEY_ID_BYTES_X509);
    der_tlv(&issuer, TAG_SEQUENCE, inner.bytes, inner.n_bytes);
    int rc = set_extension(w, MBEDTLS_OID_SUBJECT_KEY_IDENTIFIER,
                           MBEDTLS_OID_SIZE(MBEDTLS_OID_SUBJECT_KEY_IDENTIFIER), 0, &subject);
    return rc ? rc
              : set_extension(w, MBEDTLS_OID_AUTHORITY_KEY_IDENTIFIER,
                              MBEDTLS_OID_SIZE(MBEDTLS_OID_AUTHORITY_KEY_IDENTIFIER), 0, &issuer);
}

static int set_names(mbedtls_x509write_cert *w, struct cert_names names)
{
    struct der list = {.n_bytes = 0}, whole = {.n_bytes = 0};
    for (uint32_t i = 0; i < names.n; i++) {
        uint8_t address[16];
        size_t n = address_bytes(names.at[i], address);
        if (n)
            der_tlv(&list, TAG_ADDRESS, address, n);
        else
            der_tlv(&list, TAG_DNS, names.at[i], strlen(names.at[i]));
    }
    der_tlv(&whole, TAG_SEQUENCE, list.bytes, list.n_bytes);
    whole.is_full |= list.is_full;
    return set_extension(w, MBEDTLS_OID_SUBJECT_ALT_NAME,
                         MBEDTLS_OID_SIZE(MBEDTLS_OID_SUBJECT_ALT_NAME), 0, &whole);
}

static int set_server_usage(mbedtls_x509write_cert *w)
{
    static const uint8_t server_auth[] = {0x30, 0x0a, 0x06, 0x08, 0x2b, 0x06,
                                          0x01, 0x05, 0x05, 0x07, 0x03, 0x01};
    return mbedtls_x509write_crt_set_extension(w, MBEDTLS_OID_EXTENDED_KEY_USAGE,
                                               MBEDTLS_OID_SIZE(MBEDTLS_OID_EXTENDED_KEY_USAGE), 0,
                                               server_auth, sizeof server_auth);
}

/* ---- common to both ---- */

static int set_validity(mbedtls_x509write_cert *w, int64_t now_s, int64_t n_days)
{
    char from[16], to[16];
    time_t from_s = (time_t)(now_s - BACKDATE_S),
           to_s = (time_t)(now_s - BACKDATE_S + n_days * DAY_S);
    struct tm tm;
    strftime(from, sizeof from, "%Y%m%d%H%M%S", gmtime_r(&from_s, &tm));
    strftime(to, sizeof to, "%Y%m%d%H%M%S", gmtime_r(&to_s, &tm));
    return mbedtls_x509write_crt_set_validity(w, from, to);
}

static int set_serial(mbedtls_x509write_cert *w)
{
    uint8_t serial[SERIAL_BYTES];
    secret_random(serial, sizeof serial);
    serial[0] = (uint8_t)((serial[0] & 0x7f) | 0x40); /* positive, and never shorter */
    return mbedtls_x509write_crt_set_serial_raw(w, serial, sizeof serial);
}

static bool make_key(mbedtls_pk_context *pk, char *key_pem, struct err *e)
{
    int rc = mbedtls_pk_setup(pk, mbedtls_pk_info_from_type(MBEDTLS_PK_ECKEY));
    if (rc == 0)
        rc = mbedtls_ecp_gen_key(MBEDTLS_ECP_DP_SECP256R1, mbedtls_pk_ec(*pk), RNG);
    if (rc == 0)
        rc = mbedtls_pk_write_key_pem(pk, (unsigned char *)key_pem, CERT_PEM_BYTES);
    return rc == 0 || failed(e, "making a key", rc);
}

struct issue {
    mbedtls_x509write_cert w;
    mbedtls_pk_context key, ca_key;
    mbedtls_x509_crt ca;
};

static void issue_init(struct issue *s)
{
    mbedtls_x509write_crt_init(&s->w);
    mbedtls_pk_init(&s->key);
    mbedtls_pk_init(&s->ca_key);
    mbedtls_x509_crt_init(&s->ca);
    mbedtls_x509write_crt_set_version(&s->w, MBEDTLS_X509_CRT_VERSION_3);
    mbedtls_x509write_crt_set_md_alg(&s->w, MBEDTLS_MD_SHA256);
}

static void issue_free(struct issue *s)
{
    mbedtls_x509write_crt_free(&s->w);
    mbedtls_pk_free(&s->key);
    mbedtls_pk_free(&s->ca_key);
    mbedtls_x509_crt_free(&s->ca);
}

static bool write_ca(struct issue *s, const char *common_name, struct cert_names names,
                     int64_t now_s, char *cert_pem, struct err *e)
{
    char subject[CERT_NAME_BYTES + 8];
    uint8_t id[KEY_ID_BYTES_X509];
    struct der constraints = {.n_bytes = 0};
    der_name_constraints(&constraints, names);
    if (!key_id_of(&s->key, id, e))
        return false;
    snprintf(subject, sizeof subject, "CN=%s", common_name);
    mbedtls_x509write_crt_set_subject_key(&s->w, &s->key);
    mbedtls_x509write_crt_set_issuer_key(&s->w, &s->key);
    int rc = mbedtls_x509write_crt_set_subject_name(&s->w, subject);
    rc = rc ? rc : mbedtls_x509write_crt_set_issuer_name(&s->w, subject);
    rc = rc ? rc : set_serial(&s->w);
    rc = rc ? rc : set_validity(&s->w, now_s, CERT_CA_DAYS);
    rc = rc ? rc : mbedtls_x509write_crt_set_basic_constraints(&s->w, 1, 0);
    rc = rc ? rc : mbedtls_x509write_crt_set_key_usage(&s->w, MBEDTLS_X509_KU_KEY_CERT_SIGN);
    rc = rc ? rc : set_key_ids(&s->w, id, id);
    rc = rc ? rc
            : set_extension(&s->w, MBEDTLS_OID_NAME_CONSTRAINTS,
                            MBEDTLS_OID_SIZE(MBEDTLS_OID_NAME_CONSTRAINTS), 1, &constraints);
    rc = rc ? rc : mbedtls_x509write_crt_pem(&s->w, (unsigned char *)cert_pem, CERT_PEM_BYTES, RNG);
    return rc == 0 || failed(e, "writing the CA", rc);
}

bool cert_make_ca(const char *common_name, struct cert_names names, int64_t now_s, char *cert_pem,
                  char *key_pem, struct err *e)
{
    struct issue s;
    issue_init(&s);
    bool ok = make_key(&s.key, key_pem, e) && write_ca(&s, common_name, names, now_s, cert_pem, e);
    issue_free(&s);
    if (!ok)
        secret_wipe(key_pem, CERT_PEM_BYTES);
    return ok;
}

/* One DER element at *p: its tag and content; false at the end or when it does not fit. */
static bool der_next(const unsigned char **p, const unsigned char *end, uint8_t *tag,
                     struct str *content)
{
    size_t n_left = (size_t)(end - *p), n_head = 2, n_bytes;
    if (n_left < 2)
        return false;
    *tag = (*p)[0];
    n_bytes = (*p)[1];
    if (n_bytes & 0x80) {
        size_t n_length = n_bytes & 0x7f;
        if (n_length < 1 || n_length > 2 || n_left < 2 + n_length)
            return false;
        n_bytes = n_length == 1 ? (*p)[2] : (size_t)(*p)[2] << 8 | (*p)[3];
        n_head += n_length;
    }
    if (n_bytes > n_left - n_head)
        return false;
    *content = (struct str){(const char *)*p + n_head, n_bytes};
    *p += n_head + n_bytes;
    return true;
}

static void copy_text(char out[CERT_NAME_BYTES], const unsigned char *p, size_t n_bytes)
{
    snprintf(out, CERT_NAME_BYTES, "%.*s",
             (int)(n_bytes < CERT_NAME_BYTES ? n_bytes : CERT_NAME_BYTES - 1), (const char *)p);
}

/* DNS names of permittedSubtrees, as der_name_constraints wrote them. */
static void read_permits(struct cert_info *info, const unsigned char *p, const unsigned char *end)
{
    uint8_t tag;
    struct str whole, permitted, subtree, name;
    if (!der_next(&p, end, &tag, &whole) || tag != TAG_SEQUENCE)
        return;
    p = (const unsigned char *)whole.p;
    if (!der_next(&p, p + whole.n_bytes, &tag, &permitted) || tag != TAG_CONTEXT_0_SET)
        return;
    p = (const unsigned char *)permitted.p;
    end = p + permitted.n_bytes;
    while (der_next(&p, end, &tag, &subtree) && info->n_permits < CERT_MAX_NAMES) {
        const unsigned char *q = (const unsigned char *)subtree.p;
        if (der_next(&q, q + subtree.n_bytes, &tag, &name) && tag == TAG_DNS)
            copy_text(info->permits[info->n_permits++], (const unsigned char *)name.p,
                      name.n_bytes);
    }
}

/* Our own CA carries a critical extension that Mbed TLS does not interpret; we wrote it, so it is
 * known. ctx: struct cert_info to fill, or NULL. */
static int accept_name_constraints(void *ctx, const mbedtls_x509_crt *crt,
                                   const mbedtls_x509_buf *oid, int is_critical,
                                   const unsigned char *p, const unsigned char *end)
{
    (void)crt;
    (void)is_critical;
    if (MBEDTLS_OID_CMP(MBEDTLS_OID_NAME_CONSTRAINTS, oid) != 0)
        return MBEDTLS_ERR_X509_INVALID_EXTENSIONS;
    if (ctx)
        read_permits(ctx, p, end);
    return 0;
}

static int parse_pem(mbedtls_x509_crt *crt, const char *pem, struct cert_info *info)
{
    mbedtls_pem_context block;
    size_t n_used;
    mbedtls_pem_init(&block);
    int rc =
        mbedtls_pem_read_buffer(&block, "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----",
                                (const unsigned char *)pem, NULL, 0, &n_used);
    if (rc == 0) {
        size_t n_bytes;
        const unsigned char *der = mbedtls_pem_get_buffer(&block, &n_bytes);
        rc = mbedtls_x509_crt_parse_der_with_ext_cb(crt, der, n_bytes, 1, accept_name_constraints,
                                                    info);
    }
    mbedtls_pem_free(&block);
    return rc;
}

static bool write_leaf(struct issue *s, struct cert_names names, int64_t now_s, char *cert_pem,
                       struct err *e)
{
    char issuer[256];
    uint8_t id[KEY_ID_BYTES_X509], ca_id[KEY_ID_BYTES_X509];
    if (!key_id_of(&s->key, id, e) || !key_id_of(&s->ca_key, ca_id, e))
        return false;
    int rc = mbedtls_x509_dn_gets(issuer, sizeof issuer, &s->ca.subject);
    rc = rc < 0 ? rc : 0;
    mbedtls_x509write_crt_set_subject_key(&s->w, &s->key);
    mbedtls_x509write_crt_set_issuer_key(&s->w, &s->ca_key);
    rc = rc ? rc : mbedtls_x509write_crt_set_issuer_name(&s->w, issuer);
    rc = rc ? rc : mbedtls_x509write_crt_set_subject_name(&s->w, "CN=Hearth");
    rc = rc ? rc : set_serial(&s->w);
    rc = rc ? rc : set_validity(&s->w, now_s, CERT_LEAF_DAYS);
    rc = rc ? rc : mbedtls_x509write_crt_set_basic_constraints(&s->w, 0, -1);
    rc = rc ? rc : mbedtls_x509write_crt_set_key_usage(&s->w, MBEDTLS_X509_KU_DIGITAL_SIGNATURE);
    rc = rc ? rc : set_server_usage(&s->w);
    rc = rc ? rc : set_key_ids(&s->w, id, ca_id);
    rc = rc ? rc : set_names(&s->w, names);
    rc = rc ? rc : mbedtls_x509write_crt_pem(&s->w, (unsigned char *)cert_pem, CERT_PEM_BYTES, RNG);
    return rc == 0 || failed(e, "writing the certificate", rc);
}

bool cert_make_leaf(const char *ca_cert_pem, const char *ca_key_pem, struct cert_names names,
                    int64_t now_s, char *cert_pem, char *key_pem, struct err *e)
{
    struct issue s;
    issue_init(&s);
    int rc = parse_pem(&s.ca, ca_cert_pem, NULL);
    rc = rc ? rc
            : mbedtls_pk_parse_key(&s.ca_key, (const unsigned char *)ca_key_pem,
                                   strlen(ca_key_pem) + 1, NULL, 0, RNG);
    bool ok = rc == 0 || failed(e, "reading the CA", rc);
    ok = ok && make_key(&s.key, key_pem, e) && write_leaf(&s, names, now_s, cert_pem, e);
    issue_free(&s);
    if (!ok)
        secret_wipe(key_pem, CERT_PEM_BYTES);
    return ok;
}

/* ---- reading ---- */

static int64_t epoch_of(const mbedtls_x509_time *t)
{
    struct tm tm = {.tm_year = t->year - 1900,
                    .tm_mon = t->mon - 1,
                    .tm_mday = t->day,
                    .tm_hour = t->hour,
                    .tm_min = t->min,
                    .tm_sec = t->sec};
    return (int64_t)timegm(&tm);
}

static void read_names(const mbedtls_x509_crt *crt, struct cert_info *out)
{
    for (const mbedtls_x509_sequence *s = &crt->subject_alt_names;
         s && s->buf.p && out->n_names < CERT_MAX_NAMES; s = s->next) {
        char *name = out->names[out->n_names];
        int tag = s->buf.tag & 0x1f;
        if (tag == 2)
            copy_text(name, s->buf.p, s->buf.len);
        else if (tag != 7 ||
                 !inet_ntop(s->buf.len == 4 ? AF_INET : AF_INET6, s->buf.p, name, CERT_NAME_BYTES))
            continue;
        out->n_names++;
    }
}

static void read_common_name(const mbedtls_x509_crt *crt, struct cert_info *out)
{
    for (const mbedtls_x509_name *n = &crt->subject; n; n = n->next)
        if (n->oid.p && MBEDTLS_OID_CMP(MBEDTLS_OID_AT_CN, &n->oid) == 0)
            copy_text(out->common_name, n->val.p, n->val.len);
}

bool cert_read(const char *cert_pem, struct cert_info *out, struct err *e)
{
    uint8_t hash[32];
    mbedtls_x509_crt crt;
    memset(out, 0, sizeof *out);
    mbedtls_x509_crt_init(&crt);
    int rc = parse_pem(&crt, cert_pem, out);
    if (rc == 0)
        rc = mbedtls_sha256(crt.raw.p, crt.raw.len, hash, 0);
    if (rc == 0) {
        out->not_before_s = epoch_of(&crt.valid_from);
        out->not_after_s = epoch_of(&crt.valid_to);
        read_common_name(&crt, out);
        read_names(&crt, out);
        char *text = out->fingerprint;
        for (int i = 0; i < 32; i++)
            text += snprintf(text, 4, "%02X%s", hash[i], i % 4 == 3 && i < 31 ? " " : "");
    }
    mbedtls_x509_crt_free(&crt);
    return rc == 0 || failed(e, "reading a certificate", rc);
}

bool cert_has_key(const char *cert_pem, const char *key_pem)
{
    mbedtls_x509_crt crt;
    mbedtls_pk_context key;
    mbedtls_x509_crt_init(&crt);
    mbedtls_pk_init(&key);
    bool ok = parse_pem(&crt, cert_pem, NULL) == 0 &&
              mbedtls_pk_parse_key(&key, (const unsigned char *)key_pem, strlen(key_pem) + 1, NULL,
                                   0, RNG) == 0 &&
              mbedtls_pk_check_pair(&crt.pk, &key, RNG) == 0;
    mbedtls_x509_crt_free(&crt);
    mbedtls_pk_free(&key);
    return ok;
}

bool cert_is_issued_by(const char *leaf_pem, const char *ca_pem)
{
    mbedtls_x509_crt leaf, ca;
    uint32_t flags = MBEDTLS_X509_BADCERT_NOT_TRUSTED;
    mbedtls_x509_crt_init(&leaf);
    mbedtls_x509_crt_init(&ca);
    if (parse_pem(&leaf, leaf_pem, NULL) == 0 && parse_pem(&ca, ca_pem, NULL) == 0)
        (void)mbedtls_x509_crt_verify(&leaf, &ca, NULL, NULL, &flags, NULL, NULL);
    mbedtls_x509_crt_free(&leaf);
    mbedtls_x509_crt_free(&ca);
    return !(flags & MBEDTLS_X509_BADCERT_NOT_TRUSTED); /* dates are cert_is_due's */
}

bool cert_is_due(const struct cert_info *info, struct cert_names names, int64_t now_s)
{
    int64_t renew_at_s = info->not_before_s + (info->not_after_s - info->not_before_s) / 3 * 2;
    if (now_s >= renew_at_s || now_s + DAY_S < info->not_before_s || info->n_names != names.n)
        return true;
    for (uint32_t i = 0; i < names.n; i++)
        if (strcmp(info->names[i], names.at[i]) != 0)
            return true;
    return false;
}

/* RFC 1918, 100.64/10, 169.254/16, loopback, fc00::/7, ::1: the ranges of der_name_constraints. */
static bool is_private(const uint8_t *a, size_t n_bytes)
{
    static const uint8_t loopback[16] = {[15] = 1};
    if (n_bytes == 16)
        return (a[0] & 0xfe) == 0xfc || memcmp(a, loopback, 16) == 0;
    return a[0] == 10 || a[0] == 127 || (a[0] == 172 && (a[1] & 0xf0) == 16) ||
           (a[0] == 192 && a[1] == 168) || (a[0] == 100 && (a[1] & 0xc0) == 64) ||
           (a[0] == 169 && a[1] == 254);
}

bool cert_permits(const struct cert_info *ca, const char *name)
{
    uint8_t address[16];
    size_t n_address = address_bytes(name, address), n = strlen(name);
    if (n_address)
        return is_private(address, n_address);
    for (uint32_t i = 0; i < ca->n_permits; i++) {
        size_t n_permit = strlen(ca->permits[i]);
        bool is_below = n > n_permit && name[n - n_permit - 1] == '.' &&
                        strcmp(name + n - n_permit, ca->permits[i]) == 0;
        if (is_below || strcmp(name, ca->permits[i]) == 0)
            return true;
    }
    return false;
}
