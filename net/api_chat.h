/* api_chat: POST /v1/chat/completions and .../input_tokens: body -> chat_request -> prompt ->
 * generation. Thread: edge. Allocates: JSON trees on api->json_heap, gone on return. */
#ifndef NET_API_CHAT_H
#define NET_API_CHAT_H

#include "net/api.h"

enum api_next api_chat_handle(struct api *a, struct api_call *call);
enum api_next api_chat_input_tokens(struct api *a, struct api_call *call);

#endif
