#!/bin/bash
# What changes when a request is half done: its template is no longer listed, its lease is over, its result is no longer
# kept.  Whoever waits for a certificate that can be delivered gets it.  Prints TAP.
#
#   B=build/asan test/live/late_changes.sh
# shellcheck source=test/live/live.bash
. "$(dirname "$(realpath "$0")")/live.bash"

reason() { # ID TEXT...: the reason it waits, or ended, contains every TEXT
    local id=$1
    shift
    cf requests show "$id" --json
    get out '$.data.request.class' >reason
    get out '$.data.request.reason' >>reason
    says reason "$@"
}
orphans() { # ID: so many of it are listed
    cf orphans list --json
    count out '$.data.orphans' "json_extract(value, '\$.request') = '$1'"
}
reloads() {
    cf service reload
    [ "$rc" -eq 0 ] || { cat out err; return 1; }
}
lists() { # TEMPLATE...: what both CAs offer from now on
    local all
    printf -v all '"%s", ' "$@"
    drop_in templates <<<"ca \"adcs\" { templates = {${all%, }} }
ca \"est\" { templates = {${all%, }} }"
}

sandbox_start cloud --lease 12
drop_in late <<CONF
cloud { poll_interval = 1 }
ca "adcs" { pending_interval = 5 }
ca "est" { pending_interval = 5 }
store { grace = 1 }
CONF
agent_start

# ---- the template is no longer listed -------------------------------------------------------------------------
ask waits adcs ManualUser
waits=$id
ask leaves adcs ManualUser
leaves=$id
fault cloud.upload http-503 '"count":-1,"retryAfter":1,"match":"made"'
ask made est WiFiUser
made=$id
until_true 20 is_state "$waits" pending
until_true 20 is_state "$leaves" pending
made_waits() { cf requests show "$made" --json && is "$(get out '$.data.request.state') $(get out '$.data.request.step')" 'retrying report'; }
until_true 20 made_waits
lists ContosoUser
ok "a reload takes two templates away" reloads
ok "what the CA has seen is held, not refused" until_true 30 is_state "$waits" held
ok "and says that it is the configuration, and which template" reason "$waits" ERR_CONFIG ManualUser 'the CA has it already'
ctl clear-faults >ctl.out
cf requests retry "$made"
ok "a result that was made is delivered all the same" until_true 20 is_delivered "$made"
ask new est WiFiUser
ok "what is new is refused" until_true 20 is_state "$id" rejected
until_true 20 is_state "$leaves" held
cf requests cancel "$leaves"
ok "cancelled: it ends" until_true 20 is_state "$leaves" cancelled
ok "and what the CA may issue is on the list" is "$(orphans "$leaves")" 1
rm "$dir/conf.d/templates.conf"
ok "the templates come back" reloads
ctl approve waits >ctl.out
cf requests retry "$waits"
ok "approved: delivered" until_true 30 is_delivered "$waits"
ok "with one certificate" is "$(ledger '"event":"issued".*"cn":"waits"')" 1

# ---- its time is over while nothing here fits it ----------------------------------------------------------------
requests_json adcs ManualUser ecP256 brief | sed "s/{\"parameters\"/{\"expiresDateTime\": \"$(date -u -d '+12 seconds' +%FT%TZ)\", \"parameters\"/" >ask.json
ctl requests ask.json >ask.out || bail "the sandbox refuses a request"
id=$(get ask.out '$.value[0]')
until_true 10 is_state "$id" pending
lists ContosoUser
ok "another reload" reloads
until_true 10 is_state "$id" held
over() { cf requests retry "$id"; is_state "$id" rejected; }
ok "a held request ends when its time is over" until_true 40 over
ok "and what the CA may issue is on the list" is "$(orphans "$id")" 1
rm "$dir/conf.d/templates.conf"
ok "and back" reloads

# ---- the lease is over because the result is there --------------------------------------------------------------
fault cloud.upload drop-after '"count":4,"match":"told"'
ask told est ContosoUser
ok "the cloud has the result, its answers are lost: delivered" until_true 60 is_state "$id" delivered
ok "and no orphan" is "$(orphans "$id")" 0

# ---- an administrator is impatient ------------------------------------------------------------------------------
fault ca.submit delay '"ms":4000,"match":"slow"'
ask slow adcs ContosoUser
asked() { test "$(ledger '"event":"csr-received".*"cn":"slow"')" -gt 0; }
until_true 10 asked
ok "retry, while the CA has the CSR and has not answered: exit 0" exits 0 requests retry "$id"
ok "delivered" until_true 20 is_delivered "$id"
ok "and the CSR was not sent twice" is "$(ledger '"event":"csr-received".*"cn":"slow"')" 1

# ---- the result is no longer kept -------------------------------------------------------------------------------
fault cloud.upload stale-lease '"match":"elsewhere"'
ask elsewhere est ContosoUser
until_true 20 is_state "$id" superseded
ok "another connector has it: SIGTERM, exit 0" agent_stop
sleep 2
agent_start
ctl expire-leases >ctl.out
ok "lent to us again when its result is gone: begun anew, delivered" until_true 40 is_delivered "$id"
ok "the certificate of before stays on the list" is "$(orphans "$id")" 1

ok "SIGTERM: exit 0" agent_stop
cf orphans list --json
cp out orphans
ok "the sandbox stops cleanly" sandbox_stop
"$B/certferry-sandbox" check "$dir" --orphans orphans >check.out
ok "the ledger keeps every promise" is "$? $(tail -n 1 check.out)" '0 0 broken promises'
finish
