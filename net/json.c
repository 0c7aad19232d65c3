#include "net/json.h"

#include <math.h>

const json_t *json_get(const json_t *object, const char *name)
{
    const json_t *v = json_object_get(object, name);
    return v && !json_is_null(v) ? v : NULL;
}

bool json_is_text(const json_t *v)
{
    struct str digits;
    return json_is_string(v) && !json_text_is_big_int(v, &digits);
}

static bool wrong_type(struct api_error *e, const char *param, const char *wanted)
{
    return api_fail(e, API_INVALID_TYPE, param, "%s must be %s.", param, wanted);
}

bool json_get_bool(struct json_at at, bool *out, struct api_error *e)
{
    const json_t *v = json_get(at.object, at.name);
    if (v && !json_is_boolean(v))
        return wrong_type(e, at.param, "true or false");
    if (v)
        *out = json_is_true(v);
    return true;
}

bool json_get_int(struct json_at at, int64_t low, int64_t high, int64_t *out, struct api_error *e)
{
    const json_t *v = json_get(at.object, at.name);
    struct str digits;
    if (!v)
        return true;
    bool is_big = json_text_is_big_int(v, &digits);
    if (!json_is_number(v) && !is_big)
        return wrong_type(e, at.param, "an integer");
    double real = is_big ? HUGE_VAL : json_number_value(v);
    if (json_is_real(v) && (real != floor(real)))
        return wrong_type(e, at.param, "an integer");
    bool is_far = json_is_real(v) && !(fabs(real) < 0x1p63);
    int64_t n = json_is_integer(v) ? (int64_t)json_integer_value(v)
                : is_big || is_far ? INT64_MAX
                                   : (int64_t)real;
    if (is_big || is_far || n < low || n > high)
        return api_fail(e, API_INVALID_VALUE, at.param, "%s must be from %lld to %lld.", at.param,
                        (long long)low, (long long)high);
    *out = n;
    return true;
}

bool json_get_real(struct json_at at, double low, double high, double *out, struct api_error *e)
{
    const json_t *v = json_get(at.object, at.name);
    if (!v)
        return true;
    struct str digits;
    bool is_big = json_text_is_big_int(v, &digits);
    if (!json_is_number(v) && !is_big)
        return wrong_type(e, at.param, "a number");
    double x = is_big ? HUGE_VAL : json_number_value(v); /* beyond every range we have */
    if (!(x >= low && x <= high))
        return api_fail(e, API_INVALID_VALUE, at.param, "%s must be from %g to %g.", at.param, low,
                        high);
    *out = x;
    return true;
}

bool json_get_str(struct json_at at, size_t max_bytes, struct str *out, struct api_error *e)
{
    const json_t *v = json_get(at.object, at.name);
    if (!v)
        return true;
    if (!json_is_text(v))
        return wrong_type(e, at.param, "a string");
    struct str s = json_text_str(v);
    if (s.n_bytes > max_bytes)
        return api_fail(e, API_INVALID_VALUE, at.param, "%s may have at most %zu bytes.", at.param,
                        max_bytes);
    *out = s;
    return true;
}

bool json_get_array(struct json_at at, const json_t **out, struct api_error *e)
{
    *out = json_get(at.object, at.name);
    return !*out || json_is_array(*out) || wrong_type(e, at.param, "an array");
}

bool json_get_object(struct json_at at, const json_t **out, struct api_error *e)
{
    *out = json_get(at.object, at.name);
    return !*out || json_is_object(*out) || wrong_type(e, at.param, "an object");
}
