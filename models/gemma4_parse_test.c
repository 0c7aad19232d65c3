#include "models/gemma4_parse.h"
#include "models/json_text.h"
#include "tests/t.h"
#include "tests/tok_small.h"

enum { MAX_IDS = 8192, TEXT_ROOM = 65536 };

/* All that the events of one answer said. */
struct answer {
    char reasoning[TEXT_ROOM], content[TEXT_ROOM], calls[TEXT_ROOM];
    size_t n_reasoning, n_content, n_calls_bytes;
    uint32_t n_calls, n_stops;
};

struct fixture {
    struct tok tok;
    void *image;
    struct tok_scratch *scratch;
    char *buf;
    struct gemma4_parse p;
    struct answer a;
    int32_t ids[MAX_IDS], whole[MAX_IDS];
    size_t n_ids;
};

static struct fixture *fixture_new(void)
{
    struct fixture *f = calloc(1, sizeof *f);
    struct err e = {0};
    MUST_TRUE(f, "memory");
    f->image = tok_small_open(&f->tok, &e);
    MUST_TRUE(f->image, e.msg);
    f->scratch = malloc(tok_scratch_bytes());
    f->buf = malloc(GEMMA4_PARSE_BUF_BYTES);
    MUST_TRUE(f->scratch && f->buf, "memory");
    return f;
}

static void fixture_free(struct fixture *f)
{
    free(f->image);
    free(f->scratch);
    free(f->buf);
    free(f);
}

static void put(char *to, size_t *n, struct str text)
{
    MUST_TRUE(text.n_bytes < TEXT_ROOM - *n, "answer too long");
    memcpy(to + *n, text.p, text.n_bytes);
    *n += text.n_bytes;
    to[*n] = 0;
}

static void take_events(struct answer *a, const struct gemma4_event *ev, size_t n)
{
    MUST_TRUE(n <= GEMMA4_MAX_EVENTS, "too many events");
    for (size_t i = 0; i < n; i++) {
        bool has_text = ev[i].kind == GEMMA4_EVENT_REASONING || ev[i].kind == GEMMA4_EVENT_CONTENT;
        MUST_TRUE(!has_text || (ev[i].text.n_bytes > 0 && str_is_utf8(ev[i].text)),
                  "empty or broken delta");
        switch (ev[i].kind) {
        case GEMMA4_EVENT_REASONING:
            put(a->reasoning, &a->n_reasoning, ev[i].text);
            break;
        case GEMMA4_EVENT_CONTENT:
            put(a->content, &a->n_content, ev[i].text);
            break;
        case GEMMA4_EVENT_CALL:
            put(a->calls, &a->n_calls_bytes, ev[i].name);
            put(a->calls, &a->n_calls_bytes, ev[i].arguments);
            put(a->calls, &a->n_calls_bytes, STR("\n"));
            a->n_calls++;
            break;
        case GEMMA4_EVENT_STOP:
            a->n_stops++;
            break;
        }
    }
}

static void run(struct fixture *f, uint32_t flags, enum gemma4_parse_end_kind end)
{
    struct gemma4_event ev[GEMMA4_MAX_EVENTS];
    memset(&f->a, 0, sizeof f->a);
    gemma4_parse_init(&f->p, &f->tok, flags, f->buf, GEMMA4_PARSE_BUF_BYTES);
    for (size_t i = 0; i < f->n_ids; i++)
        take_events(&f->a, ev, gemma4_parse_push(&f->p, f->ids[i], ev));
    take_events(&f->a, ev, gemma4_parse_end(&f->p, end, ev));
    CHECK_EQ(gemma4_parse_end(&f->p, end, ev), 0);
}

enum cut { CUT_BY_VOCABULARY, CUT_INTO_BYTES, CUT_AT_RANDOM };

