#!/bin/bash
# The sandbox alone: does it say the right thing about results that are right and results that are wrong,
# and do its faults do what they are called?  Prints TAP; exit 1 if anything is not ok.
#
#   SANDBOX=build/asan/certferry-sandbox test/interop/sandbox_selftest.sh
here=$(dirname "$(realpath "$0")")
# shellcheck source=test/interop/sandbox_hand.bash
. "$here/sandbox_hand.bash"

# ---- start, who may ask -------------------------------------------------------------------------------
start --journal "$work/journal"
ok "starts and says where" is "${base%:*}" https://127.0.0.1
ok "writes a configuration for the agent" has "$dir/certferry.conf" "url = \"$base/ccp\""
http "$base/sandbox/summary"
ok "control wants its header" is "$status" 403
http "$base/certsrv/"
ok "the CA wants a password" is "$status" 401
ok "and says so" has head 'WWW-Authenticate: Basic'
ca /certsrv/
ok "and takes the right one" is "$status" 200
http "${ccp[@]}" -d "$download" "$base/ccp/requests/download"
ok "the cloud wants a certificate or a token" is "$status" 401
http "${ccp[@]}" -H "Authorization: Bearer $(cat "$dir/bearer-token.txt")" -d "$download" "$base/ccp/requests/download"
ok "and takes the token" is "$status" 200
cloud requests/download "$download"
ok "or the certificate; there is nothing to do" is "$(json body 'd["value"]')" '[]'
http --cert "$dir/connector.pem" --key "$dir/connector.key" -H 'Content-Type: application/json' -d "$download" \
    "$base/ccp/requests/download"
ok "a request without ccp-version is refused" has body 'ccp-version'
cloud requests/download '{"downloadParameters":{"maxRequests":1,"maxRequests":2}}'
ok "a double member is refused" has body DataSerializationError
http "$base/.well-known/ccp"
ok "discovery names the services" is "$(json body 'd["value"][1]["providerName"]')" CcpRequestService
beat='{"state":"running","version":"0","features":[],"epoch":"e","counter":7,"certificates":[],"metrics":[]}'
cloud agents/heartbeat "$beat"
cloud agents/heartbeat "${beat/:7/:3}"
ok "heartbeat: the highest counter comes back" is "$(json body 'd["highestCounter"]')" 7

# ---- both faces, a right result each --------------------------------------------------------------------
request alice adcs device-rsa passwordToDevice
alice=$id
lease
ok "a request is handed out once" is "$(json items 'len(d["value"])')" 1
make_csr alice
adcs_submit alice.csr ContosoUser
ok "AD CS: the answer is the page of an issued certificate" has body 'ID=locDownloadCert3'
fetch "$(issued_id)"
ok "AD CS: the type is a certificate's" has head 'application/pkix-cert'
openssl x509 -inform der -in cert.der -out alice.pem
ok "the certificate leads to the root" openssl verify -CAfile "$dir/root-ca.pem" -untrusted "$dir/issuing-ca.pem" alice.pem
openssl x509 -in alice.pem -noout -text >alice.text
ok "its names are the request's" has alice.text 'email:alice@contoso.example'
ok "its template is named" has alice.text '1.3.6.1.4.1.311.21.7'
ok "its key is the request's" is "$(openssl x509 -in alice.pem -noout -pubkey)" "$(openssl pkey -in alice.key -pubout)"
ca '/certsrv/certnew.p7b?ReqID=CACert&Enc=bin'
ok "AD CS: the chain is issuing CA and root" is "$(openssl pkcs7 -inform der -in body -print_certs | grep -c subject=)" 2
pfx alice cert.der -certfile "$dir/issuing-ca.pem"
envelope password.txt device-rsa password.cms
result device-rsa file.pfx password.cms
upload
ok "the result is recorded" is "$status $(json body 'd["value"]')" '200 True'
ok "the device says ok" is "$(verdict "$alice")" ok
upload
ok "the same result again is answered alike" is "$status $(json body 'd["value"]')" '200 True'
result device-rsa file.pfx password.cms "r['leaseId'] = 'another'"
upload
ok "also under another lease: the lease is not part of it" is "$status $(json body 'd["value"]')" '200 True'
result device-rsa file.pfx password.cms "r['activityId'] = '$guid'"
upload
ok "another result for the same request is a conflict" is "$status $(json body 'd["rejected"][0]["errorCode"]')" \
    '409 ConflictError'
