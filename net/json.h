/* json: typed reading of request members, with the JSON path in every refusal (api.md 5: types are
 * strict, 1.0 counts as the integer 1, null always means absent).   Thread: edge. Allocates: never.
 */
#ifndef NET_JSON_H
#define NET_JSON_H

#include "models/json_text.h"
#include "net/api_error.h"

/* Member of an object; NULL if absent or null. */
const json_t *json_get(const json_t *object, const char *name);

/* Each leaves *out alone and returns true when the member is absent or null. param is the path for
 * messages. */
bool json_get_bool(const json_t *object, const char *name, const char *param, bool *out,
                   struct api_error *e);
bool json_get_int(const json_t *object, const char *name, const char *param, int64_t low,
                  int64_t high, int64_t *out, struct api_error *e);
bool json_get_real(const json_t *object, const char *name, const char *param, double low,
                   double high, double *out, struct api_error *e);
/* Borrowed text; at most max_bytes. */
bool json_get_str(const json_t *object, const char *name, const char *param, size_t max_bytes,
                  struct str *out, struct api_error *e);
/* An array or object; NULL when absent. */
bool json_get_array(const json_t *object, const char *name, const char *param, const json_t **out,
                    struct api_error *e);
bool json_get_object(const json_t *object, const char *name, const char *param, const json_t **out,
                     struct api_error *e);

/* True for a JSON string that is text (a wrapped big integer is a number). */
bool json_is_text(const json_t *v);

#endif
