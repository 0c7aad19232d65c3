/* stop_match: client stop strings on visible text (api.md 5 `stop`; gemma4-chat.md 7.4).
 * Flow: content as it is parsed -> stop_match_push -> text that can be shown. Held back: the
 * longest suffix that begins a stop string. The first stop string to be complete ends the text; if
 * several end at the same byte, the longest counts. Its own text is never shown. The outcome does
 * not depend on how the text is cut into pushes. Thread: owner's.   Allocates: never. */
#ifndef MODELS_STOP_MATCH_H
#define MODELS_STOP_MATCH_H

#include "runtime/base/err.h"
#include "runtime/base/str.h"

enum { STOP_MATCH_MAX_STRINGS = 16, STOP_MATCH_MAX_BYTES = 256 };

struct stop_match_string {
    uint16_t n_bytes;
    uint16_t n_matched; /* longest prefix of text[] that the content ends with */
    char text[STOP_MATCH_MAX_BYTES];
    uint8_t border[STOP_MATCH_MAX_BYTES]; /* Knuth-Morris-Pratt failure table */
};

struct stop_match {
    uint32_t n_strings;
    bool is_matched;
    uint32_t n_held_bytes;
    uint64_t n_fed_bytes;    /* content bytes so far */
    uint64_t match_at_bytes; /* valid if is_matched: where in the content the match begins */
    uint64_t n_keep_tokens;  /* valid if is_matched: tokens up to and including the one that
                                completed it */
    char held[STOP_MATCH_MAX_BYTES];
    char shown[STOP_MATCH_MAX_BYTES]; /* formerly held bytes that the last call released */
    struct stop_match_string strings[STOP_MATCH_MAX_STRINGS];
};

/* Text to show now, in this order; lives until the next call. */
struct stop_match_text {
    struct str from_held;
    struct str from_push;
};

/* Empty strings are dropped; more or longer ones than the limits: ERR_LIMIT. n_stops may be 0. */
bool stop_match_init(struct stop_match *s, const struct str *stops, size_t n_stops, struct err *e);

/* Content that token number i_token (0-based count of generated tokens) made visible. After a
 * match: nothing. */
struct stop_match_text stop_match_push(struct stop_match *s, struct str content, uint64_t i_token);

/* End of generation: what is still held. */
struct str stop_match_end(struct stop_match *s);

#endif
