#include "runtime/chat.h"

#include "runtime/tools.h"
#include "tests/t.h"

#include <stdio.h>
#include <string.h>

enum { N_CTX = 400 };

/* What a turn shows: a hash (64-bit FNV-1a) stands for the text. */
struct shown {
    uint64_t n_bytes[2], hash[2]; /* by enum chat_part */
    uint32_t n_asked;             /* times wants_stop was called */
    uint32_t stop_at;             /* 0 = never */
};

static void put(void *arg, enum chat_part part, struct str text)
{
    struct shown *s = arg;
    CHECK_TRUE(str_is_utf8(text) && text.n_bytes > 0);
    s->n_bytes[part] += text.n_bytes;
    for (size_t i = 0; i < text.n_bytes; i++)
        s->hash[part] = (s->hash[part] ^ (unsigned char)text.p[i]) * 0x100000001b3u;
}

static void check_same(const struct shown *got, const struct shown *want)
{
    CHECK_EQ(got->n_bytes[CHAT_ANSWER], want->n_bytes[CHAT_ANSWER]);
    CHECK_EQ(got->hash[CHAT_ANSWER], want->hash[CHAT_ANSWER]);
    CHECK_EQ(got->hash[CHAT_THOUGHT], want->hash[CHAT_THOUGHT]);
}

static bool wants_stop(void *arg)
{
    struct shown *s = arg;
    return ++s->n_asked == s->stop_at;
}

struct talk {
    struct runner *r;
    struct chat *chat;
};

static struct talk open_talk(const char *system, uint32_t max_tokens)
{
    struct err e = {.code = ERR_NONE};
    struct load_config cfg = {.n_ctx = N_CTX,
                              .max_seqs = 1,
                              .max_rows = 16, /* short rings, so that they wrap */
                              .n_threads = 2,
                              .budget_bytes = UINT64_C(1) << 32};
    char path[512], name[] = "synth", shape[] = "tiny", type[] = "Q8_0";
    snprintf(path, sizeof path, "%s/tiny.gguf", t_scratch_dir());
    MUST_TRUE(tool_synth(4, (char *[]){name, shape, type, path, NULL}) == 0, "no model");
    struct talk t = {.r = runner_open(path, &cfg, N_CTX, &e)};
    MUST_TRUE(t.r && runner_open_tok(t.r, &e), e.msg);
    const struct chat_config cc = {
        .system = system,
        .max_tokens = max_tokens,
        .sampling = {.temperature = 0.8, .top_p = 1.0, .repetition_penalty = 1.0, .seed = 3}};
    t.chat = chat_new(t.r, &cc, &e);
    MUST_TRUE(t.chat, e.msg);
    return t;
}

static void close_talk(struct talk *t)
{
    chat_free(t->chat);
    runner_close(t->r);
}

static struct chat_stats ask(struct talk *t, const char *question, struct shown *s)
{
    struct err e = {.code = ERR_NONE};
    struct chat_stats stats;
    const struct chat_sink sink = {s, put, wants_stop};
    MUST_TRUE(chat_ask(t->chat, str_of(question), &sink, &stats, &e), e.msg);
    return stats;
}

/* The same turns with the cache kept and with the cache dropped before each turn. */
static void check_reuse(uint32_t max_tokens, uint32_t n_turns, bool *was_reused)
{
    static const char *const questions[4] = {"One?", "And two?", "Three, four", "x"};
    struct talk keep = open_talk("Be brief.", max_tokens),
                drop = open_talk("Be brief.", max_tokens);
    for (uint32_t i = 0; i < n_turns; i++) {
        struct shown a = {.stop_at = 0}, b = {.stop_at = 0};
        runner_truncate(drop.r, 0, 0);
        struct chat_stats sa = ask(&keep, questions[i], &a), sb = ask(&drop, questions[i], &b);
        CHECK_EQ(sb.n_reused, 0);
        CHECK_EQ(sa.n_prompt, sb.n_prompt);
        CHECK_EQ(sa.n_generated, sb.n_generated);
        check_same(&a, &b);
        was_reused[i] = sa.n_reused > 0;
    }
    close_talk(&keep);
    close_talk(&drop);
}

