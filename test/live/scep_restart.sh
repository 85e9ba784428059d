#!/bin/bash
# The SCEP service stops, or is killed, while devices wait and the CA is slow: every device gets its certificate
# afterwards, with its challenge, and no other.  Prints TAP.
#
#   B=build/asan test/live/scep_restart.sh
# shellcheck source=test/live/scep.bash
. "$(dirname "$(realpath "$0")")/scep.bash"
need_programs scep-device plugins/otp.so

sandbox_start cloud
scep_open
echo admin:longer-than-needed >admin.txt
chmod 600 admin.txt
drop_in plugin <<CONF
plugin "otp" {
  path = "$B/plugins/otp.so"
  settings = {"challenge_max=1000"}
}
listen "tls" {
  address = "127.0.0.1:0"
  certificate = "$dir/tls-server.pem"
  key = "$dir/tls-server.key"
}
CONF
for ca in adcs est; do
    scep_section "$ca" "$ca" 'plugin = "otp"' "admin_password = \"$work/admin.txt\"" 'failures_per_minute = 100000'
    scep_section "manual-$ca" "$ca" 'challenge = "none"' 'general_template = "ManualUser"' 'wait = 30'
done
agent_start
challenge() { # ENDPOINT NAME
    http_code --cacert "$dir/tls-ca.pem" -u "$(cat admin.txt)" "https://127.0.0.1:$(port_of tls)/$1_admin" >code
    iconv -f UTF-16 -t UTF-8 body | grep -oP 'password is: <B> \K(\S*)' >"$2.challenge"
    cat "$2.challenge" >>secrets
    [ -s "$2.challenge" ] || bail "no challenge: $(cat code)"
}
in_background() { # URL NAME OPTION...: $device
    local url=$1 name=$2
    shift 2
    "$B/scep-device" enrol --url "$url" --temper strongswan --out "$name.pem" "$@" >"$name.out" 2>&1 &
    device=$!
    alive[$device]=device
}
ended() { # sets $rc
    wait "$device"
    rc=$?
    unset "alive[$device]"
}
at_ca() { # CN
    [ "$(ledger "\"csr-received\".*$1")" -ge 1 ]
}
again() { # CA NAME: what the device does when it has lost its answer
    gets "$(url_of "$1")" "$2" --use-key "$2.private" --cn "$2" --challenge-file "$2.challenge" --poll 20
}
prepare() { # CA NAME WHERE-THE-CA-IS-SLOW
    openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out "$2.private" 2>openssl.err
    challenge "$1" "$2"
    fault "$3" delay "\"ms\":2000,\"match\":\"$2\""
    in_background "$(url_of "$1")" "$2" --use-key "$2.private" --cn "$2" --challenge-file "$2.challenge" --poll 0
    until_true 10 at_ca "$2"
}
keys_of() { # CN: how many keys the CA has seen for it
    ledger csr-received >/dev/null
    grep "\"cn\":\"$1\"" ledger.out | sed -n 's/.*"spkiSha256":"\([^"]*\)".*/\1/p' | sort -u | wc -l
}
orphans() { # CN
    cf orphans list --json
    count out '$.data.orphans' "json_extract(value, '\$.subject') = 'CN=$1'"
}
: >secrets

