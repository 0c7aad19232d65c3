/* gemma4_chat_sink: prompt text as it grows, and the segments it is made of. Neighbouring pieces of
 * one kind share a segment, and so does template text that cannot be part of a marker: a
 * conversation has few segments. */
#include "models/gemma4_chat_priv.h"

#include "models/unicode.h"

void sink_init(struct sink *s, struct gemma4_chat_out *out)
{
    out->n_bytes = 0;
    out->n_segs = 0;
    out->starts_in_reasoning = false;
    *s = (struct sink){.out = out};
}

static void append(struct sink *s, struct str text)
{
    struct gemma4_chat_out *out = s->out;
    if (s->limit != SINK_OK || text.n_bytes == 0)
        return;
    if (text.n_bytes > out->room_bytes - out->n_bytes) {
        s->limit = SINK_TEXT_FULL;
        return;
    }
    memcpy(out->text + out->n_bytes, text.p, text.n_bytes);
    out->n_bytes += text.n_bytes;
    out->segs[out->n_segs - 1].text.n_bytes += text.n_bytes;
}

static void open_seg(struct sink *s, bool is_trusted)
{
    struct gemma4_chat_out *out = s->out;
    if (out->n_segs > 0 && out->segs[out->n_segs - 1].is_trusted == is_trusted)
        return;
    if (out->n_segs == out->max_segs) {
        s->limit = SINK_SEGS_FULL;
        return;
    }
    out->segs[out->n_segs++] = (struct tok_segment){{out->text + out->n_bytes, 0}, is_trusted};
}

void sink_mark(struct sink *s, const char *literal)
{
    open_seg(s, true);
    append(s, str_of(literal));
}

void sink_plain(struct sink *s, const char *literal)
{
    if (s->out->n_segs == 0)
        open_seg(s, true);
    append(s, str_of(literal));
}

static void append_upper(struct sink *s, uint32_t cp)
{
    uint32_t to[3], n = unicode_to_upper(cp, to);
    for (uint32_t i = 0; i < n; i++) {
        char bytes[4];
        append(s, (struct str){bytes, utf8_put(to[i], bytes)});
    }
}

void sink_text(struct sink *s, struct str text)
{
    if (text.n_bytes == 0)
        return;
    open_seg(s, false);
    if (!s->is_upper) {
        append(s, text);
        return;
    }
    for (size_t at = 0, n_used; at < text.n_bytes; at += n_used)
        append_upper(s, utf8_decode(text.p + at, text.n_bytes - at, &n_used));
}

static bool is_space(uint32_t cp)
{
    return (cp >= 0x09 && cp <= 0x0d) || (cp >= 0x1c && cp <= 0x20) || cp == 0x85 || cp == 0xa0 ||
           cp == 0x1680 || (cp >= 0x2000 && cp <= 0x200a) || cp == 0x2028 || cp == 0x2029 ||
           cp == 0x202f || cp == 0x205f || cp == 0x3000;
}

size_t chat_leading_space(struct str text)
{
    size_t at = 0, n_used;
    while (at < text.n_bytes && is_space(utf8_decode(text.p + at, text.n_bytes - at, &n_used)))
        at += n_used;
    return at;
}

/* Bytes of p[0..n_bytes) without the white space at its end. */
static size_t without_trailing_space(const char *p, size_t n_bytes)
{
    size_t end = n_bytes, n_used;
    while (end > 0) {
        size_t at = end - 1;
        while (at > 0 && ((unsigned char)p[at] & 0xc0) == 0x80)
            at--;
        if (!is_space(utf8_decode(p + at, end - at, &n_used)))
            break;
        end = at;
    }
    return end;
}

void sink_trimmed(struct sink *s, struct str text)
{
    size_t n_lead = chat_leading_space(text);
    struct str rest = {text.p + n_lead, text.n_bytes - n_lead};
    rest.n_bytes = without_trailing_space(rest.p, rest.n_bytes);
    sink_text(s, rest);
}

static void cut_to(struct gemma4_chat_out *out, size_t n_keep)
{
    while (out->n_bytes > n_keep) {
        struct tok_segment *last = &out->segs[out->n_segs - 1];
        size_t n_over = out->n_bytes - n_keep;
        size_t n_cut = n_over < last->text.n_bytes ? n_over : last->text.n_bytes;
        last->text.n_bytes -= n_cut;
        out->n_bytes -= n_cut;
        if (last->text.n_bytes == 0)
            out->n_segs--;
    }
}

void sink_trim_end(struct sink *s, size_t from_bytes)
{
    struct gemma4_chat_out *out = s->out;
    if (out->n_bytes > from_bytes)
        cut_to(out, from_bytes +
                        without_trailing_space(out->text + from_bytes, out->n_bytes - from_bytes));
}

bool sink_is_blank_since(const struct sink *s, size_t from_bytes)
{
    return without_trailing_space(s->out->text + from_bytes, s->out->n_bytes - from_bytes) == 0;
}

bool sink_ends_with_mark(const struct sink *s, const char *literal)
{
    const struct gemma4_chat_out *out = s->out;
    size_t n = strlen(literal);
    if (out->n_segs == 0 || !out->segs[out->n_segs - 1].is_trusted ||
        out->segs[out->n_segs - 1].text.n_bytes < n)
        return false;
    return memcmp(out->text + out->n_bytes - n, literal, n) == 0;
}

void sink_unprint(struct sink *s, const char *literal)
{
    if (sink_ends_with_mark(s, literal))
        cut_to(s->out, s->out->n_bytes - strlen(literal));
}

bool sink_check(const struct sink *s, struct err *e)
{
    if (s->limit == SINK_TEXT_FULL)
        return err_set(e, ERR_LIMIT, "chat: the prompt text is longer than %zu bytes",
                       s->out->room_bytes);
    if (s->limit == SINK_SEGS_FULL)
        return err_set(
            e, ERR_LIMIT,
            "chat: the prompt has more than %zu changes between template and message text",
            s->out->max_segs);
    return true;
}
