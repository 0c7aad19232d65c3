#include "net/api_models.h"

#include "net/answer.h"

#include <inttypes.h>
#include <stdio.h>

enum { LIST_ROOM_BYTES = 4096 };

static void put_model(const struct api *a, struct text *t)
{
    const struct engine_info *i = &a->info;
    text_puts(t, "{\"id\":");
    text_json(t, str_of(i->model_id));
    text_fmt(t,
             ",\"object\":\"model\",\"created\":%" PRId64
             ",\"owned_by\":\"hearth\",\"context_length\":%u,\"max_model_len\":%u,"
             "\"max_completion_tokens\":%u,\"capabilities\":[\"chat\",\"reasoning\"],\"default_"
             "sampling\":{\"temperature\":",
             a->metrics->start_wall_s, i->n_ctx, i->n_ctx, i->n_ctx);
    text_decimal(t, (double)i->default_temperature, 4);
    text_puts(t, ",\"top_p\":");
    text_decimal(t, (double)i->default_top_p, 4);
    text_fmt(t, ",\"top_k\":%d,\"min_p\":0},\"meta\":{\"quant\":", i->default_top_k);
    text_json(t, str_of(i->quant));
    text_fmt(t, ",\"n_params\":%" PRIu64 ",\"size\":%" PRIu64 "}}", i->n_params, i->file_bytes);
}

enum api_next api_models_list(struct api *a, struct api_call *call)
{
    char room[LIST_ROOM_BYTES];
    struct text t;
    text_init(&t, room, sizeof room);
    text_puts(&t, "{\"object\":\"list\",\"data\":[");
    if (a->info.model_id[0]) /* before the first load nobody knows its name */
        put_model(a, &t);
    text_puts(&t, "]}");
    answer_send(a, call, 200, "application/json", text_str(&t));
    return API_ANSWERED;
}

bool api_models_check(const struct engine_info *info, const struct edge_config *cfg,
                      struct str name, struct api_error *e)
{
    const char *alias = cfg->model_alias;
    bool is_loaded = info->model_id[0]; /* before the first load nobody knows its name */
    if (is_loaded && (str_is(name, info->model_id) || (alias[0] && str_is(name, alias))))
        return true;
    return api_fail(e, API_MODEL_NOT_FOUND, "model",
                    "There is no such model here; this server has \"%s\"%s%s%s.", info->model_id,
                    alias[0] ? ", also called \"" : "", alias, alias[0] ? "\"" : "");
}

enum api_next api_models_one(struct api *a, struct api_call *call)
{
    struct str id = str_of(call->path + strlen("/v1/models/"));
    struct api_error error;
    if (!api_models_check(&a->info, &a->cfg, id, &error)) {
        answer_fail(a, call, &error, NULL);
        return API_ANSWERED;
    }
    char room[LIST_ROOM_BYTES];
    struct text t;
    text_init(&t, room, sizeof room);
    put_model(a, &t);
    answer_send(a, call, 200, "application/json", text_str(&t));
    return API_ANSWERED;
}
