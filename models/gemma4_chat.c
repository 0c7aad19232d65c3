/* gemma4_chat: the walk over the messages (gemma4-chat.md 5.3). Comments name its steps. */
#include "models/gemma4_chat_priv.h"

#include <stdio.h>

/* A turn's results are matched with its calls by comparing every pair: this bounds the work one
 * request can ask for. */
enum { MAX_CALLS = 4096, MAX_CALL_COMPARISONS = 4 << 20 };

enum kind { KIND_NONE, KIND_CALL, KIND_RESPONSE, KIND_MEDIA };

struct walk {
    const struct gemma4_chat_request *rq;
    struct sink *s;
    struct err *e;
    size_t first, n_messages; /* first is 1 when a system message has been printed in the header */
    size_t last_user;         /* index, or SIZE_MAX if there is none */
    struct str prev_role;     /* of the nearest earlier message that is no tool message */
    enum kind kind;           /* of the last processed message */
};

static bool is_role(const json_t *m, const char *role)
{
    return str_is(json_text_str(value_get(m, "role")), role);
}

static bool is_system(const json_t *m)
{
    return is_role(m, "system") || is_role(m, "developer");
}

static struct value_style bare(const struct walk *w)
{
    return (struct value_style){KEYS_BARE, w->rq->template_rev == 1 ? "None" : "null"};
}

static const json_t *message_at(const struct walk *w, size_t i)
{
    return json_array_get(w->rq->messages, i);
}

/* ---- step 2: the system turn ---- */

static void print_system_content(struct walk *w, const json_t *content)
{
    if (value_kind_of(content) == V_STRING) {
        sink_trimmed(w->s, json_text_str(content));
        return;
    }
    if (w->rq->template_rev == 1) { /* whatever it is, it is printed as an expression */
        value_print_expr(w->s, content);
        return;
    }
    for (size_t i = 0; i < json_array_size(content); i++) {
        const json_t *text = value_get(json_array_get(content, i), "text");
        if (value_kind_of(text) == V_STRING)
            sink_trimmed(w->s, json_text_str(text));
        else
            value_print_expr(w->s, text);
        sink_plain(w->s, " ");
    }
}

static bool print_header(struct walk *w)
{
    const json_t *tools = w->rq->tools;
    bool has_system = is_system(message_at(w, 0));
    if (tools && !json_is_null(tools) && !json_is_array(tools))
        return err_set(w->e, ERR_FORMAT, "tools must be an array");
    sink_mark(w->s, "<bos>");
    if (!w->rq->enable_thinking && json_array_size(tools) == 0 && !has_system)
        return true;
    sink_mark(w->s, "<|turn>system\n");
    if (w->rq->enable_thinking)
        sink_mark(w->s, "<|think|>\n");
    const json_t *content = has_system ? value_get(message_at(w, 0), "content") : NULL;
    if (json_is_object(content) && w->rq->template_rev != 1)
        return err_set(w->e, ERR_FORMAT,
                       "messages[0].content must be a string or an array of parts");
    if (has_system)
        print_system_content(w, content);
    for (size_t i = 0; i < json_array_size(tools); i++) {
        sink_mark(w->s, "<|tool>");
        if (!decl_print(w->s, json_array_get(tools, i), i, w->rq, w->e))
            return false;
        sink_mark(w->s, "<tool|>");
    }
    sink_mark(w->s, "<turn|>\n");
    w->first = has_system;
    return true;
}

/* ---- steps 4.3 to 4.5: reasoning, calls, results ---- */

