/* stop_match: Knuth-Morris-Pratt over each stop string, side by side; held back is as much as the
 * longest partial match. */
#include "models/stop_match.h"

/* border[i]: longest proper prefix of text[0..i] that is also its suffix. */
static void make_borders(struct stop_match_string *one)
{
    uint32_t n = 0;
    one->border[0] = 0;
    for (uint32_t i = 1; i < one->n_bytes; i++) {
        while (n > 0 && one->text[i] != one->text[n])
            n = one->border[n - 1];
        n += one->text[i] == one->text[n];
        one->border[i] = (uint8_t)n;
    }
}

bool stop_match_init(struct stop_match *s, const struct str *stops, size_t n_stops, struct err *e)
{
    memset(s, 0, sizeof *s);
    for (size_t i = 0; i < n_stops; i++) {
        if (stops[i].n_bytes == 0)
            continue;
        if (s->n_strings == STOP_MATCH_MAX_STRINGS)
            return err_set(e, ERR_LIMIT, "stop: more than %d strings", STOP_MATCH_MAX_STRINGS);
        if (stops[i].n_bytes > STOP_MATCH_MAX_BYTES)
            return err_set(e, ERR_LIMIT, "stop[%zu] has %zu bytes, the limit is %d", i,
                           stops[i].n_bytes, STOP_MATCH_MAX_BYTES);
        struct stop_match_string *one = &s->strings[s->n_strings++];
        one->n_bytes = (uint16_t)stops[i].n_bytes;
        memcpy(one->text, stops[i].p, stops[i].n_bytes);
        make_borders(one);
    }
    return true;
}

/* Takes one byte; returns the length of the longest stop string that it completes, 0 if none. */
static uint32_t step(struct stop_match *s, char c)
{
    uint32_t n_completed = 0;
    for (uint32_t i = 0; i < s->n_strings; i++) {
        struct stop_match_string *one = &s->strings[i];
        while (one->n_matched > 0 && one->text[one->n_matched] != c)
            one->n_matched = one->border[one->n_matched - 1];
        one->n_matched = (uint16_t)(one->n_matched + (one->text[one->n_matched] == c));
        if (one->n_matched == one->n_bytes && one->n_bytes > n_completed)
            n_completed = one->n_bytes;
    }
    return n_completed;
}

static uint32_t longest_partial(const struct stop_match *s)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < s->n_strings; i++)
        n = s->strings[i].n_matched > n ? s->strings[i].n_matched : n;
    return n;
}

/* Of held and content, one after the other, all but the last n_back bytes are shown; these are held
 * if there is no match. */
static struct stop_match_text show(struct stop_match *s, struct str content, size_t n_back)
{
    struct stop_match_text out = {{s->shown, 0}, {content.p, 0}};
    size_t n_total = s->n_held_bytes + content.n_bytes, n_show = n_total - n_back;
    size_t n_from_held = n_show < s->n_held_bytes ? n_show : s->n_held_bytes;
    memcpy(s->shown, s->held, n_from_held);
    out.from_held.n_bytes = n_from_held;
    out.from_push.n_bytes = n_show - n_from_held;
    if (s->is_matched) {
        s->n_held_bytes = 0;
        return out;
    }
    size_t n_stay = s->n_held_bytes - n_from_held;
    memmove(s->held, s->held + n_from_held, n_stay);
    if (content.n_bytes)
        memcpy(s->held + n_stay, content.p + out.from_push.n_bytes,
               content.n_bytes - out.from_push.n_bytes);
    s->n_held_bytes = (uint32_t)n_back;
    return out;
}

struct stop_match_text stop_match_push(struct stop_match *s, struct str content, uint64_t i_token)
{
    if (s->is_matched)
        return (struct stop_match_text){{NULL, 0}, {NULL, 0}};
    for (size_t i = 0; i < content.n_bytes; i++) {
        uint32_t n_completed = step(s, content.p[i]);
        s->n_fed_bytes++;
        if (n_completed == 0)
            continue;
        s->is_matched = true;
        s->match_at_bytes = s->n_fed_bytes - n_completed;
        s->n_keep_tokens = i_token + 1;
        return show(s, (struct str){content.p, i + 1}, n_completed);
    }
    return show(s, content, longest_partial(s));
}

struct str stop_match_end(struct stop_match *s)
{
    struct str out = {s->held, s->n_held_bytes};
    s->n_held_bytes = 0;
    return out;
}
