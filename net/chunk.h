/* chunk: decoder of chunked bodies (RFC 9112 7.1; api.md 2.3). Flow: received bytes -> slices of
 * the body, no copy. Strict: at most 8 hex digits per size, CR LF everywhere, extensions skipped up
 * to 256 bytes in all, trailers dropped up to 8 KiB. The result never depends on how the bytes
 * arrived.   Thread: owner's.   Allocates: never. */
#ifndef NET_CHUNK_H
#define NET_CHUNK_H

#include "runtime/base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { CHUNK_MAX_EXTENSION_BYTES = 256, CHUNK_MAX_TRAILER_BYTES = 8192 };

enum chunk_state {
    CHUNK_AT_SIZE, /* first digit */
    CHUNK_IN_SIZE,
    CHUNK_IN_EXTENSION,
    CHUNK_AT_SIZE_LF,
    CHUNK_IN_BYTES,
    CHUNK_AT_BYTES_CR,
    CHUNK_AT_BYTES_LF,
    CHUNK_AT_TRAILER, /* begin of a trailer line, or of the last, empty one */
    CHUNK_IN_TRAILER,
    CHUNK_AT_TRAILER_LF,
    CHUNK_AT_END_LF,
    CHUNK_IS_DONE,
    CHUNK_IS_BAD,
};

struct chunk {
    enum chunk_state state;
    uint32_t n_digits;
    uint64_t left_bytes; /* of the chunk being read */
    uint32_t n_extension_bytes, n_trailer_bytes;
};

enum chunk_result {
    CHUNK_MORE,     /* all of in is used, the body goes on */
    CHUNK_BODY,     /* *piece holds body bytes; call again with the rest */
    CHUNK_FINISHED, /* the body is complete; *n_used of in belong to it */
    CHUNK_BAD,      /* sticky */
};

void chunk_init(struct chunk *c);
enum chunk_result chunk_decode(struct chunk *c, struct str in, size_t *n_used, struct str *piece);

#endif