/* Marker strings become their token; the text between is cut into tokens in one of three ways. */
static void set_text(struct fixture *f, struct str text, enum cut cut, uint64_t seed)
{
    struct tok_segment seg = {text, true};
    struct err e = {0};
    struct tok_ids whole = {f->whole, MAX_IDS, 0};
    MUST_TRUE(tok_encode(&f->tok, &(struct tok_text){&seg, 1, false}, f->scratch, &whole, &e),
              e.msg);
    f->n_ids = 0;
    for (size_t i = 0; i < whole.n; i++) {
        enum tok_class c = tok_class_of(&f->tok, whole.at[i]);
        seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407;
        bool is_cut = cut == CUT_INTO_BYTES || (cut == CUT_AT_RANDOM && seed >> 63);
        char raw[64];
        if (c != TOK_NORMAL || !is_cut) {
            f->ids[f->n_ids++] = whole.at[i];
            continue;
        }
        size_t n = detok_bytes(&f->tok, whole.at[i], raw, sizeof raw);
        for (size_t k = 0; k < n; k++) {
            char piece[8];
            snprintf(piece, sizeof piece, "<0x%02X>", (unsigned char)raw[k]);
            f->ids[f->n_ids++] = tok_find(&f->tok, str_of(piece));
        }
    }
}

static void check_answer(const struct answer *a, const char *reasoning, const char *content,
                         const char *calls)
{
    CHECK_STR(a->reasoning, reasoning);
    CHECK_STR(a->content, content);
    CHECK_STR(a->calls, calls);
}

static void check_text(struct fixture *f, const char *text, const char *reasoning,
                       const char *content, const char *calls)
{
    for (int cut = CUT_BY_VOCABULARY; cut <= CUT_AT_RANDOM; cut++) {
        set_text(f, str_of(text), (enum cut)cut, 5);
        run(f, GEMMA4_TOOLS_OFFERED, GEMMA4_END_STOP);
        check_answer(&f->a, reasoning, content, calls);
    }
}

static void check_vector(struct fixture *f, const json_t *v, enum cut cut, uint64_t seed)
{
    const json_t *calls = json_object_get(v, "tool_calls");
    bool is_limit = json_is_true(json_object_get(v, "hit_length_limit"));
    enum gemma4_parse_end_kind end = is_limit ? GEMMA4_END_LIMIT : GEMMA4_END_STOP;
    uint32_t flags = GEMMA4_TOOLS_OFFERED;
    flags |=
        json_is_true(json_object_get(v, "starts_in_reasoning")) ? GEMMA4_STARTS_IN_REASONING : 0;
    char want_calls[4096];
    size_t n_want = 0;
    want_calls[0] = 0;
    for (size_t i = 0; i < json_array_size(calls); i++) {
        const json_t *call = json_array_get(calls, i);
        n_want += (size_t)snprintf(want_calls + n_want, sizeof want_calls - n_want, "%s%s\n",
                                   json_string_value(json_object_get(call, "name")),
                                   json_string_value(json_object_get(call, "arguments")));
    }
    set_text(f, json_text_str(json_object_get(v, "text")), cut, seed);
    run(f, flags, end);
    const char *reasoning = json_string_value(json_object_get(v, "reasoning_content"));
    const char *content = json_string_value(json_object_get(v, "content"));
    check_answer(&f->a, reasoning ? reasoning : "", content ? content : "", want_calls);
    if (!content)
        CHECK_TRUE(f->a.n_calls > 0); /* null is what blank content beside calls becomes */
    CHECK_EQ(f->p.n_calls, f->a.n_calls);
    CHECK_STR(is_limit           ? "length"
              : f->a.n_calls > 0 ? "tool_calls"
                                 : "stop",
              json_string_value(json_object_get(v, "finish_reason")));
}

TEST(gemma4_parse_gives_all_vectors_however_the_text_is_cut)
{
    struct fixture *f = fixture_new();
    size_t n_bytes, n_lines = 0;
    char *all = t_read_file("tests/vectors/chat/gemma4-output-parse.jsonl", &n_bytes), *line = all;
    for (char *end; (end = strchr(line, '\n')); line = end + 1, n_lines++) {
        json_t *v = json_loadb(line, (size_t)(end - line), 0, NULL);
        MUST_TRUE(v, "vector line");
        check_vector(f, v, CUT_BY_VOCABULARY, 0);
        check_vector(f, v, CUT_INTO_BYTES, 0);
        for (uint64_t seed = 0; seed < 20; seed++)
            check_vector(f, v, CUT_AT_RANDOM, seed);
        json_decref(v);
    }
    CHECK_EQ(n_lines, 49);
    free(all);
    fixture_free(f);
}

