#!/bin/bash
# The service with an identity of its own: by certificate and by tokens, renewed in time, refused, signed in again.
# Prints TAP.
#
#   B=build/asan test/live/signin_service.sh
# shellcheck source=test/live/signin.bash
. "$(dirname "$(realpath "$0")")/signin.bash"

renewed() { # COUNT
    [ "$(ledger '"event":"renewed"')" -ge "$1" ]
}
used() { # COUNT: certificates that were used once
    [ "$(ledger '"event":"certificate-used"')" -ge "$1" ]
}
needs_sign_in() { # 0|1
    cf status --json
    is "$(get out '$.data.identity.needsSignIn')" "$1"
}
state_held() {
    cf requests list --json
    test "$(count out '$.data.requests' "json_extract(value, '\$.state') = 'held'")" -ge 1
}

for method in mtls jwt; do
    # ---- a life of half a minute -------------------------------------------------------------------------------
    sandbox_start "$method" --sign-in "$method" --certificate 24
    drop_in beat <<<'cloud { heartbeat = 2 }'
    bootstrap_file boot
    sign_in --bootstrap-file "$work/boot"
    ok "$method: signed in" exits_with 0
    agent_start
    ok "$method: a request is delivered by the new identity" delivers "$method-1"
    from=$(agent_id)
    ok "$method: from two thirds of its life on it is renewed" until_true 30 renewed 1
    ok "$method: and the new one used" until_true 10 used 2
    ok "$method: which is an event" until_true 5 agent_log_has IdentityRenewed
    ok "$method: the agent is the same" is "$(agent_id)" "$from"
    ok "$method: the next request is delivered by it" delivers "$method-2"
    ok "$method: nothing of the renewal is left over" not test -e "$dir/state/secrets/certferry.connector.next"
    agent_stop

    # ---- the cloud does not know it any more ---------------------------------------------------------------------
    agent_start
    until_true 10 needs_sign_in 0
    fault ca.submit delay '"ms":3000'
    ask "$method-held" adcs ContosoUser
    held=$id
    sleep 1
    ctl revoke all >ctl.out
    ok "$method: revoked at the cloud: the service says so" until_true 30 agent_log_has NeedsSignIn
    ok "$method: with the command that mends it" says "$log" 'certferry sign-in'
    ok "$method: status says so" needs_sign_in 1
    cf status
    ok "$method: in words" says out 'NEEDS SIGN-IN' 'certferry sign-in'
    ok "$method: whoami, too, and exits with 5" exits 5 whoami
    ok "$method: the certificate that was issued is not lost: its request is held" until_true 20 state_held
    before=$(ctl ledger | grep -c '"event":"refused"')
    sleep 5
    ok "$method: no storm: $(($(ctl ledger | grep -c '"event":"refused"') - before)) refusals in five seconds" test \
        $(($(ctl ledger | grep -c '"event":"refused"') - before)) -lt 12
    ok "$method: it was said once" is "$(grep -c NeedsSignIn "$log")" 1
    bootstrap_file boot
    sign_in --bootstrap-file "$work/boot"
    ok "$method: signed in again beside the running service" exits_with 0
    ok "$method: which uses it from now on" says out 'the running service uses it from now on'
    ok "$method: all is well again" until_true 10 needs_sign_in 0
    ok "$method: what was held goes on at once" until_true 20 is_delivered "$held"
    ok "$method: and so does the next one" delivers "$method-3"

    # ---- signing out under the running service ---------------------------------------------------------------------
    ok "$method: sign-out" exits 0 sign-out --yes
    ok "$method: the running service has no identity any more" until_true 10 exits 5 whoami
    bootstrap_file boot
    sign_in --bootstrap-file "$work/boot"
    ok "$method: and signs in again" exits_with 0
    ok "$method: another request" delivers "$method-4"
    agent_stop
    sandbox_stop
done

# ---- secrets --------------------------------------------------------------------------------------------------------------
ok "no key in any log or answer" nowhere 'PRIVATE KEY' said
finish
