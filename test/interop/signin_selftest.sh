#!/bin/bash
# The sandbox's authorization server and its enrolment alone, with curl and the openssl command line: do they take
# what is right, and do they notice what is wrong?  Prints TAP; exit 1 if anything is not ok.
#
#   SANDBOX=build/asan/certferry-sandbox test/interop/signin_selftest.sh
# shellcheck source=test/interop/sandbox_hand.bash
. "$(dirname "$(realpath "$0")")/sandbox_hand.bash"
start --sign-in mtls
issuer=$base/login token_url=$base/login/token
public=certferry-sign-in app=certferry-automation

# ---- metadata, discovery --------------------------------------------------------------------------------------
http "$base/.well-known/ccp"
ok "discovery names the issuer" is "$(json body 'd["issuer"]')" "$issuer"
http "$base/.well-known/oauth-authorization-server/login"
ok "RFC 8414: the issuer is itself" is "$(json body 'd["issuer"]')" "$issuer"
ok "and names its endpoints" is "$(json body 'd["token_endpoint"]+" "+d["device_authorization_endpoint"]')" \
    "$token_url $issuer/devicecode"
http "$issuer/.well-known/openid-configuration"
ok "OpenID: the same" is "$(json body 'd["issuer"]')" "$issuer"
fault login.metadata not-found '"match":"oauth-authorization-server","count":-1'
http "$base/.well-known/oauth-authorization-server/login"
ok "fault: not at the one place" is "$status" 404
http "$issuer/.well-known/openid-configuration"
ok "but at the other" is "$status" 200
control DELETE faults
fault login.metadata other-issuer
http "$issuer/.well-known/openid-configuration"
ok "fault: it says that it is another" is "$(json body 'd["issuer"]')" "$issuer/other"
fault login.metadata plain-http
http "$issuer/.well-known/openid-configuration"
ok "fault: endpoints without TLS" is "$(json body 'd["token_endpoint"][:5]')" http:
fault login.metadata no-device-flow
http "$issuer/.well-known/openid-configuration"
ok "fault: no device flow" not has body device_authorization_endpoint
fault cloud.discovery no-issuer
http "$base/.well-known/ccp"
ok "fault: a cloud without an issuer" not has body issuer

# ---- device code ----------------------------------------------------------------------------------------------
device_code() { # ./code, $code, $user_code
    http "$issuer/devicecode" -d "client_id=$public" -d scope=ccp.enroll
    cp body code
    code=$(json code 'd.get("device_code","")') user_code=$(json code 'd.get("user_code","")')
}
poll() {
    http "$token_url" -d grant_type=urn:ietf:params:oauth:grant-type:device_code -d "client_id=$public" \
        --data-urlencode "device_code=$code"
}
waits() { read -r -t "$1" <><(:); }
error() { json body 'd.get("error")'; }
answer() { control POST device "{\"userCode\":\"$user_code\",\"answer\":\"$1\"}"; }

http "$issuer/devicecode" -d "client_id=$app" -d scope=ccp.enroll
ok "only one client has the device flow" is "$status $(error)" '401 invalid_client'
http "$issuer/devicecode" -d "client_id=$public" -d scope=everything
ok "only one scope is there" is "$(error)" invalid_scope
device_code
ok "a code that can be typed" grep -qE '^[B-Z]{4}-[B-Z]{4}$' <<<"$user_code"
ok "with the page that has it in its address" is "$(json code 'd["verification_uri_complete"]')" \
    "$issuer/device?user_code=$user_code"
