#include "runtime/base/stats.h"

#include "runtime/base/check.h"

#include <string.h>

const double stats_second_bounds[14] = {0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5,
                                        1,     2.5,  5,     10,   30,  60,   300};
const double stats_token_bounds[12] = {1,    16,   64,   256,   512,   1024,
                                       2048, 4096, 8192, 16384, 65536, 262144};

void stats_hist_init(struct stats_hist *h, const double *bounds, uint32_t n_bounds)
{
    CHECK(n_bounds <= STATS_MAX_BOUNDS);
    memset(h, 0, sizeof *h);
    h->bounds = bounds;
    h->n_bounds = n_bounds;
}

void stats_hist_add(struct stats_hist *h, double value)
{
    uint32_t i = 0;
    while (i < h->n_bounds && value > h->bounds[i])
        i++;
    h->counts[i]++;
    h->n++;
    h->sum += value;
}
