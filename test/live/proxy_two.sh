#!/bin/bash
# Two proxies, one for the cloud and one for a CA, each with a login of its own: no login of one at the other or at an
# origin, nor a credential of an origin at a proxy (SR-22).  Both write down every header they see; they open TLS with
# the origin's own certificate, so what they see behind CONNECT is what the origin gets.  Then: an inspecting proxy is
# recognised by the issuer of what it shows.  Prints TAP.
#
#   B=build/asan test/live/proxy_two.sh
# shellcheck source=test/live/live.bash
. "$(dirname "$(realpath "$0")")/live.bash"
# shellcheck source=test/live/proxy.bash
. "$root/test/live/proxy.bash"

sandbox_start two
cat "$dir/tls-server.pem" "$dir/tls-server.key" >origin.pem
fake_start() { # NAME OPTIONS...: $proxy_port, $proxy_pid; NAME.record
    local name=$1
    shift
    rm -f "$name.ready"
    python3 "$root/test/live/proxy_fake.py" "$name.ready" "$name.record" "$@" 2>"$name.err" &
    proxy_pid=$!
    alive[$proxy_pid]=$name
    until_true 20 test -s "$name.ready" || bail "no fake proxy: $(cat "$name.err")"
    proxy_port=$(cat "$name.ready")
}
b64() {
    printf %s "$1" | base64 -w0
}
fake_start a --login user-a:s3cret-a --open origin.pem
a=http://127.0.0.1:$proxy_port
fake_start b --login user-b:s3cret-b --open origin.pem
b=http://127.0.0.1:$proxy_port
credential a.login user-a:s3cret-a
credential b.login user-b:s3cret-b
# The origins get credentials of their own: a token the cloud, a password the CA.
drop_in 70-two <<END
cloud { client_certificate = "" client_key = "" token_file = "$dir/bearer-token.txt" }
proxy { url = "$a" credential = "$work/a.login" auth = "basic" }
ca "adcs" { proxy = "$b" proxy_credential = "$work/b.login" }
END
connects() { # RECORD: the heads that were for the proxy; through: what went through
    awk '/^CONNECT /{c=1} c{print} /^\r?$/{c=0}' "$1"
}
ok "a request is delivered through both" is_delivered_once two-1
ok "the cloud was asked through one" says a.record "CONNECT 127.0.0.1:${base##*:}" 'POST /ccp'
ok "the CA through the other" says b.record "CONNECT 127.0.0.1:${base##*:}" 'POST /certsrv'
ok "the CA not through the first" nowhere /certsrv a.record
ok "the cloud not through the second" nowhere /ccp b.record
ok "each got its own login" is "$(grep -c "$(b64 user-a:s3cret-a)" a.record | sed 's/[1-9][0-9]*/some/') $(grep -c \
    "$(b64 user-b:s3cret-b)" b.record | sed 's/[1-9][0-9]*/some/')" 'some some'
ok "no login of the first at the second" nowhere -e "$(b64 user-a:s3cret-a)" -e user-a b.record
ok "no login of the second at the first" nowhere -e "$(b64 user-b:s3cret-b)" -e user-b a.record
# Every header for a proxy stands in a CONNECT; what follows is the origin's.
for p in a b; do
    connects $p.record >$p.connects
    ok "$p: CONNECT heads were recorded" says $p.connects 'CONNECT ' 'Proxy-Authorization: Basic'
    ok "$p: the proxy got no credential of the origin" not grep -qiE '^(Authorization|Cookie)' $p.connects
    is "$(grep -ci '^Proxy-' $p.record)" "$(grep -ci '^Proxy-' $p.connects)" >seen.out
    ok "$p: the origin got no header for the proxy" test $? -eq 0
done
ok "the cloud got its token" says a.record 'Authorization: Bearer '
ok "the CA got its password" says b.record 'Authorization: Basic '

# ---- the running service: another login at the same proxy --------------------------------------------------------------
# Both peers go through one proxy, with two logins: their tunnels are two, and nobody's is used by the other.
: >b.record
drop_in 70-two <<END
cloud { client_certificate = "" client_key = "" token_file = "$dir/bearer-token.txt" proxy = "$b" proxy_credential = "$work/b.login" }
proxy { url = "$b" credential = "$work/a.login" auth = "basic" }
END
agent_start
ask two-2 adcs ContosoUser
ok "one proxy, a wrong login for the CA: its request is held" until_true 30 is_state "$id" held
ok "for that reason" says "$log" "refuses the user and password it was given"
ok "the cloud's tunnel was not used for it" nowhere /certsrv b.record
agent_stop
drop_in 70-two <<END
cloud { client_certificate = "" client_key = "" token_file = "$dir/bearer-token.txt" proxy = "$b" proxy_credential = "$work/b.login" }
ca "adcs" { proxy = "$b" proxy_credential = "$work/b.login" }
END
agent_start
cf requests retry "$id"
ok "with the right one it goes on" until_true 30 is_delivered "$id"
agent_stop

# ---- inspection ----------------------------------------------------------------------------------------------------------
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ik.pem -out ic.pem -days 2 \
    -subj '/O=Contoso/CN=Contoso Inspection CA' -addext 'subjectAltName=IP:127.0.0.1' 2>/dev/null
cat ik.pem ic.pem >inspect.pem
fake_start inspector --open inspect.pem
drop_in 70-two <<END
proxy { url = "http://127.0.0.1:$proxy_port" }
END
ok "an inspecting proxy: test says trust" exits 10 proxy test
ok "and whose certificate it was" says err 'issuer of the certificate seen: ' 'CN=Contoso Inspection CA'
ok "nothing of ours went through" nowhere -e 'POST ' -e 'GET ' inspector.record
drop_in 70-two <<END
ca "adcs" { url = "https://127.0.0.1:1/certsrv/" }
ca "est" { url = "https://127.0.0.1:1" }
proxy { url = "$a" credential = "$work/a.login" }
END
ok "a destination that the proxy cannot reach" exits 4 proxy test
ok "is said to be that" says err "proxy $a cannot reach 127.0.0.1:1 (it answered 503 to CONNECT)" 'error[NET]'
ok "no password in anything that was said" nowhere -e s3cret-a -e s3cret-b said
finish
