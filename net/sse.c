#include "net/sse.h"

#include <stdio.h>

/* Without memory for a frame the stream cannot be completed. */
static void put(struct api_call *call, struct str s)
{
    if (!call->is_broken && !chain_put(&call->out, s))
        call->is_broken = call->is_done = call->must_close = true;
}

/* prefix, text and an empty line as one chunk. */
static void frame(struct api_call *call, struct str prefix, struct str text)
{
    char head[24];
    int n = snprintf(head, sizeof head, "%zx\r\n", prefix.n_bytes + text.n_bytes + 2);
    if (call->is_chunked)
        put(call, (struct str){head, (size_t)n});
    put(call, prefix);
    put(call, text);
    put(call, STR("\n\n"));
    if (call->is_chunked)
        put(call, STR("\r\n"));
}

void sse_comment(struct api_call *call, struct str text)
{
    frame(call, STR(": "), text);
}

void sse_data(struct api_call *call, struct str json)
{
    frame(call, STR("data: "), json);
}

void sse_break(struct api_call *call)
{
    if (call->is_chunked)
        put(call, STR("0\r\n\r\n"));
    call->is_done = true;
}

void sse_done(struct api_call *call)
{
    sse_data(call, STR("[DONE]"));
    sse_break(call);
}
