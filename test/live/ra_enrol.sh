#!/bin/bash
# Certificates of the registration authority that the service enrols for itself: first ones, renewal, devices that
# still have the old ones, crashes in between, CAs that refuse or issue something else.  Prints TAP.
#
#   B=build/asan test/live/ra_enrol.sh
# shellcheck source=test/live/scep.bash
. "$(dirname "$(realpath "$0")")/scep.bash"
need_strongswan

ra_section() { # NAME CA SIGNING-TEMPLATE ENCRYPTION-TEMPLATE
    drop_in "scep-$1" <<CONF
scep "$1" {
  ca = "$2"
  paths = {"/$1/mscep.dll"}
  challenge = "none"
  general_template = "ContosoUser"
  ra_signing_template = "$3"
  ra_encryption_template = "$4"
  ra_subject = "CN=$1-MSCEP-RA, O=Contoso"
}
CONF
}
number_of() { # CERTIFICATE: its serial number as certferry writes it
    serial_of "$1" | sed 's/^0*//'
}
db() { # SQL on the store, while no service has it
    sqlite3 "$dir/state/certferry.db" "$1"
}
shown() { # ENDPOINT PATH: a value of ra show
    cf ra show --json
    sqlite3 :memory: "select json_extract(value, '$2') from json_each(cast(readfile('out') as text),
        '\$.data.endpoints') where json_extract(value, '\$.endpoint') = '$1'"
}
generation_is() { # ENDPOINT N
    is "$(shown "$1" '$.generation') $(shown "$1" '$.inUse')" "$2 1"
}
given_serials() { # ENDPOINT: what GetCACert has first: signing and encryption
    curl -s --max-time 20 "$(url_of "$1")?operation=GetCACert&message=x" -o given.p7 &&
        openssl pkcs7 -inform der -in given.p7 -print_certs -out given.pem || return
    awk '/BEGIN/ { n++ } n <= 2' given.pem >two.pem
    csplit -s -z -f two- two.pem '/BEGIN/' '{*}'
    rm -f two-00
    echo "$(number_of two-01) $(number_of two-02)"
}
serials() { # ENDPOINT: what ra show says of the same
    echo "$(shown "$1" '$.signing.serialNumber') $(shown "$1" '$.encryption.serialNumber')"
}
enrols() { # ENDPOINT NAME: a device with the certificates in `roles`
    device_key "$2.key" && pki_scep "$(url_of "$1")" "$2" --dn "CN=$2, O=Contoso" && same_key "$2.pem" "$2.key" &&
        chain_holds "$2.pem"
}

sandbox_start ra --scep 0
drop_in cas <<CONF
ca "est" {
  templates = {"ContosoUser", "EnrollmentAgentOffline", "CEPEncryption", "DeniedUser"}
}
ca "adcs" {
  templates = {"ContosoUser", "EnrollmentAgentOffline", "CEPEncryption", "ManualUser"}
}
CONF
drop_in listen <<CONF
listen "plain" {
  address = "127.0.0.1:0"
}
CONF
ra_section one est EnrollmentAgentOffline CEPEncryption

# ---- the first generation ----------------------------------------------------------------------------------
fault est.enroll http-503 '"count":-1,"retryAfter":1'
agent_start
ok "the CA is away: the health URL says 503" until_true 10 health_is "$(url_of one)" 503
ok "and why" says "$log" 'the registration authority has no certificates yet'
ok "ra show" exits 0 ra show
ok "says so too, and what is being done" says out 'NONE IN USE' 'request ra-one-1-e'
fetch_code() { http_code "$(url_of one)?operation=GetCACert&message=x"; }
ok "devices get no certificates yet" not is "$(fetch_code)" 200
ctl clear-faults >ctl.out
ok "the CA is back: both certificates are enrolled" until_true 60 generation_is one 1
ok "ra show: who, until when, from where" exits 0 ra show
ok "has names, thumbprints, days" says out 'scep "one"' 'enrolled by the service' 'CN=one-MSCEP-RA, O=Contoso' \
    SHA-1 SHA-256 'days left'
