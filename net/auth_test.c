#include "net/auth.h"

#include "tests/t.h"

#include <stdio.h>
#include <stdlib.h>

static struct auth auth;
static struct key_table table;
static char text[3][KEY_TEXT_BYTES + 1];

static void open_with_three_keys(void)
{
    struct err e = {0};
    MUST_TRUE(secret_init(&e) && auth_open(&auth, &e), e.msg);
    table = (struct key_table){.version = KEY_TABLE_VERSION, .n_keys = 3};
    secret_random(table.pepper, sizeof table.pepper);
    struct key_order order = {.name = "front desk", .scopes = KEY_CHAT};
    for (size_t i = 0; i < 3; i++) {
        order.expires_s = i == 1 ? 2000 : 0;
        MUST_TRUE(key_create(&order, table.pepper, 1000, &table.keys[i], text[i], &e), e.msg);
    }
    table.keys[2].revoked_s = 1500;
    MUST_TRUE(auth_load(&auth, &table, &e), e.msg);
}

static enum auth_result check_bearer(const char *value, int64_t now_s, int *key_no)
{
    struct str s = str_of(value);
    return auth_check(&auth, &s, NULL, now_s, key_no);
}

TEST(auth_accepts_a_key_in_both_headers_and_tells_which)
{
    open_with_three_keys();
    char header[128];
    int no = -7;
    snprintf(header, sizeof header, "bEaReR   %s", text[0]);
    CHECK_EQ(check_bearer(header, 1000, &no), AUTH_OK);
    CHECK_EQ(no, 0);
    struct str plain = str_of(text[0]), other = STR("Bearer sk-wrong");
    CHECK_EQ(auth_check(&auth, NULL, &plain, 1000, &no), AUTH_OK);
    CHECK_EQ(auth_check(&auth, &other, &plain, 1000, &no),
             AUTH_INVALID); /* Authorization counts first */
    CHECK_EQ(no, KEY_NONE);
}

TEST(auth_tells_expired_and_revoked_only_to_the_right_secret)
{
    open_with_three_keys();
    char header[128];
    int no;
    snprintf(header, sizeof header, "Bearer %s", text[1]);
    CHECK_EQ(check_bearer(header, 1999, &no), AUTH_OK);
    CHECK_EQ(check_bearer(header, 2000, &no), AUTH_EXPIRED);
    snprintf(header, sizeof header, "Bearer %s", text[2]);
    CHECK_EQ(check_bearer(header, 1999, &no), AUTH_REVOKED);
    size_t last = strlen(header) - 1;
    header[last] = header[last] == 'a' ? 'b' : 'a';
    CHECK_EQ(check_bearer(header, 1999, &no), AUTH_INVALID);
    CHECK_EQ(auth_find(&auth, table.keys[0].id, 5000), 0);
    CHECK_EQ(auth_find(&auth, table.keys[1].id, 5000), KEY_NONE);
    CHECK_EQ(auth_find(&auth, table.keys[2].id, 5000), KEY_NONE);
}

TEST(auth_every_changed_character_is_noticed)
{
    open_with_three_keys();
    char header[128];
    size_t n_accepted = 0;
    int no;
    for (size_t i = 0; i < KEY_TEXT_BYTES; i++) {
        snprintf(header, sizeof header, "Bearer %s", text[0]);
        header[7 + i] = header[7 + i] == 'x' ? 'y' : 'x';
        n_accepted += check_bearer(header, 1000, &no) != AUTH_INVALID;
    }
    CHECK_EQ(n_accepted, 0);
    CHECK_EQ(check_bearer("Bearer ", 1000, &no), AUTH_MISSING);
    CHECK_EQ(check_bearer("Basic eDp5", 1000, &no), AUTH_INVALID);
    CHECK_EQ(auth_check(&auth, NULL, NULL, 1000, &no), AUTH_MISSING);
    snprintf(header, sizeof header, "Bearer %s0", text[0]);
    CHECK_EQ(check_bearer(header, 1000, &no), AUTH_INVALID);
}

TEST(auth_without_keys_is_closed)
{
    struct err e = {0};
    MUST_TRUE(secret_init(&e) && auth_open(&auth, &e), e.msg);
    char header[128];
    int no;
    snprintf(header, sizeof header, "Bearer sk-hearth-%08d-%043d", 0, 0);
    CHECK_EQ(check_bearer(header, 1, &no), AUTH_INVALID);
}

TEST(auth_blocks_an_address_after_ten_failures_for_a_minute)
{
    open_with_three_keys();
    struct addr bad, good;
    MUST_TRUE(addr_parse(STR("192.168.1.7"), &bad) && addr_parse(STR("192.168.1.8"), &good), NULL);
    for (int i = 0; i < AUTH_MAX_FAILURES; i++) {
        CHECK_TRUE(!auth_is_blocked(&auth, &bad, 1000 + i));
        auth_note_failure(&auth, &bad, 1000 + i);
    }
    CHECK_TRUE(auth_is_blocked(&auth, &bad, 1010));
    CHECK_TRUE(!auth_is_blocked(&auth, &good, 1010));
    CHECK_TRUE(auth_is_blocked(&auth, &bad, 1009 + AUTH_WINDOW_MS - 1));
    CHECK_TRUE(!auth_is_blocked(&auth, &bad, 1009 + AUTH_WINDOW_MS));
}

TEST(auth_forgets_failures_older_than_a_minute)
{
    open_with_three_keys();
    struct addr a;
    MUST_TRUE(addr_parse(STR("fd00::1"), &a), NULL);
    for (int i = 0; i < 3 * AUTH_MAX_FAILURES; i++)
        auth_note_failure(&auth, &a, (int64_t)i * AUTH_WINDOW_MS / 5);
    CHECK_TRUE(!auth_is_blocked(&auth, &a, (int64_t)3 * AUTH_MAX_FAILURES * AUTH_WINDOW_MS / 5));
}

TEST(auth_refuses_damaged_tables_and_keeps_the_old_one)
{
    open_with_three_keys();
    struct err e = {0};
    char header[128];
    int no;
    table.n_keys = KEY_TABLE_MAX + 1;
    CHECK_TRUE(!auth_load(&auth, &table, &e));
    table.n_keys = 3;
    memset(table.keys[1].name, 'x', sizeof table.keys[1].name);
    CHECK_TRUE(!auth_load(&auth, &table, &e));
    snprintf(header, sizeof header, "Bearer %s", text[0]);
    CHECK_EQ(check_bearer(header, 1000, &no), AUTH_OK);
}

TEST(key_scopes_are_words)
{
    uint32_t scopes;
    struct err e;
    CHECK_TRUE(key_scopes_parse(STR("chat,metrics"), &scopes, &e));
    CHECK_EQ(scopes, KEY_CHAT | KEY_METRICS);
    CHECK_TRUE(!key_scopes_parse(STR("chat,"), &scopes, &e));
    CHECK_TRUE(!key_scopes_parse(STR("root"), &scopes, &e));
    CHECK_TRUE(strstr(e.msg, "root") != NULL);
}
