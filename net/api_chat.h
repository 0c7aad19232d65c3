/* api_chat: POST /v1/chat/completions and .../input_tokens: the request's fields, checked one by
 * one (api.md 5, 6), into one struct; nothing is ever ignored that would change the answer. Thread:
 * edge. Allocates: JSON trees on api->json_heap, gone on return. */
#ifndef NET_API_CHAT_H
#define NET_API_CHAT_H

#include "models/stop_match.h"
#include "net/api.h"

enum api_chat_flag {
    API_CHAT_STREAM = 1,
    API_CHAT_USAGE = 2,                /* stream_options.include_usage */
    API_CHAT_THINKING = 4,             /* enable_thinking */
    API_CHAT_CONTINUE = 8,             /* the last assistant message goes on */
    API_CHAT_STARTS_IN_REASONING = 16, /* set by prompt.c */
    API_CHAT_PROGRESS = 32,            /* return_progress */
    API_CHAT_PRESERVE_THINKING = 64,
};

/* What generation needs to know; holds no reference to the request body. */
struct api_chat_request {
    struct gen_params params; /* max_tokens is clamped by prompt.c */
    uint32_t flags;           /* enum api_chat_flag */
    struct stop_match stops;
};

enum api_next api_chat_handle(struct api *a, struct api_call *call);
enum api_next api_chat_input_tokens(struct api *a, struct api_call *call);

#endif
