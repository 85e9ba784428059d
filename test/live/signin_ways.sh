#!/bin/bash
# Signing in, against the sandbox's cloud and authorization server: every way in, what servers do on a bad day, and
# that nothing is left of whoever signed in.  Prints TAP.
#
#   B=build/asan test/live/signin_ways.sh
# shellcheck source=test/live/signin.bash
. "$(dirname "$(realpath "$0")")/signin.bash"

sandbox_start ways --sign-in mtls
app=(--client-id certferry-automation)

# ---- nobody yet ----------------------------------------------------------------------------------------------
ok "whoami before: nobody, exit 5" exits 5 whoami
ok "and says what to do" says all 'not signed in' 'certferry sign-in'
ok "sign-out before: there is none, exit 13" exits 13 sign-out --yes

# ---- a person ------------------------------------------------------------------------------------------------
fault login.poll slow-down
ok "a person signs in with a code" person_does approve-code --name 'Ferry 7'
ok "exit 0" exits_with 0
ok "the screen shows cloud, issuer, client, where to type it, for how long, and that you began this yourself" says \
    person "$base/ccp" "$base/login" certferry-sign-in ccp.enroll "$base/login/device" '10 minutes' \
    'only if you started this sign-in yourself' 'Ferry 7'
ok "polls come no sooner than they may: slow_down was asked for, and honoured" is "$(ctl ledger | grep '"event":"poll"' |
    sed 's/.*"sinceMs":\([0-9]*\),"intervalMs":\([0-9]*\).*/\1 \2/' | awk '$1 < $2' | wc -l)" 0
ok "whoami: agent, cloud, method, certificate, renewal" exits 0 whoami
ok "in words" says out 'its certificate (TLS)' "$base/ccp" ' days left' 'renewed      from'
first=$(agent_id)
ctl ledger | grep '"event":"enrolled"' >enrolled
ok "the cloud has the same, with its name" says enrolled "$first" 'Ferry 7'
ctl ledger | grep '"event":"sign-in"' >tokens.json
grep -o '[ar]t\.[0-9a-f]*' tokens.json >tokens
ok "(a person's access and refresh tokens were given out)" is "$(wc -l <tokens)" 2
ok "none of them is left in the store" nowhere -f tokens "$dir/state"
ok "nor in anything that was said" nowhere -f tokens said
ok "the identity is sealed" not grep -rqaE 'PRIVATE KEY|BEGIN CERTIFICATE' "$dir/state"

ok "declined" person_does deny-code
ok "exit 5" exits_with 5
ok "in words" says person 'declined' 'if you did not start it'
ok "the code has ended" person_does expire-code
ok "exit 5" exits_with 5
ok "says so" says person 'code was not used in time' 'start sign-in again'
fault login.device code-life '"seconds":2'
sign_in
ok "nobody used the code: given up at its end" exits_with 5
ok "says so" says err 'code was not used in time' 'start sign-in again'
fault login.device no-interval
from=$(now_ms)
person_does approve-code
ok "a server that names no interval is asked every five seconds" test $(($(now_ms) - from)) -ge 4900
ok "and approved" exits_with 0
fault login.device entra
ok "Entra ID's answer, without a complete address" person_does approve-code
ok "exit 0" exits_with 0
fault login.poll http-500 '"count":2'
ok "a server that stumbles is asked again, less often" person_does approve-code
ok "exit 0" exits_with 0
ok "who the connector is has changed" not is "$(agent_id)" "$first"
kept=$(agent_id)

# ---- Entra ID's numbers become what is missing ----------------------------------------------------------------
aadsts() { # NUMBER EXIT WORDS
    fault login.device aadsts "\"code\":$1"
    sign_in
    exits_with "$2" && says err "AADSTS$1" "$3"
}
ok "AADSTS65001: consent" aadsts 65001 5 'grants consent'
ok "AADSTS53003: Conditional Access" aadsts 53003 5 'exempt this sign-in from the policy'
ok "AADSTS7000218: public client flows" aadsts 7000218 5 'Allow public client flows'
ok "AADSTS50105: role" aadsts 50105 5 'assign the user'
ok "AADSTS700016: client" aadsts 700016 5 'client id'
ok "AADSTS50057: account" aadsts 50057 5 'account'
fault cloud.enroll no-licence
person_does approve-code
ok "an account without a licence" exits_with 5
ok "is the cloud's word" says person 'no licence'

# ---- what is wrong at the other end ---------------------------------------------------------------------------
bad() { # EXIT WHERE WHAT WORDS...: a sign-in by the client's secret meets a fault
    local want=$1 where=$2 what=$3
    shift 3
    fault "$where" "$what" '"count":-1'
    sign_in "${app[@]}" --client-secret-file "$dir/login-secret.txt"
    ctl clear-faults >ctl.out
    exits_with "$want" && says err "$@"
}
ok "a portal's page instead of the cloud" bad 4 cloud.discovery html 'error[INTERCEPTED]' \
    'says nothing of a policy cloud' "in the cloud's place"
