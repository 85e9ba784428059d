# Sourced by tests that judge challenges by HTTPS, instead of plugin.bash: the server (hook.py), devices whose names
# say what it answers, and what it was asked.
# shellcheck source=test/live/plugin.bash
. "$(dirname "${BASH_SOURCE[0]}")/plugin.bash"
command -v python3 >/dev/null || bail "python3 is not installed"

hook= # where it is
hook_start() { # after sandbox_start
    mkdir hook
    python3 "$root/test/live/hook.py" "$dir/tls-server.pem" "$dir/tls-server.key" hook 2>hook.err &
    hook_pid=$!
    alive[$hook_pid]=hook
    until_true 20 test -s hook/port || bail "the hook does not start: $(cat hook.err)"
    hook=https://127.0.0.1:$(cat hook/port)
}
hook_stop() {
    kill "$hook_pid"
    wait "$hook_pid" 2>/dev/null
    unset "alive[$hook_pid]"
}
try() { # GETS-OR-SO NAME ENDPOINT OPTION...: a device with this name as CN and transaction
    local verb=$1 name=$2 where
    where=$(url_of "$3")
    shift 3
    challenge "$name" "secret-of-$name"
    set -- "$where" "$name" --cn "$name" --transaction "$name" --challenge-file "$name.challenge" "$@"
    case $verb in
    gets) gets "$@" ;;
    waits) waits_for "$@" ;;
    *) gets_none "$verb" "$@" ;;
    esac
}
asked() { # PATH NAME [N]: what the hook was asked there stands in ./question
    cp "hook/$1-$2-${3:-1}" question && cp "hook/$1-$2-${3:-1}.header" question.header
}
times() { # PATH NAME: how often it was asked so
    find hook -name "$1-$2-[0-9]" | wc -l
}
der_of() { # PATH: that member of ./question, as a file of DER
    get question "$1" | base64 -d >question.der
}
