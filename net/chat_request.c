#include "net/chat_request.h"

#include "net/api_models.h"
#include "net/chat_messages.h"

#include <float.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

/* ---- what is not read: refused or ignored by name ---- */

enum member_class {
    HONOURED,
    IGNORED, /* known not to change the meaning */
    REFUSED,
    UNKNOWN, /* ignored, too, unless strict_parameters says otherwise */
};

static const struct {
    const char *name;
    enum member_class class;
    const char *why; /* for REFUSED */
} members[] = {
    /* a name that ends in '*' stands for all that begin so */
    {"messages", HONOURED, NULL},
    {"model", HONOURED, NULL},
    {"stream", HONOURED, NULL},
    {"stream_options", HONOURED, NULL},
    {"max_completion_tokens", HONOURED, NULL},
    {"max_tokens", HONOURED, NULL},
    {"temperature", HONOURED, NULL},
    {"top_p", HONOURED, NULL},
    {"top_k", HONOURED, NULL},
    {"min_p", HONOURED, NULL},
    {"presence_penalty", HONOURED, NULL},
    {"frequency_penalty", HONOURED, NULL},
    {"repetition_penalty", HONOURED, NULL},
    {"repeat_penalty", HONOURED, NULL},
    {"seed", HONOURED, NULL},
    {"stop", HONOURED, NULL},
    {"n", HONOURED, NULL},
    {"logprobs", HONOURED, NULL},
    {"top_logprobs", HONOURED, NULL},
    {"logit_bias", HONOURED, NULL},
    {"response_format", HONOURED, NULL},
    {"reasoning_effort", HONOURED, NULL},
    {"reasoning", HONOURED, NULL},
    {"chat_template_kwargs", HONOURED, NULL},
    {"tools", HONOURED, NULL},
    {"tool_choice", HONOURED, NULL},
    {"parallel_tool_calls", HONOURED, NULL},
    {"modalities", IGNORED, NULL},
    {"metadata", IGNORED, NULL},
    {"user", IGNORED, NULL},
    {"safety_identifier", IGNORED, NULL},
    {"prompt_cache_key", IGNORED, NULL},
    {"prompt_cache_options", IGNORED, NULL},
    {"prompt_cache_retention", IGNORED, NULL},
    {"store", IGNORED, NULL},
    {"service_tier", IGNORED, NULL},
    {"verbosity", IGNORED, NULL},
    {"prediction", IGNORED, NULL},
    {"samplers", IGNORED, NULL},
    {"id_slot", IGNORED, NULL},
    {"ignore_eos", IGNORED, NULL},
    {"mirostat*", IGNORED, NULL},
    {"dry_*", IGNORED, NULL},
    {"xtc_*", IGNORED, NULL},
    {"continue_final_message", HONOURED, NULL},
    {"add_generation_prompt", HONOURED, NULL},
    {"cache_prompt", HONOURED, NULL},
    {"return_progress", HONOURED, NULL},
    {"timings_per_token", HONOURED, NULL},
    {"thinking_budget_tokens", HONOURED, NULL},
    {"functions", REFUSED, "it is obsolete; use tools"},
    {"function_call", REFUSED, "it is obsolete; use tool_choice"},
    {"audio", REFUSED, "this model makes text only"},
    {"web_search_options", REFUSED, "this box has no internet"},
    {"moderation", REFUSED, "there is no moderation service"},
    {"grammar", REFUSED, "use response_format"},
    {"json_schema", REFUSED, "use response_format"},
    {"lora", REFUSED, "adapters are not supported"},
};

static enum member_class class_of(const char *name, const char **why)
{
    for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
        const char *star = strchr(members[i].name, '*');
        if (star ? strncmp(members[i].name, name, (size_t)(star - members[i].name)) == 0
                 : strcmp(members[i].name, name) == 0) {
            *why = members[i].why;
            return members[i].class;
        }
    }
    return UNKNOWN;
}

static void note_ignored(struct chat_request *r, const char *name)
{
    size_t n = strlen(r->ignored), n_name = strlen(name);
    bool is_plain =
        strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.") == n_name;
    if (is_plain && n_name > 0 &&
        n + n_name + 2 < sizeof r->ignored) /* goes into a header: nothing but plain names */
        snprintf(r->ignored + n, sizeof r->ignored - n, "%s%s", n ? "," : "", name);
}

