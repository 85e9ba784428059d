# Sourced by tests of challenge plugins, instead of scep.bash: sections, challenges as files, and what a service that
# will not start with a plugin says.
# shellcheck source=test/live/scep.bash
. "$(dirname "${BASH_SOURCE[0]}")/scep.bash"
need_programs scep-device
: >secrets # what must stand in no log and no answer

plugin_section() { # NAME PATH LINE...: plugin "NAME" at PATH
    local name=$1 path=$2 o
    shift 2
    {
        printf 'plugin "%s" {\n  path = "%s"\n' "$name" "$path"
        for o; do printf '  %s\n' "$o"; done
        echo '}'
    } | drop_in "plugin-$name"
}
judged() { # ENDPOINT PLUGIN OPTION...: an endpoint whose challenges this plugin judges
    local name=$1 plugin=$2
    shift 2
    scep_section "$name" est "plugin = \"$plugin\"" 'failures_per_minute = 0' "$@"
}
serves() { # ENDPOINT: the service runs, and devices can enrol there
    agent_start || bail "the service does not start: $(tail -n 3 "$log")"
    until_true 20 health_is "$(url_of "$1")" 403 || bail "nobody can enrol: $(tail -n 3 "$log")"
}
include= # the folder of certferry/plugin.h
shared_object() { # NAME OPTION...: NAME.so from standard input, with the installed header alone
    gcc -shared -fPIC -I "$include" -o "$1.so" "${@:2}" -x c - 2>gcc.err || bail "gcc: $(cat gcc.err)"
}
# refuses TEXT...: the service does not start and says so, and so do `check` and `plugin test`
refuses() {
    local said=$work/said/refusal-$((++starts))
    timeout 30 "$B/certferry" run --config "$conf" 2>"$said" >>"$said"
    is $? 78 || { cat "$said"; return 1; }
    says "$said" "$@" && exits 6 plugin test "$plugin" && says all "$@" && exits 6 check && says all "$@"
}
challenge() { # NAME TEXT: what the device NAME will know, in NAME.challenge
    printf '%s\n' "$2" | tee -a secrets >"$1.challenge"
}
open_files() { # of the service
    find "/proc/$agent_pid/fd" -mindepth 1 2>/dev/null | wc -l
}
children() { # of the service, dead ones that nobody has asked for included
    cat "/proc/$agent_pid/task/"*/children 2>/dev/null | wc -w
}
no_secrets() { # FILE-OR-FOLDER...
    sort -u secrets | grep . >to-find
    [ -s to-find ] && nowhere -f to-find "$@"
}