ok "and stands in the ledger" is "$(events conflicting-result)" 1

request bob est device-ec blobToDevice
lease
make_csr bob
est_enroll bob.csr WiFiUser
ok "EST: the answer is a CMS message in base64" has head 'application/pkcs7-mime'
base64 -di body | openssl pkcs7 -inform der -print_certs >bob.pem 2>pkcs7.err
ok "EST: with the leaf alone" is "$(grep -c BEGIN bob.pem)" 1
openssl x509 -in bob.pem -outform der -out cert.der
pfx bob cert.der -certfile "$dir/issuing-ca.pem"
printf '%s\n' 'asn1=SEQUENCE:both' '[both]' "password=UTF8:$password" \
    "pfx=FORMAT:HEX,OCT:$(od -An -v -tx1 file.pfx | tr -d ' \n')" >both.cnf
openssl asn1parse -genconf both.cnf -noout -out inside
envelope inside device-ec blob.cms
result device-ec blob.cms ''
upload
ok "blobToDevice: the device says ok" is "$(verdict "$id")" ok
ca /.well-known/est/cacerts
base64 -di body | openssl pkcs7 -inform der -print_certs >cas 2>pkcs7.err
ok "EST: cacerts has issuing CA and root" is "$(grep -c subject= cas)" 2
est_enroll bob.csr Nonsense
ok "EST: an unknown label is 404" is "$status" 404
adcs_submit bob.csr Nonsense
ok "AD CS: an unknown template is denied with its number" has body 0x80094800
est_enroll bob.csr DeniedUser
ok "EST: a denial is 400 and says why" has body 0x80094012
adcs_submit bob.csr ContosoUser $'SAN:email=mallory@contoso.example'
ok "AD CS: names in attributes are refused" has body 'ID=locDispMsgLabel'
tr 'A-Y' 'B-Z' <bob.csr | sed 's/.*BEHIN.*/-----BEGIN CERTIFICATE REQUEST-----/; s/.*FOE.*/-----END CERTIFICATE REQUEST-----/' >broken.csr
adcs_submit broken.csr ContosoUser
ok "AD CS: what is no request is refused" has body 'Error '

# ---- pending ----------------------------------------------------------------------------------------------
make_csr carol
adcs_submit carol.csr ManualUser
ok "AD CS: ManualUser waits" has body 'ID=locInfoReqID'
waiting=$(grep -A1 'ID=locInfoReqID' body | grep -o '[0-9]\+' | head -1)
ca "/certsrv/certnew.cer?ReqID=$waiting&Enc=bin"
ok "AD CS: first poll, still waiting" has body 'Taken Under Submission'
ca "/certsrv/certnew.cer?ReqID=$waiting&Enc=bin"
ok "AD CS: second poll, the certificate" openssl x509 -inform der -in body -noout
make_csr dave
fault est.enroll pending '"polls":-1'
est_enroll dave.csr ContosoUser
ok "EST: pending is 202 with Retry-After" has head 'Retry-After'
est_enroll dave.csr ContosoUser
ok "EST: and stays so" is "$status" 202
control POST approve '{"cn":"dave"}'
est_enroll dave.csr ContosoUser
ok "EST: until approved; then the same bytes get the certificate" is "$status" 200

