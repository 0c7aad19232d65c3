/* gemma4_chat_decl: tool declarations (gemma4-chat.md 5.5). */
#include "models/gemma4_chat_priv.h"

struct decl {
    struct sink *s;
    const struct gemma4_chat_request *rq;
    size_t i_tool;
};

enum decl_filter {
    FILTER_NONE,     /* revision 2, ordinary properties */
    FILTER_STANDARD, /* leave out the standard keys: revision 1 everywhere, revision 2 in an object
                        without properties */
};

static bool print_properties(const struct decl *d, const json_t *props, enum decl_filter filter,
                             struct err *e);

static bool is_standard_key(struct str key)
{
    return str_is(key, "description") || str_is(key, "type") || str_is(key, "properties") ||
           str_is(key, "required") || str_is(key, "nullable");
}

static struct value_style wrapped(const struct decl *d)
{
    return (struct value_style){KEYS_WRAPPED, d->rq->template_rev == 1 ? "None" : "null"};
}

/* D(UP type) */
static void print_type(const struct decl *d, const json_t *type)
{
    d->s->is_upper = true;
    value_print_wrapped_expr(d->s, type);
    d->s->is_upper = false;
}

/* True if the type, in upper case, is this ASCII word. */
static bool type_is(const json_t *schema, const char *word)
{
    struct str type = json_text_str(value_get(schema, "type"));
    if (type.n_bytes != strlen(word))
        return false;
    for (size_t i = 0; i < type.n_bytes; i++) {
        char c = type.p[i];
        if ((c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c) != word[i])
            return false;
    }
    return true;
}

/* What a loop over the value yields, each between delimiters: items of an array, keys of an object,
 * characters of a string. Everything else the template refuses. */
static bool print_required(const struct decl *d, const json_t *required, struct err *e)
{
    size_t n_printed = 0;
    enum value_kind kind = value_kind_of(required);
    if (kind == V_NULL || kind == V_BOOL || kind == V_NUMBER)
        return err_set(e, ERR_FORMAT, "tools[%zu]: `required` must be an array of names",
                       d->i_tool);
    sink_plain(d->s, "required:[");
    for (size_t i = 0; i < json_array_size(required); i++) {
        sink_plain(d->s, n_printed++ ? "," : "");
        value_print_wrapped_expr(d->s, json_array_get(required, i));
    }
    struct str text = kind == V_STRING ? json_text_str(required) : STR("");
    for (size_t at = 0, n_used; at < text.n_bytes; at += n_used) {
        utf8_decode(text.p + at, text.n_bytes - at, &n_used);
        sink_plain(d->s, n_printed++ ? "," : "");
        sink_mark(d->s, "<|\"|>");
        sink_text(d->s, (struct str){text.p + at, n_used});
        sink_mark(d->s, "<|\"|>");
    }
    json_t *object;
    memcpy(&object, &required, sizeof required);
    for (void *it = json_object_iter(object); it; it = json_object_iter_next(object, it)) {
        sink_plain(d->s, n_printed++ ? "," : "");
        sink_mark(d->s, "<|\"|>");
        sink_text(d->s, (struct str){json_object_iter_key(it), json_object_iter_key_len(it)});
        sink_mark(d->s, "<|\"|>");
    }
    sink_plain(d->s, "]");
    return true;
}

/* `type` among the entries of items: one name, or a list of names. */
static bool print_item_type(const struct decl *d, const json_t *type, struct err *e)
{
    sink_plain(d->s, "type:");
    if (value_kind_of(type) == V_STRING) {
        print_type(d, type);
        return true;
    }
    if (!json_is_array(type))
        return err_set(e, ERR_FORMAT,
                       "tools[%zu]: `type` of `items` must be a string or an array of strings",
                       d->i_tool);
    sink_plain(d->s, "[");
    for (size_t i = 0; i < json_array_size(type); i++) {
        sink_plain(d->s, i ? "," : "");
        print_type(d, json_array_get(type, i));
    }
    sink_plain(d->s, "]");
    return true;
}

static bool print_item_entry(const struct decl *d, const struct value_member *entry, struct err *e)
{
    enum decl_filter filter = d->rq->template_rev == 1 ? FILTER_STANDARD : FILTER_NONE;
    if (str_is(entry->key, "properties")) {
        sink_plain(d->s, "properties:{");
        if (json_is_object(entry->value) && !print_properties(d, entry->value, filter, e))
            return false;
        sink_plain(d->s, "}");
        return true;
    }
    if (str_is(entry->key, "required"))
        return print_required(d, entry->value, e);
    if (str_is(entry->key, "type"))
        return print_item_type(d, entry->value, e);
    sink_text(d->s, entry->key);
    sink_plain(d->s, ":");
    return value_print(d->s, entry->value, wrapped(d), e);
}

static bool print_items(const struct decl *d, const json_t *items, struct err *e)
{
    struct value_members m;
    bool ok = true, is_first = true;
    if (!value_members_get(&m, items, e))
        return false;
    sink_plain(d->s, "items:{");
    for (size_t i = 0; ok && i < m.n; i++) {
        if (json_is_null(m.at[i].value))
            continue;
        sink_plain(d->s, is_first ? "" : ",");
        is_first = false;
        ok = print_item_entry(d, &m.at[i], e);
    }
    sink_plain(d->s, "}");
    value_members_put(&m);
    return ok;
}

