#!/bin/bash
# What --json prints is what packaging/schema says: real outputs of a service that is well, held up, refused and not there,
# of doctor, whoami, config list, and errors, judged by Debian's python3-jsonschema; and not a member that no schema
# knows.  Prints TAP.
#
#   B=build/asan test/live/json_schemas.sh
# shellcheck source=test/live/signin.bash
. "$(dirname "$(realpath "$0")")/signin.bash"
schemas=$root/packaging/schema
python=/usr/bin/python3 # Debian's own, which has Debian's modules
if ! $python -c 'import jsonschema' 2>/dev/null; then
    skip "outputs against their schemas" "python3-jsonschema is not installed"
    finish
    exit
fi
cat >judge.py <<'P'
"""judge.py FOLDER [FILE...]: every schema is one; each FILE is as its schema says, and has no member that it does not name."""
import json, pathlib, sys
import jsonschema
def closed(s):  # the same schema, for members that it does not know
    if isinstance(s, list):
        return [closed(x) for x in s]
    if not isinstance(s, dict):
        return s
    s = {k: closed(v) for k, v in s.items()}
    if s.get("type") == "object" and "properties" in s:
        s.setdefault("additionalProperties", False)
    return s
folder, *files = sys.argv[1:]
known, parts = {}, set()
for path in sorted(pathlib.Path(folder).glob("certferry.*.json")):
    s = json.load(open(path))
    jsonschema.Draft202012Validator.check_schema(s)
    name = s["properties"]["schema"]["const"]
    assert path.name == name.replace("/", ".") + ".json", path
    known[name] = jsonschema.Draft202012Validator(closed(s), format_checker=jsonschema.FormatChecker())
    parts.add(json.dumps([s["$defs"][p] for p in ("time", "error", "warning")], sort_keys=True))
assert len(parts) == 1, "the envelope is not the same everywhere"
for file in files:
    d = json.load(open(file))
    if d["schema"] not in known:
        sys.exit(f"{file}: {d['schema']} has no schema")
    for e in known[d["schema"]].iter_errors(d):
        deep = jsonschema.exceptions.best_match([e])
        sys.exit(f"{file}: {'/'.join(map(str, deep.absolute_path))}: {deep.message[:300]}")
print(*sorted(known))
P
fits() { # SCHEMA WORD...: what this prints has this schema and fits; kept for the search of what was never seen
    local schema=$1
    shift
    cf "$@" --json </dev/null
    n=$((${n:-0} + 1))
    cp out "seen-$n.json"
    is "$(get out '$.schema')" "certferry.$schema/1" && $python judge.py "$schemas" out >judged || { cat out judged; return 1; }
}
spoilt() { # SED-SCRIPT: the last output with this change is refused
    sed "$1" out >bad.json && ! cmp -s out bad.json && not $python judge.py "$schemas" bad.json
}

ok "every schema is a schema, and all have one envelope" $python judge.py "$schemas"
sandbox_start schemas --sign-in mtls --scep 0
drop_in some <<'CONF'
cloud { heartbeat = 2 }
metrics { listen = "127.0.0.1:0" }
CONF
own_ra

# ---- before anything ------------------------------------------------------------------------------------------------
ok "error: usage" fits error requests list nonsense
ok "(an exit code that is none is refused)" spoilt 's/"exit":2/"exit":99/'
ok "(an error without what to do is refused)" spoilt 's/"fix"/"fax"/'
ok "whoami: nobody" fits identity whoami
ok "status: no store yet" fits status status
ok "config list" fits config config list
ok "config list --all" fits config config list --all
ok "(a setting that does not say where it is set is refused)" spoilt 's/"origin"/"origins"/'
CERTFERRY_CLOUD_WAIT=12 ok "config list: from the environment" fits config config list
ok "(it is)" says out '"variable":"CERTFERRY_CLOUD_WAIT"'
bootstrap_file boot
sign_in --bootstrap-file "$work/boot"
ok "signed in" exits_with 0
ok "whoami: somebody" fits identity whoami
ok "(a time that is none is refused)" spoilt 's/"notAfter":"[^"]*"/"notAfter":"tomorrow"/'
ok "doctor" fits doctor doctor
ok "(a grade that is none is refused)" spoilt '0,/"grade":"[A-Z]*"/s//"grade":"GOOD"/'

