#include "models/json_text.h"
#include "tests/t.h"

#include <stdio.h>
#include <stdlib.h>

static void check_refused(struct str text, const char *want_word)
{
    struct err e = {0};
    json_t *v = json_text_parse(text, &e);
    if (!CHECK_TRUE(!v))
        fprintf(stderr, "    accepted: %.*s\n", STR_ARG(text));
    CHECK_EQ(e.code, ERR_FORMAT);
    if (!CHECK_TRUE(strstr(e.msg, want_word)))
        CHECK_STR(e.msg, want_word);
    json_decref(v);
}

TEST(json_text_refuses_what_the_api_refuses)
{
    check_refused(STR(""), "json:");
    check_refused(STR("{\"a\":1,\"a\":2}"), "duplicate");
    check_refused(STR("{\"a\":1,\"\\u0061\":2}"), "duplicate");
    check_refused(STR("[1e400]"), "json:");
    check_refused(STR("\"\\ud800\""), "json:");
    check_refused(STR("\"\\udc00\\ud800\""), "json:");
    check_refused(STR("\"\xc3\""), "UTF-8");
    check_refused(STR("\"\xed\xa0\x80\""), "UTF-8");
    check_refused(STR("{} x"), "json:");
    check_refused(STR("[1,]"), "json:");
    check_refused(STR("\"open"), "no end");
    check_refused(STR("\"open\\\""), "no end");
    check_refused(STR("[01]"), "json:");
    check_refused(STR("[-]"), "json:");
    check_refused(STR("[99999999999999999999x]"), "json:");
    check_refused(STR("[099999999999999999999]"), "json:");
    check_refused(STR("'a'"), "json:");
    check_refused(STR("{123456789012345678901234567890 : 1}"), "json:");
}

TEST(json_text_error_texts_name_the_byte_and_quote_nothing)
{
    struct err e = {0};
    CHECK_TRUE(!json_text_parse(STR("{\"secret\": nonsense}"), &e));
    CHECK_TRUE(strstr(e.msg, "at byte"));
    CHECK_TRUE(!strstr(e.msg, "nonsense") && !strstr(e.msg, "secret"));
}

static void nest(char *text, size_t depth, const char *open, const char *shut)
{
    text[0] = 0;
    for (size_t i = 0; i < depth; i++)
        strcat(text, open);
    for (size_t i = 0; i < depth; i++)
        strcat(text, shut);
}

TEST(json_text_depth_is_limited)
{
    struct err e = {0};
    char text[512];
    nest(text, JSON_TEXT_MAX_DEPTH, "[", "]");
    json_t *v = json_text_parse(str_of(text), &e);
    CHECK_TRUE(v);
    json_decref(v);
    nest(text, JSON_TEXT_MAX_DEPTH + 1, "[", "]");
    check_refused(str_of(text), "deeper");
    check_refused(STR("]]]]]"), "json:");
    v = json_text_parse(
        STR("[\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\"]"),
        &e);
    CHECK_TRUE(v); /* brackets in strings do not nest */
    json_decref(v);
}

static void check_integer(const char *number, bool want_big)
{
    char text[128];
    struct err e = {0};
    struct str digits;
    snprintf(text, sizeof text, "{\"s\":\"12345678901234567890\",\"n\":%s}", number);
    json_t *v = json_text_parse(str_of(text), &e);
    MUST_TRUE(v, e.msg);
    json_t *n = json_object_get(v, "n");
    CHECK_EQ(json_text_is_big_int(n, &digits), want_big);
    if (want_big) {
        CHECK_TRUE(str_is(digits, number));
    } else {
        char back[32];
        snprintf(back, sizeof back, "%lld", (long long)json_integer_value(n));
        CHECK_STR(back, number);
    }
    CHECK_TRUE(!json_text_is_big_int(json_object_get(v, "s"),
                                     &digits)); /* a string of digits stays a string */
    json_decref(v);
}

TEST(json_text_integers_are_exact_at_any_size)
{
    check_integer("0", false);
    check_integer("9223372036854775807", false);
    check_integer("-9223372036854775808", false);
    check_integer("9223372036854775808", true);
    check_integer("-9223372036854775809", true);
    check_integer("1000000000000000000000000000000", true);
    check_integer("-123456789012345678901234567890123456789012345678901234567890", true);
}

TEST(json_text_nobody_can_forge_a_big_integer)
{
    check_refused(STR("\"\xef\xb7\x90"
                      "1\""),
                  "U+FDD0");
    check_refused(STR("\"\\ufdd0"
                      "1\""),
                  "U+FDD0");
    check_refused(STR("{\"a\":[\"\\uFDD0\"]}"), "U+FDD0");
    struct err e = {0};
    struct str digits;
    json_t *v = json_text_parse(STR("\"x\xef\xb7\x90\""), &e);
    CHECK_TRUE(v && !json_text_is_big_int(v, &digits)); /* elsewhere it does no harm */
    json_decref(v);
}

TEST(json_text_keeps_nul_order_and_escapes)
{
    struct err e = {0};
    json_t *v =
        json_text_parse(STR("\xef\xbb\xbf{\"b\":\"a\\u0000b\",\"a\":\"\\ud83e\\udd99\\n\"}"), &e);
    MUST_TRUE(v, e.msg);
    struct str s = json_text_str(json_object_get(v, "b"));
    CHECK_EQ(s.n_bytes, 3);
    CHECK_TRUE(str_is(json_text_str(json_object_get(v, "a")), "\xf0\x9f\xa6\x99\n"));
    CHECK_STR(json_object_iter_key(json_object_iter(v)), "b");
    CHECK_EQ(json_text_str(v).n_bytes, 0);
    json_decref(v);
}

/* ---- a pool that runs dry ---- */

struct pool_state {
    long n_left;
    long n_live;
};
static struct pool_state pool;

static void *take(size_t n_bytes)
{
    if (pool.n_left-- <= 0)
        return NULL;
    pool.n_live++;
    return malloc(n_bytes);
}

static void give(void *p)
{
    pool.n_live -= p != NULL;
    free(p);
}

TEST(json_text_a_dry_pool_is_an_error_and_leaks_nothing)
{
    static const char text[] =
        "{\"a\":[1,2.5,\"x\",{\"b\":123456789012345678901234567890}],\"c\":null}";
    long n_needed = -1;
    int n_nomem = 0;
    json_set_alloc_funcs(take, give);
    for (long n = 0; n < 200 && n_needed < 0; n++) {
        struct err e = {0};
        pool = (struct pool_state){n, 0};
        json_t *v = json_text_parse(STR(text), &e);
        if (v)
            n_needed = n;
        else
            CHECK_TRUE(e.code == ERR_NOMEM || e.code == ERR_FORMAT);
        n_nomem += e.code == ERR_NOMEM;
        json_decref(v);
        CHECK_EQ(pool.n_live, 0);
    }
    json_set_alloc_funcs(malloc, free);
    CHECK_TRUE(n_needed > 5);
    CHECK_TRUE(n_nomem > 5);
}
