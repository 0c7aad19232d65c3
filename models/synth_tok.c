#include "models/synth_tok.h"

#include "runtime/base/mem.h"

#include <stdio.h>

enum { NORMAL = 1, CONTROL = 3, USER_DEFINED = 4, UNUSED = 5, BYTE = 6 }; /* token_type values */
enum { REAL_VOCAB = 262144, SMALL_VOCAB = 4096, FIRST_REAL_BYTE_ID = 238 };
enum { FIRST_REAL_LINE_FEED_ID = 107, MAX_RUN = 31, SMALL_MAX_RUN = 4 };

static const char SPACE[] = "\xe2\x96\x81"; /* U+2581 stands for a space */

static const struct {
    const char *text;
    uint32_t real_id;
    int32_t type;
} specials[] = {
    {"<pad>", 0, CONTROL},
    {"<eos>", 1, CONTROL},
    {"<bos>", 2, CONTROL},
    {"<unk>", 3, CONTROL},
    {"<mask>", 4, CONTROL},
    {"<|tool>", 46, CONTROL},
    {"<tool|>", 47, CONTROL},
    {"<|tool_call>", 48, USER_DEFINED},
    {"<tool_call|>", 49, USER_DEFINED},
    {"<|tool_response>", 50, USER_DEFINED},
    {"<tool_response|>", 51, USER_DEFINED},
    {"<|\"|>", 52, USER_DEFINED},
    {"<|think|>", 98, CONTROL},
    {"<|channel>", 100, USER_DEFINED},
    {"<channel|>", 101, USER_DEFINED},
    {"<|turn>", 105, CONTROL},
    {"<turn|>", 106, CONTROL},
    {"</s>", 212, NORMAL},
    {"<|image>", 255999, CONTROL},
    {"<|audio>", 256000, CONTROL},
    {"<|image|>", 258880, CONTROL},
    {"<|audio|>", 258881, CONTROL},
    {"<image|>", 258882, CONTROL},
    {"<audio|>", 258883, CONTROL},
    {"<|video|>", 258884, CONTROL},
};

/* Texts live in one pool that is allocated once, so that slices into it stay good. */
struct vocab {
    struct str *tokens; /* [n_vocab]; p NULL while the id is free */
    int32_t *types;     /* [n_vocab] */
    float *scores;      /* [n_vocab] */
    struct str *merges; /* [n_vocab] at most */
    char *pool;
    uint64_t n_pool_bytes, pool_room_bytes;
    uint32_t n_vocab, n_merges;
    uint32_t i_free; /* no id below it is free */
    uint32_t max_run;
};

static void vocab_deinit(struct vocab *v)
{
    mem_free(v->tokens);
    mem_free(v->types);
    mem_free(v->scores);
    mem_free(v->merges);
    mem_free(v->pool);
}

static bool vocab_init(struct vocab *v, uint32_t n_vocab, struct err *e)
{
    /* Runs are the longest texts, at most 31 x 3 bytes twice in a merge; the rest stays below 16
     * bytes. */
    *v = (struct vocab){.n_vocab = n_vocab,
                        .max_run = n_vocab < SMALL_VOCAB ? SMALL_MAX_RUN : MAX_RUN,
                        .pool_room_bytes =
                            (uint64_t)n_vocab * 32 + 4 * MAX_RUN * MAX_RUN * 3 + 4096};
    v->tokens = mem_alloc(n_vocab, sizeof *v->tokens);
    v->types = mem_alloc(n_vocab, sizeof *v->types);
    v->scores = mem_alloc(n_vocab, sizeof *v->scores);
    v->merges = mem_alloc(n_vocab, sizeof *v->merges);
    v->pool = mem_alloc(v->pool_room_bytes, 1);
    if (v->tokens && v->types && v->scores && v->merges && v->pool)
        return true;
    vocab_deinit(v);
    return err_set(e, ERR_NOMEM, "synth: no memory for a vocabulary of %u", n_vocab);
}

static struct str keep(struct vocab *v, struct str a, struct str b, struct str c)
{
    char *p = v->pool + v->n_pool_bytes;
    struct str whole = {p, a.n_bytes + b.n_bytes + c.n_bytes};
    memcpy(p, a.p, a.n_bytes);
    memcpy(p + a.n_bytes, b.p, b.n_bytes);
    memcpy(p + a.n_bytes + b.n_bytes, c.p, c.n_bytes);
    v->n_pool_bytes += whole.n_bytes;
    return whole;
}

static void put_at(struct vocab *v, uint32_t id, struct str text, int32_t type)
{
    v->tokens[id] = keep(v, text, STR(""), STR(""));
    v->types[id] = type;
}

/* The next free id; false when the vocabulary is full. */
static bool put(struct vocab *v, struct str text, int32_t type)
{
    while (v->i_free < v->n_vocab && v->tokens[v->i_free].p)
        v->i_free++;
    if (v->i_free == v->n_vocab)
        return false;
    put_at(v, v->i_free, text, type);
    return true;
}

