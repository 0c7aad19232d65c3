#include "net/api_chat.h"

#include "net/lane.h"

enum api_next api_chat_handle(struct api *a, struct api_call *call)
{
    return lane_enter(a, call, false);
}

enum api_next api_chat_input_tokens(struct api *a, struct api_call *call)
{
    return lane_enter(a, call, true);
}
