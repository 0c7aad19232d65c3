/* gemma4_call: recursive descent over the grammar of gemma4-chat.md 7.3, with its lenient
 * additions. Depth is limited. */
#include "models/gemma4_call.h"

#include <stdio.h>

enum { QUOTE_BYTES = sizeof GEMMA4_CALL_QUOTE - 1, QUOTE_LEAD = 0xff };

struct reader {
    struct str in;
    size_t at;
    char *out;
    size_t room_bytes, n_out; /* n_out may run past room_bytes: then it did not fit */
    unsigned depth;
};

static void put(struct reader *r, const char *p, size_t n_bytes)
{
    if (r->n_out <= r->room_bytes && n_bytes <= r->room_bytes - r->n_out)
        memcpy(r->out + r->n_out, p, n_bytes);
    r->n_out += n_bytes;
}

static void put_escaped_byte(struct reader *r, char c)
{
    static const char letters[] =
        "\"\"\\\\\bb\ff\nn\rr\tt"; /* pairs: the byte, the letter behind the backslash */
    for (size_t i = 0; i + 1 < sizeof letters; i += 2) {
        if (letters[i] == c) {
            put(r, (const char[]){'\\', letters[i + 1]}, 2);
            return;
        }
    }
    if ((unsigned char)c >= 0x20) {
        put(r, &c, 1);
        return;
    }
    char text[8];
    snprintf(text, sizeof text, "\\u%04x", (unsigned)(unsigned char)c);
    put(r, text, 6);
}

static void put_string(struct reader *r, struct str text)
{
    put(r, "\"", 1);
    for (size_t i = 0; i < text.n_bytes; i++)
        put_escaped_byte(r, text.p[i]);
    put(r, "\"", 1);
}

