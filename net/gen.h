/* gen: generations in flight. Flow: api_chat decodes and prompt.c encodes -> gen_start submits to
 * the engine -> engine events -> tokens -> gemma4_parse -> stop_match -> a plain answer, collected,
 * or an event stream (sse.h), as it comes. Backpressure: while more than API_OUT_HIGH_BYTES wait
 * for the client, tokens wait as tokens; a client that does not read for long is the connection's
 * business (write deadline). A gen lives until the engine's last word about it, also when its
 * client is gone. Thread: edge. Allocates: chain blocks only; the table is fixed. */
#ifndef NET_GEN_H
#define NET_GEN_H

#include "net/api.h"
#include "runtime/engine.h"

struct api_chat_request;

size_t gen_table_bytes(uint32_t max_requests);
/* t: gen_table_bytes() of memory. */
void gen_table_init(struct gen_table *t, uint32_t max_requests, struct chain_pool *chains);

/* Takes a place and submits. prompt ids: api->prompt_ids[0..n_prompt). The call is answered later:
 * API_PENDING; or the request was refused and answered: API_ANSWERED. */
enum api_next gen_start(struct api *a, struct api_call *call, const struct api_chat_request *rq,
                        uint32_t n_prompt);

void gen_event(struct api *a, const struct engine_event *ev);
void gen_drained(struct api *a, struct api_call *call);
void gen_gone(struct api *a, struct api_call *call);
void gen_tick(struct api *a);
void gen_engine_down(struct api *a); /* every one ends with a clear error */
void gen_keys_changed(struct api *a);

uint32_t gen_n_running(const struct api *a); /* has tokens or a computed part of the prompt */
uint32_t gen_n_waiting(const struct api *a);

#endif
