/* metrics: what /metrics tells (api.md 13; Prometheus text 0.0.4): counters and histograms of the
 * edge. Thread: edge. Allocates: never. */
#ifndef NET_METRICS_H
#define NET_METRICS_H

#include "net/text.h"
#include "runtime/base/stats.h"

#include <stdint.h>

struct api;

enum metrics_finish {
    METRICS_STOP,
    METRICS_LENGTH,
    METRICS_CANCEL,
    METRICS_ERROR,
    METRICS_N_FINISHES
};

/* X(field, name, help) */
#define METRICS_COUNTERS(X)                                                                        \
    X(prompt_tokens, "prompt_tokens_total", "Prompt tokens of finished requests")                  \
    X(cached_tokens, "cached_prompt_tokens_total", "Prompt tokens taken from a cache")             \
    X(generation_tokens, "generation_tokens_total", "Generated tokens")                            \
    X(reasoning_tokens, "reasoning_tokens_total", "Generated tokens of thoughts")                  \
    X(auth_failures, "auth_failures_total", "Requests with a missing or wrong key")

#define METRICS_HISTOGRAMS(X)                                                                      \
    X(ttft_s, "time_to_first_token_seconds", "From request to first token")                        \
    X(gap_s, "inter_token_latency_seconds", "Between tokens of a stream")                          \
    X(e2e_s, "e2e_latency_seconds", "From request to the end of the answer")                       \
    X(queue_s, "queue_seconds", "Waiting for a place")                                             \
    X(prefill_s, "prefill_seconds", "Computing the prompt")                                        \
    X(prompt_len, "request_prompt_tokens", "Prompt tokens of a request")                           \
    X(generation_len, "request_generation_tokens", "Generated tokens of a request")

enum { METRICS_MAX_PATHS = 24, METRICS_MAX_CODES = 48 };

struct metrics {
    int64_t start_wall_s;
#define X(field, name, help) uint64_t field;
    METRICS_COUNTERS(X)
#undef X
#define X(field, name, help) struct stats_hist field;
    METRICS_HISTOGRAMS(X)
#undef X
    uint64_t n_finished[METRICS_N_FINISHES];
    struct metrics_requests {
        const char *path; /* a route's, static text */
        uint16_t status;
        uint64_t n;
    } requests[METRICS_MAX_PATHS * 8];
    uint32_t n_requests;
    struct metrics_named {
        const char *name; /* static text */
        uint64_t n;
    } rejected[METRICS_MAX_CODES], tls_errors[8];
    uint32_t n_rejected, n_tls_errors;
};

void metrics_init(struct metrics *m, int64_t wall_s);
void metrics_count_request(struct metrics *m, const char *path, uint16_t status);
void metrics_count_rejected(struct metrics *m, const char *code);
void metrics_count_tls_error(struct metrics *m, const char *reason);

/* The whole page. */
void metrics_print(const struct metrics *m, const struct api *a, struct text *t);

#endif
