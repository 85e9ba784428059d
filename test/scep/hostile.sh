#!/bin/bash
# Hostile messages, 64 clients with one challenge, and what a decryption oracle would need, against the
# service with Intune's stand-in behind it.  Prints TAP.
#
#   B=build/asan test/scep/hostile.sh [TIMES]    with TIMES (say 700) each kind's answers are timed too
# shellcheck source=test/live/live.bash
. "$(dirname "$(realpath "$0")")/../live/live.bash"
need_programs scep-hostile plugins/intune.so plugins/otp.so

sandbox_start cloud --scep 0
conf=$dir/certferry-scep.conf
drop_in renewals <"$dir/scep-renewals.conf"
sed -E -i "s,path = \"(intune|otp)\",path = \"$B/plugins/\\1.so\"," "$conf" "$dir/conf.d/renewals.conf"
agent_start

hostile() { # MODE OPTIONS...: ./said.tap
    "$B/scep-hostile" "$1" --url "$(cat "$dir/scep-url")" --renew-url "$(cat "$dir/scep-renew-url")" \
        --sandbox "$dir" "${@:2}" >said.tap 2>&1
}
passes() { # MODE OPTIONS...: what failed is shown
    hostile "$@" && return
    grep -A 1 -E '^not ok|^Bail' said.tap || cat said.tap
    return 1
}

# Each case by itself, so that the sum says how many there are.
hostile rows
while IFS= read -r line; do
    case $line in
    'ok '* | 'not ok '*) name=${line#*- } ;;&
    'ok '*) ok "$name" true ;;
    'not ok '*) read -r why; ok "$name" is "${why#\# }" '' ;;
    'Bail out!'*) bail "${line#Bail out! }" ;;
    esac
done <said.tap
ok "the list of cases came to its end" grep -q '^1\.\.' said.tap
ok "one challenge, 64 clients: one certificate" passes race --clients 64
ok "seven ways to be wrong, one answer" passes oracle --times "${1:-0}"
ok "nothing that Intune could not understand" is "$(ledger '"event":"refused"')" 0
ok "no secret and no token in the log" nowhere -F -e "$(cat "$dir/intune-secret.txt")" -e eyJ0 said
ok "the service ends well" agent_stop
ok "and the sandbox" sandbox_stop
finish
