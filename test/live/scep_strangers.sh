#!/bin/bash
# What whoever reaches the SCEP service must not be able to do: use a challenge at two endpoints, ask without being
# counted, keep the others' requests waiting.  And what an administrator may take out of the configuration while
# requests still need it.  Prints TAP.
#
#   B=build/asan test/live/scep_strangers.sh
# shellcheck source=test/live/scep.bash
. "$(dirname "$(realpath "$0")")/scep.bash"
need_programs scep-device plugins/exec.so

# The judge: what a challenge begins with says what becomes of it; $work/notify says what a notification is told.
chmod 755 "$work"
cat >judge <<PROGRAM
#!/usr/bin/python3
import json, sys, time
q = json.load(sys.stdin)
challenge = q["challenge"] or ""
say = {"v": 1, "id": q["id"], "allow": True}
if q["what"] == "notify" and open("$work/notify").read().strip() == "later":
    say = {"v": 1, "id": q["id"], "allow": False, "laterSeconds": 2}
elif challenge.startswith("slow"):
    time.sleep(6)
elif challenge.startswith("wrong"):
    time.sleep(0.5)
    say["allow"] = False
print(json.dumps(say))
PROGRAM
chmod 755 judge
echo now >notify

sandbox_start cloud
scep_open
drop_in plugin <<CONF
plugin "judge" {
  path = "$B/plugins/exec.so"
  program = "$work/judge"
}
CONF
sed -i 's/^ca "adcs" {/&\n  max_in_flight = 2/' "$conf"
for name in one two gone; do
    scep_section $name est 'plugin = "judge"' 'wait = 2' 'failures_per_minute = 0'
done
scep_section slow adcs 'plugin = "judge"' 'wait = 1' 'failures_per_minute = 0'
scep_section limited est 'plugin = "judge"' 'failures_per_minute = 3'
agent_start
with() { # CHALLENGE: in a file of its own
    echo "$1" >"$1.challenge"
    echo --challenge-file "$1.challenge"
}

# ---- a challenge serves once, wherever -------------------------------------------------------------------------
# shellcheck disable=SC2046
ok "a challenge at one endpoint" gets "$(url_of one)" first --cn first $(with once)
# shellcheck disable=SC2046
ok "the same at another: refused" gets_none 2 "$(url_of two)" second --cn second $(with once)
# shellcheck disable=SC2046
ok "another one: a certificate" gets "$(url_of two)" third --cn third $(with twice)

# ---- who leaves before the answer ------------------------------------------------------------------------------
cat >keep.py <<'PROGRAM'
import http.server, sys, urllib.request
class Keep(http.server.BaseHTTPRequestHandler):
    def log_message(self, *args):
        pass
    def say(self, status, kind, body):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def do_GET(self):
        with urllib.request.urlopen(sys.argv[1] + self.path[self.path.index("?"):]) as r:
            self.say(200, r.headers["Content-Type"], r.read())
    def do_POST(self):
        with open("message", "wb") as f:
            f.write(self.rfile.read(int(self.headers["Content-Length"])))
        self.say(500, "text/plain", b"")
server = http.server.HTTPServer(("127.0.0.1", 0), Keep)
with open("keep.port", "w") as f:
    f.write(str(server.server_port))
server.serve_forever()
PROGRAM
cat >leave.py <<'PROGRAM'
import socket, struct, sys, time
with open("message", "rb") as f:
    body = f.read()
for i in range(4):
    s = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    s.sendall(b"POST /limited/mscep.dll?operation=PKIOperation HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n"
              % len(body) + body)
    time.sleep(0.2)
    s.close()
    time.sleep(0.8)
PROGRAM
python3 keep.py "$(url_of limited)" &
alive[$!]=keep
until_true 10 test -s keep.port
# shellcheck disable=SC2046
device "http://127.0.0.1:$(cat keep.port)/x" kept --cn kept $(with wrong)
python3 leave.py "$(port_of plain)"
ok "refused four times and never there to hear it: the limit of three counts him" \
    is "$(http_code --data-binary x "$(url_of limited)?operation=PKIOperation")" 429

# ---- the others' requests --------------------------------------------------------------------------------------
for n in 1 2 3 4; do
    # shellcheck disable=SC2046
    "$B/scep-device" enrol --url "$(url_of slow)" --temper strongswan --cn "slow-$n" $(with "slow-$n") \
        --out "slow-$n.pem" --poll 0 >"slow-$n.out" 2>&1 &
    alive[$!]=device
done
until_true 10 grep -q "ScepRequestReceived.*CN=slow" "$log"
from=$(now_ms)
ask beside adcs ContosoUser
ok "strangers are being judged: a request of the cloud's goes on at the same CA" until_true 5 is_delivered "$id"
took_ms=$(($(now_ms) - from))
ok "... and did not wait for them ($took_ms ms)" test "$took_ms" -lt 5500

# ---- what is taken out of the configuration --------------------------------------------------------------------
echo later >notify
# shellcheck disable=SC2046
ok "issued, and the plugin cannot be told yet" waits_for "$(url_of gone)" left --cn left $(with left)
# shellcheck disable=SC2046
ok "the same at the other CA" waits_for "$(url_of slow)" there --cn there $(with there)
ask undecided adcs ManualUser
until_true 10 is_state "$id" pending
kill -KILL "$agent_pid"
agent_ended 2>agent.err
rm "$(dirname "$conf")/conf.d/scep-gone.conf"
orphans() { # CN
    cf orphans list --json
    count out '$.data.orphans' "json_extract(value, '\$.subject') = 'CN=$1'"
}
is_orphan() { is "$(orphans "$1")" 1; }
agent_start
ok "its section is gone: the certificate is an orphan" until_true 10 is_orphan left
ok "the service lives" agent_stop
rm "$(dirname "$conf")/conf.d/scep-slow.conf"
sed -i '/^ca "adcs"/,/^}/d' "$conf"
agent_start
ok "the CA is gone as well: an orphan" until_true 10 is_orphan there
ok "what the cloud asked for there waits for an administrator" until_true 60 is_state "$id" held
ok "the service lives" agent_stop
sed -i '/^cloud/,/^}/d' "$conf"
echo now >notify
agent_start
# shellcheck disable=SC2046
ok "without a cloud: devices get certificates" gets "$(url_of one)" alone --cn alone $(with alone)
ok "the service stops" agent_stop
finish
