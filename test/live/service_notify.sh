#!/bin/bash
# What the service manager hears: ready, alive, ending; and that it hears nothing any more from a service that is
# stuck, which says so in its log, is killed, and has lost nothing.  Prints TAP.
#
#   B=build/asan test/live/service_notify.sh
# shellcheck source=test/live/scep.bash
. "$(dirname "$(realpath "$0")")/scep.bash"

manager() { # ADDRESS NAME: what it hears is in NAME
    python3 "$root/test/live/notify.py" "$1" "$2" &
    manager_pid=$!
    alive[$manager_pid]=manager
    until_true 10 test -e "$2"
}
manager_ends() {
    kill "$manager_pid"
    wait "$manager_pid" 2>/dev/null
    unset "alive[$manager_pid]"
}
hears() { # FILE TEXT
    until_true 20 grep -qF -- "$2" "$1"
}
beats() { # FILE: how many WATCHDOG=1
    grep -c 'WATCHDOG=1' "$1"
}

sandbox_start cloud
scep_open
scep_section est est 'challenge = "none"'

# ---- a path ------------------------------------------------------------------------------------------------
manager "$work/notify" heard
agent_start NOTIFY_SOCKET="$work/notify" WATCHDOG_USEC=2000000
ok "READY=1 once it serves" hears heard "READY=1 STATUS=2 CAs, 1 SCEP endpoints"
ok "not before it listens" says "$log" "listens on port"
sleep 3
n=$(beats heard)
ok "WATCHDOG=1 at least every half of WATCHDOG_USEC ($n in 3 s)" test "$n" -ge 4 -a "$n" -le 16
ok "STATUS: what it does" says heard "requests worked on"
echo 'cloud { poll_interval = 33 }' | drop_in zz
ok "reload" exits 0 service reload
ok "RELOADING=1 with the time" grep -qE 'RELOADING=1 MONOTONIC_USEC=[0-9]+ STATUS=' heard
ready_again() { is "$(grep -c READY=1 heard)" 2; }
ok "READY=1 again" until_true 10 ready_again
n=$(beats heard)
more() { [ "$(beats heard)" -gt $((n + 2)) ]; }
ok "the one that took over is alive, too" until_true 10 more
ok "SIGTERM: exit 0" agent_stop
ok "STOPPING=1" hears heard "STOPPING=1 STATUS=finishing"
manager_ends

# ---- an abstract name; no watchdog -------------------------------------------------------------------------
manager "@certferry-test-$$" abstract
agent_start NOTIFY_SOCKET="@certferry-test-$$"
ok "an abstract name: READY=1" hears abstract "READY=1"
sleep 1
ok "no WATCHDOG_USEC: no WATCHDOG=1" is "$(beats abstract)" 0
agent_stop
manager_ends

# ---- what fails is not stuck: the cloud is away ------------------------------------------------------------
manager "$work/away.notify" away
fault cloud.download drop-before '"count":-1'
agent_start NOTIFY_SOCKET="$work/away.notify" WATCHDOG_USEC=1000000
sleep 4
n=$(beats away)
ok "a cloud that does not answer is no reason to be killed ($n in 4 s)" test "$n" -ge 8
ok "nothing is said to be stuck" not grep -q WatchdogStuck "$log"
agent_stop
manager_ends
sandbox_stop

# ---- a loop that stands still ------------------------------------------------------------------------------
sandbox_start stuck
manager "$work/stuck.notify" stuck.heard
ask_many stuck 4 adcs ContosoUser
touch stick
agent_start NOTIFY_SOCKET="$work/stuck.notify" WATCHDOG_USEC=2000000 CERTFERRY_STICK_AT="CP07:$work/stick"
is_stuck() { [ ! -e stick ]; }
if until_true 20 is_stuck; then
    sleep 0.5
    n=$(beats stuck.heard)
    ok "the log says that it stands still, and where" until_true 10 grep -q \
        'WatchdogStuck.*stood still.*answers, timers and commands' "$log"
    sleep 2
    ok "the manager hears nothing any more" is "$(beats stuck.heard)" "$n"
    kill -KILL "$agent_pid" # what systemd does when WatchdogSec is over
    agent_ended 2>agent.err
    agent_start NOTIFY_SOCKET="$work/stuck.notify" WATCHDOG_USEC=2000000 CERTFERRY_STICK_AT="CP07:$work/stick"
    all() { ctl summary >summary.out && is "$(get summary.out '$.delivered') $(get summary.out '$.open')" "4 0"; }
    ok "started again: all four are delivered" until_true 60 all
    ok "none is lost" is "$(get summary.out '$.lost')" 0
    ok "SIGTERM: exit 0" agent_stop
else
    skip "a loop that stands still" "this build has no crash points"
    agent_stop
fi
manager_ends
finish
