#!/bin/bash
# status in all its forms: the screen, watched on a terminal, waited for, as a page; with and without a service.
# Prints TAP.
#
#   B=build/asan test/live/watch_status.sh
# shellcheck source=test/live/live.bash
. "$(dirname "$(realpath "$0")")/live.bash"

on_a_terminal() { # SECONDS COMMAND...: everything it painted stands in ./painted
    /usr/bin/python3 - "$@" <<'PY'
import os, pty, select, signal, sys, time
pid, fd = pty.fork()
if pid == 0:
    os.execv(sys.argv[2], sys.argv[2:])
end, out = time.monotonic() + float(sys.argv[1]), b""
while time.monotonic() < end:
    if select.select([fd], [], [], 0.2)[0]:
        try:
            out += os.read(fd, 65536)
        except OSError:
            break
os.kill(pid, signal.SIGINT)
os.waitpid(pid, 0)
open("painted", "wb").write(out)
PY
}

sandbox_start quiet
ok "no service, no store: status fails, exit 13" exits 13 status
ok "it says that nothing has run yet" says err 'no service has run yet' 'certferry service start'
ok "it makes nothing" not test -e "$dir/state"
ok "nor is anything listed: exit 13" exits 13 requests list
ok "--wait ready without a service: exit 11" exits 11 status --wait ready --timeout 1s
ok "says why" says err 'not ready after 1 s' 'no service is running' 'fix:'
ok "--json has the same exit" exits 11 status --wait ready --timeout 1 --json
ok "in its error" is "$(get out '$.error.exit')" 11
ok "--wait for something else: usage" exits 2 status --wait christmas
ok "--wait with a time: usage" exits 2 status --wait 10s

"$B/certferry" status --wait ready --timeout 60 --config "$conf" >waited 2>waited.err &
waiter=$!
alive[$waiter]=waiter
ask_many user 5 adcs ContosoUser
agent_start
wait $waiter
ok "--wait ready ends when the service is ready" is $? 0
unset "alive[$waiter]"
ok "and shows it" says waited "running for"
done5() { exits 0 status --wait idle --timeout 60 && says out '5 delivered'; }
ok "--wait idle" until_true 20 done5
ok "and again" exits 0 status --wait idle --timeout 60
ok "then all are done" says out 'Queue    0 ready, 0 retrying, 0 pending, 0 held'
ok "the last day is counted" exits 0 status --json
ok "as the sandbox counts" is "$(get out '$.data.lastDay.delivered') $(get out '$.data.lastDay.rejected')" \
    "$(ctl summary >s.out; get s.out '$.delivered') $(get s.out '$.denied')"
ok "the last outcomes are there" is "$(get out '$.data.outcomes[0].state')" delivered

fault ca.submit pending '"polls":-1,"count":-1'
ask waits adcs ContosoUser
ok "one pending" until_true 20 is_state "$id" pending
ok "the queue says whom it waits for" exits 0 status
named() { exits 0 status && says out '1 pending, wait for ca adcs'; } # now and then it is being asked for
ok "by name" until_true 20 named
ok "--wait idle: that one does not count" exits 0 status --wait idle --timeout 20

# ---- a page ---------------------------------------------------------------------------------------------------
ok "--html writes a page" exits 0 status --html page.html
ok "with what there is" says page.html '<!DOCTYPE html>' 'default-src' adcs 'Last outcomes' '</html>'
ok "of tags that close" /usr/bin/python3 - page.html <<'PY'
import sys
from html.parser import HTMLParser
class P(HTMLParser):
    stack = []
    def handle_starttag(self, tag, attrs):
        assert tag != "script", tag
        if tag not in ("meta",): self.stack.append(tag)
    def handle_endtag(self, tag):
        assert self.stack.pop() == tag, tag
p = P(); p.feed(open(sys.argv[1]).read()); assert p.stack == [], p.stack
PY
ok "into a folder that is not there: exit 9" exits 9 status --html nowhere/page.html
ok "--html in the place of an older page" exits 0 status --html page.html
ok "nothing of it is left" is "$(find . -maxdepth 1 -name '*page.html*' | wc -l)" 1

# ---- a terminal -----------------------------------------------------------------------------------------------
ok "--watch without a terminal: usage" exits 2 status --watch
on_a_terminal 6 "$B/certferry" status --watch --config "$conf"
ok "--watch paints more than once" test "$(grep -c 'running for' painted)" -ge 2
ok "in the same place" says painted $'\e[H\e[J'

ok "agent stops" agent_stop
ok "without a service: exit 7" exits 7 status
ok "what the store holds" says out 'no service is running' '1 pending, wait for ca adcs' 'Cert' \
    'ago: cloud ok, adcs ok'
ok "a page of it" exits 7 status --html page.html
ok "that says so" says page.html 'No service is running'
finish
