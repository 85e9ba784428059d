#!/bin/bash
# Secrets and keys as an administrator handles them: secret set, list, delete; options that name a secret; keys rotate
# with and without a service, under load, and killed at every step.  Prints TAP.
#
#   B=build/asan test/live/secrets.sh
# shellcheck source=test/live/live.bash
. "$(dirname "$(realpath "$0")")/live.bash"
typist=$root/test/live/typist.py
sandbox_start cloud
state=$dir/state
password=$(head -n 1 "$dir/ca-password.txt")
value_stays_unseen() { # VALUE: in no output, and in no file of the store
    nowhere -- "$1" said out err && nowhere -- "$1" "$state"
}
set_from_input() { # VALUE NAME
    printf '%s\n' "$1" | "$B/certferry" secret set "$2" --config "$conf" >out 2>err
    rc=$?
    { echo "== secret set $2 -> $rc"; cat out err; } >>said/commands
    return $rc
}

# ---- before there is anything to serve ---------------------------------------------------------------------------
mkdir early
printf 'store {\n  dir = "%s/early/state"\n}\n' "$work" >early/certferry.conf
mine=$conf conf=$work/early/certferry.conf
ok "a configuration that lacks nearly everything: a secret can be set" set_from_input first early
ok "and listed" exits 0 secret list
ok "(it is there)" says out early
ok "and deleted" exits 0 secret delete early
ok "and the key exchanged" exits 0 keys rotate
conf=$mine

# ---- before the first start ----------------------------------------------------------------------------------
ok "a store that is not there yet has no secrets" exits 0 secret list
ok "and says so" says out 'No secrets.'
ok "secret set, from standard input" set_from_input "$password" ca
ok "says that no option uses it yet, and how one would" says err 'secret:ca'
ok "its file is ours alone" is "$(stat -c '%a %s' "$state/secrets/ca" "$state/secrets" | cut -d' ' -f1 | tr '\n' ' ')" '600 700 '
ok "and the value stands in none" value_stays_unseen "${password#*:}"
sed -i "s|credentials_file = .*|credentials_file = \"secret:ca\"|" "$conf"
ok "check: the secret that the options name is there" exits 0 check
ok "a file with the password is not needed any more" rm "$dir/ca-password.txt"
ok "secret list" exits 0 secret list
ok "says which options use it" says out 'ca "adcs".credentials_file, ca "est".credentials_file'
cf secret list --json
ok "and so does --json" is "$(get out '$.data.secrets[0].name') $(get out '$.data.secrets[0].usedBy[1]')" \
    'ca ca "est".credentials_file'
ok "delete: refused while an option uses it" exits 14 secret delete ca
ok "and says which" says all 'ca "adcs".credentials_file'
ok "without one, check names option and secret" exits 0 secret delete ca --force
ok "(that is a refusal)" exits 6 check
ok "(in words)" says all 'ca "adcs".credentials_file' 'certferry secret set ca'
ok "list says that it is missing" exits 0 secret list
ok "(in a row of its own)" says out MISSING
timeout 20 "$B/certferry" run --config "$conf" 2>said/refused
ok "and the service does not start: 78" is $? 78
ok "the same words" says said/refused 'certferry secret set ca'

# ---- ways to give one ------------------------------------------------------------------------------------------
ok "typed twice on a terminal" "$typist" ': ' "$password\\n" ': ' "$password\\n" -- "$B/certferry" secret set ca --config "$conf"
cp ok.out said/typed
ok "is not echoed" value_stays_unseen "${password#*:}"
"$typist" ': ' 'one\n' ': ' 'two\n' -- "$B/certferry" secret set ca --config "$conf" >said/different
ok "not the same twice: refused" is $? 2
"$typist" ': ' 'on\x03' -- "$B/certferry" secret set ca --config "$conf" >said/given-up
ok "Ctrl-C gives up" is $? 2
echo "$password" >file && chmod 644 file
ok "from a file that others may read: refused" exits 6 secret set ca --file file
ok "with what to do" says all 'chmod 600'
chmod 600 file
ok "from a file of our own" exits 0 secret set ca --file "$PWD/file"
rm file
ok "nothing at all: refused" exits 2 secret set ca </dev/null
ok "a value as an argument: refused" exits 2 secret set ca value
ok "a name that is none: refused" exits 2 secret set ../ca </dev/null
ok "one of the service's own: refused" exits 2 secret set certferry.proof </dev/null
mkfifo slow
"$B/certferry" secret set slow --config "$conf" <slow >out 2>err &
typing=$!
exec 9>slow
core_limit() { awk '/^Max core file size/ { print $5, $6 }' "/proc/$typing/limits"; }
no_core() { is "$(core_limit)" '0 0'; }
ok "a command that has a secret writes no core file" until_true 10 no_core
echo slowly >&9
exec 9>&-
ok "(it went on)" wait $typing
ok "(and it can go)" exits 0 secret delete slow
ok "delete what is not there: 13" exits 13 secret delete none
ok "and what is not used" bash -c "echo x | '$B/certferry' secret set spare --config '$conf' && '$B/certferry' secret delete spare --config '$conf'"

# ---- with the service --------------------------------------------------------------------------------------------
agent_start
ask first adcs ContosoUser
ok "the service reads the password of its CA from the store" until_true 30 is_delivered "$id"
ok "secret set goes through the service" set_from_input 'canary-in-the-service' later
ok "which tells of the name" says "$log" 'secret \"later\" was set'
ok "and of nothing else" value_stays_unseen canary-in-the-service
head -c 60000 /dev/zero | tr '\0' x >big && chmod 600 big
ok "60000 bytes, too" exits 0 secret set big --file big
ok "70000 bytes: refused" bash -c "head -c 70000 /dev/zero | tr '\\0' x | '$B/certferry' secret set big --config '$conf'; [ \$? -eq 1 -o \$? -eq 2 ]"

