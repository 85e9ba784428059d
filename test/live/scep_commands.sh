#!/bin/bash
# scep info, scep test, plugin list, plugin test and doctor: at a real agent with two endpoints, and at servers that
# are wrong in one way each (scep_fake.py).  Prints TAP.
#
#   B=build/asan test/live/scep_commands.sh
# shellcheck source=test/live/live.bash
. "$(dirname "$(realpath "$0")")/live.bash"
[ -f "$B/plugins/otp.so" ] || bail "$B/plugins/otp.so is missing: make VARIANT=$(basename "$B") plugins"
sandbox_start scep
free_port() {
    python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}
ra() { # NAME KEY-USAGE DAYS: a certificate of the sandbox's CA for a registration authority
    openssl req -new -newkey rsa:2048 -nodes -keyout "$1.key" -subj "/CN=TEST-MSCEP-RA" -out ra.csr 2>ra.err
    printf 'keyUsage=critical,%s\nextendedKeyUsage=1.3.6.1.4.1.311.20.2.1\n' "$2" >ra.ext
    openssl x509 -req -in ra.csr -CA "$dir/issuing-ca.pem" -CAkey "$dir/issuing-ca.key" -days "$3" \
        -extfile ra.ext -out "$1.pem" 2>ra.err || bail "$(cat ra.err)"
    chmod 600 "$1.key"
}
p7() { # NAME CERTIFICATE...
    local out=$1.p7 args=() f
    shift
    for f; do args+=(-certfile "$f"); done
    openssl crl2pkcs7 -nocrl "${args[@]}" -outform DER -out "$out"
}
ra ra-sign digitalSignature 100
ra ra-enc keyEncipherment 100
ra old-sign digitalSignature -1
ra old-enc keyEncipherment -1
ra stranger digitalSignature 9
p7 expired old-sign.pem old-enc.pem "$dir/issuing-ca.pem" "$dir/root-ca.pem"
p7 stranger stranger.pem ra-enc.pem "$dir/issuing-ca.pem" "$dir/root-ca.pem"
p7 noenc ra-sign.pem "$dir/issuing-ca.pem" "$dir/root-ca.pem"
cat "$dir/root-ca.pem" "$dir/issuing-ca.pem" >anchors.pem
sed -i "s|anchors = .*|anchors = \"$work/anchors.pem\"|" "$conf"
# The server's own certificate, for the second listener.
openssl req -x509 -newkey rsa:2048 -nodes -keyout web.key -subj /CN=web -days 9 -out web.pem \
    -addext 'subjectAltName=DNS:*.contoso.example' 2>ra.err
chmod 600 web.key
port=$(free_port) tls_port=$(free_port) url=http://127.0.0.1:$port/certsrv/mscep/mscep.dll
scep_section() { # NAME PATH MORE-LINES
    cat <<C
scep "$1" {
  ca = "est"
  paths = {"$2"}
  general_template = "ContosoUser"
  ra_certificate = "$work/ra-sign.pem"
  ra_key = "$work/ra-sign.key"
  ra_encryption_certificate = "$work/ra-enc.pem"
  ra_encryption_key = "$work/ra-enc.key"
  failures_per_minute = 10000
  $3
}
C
}
{
    echo "listen \"plain\" { address = \"0.0.0.0:$port\" }"
    scep_section devices /certsrv/mscep/mscep.dll 'plugin = "otp"'
    echo "plugin \"otp\" { path = \"$B/plugins/otp.so\" }"
} | drop_in scep
drop_in tls <<C
listen "tls" { address = "127.0.0.1:$tls_port" certificate = "$work/web.pem" key = "$work/web.key" }
C

# ---- plugins, while no service runs ------------------------------------------------------------------------------
agent_start && agent_stop # the store is made
ok "plugin list: name, flags and state of the configured one" exits 0 plugin list
ok "and it opens" says all otp generates PASS
ok "plugin list --json" exits 0 plugin list --json
ok "is one document" is "$(get out '$.data.plugins[0].name') $(get out '$.data.plugins[0].configured')" "otp 1"
ok "plugin test: opens and can judge" exits 0 plugin test otp
ok "plugin test of a name that is not configured: 13" exits 13 plugin test nobody
cp "$B/plugins/otp.so" open.so && chmod 666 open.so
sed -i "s|$B/plugins/otp.so|$work/open.so|" "$dir/conf.d/scep.conf"
ok "a plugin that others may write: 6, and whose mode it is" exits 6 plugin test otp
ok "in these words" says all "$work/open.so" FAIL
sed -i "s|$work/open.so|$B/plugins/otp.so|" "$dir/conf.d/scep.conf"
challenge() { # FILE
    cf plugin test otp --generate
    (umask 077 && cp out "$1")
    [ "$rc" -eq 0 ] && grep -qE '^[0-9A-F]{32}$' "$1"
}
ok "plugin test --generate: a challenge" challenge challenge.txt
ok "and another" challenge again.txt
sed -i '/^[0-9A-F]\{32\}$/d' said/commands # there it was asked for

