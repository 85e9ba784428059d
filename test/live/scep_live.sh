#!/bin/bash
# The SCEP service as devices, administrators and monitors meet it: the page that hands out challenges, challenges
# that serve once, the health URL, templates, renewals.  Prints TAP.
#
#   B=build/asan test/live/scep_live.sh
# shellcheck source=test/live/scep.bash
. "$(dirname "$(realpath "$0")")/scep.bash"
need_programs scep-device plugins/otp.so

sandbox_start cloud
scep_open
admin_password=correct-horse-battery
echo "scraper:$admin_password" >admin.txt
chmod 600 admin.txt
drop_in tls <<CONF
listen "tls" {
  address = "127.0.0.1:0"
  certificate = "$dir/tls-server.pem"
  key = "$dir/tls-server.key"
}
plugin "otp" {
  path = "$B/plugins/otp.so"
  settings = {"challenge_max=4"}
}
CONF
patient='failures_per_minute = 100000'
scep_section otp est 'plugin = "otp"' "admin_password = \"$work/admin.txt\"" 'paths = {"/certsrv/mscep/mscep.dll"}' \
    'signature_template = "WiFiUser"' 'encryption_template = "ContosoComputer"' 'ca_probe = 2' "$patient"
scep_section open est 'challenge = "none"' 'ca_probe = 2' "$patient"
scep_section adcs adcs 'challenge = "none"' 'ca_probe = 2' "$patient"
scep_section foreign est 'plugin = "otp"' 'renewal_foreign = true' "$patient"
scep_section late est 'plugin = "otp"' 'renewal_window = 50' "$patient"
scep_section never est 'plugin = "otp"' 'renewal = false' "$patient"
scep_section limited est 'plugin = "otp"' 'failures_per_minute = 3'
agent_start
otp=$(url_of certsrv/mscep)
page=$(url_of certsrv/mscep tls)
page=${page%/mscep/mscep.dll}/mscep_admin/
until_true 20 health_is "$otp" 403

# ---- the page that hands out challenges ---------------------------------------------------------------------
ask_page() { # MORE CURL-ARGUMENTS...: the status; the page as text in ./page
    http_code --cacert "$dir/tls-ca.pem" "$@" "$page"
    iconv -f UTF-16 -t UTF-8 body >page 2>iconv.err
}
as_admin=(-u "scraper:$admin_password")
challenge() { # NAME: a new one into NAME.challenge
    ask_page "${as_admin[@]}" >code
    grep -oP '(?i)The enrollment challenge password is: <B> \K(\S*)' page >"$1.challenge"
    cat "$1.challenge" >>secrets
    grep -qx '[0-9A-F]\{32\}' "$1.challenge"
}
: >secrets
ok "mscep_admin without a password: 401" is "$(ask_page)" 401
ok "and it asks for Basic" says header 'WWW-Authenticate: Basic'
ok "with a wrong one: 401" is "$(ask_page -u scraper:wrong)" 401
ok "with the right one, of somebody else: 401" is "$(ask_page -u "other:$admin_password")" 401
ok "over plain HTTP: 403, with the right password, too" is "$(http_code "${as_admin[@]}" \
    "$(url_of certsrv/mscep | sed 's|/mscep/mscep.dll|/mscep_admin/|')")" 403
ok "with the right one: 200" is "$(ask_page "${as_admin[@]}")" 200
ok "it is UTF-16LE with a byte order mark" is "$(head -c 4 body | od -An -tx1)" " ff fe 3c 00"
ok "no cache keeps it" says header 'Cache-Control: no-store'
ok "it has the fingerprint of the issuing CA" says page "thumbprint (hash value) for the CA certificate is: <B> $(
    openssl x509 -in "$dir/issuing-ca.pem" -outform der | md5sum | tr a-f A-F | sed 's/\(.\{8\}\)\(.\{8\}\)\(.\{8\}\)\(.\{8\}\).*/\1 \2 \3 \4/')"
ok "and a challenge where scrapers look for it" challenge first
ok "another time, another one" challenge second
ok "(it is another one)" not cmp -s first.challenge second.challenge
ok "and a last one" challenge third
ok "then the cache is full" not challenge none
ok "in the words scrapers know" says page 'The password cache is full.'
ok "POST there: 400" is "$(ask_page "${as_admin[@]}" -d x=y)" 400

# ---- a challenge serves once --------------------------------------------------------------------------------
ok "enrols with the challenge" gets "$otp" one --cn one --san dns:one.contoso.example --challenge-file first.challenge
ok "the certificate is the one asked for" chain_holds one.pem
ok "for its key" same_key one.pem one.key
cp one.pem first.pem
cp one.key first.key
ok "the same request again: the same certificate" gets "$otp" one --use-key first.key --cn one \
    --san dns:one.contoso.example --challenge-file first.challenge
ok "(the very same)" cmp one.pem first.pem
ok "another device with that challenge is refused" gets_none 2 "$otp" thief --cn thief \
    --challenge-file first.challenge
