#!/bin/bash
# store backup and store restore: while requests are under way and at rest, on this machine and another one, with the
# wrong file and the wrong key, cut short in the middle.  Prints TAP.
#
#   B=build/asan test/live/store_backup.sh
# shellcheck source=test/live/signin.bash
. "$(dirname "$(realpath "$0")")/signin.bash"
mkdir -m 700 backups

one_file() { # FILE: 0600, and nothing of it is left in the store
    is "$(stat -c %a "$1")" 600 && [ "$(head -c 15 "$1")" = 'SQLite format 3' ] &&
        not ls "$1"-journal "$1"-wal "$dir/state/backup" "$dir/state/backup.partial" 2>ls.err
}
open_now() { # COUNT
    cf requests list --json
    is "$(count out '$.data.requests' 1)" "$1"
}
csrs() { ledger '"event":"csr-received"'; }
before() { # COUNT: what was there is kept that often
    is "$(find "$dir/state" -maxdepth 1 -name 'before-restore-*' | wc -l)" "$1"
}
untouched() { # the store is the one it was
    is "$(cd "$dir/state" && find . -type f ! -name lock -exec sha256sum {} + | sort | sha256sum)" "$was"
}
remember() {
    was=$(cd "$dir/state" && find . -type f ! -name lock -exec sha256sum {} + | sort | sha256sum)
}
doctor_says() { # WORD...
    cf doctor --only ST-04
    says out ST-04 "$@"
}

sandbox_start site --sign-in mtls --lease 120
drop_in beat <<<'cloud { heartbeat = 2 }'
install -d -m 700 "$dir/state" # as a package leaves it
ok "no store yet: nothing to back up" exits 13 store backup backups/none
ok "nor to change" exits 13 requests retry --all --state held
ok "and none is made: without a master key no service would open it" not test -e "$dir/state/certferry.db"
ok "and no file" not test -e backups/none
bootstrap_file boot
sign_in --bootstrap-file "$work/boot"
ok "signed in" exits_with 0
printf 'a-password\n' | "$B/certferry" secret set spare --config "$conf" >set.out 2>&1
agent_id >who

# ---- while the service runs, with requests that wait --------------------------------------------------------------
fault ca.submit http-503 '"count":-1'
agent_start
ok "doctor: no backup is known" doctor_says SKIP
ask_many old 12 adcs ContosoUser
ok "twelve requests are open" until_true 20 open_now 12
ok "a backup beside the running service" exits 0 store backup backups/running
ok "is one file for nobody else" one_file backups/running
ok "which it says, and that the master key is not in it" says all 'backups/running: the store as it is now' master.key
ok "doctor knows of it" doctor_says PASS
cf status
ok "status, too" says out ', backup ' ' s ago'
ok "it is in the audit log" sh -c "'$B/certferry' audit export --config '$conf' | grep -q store.backup"
ok "a name that is taken is refused" exits 14 store backup backups/running
ok "as JSON" exits 0 store backup backups/json --json
ok "with the file in it" is "$(get out '$.data.file')" backups/json
ok "a folder that is not there" exits 9 store backup nowhere/file
ok "restoring under a running service is refused" exits 14 store restore backups/running
ok "which says what to do" says all 'certferry service stop'
agent_stop

# ---- at rest, and back again ----------------------------------------------------------------------------------------
ok "a backup where no service runs" exits 0 store backup backups/rest
ok "is one file as well" one_file backups/rest
ctl clear-faults >ctl.out
agent_start
all_gone() { open_now 0; }
ok "the twelve are delivered" until_true 30 all_gone
agent_stop
was_csrs=$(csrs)
ok "yesterday's backup is restored" exits 0 store restore backups/running --yes
ok "with what it held" says all '12 open requests'
ok "what was there is kept" before 1
ok "the requests are open again" open_now 12
ok "the secret is there" sh -c "'$B/certferry' secret list --config '$conf' | grep -q spare"
ok "the identity, too" is "$(agent_id)" "$(cat who)"
ok "the audit log says so, and is whole" sh -c "'$B/certferry' audit export --config '$conf' | grep -q store.restored &&
    '$B/certferry' audit verify --config '$conf'"
