#include "models/gguf_write.h"
#include "runtime/base/mem.h"
#include "tests/t.h"
#include "tests/tok_small.h"

enum { MAX_IDS = 400000 };

struct fixture {
    struct tok tok;
    void *image;
    struct tok_scratch *scratch;
    struct tok_ids ids;
    struct err e;
};

static void fixture_open(struct fixture *f)
{
    memset(f, 0, sizeof *f);
    f->image = tok_small_open(&f->tok, &f->e);
    MUST_TRUE(f->image, f->e.msg);
    f->scratch = malloc(tok_scratch_bytes());
    f->ids = (struct tok_ids){malloc(MAX_IDS * sizeof *f->ids.at), MAX_IDS, 0};
    MUST_TRUE(f->scratch && f->ids.at, "memory");
}

static void fixture_close(struct fixture *f)
{
    free(f->image);
    free(f->scratch);
    free(f->ids.at);
}

static bool encode_segs(struct fixture *f, const struct tok_segment *segs, size_t n_segs,
                        bool add_bos)
{
    struct tok_text text = {segs, n_segs, add_bos};
    return tok_encode(&f->tok, &text, f->scratch, &f->ids, &f->e);
}

static bool encode(struct fixture *f, struct str text, bool is_trusted)
{
    struct tok_segment seg = {text, is_trusted};
    return encode_segs(f, &seg, 1, false);
}

/* The ids as their pieces with a bar between, for readable expectations. */
static const char *pieces_of(const struct fixture *f, char *out, size_t n_room)
{
    size_t n = 0;
    out[0] = 0;
    for (size_t i = 0; i < f->ids.n && n < n_room; i++) {
        struct str p = tok_piece(&f->tok, f->ids.at[i]);
        n += (size_t)snprintf(out + n, n_room - n, "%s%.*s", i ? "|" : "", STR_ARG(p));
    }
    return out;
}

static void check_pieces(struct fixture *f, const char *text, bool is_trusted, const char *want)
{
    char got[512];
    MUST_TRUE(encode(f, str_of(text), is_trusted), f->e.msg);
    CHECK_STR(pieces_of(f, got, sizeof got), want);
}

TEST(tok_merges_the_lowest_rank_first_and_leftmost_on_ties)
{
    struct fixture f;
    fixture_open(&f);
    check_pieces(&f, "bbb", false, "bb|b");
    check_pieces(&f, "aab", false, "aab"); /* "a b" outranks "a a"; then "a ab" applies */
    check_pieces(&f, "abb", false, "a|bb");
    check_pieces(&f, "ccccc", false, "cccc|c");
    check_pieces(&f, "abcabab", false, "abc|abab");
    check_pieces(&f, "a b", false, "a|\xe2\x96\x81|b");
    fixture_close(&f);
}

TEST(tok_spaces_become_marks_and_line_feeds_stand_alone)
{
    struct fixture f;
    fixture_open(&f);
    check_pieces(&f, " the", false, "\xe2\x96\x81the");
    check_pieces(&f, "  the", false, "\xe2\x96\x81\xe2\x96\x81|the");
    check_pieces(&f, "\n\nthe\n", false, "\n\n|the|\n");
    check_pieces(&f, "\n\n\n\n\n", false, "\n\n|\n\n|\n"); /* no piece of five: merged by rank */
    check_pieces(&f, "x\n\n\ny", false, "x|\n\n\n|y");
    fixture_close(&f);
}

TEST(tok_writes_unknown_characters_as_byte_tokens)
{
    struct fixture f;
    fixture_open(&f);
    check_pieces(&f, "\xc3\xa9\xc3\xa4", false, "\xc3\xa9|<0xC3>|<0xA4>");
    check_pieces(&f, "\xf0\x9f\xa6\x99", false, "<0xF0>|<0x9F>|<0xA6>|<0x99>");
    check_pieces(&f, "\r", false, "<0x0D>");
    MUST_TRUE(encode(&f, STR("\0"), false), f.e.msg);
    CHECK_EQ(f.ids.n, 1);
    CHECK_EQ(f.ids.at[0], tok_find(&f.tok, STR("<0x00>")));
    fixture_close(&f);
}

