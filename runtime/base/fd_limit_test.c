#include "runtime/base/fd_limit.h"

#include "tests/t.h"

#include <string.h>
#include <sys/resource.h>

static struct rlimit limit(void)
{
    struct rlimit r = {0, 0};
    MUST_TRUE(getrlimit(RLIMIT_NOFILE, &r) == 0, NULL);
    return r;
}

TEST(fd_limit_is_raised_to_what_is_needed_and_never_lowered)
{
    struct err e = {0};
    MUST_TRUE(setrlimit(RLIMIT_NOFILE, &(struct rlimit){40, 200}) == 0, NULL);
    MUST_TRUE(fd_limit_raise(30, "max_connections", &e), e.msg);
    CHECK_EQ(limit().rlim_cur, 40);
    MUST_TRUE(fd_limit_raise(200, "max_connections", &e), e.msg);
    CHECK_EQ(limit().rlim_cur, 200);
    CHECK_EQ(limit().rlim_max, 200);
}

TEST(fd_limit_beyond_the_hard_limit_is_refused_by_name)
{
    struct err e = {0};
    MUST_TRUE(setrlimit(RLIMIT_NOFILE, &(struct rlimit){40, 200}) == 0, NULL);
    CHECK_TRUE(!fd_limit_raise(201, "max_connections", &e));
    CHECK_EQ(e.code, ERR_LIMIT);
    CHECK_TRUE(strstr(e.msg, "max_connections needs 201 open files, the hard limit is 200"));
    CHECK_EQ(limit().rlim_cur, 40);
}
