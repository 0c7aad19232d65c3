#include "runtime/sample.h"

#include "runtime/base/check.h"
#include "runtime/base/num.h"
#include "runtime/philox.h"

#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>

enum { CHUNK_ELEMS = 256, MAX_CHUNKS = 1024 };

struct entry { /* of a heap of candidates */
    float logit;
    uint32_t idx; /* into scratch->id and ->weight */
};

struct sample_scratch {
    uint32_t n_vocab;
    float *logits;      /* [V] after mask and penalties */
    uint32_t *n_seen;   /* [V] all 0 between calls */
    int32_t *id;        /* [V] candidates, ids ascending */
    float *weight;      /* [V] their logits, later their weights */
    struct entry *heap; /* [V] */
};

static uint64_t region_bytes(uint32_t n_vocab, size_t elem_bytes)
{
    return (n_vocab * elem_bytes + 63) / 64 * 64;
}

size_t sample_scratch_bytes(uint32_t n_vocab)
{
    return region_bytes(1, sizeof(struct sample_scratch)) + 4 * region_bytes(n_vocab, 4) +
           region_bytes(n_vocab, sizeof(struct entry));
}

struct sample_scratch *sample_scratch_at(void *place, uint32_t n_vocab)
{
    struct sample_scratch *s = place;
    char *at = (char *)place + region_bytes(1, sizeof *s);
    s->n_vocab = n_vocab;
    s->logits = (float *)(void *)at;
    s->n_seen = (uint32_t *)(void *)(at += region_bytes(n_vocab, 4));
    s->id = (int32_t *)(void *)(at += region_bytes(n_vocab, 4));
    s->weight = (float *)(void *)(at += region_bytes(n_vocab, 4));
    s->heap = (struct entry *)(void *)(at + region_bytes(n_vocab, 4));
    memset(s->n_seen, 0, n_vocab * sizeof *s->n_seen);
    return s;
}

static bool is_in(double x, double lo, double hi)
{
    return x >= lo && x <= hi; /* false for NaN */
}

bool sample_params_check(const struct sample_params *p, struct err *e)
{
    if (!is_in(p->temperature, 0, 2))
        return err_set(e, ERR_LIMIT, "temperature %g is not in 0..2", p->temperature);
    if (!is_in(p->top_p, DBL_MIN, 1))
        return err_set(e, ERR_LIMIT, "top_p %g is not above 0 and up to 1", p->top_p);
    if (!is_in(p->min_p, 0, 1))
        return err_set(e, ERR_LIMIT, "min_p %g is not in 0..1", p->min_p);
    if (!is_in(p->repetition_penalty, 0.5, 2))
        return err_set(e, ERR_LIMIT, "repetition_penalty %g is not in 0.5..2",
                       p->repetition_penalty);
    if (!is_in(p->presence_penalty, -2, 2))
        return err_set(e, ERR_LIMIT, "presence_penalty %g is not in -2..2", p->presence_penalty);
    if (!is_in(p->frequency_penalty, -2, 2))
        return err_set(e, ERR_LIMIT, "frequency_penalty %g is not in -2..2", p->frequency_penalty);
    return true;
}

static bool has_penalties(const struct sample_params *p, const struct sample_row *row)
{
    bool is_off =
        p->repetition_penalty == 1 && p->presence_penalty == 0 && p->frequency_penalty == 0;
    return row->n_generated > 0 && !is_off;
}

static void penalise(struct sample_scratch *s, const struct sample_params *p,
                     const struct sample_row *row)
{
    const uint32_t n = row->n_generated;
    const uint32_t first_recent = n > SAMPLE_REPETITION_WINDOW ? n - SAMPLE_REPETITION_WINDOW : 0;
    for (uint32_t i = 0; i < n; i++)
        s->n_seen[row->generated[i]]++;
    for (uint32_t i = n;
         i-- > 0;) { /* backwards: a token's latest place decides whether it is recent */
        int32_t id = row->generated[i];
        if (s->n_seen[id] == 0)
            continue;
        double l = (double)s->logits[id];
        if (i >= first_recent)
            l = l > 0 ? l / p->repetition_penalty : l * p->repetition_penalty;
        l -= s->n_seen[id] * p->frequency_penalty + p->presence_penalty;
        s->logits[id] = (float)l;
        s->n_seen[id] = 0;
    }
}

