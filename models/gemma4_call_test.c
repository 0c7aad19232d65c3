#include "models/gemma4_call.h"
#include "models/json_text.h"
#include "tests/t.h"

#include <stdio.h>
#include <stdlib.h>

#define Q GEMMA4_CALL_QUOTE

static void check_call(const char *body, const char *name, const char *arguments)
{
    char out[1024], got[1024] = "";
    struct gemma4_call c;
    bool ok = gemma4_call_parse(str_of(body), out, sizeof out, &c);
    if (ok)
        snprintf(got, sizeof got, "%.*s %.*s", STR_ARG(c.name), STR_ARG(c.arguments));
    char want[1024] = "";
    if (name)
        snprintf(want, sizeof want, "%s %s", name, arguments);
    CHECK_STR(got, want);
    if (!ok)
        return;
    struct err e = {0};
    json_t *v = json_text_parse(c.arguments, &e);
    CHECK_TRUE(json_is_object(v)); /* what comes out is JSON by an independent reader */
    json_decref(v);
}

TEST(gemma4_call_reads_the_grammar)
{
    check_call("call:f{}", "f", "{}");
    check_call(" call: web.search { q : " Q "x" Q " } ", "web.search", "{\"q\":\"x\"}");
    check_call("call:f{a:[],b:{},c:[[1],{d:2}]}", "f", "{\"a\":[],\"b\":{},\"c\":[[1],{\"d\":2}]}");
    check_call("call:f{a:-0,b:1.50,c:1e5,d:1E-07}", "f",
               "{\"a\":-0,\"b\":1.50,\"c\":1e5,\"d\":1E-07}");
    check_call("call:f{n:123456789012345678901234567890}", "f",
               "{\"n\":123456789012345678901234567890}");
    check_call("call:f{a:" Q "}],\"\\\n\x01\t\xc3\xa9" Q "}", "f",
               "{\"a\":\"}],\\\"\\\\\\n\\u0001\\t\xc3\xa9\"}");
    check_call("call:f{my key:1}", "f", "{\"my key\":1}");
}

TEST(gemma4_call_reads_the_lenient_additions)
{
    check_call("call:f{a:True,b:False,c:None,d:nil,e:NULL}", "f",
               "{\"a\":true,\"b\":false,\"c\":null,\"d\":null,\"e\":null}");
    check_call("call:f{a:two words ,b:007,c:1.,d:12:30}", "f",
               "{\"a\":\"two words\",\"b\":\"007\",\"c\":\"1.\",\"d\":\"12:30\"}");
    check_call("call:f{\"k\":\"\\u00e9\\ud83e\\udd99\\/\\b\"}", "f",
               "{\"k\":\"\xc3\xa9\xf0\x9f\xa6\x99/\\b\"}");
    check_call("call:f{a:\"line\nfeed\"}", "f", "{\"a\":\"line\\nfeed\"}");
}

TEST(gemma4_call_refuses_what_is_not_in_it)
{
    static const char *const bad[] = {"",
                                      "f{}",
                                      "call:{}",
                                      "call:f",
                                      "call:f{",
                                      "call:f{a}",
                                      "call:f{a:}",
                                      "call:f{a:1,}",
                                      "call:f{,}",
                                      "call:f{:1}",
                                      "call:f{a:1}}",
                                      "call:f{a:1} x",
                                      "call:f{a:[1}",
                                      "call:f{a:[1,]}",
                                      "call:f{a:" Q "x}",
                                      "call:f{a:" Q "x" Q "y}",
                                      "call:f{a:x" Q "y" Q "}",
                                      "call:" Q "f" Q "{}",
                                      "call:f{\"a:1}",
                                      "call:f{\"a\\q\":1}",
                                      "call:f{\"\\ud800\":1}",
                                      "call:f{\"\\udc00\":1}",
                                      "call:f{\"\\u12g4\":1}"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        check_call(bad[i], NULL, NULL);
}

TEST(gemma4_call_depth_and_room_are_limited)
{
    char body[256] = "call:f{a:", out[64];
    struct gemma4_call c;
    size_t n = strlen(body);
    for (int i = 0; i < GEMMA4_CALL_MAX_DEPTH - 1; i++)
        body[n++] = '[';
    for (int i = 0; i < GEMMA4_CALL_MAX_DEPTH - 1; i++)
        body[n++] = ']';
    body[n] = '}';
    char wide[512];
    CHECK_TRUE(gemma4_call_parse((struct str){body, n + 1}, wide, sizeof wide, &c));
    CHECK_TRUE(!gemma4_call_parse((struct str){body, n + 1}, out, sizeof out, &c));
    memmove(body + 10, body + 9, n - 8);
    body[9] = '[';
    body[n + 1] = ']';
    body[n + 2] = '}';
    CHECK_TRUE(!gemma4_call_parse((struct str){body, n + 3}, wide, sizeof wide, &c));
    for (size_t room = 0; room <= 12; room++)
        CHECK_EQ(gemma4_call_parse(STR("call:name{a:1}"), out, room, &c), room >= 11);
}
