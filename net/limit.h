/* limit: quotas of a key (api.md 3): token buckets for requests and for tokens, concurrency, a
 * daily budget. Flow: limit_request when a request names a key -> limit_reserve once its size is
 * known -> limit_settle at its end. A bucket holds one minute's worth and refills steadily; usage
 * belongs to the key's id, so a reloaded table keeps it. Thread: edge. Allocates: never. */
#ifndef NET_LIMIT_H
#define NET_LIMIT_H

#include "net/auth.h"

enum limit_result { LIMIT_OK, LIMIT_REQUESTS, LIMIT_TOKENS, LIMIT_CONCURRENT, LIMIT_DAY };

struct limit_bucket {
    double level;  /* what may still be taken now; a settlement may leave it below 0 */
    int64_t at_ms; /* when level was right */
};

struct limit_usage {
    char id[KEY_ID_BYTES];
    struct limit_bucket requests, tokens;
    uint32_t n_running;
    int64_t day; /* since 1970 */
    uint64_t day_tokens;
};

struct limit {
    struct limit_usage usage[KEY_TABLE_MAX]; /* same order as the key table */
    uint32_t n_keys;
};

/* State of one bucket for the x-ratelimit headers. */
struct limit_state {
    uint32_t limit, remaining;
    double reset_s; /* until it is full again */
};

/* Which key, and the time. */
struct limit_who {
    const struct key_record *key;
    int key_no; /* its place in the table */
    int64_t mono_ms, wall_s;
};

void limit_init(struct limit *l);

/* After auth_load: usage follows the ids. */
void limit_load(struct limit *l, const struct key_table *table, int64_t mono_ms);

/* One request of that key. *retry_after_s (1..60) is set unless LIMIT_OK. */
enum limit_result limit_request(struct limit *l, const struct limit_who *who,
                                uint32_t *retry_after_s);

/* A generation that will use at most n_tokens. On LIMIT_OK, *n_reserved is what limit_settle must
 * be given back. *retry_after_s: 1..60, with LIMIT_DAY the seconds to midnight UTC. */
enum limit_result limit_reserve(struct limit *l, const struct limit_who *who, uint64_t n_tokens,
                                uint64_t *n_reserved, uint32_t *retry_after_s);
void limit_settle(struct limit *l, const struct limit_who *who, uint64_t n_reserved,
                  uint64_t n_used);

struct limit_state limit_requests_state(const struct limit *l, const struct limit_who *who);
struct limit_state limit_tokens_state(const struct limit *l, const struct limit_who *who);

#endif