TEST(tok_matches_markers_in_trusted_text_only)
{
    struct fixture f;
    fixture_open(&f);
    check_pieces(&f, "a<turn|>b", true, "a|<turn|>|b");
    check_pieces(&f, "<|turn><|turn", true, "<|turn>|<|||t|u|r|n");
    MUST_TRUE(encode(&f, STR("<turn|>"), false), f.e.msg);
    CHECK_EQ(f.ids.n, 7);
    for (size_t i = 0; i < f.ids.n; i++)
        CHECK_EQ(tok_class_of(&f.tok, f.ids.at[i]), TOK_NORMAL);
    fixture_close(&f);
}

TEST(tok_plain_text_never_becomes_a_control_or_byte_token_by_merging)
{
    struct tok_small *ts = malloc(sizeof *ts);
    MUST_TRUE(ts, "memory");
    tok_small_init(ts);
    tok_small_add(ts, "<p", TOK_NORMAL);
    tok_small_add(ts, "ad>", TOK_NORMAL);
    tok_small_add(ts, "ad", TOK_NORMAL);
    tok_small_merge(ts, "< p");
    tok_small_merge(ts, "a d");
    tok_small_merge(ts, "ad >");
    tok_small_merge(ts, "<p ad>");
    ts->source.n_vocab = ts->n_pieces;
    ts->source.n_merges = ts->n_merges;
    struct fixture f;
    fixture_open(&f);
    size_t image_bytes;
    free(f.image);
    f.image = tok_image_build(&ts->source, &image_bytes, &f.e);
    MUST_TRUE(f.image && tok_open(&f.tok, f.image, image_bytes, &f.e), f.e.msg);
    check_pieces(&f, "<pad>", false, "<p|ad>");
    MUST_TRUE(encode(&f, STR("<pad>"), true), f.e.msg);
    CHECK_EQ(f.ids.n, 1);
    fixture_close(&f);
    free(ts);
}

TEST(tok_joins_text_across_segments)
{
    struct fixture f;
    fixture_open(&f);
    struct tok_segment segs[] = {{STR("<|turn>a"), true},
                                 {STR("b"), false},
                                 {STR(""), false},
                                 {STR("c\n"), true},
                                 {STR("\n<turn|>"), true}};
    MUST_TRUE(encode_segs(&f, segs, 5, true), f.e.msg);
    char got[256];
    CHECK_STR(pieces_of(&f, got, sizeof got), "<bos>|<|turn>|abc|\n\n|<turn|>");
    fixture_close(&f);
}

TEST(tok_adds_bos_once)
{
    struct fixture f;
    fixture_open(&f);
    struct tok_segment trusted[] = {{STR(""), false}, {STR("<bos>c"), true}};
    struct tok_segment typed[] = {{STR("<bos>"), false}};
    MUST_TRUE(encode_segs(&f, trusted, 2, true), f.e.msg);
    CHECK_EQ(f.ids.n, 2);
    CHECK_EQ(f.ids.at[0], f.tok.special[TOK_BOS]);
    MUST_TRUE(encode_segs(&f, typed, 1, true), f.e.msg);
    CHECK_EQ(f.ids.n, 6); /* the marker, then what was typed */
    MUST_TRUE(encode_segs(&f, typed, 0, true), f.e.msg);
    CHECK_EQ(f.ids.n, 1);
    fixture_close(&f);
}

TEST(tok_counts_all_ids_when_there_is_no_room_and_refuses_bad_utf8)
{
    struct fixture f;
    fixture_open(&f);
    struct tok_segment seg = {STR("xyz xyz"), false}, bad = {STR("a\xc3"), false};
    f.ids.max = 3;
    CHECK_TRUE(!encode_segs(&f, &seg, 1, false));
    CHECK_EQ(f.e.code, ERR_LIMIT);
    CHECK_EQ(f.ids.n, 7);
    CHECK_TRUE(!encode_segs(&f, &bad, 1, false));
    CHECK_EQ(f.e.code, ERR_FORMAT);
    CHECK_EQ(f.ids.n, 0);
    fixture_close(&f);
}

