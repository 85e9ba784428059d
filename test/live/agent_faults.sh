#!/bin/bash
# The real agent among peers that fail, lie, or are somebody else: what becomes of the requests, and what the
# administrator reads.  Prints TAP.
#
#   B=build/asan test/live/agent_faults.sh
# shellcheck source=test/live/live.bash
. "$(dirname "$(realpath "$0")")/live.bash"

reason() { # ID TEXT...: the reason it waits, or ended, contains every TEXT
    local id=$1
    shift
    cf requests show "$id" --json
    get out '$.data.request.class' >reason
    get out '$.data.request.reason' >>reason
    says reason "$@"
}
at_ms() { # PATTERN: when the first such event was, by the ledger
    ctl ledger >ledger.out
    grep -m 1 -e "$1" ledger.out | sed 's/^{"t":\([0-9]*\).*/\1/'
}
reported() { # ID ERROR-CODE
    ctl request "$1" >request.out
    is "$(get request.out '$.errorCode')" "$2"
}

sandbox_start cloud --lease 12
# A bound on certificates' lives, and two CAs more: one where nobody listens, and one behind a certificate that
# our trust does not cover.
closed=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
drop_in more <<CONF
ca "adcs" {
  validity_max = 400
}
ca "away" {
  type = "adcs"
  url = "https://127.0.0.1:$closed/certsrv/"
  trust = "$dir/tls-ca.pem"
  anchors = "$dir/root-ca.pem"
  auth = "basic"
  credentials_file = "$dir/ca-password.txt"
  templates = {"ContosoUser"}
}
ca "impostor" {
  type = "adcs"
  url = "$base/certsrv/"
  trust = "$dir/root-ca.pem"
  anchors = "$dir/root-ca.pem"
  auth = "basic"
  credentials_file = "$dir/ca-password.txt"
  templates = {"ContosoUser"}
}
CONF
agent_start

# ---- certificates that are not what was asked for ----------------------------------------------------------
for what in wrong-key wrong-subject wrong-san no-san extra-eku ca-true long-validity expired; do
    fault ca.submit "$what" "\"match\":\"twisted-$what\""
    ask "twisted-$what" adcs ContosoUser
    ok "$what: rejected" until_true 20 is_state "$id" rejected
    ok "$what: the cloud reads PolicyMismatch" reported "$id" PolicyMismatch
    cf requests show "$id" --json
    serial=$(get out '$.data.request.serialNumber')
    cf orphans list --json
    ok "$what: the certificate is an orphan, by serial number" is "$(count out '$.data.orphans' "json_extract(value,
        '\$.request') = '$id' and json_extract(value, '\$.serialNumber') = '$serial'")" 1
done
ok "and the CA has issued every one of them" is "$(ledger '"event":"issued".*"twisted"')" 8
fault ca.submit other-issuer '"match":"twisted-other-issuer"'
ask twisted-other-issuer adcs ContosoUser
other=$id
until_true 20 reason "$other" ERR_TRUST
ok "other-issuer: held, not lost: an anchor may be missing here" is_state "$other" held
ok "other-issuer: and it names the anchors" reason "$other" ERR_TRUST anchor
cf requests cancel "$other"
until_true 20 reported "$other" OperatorCancelled
cf orphans list --json
ok "other-issuer: cancelled, its certificate is an orphan" is "$(count out '$.data.orphans' "json_extract(value,
    '\$.request') = '$other'")" 1

# ---- a CA that cannot be reached, a CA that somebody else plays --------------------------------------------
ask away-1 away ContosoUser
away=$id
ask impostor-1 impostor ContosoUser
impostor=$id
ok "the CA's port is closed: retrying" until_true 20 is_state "$away" retrying
ok "and the reason says so" until_true 10 reason "$away" ERR_NET 'onnect'
ok "TLS of somebody else: held" until_true 20 is_state "$impostor" held
ok "and the reason says that it is trust" reason "$impostor" ERR_TRUST certificate
ok "no CSR went there" is "$(ledger impostor-1.*csr-received)" 0
ask beside adcs ContosoUser
ok "other CAs are not disturbed" until_true 20 is_delivered "$id"
ok "status: degraded, exit 3" exits 3 status
ok "and names the CA that fails" says out away FAILING
cf requests cancel "$away"
cf requests cancel "$impostor"

