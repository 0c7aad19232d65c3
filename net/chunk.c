#include "net/chunk.h"

#include <string.h>

void chunk_init(struct chunk *c)
{
    memset(c, 0, sizeof *c);
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static enum chunk_state in_size(struct chunk *c, char ch)
{
    int digit = hex_value(ch);
    if (digit >= 0) {
        c->left_bytes = c->left_bytes * 16 + (unsigned)digit;
        return ++c->n_digits <= 8 ? CHUNK_IN_SIZE : CHUNK_IS_BAD;
    }
    if (c->n_digits == 0)
        return CHUNK_IS_BAD;
    c->n_digits = 0;
    return ch == '\r' ? CHUNK_AT_SIZE_LF : ch == ';' ? CHUNK_IN_EXTENSION : CHUNK_IS_BAD;
}

static enum chunk_state in_extension(struct chunk *c, char ch)
{
    if (ch == '\r')
        return CHUNK_AT_SIZE_LF;
    bool is_text = ch == '\t' || (unsigned char)ch >= 0x20;
    return is_text && ++c->n_extension_bytes <= CHUNK_MAX_EXTENSION_BYTES ? CHUNK_IN_EXTENSION
                                                                          : CHUNK_IS_BAD;
}

static enum chunk_state in_trailer(struct chunk *c, char ch)
{
    if (ch == '\r')
        return CHUNK_AT_TRAILER_LF;
    bool is_text = ch == '\t' || (unsigned char)ch >= 0x20;
    return is_text && ++c->n_trailer_bytes <= CHUNK_MAX_TRAILER_BYTES ? CHUNK_IN_TRAILER
                                                                      : CHUNK_IS_BAD;
}

static enum chunk_state next_state(struct chunk *c, char ch)
{
    switch (c->state) {
    case CHUNK_AT_SIZE:
        c->left_bytes = 0;
        return in_size(c, ch);
    case CHUNK_IN_SIZE:
        return in_size(c, ch);
    case CHUNK_IN_EXTENSION:
        return in_extension(c, ch);
    case CHUNK_AT_SIZE_LF:
        return ch != '\n' ? CHUNK_IS_BAD : c->left_bytes ? CHUNK_IN_BYTES : CHUNK_AT_TRAILER;
    case CHUNK_AT_BYTES_CR:
        return ch == '\r' ? CHUNK_AT_BYTES_LF : CHUNK_IS_BAD;
    case CHUNK_AT_BYTES_LF:
        return ch == '\n' ? CHUNK_AT_SIZE : CHUNK_IS_BAD;
    case CHUNK_AT_TRAILER:
        return ch == '\r' ? CHUNK_AT_END_LF : in_trailer(c, ch);
    case CHUNK_IN_TRAILER:
        return in_trailer(c, ch);
    case CHUNK_AT_TRAILER_LF:
        return ch == '\n' ? CHUNK_AT_TRAILER : CHUNK_IS_BAD;
    case CHUNK_AT_END_LF:
        return ch == '\n' ? CHUNK_IS_DONE : CHUNK_IS_BAD;
    case CHUNK_IN_BYTES: /* chunk_decode takes those whole */
    case CHUNK_IS_DONE:
    case CHUNK_IS_BAD:
        break;
    }
    return c->state;
}

enum chunk_result chunk_decode(struct chunk *c, struct str in, size_t *n_used, struct str *piece)
{
    *n_used = 0;
    *piece = (struct str){NULL, 0};
    while (*n_used < in.n_bytes && c->state < CHUNK_IS_DONE) {
        if (c->state == CHUNK_IN_BYTES) {
            size_t n = in.n_bytes - *n_used;
            if (n > c->left_bytes)
                n = (size_t)c->left_bytes;
            *piece = (struct str){in.p + *n_used, n};
            *n_used += n;
            c->left_bytes -= n;
            if (c->left_bytes == 0)
                c->state = CHUNK_AT_BYTES_CR;
            return CHUNK_BODY;
        }
        c->state = next_state(c, in.p[*n_used]);
        ++*n_used;
    }
    return c->state == CHUNK_IS_BAD    ? CHUNK_BAD
           : c->state == CHUNK_IS_DONE ? CHUNK_FINISHED
                                       : CHUNK_MORE;
}
