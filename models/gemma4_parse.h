/* gemma4_parse: generated token ids to reasoning, content and tool calls (gemma4-chat.md 7).
 * Flow: id -> gemma4_parse_push -> events, in order, ready to be streamed; gemma4_parse_end yields
 * what was held back. What the events say, concatenated, is the whole answer: streamed and plain
 * answers come from the same events. Held back: half a UTF-8 character, a `thought` header,
 * trailing whitespace of reasoning, a tool call until it is complete and, if tools are offered,
 * content as long as it is blank (before a call it would be dropped). Markers are recognised by id
 * only.   Thread: owner's.   Allocates: never. Events borrow until the next call. */
#ifndef MODELS_GEMMA4_PARSE_H
#define MODELS_GEMMA4_PARSE_H

#include "models/detok.h"

enum gemma4_event_kind {
    GEMMA4_EVENT_REASONING, /* text */
    GEMMA4_EVENT_CONTENT,   /* text */
    GEMMA4_EVENT_CALL,      /* name, and arguments as compact JSON text of an object */
    GEMMA4_EVENT_STOP,      /* an end token was pushed; nothing follows */
};

struct gemma4_event {
    enum gemma4_event_kind kind;
    struct str text; /* never empty, whole UTF-8 characters */
    struct str name;
    struct str arguments;
};

enum {
    GEMMA4_MAX_EVENTS = 8, /* of one push or end */
    GEMMA4_PARSE_BUF_BYTES =
        98304, /* smallest workspace: a third for a call as generated, the rest for it as JSON */
    GEMMA4_MAX_HELD_BYTES = 1024, /* whitespace held back; more than that is let go */
};

enum gemma4_parse_state { GEMMA4_IN_CONTENT, GEMMA4_IN_REASONING, GEMMA4_IN_CALL, GEMMA4_ENDED };

enum gemma4_parse_flag {
    GEMMA4_STARTS_IN_REASONING = 1, /* struct gemma4_chat_out.starts_in_reasoning */
    GEMMA4_TOOLS_OFFERED = 2,
};

struct gemma4_held {
    char text[GEMMA4_MAX_HELD_BYTES];
    uint32_t n_bytes;
};

struct gemma4_parse {
    const struct tok *tok; /* borrowed */
    char *call; /* the caller's workspace, first third: the open call, from its marker on */
    char *json; /* the rest of it: name and arguments of a complete call */
    size_t call_room_bytes, json_room_bytes, call_bytes;
    struct detok detok;
    enum gemma4_parse_state state;
    uint32_t flags;
    uint32_t n_calls;             /* complete calls so far */
    uint32_t n_header_bytes;      /* of `thought` seen, while header_is_open */
    bool header_is_open;          /* a thought header may still come */
    bool header_space_is_open;    /* it came; white space behind it is dropped */
    bool block_has_text;          /* this reasoning block printed something */
    bool reasoning_has_text;      /* any block did */
    bool content_has_text;        /* content was let go */
    bool call_is_too_long;        /* the rest of this call goes straight to content */
    struct gemma4_held reasoning; /* white space that may turn out to be trailing */
    struct gemma4_held content;   /* content while it is blank */
    char piece[2 * DETOK_OUT_BYTES +
               2 * GEMMA4_MAX_HELD_BYTES]; /* what the events of this push point to */
    size_t n_piece_bytes;
};

/* buf: buf_bytes >= GEMMA4_PARSE_BUF_BYTES, lives as long as p. flags: enum gemma4_parse_flag. */
void gemma4_parse_init(struct gemma4_parse *p, const struct tok *t, uint32_t flags, char *buf,
                       size_t buf_bytes);

/* Next generated id; returns the number of events. After an end token or gemma4_parse_end it
 * returns 0. */
size_t gemma4_parse_push(struct gemma4_parse *p, int32_t id,
                         struct gemma4_event events[GEMMA4_MAX_EVENTS]);

enum gemma4_parse_end_kind {
    GEMMA4_END_STOP,  /* end token (as pushing one), stop string, or the caller's decision: an open
                         call is repaired */
    GEMMA4_END_LIMIT, /* length limit: an open call is dropped */
};
size_t gemma4_parse_end(struct gemma4_parse *p, enum gemma4_parse_end_kind kind,
                        struct gemma4_event events[GEMMA4_MAX_EVENTS]);

#endif
