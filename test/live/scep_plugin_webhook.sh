#!/bin/bash
# A web server judges challenges: what it is sent, every answer that is none, and that no device has its certificate
# before the server has noted it.  Prints TAP.
#
#   B=build/asan test/live/scep_plugin_webhook.sh
# shellcheck source=test/live/hook.bash
. "$(dirname "$(realpath "$0")")/hook.bash"
need_programs plugins/webhook.so

sandbox_start cloud
scep_open
hook_start

first='the key of the first hook, 32 b.' # as hook.py has them
(
    umask 077
    printf %s "$first" | base64 >signing
    printf 'another key%s' "$first" | base64 >notify_signing
    echo bearer-of-bad-news >bearer
    printf 'some other key of 32 bytes or so' | base64 >wrong_signing
)
cat signing notify_signing bearer wrong_signing >>secrets
keys="secrets = {\"signing=$work/signing\", \"notify_signing=$work/notify_signing\", \"bearer=$work/bearer\"}"
hook_section() { # NAME SETTINGS LINE...
    plugin_section "$1" "$B/plugins/webhook.so" "settings = {$2}" "trust = \"$dir/tls-ca.pem\"" 'timeout = 2' "${@:3}"
}
both="\"url=$hook/verify\", \"notify_url=$hook/notify\""
hook_section hook "$both, \"webhook_id=first\", \"notify_webhook_id=second\"" "$keys"
hook_section mute "\"url=$hook/verify\"" "secrets = {\"signing=$work/signing\"}"
hook_section forged "$both" "secrets = {\"signing=$work/wrong_signing\"}"
hook_section away '"url=https://127.0.0.1:1/verify"'
plugin_section stranger "$B/plugins/webhook.so" "settings = {$both}" "$keys" "trust = \"$dir/root-ca.pem\""
for p in hook mute forged away stranger; do judged $p $p; done
judged flaky hook # apart: what fails often is asked less, and that is the endpoint's
judged flaky-note hook
scep_section denied adcs 'plugin = "hook"' 'failures_per_minute = 0'
sed -i 's/"ContosoUser"/"DeniedUser"/' "$dir/conf.d/scep-denied.conf"
serves hook

# ---- what it is sent -------------------------------------------------------------------------------------------
ok "it allows: a certificate" try gets hook-allow hook --san dns:a.contoso.example --san email:a@contoso.example
ok "it was asked" asked verify hook-allow
ok "with the challenge" is "$(get question '$.scepChallenge')" secret-of-hook-allow
ok "and the transaction" is "$(get question '$.scepTransactionID')" hook-allow
ok "for the endpoint" is "$(get question '$.provisionerName')" hook
ok "now" test "$(date -d "$(get question '$.timestamp')" +%s)" -ge $(($(date +%s) - 60))
der_of '$.x509CertificateRequest.raw'
ok "the request is the device's" is "$(openssl req -inform der -in question.der -noout -pubkey)" \
    "$(openssl pkey -in hook-allow.key -pubout)"
ok "the names of it" is "$(get question '$.x509CertificateRequest.dnsNames[0]') $(
    get question '$.x509CertificateRequest.emailAddresses[0]')" 'a.contoso.example a@contoso.example'
ok "with the hook's number, key and token" says question.header 'X-Smallstep-Webhook-ID: first' \
    'Authorization: Bearer bearer-of-bad-news' 'Content-Type: application/json'
ok "(the signature was the body's, or the hook had refused)" says question.header X-Smallstep-Signature
ok "it is told" asked notify hook-allow
ok "with its own number" says question.header 'X-Smallstep-Webhook-ID: second'
der_of '$.x509Certificate.raw'
ok "of the certificate that the device has" is "$(openssl x509 -inform der -in question.der -noout -fingerprint)" \
    "$(openssl x509 -in hook-allow.pem -noout -fingerprint)"
