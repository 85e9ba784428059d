#!/bin/bash
# Each command that changes something leaves a record in the audit log, with who did it, at a running service and
# without one; commands that were refused leave none; and the cloud is told the head of the log and which certificates
# end when.  `reconcile --this-one` has its record in signin_clone.sh.  Prints TAP.
#
#   B=build/asan test/live/audit_commands.sh
# shellcheck source=test/live/signin.bash
. "$(dirname "$(realpath "$0")")/signin.bash"
actor="uid $(id -u)"

recorded() { # EVENT SUBJECT [DETAIL]: by us, and once more than when `records` was called
    cf audit export
    python3 - out "$seen" "$actor" "$@" <<'P'
import json, sys
file, seen, actor, event, subject, *detail = sys.argv[1:]
new = [json.loads(line) for line in open(file)][int(seen):]
fit = [r for r in new if (r["event"], r["actor"], r.get("subject") or "") == (event, actor, subject)
       and (not detail or r.get("detail") == detail[0])]
sys.exit(0 if len(fit) == 1 else f"{len(fit)} records of {event} \"{subject}\" by {actor} among {json.dumps(new, indent=1)}")
P
}
records() { # how many there are
    cf audit export
    grep -c . out
}
leaves() { # EVENT SUBJECT DETAIL|- COMMAND...: it succeeds, and that is its record
    local event=$1 subject=$2 detail=$3
    shift 3
    [ "$detail" != - ] || set -- "" "$@"
    [ "$detail" = - ] || set -- "$detail" "$@"
    detail=$1
    shift
    seen=$(records)
    cf "$@" </dev/null
    [ "$rc" -eq 0 ] || { echo "certferry $* -> $rc"; cat out err; return 1; }
    if [ -n "$detail" ]; then recorded "$event" "$subject" "$detail"; else recorded "$event" "$subject"; fi
}
leaves_nothing() { # CODE COMMAND...: it is refused, or shows something
    seen=$(records)
    exits "$@" </dev/null && is "$(records)" "$seen"
}

sandbox_start audit --sign-in mtls --scep 0
drop_in beat <<<'cloud { heartbeat = 2 }'
own_ra
(umask 077 && echo proxy-user:its-password >credential && echo the-value >secret-file)

changes() { # WHERE: what is done on disk, whoever is asked to record it
    ok "$1: config set" leaves config.changed cloud.wait set config set cloud.wait 20
    ok "$1: config unset" leaves config.changed cloud.wait unset config unset cloud.wait
    ok "$1: config set --dry-run leaves nothing" leaves_nothing 0 config set cloud.wait 20 --dry-run
    ok "$1: config set that is refused leaves nothing" leaves_nothing 6 config set cloud.wait 9999
    ok "$1: proxy set" leaves config.changed proxy.url set proxy set http://127.0.0.1:9 --force \
        --credentials-file "$work/credential"
    ok "$1: (and its credential)" recorded secret.set proxy
    ok "$1: proxy clear" leaves config.changed proxy.url clear proxy clear
    ok "$1: (and its credential)" recorded secret.deleted proxy
    ok "$1: secret set" leaves secret.set spare - secret set spare --file "$work/secret-file"
    ok "$1: secret set again" leaves secret.set spare replaced secret set spare --file "$work/secret-file"
    ok "$1: secret delete" leaves secret.deleted spare - secret delete spare
    ok "$1: secret delete of none leaves nothing" leaves_nothing 13 secret delete spare
    ok "$1: secret list leaves nothing" leaves_nothing 0 secret list
    ok "$1: keys rotate" leaves keys.rotated '' - keys rotate
    ok "$1: sign-out" leaves sign-out "$(agent_id)" - sign-out --yes
    ok "$1: sign-out again leaves nothing" leaves_nothing 13 sign-out --yes
    bootstrap_file boot
    seen=$(records)
    sign_in --bootstrap-file "$work/boot"
    ok "$1: sign-in" exits_with 0
    ok "$1: (its record)" recorded sign-in "$(agent_id)" "$base/ccp"
}

# ---- before there is a store: nothing to be recorded in, and none is made for that ------------------------------------
ok "before the first start, config set" exits 0 config set cloud.wait 30
ok "makes no store" not test -e "$dir/state/certferry.db"
bootstrap_file boot
seen=0
sign_in --bootstrap-file "$work/boot"
ok "the first sign-in" exits_with 0
ok "is the first record" recorded sign-in "$(agent_id)"

# ---- without a service ----------------------------------------------------------------------------------------------------
changes "no service"
ok "the log is whole" exits 0 audit verify

# ---- at the service ---------------------------------------------------------------------------------------------------------
agent_start
changes "at the service"
fault ca.submit pending '"polls":-1,"count":-1,"match":"waits"'
ask waits-1 adcs ContosoUser
until_true 20 is_state "$id" pending
ok "requests hold" leaves request.hold "$id" - requests hold "$id"
ok "requests release" leaves request.release "$id" - requests release "$id"
ok "requests release of one that is not held leaves nothing" leaves_nothing 14 requests release "$id"
ok "requests retry" leaves request.retry "$id" - requests retry "$id"
cf requests hold "$id"
ok "requests retry --all" leaves request.retry "$id" - requests retry --all --state held
until_true 20 is_state "$id" pending
ok "requests cancel" leaves request.cancel "$id" - requests cancel "$id" --yes
until_true 20 is_state "$id" cancelled
ok "requests cancel of an ended one leaves nothing" leaves_nothing 14 requests cancel "$id" --yes
ok "orphans adopt" leaves orphan.adopt "$id" 'looked at the CA' orphans adopt "$id" --note 'looked at the CA'
ok "ra renew" leaves ra.renew own - ra renew own
ok "service reload" leaves reload.asked '' - service reload
ok "(and the service says what came of it)" says out config.reloaded
ok "status, doctor and the like leave nothing" leaves_nothing 0 status

# ---- what the cloud is told ----------------------------------------------------------------------------------------------------
head_is_told() {
    local want
    cf audit verify --json
    want=$(get out '$.data.head')
    want=${want,,}
    [ -n "$want" ] && [ "$(ledger "\"auditHead\":\"$want\"")" -ge 1 ]
}
ok "the cloud is told the head of the log" until_true 15 head_is_told
certificates_are() { # COUNT: in the last heartbeat
    ctl ledger >ledger.out
    is "$(grep '"event":"heartbeat"' ledger.out | tail -n 1 | sed 's/.*"certificates":\([0-9]*\).*/\1/')" "$1"
}
ok "and of two certificates: the connector's, the registration authority's" until_true 20 certificates_are 2
cf status --json
ok "status lists the connector's" is "$(get out '$.data.certificates[0].purpose') $(get out '$.data.certificates[0].notAfter')" \
    "connector $(get out '$.data.identity.notAfter')"
cf status
ok "in words: until when, and when it is renewed" grep -qE 'Identity .*, certificate until .* d left, renewed from ' out
ok "the log never was another one" is "$(ledger '"event":"audit-changed"')" 0
agent_stop
sqlite3 "$dir/state/certferry.db" 'delete from audit where n > 5'
agent_start
changed() { [ "$(ledger '"event":"audit-changed"')" -ge 1 ]; }
ok "a log that was cut off on this machine: the cloud sees it" until_true 15 changed
agent_stop
ok "no secret stands in it" nowhere -e its-password -e the-value said
finish
