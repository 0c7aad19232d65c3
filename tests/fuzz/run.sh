#!/bin/sh
# run SECONDS NAME_fuzz...: each libFuzzer target for that long. New inputs and crashes stay under build/fuzz/found/NAME.
set -u
seconds=$1 n_passed=0 n_failed=0
shift
for program in "$@"; do
    name=$(basename "$program" _fuzz) found=build/fuzz/found/$(basename "$program" _fuzz)
    mkdir -p "$found" "tests/fuzz/corpus/$name"
    if "$program" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
        -artifact_prefix="$found/" "$found" "tests/fuzz/corpus/$name" >"$found.log" 2>&1; then
        n_passed=$((n_passed + 1))
        echo "fuzz: $name, $(sed -n 's/stat::number_of_executed_units: */inputs tried: /p' "$found.log")"
    else
        n_failed=$((n_failed + 1))
        tail -n 40 "$found.log"
        echo "FAIL fuzz: $name, input in $found"
    fi
done
echo "$n_passed passed, $n_failed failed, 0 skipped"
[ "$n_failed" = 0 ]
