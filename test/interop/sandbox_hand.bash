#!/bin/bash
# Sourced by scripts that speak to the sandbox by hand: starting and stopping it, TAP, and what an agent
# does, done with curl and the openssl command line.  Wants bash, curl, openssl, python3.
set -u
sandbox=${SANDBOX:-${B:-build/rel}/certferry-sandbox}
[ -x "$sandbox" ] || { echo "Bail out! no $sandbox: make sandbox"; exit 1; }
sandbox=$(realpath "$sandbox")
work=$(mktemp -d)
pid=
cleanup() {
    [ -n "$pid" ] && kill "$pid" 2>/dev/null && wait "$pid" 2>/dev/null
    rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 1' INT TERM
cd "$work" || exit 1
dir=$work/dir

# ---- TAP ------------------------------------------------------------------------------------------
count=0 failed=0
ok() { # DESCRIPTION COMMAND...: the command's status decides
    local what=$1
    shift
    count=$((count + 1))
    if "$@" >ok.out 2>&1; then
        echo "ok $count - $what"
    else
        failed=$((failed + 1))
        echo "not ok $count - $what"
        { echo "command: $*"; cat ok.out; echo "http $status"; head -c 2000 body; } 2>/dev/null | sed 's/^/# /'
    fi
}
is() { # GOT WANTED
    [ "$1" = "$2" ] || { echo "got: $1"; echo "wanted: $2"; false; }
}
has() { # FILE TEXT
    grep -qF -- "$2" "$1"
}
not() {
    ! "$@"
}

# ---- asking ---------------------------------------------------------------------------------------
guid=0f8fad5b-d9cb-469f-a165-70867728950e
status=0 curl_rc=0
http() { # curl's arguments: body in ./body, headers in ./head, $status, $curl_rc
    status=$(curl -sS --max-time 20 --cacert "$dir/tls-ca.pem" -D head -o body -w '%{http_code}' "$@" 2>curl.err)
    curl_rc=$?
}
control() { # METHOD PATH [JSON]
    if [ $# -eq 3 ]; then
        http -X "$1" -H 'X-Sandbox: 1' -H 'Content-Type: application/json' -d "$3" "$base/sandbox/$2"
    else
        http -X "$1" -H 'X-Sandbox: 1' "$base/sandbox/$2"
    fi
}
fault() { # WHERE WHAT [MORE JSON MEMBERS]
    control POST faults "{\"where\":\"$1\",\"what\":\"$2\"${3:+,$3}}"
    [ "$status" = 200 ] || echo "# fault $1 $2 was refused: $(cat body)"
}
ccp=(-H 'ccp-version: 1' -H "client-request-id: $guid" -H 'Content-Type: application/json'
    -H 'traceparent: 00-0f8fad5bd9cb469fa16570867728950e-a165708677289500-01')
cloud() { # PATH JSON|@FILE
    http --cert "$dir/connector.pem" --key "$dir/connector.key" "${ccp[@]}" -d "$2" "$base/ccp/$1"
}
download='{"downloadParameters":{"maxRequests":100,"requestTypes":["pkcsIssue"],"waitSeconds":0}}'
ca() { # PATH, curl's arguments
    local path=$1
    shift
    http -u "$(cat "$dir/ca-password.txt")" -A 'Mozilla/5.0 (selftest)' "$@" "$base$path"
}
adcs_submit() { # REQUEST.pem TEMPLATE [ATTRIBUTE LINES]
    ca /certsrv/certfnsh.asp --data-urlencode Mode=newreq --data-urlencode "CertRequest@$1" \
        --data-urlencode "CertAttrib=CertificateTemplate:$2"$'\r\n'"${3:-}" \
        -d TargetStoreFlags=0 -d SaveCert=yes
}
est_enroll() { # REQUEST.pem LABEL
    openssl req -in "$1" -outform der | base64 -w64 >csr.b64
    ca "/.well-known/est/$2/simpleenroll" -H 'Content-Type: application/pkcs10' --data-binary @csr.b64
}
json() { # FILE PYTHON-EXPRESSION over d
    python3 -c 'import json,sys
with open(sys.argv[1]) as f: d = json.load(f)
print(eval(sys.argv[2]))' "$1" "$2"
}
events() { # NAME: how many such lines the ledger has
    control GET ledger
    grep -c "\"event\":\"$1\"" body
}
issued_id() { # from the issued page: its table is the one place that is neither comment nor script
    grep -A1 ID=tblDownload body | grep -o 'certnew.cer?ReqID=[0-9]*' | grep -o '[0-9]*$'
}
fetch() { # ID: DER into ./cert.der
    ca "/certsrv/certnew.cer?ReqID=$1&Enc=bin"
    cp body cert.der
}

# ---- a request, a certificate, a result, by hand ----------------------------------------------------
make_csr() { # CN: CN.key, CN.csr
    openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$1.key" -subj "/CN=$1" \
        -addext "keyUsage=critical,digitalSignature" -addext extendedKeyUsage=clientAuth \
        -addext "subjectAltName=email:$1@contoso.example" -out "$1.csr" 2>/dev/null
}
request() { # CN CA DEVICE MODE [PARAMETERS [DELIVERY]]: one request, $id; what is not said is the default
    local usage='"keyUsage":["digitalSignature"],' key='"keyAlgorithm":"ecP256",'
    [[ ${5:-} == *keyUsage* ]] && usage=
    [[ ${5:-} == *keyAlgorithm* ]] && key=
    control POST requests "{\"parameters\":{$usage$key\"certificationAuthorityName\":\"$2\",
      \"subject\":[[{\"type\":\"CN\",\"value\":\"$1\"}]],\"keySize\":null,
      \"friendlyName\":\"by hand\",
      \"subjectAlternativeNames\":[{\"sanType\":\"emailAddress\",\"name\":\"$1@contoso.example\"}],
      \"delivery\":{\"mode\":\"$4\",\"recipients\":[{\"certificate\":\"$3\"}]${6:+,$6}}${5:+,$5}}}"
    id=$(json body 'd["value"][0]')
}
lease() { # $id is handed out: $lease, ./items
    cloud requests/download "$download"
    cp body items
    lease=$(json items "[i['leaseId'] for i in d['value'] if i['requestId'] == '$id'][0]")
}
oaep="-keyopt rsa_padding_mode:oaep -keyopt rsa_oaep_md:sha256 -keyopt rsa_mgf1_md:sha256"
password=abcdefghijABCDEFGHIJ012345678901
envelope() { # CONTENT DEVICE OUT
    local key="-keyopt ecdh_kdf_md:sha256"
    [ "$2" = device-rsa ] && key=$oaep
    openssl cms -encrypt -binary -in "$1" -outform DER -out "$3" -aes-256-gcm -recip "$dir/$2.pem" $key
}
pfx() { # CN CERT.der EXTRA...: ./file.pfx
    local cn=$1
    openssl x509 -inform der -in "$2" -out leaf.pem
    shift 2
    openssl pkcs12 -export -inkey "$cn.key" -in leaf.pem -name "by hand" -passout "pass:$password" \
        -keypbe AES-256-CBC -certpbe AES-256-CBC -macalg sha256 -CSP "Microsoft Software Key Storage Provider" \
        -out file.pfx "$@"
}
result() { # DEVICE BLOB PASSWORD-CMS|'' [PYTHON STATEMENTS over r]: ./result
    openssl x509 -in "$dir/$1.pem" -outform der -out device.der
    openssl x509 -in "$dir/issuing-ca.pem" -outform der -out issuing.der
    openssl x509 -inform der -in cert.der -noout -serial -enddate -dateopt iso_8601 >cert.text
    id=$id lease=$lease blob=$2 password_cms=$3 python3 - "${4:-}" <<'PYTHON'
import base64, hashlib, json, os, sys
read = lambda name: open(name, 'rb').read()
b64 = lambda name: base64.b64encode(read(name)).decode()
sha1 = lambda name: hashlib.sha1(read(name)).hexdigest().upper()
text = dict(line.strip().split('=', 1) for line in open('cert.text'))
item = [i for i in json.load(open('items'))['value'] if i['requestId'] == os.environ['id']][0]
r = {'requestId': os.environ['id'], 'requestContext': item['requestContext'], 'requestType': 'pkcsIssue',
     'leaseId': os.environ['lease'], 'succeeded': True, 'errorCode': 'None', 'hResult': 0,
     'certificateIssuanceState': 'issued', 'certificateThumbprint': sha1('cert.der'),
     'certificateSerialNumber': text['serial'].lstrip('0'),
     'certificateExpirationDateUtc': text['notAfter'].replace(' ', 'T'),
     'issuingCertificateAuthority': 'O=Contoso, CN=Contoso Issuing CA 1',
     'certificateAuthority': item['parameters']['certificationAuthorityName'],
     'caConfiguration': item['parameters']['certificationAuthorityName'],
     'certificate': b64('cert.der'), 'chain': [b64('issuing.der')],
     'pfx': {'encryptedPfxBlob': b64(os.environ['blob']), 'recipientThumbprint': sha1('device.der'),
             'profile': 'modern'},
     'activityId': '0f8fad5b-d9cb-469f-a165-70867728950f'}
if os.environ['password_cms']:
    r['pfx']['encryptedPfxPassword'] = b64(os.environ['password_cms'])
exec(sys.argv[1])
json.dump({'results': [r]}, open('result', 'w'))
PYTHON
}
upload() {
    cloud results/upload @result
}
verdict() { # ID
    control GET "request/$1"
    json body 'd["verdict"]'
}
one_request() { # CN [STATEMENTS [PARAMETERS [DELIVERY]]]: certificate by AD CS, its file, envelope and result
    request "$1" adcs device-rsa passwordToDevice "${3:-}" "${4:-}"
    lease
    make_csr "$1"
    adcs_submit "$1.csr" ContosoUser
    fetch "$(issued_id)"
    pfx "$1" cert.der -certfile "$dir/issuing-ca.pem"
    envelope password.txt device-rsa password.cms
    result device-rsa file.pfx password.cms "${2:-}"
}

# ---- start ------------------------------------------------------------------------------------------
# ---- assertions of clients (RFC 7523) -----------------------------------------------------------------
b64url() { base64 -w0 | tr '+/' '-_' | tr -d '='; }
jwt_certificate='' jwt_key='' jwt_audience='' jwt_client=''
assertion() { # PYTHON STATEMENTS over h and p, KEY, PADDING (pss, pkcs1, ec): $jwt
    local x5t padding=${3:-pss}
    x5t=$(openssl x509 -in "$jwt_certificate" -outform der | openssl dgst -sha256 -binary | b64url)
    aud=$jwt_audience client=$jwt_client x5t=$x5t python3 - "${1:-}" <<'PYTHON'
import base64, json, os, sys, time, uuid
now = int(time.time())
h = {'alg': 'PS256', 'typ': 'JWT', 'x5t#S256': os.environ['x5t']}
p = {'aud': os.environ['aud'], 'iss': os.environ['client'], 'sub': os.environ['client'],
     'jti': str(uuid.uuid4()), 'iat': now, 'nbf': now, 'exp': now + 600}
exec(sys.argv[1])
part = lambda d: base64.urlsafe_b64encode(json.dumps(d).encode()).decode().rstrip('=')
open('unsigned', 'w').write(part(h) + '.' + part(p))
PYTHON
    local options=(-sigopt "rsa_padding_mode:$padding")
    [ "$padding" != pss ] || options+=(-sigopt rsa_pss_saltlen:digest)
    [ "$padding" != ec ] || options=()
    openssl dgst -sha256 -sign "${2:-$jwt_key}" "${options[@]}" -binary unsigned >signature
    [ "$padding" != ec ] || raw_signature
    jwt=$(cat unsigned).$(b64url <signature)
}
raw_signature() { # ECDSA-Sig-Value to r and s, 32 bytes each
    openssl asn1parse -inform der -in signature | sed -n 's/.*INTEGER *:\([0-9A-F]*\)$/\1/p' | while read -r n; do
        printf '%64s' "${n: -64}" | tr ' ' 0
    done | python3 -c 'import sys; sys.stdout.buffer.write(bytes.fromhex(sys.stdin.read()))' >raw
    mv raw signature
}

start() { # OPTIONS...
    "$sandbox" --dir "$dir" --port 0 --lease 60 --quiet --manual-polls 2 "$@" 2>sandbox.err &
    pid=$!
    for _ in $(seq 200); do
        [ -f "$dir/ready" ] && break
        read -r -t 0.05 <><(:)
    done
    base=$(cat "$dir/ready")
}
stop() { # the exit status is the sandbox's: with sanitizers a leak is one, too
    kill "$pid"
    wait "$pid"
    local rc=$?
    pid=
    [ $rc -eq 0 ] || cat sandbox.err
    return $rc
}
printf %s "$password" >password.txt
