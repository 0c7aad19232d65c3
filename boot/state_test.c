#include "boot/state.h"

#include "tests/t.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static struct config c;
static struct state state;
static struct key_table keys;

static void name_dir(const char *tail)
{
    snprintf(c.state_dir, sizeof c.state_dir, "%s/%s", t_scratch_dir(), tail);
}

TEST(state_that_must_exist_is_not_made)
{
    struct err e = {0};
    name_dir("above/state/");
    CHECK_TRUE(!state_open(&state, &c, STATE_MUST_EXIST, &e));
    CHECK_EQ(e.code, ERR_STATE);
    CHECK_TRUE(strstr(e.msg, "no state directory ") && strstr(e.msg, "above/state: "));
    name_dir("above");
    CHECK_TRUE(access(c.state_dir, F_OK) != 0);
    name_dir("above/state");
    CHECK_TRUE(state_open(&state, &c, STATE_MAY_BE_MADE, &e) && state.is_new);
    CHECK_TRUE(state_open(&state, &c, STATE_MAY_BE_MADE, &e) && !state.is_new);
    CHECK_TRUE(state_open(&state, &c, STATE_MUST_EXIST, &e) && !state.is_new);
    CHECK_TRUE(state_keys(&state, &keys, &e) && keys.n_keys == 0);
}

TEST(state_that_others_may_read_is_refused)
{
    struct err e = {0};
    name_dir("state");
    MUST_TRUE(mkdir(c.state_dir, 0755) == 0 && chmod(c.state_dir, 0755) == 0, c.state_dir);
    for (int want = STATE_MUST_EXIST; want <= STATE_MAY_BE_MADE; want++) {
        CHECK_TRUE(!state_open(&state, &c, (enum state_want)want, &e));
        CHECK_TRUE(strstr(e.msg, "chmod 700") != NULL);
    }
}
