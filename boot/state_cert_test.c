#include "boot/state.h"

#include "boot/state_file.h"
#include "net/cert.h"
#include "tests/t.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* each test is a process of its own */
static struct state state;
static struct names names = {.at = {"localhost", "box.local", "192.168.7.20"}, .n = 3};
static struct edge_cert first, cert;
static struct cert_info info;

static void open_state(void)
{
    static struct config c;
    struct err e = {0};
    snprintf(c.state_dir, sizeof c.state_dir, "%s/state", t_scratch_dir());
    MUST_TRUE(state_open(&state, &c, STATE_MAY_BE_MADE, &e), e.msg);
    MUST_TRUE(state_cert(&state, &names, STATE_RENEW_IF_DUE, &first, &e), e.msg);
}

static const char *path_of(const char *name)
{
    static char path[CONFIG_TEXT_BYTES + 16];
    state_path(&state, name, path, sizeof path);
    return path;
}

static void put(const char *name, const char *text, size_t n_bytes)
{
    struct err e = {0};
    MUST_TRUE(state_file_write(path_of(name), text, n_bytes, &e), e.msg);
}

static void check_pair(void)
{
    CHECK_TRUE(cert_has_key(cert.chain_pem, cert.key_pem));
    CHECK_TRUE(cert_is_issued_by(cert.chain_pem, cert.ca_pem));
}

static char *key_of_another(void)
{
    static char other_cert[CERT_PEM_BYTES], other_key[CERT_PEM_BYTES];
    struct err e = {0};
    MUST_TRUE(cert_make_ca("other", (struct cert_names){names.at, names.n}, 1790000000, other_cert,
                           other_key, &e),
              e.msg);
    return other_key;
}

TEST(state_cert_keeps_what_is_good)
{
    struct err e = {0};
    open_state();
    MUST_TRUE(state_cert(&state, &names, STATE_RENEW_IF_DUE, &cert, &e), e.msg);
    CHECK_STR(cert.chain_pem, first.chain_pem);
    CHECK_STR(cert.key_pem, first.key_pem);
    CHECK_STR(cert.ca_pem, first.ca_pem);
    CHECK_TRUE(access(path_of("ca.key.next"), F_OK) < 0);
    struct stat st;
    MUST_TRUE(stat(path_of("ca.key"), &st) == 0, NULL);
    CHECK_EQ(st.st_mode & 0777, 0600);
}

TEST(state_cert_makes_a_leaf_anew_that_is_cut_empty_or_not_of_its_key)
{
    static const char *const files[] = {"leaf.crt", "leaf.key"};
    struct err e = {0};
    open_state();
    for (int i = 0; i < 2; i++) {
        const char *good = i == 0 ? first.chain_pem : first.key_pem;
        size_t cuts[] = {0, 1, 40, strlen(good) / 2, strlen(good) - 20};
        for (size_t j = 0; j < sizeof cuts / sizeof *cuts; j++) {
            put(files[i], good, cuts[j]);
            MUST_TRUE(state_cert(&state, &names, STATE_RENEW_IF_DUE, &cert, &e), e.msg);
            check_pair();
            CHECK_STR(cert.ca_pem, first.ca_pem);
        }
    }
    put("leaf.key", key_of_another(), strlen(key_of_another()));
    MUST_TRUE(state_cert(&state, &names, STATE_RENEW_IF_DUE, &cert, &e), e.msg);
    check_pair();
    put("leaf.crt", first.chain_pem, strlen(first.chain_pem)); /* an older one's certificate */
    MUST_TRUE(state_cert(&state, &names, STATE_RENEW_IF_DUE, &cert, &e), e.msg);
    check_pair();
    MUST_TRUE(unlink(path_of("leaf.key")) == 0, NULL);
    MUST_TRUE(state_cert(&state, &names, STATE_RENEW_IF_DUE, &cert, &e), e.msg);
    check_pair();
    CHECK_STR(cert.ca_pem, first.ca_pem);
}

