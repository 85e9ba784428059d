#!/bin/bash
# The package on a machine with systemd, a container that is really booted: from nothing installed, signed in, started,
# rebooted, still delivering; a stuck service is killed by the watchdog and nothing is lost; upgraded, removed, purged.
# Prints TAP.
#
#   B=build/crash test/packages/boot.sh       needs root, debootstrap, systemd-nspawn; certferry of B with crash points
#
# The base system is made once, in build/packages/base.tar.  What happens inside is test/packages/inside.sh.
# shellcheck source=test/live/tap.bash
. "$(dirname "$(realpath "$0")")/../live/tap.bash"
need_programs certferry certferry-sandbox
no() { skip "the package in a container" "$1"; finish; exit; }
[ "$(id -u)" = 0 ] || no "not root"
for p in debootstrap systemd-nspawn dpkg-buildpackage setpriv; do command -v $p >/dev/null || no "$p is not installed (make deps)"; done
deb=$(ls "$root"/build/packages/certferry_*.deb 2>/dev/null | head -n 1)
[ -n "$deb" ] || bail "there is no package: make deb"
bash -n "$root/test/packages/inside.sh" || bail "inside.sh is no script"

# ---- the base ----------------------------------------------------------------------------------------------
base=$root/build/packages/base.tar
parts=systemd,systemd-sysv,dbus,init-system-helpers,ca-certificates,libcurl4,libuv1,libsqlite3-0,libjson-c5,libconfuse2
parts=$parts,libmicrohttpd12,libgnutls30,openssl
if [ ! -e "$base" ]; then
    timeout 900 debootstrap --variant=minbase --include=$parts bookworm made >debootstrap.log 2>&1 ||
        no "debootstrap does not work here: $(tail -n 1 debootstrap.log)"
    { tar -C made -cf "$base.$$" . && mv "$base.$$" "$base"; } || { rm -f "$base.$$"; bail "$base cannot be written"; }
    rm -rf made
fi
mkdir machine
tar -C machine -xf "$base" || bail "$base cannot be unpacked"

# ---- what goes in ------------------------------------------------------------------------------------------
mkdir -p machine/opt/trial
cp "$deb" machine/opt/trial/certferry.deb
cp "$B/certferry-sandbox" machine/opt/trial/
cp "$B/certferry" machine/opt/trial/certferry-crash
cp "$root/test/packages/inside.sh" machine/opt/trial/
# The same program in a package with a higher number.
dpkg-deb -R "$deb" newer && sed -i 's/^Version: .*/&+newer/' newer/DEBIAN/control
dpkg-deb -b newer machine/opt/trial/newer.deb >dpkg.out 2>&1 || bail "$(cat dpkg.out)"
rm -rf newer
mkdir -p machine/etc/systemd/system/graphical.target.wants machine/etc/systemd/system/multi-user.target.wants
cat >machine/etc/systemd/system/trial.service <<'UNIT'
[Unit]
Description=the trial
After=multi-user.target
[Service]
Type=oneshot
StandardOutput=append:/opt/trial/said
StandardError=append:/opt/trial/said
ExecStart=/bin/bash /opt/trial/inside.sh
ExecStopPost=/bin/systemctl --no-block poweroff
[Install]
WantedBy=graphical.target
UNIT
cat >machine/etc/systemd/system/sandbox.service <<'UNIT'
[Unit]
Description=cloud and CA
[Service]
ExecStart=/opt/trial/certferry-sandbox --dir /srv/sandbox --port 18443 --sign-in mtls --quiet
[Install]
WantedBy=multi-user.target
UNIT
# An authenticating proxy, if this machine has one to lend: it needs nothing but libc.
if command -v tinyproxy >/dev/null; then
    cp "$(command -v tinyproxy)" machine/opt/trial/
    cat >machine/opt/trial/tinyproxy.conf <<'PROXY'
Port 3128
Listen 127.0.0.1
Timeout 60
LogLevel Connect
LogFile "/opt/trial/proxy.log"
BasicAuth ferry trial-proxy-pw
ConnectPort 18443
PROXY
    cat >machine/etc/systemd/system/proxy.service <<'UNIT'
[Unit]
Description=the way out
[Service]
ExecStart=/opt/trial/tinyproxy -d -c /opt/trial/tinyproxy.conf
UNIT
    ln -sf /etc/systemd/system/proxy.service machine/etc/systemd/system/multi-user.target.wants/proxy.service
else
    skip "behind an authenticating proxy" "tinyproxy is not installed (make deps)"
fi
ln -sf /etc/systemd/system/trial.service machine/etc/systemd/system/graphical.target.wants/trial.service
ln -sf /etc/systemd/system/sandbox.service machine/etc/systemd/system/multi-user.target.wants/sandbox.service
ln -sf /lib/systemd/system/graphical.target machine/etc/systemd/system/default.target

# ---- may we? -----------------------------------------------------------------------------------------------
# The container ends with this script, however that ends; it may write for a moment more.
trap 'cleanup; for _ in {1..25}; do [ -n "${KEEP:-}" ] || [ ! -e "$work" ] || { sleep 0.2; rm -rf "$work" 2>/dev/null; }; done' EXIT
nspawn=(setpriv --pdeathsig KILL systemd-nspawn --register=no --keep-unit -q --private-network --system-call-filter=@memlock
    --machine="trial-$$" -D machine --console=pipe)
timeout 60 "${nspawn[@]}" /bin/true </dev/null >nspawn.out 2>&1 || no "systemd-nspawn does not work here: $(tail -n 1 nspawn.out)"

# ---- boots -------------------------------------------------------------------------------------------------
boot() { # NAME
    local from
    from=$(now_ms)
    echo "$1" >machine/opt/trial/stage
    : >machine/opt/trial/tap
    timeout 240 "${nspawn[@]}" -b </dev/null >"console-$1" 2>&1 &
    local pid=$!
    alive[$pid]=container
    wait $pid
    unset "alive[$pid]"
    echo "# boot \"$1\": $(($(now_ms) - from)) ms"
    # Before there is anything of ours in it: then it is no fault of ours.
    [ "$1" != install ] || grep -qx '# begin' machine/opt/trial/tap || no "systemd does not boot in a container here: $(tail -n 1 "console-$1")"
    while IFS= read -r line; do
        case $line in
        '# begin' | '# end') ;;
        ok\ *) ok "$1: ${line#ok - }" true ;;
        not\ ok*) ok "$1: ${line#not ok - }" false; failed=1 ;;
        *) echo "$line" ;;
        esac
    done <machine/opt/trial/tap
    ok "$1: the trial came to its end" grep -qx '# end' machine/opt/trial/tap
    if [ -n "${failed:-}" ] || ! grep -qx '# end' machine/opt/trial/tap; then
        tail -n 30 "console-$1" machine/opt/trial/said 2>/dev/null | sed 's/^/# /'
        failed=''
    fi
}
boot install
grep -q '# end' machine/opt/trial/tap || { finish; exit 1; }
boot reboot
boot remove
finish
