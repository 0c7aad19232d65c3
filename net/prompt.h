/* prompt: a checked chat request becomes token ids: messages -> chat format -> tokenizer -> context
 * check. Flow: chat_request -> gemma4_chat -> tok_encode -> api->prompt_ids, ready for
 * engine_client_submit. Thread: edge. Allocates: never; text, segments and ids live in the API's
 * shared buffers until the next call. */
#ifndef NET_PROMPT_H
#define NET_PROMPT_H

#include "net/api.h"
#include "net/chat_request.h"

struct prompt {
    uint32_t n_tokens;        /* api->prompt_ids[0..n_tokens) */
    bool starts_in_reasoning; /* the answer begins inside a thought */
};

/* Needs a tokenizer (api->has_tok). Too long for the context: API_CONTEXT_LENGTH with both numbers.
 */
bool prompt_encode(struct api *a, const struct chat_request *rq, struct prompt *out,
                   struct api_error *e);

#endif