# ---- leases -------------------------------------------------------------------------------------------------
one_request erin
control POST expire-leases
upload
ok "a void lease is a conflict" is "$status $(json body 'd["rejected"][0]["errorCode"]')" '409 ConflictError'
lease
ok "the request is handed out again, second attempt" is \
    "$(json items "[i['attempt'] for i in d['value'] if i['requestId'] == '$id'][0]")" 2
cloud requests/extend "{\"leases\":[{\"requestId\":\"$id\",\"leaseId\":\"$lease\"}]}"
ok "a lease is extended" is "$(json body '"leaseExpiresDateTime" in d["value"][0]')" True
cloud requests/extend "{\"leases\":[{\"requestId\":\"$id\",\"leaseId\":\"nonsense\"}]}"
ok "not by somebody else" is "$(json body 'd["value"][0]["errorCode"]')" ConflictError
cloud requests/release "{\"leases\":[{\"requestId\":\"$id\",\"leaseId\":\"$lease\"}]}"
lease
ok "released, handed out, third attempt" is \
    "$(json items "[i['attempt'] for i in d['value'] if i['requestId'] == '$id'][0]")" 3
result device-rsa file.pfx password.cms
upload
ok "and delivered under the newest lease" is "$(verdict "$id")" ok
mkdir aside
(
    cd aside || exit 1
    read -r -t 0.3 <><(:)
    request frank adcs device-rsa passwordToDevice
) &
before=$(date +%s%N)
cloud requests/download "${download/:0/:10}"
waited_ms=$((($(date +%s%N) - before) / 1000000))
wait $!
ok "a long poll ends when work comes" is "$(json body 'len(d["value"])') $((waited_ms > 200 && waited_ms < 8000))" '1 1'

# ---- results that are wrong, and what is said about them --------------------------------------------------------
complaint() { # CN STATEMENTS TEXT
    one_request "$1" "$2"
    upload
    ok "said about $1: $3" has <(verdict "$id") "$3"
}
complaint wrong-thumbprint "r['certificateThumbprint'] = '00' * 20" 'certificateThumbprint: is 00'
complaint wrong-serial "r['certificateSerialNumber'] = 'ABCD'" 'is no certificate of this CA'
complaint wrong-expiry "r['certificateExpirationDateUtc'] = '2031-01-01T00:00:00Z'" "not the certificate's notAfter"
complaint wrong-profile "r['pfx']['profile'] = 'compat'" 'profile: is compat, should be modern'
complaint no-chain "r['chain'] = []" 'chain: the issuing CA'
complaint wrong-ca "r['caConfiguration'] = 'other'" 'caConfiguration: is other, should be adcs'
complaint wrong-issuer "r['issuingCertificateAuthority'] = 'CN=Other'" 'issuingCertificateAuthority: is CN=Other'
wrong_file() { # CN TEXT PFX-ARGUMENTS...: the file is made differently
    local cn=$1 text=$2
    shift 2
    one_request "$cn"
    pfx "$cn" cert.der "$@"
    result device-rsa file.pfx password.cms
    upload
    ok "said about $cn: $text" has <(verdict "$id") "$text"
}
cat "$dir/issuing-ca.pem" "$dir/root-ca.pem" >both.pem
wrong_file with-root 'the root is in the file' -certfile both.pem
wrong_file leaf-alone "the issuing CA's certificate is not in the file"
wrong_file wrong-name 'friendlyName of the key is "other"' -certfile "$dir/issuing-ca.pem" -name other
wrong_file machine-keyset 'LocalKeySet does not fit' -certfile "$dir/issuing-ca.pem" -LMK
wrong_file half-compat 'algorithms of the' -certfile "$dir/issuing-ca.pem" -keypbe PBE-SHA1-3DES
wrong_file wrong-password 'wrong MAC or password' -certfile "$dir/issuing-ca.pem" -passout pass:other
asked() { # CN PARAMETERS DELIVERY TEXT: something else was asked for than the CA and we make
    one_request "$1" '' "$2" "$3"
    upload
    ok "said about $1: $4" has <(verdict "$id") "$4"
}
asked other-sid '"onPremisesSecurityIdentifier":"S-1-5-21-1-2-3-4","sidEncoding":"extension"' '' 'SID extension: missing'
asked other-usage '"keyUsage":["digitalSignature","keyAgreement"]' '' 'key usage: bits 80, asked for were 88'
asked other-curve '"keyAlgorithm":"ecP384"' '' 'key: not ecP384'
asked shorter-life '"certificateValidityPeriodValue":30,"certificateValidityPeriodScale":"days"' '' 'validity: 90 days'
asked other-cipher '' '"contentEncryption":"des-ede3-cbc"' 'asked for was des-ede3-cbc'
asked other-profile '' '"pfxProfile":"compat"' 'profile is modern, asked for was compat'
complaint other-bytes "c = bytearray(read('cert.der')); c[-1] ^= 1; r['certificate'] = base64.b64encode(c).decode()" \
    'not the one that the CA issued'
