#!/bin/bash
# certferry service: unit files into an image and out again, what it says where no systemd runs, and a socket of the
# service manager's that is kept over a reload.  Prints TAP.
#
#   B=build/asan test/live/service_command.sh
# shellcheck source=test/live/scep.bash
. "$(dirname "$(realpath "$0")")/scep.bash"

sandbox_start cloud
scep_open
scep_section est est 'challenge = "none"'

# ---- an image ----------------------------------------------------------------------------------------------
mkdir image
unit=image/etc/systemd/system/certferry.service
if command -v systemctl >/dev/null; then
    ok "install --root: exit 0" exits 0 service install --root "$work/image"
    ok "says which unit" says all "$work/$unit is enabled"
    ok "it runs this program with this configuration" grep -qx "ExecStart=$B/certferry run --config $conf" $unit
    ok "no placeholder is left" not grep -rq '@[A-Z]*@' image
    ok "unit, user, folders" ls $unit image/etc/sysusers.d/certferry.conf image/etc/tmpfiles.d/certferry.conf
    ok "it is enabled" test -L image/etc/systemd/system/multi-user.target.wants/certferry.service
    if command -v systemd-analyze >/dev/null; then
        ok "its score: 1.5 or better" systemd-analyze security --offline=true --threshold=15 $unit
    fi
    ok "install again: the same" exits 0 service install --root "$work/image"
    ok "uninstall --root: exit 0" exits 0 service uninstall --root "$work/image"
    ok "says that data stay" says all "configuration and store stay"
    ok "nothing is left in the image" is "$(find image -not -type d)" ''
    mkdir -p image/usr/lib/systemd/system
    echo '[Service]' >image/usr/lib/systemd/system/certferry.service
    echo '[Install]
WantedBy=multi-user.target' >>image/usr/lib/systemd/system/certferry.service
    ok "where a package brought the unit, install writes none" exits 0 service install --root "$work/image"
    ok "but enables that" says all "usr/lib/systemd/system/certferry.service is enabled"
    ok "no file beside it" not test -e $unit
    ok "uninstall leaves the package's" exits 0 service uninstall --root "$work/image"
    ok "says so" says all "belong to a package"
    rm -r image/usr
    mkdir -p image/etc/systemd/system
    echo '# mine' >$unit
    ok "a unit of the administrator's stays as it is" exits 0 service install --root "$work/image"
    ok "untouched" is "$(cat $unit)" '# mine'
    mkdir "with space"
    cp "$conf" "with space/certferry.conf"
    # Whoever may write the program, or exchange it, would be the service.
    refuses_program() { # SAYS: $work/open/certferry is not made a service
        rm -rf other
        open/certferry service install --root "$work/other" --config "$conf" >out 2>err
        is $? 6 && says err 'open' "$1" 'only root may write' && not test -e other || { cat out err; false; }
    }
    mkdir -m 755 open && cp "$B/certferry" open/certferry && chmod 775 open/certferry
    ok "a program that others may write: refused" refuses_program 'others may write it (mode 0775)'
    chmod 755 open/certferry && chmod 777 open
    ok "a folder in which others may exchange it: refused" refuses_program 'others may write it (mode 0777)'
    chmod 755 open
    if [ "$(id -u)" -eq 0 ]; then
        chown 65534 open/certferry
        ok "a program of another user's: refused" refuses_program 'neither root nor us'
        chown 0 open/certferry
    fi
    mkdir other
    ok "mended: installed" open/certferry service install --root "$work/other" --config "$conf"
    rm -rf other
    ok "a path that a unit cannot name: refused" is "$("$B/certferry" service install --root "$work/other" --config \
        "$work/with space/certferry.conf" 2>err >out; echo $?)" 6
    ok "says why" says err "without spaces"
else
    skip "service install --root" "systemctl is not installed"
fi

# ---- no systemd runs here ----------------------------------------------------------------------------------
if [ ! -d /run/systemd/system ]; then
    for verb in install uninstall start restart; do
        ok "service $verb without systemd: exit 7" exits 7 service $verb
        ok "says so, and what to do" says all "does not run systemd" "fix:"
    done
fi
ok "service stop: none runs, exit 7" exits 7 service stop
ok "service reload: none runs, exit 7" exits 7 service reload
ok "in three lines, as every error" says err 'error[SERVICE] no service' '  seen: ' '  fix:  certferry service start'
ok "service status: none runs, exit 7" exits 7 service status
ok "says so" says out "running:   no"
ok "service status --json" exits 7 service status --json
ok "has it" is "$(get out '$.data.running')" 0
ok "an unknown verb: usage" exits 2 service frobnicate

# ---- a configuration by a relative path ----------------------------------------------------------------------
whole=$conf
conf=cloud/certferry.conf
agent_start
echo 'cloud { poll_interval = 39 }' | drop_in zz
ok "a relative path: reload: exit 0" exits 0 service reload
ok "begins anew" is "$(grep -c ServiceStarted "$log")" 2
ok "service stop: exit 0" exits 0 service stop
agent_ended
rm "$dir/conf.d/zz.conf"
conf=$whole

# ---- a socket of the service manager's ---------------------------------------------------------------------
printf 'listen "plain" { address = "systemd:web" }\n' | drop_in zz-socket
log=$work/said/log-socket
python3 "$root/test/live/listen.py" web "$B/certferry" run --config "$conf" 2>"$log" &
agent_pid=$!
alive[$agent_pid]=agent
until_true 30 grep -q ServiceStarted "$log"
port=$(cat port)
ok "it serves on the socket that was passed" health_is "http://127.0.0.1:$port/est/mscep.dll?operation=GetCACaps" 200
for n in 1 2; do
    echo "cloud { poll_interval = 4$n }" | drop_in zz
    ok "reload $n: exit 0" exits 0 service reload
    ok "begins anew" is "$(grep -c ServiceStarted "$log")" $((n + 1))
    ok "still on that socket" health_is "http://127.0.0.1:$port/est/mscep.dll?operation=GetCACaps" 200
done
printf 'listen "more" { address = "systemd:more" }\n' | drop_in zz
ok "a socket that was not passed: refused" exits 6 service reload
ok "says so" says all "systemd:more"
ok "service status: the pid, and the refusal" exits 0 service status
ok "in words" says out "pid $agent_pid" "REFUSED"
rm "$dir/conf.d/zz.conf"
ok "service stop: exit 0" exits 0 service stop
agent_ended
ok "the service ended well" is $rc 0
finish
