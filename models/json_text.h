/* json_text: JSON from outside, read strictly with jansson (api.md 5: UTF-8 only, no duplicate
 * members, depth <= 64, no number outside double range, no lone surrogates; a leading byte order
 * mark is skipped; NUL is legal in string values). Flow: request body, or the arguments text of a
 * tool call -> a jansson tree whose integers are exact. Integers: jansson holds 64 bits. A longer
 * integer arrives as a JSON string that begins with the noncharacter U+FDD0 and goes on with its
 * digits as written; a string from outside that begins with U+FDD0 is refused, so nobody can forge
 * one. Thread: any.   Allocates: through jansson's hooks only (json_set_alloc_funcs), so a fixed
 * pool bounds it. */
#ifndef MODELS_JSON_TEXT_H
#define MODELS_JSON_TEXT_H

#include "runtime/base/err.h"
#include "runtime/base/str.h"

#include <jansson.h>

enum { JSON_TEXT_MAX_DEPTH = 64 };

/* Any JSON value, the whole of text. NULL on failure: ERR_FORMAT with the byte offset, ERR_NOMEM if
 * memory is short. jansson calls some allocation failures an invalid token: who gave it a pool asks
 * the pool whether it ran dry. json_decref() the result. */
json_t *json_text_parse(struct str text, struct err *e);

/* True if v is an integer beyond 64 bits; *digits then borrows its text ("-123..."), as long as v
 * lives. Typed getters must ask this before they take a string for a string. */
bool json_text_is_big_int(const json_t *v, struct str *digits);

/* The text of a JSON string, with its length (may hold NUL); empty for anything else. Borrowed. */
struct str json_text_str(const json_t *v);

#endif
