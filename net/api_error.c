#include "net/api_error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct {
    int status;
    const char *type, *code;
} codes[API_N_CODES] = {
#define X(name, status, type, code) [API_##name] = {status, type, code},
    API_CODES(X)
#undef X
};

static const struct {
    uint32_t least_s, most_s;
} retries[API_N_CODES] = {
#define X(name, least_s, most_s) [API_##name] = {least_s, most_s},
    API_RETRIES(X)
#undef X
};

bool api_fail(struct api_error *e, enum api_code code, const char *param, const char *fmt, ...)
{
    memset(e, 0, sizeof *e);
    e->code = code;
    snprintf(e->param, sizeof e->param, "%s", param ? param : "");
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(e->message, sizeof e->message, fmt, ap);
    va_end(ap);
    return false;
}

int api_error_status(const struct api_error *e)
{
    return codes[e->code].status;
}

const char *api_error_code(const struct api_error *e)
{
    return codes[e->code].code;
}

uint32_t api_error_retry_after_s(const struct api_error *e)
{
    uint32_t s = e->retry_after_s;
    s = s < retries[e->code].least_s ? retries[e->code].least_s : s;
    return s < retries[e->code].most_s ? s : retries[e->code].most_s;
}

void api_error_write(const struct api_error *e, struct text *out)
{
    text_puts(out, "{\"error\":{\"message\":");
    text_json(out, str_of(e->message));
    text_fmt(out, ",\"type\":\"%s\",\"param\":", codes[e->code].type);
    if (e->param[0])
        text_json(out, str_of(e->param));
    else
        text_puts(out, "null");
    text_fmt(out, ",\"code\":\"%s\"", codes[e->code].code);
    if (e->code == API_CONTEXT_LENGTH)
        text_fmt(out, ",\"n_prompt_tokens\":%u,\"n_ctx\":%u", e->n_prompt_tokens, e->n_ctx);
    text_puts(out, "}}");
}

enum api_code api_code_of_status(int status)
{
    if (status == 400)
        return API_MALFORMED_REQUEST;
    for (int i = 0; i < API_N_CODES; i++)
        if (codes[i].status == status && i != API_INVALID_JSON)
            return (enum api_code)i;
    return API_INTERNAL;
}
