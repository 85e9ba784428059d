#!/bin/bash
# A device, Intune and a CA: what a good enrolment looks like from every side, and what becomes of those that
# Intune or the CA refuses.  Prints TAP.
#
#   B=build/asan test/live/scep_intune.sh
# shellcheck source=test/live/intune.bash
. "$(dirname "$(realpath "$0")")/intune.bash"

intune_open cloud
sed -i 's/level = "info"/level = "debug"/' "$conf"
plugin_section secret "client_secret_file = \"$dir/intune-secret.txt\""
endpoint by-secret secret 'general_template = "ContosoUser"'
endpoint denied intune 'general_template = "DeniedUser"'
agent_start || bail "the agent does not start: $(tail -n 3 "$log")"

# ---- a certificate -----------------------------------------------------------------------------------------
for temper in "${tempers[@]}"; do
    challenge "good-$temper"
    enrol "good-$temper"
    ok "$temper: a certificate" told "good-$temper" status=SUCCESS
    ok "$temper: validate, then the CA, then the notification" story_is "good-$temper" "$whole_story"
    ok "$temper: the notification has the serial of the device's certificate" line_says "good-$temper" \
        scep-success "\"serial\":\"$(serial "good-$temper")\"" '"code":"Success"'
done
temper=windows
endpoint=by-secret
challenge good-secret
enrol good-secret
ok "client secret: a certificate" told good-secret status=SUCCESS
ok "client secret: the same order" story_is good-secret "$whole_story"
remains() { python3 "$root/test/live/remains.py" "$agent_pid" "$1"; }
remains "$dir/ca-password.txt"
if [ $? -eq 2 ]; then
    skip "nothing is left of a challenge that was spent" "only root may look into the service's memory"
else
    ok "(the service's memory can be looked through: the CA's password is in it)" remains "$dir/ca-password.txt"
    ok "nothing is left there of a challenge that was spent" until_true 10 not remains devices/good-secret.challenge
fi
endpoint=
ok "a token for Graph and one for Intune, for each client" is "$(ledger '"event":"token"')" 4

challenge good-names '"san":["upn:ada@contoso.example","dns:host.contoso.example"],
    "ku":["digitalSignature","keyEncipherment"],"eku":["1.3.6.1.5.5.7.3.2"],"keyBits":2048'
enrol good-names --san upn:ada@contoso.example --san dns:host.contoso.example
ok "with every claim that Intune compares" story_is good-names "$whole_story"

# The stand-in notes the success at once and answers late: until then the device has nothing.
challenge late
fault intune.success delay '"ms":1500,"match":"late"'
from=$(now_ms)
enrol late
took_ms=$(($(now_ms) - from))
ok "the device waits for the answer to the notification" told late status=SUCCESS
ok "... which came after 1500 ms; the device waited $took_ms ms" test "$took_ms" -ge 1500
was=$(serial late)
enrol late
ok "the same request again: the same certificate" told late "status=SUCCESS serial=$was "
ok "... and neither Intune nor the CA has heard of it" story_is late "${whole_story/scep-s/fault scep-s}"

# ---- each refusal of Intune --------------------------------------------------------------------------------
codes=(Unknown:2 CertificateRequestDecodingFailed:1 ChallengePasswordMissing:2 ChallengeDeserializationError:2
    ChallengeDecryptionError:2 ChallengeDecodingError:2 ChallengeInvalidTimestamp:3 ChallengeExpired:3
    SubjectNameMissing:2 SubjectNameMismatch:2 SubjectAltNameMissing:2 SubjectAltNameMismatch:2 KeyUsageMismatch:2
    KeyLengthMismatch:0 EnhancedKeyUsageMissing:2 EnhancedKeyUsageMismatch:2 AadKeyIdentifierListMissing:2
    RegisteredKeyMismatch:2 SigningCertThumbprintMismatch:2 ScepProfileNoLongerTargetedToTheClient:2
    SignatureValidationFailed:1 BadCertificateRequestIdInChallenge:2 BadDeviceIdInChallenge:2
    BadUserIdInChallenge:2)
for row in "${codes[@]}" 99:2; do
    code=${row%:*}
    cn=code-$code
    case $code in
    99) argument=99 code=ACodeOfTomorrow ;;
    *) argument=\"$code\" ;;
    esac
    challenge "$cn"
    fault intune.validate intune-code "\"code\":$argument,\"match\":\"$cn\""
    enrol "$cn"
    ok "$code: refused with failInfo ${row#*:}" refused "$cn" "${row#*:}"
    ok "$code: nothing at the CA, no notification" nothing_at_ca "$cn"
    ok "$code: the log names it" grep -q "\"event\":\"ScepVerifyFailure\".*\"$code: " "$log"
