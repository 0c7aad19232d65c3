#include "models/convert_config.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

struct convert_config convert_config_part(const struct convert_config *c, const char *name,
                                          const char *within)
{
    json_t *part = json_object_get(c->root, name);
    return (struct convert_config){c->dir, c->file, within, json_is_object(part) ? part : NULL};
}

static json_t *member(const struct convert_config *c, const char *name)
{
    json_t *v = json_object_get(c->root, name);
    return json_is_null(v) ? NULL : v;
}

bool convert_config_has(const struct convert_config *c, const char *name)
{
    return member(c, name) != NULL;
}

bool convert_config_refuse(const struct convert_config *c, const char *name, const char *why,
                           struct err *e)
{
    return err_set(e, ERR_FORMAT, "%s/%s: %s%s %s", c->dir, c->file, c->within, name, why);
}

bool convert_config_opt_part(const struct convert_config *c, const char *name, const char *within,
                             struct convert_config *out, struct err *e)
{
    *out = convert_config_part(c, name, within);
    return out->root || !convert_config_has(c, name) ||
           convert_config_refuse(c, name, "is not an object", e);
}

static bool missing(const struct convert_config *c, const char *name, struct err *e)
{
    return convert_config_refuse(c, name, "is missing", e);
}

static bool in_range(const json_t *v, uint32_t low, uint32_t high)
{
    return json_is_integer(v) && json_integer_value(v) >= (json_int_t)low &&
           json_integer_value(v) <= (json_int_t)high;
}

bool convert_config_u32(const struct convert_config *c, const char *name, uint32_t low,
                        uint32_t high, uint32_t *out, struct err *e)
{
    char why[80];
    const json_t *v = member(c, name);
    if (!v)
        return missing(c, name, e);
    snprintf(why, sizeof why, "must be a whole number from %" PRIu32 " to %" PRIu32, low, high);
    if (!in_range(v, low, high))
        return convert_config_refuse(c, name, why, e);
    *out = (uint32_t)json_integer_value(v);
    return true;
}

bool convert_config_f32(const struct convert_config *c, const char *name, float *out, struct err *e)
{
    const json_t *v = member(c, name);
    if (!v)
        return missing(c, name, e);
    if (!json_is_number(v) || !isfinite((float)json_number_value(v)))
        return convert_config_refuse(c, name, "must be a finite number", e);
    *out = (float)json_number_value(v);
    return true;
}

bool convert_config_opt_u32(const struct convert_config *c, const char *name, uint32_t high,
                            uint32_t *out, struct err *e)
{
    return !member(c, name) || convert_config_u32(c, name, 0, high, out, e);
}

bool convert_config_opt_f32(const struct convert_config *c, const char *name, float *out,
                            struct err *e)
{
    return !member(c, name) || convert_config_f32(c, name, out, e);
}

bool convert_config_opt_bool(const struct convert_config *c, const char *name, bool *out,
                             struct err *e)
{
    const json_t *v = member(c, name);
    if (v && !json_is_boolean(v))
        return convert_config_refuse(c, name, "must be true or false", e);
    *out = v ? json_is_true(v) : *out;
    return true;
}

bool convert_config_u32s(const struct convert_config *c, const char *name, uint32_t high,
                         uint32_t max, uint32_t *out, uint32_t *n_out, struct err *e)
{
    char why[96];
    const json_t *v = member(c, name);
    if (!v)
        return missing(c, name, e);
    snprintf(why, sizeof why, "must be a list of 1 to %" PRIu32 " whole numbers up to %" PRIu32,
             max, high);
    size_t n = json_array_size(v);
    if (n < 1 || n > max)
        return convert_config_refuse(c, name, why, e);
    for (size_t i = 0; i < n; i++) {
        if (!in_range(json_array_get(v, i), 0, high))
            return convert_config_refuse(c, name, why, e);
        out[i] = (uint32_t)json_integer_value(json_array_get(v, i));
    }
    *n_out = (uint32_t)n;
    return true;
}

struct str convert_config_str(const struct convert_config *c, const char *name)
{
    return json_text_str(member(c, name));
}

bool convert_config_must_be(const struct convert_config *c, const char *name, const char *want,
                            struct err *e)
{
    char why[96];
    snprintf(why, sizeof why, "must be \"%s\": nothing else can be converted", want);
    return !member(c, name) || str_is(convert_config_str(c, name), want) ||
           convert_config_refuse(c, name, why, e);
}

bool convert_config_must_be_off(const struct convert_config *c, const char *name, struct err *e)
{
    const json_t *v = member(c, name);
    bool is_off = !v || json_is_false(v) || (json_is_number(v) && json_number_value(v) == 0.0) ||
                  (json_is_array(v) && json_array_size(v) == 0);
    return is_off || convert_config_refuse(c, name, "asks for a part that cannot be converted", e);
}