/* The row's logits after mask and penalties. */
static const float *masked(struct sample_scratch *s, const struct sample_params *p,
                           const struct sample_row *row)
{
    if (row->n_suppressed == 0 && !row->allowed && !has_penalties(p, row))
        return row->logits;
    memcpy(s->logits, row->logits, row->n_vocab * sizeof(float));
    if (has_penalties(p, row))
        penalise(s, p, row);
    for (uint32_t i = 0; i < row->n_suppressed; i++)
        s->logits[row->suppressed[i]] = -INFINITY;
    if (row->allowed)
        for (uint32_t id = 0; id < row->n_vocab; id++)
            if (!(row->allowed[id / 32] >> id % 32 & 1))
                s->logits[id] = -INFINITY;
    return s->logits;
}

/* The greatest logit of each fixed chunk: one pass over the row serves the greatest of all, a bound
 * for the k-th greatest, and skipping the chunks below it. NaN is never the greatest. */
struct survey {
    uint32_t n_elems, n_chunks, chunk_elems;
    float most[MAX_CHUNKS];
};

static float greatest_of(const float *x, uint32_t n)
{
    enum { LANES = 8 };
    float m[LANES];
    for (uint32_t j = 0; j < LANES; j++)
        m[j] = -INFINITY;
    uint32_t i = 0;
    for (; i + LANES <= n; i += LANES)
        for (uint32_t j = 0; j < LANES; j++)
            m[j] = x[i + j] > m[j] ? x[i + j] : m[j];
    for (; i < n; i++)
        m[0] = x[i] > m[0] ? x[i] : m[0];
    for (uint32_t j = 1; j < LANES; j++)
        m[0] = m[j] > m[0] ? m[j] : m[0];
    return m[0];
}

static void survey_row(struct survey *v, const float *logits, uint32_t n)
{
    v->n_elems = n;
    v->chunk_elems = CHUNK_ELEMS;
    while (num_ceil_div(n, v->chunk_elems) > MAX_CHUNKS)
        v->chunk_elems *= 2;
    v->n_chunks = (uint32_t)num_ceil_div(n, v->chunk_elems);
    for (uint32_t i = 0; i < v->n_chunks; i++) {
        uint32_t begin = i * v->chunk_elems;
        v->most[i] = greatest_of(logits + begin, (uint32_t)num_min(v->chunk_elems, n - begin));
    }
}

/* Lowest id of the greatest logit. */
static bool find_greatest(const struct survey *v, const float *logits, int32_t *id, struct err *e)
{
    const float most = greatest_of(v->most, v->n_chunks);
    if (most == -INFINITY)
        return err_set(e, ERR_STATE, "sample: no token can be chosen (all masked, or not numbers)");
    uint32_t at = 0;
    while (v->most[at] != most)
        at++;
    at *= v->chunk_elems;
    while (logits[at] != most)
        at++;
    *id = (int32_t)at;
    if (most == INFINITY)
        return err_set(e, ERR_STATE, "sample: logit of token %" PRId32 " is infinite", *id);
    return true;
}

/* ---- the heap: greatest logit on top, lower idx first among equals ---- */

static bool goes_before(struct entry a, struct entry b)
{
    return a.logit > b.logit || (a.logit == b.logit && a.idx < b.idx);
}

static void heap_sift(struct entry *heap, uint32_t n, uint32_t at)
{
    struct entry moving = heap[at];
    for (uint32_t child; (child = 2 * at + 1) < n; at = child) {
        if (child + 1 < n && goes_before(heap[child + 1], heap[child]))
            child++;
        if (!goes_before(heap[child], moving))
            break;
        heap[at] = heap[child];
    }
    heap[at] = moving;
}

static void heap_build(struct entry *heap, uint32_t n)
{
    for (uint32_t i = n / 2; i-- > 0;)
        heap_sift(heap, n, i);
}

static struct entry heap_pop(struct entry *heap, uint32_t n)
{
    struct entry top = heap[0];
    heap[0] = heap[n - 1];
    heap_sift(heap, n - 1, 0);
    return top;
}

/* ---- candidates ---- */

/* A value that at least k logits reach, close to the k-th greatest when k is small: the k-th
 * greatest of the chunks' maxima. Only speed depends on how close. */
