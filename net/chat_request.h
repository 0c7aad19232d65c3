/* chat_request: the body of POST /v1/chat/completions, checked field by field (api.md 5, 6).
 * Each member is honoured, ignored because ignoring cannot change the meaning (named in
 * `x-ignored-params`), or refused with its path. What this version lacks (tools, pictures, response
 * formats, n > 1) is refused, never ignored. Flow: body text -> chat_request_parse -> struct
 * chat_request (borrows the JSON tree) -> net/prompt.c. Thread: edge. Allocates: through jansson's
 * hooks only. */
#ifndef NET_CHAT_REQUEST_H
#define NET_CHAT_REQUEST_H

#include "models/stop_match.h"
#include "net/edge.h"
#include "net/json.h"
#include "runtime/engine.h"

enum { CHAT_MAX_MESSAGES = 2048, CHAT_MAX_N = 4, CHAT_IGNORED_BYTES = 256 };

struct chat_request {
    json_t *root;          /* owned: chat_request_deinit */
    json_t *messages;      /* borrowed from root */
    struct gen_params gen; /* max_tokens is the wish, not yet clamped to the room */
    struct str stops[STOP_MATCH_MAX_STRINGS];
    uint32_t n_stops;
    bool wants_stream, wants_usage;
    bool has_seed;
    bool enable_thinking, preserve_thinking;
    bool continues;                   /* the last message, of the assistant, is to be continued */
    char ignored[CHAT_IGNORED_BYTES]; /* names, comma separated; "" = none */
    char stop_text[STOP_MATCH_MAX_STRINGS * STOP_MATCH_MAX_BYTES]; /* after chat_request_detach */
};

/* info: the loaded model. On failure *e says what to answer and *r is empty. */
bool chat_request_parse(struct chat_request *r, struct str body, const struct engine_info *info,
                        const struct edge_config *cfg, struct api_error *e);
/* Gives the JSON tree back; everything but root and messages stays. r must not be moved then. */
void chat_request_detach(struct chat_request *r);
void chat_request_deinit(struct chat_request *r);

#endif
