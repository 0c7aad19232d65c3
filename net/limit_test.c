#include "net/limit.h"

#include "tests/t.h"

static struct limit limit;
static struct key_table table;

static struct limit_who who_at(int key_no, int64_t mono_ms)
{
    return (struct limit_who){&table.keys[key_no], key_no, mono_ms, 1000000 + mono_ms / 1000};
}

static void load(const char *ids, struct key_limits limits)
{
    table.n_keys = (uint32_t)strlen(ids);
    for (uint32_t i = 0; i < table.n_keys; i++) {
        memset(table.keys[i].id, ids[i], KEY_ID_BYTES);
        table.keys[i].limits = limits;
    }
    limit_load(&limit, &table, 0);
}

TEST(limit_requests_refill_steadily)
{
    limit_init(&limit);
    load("a", (struct key_limits){.requests_per_min = 60});
    uint32_t retry_s;
    struct limit_who who = who_at(0, 0);
    for (int i = 0; i < 60; i++)
        CHECK_EQ(limit_request(&limit, &who, &retry_s), LIMIT_OK);
    CHECK_EQ(limit_request(&limit, &who, &retry_s), LIMIT_REQUESTS);
    CHECK_EQ(retry_s, 1);
    struct limit_state state = limit_requests_state(&limit, &who);
    CHECK_EQ(state.limit, 60);
    CHECK_EQ(state.remaining, 0);
    CHECK_NEAR(state.reset_s, 60, 1e-6);
    who = who_at(0, 1000);
    CHECK_EQ(limit_request(&limit, &who, &retry_s), LIMIT_OK);
    CHECK_EQ(limit_request(&limit, &who, &retry_s), LIMIT_REQUESTS);
    who = who_at(0, 3600000);
    CHECK_EQ(limit_requests_state(&limit, &who).remaining, 60);
}

TEST(limit_tokens_are_reserved_and_settled)
{
    limit_init(&limit);
    load("a", (struct key_limits){.tokens_per_min = 6000});
    struct limit_who who = who_at(0, 0);
    uint64_t n_reserved;
    uint32_t retry_s;
    CHECK_EQ(limit_reserve(&limit, &who, 5000, &n_reserved, &retry_s), LIMIT_OK);
    CHECK_EQ(limit_reserve(&limit, &who, 5000, &n_reserved, &retry_s), LIMIT_TOKENS);
    CHECK_EQ(retry_s, 40);
    limit_settle(&limit, &who, 5000, 1000);
    CHECK_EQ(limit_tokens_state(&limit, &who).remaining, 5000);
    CHECK_EQ(limit_reserve(&limit, &who, 5000, &n_reserved, &retry_s), LIMIT_OK);
    limit_settle(&limit, &who, n_reserved, 5000);
    who = who_at(0, 60000);
    CHECK_EQ(limit_reserve(&limit, &who, 1000000, &n_reserved, &retry_s),
             LIMIT_OK); /* larger than the bucket */
    CHECK_EQ(limit_tokens_state(&limit, &who).remaining, 0);
}

TEST(limit_concurrency_and_day_budget_hold)
{
    limit_init(&limit);
    load("a", (struct key_limits){.n_concurrent = 2, .tokens_per_day = 100});
    struct limit_who who = who_at(0, 0);
    uint64_t n_reserved;
    uint32_t retry_s;
    CHECK_EQ(limit_reserve(&limit, &who, 10, &n_reserved, &retry_s), LIMIT_OK);
    CHECK_EQ(limit_reserve(&limit, &who, 10, &n_reserved, &retry_s), LIMIT_OK);
    CHECK_EQ(limit_reserve(&limit, &who, 10, &n_reserved, &retry_s), LIMIT_CONCURRENT);
    limit_settle(&limit, &who, 10, 10);
    limit_settle(&limit, &who, 10, 5);
    CHECK_EQ(limit.usage[0].n_running, 0);
    CHECK_EQ(limit_reserve(&limit, &who, 85, &n_reserved, &retry_s), LIMIT_OK);
    CHECK_EQ(limit_reserve(&limit, &who, 1, &n_reserved, &retry_s), LIMIT_DAY);
    CHECK_EQ(retry_s, 86400 - 1000000 % 86400);
    limit_settle(&limit, &who, 85, 85);
    who = who_at(0, (int64_t)86400 * 1000);
    CHECK_EQ(limit_reserve(&limit, &who, 1, &n_reserved, &retry_s), LIMIT_OK);
}

TEST(limit_without_limits_says_yes)
{
    limit_init(&limit);
    load("a", (struct key_limits){0});
    struct limit_who who = who_at(0, 0);
    uint64_t n_reserved;
    uint32_t retry_s;
    for (int i = 0; i < 1000; i++)
        MUST_TRUE(limit_request(&limit, &who, &retry_s) == LIMIT_OK &&
                      limit_reserve(&limit, &who, 1u << 30, &n_reserved, &retry_s) == LIMIT_OK,
                  NULL);
    CHECK_EQ(limit.usage[0].n_running, 1000);
    CHECK_EQ(limit_requests_state(&limit, &who).limit, 0);
}

TEST(limit_usage_follows_the_id_through_a_reload)
{
    limit_init(&limit);
    load("abcd", (struct key_limits){.requests_per_min = 100});
    uint32_t retry_s;
    for (int k = 0; k < 4; k++)
        for (int i = 0; i <= k; i++) {
            struct limit_who who = who_at(k, 0);
            CHECK_EQ(limit_request(&limit, &who, &retry_s), LIMIT_OK);
        }
    load("dxab", (struct key_limits){.requests_per_min = 100});
    static const uint32_t want[] = {96, 100, 99, 98};
    for (int k = 0; k < 4; k++) {
        struct limit_who who = who_at(k, 0);
        CHECK_EQ(limit_requests_state(&limit, &who).remaining, want[k]);
    }
}