ok "a redirect to a portal" bad 4 cloud.discovery redirect 'error[INTERCEPTED]' "in the cloud's place"
ok "a portal's page instead of the authorization server" bad 4 login.metadata html 'error[INTERCEPTED]' 'portal'
ok "metadata of another issuer" bad 6 login.metadata other-issuer 'issuer'
ok "a plain address in the metadata" bad 1 login.metadata plain-http 'https'
ok "a cloud without an authorization server" bad 6 cloud.discovery no-issuer 'no authorization server'
ok "a certificate for another key" bad 8 cloud.enroll wrong-key 'not for the key'
ok "a certificate that has ended" bad 1 cloud.enroll expired 'ended'
ok "a way of proof we do not know" bad 1 cloud.enroll odd-method 'method'
ok "a new identity that is refused at once" bad 5 cloud.extend http-401 'the new identity did not work'
fault login.metadata no-device-flow
sign_in
ok "a server without device codes" exits_with 6
ok "says so" says err 'no sign-in by device code'
sign_in --cloud 127.0.0.1:1
ok "a closed port: network, exit 4" exits_with 4
sign_in --cloud http://127.0.0.1:1
ok "http:// is not taken: exit 2" exits_with 2
ok "after all that the identity is the one that was" is "$(agent_id)" "$kept"

# ---- clients and tokens -----------------------------------------------------------------------------------------
sign_in "${app[@]}" --client-secret-file "$dir/login-secret.txt"
ok "a client's secret" exits_with 0
sign_in "${app[@]}" --client-certificate "$dir/login-app.pem" --client-key "$dir/login-app.key"
ok "a client's certificate" exits_with 0
fault login.metadata only-rs256
sign_in "${app[@]}" --client-certificate "$dir/login-app.pem" --client-key "$dir/login-app.key"
ok "at a server that knows RS256 alone" exits_with 0
fault login.metadata only-basic
sign_in "${app[@]}" --client-secret-file "$dir/login-secret.txt"
ok "at a server that takes the secret in a header alone" exits_with 0
"$B/certferry" secret set signin-secret --file "$dir/login-secret.txt" --config "$conf" >out 2>err
sign_in "${app[@]}" --client-secret-file secret:signin-secret
ok "the secret from the sealed folder" exits_with 0
(umask 077 && echo wrong >wrong-secret)
sign_in "${app[@]}" --client-secret-file "$work/wrong-secret"
ok "a wrong secret: exit 5" exits_with 5
chmod 644 wrong-secret
sign_in "${app[@]}" --client-secret-file "$work/wrong-secret"
ok "a secret that others can read: refused before anything is sent" exits_with 6
ok "with the command that mends it" says err 'chmod 600'
bootstrap_file boot
sign_in --bootstrap-file "$work/boot"
ok "a bootstrap token" exits_with 0
ok "it says whom it replaces" says err 'note: this connector is agent'
sign_in --bootstrap-file "$work/boot"
ok "works once" exits_with 5
ok "and says so" says err 'works once'
sign_in --bootstrap-file "$work/boot" "${app[@]}" --client-secret-file "$dir/login-secret.txt"
ok "two ways at once: usage" exits_with 2
sign_in --client-secret-file "$dir/login-secret.txt"
ok "a secret without its client: usage" exits_with 2

# ---- another cloud: the setting moves along -----------------------------------------------------------------------
sandbox_before=$dir
sed -i "s|$base/ccp|https://cloud.invalid/ccp|" "$conf"
cf whoami
ok "the identity of another cloud is not used" says out 'NOT USED: cloud.url is https://cloud.invalid/ccp'
bootstrap_file boot
sign_in --bootstrap-file "$work/boot" --cloud "$base"
ok "sign-in at the root of another host finds its cloud" exits_with 0
ok "a drop-in of its own has the new address" says "$sandbox_before/conf.d/50-sign-in.conf" "$base/ccp"
ok "the administrator's file is untouched" says "$conf" 'https://cloud.invalid/ccp'
ok "and the configuration is valid" exits 0 check

# ---- signing out ---------------------------------------------------------------------------------------------------
"$B/certferry" sign-out --config "$conf" </dev/null >out 2>err
ok "sign-out asks; without a terminal it needs --yes" is $? 2
ok "and changes nothing" exits 0 whoami
ok "sign-out --yes" exits 0 sign-out --yes
ok "the key is gone" not test -e "$dir/state/secrets/certferry.connector"
ok "whoami: nobody" exits 5 whoami

# ---- secrets ---------------------------------------------------------------------------------------------------------
ctl ledger | grep -o '[ar]t\.[0-9a-f]*' | sort -u >tokens
cat "$dir/login-secret.txt" boot >>tokens
ok "(there are many tokens to look for)" test "$(wc -l <tokens)" -gt 15
ok "no token, no secret in any output" nowhere -f tokens said
ok "nor in the store" nowhere -f tokens "$dir/state"
finish
