#!/bin/bash
# Yesterday's backup restored, and a copy of the machine beside the original (FM-14): nothing is submitted twice, it ends
# by itself where it can, and an administrator is told where it cannot.  Prints TAP.
#
#   B=build/asan test/live/signin_clone.sh
# shellcheck source=test/live/signin.bash
. "$(dirname "$(realpath "$0")")/signin.bash"

sandbox_start clone --sign-in mtls --lease 120
drop_in beat <<CONF
cloud { heartbeat = 2 }
CONF
bootstrap_file boot
sign_in --bootstrap-file "$work/boot"
ok "signed in" exits_with 0

csrs() { ledger '"event":"csr-received"'; }
no_duplicates() { # CSRS
    is "$(csrs)" "$1" && ctl summary >summary.out && is "$(get summary.out '$.duplicates')" 0
}
waiting() { # COUNT: open requests that have not been submitted
    cf requests list --json
    is "$(count out '$.data.requests' "json_extract(value, '\$.submissions') = 0 and
        json_extract(value, '\$.step') in ('submit', 'find')")" "$1"
}
reconcile_is() { # STATE
    cf status --json
    is "$(get out '$.data.reconcile.state')" "$1"
}
all_delivered() { # PREFIX COUNT
    local n=0 i
    ctl ledger >ledger.out
    for i in $(seq "$2"); do
        grep -q "\"event\":\"issued\".*\"cn\":\"$1-$i\"" ledger.out && n=$((n + 1))
    done
    is "$n" "$2" && ctl summary >summary.out && is "$(get summary.out '$.open')" 0
}
stop_ca() { fault ca.submit http-503 '"count":-1'; }

# ---- the backup of a time when five requests were not submitted yet --------------------------------------------
stop_ca
agent_start
ask_many old 5 adcs ContosoUser
ok "five requests wait for the CA" until_true 20 waiting 5
agent_stop
cp -a "$dir/state" backup
ctl clear-faults >ctl.out
agent_start
ok "an ordinary start is no news: all five are delivered" until_true 20 all_delivered old 5
ok "and nothing was compared" not agent_log_has ReconcileBegun
agent_stop
was=$(csrs)
ok "(the CA has seen five)" test "$was" -ge 5

rm -rf "$dir/state"
cp -a backup "$dir/state"
agent_start
ok "the backup is restored: that is noticed" until_true 20 agent_log_has ReconcileBegun
ok "in words an administrator understands" says "$log" 'a backup was restored, or this is a copy'
cf status
ok "status says so, too" says out 'Compare  requests from before' 'a backup was restored'
ok "reconcile says so and exits with 3" exits 3 reconcile
ok "it ends by itself" until_true 20 agent_log_has ReconcileEnded
ok "the five were found to have ended elsewhere" says "$log" '5 requests compared, 5 of them ended elsewhere'
ask after-restore adcs ContosoUser
ok "and work goes on" until_true 20 is_delivered "$id"
ok "nothing was submitted twice" no_duplicates $((was + 1))
ok "reconcile: nothing any more" exits 0 reconcile
agent_stop

# ---- the same content in the same file: only the counter tells -------------------------------------------------------
was=$(csrs)
rm -f "$dir"/state/certferry.db-*
cat backup/certferry.db >"$dir/state/certferry.db"
sqlite3 "$dir/state/certferry.db" "delete from meta where key in ('reconcile/mark', 'reconcile/ended')"
agent_start
ok "a store set back in place: the cloud's counter tells" until_true 20 agent_log_has ReconcileBegun
ok "in words" says "$log" 'the cloud has seen counter'
ok "it ends by itself" until_true 20 agent_log_has ReconcileEnded
ok "nothing was submitted twice" no_duplicates "$was"
agent_stop

# ---- again within a day ----------------------------------------------------------------------------------------------
sqlite3 "$dir/state/certferry.db" "update meta set value = '1' where key = 'counter'"
agent_start
ok "the same within a day is somebody else" until_true 20 agent_log_has TwoServicesOneIdentity
ok "reconcile --this-one: this is the one that lives" exits 0 reconcile --this-one
ok "and it goes on" until_true 20 reconcile_is normal
claim_recorded() { # with who said so
    cf audit export
    grep '"event":"reconcile.claimed"' out | grep -qF "\"actor\":\"uid $(id -u)\""
}
ok "(it stands in the audit log)" claim_recorded
ok "reconcile --this-one again: there is nothing to decide" exits 14 reconcile --this-one
agent_stop

# ---- a copy beside the original ------------------------------------------------------------------------------------------
stop_ca
agent_start
ask_many pair 5 adcs ContosoUser
until_true 20 waiting 5
agent_stop
was=$(csrs)
cp -a "$dir/state" "$work/copied"
sed "s|$dir/state|$work/copied|" "$conf" >"$work/copy.conf"
mkdir -p "$work/conf.d" && cp "$dir/conf.d/beat.conf" "$work/conf.d/"
agent_start
"$B/certferry" run --config "$work/copy.conf" 2>said/copy &
copy_pid=$!
alive[$copy_pid]=copy
ok "both notice each other" until_true 30 grep -qF TwoServicesOneIdentity said/copy
ok "both" until_true 30 agent_log_has TwoServicesOneIdentity
ctl clear-faults >ctl.out
sleep 8
ok "the CA is back: neither submits what both know" is "$(csrs)" "$was"
cf status
ok "status names it, and what to do" says out 'TWO SERVICES UNDER ONE IDENTITY' \
    'reconcile --this-one'
ok "reconcile exits with 3" exits 3 reconcile
ask fresh est ContosoUser
ok "what the cloud hands out now is one's alone, and is delivered" until_true 20 is_delivered "$id"
kill -TERM $copy_pid
wait $copy_pid
unset "alive[$copy_pid]"
ok "the copy is stopped; the original is told that it lives" exits 0 reconcile --this-one
ok "its requests are delivered" until_true 30 all_delivered pair 5
ok "each was submitted once" no_duplicates $((was + 6))
agent_stop
finish
