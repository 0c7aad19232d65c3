/* api_models: GET /v1/models and /v1/models/{id} (api.md 10.1); which names a request may use for
 * the model. Thread: edge. Allocates: chain blocks only. */
#ifndef NET_API_MODELS_H
#define NET_API_MODELS_H

#include "net/api.h"
#include "net/api_error.h"

enum api_next api_models_list(struct api *a, struct api_call *call);
enum api_next api_models_one(struct api *a, struct api_call *call);

/* True for the served model's id and its alias; else 404 model_not_found, naming both. */
bool api_models_check(const struct engine_info *info, const struct edge_config *cfg,
                      struct str name, struct api_error *e);

#endif
