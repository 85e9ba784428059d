#!/bin/bash
# The real agent against a real EST server: Debian's libest speaks RFC 7030, est_server.c only signs.  The cloud
# is the sandbox.  Prints TAP.
#
#   B=build/rel test/interop/est_server.sh
#
# libest3 is in Debian 13 only, but runs on Debian 12: it is unpacked beside the build, with an apt state of its
# own, and stays there for the next run.  Nothing is installed.
# shellcheck source=test/live/live.bash
. "$(dirname "$(realpath "$0")")/../live/live.bash"
libest=$(dirname "$B")/libest

# ---- libest ------------------------------------------------------------------------------------------------
fetch_libest() { # into $libest, complete or not at all
    local uri options
    uri=$(cat /etc/apt/sources.list.d/debian.sources /etc/apt/sources.list 2>/dev/null |
        sed -n -e 's/^URIs: *//p' -e 's/^deb [^h]*\(http[^ ]*\) [a-z]* main.*/\1/p' | head -n 1)
    [ -n "$uri" ] || { echo "no archive of Debian in apt's sources"; return 1; }
    mkdir -p apt/lists/partial apt/archives/partial apt/root
    echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $uri trixie main" >apt/trixie.list
    options=(-o Dir::Etc::sourcelist="$PWD/apt/trixie.list" -o Dir::Etc::sourceparts=/dev/null
        -o Dir::State::lists="$PWD/apt/lists" -o Dir::Cache="$PWD/apt" -o Dir::Cache::archives="$PWD/apt/archives"
        -o APT::Sandbox::User=root -o Acquire::http::Timeout=20 -o Acquire::Retries=1)
    (
        cd apt && timeout 120 apt-get -q "${options[@]}" update &&
            timeout 60 apt-get -q "${options[@]}" download libest3 libest-dev &&
            for deb in *.deb; do dpkg-deb -x "$deb" root || exit; done
    ) || return
    mkdir -p "$(dirname "$libest")"
    cp -r apt/root "$libest.$$" && { mv -T "$libest.$$" "$libest" 2>/dev/null || rm -rf "$libest.$$"; }
    test -e "$libest/usr/include/est/est.h"
}
build_server() {
    local lib
    lib=$(dirname "$(find "$libest" -name 'libest.so.3')")
    "${CC:-cc}" -std=c11 -D_GNU_SOURCE -O1 -g -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes \
        -Wmissing-prototypes -Wvla -Wformat=2 -Werror -isystem "$libest/usr/include" -o est_server \
        "$root/test/interop/est_server.c" -L"$lib" -lest -lssl -lcrypto -Wl,-rpath,"$lib"
}
if [ ! -e "$libest/usr/include/est/est.h" ] && ! fetch_libest >fetch.out 2>&1; then
    sed 's/^/# /' fetch.out | tail -n 5
    skip "the agent against libest" "libest3 of Debian 13 cannot be had here"
    finish
    exit
fi
ok "the EST server builds with libest" build_server
[ -x est_server ] || bail "no EST server"

# ---- its CA: root, issuing CA, and the certificates of TLS -------------------------------------------------
newkey() {
    openssl genpkey -quiet -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$1" 2>openssl.err ||
        openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$1" 2>openssl.err
}
certificate() { # NAME SUBJECT ISSUER EXTENSION...
    local name=$1 subject=$2 issuer=$3 e
    shift 3
    newkey "$name.key"
    for e; do echo "$e"; done >ext
    openssl req -new -key "$name.key" -subj "$subject" -out req.pem 2>openssl.err
    if [ "$issuer" = self ]; then
        openssl x509 -req -in req.pem -signkey "$name.key" -days 30 -extfile ext -out "$name.pem" 2>openssl.err
    else
        openssl x509 -req -in req.pem -CA "$issuer.pem" -CAkey "$issuer.key" -CAcreateserial -days 30 -extfile ext \
            -out "$name.pem" 2>openssl.err
    fi || bail "openssl makes no certificate: $(cat openssl.err)"
    chmod 600 "$name.key"
}
mkdir est && cd est || exit 1
ca_usage=(basicConstraints=critical,CA:TRUE keyUsage=critical,keyCertSign,cRLSign subjectKeyIdentifier=hash)
certificate root "/CN=EST Root" self "${ca_usage[@]}"
certificate issuing "/CN=EST Issuing" root "${ca_usage[@]}" authorityKeyIdentifier=keyid
certificate tls-ca "/CN=EST TLS" self "${ca_usage[@]}"
certificate tls "/CN=127.0.0.1" tls-ca subjectAltName=IP:127.0.0.1 extendedKeyUsage=serverAuth
certificate connector "/CN=connector" tls-ca extendedKeyUsage=clientAuth
certificate stranger "/CN=stranger" self extendedKeyUsage=clientAuth
cat issuing.pem root.pem >chain.pem
cp tls-ca.pem clients.pem
echo 'connector:correct-horse-31' >login
echo 'connector:wrong-battery-77' >login-wrong
chmod 600 login login-wrong
cd ..
est_start() { # OPTIONS...: $est_port, the server's words in est.said
    rm -f est/port
    ./est_server "$work/est" "$@" 2>>est.said &
    est_pid=$!
    alive[$est_pid]=est
    until_true 10 test -f est/port || bail "the EST server does not start: $(cat est.said)"
    est_port=$(cat est/port)
}
est_stop() {
    kill "$est_pid"
    wait "$est_pid" 2>/dev/null
    unset "alive[$est_pid]"
}
est_start
sandbox_start cloud --journal "$work/journal"

