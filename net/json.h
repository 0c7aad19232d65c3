/* json: typed reading of request members, with the JSON path in every refusal (api.md 5: types are
 * strict, 1.0 counts as the integer 1, null always means absent).   Thread: edge. Allocates: never.
 */
#ifndef NET_JSON_H
#define NET_JSON_H

#include "models/json_text.h"
#include "net/api_error.h"

/* Member of an object; NULL if absent or null. */
const json_t *json_get(const json_t *object, const char *name);

/* Which member, and its path for messages. */
struct json_at {
    const json_t *object;
    const char *name, *param;
};
#define JSON_AT(object, name, param) ((struct json_at){object, name, param})

/* Each leaves *out alone and returns true when the member is absent or null. param is the path for
 * messages. */
bool json_get_bool(struct json_at at, bool *out, struct api_error *e);
bool json_get_int(struct json_at at, int64_t low, int64_t high, int64_t *out, struct api_error *e);
bool json_get_real(struct json_at at, double low, double high, double *out, struct api_error *e);
/* Borrowed text; at most max_bytes. */
bool json_get_str(struct json_at at, size_t max_bytes, struct str *out, struct api_error *e);
/* An array or object; NULL when absent. */
bool json_get_array(struct json_at at, const json_t **out, struct api_error *e);
bool json_get_object(struct json_at at, const json_t **out, struct api_error *e);

/* True for a JSON string that is text (a wrapped big integer is a number). */
bool json_is_text(const json_t *v);

#endif