# ---- a server that is right ---------------------------------------------------------------------------------------
ok "nobody listens: info says so, 4" exits 4 scep info "$url"
ok "one FAIL, the rest is skipped" is "$(grep -c ^FAIL out) $(grep -c ^SKIP out)" "1 5"
ok "doctor, too: 1" exits 1 doctor
ok "which says to start the service" says all "first fix SVC-01" "certferry run"
ok "the agent starts" agent_start
ok "scep info: 0" exits 0 scep info "$url"
ok "no FAIL and no SKIP" not grep -E '^(FAIL|SKIP)' out
ok "with what there is to know" says out 'HTTP 403: healthy' 'POSTPKIOperation' 'RA signing' 'RA encryption' root \
    'a URL of 30720 bytes passes' 'a URL of 61440 bytes passes' \
    "$(openssl x509 -in ra-enc.pem -noout -fingerprint -sha256 | sed 's/.*=//; s/://g')" \
    "$(openssl x509 -in ra-sign.pem -noout -fingerprint -md5 | sed 's/.*=//; s/://g')"
ok "scep info --json" exits 0 scep info "$url" --json
ok "is one document" is "$(get out '$.ok') $(get out '$.data.bareStatus') $(get out '$.data.certificates[1].role')" \
    "1 403 RA encryption"
ok "scep test without a challenge: refused, as it must be" exits 0 scep test "$url"
ok "by a signed badRequest" says out 'PASS  Verdict' badRequest 'made up' 'PASS  Reply'
ok "scep test with a challenge: issued" exits 0 scep test "$url" --challenge-file challenge.txt --subject 'CN=rehearsal-1'
ok "and it is ours" says out 'PASS  Certificate' 'CN=rehearsal-1' 'over our key'
ok "the same challenge again: refused, 8" exits 8 scep test "$url" --challenge-file challenge.txt --subject 'CN=rehearsal-2'
ok "with what to do" says out 'FAIL  Verdict' 'get a new challenge'
ok "another one, --json: issued" exits 0 scep test "$url" --challenge-file again.txt --json
ok "is one document" is "$(get out '$.ok') $(count out '$.data.stages' "json_extract(value, '\$.grade') <> 'PASS'")" "1 0"
chmod 644 challenge.txt
ok "a challenge that others may read: 6" exits 6 scep test "$url" --challenge-file challenge.txt
ok "a subject that is none: 2" exits 2 scep test "$url" --subject nonsense
ok "by POST or GET" exits 0 scep test "http://localhost:$port/certsrv/mscep/mscep.dll/pkiclient.exe"
ok "TLS: who is it? 10" exits 10 scep info "https://127.0.0.1:$tls_port/certsrv/mscep/mscep.dll"
ok "and what to do" says out -- --trust
ok "plugin test --generate while the service runs: 14" exits 14 plugin test otp --generate
ok "doctor: 0, through both listeners" exits 0 doctor --only scep,svc,plg,ca
ok "doctor: 3, as the master key is beside the store" exits 3 doctor
ok "all eight SCEP rows" is "$(grep -cE '^PASS  SCEP-0[1-4]' out)" 8
ok "doctor --only SCEP-03 --json" exits 0 doctor --only SCEP-03 --json
ok "two rows" is "$(get out '$.data.pass') $(get out '$.data.rows[1].row')" "2 SCEP-03"
ok "try scep: the first endpoint" exits 0 try scep
ok "refused, as it must be" says out 'PASS  Verdict' 'made up'
ok "try scep of an endpoint that is not there: 13" exits 13 try scep nobody
ok "doctor --external: the public name" exits 0 doctor --only scep --external "http://localhost:$port"
ok "doctor --url: the public name" exits 0 doctor --only SCEP --url "http://localhost:$port"
ok "doctor --only of nothing: 2" exits 2 doctor --only NONE-1

