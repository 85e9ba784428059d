#!/bin/bash
# A reload takes a configuration over whole or not at all, while devices knock and requests are under way: nobody is
# turned away, nothing is lost.  Prints TAP.
#
#   B=build/asan test/live/service_reload.sh
# shellcheck source=test/live/scep.bash
. "$(dirname "$(realpath "$0")")/scep.bash"
need_programs scep-device

last() { # MEMBER of config.last_reload
    cf status --json
    get out "\$.data.config.last_reload.$1"
}
reloads() { # exit code and what is printed
    cf service reload
    cat out err >all
    [ $rc -eq 0 ] || { echo "exit $rc:"; cat all; return 1; }
}
refuses() { # TEXT...: and everything stays as it was
    cf service reload
    cat out err >all
    is $rc 6 && says all "$@" && says all "the configuration before it is still in use" && is "$(last ok)" 0 \
        && is "$(port_now)" "$port" && health_is "http://127.0.0.1:$port/est/mscep.dll?operation=GetCACaps" 200
}
port_now() {
    cf status --json
    get out '$.data.listeners[0].port'
}
interval() { # what the running service has: poll_interval shows in no answer, so look at the other endpoint
    http_code "http://127.0.0.1:$port/$1/mscep.dll?operation=GetCACaps"
}

sandbox_start cloud
scep_open
scep_section est est 'challenge = "none"' 'failures_per_minute = 100000'
drop_in plain-more <<CONF
listen "plain" { connections_per_address = 1000 connections_max = 1000 }
CONF
agent_start
port=$(port_of plain)
first_pid=$agent_pid
ok "no reload yet: status says so" is "$(last number)" ''

# ---- nothing but files has changed -------------------------------------------------------------------------
ok "nothing changed: exit 0" reloads
ok "says so" says all "nothing has changed"
ok "status has it: number 1, ok" is "$(last number) $(last ok)" "1 1"
ok "the process has not begun anew" is "$(grep -c ServiceStarted "$log")" 1

# ---- a new endpoint ----------------------------------------------------------------------------------------
ok "an endpoint that is not there yet: 404" is "$(interval second)" 404
scep_section second est 'challenge = "none"'
ok "it is configured; reload: exit 0" reloads
ok "the new one answers" is "$(interval second)" 200
ok "and the old one" is "$(interval est)" 200
ok "same process, same port" is "$(cf status --json; get out '$.data.pid') $(port_now)" "$first_pid $port"
ok "status: number 2, ok" is "$(last number) $(last ok)" "2 1"
ok "SIGHUP does the same" kill -HUP "$agent_pid"
counted() { is "$(last number)" 3; }
ok "and is counted" until_true 20 counted

# ---- what is wrong changes nothing -------------------------------------------------------------------------
echo 'log { levell = "debug" }' | drop_in zz
ok "a word that does not exist: refused" refuses "zz.conf:1" "log.levell" "did you mean level?"
ok "the log says it" says "$log" ConfigurationRefused "the configuration in use stays"
ok "status answers though the files do not load" exits 0 status
ok "and says that the files are not what is in use" says out "refused at" "log.levell"
printf 'listen "more" {\n  address = "127.0.0.1:0"\n  certificate = "%s/nothing.pem"\n  key = "%s/nothing.key"\n}\n' \
    "$work" "$work" | drop_in zz
ok "a certificate that is not there: refused" refuses "listen more" "nothing.pem"
python3 -c 'import socket, time
s = socket.socket(); s.bind(("127.0.0.1", 0)); s.listen(); print(s.getsockname()[1], flush=True); time.sleep(600)' >taken &
taker=$!
alive[$taker]=taker
until_true 10 test -s taken || bail "no port is taken"
printf 'listen "more" {\n  address = "127.0.0.1:%s"\n}\n' "$(cat taken)" | drop_in zz
ok "an address that another program has: refused" refuses "listen more" "in use"
kill "$taker"
wait "$taker" 2>/dev/null
unset "alive[$taker]"
printf 'store { dir = "%s/elsewhere" }\n' "$work" | drop_in zz
kill -HUP "$agent_pid" # the command would look in the new folder
ok "another store: refused" until_true 20 grep -q 'ConfigurationRefused.*store.dir was' "$log"
ok "because it needs a restart" says "$log" "restart the service for that"
rm "$dir/conf.d/zz.conf"
ok "taken away: reload: exit 0" reloads

# ---- a credential behind an unchanged configuration --------------------------------------------------------
starts_before=$(grep -c ServiceStarted "$log")
trust=$(sed -n 's/.*trust *= *"\([^"]*\)".*/\1/p' "$conf" | head -n 1)
case $trust in /*) ;; *) trust=$dir/$trust ;; esac
cp "$trust" trust.copy && cp trust.copy "$trust"
ok "a file that is read at the start only is written again: reload: exit 0" reloads
ok "then the program begins anew" is "$(grep -c ServiceStarted "$log")" $((starts_before + 1))

# ---- under load --------------------------------------------------------------------------------------------
python3 "$root/test/live/knock.py" "$port" '/est/mscep.dll?operation=GetCACaps' 120 >knocked &
knocker=$!
alive[$knocker]=knocker
ask_many load 40 adcs ContosoUser
devices=()
for n in 1 2 3 4 5 6; do
    openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out "load-$n.private" 2>openssl.err
    (
        trap - EXIT
        for _ in $(seq 40); do
            "$B/scep-device" enrol --url "http://127.0.0.1:$port/est/mscep.dll" --temper strongswan --use-key \
                "load-$n.private" --cn "device-$n" --out "device-$n.pem" --poll 20 >"device-$n.out" 2>&1 && exit 0
            sleep 0.3
        done
        exit 1
    ) &
    devices+=($!)
    alive[$!]=device
done
bad=0
for n in 1 2 3 4; do
    printf 'cloud { poll_interval = %s }\n' $((20 + n)) | drop_in zz
    reloads || bad=$((bad + 1))
done
ok "four reloads under load: each is taken over" is $bad 0
failed=0
for p in "${devices[@]}"; do
    wait "$p" || failed=$((failed + 1))
    unset "alive[$p]"
done
ok "six devices enrolled meanwhile: each has its certificate" is $failed 0
delivered() { ctl summary >summary.out && is "$(get summary.out '$.delivered')" 40; }
ok "40 requests of the cloud: all delivered" until_true 90 delivered
ok "one certificate each" is "$(get summary.out '$.duplicates') $(get summary.out '$.lost')" "0 0"
touch enough
wait "$knocker"
unset "alive[$knocker]"
echo "# $(cat knocked)"
ok "nobody was refused, cut off or answered wrong" says knocked "refused=0 cut=0 wrong=0"
ok "still the same process" is "$(cf status --json; get out '$.data.pid')" "$first_pid"

# ---- the end under load ------------------------------------------------------------------------------------
ask_many last 40 adcs ContosoUser
some() { ctl summary >summary.out && [ "$(get summary.out '$.delivered')" -gt 42 ]; }
until_true 60 some
ok "service stop in the middle of 40 requests: exit 0" exits 0 service stop
agent_ended
ok "the service ended well" is $rc 0
ok "service reload: none runs, exit 7" exits 7 service reload
ok "says what to do" says all "certferry service start"
agent_start
delivered() { ctl summary >summary.out && is "$(get summary.out '$.delivered')" 80; }
ok "started again: all 80 delivered" until_true 90 delivered
ok "one certificate each, none lost" is "$(get summary.out '$.duplicates') $(get summary.out '$.lost')" "0 0"
ok "SIGTERM: exit 0" agent_stop
finish
