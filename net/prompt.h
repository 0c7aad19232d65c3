/* prompt: a checked chat request becomes token ids: messages -> chat format -> tokenizer -> context
 * check. Flow: chat_request -> prompt_begin (gemma4_chat, whole) -> prompt_step (tok_encode, in as
 * many steps as the caller likes) -> ids, ready for engine_client_submit. Thread: edge. Allocates:
 * never; text, segments and ids live in the room until its next use. */
#ifndef NET_PROMPT_H
#define NET_PROMPT_H

#include "net/api.h"
#include "net/chat_request.h"

struct prompt {
    const int32_t *ids; /* [n_tokens], in the room */
    uint32_t n_tokens;
    bool starts_in_reasoning; /* the answer begins inside a thought */
};

struct prompt_job {
    struct tok_encoder encoder;
    struct tok_ids ids;
    bool starts_in_reasoning;
};

/* Needs a tokenizer (api->has_tok) until the job's end, rq only now. Too long for the context, here
 * if its bytes prove it, else at the last step: API_CONTEXT_LENGTH with both numbers. */
bool prompt_begin(struct api *a, const struct chat_request *rq, struct prompt_room *room,
                  struct prompt_job *job, struct api_error *e);
enum tok_progress prompt_step(struct api *a, struct prompt_job *job, size_t max_steps,
                              struct prompt *out, struct api_error *e);

#endif