one_request short-password
password=${password:1} pfx short-password cert.der -certfile "$dir/issuing-ca.pem"
printf %s "${password:1}" >short.txt
envelope short.txt device-rsa password.cms
result device-rsa file.pfx password.cms
upload
ok "said about short-password" has <(verdict "$id") 'password: 31 bytes'
fault_complaint() { # WHAT TEXT: the CA issues something else, and the agent does not look
    fault ca.submit "$1"
    one_request "issued-$1"
    upload
    ok "said about issued-$1: $2" has <(verdict "$id") "$2"
}
fault_complaint wrong-subject 'subject: is "CN=Mallory Mole"'
fault_complaint wrong-san 'names: are "email:mallory@contoso.example '
fault_complaint no-san 'names: are ""'
fault_complaint extra-eku 'extended key usage: is "1.3.6.1.4.1.311.20.2.1 '
fault_complaint ca-true "is a CA's"
fault_complaint other-issuer 'no path to the root: unable to get local issuer'
fault_complaint expired 'no path to the root: certificate has expired'
one_request wrong-device
envelope password.txt device-ec password.cms
result device-rsa file.pfx password.cms
upload
ok "said about wrong-device: no key transport" has <(verdict "$id") 'no key transport for the RSA device'
one_request wrong-padding
oaep='' envelope password.txt device-rsa password.cms
result device-rsa file.pfx password.cms
upload
ok "said about wrong-padding: key transport" has <(verdict "$id") 'key transport rsaEncryption'
one_request wrong-hash
oaep='-keyopt rsa_padding_mode:oaep' envelope password.txt device-rsa password.cms
result device-rsa file.pfx password.cms
upload
ok "said about wrong-hash: OAEP, but not with SHA-256" has <(verdict "$id") 'key transport RSAES-OAEP, asked for was rsaOaepSha256'
request other-names adcs device-rsa passwordToDevice
lease
make_csr mallory
adcs_submit mallory.csr ContosoUser
fetch "$(issued_id)"
pfx mallory cert.der -certfile "$dir/issuing-ca.pem"
envelope password.txt device-rsa password.cms
result device-rsa file.pfx password.cms
upload
ok "said about other-names: the subject" has <(verdict "$id") 'subject: is "CN=mallory", asked for was "CN=other-names"'
one_request no-lease "del r['leaseId']"
upload
ok "a result without lease is refused" has body 'leaseId: missing'
one_request contradiction "r['errorCode'] = 'DeniedByCA'"
upload
ok "a result that contradicts itself is refused" has body contradict
result device-rsa file.pfx password.cms "r.update(succeeded=False, errorCode='IssuancePending', certificateIssuanceState='issuePending')"
upload
control GET "request/$id"
ok "issuePending keeps the request open" is "$(json body 'd["state"]')" leased