# ---- a service at work ------------------------------------------------------------------------------------------------
agent_start
fault ca.submit pending '"polls":-1,"count":-1,"match":"waits"'
ask waits-1 adcs ContosoUser
waiting=$id
ask done est ContosoUser
until_true 30 is_delivered "$id"
until_true 20 is_state "$waiting" pending
ok "status: one waits" fits status status
ok "(a state that is none is refused)" spoilt '0,/"state":"pending"/s//"state":"waiting"/'
ok "requests list" fits requests requests list
ok "requests list --all" fits requests requests list --all
ok "(a request without an id is refused)" spoilt '0,/"id"/s//"ident"/'
ok "whoami, at the service" fits identity whoami
cf store backup "$work/backup"
ok "doctor, at the service" fits doctor doctor
cf requests hold "$waiting"
ok "status: one is held" fits status status
ok "requests list: a reason" fits requests requests list --stuck
cf logs level debug --for 1h
ok "status: at another log level" fits status status
cf service reload
ok "status: after a reload" fits status status
fault cloud.download http-500 '"count":-1'
is_failing() { cf status --json && says out '"failing"'; }
until_true 60 is_failing
ok "status: the cloud fails" fits status status
ctl revoke all >ctl.out
ctl clear-faults >ctl.out
refused() { cf status --json && says out '"needsSignIn":true'; }
until_true 40 refused
ok "status: the cloud does not know us" fits status status
ok "whoami: refused" fits identity whoami
agent_stop
ok "status: from the store, with how it was last" fits status status
echo 'nonsense' | drop_in broken
ok "error: the configuration is broken" fits error requests list
ok "doctor: the configuration is broken" fits doctor doctor
rm "$dir/conf.d/broken.conf"

# ---- a schema that says more than there is misleads, too ---------------------------------------------------------------
cat >unseen.py <<'P'
import json, pathlib, sys
def paths(v, at=""):
    if isinstance(v, dict):
        for n, x in v.items():
            yield f"{at}.{n}"
            yield from paths(x, f"{at}.{n}")
    elif isinstance(v, list):
        for x in v:
            yield from paths(x, at + "[]")
def said(s, root, at=""):
    if "$ref" in s:
        s = root["$defs"][s["$ref"].rsplit("/", 1)[1]]
    for p in s.get("oneOf", []):
        yield from said(p, root, at)
    for n, x in s.get("properties", {}).items():
        yield f"{at}.{n}"
        yield from said(x, root, f"{at}.{n}")
    if isinstance(s.get("items"), dict):
        yield from said(s["items"], root, at + "[]")
seen, say = {}, {}
for f in pathlib.Path(".").glob("seen-*.json"):
    d = json.load(open(f))
    seen.setdefault(d["schema"], set()).update(paths(d))
for f in pathlib.Path(sys.argv[1]).glob("certferry.*.json"):
    s = json.load(open(f))
    say[s["properties"]["schema"]["const"]] = set(said(s, s))
for name in sorted(say):
    for p in sorted(say[name] - seen.get(name, set())):
        if p.startswith(".data"):
            print(name, p)
P
$python unseen.py "$schemas" >unseen
# Members that need what is not set up here; the envelope is everybody's.
cat >allowed <<'A'
certferry.identity/1 .data.clientCertificate
certferry.identity/1 .data.clientId
certferry.status/1 .data.causes[].nextTry
certferry.status/1 .data.identity.clientId
certferry.status/1 .data.lastSeen.peers[].nextTry
certferry.status/1 .data.listeners[].certificateExpiresAt
certferry.status/1 .data.outcomes[].reason
certferry.status/1 .data.peers[].nextTry
certferry.status/1 .data.reconcile.since
certferry.status/1 .data.reconcile.until
certferry.status/1 .data.reconcile.why
certferry.status/1 .data.scep[].why
A
ok "no schema names a member that is never there" is "$(grep -vxFf allowed unseen)" ''
finish
