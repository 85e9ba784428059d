#!/bin/bash
# Devices of every temper against the service: a first certificate, POST and GET, a renewal, waiting for a
# manager, and the same again.  scep-device looks at each answer; this script counts.  Prints TAP.
#
#   B=build/asan test/scep/devices.sh
# shellcheck source=test/live/live.bash
. "$(dirname "$(realpath "$0")")/../live/live.bash"
need_programs scep-device plugins/intune.so plugins/otp.so
tempers=(apple windows android cisco strongswan mikrotik certmonger)

sandbox_start cloud --scep 0
conf=$dir/certferry-scep.conf
drop_in renewals <"$dir/scep-renewals.conf"
sed -E -i "s,path = \"(intune|otp)\",path = \"$B/plugins/\\1.so\"," "$conf" "$dir/conf.d/renewals.conf"
sed -i 's/^  renewal_window = 0/&\n  wait = 1/' "$conf"
agent_start
url=$(cat "$dir/scep-url") renew_url=$(cat "$dir/scep-renew-url")

challenge() { # CN [TTL]: ./challenge
    ctl scep-challenge "{\"subject\":\"CN=$1\",\"san\":[\"dns:$1.contoso.example\"],
        \"ku\":[\"digitalSignature\",\"keyEncipherment\"],\"eku\":[\"1.3.6.1.5.5.7.3.2\"],\"ttl\":${2:-600}}" >challenge
}
device() { # CN OPTIONS...: ./said.out; returns 0 a certificate, 2 refused, 3 pending
    local cn=$1
    shift
    "$B/scep-device" enrol --cn "$cn" --san "dns:$cn.contoso.example" --challenge-file challenge "$@" >said.out 2>&1
}
first() { # TEMPER OPTIONS...
    challenge "$1-dev"
    device "$1-dev" --url "$url" --temper "$1" --out "$1.pem" --keyout "$1.key" "${@:2}" || { cat said.out; return 1; }
}
renewed() { # TEMPER OPTIONS...: by its certificate alone
    : >challenge
    "$B/scep-device" enrol --url "$renew_url" --temper "$1" --cn "$1-dev" --san "dns:$1-dev.contoso.example" \
        --renew-with "$1.pem" --renew-key "$1.key" "${@:2}" >said.out 2>&1 || { cat said.out; return 1; }
}
ends() { # STATUS TEXT COMMAND...
    local want=$1 text=$2 rc
    shift 2
    "$@" >/dev/null 2>&1
    rc=$?
    is "$rc" "$want" && says said.out "$text"
}

for t in "${tempers[@]}"; do
    ok "$t: GetCACaps and GetCACert" "$B/scep-device" look --url "$url" --temper "$t"
    ok "$t: a certificate" first "$t"
    ok "$t: that leads to the root" openssl verify -CAfile "$dir/root-ca.pem" -untrusted "$dir/issuing-ca.pem" "$t.pem"
    ok "$t: a renewal by the certificate alone" renewed "$t"
done
for t in apple windows android strongswan; do
    challenge "$t-get"
    ok "$t: by GET" device "$t-get" --url "$url" --temper "$t" --get
done
ok "a renewal as RenewalReq from one who writes PKCSReq" renewed apple --type 17
ok "a renewal as PKCSReq from one who writes RenewalReq" renewed windows --type 19

# ---- waiting ------------------------------------------------------------------------------------------------
for t in apple windows android cisco strongswan; do
    challenge "$t-waits"
    fault ca.submit pending "\"polls\":3,\"match\":\"$t-waits\""
    ok "$t: told to wait, polls, gets it" device "$t-waits" --url "$url" --temper "$t" --poll 30 --out "$t-waits.pem"
done
challenge impatient
fault ca.submit pending '"polls":1000,"match":"impatient"'
ok "who does not poll is told to wait" ends 3 PENDING device impatient --url "$url" --temper windows

# ---- refusals -----------------------------------------------------------------------------------------------
echo 0123456789ABCDEF0123456789ABCDEF >challenge
ok "a wrong challenge" ends 2 failInfo=2 device wrong --url "$url" --temper apple
challenge late -1
ok "a challenge whose time is over" ends 2 failInfo=3 device late --url "$url" --temper apple
challenge somebody
ok "somebody else's challenge" ends 2 failInfo=2 device anybody --url "$url" --temper android
ok "an EC key, which no reply can be encrypted to" ends 2 failInfo=0 device ec --url "$url" --temper strongswan --key p256
challenge denied
fault ca.submit deny '"match":"denied"'
ok "the CA says no" ends 2 failInfo=2 device denied --url "$url" --temper windows
ok "which Intune was told" until_true 10 test "$(ledger '"event":"scep-failure"')" -eq 1
ok "and nothing that Intune could not understand" is "$(ledger '"event":"refused"')" 0

# ---- the end --------------------------------------------------------------------------------------------------
ok "the service ends well" agent_stop
ok "and the sandbox" sandbox_stop
finish
