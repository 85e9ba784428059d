#!/bin/bash
# certmonger enrols, renews and changes its key at the service, in front of both kinds of CA.  It runs on a message
# bus of its own, with folders of its own.  Prints TAP.
#
#   B=build/asan test/interop/scep_certmonger.sh
# shellcheck source=test/live/scep.bash
. "$(dirname "$(realpath "$0")")/../live/scep.bash"
need_programs plugins/otp.so
for p in certmonger getcert dbus-daemon; do
    command -v $p >/dev/null && continue
    skip "certmonger" "$p is not installed (packages certmonger, dbus)"
    finish
    exit
done

# ---- the service, and a challenge that may serve often: certmonger sends it with every renewal ------------
sandbox_start cloud
scep_open
echo 'a challenge for certmonger' >challenge
chmod 600 challenge
drop_in plugin <<CONF
plugin "one" {
  path = "$B/plugins/otp.so"
  settings = {"single_password=yes",
    "i_accept_that_everybody_with_this_password_gets_any_certificate=yes"}
  secrets = {"single=$work/challenge"}
}
CONF
# It puts a friendlyName into every request.  Answers without content it takes for a broken connection, so it knows
# a FAILURE only as NDES gives it, and a PENDING not at all: it sends the same request again later.
friendly_name='attributes = {"1.2.840.113549.1.9.7", "1.2.840.113549.1.9.14", "1.2.840.113549.1.9.20"}'
for ca in adcs est; do
    scep_section "$ca" "$ca" 'plugin = "one"' "$friendly_name"
    scep_section "ndes-$ca" "$ca" 'plugin = "one"' 'ndes = true' "$friendly_name"
    scep_section "manual-$ca" "$ca" 'challenge = "none"' 'ndes = true' 'general_template = "ManualUser"' 'wait = 1' \
        "$friendly_name"
done
agent_start

# ---- certmonger --------------------------------------------------------------------------------------------
mkdir -p home cas requests local
export HOME=$work/home CERTMONGER_CAS_DIR=$work/cas CERTMONGER_REQUESTS_DIR=$work/requests \
    CERTMONGER_LOCAL_CA_DIR=$work/local CERTMONGER_TMPDIR=$work CERTMONGER_CONFIG_DIR=$work/home
dbus-daemon --session --nofork --nopidfile --address="unix:path=$work/bus" 2>dbus.err &
bus=$!
alive[$bus]=dbus
export DBUS_SESSION_BUS_ADDRESS=unix:path=$work/bus
until_true 10 test -S bus || bail "no message bus: $(cat dbus.err)"
certmonger -n -s -d 2 >certmonger.log 2>&1 &
monger=$!
alive[$monger]=certmonger
until_true 20 getcert list-cas -s || bail "certmonger does not start: $(cat certmonger.log)"

in_state() { # ID STATE
    getcert list -s -i "$1" >list.out 2>&1
    says list.out "status: $2" || { cat list.out; return 1; }
}
enrol() { # ID CA-OF-CERTMONGER CN OPTION...
    local id=$1 ca=$2 cn=$3
    shift 3
    getcert request -s -c "$ca" -I "$id" -k "$work/$id.key" -f "$work/$id.pem" -g 2048 -N "O=Contoso,CN=$cn" \
        -D "$cn.contoso.example" "$@" >getcert.out 2>&1 || { cat getcert.out; return 1; }
}
certificate_is() { # ID CN
    same_key "$1.pem" "$1.key" && subject_is "$1.pem" "O = Contoso, CN = $2" &&
        has_san "$1.pem" "DNS:$2.contoso.example" && chain_holds "$1.pem"
}
is_another() { # FILE SERIAL
    [ -s "$1" ] && [ "$(serial_of "$1")" != "$2" ]
}

for ca in adcs est; do
    until_true 20 health_is "$(url_of "$ca")" 403
    ok "$ca: add-scep-ca" getcert add-scep-ca -s -c "$ca" -u "$(url_of "$ca")" -N "$dir/root-ca.pem"
    ok "$ca: request" enrol "d-$ca" "$ca" "cm-$ca" -L "$(cat challenge)"
    ok "$ca: enrolled, and watched: MONITORING" until_true 20 in_state "d-$ca" MONITORING
    ok "$ca: the certificate is the one asked for" certificate_is "d-$ca" "cm-$ca"
    first=$(serial_of "d-$ca.pem")
    cp "d-$ca.key" old.key

    ok "$ca: rekey" getcert rekey -s -i "d-$ca" -g 2048 -G rsa
    ok "$ca: another certificate" until_true 20 is_another "d-$ca.pem" "$first"
    ok "$ca: MONITORING again" until_true 20 in_state "d-$ca" MONITORING
    ok "$ca: for another key, with the same names" certificate_is "d-$ca" "cm-$ca"
    ok "$ca: (it is another key)" not cmp -s "d-$ca.key" old.key
    second=$(serial_of "d-$ca.pem")

    ok "$ca: resubmit: renewal with the same key" getcert resubmit -s -i "d-$ca"
    ok "$ca: another certificate" until_true 20 is_another "d-$ca.pem" "$second"
    ok "$ca: MONITORING once more" until_true 20 in_state "d-$ca" MONITORING
    ok "$ca: of the same names and key" certificate_is "d-$ca" "cm-$ca"

    getcert add-scep-ca -s -c "ndes-$ca" -u "$(url_of "ndes-$ca")" -N "$dir/root-ca.pem" >getcert.out 2>&1
    ok "$ca: answers as NDES gives them: request" enrol "n-$ca" "ndes-$ca" "ndes-$ca" -L "$(cat challenge)"
    ok "$ca: MONITORING" until_true 20 in_state "n-$ca" MONITORING
    ok "$ca: the certificate is the one asked for" certificate_is "n-$ca" "ndes-$ca"
    ok "$ca: a wrong challenge" enrol "wrong-$ca" "ndes-$ca" "wrong-$ca" -L guess
    ok "$ca: is refused: CA_REJECTED" until_true 20 in_state "wrong-$ca" CA_REJECTED
    ok "$ca: and has no certificate" not test -s "wrong-$ca.pem"
    ok "$ca: the CA was not asked" is "$(ledger "wrong-$ca")" 0

    getcert add-scep-ca -s -c "manual-$ca" -u "$(url_of "manual-$ca")" -N "$dir/root-ca.pem" >getcert.out 2>&1
    enrol "m-$ca" "manual-$ca" "manual-$ca"
    ok "$ca: the CA has not decided: certmonger will ask again" until_true 20 in_state "m-$ca" CA_UNREACHABLE
    ctl approve "manual-$ca" >ctl.out
    approved() { in_state "m-$ca" MONITORING || { getcert refresh -s -i "m-$ca"; false; }; }
    ok "$ca: approved: MONITORING" until_true 20 approved
    ok "$ca: the certificate is the one asked for" certificate_is "m-$ca" "manual-$ca"
done
ok "one certificate of the CA for each that certmonger got" is "$(ledger '"event":"issued"')" 10

# ---- the end -----------------------------------------------------------------------------------------------
kill -TERM "$monger" "$bus"
wait "$monger" "$bus" 2>/dev/null
unset "alive[$monger]" "alive[$bus]"
ok "nothing is open" exits 0 requests list --json
ok "(nothing at all)" is "$(get out '$.data.requests')" '[]'
cf orphans list --json
ok "there are no orphans" is "$(get out '$.data.orphans')" '[]'
ok "SIGTERM: exit 0" agent_stop
ok "the challenge stands nowhere in what was said" nowhere "$(cat challenge)" said
finish