# One agent, several roads to the same server; each is a CA of the configuration.
est_ca() { # NAME, LINES...
    local name=$1
    shift
    echo "ca \"$name\" {"
    printf '  %s\n' 'type = "est"' "url = \"https://127.0.0.1:$est_port\"" 'label = ""' \
        "anchors = \"$work/est/root.pem\"" 'templates = {"User"}' 'pending_interval = 1' "$@"
    echo "}"
}
tls="trust = \"$work/est/tls-ca.pem\""
shows() { printf '%s\n' "client_certificate = \"$work/est/$1.pem\"" "client_key = \"$work/est/$1.key\""; }
write_roads() {
    {
        est_ca basic "$tls" 'auth = "basic"' "credentials_file = \"$work/est/login\""
        est_ca certificate "$tls" "$(shows connector)"
        est_ca stranger "$tls" "$(shows stranger)"
        est_ca wrong "$tls" 'auth = "basic"' "credentials_file = \"$work/est/login-wrong\""
        est_ca untrusted "trust = \"$work/est/root.pem\"" 'auth = "basic"' "credentials_file = \"$work/est/login\""
        est_ca labelled "$tls" 'auth = "basic"' "credentials_file = \"$work/est/login\"" 'label = "users"'
    } | drop_in est
}
write_roads

# ---- what the device gets: opened by hand, because this CA is not the sandbox's ----------------------------
uploaded() { # MEMBER of the file in the successful result for $id, decoded
    python3 - "$work/journal" "$id" "$1" <<'PYTHON'
import base64, json, sys
for line in open(sys.argv[1]):
    message = json.loads(line)
    if message['path'] != '/results/upload' or message['direction'] != 'request':
        continue
    body = message['body'] if isinstance(message['body'], dict) else json.loads(message['body'])
    for r in body['results']:
        if r['requestId'] == sys.argv[2] and r['succeeded']:
            sys.stdout.buffer.write(base64.b64decode(r['pfx'][sys.argv[3]]))
            sys.exit(0)
sys.exit('no certificate was uploaded for ' + sys.argv[2])
PYTHON
}
open_as_device() { # CN: leaf.pem, leaf.key, above.pem
    uploaded encryptedPfxBlob >file.p12 && uploaded encryptedPfxPassword >password.cms || return
    openssl cms -decrypt -binary -inform DER -in password.cms -recip "$dir/device-rsa.pem" \
        -inkey "$dir/device-rsa.key" -out password || return
    openssl pkcs12 -in file.p12 -passin file:password -nodes -nocerts -out leaf.key &&
        openssl pkcs12 -in file.p12 -passin file:password -nokeys -clcerts -out leaf.pem &&
        openssl pkcs12 -in file.p12 -passin file:password -nokeys -cacerts -out above.pem || return
    is "$(openssl x509 -in leaf.pem -noout -pubkey)" "$(openssl pkey -in leaf.key -pubout)" &&
        is "$(openssl x509 -in leaf.pem -noout -subject -nameopt RFC2253)" "subject=CN=$1" &&
        openssl verify -CAfile est/root.pem -untrusted above.pem leaf.pem
}
delivered() { # CN
    is_state "$id" delivered && open_as_device "$1"
}
history() { # TEXT...
    cf requests show "$id" --json
    says out "$@"
}
retry() { # one more round for $id
    cf requests retry "$id"
    agent_once --wait 0
}

