#include "net/metrics.h"

#include "net/api.h"
#include "net/gen.h"

#include <inttypes.h>
#include <string.h>

static const char *const finishes[] = {[METRICS_STOP] = "stop",
                                       [METRICS_LENGTH] = "length",
                                       [METRICS_CANCEL] = "cancel",
                                       [METRICS_ERROR] = "error"};
_Static_assert(sizeof finishes / sizeof *finishes == METRICS_N_FINISHES, "a word per ending");

void metrics_init(struct metrics *m, int64_t wall_s)
{
    memset(m, 0, sizeof *m);
    m->start_wall_s = wall_s;
    uint32_t n_s = sizeof stats_second_bounds / sizeof *stats_second_bounds;
    uint32_t n_tok = sizeof stats_token_bounds / sizeof *stats_token_bounds;
    stats_hist_init(&m->ttft_s, stats_second_bounds, n_s);
    stats_hist_init(&m->gap_s, stats_second_bounds, n_s);
    stats_hist_init(&m->e2e_s, stats_second_bounds, n_s);
    stats_hist_init(&m->queue_s, stats_second_bounds, n_s);
    stats_hist_init(&m->prefill_s, stats_second_bounds, n_s);
    stats_hist_init(&m->prompt_len, stats_token_bounds, n_tok);
    stats_hist_init(&m->generation_len, stats_token_bounds, n_tok);
}

void metrics_count_request(struct metrics *m, const char *path, uint16_t status)
{
    uint32_t i = 0;
    while (i < m->n_requests && (m->requests[i].path != path || m->requests[i].status != status))
        i++;
    if (i == sizeof m->requests / sizeof *m->requests)
        return;
    if (i == m->n_requests)
        m->requests[m->n_requests++] = (struct metrics_requests){path, status, 0};
    m->requests[i].n++;
}

static void count_name(struct metrics_named *list, uint32_t *n_list, uint32_t n_room,
                       const char *name)
{
    uint32_t i = 0;
    while (i < *n_list && strcmp(list[i].name, name) != 0)
        i++;
    if (i == n_room)
        return;
    if (i == *n_list)
        list[(*n_list)++] = (struct metrics_named){name, 0};
    list[i].n++;
}

void metrics_count_rejected(struct metrics *m, const char *code)
{
    count_name(m->rejected, &m->n_rejected, sizeof m->rejected / sizeof *m->rejected, code);
}

void metrics_count_tls_error(struct metrics *m, const char *reason)
{
    count_name(m->tls_errors, &m->n_tls_errors, sizeof m->tls_errors / sizeof *m->tls_errors,
               reason);
}

static void put_type(struct text *t, const char *name, const char *help, const char *type)
{
    text_fmt(t, "# HELP hearth_%s %s\n# TYPE hearth_%s %s\n", name, help, name, type);
}

static void put_hist(struct text *t, const char *name, const char *help, const struct stats_hist *h)
{
    uint64_t n = 0;
    put_type(t, name, help, "histogram");
    for (uint32_t i = 0; i < h->n_bounds; i++) {
        n += h->counts[i];
        text_fmt(t, "hearth_%s_bucket{le=\"%g\"} %" PRIu64 "\n", name, h->bounds[i], n);
    }
    text_fmt(t,
             "hearth_%s_bucket{le=\"+Inf\"} %" PRIu64
             "\nhearth_%s_sum %.9g\nhearth_%s_count %" PRIu64 "\n",
             name, h->n, name, h->sum, name, h->n);
}

static void put_label(struct text *t,
                      struct str s) /* exposition format: \, " and newline are escaped */
{
    for (size_t i = 0; i < s.n_bytes; i++) {
        char c = s.p[i];
        if (c == '\\' || c == '"')
            text_puts(t, "\\");
        text_put(t, c == '\n' ? STR("\\n") : (struct str){&s.p[i], 1});
    }
}

static void put_gauge(struct text *t, const char *name, const char *help, double value)
{
    put_type(t, name, help, "gauge");
    text_fmt(t, "hearth_%s %.10g\n", name, value);
}

static void put_build(struct text *t, const struct api *a)
{
    put_type(t, "build_info", "What is running", "gauge");
    text_puts(t, "hearth_build_info{fingerprint=\"");
    put_label(t, str_of(a->info.fingerprint));
    text_puts(t, "\",model=\"");
    put_label(t, str_of(a->info.model_id));
    text_puts(t, "\",quant=\"");
    put_label(t, str_of(a->info.quant));
    text_puts(t, "\"} 1\n");
}

static void put_labelled(const struct metrics *m, struct text *t)
{
    put_type(t, "requests_total", "Finished requests", "counter");
    for (uint32_t i = 0; i < m->n_requests; i++)
        text_fmt(t, "hearth_requests_total{path=\"%s\",code=\"%u\"} %" PRIu64 "\n",
                 m->requests[i].path, m->requests[i].status, m->requests[i].n);
    put_type(t, "request_finish_total", "Finished generations", "counter");
    for (int i = 0; i < METRICS_N_FINISHES; i++)
        text_fmt(t, "hearth_request_finish_total{reason=\"%s\"} %" PRIu64 "\n", finishes[i],
                 m->n_finished[i]);
    put_type(t, "rejected_total", "Requests answered with an error", "counter");
    for (uint32_t i = 0; i < m->n_rejected; i++)
        text_fmt(t, "hearth_rejected_total{code=\"%s\"} %" PRIu64 "\n", m->rejected[i].name,
                 m->rejected[i].n);
    put_type(t, "tls_handshake_errors_total", "Handshakes that failed", "counter");
    for (uint32_t i = 0; i < m->n_tls_errors; i++)
        text_fmt(t, "hearth_tls_handshake_errors_total{reason=\"%s\"} %" PRIu64 "\n",
                 m->tls_errors[i].name, m->tls_errors[i].n);
}

void metrics_print(const struct metrics *m, const struct api *a, struct text *t)
{
    put_labelled(m, t);
#define X(field, name, help)                                                                       \
    put_type(t, name, help, "counter");                                                            \
    text_fmt(t, "hearth_%s %" PRIu64 "\n", name, m->field);
    METRICS_COUNTERS(X)
#undef X
    put_gauge(t, "requests_running", "Generations with a place", gen_n_running(a));
    put_gauge(t, "requests_waiting", "Generations without one", gen_n_waiting(a));
    put_gauge(t, "model_loaded", "1 when requests can be served",
              a->engine_state == API_ENGINE_IS_READY);
    put_gauge(t, "start_time_seconds", "Start of this process", (double)m->start_wall_s);
    put_build(t, a);
#define X(field, name, help) put_hist(t, name, help, &m->field);
    METRICS_HISTOGRAMS(X)
#undef X
}
