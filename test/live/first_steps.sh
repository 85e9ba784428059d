#!/bin/bash
# The first ten minutes as certferry-first-steps(7) tells them: each command of the page is run on a terminal, in its order,
# against the sandbox behind tinyproxy, and what it prints must be what the page says (first_steps.py names what may
# differ).  With --record the page gets the outputs of this run.  Prints TAP.
#
#   B=build/asan test/live/first_steps.sh [--record]
# shellcheck source=test/live/signin.bash
. "$(dirname "$(realpath "$0")")/signin.bash"
# shellcheck source=test/live/proxy.bash
. "$root/test/live/proxy.bash"
page=$root/packaging/man/certferry-first-steps.7.scd
recording=${1:-}
login=ferry:pr0xy-passw0rd

have_proxy tinyproxy || { skip "the first steps" "tinyproxy is not installed"; finish; exit; }

# ---- the world: a cloud, a proxy that wants a login, a CA that can be switched off ----------------------------------------
ca_on() {
    "$root/test/live/relay.py" "$ca_port" "${base##*:}" 2>>relay.err &
    ca_pid=$!
    alive[$ca_pid]=relay
    until_true 20 listens "$ca_port" || bail "no way to the CA: $(cat relay.err)"
}
ca_off() {
    kill "$ca_pid"
    wait "$ca_pid" 2>/dev/null
    unset "alive[$ca_pid]"
}
somebody_approves() { # as soon as a code waits
    until_true 25 ctl approve-code any >approved.out &
    alive[$!]=approval
}
is_retried() { # SECONDS: and will not be before that
    cf requests show "$id" --json && is "$(get out '$.data.request.state')" retrying &&
        test "$(($(date -d "$(get out '$.data.request.next')" +%s) - $(date +%s)))" -ge "$1"
}
takes_place() { # WHAT: a line "; test: WHAT" of the page
    case $1 in
    'somebody approves') somebody_approves ;;
    'request anna') ask anna adcs ContosoUser && until_true 30 is_delivered "$id" ;;
    'the CA goes away') ca_off ;;
    'request bela waits') ask bela adcs ContosoUser && until_true 60 is_retried 4 ;;
    'the CA comes back') until_true 120 is_retried 7 && ca_on ;; # the administrator is first
    'delivered') until_true 30 is_delivered "$id" ;;
    *) false ;;
    esac
}

# ---- the page ---------------------------------------------------------------------------------------------------------------
names() { # what the page calls it
    printf '%s\t%s\n' "$work/etc" /etc/certferry "$work/state" /var/lib/certferry "${base#https://}" cloud.test:8443 \
        "localhost:$ca_port" ca-01.test:8443 "127.0.0.2:$proxy_port" 10.20.30.4:3128 \
        127.0.0.2 10.20.30.4 127.0.0.1 cloud.test localhost ca-01.test
}
configure() {
    mkdir etc
    cp "$dir/tls-ca.pem" etc/contoso-tls.pem
    cp "$dir/root-ca.pem" etc/contoso-root.pem
    conf=$work/etc/certferry.conf
    "$root/test/live/first_steps.py" configuration "$page" | sed "s|cloud.test:8443|${base#https://}|
        s|ca-01.test:8443|localhost:$ca_port|" >"$conf"
    export CERTFERRY_STORE_DIR=$work/state CERTFERRY_CLOUD_POLL_INTERVAL=2
}
typed() { # NUMBER WAITED-FOR TYPED ... -- WORDS...: on a terminal; what stood there is steps/NUMBER
    local number=$1 script=()
    shift
    while [ "$1" != -- ]; do script+=("$1"); shift; done
    shift
    "$root/test/live/typist.py" "${script[@]}" -- "$B/certferry" "$@" --config "$conf" >"steps/$number" </dev/null
    rc=$?
    { echo "== certferry $* -> $rc"; cat "steps/$number"; } >>said/commands
    [ "$rc" -ne 124 ] || { echo "it does not ask, or does not end:"; cat "steps/$number"; false; }
}
same() { # NUMBER
    [ "$recording" = --record ] || "$root/test/live/first_steps.py" same "$page" "$1" "steps/$1" names
}
certferry() { # NUMBER WORDS...: as an administrator types it
    local number=$1
    shift
    case $* in
    'secret set'*)
        typed "$number" ': ' "$(cat "$dir/ca-password.txt")\\n" ': ' "$(cat "$dir/ca-password.txt")\\n" -- "$@"
        ;;
    'sign-in'*) typed "$number" '[y/N] ' 'y\n' -- "$@" ;;
    'proxy set'*) typed "$number" -- proxy set "http://127.0.0.2:$proxy_port" "${@:4}" ;;
    *) typed "$number" -- "$@" ;;
    esac && same "$number"
}
step() { # NUMBER COMMAND...: of a line "$ COMMAND"
    local number=$1
    shift
    case $* in
    'certferry requests show '* | 'certferry requests retry '*)
        echo "$id" >"steps/$number.id"
        set -- "${@:1:3}" "$id"
        ;;
    esac
    case $* in
    'certferry status'* | 'certferry requests list'*) until_true 20 certferry "$number" "${@:2}" ;; # what happens meanwhile shows
    'certferry '*) certferry "$number" "${@:2}" ;;
    'systemctl enable --now certferry') agent_start ;;
    'nano proxy-login') (umask 077 && echo "$login" >proxy-login) ;;
    'rm proxy-login') rm proxy-login ;;
    'apt install '* | 'install '*) ;;
    *) false ;;
    esac
}

mkdir steps
sandbox_start sandbox --sign-in mtls
tinyproxy_start proxy 'Listen 127.0.0.2' "BasicAuth ${login/:/ }"
ca_port=$(free_port)
ca_on
names >"$work/names"
configure
"$root/test/live/first_steps.py" steps "$page" >list
while read -r what number line <&3; do
    # shellcheck disable=SC2086
    if [ "$what" = 'do' ]; then ok "($number${line:+ $line})" takes_place "$number${line:+ $line}"; else ok "$line" step "$number" $line; fi
done 3<list
agent_stop
if [ "$recording" = --record ] && [ "$tap_failed" -eq 0 ]; then
    ok "recorded: read what has changed" "$root/test/live/first_steps.py" record "$page" steps names
fi
ok "no word of the page could change unnoticed, no line is too long" is \
    "$("$root/test/live/first_steps.py" blind "$page")" ''
ok "no password in anything that was said" nowhere -e "${login#*:}" -e "$(cut -d: -f2 "$dir/ca-password.txt")" said
finish