TEST(gemma4_parse_random_token_streams_do_not_depend_on_the_cut)
{
    static const char *const bits[] = {"<|channel>",
                                       "<channel|>",
                                       "<|tool_call>",
                                       "<tool_call|>",
                                       "<|\"|>",
                                       "<|\"|>",
                                       "thought\n",
                                       "thought",
                                       "thou",
                                       " ",
                                       "\n",
                                       "  \n",
                                       "call:f{",
                                       "a:1",
                                       "}",
                                       "\xc3\xa9",
                                       "\xf0\x9f\xa6\x99",
                                       "text",
                                       "the ",
                                       ",b:",
                                       "<|think|>",
                                       "<tool_response|>",
                                       "<|tool_call>call:f{",
                                       "a:1}<tool_call|>",
                                       "call:g{}"};
    struct fixture *f = fixture_new();
    uint64_t state = 1;
    struct answer *first = malloc(sizeof *first);
    MUST_TRUE(first, "memory");
    uint32_t n_calls = 0;
    for (int round = 0; round < 3000; round++) {
        char text[1024];
        size_t n = 0;
        uint32_t flags = (uint32_t)round & (GEMMA4_STARTS_IN_REASONING | GEMMA4_TOOLS_OFFERED);
        for (int k = 0; k < 4 + round % 20; k++) {
            state = state * UINT64_C(6364136223846793005) + 1442695040888963407;
            n += (size_t)snprintf(text + n, sizeof text - n, "%s",
                                  bits[(state >> 33) % (sizeof bits / sizeof bits[0])]);
        }
        enum gemma4_parse_end_kind end = round % 3 ? GEMMA4_END_STOP : GEMMA4_END_LIMIT;
        set_text(f, (struct str){text, n}, CUT_BY_VOCABULARY, 0);
        run(f, flags, end);
        *first = f->a;
        set_text(f, (struct str){text, n}, CUT_INTO_BYTES, 0);
        run(f, flags, end);
        check_answer(&f->a, first->reasoning, first->content, first->calls);
        CHECK_EQ(f->a.n_calls, first->n_calls);
        n_calls += first->n_calls;
    }
    CHECK_TRUE(n_calls > 50);
    free(first);
    fixture_free(f);
}

TEST(gemma4_parse_drops_blank_content_before_calls_only)
{
    struct fixture *f = fixture_new();
    check_text(f, "\n <|tool_call>call:f{}<tool_call|>\n<turn|>", "", "", "f{}\n");
    check_text(f, " \n<turn|>", "", " \n", "");
    check_text(f, " x \n<|tool_call>call:f{}<tool_call|> y", "", " x \n y", "f{}\n");
    check_text(f, "\n<|tool_call>call:f{}<tool_call|>\nz", "", "\n\nz", "f{}\n");
    fixture_free(f);
}

TEST(gemma4_parse_headers_come_in_any_pieces_or_not_at_all)
{
    struct fixture *f = fixture_new();
    check_text(f, "<|channel>thou<channel|>a", "thou", "a", "");
    check_text(f, "<|channel>though it is<channel|>a", "though it is", "a", "");
    check_text(f, "<|channel>thought  \n\n plan \n<channel|>a", "plan", "a", "");
    check_text(f, "<|channel>plan\n\nB<channel|>", "plan\n\nB", "", "");
    check_text(f,
               "<|channel>thought\n<channel|><|channel>thought\nx<channel|><|channel>\n<channel|>",
               "x", "", "");
    check_text(f, "<|channel>tho", "tho", "", "");
    fixture_free(f);
}

TEST(gemma4_parse_lets_endless_white_space_go)
{
    struct fixture *f = fixture_new();
    char text[3 * GEMMA4_MAX_HELD_BYTES];
    memset(text, '\n', sizeof text);
    set_text(f, (struct str){text, sizeof text}, CUT_INTO_BYTES, 0);
    run(f, GEMMA4_STARTS_IN_REASONING, GEMMA4_END_LIMIT);
    CHECK_TRUE(f->a.n_reasoning >= GEMMA4_MAX_HELD_BYTES && f->a.n_reasoning < sizeof text);
    set_text(f, (struct str){text, sizeof text}, CUT_INTO_BYTES, 0);
    run(f, GEMMA4_TOOLS_OFFERED, GEMMA4_END_LIMIT);
    CHECK_EQ(f->a.n_content, sizeof text);
    fixture_free(f);
}