static bool print_reasoning(struct walk *w, const json_t *m, size_t i)
{
    const json_t *r = value_get(m, "reasoning");
    bool has_calls = value_is_true(value_get(m, "tool_calls"));
    bool is_current = w->last_user == SIZE_MAX || i > w->last_user;
    bool gate = w->rq->template_rev == 1 ? is_current && has_calls
                                         : is_current || (w->rq->preserve_thinking && has_calls);
    if (!value_is_true(r))
        r = value_get(m, "reasoning_content");
    if (!gate || !value_is_true(r))
        return true;
    if (value_kind_of(r) != V_STRING)
        return err_set(w->e, ERR_FORMAT, "messages[%zu].reasoning_content must be a string", i);
    sink_mark(w->s, "<|channel>thought\n");
    sink_text(w->s, json_text_str(r));
    sink_mark(w->s, "\n<channel|>");
    return true;
}

/* key:value pairs, bare keys, sorted. */
static bool print_pairs(struct walk *w, const json_t *object)
{
    struct value_members m;
    bool ok = true;
    if (!value_members_get(&m, object, w->e))
        return false;
    for (size_t i = 0; ok && i < m.n; i++) {
        sink_plain(w->s, i > 0 ? "," : "");
        sink_text(w->s, m.at[i].key);
        sink_plain(w->s, ":");
        ok = value_print(w->s, m.at[i].value, bare(w), w->e);
    }
    value_members_put(&m);
    return ok;
}

static bool print_call(struct walk *w, const json_t *call, size_t i, size_t i_call)
{
    const json_t *function = value_get(call, "function"), *args = value_get(function, "arguments");
    const json_t *name = value_get(function, "name");
    if (value_kind_of(name) != V_STRING)
        return err_set(w->e, ERR_FORMAT,
                       "messages[%zu].tool_calls[%zu].function.name must be a string", i, i_call);
    sink_mark(w->s, "<|tool_call>call:");
    sink_text(w->s, json_text_str(name));
    sink_plain(w->s, "{");
    enum value_kind kind = value_kind_of(args);
    if (kind == V_STRING && w->rq->template_rev == 1)
        sink_text(w->s, json_text_str(args));
    else if (kind != V_OBJECT && kind != V_NULL && w->rq->template_rev != 1)
        return err_set(w->e, ERR_FORMAT,
                       "messages[%zu].tool_calls[%zu].function.arguments must be a JSON object", i,
                       i_call);
    if (!print_pairs(w, args))
        return false;
    sink_mark(w->s, "}<tool_call|>");
    return true;
}

static bool print_calls(struct walk *w, const json_t *m, size_t i)
{
    const json_t *calls = value_get(m, "tool_calls");
    if (!value_is_true(calls))
        return true;
    if (!json_is_array(calls))
        return err_set(w->e, ERR_FORMAT, "messages[%zu].tool_calls must be an array", i);
    if (json_array_size(calls) > MAX_CALLS)
        return err_set(w->e, ERR_LIMIT, "messages[%zu].tool_calls has %zu entries, the limit is %d",
                       i, json_array_size(calls), MAX_CALLS);
    for (size_t k = 0; k < json_array_size(calls); k++) {
        if (!print_call(w, json_array_get(calls, k), i, k))
            return false;
    }
    w->kind = KIND_CALL;
    return true;
}

/* One result; text is set when the content came in parts, else value is printed as it is. */
struct result {
    struct str name;
    const json_t *value;
    const json_t *parts; /* array of content parts, or NULL */
};

static bool print_result(struct walk *w, const struct result *r, size_t i)
{
    sink_mark(w->s, "<|tool_response>response:");
    sink_text(w->s, r->name);
    if (!r->parts && json_is_object(r->value)) {
        sink_plain(w->s, "{");
        if (!print_pairs(w, r->value))
            return false;
        sink_mark(w->s, "}<tool_response|>");
        return true;
    }
    sink_plain(w->s, "{value:");
    if (!r->parts && !value_print(w->s, r->value, bare(w), w->e))
        return false;
    if (r->parts)
        sink_mark(w->s, "<|\"|>");
    for (size_t k = 0; k < json_array_size(r->parts); k++) {
        const json_t *part = json_array_get(r->parts, k), *text = value_get(part, "text");
        if (!json_is_object(part))
            return err_set(w->e, ERR_FORMAT, "messages[%zu].content[%zu] must be an object", i, k);
        if (!str_is(json_text_str(value_get(part, "type")), "text"))
            continue;
        if (value_kind_of(text) != V_STRING)
            return err_set(w->e, ERR_FORMAT, "messages[%zu].content[%zu].text must be a string", i,
                           k);
        sink_text(w->s, json_text_str(text));
    }
    sink_mark(w->s, r->parts ? "<|\"|>}<tool_response|>" : "}<tool_response|>");
    return true;
}

