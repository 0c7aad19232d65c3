#!/bin/sh
# replay NAME_replay...: every fuzz target over its own corpus, tests/fuzz/corpus/NAME. One target is one test.
set -u
n_passed=0 n_failed=0
for program in "$@"; do
    name=$(basename "$program" _replay)
    if output=$("$program" "tests/fuzz/corpus/$name" 2>&1); then
        n_passed=$((n_passed + 1))
        echo "fuzz-replay: $name, $(echo "$output" | tail -n 1)"
    else
        n_failed=$((n_failed + 1))
        echo "$output" | tail -n 40
        echo "FAIL fuzz-replay: $name"
    fi
done
echo "$n_passed passed, $n_failed failed, 0 skipped"
[ "$n_failed" = 0 ]