agent_start
ok "the service knows that it is a backup" until_true 20 agent_log_has ReconcileBegun
ok "and compares until all is clear" until_true 30 agent_log_has ReconcileEnded
ok "the twelve had ended elsewhere" until_true 20 all_gone
ok "nothing was submitted again" is "$(csrs)" "$was_csrs"
ask after adcs ContosoUser
ok "and work goes on" until_true 20 is_delivered "$id"
agent_stop

# ---- what is no backup changes nothing --------------------------------------------------------------------------------
remember
echo nothing >backups/text
ok "a text is refused" exits 2 store restore backups/text --yes
cp "$dir/state/certferry.db" backups/plain
ok "a copied database is refused" exits 2 store restore backups/plain --yes
ok "which says what is meant" says all 'certferry store backup'
{ head -c 20000 backups/rest; head -c 20000 /dev/urandom; tail -c +40001 backups/rest; } >backups/damaged
ok "a damaged one is refused" not exits 0 store restore backups/damaged --yes
head -c 30000 backups/rest >backups/short
ok "a cut one is refused" not exits 0 store restore backups/short --yes
cp backups/rest backups/newer && sqlite3 backups/newer 'pragma user_version=99'
ok "one of a newer version is refused" exits 9 store restore backups/newer --yes
cp backups/rest backups/trigger &&
    sqlite3 backups/trigger "create trigger t after update on request begin delete from orphan; end"
ok "one with more in it than a store has is refused" exits 2 store restore backups/trigger --yes
cp backups/rest backups/name && sqlite3 backups/name "insert into attachment values ('../../x', 'y')"
ok "one whose files leave their folder is refused" exits 2 store restore backups/name --yes
ok "none is refused" exits 13 store restore backups/gone --yes
ok "a folder is refused" exits 6 store restore backups --yes
ok "and nothing has changed" untouched

# ---- the master key -----------------------------------------------------------------------------------------------------
ok "the master key is exchanged" exits 0 keys rotate
remember
ok "a backup of the key before is refused" exits 6 store restore backups/rest --yes
ok "in words" says all 'another master key'
ok "and nothing has changed" untouched
ok "one of now is made" exits 0 store backup backups/now

# ---- another machine: nothing is there but the configuration and the key ----------------------------------------------
mv "$dir/state" state-of-old
ok "without the key: restored, with a word of warning" exits 0 store restore backups/now --yes
ok "which names the key" says all 'whether the master key fits is seen when the service starts'
once_fails() { agent_once && [ "$rc" -ne 0 ]; }
ok "the service does not start without it" once_fails
rm -r "$dir/state"
install -d -m 700 "$dir/state" && install -m 600 state-of-old/master.key "$dir/state/master.key"
ok "with the key" exits 0 store restore backups/now --yes
agent_start
ask moved adcs ContosoUser
ok "it works there" until_true 40 is_delivered "$id"
agent_stop

# ---- cut short while files are exchanged ---------------------------------------------------------------------------------
mkdir -m 700 "$dir/state/restore.new"
touch "$dir/state/restore.new/exchanging"
rm -f "$dir"/state/certferry.db*
agent_once
ok "half a restore: the service does not make a new store" test "$rc" -ne 0
ok "and says what to do" says "$log" 'certferry store restore'
ok "and then one of a newer version" exits 9 store restore backups/newer --yes
ok "it does not say that the store is as it was" says all 'exchanged in part' before-restore
ok "done again" exits 0 store restore backups/now --yes
ok "nothing is left of it" not test -e "$dir/state/restore.new"
agent_start
ask last adcs ContosoUser
ok "and it works" until_true 40 is_delivered "$id"
agent_stop
ok "no key in any log, answer or backup" nowhere 'PRIVATE KEY' said backups
ok "nor a secret" nowhere a-password said backups
finish
