/* gemma4_chat: a conversation as the exact prompt text of Gemma 4 (gemma4-chat.md 5), both template
 * revisions. Flow: messages and tools (jansson trees of json_text) -> text in the caller's buffer,
 * cut into segments for tok_encode. Trust: what the template itself prints is trusted; whatever a
 * client or a tool wrote (message text, reasoning, results, names, descriptions, arguments, keys,
 * enum values) is not, so a marker spelled there never becomes a marker token. Thread: any.
 * Allocates: only what jansson does, through its hooks. */
#ifndef MODELS_GEMMA4_CHAT_H
#define MODELS_GEMMA4_CHAT_H

#include "models/tok.h"

#include <jansson.h>

struct gemma4_chat_request {
    const json_t *messages; /* array; revision 2 renders an empty one, too */
    const json_t *tools;    /* array; NULL or JSON null: none */
    uint32_t template_rev;  /* 1 or 2: struct tok.template_rev */
    bool has_empty_thought; /* struct tok.has_empty_thought */
    bool enable_thinking;
    bool add_generation_prompt; /* read by gemma4_chat_render only */
    bool preserve_thinking;     /* revision 2 */
};

/* The caller sets text, room_bytes, segs and max_segs; the rest is the result. */
struct gemma4_chat_out {
    char *text;
    size_t room_bytes;
    struct tok_segment *segs; /* point into text; neighbours differ in trust */
    size_t max_segs;
    size_t n_bytes;
    size_t n_segs;
    bool starts_in_reasoning; /* the output will begin inside the thought channel */
};

/* gemma4-chat.md 5.3 alone. The text begins with "<bos>". ERR_FORMAT names the message and field
 * that cannot be rendered, ERR_LIMIT the buffer that is too small. */
bool gemma4_chat_render(const struct gemma4_chat_request *rq, struct gemma4_chat_out *out,
                        struct err *e);

/* ---- for the chat endpoint ---- */

/* Brings OpenAI messages into the renderer's form, in place (5.2; api.md 6): tool-call arguments
 * from JSON text to objects (ERR_FORMAT names the call if it is no JSON object), leading system and
 * developer messages joined with a blank line into one system message with string content, later
 * developer messages become system messages. The caller has checked roles, types and names. */
bool gemma4_chat_prepare(json_t *messages, struct err *e);

enum gemma4_chat_end {
    GEMMA4_CHAT_ANSWER,   /* a new answer of the model; a header the template leaves out is added
                             (5.6) */
    GEMMA4_CHAT_CONTINUE, /* the last message, a plain assistant message, is left open and goes on
                             (5.6) */
};

/* The prompt an endpoint generates from: render, then what 5.6 leaves to the server. */
bool gemma4_chat_prompt(const struct gemma4_chat_request *rq, enum gemma4_chat_end end,
                        struct gemma4_chat_out *out, struct err *e);

#endif
