#!/bin/bash
# From nothing, behind a proxy that wants a login: the proxy is set, somebody signs in through it by a device code, and
# what is requested is delivered by the new identity; nothing goes past the proxy.  Prints TAP.
#
#   B=build/asan test/live/proxy_sign_in.sh
# shellcheck source=test/live/signin.bash
. "$(dirname "$(realpath "$0")")/signin.bash"
# shellcheck source=test/live/proxy.bash
. "$root/test/live/proxy.bash"

have_proxy squid || { skip "sign-in through squid" "squid is not installed"; finish; exit; }
sandbox_start in --sign-in jwt
squid_files squid agent s3cret-p4ss
squid_start squid 'http_port @PORT@' "${SQUID_DIGEST[@]}" "${SQUID_RULES[@]}"
credential good agent:s3cret-p4ss
credential bad agent:wr0ng-p4ss
url=http://127.0.0.1:$proxy_port
tunnels() {
    grep -c "TCP_TUNNEL/200 .*CONNECT .* agent " squid/access.log
}
ok "set a proxy before there is a sign-in" exits 0 proxy set "$url" --credentials-file good --force
printf 'proxy { credential = "%s/bad" }\n' "$work" | drop_in 80-wrong
bootstrap_file boot
sign_in --bootstrap-file "$work/boot" # which waits for nobody
ok "sign-in with a wrong login at the proxy: network or proxy" exits_with 4
ok "the proxy is named" says err "proxy $url refuses the user and password it was given"
rm "$dir/conf.d/80-wrong.conf"
before=$(tunnels)
person_does approve-code
ok "sign-in through the proxy" exits_with 0
proxy_saw_more() { [ "$(tunnels)" -gt "$before" ]; }
ok "it went that way" until_true 10 proxy_saw_more
before=$(tunnels)
ok "the new identity: a request is delivered" is_delivered_once signed-in
ok "it went that way, too" until_true 10 proxy_saw_more
ok "test: the cloud's way is open to the new identity" exits 0 proxy test
proxy_end "$proxy_pid"
agent_start
ok "with the proxy gone nothing goes past it" until_true 20 says "$log" '"class":"ERR_PROXY_DOWN"'
agent_stop
ok "no password in anything that was said" nowhere -e s3cret-p4ss -e wr0ng-p4ss said
finish