# ---- faults: the wire ---------------------------------------------------------------------------------------------
make_csr grace
fault ca.submit http-500
adcs_submit grace.csr ContosoUser
ok "http-500" is "$status" 500
fault cloud.download http-503 '"retryAfter":7'
cloud requests/download "$download"
ok "http-503 with Retry-After" has head 'Retry-After: 7'
fault est.enroll http-429 '"retryAfter":9'
est_enroll grace.csr ContosoUser
ok "http-429 with Retry-After" is "$status $(grep -ci 'Retry-After: 9' head)" '429 1'
issued=$(events issued)
fault ca.submit drop-before
adcs_submit grace.csr ContosoUser
ok "drop-before: no answer (curl 52), nothing issued" is "$curl_rc $(events issued)" "52 $issued"
fault ca.submit drop-after
adcs_submit grace.csr ContosoUser
ok "drop-after: no answer, but issued" is "$curl_rc $(events issued)" "52 $((issued + 1))"
fault est.enroll lost-answer-twice
est_enroll grace.csr ContosoUser
first=$curl_rc
est_enroll grace.csr ContosoUser
second=$curl_rc
est_enroll grace.csr ContosoUser
ok "lost-answer-twice: lost, lost, answered" is "$first $second $status" '52 52 200'
fault ca.fetch truncate '"bytes":100'
ca '/certsrv/certnew.cer?ReqID=100&Enc=bin'
ok "truncate: 100 bytes, then the end of the line (curl 18)" is "$(stat -c %s body)" 100
fault ca.submit html
adcs_submit grace.csr ContosoUser
ok "html: a 200 that is not the CA's" is "$status $(grep -c 'guest network<.title' body)" '200 1'
fault est.enroll redirect
est_enroll grace.csr ContosoUser
ok "redirect: to elsewhere" has head 'Location: https://portal.contoso.example/login'
fault est.enroll garbage
est_enroll grace.csr ContosoUser
ok "garbage: under the right content type" is "$(grep -c pkcs7-mime head) $(stat -c %s body)" '1 997'
fault ca.fetch delay '"ms":400'
before=$(date +%s%N)
ca '/certsrv/certnew.cer?ReqID=100&Enc=bin'
ok "delay: late, but right" is "$status $((($(date +%s%N) - before) / 1000000 >= 400))" '200 1'
fault cloud.download bad-json
cloud requests/download "$download"
ok "bad-json" not json body d
fault cloud.download duplicate-member
cloud requests/download "$download"
ok "duplicate-member" is "$(python3 -c 'import json
seen = []
json.load(open("body"), object_pairs_hook=lambda pairs: seen.append([k for k, _ in pairs]))
print(seen[-1].count("value"))')" 2

# ---- faults: the CA ---------------------------------------------------------------------------------------------
twisted() { # WHAT PATTERN: one certificate with this fault, as text
    fault ca.submit "$1"
    adcs_submit grace.csr ContosoUser
    fetch "$(issued_id)"
    openssl x509 -inform der -in cert.der -noout -text >text
    ok "$1: $2" grep -q "$2" text
}
twisted wrong-subject 'Subject: CN = Mallory Mole'
twisted wrong-san 'email:mallory@contoso.example'
twisted extra-eku '1.3.6.1.4.1.311.20.2.1'
twisted ca-true 'CA:TRUE'
twisted other-issuer 'Issuer: CN = Mallory Mole'
twisted no-san 'Subject: CN = grace'
ok "no-san: really none" not grep -q 'Alternative Name' text
twisted wrong-key 'Subject: CN = grace'
ok "wrong-key: really another" not is "$(openssl x509 -inform der -in cert.der -noout -pubkey)" \
    "$(openssl pkey -in grace.key -pubout)"