ok "so is the same device with another name" gets_none 2 "$otp" thief --use-key first.key --cn boss \
    --challenge-file first.challenge
ok "an invented challenge is refused" gets_none 2 "$otp" guess --cn guess --challenge-file admin.txt
ok "no challenge is refused" gets_none 2 "$otp" guess --cn guess
ok "a challenge of another endpoint is refused" gets_none 2 "$(url_of late)" guess --cn guess \
    --challenge-file second.challenge
ok "the CA was asked once" is "$(ledger csr-received)" 1
challenge fourth
ok "a used one makes room for another" test -s fourth.challenge

# Two devices, one challenge, at the same time; the CA is slow.
fault est.enroll delay '"ms":700,"match":"racer"'
racers=()
for n in 1 2 3 4; do
    "$B/scep-device" enrol --url "$otp" --temper strongswan --cn "racer-$n" --challenge-file second.challenge \
        >"racer-$n.out" 2>&1 &
    racers+=($!)
done
wait "${racers[@]}"
cat racer-?.out | sort >racers
ok "four devices race with one challenge: one gets a certificate" is "$(grep -c status=SUCCESS racers)" 1
ok "the others are refused" is "$(grep -c 'status=FAILURE failInfo=2' racers)" 3
ok "the CA has seen one of them" is "$(ledger '"csr-received".*racer')" 1

# ---- which template ----------------------------------------------------------------------------------------
template_is() { # CN TEMPLATE
    ledger csr-received >/dev/null
    is "$(grep "\"cn\":\"$1\"" ledger.out | sed -n 's/.*"csr-received".*"template":"\([A-Za-z]*\)".*/\1/p')" "$2"
}
ok "digitalSignature alone" gets "$otp" sign --cn sign --ku 1 --challenge-file third.challenge
ok "is the signature template's" template_is sign WiFiUser
ok "keyEncipherment alone" gets "$otp" encrypt --cn encrypt --ku 4 --challenge-file fourth.challenge
ok "is the encryption template's" template_is encrypt ContosoComputer
challenge fifth
ok "both" gets "$otp" both --cn both --ku 5 --challenge-file fifth.challenge
ok "are the general one's" template_is both ContosoUser
ok "where there is no template for it, it is refused" gets_none 2 "$(url_of open)" none --cn none --ku 1
ok "and never reaches the CA" is "$(ledger '"cn":"none"')" 0

# ---- renewal -------------------------------------------------------------------------------------------------
one_again=(--cn one --san dns:one.contoso.example --renew-with first.pem --renew-key first.key)
ok "RenewalReq: a new key, no challenge" gets "$otp" renewed "${one_again[@]}"
ok "a new certificate" not is "$(serial_in renewed)" "$(serial_in one)"
ok "PKCSReq signed with the old certificate: a renewal, too" gets "$otp" renewed2 "${one_again[@]}" --type 19
ok "to another name: refused" gets_none 2 "$otp" boss --cn boss --renew-with first.pem --renew-key first.key
ok "with another name more: refused" gets_none 2 "$otp" more --cn one --san dns:one.contoso.example \
    --san dns:more.contoso.example --renew-with first.pem --renew-key first.key
ok "too early for this endpoint: refused" gets_none 2 "$(url_of late)" early "${one_again[@]}"
ok "where renewal is switched off: refused" gets_none 2 "$(url_of never)" off "${one_again[@]}"
openssl req -new -newkey rsa:2048 -nodes -keyout foreign.key -subj /CN=foreign -out foreign.csr 2>openssl.err
openssl x509 -req -in foreign.csr -CA "$dir/issuing-ca.pem" -CAkey "$dir/issuing-ca.key" -days 9 \
    -extfile <(echo extendedKeyUsage=clientAuth) -out foreign.pem 2>openssl.err
foreign=(--cn foreign --renew-with foreign.pem --renew-key foreign.key)
ok "of a certificate of the same CA that was not issued here: refused" gets_none 2 "$otp" abroad "${foreign[@]}"
ok "allowed by renewal_foreign" gets "$(url_of foreign)" abroad "${foreign[@]}"
openssl req -x509 -newkey rsa:2048 -nodes -keyout own.key -subj /CN=own -days 9 -out own.pem 2>openssl.err
ok "of a certificate that nobody has issued: refused there, too" gets_none 2 "$(url_of foreign)" self --cn own \
    --renew-with own.pem --renew-key own.key
ok "the CA has seen none of the refused" is "$(ledger '"csr-received".*\(boss\|own\)"')" 0