TEST(tok_refuses_a_run_without_a_place_to_cut)
{
    struct fixture f;
    fixture_open(&f);
    enum { TOO_LONG = 262145 };
    char *text = malloc(TOO_LONG + 1);
    MUST_TRUE(text, "memory");
    memset(text, 'a', TOO_LONG);
    CHECK_TRUE(!encode(&f, (struct str){text, TOO_LONG}, false));
    CHECK_EQ(f.e.code, ERR_LIMIT);
    text[1000] = ' ';
    CHECK_TRUE(encode(&f, (struct str){text, TOO_LONG}, false));
    CHECK_EQ(f.ids.n, 500 + 1 + (TOO_LONG - 1001) / 2);
    free(text);
    fixture_close(&f);
}

static char naive_sym[4096][TOK_SMALL_TEXT_BYTES];

/* Is this merge "left right" for the symbols at i and i + 1? */
static bool naive_is_pair(struct str merge, size_t i)
{
    struct str left = str_of(naive_sym[i]), right = str_of(naive_sym[i + 1]);
    return merge.n_bytes == left.n_bytes + 1 + right.n_bytes && str_has_prefix(merge, left) &&
           merge.p[left.n_bytes] == ' ' &&
           str_eq((struct str){merge.p + left.n_bytes + 1, right.n_bytes}, right);
}

static uint32_t naive_rank(const struct tok_small *ts, size_t i)
{
    for (uint32_t rank = 0; rank < ts->n_merges; rank++) {
        if (naive_is_pair(ts->merges[rank], i))
            return rank;
    }
    return UINT32_MAX;
}

/* The merge rule as it is written (3.1 step 5), over whole symbols. */
static size_t encode_naively(const struct tok_small *ts, const struct tok *t, const char *text,
                             int32_t *ids)
{
    size_t n = 0;
    for (; text[n]; n++)
        snprintf(naive_sym[n], sizeof naive_sym[n], "%s",
                 text[n] == ' ' ? "\xe2\x96\x81" : (const char[]){text[n], 0});
    for (;;) {
        uint32_t best_rank = UINT32_MAX;
        size_t best = 0;
        for (size_t i = 0; i + 1 < n; i++) {
            uint32_t rank = naive_rank(ts, i);
            best = rank < best_rank ? i : best;
            best_rank = rank < best_rank ? rank : best_rank;
        }
        if (best_rank == UINT32_MAX)
            break;
        size_t n_left = strlen(naive_sym[best]);
        memcpy(naive_sym[best] + n_left, naive_sym[best + 1], strlen(naive_sym[best + 1]) + 1);
        memmove(naive_sym[best + 1], naive_sym[best + 2], (n - best - 2) * sizeof naive_sym[0]);
        n--;
    }
    for (size_t i = 0; i < n; i++)
        ids[i] = tok_find(t, str_of(naive_sym[i]));
    return n;
}

TEST(tok_equals_the_rule_on_random_runs_of_every_length)
{
    struct fixture f;
    struct tok_small *ts = malloc(sizeof *ts);
    int32_t want[600];
    char text[600];
    uint64_t state = 7;
    MUST_TRUE(ts, "memory");
    fixture_open(&f);
    tok_small_init(ts);
    for (int round = 0; round < 600; round++) {
        size_t n = (size_t)(round < 500 ? round % 60 : round); /* words, and runs for the heap */
        for (size_t i = 0; i < n; i++) {
            state = state * UINT64_C(6364136223846793005) + 1442695040888963407;
            text[i] = "aaabbbcc th"[(state >> 40) % (round % 2 ? 8 : 11)];
        }
        text[n] = 0;
        MUST_TRUE(encode(&f, (struct str){text, n}, false), f.e.msg);
        size_t n_want = encode_naively(ts, &f.tok, text, want);
        MUST_TRUE(f.ids.n == n_want, text);
        CHECK_BYTES(f.ids.at, want, n_want * sizeof *want);
    }
    fixture_close(&f);
    free(ts);
}

/* Steps taken in pieces of max_steps; the ids are in f->ids afterwards. */
static size_t encode_in_steps(struct fixture *f, const struct tok_text *text, size_t max_steps)
{
    struct tok_encoder en;
    enum tok_progress p;
    size_t n_calls = 0;
    tok_encode_begin(&en, &f->tok, text, f->scratch, &f->ids);
    do {
        p = tok_encode_step(&en, max_steps, &f->e);
        n_calls++;
    } while (p == TOK_GOES_ON);
    MUST_TRUE(p == TOK_FINISHED, f->e.msg);
    return n_calls;
}