twisted long-validity 'Subject: CN = grace'
ok "long-validity: valid for more than ten years" openssl x509 -inform der -in cert.der -noout -checkend 315360000
twisted expired 'Subject: CN = grace'
ok "expired: not valid any more" not openssl x509 -inform der -in cert.der -noout -checkend 0
fault ca.submit deny '"hresult":"0x80094014"'
adcs_submit grace.csr ContosoUser
ok "deny: with this number" has body 0x80094014
issued=$(events issued)
fault ca.submit lie-failure
adcs_submit grace.csr ContosoUser
cp body page
ok "lie-failure: has issued" is "$(events issued)" $((issued + 1))
ok "lie-failure: the page is a denial" has page 'ID=locInfoReqIDandReason'
fault ca.fetch forget
ca '/certsrv/certnew.cer?ReqID=100&Enc=bin'
ok "forget: the CA knows nothing of it" has body 0x80094004
fault ca.submit german
adcs_submit grace.csr ContosoUser
ok "german: the same page in other words" is "$(grep -c 'ausgestellt' body) $(grep -c 'ID=locDownloadCert3' body)" '2 1'
fault ca.submit http-500 '"match":"nobody"'
adcs_submit grace.csr ContosoUser
ok "a fault that matches somebody else lets this one pass" is "$status" 200
control DELETE faults
control GET faults
ok "faults are cleared" is "$(json body 'd["value"]')" '[]'
control POST faults '{"where":"ca.submit","what":"nonsense"}'
ok "an unknown fault is refused with the list" is "$status $(grep -c lost-answer-twice body)" '400 1'
control POST faults '{"where":"cloud.upload","what":"wrong-key"}'
ok "a fault in the wrong place is refused" is "$status" 400

# ---- faults: leases -------------------------------------------------------------------------------------------------
fault cloud.download stale-lease
one_request heidi
upload
ok "stale-lease: what was handed out is void" is "$status" 409
control POST expire-leases
lease
fault cloud.upload drop-after
result device-rsa file.pfx password.cms
upload
lost=$curl_rc
upload
ok "drop-after at upload: recorded, and the second post is answered as the first" is "$lost $status $(verdict "$id")" '52 200 ok'

# ---- what the ledger says -----------------------------------------------------------------------------------------------
control GET summary
ok "summary: three lost answers and more are orphans" is "$(json body 'd["orphans"] > 3 and d["conflicts"] == 1 and len(d["verdicts"]) > 8')" True
"$sandbox" check "$dir" >check.out
ok "check finds what was wrong" is "$? $(grep -c '^I4 broken' check.out) $(grep -c '^I1 broken' check.out)" "1 32 0"
grep '^I2 broken' check.out | grep -o 'serial [0-9A-F]*' >orphans
sed 1d orphans >orphans.less
"$sandbox" check "$dir" --orphans orphans.less >check2.out
ok "check: one orphan that is not listed is found" is "$(grep -c '^I2 broken' check2.out)" 1
"$sandbox" check "$dir" --orphans orphans >check2.out
ok "check: orphans that are listed are accounted for" is "$(grep -c '^I2 broken' check2.out) $(grep -c '^I4 broken' check2.out)" '0 32'
"$sandbox" table "$dir" >table
ok "table: the line for alice" grep -q '^[0-9a-f]* *alice *adcs *ecP256 .* modern *[0-9]* *ok$' table
ok "journal: messages with path, direction and body" python3 -c '
import json
lines = [json.loads(l) for l in open("journal")]
assert {l["path"] for l in lines} >= {"/requests/download", "/requests/extend", "/results/upload", "/agents/heartbeat"}
assert all("body" in l and l["direction"] in ("request", "response") for l in lines)'
ok "stops cleanly" stop
ok "and takes ready away" not test -e "$dir/ready"

