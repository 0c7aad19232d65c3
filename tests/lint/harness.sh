#!/bin/sh
# harness: the unit test harness calls bad tests bad. Builds a few, then compares its verdicts with what they must be.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cat >"$work/bad_test.c" <<'END'
#include "tests/t.h"
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

TEST(good) { CHECK_EQ(1 + 1, 2); }
TEST(wrong_number) { CHECK_EQ(UINT64_MAX, -1); }
TEST(wrong_text) { CHECK_STR("a", "b"); }
TEST(wrong_bytes) { CHECK_BYTES("abc", "abd", 3); }
TEST(not_near) { CHECK_NEAR(1.0, 1.1, 0.01); }
TEST(nan_is_not_near) { CHECK_NEAR(0.0 / 0.0, 0.0, 1.0); }
TEST(no_check) {}
TEST(crashes) { CHECK_TRUE(true); raise(SIGSEGV); }
TEST(exits_early) { CHECK_TRUE(true); exit(0); }
TEST(hangs) { CHECK_TRUE(true); for (;;) pause(); }
TEST(must_stops) { MUST_TRUE(false, "because"); raise(SIGSEGV); }
TEST(skips) { SKIP("no such machine"); }
TEST(fails_then_skips) { CHECK_TRUE(false); SKIP("too late"); }
END
${CC:-gcc} -std=c11 -D_GNU_SOURCE -w -I. -o "$work/bad" "$work/bad_test.c" tests/t.c -lm
verdict=0
"$work/bad" -t 1 -j 4 >"$work/out" 2>"$work/err" || verdict=$?
want='crashes exits_early fails_then_skips hangs must_stops nan_is_not_near no_check not_near wrong_bytes wrong_number wrong_text'
got=$(sed -n 's/^FAIL \([a-z_]*\) .*/\1/p' "$work/err" | sort | tr '\n' ' ')
if [ "$got" != "$want " ] || [ "$(cat "$work/out")" != "1 passed, 11 failed, 1 skipped" ] || [ $verdict != 1 ]; then
    cat "$work/err" "$work/out"
    echo "harness: failed tests are: $got, status $verdict"
    exit 1
fi
[ "$("$work/bad" good)" = "1 passed, 0 failed, 0 skipped" ] || exit 1
if "$work/bad" no_such_test 2>/dev/null; then
    echo "harness: a filter that selects nothing passes"
    exit 1
fi
echo "harness: clean"
