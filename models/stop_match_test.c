#include "models/stop_match.h"
#include "tests/t.h"

#include <stdint.h>
#include <stdio.h>

struct shown {
    char text[1024];
    size_t n_bytes;
};

static void add(struct shown *s, struct str text)
{
    if (text.n_bytes)
        memcpy(s->text + s->n_bytes, text.p, text.n_bytes);
    s->n_bytes += text.n_bytes;
}

/* Feeds text in pieces of piece_bytes (0: random sizes), then ends unless a stop string came. */
static void feed(struct stop_match *s, struct str text, size_t piece_bytes, uint64_t seed,
                 struct shown *out)
{
    uint64_t i_token = 0;
    out->n_bytes = 0;
    for (size_t at = 0; at < text.n_bytes; i_token++) {
        seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407;
        size_t n = piece_bytes ? piece_bytes : 1 + (seed >> 60) % 5;
        n = n < text.n_bytes - at ? n : text.n_bytes - at;
        struct stop_match_text t = stop_match_push(s, (struct str){text.p + at, n}, i_token);
        add(out, t.from_held);
        add(out, t.from_push);
        at += n;
    }
    add(out, stop_match_end(s));
}

static void check_shown(const char *text, const char *stop_a, const char *stop_b, const char *want)
{
    struct err e = {0};
    for (size_t piece_bytes = 0; piece_bytes < 9; piece_bytes++) {
        struct stop_match s;
        struct shown out;
        struct str stops[] = {str_of(stop_a), str_of(stop_b)};
        MUST_TRUE(stop_match_init(&s, stops, 2, &e), e.msg);
        feed(&s, str_of(text), piece_bytes, piece_bytes, &out);
        out.text[out.n_bytes] = 0;
        CHECK_STR(out.text, want);
    }
}

TEST(stop_match_ends_at_the_first_complete_string)
{
    check_shown("one, two", ",", "", "one");
    check_shown("aabaac", "aac", "", "aab");
    check_shown("abababc", "ababc", "", "ab");
    check_shown("no stop here", "\n\n", "###", "no stop here");
    check_shown("abcde", "bcd", "abcde", "a"); /* complete first, though the other began earlier */
    check_shown("xabcd", "cd", "abcd", "x");   /* complete together: the longest */
    check_shown("almost ##", "###", "", "almost ##");
    check_shown("\xc3\xa9\xc3\xa4", "\xc3\xa4", "", "\xc3\xa9");
    check_shown("stop", "stop", "", "");
}

TEST(stop_match_says_where_and_how_many_tokens_stay)
{
    struct stop_match s;
    struct err e = {0};
    struct str stop = STR("END");
    MUST_TRUE(stop_match_init(&s, &stop, 1, &e), e.msg);
    struct stop_match_text t = stop_match_push(&s, STR("abE"), 0);
    CHECK_EQ(t.from_push.n_bytes, 2);
    t = stop_match_push(&s, STR(""), 1); /* a token of thought: no content */
    CHECK_EQ(t.from_held.n_bytes + t.from_push.n_bytes, 0);
    t = stop_match_push(&s, STR("EN"), 2);
    CHECK_EQ(t.from_held.n_bytes, 1);
    CHECK_TRUE(!s.is_matched);
    t = stop_match_push(&s, STR("Dxyz"), 3);
    CHECK_TRUE(s.is_matched);
    CHECK_EQ(s.n_keep_tokens, 4);
    CHECK_EQ(s.match_at_bytes, 3);
    CHECK_EQ(t.from_held.n_bytes + t.from_push.n_bytes, 0);
    t = stop_match_push(&s, STR("more"), 4);
    CHECK_EQ(t.from_held.n_bytes + t.from_push.n_bytes, 0);
    CHECK_EQ(stop_match_end(&s).n_bytes, 0);
}

TEST(stop_match_equals_a_plain_search_for_any_cut)
{
    uint64_t state = 11;
    int n_matches = 0;
    for (int round = 0; round < 4000; round++) {
        char text[64], stops_text[3][12];
        struct str stops[3];
        struct err e = {0};
        for (int k = 0; k < 4; k++) {
            state = state * UINT64_C(6364136223846793005) + 1442695040888963407;
            size_t n = k == 3 ? 20 + (state >> 59) : 1 + (state >> 61);
            char *to = k == 3 ? text : stops_text[k];
            for (size_t i = 0; i < n; i++) {
                state = state * UINT64_C(6364136223846793005) + 1442695040888963407;
                to[i] = (char)('a' + (state >> 40) % 3);
            }
            to[n] = 0;
            if (k < 3)
                stops[k] = (struct str){to, n};
        }
        size_t best_end = SIZE_MAX, best_start = SIZE_MAX;
        for (int k = 0; k < 3; k++) {
            size_t at = str_find(str_of(text), stops[k], 0), end = at + stops[k].n_bytes;
            if (at != SIZE_MAX && (end < best_end || (end == best_end && at < best_start))) {
                best_end = end;
                best_start = at;
            }
        }
        struct stop_match s;
        struct shown out;
        MUST_TRUE(stop_match_init(&s, stops, 3, &e), e.msg);
        feed(&s, str_of(text), 0, state, &out);
        size_t n_want = best_end == SIZE_MAX ? strlen(text) : best_start;
        n_matches += s.is_matched;
        MUST_TRUE(out.n_bytes == n_want, text);
        CHECK_BYTES(out.text, text, n_want);
        CHECK_EQ(s.is_matched, best_end != SIZE_MAX);
    }
    CHECK_TRUE(n_matches > 1000 && n_matches < 4000);
}

TEST(stop_match_knows_its_limits)
{
    struct stop_match s;
    struct err e = {0};
    struct str many[STOP_MATCH_MAX_STRINGS + 2];
    char text[STOP_MATCH_MAX_BYTES + 1];
    memset(text, 'x', sizeof text);
    for (size_t i = 0; i < STOP_MATCH_MAX_STRINGS + 2; i++)
        many[i] = STR("x");
    many[0] = STR(""); /* dropped */
    CHECK_TRUE(stop_match_init(&s, many, STOP_MATCH_MAX_STRINGS + 1, &e));
    CHECK_TRUE(!stop_match_init(&s, many, STOP_MATCH_MAX_STRINGS + 2, &e));
    CHECK_EQ(e.code, ERR_LIMIT);
    many[0] = (struct str){text, STOP_MATCH_MAX_BYTES};
    CHECK_TRUE(stop_match_init(&s, many, 1, &e));
    struct shown out;
    char twice[2 * STOP_MATCH_MAX_BYTES];
    memset(twice, 'x', sizeof twice);
    twice[STOP_MATCH_MAX_BYTES - 1] = 'y';
    feed(&s, (struct str){twice, sizeof twice}, 7, 0, &out);
    CHECK_TRUE(s.is_matched || out.n_bytes == sizeof twice);
    CHECK_EQ(out.n_bytes, STOP_MATCH_MAX_BYTES);
    many[0] = (struct str){text, STOP_MATCH_MAX_BYTES + 1};
    CHECK_TRUE(!stop_match_init(&s, many, 1, &e));
}