TEST(tok_steps_of_any_size_give_the_same_ids)
{
    enum { N = 3000 };
    static char text[N + 1];
    static int32_t want[N + 100];
    struct fixture f;
    uint64_t state = 11;
    fixture_open(&f);
    for (int round = 0; round < 24; round++) { /* words, line feeds, markers, runs for the heap */
        size_t n = 0;
        while (n < N - 20) {
            state = state * UINT64_C(6364136223846793005) + 1442695040888963407;
            uint32_t r = (uint32_t)(state >> 33);
            if (r % 97 == 0)
                n += (size_t)sprintf(text + n, "%s",
                                     r & 1024 ? "<|turn>" : "\xc3\xa9\xf0\x9f\x98\x80\n\n");
            else
                text[n++] = "aaabbbcc th\n"[r / 97 % (round % 2 ? 8 : 12)];
        }
        const struct tok_segment segs[] = {
            {{text, n / 3}, true}, {{text + n / 3, 0}, false}, {{text + n / 3, n - n / 3}, false}};
        const struct tok_text whole = {segs, 3, true};
        if (!str_is_utf8(segs[0].text)) /* cut inside a character */
            continue;
        MUST_TRUE(tok_encode(&f.tok, &whole, f.scratch, &f.ids, &f.e), f.e.msg);
        size_t n_want = f.ids.n;
        memcpy(want, f.ids.at, n_want * sizeof *want);
        for (size_t max_steps = 1; max_steps < 5000; max_steps = max_steps * 3 + 1) {
            CHECK_TRUE(encode_in_steps(&f, &whole, max_steps) >= n / 7 / max_steps);
            MUST_TRUE(f.ids.n == n_want, text);
            CHECK_BYTES(f.ids.at, want, n_want * sizeof *want);
        }
    }
    fixture_close(&f);
}

TEST(tok_long_run_is_left_and_taken_up_again)
{
    enum { N = 200000, STEPS = 1000 };
    struct fixture f;
    fixture_open(&f);
    char *text = malloc(N);
    MUST_TRUE(text, "memory");
    memset(text, 'a', N);
    const struct tok_segment seg = {{text, N}, false};
    const struct tok_text whole = {&seg, 1, false};
    CHECK_TRUE(encode_in_steps(&f, &whole, STEPS) >= 3 * N / STEPS); /* scan, link, merge */
    CHECK_EQ(f.ids.n, N / 2);
    free(text);
    fixture_close(&f);
}

TEST(tok_knows_pieces_classes_and_stops)
{
    struct fixture f;
    fixture_open(&f);
    const struct tok *t = &f.tok;
    CHECK_TRUE(str_is(tok_piece(t, t->special[TOK_QUOTE]), "<|\"|>"));
    CHECK_EQ(tok_piece(t, -1).n_bytes, 0);
    CHECK_EQ(tok_piece(t, (int32_t)t->n_vocab).n_bytes, 0);
    CHECK_EQ(tok_find(t, STR("no such piece")), -1);
    CHECK_EQ(tok_find(t, STR("")), -1);
    CHECK_EQ(tok_class_of(t, t->special[TOK_BOS]), TOK_CONTROL);
    CHECK_EQ(tok_class_of(t, tok_find(t, STR("<0x41>"))), TOK_BYTE);
    int n_stops = 0;
    for (int32_t id = 0; id < (int32_t)t->n_vocab; id++)
        n_stops += tok_is_stop(t, id);
    CHECK_EQ(n_stops, 3);
    CHECK_EQ(t->max_piece_bytes, strlen("<|tool_response>"));
    CHECK_TRUE(tok_is_stop(t, t->special[TOK_EOS]) && tok_is_stop(t, t->special[TOK_TURN_CLOSE]) &&
               tok_is_stop(t, t->special[TOK_TOOL_RESP_OPEN]));
    fixture_close(&f);
}

