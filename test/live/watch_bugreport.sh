#!/bin/bash
# The bug report of a running service, and of a store without one: opened by tar, held against its manifest, and searched
# for what must not stand in it.  Prints TAP.
#
#   B=build/asan test/live/watch_bugreport.sh
# shellcheck source=test/live/live.bash
. "$(dirname "$(realpath "$0")")/live.bash"

files() { # of the archive, in order
    tar tzf "$1" | sed 's:.*/::' | tr '\n' ' '
}
manifest_holds() { # every file is as the manifest says, and none stands beside it
    /usr/bin/python3 - "$1" <<'PY'
import hashlib, json, sys, tarfile
t = tarfile.open(sys.argv[1])
got = {m.name.split("/", 1)[1]: (m, t.extractfile(m).read()) for m in t}
m = json.loads(got.pop("manifest.json")[1])
assert {f["file"] for f in m["files"]} == set(got), got.keys()
for f in m["files"]:
    member, data = got[f["file"]]
    assert len(data) == f["bytes"] and hashlib.sha256(data).hexdigest().upper() == f["sha256"], f
    assert f["why"] and member.mode == 0o600 and member.uid == 0, f
    if f["file"].endswith(".json"):
        json.loads(data)
PY
}

sandbox_start desk
sed -i 's|^\( *\)group = .*||' "$conf"
printf 'cloud { group = "CANARY-group" }\nproxy { no_proxy = {"intern.example"} }\n' | drop_in 30-canary
agent_start
fault ca.submit deny '"count":1,"match":"CANARY-denied"'
for cn in CANARY-device CANARY-denied; do ask $cn adcs ContosoUser; done
all_ended() { cf requests list --json && is "$(get out '$.data.requests')" '[]'; }
until_true 30 all_ended
known=$id

ok "--preview shows what would stand in it" exits 0 bugreport --preview
ok "by name and reason" says out config.json 'secrets as references' status.json doctor.json
ok "and writes nothing" is "$(find . -name '*.tar.gz' | wc -l)" 0
ok "--preview --json is the manifest" exits 0 bugreport --preview --json
ok "as a document" is "$(get out '$.schema') $(get out '$.files[0].file')" 'certferry.bugreport/1 version.json'
ok "bugreport" exits 0 bugreport --out report.tar.gz
ok "says what to look at before it is handed on" says err report.tar.gz manifest.json
ok "readable by its owner alone" is "$(stat -c %a report.tar.gz)" 600
ok "with these files" is "$(files report.tar.gz | sed 's/certferry.service //')" \
    'manifest.json version.json config.json status.json metrics.txt requests.json audit.json doctor.json '
ok "each as the manifest says" manifest_holds report.tar.gz
mkdir opened && tar xzf report.tar.gz -C opened --strip-components=1
ok "no device, no user, no id, no group" nowhere -e CANARY -e "$known" -e contoso.example opened
ok "no path of this machine" nowhere "$work" opened
ok "requests are there" is "$(count opened/requests.json '$.requests' "json_extract(value, '\$.request.state') in
    ('delivered', 'rejected')")" 2
ok "under other names" says opened/requests.json '"id":"r-'
ok "with their steps" says opened/requests.json '"event":"submit"' '"event":"report"'
ok "settings are there" says opened/config.json '"key":"no_proxy","value":["intern.example"]' \
    '"key":"group","set":true' '"key":"client_key","file":true'
ok "what the service did" says opened/status.json '"delivered":1' '"health"'
ok "its numbers" says opened/metrics.txt 'certferry_requests_total' '# EOF'
ok "twice: other names" exits 0 bugreport --out second.tar.gz
mkdir again && tar xzf second.tar.gz -C again --strip-components=1
ok "for the same requests" is "$(cat opened/requests.json again/requests.json | grep -oE 'r-[0-9A-F]{12}' | sort -u | wc -l)" 4
ok "agent stops" agent_stop
ok "without a service" exits 0 bugreport --out third.tar.gz
ok "the store's part is there" manifest_holds third.tar.gz
ok "into a folder that is not there: 9" exits 9 bugreport --out nowhere/x.tar.gz
if [ -S /run/systemd/journal/socket ]; then
    ok "logs: the journal answers" exits 0 logs --since 1min
else
    ok "logs without a journal: says where they are" exits 13 logs
    ok "and what to do" says err journalctl 'certferry run'
fi
finish
