/* detok: token ids to text, one token at a time, never half a character (gemma4-chat.md 4).
 * Bytes that could still complete a UTF-8 character are held back (at most 3); a byte that cannot
 * continue it, or the end, turns the incomplete part into one U+FFFD.   Thread: owner's. Allocates:
 * never. */
#ifndef MODELS_DETOK_H
#define MODELS_DETOK_H

#include "models/tok.h"

enum { DETOK_MAX_PIECE_BYTES = 1024, DETOK_OUT_BYTES = DETOK_MAX_PIECE_BYTES + 16 };

struct detok {
    char held[4];
    uint32_t n_held;
};

void detok_init(struct detok *d);

/* Appends the text of id to out (DETOK_OUT_BYTES room) and returns its length, 0 if all is held
 * back. Control and unknown tokens give nothing unless with_markers. */
size_t detok_push(struct detok *d, const struct tok *t, int32_t id, bool with_markers, char *out);

/* At the end of generation: U+FFFD for a held incomplete character, or nothing. */
size_t detok_flush(struct detok *d, char *out);

/* The raw bytes of one token (byte tokens give one byte), for logprob items. Returns the length (<=
 * n_room). */
size_t detok_bytes(const struct tok *t, int32_t id, char *out, size_t n_room);

#endif
