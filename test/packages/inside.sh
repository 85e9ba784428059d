# Runs in the container of boot.sh as root, once for each boot; /opt/trial/stage says which.
set -u
cd /opt/trial || exit 1
exec 3>>tap
echo "# begin" >&3
ok() { # DESCRIPTION COMMAND...
    local what=$1
    shift
    if "$@" >ok.out 2>&1; then
        echo "ok - $what" >&3
    else
        echo "not ok - $what" >&3
        { echo "$*"; tail -n 12 ok.out; } | sed 's/^/#     /' >&3
    fi
}
is() { [ "$1" = "$2" ] || { echo "got: $1, wanted: $2"; false; }; }
not() { ! "$@"; }
until_true() { # SECONDS COMMAND...
    local end=$((SECONDS + $1))
    shift
    while ! "$@" >until.out 2>&1; do
        [ $SECONDS -lt $end ] || { cat until.out; return 1; }
        sleep 0.2
    done
}
active() { is "$(systemctl is-active certferry)" "$1"; }
property() { systemctl show -P "$1" certferry; }
ctl() { ./certferry-sandbox ctl /srv/sandbox "$@"; }
number() { ctl summary | grep -o "\"$1\": *[0-9]*" | head -n 1 | grep -o '[0-9]*$'; }
requests() { # PREFIX COUNT
    local n comma=''
    {
        echo '['
        for n in $(seq "$2"); do
            echo "$comma{\"parameters\": {\"certificationAuthorityName\": \"adcs\", \"certificateTemplateName\": \"ContosoUser\",
              \"keyAlgorithm\": \"ecP256\", \"keySize\": null, \"keyUsage\": [\"digitalSignature\"],
              \"subject\": [[{\"type\": \"CN\", \"value\": \"$1-$n\"}]],
              \"subjectAlternativeNames\": [{\"sanType\": \"emailAddress\", \"name\": \"$1-$n@contoso.example\"}]}}"
            comma=,
        done
        echo ']'
    } >ask.json
    ctl requests ask.json >ask.out
}
as() { # USER COMMAND...
    local user=$1
    shift
    setpriv --reuid="$user" --regid="$user" --init-groups -- "$@"
}
# The code is read from the screen and approved somewhere else.
person_signs_in() {
    local pid code=''
    certferry sign-in --cloud 127.0.0.1:18443/ccp --trust /etc/certferry/tls-ca.pem >sign-in.out 2>person </dev/null &
    pid=$!
    until_true 20 grep -q 'enter the code' person
    code=$(sed -n 's/.*enter the code *//p' person)
    ctl approve-code "${code:-none}" >ctl.out
    wait $pid || { cat person sign-in.out; return 1; }
}
way_out() { # USER:PASSWORD
    (umask 077 && echo "$1" >proxy-login)
    certferry proxy set 127.0.0.1:3128 --credentials-file proxy-login 2>way.err
}
through_proxy() { # COUNT: at least so many connections
    [ ! -x tinyproxy ] || test "$(grep -c 'CONNECT 127.0.0.1:18443' proxy.log)" -ge "$1"
}
bootstrap_again() {
    (umask 077 && ctl bootstrap >token)
    certferry sign-in --bootstrap-file token
}
doctor_is_content() {
    certferry doctor >doctor.out 2>&1
    ok "doctor has no FAIL" grep -q '^SUMMARY: .* 0 fail' doctor.out
    grep -E -A 1 '^(WARN|FAIL)|^SUMMARY' doctor.out | cut -c1-200 | sed 's/^/#     /' >&3
}
delivered() { is "$(number delivered) $(number open)" "$1 0"; }

