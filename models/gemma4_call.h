/* gemma4_call: the body of one generated tool call as name and JSON arguments (gemma4-chat.md 7.3).
 * Flow: bytes between <|tool_call> and <tool_call|> -> gemma4_call_parse -> text in the caller's
 * buffer. In the body a string delimiter token is the five bytes GEMMA4_CALL_QUOTE: its first byte
 * occurs in no UTF-8 text, so what the model merely spelled is never taken for a delimiter. Thread:
 * any.   Allocates: never. */
#ifndef MODELS_GEMMA4_CALL_H
#define MODELS_GEMMA4_CALL_H

#include "runtime/base/str.h"

#define GEMMA4_CALL_QUOTE "\xff|\"|>"

enum { GEMMA4_CALL_MAX_DEPTH = 64 };

struct gemma4_call {
    struct str name;
    struct str arguments; /* compact JSON text of an object */
};

/* false if body is not in the grammar or out is too small; *call borrows from out. */
bool gemma4_call_parse(struct str body, char *out, size_t room_bytes, struct gemma4_call *call);

#endif
