/* stats: histograms with fixed buckets (Prometheus: cumulative counts up to each bound).
 * Thread: owner's. Allocates: never. */
#ifndef RUNTIME_BASE_STATS_H
#define RUNTIME_BASE_STATS_H

#include <stdint.h>

enum { STATS_MAX_BOUNDS = 20 };

struct stats_hist {
    const double *bounds; /* ascending, borrowed for good */
    uint32_t n_bounds;
    uint64_t counts[STATS_MAX_BOUNDS + 1]; /* of each bucket alone; the last is above all bounds */
    uint64_t n;
    double sum;
};

/* At most STATS_MAX_BOUNDS bounds. */
void stats_hist_init(struct stats_hist *h, const double *bounds, uint32_t n_bounds);
void stats_hist_add(struct stats_hist *h, double value);

/* Bounds for durations in seconds and for token counts. */
extern const double stats_second_bounds[14];
extern const double stats_token_bounds[12];

#endif