ok "not of the challenge" nowhere secret-of question
ok "without notify_url: a certificate" try gets hook-mute mute
ok "and nobody is told" is "$(times notify hook-mute)" 0
ok "a body signed with another key, which the hook refuses: refused" try 2 hook-forged forged

# ---- what it answers -------------------------------------------------------------------------------------------
ok "201: a certificate" try gets hook-201 hook
ok "claims that fit: a certificate" try gets hook-fits hook
for word in misfits new claimlist claimnumber deny silent empty null number list text both cases two cut nul large \
    302 400 401 403 404 410; do
    ok "$word: refused" try 2 hook-$word hook
done
ok "a redirect is not followed" not test -e hook/other-hook-302-1
ok "it hears that those it allowed failed" asked notify hook-misfits
ok "as NDES would say it" is "$(get question '$.scepErrorCode') $(get question '$.x509Certificate')" $((0x80004005))' '
ok "it hears no more of those it refused" is "$(times notify hook-deny)" 0
ok "the CA refuses: the device reads it" try 2 hook-by-ca denied
ok "and the hook" asked notify hook-by-ca
ok "with the CA's number" is "$(get question '$.scepErrorCode')" $((0x80094012))
ok "and a text" test -n "$(get question '$.scepErrorDescription')"

# ---- when it cannot answer -------------------------------------------------------------------------------------
for word in 408 429 500 503 drop huge; do ok "$word: the device is told to poll" try waits hook-$word flaky; done
ok "nobody listens: the device is told to poll" try waits hook-away away
ok "the server is not the one we trust: told to poll" try waits hook-stranger stranger
ok "(it was not asked anything)" is "$(times verify hook-stranger)" 0
from=$(now_ms)
ok "no answer in time: told to poll" try waits hook-hang flaky
ok "at the deadline of 2 s ($(($(now_ms) - from)) ms)" test $(($(now_ms) - from)) -lt 4900
ok "503 for a second: the device polls, and gets its certificate" try gets hook-later hook --poll 15
ok "(it was asked twice)" is "$(times verify hook-later)" 2

# ---- no certificate before it has noted it -------------------------------------------------------------------------
from=$(now_ms)
ok "it notes the certificate after 1.5 s: only then" try gets note-slow hook
ok "has the device got it" test $(($(now_ms) - from)) -ge 1500
ok "503 when it is told: the device is told to poll" try waits note-later hook
ok "the CA has issued it" is "$(ledger '"event":"issued".*"cn":"note-later"')" 1
ok "and the device gets it when it is noted" gets "$(url_of hook)" note-later --cn note-later --transaction note-later \
    --use-key note-later.key --challenge-file note-later.challenge --poll 15
ok "(it was told twice, asked once)" is "$(times notify note-later) $(times verify note-later)" '2 1'
ok "500 each time: the device is told to poll" try waits note-500 flaky-note
for word in deny silent 404; do ok "$word when it is told: refused" try 2 note-$word hook; done
cf orphans list --json
ok "and these certificates are orphans" is "$(count out '$.data.orphans' 1)" 3
hook_stop
ok "the hook goes: told to poll" try waits hook-gone hook
ok "and the CA has seen no request" is "$(ledger '"csr-received".*"cn":"hook-gone"')" 0

# ---- settings ----------------------------------------------------------------------------------------------------
ok "SIGTERM: exit 0" agent_stop
plugin=hook
hook_section hook '"url=http://127.0.0.1:1/verify"'
ok "http: it does not start" refuses 'url: must be https://'
hook_section hook "$both, \"retries=3\""
ok "a setting it does not know: it does not start" refuses 'retries: there is no such setting'
echo c2hvcnQ= >signing
hook_section hook "$both" "$keys"
ok "a key of 5 bytes: it does not start" refuses 'signing: must be base64 of 16 to 128 bytes'
chmod 644 bearer
printf %s "$first" | base64 >signing
ok "a secret that others may read: it does not start" refuses "$work/bearer"
ok "no key, token or challenge in any log or answer" no_secrets said
finish
