#!/bin/bash
# npm's oidc-provider as the sandbox's issuer, with curl alone: a person approves, declines or lets a code run out;
# client credentials with an assertion; and what it grants enrols a connector.  Prints TAP; skips loudly without npm.
#
#   SANDBOX=build/asan/certferry-sandbox test/interop/oidc_selftest.sh
here=$(dirname "$(realpath "$0")")
# shellcheck source=test/interop/sandbox_hand.bash
. "$here/sandbox_hand.bash"
# shellcheck source=test/peers/peers.bash
. "$here/../peers/peers.bash"
trap 'oidc_stop; cleanup' EXIT
op=$work/op

if ! oidc_install "$op"; then
    echo "ok 1 - oidc-provider # SKIP npm could not install it: $(tail -n 1 npm.log)"
    echo 1..1
    exit 0
fi
start --sign-in mtls # once, for the certificates that both will use
stop
if ! oidc_start "$op" "$dir/tls-server.pem" "$dir/tls-server.key" "$dir/login-app.pem"; then
    echo "Bail out! $(tail -n 3 "$op/oidc.log")"
    exit 1
fi
start --sign-in mtls --issuer "$issuer" --jwks "$op/oidc-jwks.json"
error() { json body 'd.get("error")'; }

# ---- metadata ---------------------------------------------------------------------------------------------------
http "$base/.well-known/ccp"
ok "the cloud names it" is "$(json body 'd["issuer"]')" "$issuer"
http "$issuer/.well-known/openid-configuration"
ok "it names itself" is "$(json body 'd["issuer"]')" "$issuer"
token_url=$(json body 'd["token_endpoint"]') device_url=$(json body 'd["device_authorization_endpoint"]')
http "$issuer/.well-known/oauth-authorization-server"
ok "at the place of RFC 8414 too" is "$(json body 'd["token_endpoint"]')" "$token_url"

# ---- a person -----------------------------------------------------------------------------------------------------
device_code() {
    http "$device_url" -d client_id=certferry-sign-in -d scope=ccp.enroll
    cp body code
    code=$(json code 'd["device_code"]') page=$(json code 'd["verification_uri_complete"]')
}
poll() {
    http "$token_url" -d grant_type=urn:ietf:params:oauth:grant-type:device_code -d client_id=certferry-sign-in \
        --data-urlencode "device_code=$code"
}
enrol() { # TOKEN
    openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout one.key -subj /CN=x -outform der \
        -out one.csr 2>openssl.err
    http "${ccp[@]}" -H "Authorization: Bearer $1" "$base/ccp/agents/enroll" \
        -d "{\"csr\":\"$(base64 -w0 one.csr)\",\"agentName\":\"a\",\"machineName\":\"m\",\"agentVersion\":\"0\",
            \"features\":[\"pkcsIssue\"],\"encryptionKeys\":[]}"
}
device_code
ok "a code, without an interval: five seconds are meant" is "$(json code '"interval" in d')" False
poll
ok "nobody has approved yet" is "$status $(error)" '400 authorization_pending'
ok "the person approves" person "$op" "$dir/tls-ca.pem" approve "$page"
poll
ok "then there is a token" is "$status $(json body 'd["scope"]')" '200 ccp.enroll'
token=$(json body 'd["access_token"]')
poll
ok "and no second one" is "$(error)" invalid_grant
enrol "$token"
ok "the token enrols a connector" is "$status $(json body 'd["authentication"]["method"]')" '200 mtls'
json body 'd["certificate"]' | base64 -d | openssl x509 -inform der -out one.pem
http --cert one.pem --key one.key "${ccp[@]}" -d "$download" "$base/ccp/requests/download"
ok "which the cloud then serves" is "$status" 200
enrol "${token}x"
ok "a token that was altered does not" is "$status" 401
device_code
ok "the person declines" person "$op" "$dir/tls-ca.pem" deny "$page"
poll
ok "then it is denied" is "$status $(error)" '400 access_denied'

# ---- an application ---------------------------------------------------------------------------------------------
jwt_certificate=$dir/login-app.pem jwt_key=$dir/login-app.key jwt_audience=$token_url jwt_client=certferry-automation
prove() {
    http "$token_url" -d grant_type=client_credentials -d scope=ccp.enroll -d client_id=certferry-automation \
        -d "client_assertion=$jwt" \
        --data-urlencode client_assertion_type=urn:ietf:params:oauth:client-assertion-type:jwt-bearer
}
assertion
prove
ok "an assertion, PS256: a token" is "$status $(json body 'd["scope"]')" '200 ccp.enroll'
enrol "$(json body 'd["access_token"]')"
ok "which enrols a connector" is "$status" 200
prove
ok "the same assertion again is refused" is "$status $(error)" '401 invalid_client'
assertion 'p["aud"] = "https://other.example/"'
prove
ok "and one for another" is "$status $(error)" '401 invalid_client'

# ---- nobody comes -------------------------------------------------------------------------------------------------
oidc_stop
oidc_start "$op" "$dir/tls-server.pem" "$dir/tls-server.key" "$dir/login-app.pem" 1
token_url=$issuer/token device_url=$issuer/device/auth
device_code
read -r -t 1.5 <><(:)
poll
ok "a code that nobody used in time" is "$(json code 'd["expires_in"]') $(error)" '1 expired_token'
oidc_stop
ok "stops cleanly" stop

echo "1..$count"
[ "$failed" -eq 0 ]
