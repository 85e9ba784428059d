#!/bin/bash
# Signing in at an identity provider that is not ours (npm's oidc-provider): a person's device code approved, denied and
# expired, a client with an assertion, then a full PKCS request, and nothing left of the person.  Prints TAP.
#
#   B=build/asan test/live/signin_oidc.sh
# shellcheck source=test/live/signin.bash
. "$(dirname "$(realpath "$0")")/signin.bash"
# shellcheck source=test/peers/peers.bash
. "$root/test/peers/peers.bash"

oidc=$work/oidc
if ! oidc_install "$oidc"; then
    skip "an identity provider that is not ours" "it cannot be had: $(tail -n 1 npm.log)"
    finish
    exit
fi
sandbox_start keys --sign-in mtls # the keys of both are made by a first start
sandbox_stop
issuer_start() { # CODE-SECONDS
    oidc_start "$oidc" "$work/keys/tls-server.pem" "$work/keys/tls-server.key" "$work/keys/login-app.pem" "$1" ||
        bail "oidc-provider does not start: $(cat "$oidc/oidc.log")"
    alive[$oidc_pid]=oidc
    rm -f "$work/keys/ready"
    sandbox_start keys --sign-in "$method" --issuer "$issuer" --jwks "$oidc/oidc-jwks.json"
}
issuer_end() {
    sandbox_stop
    kill "$oidc_pid"
    wait "$oidc_pid" 2>/dev/null
    unset "alive[$oidc_pid]"
}
complete() { # $url: the address with the code in it, as the screen shows it
    url=$(sed -n 's/.*or open  *//p' person)
    [ -n "$url" ]
}
somebody() { # approve|deny OPTIONS...: $rc
    local what=$1
    shift
    sign_in_begin "$@"
    until_true 30 complete || { cat person; sign_in_end; return 1; }
    complete
    person "$oidc" "$work/keys/tls-ca.pem" "$what" "$url" >browser.out 2>&1 || { cat browser.out; cat "$oidc/oidc.log"; }
    sign_in_end
}

for method in mtls jwt; do
    issuer_start 600
    somebody approve --name "Ferry at $method"
    ok "$method: a person approves in a browser: signed in" exits_with 0
    ok "$method: the screen shows whose page that is" says person "$issuer" 'certferry-sign-in' 'yourself'
    ok "$method: whoami" exits 0 whoami
    kept=$(agent_id)
    agent_start
    ask "after-$method" adcs ContosoUser
    ok "$method: a full PKCS request is delivered by the new identity" until_true 30 is_delivered "$id"
    agent_stop
    # What the provider gave out is a JWT: its subject is a person. None of it is anywhere.
    ok "$method: no token of a person is left in the store" not grep -rqaE 'eyJ[A-Za-z0-9_-]{20}' "$dir/state"
    ok "$method: nor in anything that was said" not grep -rqaE 'eyJ[A-Za-z0-9_-]{20}' said
    somebody deny
    ok "$method: declined in the browser" exits_with 5
    ok "$method: in words" says person 'sign-in was declined'
    ok "$method: the identity is the one that was" is "$(agent_id)" "$kept"
    app=(--client-id certferry-automation --client-certificate "$dir/login-app.pem" --client-key "$dir/login-app.key")
    sign_in "${app[@]}"
    ok "$method: a client by its assertion, twice" exits_with 0
    sign_in "${app[@]}"
    ok "$method: each is another one, so none is a replay" exits_with 0
    issuer_end
    rm -rf "$dir/state" "$dir/conf.d"
done

method=mtls
issuer_start 3
sign_in
ok "nobody used the code: it ends" exits_with 5
ok "in words" says err 'code was not used in time'
issuer_end
finish
