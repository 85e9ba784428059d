#!/bin/bash
# Every exit code of the table in certferry(1) is what some command ends with, and nothing else is in the table.  A row a
# code: what has happened, what is asked.  Prints TAP.
#
#   B=build/asan test/live/exit_codes.sh
# shellcheck source=test/live/live.bash
. "$(dirname "$(realpath "$0")")/live.bash"
: >produced
code() { # CODE WHAT COMMAND...: it ends with that; an error is three lines, one of which says what to do
    local want=$1 what=$2
    shift 2
    ok "$want: $what: $*" ended "$want" "$@"
}
ended() { # CODE COMMAND...
    local want=$1
    exits "$@" </dev/null && echo "$want" >>produced && { ! grep -q '^error' err || says err '  fix:  '; }
}
noted() { # CODE WHAT GOT: what ended beside `exits`
    ok "$1: $2" is "$3" "$1" && [ "$3" = "$1" ] && echo "$1" >>produced
}
free_port() {
    python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

sandbox_start codes
# ---- no service, and what needs none ------------------------------------------------------------------------------------
code 0 'success' version
code 2 'usage' status --no-such-option
typed() { # TEXT WORD...: usage, and what was probably meant
    local text=$1
    shift
    exits 2 "$@" && says err "$text" '  fix:  certferry help'
}
ok "2: did you mean: a command" typed 'no such command: statu; did you mean status?' statu
ok "2: did you mean: an option" typed 'no such option: --sinse; did you mean --since?' requests list --sinse 2h
ok "2: nothing like it" typed 'no such option: --qqqqqqq' status --qqqqqqq
ok "2: the verbs there are" typed 'no such verb: lits; there are list, show, retry' requests lits
ok "2: a time that is none" typed '--since: "2y" is not a time, as 90s, 15m, 2h or 7d' requests list --since 2y
ok "2: a value behind =" typed '--state: its value is the next word, without "="' requests list --state=held
ok "(which may be a secret)" nowhere -e =held err
ok "2: no value but the next option" typed '--state takes STATE, and nothing stands behind it' requests list --state
ok "2: one word too many" typed 'requests list takes no argument' requests list held
mkdir early
printf 'store {\n  dir = "%s/early/state"\n}\n' "$work" >early/certferry.conf
whole=$conf conf=$work/early/certferry.conf
code 5 'nobody has signed in' whoami
"$B/certferry" whoami --config "$conf" >both 2>&1
ok "what is said first stands first, also in a file with both outputs" is "$(head -n 1 both)" 'not signed in'
conf=$whole
code 4 'nobody listens there' sign-in --cloud "https://127.0.0.1:$(free_port)/" --yes
code 10 'a certificate that is not trusted' scep info "$base/certsrv/mscep/mscep.dll"
code 13 'no such request' requests show 00000000-0000-4000-8000-000000000000
code 8 'the CA refuses' try pkcs --submit --template DeniedUser
code 11 'the CA has not decided' try pkcs --submit --template ManualUser
code 11 'not ready in time' status --wait ready --timeout 1
code 1 'doctor: a row is FAIL' doctor --only SVC
# From cron, once must not stay for ever where nobody answers, holding the store.
once_ends() { # CODE TEXT WAIT: in time, with that code, and says so
    timeout 60 "$B/certferry" once --wait "$3" --config "$conf" >out 2>said/once
    rc=$?
    is "$rc" "$1" && says said/once "$2" '  fix:  certferry doctor' || { cat said/once; false; }
}
fault cloud.download http-401 '"count":-1'
ok "5: once: the cloud refuses us" once_ends 5 'error[AUTH]' 2
ctl clear-faults >ctl.out
fault cloud.download http-503 '"count":1'
ok "0: once: a cloud that answers at the second try" exits 0 once --wait 60
printf 'cloud { url = "https://127.0.0.1:%s/ccp" }\n' "$(free_port)" | drop_in away
ok "4: once: nobody is there" once_ends 4 'error[NET]' 3
rm "$dir/conf.d/away.conf"
code 2 'a word instead of a time' once --wait ready
printf 'nonsense\n' | drop_in broken
code 6 'the configuration is broken' check
code 1 'doctor finds that it is broken' doctor
"$B/certferry" run --config "$conf" 2>said/refused
noted 78 'run: the configuration is broken' $?
rm "$dir/conf.d/broken.conf"

# ---- a service --------------------------------------------------------------------------------------------------------------
agent_start
fault ca.submit pending '"polls":-1,"count":-1,"match":"waits"'
ask waits-1 adcs ContosoUser
until_true 20 is_state "$id" pending
code 0 'all is well' status
code 2 'a value that is none' requests list --state nonsense
code 14 'it is not held' requests release "$id"
code 0 '(held)' requests hold "$id"
code 3 'it works, and somebody should look' status
"$B/certferry" run --config "$conf" 2>said/second
noted 75 'run: another service has the store' $?
ok "(which names it)" says said/second "$agent_pid"
python3 "$root/test/live/typist.py" 'Go on?' 'n\n' -- "$B/certferry" requests cancel "$id" --config "$conf" >said/declined
noted 130 'an administrator thought better of it' $?
agent_stop
code 7 'no service runs: the store answers' status

# ---- a command of which a check inside failed: assert() ends with this signal ------------------------------------------------------
"$B/certferry" status --wait ready --timeout 60 --config "$conf" >said/bug 2>&1 &
bug=$!
alive[$bug]=status
sleep 1
kill -ABRT $bug
wait $bug
noted 70 'a fault of the program' $?
unset "alive[$bug]"
ok "(three lines of it)" says said/bug 'error[BUG]' 'certferry bugreport'

# ---- not ours to write: root may do everything, so as somebody else ---------------------------------------------------------------------
mkdir -m 755 theirs && cp "$conf" theirs/certferry.conf && chmod 644 theirs/certferry.conf && chmod a+x "$work"
as_another() { # COMMAND...: $rc
    if [ "$(id -u)" -eq 0 ]; then
        setpriv --reuid=65534 --regid=65534 --clear-groups "$@"
    else
        chmod 555 theirs && "$@"
    fi >said/another 2>&1
    rc=$?
}
cp "$B/certferry" theirs/program && chmod 755 theirs/program
as_another theirs/program config set cloud.wait 20 --config "$work/theirs/certferry.conf"
noted 12 'this user may not' "$rc"
chmod 755 theirs

# ---- who forgot sudo: drop-ins and store are the service's, and closed; nothing is wrong with either ---------------------------------------
forgot() { # COMMAND...: said so, and nothing else
    as_another theirs/program "$@" --config "$work/theirs/certferry.conf"
    { is "$rc" 12 && says said/another 'error[PERMISSION] this user may not' 'Permission denied' "sudo certferry $1"; } ||
        { cat said/another; false; }
}
if [ "$(id -u)" -eq 0 ]; then
    chmod a+x "$dir" # the way to the store's folder, not into it
    for asked in status 'requests list' 'secret list' whoami 'service status' 'service reload' 'audit verify'; do
        # shellcheck disable=SC2086
        ok "12: the store is closed to this user: $asked" forgot $asked
    done
    mkdir -m 700 theirs/conf.d
    for asked in check status 'config list' 'proxy show' 'config set cloud.wait 20' 'secret set some'; do
        # shellcheck disable=SC2086
        ok "12: the drop-ins are closed to this user: $asked" forgot $asked
    done
    as_another theirs/program status --json --config "$work/theirs/certferry.conf"
    ok "as JSON" is "$(get said/another '$.error.code') $(get said/another '$.error.exit')" 'ERR_PERMISSION 12'
    as_another theirs/program doctor --config "$work/theirs/certferry.conf"
    ok "doctor says as whom" says said/another 'FAIL  CONF-01' 'sudo certferry doctor'
    as_another theirs/program run --config "$work/theirs/certferry.conf"
    ok "78: run is judged by a service manager" is "$rc" 78
    rmdir theirs/conf.d
fi
ok "what it means" exits 0 explain PERMISSION

# ---- a store that is none ------------------------------------------------------------------------------------------------------------
head -c 8192 /dev/urandom >"$dir/state/certferry.db"
code 9 'the store is damaged' requests list

# ---- the table ---------------------------------------------------------------------------------------------------------------------------
"$B/certferry" manual exit-codes >table
table=$(grep -oE '^\*?[0-9]+\*?$|^\*[0-9]+\*' table | tr -d '*' | sort -nu | tr '\n' ' ')
ok "the manual has a table" test -n "$table"
ok "every code of it was seen, and no other" is "$(sort -nu produced | tr '\n' ' ')" "$table"
finish
