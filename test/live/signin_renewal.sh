#!/bin/bash
# The renewal of the connector's identity, killed in the middle of it, and answered wrongly.  Prints TAP.
#
#   B=build/asan test/live/signin_renewal.sh
# shellcheck source=test/live/signin.bash
. "$(dirname "$(realpath "$0")")/signin.bash"

# ---- killed in the middle of a renewal ----------------------------------------------------------------------------------
sandbox_start killed --sign-in mtls --certificate 24
drop_in beat <<<'cloud { heartbeat = 2 }'
if grep -qaF 'CERTFERRY_CRASH_AT' "$B/certferry"; then
    for point in 29 30 31; do
        bootstrap_file boot
        sign_in --bootstrap-file "$work/boot"
        agent_start CERTFERRY_CRASH_AT=CP$point:1
        until_true 30 not kill -0 "$agent_pid"
        agent_ended
        ok "killed at CP$point" is "$rc" 137
        agent_start
        ok "CP$point: the next start has an identity that works" delivers "after-$point"
        ok "CP$point: and the renewal ends well" until_true 20 agent_log_has IdentityRenewed
        ok "CP$point: a request by the renewed one" delivers "later-$point"
        agent_stop
    done
else
    skip "killed in the middle of a renewal" "this build has no crash points"
fi

# ---- what the cloud may answer to a renewal --------------------------------------------------------------------------------
bootstrap_file boot
sign_in --bootstrap-file "$work/boot"
fault cloud.renew other-agent
agent_start
ok "a renewal that makes us somebody else is not taken" until_true 30 agent_log_has IdentityRenewalFailed
ok "the old one serves on" delivers other-agent
agent_stop

# ---- secrets --------------------------------------------------------------------------------------------------------------
ok "no key in any log or answer" nowhere 'PRIVATE KEY' said
finish
