#include "runtime/progress.h"

#include "runtime/base/clock.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

enum { FIRST_SHOWN_AFTER_MS = 500, REPAINT_MS = 100, TEXT_BYTES = 128 };

void progress_begin(struct progress *p, const char *what, enum progress_unit unit, uint64_t n_total)
{
    int64_t now_ms = clock_mono_ms();
    *p = (struct progress){.what = what,
                           .unit = unit,
                           .n_total = n_total,
                           .begin_ms = now_ms,
                           .shown_at_ms = now_ms + FIRST_SHOWN_AFTER_MS - REPAINT_MS,
                           .is_terminal = isatty(STDERR_FILENO) == 1};
}

/* "12.3 MiB" or "12 tokens". */
static int print_amount(char *out, size_t n_out_bytes, double amount, enum progress_unit unit)
{
    static const char *const binary[] = {"B", "KiB", "MiB", "GiB", "TiB"};
    if (unit != PROGRESS_BYTES)
        return snprintf(out, n_out_bytes, "%.*f %s", amount < 10 ? 1 : 0, amount,
                        unit == PROGRESS_TOKENS ? "tokens" : "steps");
    size_t i = 0;
    for (; amount >= 1024 && i < 4; i++)
        amount /= 1024;
    return snprintf(out, n_out_bytes, "%.*f %s", i > 0 ? 1 : 0, amount, binary[i]);
}

static void print_left(char *out, size_t n_out_bytes, double left_s)
{
    if (left_s >= 100 * 3600)
        snprintf(out, n_out_bytes, "days left");
    else if (left_s >= 3600)
        snprintf(out, n_out_bytes, "%d h %02d min left", (int)left_s / 3600, (int)left_s / 60 % 60);
    else
        snprintf(out, n_out_bytes, "%d:%02d left", (int)left_s / 60, (int)left_s % 60);
}

void progress_text(const struct progress *p, int64_t elapsed_ms, char *out, size_t n_out_bytes)
{
    double elapsed_s = elapsed_ms > 0 ? (double)elapsed_ms / 1000.0 : 0.001;
    double per_s = (double)p->n_done / elapsed_s;
    char rate[32], done[32], left[32] = "";
    print_amount(rate, sizeof rate, per_s, p->unit);
    print_amount(done, sizeof done, (double)p->n_done, p->unit);
    if (p->n_total && p->n_done)
        print_left(left, sizeof left, (double)(p->n_total - p->n_done) / per_s);
    if (p->n_total)
        snprintf(out, n_out_bytes, "%s %3.0f %%  %s  %s/s  %s", p->what,
                 100.0 * (double)p->n_done / (double)p->n_total, done, rate, left);
    else
        snprintf(out, n_out_bytes, "%s  %s  %s/s", p->what, done, rate);
}

void progress_add(struct progress *p, uint64_t n_more)
{
    p->n_done += n_more;
    if (p->n_total && p->n_done > p->n_total)
        p->n_done = p->n_total;
    int64_t now_ms = clock_mono_ms();
    if (!p->is_terminal || now_ms - p->shown_at_ms < REPAINT_MS)
        return;
    char text[TEXT_BYTES];
    progress_text(p, now_ms - p->begin_ms, text, sizeof text);
    fprintf(stderr, "\r%s\x1b[K", text);
    fflush(stderr);
    p->shown_at_ms = now_ms;
    p->is_shown = true;
}

void progress_end(struct progress *p)
{
    if (p->is_shown)
        fputs("\r\x1b[K", stderr);
    p->is_shown = false;
}
