/* api_models: GET /v1/models and /v1/models/{id} (api.md 10.1); which names a request may use for
 * the model. Thread: edge. Allocates: chain blocks only. */
#ifndef NET_API_MODELS_H
#define NET_API_MODELS_H

#include "net/api.h"
#include "net/api_error.h"

enum api_next api_models_list(struct api *a, struct api_call *call);
enum api_next api_models_one(struct api *a, struct api_call *call);

/* True for the served model's id, its alias, and "" (= whatever is served). */
bool api_models_has(const struct api *a, struct str name);

/* 404 model_not_found, naming the ids there are. */
void api_models_not_found(const struct api *a, struct api_error *e);

#endif
