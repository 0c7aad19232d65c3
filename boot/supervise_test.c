#include "boot/supervise.h"

#include "tests/t.h"

TEST(supervise_restarts_a_dead_role_after_a_growing_pause)
{
    struct sup s;
    sup_init(&s, 5000, 3000);
    CHECK_EQ(sup_step(&s, SUP_EV_START, 0), SUP_ACT_SPAWN);
    CHECK_EQ(sup_step(&s, SUP_EV_SAID_READY, 10), SUP_ACT_NONE);
    int64_t now_ms = 100;
    for (uint32_t pause_ms = 100; pause_ms <= 6400; pause_ms *= 2) {
        CHECK_EQ(sup_step(&s, SUP_EV_EXITED, now_ms), SUP_ACT_NONE);
        CHECK_EQ(s.deadline_at_ms, now_ms + pause_ms);
        now_ms = s.deadline_at_ms;
        CHECK_EQ(sup_step(&s, SUP_EV_DEADLINE, now_ms), SUP_ACT_SPAWN);
        CHECK_EQ(sup_step(&s, SUP_EV_SAID_READY, now_ms), SUP_ACT_NONE);
    }
    sup_step(&s, SUP_EV_EXITED, now_ms);
    CHECK_EQ(s.deadline_at_ms, now_ms + SUP_BACK_OFF_MAX_MS);
}

TEST(supervise_forgets_the_pause_after_a_minute_of_health)
{
    struct sup s;
    sup_init(&s, 5000, 0);
    sup_step(&s, SUP_EV_START, 0);
    sup_step(&s, SUP_EV_SAID_READY, 0);
    sup_step(&s, SUP_EV_EXITED, 1);
    sup_step(&s, SUP_EV_DEADLINE, 101);
    sup_step(&s, SUP_EV_SAID_READY, 101);
    sup_step(&s, SUP_EV_EXITED, 101 + SUP_HEALTHY_MS);
    CHECK_EQ(s.deadline_at_ms, 101 + SUP_HEALTHY_MS + SUP_BACK_OFF_MIN_MS);
}

TEST(supervise_gives_up_a_role_that_never_becomes_ready)
{
    struct sup s;
    sup_init(&s, 5000, 0);
    CHECK_EQ(sup_step(&s, SUP_EV_START, 0), SUP_ACT_SPAWN);
    CHECK_EQ(sup_step(&s, SUP_EV_EXITED, 1), SUP_ACT_NONE);
    CHECK_EQ(sup_step(&s, SUP_EV_DEADLINE, 200), SUP_ACT_SPAWN);
    CHECK_EQ(sup_step(&s, SUP_EV_EXITED, 201), SUP_ACT_NONE);
    CHECK_EQ(sup_step(&s, SUP_EV_DEADLINE, 500), SUP_ACT_SPAWN);
    CHECK_EQ(sup_step(&s, SUP_EV_EXITED, 501), SUP_ACT_GIVE_UP);
    CHECK_EQ(s.state, SUP_GIVEN_UP);
    CHECK_EQ(sup_step(&s, SUP_EV_DEADLINE, 99999), SUP_ACT_NONE);
}

TEST(supervise_kills_a_role_that_hangs)
{
    struct sup s;
    sup_init(&s, 5000, 3000);
    sup_step(&s, SUP_EV_START, 0);
    CHECK_EQ(s.deadline_at_ms, 5000);
    CHECK_EQ(sup_step(&s, SUP_EV_DEADLINE, 5000), SUP_ACT_KILL); /* too slow to start */
    sup_step(&s, SUP_EV_EXITED, 5001);
    sup_step(&s, SUP_EV_DEADLINE, 5101);
    sup_step(&s, SUP_EV_SAID_READY, 5200);
    sup_step(&s, SUP_EV_BEAT, 7000);
    CHECK_EQ(s.deadline_at_ms, 10000);
    CHECK_EQ(sup_step(&s, SUP_EV_DEADLINE, 10000), SUP_ACT_KILL); /* silent */
}

TEST(supervise_stops_once_and_does_not_restart)
{
    struct sup s;
    sup_init(&s, 0, 0);
    sup_step(&s, SUP_EV_START, 0);
    CHECK_EQ(s.deadline_at_ms, INT64_MAX); /* no start limit */
    sup_step(&s, SUP_EV_SAID_READY, 10);
    CHECK_EQ(sup_step(&s, SUP_EV_STOP, 20), SUP_ACT_ASK_STOP);
    CHECK_EQ(sup_step(&s, SUP_EV_STOP, 21), SUP_ACT_NONE);
    CHECK_EQ(sup_step(&s, SUP_EV_DEADLINE, 20 + SUP_STOP_MS), SUP_ACT_KILL);
    CHECK_EQ(sup_step(&s, SUP_EV_EXITED, 20 + SUP_STOP_MS), SUP_ACT_NONE);
    CHECK_EQ(s.state, SUP_DOWN);
    CHECK_EQ(s.deadline_at_ms, INT64_MAX);
}