hasty() { # within the interval of a second, if this machine is quick enough
    local _
    for _ in {1..5}; do
        device_code
        poll
        [ "$status $(error)" = '400 slow_down' ] && return
    done
    is "$status $(error)" '400 slow_down'
}
ok "asked before the interval: slow_down" hasty
device_code
waits 1.1
poll
ok "nobody answered yet: authorization_pending" is "$(error)" authorization_pending
answer approve
waits 1.1
poll
ok "approved: a token" is "$(json body 'd["token_type"]+" "+d["scope"]')" 'Bearer ccp.enroll'
ok "and what a store must not keep" has body refresh_token
person=$(json body 'd["access_token"]')
stolen=$person
poll
ok "the same code again: invalid_grant" is "$(error)" invalid_grant
device_code
answer deny
waits 1.1
poll
ok "declined: access_denied" is "$(error)" access_denied
device_code
answer expire
poll
ok "over: expired_token" is "$(error)" expired_token
fault login.device code-life '"seconds":1'
device_code
waits 1.1
poll
ok "fault: a code of one second" is "$(json code 'd["expires_in"]') $(error)" '1 expired_token'
fault login.device no-interval
device_code
waits 1.1
poll
ok "fault: no interval, and five seconds are meant" is "$(json code 'd.get("interval")') $(error)" 'None slow_down'
fault login.device entra
device_code
ok "fault: Entra's shape" is "$(json code '"message" in d, "verification_uri_complete" in d')" '(True, False)'
fault login.device aadsts '"code":700016'
device_code
ok "fault: an AADSTS code" is "$status $(json code 'd["error_codes"][0]')" '401 700016'
fault login.device approved '"polls":1'
device_code
waits 1.1
poll
first=$(error)
waits 1.1
poll
ok "fault: approved after one poll" is "$first $status" 'authorization_pending 200'
person=$(json body 'd["access_token"]')
for what in authorization-pending slow-down access-denied authorization-declined expired-token bad-verification-code \
    invalid-grant; do
    fault login.poll $what
    device_code
    poll
    ok "fault: $what" is "$(error)" "${what//-/_}"
done
ok "the ledger has every poll" test "$(events poll)" -ge 17

# ---- client credentials ---------------------------------------------------------------------------------------
token() { http "$token_url" -d grant_type=client_credentials -d scope=ccp.enroll "$@"; }
secret=$(cat "$dir/login-secret.txt")
token -d "client_id=$app" -d "client_secret=$secret"
ok "a secret in the form" is "$status" 200
token -u "$app:$secret"
ok "a secret in the header" is "$status" 200
token -d "client_id=$app" -d client_secret=guess
ok "a wrong one" has body AADSTS7000215
token -d "client_id=$app"
ok "none" has body AADSTS7000218
token -d client_id=somebody -d "client_secret=$secret"
ok "another client" has body AADSTS700016
http "$token_url" -d grant_type=client_credentials -d scope=ccp.agent -d "client_id=$app" -d "client_secret=$secret"
ok "another scope" is "$(error)" invalid_scope
jwt_certificate=$dir/login-app.pem jwt_key=$dir/login-app.key jwt_audience=$token_url jwt_client=$app
prove() { # CLIENT SCOPE
    http "$token_url" -d grant_type=client_credentials -d "scope=${2:-ccp.enroll}" -d "client_id=${1:-$app}" \
        -d "client_assertion=$jwt" \
        --data-urlencode client_assertion_type=urn:ietf:params:oauth:client-assertion-type:jwt-bearer
}
asserted() { # DESCRIPTION WANTED ASSERTION'S ARGUMENTS...
    local what=$1 want=$2
    shift 2
    assertion "$@"
    prove
    ok "assertion: $what" has body "$want"
}
asserted "PS256" access_token
prove
ok "assertion: the same again" has body 'jti was here before'
asserted "RS256" access_token 'h["alg"] = "RS256"' '' pkcs1
asserted "PS256 that is RS256" 'signature is wrong' '' '' pkcs1
asserted "none" 'signature is wrong' 'h["alg"] = "none"'
asserted "another audience" 'aud is not this endpoint' 'p["aud"] += "/"'
asserted "another issuer" AADSTS700021 'p["iss"] = "x"'
asserted "expired" AADSTS700024 'p["nbf"] -= 900; p["exp"] -= 900'
asserted "another thumbprint" AADSTS700027 'h["x5t#S256"] = "A" * 43'
asserted "another old thumbprint" AADSTS700027 'h["x5t"] = "A" * 27'
asserted "another key" 'signature is wrong' '' "$dir/device-rsa.key"
fault login.token aadsts '"code":7000222'
token -d "client_id=$app" -d "client_secret=$secret"
ok "fault: an AADSTS code" has body 'AADSTS7000222: '
fault login.token short-token '"seconds":1'
token -d "client_id=$app" -d "client_secret=$secret"
short=$(json body 'd["access_token"]')
token -d "client_id=$app" -d "client_secret=$secret"
automation=$(json body 'd["access_token"]')