static bool is_ws(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static void skip_ws(struct reader *r)
{
    while (r->at < r->in.n_bytes && is_ws(r->in.p[r->at]))
        r->at++;
}

static int peek(const struct reader *r)
{
    return r->at < r->in.n_bytes ? (unsigned char)r->in.p[r->at] : -1;
}

static bool take(struct reader *r, char c)
{
    if (peek(r) != (unsigned char)c)
        return false;
    r->at++;
    return true;
}

static struct str trimmed(struct str s)
{
    while (s.n_bytes && is_ws(s.p[0]))
        s = (struct str){s.p + 1, s.n_bytes - 1};
    while (s.n_bytes && is_ws(s.p[s.n_bytes - 1]))
        s.n_bytes--;
    return s;
}

/* Up to the first byte of `ends`; the whole must hold no delimiter. */
static bool read_bare(struct reader *r, const char *ends, struct str *out)
{
    size_t first = r->at;
    while (r->at < r->in.n_bytes && !(r->in.p[r->at] && strchr(ends, r->in.p[r->at]))) {
        if (peek(r) == QUOTE_LEAD)
            return false;
        r->at++;
    }
    *out = trimmed((struct str){r->in.p + first, r->at - first});
    return out->n_bytes > 0;
}

/* Literal text between two delimiters. */
static bool read_delimited(struct reader *r)
{
    size_t first = r->at + QUOTE_BYTES;
    size_t end = str_find(r->in, STR(GEMMA4_CALL_QUOTE), first);
    if (end == SIZE_MAX)
        return false;
    put_string(r, (struct str){r->in.p + first, end - first});
    r->at = end + QUOTE_BYTES;
    return true;
}

static bool read_hex4(struct reader *r, uint32_t *out)
{
    uint32_t cp = 0;
    for (int i = 0; i < 4; i++) {
        int c = peek(r);
        const char *digits = "0123456789abcdef";
        const char *at = c > 0 ? strchr(digits, c >= 'A' && c <= 'F' ? c + 32 : c) : NULL;
        if (!at)
            return false;
        cp = cp << 4 | (uint32_t)(at - digits);
        r->at++;
    }
    *out = cp;
    return true;
}

/* r->at is behind "\u". Surrogates come in pairs or not at all. */
static bool read_unicode_escape(struct reader *r)
{
    uint32_t cp, low;
    char bytes[4];
    if (!read_hex4(r, &cp) || (cp >= 0xdc00 && cp <= 0xdfff))
        return false;
    if (cp >= 0xd800 && cp <= 0xdbff) {
        if (!take(r, '\\') || !take(r, 'u') || !read_hex4(r, &low) || low < 0xdc00 || low > 0xdfff)
            return false;
        cp = 0x10000 + ((cp - 0xd800) << 10) + (low - 0xdc00);
    }
    size_t n = utf8_put(cp, bytes);
    for (size_t i = 0; i < n; i++)
        put_escaped_byte(r, bytes[i]);
    return true;
}

static bool read_escape(struct reader *r)
{
    static const char letters[] =
        "\"\"\\\\//b\bf\fn\nr\rt\t"; /* pairs: the letter, the byte it stands for */
    int c = peek(r);
    r->at++;
    if (c == 'u')
        return read_unicode_escape(r);
    for (size_t i = 0; i + 1 < sizeof letters; i += 2) {
        if (letters[i] == c) {
            put_escaped_byte(r, letters[i + 1]);
            return true;
        }
    }
    return false;
}

static bool read_json_string(struct reader *r)
{
    r->at++;
    put(r, "\"", 1);
    for (;;) {
        int c = peek(r);
        if (c < 0 || c == QUOTE_LEAD)
            return false;
        r->at++;
        if (c == '"')
            break;
        if (c != '\\')
            put_escaped_byte(r, (char)c);
        else if (!read_escape(r))
            return false;
    }
    put(r, "\"", 1);
    return true;
}

static size_t n_digits(struct str s, size_t at)
{
    size_t n = 0;
    while (at + n < s.n_bytes && s.p[at + n] >= '0' && s.p[at + n] <= '9')
        n++;
    return n;
}

/* RFC 8259 section 6. */
static bool is_number(struct str s)
{
    size_t at = s.n_bytes && s.p[0] == '-', n = n_digits(s, at);
    if (n == 0 || (n > 1 && s.p[at] == '0'))
        return false;
    at += n;
    if (at < s.n_bytes && s.p[at] == '.') {
        n = n_digits(s, at + 1);
        if (n == 0)
            return false;
        at += 1 + n;
    }
    if (at < s.n_bytes && (s.p[at] == 'e' || s.p[at] == 'E')) {
        at += 1 + (at + 1 < s.n_bytes && (s.p[at + 1] == '+' || s.p[at + 1] == '-'));
        n = n_digits(s, at);
        if (n == 0)
            return false;
        at += n;
    }
    return at == s.n_bytes;
}

/* A number, a literal in one of the spellings models use, or a string without quotes. */
static bool read_word(struct reader *r)
{
    static const char *const literals[][2] = {
        {"true", "true"}, {"True", "true"}, {"false", "false"}, {"False", "false"},
        {"null", "null"}, {"None", "null"}, {"nil", "null"},    {"NULL", "null"}};
    struct str word;
    if (!read_bare(r, ",}]", &word))
        return false;
    for (size_t i = 0; i < sizeof literals / sizeof literals[0]; i++) {
        if (str_is(word, literals[i][0])) {
            put(r, literals[i][1], strlen(literals[i][1]));
            return true;
        }
    }
    if (is_number(word))
        put(r, word.p, word.n_bytes);
    else
        put_string(r, word);
    return true;
}

static bool read_value(struct reader *r);

static bool read_pair(struct reader *r)
{
    struct str key;
    if (peek(r) == QUOTE_LEAD) {
        if (!read_delimited(r))
            return false;
    } else if (peek(r) == '"') {
        if (!read_json_string(r))
            return false;
    } else {
        if (!read_bare(r, ":}", &key))
            return false;
        put_string(r, key);
    }
    skip_ws(r);
    if (!take(r, ':'))
        return false;
    put(r, ":", 1);
    skip_ws(r);
    return read_value(r);
}

/* An object or an array, from its opening bracket on. */
static bool read_list(struct reader *r, char shut, bool (*read_item)(struct reader *))
{
    if (++r->depth > GEMMA4_CALL_MAX_DEPTH)
        return false;
    put(r, r->in.p + r->at++, 1);
    skip_ws(r);
    if (!take(r, shut)) {
        for (;;) {
            if (!read_item(r))
                return false;
            skip_ws(r);
            if (take(r, shut))
                break;
            if (!take(r, ','))
                return false;
            put(r, ",", 1);
            skip_ws(r);
        }
    }
    put(r, &shut, 1);
    r->depth--;
    return true;
}

static bool read_value(struct reader *r)
{
    switch (peek(r)) {
    case QUOTE_LEAD:
        return read_delimited(r);
    case '{':
        return read_list(r, '}', read_pair);
    case '[':
        return read_list(r, ']', read_value);
    case '"':
        return read_json_string(r);
    default:
        return read_word(r);
    }
}

bool gemma4_call_parse(struct str body, char *out, size_t room_bytes, struct gemma4_call *call)
{
    struct reader r = {.in = trimmed(body), .out = out, .room_bytes = room_bytes};
    struct str name;
    *call = (struct gemma4_call){{NULL, 0}, {NULL, 0}};
    if (!str_has_prefix(r.in, STR("call:")))
        return false;
    r.at = 5;
    if (!read_bare(&r, "{", &name) || peek(&r) != '{')
        return false;
    put(&r, name.p, name.n_bytes);
    if (!read_list(&r, '}', read_pair) || r.at != r.in.n_bytes || r.n_out > r.room_bytes)
        return false;
    call->name = (struct str){out, name.n_bytes};
    call->arguments = (struct str){out + name.n_bytes, r.n_out - name.n_bytes};
    return true;
}
