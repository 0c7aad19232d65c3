#include "net/cert.h"

#include "tests/t.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const int64_t now_s = 1790000000;

static struct cert_info info; /* each test is a process of its own */

struct made {
    char names[CERT_MAX_NAMES][CERT_NAME_BYTES];
    uint32_t n_names;
    char ca[CERT_PEM_BYTES], ca_key[CERT_PEM_BYTES], leaf[CERT_PEM_BYTES], leaf_key[CERT_PEM_BYTES];
};

static struct made *make(void)
{
    static const char *const names[] = {"box.local", "box", "localhost", "192.168.7.20",
                                        "127.0.0.1", "::1", "fd00::7"};
    struct err e = {0};
    struct made *m = calloc(1, sizeof *m);
    MUST_TRUE(m && cert_init(&e), e.msg);
    for (; m->n_names < sizeof names / sizeof *names; m->n_names++)
        snprintf(m->names[m->n_names], CERT_NAME_BYTES, "%s", names[m->n_names]);
    MUST_TRUE(cert_make_ca("Hearth box CA", (struct cert_names){m->names, m->n_names}, now_s, m->ca,
                           m->ca_key, &e),
              e.msg);
    MUST_TRUE(cert_make_leaf(m->ca, m->ca_key, (struct cert_names){m->names, m->n_names}, now_s,
                             m->leaf, m->leaf_key, &e),
              e.msg);
    return m;
}

TEST(cert_leaf_holds_its_names_and_dates)
{
    struct made *m = make();
    struct err e = {0};
    MUST_TRUE(cert_read(m->leaf, &info, &e), e.msg);
    CHECK_EQ(info.n_names, m->n_names);
    for (uint32_t i = 0; i < info.n_names; i++)
        CHECK_STR(info.names[i], m->names[i]);
    CHECK_EQ(info.not_before_s, now_s - 2 * 86400);
    CHECK_EQ(info.not_after_s - info.not_before_s, 397 * 86400);
    CHECK_EQ(strlen(info.fingerprint), 71);
    free(m);
}

TEST(cert_ca_lives_twenty_years_under_its_own_name)
{
    struct made *m = make();
    struct err e = {0};
    MUST_TRUE(cert_read(m->ca, &info, &e), e.msg);
    CHECK_STR(info.common_name, "Hearth box CA");
    CHECK_EQ(info.not_after_s - info.not_before_s, INT64_C(7305) * 86400);
    free(m);
}

TEST(cert_is_due_after_two_thirds_or_for_other_names)
{
    struct made *m = make();
    struct err e = {0};
    MUST_TRUE(cert_read(m->leaf, &info, &e), e.msg);
    int64_t third_s = (info.not_after_s - info.not_before_s) / 3;
    CHECK_TRUE(!cert_is_due(&info, (struct cert_names){m->names, m->n_names}, now_s));
    CHECK_TRUE(!cert_is_due(&info, (struct cert_names){m->names, m->n_names},
                            info.not_before_s + 2 * third_s - 10));
    CHECK_TRUE(cert_is_due(&info, (struct cert_names){m->names, m->n_names},
                           info.not_before_s + 2 * third_s + 10));
    CHECK_TRUE(cert_is_due(&info, (struct cert_names){m->names, m->n_names - 1}, now_s));
    m->names[1][0] = 'c';
    CHECK_TRUE(cert_is_due(&info, (struct cert_names){m->names, m->n_names}, now_s));
    free(m);
}

TEST(cert_refuses_what_is_no_certificate)
{
    struct made *m = make();
    struct err e = {0};
    CHECK_TRUE(!cert_read("nothing", &info, &e));
    CHECK_EQ(e.code, ERR_STATE);
    m->leaf[strlen(m->leaf) / 2] = 0; /* half a file */
    CHECK_TRUE(!cert_read(m->leaf, &info, &e));
    char cert[CERT_PEM_BYTES], key[CERT_PEM_BYTES];
    CHECK_TRUE(!cert_make_leaf(m->ca, "no key", (struct cert_names){m->names, m->n_names}, now_s,
                               cert, key, &e));
    free(m);
}

TEST(cert_ca_permits_its_names_and_private_addresses_alone)
{
    static const struct {
        const char *name;
        bool is_permitted;
    } cases[] = {{"box.local", true},    {"a.box.local", true}, {"abox.local", false},
                 {"other.local", false}, {"localhost", true},   {"10.1.2.3", true},
                 {"172.31.0.1", true},   {"172.32.0.1", false}, {"192.0.2.10", false},
                 {"100.64.0.1", true},   {"fd12::1", true},     {"2001:db8::1", false},
                 {"::1", true},          {"8.8.8.8", false},    {"", false}};
    struct made *m = make();
    struct err e = {0};
    MUST_TRUE(cert_read(m->ca, &info, &e), e.msg);
    CHECK_EQ(info.n_permits, 3); /* box.local, box, localhost */
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        CHECK_EQ(cert_permits(&info, cases[i].name), cases[i].is_permitted);
    free(m);
}

TEST(cert_knows_its_own_key_and_its_issuer)
{
    struct made *m = make(), *other = make();
    CHECK_TRUE(cert_has_key(m->leaf, m->leaf_key) && cert_has_key(m->ca, m->ca_key));
    CHECK_TRUE(!cert_has_key(m->leaf, other->leaf_key) && !cert_has_key(m->ca, m->leaf_key));
    CHECK_TRUE(cert_is_issued_by(m->leaf, m->ca));
    CHECK_TRUE(!cert_is_issued_by(other->leaf, m->ca)); /* of the same name */
    CHECK_TRUE(!cert_has_key("", m->leaf_key) && !cert_has_key(m->leaf, ""));
    CHECK_TRUE(!cert_is_issued_by("", m->ca) && !cert_is_issued_by(m->leaf, ""));
    for (size_t n = strlen(m->leaf_key) - 10; n > 0; n /= 2) { /* cut short */
        m->leaf_key[n] = 0;
        CHECK_TRUE(!cert_has_key(m->leaf, m->leaf_key));
    }
    free(m);
    free(other);
}
