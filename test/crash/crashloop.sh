#!/bin/bash
# The promises I1-I8 (agent/DESIGN.md) under kill -9: at every crash point first, then N times at random.
#
#   B=build/crash test/crash/crashloop.sh N [SEED]        N=1000: some 7 minutes; N=40: for CI
#
# B is a build with crash points.  Phase 1 ends the agent at each CP01-CP16 on its 1st to 3rd pass (below N=100 on
# the 1st only) and lets another finish.  Phase 2 keeps an agent under load and kills it after 0-200 ms, again and
# again, while peers fail now and then.  Phase 3 kills it up to 3 s after a reload was asked for (of a configuration that
# does not load now and then), 30 times, with N below 100 N / 4 times.  Then the ledger of the sandbox, the agent's store and its list of orphans
# are held against the promises.  Exit 1 if one is broken.  SEED repeats the choices, not the timing.
B=${B:-$(dirname "$(realpath "$0")")/../../build/crash}
# shellcheck source=test/live/live.bash
. "$(dirname "$(realpath "$0")")/../live/live.bash"
kills_wanted=${1:-1000} seed=${2:-$RANDOM}
[[ $kills_wanted =~ ^[0-9]+$ && $seed =~ ^[0-9]+$ ]] || bail "usage: crashloop.sh N [SEED]"
exec 3>&2 2>"$work/stderr" # the shell says "Killed" whenever it sees that; the rest is shown at the end
trap 'grep -avE " (Killed|Alarm clock) +env " "$work/stderr" >&3; exec 2>&3; cleanup' EXIT
RANDOM=$seed
passes=3
[ "$kills_wanted" -ge 100 ] || passes=1
reloads_wanted=30
[ "$kills_wanted" -ge 100 ] || reloads_wanted=${RELOADS:-$((kills_wanted / 4))}
log=$work/said/log kills=0 crashes=0 violations=0 began=$(now_ms)
echo "crash loop: 16 points x $passes, then $kills_wanted kills; seed $seed"

violation() {
    violations=$((violations + 1))
    echo "VIOLATION $*"
}
elapsed_s() {
    echo $((($(now_ms) - began) / 1000))
}

# ---- the agent, without waiting for it ---------------------------------------------------------------------
spawn() { # VARIABLE=VALUE...
    env "$@" "$B/certferry" run --config "$conf" 2>>"$log" &
    agent_pid=$!
    alive[$agent_pid]=agent
}
reap() { # $rc
    wait "$agent_pid" 2>/dev/null
    rc=$?
    unset "alive[$agent_pid]"
}
killed() { # SIGKILL, as a power cut; an agent that had ended before has a story to tell
    kill -KILL "$agent_pid" 2>/dev/null
    reap
    [ "$rc" -eq 137 ] || violation "the agent ended by itself with $rc: $(tail -n 1 "$log")"
}
open_requests() {
    ctl summary >summary.out && get summary.out '$.open'
}
none_open() {
    is "$(open_requests)" 0
}

# ---- requests and faults -----------------------------------------------------------------------------------
load() { # PREFIX KIND...: a request of each kind; `wait` is one that a manager has to approve first
    local prefix=$1 n=0 kind
    shift
    for kind; do
        n=$((n + 1))
        case $kind in
        est) requests_json est ContosoUser ecP256 "$prefix-$n" ;;
        adcs) requests_json adcs ContosoUser ecP256 "$prefix-$n" ;;
        rsa) requests_json adcs ContosoUser rsa2048 "$prefix-$n" ;;
        wait) requests_json adcs ManualUser ecP256 "$prefix-$n" ;;
        esac
    done | tr -d '\n' | sed 's/\]\[/,/g' >load.json
    ctl requests load.json >load.out || bail "the sandbox refuses requests: $(cat load.out)"
}
kinds=(est est est est est adcs adcs adcs adcs rsa wait)
any_load() { # PREFIX COUNT
    local n list=()
    for ((n = 0; n < $2; n++)); do list+=("${kinds[RANDOM % ${#kinds[@]}]}"); done
    load "$1" "${list[@]}"
}
slow_peers() { # so that what a crash point says is under way really is
    ctl faults '[{"where":"ca.submit","what":"delay","ms":30,"count":-1},
        {"where":"est.enroll","what":"delay","ms":30,"count":-1},
        {"where":"est.cacerts","what":"delay","ms":90,"count":-1},
        {"where":"cloud.upload","what":"delay","ms":30,"count":-1}]' >load.out || bail "no faults"
}
# An answer that cannot be read is an answer that did not come.
troubles=('ca.submit garbage' 'ca.fetch garbage' 'est.cacerts garbage' 'cloud.upload garbage' 'cloud.upload bad-json'
    'cloud.extend bad-json' 'cloud.upload stale-lease'
    'ca.submit drop-after' 'ca.submit drop-before' 'ca.submit http-500' 'ca.submit html'
    'ca.submit lost-answer-twice' 'ca.fetch truncate' 'ca.fetch http-503' 'est.enroll drop-after'
    'est.enroll garbage' 'est.enroll http-429' 'est.cacerts drop-before' 'cloud.upload drop-after'
    'cloud.upload drop-before' 'cloud.upload http-503'
    'cloud.upload lost-answer-twice' 'cloud.download drop-after' 'cloud.download bad-json' 'cloud.download http-500')
