#!/bin/bash
# The real agent as a service against the sandbox: the demonstration, the commands while it runs and after, the
# end of a service, and that nothing secret is ever said.  Prints TAP.
#
#   B=build/asan test/live/agent_live.sh
# shellcheck source=test/live/live.bash
. "$(dirname "$(realpath "$0")")/live.bash"

summary() { # MEMBER WANTED ...
    ctl summary >summary.out || return
    while [ $# -gt 0 ]; do
        is "$1 $(get summary.out "\$.$1")" "$1 $2" || { cat summary.out; return 1; }
        shift 2
    done
}

# ---- the demonstration -------------------------------------------------------------------------------------
sandbox_start demo --demo 25
agent_start
until_true 60 summary open 0
ok "25 requests: 24 delivered, one denied, none open" summary requested 25 delivered 24 denied 1 open 0 lost 0
ok "the devices opened every one: all verdicts are ok" is "$(get summary.out '$.verdicts')" '[]'
ok "one certificate each" summary issued 24 duplicates 0 orphans 0

# ---- due in the very second in which another CA's last request ends ---------------------------------------
# An agent that then looks at that CA alone forgets the other until the cloud's long poll is over, 50 s later.
for round in 1 2; do
    fault ca.submit pending "\"polls\":1,\"match\":\"due-$round\""
    fault est.enroll delay "\"ms\":900,\"match\":\"neighbour-$round\""
    ask "due-$round" adcs ContosoUser
    due=$id
    ask "neighbour-$round" est ContosoUser
    ok "a request that becomes due when another's ends is not forgotten" until_true 10 is_delivered "$due"
    until_true 60 summary open 0
done

# ---- questions to the running service ----------------------------------------------------------------------
ok "status: all is well, exit 0" exits 0 status
ok "status names service, peers and counts" says out "running for" "pid $agent_pid" "health: ok" cloud adcs est \
    "28 delivered"
ok "status --json" exits 0 status --json
ok "is one document with schema, health and counts" is "$(get out '$.schema') $(get out '$.data.health') $(get \
    out '$.data.pid') $(get out '$.data.requests.delivered') $(get out '$.data.sinceStart.rejected') $(get \
    out '$.error')" "certferry.status/1 ok $agent_pid 28 1 "
ok "every peer answers" is "$(count out '$.data.peers' "json_extract(value, '\$.state') = 'ok'")" 3
ok "requests list: none is open" exits 0 requests list --json
ok "and says so" is "$(get out '$.data.requests')" '[]'
ok "requests list --all: 29" exits 0 requests list --all --json
ok "and all have ended" is "$(count out '$.data.requests' "json_extract(value, '\$.state') in ('delivered',
    'rejected')")" 29
denied=$(sqlite3 :memory: "select json_extract(value, '\$.id') from json_each(cast(readfile('out') as text),
    '\$.data.requests') where json_extract(value, '\$.state') = 'rejected'")
ok "requests list --state rejected: the denied one" exits 0 requests list --state rejected
ok "in a line with its CA and its name" says out "$denied" adcs 'CN=Gustavo Ibekwe'
ok "requests show: why it was denied" exits 0 requests show "$denied"
ok "in the CA's number" says out 'rejected' '0x80094012'
ok "a state that does not exist: usage, with the list" exits 2 requests list --state nonsense
ok "lists them" says err retrying pending
ok "a request that does not exist: not found" exits 13 requests show 00000000-0000-4000-8000-000000000000
ok "orphans list: none" exits 0 orphans list --json
ok "and says so" is "$(get out '$.data.orphans')" '[]'

# ---- a second service on the same store --------------------------------------------------------------------
"$B/certferry" run --config "$conf" 2>said/second
ok "a second service on the same store: exit 75" is $? 75
ok "and names the one that has it" says said/second "process $agent_pid"
ok "the first goes on" exits 0 status

# ---- retry and cancel --------------------------------------------------------------------------------------
fault ca.submit pending '"polls":-1,"count":-1,"match":"waits"'
ask waits-long adcs ContosoUser
long=$id
ok "the CA has not decided: pending" until_true 20 is_state "$long" pending
in_sight() { # between two questions to the CA
    cf requests list --json
    is "$(count out '$.data.requests' "json_extract(value, '\$.step') = 'collect'
        and json_extract(value, '\$.waitsFor') = 'ca' and json_extract(value, '\$.next') is not null")" 1
}
ok "I5: it has a step, somebody it waits for, and a time" until_true 10 in_sight
ok "requests retry: asks now" exits 0 requests retry "$long"
until_true 10 is_state "$long" pending
cf requests show "$long"
ok "and the history has it" says out 'retried by an administrator'
ask waits-short est ContosoUser
short=$id
ctl approve waits-long >ctl.out
cf requests retry "$long"
ok "approved: delivered" until_true 20 is_delivered "$long"
ok "a fault of one CA does not hold the other's requests" until_true 20 is_delivered "$short"
ask waits-cancelled adcs ContosoUser
cancelled=$id
until_true 20 is_state "$cancelled" pending
ok "requests cancel" exits 0 requests cancel "$cancelled"
has_ended() { [[ $(state_of "$1") =~ ^(cancelled|rejected)$ ]]; }
until_true 20 has_ended "$cancelled"
cf requests show "$cancelled"
ok "ends it, and says who did" says out 'cancelled by an administrator'
ok "cancel again: conflict" exits 14 requests cancel "$cancelled"
ok "retry after the end: conflict" exits 14 requests retry "$cancelled"
cf orphans list --json
ok "what the CA may yet issue for it is an orphan" is "$(count out '$.data.orphans' \
    "json_extract(value, '\$.request') = '$cancelled' and not json_extract(value, '\$.certain')")" 1
cp out orphans-running
ctl clear-faults >ctl.out

# ---- the end of a service ----------------------------------------------------------------------------------
fault ca.submit delay '"ms":400,"count":-1'
fault est.enroll delay '"ms":400,"count":-1'
ask_many drained 20 adcs ContosoUser
ask_many drained-est 20 est ContosoUser
at_work() { [ "$(ledger csr-received)" -ge 56 ]; } # the CA has half of them, and answers slowly
until_true 20 at_work
kill -TERM "$agent_pid"
agent_ended
ok "SIGTERM while requests are under way: exit 0" is "$rc" 0
ok "within 5 seconds ($took_ms ms)" test "$took_ms" -lt 5000
ok "the log has its last words" says "$log" ServiceStopping ServiceStopped
ctl clear-faults >ctl.out

# ---- the same questions to the store -----------------------------------------------------------------------
ok "status without a service: exit 7" exits 7 status
ok "and says what the store holds" says out 'no service is running'
ok "status --json without a service: exit 7" exits 7 status --json
ok "with the word for it" is "$(get out '$.data.health')" stopped
ok "and the counts all the same" test "$(get out '$.data.requests.delivered')" -ge 30
ok "requests list --all reads the store" exits 0 requests list --all --json
ok "and finds them" test "$(count out '$.data.requests' "json_extract(value, '\$.state') = 'delivered'")" -ge 30
ok "requests show reads the store" exits 0 requests show "$long"
ok "requests retry of an ended one: conflict here, too" exits 14 requests retry "$long"
ok "orphans list reads the store" exits 0 orphans list --json
ok "and finds the same" is "$(get out '$.data.orphans[0].request')" "$(get orphans-running '$.data.orphans[0].request')"
ok "I8: the key of the cancelled one is gone" is "$(sqlite3 "$dir/state/certferry.db" "select count(*) from blob
    where slot % 16 in (1, 2) and slot / 16 = (select row from request where id = '$cancelled')")" 0

# ---- nothing was lost; now with a token instead of a certificate -------------------------------------------
drop_in token <<CONF
cloud {
  client_certificate = ""
  client_key = ""
  token_file = "$dir/bearer-token.txt"
}
CONF
agent_start
until_true 60 summary open 0
ok "after the restart all 40 are delivered, by token" summary delivered 70 open 0 lost 0
ok "none was issued twice" summary duplicates 0

# ---- one request's story -----------------------------------------------------------------------------------
cf requests show "$long"
ok "requests show tells the story of one request" says out submit pending collect report delivered 'CA reference' \
    'CN=waits-long' Serial
grep -h "$long" said/log-* >story
ok "and so does the log" says story PkcsDownloadedRequest PkcsPendingAtCa PkcsIssuedSuccess PkcsUploadSuccess \
    PkcsRequestSuccess
ok "every line of the log is a JSON object with event and number" is "$(cat said/log-* |
    grep -cv '^{"time":"[^"]*","level":"[a-z]*","event":"[A-Za-z]*","id":[0-9]*')" 0

ok "SIGTERM when idle: exit 0" agent_stop
ok "at once ($took_ms ms)" test "$took_ms" -lt 2000
ctl stop >ctl.out
wait "$sandbox_pid"
ok "the sandbox stops cleanly" is $? 0
unset "alive[$sandbox_pid]"
cf orphans list --json
"$B/certferry-sandbox" check "$dir" --orphans out >check.out
ok "the ledger keeps every promise" is "$?" 0

# ---- secrets -----------------------------------------------------------------------------------------------
{
    cut -d: -f2- "$dir/ca-password.txt"
    cat "$dir/bearer-token.txt"
    grep -hv -e ----- "$dir/connector.key" | head -n 1
    base64 -w0 "$dir/state/master.key"
    echo
    od -An -v -tx1 "$dir/state/master.key" | tr -d ' \n'
    echo
} | grep -v '^$' >secrets
ok "(there are five secrets to look for)" is "$(wc -l <secrets)" 5
ok "no password, token or key in any log or answer" nowhere -i -f secrets said
ok "nor the words PRIVATE KEY" nowhere 'PRIVATE KEY' said
finish
