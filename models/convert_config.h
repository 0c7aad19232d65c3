/* convert_config: typed values from a JSON configuration; every message names file and member.
 * Thread: any. Allocates: never. */
#ifndef MODELS_CONVERT_CONFIG_H
#define MODELS_CONVERT_CONFIG_H

#include "models/json_text.h"

struct convert_config {
    const char *dir, *file; /* borrowed: messages begin with dir/file */
    const char *within;     /* "text_config." for a part of the file, else "" */
    json_t *root;           /* borrowed; the part itself. NULL: there is nothing */
};

/* A part that is an object; root NULL if it is absent or null. */
struct convert_config convert_config_part(const struct convert_config *c, const char *name,
                                          const char *within);

/* The same; false if the member is there and no object. */
bool convert_config_opt_part(const struct convert_config *c, const char *name, const char *within,
                             struct convert_config *out, struct err *e);

/* Present and not null. */
bool convert_config_has(const struct convert_config *c, const char *name);

/* Always false: "dir/file: within.name why". */
bool convert_config_refuse(const struct convert_config *c, const char *name, const char *why,
                           struct err *e);

/* Required, in range. */
bool convert_config_u32(const struct convert_config *c, const char *name, uint32_t low,
                        uint32_t high, uint32_t *out, struct err *e);
bool convert_config_f32(const struct convert_config *c, const char *name, float *out,
                        struct err *e);
/* Optional: *out keeps its value when the member is absent or null. */
bool convert_config_opt_u32(const struct convert_config *c, const char *name, uint32_t high,
                            uint32_t *out, struct err *e);
bool convert_config_opt_f32(const struct convert_config *c, const char *name, float *out,
                            struct err *e);
bool convert_config_opt_bool(const struct convert_config *c, const char *name, bool *out,
                             struct err *e);
/* Whole numbers 0..high; false if the list is absent or longer than max. */
bool convert_config_u32s(const struct convert_config *c, const char *name, uint32_t high,
                         uint32_t max, uint32_t *out, uint32_t *n_out, struct err *e);
/* Empty when absent, null or no string. */
struct str convert_config_str(const struct convert_config *c, const char *name);
/* The member must be this string where it is present. */
bool convert_config_must_be(const struct convert_config *c, const char *name, const char *want,
                            struct err *e);
/* The member must be absent, null, false, 0 or empty: what it would switch on does not exist here.
 */
bool convert_config_must_be_off(const struct convert_config *c, const char *name, struct err *e);

#endif
