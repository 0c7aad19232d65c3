/* sse: frames of an event stream into an answer (api.md 9.1): comments, `data:` lines, the end;
 * chunked for HTTP/1.1. Never `id:`, `event:` or `retry:` lines: clients' decoders trip over them.
 * Thread: edge. Allocates: chain blocks. */
#ifndef NET_SSE_H
#define NET_SSE_H

#include "net/api.h"

/* ": text" and an empty line. */
void sse_comment(struct api_call *call, struct str text);
/* "data: json" and an empty line. json: one line. */
void sse_data(struct api_call *call, struct str json);
/* "data: [DONE]" and the end of the body; the call is done. */
void sse_done(struct api_call *call);
/* The end of the body without [DONE], after an error event: clients see a broken stream. */
void sse_break(struct api_call *call);

#endif