# ---- who may call -----------------------------------------------------------------------------------------------
http "${ccp[@]}" -d "$download" "$base/ccp/requests/download"
ok "without a certificate nothing is done" is "$status" 401
cloud requests/download "$download"
ok "nor with one that nobody enrolled" is "$status" 403
ok "and the ledger says so" has <(control GET ledger; cat body) 'not the certificate of a connector that enrolled'

# ---- enrol ------------------------------------------------------------------------------------------------------
make_request() { # NAME: key and request
    openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$1.key" -subj "/CN=$1" \
        -outform der -out "$1.csr" 2>openssl.err
}
enrol() { # NAME TOKEN [PYTHON over d]
    python3 - "$1" "${3:-}" >enroll.json <<'PYTHON'
import base64, json, sys
d = {'csr': base64.b64encode(open(sys.argv[1] + '.csr', 'rb').read()).decode(), 'agentName': 'site a',
     'machineName': 'host.example', 'agentVersion': '0.4', 'features': ['pkcsIssue'], 'encryptionKeys': []}
exec(sys.argv[2])
print(json.dumps(d))
PYTHON
    http "${ccp[@]}" -H "Authorization: Bearer $2" -d @enroll.json "$base/ccp/agents/enroll"
    [ "$status" = 200 ] && keep "$1"
}
keep() { # NAME: what was answered
    json body 'd["certificate"]' | base64 -d | openssl x509 -inform der -out "$1.pem"
    agent=$(json body 'd["agentId"]')
}
as() { # NAME PATH JSON
    http --cert "$1.pem" --key "$1.key" "${ccp[@]}" -d "$3" "$base/ccp/$2"
}
make_request one
http "${ccp[@]}" -d '{}' "$base/ccp/agents/enroll"
ok "enrol: without a token" is "$status" 401
enrol one guess
ok "enrol: with a guess" is "$status" 401
enrol one "$stolen"
ok "enrol: with a token whose code was used twice" is "$status" 401
waits 1
enrol one "$short"
ok "enrol: with a token whose time is over" is "$status" 401
enrol one "$person" 'd["more"] = 1'
ok "enrol: a member that nobody knows" is "$status" 400
enrol one "$person" 'c = bytearray(base64.b64decode(d["csr"])); c[-1] ^= 1; d["csr"] = base64.b64encode(c).decode()'
ok "enrol: a request that was altered" is "$status" 400
enrol one "$person" 'd["encryptionKeys"] = [{"keyId": "1", "use": "fun", "spki": ""}]'
ok "enrol: a key for nothing" is "$status" 400
fault cloud.enroll no-licence
enrol one "$person"
ok "fault: no licence" is "$status $(json body 'd["error"]["message"]')" '403 the account has no licence for this'
enrol one "$person"
ok "enrol: a person's token" is "$status" 200
ok "enrol: how to go on" is "$(json body 'd["authentication"]')" "{'method': 'mtls'}"
ok "enrol: the certificate is the cloud's" openssl verify -CAfile "$dir/cloud-ca.pem" -purpose sslclient one.pem
ok "enrol: and names the connector" is "$(openssl x509 -in one.pem -noout -subject -nameopt multiline | sed -n 's/.*commonName *= //p')" "$agent"
ok "enrol: for the key that was sent" is "$(openssl x509 -in one.pem -noout -pubkey)" "$(openssl pkey -in one.key -pubout)"
as one requests/download "$download"
ok "and with it the cloud answers" is "$status" 200
make_request two
enrol two "$(cat "$dir/bootstrap-token.txt")"
ok "enrol: a bootstrap token" is "$status" 200
enrol two "$(cat "$dir/bootstrap-token.txt")"
ok "enrol: once" is "$status" 403
control POST bootstrap
enrol two "$(cat body)"
ok "enrol: another bootstrap token, made while it runs" is "$status" 200
two=$agent
enrol one "$automation"
ok "enrol: a token of client credentials" is "$status" 200
one=$agent
fault cloud.enroll wrong-key
enrol two "$automation"
ok "fault: a certificate for another key" not is "$(openssl x509 -in two.pem -noout -pubkey)" "$(openssl pkey -in two.key -pubout)"
fault cloud.enroll expired
enrol two "$automation"
ok "fault: one that has ended" not openssl x509 -in two.pem -noout -checkend 0
fault cloud.enroll odd-method
enrol two "$automation"
ok "fault: an unknown way to prove it" has body carrierPigeon

