#include "runtime/tool_input.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

enum { READ_STEP_BYTES = 1 << 16 };

/* Reads to the end into *buf, which grows by half; false leaves *buf for the caller to free. */
static bool read_all(FILE *f, char **buf, size_t *n_bytes, struct err *e)
{
    size_t n_room = 0;
    for (*n_bytes = 0;;) {
        if (n_room - *n_bytes < READ_STEP_BYTES) {
            n_room += n_room / 2 + 2 * READ_STEP_BYTES;
            char *grown = realloc(*buf, n_room);
            if (!grown)
                return err_set(e, ERR_NOMEM, "no memory for %zu bytes", n_room);
            *buf = grown;
        }
        size_t n = fread(*buf + *n_bytes, 1, n_room - *n_bytes, f);
        *n_bytes += n;
        if (n == 0)
            return !ferror(f) || err_sys(e, "cannot read");
    }
}

char *tool_read_file(const char *path, size_t *n_bytes, struct err *e)
{
    char *buf = NULL;
    FILE *f = fopen(path, "re");
    if (!f) {
        (void)err_sys(e, "%s: cannot open", path);
        return NULL;
    }
    if (!read_all(f, &buf, n_bytes, e)) {
        (void)err_ctx(e, "%s", path);
        free(buf);
        buf = NULL;
    }
    fclose(f);
    return buf;
}

/* Decimal digits alone: strtoull would take signs and blanks. */
static bool parse_u64(struct str s, uint64_t *out)
{
    uint64_t v = 0;
    for (size_t i = 0; i < s.n_bytes; i++) {
        unsigned digit = (unsigned)(s.p[i] - '0');
        if (digit > 9 || __builtin_mul_overflow(v, 10u, &v) ||
            __builtin_add_overflow(v, (uint64_t)digit, &v))
            return false;
    }
    *out = v;
    return s.n_bytes > 0;
}

static bool is_separator(char c)
{
    return c == ',' || c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

int32_t *tool_ids_parse(struct str text, uint32_t *n_ids, struct err *e)
{
    /* n ids take at least 2 n - 1 bytes */
    int32_t *ids = malloc((text.n_bytes / 2 + 1) * sizeof *ids);
    if (!ids)
        return err_null(e, ERR_NOMEM, "no memory for the token ids");
    *n_ids = 0;
    for (size_t i = 0; i < text.n_bytes;) {
        if (is_separator(text.p[i])) {
            i++;
            continue;
        }
        struct str word = {text.p + i, 0};
        while (i < text.n_bytes && !is_separator(text.p[i]))
            word.n_bytes = ++i - (size_t)(word.p - text.p);
        uint64_t id;
        if (!parse_u64(word, &id) || id > INT32_MAX) {
            free(ids);
            return err_null(e, ERR_FORMAT, "\"%.*s\" is not a token id",
                            word.n_bytes > 40 ? 40 : (int)word.n_bytes, word.p);
        }
        ids[(*n_ids)++] = (int32_t)id;
    }
    if (*n_ids > 0)
        return ids;
    free(ids);
    return err_null(e, ERR_FORMAT, "no token ids");
}

int32_t *tool_ids_read(const char *path, uint32_t *n_ids, struct err *e)
{
    size_t n_bytes;
    char *text = tool_read_file(path, &n_bytes, e);
    if (!text)
        return NULL;
    int32_t *ids = tool_ids_parse((struct str){text, n_bytes}, n_ids, e);
    if (!ids)
        (void)err_ctx(e, "%s", path);
    free(text);
    return ids;
}
