/* gemma4_chat_prompt: what the chat endpoint does around the renderer: OpenAI messages into the
 * template's form, and the ends of a prompt that the template leaves open (gemma4-chat.md 5.2, 5.6;
 * api.md 6). */
#include "models/gemma4_chat_priv.h"

/* ---- before rendering ---- */

static bool parse_arguments(json_t *function, size_t i, size_t i_call, struct err *e)
{
    json_t *args = json_object_get(function, "arguments"), *parsed;
    if (json_is_object(args))
        return true;
    if (!json_is_object(function))
        return err_set(e, ERR_FORMAT, "messages[%zu].tool_calls[%zu].function must be an object", i,
                       i_call);
    if (!args || json_is_null(args)) {
        parsed = json_object();
        if (!parsed)
            return err_set(e, ERR_NOMEM, "chat: the messages need more memory than there is");
    } else {
        parsed = json_text_parse(json_text_str(args), e);
        if (!parsed && e && e->code == ERR_NOMEM)
            return false;
    }
    if (!json_is_object(parsed)) {
        json_decref(parsed);
        return err_set(
            e, ERR_FORMAT,
            "messages[%zu].tool_calls[%zu].function.arguments is not the text of a JSON object", i,
            i_call);
    }
    if (json_object_set_new(function, "arguments", parsed) != 0)
        return err_set(e, ERR_NOMEM, "chat: the messages need more memory than there is");
    return true;
}

/* Length of a content's text: a string, or text parts one after the other. Written to out unless
 * that is NULL. */
static size_t content_text(const json_t *content, char *out)
{
    struct str whole = json_text_str(content);
    size_t n_bytes = whole.n_bytes;
    if (out && n_bytes)
        memcpy(out, whole.p, n_bytes);
    for (size_t i = 0; i < json_array_size(content); i++) {
        struct str text = json_text_str(value_get(json_array_get(content, i), "text"));
        if (out && text.n_bytes)
            memcpy(out + n_bytes, text.p, text.n_bytes);
        n_bytes += text.n_bytes;
    }
    return n_bytes;
}

static bool is_system(const json_t *m)
{
    struct str role = json_text_str(value_get(m, "role"));
    return str_is(role, "system") || str_is(role, "developer");
}

/* The first n_lead messages become one, their texts joined by a blank line. */
static bool join_system(json_t *messages, size_t n_lead, struct err *e)
{
    json_malloc_t take;
    json_free_t give;
    size_t n_bytes = 0, at = 0;
    json_get_alloc_funcs(&take, &give);
    for (size_t i = 0; i < n_lead; i++)
        n_bytes += content_text(value_get(json_array_get(messages, i), "content"), NULL) + 2;
    char *text = take(n_bytes);
    if (!text)
        return err_set(e, ERR_NOMEM, "chat: the messages need more memory than there is");
    for (size_t i = 0; i < n_lead; i++) {
        size_t n = content_text(value_get(json_array_get(messages, i), "content"), text + at);
        at += n;
        if (i + 1 < n_lead && n > 0)
            at += (size_t)(stpcpy(text + at, "\n\n") - (text + at));
    }
    json_t *first = json_array_get(messages, 0);
    bool ok = json_object_set_new(first, "content", json_stringn_nocheck(text, at)) == 0 &&
              json_object_set_new(first, "role", json_string("system")) == 0;
    give(text);
    while (ok && n_lead > 1)
        ok = json_array_remove(messages, --n_lead) == 0;
    return ok || err_set(e, ERR_NOMEM, "chat: the messages need more memory than there is");
}

bool gemma4_chat_prepare(json_t *messages, struct err *e)
{
    size_t n_lead = 0;
    for (size_t i = 0; i < json_array_size(messages); i++) {
        json_t *m = json_array_get(messages, i), *calls = json_object_get(m, "tool_calls");
        for (size_t k = 0; k < json_array_size(calls); k++) {
            if (!parse_arguments(json_object_get(json_array_get(calls, k), "function"), i, k, e))
                return false;
        }
        if (n_lead == i && is_system(m))
            n_lead++;
        else if (is_system(m) && json_object_set_new(m, "role", json_string("system")) != 0)
            return err_set(e, ERR_NOMEM, "chat: the messages need more memory than there is");
    }
    return n_lead == 0 || join_system(messages, n_lead, e);
}

