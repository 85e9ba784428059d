#!/bin/bash
# Challenges that a policy cloud has signed and encrypted: a good one serves once, in whatever wrapping; one that is
# altered, of another hand, or for something else serves nobody.  Prints TAP.
#
#   B=build/asan test/live/scep_plugin_signed.sh
# shellcheck source=test/live/plugin.bash
. "$(dirname "$(realpath "$0")")/plugin.bash"
need_programs plugins/signed.so

# ---- the cloud: what it signs with, and to whom it encrypts --------------------------------------------------
pair() { # NAME KEY SUBJECT OPTION...: NAME.pem and NAME.key, self-signed
    openssl req -x509 -newkey "$2" "${@:4}" -nodes -keyout "$1.key" -out "$1.pem" -subj "/CN=$3" -days 9 \
        -set_serial 7 2>openssl.err || bail "openssl: $(cat openssl.err)"
    chmod 600 "$1.key"
}
p256=(ec -pkeyopt ec_paramgen_curve:P-256)
pair cloud "${p256[0]}" cloud "${p256[@]:1}"
pair attacker "${p256[0]}" cloud "${p256[@]:1}" # the same name and number
pair box rsa:2048 connector
pair other-box rsa:2048 elsewhere
claims() { # NAME MEMBERS: claims that are good for CN=NAME at the endpoint, but for what MEMBERS say
    local now
    now=$(date +%s)
    sqlite3 :memory: "select json_patch('{\"v\":1,\"jti\":\"jti-$1\",\"aud\":\"connector:2b7c\",\"iat\":$((now - 9)),
        \"exp\":$((now + 600)),\"profile\":\"signed\",\"template\":\"ContosoUser\",\"subject\":\"CN=$1\",
        \"san\":{\"upn\":[\"$1@contoso.example\"]},\"ku\":[\"digitalSignature\",\"keyEncipherment\"],
        \"eku\":[\"1.3.6.1.5.5.7.3.2\"],\"key\":{\"alg\":\"RSA\",\"bits\":2048},\"hash\":\"sha256\"}', '${2:-{\}}')"
}
sign() { # WHO OPTION...: of standard input
    openssl cms -sign -binary -nodetach -nosmimecap -outform DER -signer "$1.pem" -inkey "$1.key" "${@:2}" 2>openssl.err
}
wrap() { # TO OPTION...
    openssl cms -encrypt -binary -outform DER "${@:2}" -recip "$1.pem" 2>openssl.err
}
text() { base64 -w 0; }
put() { # NAME: standard input is the challenge of the device NAME
    cat >"$1.challenge"
    echo >>"$1.challenge"
    [ "$(wc -c <"$1.challenge")" -gt 500 ] || bail "openssl makes no challenge: $(cat openssl.err)"
    cat "$1.challenge" >>secrets
}
seal() { # NAME [MEMBERS]: the challenge of a device, as the cloud makes it
    claims "$1" "${2:-}" | sign cloud -md sha256 -nocerts | wrap box -aes-256-cbc | text | put "$1"
}

sandbox_start cloud
scep_open
opened="decryption_certificate = \"$work/box.pem\""
signed_section() { # NAME SETTINGS LINE...
    plugin_section "$1" "$B/plugins/signed.so" "settings = {$2}" "${@:3}"
}
keys=("$opened" "decryption_key = \"$work/box.key\"" "signer_certificate = \"$work/cloud.pem\"")
signed_section signed '"audience=connector:2b7c"' "${keys[@]}"
signed_section again '"audience=connector:2b7c", "renewal_without_challenge=yes"' "${keys[@]}"
judged signed signed
judged again again
serves signed
url=$(url_of signed)

good() { # NAME OPTION...: a certificate
    gets "$url" "$1" --cn "$1" --san "upn:$1@contoso.example" --challenge-file "$1.challenge" "${@:2}"
}
bad() { # FAILINFO NAME OPTION...
    gets_none "$1" "$url" "$2" --cn "$2" --san "upn:$2@contoso.example" --challenge-file "$2.challenge" "${@:3}"
}