for ca in est adcs; do
    where=est.enroll
    [ $ca = est ] || where=ca.submit

    # ---- killed in the middle of a submission ------------------------------------------------------------
    prepare $ca "killed-$ca" $where
    kill -KILL "$agent_pid"
    agent_ended 2>agent.err
    ended
    ok "$ca: kill -9 while the CA answers: the device hears nothing" is $rc 1
    agent_start
    ok "$ca: it asks again, and gets its certificate" again $ca "killed-$ca"
    ok "$ca: for its key" same_key "killed-$ca.pem" "killed-$ca.private"
    cp "killed-$ca.pem" "killed-$ca.first"
    ok "$ca: and again" again $ca "killed-$ca"
    ok "$ca: the same one" cmp "killed-$ca.pem" "killed-$ca.first"
    # Neither CA can be asked what became of a CSR: it is sent again, never another key, and what may have been lost
    # is listed.
    ok "$ca: what the CA has issued is over one key" is "$(ledger "\"issued\".*killed-$ca") $(keys_of "killed-$ca")" \
        "2 1"
    ok "$ca: the lost one is an orphan" is "$(orphans "killed-$ca")" 1
    ok "$ca: its challenge serves nobody else" gets_none 2 "$(url_of $ca)" thief --cn thief \
        --challenge-file "killed-$ca.challenge"

    # ---- stopped while a device waits: it is told to poll, and the submission is not cut -----------------
    prepare $ca "stopped-$ca" $where
    kill -TERM "$agent_pid"
    agent_ended
    ok "$ca: SIGTERM while a device waits: exit 0" is $rc 0
    ok "$ca: within 5 seconds ($took_ms ms)" test "$took_ms" -lt 5000
    ended
    ok "$ca: the device has its certificate, or polls" test $rc -eq 0 -o $rc -eq 3
    agent_start
    ok "$ca: and has it after the restart" again $ca "stopped-$ca"
    ok "$ca: the CA has issued one" is "$(ledger "\"issued\".*stopped-$ca")" 1

    # ---- stopped while the CA has not decided --------------------------------------------------------------
    openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out "decided-$ca.private" 2>openssl.err
    as_it_is=(--use-key "decided-$ca.private" --cn "decided-$ca")
    ok "$ca: the CA has not decided: the device is told so at once" waits_for "$(url_of "manual-$ca")" "decided-$ca" \
        "${as_it_is[@]}"
    kill -KILL "$agent_pid"
    agent_ended 2>agent.err
    ctl approve "decided-$ca" >ctl.out
    agent_start
    ok "$ca: approved while no service runs: the device gets it" gets "$(url_of "manual-$ca")" "decided-$ca" \
        "${as_it_is[@]}" --poll 20
    ok "$ca: one submission, one certificate" is "$(ledger "\"issued\".*decided-$ca")" 1
done

# ---- many devices, killed again and again ------------------------------------------------------------------
many=8
fault est.enroll delay '"ms":300,"count":-1,"match":"crowd"'
crowd=()
one_of_them() { # N: until it has its certificate, as a device goes on
    local n=$1 i
    for i in $(seq 60); do
        "$B/scep-device" enrol --url "$(url_of est)" --temper strongswan --use-key "crowd-$n.private" --cn "crowd-$n" \
            --challenge-file "crowd-$n.challenge" --out "crowd-$n.pem" --poll 5 >"crowd-$n.out" 2>&1
        case $? in 0) return 0 ;; 2) return 2 ;; esac
        sleep 0.3
    done
    return 1
}
for n in $(seq $many); do
    openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out "crowd-$n.private" 2>openssl.err
    challenge est "crowd-$n"
done
for n in $(seq $many); do
    # The service's port changes with every start: whoever asks looks again.
    (
        trap - EXIT
        port_of() { grep -h -m 1 "\"$1\".*listens on port" "$(ls -t said/log-* | head -n 1)" | sed 's/.*port \([0-9]*\).*/\1/'; }
        one_of_them "$n"
    ) &
    crowd+=($!)
    alive[$!]=device
done
for n in 1 2 3; do
    sleep 0.$((n * 2 + 1))
    kill -KILL "$agent_pid"
    agent_ended 2>agent.err
    agent_start
done
failed=0
for p in "${crowd[@]}"; do
    wait "$p" || failed=$((failed + 1))
    unset "alive[$p]"
done
ok "$many devices, and a service that is killed three times: each gets its certificate" is $failed 0
listed() { # every certificate that a device has not got may be found
    local n issued
    for n in $(seq $many); do
        issued=$(ledger "\"issued\".*crowd-$n\"")
        is "$(keys_of "crowd-$n")" 1 || return
        [ "$issued" -eq 1 ] || [ "$(orphans "crowd-$n")" -ge 1 ] || { echo "crowd-$n: $issued issued"; return 1; }
    done
}
ok "over one key each; what was issued once more is listed" listed

ok "SIGTERM: exit 0" agent_stop
cut -d: -f2 admin.txt >>secrets
ok "no challenge and no password in any log or answer" nowhere -f secrets said
finish
