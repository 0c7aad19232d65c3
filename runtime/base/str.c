#include "runtime/base/str.h"

int utf8_char_bytes(const char *p, size_t n_bytes)
{
    if (n_bytes == 0)
        return 0;
    unsigned char lead = (unsigned char)p[0];
    if (lead < 0x80)
        return 1;
    if (lead < 0xc2 || lead > 0xf4)
        return -1;
    int n = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    /* RFC 3629 section 4: the second byte's range depends on the lead. */
    unsigned char low = 0x80, high = 0xbf;
    if (lead == 0xe0)
        low = 0xa0;
    else if (lead == 0xed)
        high = 0x9f;
    else if (lead == 0xf0)
        low = 0x90;
    else if (lead == 0xf4)
        high = 0x8f;
    for (int i = 1; i < n; i++) {
        if ((size_t)i >= n_bytes)
            return 0;
        unsigned char c = (unsigned char)p[i];
        if (c < low || c > high)
            return -1;
        low = 0x80;
        high = 0xbf;
    }
    return n;
}

bool str_is_utf8(struct str s)
{
    size_t i = 0;
    while (i < s.n_bytes) {
        uint64_t word;
        if (s.n_bytes - i >= sizeof word) { /* eight ASCII bytes at a time: most text is ASCII */
            memcpy(&word, s.p + i, sizeof word);
            if ((word & 0x8080808080808080u) == 0) {
                i += sizeof word;
                continue;
            }
        }
        int n = utf8_char_bytes(s.p + i, s.n_bytes - i);
        if (n <= 0)
            return false;
        i += (size_t)n;
    }
    return true;
}

uint32_t utf8_decode(const char *p, size_t n_bytes, size_t *n_used)
{
    int n = utf8_char_bytes(p, n_bytes);
    const unsigned char *u = (const unsigned char *)p;
    *n_used = n > 0 ? (size_t)n : 1;
    switch (n) {
    case 1:
        return u[0];
    case 2:
        return (uint32_t)(u[0] & 0x1f) << 6 | (u[1] & 0x3f);
    case 3:
        return (uint32_t)(u[0] & 0x0f) << 12 | (uint32_t)(u[1] & 0x3f) << 6 | (u[2] & 0x3f);
    case 4:
        return (uint32_t)(u[0] & 0x07) << 18 | (uint32_t)(u[1] & 0x3f) << 12 |
               (uint32_t)(u[2] & 0x3f) << 6 | (u[3] & 0x3f);
    default:
        return 0xfffd;
    }
}

size_t utf8_put(uint32_t cp, char *out)
{
    if (cp < 0x80) {
        out[0] = (char)cp;
        return 1;
    }
    if (cp < 0x800) {
        out[0] = (char)(0xc0 | cp >> 6);
        out[1] = (char)(0x80 | (cp & 0x3f));
        return 2;
    }
    if (cp < 0x10000) {
        out[0] = (char)(0xe0 | cp >> 12);
        out[1] = (char)(0x80 | (cp >> 6 & 0x3f));
        out[2] = (char)(0x80 | (cp & 0x3f));
        return 3;
    }
    out[0] = (char)(0xf0 | cp >> 18);
    out[1] = (char)(0x80 | (cp >> 12 & 0x3f));
    out[2] = (char)(0x80 | (cp >> 6 & 0x3f));
    out[3] = (char)(0x80 | (cp & 0x3f));
    return 4;
}