/* Prints the marker of a media part; false if it is none that this revision knows. */
static bool print_media(struct walk *w, const json_t *part)
{
    struct str type = json_text_str(value_get(part, "type"));
    bool is_r2 = w->rq->template_rev != 1;
    if (str_is(type, "image") || (is_r2 && str_is(type, "image_url")))
        sink_mark(w->s, "<|image|>");
    else if (str_is(type, "audio") || (is_r2 && str_is(type, "input_audio")))
        sink_mark(w->s, "<|audio|>");
    else if (str_is(type, "video"))
        sink_mark(w->s, "<|video|>");
    else
        return false;
    return true;
}

/* Two absent ids are the same. */
static bool is_same_id(const json_t *a, const json_t *b)
{
    bool has_a = a && !json_is_null(a), has_b = b && !json_is_null(b);
    return has_a == has_b && (!has_a || json_equal(a, b));
}

/* The last call with the result's id names it; else the result itself does. */
static bool resolve_name(struct walk *w, const json_t *calls, const json_t *result, size_t i,
                         struct str *name)
{
    const json_t *id = value_get(result, "tool_call_id"), *own = value_get(result, "name");
    bool is_named = value_kind_of(own) == V_STRING;
    *name = json_text_str(own);
    if (w->rq->template_rev != 1 && !value_is_true(own)) {
        *name = STR("unknown");
        is_named = true;
    }
    for (size_t k = 0; k < json_array_size(calls); k++) {
        const json_t *call = json_array_get(calls, k);
        if (!is_same_id(value_get(call, "id"), id))
            continue;
        *name = json_text_str(value_get(value_get(call, "function"), "name"));
        is_named = true;
    }
    if (!is_named)
        return err_set(w->e, ERR_FORMAT,
                       "messages[%zu]: no call has its tool_call_id, and it has no name", i);
    return true;
}

/* The unbroken run of tool messages behind message i. */
static bool print_tool_messages(struct walk *w, const json_t *calls, size_t i)
{
    size_t n_comparisons = 0;
    for (size_t k = i + 1; k < w->n_messages && is_role(message_at(w, k), "tool"); k++) {
        const json_t *tool = message_at(w, k), *content = value_get(tool, "content");
        struct result r = {.value = content ? content : json_null()};
        n_comparisons += json_array_size(calls);
        if (n_comparisons > MAX_CALL_COMPARISONS)
            return err_set(w->e, ERR_LIMIT, "messages[%zu] has too many tool calls and results", i);
        if (!resolve_name(w, calls, tool, k, &r.name))
            return false;
        if (json_is_object(content))
            return err_set(w->e, ERR_FORMAT,
                           "messages[%zu].content must be a string or an array of parts", k);
        if (json_is_array(content))
            r.parts = content;
        if (!print_result(w, &r, k))
            return false;
        for (size_t p = 0; w->rq->template_rev != 1 && p < json_array_size(r.parts); p++)
            print_media(w, json_array_get(r.parts, p));
        w->kind = KIND_RESPONSE;
    }
    return true;
}