/* a and b are pieces already; adds their concatenation and the merge. */
static bool put_merged(struct vocab *v, struct str a, struct str b)
{
    char text[2 * 3 * MAX_RUN];
    memcpy(text, a.p, a.n_bytes);
    memcpy(text + a.n_bytes, b.p, b.n_bytes);
    if (!put(v, (struct str){text, a.n_bytes + b.n_bytes}, NORMAL))
        return false;
    v->merges[v->n_merges++] = keep(v, a, STR(" "), b);
    return true;
}

static void put_specials(struct vocab *v)
{
    bool is_real = v->n_vocab >= REAL_VOCAB;
    for (size_t i = 0; i < sizeof specials / sizeof *specials; i++)
        if (is_real)
            put_at(v, specials[i].real_id, str_of(specials[i].text), specials[i].type);
        else
            put(v, str_of(specials[i].text), specials[i].type);
    for (uint32_t b = 0; b < 256; b++) {
        char text[8];
        snprintf(text, sizeof text, "<0x%02X>", b & 0xff);
        if (is_real)
            put_at(v, FIRST_REAL_BYTE_ID + b, str_of(text), BYTE);
        else
            put(v, str_of(text), BYTE);
    }
}

/* Runs of 1..max_run of one character, and their merges with the longest first, as the real list
 * has them. */
static void put_runs(struct vocab *v, struct str one)
{
    char text[3 * MAX_RUN];
    bool has_real_id = one.p[0] == '\n' && v->n_vocab >= REAL_VOCAB;
    for (uint32_t n = 0; n < v->max_run; n++) {
        memcpy(text + n * one.n_bytes, one.p, one.n_bytes);
        struct str run = {text, (n + 1) * one.n_bytes};
        if (has_real_id)
            put_at(v, FIRST_REAL_LINE_FEED_ID + n, run, NORMAL);
        else
            put(v, run, NORMAL);
    }
    for (uint32_t n = v->max_run; n >= 2; n--)
        v->merges[v->n_merges++] =
            keep(v, (struct str){text, (n - 1) * one.n_bytes}, STR(" "), one);
}

/* Letter pairs, then pairs after a space, then pairs of pairs, until every id is taken. */
static void put_words(struct vocab *v)
{
    static const char letters[] =
        "etaoinshrdlcumwfgypbvkjxqz"; /* frequent first: a small vocabulary gets common pairs */
    enum { N = 26, N_PAIRS = N * N };
    char pairs[N_PAIRS][2];
    bool ok = true;
    for (int i = 0; i < N_PAIRS && ok; i++) {
        memcpy(pairs[i], (char[]){letters[i % N], letters[i / N]}, 2);
        ok = put_merged(v, (struct str){&pairs[i][0], 1}, (struct str){&pairs[i][1], 1});
    }
    for (int i = 0; i < N_PAIRS && ok; i++)
        ok = put_merged(v, STR("\xe2\x96\x81"), (struct str){pairs[i], 2});
    for (int i = 0; i < N_PAIRS * N_PAIRS && ok; i++)
        ok =
            put_merged(v, (struct str){pairs[i % N_PAIRS], 2}, (struct str){pairs[i / N_PAIRS], 2});
    for (uint32_t i = 0; ok; i++) {
        char text[24];
        snprintf(text, sizeof text, "<unused%u>", i);
        ok = put(v, str_of(text), UNUSED);
    }
}

static void vocab_fill(struct vocab *v)
{
    put_specials(v);
    put_runs(v, STR("\n"));
    put_runs(v, str_of(SPACE));
    put_runs(v, STR("\t"));
    for (char c = 0x21; c < 0x7f; c++)
        put(v, (struct str){&c, 1}, NORMAL);
    put_words(v);
    for (uint32_t i = 0; i < v->n_vocab; i++)
        v->scores[i] = -1000.0f;
}

bool synth_tok_declare(uint32_t n_vocab, struct gguf_writer *w, struct err *e)
{
    struct vocab v;
    if (!vocab_init(&v, n_vocab, e))
        return false;
    vocab_fill(&v);
    bool ok = gguf_write_str(w, "tokenizer.ggml.model", "gemma4", e) &&
              gguf_write_strs(w, "tokenizer.ggml.tokens", v.tokens, n_vocab, e) &&
              gguf_write_f32s(w, "tokenizer.ggml.scores", v.scores, n_vocab, e) &&
              gguf_write_i32s(w, "tokenizer.ggml.token_type", v.types, n_vocab, e) &&
              gguf_write_strs(w, "tokenizer.ggml.merges", v.merges, v.n_merges, e) &&
              gguf_write_u32(w, "tokenizer.ggml.bos_token_id", 2, e) &&
              gguf_write_u32(w, "tokenizer.ggml.eos_token_id", 1, e) &&
              gguf_write_u32(w, "tokenizer.ggml.unknown_token_id", 3, e) &&
              gguf_write_u32(w, "tokenizer.ggml.padding_token_id", 0, e) &&
              gguf_write_u32(w, "tokenizer.ggml.mask_token_id", 4, e) &&
              gguf_write_bool(w, "tokenizer.ggml.add_bos_token", true, e) &&
              gguf_write_bool(w, "tokenizer.ggml.add_space_prefix", false, e);
    vocab_deinit(&v);
    return ok;
}
