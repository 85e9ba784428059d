#!/bin/bash
# What the service does not start with, and what it says then: a configuration that is wrong, files that are open
# to others, a store that is locked, damaged, or of a newer version.  Prints TAP.
#
#   B=build/asan test/live/agent_refuses.sh
# shellcheck source=test/live/live.bash
. "$(dirname "$(realpath "$0")")/live.bash"
sandbox_start cloud --demo 3
agent_once
ok "with everything in order it starts and delivers" is "$rc $(ctl summary >sum; get sum "\$.delivered")" "0 3"
good=$dir

# A copy of the folder, its configuration speaking of the copy, to spoil.
spoiled() { # NAME
    dir=$work/$1 conf=$work/$1/certferry.conf
    cp -rp "$good" "$dir"
    sed -i "s|\"$good/|\"$dir/|" "$conf"
}
refused() { # CODE TEXT...: the service does not start, within 30 s, and says every TEXT
    local want=$1 said
    shift
    starts=$((starts + 1))
    said=$work/said/refusal-$starts
    timeout 30 "$B/certferry" run --config "$conf" 2>"$said" >said/stdout
    rc=$?
    [ "$rc" -eq "$want" ] || { echo "exit $rc, not $want:"; cat "$said"; return 1; }
    says "$said" "$@"
}
edit() { # SED-SCRIPT, $line is where it takes effect
    line=$(sed -n "/$1/=" "$conf" | head -n 1)
    sed -i "s/$1/$2/" "$conf"
}

# ---- the configuration -------------------------------------------------------------------------------------
spoiled unknown-key
edit 'poll_interval = 2' 'pol_interval = 2'
ok "an unknown key: 78, with file and line" refused 78 "certferry.conf:$line" pol_interval
ok "check says the same: 6" exits 6 check
ok "in the same words" says all "certferry.conf:$line" pol_interval
spoiled out-of-range
edit 'poll_interval = 2' 'poll_interval = -2'
ok "a number out of range: 78, with file and line" refused 78 "certferry.conf:" 'poll_interval' '-2 is not between'
spoiled choice
edit 'type = "adcs"' 'type = "acds"'
ok "a word that is none of the choices: 78, with the list" refused 78 'certferry.conf:' '"acds"' adcs est
spoiled brace
sed -i '0,/^}/s/^}//' "$conf"
ok "a brace too few: 78, with file and line" refused 78 'certferry.conf:'
spoiled url
edit 'https:\/\/127.0.0.1:[0-9]*\/ccp' 'http:\/\/127.0.0.1\/ccp'
ok "a URL without TLS: 78, with file and line" refused 78 'certferry.conf:' 'url'
spoiled no-file
rm "$dir/tls-ca.pem"
ok "a file that is not there: 78, with its name" refused 78 'tls-ca.pem' 'No such file'
ok "check says the same: 6" exits 6 check
spoiled no-ca
sed -i '/^ca /,/^}/d' "$conf"
ok "no CA at all: 78" refused 78 'no ca section'
rm "$conf"
ok "no configuration: 78, with its name" refused 78 "$conf"

# ---- files that others may read ----------------------------------------------------------------------------
for file in ca-password.txt connector.key state/master.key; do
    spoiled "open-${file//\//-}"
    chmod 644 "$dir/$file"
    ok "$file readable by others: 78, and what to do" refused 78 "$dir/$file" 'others may read it' 'chmod 600'
done
spoiled open-state
chmod 755 "$dir/state"
ok "a store that others may enter: 78, and what to do" refused 78 "$dir/state" 'chmod 700'

# ---- the store ---------------------------------------------------------------------------------------------
unchanged() { # FILE SUM
    is "$(sha256sum <"$1")" "$2"
}
db() { # SQL
    sqlite3 "$dir/state/certferry.db" "$1"
}
spoiled newer
db 'pragma user_version = 99' >sql.out
before=$(sha256sum <"$dir/state/certferry.db")
ok "a store from a newer version: 78" refused 78 'newer version' 99
ok "and it is left as it was" unchanged "$dir/state/certferry.db" "$before"
ok "a command on it fails, too: 9" exits 9 requests list
spoiled header
dd if=/dev/urandom of="$dir/state/certferry.db" bs=64 count=1 conv=notrunc 2>dd.err
before=$(sha256sum <"$dir/state/certferry.db")
ok "garbage in the header: 78, and what to do" refused 78 'certferry.db' 'not a database' 'restore a backup'
ok "it is neither repaired nor replaced" unchanged "$dir/state/certferry.db" "$before"
ok "a command on it fails, too: 9" exits 9 status
spoiled page
dd if=/dev/urandom of="$dir/state/certferry.db" bs=4096 seek=3 count=2 conv=notrunc 2>dd.err
ok "garbage in the middle: 78, and what to do" refused 78 'certferry.db' 'restore a backup'
spoiled no-master
rm "$dir/state/master.key"
ok "a store without its master key: 78; another one is not made" refused 78 'master.key'
ok "really not" not test -e "$dir/state/master.key"
spoiled short-master
truncate -s 31 "$dir/state/master.key"
ok "a master key of the wrong length: 78" refused 78 'master.key' '31'
spoiled locked
mkfifo lock-in
sqlite3 "$dir/state/certferry.db" <lock-in >lock-out 2>&1 &
locker=$!
alive[$locker]=locker
exec 9>lock-in
echo "pragma locking_mode = exclusive; begin exclusive; select 'locked';" >&9
until_true 10 grep -q locked lock-out
ok "a store that another program has locked: 75, and it says so" refused 75 'certferry.db' 'another program has it open'
exec 9>&-
wait "$locker"
unset "alive[$locker]"
agent_once
ok "unlocked, it starts" is "$rc" 0

# ---- nobody was told anything ------------------------------------------------------------------------------
cut -d: -f2- "$good/ca-password.txt" >secrets
cat "$good/bearer-token.txt" >>secrets
ok "no refusal has a secret in it" nowhere -f secrets said
dir=$good
ok "the sandbox stops cleanly" sandbox_stop
finish