# ---- HTTP ------------------------------------------------------------------------------------------------------
open=$(url_of open)
code_is() { # CODE CURL-ARGUMENTS...
    local want=$1
    shift
    is "$(http_code "$@")" "$want"
}
ok "an unknown path: 404" code_is 404 "${open%/open/*}/certsrv/mscep/other.dll"
ok "PUT: 405, with what is allowed" code_is 405 -X PUT -d x "$open"
ok "(it says what)" says header 'Allow: GET, HEAD, POST'
ok "an unknown operation: 400" code_is 400 "$open?operation=Nonsense"
ok "a message that is none: 400" code_is 400 "$open?operation=PKIOperation&message=bm9uZQ%3D%3D"
ok "GetCACaps" code_is 200 "$open?operation=GetCACaps&message=default"
ok "is plain text of lines" is "$(grep -ci '^content-type: text/plain.\?$' header) $(head -n 1 body)" "1 AES"
ok "HEAD of it has no body" code_is 200 -I "$open?operation=GetCACaps"
ok "GetCACert" code_is 200 "$open?operation=GetCACert"
ok "is of registration authorities" says header 'application/x-x509-ca-ra-cert'
head -c 40000 /dev/urandom | base64 -w 40000 | tr -d '\n' | tr '+/=' 'abc' | head -c 40000 >long.challenge
cat long.challenge >>secrets
echo >>secrets
ok "a GET of 60 KB passes" gets "$open" long --cn long --get --challenge-file long.challenge
refused_often() { # three in a minute are the limit; a new minute may begin meanwhile
    local _
    for _ in {1..8}; do
        code_is 429 "$(url_of limited)?operation=PKIOperation&message=bm9uZQ%3D%3D" >refused && return
    done
    cat refused
    return 1
}
ok "many refusals in a minute: 429" refused_often
ok "and when to come again" says header 'Retry-After: 60'

# ---- the health URL --------------------------------------------------------------------------------------------
ok "with a plugin: 403" code_is 403 "$otp"
cpu_us() { cat "/proc/$agent_pid"/task/*/schedstat | awk '{ ns += $1 } END { printf "%d", ns / 1000 }'; }
before=$(cpu_us)
ok "300 times" test "$(curl -s -o /dev/null -w '%{http_code}\n' "$otp?[1-300]" | grep -c '^403')" -eq 300
each=$((($(cpu_us) - before) / 300))
ok "each within 1 ms of the service's time ($each us)" test "$each" -lt 1000
ok "with challenge none: 200" code_is 200 "$open"
ok "in front of the other CA, too" code_is 200 "$(url_of adcs)"
kill -KILL "$sandbox_pid"
wait "$sandbox_pid" 2>/dev/null
unset "alive[$sandbox_pid]"
gone=$(now_ms)
for u in "$otp" "$open" "$(url_of adcs)"; do until_true 8 health_is "$u" 503; done
took=$(($(now_ms) - gone))
ok "the CA is gone: 503" is "$(for u in "$otp" "$open" "$(url_of adcs)"; do http_code "$u"; echo; done | uniq)" 503
ok "within 5 seconds ($took ms)" test $took -lt 5000
ok "GetCACaps is answered all the same" code_is 200 "$otp?operation=GetCACaps"
"$B/certferry-sandbox" --dir "$dir" --port "${base##*:}" --quiet 2>>sandbox.err &
sandbox_pid=$!
alive[$sandbox_pid]=sandbox
ok "the CA is back: 403 again" until_true 15 health_is "$otp" 403
ok "and 200" until_true 15 health_is "$(url_of adcs)" 200
ok "a device enrols again" gets "$(url_of adcs)" back --cn back

# ---- status ------------------------------------------------------------------------------------------------------
cf status --json # the cloud may not have been asked again yet
ok "status --json is one document" is "$(get out '$.schema')" certferry.status/1
ok "and says where it listens" is "$(get out '$.data.listeners[0].port') $(count out '$.data.listeners' \
    "json_extract(value, '$.tls') and json_extract(value, '$.certificateExpiresAt') is not null")" \
    "$(port_of "$(get out '$.data.listeners[0].name')") 1"
scep_of() { # ENDPOINT MEMBER
    sqlite3 :memory: "select json_extract(value, '\$.$2') from json_each(cast(readfile('out') as text),
        '\$.data.scep') where json_extract(value, '\$.endpoint') = '$1'"
}
ok "has every endpoint" is "$(count out '$.data.scep' "json_extract(value, '\$.serving')")" 7
ok "what it issued" is "$(scep_of otp issued)" 7
ok "and gave again" is "$(scep_of otp replayed)" 1
ok "and refused" test "$(scep_of otp refused)" -ge 8
ok "and when its certificates end" test -n "$(scep_of otp raExpiresAt)"
ok "requests list --all names devices" exits 0 requests list --all
ok "by their subjects" says out 'CN=one' 'CN=foreign'

# ---- the end -----------------------------------------------------------------------------------------------------
ok "SIGTERM: exit 0" agent_stop
cut -d: -f2 admin.txt >>secrets
printf 'scraper:%s' "$admin_password" | base64 >>secrets
ok "(there are 8 secrets to look for)" is "$(sort -u secrets | grep -c .)" 8
sort -u secrets | grep . >to-find
ok "no challenge and no password in any log or answer" nowhere -i -f to-find said
finish
