#include "boot/names.h"

#include "tests/t.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static bool has(const struct names *l, const char *name)
{
    for (uint32_t i = 0; i < l->n; i++)
        if (strcmp(l->at[i], name) == 0)
            return true;
    return false;
}

TEST(names_hold_the_box_and_the_operators_own_once_each)
{
    static struct config c;
    static struct names a, b;
    struct err e = {0};
    config_defaults(&c);
    snprintf(c.names, sizeof c.names, "Front.Example, localhost,FD00:0:0::9");
    MUST_TRUE(names_collect(&a, &c, &e) && names_collect(&b, &c, &e), e.msg);
    CHECK_TRUE(has(&a, "localhost") && has(&a, "127.0.0.1") && has(&a, "::1"));
    CHECK_TRUE(has(&a, "front.example") && has(&a, "fd00::9"));
    CHECK_STR(a.at[0], "localhost");
    for (uint32_t i = 1; i < a.n; i++)
        CHECK_TRUE(strcmp(a.at[i], "localhost") != 0);
    CHECK_TRUE(names_equal(&a, &b));
    b.at[b.n - 1][0] = 'x';
    CHECK_TRUE(!names_equal(&a, &b));
    b = a;
    b.n--;
    CHECK_TRUE(!names_equal(&a, &b));
}

TEST(names_are_looked_up_ten_seconds_after_the_first_message_or_after_a_minute)
{
    int pair[2];
    MUST_TRUE(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, pair) == 0, strerror(errno));
    struct names_watch w;
    names_watch_open(&w, 1000);
    CHECK_EQ(w.check_at_ms, 1000 + NAMES_RECHECK_MS);
    if (w.fd >= 0)
        close(w.fd);
    w.fd = pair[0];
    names_watch_heard(&w, 2000); /* nothing there */
    CHECK_EQ(w.check_at_ms, 1000 + NAMES_RECHECK_MS);
    for (int i = 0; i < 3; i++)
        MUST_TRUE(write(pair[1], "change", 6) == 6, NULL);
    names_watch_heard(&w, 3000);
    CHECK_EQ(w.check_at_ms, 3000 + NAMES_SETTLE_MS);
    MUST_TRUE(write(pair[1], "change", 6) == 6, NULL);
    names_watch_heard(&w, 9000); /* flapping does not put it off */
    CHECK_EQ(w.check_at_ms, 3000 + NAMES_SETTLE_MS);
    CHECK_TRUE(!names_watch_is_due(&w, 12999));
    CHECK_TRUE(names_watch_is_due(&w, 13000));
    CHECK_TRUE(!names_watch_is_due(&w, 13001));
    CHECK_EQ(w.check_at_ms, 13000 + NAMES_RECHECK_MS);
}