static bool check_members(struct chat_request *r, const struct edge_config *cfg,
                          struct api_error *e)
{
    const char *name, *why = NULL;
    json_t *value;
    json_object_foreach(r->root, name, value)
    {
        if (json_is_null(value))
            continue;
        enum member_class class = class_of(name, &why);
        if (class == REFUSED)
            return api_fail(e, API_UNSUPPORTED_PARAMETER, name, "%s cannot be used: %s.", name,
                            why);
        if (class == UNKNOWN && cfg->strict_params)
            return api_fail(e, API_UNSUPPORTED_PARAMETER, "",
                            "This server does not know the parameter \"%.60s\".", name);
        if (class == UNKNOWN || class == IGNORED)
            note_ignored(r, name);
    }
    return true;
}

/* The members of a member that are not read. known ends with NULL. */
static void note_unread(struct chat_request *r, const char *parent, const char *const *known)
{
    const char *name;
    json_t *value;
    json_object_foreach(json_object_get(r->root, parent), name, value)
    {
        char path[96];
        bool is_read = json_is_null(value);
        for (size_t i = 0; known[i]; i++)
            is_read |= strcmp(known[i], name) == 0;
        int n = snprintf(path, sizeof path, "%s.%s", parent, name);
        if (!is_read && n < (int)sizeof path)
            note_ignored(r, path);
    }
}

/* ---- sampling ---- */

/* The first of two spellings that is there. */
static const char *spelling(const json_t *root, const char *first, const char *second)
{
    return json_get(root, first) || !json_get(root, second) ? first : second;
}

static bool read_sampling(struct chat_request *r, const struct engine_info *info,
                          struct api_error *e)
{
    struct gen_params *g = &r->gen;
    double temperature = (double)info->default_temperature, top_p = (double)info->default_top_p,
           min_p = 0.0;
    double presence = 0.0, frequency = 0.0, repetition = 1.0;
    int64_t top_k = info->default_top_k;
    const char *rep = spelling(r->root, "repetition_penalty", "repeat_penalty");
    if (!json_get_real(JSON_AT(r->root, "temperature", "temperature"), 0.0, 2.0, &temperature, e) ||
        !json_get_real(JSON_AT(r->root, "top_p", "top_p"), 0.0, 1.0, &top_p, e) ||
        !json_get_int(JSON_AT(r->root, "top_k", "top_k"), 0, 262144, &top_k, e) ||
        !json_get_real(JSON_AT(r->root, "min_p", "min_p"), 0.0, 1.0, &min_p, e) ||
        !json_get_real(JSON_AT(r->root, "presence_penalty", "presence_penalty"), -2.0, 2.0,
                       &presence, e) ||
        !json_get_real(JSON_AT(r->root, "frequency_penalty", "frequency_penalty"), -2.0, 2.0,
                       &frequency, e) ||
        !json_get_real(JSON_AT(r->root, rep, rep), 0.5, 2.0, &repetition, e))
        return false;
    if (!(top_p > 0.0))
        return api_fail(e, API_INVALID_VALUE, "top_p",
                        "top_p must be greater than 0 and at most 1.");
    g->temperature = (float)temperature;
    g->top_p = top_p < (double)FLT_MIN ? FLT_MIN : (float)top_p; /* 0 would mean something else */
    g->min_p = (float)min_p;
    g->presence_penalty = (float)presence;
    g->frequency_penalty = (float)frequency;
    g->repetition_penalty = (float)repetition;
    g->top_k = (int32_t)top_k;
    return true;
}

/* Any 64 bits: signed, as the type of the number is, or unsigned. -1 counts as absent. */
static bool read_seed(struct chat_request *r, struct api_error *e)
{
    const json_t *v = json_get(r->root, "seed");
    struct str digits;
    int64_t seed = -1;
    if (v && json_text_is_big_int(v, &digits)) {
        bool fits = digits.n_bytes > 0;
        r->gen.seed = 0;
        for (size_t i = 0; fits && i < digits.n_bytes; i++) {
            unsigned digit = (unsigned char)digits.p[i] - (unsigned)'0';
            fits = digit <= 9 && !__builtin_mul_overflow(r->gen.seed, 10, &r->gen.seed) &&
                   !__builtin_add_overflow(r->gen.seed, digit, &r->gen.seed);
        }
        r->has_seed = true;
        return fits ||
               api_fail(e, API_INVALID_VALUE, "seed", "seed must be an integer of 64 bits.");
    }
    if (!json_get_int(JSON_AT(r->root, "seed", "seed"), INT64_MIN, INT64_MAX, &seed, e))
        return false;
    r->has_seed = seed != -1;
    r->gen.seed = (uint64_t)seed;
    return true;
}