TEST(chat_answers_the_same_with_and_without_the_cache_of_earlier_turns)
{
    bool was_reused[4];
    check_reuse(6, 4, was_reused);
    CHECK_TRUE(!was_reused[0] && was_reused[1] && was_reused[2] && was_reused[3]);
}

/* A long answer runs over the rings of the sliding layers: taking it back is impossible. */
TEST(chat_computes_anew_what_the_rings_have_lost)
{
    bool was_reused[2];
    check_reuse(120, 2, was_reused);
    CHECK_TRUE(!was_reused[1]);
}

TEST(chat_reset_forgets_everything_but_the_system_text)
{
    struct talk t = open_talk("Be brief.", 8);
    struct shown first = {.stop_at = 0}, again = {.stop_at = 0};
    struct chat_stats a = ask(&t, "Hello", &first);
    ask(&t, "More", &(struct shown){.stop_at = 0});
    chat_reset(t.chat);
    struct chat_stats b = ask(&t, "Hello", &again);
    CHECK_EQ(a.n_prompt, b.n_prompt);
    check_same(&again, &first);
    close_talk(&t);
}

TEST(chat_stops_between_steps_when_asked)
{
    struct talk t = open_talk(NULL, 100);
    struct shown s = {.stop_at = 5}, in_prompt = {.stop_at = 1};
    struct chat_stats stats = ask(&t, "Hello", &s);
    CHECK_EQ(stats.end, CHAT_END_STOPPED);
    CHECK_TRUE(stats.n_generated >= 1 && stats.n_generated < 5);
    stats = ask(&t, "This prompt is longer than one step of sixteen rows.", &in_prompt);
    CHECK_EQ(stats.end, CHAT_END_STOPPED);
    CHECK_EQ(stats.n_generated, 0);
    close_talk(&t);
}

TEST(chat_refuses_a_question_and_keeps_the_conversation)
{
    struct err e = {.code = ERR_NONE};
    struct talk t = open_talk(NULL, 6), plain = open_talk(NULL, 6);
    struct shown a = {.stop_at = 0}, b = {.stop_at = 0}, none = {.stop_at = 0};
    struct chat_stats stats;
    const struct chat_sink sink = {&none, put, wants_stop};
    char big[4000];
    memset(big, 'q', sizeof big);
    CHECK_TRUE(!chat_ask(t.chat, (struct str){big, sizeof big}, &sink, &stats, &e));
    CHECK_EQ(e.code, ERR_LIMIT);
    e.code = ERR_NONE;
    CHECK_TRUE(!chat_ask(t.chat, STR("caf\xe9"), &sink, &stats, &e));
    CHECK_EQ(e.code, ERR_FORMAT);
    e.code = ERR_NONE;
    CHECK_TRUE(!chat_ask(t.chat,
                         STR("\xef\xb7\x90"
                             "12"),
                         &sink, &stats, &e));
    CHECK_EQ(e.code, ERR_FORMAT);
    CHECK_EQ(none.n_bytes[CHAT_ANSWER] + none.n_bytes[CHAT_THOUGHT], 0);
    struct chat_stats sa = ask(&t, "Hello", &a), sb = ask(&plain, "Hello", &b);
    CHECK_EQ(sa.n_prompt, sb.n_prompt);
    check_same(&a, &b);
    close_talk(&t);
    close_talk(&plain);
}

TEST(chat_ends_when_the_context_is_full)
{
    struct talk t = open_talk(NULL, 0);
    struct shown s = {.stop_at = 0};
    struct chat_stats stats = ask(&t, "Hello", &s);
    CHECK_TRUE(stats.end == CHAT_END_CONTEXT || stats.end == CHAT_END_TURN);
    CHECK_TRUE(stats.n_prompt + stats.n_generated <= N_CTX);
    CHECK_TRUE(stats.end != CHAT_END_CONTEXT || stats.n_prompt + stats.n_generated == N_CTX);
    close_talk(&t);
}
