#!/bin/bash
# Intune's stand-in alone, with curl and the openssl command line: does it take what is right, and does it
# notice what is wrong?  Prints TAP; exit 1 if anything is not ok.
#
#   SANDBOX=build/asan/certferry-sandbox test/scep/intune_selftest.sh
# shellcheck source=test/interop/sandbox_hand.bash
. "$(dirname "$(realpath "$0")")/../interop/sandbox_hand.bash"
start --scep 0
conf=$dir/certferry-scep.conf
tenant=$(sed -n 's/.*"tenant=\([^"]*\)".*/\1/p' "$conf")
client=$(sed -n 's/.*client_id = "\(.*\)"/\1/p' "$conf")
token_url=$base/$tenant/oauth2/v2.0/token
graph=$base/.default intune=https://api.manage.microsoft.com//.default

# ---- tokens -------------------------------------------------------------------------------------------------
token() { # SCOPE MORE OF CURL: $status, ./body
    http "$token_url" -d grant_type=client_credentials -d "client_id=$client" --data-urlencode "scope=$1" "${@:2}"
}
printf %s "$(cat "$dir/intune-secret.txt")" >secret
secret=(--data-urlencode client_secret@secret)
access() { # SCOPE: the token itself
    token "$1" "${secret[@]}"
    json body 'd["access_token"]'
}
token "$graph" "${secret[@]}"
ok "a secret: a token for Graph" is "$status" 200
token "$intune" "${secret[@]}"
ok "and one for Intune" is "$status" 200
token https://api.manage.microsoft.com/.default "${secret[@]}"
ok "one slash is another resource" has body AADSTS500011
token https://api.manage.microsoft.com//read "${secret[@]}"
ok "anything but /.default" has body AADSTS1002012
token "$graph" -d client_secret=guess
ok "a wrong secret" has body AADSTS7000215
token "$graph"
ok "no secret" has body AADSTS7000218
token "$graph" "${secret[@]}" -d grant_type=client_credentials
ok "a field twice" has body AADSTS900144
http "$base/another/oauth2/v2.0/token" -d grant_type=client_credentials
ok "another tenant" has body AADSTS90002

jwt_certificate=$dir/intune-app.pem jwt_key=$dir/intune-app.key jwt_audience=$token_url jwt_client=$client
prove() { # with $jwt
    token "$graph" -d "client_assertion=$jwt" \
        --data-urlencode client_assertion_type=urn:ietf:params:oauth:client-assertion-type:jwt-bearer
}
asserted() { # DESCRIPTION WANTED ASSERTION'S ARGUMENTS...
    local what=$1 want=$2
    shift 2
    assertion "$@"
    prove
    ok "assertion: $what" has body "$want"
}
asserted "a good one" access_token
prove
ok "assertion: the same again" has body 'jti was here before'
asserted "RS256" 'alg is not PS256' 'h["alg"] = "RS256"'
asserted "another audience" 'aud is not this endpoint' 'p["aud"] += "/"'
asserted "another issuer" AADSTS700021 'p["iss"] = "x"'
asserted "expired" AADSTS700024 'p["nbf"] -= 900; p["exp"] -= 900'
asserted "not valid yet" AADSTS700024 'p["nbf"] += 900; p["exp"] += 900'
asserted "valid for an hour" AADSTS700024 'p["exp"] += 3000'
asserted "times as text" AADSTS50027 'p["exp"] = str(p["exp"])'
asserted "jti no GUID" AADSTS50027 'p["jti"] = "1"'
asserted "another thumbprint" AADSTS700027 'h["x5t#S256"] = "A" * 43'
asserted "another key" 'signature is wrong' '' "$dir/device-rsa.key"
asserted "PKCS#1 padding under PS256" 'signature is wrong' '' "$dir/intune-app.key" pkcs1
assertion
jwt=${jwt%?????}AAAAA
prove
ok "assertion: the signature altered" has body AADSTS

# ---- discovery ------------------------------------------------------------------------------------------------
new_guid() { cat /proc/sys/kernel/random/uuid; }
discover() { # MORE OF CURL
    http "$base/v1.0/servicePrincipals/appId=0000000a-0000-0000-c000-000000000000/endpoints" \
        -H "client-request-id: $(new_guid)" "$@"
}
graph_token=$(access "$graph") intune_token=$(access "$intune")
discover -H "Authorization: Bearer $graph_token"
ok "Graph lists the service" has body ScepRequestValidationFEService
uri=$(json body 'd["value"][0]["uri"]')
discover -H "Authorization: Bearer $intune_token"
ok "not with Intune's token" is "$status" 401
fault intune.discovery service-twice
discover -H "Authorization: Bearer $graph_token"
ok "fault: the service twice, the good one last" is "$(json body 'd["value"][1]["uri"]')" "$uri"
fault intune.discovery service-name
discover -H "Authorization: Bearer $graph_token"
ok "fault: the older name" is "$(json body 'd["value"][0]["providerName"]')" None
fault intune.discovery no-service
discover -H "Authorization: Bearer $graph_token"
ok "fault: no service" not has body ScepRequestValidationFEService