static void check_refused(struct tok_small *ts, const char *want_word)
{
    struct err e = {0};
    size_t image_bytes = 1;
    void *image = tok_image_build(&ts->source, &image_bytes, &e);
    CHECK_TRUE(!image);
    CHECK_EQ(image_bytes, 0);
    if (!CHECK_TRUE(strstr(e.msg, want_word)))
        CHECK_STR(e.msg, want_word);
    free(image);
    tok_small_init(ts);
}

TEST(tok_build_refuses_vocabularies_that_lack_or_break_something)
{
    struct tok_small *ts = malloc(sizeof *ts);
    MUST_TRUE(ts, "memory");
    tok_small_init(ts);
    for (uint32_t i = 0; i < ts->n_pieces; i++) {
        if (str_is(ts->pieces[i], "<turn|>")) {
            ts->pieces[i] = STR("<end_of_turn>");
            check_refused(ts, "<turn|>");
        }
        if (str_is(ts->pieces[i], "<0xC3>")) {
            ts->pieces[i] = STR("C3");
            check_refused(ts, "<0xC3>");
        }
    }
    ts->pieces[300] = STR("\xff");
    check_refused(ts, "UTF-8");
    ts->pieces[300] = STR("\xc3");
    ts->pieces[301] = STR("\xa4"); /* together they would be a character */
    check_refused(ts, "token 300 is not valid UTF-8");
    ts->classes[300] = 7;
    check_refused(ts, "token_type");
    ts->classes[300] = TOK_BYTE;
    check_refused(ts, "typed as a byte");
    ts->merges[3] = STR("ab");
    check_refused(ts, "entry 3");
    ts->merges[3] = STR("ab ");
    check_refused(ts, "entry 3");
    ts->merges[3] = STR("a q");
    check_refused(ts, "what it makes");
    ts->merges[3] = STR("qq q");
    check_refused(ts, "left side");
    ts->source.n_vocab = 0;
    check_refused(ts, "0 tokens");
    free(ts);
}

/* One changed number of the image must be found or be harmless; encoding and looking up after that
 * stays in bounds, which the sanitizers watch. */
TEST(tok_open_refuses_or_survives_any_single_damage)
{
    struct fixture f;
    fixture_open(&f);
    size_t n = f.tok.image_bytes;
    unsigned char *damaged = malloc(n);
    MUST_TRUE(damaged, "memory");
    uint64_t state = 3;
    int n_refused = 0, n_opened = 0;
    for (int round = 0; round < 3000; round++) {
        memcpy(damaged, f.image, n);
        state = state * UINT64_C(6364136223846793005) + 1442695040888963407;
        size_t at = round < 1600 ? (size_t)round : (state >> 33) % n;
        damaged[at] = (unsigned char)(damaged[at] ^ 1u << (state >> 61));
        struct tok t;
        if (!tok_open(&t, damaged, n, &f.e)) {
            n_refused++;
            continue;
        }
        n_opened++;
        struct tok_segment seg = {STR("<|turn>aabbcc the\n\n<x \xc3\xa4"), true};
        tok_encode(&t, &(struct tok_text){&seg, 1, true}, f.scratch, &f.ids, &f.e);
        for (size_t i = 0; i < f.ids.n; i++)
            (void)tok_piece(&t, f.ids.at[i]);
    }
    CHECK_TRUE(n_refused > 50);
    CHECK_TRUE(n_opened > 50);
    struct tok t;
    CHECK_TRUE(!tok_open(&t, f.image, n - 1, &f.e));
    CHECK_TRUE(!tok_open(&t, f.image, 10, &f.e));
    free(damaged);
    fixture_close(&f);
}

/* ---- from a GGUF file ---- */

struct file_wish {
    const char *model, *pre, *chat_template;
    uint32_t ple_width;
    bool without_merges;
};