static bool print_object_parts(const struct decl *d, const json_t *schema, const char **comma,
                               struct err *e)
{
    const json_t *props = value_get(schema, "properties"),
                 *required = value_get(schema, "required");
    bool has_props = json_is_object(props);
    enum decl_filter filter =
        d->rq->template_rev == 1 || !has_props ? FILTER_STANDARD : FILTER_NONE;
    sink_plain(d->s, *comma);
    sink_plain(d->s, "properties:{");
    if (!print_properties(d, has_props ? props : schema, filter, e))
        return false;
    sink_plain(d->s, "}");
    *comma = ",";
    if (!value_is_true(required))
        return true;
    sink_plain(d->s, ",");
    return print_required(d, required, e);
}

/* One entry of P: key:{...}. A schema that is no object has no parts but an empty type. */
static bool print_property(const struct decl *d, struct str key, const json_t *schema,
                           struct err *e)
{
    const char *comma = "";
    const json_t *description = value_get(schema, "description"),
                 *values = value_get(schema, "enum");
    const json_t *items = value_get(schema, "items");
    sink_text(d->s, key);
    sink_plain(d->s, ":{");
    if (value_is_true(description)) {
        sink_plain(d->s, "description:");
        value_print_wrapped_expr(d->s, description);
        comma = ",";
    }
    if (type_is(schema, "STRING") && value_is_true(values)) {
        sink_plain(d->s, comma);
        sink_plain(d->s, "enum:");
        if (!value_print(d->s, values, wrapped(d), e))
            return false;
        comma = ",";
    }
    if (type_is(schema, "ARRAY") && json_is_object(items) && value_is_true(items)) {
        sink_plain(d->s, comma);
        if (!print_items(d, items, e))
            return false;
        comma = ",";
    }
    if (value_is_true(value_get(schema, "nullable"))) {
        sink_plain(d->s, comma);
        sink_plain(d->s, "nullable:true");
        comma = ",";
    }
    if (type_is(schema, "OBJECT") && !print_object_parts(d, schema, &comma, e))
        return false;
    sink_plain(d->s, comma);
    sink_plain(d->s, "type:");
    print_type(d, value_get(schema, "type"));
    sink_plain(d->s, "}");
    return true;
}

static bool print_properties(const struct decl *d, const json_t *props, enum decl_filter filter,
                             struct err *e)
{
    struct value_members m;
    bool ok = true, is_first = true;
    if (!value_members_get(&m, props, e))
        return false;
    for (size_t i = 0; ok && i < m.n; i++) {
        if (filter == FILTER_STANDARD && is_standard_key(m.at[i].key))
            continue;
        sink_plain(d->s, is_first ? "" : ",");
        is_first = false;
        ok = print_property(d, m.at[i].key, m.at[i].value, e);
    }
    value_members_put(&m);
    return ok;
}

static bool print_parameters(const struct decl *d, const json_t *params, struct err *e)
{
    const json_t *props = value_get(params, "properties"),
                 *required = value_get(params, "required");
    const json_t *type = value_get(params, "type");
    sink_plain(d->s, ",parameters:{");
    if (value_is_true(props)) {
        if (!json_is_object(props))
            return err_set(e, ERR_FORMAT,
                           "tools[%zu].function.parameters.properties must be an object",
                           d->i_tool);
        sink_plain(d->s, "properties:{");
        if (!print_properties(d, props, d->rq->template_rev == 1 ? FILTER_STANDARD : FILTER_NONE,
                              e))
            return false;
        sink_plain(d->s, "},");
    }
    if (value_is_true(required)) {
        if (!print_required(d, required, e))
            return false;
        sink_plain(d->s, ",");
    }
    if (value_is_true(type)) {
        sink_plain(d->s, "type:");
        print_type(d, type);
        sink_plain(d->s, "}");
    }
    return true;
}

bool decl_print(struct sink *s, const json_t *tool, size_t i_tool,
                const struct gemma4_chat_request *rq, struct err *e)
{
    const struct decl d = {s, rq, i_tool};
    const json_t *function = value_get(tool, "function");
    if (!json_is_object(function))
        return err_set(e, ERR_FORMAT, "tools[%zu].function must be an object", i_tool);
    const json_t *params = value_get(function, "parameters"),
                 *response = value_get(function, "response");
    sink_plain(s, "declaration:");
    value_print_expr(s, value_get(function, "name"));
    sink_plain(s, "{description:");
    value_print_wrapped_expr(s, value_get(function, "description"));
    if (value_is_true(params) && !print_parameters(&d, params, e))
        return false;
    if (response) {
        const json_t *description = value_get(response, "description");
        sink_plain(s, ",response:{");
        if (value_is_true(description)) {
            sink_plain(s, "description:");
            value_print_wrapped_expr(s, description);
            sink_plain(s, ",");
        }
        if (type_is(response, "OBJECT")) {
            sink_plain(s, "type:");
            print_type(&d, value_get(response, "type"));
            sink_plain(s, "}");
        }
    }
    sink_plain(s, "}");
    return true;
}