static float bound_for(const struct survey *v, uint32_t k)
{
    struct entry most[MAX_CHUNKS];
    if (k > v->n_chunks)
        return -FLT_MAX;
    for (uint32_t i = 0; i < v->n_chunks; i++)
        most[i] = (struct entry){v->most[i], i};
    heap_build(most, v->n_chunks);
    float bound = -FLT_MAX;
    for (uint32_t i = 0; i < k; i++)
        bound = heap_pop(most, v->n_chunks - i).logit;
    return bound > -FLT_MAX ? bound : -FLT_MAX;
}

/* All logits >= bound into id, weight (as logits) and, unordered, heap. -infinity and NaN never
 * pass: bound >= -FLT_MAX. */
static uint32_t gather(struct sample_scratch *s, const struct survey *v, const float *logits,
                       float bound)
{
    uint32_t n_cands = 0;
    for (uint32_t chunk = 0; chunk < v->n_chunks; chunk++) {
        if (v->most[chunk] < bound)
            continue;
        uint32_t i = chunk * v->chunk_elems;
        const uint32_t end = (uint32_t)num_min(v->n_elems, (uint64_t)i + v->chunk_elems);
        for (; i < end; i++) {
            if (!(logits[i] >= bound))
                continue;
            s->id[n_cands] = (int32_t)i;
            s->weight[n_cands] = logits[i];
            s->heap[n_cands] = (struct entry){logits[i], n_cands};
            n_cands++;
        }
    }
    return n_cands;
}

/* Keep the candidates up to and including `last` in heap order; ids stay ascending. */
static uint32_t keep_through(struct sample_scratch *s, uint32_t n_cands, struct entry last)
{
    uint32_t n_kept = 0;
    for (uint32_t i = 0; i < n_cands; i++) {
        struct entry one = {s->weight[i], i};
        if (goes_before(last, one))
            continue;
        s->id[n_kept] = s->id[i];
        s->weight[n_kept++] = s->weight[i];
    }
    return n_kept;
}

static uint32_t take_top_k(struct sample_scratch *s, const struct survey *v, const float *logits,
                           uint32_t k)
{
    if (k == 0 || k > v->n_elems)
        k = v->n_elems;
    uint32_t n_cands = gather(s, v, logits, k < v->n_elems ? bound_for(v, k) : -FLT_MAX);
    if (n_cands <= k)
        return n_cands;
    heap_build(s->heap, n_cands);
    struct entry last = {0};
    for (uint32_t i = 0; i < k; i++)
        last = heap_pop(s->heap, n_cands - i);
    return keep_through(s, n_cands, last);
}

/* In f32, as sample_dist holds it, so that every sum of weights sees the same numbers. */
static double weigh(float logit, float most, double temperature)
{
    return (double)expf((float)(((double)logit - (double)most) / temperature));
}

/* Candidates' weights hold logits on entry and exit. Only those whose weight reaches e^-reach enter
 * the heap; reach grows until they hold enough. */
static uint32_t take_top_p(struct sample_scratch *s, const struct sample_params *p, float most,
                           uint32_t n_cands)
{
    double sum = 0;
    for (uint32_t i = 0; i < n_cands; i++)
        sum += weigh(s->weight[i], most, p->temperature);
    const double wanted = p->top_p * sum;
    for (double reach = 8;; reach *= 2) {
        uint32_t n_heap = 0;
        for (uint32_t i = 0; i < n_cands; i++)
            if (reach > 128 || ((double)most - (double)s->weight[i]) / p->temperature <= reach)
                s->heap[n_heap++] = (struct entry){s->weight[i], i};
        heap_build(s->heap, n_heap);
        double got = 0;
        for (uint32_t n_left = n_heap; n_left > 0; n_left--) {
            struct entry last = heap_pop(s->heap, n_left);
            got += weigh(last.logit, most, p->temperature);
            if (got >= wanted || (n_left == 1 && n_heap == n_cands))
                return keep_through(s, n_cands, last);
        }
    }
}