# ---- heartbeat ------------------------------------------------------------------------------------------------
beat() { # AGENT EPOCH COUNTER
    as one agents/heartbeat "{\"agentId\":\"$1\",\"state\":\"running\",\"version\":\"0\",\"features\":[],\"epoch\":\"$2\",
        \"counter\":$3,\"certificates\":[],\"metrics\":[],\"audit\":{\"count\":3,\"head\":\"$(printf '%064d' 0)\"}}"
}
beat "$two" e1 7
ok "heartbeat: under another's name" is "$status" 400
beat "$one" e1 7
beat "$one" e1 3
ok "heartbeat: the highest counter comes back" is "$(json body 'd["highestCounter"]')" 7
control POST counter '{"highestCounter":1000}'
beat "$one" e1 8
ok "heartbeat: one that was raised" is "$(json body 'd["highestCounter"]')" 1000
beat "$one" e2 1001
ok "heartbeat: a new epoch is in the ledger" is "$(events epoch)" 2
beat "$one" e1 1002
ok "heartbeat: an old one that comes back is a clone" is "$(events clone)" 1
control GET agents
ok "the list of connectors" is "$(json body "[a['highestCounter'] for a in d['value'] if a['agentId'] == '$one']")" '[1002]'

# ---- renew ----------------------------------------------------------------------------------------------------
renew() { # WITH NAME
    as "$1" agents/renew "{\"csr\":\"$(base64 -w0 "$2.csr")\"}"
    [ "$status" = 200 ] && keep "$2"
}
make_request next
renew one next
ok "renew: under the same name" is "$status $agent" "200 $one"
as one requests/download "$download"
ok "renew: the old certificate is good until the new one was used" is "$status" 200
as next requests/download "$download"
ok "renew: the new one is good" is "$status" 200
as one requests/download "$download"
ok "renew: and then the old one is void" is "$status" 403
fault cloud.renew other-agent
renew next next
ok "fault: another connector's name" not is "$agent" "$one"
control POST revoke "{\"agentId\":\"$one\"}"
as next requests/download "$download"
ok "a revoked connector is refused" is "$status" 403
ok "stops cleanly" stop

# ---- short lives ------------------------------------------------------------------------------------------------
start --sign-in mtls --certificate 8
enrol one "$(cat "$dir/bootstrap-token.txt")"
as one requests/download "$download"
ok "a certificate of eight seconds" is "$status" 200
waits 8.5
as one requests/download "$download"
ok "has ended then" is "$status" 403
stop

# ---- private_key_jwt ------------------------------------------------------------------------------------------
start --sign-in jwt
token_url=$base/login/token jwt_audience=$base/login/token
openssl req -new -newkey rsa:2048 -nodes -keyout three.key -subj /CN=x -outform der -out three.csr 2>openssl.err
enrol three "$(cat "$dir/bootstrap-token.txt")"
ok "jwt: how to go on" is "$(json body 'd["authentication"]')" \
    "{'method': 'private_key_jwt', 'tokenEndpoint': '$token_url', 'clientId': '$agent', 'scope': 'ccp.agent'}"
