#!/bin/bash
# One Admin event for each request that has ended, however it ended, and no other of its kind.  Prints TAP.
#
#   B=build/asan test/live/watch_events.sh
# shellcheck source=test/live/live.bash
. "$(dirname "$(realpath "$0")")/live.bash"

sandbox_start desk
agent_start
fault ca.submit deny '"count":1,"match":"denied"'
fault ca.submit wrong-key '"count":1,"match":"wrong"'
fault ca.submit pending '"polls":-1,"count":1,"match":"cancelled"'
fault ca.submit http-500 '"count":2,"match":"retried"'
fault cloud.upload stale-lease '"count":1,"match":"stale"'
for cn in good denied wrong retried stale also-good; do ask $cn adcs ContosoUser; done
ask cancelled adcs ContosoUser
until_true 30 is_state "$id" pending
exits 0 requests cancel "$id"
all_ended() {
    cf requests list --json && is "$(get out '$.data.requests')" '[]'
}
until_true 60 all_ended
cf requests list --all --json
ok "seven have ended" is "$(count out '$.data.requests' 1)" 7
/usr/bin/python3 - "$log" >outcome <<'PY'
import collections, json, sys
admin = collections.Counter()
for line in open(sys.argv[1]):
    e = json.loads(line)
    if e.get("admin") and "request" in e:
        admin[e["request"]] += 1
for r in json.load(open("out"))["data"]["requests"]:
    print(r["state"], admin.pop(r["id"], 0))
print("others", sum(admin.values()))
PY
ok "each has one Admin event" is "$(grep -v others outcome | awk '$2 != 1')" ''
ok "delivered ones" test "$(grep -c delivered outcome)" -ge 3
ok "refused ones" test "$(grep -c rejected outcome)" -ge 2
ok "a cancelled one" test "$(grep -c cancelled outcome)" -ge 1
ok "and nobody else has one" says outcome 'others 0'
ok "agent stops" agent_stop

# ---- the manual ------------------------------------------------------------------------------------------------
"$B/certferry" manual events >events
said=$(cat said/log-* | grep -oE '"event":"[A-Za-z]+"' | sort -u | sed -E 's/.*:"(.*)"/\1/')
undocumented() {
    local e
    for e in $said; do grep -qE "^\*[0-9]+ $e\*" events || echo "$e"; done
}
ok "every event that was seen is in certferry-events(7)" is "$(undocumented)" ''

# ---- the journal -----------------------------------------------------------------------------------------------
echo 'log { format = "journal" }' | drop_in 30-log
ask journal adcs ContosoUser
if [ -S /run/systemd/journal/socket ]; then
    "$B/certferry" once --config "$conf" 2>said/journal
    ok "log.format = journal: nothing on standard error" is "$? $(wc -c <said/journal)" '0 0'
else
    "$B/certferry" once --config "$conf" 2>said/journal
    ok "log.format = journal without a journal: JSON lines on standard error" says said/journal '"event":"ServiceStarted"'
fi
finish