static void finish(struct sample_scratch *s, const struct sample_params *p, float most,
                   uint32_t n_cands, struct sample_dist *out)
{
    *out = (struct sample_dist){.id = s->id, .weight = s->weight};
    for (uint32_t i = 0; i < n_cands; i++) {
        double w = weigh(s->weight[i], most, p->temperature);
        if (w < p->min_p)
            continue;
        s->id[out->n] = s->id[i];
        s->weight[out->n++] = (float)w;
        out->sum += w;
    }
}

bool sample_filter(struct sample_scratch *s, const struct sample_params *p,
                   const struct sample_row *row, struct sample_dist *out, struct err *e)
{
    CHECK(row->n_vocab <= s->n_vocab);
    const float *logits = masked(s, p, row);
    int32_t greatest;
    struct survey survey;
    survey_row(&survey, logits, row->n_vocab);
    if (!find_greatest(&survey, logits, &greatest, e))
        return false;
    if (p->temperature == 0) {
        s->id[0] = greatest;
        s->weight[0] = 1;
        *out = (struct sample_dist){.id = s->id, .weight = s->weight, .sum = 1, .n = 1};
        return true;
    }
    uint32_t n_cands = take_top_k(s, &survey, logits, p->top_k);
    if (p->top_p < 1)
        n_cands = take_top_p(s, p, logits[greatest], n_cands);
    finish(s, p, logits[greatest], n_cands, out);
    return true;
}

double sample_dist_prob(const struct sample_dist *d, int32_t id)
{
    uint32_t lo = 0, hi = d->n;
    while (lo < hi) {
        uint32_t mid = lo + (hi - lo) / 2;
        if (d->id[mid] < id)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo < d->n && d->id[lo] == id ? (double)d->weight[lo] / d->sum : 0;
}

int32_t sample_draw(const struct sample_dist *d, double u)
{
    const double wanted = u * d->sum;
    double got = 0;
    int32_t id = d->id[0];
    for (uint32_t i = 0; i < d->n; i++) {
        if (d->weight[i] == 0)
            continue;
        id = d->id[i]; /* also the answer when u * sum rounds up to the sum */
        got += (double)d->weight[i];
        if (wanted < got)
            break;
    }
    return id;
}

double sample_uniform(const struct sample_params *p, uint64_t position, enum sample_stream stream)
{
    struct philox_block counter = {
        {(uint32_t)position, (uint32_t)(position >> 32), (uint32_t)stream, p->i_choice}};
    struct philox_block r = philox_at(counter, p->seed);
    return ((r.word[0] >> 5) * 0x1p26 + (r.word[1] >> 6)) * 0x1p-53;
}

bool sample_choose(struct sample_scratch *s, const struct sample_params *p,
                   const struct sample_row *row, int32_t *tok, struct err *e)
{
    struct sample_dist dist;
    if (!sample_filter(s, p, row, &dist, e))
        return false;
    *tok = sample_draw(&dist, sample_uniform(p, row->position, SAMPLE_STREAM_DRAW));
    return true;
}

bool sample_logprobs(struct sample_scratch *s, const struct sample_row *row, int32_t chosen,
                     uint32_t n_top, struct sample_logprob *out, struct err *e)
{
    const float *logits = row->logits;
    const uint32_t n = row->n_vocab;
    int32_t greatest;
    CHECK(n <= s->n_vocab && n_top <= n && n_top <= SAMPLE_MAX_TOP_LOGPROBS);
    struct survey survey;
    survey_row(&survey, logits, n);
    if (!find_greatest(&survey, logits, &greatest, e))
        return false;
    const double most = (double)logits[greatest];
    double sum = 0;
    for (uint32_t i = 0; i < n; i++)
        if (logits[i] > -INFINITY)
            sum += (double)expf((float)((double)logits[i] - most));
    const double log_sum = most + log(sum);
    out[0] = (struct sample_logprob){chosen, (float)((double)logits[chosen] - log_sum)};
    uint32_t n_cands = n_top ? gather(s, &survey, logits, bound_for(&survey, n_top)) : 0;
    if (n_cands < n_top)
        return err_set(e, ERR_STATE, "sample: only %" PRIu32 " logits are numbers", n_cands);
    heap_build(s->heap, n_cands);
    for (uint32_t i = 0; i < n_top; i++) {
        struct entry top = heap_pop(s->heap, n_cands - i);
        out[1 + i] = (struct sample_logprob){s->id[top.idx], (float)((double)top.logit - log_sum)};
    }
    return true;
}