# ---- a captive portal --------------------------------------------------------------------------------------
fault ca.submit html '"count":-1,"match":"portal"'
fault est.enroll html '"count":-1,"match":"portal"'
ask portal-1 adcs ContosoUser
adcs=$id
ask portal-2 est ContosoUser
est=$id
until_true 20 is_state "$adcs" retrying
until_true 20 is_state "$est" retrying
ok "a block page instead of the CA: retrying" until_true 10 is_state "$adcs" retrying
ok "it is known for what it is" until_true 10 reason "$adcs" ERR_INTERCEPTED
ok "EST: the same" until_true 10 reason "$est" ERR_INTERCEPTED
ctl clear-faults >ctl.out
cf requests retry "$adcs"
cf requests retry "$est"
until_true 30 is_delivered "$adcs"
until_true 30 is_delivered "$est"
ok "the portal is gone: delivered" is_delivered "$adcs"
ok "EST: the same" is_delivered "$est"
fault cloud.upload html '"count":2,"match":"portal"'
ask portal-3 adcs ContosoUser
ok "in front of the cloud: the result arrives when it is gone" until_true 40 is_delivered "$id"
ok "with one certificate" is "$(ledger '"event":"issued".*portal-3')" 1
fault cloud.download html '"count":-1'
until_true 30 grep -q 'PkcsDownloadFailure.*ERR_INTERCEPTED' "$log"
ok "in front of the download: it says so" says "$log" ERR_INTERCEPTED
ok "status: degraded, exit 3" exits 3 status
ctl clear-faults >ctl.out
ask portal-4 est ContosoUser
ok "and work goes on when it is gone" until_true 90 is_delivered "$id"

# ---- answers that cannot be read ---------------------------------------------------------------------------
# They say nothing about the request: the certificate may exist, and the device waits for it.
fault est.enroll garbage '"match":"noise"'
ask noise-1 est ContosoUser
ok "EST: noise instead of the certificate: asked again, delivered" until_true 30 is_delivered "$id"
cf orphans list --json
ok "the one that nobody could read is on the list of orphans" is "$(ledger '"event":"issued".*noise-1') $(count out \
    '$.data.orphans' "json_extract(value, '\$.request') = '$id'")" '2 1'
fault ca.submit garbage '"match":"noise"'
ask noise-2 adcs ContosoUser
ok "AD CS: noise instead of its page: asked again, delivered" until_true 30 is_delivered "$id"
fault ca.fetch garbage '"count":2'
ask noise-3 adcs ContosoUser
ok "AD CS: noise instead of the certificate: fetched again, delivered" until_true 30 is_delivered "$id"
ok "with one certificate" is "$(ledger '"event":"issued".*noise-3')" 1
fault est.enroll garbage '"count":-1,"match":"deaf"'
ask deaf est ContosoUser
deaf=$id
ok "EST: nothing else than noise: held" until_true 60 is_state "$id" held
ok "the reason is that nobody knows what became of four submissions" reason "$id" ERR_OPERATOR '4 submissions'
ok "and no more certificates are made" is "$(ledger '"event":"issued".*deaf')" 4
ctl clear-faults >ctl.out
fault cloud.upload bad-json '"match":"mumble"'
ask mumble est ContosoUser
ok "the cloud mumbles when it has recorded the result: posted again, delivered" until_true 30 is_state "$id" delivered
cf orphans list --json
ok "and what the device has is no orphan" is "$(count out '$.data.orphans' "json_extract(value, '\$.request') = '$id'")" 0
id=$deaf
cf requests retry "$id"
ok "the noise is over, an administrator says again: delivered" until_true 30 is_delivered "$id"

