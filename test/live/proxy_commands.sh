#!/bin/bash
# proxy show, set, test and clear, with a real squid: one that works is kept, one that does not changes nothing.  Prints
# TAP.
#
#   B=build/asan test/live/proxy_commands.sh
# shellcheck source=test/live/live.bash
. "$(dirname "$(realpath "$0")")/live.bash"
# shellcheck source=test/live/proxy.bash
. "$root/test/live/proxy.bash"

sandbox_start commands
ok "show: straight, by default" exits 0 proxy show
ok "and says so" says out proxy.url default straight 'ca "est"'
ok "test: every destination answers" exits 0 proxy test --json
ok "three of them" is "$(count out '$.data.destinations' "json_extract(value, '\$.works') = 1")" 3
ok "set: no URL is usage" exits 2 proxy set
ok "set: a name alone is not enough" exits 6 proxy set proxy
ok "and what is missing is said" says err 'which port? as proxy:3128'
ok "set: a password in the URL is refused" exits 6 proxy set http://agent:hunter2@proxy:3128
ok "and says where it belongs" says err --credentials-file
ok "set: a PAC script is refused" exits 6 proxy set http://wpad/wpad.dat
ok "set: a wildcard in --no-proxy is refused" exits 6 proxy set http://127.0.0.1:1 --no-proxy '*.corp.example' --force
ok "set: a closed port is refused" exits 4 proxy set 127.0.0.1:1
ok "and named in three lines" says err 'error[PROXY_DOWN]' 'seen: cloud: proxy http://127.0.0.1:1 does not answer: Connection refused' \
    'fix:  nothing was changed'
ok "test URL: only https" exits 2 proxy test http://127.0.0.1:1
ok "nothing was written" not test -e "$dir/conf.d"
if have_proxy squid; then
    squid_files squid agent s3cret-p4ss
    squid_start squid 'http_port @PORT@' "${SQUID_BASIC[@]}" "${SQUID_RULES[@]}"
    url=http://127.0.0.1:$proxy_port
    credential good agent:s3cret-p4ss
    credential bad agent:wr0ng-p4ss
    credential half agent
    credential open agent:s3cret-p4ss
    chmod 644 open
    ok "set without credential: 407" exits 4 proxy set "$url"
    ok "and how to give one" says err '407' 'it offers Basic' "certferry proxy set $url --credentials-file FILE"
    ok "set with a wrong one: refused" exits 4 proxy set "$url" --credentials-file bad
    ok "and said so" says err 'refuses the user and password it was given'
    ok "set with half of one: refused" exits 6 proxy set "$url" --credentials-file half
    ok "set with one that others may read: refused" exits 6 proxy set "$url" --credentials-file open
    ok "set with none there: refused" exits 6 proxy set "$url" --credentials-file nowhere
    ok "still nothing was written" not test -e "$dir/conf.d"
    ok "set: tested, kept" exits 0 proxy set "127.0.0.1:$proxy_port" --credentials-file good --no-proxy '10.0.0.0/8, .corp.example'
    ok "what was assumed is said" says err "read as $url"
    ok "the drop-in has no password in it" says "$dir/conf.d/60-proxy.conf" "\"$url\"" 'secret:proxy' '10.0.0.0/8'
    ok "nor has the store in the open" nowhere s3cret-p4ss "$dir/state" "$dir/conf.d"
    ok "show: the way and its credential's name" exits 0 proxy show
    ok "of every destination" says out "$url" secret:proxy '60-proxy.conf:'
    ok "test: through it" exits 0 proxy test
    ok "every destination answers" is "$(grep -c "$url .*ok, answered" out)" 3
    ok "squid saw them" says squid/access.log "CONNECT 127.0.0.1:${base##*:} agent"
    ok "test URL: the proxy's policy is named" exits 4 proxy test https://localhost:1/
    ok "as such" says err "does not allow localhost:1"
    ok "a request is delivered through it" is_delivered_once by-command
    ok "set another one with --force: not tested" exits 0 proxy set http://127.0.0.1:1 --force
    ok "the credential does not go there" says err 'it belongs to another proxy'
    ok "and is gone" nowhere secret:proxy "$dir/conf.d/60-proxy.conf"
    cf secret list
    ok "from the store, too" says out 'No secrets.'
    ok "test: fails now, as JSON" exits 4 proxy test --json
    ok "with the class" is "$(get out '$.error.code')" ERR_PROXY_DOWN
    ok "set --json" exits 0 proxy set "$url" --credentials-file good --json
    ok "is one document" is "$(get out '$.schema') $(get out '$.data.url') $(get out '$.data.destinations[0].credential')" \
        "certferry.proxy.change/1 $url secret:proxy"
    ok "clear" exits 0 proxy clear
    ok "the drop-in is gone" not test -e "$dir/conf.d/60-proxy.conf"
    cf secret list
    ok "the credential is gone" says out 'No secrets.'
    printf 'proxy { url = "%s" }\n' "$url" >>"$conf"
    ok "clear where the main file sets one" exits 0 proxy clear
    ok "the drop-in says none" says "$dir/conf.d/60-proxy.conf" '"none"'
else
    skip "set, test and clear with squid" "squid is not installed"
fi
https_proxy=http://agent:hunter2@127.0.0.1:1
export https_proxy
ok "auto: a password in the environment is refused" exits 6 proxy set auto
ok "and says where" says err 'https_proxy of the environment'
https_proxy=http://127.0.0.1:1 NO_PROXY='127.0.0.0/8'
export NO_PROXY
ok "auto: the environment's exceptions count" exits 0 proxy set auto
ok "show says why" exits 0 proxy show
ok "and whose environment it is" says all 'NO_PROXY of the environment: 127.0.0.0/8' 'warning[ENVIRONMENT]'
sed -i '/^== certferry/d' said/commands # what was typed
ok "no password in anything that was said" nowhere -e s3cret-p4ss -e wr0ng-p4ss -e hunter2 said
finish
