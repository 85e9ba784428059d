#!/bin/bash
# SCEP under kill -9, as crashloop.sh does it for PKCS: at every crash point first, then N times at random.
#
#   B=build/crash test/crash/scep_crashloop.sh N [SEED]        N=250: some 3 minutes; N=10: for CI
#
# B is a build with crash points.  Phase 1 ends the agent at each point that a SCEP request passes, on its 1st to 3rd
# pass (below N=100 on the 1st only), and lets another finish.  Phase 2 kills it after 0-500 ms, again and again, while
# devices enrol, send the same again, poll, renew and steal challenges, and the CA and Intune fail now and then.
# Then the sandbox's ledger, the agent's store and orphans, and what the devices were told are held against the
# promises (scep_books.sql).  Exit 1 if one is broken.  SEED repeats the choices, not the timing.
here=$(dirname "$(realpath "$0")")
B=${B:-$here/../../build/crash}
# shellcheck source=test/live/intune.bash
. "$here/../live/intune.bash"
# shellcheck source=test/crash/scep_devices.bash disable=SC2034
. "$here/scep_devices.bash"
need_programs plugins/intune.so plugins/otp.so
# shellcheck disable=SC2031
kills_wanted=${1:-250} seed=${2:-$RANDOM}
[[ $kills_wanted =~ ^[0-9]+$ && $seed =~ ^[0-9]+$ ]] || bail "usage: scep_crashloop.sh N [SEED]"
exec 3>&2 2>"$work/stderr" # the shell says "Killed" whenever it sees that; the rest is shown at the end
trap 'rm -rf running; grep -avE " (Killed|Alarm clock) +(env|\") " "$work/stderr" >&3; exec 2>&3; cleanup' EXIT
RANDOM=$seed
points=(2 4 5 6 7 8 9 17 18 19 20 21)
passes=3 devices_most=10
[ "$kills_wanted" -ge 100 ] || passes=1
log=$work/said/log kills=0 crashes=0 violations=0 number=0 began=$(now_ms)
echo "SCEP crash loop: ${#points[@]} points x $passes, then $kills_wanted kills; seed $seed"

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
gone() {
    ! kill -0 "$agent_pid" 2>/dev/null
}
is_up() {
    ! is "$(health)" 000
}
hurry() { # are all devices content?  What waits for its time after a fault need not sit it out
    none_running && return
    cf requests list --json
    sqlite3 :memory: "select json_extract(value, '\$.id')
        from json_each(cast(readfile('out') as text), '\$.data.requests')
        where json_extract(value, '\$.state') in ('retrying', 'held', 'pending')" |
        while read -r id; do cf requests retry "$id"; done
    return 1
}
finish_all() { # PATIENCE_S WHAT: an agent that is left alone makes every device content
    spawn
    until_true 10 is_up >still-running || violation "$2: an agent does not start: $(tail -n 1 "$log")"
    until_true 8 none_running >still-running || until_true "$1" hurry >still-running ||
        violation "$2: $(devices_running) devices still ask after $1 s: $(tail -n 1 "$log")"
    kill -TERM "$agent_pid"
    reap
    [ "$rc" -eq 0 ] || violation "$2: the agent that was left alone ended with $rc: $(tail -n 1 "$log")"
    devices_reap
}

# ---- faults ------------------------------------------------------------------------------------------------
slow_peers() { # [MS]: so that what a crash point says is under way really is
    ctl clear-faults >load.out
    ctl faults '[{"where":"ca.submit","what":"delay","ms":30,"count":-1},
        {"where":"est.enroll","what":"delay","ms":30,"count":-1},
        {"where":"est.cacerts","what":"delay","ms":'"${1:-100}"',"count":-1},
        {"where":"intune.validate","what":"delay","ms":30,"count":-1},
        {"where":"intune.success","what":"delay","ms":30,"count":-1}]' >load.out || bail "no faults"
}
troubles=('ca.submit garbage' 'ca.fetch garbage' 'est.enroll garbage' 'est.cacerts garbage' 'intune.success garbage'
    'ca.submit drop-after' 'ca.submit drop-before' 'ca.submit http-500' 'ca.submit html'
    'ca.submit lost-answer-twice' 'ca.fetch truncate' 'ca.fetch http-503' 'est.enroll drop-after'
    'est.enroll http-429' 'est.cacerts drop-before' 'intune.token drop-before' 'intune.token http-503'
    'intune.discovery http-503' 'intune.validate http-503' 'intune.validate http-500' 'intune.validate drop-before'
    'intune.validate drop-after' 'intune.validate token-expired' 'intune.validate moved' 'intune.success http-503'
    'intune.success http-500' 'intune.success http-429' 'intune.success drop-before' 'intune.success drop-after'
    'intune.success lost-answer-twice' 'intune.success html' 'intune.success token-expired' 'intune.success moved')
trouble() {
    local more=''
    read -r where what <<<"${troubles[RANDOM % ${#troubles[@]}]}"
    [[ $where != intune.* || $what != http-[45][02][39] ]] || more=',"retryAfter":1'
    fault "$where" "$what" "\"count\":1$more"
}

intune_open cloud
drop_in renewals <"$dir/scep-renewals.conf"
sed -i "s,path = \"otp\",path = \"$B/plugins/otp.so\"," "$dir/conf.d/renewals.conf"
endpoint est intune 'general_template = "ContosoUser"' 'wait = 1'
# The RA's file has the issuer: devices can enrol before the service has asked the CA who that is, and pass CP09.
cat "$dir/scep-sign.pem" "$dir/issuing-ca.pem" >"$dir/est-sign.pem"
sed -i "s/ca = \"adcs\"/ca = \"est\"/; s,ra_certificate = .*,ra_certificate = \"$dir/est-sign.pem\"," \
    "$dir/conf.d/scep-est.conf"