trouble() {
    read -r where what <<<"${troubles[RANDOM % ${#troubles[@]}]}"
    fault "$where" "$what" '"count":1'
}

sandbox_start cloud --manual-polls 1
drop_in crash <<CONF
cloud {
  poll_interval = 1
  wait = 1
}
ca "adcs" {
  max_duplicates = 1000
}
ca "est" {
  max_duplicates = 1000
}
store {
  grace = 30
}
CONF
slow_peers

# ---- phase 1: at every point, on every pass ----------------------------------------------------------------
gone() {
    ! kill -0 "$agent_pid" 2>/dev/null
}
settled() { # everything has ended; what was lent to an agent that died before it was stored is lent again
    none_open && return
    cf requests list --json
    [ "$rc" -ne 0 ] || [ "$(get out '$.data.requests')" != '[]' ] || ctl expire-leases >load.out
    return 1
}
finish_all() { # PATIENCE_S WHAT: an agent that is left alone ends every request
    spawn
    until_true "$1" settled >still-open || violation "$2: $(open_requests) requests are still open after $1 s"
    kill -TERM "$agent_pid"
    reap
    [ "$rc" -eq 0 ] || violation "$2: the agent that was left alone ended with $rc: $(tail -n 1 "$log")"
}
for ((point = 1; point <= 16; point++)); do
    name=$(printf CP%02d "$point")
    for ((pass = 1; pass <= passes; pass++)); do
        spawn CERTFERRY_CRASH_AT="$name:$pass"
        load "$name-$pass-a" est est est adcs wait wait # enough of each for a third pass anywhere
        load "$name-$pass-b" wait est
        load "$name-$pass-c" rsa est
        if until_true 10 gone; then
            reap
            crashes=$((crashes + 1))
            [[ $rc == 137 || $rc == 142 ]] || violation "$name:$pass ended with $rc: $(tail -n 1 "$log")"
        else
            violation "$name:$pass was not reached"
            killed
        fi
        finish_all 40 "$name:$pass"
    done
done
echo "phase 1: $crashes crashes at 16 points, $(elapsed_s) s"