# ---- servers that are wrong ----------------------------------------------------------------------------------------
python3 "$root/test/live/scep_fake.py" "$url" "$work" 2>fake.err &
alive[$!]=fake
until_true 10 test -f fake-port || bail "$(cat fake.err)"
fake=http://127.0.0.1:$(cat fake-port)
wrong() { # CODE COMMAND PATH TEXT...: one FAIL, or WARNs only with 0
    local want=$1 command=$2 path=$3 fails
    shift 3
    exits "$want" scep "$command" "$path" && says out "$@" || return 1
    fails=$(grep -c ^FAIL out)
    is "$fails" "$([ "$want" -eq 0 ] && echo 0 || echo 1)"
}
ok "a path that is not there" wrong 13 test "http://127.0.0.1:$port/scep" 'HTTP 404' 'certsrv/mscep/mscep.dll'
ok "not SCEP at all" exits 5 scep test "$base/certsrv/mscep/mscep.dll" --trust "$dir/tls-ca.pem"
ok "a portal's page: not SCEP" wrong 4 test "$fake/portal" 'text/html' 'A portal, a proxy'
ok "a redirect is not followed" wrong 6 test "$fake/redirect" elsewhere.example 'devices do not follow'
ok "GetCACert without certificates" wrong 1 test "$fake/garbage" 'no certificates in'
ok "RA certificates that have ended" wrong 1 info "$fake/expired" 'ended on' 'renew it'
ok "no encryption certificate" wrong 1 info "$fake/noenc" 'no encryption certificate' keyEncipherment
ok "a reply signed by another" wrong 10 test "$fake/stranger" 'GetCACert does not have'
ok "a reply that was altered" wrong 1 test "$fake/altered" 'FAIL  Reply' 'signature'
ok "a reply of another transaction" wrong 1 test "$fake/replay" 'another transaction'
ok "a page instead of a reply" wrong 4 test "$fake/portal-late" 'FAIL  PKIOperation'
ok "a proxy that cuts URLs" wrong 1 test "$fake/short" 'HTTP 414' '65534'
ok "DES and MD5, and no AES: warned of" wrong 0 info "$fake/weak" 'no AES' 'single DES' 'MD5 is offered' 'WARN  GetCACaps'
ok "without POST the message goes by GET" wrong 0 test "$fake/post" 'sent by GET' 'PASS  Verdict'
ok "a URL that is none: 2" exits 2 scep info 'ftp://example.invalid/'
ok "a name that does not resolve: 4" exits 4 scep info http://nowhere.invalid/scep

# ---- endpoints that are wrong -------------------------------------------------------------------------------------
agent_stop
scep_section open /open 'challenge = "none"
  wait = 0' | sed 's|"est"|"adcs"|' | drop_in open
open=http://127.0.0.1:$port/open
ok "with an endpoint open to all it starts" agent_start
ok "info: serving, but nobody judges" exits 0 scep info "$open"
ok "is a warning" says out 'WARN  Bare GET'
ok "test without a challenge: issued, which is wrong" exits 8 scep test "$open"
ok "and the certificate is named" says out 'whoever reaches this URL' 'serial number' revoke
(umask 077 && echo anything >any.txt)
fault ca.submit pending '"polls":1,"match":"slow-1"'
ok "a CA that takes its time: polled until it is issued" exits 0 scep test "$open" --challenge-file any.txt --subject CN=slow-1
ok "and it is ours" says out 'PASS  Certificate' 'CN=slow-1'
fault ca.submit pending '"polls":-1,"count":-1,"match":"slow-2"'
ok "a CA that does not decide: 11" exits 11 scep test "$open" --challenge-file any.txt --subject CN=slow-2 --wait 3
ok "which is a warning" says out 'WARN  Verdict' 'approve it' 'SKIP  Certificate'
ok "doctor: as configured" exits 0 doctor --only SCEP-0
ok "and no rehearsal there" says out 'SKIP  SCEP-04' 'challenge = none'
sandbox_stop
ok "no CA: the endpoint is not serving" until_true 20 exits 1 doctor --only SCEP-01
ok "doctor says what to look at" says out 'HTTP 503' 'certferry status'
ok "doctor --only svc: degraded, and why" exits 3 doctor --only svc
ok "in the service's words" says out 'WARN  SVC-02' 'health: degraded: '
ok "scep info: 4" exits 4 scep info "$url"
ok "the agent stops" agent_stop
ok "no challenge is in what was said" nowhere "$(cat again.txt)" said
finish
