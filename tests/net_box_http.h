/* net_box_http: requests to a net_box and what its answers hold. */
#ifndef TESTS_NET_BOX_HTTP_H
#define TESTS_NET_BOX_HTTP_H

#include "tests/net_box.h"

/* The request with the box's key in the place of KEY. */
static inline const char *box_with_key(const char *request)
{
    static char full[16384];
    const char *at = strstr(request, "KEY");
    if (!at)
        return request;
    snprintf(full, sizeof full, "%.*s%s%s", (int)(at - request), request, box.key_text, at + 3);
    return full;
}

/* POST of a body to the chat endpoint. */
static inline const char *box_chat(const char *body)
{
    static char full[16384];
    snprintf(full, sizeof full,
             "POST /v1/chat/completions HTTP/1.1\r\n" HOST
             "Authorization: Bearer %s\r\nContent-Type: application/json\r\nContent-Length: "
             "%zu\r\n\r\n%s",
             box.key_text, strlen(body), body);
    return full;
}

static inline int box_status(const char *answer)
{
    return strncmp(answer, "HTTP/1.1 ", 9) == 0 ? atoi(answer + 9) : 0;
}

static inline const char *box_body(const char *answer)
{
    const char *end = strstr(answer, "\r\n\r\n");
    return end ? end + 4 : "";
}

static inline bool box_has(const char *answer, const char *text)
{
    return strstr(answer, text) != NULL;
}

#endif
