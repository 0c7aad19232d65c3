/* gemma4_parse: the state machine of gemma4-chat.md 7.2, one token at a time. */
#include "models/gemma4_parse.h"

#include "models/gemma4_call.h"

static const char call_open[] = "<|tool_call>", call_shut[] = "<tool_call|>", header[] = "thought";
enum {
    CALL_OPEN_BYTES = sizeof call_open - 1,
    CALL_SHUT_BYTES = sizeof call_shut - 1,
    QUOTE_BYTES = sizeof GEMMA4_CALL_QUOTE - 1,
    CALL_SPARE_BYTES =
        16, /* kept free behind a call for what ends it: its marker, or what repairs it */
    HEADER_BYTES = sizeof header - 1,
};

struct events {
    struct gemma4_parse *p;
    struct gemma4_event *at;
    size_t n;
};

void gemma4_parse_init(struct gemma4_parse *p, const struct tok *t, uint32_t flags, char *buf,
                       size_t buf_bytes)
{
    memset(p, 0, sizeof *p);
    p->tok = t;
    p->flags = flags;
    p->call = buf;
    p->call_room_bytes = buf_bytes / 3;
    p->json = buf + p->call_room_bytes;
    p->json_room_bytes = buf_bytes - p->call_room_bytes;
    p->state = flags & GEMMA4_STARTS_IN_REASONING ? GEMMA4_IN_REASONING : GEMMA4_IN_CONTENT;
    memcpy(p->call, call_open, CALL_OPEN_BYTES);
    detok_init(&p->detok);
}

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool is_blank(struct str s)
{
    for (size_t i = 0; i < s.n_bytes; i++) {
        if (!is_space(s.p[i]))
            return false;
    }
    return true;
}

/* Text that lives until the next call, gathered from parts. */
static struct str keep_text(struct gemma4_parse *p, struct str text)
{
    char *at = p->piece + p->n_piece_bytes;
    if (text.n_bytes)
        memcpy(at, text.p, text.n_bytes);
    p->n_piece_bytes += text.n_bytes;
    return (struct str){at, text.n_bytes};
}

static void add_text(struct events *ev, enum gemma4_event_kind kind, struct str text)
{
    struct gemma4_event *last = ev->n ? &ev->at[ev->n - 1] : NULL;
    if (text.n_bytes == 0)
        return;
    if (last && last->kind == kind && last->text.p + last->text.n_bytes == text.p)
        last->text.n_bytes += text.n_bytes; /* neighbours in piece[] are one delta */
    else
        ev->at[ev->n++] = (struct gemma4_event){.kind = kind, .text = text};
}

/* ---- content ---- */

static void release_content(struct events *ev)
{
    struct gemma4_held *held = &ev->p->content;
    add_text(ev, GEMMA4_EVENT_CONTENT, keep_text(ev->p, (struct str){held->text, held->n_bytes}));
    held->n_bytes = 0;
    ev->p->content_has_text = true;
}

static void hold_or_add_content(struct events *ev, struct str text)
{
    struct gemma4_held *held = &ev->p->content;
    bool may_wait =
        (ev->p->flags & GEMMA4_TOOLS_OFFERED) && !ev->p->content_has_text && is_blank(text);
    if (text.n_bytes == 0)
        return;
    if (may_wait && text.n_bytes <= sizeof held->text - held->n_bytes) {
        memcpy(held->text + held->n_bytes, text.p, text.n_bytes);
        held->n_bytes += (uint32_t)text.n_bytes;
        return;
    }
    release_content(ev);
    add_text(ev, GEMMA4_EVENT_CONTENT, keep_text(ev->p, text));
}

/* ---- reasoning ---- */

static void add_reasoning(struct events *ev, struct str text)
{
    struct gemma4_parse *p = ev->p;
    if (text.n_bytes == 0)
        return;
    if (!p->block_has_text && p->reasoning_has_text)
        add_text(ev, GEMMA4_EVENT_REASONING, keep_text(p, STR("\n")));
    add_text(ev, GEMMA4_EVENT_REASONING, keep_text(p, text));
    p->block_has_text = true;
    p->reasoning_has_text = true;
}

