#include "net/limit.h"

#include <string.h>

enum { DAY_S = 86400 };

void limit_init(struct limit *l)
{
    memset(l, 0, sizeof *l);
}

static void fill(struct limit_usage *u, const struct key_record *key, int64_t mono_ms)
{
    memset(u, 0, sizeof *u);
    memcpy(u->id, key->id, sizeof u->id);
    u->requests = (struct limit_bucket){key->limits.requests_per_min, mono_ms};
    u->tokens = (struct limit_bucket){key->limits.tokens_per_min, mono_ms};
}

/* Sorting in place by swaps: no second table of this size is needed. */
void limit_load(struct limit *l, const struct key_table *table, int64_t mono_ms)
{
    for (uint32_t i = 0; i < table->n_keys; i++) {
        uint32_t from = i;
        while (from < l->n_keys && memcmp(l->usage[from].id, table->keys[i].id, KEY_ID_BYTES) != 0)
            from++;
        struct limit_usage moved;
        if (from < l->n_keys) {
            moved = l->usage[from];
            l->usage[from] = l->usage[i];
            l->usage[i] = moved;
            continue;
        }
        if (i <
            l->n_keys) { /* an id yet to be placed stands here: to the end, while there is room */
            if (l->n_keys < KEY_TABLE_MAX)
                l->usage[l->n_keys++] = l->usage[i];
        } else {
            l->n_keys = i + 1;
        }
        fill(&l->usage[i], &table->keys[i], mono_ms);
    }
    l->n_keys = table->n_keys;
}

/* Level of a bucket that refills per_min in a minute and holds as much. */
static double level_at(const struct limit_bucket *b, uint32_t per_min, int64_t mono_ms)
{
    double level = b->level + (double)(mono_ms - b->at_ms) * per_min / 60000.0;
    return level > per_min ? per_min : level;
}

static uint32_t seconds_until(double missing, uint32_t per_min)
{
    double s = missing * 60.0 / per_min;
    return s < 1 ? 1 : s > 60 ? 60 : (uint32_t)s + ((double)(uint32_t)s < s);
}

enum limit_result limit_request(struct limit *l, const struct limit_who *who,
                                uint32_t *retry_after_s)
{
    struct limit_bucket *b = &l->usage[who->key_no].requests;
    uint32_t per_min = who->key->limits.requests_per_min;
    *retry_after_s = 0;
    if (per_min == 0)
        return LIMIT_OK;
    b->level = level_at(b, per_min, who->mono_ms);
    b->at_ms = who->mono_ms;
    if (b->level < 1) {
        *retry_after_s = seconds_until(1 - b->level, per_min);
        return LIMIT_REQUESTS;
    }
    b->level -= 1;
    return LIMIT_OK;
}

static void begin_day(struct limit_usage *u, int64_t wall_s)
{
    if (u->day != wall_s / DAY_S) {
        u->day = wall_s / DAY_S;
        u->day_tokens = 0;
    }
}

enum limit_result limit_reserve(struct limit *l, const struct limit_who *who, uint64_t n_tokens,
                                uint64_t *n_reserved, uint32_t *retry_after_s)
{
    struct limit_usage *u = &l->usage[who->key_no];
    const struct key_limits *k = &who->key->limits;
    *n_reserved = 0;
    *retry_after_s = 0;
    begin_day(u, who->wall_s);
    if (k->n_concurrent && u->n_running >= k->n_concurrent) {
        *retry_after_s = 3; /* about one short answer */
        return LIMIT_CONCURRENT;
    }
    if (k->tokens_per_day && u->day_tokens >= k->tokens_per_day) {
        *retry_after_s = (uint32_t)(DAY_S - who->wall_s % DAY_S);
        return LIMIT_DAY;
    }
    if (k->tokens_per_min) {
        /* one request larger than the bucket waits for a full one, else it could never run */
        double need = n_tokens > k->tokens_per_min ? k->tokens_per_min : (double)n_tokens;
        u->tokens.level = level_at(&u->tokens, k->tokens_per_min, who->mono_ms);
        u->tokens.at_ms = who->mono_ms;
        if (u->tokens.level < need) {
            *retry_after_s = seconds_until(need - u->tokens.level, k->tokens_per_min);
            return LIMIT_TOKENS;
        }
        u->tokens.level -= (double)n_tokens;
    }
    *n_reserved = n_tokens;
    u->day_tokens += n_tokens;
    u->n_running++;
    return LIMIT_OK;
}

void limit_settle(struct limit *l, const struct limit_who *who, uint64_t n_reserved,
                  uint64_t n_used)
{
    struct limit_usage *u = &l->usage[who->key_no];
    if (u->n_running)
        u->n_running--;
    u->tokens.level += (double)n_reserved - (double)n_used;
    if (u->day == who->wall_s / DAY_S)
        u->day_tokens =
            u->day_tokens + n_used > n_reserved ? u->day_tokens + n_used - n_reserved : 0;
    else
        begin_day(u, who->wall_s);
}

static struct limit_state state_of(const struct limit_bucket *b, uint32_t per_min, int64_t mono_ms)
{
    if (per_min == 0)
        return (struct limit_state){0, 0, 0};
    double level = level_at(b, per_min, mono_ms);
    return (struct limit_state){per_min, level > 0 ? (uint32_t)level : 0,
                                (per_min - level) * 60.0 / per_min};
}

struct limit_state limit_requests_state(const struct limit *l, const struct limit_who *who)
{
    return state_of(&l->usage[who->key_no].requests, who->key->limits.requests_per_min,
                    who->mono_ms);
}

struct limit_state limit_tokens_state(const struct limit *l, const struct limit_who *who)
{
    return state_of(&l->usage[who->key_no].tokens, who->key->limits.tokens_per_min, who->mono_ms);
}
