# Sourced by test scripts: a folder of their own, TAP, and processes that do not outlive the script.
# B is the build folder whose programs are tested; $root is the source tree, $work the script's folder.
set -u
root=$(realpath "$(dirname "${BASH_SOURCE[0]}")/../..")
B=$(realpath -m "${B:-$root/build/rel}")
work=$(mktemp -d "${TMPDIR:-/tmp}/certferry-live.XXXXXX")
declare -A alive=() # pid -> what it is
tap_ok=0 tap_failed=0

cleanup() {
    local p
    for p in "${!alive[@]}"; do kill -KILL "$p" 2>/dev/null; done
    [ "${#alive[@]}" -eq 0 ] || wait "${!alive[@]}" 2>/dev/null
    if [ -n "${KEEP:-}" ]; then echo "# kept: $work" >&2; else rm -rf "$work"; fi
}
trap cleanup EXIT
trap 'exit 1' INT TERM HUP
cd "$work" || exit 1

bail() { # WHY: nothing can be tested
    echo "Bail out! $*"
    exit 1
}
need_programs() { # NAME...: of the build folder
    local p
    for p; do [ -x "$B/$p" ] || bail "$B/$p is missing: make VARIANT=$(basename "$B") $p"; done
}
finish() {
    echo "1..$((tap_ok + tap_failed))"
    [ "$tap_failed" -eq 0 ] && [ "$tap_ok" -gt 0 ]
}

ok() { # DESCRIPTION COMMAND...: the command's status decides; its output is shown when it fails
    local what=$1
    shift
    if "$@" >ok.out 2>&1; then
        tap_ok=$((tap_ok + 1))
        echo "ok $((tap_ok + tap_failed)) - $what"
    else
        tap_failed=$((tap_failed + 1))
        echo "not ok $((tap_ok + tap_failed)) - $what"
        { echo "command: $*"; head -c 4000 ok.out; echo; } | sed 's/^/# /'
        [ -z "${STORY:-}" ] || tail -n 8 "$STORY" | cut -c1-300 | sed 's/^/#   /'
    fi
}
skip() { # DESCRIPTION WHY
    tap_ok=$((tap_ok + 1))
    echo "ok $((tap_ok + tap_failed)) - $1 # SKIP $2"
}
is() { # GOT WANTED
    [ "$1" = "$2" ] || { echo "got:    $1"; echo "wanted: $2"; false; }
}
says() { # FILE TEXT...: every one of them stands in FILE
    local file=$1 text
    shift
    for text; do
        grep -qF -- "$text" "$file" || { echo "\"$text\" is not in $file:"; tail -n 12 "$file"; return 1; }
    done
}
not() { ! "$@"; }
nowhere() { # GREP-ARGUMENTS: not found, which is not the same as not able to look
    grep -rqF "$@"
    [ $? -eq 1 ]
}

now_ms() {
    local us=${EPOCHREALTIME/[.,]/}
    echo $((us / 1000))
}
until_true() { # SECONDS COMMAND...: again and again until it succeeds; what it said last if it never does
    local end=$(($(now_ms) + $1 * 1000)) out
    shift
    while ! out=$("$@" 2>&1); do
        [ "$(now_ms)" -lt "$end" ] || { echo "$out"; return 1; }
        sleep 0.1
    done
}

get() { # FILE PATH: one value of a JSON document, as $.data.health
    sqlite3 :memory: "select json_extract(cast(readfile('$1') as text), '$2')"
}
count() { # FILE PATH CONDITION over `value`: how many elements of the array at PATH fulfil it
    sqlite3 :memory: "select count(*) from json_each(cast(readfile('$1') as text), '$2') where $3"
}