case $(cat stage) in
install)
    ok "the package is installed" dpkg -i certferry.deb
    ok "its user is there" id certferry
    ok "its folder is closed" is "$(stat -c '%U %a' /var/lib/certferry)" "certferry 700"
    ok "it is not enabled" is "$(systemctl is-enabled certferry)" disabled
    ok "and does not run" active inactive
    ok "service status says so" is "$(certferry service status >status.out; echo $?)" 7
    ok "not configured: check says what is missing" not certferry check
    ok "not configured: start fails" not certferry service start
    mv /etc/certferry/certferry.conf kept.conf
    ok "no configuration at all: nor does it start" is "$(certferry service start >start.out 2>&1; echo $?)" 7
    ok "and says why" grep -q 'condition of its unit' start.out
    mv kept.conf /etc/certferry/certferry.conf
    systemctl reset-failed certferry 2>/dev/null
    until_true 30 test -e /srv/sandbox/ready
    # ---- what the administrator writes: where certificates come from
    cp /srv/sandbox/tls-ca.pem /srv/sandbox/root-ca.pem /etc/certferry/
    sed -n '/^ca /,/^}/p' /srv/sandbox/certferry.conf |
        sed -e 's:/srv/sandbox/ca-password.txt:secret\:sandbox:' -e 's:/srv/sandbox/:/etc/certferry/:' >>/etc/certferry/certferry.conf
    # ---- what commands write, and root runs them
    ok "secret set" certferry secret set sandbox --file /srv/sandbox/ca-password.txt
    if [ -x tinyproxy ]; then
        ok "proxy set with a wrong password: nothing is set" not way_out ferry:wrong
        ok "and the proxy is named" grep -qE '407|proxy' way.err
        ok "nothing is written" not test -e /etc/certferry/conf.d/60-proxy.conf
        ok "proxy set with the right one: it is tried" way_out ferry:trial-proxy-pw
    else
        ok "proxy set none: it is tried" certferry proxy set none
    fi
    ok "sign-in with a code: a person approves" person_signs_in
    ok "the code and where to type it were on the screen" grep -q 'enter the code' person
    ok "config set" certferry config set cloud.poll_interval 2
    ok "each wrote a file of its own" is "$(cd /etc/certferry/conf.d && echo *)" "50-sign-in.conf 60-proxy.conf 90-config.conf"
    ok "which the service may read, root may write, and nobody else may see" is \
        "$(stat -c "%U:%G %a" /etc/certferry/conf.d/* | uniq)" "root:certferry 640"
    ok "the service's user can read them" as certferry cat /etc/certferry/conf.d/*.conf
    ok "the secrets are the service's" is "$(find /var/lib/certferry/secrets ! \( -user certferry -perm 600 \) ! -type d)" ''
    ok "whoami" certferry whoami
    ok "configured: check, as root" certferry check
    ok "and as the service's user, who will have to read it all" as certferry certferry check
    requests first 5
    ok "service install enables it" certferry service install
    ok "it uses the package's unit" not test -e /etc/systemd/system/certferry.service
    ok "service start waits until it is ready" certferry service start
    ok "it runs" active active
    ok "as its own user" is "$(ps -o user= -p "$(property MainPID)" 2>/dev/null || stat -c %U "/proc/$(property MainPID)")" certferry
    ok "without any capability" grep -q '^CapEff:[[:space:]]*0000000000000000$' "/proc/$(property MainPID)/status"
    ok "under seccomp" grep -q '^Seccomp:[[:space:]]*2$' "/proc/$(property MainPID)/status"
    ok "five requests: delivered" until_true 60 delivered 5
    ok "through the proxy" through_proxy 3
    doctor_is_content
    ok "and says what systemd knows: restarts, watchdog, sandbox" grep -q 'PASS *SVC-02 .*no restart.*watchdog 1min.*sandbox whole' doctor.out
    # ---- what root can read is not all that the service can
    (umask 077 && echo 'cloud { poll_interval = 3 }' >/etc/certferry/conf.d/96-by-hand.conf)
    certferry doctor --only PERM >doctor.out 2>&1
    ok "doctor names a file that the service cannot read" grep -q 'FAIL *PERM-01 .*96-by-hand.conf: the service.s user certferry .* cannot read it' doctor.out
    rm /etc/certferry/conf.d/96-by-hand.conf
    ok "root's status command asks it" certferry status
    ok "systemd shows its status line" until_true 20 sh -c 'systemctl show -P StatusText certferry | grep -q "5 delivered"'
    pid=$(property MainPID)
    certferry config set cloud.poll_interval 1 >set.out 2>&1
    ok "config set, then service reload: taken over" certferry service reload
    ok "in the same process" is "$(property MainPID)" "$pid"
    echo 'cloud { poll_interval = 3 }' >/etc/certferry/conf.d/95-trial.conf
    ok "systemctl reload takes the new configuration over" systemctl reload certferry
    ok "in the same process" is "$(property MainPID)" "$pid"
    ok "and it is active" active active
    echo 'cloud { poll_intervall = 3 }' >/etc/certferry/conf.d/95-trial.conf
    ok "systemctl reload fails with a wrong one" not systemctl reload certferry
    ok "the service goes on" active active
    ok "with what it had" sh -c 'certferry service status | grep -q "REFUSED"'
    rm /etc/certferry/conf.d/95-trial.conf
    requests second 3
    ok "and delivers" until_true 60 delivered 8
    ok "root's commands leave nothing behind that is root's" is "$(find /var/lib/certferry ! -user certferry)" ''
    systemd-analyze security --no-pager certferry 2>/dev/null | grep Overall | sed 's/^/# /' >&3
    ok "its secrets are locked in memory" not journalctl -q -u certferry --grep MemoryNotLocked
    ok "nothing was refused by the filter of system calls, and no crash" not journalctl -q -u certferry --grep 'SIGSYS|core-dump|Watchdog'
    ;;
reboot)
    ok "after the reboot it runs" until_true 30 active active
    requests third 4 # the sandbox begins with empty books
    ok "and delivers" until_true 60 delivered 4
    # ---- the watchdog: the program with crash points stands still once
    mkdir -p /etc/systemd/system/certferry.service.d
    cat >/etc/systemd/system/certferry.service.d/stick.conf <<'UNIT'
[Service]
WatchdogSec=4
RestartSec=1
Environment=CERTFERRY_STICK_AT=CP07:/var/lib/certferry/stick
ExecStart=
ExecStart=/opt/trial/certferry-crash run
UNIT
    systemctl daemon-reload
    install -o certferry -m 600 /dev/null /var/lib/certferry/stick
    systemctl restart certferry
    requests stuck 4
    ok "it sticks" until_true 30 test ! -e /var/lib/certferry/stick
    ok "the log says so before systemd acts" until_true 30 sh -c 'journalctl -q -u certferry | grep -q WatchdogStuck'
    ok "systemd's watchdog kills it" until_true 30 sh -c 'journalctl -q -u certferry | grep -q "Watchdog timeout"'
    ok "it is started again, and everything is delivered" until_true 60 delivered 8
    ok "one service, started once more" is "$(property NRestarts)" 1
    ok "nothing is lost" is "$(number lost)" 0
    doctor_is_content
    ok "it tells of the restart" grep -q "WARN *SVC-02 .*restarts by systemd: 1 .*watchdog 4s; sandbox whole" doctor.out
    journalctl -q -u certferry -o cat | grep -E 'WatchdogStuck|Watchdog timeout' | head -n 2 | cut -c1-200 | sed 's/^/#     /' >&3
    rm -r /etc/systemd/system/certferry.service.d
    systemctl daemon-reload
    systemctl restart certferry
    # ---- another identity, beside the running service
    ok "sign-in with a bootstrap token" bootstrap_again
    requests again 2
    ok "the next requests are the new identity's" until_true 60 delivered 10
    # ---- upgrade
    pid=$(property MainPID)
    echo '# edited by hand' >>/etc/certferry/certferry.conf
    ok "upgrade" dpkg -i newer.deb
    ok "a running service is restarted" until_true 20 sh -c "test \"\$(systemctl show -P MainPID certferry)\" != $pid"
    ok "and runs" until_true 20 active active
    ok "the conffile is the administrator's" grep -q 'edited by hand' /etc/certferry/certferry.conf
    ok "still enabled" is "$(systemctl is-enabled certferry)" enabled
    requests fourth 2
    ok "and delivers" until_true 60 delivered 12
    # ---- a backup by root, and back
    ok "store backup beside the running service" certferry store backup /var/backups/certferry-one
    ok "is root's" is "$(stat -c '%U %a' /var/backups/certferry-one)" "root 600"
    ok "store restore under the running service is refused" is "$(certferry store restore /var/backups/certferry-one >restore.out 2>&1; echo $?)" 14
    systemctl stop certferry
    ok "store restore" certferry store restore /var/backups/certferry-one
    ok "what it wrote is the service's" is "$(find /var/lib/certferry ! -user certferry)" ''
    systemctl start certferry
    requests fifth 2
    ok "and delivers" until_true 90 delivered 14
    ;;
remove)
    ok "after another reboot it runs" until_true 30 active active
    ok "remove" dpkg -r certferry
    ok "the service is stopped" not systemctl is-active -q certferry
    ok "configuration and store stay" ls /etc/certferry/certferry.conf /var/lib/certferry/certferry.db
    rm -f /etc/certferry/*.pem /etc/certferry/*.key /etc/certferry/*.txt /var/backups/certferry-one # the administrator's own
    ok "purge" dpkg -P certferry
    left() { find / -xdev \( -path /proc -o -path /sys -o -path /opt/trial -o -path /srv -o -path /var/log -o -path /tmp -o \
        -path /run -o -path /usr/share -prune \) -prune -o -iname '*certferry*' -print; }
    ok "nothing is left" is "$(left)" ''
    ok "nor its user" not id certferry
    ;;
esac
echo "# end" >&3
