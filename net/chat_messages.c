#include "net/chat_messages.h"

#include <stdio.h>

/* Where we are, for messages: messages[i].content[j]. */
struct place {
    size_t i;
    char param[API_PARAM_BYTES];
};

static const char *at(struct place *p, const char *tail)
{
    snprintf(p->param, sizeof p->param, "messages[%zu]%s", p->i, tail);
    return p->param;
}

static bool check_part(const json_t *part, struct place *p, size_t j, bool is_assistant,
                       struct api_error *e)
{
    char tail[48];
    struct str type = {NULL, 0}, text = {NULL, 0};
    snprintf(tail, sizeof tail, ".content[%zu]", j);
    if (!json_is_object(part))
        return api_fail(e, API_INVALID_TYPE, at(p, tail), "%s must be an object.", at(p, tail));
    if (!json_get_str(JSON_AT(part, "type", at(p, tail)), 64, &type, e))
        return false;
    if (str_is(type, "text"))
        return json_get_str(JSON_AT(part, "text", at(p, tail)), SIZE_MAX, &text, e) &&
               (text.p || api_fail(e, API_MISSING_PARAMETER, at(p, tail),
                                   "%s needs a member \"text\".", at(p, tail)));
    if (str_is(type, "refusal") && is_assistant)
        return json_get_str(JSON_AT(part, "refusal", at(p, tail)), SIZE_MAX, &text, e);
    return api_fail(e, API_UNSUPPORTED_PART, at(p, tail),
                    "%s has a type that this server does not take; it takes text.", at(p, tail));
}

static bool check_content(const json_t *message, struct place *p, bool is_assistant,
                          struct api_error *e)
{
    const json_t *content = json_object_get(message, "content");
    if (!content)
        return api_fail(e, API_MISSING_PARAMETER, at(p, ".content"), "%s is missing.",
                        at(p, ".content"));
    if (json_is_text(content))
        return true;
    if (!json_is_array(content))
        return api_fail(e, API_INVALID_TYPE, at(p, ".content"),
                        "%s must be a string or an array of parts%s.", at(p, ".content"),
                        json_is_null(content) ? ", not null" : "");
    for (size_t j = 0; j < json_array_size(content); j++)
        if (!check_part(json_array_get(content, j), p, j, is_assistant, e))
            return false;
    return true;
}

static bool check_assistant(const json_t *message, struct place *p, struct api_error *e)
{
    struct str ignored = {NULL, 0};
    const json_t *calls;
    if (!json_get_str(JSON_AT(message, "reasoning_content", at(p, ".reasoning_content")), SIZE_MAX,
                      &ignored, e) ||
        !json_get_str(JSON_AT(message, "reasoning", at(p, ".reasoning")), SIZE_MAX, &ignored, e) ||
        !json_get_array(JSON_AT(message, "tool_calls", at(p, ".tool_calls")), &calls, e))
        return false;
    if (json_array_size(calls) > 0)
        return api_fail(e, API_UNSUPPORTED_PARAMETER, at(p, ".tool_calls"),
                        "Tools are not supported yet.");
    return check_content(message, p, true, e);
}

static bool check_message(const json_t *message, struct place *p, struct api_error *e)
{
    struct str role = {NULL, 0}, ignored = {NULL, 0};
    if (!json_is_object(message))
        return api_fail(e, API_INVALID_TYPE, at(p, ""), "%s must be an object.", at(p, ""));
    if (!json_get_str(JSON_AT(message, "role", at(p, ".role")), 64, &role, e) ||
        !json_get_str(JSON_AT(message, "name", at(p, ".name")), 256, &ignored, e))
        return false;
    if (!role.p)
        return api_fail(e, API_MISSING_PARAMETER, at(p, ".role"), "%s is missing.", at(p, ".role"));
    if (str_is(role, "assistant"))
        return check_assistant(message, p, e);
    if (str_is(role, "system") || str_is(role, "developer") || str_is(role, "user"))
        return check_content(message, p, false, e);
    if (str_is(role, "tool"))
        return api_fail(e, API_UNSUPPORTED_VALUE, at(p, ".role"), "Tools are not supported yet.");
    return api_fail(e, API_INVALID_VALUE, at(p, ".role"),
                    "%s must be system, developer, user or assistant.", at(p, ".role"));
}

static bool role_is(const json_t *message, const char *role)
{
    return str_is(json_text_str(json_object_get(message, "role")), role);
}

/* A trailing assistant message is continued; two of them are one too many (api.md 6). */
static bool read_ending(struct chat_request *r, struct api_error *e)
{
    size_t n = json_array_size(r->messages);
    bool ends_in_assistant = role_is(json_array_get(r->messages, n - 1), "assistant");
    bool wants_continue = ends_in_assistant, wants_prompt = !ends_in_assistant;
    if (!json_get_bool(JSON_AT(r->root, "continue_final_message", "continue_final_message"),
                       &wants_continue, e))
        return false;
    if (json_get(r->root, "continue_final_message"))
        wants_prompt = !wants_continue;
    if (!json_get_bool(JSON_AT(r->root, "add_generation_prompt", "add_generation_prompt"),
                       &wants_prompt, e))
        return false;
    if (json_get(r->root, "add_generation_prompt") && !json_get(r->root, "continue_final_message"))
        wants_continue = !wants_prompt;
    if (wants_continue && wants_prompt)
        return api_fail(e, API_INVALID_VALUE, "continue_final_message",
                        "continue_final_message and add_generation_prompt exclude each other.");
    if (!wants_prompt && !ends_in_assistant)
        return api_fail(e, API_INVALID_VALUE, "add_generation_prompt",
                        "Without a generation prompt the last message must be the assistant's.");
    if (wants_continue && n >= 2 && role_is(json_array_get(r->messages, n - 2), "assistant"))
        return api_fail(e, API_INVALID_VALUE, "messages",
                        "Two assistant messages at the end cannot be continued.");
    r->continues = wants_continue;
    return true;
}

bool chat_messages_check(struct chat_request *r, struct api_error *e)
{
    const json_t *messages;
    if (!json_get_array(JSON_AT(r->root, "messages", "messages"), &messages, e))
        return false;
    if (!messages)
        return api_fail(e, API_MISSING_PARAMETER, "messages", "messages is missing.");
    size_t n = json_array_size(messages);
    if (n == 0 || n > CHAT_MAX_MESSAGES)
        return api_fail(e, API_INVALID_VALUE, "messages", "messages must hold 1 to %d messages.",
                        CHAT_MAX_MESSAGES);
    r->messages = json_object_get(r->root, "messages");
    for (size_t i = 0; i < n; i++)
        if (!check_message(json_array_get(messages, i), &(struct place){.i = i}, e))
            return false;
    return read_ending(r, e);
}
