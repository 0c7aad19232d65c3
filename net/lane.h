/* lane: chat requests on their way to the engine. A body of up to API_SHORT_BODY_BYTES is read and
 * encoded at once. A longer one's prompt takes the tokenizer up to seconds, so those go one at a
 * time and LANE_STEPS in each round of the loop, between which everybody else is served; who finds
 * the lane taken waits with the body, in order of arrival.
 *
 *   api_chat -> lane_enter --> short: the call's answer or generation, at once
 *                          \--> its turn: API_PENDING, then lane_work (loop) ... the same
 *                          \--> API_LATER: api_handle calls it again when its turn has come
 *
 * Thread: edge. Allocates: never. Waiting ends after GEN_QUEUE_LIMIT_MS. */
#ifndef NET_LANE_H
#define NET_LANE_H

#include "net/chat_request.h"
#include "net/conn.h"
#include "net/prompt.h"

enum { LANE_STEPS = 32768 /* about as much as the largest short body takes */ };

struct lane {
    struct api_call *call; /* whose turn it is; NULL: nobody's */
    bool is_encoding;      /* its prompt has begun */
    struct lane_job {
        struct chat_request rq; /* without its JSON tree while it is encoded */
        struct prompt_job prompt;
        bool wants_count; /* only the number of tokens is asked for */
    } job;
    struct api_call
        *waiting[CONN_MAX_BODIES]; /* each holds a large body, so there is room for all */
    uint32_t n_waiting;
};

/* Reads the call's body and encodes its prompt, at once or in the lane. */
enum api_next lane_enter(struct api *a, struct api_call *call, bool wants_count);

/* One slice. */
void lane_work(struct api *a);

void lane_tick(struct api *a);
void lane_gone(struct api *a, struct api_call *call);
void lane_engine_down(struct api *a);

#endif