# ---- 429 ---------------------------------------------------------------------------------------------------
fault ca.submit http-429 '"retryAfter":4,"match":"busy"'
ask busy-1 adcs ContosoUser
until_true 40 is_delivered "$id"
waited=$(($(at_ms 'csr-received.*busy-1') - $(at_ms 'http-429.*busy-1')))
ok "429 with Retry-After 4: the next question came after $waited ms" test "$waited" -ge 3900
ok "and brought the certificate" is_delivered "$id"
fault cloud.upload http-429 '"retryAfter":3,"match":"busy"'
ask busy-2 est ContosoUser
until_true 40 is_delivered "$id"
waited=$(($(at_ms "\"event\":\"result\".*$id.*\"succeeded\":true") - $(at_ms 'cloud.upload.*http-429')))
ok "429 for the result, Retry-After 3: posted again after $waited ms" test "$waited" -ge 2900
ok "nobody was asked more often than that" is "$(ledger '"what":"http-429"')" 2

# ---- lost leases -------------------------------------------------------------------------------------------
fault ca.submit pending '"polls":-1,"match":"lost-early"'
ask lost-early adcs ContosoUser
early=$id
until_true 20 is_state "$id" pending
fault cloud.extend stale-lease "\"match\":\"$id\""
ok "the cloud does not extend the lease: superseded" until_true 40 is_state "$id" superseded
ok "and the log says that another connector has it" says "$log" LeaseLost 'another connector'
cf orphans list --json
ok "what the CA may issue is an orphan" is "$(count out '$.data.orphans' "json_extract(value, '\$.request') = '$id'")" 1
fault cloud.upload stale-lease '"match":"lost-late"'
ask lost-late est ContosoUser
late=$id
ok "the lease is lost when the result is posted: superseded" until_true 40 is_state "$id" superseded
cf orphans list --json
ok "its certificate is an orphan, by serial number" is "$(count out '$.data.orphans' "json_extract(value,
    '\$.request') = '$id' and json_extract(value, '\$.certain')")" 1
ctl expire-leases >ctl.out # nobody else wanted them: both are handed out once more
until_true 30 is_state "$late" delivered
ok "handed out again, the result that was made is delivered" is_delivered "$late"
cf orphans list --json
ok "and its certificate is no orphan any more" is "$(count out '$.data.orphans' "json_extract(value,
    '\$.request') = '$late'")" 0
until_true 30 is_state "$early" delivered
ok "handed out again without a result: begun anew, and delivered" is_delivered "$early"
ok "with another key: the one before went with the lease" is "$(ledger '"event":"csr-received".*lost-early')" 2
cf orphans list --json
ok "what the CA may have issued before stays an orphan" is "$(count out '$.data.orphans' "json_extract(value,
    '\$.request') = '$early'")" 1
ok "SIGTERM: exit 0" agent_stop
cf orphans list --json
cp out orphans
sandbox_stop
"$B/certferry-sandbox" check "$dir" --orphans orphans >check.out
ok "the ledger keeps every promise" is "$? $(tail -n 1 check.out)" '0 0 broken promises'

# ---- a cloud that somebody else plays ----------------------------------------------------------------------
sandbox_start impostor --demo 2
sed -i "0,/tls-ca.pem/s//root-ca.pem/" "$conf"
agent_start
exits_degraded() { exits 3 status --json; }
until_true 30 exits_degraded
ok "the cloud's TLS is not in our trust: degraded, exit 3" exits 3 status --json
ok "it is the cloud, and a matter of trust" is "$(get out '$.data.health') $(get out '$.data.peers[0].name') $(get \
    out '$.data.peers[0].class')" 'degraded cloud ERR_TRUST'
get out '$.data.peers[0].message' >message
ok "and it says that it is a certificate" says message certificate
ok "nothing was taken, nothing failed" is "$(ledger handed-out) $(get out '$.data.requests.rejected')" '0 0'
ok "SIGTERM: exit 0" agent_stop

cut -d: -f2- cloud/ca-password.txt >secrets
cat cloud/bearer-token.txt >>secrets
ok "no secret in any log or answer" nowhere -f secrets said
ok "nor the words PRIVATE KEY" nowhere 'PRIVATE KEY' said
ok "the sandbox stops cleanly" sandbox_stop
finish
