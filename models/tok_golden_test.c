/* The synthetic vocabulary of tests/golden/tokenizer.md, rebuilt by its rules, and the 3,000 texts
 * that the public tokenizers library encoded on it. Also the pairs of the real vocabulary, when a
 * real file is at hand. */
#include "models/tok_image.h"
#include "tests/t.h"

#include <jansson.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    N_VOCAB = 262144,
    N_MERGES = 571973,
    N_SLOTS = 1 << 20,
    TEXT_ROOM_BYTES = 32 << 20,
    FIRST_WORD = 494,
    LAST_WORD = 236742,
    MAX_IDS = 200000,
};

struct vocab {
    struct str pieces[N_VOCAB];
    uint8_t classes[N_VOCAB];
    struct str merges[N_MERGES];
    uint32_t n_merges;
    uint32_t slots[N_SLOTS]; /* id + 1 */
    char text[TEXT_ROOM_BYTES];
    size_t n_text_bytes;
    uint64_t state;
};

/* ---- pieces ---- */

static uint32_t *slot_of(struct vocab *v, struct str text)
{
    uint32_t h = 2166136261u;
    for (size_t i = 0; i < text.n_bytes; i++)
        h = (h ^ (unsigned char)text.p[i]) * 16777619u;
    uint32_t at = h & (N_SLOTS - 1);
    while (v->slots[at] && !str_eq(v->pieces[v->slots[at] - 1], text))
        at = (at + 1) & (N_SLOTS - 1);
    return &v->slots[at];
}

static struct str keep(struct vocab *v, struct str text)
{
    MUST_TRUE(text.n_bytes <= TEXT_ROOM_BYTES - v->n_text_bytes, "text room");
    char *at = v->text + v->n_text_bytes;
    memcpy(at, text.p, text.n_bytes);
    v->n_text_bytes += text.n_bytes;
    return (struct str){at, text.n_bytes};
}

static void set_piece(struct vocab *v, uint32_t id, struct str text, enum tok_class c)
{
    v->pieces[id] = keep(v, text);
    v->classes[id] = (uint8_t)c;
    *slot_of(v, text) = id + 1;
}

static struct str repeated(char *out, const char *unit, unsigned n)
{
    size_t n_unit = strlen(unit);
    for (unsigned i = 0; i < n; i++)
        memcpy(out + i * n_unit, unit, n_unit);
    return (struct str){out, n * n_unit};
}

static const char space[] = "\xe2\x96\x81";

static void add_fixed(struct vocab *v)
{
    static const struct {
        uint32_t id;
        enum tok_class c;
        const char *text;
    } fixed[] = {
        {0, TOK_CONTROL, "<pad>"},
        {1, TOK_CONTROL, "<eos>"},
        {2, TOK_CONTROL, "<bos>"},
        {3, TOK_CONTROL, "<unk>"},
        {4, TOK_CONTROL, "<mask>"},
        {46, TOK_CONTROL, "<|tool>"},
        {47, TOK_CONTROL, "<tool|>"},
        {98, TOK_CONTROL, "<|think|>"},
        {105, TOK_CONTROL, "<|turn>"},
        {106, TOK_CONTROL, "<turn|>"},
        {255999, TOK_CONTROL, "<|image>"},
        {256000, TOK_CONTROL, "<|audio>"},
        {258880, TOK_CONTROL, "<|image|>"},
        {258881, TOK_CONTROL, "<|audio|>"},
        {258882, TOK_CONTROL, "<image|>"},
        {258883, TOK_CONTROL, "<audio|>"},
        {258884, TOK_CONTROL, "<|video|>"},
        {48, TOK_USER_DEFINED, "<|tool_call>"},
        {49, TOK_USER_DEFINED, "<tool_call|>"},
        {50, TOK_USER_DEFINED, "<|tool_response>"},
        {51, TOK_USER_DEFINED, "<tool_response|>"},
        {52, TOK_USER_DEFINED, "<|\"|>"},
        {100, TOK_USER_DEFINED, "<|channel>"},
        {101, TOK_USER_DEFINED, "<channel|>"},
        {168, TOK_NORMAL, "<table>"},
        {169, TOK_NORMAL, "</table>"},
        {170, TOK_NORMAL, "<tr>"},
        {171, TOK_NORMAL, "</tr>"},
        {172, TOK_NORMAL, "<td>"},
        {173, TOK_NORMAL, "</td>"},
        {174, TOK_NORMAL, "<h1>"},
        {175, TOK_NORMAL, "</h1>"},
        {176, TOK_NORMAL, "<b>"},
        {177, TOK_NORMAL, "</b>"},
        {212, TOK_NORMAL, "</s>"},
    };
    char text[128];
    for (size_t i = 0; i < sizeof fixed / sizeof fixed[0]; i++)
        set_piece(v, fixed[i].id, str_of(fixed[i].text), fixed[i].c);
    for (unsigned n = 1; n <= 31; n++) {
        set_piece(v, 106 + n, repeated(text, "\n", n), TOK_NORMAL);
        set_piece(v, 255967 + n, repeated(text, "\t", n), TOK_NORMAL);
        set_piece(v, n == 1 ? 236743 : 136 + n, repeated(text, space, n), TOK_NORMAL);
    }
    for (unsigned b = 0; b < 256; b++) {
        snprintf(text, sizeof text, "<0x%02X>", b);
        set_piece(v, 238 + b, str_of(text), TOK_BYTE);
    }
}

