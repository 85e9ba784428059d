#!/bin/bash
# A CCP cloud judges challenges: its messages, its codes, and claims in its answer.  Prints TAP.
#
#   B=build/asan test/live/scep_plugin_ccp.sh
# shellcheck source=test/live/hook.bash
. "$(dirname "$(realpath "$0")")/hook.bash"
need_programs plugins/ccp.so

sandbox_start cloud
scep_open
hook_start
plugin=ccp
ccp() { # NAME
    plugin_section "$1" "$B/plugins/ccp.so" "settings = {\"url=$hook\", \"ca_configuration=vault 7\"}" \
        "trust = \"$dir/tls-ca.pem\""
    judged "$1" "$1"
}
ccp ccp
ccp closed
scep_section denied adcs 'plugin = "ccp"' 'failures_per_minute = 0'
sed -i 's/"ContosoUser"/"DeniedUser"/' "$dir/conf.d/scep-denied.conf"
serves ccp

ok "Success: a certificate" try gets ccp-allow ccp
ok "the cloud was asked" asked validateRequest ccp-allow
ok "for the transaction" is "$(get question '$.request.transactionId')" ccp-allow
der_of '$.request.certificateRequest'
ok "the request is the device's" is "$(openssl req -inform der -in question.der -noout -pubkey)" \
    "$(openssl pkey -in ccp-allow.key -pubout)"
ok "with a number for its logs" says question.header client-request-id
ok "it is told" asked successNotification ccp-allow
ok "of the device's certificate" is "$(get question '$.notification.certificateSerialNumber') $(
    get question '$.notification.certificateThumbprint')" "$(serial_of ccp-allow.pem) $(
    openssl x509 -in ccp-allow.pem -noout -fingerprint -sha1 | cut -d= -f2 | tr -d :)"
ok "of the CA" is "$(get question '$.notification.caConfiguration') $(
    get question '$.notification.certificateAuthority')" 'vault 7 est'
ok "claims that fit: a certificate" try gets ccp-fits ccp
ok "claims that do not: refused" try 2 ccp-misfits ccp
ok "it hears of that" asked failureNotification ccp-misfits
ok "a claim of tomorrow: refused" try 2 ccp-new ccp
ok "ChallengeExpired: refused with badTime" try 3 ccp-ChallengeExpired ccp
ok "KeyLengthMismatch: refused with badAlg" try 0 ccp-KeyLengthMismatch ccp
ok "a code of tomorrow: refused" try 2 ccp-Tomorrow ccp
ok "success: not the word: refused" try 2 ccp-success ccp
ok "it hears no more of those it refused" is "$(times failureNotification ccp-Tomorrow)" 0
ok "400: refused" try 2 ccp-400 ccp
ok "the CA refuses: the device reads it" try 2 denied-allow denied
ok "and the cloud" asked failureNotification denied-allow
ok "with the CA's number" is "$(get question '$.notification.hResult')" $((0x80094012))
ok "it does not note the certificate: refused" try 2 note-Tomorrow ccp
cf orphans list --json
ok "and that is an orphan" is "$(count out '$.data.orphans' 1)" 1
ok "503 when it is told: the device is told to poll" try waits note-503 ccp

for word in 429 500 404 302 page; do ok "$word: the device is told to poll" try waits ccp-$word closed; done
ok "403: the device is told to poll" try waits ccp-403 closed
ok "and the health URL says 503" until_true 10 health_is "$(url_of closed)" 503
ok "that of the other endpoint does not" health_is "$(url_of ccp)" 403
status_says() {
    cf status --json
    says out "$@"
}
ok "status has the reason" until_true 10 status_says 'the cloud does not let us: HTTP 403'
ok "SIGTERM: exit 0" agent_stop
plugin_section ccp "$B/plugins/ccp.so" 'settings = {"url=http://127.0.0.1/"}'
ok "http: it does not start" refuses 'url: must be https://'
ok "no challenge in any log or answer" no_secrets said
finish
