#!/bin/sh
# run_tests [--all]: every stage of `make test` (and of `make check-all`), from the source root.
# Each stage adds to one tally; the last line is "N passed, N failed, N skipped" and the exit status follows it.
set -u
unset MAKEFLAGS MFLAGS MAKELEVEL MODE ARCH # each stage is a make of its own, with its own parallelism
all=${1:-}
host=$(uname -m)
case $host in x86_64) other=aarch64 ;; *) other=x86_64 ;; esac
n_passed=0 n_failed=0 n_skipped=0
logs=build/logs
mkdir -p $logs

have() { command -v "$1" >/dev/null 2>&1; }
make_quiet() { make --no-print-directory "$@"; }

count() { # NAME passed|failed|skipped: one test
    printf '%-8s %s\n' "$2" "$1"
    case $2 in
    passed) n_passed=$((n_passed + 1)) ;;
    failed) n_failed=$((n_failed + 1)) ;;
    skipped) n_skipped=$((n_skipped + 1)) ;;
    esac
}

# stage NAME COMMAND...: passes, fails or (status 77) is skipped as one test; a command whose last line is a tally
# counts as that many. The output is shown only when something is wrong.
stage() {
    name=$1
    shift
    log=$logs/$(echo "$name" | tr ' /' '__').log
    "$@" >"$log" 2>&1
    status=$?
    tally=$(tail -n 1 "$log" | sed -n 's/^\([0-9]*\) passed, \([0-9]*\) failed, \([0-9]*\) skipped$/\1 \2 \3/p')
    if [ $status = 77 ]; then
        count "$name: $(tail -n 1 "$log")" skipped
    elif [ -n "$tally" ]; then
        add_tally "$name" $tally
    elif [ $status = 0 ]; then
        count "$name" passed
    fi
    if [ $status != 0 ] && [ $status != 77 ]; then
        grep -v -e '^  CC ' -e '^  LD ' "$log" | tail -n 60
        # a failed run whose tally says otherwise (a crash after it, a make error) is still a failure
        [ -n "$tally" ] && [ "${tally#* 0 }" = "$tally" ] || count "$name (build/logs has the output)" failed
    fi
}

add_tally() {
    n_passed=$((n_passed + $2)) n_failed=$((n_failed + $3)) n_skipped=$((n_skipped + $4))
    printf '%-8s %s: %s passed, %s failed, %s skipped\n' "$([ "$3" = 0 ] && echo passed || echo failed)" "$1" "$2" "$3" "$4"
    [ "$4" = 0 ] || sed -n '/SKIP/s/^/         /p' "$log" | head -n 20
}

# needs TOOL NAME COMMAND...: the stage, or one counted skip where set-up could not get the tool
needs() {
    tool=$1
    shift
    if have "$tool"; then
        stage "$@"
    else
        count "$1: $tool is not installed" skipped
    fi
}

emulated_tests() { make_quiet ARCH=$other unit; }
fuzz_targets() { ls tests/fuzz/*_fuzz.c >/dev/null 2>&1; }

stage "layers" tests/lint/layers.sh
stage "lint" tests/lint/rules.sh
stage "format" tests/lint/format.sh
stage "harness" tests/lint/harness.sh
stage "build" make_quiet build
stage "unit tests" make_quiet unit
stage "unit tests, ASan and UBSan" make_quiet MODE=asan unit
needs clang "clang, no warning" make_quiet MODE=clang objects
if have qemu-$other-static || have qemu-$other; then
    needs $other-linux-gnu-gcc "unit tests, $other" emulated_tests
else
    count "unit tests, $other: qemu-user is not installed" skipped
fi
if fuzz_targets; then
    stage "fuzz corpora, ASan and UBSan" make_quiet MODE=asan fuzz-replay
fi
if [ -f boot/main.c ]; then
    stage "static binary" tests/lint/static.sh build/hearth
    needs $other-linux-gnu-gcc "build, $other" make_quiet ARCH=$other build/rel/$other/hearth
    [ ! -f build/rel/$other/hearth ] || stage "static binary, $other" tests/lint/static.sh build/rel/$other/hearth
fi
for script in tests/e2e/*.sh tests/e2e/*.py; do
    [ -x "$script" ] && stage "$(basename "$script")" "$script" build/hearth
done
if [ "$all" = --all ]; then
    stage "unit tests, TSan" make_quiet MODE=tsan unit
    needs cppcheck "cppcheck" cppcheck -q --error-exitcode=1 --inline-suppr -I. --suppress='*:build/*' boot runtime kernels models net
    fuzz_targets && stage "fuzzers" make_quiet fuzz FUZZ_S=60
fi

echo "$n_passed passed, $n_failed failed, $n_skipped skipped" | tee $logs/tally
[ "$n_failed" = 0 ] && [ "$n_passed" -gt 0 ]