/* ---- after rendering ---- */

static const char turn_end[] = "<turn|>\n", model_turn[] = "<|turn>model\n",
                  thought[] = "<|channel>thought\n";

/* A turn that ends in call, results and text is closed, and the template then opens no new one. */
static void open_turn(struct sink *s)
{
    if (s->out->starts_in_reasoning) {
        sink_unprint(s, thought);
        if (sink_ends_with_mark(s, turn_end))
            sink_mark(s, model_turn);
        sink_mark(s, thought);
    } else if (sink_ends_with_mark(s, turn_end)) {
        sink_mark(s, model_turn);
    }
}

static void print_content(struct sink *s, const json_t *content)
{
    sink_text(s, json_text_str(content));
    for (size_t i = 0; i < json_array_size(content); i++)
        sink_text(s, json_text_str(value_get(json_array_get(content, i), "text")));
}

/* The answer so far, left open. Without reasoning a large model gets the empty thought it is used
 * to. */
static void print_open_answer(struct sink *s, const struct gemma4_chat_request *rq, const json_t *m,
                              bool is_new_turn)
{
    const json_t *r = value_get(m, "reasoning"), *content = value_get(m, "content");
    bool has_content = content_text(content, NULL) > 0;
    if (!value_is_true(r))
        r = value_get(m, "reasoning_content");
    if (is_new_turn)
        sink_mark(s, model_turn);
    if (value_kind_of(r) == V_STRING && value_is_true(r)) {
        sink_mark(s, thought);
        sink_text(s, json_text_str(r));
        if (has_content)
            sink_mark(s, "<channel|>");
        s->out->starts_in_reasoning = !has_content;
    } else if (is_new_turn && rq->has_empty_thought && (has_content || !rq->enable_thinking)) {
        sink_mark(s, thought);
        sink_mark(s, "<channel|>");
    }
    print_content(s, content);
}

static bool prompt_continue(struct sink *s, struct gemma4_chat_request *rq, struct err *e)
{
    size_t n_messages = json_array_size(rq->messages);
    const json_t *last = n_messages ? json_array_get(rq->messages, n_messages - 1) : NULL;
    if (!str_is(json_text_str(value_get(last, "role")), "assistant") ||
        value_is_true(value_get(last, "tool_calls")))
        return err_set(e, ERR_FORMAT,
                       "messages: only an assistant message without tool calls can be continued");
    rq->add_generation_prompt = false;
    if (!chat_print_messages(s, rq, 1, e))
        return false;
    const json_t *before = NULL;
    for (size_t i = n_messages - 1; i-- > 0 && !before;) {
        before = json_array_get(rq->messages, i);
        if (str_is(json_text_str(value_get(before, "role")), "tool"))
            before = NULL;
    }
    bool is_same_turn = str_is(json_text_str(value_get(before, "role")), "assistant");
    print_open_answer(s, rq, last, !is_same_turn || sink_ends_with_mark(s, turn_end));
    return true;
}

bool gemma4_chat_prompt(const struct gemma4_chat_request *rq, enum gemma4_chat_end end,
                        struct gemma4_chat_out *out, struct err *e)
{
    struct gemma4_chat_request own = *rq;
    struct sink s;
    sink_init(&s, out);
    switch (end) {
    case GEMMA4_CHAT_CONTINUE:
        if (!prompt_continue(&s, &own, e))
            return false;
        break;
    case GEMMA4_CHAT_ANSWER:
        own.add_generation_prompt = true;
        if (!chat_print_messages(&s, &own, 0, e))
            return false;
        open_turn(&s);
        break;
    }
    return sink_check(&s, e);
}
