/* json_text: what is accepted is valid for jansson alone, unless it holds integers beyond 64 bits;
 * what is refused comes with one line of text. */
#include "models/json_text.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n_bytes);

static void must(bool held)
{
    if (!held)
        abort();
}

static bool has_big_int(json_t *v)
{
    struct str digits;
    if (json_text_is_big_int(v, &digits)) {
        must(digits.n_bytes >= 19);
        for (size_t i = digits.p[0] == '-'; i < digits.n_bytes; i++)
            must(digits.p[i] >= '0' && digits.p[i] <= '9');
        return true;
    }
    bool has = false;
    for (size_t i = 0; i < json_array_size(v); i++)
        has |= has_big_int(json_array_get(v, i));
    for (void *it = json_object_iter(v); it; it = json_object_iter_next(v, it))
        has |= has_big_int(json_object_iter_value(it));
    return has;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n_bytes)
{
    struct err e = {0};
    struct str text = {(const char *)bytes, n_bytes};
    json_t *v = json_text_parse(text, &e);
    if (!v) {
        must(e.code == ERR_FORMAT && e.msg[0] && !strchr(e.msg, '\n'));
        return 0;
    }
    must(str_is_utf8(text));
    if (!has_big_int(v)) {
        size_t n_bom = str_has_prefix(text, STR("\xef\xbb\xbf")) ? 3 : 0;
        json_t *plain =
            json_loadb(text.p + n_bom, n_bytes - n_bom, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
        must(plain && json_equal(plain, v));
        json_decref(plain);
    }
    json_decref(v);
    return 0;
}
