/* parse: any tokens give well-formed events, and the same ones however text is cut into tokens; any
 * call that is accepted is JSON. The first byte holds the flags; each further byte is a token: a
 * marker, a word, or a byte token. */
#include "models/gemma4_parse.h"
#include "tests/tok_small.h"

#include <jansson.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n_bytes);

enum { MAX_TOKENS = 4096, ANSWER_BYTES = MAX_TOKENS * 16 };

static void must(bool held)
{
    if (!held)
        abort();
}

struct answer {
    char text[3][ANSWER_BYTES]; /* reasoning, content, calls */
    size_t n_bytes[3];
};

struct fixture {
    struct tok tok;
    void *image;
    char buf[GEMMA4_PARSE_BUF_BYTES];
    struct gemma4_parse p;
    struct answer words, pieces;
};

static struct fixture *shared; /* made once: building it costs more than a round */

static struct fixture *fixture_get(void)
{
    struct err e;
    if (shared)
        return shared;
    shared = malloc(sizeof *shared);
    must(shared);
    shared->image = tok_small_open(&shared->tok, &e);
    must(shared->image);
    return shared;
}

static const char *const words[] = {"<|channel>", "<channel|>", "<|tool_call>",     "<tool_call|>",
                                    "<|\"|>",     "<|think|>",  "<tool_response|>", "thought",
                                    "tho",        "\n",         "\xe2\x96\x81",     "the",
                                    "\n\n",       "\xc3\xa9"};
static const char call_start[] = "call:f{";

static void put(struct answer *a, int which, struct str text)
{
    must(text.n_bytes <= ANSWER_BYTES - a->n_bytes[which]);
    if (text.n_bytes)
        memcpy(a->text[which] + a->n_bytes[which], text.p, text.n_bytes);
    a->n_bytes[which] += text.n_bytes;
}

/* Numbers beyond a double and repeated members are legal JSON that jansson would refuse: they are
 * not looked at. */
static void check_arguments(struct str arguments)
{
    json_error_t je;
    json_t *v =
        json_loadb(arguments.p, arguments.n_bytes, JSON_ALLOW_NUL | JSON_DECODE_INT_AS_REAL, &je);
    enum json_error_code code = json_error_code(&je);
    must(v ? json_is_object(v)
           : code == json_error_numeric_overflow || code == json_error_null_byte_in_key);
    json_decref(v);
}

static void take(struct answer *a, const struct gemma4_event *ev, size_t n_events)
{
    must(n_events <= GEMMA4_MAX_EVENTS);
    for (size_t i = 0; i < n_events; i++) {
        if (ev[i].kind == GEMMA4_EVENT_CALL) {
            must(ev[i].name.n_bytes > 0);
            check_arguments(ev[i].arguments);
            put(a, 2, ev[i].name);
            put(a, 2, ev[i].arguments);
        } else if (ev[i].kind != GEMMA4_EVENT_STOP) {
            must(ev[i].text.n_bytes > 0 && str_is_utf8(ev[i].text));
            put(a, ev[i].kind == GEMMA4_EVENT_REASONING ? 0 : 1, ev[i].text);
        }
    }
}

static void push_bytes(struct fixture *f, struct answer *a, struct str raw)
{
    struct gemma4_event ev[GEMMA4_MAX_EVENTS];
    for (size_t i = 0; i < raw.n_bytes; i++) {
        char piece[8];
        snprintf(piece, sizeof piece, "<0x%02X>", (unsigned char)raw.p[i]);
        take(a, ev, gemma4_parse_push(&f->p, tok_find(&f->tok, str_of(piece)), ev));
    }
}

static void push_word(struct fixture *f, struct answer *a, struct str word, bool in_pieces)
{
    struct gemma4_event ev[GEMMA4_MAX_EVENTS];
    int32_t id = tok_find(&f->tok, word);
    if (in_pieces && tok_class_of(&f->tok, id) == TOK_NORMAL) {
        char raw[64];
        push_bytes(f, a, (struct str){raw, detok_bytes(&f->tok, id, raw, sizeof raw)});
    } else {
        take(a, ev, gemma4_parse_push(&f->p, id, ev));
    }
}

static void run(struct fixture *f, const uint8_t *bytes, size_t n_bytes, struct answer *a,
                bool in_pieces)
{
    struct gemma4_event ev[GEMMA4_MAX_EVENTS];
    memset(a->n_bytes, 0, sizeof a->n_bytes);
    gemma4_parse_init(&f->p, &f->tok, bytes[0] & 3, f->buf, sizeof f->buf);
    for (size_t i = 1; i < n_bytes; i++) {
        size_t which = (size_t)bytes[i] - 0x80;
        if (bytes[i] >= 0x80 && which < sizeof words / sizeof words[0])
            push_word(f, a, str_of(words[which]), in_pieces);
        else if (bytes[i] == 0x8f)
            push_bytes(f, a, str_of(call_start));
        else
            push_bytes(f, a, (struct str){(const char *)bytes + i, 1});
    }
    take(a, ev, gemma4_parse_end(&f->p, bytes[0] & 4 ? GEMMA4_END_LIMIT : GEMMA4_END_STOP, ev));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n_bytes)
{
    if (n_bytes < 1 || n_bytes > MAX_TOKENS)
        return 0;
    struct fixture *f = fixture_get();
    run(f, bytes, n_bytes, &f->words, false);
    run(f, bytes, n_bytes, &f->pieces, true);
    for (int k = 0; k < 3; k++) {
        must(f->words.n_bytes[k] == f->pieces.n_bytes[k]);
        must(memcmp(f->words.text[k], f->pieces.text[k], f->words.n_bytes[k]) == 0);
    }
    return 0;
}
