#!/bin/bash
# shell-pipeline.sh DIR COUNT - what an administrator would write: the openssl and curl command lines do a
# connector's work for the first COUNT requests of the sandbox that runs on DIR.
#
# It is kind to the shell.  Requests are fetched in bulk and taken apart before the clock starts, nothing is
# stored, nothing is checked, a failure ends everything; what all requests have in common is made once.
# The devices of the sandbox judge the results like anybody else's.  Prints one line of JSON: requests,
# CPU seconds of everything the loop started, seconds by the wall clock.
set -eu
dir=$(realpath "$1") count=$2
base=$(<"$dir/ready")
work=$(mktemp -d "${TMPDIR:-/tmp}/certferry-shell.XXXXXX")
trap 'rm -rf "$work"' EXIT
cd "$work"

guid=0f8fad5b-d9cb-469f-a165-70867728950e
ccp=(-H 'ccp-version: 1' -H "client-request-id: $guid" -H 'Content-Type: application/json'
    -H 'traceparent: 00-0f8fad5bd9cb469fa16570867728950e-a165708677289500-01')
cloud() { # PATH BODY-FILE
    curl -sS --fail --max-time 60 --cacert "$dir/tls-ca.pem" --cert "$dir/connector.pem" --key "$dir/connector.key" \
        "${ccp[@]}" --data-binary "@$2" "$base/ccp/$1"
}

# ---- not counted: the requests, as one line of words each -------------------------------------------
: >requests
while [ "$(wc -l <requests)" -lt "$count" ]; do
    left=$((count - $(wc -l <requests)))
    printf '{"downloadParameters":{"maxRequests":%d,"requestTypes":["pkcsIssue"],"waitSeconds":0}}' \
        $((left < 100 ? left : 100)) >ask
    cloud requests/download ask >answer
    python3 - answer >>requests <<'PYTHON'
import json, sys
for item in json.load(open(sys.argv[1]))['value']:
    p = item['parameters']
    print(item['requestId'], item['leaseId'], item['requestContext'], p['subject'][0][0]['value'],
          p['subjectAlternativeNames'][0]['name'], p['certificateTemplateName'], p['keyAlgorithm'])
PYTHON
    [ -s requests ] || { echo "shell-pipeline.sh: the sandbox has no requests" >&2; exit 1; }
done

# ---- made once -----------------------------------------------------------------------------------------
cp "$dir/device-rsa.pem" device.pem
cp "$dir/issuing-ca.pem" issuing.pem
issuing=$(openssl x509 -in issuing.pem -outform der | base64 -w0)
issuer=$(openssl x509 -in issuing.pem -noout -subject -nameopt sep_comma_plus_space,sname,utf8)
issuer=${issuer#subject=}
thumbprint=$(openssl x509 -in device.pem -noout -fingerprint -sha1)
thumbprint=${thumbprint#*=} thumbprint=${thumbprint//:/}
printf '[req]\nprompt=no\ndistinguished_name=dn\nreq_extensions=ext\n' >common.conf
login=$(<"$dir/ca-password.txt")

one() { # ID LEASE CONTEXT CN UPN TEMPLATE ALGORITHM
    local id=$1 lease=$2 context=$3 cn=$4 upn=$5 template=$6 line usage=digitalSignature
    local serial print end leaf
    if [ "$7" = rsa ]; then
        openssl genpkey -quiet -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out key.pem
        usage=digitalSignature,keyEncipherment
    else
        openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out key.pem
    fi
    { cat common.conf; printf '[dn]\nCN=%s\n[ext]\nkeyUsage=critical,%s\nextendedKeyUsage=clientAuth\n%s%s\n' \
        "$cn" "$usage" 'subjectAltName=otherName:1.3.6.1.4.1.311.20.2.3;UTF8:' "$upn"; } >req.conf
    openssl req -new -sha256 -key key.pem -config req.conf -outform der | base64 >csr.b64
    { echo '-----BEGIN PKCS7-----'
      curl -sS --fail --max-time 60 --cacert "$dir/tls-ca.pem" -u "$login" -H 'Content-Type: application/pkcs10' \
          --data-binary @csr.b64 "$base/.well-known/est/$template/simpleenroll"
      echo '-----END PKCS7-----'; } >issued.p7
    openssl pkcs7 -in issued.p7 -print_certs -out leaf.pem
    leaf=
    while read -r line; do
        case $line in
        serial=*) serial=${line#*=} serial=${serial#"${serial%%[!0]*}"} ;;
        *ingerprint=*) print=${line#*=} print=${print//:/} ;;
        notAfter=*) end=${line#*=} end=${end/ /T} ;;
        -----*) ;;
        *) leaf+=$line ;;
        esac
    done < <(openssl x509 -in leaf.pem -serial -fingerprint -sha1 -enddate -dateopt iso_8601)
    tr -dc A-Za-z0-9 </dev/urandom 2>/dev/null | head -c 32 >password || true
    openssl pkcs12 -export -inkey key.pem -in leaf.pem -certfile issuing.pem -name Load -passout file:password \
        -keypbe AES-256-CBC -certpbe AES-256-CBC -macalg sha256 -CSP 'Microsoft Software Key Storage Provider' -out file.pfx
    openssl cms -encrypt -binary -in password -outform der -out password.cms -aes-256-gcm -recip device.pem \
        -keyopt rsa_padding_mode:oaep -keyopt rsa_oaep_md:sha256 -keyopt rsa_mgf1_md:sha256
    { printf '{"results":[{"requestId":"%s","requestContext":"%s","requestType":"pkcsIssue","leaseId":"%s",' \
        "$id" "$context" "$lease"
      printf '"succeeded":true,"errorCode":"None","hResult":0,"certificateIssuanceState":"issued",'
      printf '"certificateThumbprint":"%s","certificateSerialNumber":"%s","certificateExpirationDateUtc":"%s",' \
          "$print" "$serial" "$end"
      printf '"issuingCertificateAuthority":"%s","certificateAuthority":"est","caConfiguration":"est","certificate":"%s",' "$issuer" "$leaf"
      printf '"chain":["%s"],"pfx":{"encryptedPfxBlob":"' "$issuing"
      base64 -w0 file.pfx
      printf '","encryptedPfxPassword":"'
      base64 -w0 password.cms
      printf '","recipientThumbprint":"%s","profile":"modern"},"activityId":"%s"}]}' "$thumbprint" "$guid"; } >result
    cloud results/upload result >receipt
}

# ---- counted -------------------------------------------------------------------------------------------
done=0
times >before
start=$(date +%s%N)
while [ $done -lt "$count" ] && read -r id lease context cn upn template algorithm; do
    one "$id" "$lease" "$context" "$cn" "$upn" "$template" "$algorithm"
    if ! grep -q '"value":true' receipt || grep -q rejected receipt; then
        echo "shell-pipeline.sh: $cn: the cloud refused: $(<receipt)" >&2
        exit 1
    fi
    done=$((done + 1))
done <requests
wall_ns=$(($(date +%s%N) - start))
times >after
# Four times a file, MmS.SSSs each: user and system, the shell's own and its children's.
cat before after | tr 'm s' '  \n' | awk -v n=$done -v wall=$wall_ns '
    NF == 2 { t = $1 * 60 + $2; cpu += ++k > 4 ? t : -t }
    END { printf "{\"requests\":%d,\"cpu_s\":%.3f,\"wall_s\":%.3f}\n", n, cpu, wall / 1e9 }'