static void hold_or_add_reasoning(struct events *ev, struct str text)
{
    struct gemma4_held *held = &ev->p->reasoning;
    size_t n_solid = text.n_bytes;
    while (n_solid > 0 && is_space(text.p[n_solid - 1]))
        n_solid--;
    size_t n_trail = text.n_bytes - n_solid;
    if (n_solid > 0 || n_trail > sizeof held->text - held->n_bytes) {
        add_reasoning(ev, (struct str){held->text, held->n_bytes});
        held->n_bytes = 0;
    }
    add_reasoning(ev, (struct str){text.p, n_solid});
    if (n_trail > sizeof held->text) {
        add_reasoning(ev, (struct str){text.p + n_solid, n_trail});
        return;
    }
    if (n_trail)
        memcpy(held->text + held->n_bytes, text.p + n_solid, n_trail);
    held->n_bytes += (uint32_t)n_trail;
}

/* Drops a leading `thought` and the white space behind it; both may come in pieces. */
static struct str without_header(struct events *ev, struct str text)
{
    struct gemma4_parse *p = ev->p;
    size_t at = 0;
    while (p->header_is_open && at < text.n_bytes) {
        if (text.p[at] != header[p->n_header_bytes]) {
            p->header_is_open = false;
            hold_or_add_reasoning(ev, (struct str){header, p->n_header_bytes});
            break;
        }
        at++;
        if (++p->n_header_bytes == HEADER_BYTES) {
            p->header_is_open = false;
            p->header_space_is_open = true;
        }
    }
    while (p->header_space_is_open && at < text.n_bytes) {
        if (is_space(text.p[at]))
            at++;
        else
            p->header_space_is_open = false;
    }
    return (struct str){text.p + at, text.n_bytes - at};
}

static void open_reasoning(struct gemma4_parse *p)
{
    p->state = GEMMA4_IN_REASONING;
    p->header_is_open = true;
    p->header_space_is_open = false;
    p->n_header_bytes = 0;
    p->block_has_text = false;
}

static void shut_reasoning(struct events *ev)
{
    struct gemma4_parse *p = ev->p;
    if (p->header_is_open) /* what looked like the start of a header was the text */
        hold_or_add_reasoning(ev, (struct str){header, p->n_header_bytes});
    p->header_is_open = false;
    p->header_space_is_open = false;
    p->reasoning.n_bytes = 0;
    p->block_has_text = false;
    p->state = GEMMA4_IN_CONTENT;
}

/* ---- calls ---- */

static void open_call(struct gemma4_parse *p)
{
    p->state = GEMMA4_IN_CALL;
    p->call_bytes = CALL_OPEN_BYTES; /* the marker has stood there since init */
    p->call_is_too_long = false;
}

/* Everything of the call so far becomes content, delimiters as their marker. */
static void spill_call(struct events *ev)
{
    struct gemma4_parse *p = ev->p;
    for (size_t i = CALL_OPEN_BYTES; i < p->call_bytes; i++) {
        if ((unsigned char)p->call[i] == 0xff)
            p->call[i] = '<';
    }
    release_content(ev);
    add_text(ev, GEMMA4_EVENT_CONTENT, (struct str){p->call, p->call_bytes});
}

static void append_call(struct events *ev, struct str text)
{
    struct gemma4_parse *p = ev->p;
    if (!p->call_is_too_long &&
        text.n_bytes <= p->call_room_bytes - CALL_SPARE_BYTES - p->call_bytes) {
        memcpy(p->call + p->call_bytes, text.p, text.n_bytes);
        p->call_bytes += text.n_bytes;
        return;
    }
    if (!p->call_is_too_long)
        spill_call(ev);
    p->call_is_too_long = true;
    bool is_quote = str_eq(text, STR(GEMMA4_CALL_QUOTE));
    add_text(ev, GEMMA4_EVENT_CONTENT, keep_text(p, is_quote ? STR("<|\"|>") : text));
}

static bool try_call(struct events *ev, const char *repair)
{
    struct gemma4_parse *p = ev->p;
    struct gemma4_call call;
    size_t n_repair = strlen(repair);
    memcpy(p->call + p->call_bytes, repair, n_repair);
    struct str body = {p->call + CALL_OPEN_BYTES, p->call_bytes + n_repair - CALL_OPEN_BYTES};
    if (!gemma4_call_parse(body, p->json, p->json_room_bytes, &call))
        return false;
    ev->at[ev->n++] = (struct gemma4_event){
        .kind = GEMMA4_EVENT_CALL, .name = call.name, .arguments = call.arguments};
    p->n_calls++;
    return true;
}

