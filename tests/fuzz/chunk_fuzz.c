/* chunk: any bytes decode to the same body whole and byte by byte, and never to more bytes than
 * came in. */
#include "net/chunk.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n_bytes);

struct outcome {
    enum chunk_result result;
    size_t n_used, n_body;
    uint64_t sum; /* of the body, order counts */
};

static struct outcome run(const char *msg, size_t n_bytes, size_t step)
{
    struct chunk c;
    struct outcome o = {.result = CHUNK_MORE};
    chunk_init(&c);
    for (size_t end = 0; o.result < CHUNK_FINISHED && end < n_bytes;) {
        end = end + step < n_bytes ? end + step : n_bytes;
        do {
            size_t n_used;
            struct str piece;
            struct str in = {msg + o.n_used, end - o.n_used};
            o.result = chunk_decode(&c, in, &n_used, &piece);
            for (size_t i = 0; i < piece.n_bytes; i++)
                o.sum = o.sum * 31 + (unsigned char)piece.p[i];
            o.n_used += n_used;
            o.n_body += piece.n_bytes;
        } while (o.result == CHUNK_BODY);
    }
    return o;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n_bytes)
{
    const char *msg = (const char *)bytes;
    struct outcome whole = run(msg, n_bytes, n_bytes), pieces = run(msg, n_bytes, 1);
    if (whole.result != pieces.result || whole.n_used != pieces.n_used ||
        whole.n_body != pieces.n_body || whole.sum != pieces.sum || whole.n_body > n_bytes ||
        whole.n_used > n_bytes)
        abort();
    return 0;
}