# A changed secret is used after a reload, and not before.
reload_done() { is "$(grep -c 'the configuration as it is now is in use' "$log")" "$1"; }
set_from_input "${password%%:*}:wrong-password" ca
ask before-reload adcs ContosoUser
ok "a changed secret: not used before a reload" until_true 30 is_delivered "$id"
kill -HUP "$agent_pid"
ok "reload" until_true 20 reload_done 1
ask wrong adcs ContosoUser
wrong=$id
ok "used after it: the CA refuses the wrong one" until_true 30 is_state "$wrong" held
set_from_input "$password" ca
kill -HUP "$agent_pid"
ok "and with the right one" until_true 20 reload_done 2
cf requests retry "$wrong"
ok "it is delivered" until_true 40 is_delivered "$wrong"

# ---- the master key is exchanged under a service at work -----------------------------------------------------------
fault ca.submit pending '"polls":-1,"count":-1,"match":"waits"'
ask waits-1 adcs ContosoUser
waiting=$id
until_true 20 is_state "$waiting" pending
key_sum() { sha256sum <"$state/master.key"; }
before=$(key_sum)
ask_many load 60 est ContosoUser rsa2048
ok "keys rotate while requests are worked on" exits 0 keys rotate
ok "says what was done" says out 'the master key is exchanged'
ok "it is another one" not is "$(key_sum)" "$before"
ok "and nothing lies about" is "$(find "$state" -name "*exchange*" | wc -l)" 0
ok "again at once: refused" exits 14 keys rotate
ok "the load is delivered" until_true 60 is "$(ctl summary >sum; get sum '$.failed')" "0"
all_load() { ctl summary >sum && is "$(get sum '$.delivered') $(get sum '$.open')" '63 1'; }
ok "all of it" until_true 90 all_load
ok "the service stops" agent_stop
agent_start
ctl approve waits-1 >ctl.out
cf requests retry "$waiting"
ok "what waited at the CA meanwhile is delivered after a restart: its key opens" until_true 30 is_delivered "$waiting"
ctl clear-faults >ctl.out

# ---- killed at each step of it, with the service and without ---------------------------------------------------------
agent_stop >stop.out
if "$B/certferry" version >v.out && strings -a "$B/certferry" 2>/dev/null | grep -q CERTFERRY_CRASH_AT; then
    fault ca.submit pending '"polls":-1,"count":-1,"match":"crash"'
    agent_start
    ask crash-0 adcs ContosoUser
    waiting=$id
    until_true 20 is_state "$waiting" pending
    for at in CP22:1 CP23:1 CP23:3 CP24:1 CP25:1 CP26:1 CP27:1 CP28:1; do
        # with the service
        agent_stop >stop.out
        agent_start CERTFERRY_CRASH_AT=$at
        cf keys rotate
        { wait "$agent_pid"; rc=$?; } 2>/dev/null
        unset "alive[$agent_pid]"
        ok "$at: the service was killed there" is "$rc" 137
        agent_start
        ok "$at: it starts again, and nothing lies about" is "$(find "$state" -name "*exchange*" | wc -l)" 0
        # without
        agent_stop >stop.out
        CERTFERRY_CRASH_AT=$at "$B/certferry" keys rotate --config "$conf" >said/killed 2>&1
        ok "$at: the command was killed there" is $? 137
        ok "$at: every secret opens" exits 0 check
        agent_start
        ok "$at: and the service starts" exits 0 status
    done
    ctl approve crash-0 >ctl.out
    cf requests retry "$waiting"
    ok "after 16 kills the waiting request is delivered: its key opens" until_true 30 is_delivered "$waiting"
    agent_stop >stop.out
else
    skip "killed at each step" "no build with crash points"
fi

# ---- other places of the master key ------------------------------------------------------------------------------------
mkdir run && chmod 700 run
mv "$state/master.key" run/certferry.master
cf secret list
ok "a credential that commands cannot see: they list" says out 'ca '
ok "check looks, and says that it cannot open" exits 0 check
ok "(in a note)" says err 'looked for, not opened'
ok "secret set says why it cannot" not set_from_input x late
ok "(in words)" says err 'master.key' 'credential'
agent_start CREDENTIALS_DIRECTORY="$PWD/run"
ok "with the service they can: it has the key" set_from_input x late
ok "keys rotate is refused" exits 6 keys rotate
ok "and says how a credential is exchanged" says all certferry.master.old
ok "status says where the key is" exits 0 status --json
ok "(a credential)" is "$(get out '$.data.masterKey')" credential
agent_stop >stop.out
mv run/certferry.master run/certferry.master.old
head -c 32 /dev/urandom >run/certferry.master && chmod 600 run/certferry.master
agent_start CREDENTIALS_DIRECTORY="$PWD/run"
ok "with both credentials the start does it" says "$log" 'take the credential certferry.master.old away'
agent_stop >stop.out
rm run/certferry.master.old
agent_start CREDENTIALS_DIRECTORY="$PWD/run"
ask last adcs ContosoUser
ok "then the new one is enough" until_true 30 is_delivered "$id"
agent_stop >stop.out
mv run/certferry.master "$state/master.key"
agent_start
cf status
ok "a plain file beside the store: status warns" says out 'beside the store' WARNING
agent_stop >stop.out
head -c 32 /dev/urandom >"$state/master.key"
timeout 20 "$B/certferry" run --config "$conf" 2>said/other-key
ok "another master key: the service does not start" is $? 78
ok "and says so" says said/other-key 'another master key'
ok "no value was ever said" nowhere -e "${password#*:}" -e canary-in-the-service said
finish
