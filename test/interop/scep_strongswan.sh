#!/bin/bash
# strongSwan's pki enrols, polls and renews at the service, in front of both kinds of CA.  Prints TAP.
#
#   B=build/asan test/interop/scep_strongswan.sh
# shellcheck source=test/live/scep.bash
. "$(dirname "$(realpath "$0")")/../live/scep.bash"
need_strongswan
need_programs plugins/otp.so

sandbox_start cloud
scep_open
echo 'a challenge for everybody' >challenge
chmod 600 challenge
drop_in plugin <<CONF
plugin "one" {
  path = "$B/plugins/otp.so"
  settings = {"single_password=yes",
    "i_accept_that_everybody_with_this_password_gets_any_certificate=yes"}
  secrets = {"single=$work/challenge"}
}
CONF
for ca in adcs est; do
    scep_section "$ca" "$ca" 'plugin = "one"'
    scep_section "manual-$ca" "$ca" 'challenge = "none"' 'general_template = "ManualUser"' 'wait = 2'
    scep_section "strict-$ca" "$ca" 'challenge = "none"' 'des3 = false' 'sha1 = false'
done
agent_start
password=$(cat challenge)
device_key one.key
device_key two.key
certificates=0
enrols() { # URL NAME OPTION...: gets a certificate, and it is counted
    pki_scep "$@" && certificates=$((certificates + 1))
}
certificate_is() { # NAME CN: of the right key, subject and names, and of this CA
    same_key "$1.pem" "$1.key" && subject_is "$1.pem" "C = CH, O = Contoso, CN = $2" &&
        has_san "$1.pem" "DNS:$2.contoso.example" && chain_holds "$1.pem"
}
names() { # CN: as options
    wanted=(--dn "C=CH, O=Contoso, CN=$1" --san "$1.contoso.example")
}

for ca in adcs est; do
    url=$(url_of "$ca")
    asked() { scep_ca "$url" && is "${#roles[@]}" 8; }
    ok "$ca: GetCACaps, GetCACert: two of the RA, two of the CA" until_true 20 asked
    scep_ca "$url"

    # ---- a first certificate, in every way pki has --------------------------------------------------------
    names "first-$ca"
    ok "$ca: PKCSReq, AES and SHA-256" enrols "$url" one "${wanted[@]}" --password "$password" --cipher aes \
        --digest sha256
    ok "$ca: the certificate is the one asked for" certificate_is one "first-$ca"
    cp one.pem first.pem
    for how in '--cipher des3 --digest sha1' '--cipher aes --digest sha512' '--cipher des3 --digest sha384' \
        '--cipher aes --digest sha256 --rsa-padding pss'; do
        names "how-$ca"
        # shellcheck disable=SC2086
        ok "$ca: with $how" enrols "$url" two "${wanted[@]}" --password "$password" $how
        ok "$ca: its certificate" certificate_is two "how-$ca"
    done

    # ---- refusals -------------------------------------------------------------------------------------------
    names "guess-$ca"
    ok "$ca: a wrong challenge is refused" not pki_scep "$url" two "${wanted[@]}" --password guess
    ok "$ca: with badRequest" says pki.err badRequest
    ok "$ca: without a challenge, too" not pki_scep "$url" two "${wanted[@]}"
    ok "$ca: the CA was asked for neither" is "$(ledger "guess-$ca")" 0
    url=$(url_of "strict-$ca")
    ok "$ca: 3DES is refused where it is switched off" not pki_scep "$url" two "${wanted[@]}" --cipher des3
    ok "$ca: SHA-1, too" not pki_scep "$url" two "${wanted[@]}" --cipher aes --digest sha1
    ok "$ca: the CA was asked for neither" is "$(ledger "guess-$ca")" 0
    ok "$ca: AES and SHA-256 are welcome there" enrols "$url" two "${wanted[@]}" --cipher aes --digest sha256

    # ---- renewal: a new key, no challenge, signed with the old certificate --------------------------------
    url=$(url_of "$ca")
    names "first-$ca"
    ok "$ca: RenewalReq" enrols "$url" two "${wanted[@]}" --cert one.pem --key one.key
    ok "$ca: of the same names, for the new key" certificate_is two "first-$ca"
    ok "$ca: another certificate" not is "$(serial_of two.pem)" "$(serial_of one.pem)"
    names "else-$ca"
    ok "$ca: a renewal to other names is refused" not pki_scep "$url" two "${wanted[@]}" --cert first.pem \
        --key one.key
    ok "$ca: and never reaches the CA" is "$(ledger "else-$ca")" 0
    openssl req -x509 -newkey rsa:2048 -nodes -keyout own.key -out own.pem -days 9 -subj "/C=CH/O=Contoso/CN=own-$ca" \
        2>openssl.err
    names "own-$ca"
    ok "$ca: a renewal of a certificate that nobody has issued is refused" not pki_scep "$url" two "${wanted[@]}" \
        --cert own.pem --key own.key
    ok "$ca: and never reaches the CA" is "$(ledger "own-$ca")" 0

    # ---- a request that has to be approved ---------------------------------------------------------------
    url=$(url_of "manual-$ca")
    names "slow-$ca"
    pki_scep "$url" two "${wanted[@]}" --interval 1 --maxpolltime 20 >pki.out 2>&1 &
    waits=$!
    alive[$waits]=pki
    ok "$ca: the CA has not decided: the device is told so" until_true 15 says pki.err 'SCEP request pending'
    ctl approve "slow-$ca" >ctl.out
    wait "$waits"
    ok "$ca: approved: CertPoll gets it" is $? 0
    certificates=$((certificates + 1))
    unset "alive[$waits]"
    ok "$ca: the one that was asked for" certificate_is two "slow-$ca"
    names "never-$ca"
    ok "$ca: nobody approves: the device gives up" not pki_scep "$url" two "${wanted[@]}" --interval 1 --maxpolltime 3
    ok "$ca: and has no certificate" not test -s two.pem
done

# ---- what is left ------------------------------------------------------------------------------------------
ok "two requests wait, and nothing else is open" exits 0 requests list --json
ok "(two)" is "$(count out '$.data.requests' 1)" 2
ok "orphans list: none" exits 0 orphans list --json
ok "and says so" is "$(get out '$.data.orphans')" '[]'
ok "SIGTERM: exit 0" agent_stop
ok "one certificate of the CA for each that a device has" is "$(ledger '"event":"issued"')" "$certificates"
ok "the challenge stands nowhere in what was said" nowhere "$password" said
finish