# ---- a request, validated ---------------------------------------------------------------------------------------
make() { # CN: a challenge and a request with it, ./CN.der
    control POST scep-challenge "{\"subject\":\"CN=$1\",\"ku\":[\"digitalSignature\"],\"eku\":[\"1.3.6.1.5.5.7.3.2\"]${2:-}}"
    printf '[req]\nprompt=no\ndistinguished_name=d\nattributes=a\nreq_extensions=e\n[d]\nCN=%s\n[a]\nchallengePassword=%s\n[e]\nkeyUsage=critical,%s\nextendedKeyUsage=clientAuth\n' \
        "${3:-$1}" "$(cat body)" "${4:-digitalSignature}" >req.cnf
    openssl req -new -newkey rsa:2048 -nodes -keyout "$1.key" -config req.cnf -outform der -out "$1.der" 2>openssl.err
}
version=2018-02-20 type='application/json; charset=utf-8' rid=
action() { # NAME JSON
    http "$uri/ScepActions/$1" -H "Authorization: Bearer $intune_token" -H "client-request-id: ${rid:-$(new_guid)}" \
        -H "api-version: $version" -H "Content-Type: $type" -d "$2"
}
validate() { # CN
    action validateRequest "{\"request\":{\"transactionId\":\"T-$1\",\"certificateRequest\":\"$(base64 -w0 "$1.der")\",
        \"callerInfo\":\"selftest\"}}"
}
code() { json body 'd["code"]'; }
make ada
validate ada
ok "a good request" is "$(code)" Success
make eve '' administrator
validate eve
ok "another subject" is "$(code)" SubjectNameMismatch
make kim '' '' keyEncipherment
validate kim
ok "another key usage" is "$(code)" KeyUsageMismatch
make leo ',"keyBits":3072'
validate leo
ok "another key length" is "$(code)" KeyLengthMismatch
make sam ',"san":["dns:sam"]'
validate sam
ok "names missing" is "$(code)" SubjectAltNameMissing
make old ',"ttl":-1'
validate old
ok "too late" is "$(code)" ChallengeExpired
head -c 300 ada.der >cut.der
validate cut
ok "half a request" is "$(code)" CertificateRequestDecodingFailed
version=5018-02-20 validate ada
ok "another api-version" is "$status" 400
type=application/json validate ada
ok "no charset" is "$status" 400
rid=$(new_guid)
validate ada
validate ada
rid=
ok "a client-request-id again" is "$status" 400
action validateRequest '{"request":{"transactionId":"x","certificateRequest":"x","callerInfo":"x","more":1}}'
ok "a member nobody knows" is "$status" 400
for what in ChallengeExpired SignatureValidationFailed BadUserIdInChallenge; do
    fault intune.validate intune-code "\"code\":\"$what\""
    validate ada
    ok "fault: $what" is "$(code)" "$what"
done
fault intune.validate http-429 '"retryAfter":7'
validate ada
ok "fault: 429" has head 'Retry-After: 7'
fault intune.validate moved
validate ada
ok "fault: moved" is "$status" 404
validate ada
ok "and stays away" is "$status" 404
discover -H "Authorization: Bearer $graph_token"
ok "Graph knows where to" not is "$(json body 'd["value"][0]["uri"]')" "$uri"
uri=$(json body 'd["value"][0]["uri"]')
validate ada
ok "there it is" is "$(code)" Success
fault intune.validate token-expired
validate ada
ok "fault: token expired" is "$status" 401
intune_token=$(access "$intune")

# ---- issued, and said so -----------------------------------------------------------------------------------------
openssl req -inform der -in ada.der -out ada.csr
adcs_submit ada.csr ContosoUser
fetch "$(issued_id)"
thumb=$(openssl x509 -inform der -in cert.der -noout -fingerprint -sha1 | sed 's/.*=//; s/://g')
serial=$(openssl x509 -inform der -in cert.der -noout -serial | cut -d= -f2)
end=$(openssl x509 -inform der -in cert.der -noout -enddate -dateopt iso_8601 | sed 's/.*=//; s/ /T/; s/Z/.000Z/')
issuer='CN=Contoso Issuing CA 1, O=Contoso'
success() { # CN
    action successNotification "{\"notification\":{\"transactionId\":\"T-$1\",\"certificateRequest\":\"$(base64 -w0 "$1.der")\",
        \"certificateThumbprint\":\"$thumb\",\"certificateSerialNumber\":\"$serial\",
        \"certificateExpirationDateUtc\":\"$end\",\"issuingCertificateAuthority\":\"$issuer\",\"callerInfo\":\"selftest\"}}"
}
failure() { # CN HRESULT DESCRIPTION
    action failureNotification "{\"notification\":{\"transactionId\":\"T-$1\",\"certificateRequest\":\"$(base64 -w0 "$1.der")\",
        \"hResult\":$2,\"errorDescription\":\"$3\",\"callerInfo\":\"selftest\"}}"
}
thumb=${thumb,,} success ada
ok "thumbprint in small letters" is "$status" 400
serial=4711 success ada
ok "another serial number" is "$status" 400
end=${end/T/ } success ada
ok "a blank in the time" is "$status" 400
end=${end/.000/} success ada
ok "no milliseconds" is "$status" 400
issuer='CN=Somebody' success ada
ok "another issuer" is "$status" 400
success eve
ok "a request that was not validated" is "$status" 400
fault intune.success intune-code '"code":"Unknown"'
success ada
ok "fault: notification refused" is "$(code)" Unknown
success ada
ok "all as it is" is "$(code)" Success
failure ada 2148091904 no
ok "a failure after a success" is "$status" 400
make bob
validate bob
failure bob '"0x80094800"' no
ok "hResult as text" is "$status" 400
failure bob 4294967296 no
ok "hResult of 33 bits" is "$status" 400
failure bob 2148091904 "$(printf 'x%.0s' {1..256})"
ok "a description of 256 characters" is "$status" 400
failure bob 2148091904 "$(printf 'x%.0s' {1..255})"
ok "a failure as it should be" is "$(code)" Success
success bob
ok "a success for another's certificate" is "$status" 400
ok "the ledger has both answers to the success" is "$(events scep-success)" 2
ok "and one failure" is "$(events scep-failure)" 1
ok "check: the certificate is accounted for" "$sandbox" check "$dir"
ok "stops without complaint" stop
echo "1..$count"
[ "$failed" -eq 0 ]