static void add_chars(struct vocab *v)
{
    static const uint32_t ranges[][2] = {
        {0x21, 0x7e},       {0xa1, 0x17f},    {0x300, 0x36f},   {0x370, 0x3ff},
        {0x400, 0x45f},     {0x5d0, 0x5ea},   {0x621, 0x64a},   {0x901, 0x96f},
        {0xe01, 0xe3a},     {0x1780, 0x17b3}, {0x1e00, 0x1eff}, {0x200d, 0x200d},
        {0x2010, 0x2027},   {0x20a0, 0x20bf}, {0x2190, 0x22ff}, {0x2500, 0x257f},
        {0x2700, 0x27bf},   {0x3001, 0x3003}, {0x3041, 0x3096}, {0x30a1, 0x30fa},
        {0xac00, 0xb5c3},   {0xfe0f, 0xfe0f}, {0xff01, 0xff5e}, {0x1f600, 0x1f64f},
        {0x1f680, 0x1f6c5}, {0x4e00, 0xffff}};
    uint32_t id = 236744;
    for (size_t r = 0; r < sizeof ranges / sizeof ranges[0]; r++) {
        for (uint32_t cp = ranges[r][0]; cp <= ranges[r][1] && id <= 255967; cp++) {
            char text[4];
            set_piece(v, id++, (struct str){text, utf8_put(cp, text)}, TOK_NORMAL);
        }
    }
}

/* ---- words ---- */

static uint64_t next(struct vocab *v)
{
    v->state += UINT64_C(0x9E3779B97F4A7C15);
    uint64_t z = v->state;
    z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
    return z ^ z >> 31;
}

enum script {
    LATIN,
    GERMAN,
    CYRILLIC,
    GREEK,
    DEVANAGARI,
    MARKS,
    N_LISTED,
    HAN = N_LISTED,
    KANA,
    HANGUL
};

static const char *const lists[N_LISTED][3] = {
    [LATIN] = {"t s r n l d c m p b f _ st th w h g pr tr v ch sh br gr cl k pl fr sp j qu",
               "e a i o u ea io ou y ee ai au", "_ _ _ _ n r s t l d ng st nt m ck ll"},
    [GERMAN] = {"_ s d n b g w r m k f z sch st h l ge ver t p", "e i a u ei ä ie o ü ö au eu",
                "n r _ t s ch _ nd ß l cht m ng tz"},
    [CYRILLIC] = {"п с н т к в р д м л з б г ч пр ст х ш", "о а е и у ы я ю ё",
                  "_ _ т н л в й м с ль ть х к"},
    [GREEK] = {"τ κ π σ μ ν λ δ γ θ ρ φ", "α ο ε ι η υ ω ου ά ί", "_ _ ς ν ρ ις"},
    [DEVANAGARI] = {"क न र स त म प ह व ल य द",
                    "\xe0\xa4\xbe \xe0\xa4\xbf \xe0\xa5\x80 \xe0\xa5\x87 \xe0\xa5\x8b \xe0\xa5\x81 "
                    "\xe0\xa5\x8d",
                    "_ _ न र त \xe0\xa4\x82"},
    [MARKS] = {"- = . / * # _ < > ! ( [ { : ; & |", "- = . * / ! ) ] } > ? \" ' ; ,",
               "_ _ = > ) ;"},
};

static uint32_t list_length(const char *list)
{
    uint32_t n = 1;
    for (; *list; list++)
        n += *list == ' ';
    return n;
}

static struct str list_entry(const char *list, uint32_t i)
{
    for (; i > 0; i--)
        list = strchr(list, ' ') + 1;
    struct str s = {list, strcspn(list, " ")};
    return str_is(s, "_") ? STR("") : s;
}