static bool read_length_and_n(struct chat_request *r, const struct edge_config *cfg,
                              struct api_error *e)
{
    const char *name = spelling(r->root, "max_completion_tokens", "max_tokens");
    int64_t max_tokens = -1, n = 1;
    if (!json_get_int(JSON_AT(r->root, name, name), -1, INT64_MAX, &max_tokens, e) ||
        !json_get_int(JSON_AT(r->root, "n", "n"), 1, CHAT_MAX_N, &n, e))
        return false;
    if (max_tokens == 0)
        return api_fail(e, API_INVALID_VALUE, name, "%s must be at least 1.", name);
    if (n != 1)
        return api_fail(e, API_UNSUPPORTED_VALUE, "n", "Only n = 1 is supported.");
    r->gen.max_tokens = max_tokens < 0           ? cfg->default_max_tokens
                        : max_tokens > INT32_MAX ? INT32_MAX
                                                 : (uint32_t)max_tokens;
    return true;
}

static bool read_logprobs(struct chat_request *r, struct api_error *e)
{
    bool wants = false;
    int64_t n_top = -1;
    if (!json_get_bool(JSON_AT(r->root, "logprobs", "logprobs"), &wants, e) ||
        !json_get_int(JSON_AT(r->root, "top_logprobs", "top_logprobs"), 0, ENGINE_MAX_TOP_LOGPROBS,
                      &n_top, e))
        return false;
    if (n_top > 0 && !wants)
        return api_fail(e, API_INVALID_VALUE, "top_logprobs",
                        "top_logprobs needs logprobs to be true.");
    r->gen.n_logprobs = wants ? (int32_t)(n_top < 0 ? 0 : n_top) : -1;
    return true;
}

static bool add_stop(struct chat_request *r, const json_t *v, const char *param,
                     struct api_error *e)
{
    if (!json_is_text(v))
        return api_fail(e, API_INVALID_TYPE, param, "%s must be a string.", param);
    struct str s = json_text_str(v);
    if (s.n_bytes > STOP_MATCH_MAX_BYTES)
        return api_fail(e, API_INVALID_VALUE, param, "A stop string may have at most %d bytes.",
                        STOP_MATCH_MAX_BYTES);
    if (s.n_bytes > 0)
        r->stops[r->n_stops++] = s;
    return true;
}

static bool read_stops(struct chat_request *r, struct api_error *e)
{
    const json_t *v = json_get(r->root, "stop");
    if (!v)
        return true;
    if (!json_is_array(v))
        return json_is_text(v) ? add_stop(r, v, "stop", e)
                               : api_fail(e, API_INVALID_TYPE, "stop",
                                          "stop must be a string or an array of strings.");
    if (json_array_size(v) > STOP_MATCH_MAX_STRINGS)
        return api_fail(e, API_INVALID_VALUE, "stop", "At most %d stop strings are supported.",
                        STOP_MATCH_MAX_STRINGS);
    for (size_t i = 0; i < json_array_size(v); i++) {
        char param[32];
        snprintf(param, sizeof param, "stop[%zu]", i);
        if (!add_stop(r, json_array_get(v, i), param, e))
            return false;
    }
    return true;
}

/* ---- streaming and thinking ---- */

static bool read_stream(struct chat_request *r, struct api_error *e)
{
    static const char *const known[] = {"include_usage", NULL};
    const json_t *options;
    if (!json_get_bool(JSON_AT(r->root, "stream", "stream"), &r->wants_stream, e) ||
        !json_get_object(JSON_AT(r->root, "stream_options", "stream_options"), &options, e))
        return false;
    if (!options)
        return true;
    if (!r->wants_stream)
        return api_fail(e, API_INVALID_VALUE, "stream_options",
                        "stream_options needs stream to be true.");
    note_unread(r, "stream_options", known);
    return json_get_bool(JSON_AT(options, "include_usage", "stream_options.include_usage"),
                         &r->wants_usage, e);
}

