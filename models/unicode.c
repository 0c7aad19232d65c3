#include "models/unicode.h"

#include "models/unicode_tab.h"

#include <stddef.h>

static uint32_t map(const struct unicode_range *ranges, size_t n_ranges, uint32_t cp)
{
    size_t low = 0, high = n_ranges;
    while (low < high) {
        size_t mid = (low + high) / 2;
        const struct unicode_range *r = &ranges[mid];
        if (cp > r->last)
            low = mid + 1;
        else if (cp < r->first)
            high = mid;
        else
            return (cp - r->first) % r->stride == 0 ? (uint32_t)((int32_t)cp + r->delta) : cp;
    }
    return cp;
}

uint32_t unicode_to_lower(uint32_t cp)
{
    if (cp < 0x80)
        return cp >= 'A' && cp <= 'Z' ? cp + 32 : cp;
    return map(unicode_lower, sizeof unicode_lower / sizeof *unicode_lower, cp);
}

uint32_t unicode_to_upper(uint32_t cp, uint32_t out[3])
{
    for (size_t i = 0; i < sizeof unicode_upper_long / sizeof *unicode_upper_long; i++) {
        const struct unicode_expansion *x = &unicode_upper_long[i];
        uint32_t n = 0;
        if (x->cp != cp)
            continue;
        for (; n < 3 && x->to[n]; n++)
            out[n] = x->to[n];
        return n;
    }
    out[0] = map(unicode_upper, sizeof unicode_upper / sizeof *unicode_upper, cp);
    return 1;
}

bool unicode_is_printable(uint32_t cp)
{
    size_t low = 0, high = sizeof unicode_unprintable / sizeof *unicode_unprintable;
    if (cp < 0x80)
        return cp >= 0x20 && cp != 0x7f;
    while (low < high) {
        size_t mid = (low + high) / 2;
        if (cp > unicode_unprintable[mid][1])
            low = mid + 1;
        else if (cp < unicode_unprintable[mid][0])
            high = mid;
        else
            return false;
    }
    return true;
}