done
ctl ledger >ledger.out
ok "all 24 and one more" is "${#codes[@]} $(grep '"event":"scep-validate"' ledger.out | grep -vc '"Success"')" '24 25'
enrol code-ChallengeExpired
ok "a challenge that was refused is not spent" told code-ChallengeExpired status=SUCCESS

# ---- what Intune itself finds wrong, without being told ----------------------------------------------------
wrong() { # CODE CLAIMS DEVICE-OPTIONS...
    local code=$1 claims=$2 cn=wrong-$1
    shift 2
    challenge "$cn" "$claims"
    enrol "$cn" "$@"
    ok "$code, found by the stand-in" line_says "$cn" scep-validate "\"code\":\"$code\""
    ok "... and nothing at the CA" nothing_at_ca "$cn"
}
wrong SubjectNameMismatch '"ttl":60' --subject CN=wrong-SubjectNameMismatch,O=Contoso
wrong SubjectAltNameMissing '"san":["dns:a.example"]'
wrong SubjectAltNameMismatch '"san":["dns:a.example"]' --san dns:b.example
wrong KeyUsageMismatch '"ku":["digitalSignature"]'
wrong KeyLengthMismatch '"keyBits":4096'
wrong ChallengeExpired '"ttl":0'
echo 0123456789ABCDEF0123456789ABCDEF >devices/forged.challenge
enrol forged
ok "a challenge that Intune never gave" refused forged 2
ok "... is named in the log" says "$log" ChallengeDecryptionError
challenge no-challenge
: >devices/no-challenge.challenge
enrol no-challenge
ok "no challenge at all: refused without asking Intune" refused no-challenge 2
ok "... who was not asked" story_is no-challenge ''

# ---- what the CA refuses -----------------------------------------------------------------------------------
endpoint=denied
challenge denied
enrol denied
endpoint=
ok "denied by the CA: the device reads it" refused denied 2
ok "denied: Intune reads the CA's HRESULT" line_says denied scep-failure "\"hresult\":$((0x80094012))" \
    '"code":"Success"'
ok "denied: and nothing else" story_is denied 'scep-validate csr-received denied scep-failure'
challenge twisted
fault ca.submit wrong-subject '"match":"twisted"'
enrol twisted
ok "another certificate than asked for: the device gets none" refused twisted 2
ok "... Intune reads of a failure" story_is twisted 'scep-validate fault csr-received issued fetched scep-failure'
cf orphans list --json
ok "... and the certificate is an orphan" is "$(count out '$.data.orphans' '1')" 1

# ---- one challenge, many requests --------------------------------------------------------------------------
challenge once
enrol once
cp devices/once.challenge devices/twice.challenge
as=once enrol twice
ok "the same request in another transaction: the same certificate" told twice "status=SUCCESS serial=$(serial once) "
for i in 1 2 3 4 5 6 7 8; do openssl genrsa -out "devices/race-$i.key" 2048 2>openssl.err; done
as=once key=devices/race-1.key enrol twice
ok "a challenge serves one key: another request with it is refused" refused twice 2
ok "... and neither Intune nor the CA has heard of it" story_is twice ''
challenge race
pids=()
for i in 1 2 3 4 5 6 7 8; do
    cp devices/race.challenge "devices/race-$i.challenge"
    as=race key=devices/race-$i.key enrol "race-$i" &
    pids+=($!)
done
wait "${pids[@]}"
ok "eight devices race with one challenge: one CSR at the CA" is "$(ledger '"event":"csr-received".*"cn":"race"')" 1
ok "... one certificate, seven refusals" is "$(cat devices/race-?.out | grep -c status=SUCCESS) $(
    cat devices/race-?.out | grep -c status=FAILURE)" '1 7'

# ---- the end -----------------------------------------------------------------------------------------------
ok "the stand-in found nothing wrong with any message" is "$(ledger '"event":"refused"')" 0
ok "all the time a token for Graph and one for Intune, for each client" is "$(ledger '"event":"token"')" 4
cf requests list --all --json
cf requests show "$(request_of denied)" --json
cf status
ok "SIGTERM: exit 0" agent_stop
cf orphans list --json
cp out orphans
ok "no certificate got lost" "$B/certferry-sandbox" check "$dir" --orphans orphans
ok "no secret in any log or answer" no_secrets said devices/*.out
ok "no challenge, key or password in the store" no_secrets "$dir/state"
ok "no token, assertion or header in any log or answer" no_tokens said
ok "the sandbox stops cleanly" sandbox_stop
finish