# ---- phase 2: at random ------------------------------------------------------------------------------------
feed() { # in the background: requests trickle in, and now and then a peer has trouble
    local n=0
    RANDOM=$((seed + 1))
    mkdir -p feeder && cd feeder || exit 1
    while [ ! -e "$work/enough" ]; do
        sleep "0.$((100 + RANDOM % 300))"
        n=$((n + 1))
        any_load "kill-$n" $((1 + RANDOM % 3))
        [ $((RANDOM % 6)) -ne 0 ] || trouble
        [ $((RANDOM % 30)) -ne 0 ] || ctl expire-leases >load.out
    done
}
nothing_hidden() { # I5, as the store of an agent that is not running has it
    local hidden
    cf requests list --json
    [ "$rc" -eq 0 ] || violation "I5: the store does not list its requests: exit $rc, $(cat err)"
    hidden=$(sqlite3 :memory: "select value from json_each(cast(readfile('out') as text), '\$.data.requests')
        where json_extract(value, '\$.step') is null or json_extract(value, '\$.next') is null
        or json_extract(value, '\$.waitsFor') in ('', 'nobody')
        or json_extract(value, '\$.state') not in ('ready', 'retrying', 'pending', 'held')
        or (json_extract(value, '\$.state') in ('retrying', 'held') and json_extract(value, '\$.reason') is null)
        or julianday(json_extract(value, '\$.next')) > julianday('now', case json_extract(value, '\$.state')
            when 'pending' then '6.5 hours' else '45 minutes' end)")
    [ -z "$hidden" ] ||
        violation "I5: no state, reason, owner or time, or one that is far away: $(head -n 1 <<<"$hidden")"
}
from_s=$(elapsed_s)
feed >feeder.out 2>&1 &
feeder=$!
alive[$feeder]=feeder
while [ "$kills" -lt "$kills_wanted" ]; do
    spawn
    sleep "0.$(printf %03d $((RANDOM % 200)))"
    killed
    kills=$((kills + 1))
    [ $((kills % 10)) -ne 0 ] || nothing_hidden
    [ $((kills % 250)) -ne 0 ] || echo "  $kills kills, $(elapsed_s) s"
    kill -0 "$feeder" 2>/dev/null || { violation "the feeder has died: $(tail -n 3 feeder.out)"; break; }
done
echo "phase 2: $kills kills, $(($(elapsed_s) - from_s)) s, $(open_requests) requests open"

# ---- phase 3: while a reload is under way ------------------------------------------------------------------
starts_said() {
    grep -c '"event":"ServiceStarted"' "$log"
}
started_since() { # COUNT
    [ "$(starts_said)" -gt "$1" ]
}
changed() { # another configuration than before; one in five does not load
    if [ $((RANDOM % 5)) -eq 0 ]; then
        echo 'log { levell = "debug" }' | drop_in zz
    else
        printf 'cloud {\n  poll_interval = %s\n}\n' $((1 + reloads % 7)) | drop_in zz
    fi
}
from_s=$(elapsed_s) reloads=0 taken=0
while [ "$reloads" -lt "$reloads_wanted" ]; do
    said=$(starts_said)
    spawn
    until_true 20 started_since "$said" || violation "after a reload that was killed it does not start: $(tail -n 1 "$log")"
    said=$(starts_said)
    changed
    kill -HUP "$agent_pid"
    sleep "$((RANDOM % 3)).$(printf %03d $((RANDOM % 1000)))"
    killed
    rm -f "$dir/conf.d/zz.conf"
    reloads=$((reloads + 1))
    [ "$(starts_said)" -eq "$said" ] || taken=$((taken + 1))
    [ $((reloads % 10)) -ne 0 ] || nothing_hidden
done
kills=$((kills + reloads))
touch enough
wait "$feeder"
unset "alive[$feeder]"
echo "phase 3: $reloads kills after a reload was asked for, $taken of them after it, $(($(elapsed_s) - from_s)) s"

# ---- the end: faults are over; I5 of what waits; then all of it is finished --------------------------------
ctl clear-faults >load.out
nothing_hidden
hurry() { # back-off from the time of the faults need not be sat out
    settled && return
    cf requests list --json
    sqlite3 :memory: "select json_extract(value, '\$.id')
        from json_each(cast(readfile('out') as text), '\$.data.requests')
        where json_extract(value, '\$.state') in ('retrying', 'held')" |
        while read -r id; do cf requests retry "$id"; done
    return 1
}
spawn
until_true 20 settled >still-open || until_true 120 hurry >still-open ||
    violation "$(open_requests) requests are still open long after the last kill: $(tail -n 1 "$log")"
kill -TERM "$agent_pid"
reap
[ "$rc" -eq 0 ] || violation "the last agent ended with $rc: $(tail -n 1 "$log")"

# ---- what the three books say ------------------------------------------------------------------------------
ctl summary >summary.out
cf orphans list --json
cp out orphans.json
sqlite3 :memory: "select json_extract(value, '\$.serialNumber') || ' ' || json_extract(value, '\$.publicKeySha256')
    from json_each(cast(readfile('orphans.json') as text), '\$.data.orphans') where json_extract(value, '\$.certain')
    union select json_extract(value, '\$.publicKeySha256')
    from json_each(cast(readfile('orphans.json') as text), '\$.data.orphans')" >orphans.words
sandbox_stop || violation "the sandbox ended badly: $(tail -n 1 sandbox.err)"
"$B/certferry-sandbox" check "$dir" --orphans orphans.words >check.out
while read -r line; do violation "$line"; done < <(grep '^I[1-4] broken' check.out)
[ -s check.out ] || violation "the ledger cannot be read"
# A device without a certificate that exists and is what was asked for: nothing of what happens here excuses that.
[ "$(get summary.out '$.lost')" = 0 ] || violation "$(get summary.out '$.lost') requests were issued for, and ended without"
grep -o '"event":"result".*"succeeded":true.*"accepted":true' "$dir/ledger.jsonl" | grep -o '"serial":"[^"]*"' |
    cut -d'"' -f4 | sort -u >had
listed=$(sqlite3 :memory: "select json_extract(value, '\$.serialNumber')
    from json_each(cast(readfile('orphans.json') as text), '\$.data.orphans')" | sort -u | comm -12 - had)
[ -z "$listed" ] || violation "I2: $(wc -l <<<"$listed") certificates that a device has are on the list of orphans, as ${listed%%$'\n'*}"

store() { # SQL
    sqlite3 -cmd '.timeout 5000' "$dir/state/certferry.db" "$1"
}
store_says() { # PROMISE SQL: every row of the answer breaks it
    local rows
    rows=$(store "$2") || violation "the store cannot be read"
    [ -z "$rows" ] || violation "$1: $(wc -l <<<"$rows") rows, as $(head -n 3 <<<"$rows" | paste -sd ';')"
}
grep -o '"event":"handed-out","requestId":"[^"]*"' "$dir/ledger.jsonl" | cut -d'"' -f8 | sort -u >handed-out
store 'select id from request' | sort -u >known
lost=$(comm -23 handed-out known)
# A request handed out in an answer that never arrived is handed out again; at the end all have been here.
[ -z "$lost" ] ||
    violation "I2: $(wc -l <<<"$lost") requests were handed out and are not in the store, as ${lost%%$'\n'*}"
store_says "I5: open, or ended without a time" "select id, state, step from request where open or ended_at = 0"
store_says "I4: delivered without serial number or digest" "select id from request where state = 'delivered'
    and (serial = '' or digest = '')"
store_says "I2: a delivered certificate is listed as an orphan" "select o.request_id, o.serial from orphan o
    join request r on r.id = o.request_id and r.serial = o.serial where r.state = 'delivered'"
store_says "I7: an ended request went on" "select h2.request, h1.event, h2.event from history h1
    join history h2 on h2.request = h1.request and h2.n > h1.n
    where h1.event in ('delivered', 'rejected', 'superseded', 'cancelled')
    and h2.event <> 'handed out again' and not exists (select 1 from history h3 where h3.request = h1.request
    and h3.event = 'handed out again' and h3.n between h1.n and h2.n)"
store_says "I8: a key outlived its request" "select slot / 16, slot % 16 from blob where slot % 16 in (1, 2)"
[ ! -s "$dir/state/certferry.db-wal" ] || violation "I8: the write-ahead log has not been emptied"
[ "$(store 'pragma integrity_check')" = ok ] || violation "the store is damaged"
! grep -rqF -e 'PRIVATE KEY' -e "$(cut -d: -f2- "$dir/ca-password.txt")" said || violation "a secret is in a log"

if [ "$violations" -gt 0 ]; then # what is known of the first few
    grep -ho '[0-9a-f-]\{36\}' <(echo "$lost"; cat check.out) | sort -u | head -n 3 | while read -r id; do
        echo "--- $id"
        grep -h "$id" "$dir/ledger.jsonl" "$log" | tail -n 40
    done
    tail -n 5 check.out
fi
echo "$crashes crashes at points, $kills random kills, $(elapsed_s) s, seed $seed"
n() { get summary.out "\$.$1"; }
echo "$(n requested) requests: $(n delivered) delivered, $(n denied) denied, $(n failed) failed," \
    "$(n unfit) unfit, $(n expired) expired, $(n open) open, $(n lost) lost"
echo "$(n issued) certificates, $(n duplicates) duplicates, $(n orphans) not delivered;" \
    "$(wc -l <orphans.words) serials and keys listed; $violations violations"
[ "$violations" -eq 0 ]
