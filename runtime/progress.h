/* progress: one line on stderr, rewritten in place, for work that takes long: share done, rate,
 * time left. Nothing at all is printed when stderr is not a terminal, or when the work is over
 * before half a second has passed. Thread: one. Allocates: never. */
#ifndef RUNTIME_PROGRESS_H
#define RUNTIME_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum progress_unit { PROGRESS_BYTES, PROGRESS_TOKENS, PROGRESS_STEPS };

struct progress {
    const char *what; /* "quantize", borrowed */
    enum progress_unit unit;
    uint64_t n_total, n_done; /* in units; n_total 0 = not known */
    int64_t begin_ms, shown_at_ms;
    bool is_terminal, is_shown;
};

void progress_begin(struct progress *p, const char *what, enum progress_unit unit,
                    uint64_t n_total);
/* n_more units are done; repaints at most ten times a second. */
void progress_add(struct progress *p, uint64_t n_more);
/* Wipes the line, so that what is printed next stands alone. */
void progress_end(struct progress *p);

/* The text of the line after elapsed_ms, without control characters: what progress_add paints. */
void progress_text(const struct progress *p, int64_t elapsed_ms, char *out, size_t n_out_bytes);

#endif