drop_in crash <<CONF
ca "adcs" {
  max_duplicates = 1000
}
ca "est" {
  max_duplicates = 1000
}
scep "devices" {
  wait = 1
}
scep "renewals" {
  wait = 1
}
CONF
# shellcheck disable=SC2034
url_adcs=$(url) url_est=$(url est) url_renew=$(cat "$dir/scep-renew-url")
slow_peers

# ---- phase 1: at every point, on every pass ----------------------------------------------------------------
for point in "${points[@]}"; do
    name=$(printf CP%02d "$point")
    for ((pass = 1; pass <= passes; pass++)); do
        [ "$point" -ne 9 ] || slow_peers 3000 # later, nobody has to ask
        for ((n = 1; n <= pass; n++)); do # enough of each for a third pass anywhere
            device_start again "$name-$pass-a$n" adcs
            device_start again "$name-$pass-e$n" est
        done
        spawn CERTFERRY_CRASH_AT="$name:$pass"
        if until_true 15 gone; then
            reap
            crashes=$((crashes + 1))
            [[ $rc == 137 || $rc == 142 ]] || violation "$name:$pass ended with $rc: $(tail -n 1 "$log")"
        else
            violation "$name:$pass was not reached"
            killed
        fi
        [ "$point" -ne 9 ] || slow_peers
        finish_all 60 "$name:$pass"
    done
done
echo "phase 1: $crashes crashes at ${#points[@]} points, $(elapsed_s) s"

# ---- phase 2: at random ------------------------------------------------------------------------------------
kinds=(plain again again eager waits waits thieves renews renews)
from_s=$(elapsed_s)
while [ "$kills" -lt "$kills_wanted" ]; do
    spawn
    for ((n = RANDOM % 3; n > 0 && $(devices_running) < devices_most; n--)); do
        number=$((number + 1)) ca=adcs
        [ $((RANDOM % 3)) -ne 0 ] || ca=est
        device_start "${kinds[RANDOM % ${#kinds[@]}]}" "kill-$number" $ca
    done
    [ $((RANDOM % 3)) -ne 0 ] || trouble
    sleep "0.$(printf %03d $((RANDOM % 500)))"
    killed
    kills=$((kills + 1))
    devices_reap
    [ $((kills % 100)) -ne 0 ] || echo "  $kills kills, $(elapsed_s) s"
done
echo "phase 2: $kills kills, $(($(elapsed_s) - from_s)) s, $(devices_running) devices still ask"
ctl clear-faults >load.out
finish_all 150 "long after the last kill"
rm -rf running

# ---- what the books say ------------------------------------------------------------------------------------
store() { # SQL
    sqlite3 -cmd '.timeout 5000' "$dir/state/certferry.db" "$1"
}
cf orphans list --json
cp out orphans.json
cf requests list --all --json
cp out requests.json
sandbox_stop || violation "the sandbox ended badly: $(tail -n 1 sandbox.err)"
cp "$dir/ledger.jsonl" ledger.jsonl
store 'select request_id from challenge' >spent
store "select distinct id from history join request on row = request where event = 'retried by an administrator'" >retried
for f in devices/*.csr; do
    printf '%s\t%s\n' "$(basename "$f" .csr)" "$(sha256sum "$f" | cut -d' ' -f1)"
done >csrs
sqlite3 :memory: <"$here/scep_books.sql" 2>books.err || violation "the books cannot be read: $(head -n 1 books.err)"
[ -s numbers ] || violation "the books say nothing"
while read -r line; do violation "$line"; done <broken

store_says() { # PROMISE SQL: every row of the answer breaks it
    local rows
    rows=$(store "$2") || violation "the store cannot be read"
    [ -z "$rows" ] || violation "$1: $(wc -l <<<"$rows") rows, as $(head -n 3 <<<"$rows" | paste -sd ';')"
}
store_says "what a request needed outlived it" "select id, slot % 16 from blob join request on row = slot / 16 where not open
    and slot % 16 in (0, 3, 4, 5, 6)"
store_says "an ended request went on" "select h2.request, h1.event, h2.event from history h1 join history h2
    on h2.request = h1.request and h2.n > h1.n where h1.event in ('delivered', 'rejected', 'cancelled')"
[ ! -s "$dir/state/certferry.db-wal" ] || violation "the write-ahead log has not been emptied"
[ "$(store 'pragma integrity_check')" = ok ] || violation "the store is damaged"
no_secrets said devices/*.out || violation "a secret is in a log or an answer"
mkdir live # what the store knows, without what the library leaves in the slack of pages that it has rebuilt
store "vacuum into 'live/certferry.db'"
no_secrets live || violation "a challenge, key or password is in the store"
slack=$(grep -aoF -f secrets "$dir/state/certferry.db" | wc -l)

if [ "$violations" -gt 0 ]; then # what is known of the first few
    grep -oE '(CP[0-9]+|kill)-[0-9a-z-]+' broken | sort -u | head -n 3 | while read -r tag; do
        echo "--- $tag"
        grep -h "^$tag" asked | tail -n 20
        grep -h "\"${tag%[abr]}\"\|t-$tag\|CN=${tag%[abr]}[ ,]" ledger.jsonl "$log" | tail -n 40
    done
fi
echo "$crashes crashes at points, $kills random kills, $(elapsed_s) s, seed $seed"
cat numbers
[ "$slack" -eq 0 ] || echo "$slack times a challenge in the slack of the store's pages, after its request"
echo "$violations violations"
[ "$violations" -eq 0 ]
