#!/bin/bash
# Debian's scepclient encrypts with single DES, whatever it is offered: the service refuses it, says why, and never
# asks the CA.  Prints TAP.
#
#   B=build/asan test/interop/scep_scepclient.sh
# shellcheck source=test/live/scep.bash
. "$(dirname "$(realpath "$0")")/../live/scep.bash"
command -v scepclient >/dev/null || {
    skip "scepclient" "scepclient is not installed (package scep)"
    finish
    exit
}
device() { # ENDPOINT: a folder of its own, for its key and certificates
    mkdir -p "device-$1"
    (cd "device-$1" && timeout 30 scepclient -server-url "$(url_of "$1")" -challenge "$password" -cn "single-$1" \
        -private-key client.key -certificate client.pem -keySize 2048 -debug) >"said/scepclient-$1" 2>&1
}

sandbox_start cloud --ca-key rsa # it encrypts to every certificate it is given
scep_open
password=none-of-anybodys-business
for ca in adcs est; do scep_section "$ca" "$ca" 'challenge = "none"'; done
agent_start
for ca in adcs est; do
    ok "$ca: the service is there" until_true 20 health_is "$(url_of "$ca")" 200
    ok "$ca: single DES: the device gets nothing" not device "$ca"
    ok "$ca: and is told badAlg" says "said/scepclient-$ca" badAlg
    refusal() { grep -F "\"peer\":\"$ca\"" "$log" | grep -F ScepVerifyFailure >refusal; }
    ok "$ca: the service's log has the refusal" refusal
    ok "$ca: and its reason" says refusal ERR_UNSUPPORTED 'content encryption 1.3.14.3.2.7'
    ok "$ca: the device has no certificate" not test -e "device-$ca/client.pem"
done
ok "the CA was never asked" is "$(ledger csr-received)" 0
ok "nothing is open" exits 0 requests list --all --json
ok "(nothing at all)" is "$(get out '$.data.requests')" '[]'
ok "SIGTERM: exit 0" agent_stop
rm said/scepclient-*
ok "the challenge stands nowhere in what the service said" nowhere "$password" said
finish