static uint64_t lower(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static size_t put(char *out, struct str s)
{
    if (s.n_bytes)
        memcpy(out, s.p, s.n_bytes);
    return s.n_bytes;
}

/* The marks onset has a "_" of its own, which is empty like all others. */
static size_t make_syllable(struct vocab *v, enum script script, char *out)
{
    uint64_t r = next(v);
    if (script >= N_LISTED) {
        uint32_t first = script == HAN ? 0x4e00 : script == KANA ? 0x3041 : 0xac00;
        uint32_t n = script == HAN ? 3000 : script == KANA ? 86 : 2000;
        return utf8_put(first + (uint32_t)lower((r & 0xfffff) % n, (r >> 20 & 0xfffff) % n), out);
    }
    const char *const *three = lists[script];
    uint32_t n_onset = list_length(three[0]), n_nucleus = list_length(three[1]),
             n_coda = list_length(three[2]);
    size_t n = put(out, list_entry(three[0], (uint32_t)lower((r & 0xfff) % n_onset,
                                                             (r >> 12 & 0xfff) % n_onset)));
    n += put(out + n, list_entry(three[1], (uint32_t)lower((r >> 24 & 0xfff) % n_nucleus,
                                                           (r >> 36 & 0xfff) % n_nucleus)));
    return n + put(out + n, list_entry(three[2], (uint32_t)((r >> 48) % n_coda)));
}

/* Ends of the characters of text; returns how many there are, at most n_max. */
static size_t char_ends(struct str text, size_t *ends, size_t n_max)
{
    size_t n = 0, n_used;
    for (size_t at = 0; at < text.n_bytes && n < n_max; at += n_used) {
        utf8_decode(text.p + at, text.n_bytes - at, &n_used);
        ends[n++] = at + n_used;
    }
    return n;
}

static void add_words(struct vocab *v)
{
    uint32_t id = FIRST_WORD;
    v->state = 0x48656172746800;
    while (id <= LAST_WORD) {
        static const enum script others[] = {GERMAN,   GERMAN,   GERMAN, CYRILLIC,
                                             CYRILLIC, CYRILLIC, HAN,    HAN,
                                             KANA,     HANGUL,   GREEK,  DEVANAGARI};
        char word[256];
        uint64_t r = next(v);
        enum script script = (r & 31) < 20 ? LATIN : others[(r & 31) - 20];
        if ((r >> 24) % 64 == 0)
            script = MARKS;
        size_t n_bytes = 0, start = 0, ends[16];
        if ((r >> 5) % 8 < 5)
            n_bytes = start = put(word, str_of(space));
        for (uint64_t n = 1 + lower(r >> 16 & 3, r >> 18 & 3); n > 0; n--)
            n_bytes += make_syllable(v, script, word + n_bytes);
        if ((r >> 8) % 8 == 0 && n_bytes > start && word[start] >= 'a' && word[start] <= 'z')
            word[start] = (char)(word[start] - 32);
        size_t n_chars = char_ends((struct str){word, n_bytes}, ends, 16);
        for (size_t n = 2; n <= n_chars && id <= LAST_WORD; n++) {
            struct str p = {word, ends[n - 1]};
            if (*slot_of(v, p) == 0)
                set_piece(v, id++, p, TOK_NORMAL);
        }
    }
}

/* ---- merges ---- */

static void add_merge(struct vocab *v, struct str left, struct str right)
{
    MUST_TRUE(v->n_merges < N_MERGES, "more merges than there should be");
    struct str kept = keep(v, left);
    keep(v, STR(" "));
    kept.n_bytes += 1 + keep(v, right).n_bytes;
    v->merges[v->n_merges++] = kept;
}

static void add_merges(struct vocab *v)
{
    char left[128], right[128];
    for (unsigned n = 30; n >= 1; n--)
        add_merge(v, repeated(left, "\n", n), STR("\n"));
    for (unsigned n = 30; n >= 1; n--)
        add_merge(v, repeated(left, space, n), str_of(space));
    for (unsigned n = 31; n >= 2; n--) {
        for (unsigned k = n - 1; k >= 1; k--)
            add_merge(v, repeated(left, "\t", k), repeated(right, "\t", n - k));
    }
    for (uint32_t id = FIRST_WORD; id <= LAST_WORD; id++) {
        struct str p = v->pieces[id];
        size_t ends[16], m = char_ends(p, ends, 16);
        for (size_t k = m - 1; k >= 1; k--) {
            struct str a = {p.p, ends[k - 1]}, b = {p.p + ends[k - 1], p.n_bytes - ends[k - 1]};
            if (*slot_of(v, a) && *slot_of(v, b))
                add_merge(v, a, b);
        }
    }
}

static struct vocab *make_vocab(void)
{
    struct vocab *v = calloc(1, sizeof *v);
    MUST_TRUE(v, "memory");
    add_fixed(v);
    add_chars(v);
    add_words(v);
    add_merges(v);
    for (uint32_t id = 0; id < N_VOCAB; id++) {
        char text[32];
        if (v->classes[id])
            continue;
        snprintf(text, sizeof text, "<unused%u>", id);
        set_piece(v, id, str_of(text), TOK_NORMAL);
    }
    return v;
}

static void check_digest(const struct vocab *v)
{
    crypto_hash_sha256_state sha;
    unsigned char digest[crypto_hash_sha256_BYTES];
    char hex[2 * sizeof digest + 1];
    crypto_hash_sha256_init(&sha);
    for (uint32_t i = 0; i < N_VOCAB + v->n_merges; i++) {
        struct str s = i < N_VOCAB ? v->pieces[i] : v->merges[i - N_VOCAB];
        crypto_hash_sha256_update(&sha, (const unsigned char *)s.p, s.n_bytes);
        crypto_hash_sha256_update(&sha, (const unsigned char *)"", 1);
    }
    crypto_hash_sha256_final(&sha, digest);
    sodium_bin2hex(hex, sizeof hex, digest, sizeof digest);
    CHECK_EQ(v->n_merges, N_MERGES);
    CHECK_STR(hex, "1e19986bc3256624bec9c68a514bcc54744db09f50a8a286c3e9a568ac43f41c");
}

/* ---- the tests ---- */

struct user {
    struct tok tok;
    void *image;
    struct tok_scratch *scratch;
    struct tok_ids ids;
};

static void user_open(struct user *u, void *image, size_t image_bytes)
{
    struct err e = {0};
    MUST_TRUE(tok_open(&u->tok, image, image_bytes, &e), e.msg);
    u->image = image;
    u->scratch = malloc(tok_scratch_bytes());
    u->ids = (struct tok_ids){malloc(MAX_IDS * sizeof *u->ids.at), MAX_IDS, 0};
    MUST_TRUE(u->scratch && u->ids.at, "memory");
}

static void user_close(struct user *u)
{
    free(u->image);
    free(u->scratch);
    free(u->ids.at);
}

static bool ids_are(struct user *u, const json_t *text, bool is_trusted, const json_t *want)
{
    struct tok_segment seg = {{json_string_value(text), json_string_length(text)}, is_trusted};
    struct err e = {0};
    if (!tok_encode(&u->tok, &(struct tok_text){&seg, 1, false}, u->scratch, &u->ids, &e) ||
        u->ids.n != json_array_size(want))
        return false;
    for (size_t i = 0; i < u->ids.n; i++) {
        if (u->ids.at[i] != json_integer_value(json_array_get(want, i)))
            return false;
    }
    return true;
}

/* Encodes every line of a file; returns the number of lines. */
static size_t check_lines(struct user *u, const char *path)
{
    size_t n_bytes, n_lines = 0;
    char *all = t_read_file(path, &n_bytes), *line = all;
    for (char *end; (end = strchr(line, '\n')); line = end + 1, n_lines++) {
        json_t *j = json_loadb(line, (size_t)(end - line), 0, NULL);
        MUST_TRUE(j, path);
        const json_t *text = json_object_get(j, "text"), *ids = json_object_get(j, "ids");
        const json_t *marked = json_object_get(j, "marked_ids");
        if (!CHECK_TRUE(ids_are(u, text, false, ids)) ||
            !CHECK_TRUE(ids_are(u, text, true, marked ? marked : ids)))
            fprintf(stderr, "    line %zu of %s\n", n_lines + 1, path);
        json_decref(j);
    }
    free(all);
    return n_lines;
}

TEST(tok_equals_the_tokenizers_library_on_a_vocabulary_of_real_size)
{
    struct vocab *v = make_vocab();
    check_digest(v);
    struct tok_source source = {.name = "golden",
                                .n_vocab = N_VOCAB,
                                .n_merges = v->n_merges,
                                .pieces = v->pieces,
                                .classes = v->classes,
                                .merges = v->merges,
                                .template_rev = 2};
    struct err e = {0};
    size_t image_bytes;
    void *image = tok_image_build(&source, &image_bytes, &e);
    free(v);
    MUST_TRUE(image, e.msg);
    struct user u;
    user_open(&u, image, image_bytes);
    CHECK_EQ(check_lines(&u, "tests/golden/tokenizer.jsonl"), 3000);
    user_close(&u);
}

TEST(tok_equals_the_published_pairs_on_a_real_file)
{
    static const char path[] = "tests/local/real.gguf";
    struct err e = {0};
    size_t image_bytes;
    FILE *there = fopen(path, "rb");
    if (!there)
        SKIP("there is no tests/local/real.gguf, a file of the real model");
    fclose(there);
    struct gguf *g = gguf_open(path, &e);
    MUST_TRUE(g, e.msg);
    void *image = tok_build(g, &image_bytes, &e);
    gguf_close(g);
    MUST_TRUE(image, e.msg);
    struct user u;
    user_open(&u, image, image_bytes);
    CHECK_EQ(check_lines(&u, "tests/vectors/chat/gemma4-tokenizer.jsonl"), 46);
    user_close(&u);
}
