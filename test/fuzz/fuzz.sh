#!/bin/bash
# fuzz.sh SECONDS PROGRAM... - each target for so long, two at a time; new inputs stay in build/fuzz.
set -u
seconds=$1; shift
fails=0
one() {
    name=$(basename "$2"); grown=build/fuzz/grown/$name; seeds=test/fuzz/corpus/${name#fuzz_}
    mkdir -p "$grown" "$seeds"
    if "$2" -max_total_time="$1" -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
        -artifact_prefix="build/fuzz/$name-" "$grown" "$seeds" >"build/fuzz/$name.log" 2>&1; then
        echo "ok - $name $(grep -E 'number_of_executed_units' "build/fuzz/$name.log" | awk '{print $2}') inputs, no finding"
    else
        echo "not ok - $name: $(grep -E 'ERROR|SUMMARY' "build/fuzz/$name.log" | tail -n 1); see build/fuzz/$name.log"
        return 1
    fi
}
export -f one
printf '%s\0' "$@" | xargs -0 -n 1 -P 2 bash -c 'one "$0" "$1"' "$seconds" || fails=1
exit $fails