static bool read_effort(struct chat_request *r, struct api_error *e)
{
    static const struct {
        const char *word;
        uint32_t max_thought_tokens;
    } efforts[] = {{"none", UINT32_MAX}, {"minimal", 512}, {"low", 1024},      {"medium", 4096},
                   {"high", 8192},       {"xhigh", 16384}, {"max", UINT32_MAX}};
    static const char *const known[] = {"effort", NULL};
    const json_t *reasoning;
    struct str effort = {NULL, 0};
    const char *param = "reasoning_effort";
    if (!json_get_object(JSON_AT(r->root, "reasoning", "reasoning"), &reasoning, e) ||
        !json_get_str(JSON_AT(r->root, "reasoning_effort", param), 32, &effort, e))
        return false;
    note_unread(r, "reasoning", known);
    if (!effort.p && reasoning) {
        param = "reasoning.effort";
        if (!json_get_str(JSON_AT(reasoning, "effort", param), 32, &effort, e))
            return false;
    }
    if (!effort.p)
        return true;
    for (size_t i = 0; i < sizeof efforts / sizeof *efforts; i++)
        if (str_is(effort, efforts[i].word)) {
            r->enable_thinking = i > 0;
            r->gen.max_thought_tokens = efforts[i].max_thought_tokens;
            return true;
        }
    return api_fail(e, API_INVALID_VALUE, param,
                    "%s must be one of none, minimal, low, medium, high, xhigh, max.", param);
}

static bool read_thinking_budget(struct chat_request *r, struct api_error *e)
{
    const char *name = "thinking_budget_tokens";
    int64_t n = -1;
    if (!json_get_int(JSON_AT(r->root, name, name), 0, INT64_MAX, &n, e))
        return false;
    if (n >= 0)
        r->gen.max_thought_tokens = n > UINT32_MAX ? UINT32_MAX : (uint32_t)n;
    return true;
}

static bool read_thinking(struct chat_request *r, const struct edge_config *cfg,
                          struct api_error *e)
{
    static const char *const known[] = {"enable_thinking", "preserve_thinking", NULL};
    const json_t *kwargs;
    r->enable_thinking = cfg->thinking_default;
    r->gen.max_thought_tokens = UINT32_MAX; /* all the room there is */
    if (!json_get_object(JSON_AT(r->root, "chat_template_kwargs", "chat_template_kwargs"), &kwargs,
                         e))
        return false;
    note_unread(r, "chat_template_kwargs", known);
    return (!kwargs || (json_get_bool(JSON_AT(kwargs, "enable_thinking",
                                              "chat_template_kwargs.enable_thinking"),
                                      &r->enable_thinking, e) &&
                        json_get_bool(JSON_AT(kwargs, "preserve_thinking",
                                              "chat_template_kwargs.preserve_thinking"),
                                      &r->preserve_thinking, e))) &&
           read_effort(r, e) && /* after the template's argument: `none` wins over everything */
           read_thinking_budget(r, e);
}

/* ---- what this version lacks ---- */

static bool check_response_format(const struct chat_request *r, struct api_error *e)
{
    const json_t *format;
    struct str type = {NULL, 0};
    if (!json_get_object(JSON_AT(r->root, "response_format", "response_format"), &format, e) ||
        (format && !json_get_str(JSON_AT(format, "type", "response_format.type"), 64, &type, e)))
        return false;
    if (!format)
        return true;
    if (!type.p)
        return api_fail(e, API_MISSING_PARAMETER, "response_format.type",
                        "response_format.type is missing.");
    return str_is(type, "text") || api_fail(e, API_UNSUPPORTED_VALUE, "response_format.type",
                                            "Only the response format \"text\" is supported yet.");
}

static bool check_tools(const struct chat_request *r, struct api_error *e)
{
    const json_t *tools, *choice = json_get(r->root, "tool_choice");
    bool parallel;
    if (!json_get_array(JSON_AT(r->root, "tools", "tools"), &tools, e) ||
        !json_get_bool(JSON_AT(r->root, "parallel_tool_calls", "parallel_tool_calls"), &parallel,
                       e))
        return false;
    bool is_none = choice && json_is_text(choice) && str_is(json_text_str(choice), "none");
    if (tools && json_array_size(tools) > 0 &&
        !is_none) /* with `none` tools are not rendered, so nothing is lost */
        return api_fail(e, API_UNSUPPORTED_PARAMETER, "tools", "Tools are not supported yet.");
    bool is_auto = choice && json_is_text(choice) && str_is(json_text_str(choice), "auto");
    return !choice || is_none || is_auto ||
           api_fail(e, API_UNSUPPORTED_PARAMETER, "tool_choice", "Tools are not supported yet.");
}

static bool check_modalities(const struct chat_request *r, struct api_error *e)
{
    const json_t *list;
    if (!json_get_array(JSON_AT(r->root, "modalities", "modalities"), &list, e))
        return false;
    for (size_t i = 0; i < json_array_size(list); i++)
        if (!str_is(json_text_str(json_array_get(list, i)), "text"))
            return api_fail(e, API_UNSUPPORTED_VALUE, "modalities",
                            "This model answers in text only.");
    return true;
}