TEST(gemma4_parse_replaces_half_characters_at_markers_and_the_end)
{
    struct fixture *f = fixture_new();
    f->ids[0] = tok_find(&f->tok, STR("<0xF0>"));
    f->ids[1] = tok_find(&f->tok, STR("<0x9F>"));
    f->ids[2] = f->tok.special[TOK_CHANNEL_OPEN];
    f->ids[3] = tok_find(&f->tok, STR("a"));
    f->ids[4] = f->ids[0];
    f->n_ids = 5;
    run(f, 0, GEMMA4_END_STOP);
    check_answer(&f->a, "a\xef\xbf\xbd", "\xef\xbf\xbd", "");
    fixture_free(f);
}

TEST(gemma4_parse_stops_at_end_tokens_and_stays_stopped)
{
    struct fixture *f = fixture_new();
    set_text(f, STR("a<turn|>b<|tool_call>call:f{}<tool_call|>"), CUT_BY_VOCABULARY, 0);
    run(f, 0, GEMMA4_END_STOP);
    check_answer(&f->a, "", "a", "");
    CHECK_EQ(f->a.n_stops, 1);
    fixture_free(f);
}

TEST(gemma4_parse_unfinished_calls_are_repaired_or_returned_as_text)
{
    struct fixture *f = fixture_new();
    check_text(f, "<|tool_call>call:f{a:<|\"|>x", "", "", "f{\"a\":\"x\"}\n");
    check_text(f, "<|tool_call>call:f{a:1<|tool_call>call:g{}<tool_call|>", "", "",
               "f{\"a\":1}\ng{}\n");
    check_text(f, "<|tool_call>call:f{a:[1", "", "<|tool_call>call:f{a:[1", "");
    check_text(f, "<|tool_call>call:f{a:<|\"|>x<|\"|>y}<tool_call|>z", "",
               "<|tool_call>call:f{a:<|\"|>x<|\"|>y}<tool_call|>z", "");
    check_text(f, "<|tool_call><tool_call|>", "", "<|tool_call><tool_call|>", "");
    check_text(f, "<|tool_call>call:f{", "", "", "f{}\n");
    fixture_free(f);
}

TEST(gemma4_parse_a_call_beyond_the_buffer_becomes_content)
{
    struct fixture *f = fixture_new();
    enum { N = 40000 };
    char *text = malloc(N + 100);
    MUST_TRUE(text, "memory");
    size_t n = (size_t)sprintf(text, "<|tool_call>call:f{a:<|\"|>");
    memset(text + n, 'x', N);
    n += N;
    n += (size_t)sprintf(text + n, "<|\"|>}<tool_call|>done");
    struct gemma4_event ev[GEMMA4_MAX_EVENTS];
    struct tok_segment seg = {{text, n}, true};
    struct err e = {0};
    struct tok_ids ids = {malloc((N + 100) * sizeof *ids.at), N + 100, 0};
    MUST_TRUE(ids.at &&
                  tok_encode(&f->tok, &(struct tok_text){&seg, 1, false}, f->scratch, &ids, &e),
              e.msg);
    gemma4_parse_init(&f->p, &f->tok, GEMMA4_TOOLS_OFFERED, f->buf, GEMMA4_PARSE_BUF_BYTES);
    for (size_t i = 0; i < ids.n; i++)
        take_events(&f->a, ev, gemma4_parse_push(&f->p, ids.at[i], ev));
    take_events(&f->a, ev, gemma4_parse_end(&f->p, GEMMA4_END_STOP, ev));
    CHECK_EQ(f->a.n_calls, 0);
    CHECK_EQ(f->a.n_content, n);
    CHECK_BYTES(f->a.content, text, n);
    free(ids.at);
    free(text);
    fixture_free(f);
}