static bool print_results(struct walk *w, const json_t *m, size_t i)
{
    const json_t *own = value_get(m, "tool_responses"), *calls = value_get(m, "tool_calls");
    if (!value_is_true(own))
        return !value_is_true(calls) || print_tool_messages(w, calls, i);
    for (size_t k = 0; k < json_array_size(own); k++) {
        const json_t *entry = json_array_get(own, k), *name = value_get(entry, "name");
        bool is_absent = w->rq->template_rev == 1 ? !name : !value_is_true(name);
        struct result r = {.name = is_absent ? STR("unknown") : json_text_str(name),
                           .value = value_get(entry, "response")};
        if (!is_absent && value_kind_of(name) != V_STRING)
            return err_set(w->e, ERR_FORMAT,
                           "messages[%zu].tool_responses[%zu].name must be a string", i, k);
        if (!print_result(w, &r, i))
            return false;
        w->kind = KIND_RESPONSE;
    }
    return true;
}

/* ---- step 4.6: the body ---- */

/* Drops thoughts: of each part between closing markers what precedes the first opening one, the
 * whole then trimmed. */
static void print_stripped(struct walk *w, struct str text)
{
    const struct str open = STR("<|channel>"), shut = STR("<channel|>");
    size_t from_bytes = w->s->out->n_bytes;
    bool at_start = true;
    for (size_t at = 0; at <= text.n_bytes;) {
        size_t end = str_find(text, shut, at);
        size_t next = end == SIZE_MAX ? text.n_bytes + 1 : end + shut.n_bytes;
        struct str part = {text.p + at, (end == SIZE_MAX ? text.n_bytes : end) - at};
        size_t cut = str_find(part, open, 0);
        part.n_bytes = cut == SIZE_MAX ? part.n_bytes : cut;
        size_t n_lead = at_start ? chat_leading_space(part) : 0;
        at_start = at_start && n_lead == part.n_bytes;
        sink_text(w->s, (struct str){part.p + n_lead, part.n_bytes - n_lead});
        at = next;
    }
    sink_trim_end(w->s, from_bytes);
}

static bool print_part(struct walk *w, const json_t *part, bool is_model, const char *where)
{
    const json_t *text = value_get(part, "text");
    if (!json_is_object(part) && w->rq->template_rev != 1)
        return err_set(w->e, ERR_FORMAT, "%s must be an object", where);
    if (!str_is(json_text_str(value_get(part, "type")), "text")) {
        if (print_media(w, part) && w->rq->template_rev == 1)
            w->kind = KIND_MEDIA;
        return true;
    }
    if (value_kind_of(text) != V_STRING) {
        if (is_model)
            return err_set(w->e, ERR_FORMAT, "%s.text must be a string", where);
        value_print_expr(w->s, text);
    } else if (is_model) {
        print_stripped(w, json_text_str(text));
    } else {
        sink_trimmed(w->s, json_text_str(text));
    }
    return true;
}

static bool print_body(struct walk *w, const json_t *m, size_t i, bool is_model)
{
    const json_t *content = value_get(m, "content");
    if (value_kind_of(content) == V_STRING) {
        if (is_model)
            print_stripped(w, json_text_str(content));
        else
            sink_trimmed(w->s, json_text_str(content));
        return true;
    }
    if (value_is_true(content) && json_is_object(content))
        return err_set(w->e, ERR_FORMAT,
                       "messages[%zu].content must be a string or an array of parts", i);
    for (size_t k = 0; k < json_array_size(content); k++) {
        char where[64];
        snprintf(where, sizeof where, "messages[%zu].content[%zu]", i, k);
        if (!print_part(w, json_array_get(content, k), is_model, where))
            return false;
    }
    return true;
}

/* ---- steps 4 and 6 ---- */

/* Role of the next message behind i that is no tool message, or NULL. */
static const json_t *next_message(const struct walk *w, size_t i)
{
    for (size_t k = i + 1; k < w->n_messages; k++) {
        if (!is_role(message_at(w, k), "tool"))
            return message_at(w, k);
    }
    return NULL;
}

struct turn {
    bool is_model;
    bool is_answered;     /* results were printed */
    size_t body_at_bytes; /* where the body begins */
};