# ---- issued ------------------------------------------------------------------------------------------------
ask basic-1 basic User
agent_once --wait 0
ok "password: issued, delivered, and the device can use it" delivered basic-1
ok "the issuing CA came from /cacerts: the leaf is all simpleenroll gives" is "$(grep -c BEGIN above.pem)" 1
ok "the server saw the user and no certificate" says est.said 'basic-1: issued, user connector, certificate none'
ask cert-1 certificate User
agent_once --wait 0
ok "client certificate: issued, delivered, and the device can use it" delivered cert-1
ok "the server saw the certificate and no user" says est.said 'cert-1: issued, user none, certificate shown'
ask rsa-1 basic User rsa2048
agent_once --wait 0
ok "an RSA key, too" delivered rsa-1

# ---- pending -----------------------------------------------------------------------------------------------
ask wait-1 basic User
agent_once --wait 0
ok "202: the request is pending" is_state "$id" pending
cf requests show "$id" --json
wait_s=$(sqlite3 :memory: "select strftime('%s', json_extract(cast(readfile('out') as text), '\$.data.request.next'))
    - strftime('%s', json_extract(cast(readfile('out') as text), '\$.time'))")
ok "Retry-After: 60 is honoured" test "$wait_s" -ge 50 -a "$wait_s" -le 80
ok "the cloud has been told that it waits" is "$(ledger '"state":"issuePending"')" 1
agent_once --wait 0
ok "another start asks no sooner" is "$(grep -c 'wait-1' est.said)" 1
retry
ok "asked again with the same bytes, it is issued and delivered" delivered wait-1
ok "by the second of two questions" is "$(grep 'wait-1' est.said | cut -d, -f1 | paste -sd ' ')" \
    'wait-1: waits wait-1: issued'

# ---- refused -----------------------------------------------------------------------------------------------
ask fail-1 basic User
agent_once --wait 0
ok "500: not a refusal; it is tried again" is_state "$id" retrying
ok "with the reason in sight" history 'HTTP 500'
cf requests cancel "$id"
ask drop-1 basic User
agent_once --wait 0
ok "a certificate without the name that was asked for: rejected" is_state "$id" rejected
ok "as PolicyMismatch" is "$(ledger "$id.*PolicyMismatch")" 1
cf orphans list --json
ok "and listed as an orphan with its serial number" is "$(count out '$.data.orphans' \
    "json_extract(value, '\$.request') = '$id' and json_extract(value, '\$.certain')")" 1
ask label-1 labelled User
agent_once --wait 0
ok "a label this server does not know (404): rejected" is_state "$id" rejected
ok "and the cloud reads that it is the label" is "$(ledger "$id.*404.*label")" 1

# ---- credentials and trust: never the request's fault ------------------------------------------------------
ask wrong-1 wrong User
wrong=$id
agent_once --wait 0
ok "wrong password: held for the administrator" is_state "$id" held
ok "and it says that the credentials were refused" says "$log" ERR_AUTH 'HTTP 401'
ok "the server heard the wrong password" says est.said 'wrong password for user connector'
ask stranger-1 stranger User
agent_once --wait 0
ok "a certificate nobody knows: nothing failed for good" not is_state "$id" rejected
ok "and it says what TLS said" says "$log" 'alert unknown ca'
cf requests cancel "$id"
ask untrusted-1 untrusted User
agent_once --wait 0
ok "a server we do not trust: held" is_state "$id" held
ok "and it names trust" says "$log" ERR_TRUST
ok "no password went to it" not grep -q untrusted-1 est.said
cf requests cancel "$id"
cp est/login est/login-wrong
id=$wrong
retry
ok "with the right password the held request is delivered" delivered wrong-1

# ---- servers that want more than a connector can give ------------------------------------------------------
est_stop
est_start --strict
write_roads
ask strict-1 basic User
agent_once --wait 0
ok "an attribute is missing (400): rejected" is_state "$id" rejected
ok "and the cloud reads what the CA said" is "$(ledger "$id.*DeniedByCA.*HTTP 400")" 1
est_stop
est_start --pop
write_roads
ask pop-1 basic User
agent_once --wait 0
ok "tls-unique is demanded: rejected" is_state "$id" rejected
ok "and it says that it is that" is "$(ledger "$id.*tls-unique")" 1
est_stop

ok "no password of ours was ever written down" nowhere -e correct-horse -e wrong-battery said journal
ok "nor a private key" nowhere 'PRIVATE KEY' said journal
ok "the sandbox stops cleanly" sandbox_stop
finish
