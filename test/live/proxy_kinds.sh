#!/bin/bash
# The way out through real proxies: squid with Basic, Digest and NTLM and over TLS, tinyproxy, SOCKS5 with a password.
# Through each a PKCS request is delivered, cloud and CA both reached through it; a wrong password, a closed port, a
# policy and an untrusted certificate are each named.  Prints TAP.
#
#   B=build/asan test/live/proxy_kinds.sh
# shellcheck source=test/live/live.bash
. "$(dirname "$(realpath "$0")")/live.bash"
# shellcheck source=test/live/proxy.bash
. "$root/test/live/proxy.bash"

sandbox_start kinds
port=${base##*:}
credential good agent:s3cret-p4ss
credential bad agent:wr0ng-p4ss
both_seen() { # LOG: cloud and CA by their two names
    says "$1" "127.0.0.1:$port" "localhost:$port"
}
named() { # TEXT...: the log of the last run names the failure, and nobody else's
    says "$log" "$@"
}
offers() { # SCHEME, as proxies write it
    [ "$1" = ntlm ] && echo NTLM || echo "${1^}"
}
fails() { # a run of the service up to its first failure; its log says which
    agent_start
    until_true 20 grep -qF '"class":"ERR_' "$log"
    agent_stop
}

# ---- squid, one after the other ------------------------------------------------------------------------------------------
if have_proxy squid; then
    for scheme in basic digest ntlm; do
        declare -n lines=SQUID_${scheme^^}
        squid_files "$scheme" agent s3cret-p4ss
        squid_start "$scheme" 'http_port @PORT@' "${lines[@]}" "${SQUID_RULES[@]}"
        url=http://127.0.0.1:$proxy_port

        through "$url"
        fails
        ok "squid, $scheme: without a credential the poll says so" named '"class":"ERR_PROXY"' \
            "cloud: proxy $url wants a user and a password, none is configured (407); it offers $(offers "$scheme") ("
        if [ "$scheme" != ntlm ]; then # ntlm_fake_auth takes any password
            through "$url" "credential = \"$work/bad\""
            fails
            ok "squid, $scheme: a wrong password is named" named '"class":"ERR_PROXY"' \
                "cloud: proxy $url refuses the user and password it was given (407)"
        fi
        through "$url" "credential = \"$work/good\""
        ok "squid, $scheme: a request is delivered" is_delivered_once "kind-$scheme"
        ok "squid, $scheme: cloud and CA were reached through it" both_seen "$scheme/access.log"
        ok "squid, $scheme: it knew us" says "$scheme/access.log" agent
        if [ "$scheme" = basic ]; then
            through "https://127.0.0.1:$proxy_port" "credential = \"$work/good\""
            fails
            ok "http proxy taken for https: it does not speak TLS" named '"class":"ERR_PROXY"' "does not speak TLS"
            through "$url" "credential = \"$work/good\" no_proxy = {\"127.0.0.0/8\"}"
            : >"$scheme/access.log"
            ok "no_proxy with a range: a request is delivered" is_delivered_once "kind-range"
            ok "the CA, by name, through the proxy" says "$scheme/access.log" "localhost:$port"
            ok "the cloud, by address, past it" not says "$scheme/access.log" "127.0.0.1:$port"
        fi
        proxy_end "$proxy_pid"
        if [ "$scheme" = basic ]; then
            through "$url" "credential = \"$work/good\""
            fails
            ok "closed port: the proxy does not answer" named '"class":"ERR_PROXY_DOWN"' "cloud: proxy $url does not answer"
        fi
    done

    squid_files policy agent s3cret-p4ss
    squid_start policy 'http_port @PORT@' "${SQUID_BASIC[@]}" 'acl authed proxy_auth REQUIRED' 'http_access deny CONNECT' \
        'http_access allow authed'
    through "http://127.0.0.1:$proxy_port" "credential = \"$work/good\""
    fails
    ok "policy: 403 is not taken for a login" named '"class":"ERR_PROXY"' \
        "the policy of proxy http://127.0.0.1:$proxy_port does not allow 127.0.0.1:$port (it answered 403 to CONNECT)"
    proxy_end "$proxy_pid"

    proxy_certificate || bail "no certificate for the proxy"
    squid_files tls agent s3cret-p4ss
    cp tls-proxy.pem "$(squid_dir tls)/"
    squid_start tls 'https_port @PORT@ tls-cert=@DIR@/tls-proxy.pem' "${SQUID_BASIC[@]}" "${SQUID_RULES[@]}"
    url=https://127.0.0.1:$proxy_port
    through "$url" "credential = \"$work/good\""
    fails
    ok "https proxy, not trusted: named, not the cloud's certificate" named '"class":"ERR_PROXY"' \
        "cloud: the certificate of proxy $url is not trusted"
    through "$url" "credential = \"$work/good\" trust = \"$work/tls-proxy-ca.pem\""
    ok "https proxy: a request is delivered" is_delivered_once kind-tls
    ok "https proxy: cloud and CA were reached through it" both_seen tls/access.log
    through "http://127.0.0.1:$proxy_port" "credential = \"$work/good\""
    fails
    ok "https proxy taken for http: the proxy is named" named '"class":"ERR_PROXY_DOWN"' "cloud: proxy http://127.0.0.1"
    proxy_end "$proxy_pid"
else
    skip "squid: Basic, Digest, NTLM, TLS" "squid is not installed"
fi

# ---- tinyproxy -------------------------------------------------------------------------------------------------------------
if have_proxy tinyproxy; then
    tinyproxy_start tiny 'BasicAuth agent s3cret-p4ss' "ConnectPort $port"
    url=http://127.0.0.1:$proxy_port
    through "$url" "credential = \"$work/bad\""
    fails
    ok "tinyproxy: a wrong password is named" named '"class":"ERR_PROXY"' "cloud: proxy $url refuses the user and password it was given"
    through "$url" "credential = \"$work/good\""
    ok "tinyproxy: a request is delivered" is_delivered_once kind-tiny
    ok "tinyproxy: cloud and CA were reached through it" both_seen tiny.log
    proxy_end "$proxy_pid"
    tinyproxy_start closed 'BasicAuth agent s3cret-p4ss' 'ConnectPort 1'
    through "http://127.0.0.1:$proxy_port" "credential = \"$work/good\""
    fails
    ok "tinyproxy: a port it does not open is its policy" named '"class":"ERR_PROXY"' "the policy of proxy"
    proxy_end "$proxy_pid"
else
    skip "tinyproxy" "tinyproxy is not installed"
fi

# ---- SOCKS5 ------------------------------------------------------------------------------------------------------------------
if have_proxy microsocks; then
    microsocks_start socks -u agent -P s3cret-p4ss
    url=socks5://127.0.0.1:$proxy_port
    through "$url"
    fails
    ok "SOCKS5: without a credential the poll says so" named '"class":"ERR_PROXY"' \
        "cloud: proxy $url wants a user and a password, none is configured"
    through "$url" "credential = \"$work/bad\""
    fails
    ok "SOCKS5: a wrong password is named" named '"class":"ERR_PROXY"' \
        "cloud: proxy $url refuses the user and password it was given"
    through "$url" "credential = \"$work/good\""
    ok "SOCKS5: a request is delivered" is_delivered_once kind-socks
    ok "SOCKS5: cloud and CA were reached through it, names resolved there" says socks.out "connected to 127.0.0.1:$port" \
        "connected to localhost:$port"
    proxy_end "$proxy_pid"
    fails
    ok "SOCKS5, closed port: the proxy does not answer" named '"class":"ERR_PROXY_DOWN"' "cloud: proxy $url does not answer"
else
    skip "SOCKS5" "microsocks is not installed"
fi

# ---- names and settings ------------------------------------------------------------------------------------------------------
through http://proxy.invalid:3128
fails
ok "a proxy whose name is not found: named" named '"class":"ERR_PROXY"' "the name of proxy http://proxy.invalid:3128 is not found"
through http://127.0.0.1:1 'credential = "secret:nothing"'
agent_once --wait 1
ok "a credential that is not there: it does not start" is "$rc" 78
ok "and says which" says "$log" 'secret:nothing'
straight
agent_once --wait 20
ok "straight again: delivered" is "$rc" 0
ctl summary >summary.out
ok "nothing was lost, nothing issued twice" is "$(get summary.out '$.open') $(get summary.out '$.lost') $(get summary.out \
    '$.duplicates')" '0 0 0'
ok "no password in anything that was said" nowhere -e s3cret-p4ss -e wr0ng-p4ss said
finish