jwt_certificate=three.pem jwt_key=three.key jwt_client=$agent
assertion
prove "$agent" ccp.agent
ok "jwt: the connector's assertion" is "$status" 200
access=$(json body 'd["access_token"]')
with() { http "${ccp[@]}" -H "Authorization: Bearer $1" -d "$2" "$base/ccp/${3:-requests/download}"; }
with "$access" "$download"
ok "jwt: its token" is "$status" 200
with guess "$download"
ok "jwt: another" is "$status" 401
token -d "client_id=$app" -d "client_secret=$secret"
with "$(json body 'd["access_token"]')" "$download"
ok "jwt: a token for enrolling is for nothing else" is "$status" 403
enrol three "$access"
ok "jwt: and the other way round" is "$status" 403
make_request four
with "$access" "{\"csr\":\"$(base64 -w0 four.csr)\"}" agents/renew
keep four
jwt_certificate=four.pem jwt_key=four.key
assertion 'h["alg"] = "ES256"' '' ec
prove "$agent" ccp.agent
ok "jwt: ES256 with the renewed certificate" is "$status" 200
jwt_certificate=three.pem jwt_key=three.key
assertion
prove "$agent" ccp.agent
ok "jwt: the old certificate is void then" has body 'newer one has been used'
stop

# ---- an issuer elsewhere ----------------------------------------------------------------------------------------
openssl ecparam -name prime256v1 -genkey -noout | openssl pkcs8 -topk8 -nocrypt -out issuer-ec.key
openssl genrsa -out issuer-rsa.key 2048 2>openssl.err
{
    openssl rsa -in issuer-rsa.key -noout -modulus | cut -d= -f2
    openssl pkey -in issuer-ec.key -pubout -outform der | tail -c 64 | od -An -tx1 | tr -d ' \n'
} | python3 -c '
import base64, json, sys
n, point = [bytes.fromhex(l.strip()) for l in sys.stdin]
b = lambda v: base64.urlsafe_b64encode(v).decode().rstrip("=")
print(json.dumps({"keys": [{"kty": "oct", "k": "AA"}, {"kty": "RSA", "n": b(n), "e": "AQAB"},
    {"kty": "EC", "crv": "P-256", "x": b(point[:32]), "y": b(point[32:])}]}))' >jwks.json
start --sign-in mtls --issuer https://op.example --jwks jwks.json
http "$base/.well-known/ccp"
ok "issuer: discovery names it" is "$(json body 'd["issuer"]')" https://op.example
jwt_certificate=$dir/login-app.pem jwt_audience=urn:certferry:cloud jwt_client=https://op.example
foreign() { # DESCRIPTION STATUS ASSERTION'S ARGUMENTS
    local what=$1 want=$2
    assertion "p['scope'] = 'openid ccp.enroll'; $3" "${@:4}"
    enrol one "$jwt"
    ok "issuer: $what" is "$status" "$want"
}
foreign PS256 200 '' issuer-rsa.key
foreign RS256 200 'h["alg"] = "RS256"' issuer-rsa.key pkcs1
foreign ES256 200 'h["alg"] = "ES256"' issuer-ec.key ec
foreign "several audiences" 200 'p["aud"] = ["x", p["aud"]]' issuer-rsa.key
foreign "another key" 401 '' "$dir/login-app.key"
foreign "another issuer" 401 'p["iss"] += "/"' issuer-rsa.key
foreign "another audience" 401 'p["aud"] = "urn:other"' issuer-rsa.key
foreign "another scope" 401 'p["scope"] = "xccp.enroll ccp.enrolled"' issuer-rsa.key
foreign "over" 401 'p["exp"] = p["iat"]' issuer-rsa.key
foreign "no algorithm" 401 'h["alg"] = "none"' issuer-rsa.key
ok "stops cleanly again" stop

echo "1..$count"
[ "$failed" -eq 0 ]