static void shut_call(struct events *ev, bool has_marker)
{
    struct gemma4_parse *p = ev->p;
    p->state = GEMMA4_IN_CONTENT;
    if (p->call_is_too_long) {
        if (has_marker)
            add_text(ev, GEMMA4_EVENT_CONTENT, keep_text(p, str_of(call_shut)));
        return;
    }
    if (try_call(ev, "") ||
        (!has_marker && (try_call(ev, "}") || try_call(ev, GEMMA4_CALL_QUOTE "}"))))
        return;
    if (has_marker) {
        memcpy(p->call + p->call_bytes, call_shut, CALL_SHUT_BYTES);
        p->call_bytes += CALL_SHUT_BYTES;
    }
    spill_call(ev);
}

/* ---- the machine ---- */

static void on_text(struct events *ev, struct str text)
{
    switch (ev->p->state) {
    case GEMMA4_IN_CONTENT:
        hold_or_add_content(ev, text);
        return;
    case GEMMA4_IN_REASONING:
        hold_or_add_reasoning(ev, without_header(ev, text));
        return;
    case GEMMA4_IN_CALL:
        append_call(ev, text);
        return;
    case GEMMA4_ENDED:
        return;
    }
}

/* Half a character before a marker will not be completed. */
static void flush_text(struct events *ev)
{
    char bytes[4];
    size_t n = detok_flush(&ev->p->detok, bytes);
    if (n)
        on_text(ev, (struct str){bytes, n});
}

static bool is_marker(const struct tok *t, int32_t id)
{
    enum tok_class c = tok_class_of(t, id);
    if (c == TOK_CONTROL || c == TOK_UNKNOWN)
        return true;
    for (int i = 0; i < TOK_N_SPECIAL; i++) {
        if (t->special[i] == id)
            return true;
    }
    return false;
}

/* Markers that mean nothing in a state are dropped. */
static void on_marker(struct events *ev, int32_t id)
{
    struct gemma4_parse *p = ev->p;
    const int32_t *special = p->tok->special;
    flush_text(ev);
    if (id == special[TOK_TOOL_CALL_OPEN]) {
        if (p->state == GEMMA4_IN_REASONING)
            shut_reasoning(ev);
        else if (p->state == GEMMA4_IN_CALL)
            shut_call(ev, false);
        open_call(p);
    } else if (id == special[TOK_TOOL_CALL_CLOSE] && p->state == GEMMA4_IN_CALL) {
        shut_call(ev, true);
    } else if (id == special[TOK_QUOTE] && p->state == GEMMA4_IN_CALL) {
        append_call(ev, STR(GEMMA4_CALL_QUOTE));
    } else if (id == special[TOK_CHANNEL_OPEN] && p->state == GEMMA4_IN_CONTENT) {
        open_reasoning(p);
    } else if (id == special[TOK_CHANNEL_CLOSE] && p->state == GEMMA4_IN_REASONING) {
        shut_reasoning(ev);
    }
}

static void finish(struct events *ev, enum gemma4_parse_end_kind kind)
{
    struct gemma4_parse *p = ev->p;
    flush_text(ev);
    if (p->state == GEMMA4_IN_REASONING)
        shut_reasoning(ev);
    if (p->state == GEMMA4_IN_CALL && kind == GEMMA4_END_STOP)
        shut_call(ev, false);
    if (p->n_calls == 0 && p->content.n_bytes > 0)
        release_content(ev);
    p->state = GEMMA4_ENDED;
}

size_t gemma4_parse_push(struct gemma4_parse *p, int32_t id,
                         struct gemma4_event events[GEMMA4_MAX_EVENTS])
{
    struct events ev = {p, events, 0};
    p->n_piece_bytes = 0;
    if (p->state == GEMMA4_ENDED)
        return 0;
    if (tok_is_stop(p->tok, id)) {
        finish(&ev, GEMMA4_END_STOP);
        ev.at[ev.n++] = (struct gemma4_event){.kind = GEMMA4_EVENT_STOP};
        return ev.n;
    }
    if (is_marker(p->tok, id)) {
        on_marker(&ev, id);
        return ev.n;
    }
    char text[DETOK_OUT_BYTES];
    size_t n = detok_push(&p->detok, p->tok, id, false, text);
    on_text(&ev, (struct str){text, n});
    return ev.n;
}

size_t gemma4_parse_end(struct gemma4_parse *p, enum gemma4_parse_end_kind kind,
                        struct gemma4_event events[GEMMA4_MAX_EVENTS])
{
    struct events ev = {p, events, 0};
    p->n_piece_bytes = 0;
    if (p->state != GEMMA4_ENDED)
        finish(&ev, kind);
    return ev.n;
}