/* n_mem: how many of tok_build's table allocations go through before one fails. */
static void *build_with_memory(const struct file_wish *wish, uint64_t n_mem, size_t *image_bytes,
                               struct err *e)
{
    struct tok_small *ts = malloc(sizeof *ts);
    struct gguf_writer *w = gguf_write_new(e);
    MUST_TRUE(ts && w, "memory");
    tok_small_init(ts);
    int32_t types[TOK_SMALL_MAX_PIECES];
    for (uint32_t i = 0; i < ts->n_pieces; i++)
        types[i] = ts->classes[i];
    bool ok = gguf_write_str(w, "tokenizer.ggml.model", wish->model, e) &&
              (!wish->pre || gguf_write_str(w, "tokenizer.ggml.pre", wish->pre, e)) &&
              (!wish->chat_template ||
               gguf_write_str(w, "tokenizer.chat_template", wish->chat_template, e)) &&
              gguf_write_u32(w, "gemma4.embedding_length_per_layer_input", wish->ple_width, e) &&
              gguf_write_strs(w, "tokenizer.ggml.tokens", ts->pieces, ts->n_pieces, e) &&
              gguf_write_i32s(w, "tokenizer.ggml.token_type", types, ts->n_pieces, e) &&
              (wish->without_merges ||
               gguf_write_strs(w, "tokenizer.ggml.merges", ts->merges, ts->n_merges, e)) &&
              gguf_write_seal(w, e);
    MUST_TRUE(ok, e->msg);
    struct str head = gguf_write_head(w);
    struct gguf *g = gguf_open_mem(head.p, head.n_bytes, "small.gguf", e);
    MUST_TRUE(g, e->msg);
    mem_fault_arm(n_mem);
    void *image = tok_build(g, image_bytes, e);
    (void)mem_fault_fired(); /* disarms */
    gguf_close(g);
    gguf_write_free(w);
    free(ts);
    return image;
}

static void *build_from_file(const struct file_wish *wish, size_t *image_bytes, struct err *e)
{
    return build_with_memory(wish, UINT64_MAX, image_bytes, e);
}

static void check_template(struct file_wish wish, uint32_t want_rev, bool want_empty_thought)
{
    struct err e = {0};
    size_t image_bytes;
    struct tok t;
    void *image = build_from_file(&wish, &image_bytes, &e);
    MUST_TRUE(image && tok_open(&t, image, image_bytes, &e), e.msg);
    CHECK_EQ(t.template_rev, want_rev);
    CHECK_EQ(t.has_empty_thought, want_empty_thought);
    CHECK_TRUE(tok_find(&t, STR("abab")) > 0);
    free(image);
}

TEST(tok_build_reads_a_file_and_its_template_revision)
{
    check_template((struct file_wish){.model = "gemma4"}, 2, true);
    check_template((struct file_wish){.model = "gemma4", .ple_width = 256}, 2, false);
    check_template((struct file_wish){.model = "llama",
                                      .pre = "gemma4",
                                      .chat_template = "{{ preserve_thinking }}"},
                   2, false);
    check_template(
        (struct file_wish){.model = "gemma4",
                           .ple_width = 256,
                           .chat_template =
                               "{# OpenAI Chat Completions: #}'<|channel>thought\\n<channel|>'"},
        1, true);
    check_template((struct file_wish){.model = "gemma4", .chat_template = "R0"}, 1, false);
}

TEST(tok_build_refuses_other_tokenizers_and_missing_keys)
{
    struct err e = {0};
    size_t image_bytes;
    CHECK_TRUE(!build_from_file(&(struct file_wish){.model = "gpt2"}, &image_bytes, &e));
    CHECK_TRUE(strstr(e.msg, "small.gguf") && strstr(e.msg, "tokenizer.ggml.model"));
    CHECK_TRUE(!build_from_file(&(struct file_wish){.model = "gemma4", .without_merges = true},
                                &image_bytes, &e));
    CHECK_TRUE(strstr(e.msg, "tokenizer.ggml.merges"));
}

TEST(tok_build_survives_every_allocation_that_fails)
{
    size_t image_bytes;
    uint64_t n_mem = 0;
    void *image = NULL;
    for (; !image && n_mem < 100; n_mem++) {
        struct err e = {0};
        uint64_t n_live = mem_n_live();
        image = build_with_memory(&(struct file_wish){.model = "gemma4"}, n_mem, &image_bytes, &e);
        CHECK_TRUE(image || e.code == ERR_NOMEM);
        CHECK_EQ(mem_n_live(), n_live);
    }
    CHECK_EQ(n_mem, 5); /* pieces, types, merges, the group: four that can fail */
    free(image);
}