# ---- good ones -----------------------------------------------------------------------------------------------
seal good
ok "signed, then encrypted: a certificate" good good
ok "of the CA" chain_holds good.pem
ok "for the device" subject_is good.pem 'CN = good'
was=$(serial_in good)
cp good.key good-1.key
cp good.pem good-1.pem
ok "the same request again: the same certificate" good good --use-key good-1.key
ok "(the very same)" is "$(serial_in good)" "$was"
claims url | sign cloud -md sha256 | wrap box -aes-128-cbc | text | tr '+/' '-_' | tr -d = | put url
ok "base64url, with the signer's certificate inside: a certificate" good url --temper mikrotik
claims oaep | sign cloud -md sha512 | openssl cms -encrypt -binary -outform DER -aes-256-cbc -recip box.pem \
    -keyopt rsa_padding_mode:oaep 2>openssl.err | text | put oaep
ok "OAEP, SHA-512: a certificate" good oaep
claims streamed | sign cloud -md sha256 -stream | wrap box -aes-256-cbc -stream | text | put streamed
ok "of indefinite length: a certificate" good streamed
seal expired-lately "{\"iat\":$(($(date +%s) - 700)),\"exp\":$(($(date +%s) - 100))}"
ok "expired 100 s ago, clocks differ: a certificate" good expired-lately
seal few '{"subject":null,"san":null,"ku":null,"eku":null,"key":null,"hash":null,"template":null,"device":"d-1","validity":{"n":30}}'
ok "that claims little and records more: a certificate" good few

# ---- for somebody or something else --------------------------------------------------------------------------
now=$(date +%s)
rows=(
    '3 expired {"exp":'$((now - 400))'}'
    '3 future {"iat":'$((now + 400))',"exp":'$((now + 900))'}'
    '3 no-end {"exp":null}'
    '3 end-in-words {"exp":"tomorrow"}'
    '2 audience {"aud":"connector:0000"}'
    '2 no-audience {"aud":null}'
    '2 audiences {"aud":["connector:2b7c","connector:0000"]}'
    '2 profile {"profile":"vpn"}'
    '2 no-profile {"profile":null}'
    '2 template {"template":"WiFiUser"}'
    '2 subject {"subject":"CN=boss"}'
    '2 no-subject {"subject":""}'
    '2 upn {"san":{"upn":["boss@contoso.example"]}}'
    '2 more-names {"san":{"dns":["a.contoso.example"]}}'
    '2 usage {"ku":["digitalSignature"]}'
    '2 purpose {"eku":["1.3.6.1.4.1.311.20.2.2"]}'
    '2 key {"key":{"alg":"RSA","bits":4096}}'
    '2 kind {"key":{"alg":"EC","bits":256}}'
    '2 hash {"hash":"sha512"}'
    '2 version {"v":2}'
    '2 no-version {"v":null}'
    '2 no-jti {"jti":null}'
    '2 new-claim {"floor":3}'
)
for row in "${rows[@]}"; do
    read -r fail name members <<<"$row"
    seal "$name" "$members"
    ok "$name: refused" bad "$fail" "$name"
done

# ---- of another hand -----------------------------------------------------------------------------------------
claims forged | sign attacker -md sha256 | wrap box -aes-256-cbc | text | put forged
ok "signed by somebody of the same name and number: refused" bad 2 forged
claims unsigned | wrap box -aes-256-cbc | text | put unsigned
ok "encrypted, not signed: refused" bad 2 unsigned
claims open | sign cloud -md sha256 | text | put open
ok "signed, not encrypted: refused" bad 2 open
claims elsewhere | sign cloud -md sha256 | wrap other-box -aes-256-cbc | text | put elsewhere
ok "encrypted to somebody else: refused" bad 2 elsewhere
claims everybody | sign cloud -md sha256 | wrap box -aes-256-cbc -recip other-box.pem | text | put everybody
ok "to us and somebody else: refused" bad 2 everybody
claims sha1 | sign cloud -md sha1 | wrap box -aes-256-cbc | text | put sha1
ok "signed with SHA-1: refused" bad 2 sha1
claims two | sign cloud -md sha256 -signer attacker.pem -inkey attacker.key | wrap box -aes-256-cbc | text | put two
ok "signed by two: refused" bad 2 two
claims twice | sign cloud -md sha256 | wrap box -aes-256-cbc | wrap box -aes-256-cbc | text | put twice
ok "encrypted twice: refused" bad 2 twice
claims gcm | sign cloud -md sha256 | wrap box -aes-256-gcm | text | put gcm
ok "AuthEnvelopedData, as certferry-plugin(5) says: refused" bad 2 gcm
claims detached | openssl cms -sign -binary -outform DER -signer cloud.pem -inkey cloud.key 2>openssl.err |
    wrap box -aes-256-cbc | text | put detached
