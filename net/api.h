/* api: the border between connections and handlers. A connection (conn.c) knows HTTP, deadlines and
 * bytes; a handler (api_chat.c, api_models.c, api_pages.c) knows one endpoint; api.c routes and
 * admits. They meet in struct api_call, one per connection, one request at a time:
 *
 *   conn: head complete   api_admit          404, 405, 401, 415, 429 ... answered;
 *                                            or a route without body: its handler answers;
 *                                            or API_READ_BODY
 *   conn: body complete   api_handle         handler: API_ANSWERED, all of it is in call->out;
 *                                            API_PENDING, more comes later;
 *                                            API_LATER, the same again once call->is_due
 *   engine's events       api_engine_events  gen.c writes call->out, then api->wake(call)
 *   conn: out below half  api_drained        gen.c goes on writing
 *   conn: client gone     api_gone           gen.c or lane.c cancels
 *   conn: all of it sent  api_end            audit line, metrics; the call is free for the next one
 *
 * Handlers write through answer.h (whole answers, errors) or sse.h (event streams), never to
 * sockets. They get bodies whole, read them within api_handle and keep nothing of them. A chat
 * handler owns one struct gen from submit to the engine's last event; call->gen points to it and is
 * NULL otherwise; when the client goes first, the gen lives on without its call. Who may allocate:
 * nobody. JSON trees live on api->json_heap and are gone when api_handle returns. Thread: edge.
 * Time: api->mono_ms and api->wall_s, set by the loop before each round; no handler asks a clock.
 */
#ifndef NET_API_H
#define NET_API_H

#include "models/tok.h"
#include "net/addr.h"
#include "net/audit.h"
#include "net/auth.h"
#include "net/cert.h"
#include "net/chain.h"
#include "net/edge.h"
#include "net/heap.h"
#include "net/http.h"
#include "net/limit.h"
#include "net/metrics.h"
#include "net/text.h"
#include "runtime/engine.h"

enum {
    API_ID_BYTES = 24,
    API_OUT_HIGH_BYTES = 256 * 1024,
    API_IGNORED_BYTES = 512,
    API_PATH_BYTES = 256,
    API_SHORT_BODY_BYTES = 32 * 1024, /* of a chat request that is encoded at once: net/lane.h */
    API_MAX_CONTEXT_TOKENS = 262144
};

struct gen;       /* a running generation: net/gen.h */
struct gen_table; /* all of them */
struct lane;      /* long prompts: net/lane.h */
struct route;     /* one line of api.c's table */

enum api_next {
    API_ANSWERED,  /* the answer is complete in call->out */
    API_READ_BODY, /* admitted: api_handle wants the body */
    API_PENDING,   /* the answer is being written by events */
    API_LATER,     /* api_handle again with the same body, once call->is_due */
};

struct api_call {
    /* conn, before api_admit */
    const struct http_head *head; /* the connection's, until api_handle returns; then NULL */
    struct addr addr;
    bool is_tls;
    const char *tls_version;
    bool has_unread_body; /* a body was announced and not read: any answer now must close */
    bool is_last;         /* the connection has had its share of requests */
    struct str body;      /* during api_handle */
    struct chain out;     /* what the client is to get, head included */

    /* api and handlers */
    char id[API_ID_BYTES + 1]; /* base62; "req_" and "chatcmpl-" go before it */
    char path[API_PATH_BYTES]; /* decoded, terminated, without a trailing slash */
    const struct route *route; /* NULL: no such path */
    int key_no;                /* index in the key table, KEY_NONE before auth */
    char key_id[KEY_ID_BYTES];
    bool is_head;    /* HEAD: answers without body */
    bool is_chunked; /* HTTP/1.1: streams may be chunked */
    bool must_close; /* the connection ends after this answer */
    bool is_started; /* the status line is in out */
    bool is_done;    /* the last byte is in out */
    bool is_due;     /* after API_LATER: its turn has come */
    bool is_broken;  /* the answer cannot be completed: close at once when out is sent */
    uint16_t status;
    const char *error_code; /* of the answer, NULL if it is none */
    struct gen *gen;
    char ignored[API_IGNORED_BYTES]; /* x-ignored-params: names, comma-separated, terminated */
    struct audit_entry audit;        /* what the audit line will say */
    int64_t began_at_ms;
    uint64_t n_sent_bytes; /* conn counts */
};

/* Where a prompt is made (net/prompt.h). */
struct prompt_room {
    char *text;
    size_t text_bytes;
    struct tok_segment *segs;
    size_t max_segs;
    int32_t *ids; /* [API_MAX_CONTEXT_TOKENS] */
    struct tok_scratch *tok_scratch;
};

enum api_engine { API_ENGINE_IS_LOADING, API_ENGINE_IS_READY, API_ENGINE_IS_DOWN };

struct api {
    /* set by edge before the first call */
    struct edge_config cfg;
    struct api_ca {
        char pem[EDGE_PEM_BYTES / 4]; /* terminated */
        uint8_t der[EDGE_PEM_BYTES / 4];
        size_t der_bytes;
        char fingerprint[CERT_FINGERPRINT_BYTES];
    } ca;
    struct auth *auth;
    struct limit *limit;
    struct metrics *metrics;
    struct audit *audit;
    struct chain_pool *chains;
    struct heap *json_heap;
    struct gen_table *gens;
    struct text scratch; /* shared text buffer of one handler's run; begin with text_init on its own
                            p and room */
    void (*wake)(struct api_call *call); /* out has grown, or is_done: the connection must look */
    bool is_draining;

    struct prompt_room short_room, long_room;
    struct lane *lane;

    /* the engine, while there is one */
    enum api_engine engine_state;
    float loading_frac;
    struct engine_client *engine;
    struct engine_info
        info;       /* with API_ENGINE_IS_READY; else of the last life, all zero at first */
    struct tok tok; /* with API_ENGINE_IS_READY */
    bool has_tok;

    /* the loop's clocks */
    int64_t mono_ms, wall_s;
};

/* Begins a request: id, times, empty fields. out keeps its chain. */
void api_begin(struct api *a, struct api_call *call);

/* Route, host, key, limits, framing: everything that can be said before the body. */
enum api_next api_admit(struct api *a, struct api_call *call);

/* After API_READ_BODY. */
enum api_next api_handle(struct api *a, struct api_call *call);

void api_drained(struct api *a, struct api_call *call);
void api_gone(struct api *a, struct api_call *call);

/* The answer has been sent (or given up): audit, metrics. */
void api_end(struct api *a, struct api_call *call);

/* Takes all waiting events. false: the engine sent nonsense and must be treated as dead
 * (api_engine_down). */
bool api_engine_events(struct api *a);
void api_engine_down(struct api *a);

/* A bounded piece of the long work that waits, and whether there is more: then come again after a
 * look at the sockets. */
void api_work(struct api *a);
bool api_has_work(const struct api *a);

/* Deadlines of generations; call at least every 100 ms while there are any. */
void api_tick(struct api *a);

/* A key table was loaded: calls of keys that are gone or revoked are cancelled. */
void api_keys_changed(struct api *a);

/* The record of the call's key, NULL without one; and who it is for limit.h. */
const struct key_record *api_key(const struct api *a, const struct api_call *call);
struct limit_who api_limit_who(const struct api *a, const struct api_call *call);

#endif
