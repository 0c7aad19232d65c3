/* gen: generations in flight. Flow: lane.c reads the body, prompt.c encodes -> gen_start submits to
 * the engine -> engine events -> tokens -> gemma4_parse -> stop_match -> gen_write: a plain answer,
 * collected, or an event stream (sse.h), as it comes. Output memory is one pool for all: nobody may
 * hold more of it than is left for the others, so k greedy ones leave a (k+1)-th part free, and
 * API_OUT_HIGH_BYTES at most. A stream at its share is paused in the engine until half of it has
 * been read; what was under way meanwhile gathers here. A plain answer cannot wait for its reader:
 * its logprobs, by far its largest part, are kept as numbers, their worst case is promised to it at
 * the start, and they become text while the answer is sent. A client that reads nothing at all
 * is the connection's business (write deadline). A gen lives until the engine's last word about it,
 * also when its client is gone. Thread: edge. Allocates: chain blocks only; the table is fixed. */
#ifndef NET_GEN_H
#define NET_GEN_H

#include "models/gemma4_parse.h"
#include "net/api.h"
#include "net/chat_request.h"
#include "runtime/engine.h"

enum {
    GEN_MAX_HELD_BYTES = 256 * 1024,
    GEN_MAX_HELD_ITEMS =
        320, /* logprobs of tokens whose text may still become a stop string of 256 bytes */
    GEN_ANSWER_TOKENS = 1024, /* kept for what follows a thought */
    GEN_COMMENT_MS = 10000,
    GEN_QUEUE_LIMIT_MS = 120000,
    GEN_HEAD_LIMIT_MS =
        1000, /* a stream's head waits so long for the engine's word that it is not refused */
};

enum gen_state {
    GEN_FREE = 0,
    GEN_WAITING, /* queued, or the prompt is being computed */
    GEN_WRITING, /* tokens come */
    GEN_ENDING,  /* cancel or stop sent */
    GEN_SENDING, /* the engine has finished; a plain answer's logprobs are still being written */
};

/* Why the edge itself ended it; decides what the client is told. */
enum gen_cut {
    GEN_CUT_NONE = 0,
    GEN_CUT_STOP,  /* a stop string */
    GEN_CUT_TIME,  /* stream_limit_ms, plain_limit_ms */
    GEN_CUT_QUEUE, /* waited longer than GEN_QUEUE_LIMIT_MS */
    GEN_CUT_SLOW,  /* the client does not read, or output memory ran out */
    GEN_CUT_GONE,  /* the client */
    GEN_CUT_KEY,   /* revoked meanwhile */
};

struct gen {
    enum gen_state state;
    enum gen_cut cut;
    struct api_call *call; /* NULL: the client is gone */
    uint32_t req_id, i_slot;
    char id[API_ID_BYTES + 1];
    char model_id[ENGINE_NAME_BYTES], fingerprint[16];
    int64_t created_s, began_at_ms, written_at_ms /* last frame */, token_at_ms;
    bool wants_stream, wants_usage, wants_logprobs, has_begun /* role chunk sent */;
    bool is_paused; /* in the engine */
    struct stop_match stops;
    struct gemma4_parse parse;
    char *parse_buf; /* [GEMMA4_PARSE_BUF_BYTES] */
    uint32_t n_prompt, n_tokens, n_reasoning;
    uint32_t n_ahead, n_prompt_done;
    uint64_t n_reserved; /* for limit_settle */
    int key_no;
    char key_id[KEY_ID_BYTES];
    struct chain content, reasoning; /* JSON-escaped text: of a plain answer, or not yet sent */
    struct chain logprobs;           /* records of content tokens, oldest first (gen_write.c) */
    uint32_t n_logprobs; /* that many of them may go out; the rest are tokens not shown yet: */
    struct gen_held {
        uint64_t at_bytes;     /* where in the content the token's text begins */
        uint32_t n_json_bytes; /* of its item, in a plain answer */
    } held[GEN_MAX_HELD_ITEMS];
    uint32_t n_held;
    uint64_t n_json_bytes;     /* of the items that may go out, without commas */
    uint64_t n_promised_bytes; /* of output memory for logprobs to come */
    bool has_sent_item;        /* GEN_SENDING: the next one follows a comma */
    struct chain tail;         /* GEN_SENDING: what follows the logprobs */
};

struct gen_table {
    struct gen *gens;
    uint32_t n_gens, n_started;
    uint64_t n_promised_bytes; /* of all of them */
};

size_t gen_table_bytes(uint32_t max_requests);
/* memory: gen_table_bytes(), 16-byte aligned. */
void gen_table_init(struct gen_table *t, void *memory, uint32_t max_requests,
                    struct chain_pool *chains);

/* Takes a place and submits the prompt. API_PENDING, or refused: API_ANSWERED. rq and prompt are
 * not kept. */
struct prompt;
enum api_next gen_start(struct api *a, struct api_call *call, const struct chat_request *rq,
                        const struct prompt *prompt);

void gen_event(struct api *a, const struct engine_event *ev);
void gen_drained(struct api *a, struct api_call *call);
void gen_gone(struct api *a, struct api_call *call);
void gen_tick(struct api *a);
void gen_engine_down(struct api *a); /* every one ends with a clear error */
void gen_keys_changed(struct api *a);

uint32_t gen_n_running(const struct api *a); /* has tokens or a computed part of the prompt */
uint32_t gen_n_waiting(const struct api *a);

#endif