ok "GetCACert gives these two first" is "$(given_serials one)" "$(serials one)"
usage() { # CERTIFICATE: key usage and extended key usage
    openssl x509 -in "$1" -noout -ext keyUsage,extendedKeyUsage | grep -v X509v3 | sed 's/^ *//' | paste -sd ' '
}
ok "the signing certificate may sign, and nothing else" is "$(usage two-01)" \
    'Digital Signature 1.3.6.1.4.1.311.20.2.1'
ok "the encryption certificate may encrypt, and nothing else" is "$(usage two-02)" \
    'Key Encipherment 1.3.6.1.4.1.311.20.2.1'
ok "two keys, not one twice" not is "$(openssl x509 -in two-01 -noout -pubkey)" "$(openssl x509 -in two-02 \
    -noout -pubkey)"
ok "no key is in the store as it is" nowhere -a 'RSA PRIVATE' "$dir/state"
ok "pki reads them" scep_ca "$(url_of one)"
ok "and enrols" enrols one first

# ---- a renewal -----------------------------------------------------------------------------------------------
old=("${roles[@]}")
for ((i = 0; i < ${#old[@]}; i++)); do # under names that the next answer does not overwrite
    [ -f "${old[i]}" ] && cp "${old[i]}" "old-${old[i]}" && old[i]=old-${old[i]}
done
before=$(serials one)
ok "ra renew" exits 0 ra renew one
ok "the second generation" until_true 30 generation_is one 2
ok "is what GetCACert gives" is "$(given_serials one)" "$(serials one)"
ok "and is another one" not is "$(serials one)" "$before"
ok "the old encryption certificate is a previous one" is "$(shown one '$.previous[0].serialNumber')" "${before#* }"
ok "and the only one" is "$(shown one '$.previous[1].serialNumber')" ''
ok "pki reads the new ones" scep_ca "$(url_of one)"
ok "and enrols" enrols one second
stale_roles() { # a device that encrypts to the old certificate; the answer is signed with the new one
    local i
    roles=()
    for ((i = 0; i < ${#old[@]}; i++)); do
        [ "${old[i]}" = --cacert-sig ] && i=$((i + 1)) || roles+=("${old[i]}")
    done
    roles+=(--cacert-sig two-01)
}
given_serials one >/dev/null
stale_roles
ok "a device that still encrypts to the old one is served" enrols one stale
ok "ra renew of what is none: not found" exits 13 ra renew nobody
ok "and says where to look" says err 'certferry ra show'

# ---- without a service ---------------------------------------------------------------------------------------
now=$(serials one)
ok "the service ends" agent_stop
ok "the requests have no key any more" is "$(db "select count(*) from blob where slot % 16 in (1, 2)")" 0
ok "of the old signing key nothing is left" is "$(db "select count(*) from ra_pair where use = 's'")" 1
ok "ra show reads the store" is "$(serials one)" "$now"
ok "ra renew is kept for the next start" exits 0 ra renew one
ok "and ra show says so" is "$(shown one '$.renewalAsked')" 1
agent_start
ok "which does it" until_true 30 generation_is one 3
given_serials one >/dev/null
stale_roles
ok "the first device's certificate is read still, after a restart and two renewals" enrols one stale-2

# ---- killed in between ---------------------------------------------------------------------------------------
killed() {
    [ -n "$agent_pid" ] || bail "the agent has ended: $(tail -n 3 "$log")"
    kill -KILL "$agent_pid"
    agent_ended
}
for n in 4 5 6 7 8 9; do
    fault est.enroll delay '"ms":60'
    cf ra renew one
    sleep "0.0$((RANDOM % 8 + 1))"
    killed
    agent_start
    until_true 60 generation_is one "$n" >renewed || break
done
ok "six renewals, six times kill -9: each is finished after the next start" is "$(shown one '$.generation')" 9
if grep -qa CERTFERRY_CRASH_AT "$B/certferry"; then # built with crash points
    n=9
    for point in CP02 CP03 CP04 CP05 CP06 CP07 CP10 CP15 CP16; do
        for pass in 1 2; do
            agent_stop >said/stopped
            cf ra renew one # the next start begins with it
            agent_start CERTFERRY_CRASH_AT="$point:$pass"
            n=$((n + 1))
            until_true 20 not kill -0 "$agent_pid" || { echo "# $point:$pass was not reached"; killed; }
            [ -z "$agent_pid" ] || agent_ended
            agent_start
            until_true 60 generation_is one "$n" >renewed || echo "# after $point:$pass: $(cat renewed)"
        done
    done
    ok "killed twice at nine points of a renewal: each is finished after the next start" \
        is "$(shown one '$.generation')" 27
fi
ok "GetCACert gives what is in use" is "$(given_serials one)" "$(serials one)"
ok "no more than eight previous ones are used" is "$(shown one '$.previous[8].serialNumber')" ''
killed
ok "nothing is open, nothing has failed" is "$(db "select group_concat(id) from request where kind = 'raEnrol' and
    state <> 'delivered'")" ''
ok "every signing key but the last one is gone" is "$(db "select count(*) from ra_pair where use = 's'")" 1
agent_start
ok "still the same after that" is "$(given_serials one)" "$(serials one)"
agent_stop >said/stopped
ok "no more previous ones are kept than are used" is "$(db "select count(*) from ra_pair where use = 'e' and
    replaced_at <> 0")" 8
agent_start
scep_ca "$(url_of one)"
ok "a device enrols" enrols one after

# ---- AD CS, approved by hand; a CA that refuses ----------------------------------------------------------------
agent_stop >said/stopped
ra_section two adcs EnrollmentAgentOffline CEPEncryption
ra_section three est DeniedUser CEPEncryption
fault ca.submit pending '"polls":-1,"count":-1,"match":"two-MSCEP-RA"'
agent_start
pending() { is "$(shown two '$.enrolling[0].state') $(shown two '$.enrolling[1].state')" 'pending pending'; }
ok "AD CS has not decided: both wait" until_true 20 pending
ok "the other endpoint is served meanwhile" health_is "$(url_of one)" 200
ok "this one is not" health_is "$(url_of two)" 503
ctl approve all >ctl.out
ok "approved: both are installed" until_true 60 generation_is two 1
scep_ca "$(url_of two)"
ok "a device enrols there" enrols two two-first
refused() { is "$(shown three '$.enrolling[0].state')" rejected; }
ok "a template that is refused: the request has failed" until_true 20 refused
ok "in the log, for administrators" says "$log" RaIssuedFailure
shown three '$.enrolling[0].reason' >reason
ok "ra show says why" says reason Denied
cf ra renew three
second_try() { is "$(shown three '$.enrolling[0].request')" ra-three-1-s-2; }
ok "ra renew tries again at once" until_true 10 second_try
ok "and does not ask for the other half again" is "$(shown three '$.enrolling[1].request')" ra-three-1-e

# ---- a CA that issues something else ------------------------------------------------------------------------------
ctl clear-faults >ctl.out
was=$(serials one)
fault est.enroll wrong-key '"match":"one-MSCEP-RA"'
cf ra renew one
mismatch() { says "$log" 'ERR_MISMATCH'; }
ok "a certificate for another key is refused" until_true 20 mismatch
orphaned() { cf orphans list && says out one-MSCEP-RA; }
ok "and listed as an orphan" until_true 10 orphaned
ok "what was in use stays in use" is "$(given_serials one)" "$was"
cf ra renew one
changed() { not is "$(serials one)" "$was"; }
ok "the next request brings a good one" until_true 30 changed

# ---- files; a lost master key ---------------------------------------------------------------------------------------
agent_stop >said/stopped
rm "$dir/conf.d/scep-three.conf"
ra_certificate ra-sign digitalSignature 20
ra_certificate ra-encrypt keyEncipherment 400
scep_section files est 'challenge = "none"'
agent_start
ok "certificates from files are shown, too" is "$(shown files '$.source') $(shown files '$.signing.serialNumber')" \
    "file $(number_of "$dir/ra-sign.pem")"
ok "and are not renewed" exits 14 ra renew files
agent_stop >said/stopped
ok "without a service: from the files" is "$(shown files '$.encryption.serialNumber')" "$(number_of "$dir/ra-encrypt.pem")"
cp "$dir/state/master.key" master.kept
head -c 32 /dev/urandom >"$dir/state/master.key"
"$B/certferry" run --config "$conf" 2>said/other-key
ok "another master key: the service does not start" is $? 78
ok "and says what to restore" says said/other-key 'sealed with another master key; bring that one back'
cp master.kept "$dir/state/master.key"
agent_start
ok "with the right one it does, and has them all" generation_is two 1
agent_stop
sandbox_stop
finish