static bool check_flag_is_off(const struct chat_request *r, const char *name, struct api_error *e)
{
    bool is_on = false;
    return json_get_bool(JSON_AT(r->root, name, name), &is_on, e) &&
           (!is_on ||
            api_fail(e, API_UNSUPPORTED_PARAMETER, name, "%s is not supported yet.", name));
}

static bool check_metadata(const struct chat_request *r, struct api_error *e)
{
    const json_t *metadata;
    const char *name;
    json_t *value;
    if (!json_get_object(JSON_AT(r->root, "metadata", "metadata"), &metadata, e))
        return false;
    if (json_object_size(metadata) > 16)
        return api_fail(e, API_INVALID_VALUE, "metadata", "metadata may have at most 16 members.");
    json_object_foreach(json_object_get(r->root, "metadata"), name, value)
    {
        if (strlen(name) > 64 || !json_is_text(value) || json_string_length(value) > 512)
            return api_fail(
                e, API_INVALID_VALUE, "metadata",
                "metadata takes names of at most 64 and strings of at most 512 characters.");
    }
    return true;
}

/* Ignored for the output, but what they hold is as documented. */
static bool check_names(const struct chat_request *r, struct api_error *e)
{
    static const char *const names[] = {"user", "safety_identifier", "prompt_cache_key"};
    struct str ignored;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (!json_get_str(JSON_AT(r->root, names[i], names[i]), 256, &ignored, e))
            return false;
    return true;
}

static bool check_lacking(const struct chat_request *r, struct api_error *e)
{
    const json_t *bias;
    bool cache_prompt;
    if (!json_get_object(JSON_AT(r->root, "logit_bias", "logit_bias"), &bias, e))
        return false;
    if (json_object_size(bias) > 0)
        return api_fail(e, API_UNSUPPORTED_PARAMETER, "logit_bias",
                        "logit_bias is not supported yet.");
    return check_response_format(r, e) && check_tools(r, e) && check_modalities(r, e) &&
           check_metadata(r, e) && check_names(r, e) &&
           json_get_bool(JSON_AT(r->root, "cache_prompt", "cache_prompt"), &cache_prompt, e) &&
           check_flag_is_off(r, "return_progress", e) &&
           check_flag_is_off(r, "timings_per_token", e);
}

/* ---- model and the whole ---- */

static bool check_model(const struct chat_request *r, const struct engine_info *info,
                        const struct edge_config *cfg, struct api_error *e)
{
    struct str model = {NULL, 0};
    if (!json_get_str(JSON_AT(r->root, "model", "model"), 256, &model, e))
        return false;
    return model.n_bytes == 0 || api_models_check(info, cfg, model, e);
}

static bool parse_root(struct chat_request *r, struct str body, struct api_error *e)
{
    struct err why = {0};
    if (body.n_bytes == 0)
        return api_fail(e, API_INVALID_JSON, NULL, "The body is empty; a JSON object is needed.");
    r->root = json_text_parse(body, &why);
    if (!r->root && why.code == ERR_NOMEM)
        return api_fail(e, API_TOO_LARGE, NULL,
                        "The request has more JSON values than this server can hold.");
    if (!r->root)
        return api_fail(e, API_INVALID_JSON, NULL, "The body is not valid JSON: %s.", why.msg);
    return json_is_object(r->root) ||
           api_fail(e, API_INVALID_TYPE, NULL, "The body must be a JSON object.");
}

bool chat_request_parse(struct chat_request *r, struct str body, const struct engine_info *info,
                        const struct edge_config *cfg, struct api_error *e)
{
    memset(r, 0, sizeof *r);
    if (parse_root(r, body, e) && check_members(r, cfg, e) && check_model(r, info, cfg, e) &&
        read_sampling(r, info, e) && read_length_and_n(r, cfg, e) && read_seed(r, e) &&
        read_logprobs(r, e) && read_stops(r, e) && read_stream(r, e) && read_thinking(r, cfg, e) &&
        check_lacking(r, e) && chat_messages_check(r, e))
        return true;
    chat_request_deinit(r);
    return false;
}

void chat_request_detach(struct chat_request *r)
{
    size_t n_bytes = 0;
    for (uint32_t i = 0; i < r->n_stops; i++) {
        memcpy(r->stop_text + n_bytes, r->stops[i].p, r->stops[i].n_bytes);
        r->stops[i].p = r->stop_text + n_bytes;
        n_bytes += r->stops[i].n_bytes;
    }
    json_decref(r->root);
    r->root = r->messages = NULL;
}

void chat_request_deinit(struct chat_request *r)
{
    json_decref(r->root);
    memset(r, 0, sizeof *r);
}