TEST(state_cert_makes_a_leaf_anew_that_is_of_the_ca_before)
{
    struct err e = {0};
    open_state();
    MUST_TRUE(state_cert(&state, &names, STATE_RENEW_CA, &cert, &e), e.msg);
    CHECK_TRUE(strcmp(cert.ca_pem, first.ca_pem) != 0);
    check_pair();
    put("leaf.crt", first.chain_pem, strlen(first.chain_pem)); /* the power went before its turn */
    put("leaf.key", first.key_pem, strlen(first.key_pem));
    MUST_TRUE(state_cert(&state, &names, STATE_RENEW_IF_DUE, &cert, &e), e.msg);
    check_pair();
    CHECK_TRUE(strcmp(cert.chain_pem, first.chain_pem) != 0);
}

TEST(state_cert_refuses_a_damaged_ca_in_one_line_and_renews_it_when_asked)
{
    struct err e = {0};
    char key[CERT_PEM_BYTES];
    size_t n_key;
    open_state();
    MUST_TRUE(state_file_read(path_of("ca.key"), key, sizeof key, &n_key, &e) == STATE_FILE_READ,
              e.msg);
    const struct {
        const char *file, *text;
        size_t n_bytes;
    } damages[] = {{"ca.key", "", 0},
                   {"ca.key", key, n_key / 2},
                   {"ca.key", key_of_another(), strlen(key_of_another())},
                   {"ca.crt", "", 0},
                   {"ca.crt", first.ca_pem, strlen(first.ca_pem) - 20}};
    for (size_t i = 0; i < sizeof damages / sizeof *damages; i++) {
        put("ca.crt", first.ca_pem, strlen(first.ca_pem));
        put("ca.key", key, n_key);
        put(damages[i].file, damages[i].text, damages[i].n_bytes);
        e = (struct err){0};
        CHECK_TRUE(!state_cert(&state, &names, STATE_RENEW_IF_DUE, &cert, &e));
        CHECK_EQ(e.code, ERR_STATE);
        CHECK_TRUE(strstr(e.msg, "ca.crt and ca.key") && strstr(e.msg, "hearth cert renew --ca"));
    }
    MUST_TRUE(unlink(path_of("ca.key")) == 0, NULL);
    CHECK_TRUE(!state_cert(&state, &names, STATE_RENEW_LEAF, &cert, &e));
    e = (struct err){0};
    MUST_TRUE(state_cert(&state, &names, STATE_RENEW_CA, &cert, &e), e.msg);
    check_pair();
}

/* The three moments of a new CA between which the power may go. */
TEST(state_cert_finishes_a_new_ca_or_stays_with_the_old_one)
{
    struct err e = {0};
    char old_key[CERT_PEM_BYTES] = "", next_key[CERT_PEM_BYTES] = "";
    size_t n_old, n_next;
    open_state();
    MUST_TRUE(state_file_read(path_of("ca.key"), old_key, sizeof old_key, &n_old, &e) ==
                  STATE_FILE_READ,
              e.msg);
    MUST_TRUE(state_cert(&state, &names, STATE_RENEW_CA, &cert, &e), e.msg);
    char next_ca[CERT_PEM_BYTES];
    snprintf(next_ca, sizeof next_ca, "%s", cert.ca_pem);
    MUST_TRUE(state_file_read(path_of("ca.key"), next_key, sizeof next_key, &n_next, &e) ==
                  STATE_FILE_READ,
              e.msg);
    put("ca.key", old_key, n_old); /* after ca.key.next, before ca.crt */
    put("ca.key.next", next_key, n_next);
    put("ca.crt", first.ca_pem, strlen(first.ca_pem));
    MUST_TRUE(state_cert(&state, &names, STATE_RENEW_IF_DUE, &cert, &e), e.msg);
    CHECK_STR(cert.ca_pem, first.ca_pem);
    check_pair();
    put("ca.crt", next_ca, strlen(next_ca)); /* after ca.crt, before ca.key */
    MUST_TRUE(state_cert(&state, &names, STATE_RENEW_IF_DUE, &cert, &e), e.msg);
    CHECK_STR(cert.ca_pem, next_ca);
    check_pair();
    CHECK_TRUE(access(path_of("ca.key.next"), F_OK) < 0);
    MUST_TRUE(cert_read(cert.chain_pem, &info, &e), e.msg);
    CHECK_EQ(info.n_names, 3);
}