static void print_end(struct walk *w, const json_t *m, size_t i, const struct turn *t)
{
    if (w->kind == KIND_CALL && !t->is_answered) {
        sink_mark(w->s, "<|tool_response>");
        return;
    }
    if (w->rq->template_rev == 1) {
        if (!t->is_answered || value_is_true(value_get(m, "content")))
            sink_mark(w->s, "<turn|>\n");
        return;
    }
    const json_t *next = next_message(w, i);
    bool has_calls = value_is_true(value_get(m, "tool_calls"));
    if (t->is_model && next && is_role(next, "assistant") && (!has_calls || t->is_answered))
        return;
    if (t->is_answered && !next && sink_is_blank_since(w->s, t->body_at_bytes))
        return;
    sink_mark(w->s, "<turn|>\n");
}

static bool print_message(struct walk *w, const json_t *m, size_t i)
{
    struct str role = json_text_str(value_get(m, "role"));
    struct turn t = {.is_model = is_role(m, "assistant") || is_role(m, "model")};
    w->kind = KIND_NONE;
    if (!t.is_model || !str_is(w->prev_role, "assistant")) {
        sink_mark(w->s, "<|turn>");
        sink_text(w->s, t.is_model ? STR("model") : role);
        sink_plain(w->s, "\n");
    }
    if (!print_reasoning(w, m, i) || !print_calls(w, m, i) || !print_results(w, m, i))
        return false;
    t.is_answered = w->kind == KIND_RESPONSE;
    t.body_at_bytes = w->s->out->n_bytes;
    if (!print_body(w, m, i, t.is_model))
        return false;
    print_end(w, m, i, &t);
    w->prev_role = role;
    return true;
}

static void print_generation_prompt(struct walk *w)
{
    if (w->kind != KIND_CALL && w->kind != KIND_RESPONSE) {
        sink_mark(w->s, "<|turn>model\n");
        if (!w->rq->enable_thinking && w->rq->has_empty_thought)
            sink_mark(w->s, "<|channel>thought\n<channel|>");
    } else if (w->rq->template_rev != 1 && w->kind == KIND_RESPONSE && w->rq->enable_thinking) {
        sink_mark(w->s, "<|channel>thought\n");
        w->s->out->starts_in_reasoning = true;
    }
}

static bool check_messages(const struct walk *w)
{
    if (!json_is_array(w->rq->messages) || (w->n_messages == 0 && w->rq->template_rev == 1))
        return err_set(w->e, ERR_FORMAT, "messages must be an array with at least one message");
    for (size_t i = 0; i < w->n_messages; i++) {
        const json_t *m = message_at(w, i);
        if (!json_is_object(m))
            return err_set(w->e, ERR_FORMAT, "messages[%zu] must be an object", i);
        if (value_kind_of(value_get(m, "role")) != V_STRING)
            return err_set(w->e, ERR_FORMAT, "messages[%zu].role must be a string", i);
    }
    return true;
}

bool chat_print_messages(struct sink *s, const struct gemma4_chat_request *rq, size_t n_left_out,
                         struct err *e)
{
    struct walk w = {.rq = rq,
                     .s = s,
                     .e = e,
                     .n_messages = json_array_size(rq->messages),
                     .last_user = SIZE_MAX};
    if (!check_messages(&w) || !print_header(&w))
        return false;
    for (size_t i = w.first; i < w.n_messages; i++) {
        if (is_role(message_at(&w, i), "user"))
            w.last_user = i;
    }
    for (size_t i = w.first; i + n_left_out < w.n_messages; i++) {
        if (is_role(message_at(&w, i), "tool"))
            continue;
        if (!print_message(&w, message_at(&w, i), i))
            return false;
    }
    if (rq->add_generation_prompt)
        print_generation_prompt(&w);
    return true;
}

bool gemma4_chat_render(const struct gemma4_chat_request *rq, struct gemma4_chat_out *out,
                        struct err *e)
{
    struct sink s;
    sink_init(&s, out);
    return chat_print_messages(&s, rq, 0, e) && sink_check(&s, e);
}