# ---- again, in the same folder; then one run without a fault ---------------------------------------------------------
before=$(cat "$dir/issuing-ca.pem" "$dir/device-ec.pem" "$dir/ca-password.txt")
start --require-client-cert
ok "a second start keeps keys and passwords" is "$(cat "$dir/issuing-ca.pem" "$dir/device-ec.pem" "$dir/ca-password.txt")" "$before"
ok "and the ledger of the run before" has "$dir/ledger-1.jsonl" alice
http "${ccp[@]}" -H "Authorization: Bearer $(cat "$dir/bearer-token.txt")" -d "$download" "$base/ccp/requests/download"
ok "with --require-client-cert the token is not enough" is "$status" 401
one_request ivan
upload
ok "the device says ok" is "$(verdict "$id")" ok
ok "check finds nothing wrong" "$sandbox" check "$dir"
ok "ctl summary" "$sandbox" ctl "$dir" summary
ok "ctl wait: nothing is open" "$sandbox" ctl "$dir" wait 1
(
    cd aside || exit 1
    cloud requests/download "${download/:0/:30}"
) &
read -r -t 0.5 <><(:)
"$sandbox" ctl "$dir" stop >ctl.out
wait "$pid"
ok "ctl stop ends it, also while somebody waits in a long poll" is "$?" 0
pid=
wait
rm "$dir/connector.key"
"$sandbox" --dir "$dir" --quiet 2>sandbox.err
ok "a folder with something missing is refused, and what" is "$? $(grep -c connector.key sandbox.err)" '1 1'

# ---- check against a ledger made by hand: each promise broken once --------------------------------------------------------
mkdir fake
cat >fake/ledger.jsonl <<'LEDGER'
{"t":1,"event":"start","openEvery":1}
{"t":2,"event":"requested","requestId":"r1","cn":"one"}
{"t":2,"event":"requested","requestId":"r2","cn":"two"}
{"t":3,"event":"csr-received","cn":"one","spkiSha256":"k1"}
{"t":4,"event":"issued","serial":"5A1","cn":"one","spkiSha256":"k1"}
{"t":4,"event":"issued","serial":"5A2","cn":"one","spkiSha256":"k1"}
{"t":5,"event":"result","requestId":"r1","digest":"d1","succeeded":true,"state":"issued","serial":"5A2","accepted":true,"duplicate":false,"verdict":"ok"}
{"t":6,"event":"result","requestId":"r1","digest":"d1","succeeded":true,"state":"issued","serial":"5A2","accepted":true,"duplicate":true,"verdict":"ok"}
LEDGER
broken() { # WHICH...: promises that check finds broken, with the orphans of ./listed
    "$sandbox" check fake --orphans listed | grep -o '^I[1-4]' | sort -u | tr '\n' ' '
}
: >listed
ok "check: a certificate nobody lists" is "$(broken)" 'I2 '
echo r1 >listed
ok "check: accounted for by its request" is "$(broken)" ''
echo '5A2 r1' >listed
ok "check: not by a row for another serial of the request" is "$(broken)" 'I2 '
echo '05a1, r1' >listed
ok "check: by its serial, however it is written" is "$(broken)" ''
echo '{"t":7,"event":"csr-received","cn":"one","spkiSha256":"k2"}' >>fake/ledger.jsonl
ok "check: a second key" is "$(broken)" 'I1 '
echo '{"t":8,"event":"result","requestId":"r1","digest":"d2","succeeded":true,"state":"issued","accepted":true,"duplicate":false,"verdict":"ok"}' >>fake/ledger.jsonl
ok "check: a second result" is "$(broken)" 'I1 I3 '
echo '{"t":9,"event":"result","requestId":"r2","digest":"d3","succeeded":true,"state":"issued","accepted":true,"duplicate":false,"verdict":"sealed"}' >>fake/ledger.jsonl
ok "check: a success the device did not see" is "$(broken)" 'I1 I3 I4 '
echo nonsense >>fake/ledger.jsonl
"$sandbox" check fake 2>check.err
ok "check: a ledger that cannot be read is no proof of anything" is "$? $(grep -c 'ledger.jsonl:12' check.err)" '1 1'

echo "1..$count"
[ "$failed" -eq 0 ]
