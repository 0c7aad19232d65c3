/* http: any bytes give the same result whole and in pieces (the first byte says how large), and
 * what is accepted keeps the promises the connection relies on. */
#include "net/http.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n_bytes);

static void must(bool held)
{
    if (!held)
        abort();
}

static void check_head(const struct http_head *h, const char *buf, size_t n_bytes)
{
    must(h->n_bytes <= n_bytes && h->n_bytes <= HTTP_MAX_HEAD_BYTES);
    must(h->n_bytes >= 4 && memcmp(buf + h->n_bytes - 4, "\r\n\r\n", 4) == 0);
    must(h->minor == 0 || h->minor == 1);
    must(!(http_field(h, "content-length") && http_field(h, "transfer-encoding")));
    for (uint32_t i = 0; i < h->n_fields; i++) {
        must(h->fields[i].name.n_bytes > 0);
        for (size_t k = 0; k < h->fields[i].value.n_bytes; k++)
            must(h->fields[i].value.p[k] != '\r' && h->fields[i].value.p[k] != '\n' &&
                 h->fields[i].value.p[k] != 0);
    }
    char path[64];
    size_t n_path;
    if (http_decode_path(h->path, path, sizeof path, &n_path))
        must(n_path <= sizeof path && !memchr(path, 0, n_path));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n_bytes)
{
    if (n_bytes < 1)
        return 0;
    size_t step = 1 + bytes[0] % 64;
    const char *buf = (const char *)bytes + 1;
    n_bytes--;
    struct http_parser whole, pieces;
    static struct http_head a, b;
    http_init(&whole);
    http_init(&pieces);
    enum http_result want = http_parse(&whole, buf, n_bytes, &a), got = HTTP_MORE;
    for (size_t n = 0; got == HTTP_MORE && n < n_bytes;) {
        n = n + step < n_bytes ? n + step : n_bytes;
        got = http_parse(&pieces, buf, n, &b);
    }
    must(got == want && whole.at == pieces.at);
    if (want == HTTP_BAD)
        must(whole.refusal.status == pieces.refusal.status && whole.refusal.message);
    if (want == HTTP_DONE)
        check_head(&a, buf, n_bytes);
    return 0;
}