ok "signed without the claims inside: refused" bad 2 detached
seal tampered
n=$(($(wc -c <tampered.challenge) / 2))
for at in 100 $n $((2 * n - 40)); do
    c=$(cut -c$at tampered.challenge)
    sed "s/^\(.\{$((at - 1))\}\)./\1$([ "$c" = A ] && echo B || echo A)/" tampered.challenge >altered
    ok "character $at is another: refused" bad 2 tampered --challenge-file altered
done
cut -c1-$n tampered.challenge >altered
ok "half of it: refused" bad 2 tampered --challenge-file altered
sed 's/^/AAAA/' tampered.challenge >altered
ok "with something in front: refused" bad 2 tampered --challenge-file altered
sed 's/$/AAAA/' tampered.challenge >altered
ok "with something behind: refused" bad 2 tampered --challenge-file altered
ok "no challenge: refused" gets_none 2 "$url" tampered --cn tampered
ok "unaltered, it is still good" good tampered
ok "the log does not tell one from the other" is "$(grep -c 'not of our cloud, or not for us' "$log")" 16

# ---- once ----------------------------------------------------------------------------------------------------
ok "used, for another key: refused" bad 2 good
tr '+/' '-_' <good.challenge | tr -d = >altered
ok "written in another alphabet: refused" bad 2 good --challenge-file altered --temper mikrotik
claims rewrapped | tee rewrapped.json | sign cloud -md sha256 >rewrapped.cms
wrap box -aes-256-cbc <rewrapped.cms | text | put rewrapped
ok "a signed one" good rewrapped
wrap box -aes-256-cbc <rewrapped.cms | text | put rewrapped
ok "wrapped anew, for another key: refused" bad 2 rewrapped
sign cloud -md sha256 <rewrapped.json | wrap box -aes-256-cbc | text | put rewrapped
ok "signed anew, with the same jti: refused" bad 2 rewrapped
seal other "$(sqlite3 :memory: "select json_object('jti', 'jti-rewrapped')")"
ok "that jti for another name: refused" bad 2 other
agent_stop
serves signed
url=$(url_of signed)
ok "after a restart, too" bad 2 rewrapped
renewal() { # ENDPOINT: without a challenge
    device "$(url_of "$1")" renewed --cn good --san upn:good@contoso.example --renew-with good-1.pem \
        --renew-key good-1.key
    echo "$rc $(sed 's/serial=.*//' renewed.out)"
}
ok "a renewal without a challenge: refused" is "$(renewal signed)" '2 status=FAILURE failInfo=2'
ok "with renewal_without_challenge: a certificate" is "$(renewal again)" '0 status=SUCCESS '
seal fresh
ok "no challenge at all is refused there, too" gets_none 2 "$(url_of again)" fresh --cn fresh

# ---- settings ------------------------------------------------------------------------------------------------
ok "SIGTERM: exit 0" agent_stop
plugin=signed
signed_section signed '"renewal_without_challenge=no"' "${keys[@]}"
ok "no audience: it does not start" refuses 'audience: is needed'
signed_section signed '"audience=connector:2b7c", "renewal_without_challenge=maybe"' "${keys[@]}"
ok "neither yes nor no: it does not start" refuses 'must be yes or no'
signed_section signed '"audience=connector:2b7c"' "${keys[@]:0:2}"
ok "no signer: it does not start" refuses 'signer_certificate go together'
signed_section signed '"audience=connector:2b7c"' "$opened" "decryption_key = \"$work/other-box.key\"" "${keys[2]}"
ok "another key than the certificate's: it does not start" refuses box.pem
ok "no challenge in any log or answer" no_secrets said
finish
