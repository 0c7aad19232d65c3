/* gemma4_chat_priv: what the parts of the chat renderer share. gemma4_chat.c walks the messages,
 * gemma4_chat_decl.c prints tool declarations, gemma4_chat_value.c prints JSON values,
 * gemma4_chat_sink.c collects the text in segments. */
#ifndef MODELS_GEMMA4_CHAT_PRIV_H
#define MODELS_GEMMA4_CHAT_PRIV_H

#include "models/gemma4_chat.h"
#include "models/json_text.h"

/* ---- gemma4_chat_sink.c ---- */

enum sink_limit { SINK_OK, SINK_TEXT_FULL, SINK_SEGS_FULL };

struct sink {
    struct gemma4_chat_out *out;
    enum sink_limit limit; /* sticky: what follows is dropped */
    bool is_upper;         /* text from outside is printed in upper case */
};

void sink_init(struct sink *s, struct gemma4_chat_out *out);
/* Template text with markers in it. */
void sink_mark(struct sink *s, const char *literal);
/* Template text without any '<' or '|': it may go into a segment of either kind. */
void sink_plain(struct sink *s, const char *literal);
/* Text from outside. */
void sink_text(struct sink *s, struct str text);
/* Text from outside, without the white space at both ends (gemma4-chat.md 5.3 trim). */
void sink_trimmed(struct sink *s, struct str text);
/* Drops white space at the end, but nothing before byte from_bytes. */
void sink_trim_end(struct sink *s, size_t from_bytes);
/* True if nothing but white space came since byte from_bytes. */
bool sink_is_blank_since(const struct sink *s, size_t from_bytes);
/* True if the last thing printed was this template text. */
bool sink_ends_with_mark(const struct sink *s, const char *literal);
/* Takes template text off the end again. */
void sink_unprint(struct sink *s, const char *literal);
/* false with *e if something did not fit. */
bool sink_check(const struct sink *s, struct err *e);

/* Length of the white space that text begins with. */
size_t chat_leading_space(struct str text);

/* ---- gemma4_chat_value.c ---- */

enum value_kind { V_MISSING, V_NULL, V_BOOL, V_NUMBER, V_STRING, V_ARRAY, V_OBJECT };

enum value_kind value_kind_of(const json_t *v);
bool value_is_true(const json_t *v); /* the template language's idea: present, not null, not empty,
                                        not 0, not false */
/* Member of an object; NULL for what is no object. */
const json_t *value_get(const json_t *v, const char *key);

enum value_keys { KEYS_BARE, KEYS_WRAPPED };

struct value_style {
    enum value_keys keys;
    const char *null; /* how null is printed: revision 1 "None", revision 2 "null" */
};

/* 5.4. false only when memory for sorting is short. */
bool value_print(struct sink *s, const json_t *v, struct value_style style, struct err *e);
/* As the template language prints an expression: a string as it is, everything else as Python
 * would. */
void value_print_expr(struct sink *s, const json_t *v);
/* D(s) of 5.5: an expression between string delimiters. */
void value_print_wrapped_expr(struct sink *s, const json_t *v);

/* Members of an object in printing order. */
struct value_member {
    struct str key;
    const json_t *value;
    uint32_t i_input;
};

struct value_members {
    struct value_member *at; /* [n], through jansson's allocator */
    size_t n;
};

bool value_members_get(struct value_members *m, const json_t *object, struct err *e);
void value_members_put(struct value_members *m);

/* ---- gemma4_chat_decl.c ---- */

/* Prints the declaration of tools[i_tool] (5.5), without the markers around it. */
bool decl_print(struct sink *s, const json_t *tool, size_t i_tool,
                const struct gemma4_chat_request *rq, struct err *e);

/* ---- gemma4_chat.c ---- */

/* 5.3, but for the last n_left_out messages, which are only looked ahead at. */
bool chat_print_messages(struct sink *s, const struct gemma4_chat_request *rq, size_t n_left_out,
                         struct err *e);

#endif
