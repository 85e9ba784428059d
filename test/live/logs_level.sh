#!/bin/bash
# logs level: another log level for a running service, for a while or until it begins anew; status shows it, the audit
# log has it.  And what takes a running service says that none runs.  Prints TAP.
#
#   B=build/asan test/live/logs_level.sh
# shellcheck source=test/live/live.bash
. "$(dirname "$(realpath "$0")")/live.bash"

sandbox_start levels
# A store is there, and nobody runs on it.
agent_once --wait 5
for asked in 'logs level debug' reconcile 'reconcile --this-one' 'service reload'; do
    # shellcheck disable=SC2086
    ok "$asked without a service: exit 7" exits 7 $asked
    ok "says so, and what to do" says err 'error[SERVICE] no service' 'fix:  certferry service start'
done
ok "what SERVICE means" exits 0 explain SERVICE

agent_start
lines() { # LEVEL: how many the service has written
    grep -cF "\"level\":\"$1\"" "$log"
}
more() { # LEVEL COUNT: than before
    test "$(lines "$1")" -gt "$2"
}
issued() { # CN: one request from beginning to end
    ask "$1" adcs ContosoUser
    until_true 20 is_delivered "$id"
}
ok "a request as configured" issued one
ok "no debug lines" is "$(lines debug)" 0
ok "status is silent about the level" exits 0 status
ok "(it is)" not grep -q '^Log ' out
ok "logs level debug" exits 0 logs level debug
ok "what it was, and until when" says out 'log level: info -> debug, until the service begins anew' \
    'certferry logs level info'
ok "the log says who asked" says "$log" '"event":"OperatorAction"' 'log level debug instead of info'
ok "status shows it" exits 0 status
ok "with the way back" says out 'Log      level debug instead of info; certferry logs level info'
ok "as JSON" exits 0 status --json
ok "both levels" is "$(get out '$.data.log.level') $(get out '$.data.log.configured')" 'debug info'
ok "another request" issued two
ok "debug lines" more debug 2
ok "the audit log has it" exits 0 audit export
ok "with the actor" grep -q "\"event\":\"log.level\".*\"actor\":\"uid $(id -u)\".*\"subject\":\"debug\"" out
ok "a level that is none: usage" exits 2 logs level loud
ok "says which there are" says err 'error, warning, info, debug' 'certferry help logs'
ok "without a level: usage" exits 2 logs level
ok "longer than a week: usage" exits 2 logs level debug --for 8d
ok "all that changed nothing" exits 0 status
ok "(nothing)" says out 'level debug instead of info'

ok "for a while" exits 0 logs level error --for 4s --json
ok "until then" is "$(get out '$.data.log.level') $(get out '$.data.before')" 'error debug'
ok "an end" test -n "$(get out '$.data.log.until')"
info=$(lines info)
ok "a request meanwhile" issued three
ok "without a line" is "$(lines info)" "$info"
as_configured() { exits 0 status --json && is "$(get out '$.data.log.level')" info; }
ok "it is over by itself" until_true 20 as_configured
ok "the log says so" says "$log" 'log level info instead of error: its time is over'
ok "as configured, in words" exits 0 logs level info
ok "(it is)" says out 'log level: info -> info, as configured'

ok "debug again" exits 0 logs level debug --for 1h
echo 'cloud { poll_interval = 33 }' | drop_in zz
ok "a reload begins anew" exits 0 service reload
ok "as configured" until_true 10 as_configured
ok "an end that was set is forgotten with it" is "$(get out '$.data.log.until')" ''
agent_stop

if [ ! -e /run/systemd/journal/socket ]; then
    ok "logs with a journal's field is the journal, as before" exits 13 logs CC_CHANNEL=Admin
    ok "(none is here)" says err "systemd's journal does not run here"
fi
finish
