/* bench: times of one model on one number of threads, measured side by side: every repeat runs each
 * measurement once, so that a slow minute of the machine hits all of them and ratios stay fair.
 * Flow: bench_open -> bench_repeat as often as wanted -> the series of struct bench.
 * Thread: one, plus the model's workers.   Allocates: at open only. */
#ifndef RUNTIME_BENCH_H
#define RUNTIME_BENCH_H

#include "runtime/runner.h"

enum {
    BENCH_MAX_REPEATS = 32,
    BENCH_MAX_SAMPLES = 128, /* the most that a repeat adds to a series is 4 */
    BENCH_MAX_CASES = 8,     /* prompt lengths, numbers of users */
    BENCH_N_VERIFY = 5,      /* 1, 2, 4, 8, 16 rows of one sequence */
    BENCH_MAX_VERIFY_ROWS = 16,
};

struct bench_series {
    uint32_t n;
    double seconds[BENCH_MAX_SAMPLES];
};

struct bench_stat {
    double median, min, max;
};

struct bench_list {
    uint32_t n;
    uint32_t at[BENCH_MAX_CASES];
};

struct bench_config {
    const char *model;         /* NULL = pocket */
    struct bench_list prompts; /* tokens; the first is also the depth at which all else happens */
    struct bench_list users;   /* sequences that decode together */
    uint32_t n_generate;       /* tokens of one decode sample */
    uint32_t n_threads;        /* 0 = one per CPU */
    enum kv_type kv_type;
};

struct bench {
    struct bench_config cfg;
    struct runner *r;
    int32_t *ids; /* random tokens, longest prompt + n_generate */
    void *read_buf;
    size_t read_bytes;
    uint64_t weight_bytes; /* read for one decoded token: every matrix and norm once, one embedding
                              row */
    uint64_t kv_bytes;     /* cached keys and values one token at the mean decode depth reads */
    /* seconds of: one pass over read_bytes; a whole prompt; one token of one sequence; one step of
     * bench_verify_rows[i] rows; one step of users.at[i] rows, one of each sequence */
    struct bench_series read, prompt[BENCH_MAX_CASES], decode, verify[BENCH_N_VERIFY],
        users[BENCH_MAX_CASES];
};

extern const uint32_t bench_verify_rows[BENCH_N_VERIFY];

bool bench_open(struct bench *b, const struct bench_config *cfg, struct err *e);
void bench_close(struct bench *b); /* a zeroed one is fine */

/* One sample of everything; after BENCH_MAX_REPEATS no more are kept. */
bool bench_repeat(struct bench *b, struct err *e);

/* Of at least one sample; the median of an even number is the mean of the middle two. */
struct bench_stat bench_stat_of(const struct bench_series *s);

#endif
