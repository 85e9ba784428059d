#!/bin/bash
# What an administrator does with requests and orphans while the service runs, and that the audit log has it.  Prints TAP.
#
#   B=build/asan test/live/watch_requests.sh
# shellcheck source=test/live/live.bash
. "$(dirname "$(realpath "$0")")/live.bash"

audited() { # EVENT SUBJECT: how many records
    "$B/certferry" audit export --config "$conf" | grep -F "\"event\":\"$1\"" | grep -cF "\"subject\":\"$2\""
}
me="uid $(id -u)"

sandbox_start desk
agent_start
fault ca.submit pending '"polls":2,"count":1'
ask held adcs ContosoUser
freed=$id
ok "pending at the CA" until_true 20 is_state "$id" pending
ok "requests hold" exits 0 requests hold "$id"
ok "says how it goes on" says out "is held until: certferry requests release"
ok "it is held" is_state "$id" held
ok "status: degraded" exits 3 status
ok "the queue waits for an administrator" says out '1 held, wait for administrator' 'certferry requests list --stuck'
ok "requests list --stuck has it" exits 0 requests list --stuck
ok "by its id" says out "$id"
ok "release of one that is not held: conflict" not exits 0 requests release 00000000-0000-4000-8000-000000000000
ok "requests release" exits 0 requests release "$id"
ok "it is delivered" until_true 30 is_delivered "$id"
ok "hold of one that has ended: 14" exits 14 requests hold "$id"

fault ca.submit pending '"polls":-1,"count":2'
ask one adcs ContosoUser
first=$id
ask two adcs ContosoUser
for i in "$first" "$id"; do until_true 20 is_state "$i" pending; exits 0 requests hold "$i"; done
ok "retry --all without --state: usage" exits 2 requests retry --all
ok "retry without anything: usage" exits 2 requests retry
ok "retry --all --state held" exits 0 requests retry --all --state held
ok "both" says out '2 requests are tried again now'
ok "list --since" exits 0 requests list --since 1h
ok "has them" says out "$first" "$id"

# ---- an orphan ------------------------------------------------------------------------------------------------
ok "both wait at the CA again" until_true 20 is_state "$id" pending
ok "cancel one that may have been issued" exits 0 requests cancel "$id"
ok "it is an orphan" exits 0 orphans show "$id"
ok "possible only" says out "Request     $id" 'Public key' 'cancelled by an administrator'
ok "orphans revoke: nothing is known to exist: 14" exits 14 orphans revoke "$id"
ok "says what to do" says err 'search CA "adcs"' 'certferry orphans adopt'
ok "orphans adopt" exits 0 orphans adopt "$id" --note "not found at the CA"
ok "by whom and why" says out "$me: not found at the CA"
ok "the list is empty" exits 0 orphans list
ok "and says so" says err 'no orphans; --all lists'
ok "--all has it" exits 0 orphans list --all
ok "with what was done" says out "$me: not found at the CA"
ok "adopted twice: 13" exits 13 orphans adopt "$id"

# ---- the audit log --------------------------------------------------------------------------------------------
ok "hold, release, retry, cancel and adopt are recorded" is "$(audited request.hold "$id") $(audited request.release \
    "$freed") $(audited request.retry "$id") $(audited request.cancel "$id") $(audited orphan.adopt "$id")" '1 1 1 1 1'
ok "with who it was" is "$("$B/certferry" audit export --config "$conf" | grep -c "\"actor\":\"$me\"")" 8
kill -HUP "$agent_pid"
reloaded() { "$B/certferry" audit export --config "$conf" | grep -q '"event":"config.reloaded"'; }
ok "a reload is recorded" until_true 10 reloaded
echo 'nonsense' | drop_in 99-broken
kill -HUP "$agent_pid"
refused() { says "$log" ConfigurationRefused; }
ok "a broken one is refused" until_true 10 refused
rm "$(dirname "$conf")/conf.d/99-broken.conf"
ok "and recorded" until_true 10 is "$("$B/certferry" audit export --config "$conf" | grep -c config.refused)" 1
ok "audit verify" exits 0 audit verify
ok "whole" says out 'whole: ' 'head '
ok "export --since" exits 0 audit export --since 1h
ok "a JSON object a line" /usr/bin/python3 -c 'import json; [json.loads(l)["hash"] for l in open("out")]'
cf audit verify --json
middle=$(get out '$.data.head')
ok "agent stops" agent_stop
head=$(grep AuditHead "$log" | tail -n 1 | sed -E 's/.*head ([0-9A-F]{64}).*/\1/')
ok "the log has the head: audit verify HASH finds it" exits 0 audit verify "$head"
ok "an earlier one, too" exits 0 audit verify "$middle"
cp "$dir/state/certferry.db" kept
sqlite3 "$dir/state/certferry.db" "delete from audit where n=(select max(n) from audit)"
ok "the end cut off: whole in itself" exits 0 audit verify
ok "but it has not that head" exits 1 audit verify "$head"
ok "and says so" says err 'has no record with this hash'
cp kept "$dir/state/certferry.db"
ok "audit verify without a service" exits 0 audit verify
sqlite3 "$dir/state/certferry.db" "update audit set actor='uid 4711' where n=3"
ok "a changed record: audit verify fails" exits 1 audit verify
ok "and names it" says err 'record 3 was changed'
ok "--json, too" exits 1 audit verify --json
ok "by number" is "$(get out '$.data.brokenAt')" 3
finish
