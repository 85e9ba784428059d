#!/bin/bash
# run.sh PROGRAM... - runs test programs that print TAP, two a processor, because half of them wait, and sums them up.
# One line a program; the whole output of one that failed.  Closes with "N passed, N failed".
set -u
work=$(mktemp -d "${TMPDIR:-/tmp}/certferry-test.XXXXXX")
trap 'rm -rf "$work"' EXIT
export CMOCKA_MESSAGE_OUTPUT=TAP ASAN_OPTIONS=${ASAN_OPTIONS:-detect_leaks=1:abort_on_error=0} \
    UBSAN_OPTIONS=${UBSAN_OPTIONS:-print_stacktrace=1} TEST_LIMIT=${TEST_LIMIT:-300}

one() {
    program=$1 name=$(basename "$1") out=$2/$(basename "$1")
    start=$(date +%s%N)
    timeout --kill-after=5 "$TEST_LIMIT" "$program" >"$out" 2>&1
    rc=$?
    ms=$((($(date +%s%N) - start) / 1000000))
    bad=$(grep -c '^not ok' "$out")
    skip=$(grep -ciE '^ok.*# *skip' "$out")
    ok=$(($(grep -cE '^ok\b' "$out") - skip))
    [ $rc -ne 0 ] && [ "$bad" -eq 0 ] && bad=1
    [ $((ok + bad + skip)) -eq 0 ] && bad=1
    echo "$ok $bad $skip" >"$out.sum"
    if [ "$bad" -ne 0 ]; then
        { printf '%-28s FAILED (exit %d, %d ms)\n' "$name" $rc $ms; sed 's/^/    /' "$out"; } >"$out.line"
    else
        printf '%-28s %4d ok%s  %6d ms\n' "$name" "$ok" "$([ "$skip" -gt 0 ] && echo ", $skip skipped")" $ms >"$out.line"
        grep -iE '^ok.*# *skip' "$out" | sed 's/^/    SKIPPED /' >>"$out.line"
    fi
    cat "$out.line"
}
export -f one
printf '%s\0' "$@" | xargs -0 -n 1 -P "${TEST_JOBS:-$(($(nproc) * 2))}" bash -c 'one "$1" "$0"' "$work"
read -r ok bad skip < <(cat "$work"/*.sum 2>/dev/null | awk '{o+=$1; b+=$2; s+=$3} END {print o+0, b+0, s+0}')
if [ "$skip" -gt 0 ]; then
    echo "$ok passed, $bad failed, $skip skipped"
else
    echo "$ok passed, $bad failed"
fi
[ "$bad" -eq 0 ] && [ $((ok + skip)) -gt 0 ]
