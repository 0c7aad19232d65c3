/* chat_messages: the `messages` of a chat request, checked (api.md 6) before the chat format sees
 * them. */
#ifndef NET_CHAT_MESSAGES_H
#define NET_CHAT_MESSAGES_H

#include "net/chat_request.h"

/* Sets r->messages and r->continues. false: *e names the message and field. */
bool chat_messages_check(struct chat_request *r, struct api_error *e);

#endif
