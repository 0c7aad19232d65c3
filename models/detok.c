/* detok: token ids to text (gemma4-chat.md 4). Pieces are valid UTF-8 (tok_open has checked), so
 * only byte tokens can leave a character incomplete or broken. */
#include "models/detok.h"

#include "models/tok_image.h"

_Static_assert((int)DETOK_MAX_PIECE_BYTES == (int)TOK_MAX_PIECE_BYTES,
               "detok buffers hold the longest piece");

static const char replacement[] = "\xef\xbf\xbd"; /* U+FFFD */
static const char space_mark[] = "\xe2\x96\x81";  /* U+2581 */

void detok_init(struct detok *d)
{
    memset(d, 0, sizeof *d);
}

size_t detok_bytes(const struct tok *t, int32_t id, char *out, size_t n_room)
{
    struct str piece = tok_piece(t, id);
    if (tok_class_of(t, id) == TOK_BYTE) {
        int byte = tok_byte_of(piece);
        if (n_room == 0 || byte < 0)
            return 0;
        out[0] = (char)byte;
        return 1;
    }
    size_t n_out = 0;
    for (size_t at = 0; at < piece.n_bytes && n_out < n_room; n_out++) {
        bool is_space = piece.n_bytes - at >= 3 && memcmp(piece.p + at, space_mark, 3) == 0;
        out[n_out] = is_space ? ' ' : piece.p[at];
        at += is_space ? 3 : 1;
    }
    return n_out;
}

/* Length of the longest start of p that more bytes could have completed; 1 if there is none. */
static size_t broken_bytes(const char *p, size_t n_bytes)
{
    size_t n = n_bytes < 3 ? n_bytes : 3;
    while (n > 1 && utf8_char_bytes(p, n) != 0)
        n--;
    return n;
}

size_t detok_push(struct detok *d, const struct tok *t, int32_t id, bool with_markers, char *out)
{
    enum tok_class c = tok_class_of(t, id);
    if (!with_markers && (c == TOK_CONTROL || c == TOK_UNKNOWN))
        return 0;
    char raw[sizeof d->held + DETOK_MAX_PIECE_BYTES];
    size_t n_raw = d->n_held, n_out = 0, at = 0;
    memcpy(raw, d->held, d->n_held);
    n_raw += detok_bytes(t, id, raw + n_raw, DETOK_MAX_PIECE_BYTES);
    d->n_held = 0;
    while (at < n_raw) {
        int n = utf8_char_bytes(raw + at, n_raw - at);
        if (n > 0) {
            memcpy(out + n_out, raw + at, (size_t)n);
            n_out += (size_t)n;
            at += (size_t)n;
        } else if (n == 0) {
            d->n_held = (uint32_t)(n_raw - at);
            memcpy(d->held, raw + at, d->n_held);
            break;
        } else {
            memcpy(out + n_out, replacement, 3);
            n_out += 3;
            at += broken_bytes(raw + at, n_raw - at);
        }
    }
    return n_out;
}

size_t detok_flush(struct detok *d, char *out)
{
    if (d->n_held == 0)
        return 0;
    d->n_held = 0;
    memcpy(out, replacement, 3);
    return 3;
}
