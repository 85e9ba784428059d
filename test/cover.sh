#!/bin/bash
# cover.sh - line coverage of certs/, proto/ and agent/ after `make cover` has run every test; fails under
# the number in test/COVERAGE, which only rises.
set -u
least=$(cat test/COVERAGE)
find build/cover/certs build/cover/proto build/cover/agent -name '*.gcda' -print0 | sort -z |
    xargs -0 -n 1 sh -c 'gcov -n -s "$PWD" "$0" 2>/dev/null | grep -A1 -E "^File .(certs|proto|agent)/([a-z]+/)?[a-z0-9_]+\.c"' |
    awk -v least="$least" '
        /^File/ { gsub("\047", "", $2); file = $2 }
        /^Lines executed/ { split($2, a, /[:%]/); n = $4; hit += a[2] * n / 100; all += n
                            if (a[2] < 80) printf "%-32s %6.2f%% of %d lines\n", file, a[2], n }
        END { if (all == 0) { print "cover: nothing was run"; exit 1 }
              total = 100 * hit / all
              printf "cover: %.1f%% of %d lines; at least %s%% is wanted\n", total, all, least
              exit total < least }'
