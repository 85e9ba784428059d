#!/bin/bash
# The packages themselves: the same bytes from another folder at another time, lintian, hardening, the list of parts,
# the unit's score.  Prints TAP.
#
#   B=build/rel DEB_CC="ccache gcc" test/packages/deb.sh
# shellcheck source=test/live/tap.bash
. "$(dirname "$(realpath "$0")")/../live/tap.bash"
version=$(sed -n 's/^VERSION = //p' "$root/Makefile")
for p in dpkg-buildpackage dh lintian readelf; do
    command -v $p >/dev/null || { skip "Debian packages" "$p is not installed (make deps)"; finish; exit; }
done

# ---- twice, elsewhere, later --------------------------------------------------------------------------------
ok "make deb" "$root/packaging/build-deb.sh" "$work/one" "$version"
sleep 2
ok "make deb in another folder" env TZ=Asia/Tokyo LC_ALL=C.UTF-8 "$root/packaging/build-deb.sh" \
    "$work/another/and/deeper" "$version"
same() { (cd "$work/one" && sha256sum -- *.deb) >one.sums && (cd another/and/deeper && sha256sum -c --quiet "$work/one.sums"); }
ok "the same bytes, debugging symbols too" same
sed 's/^/# /' one.sums

ok "lintian: no error, no warning" lintian --allow-root --no-tag-display-limit --fail-on error,warning one/*.changes

# ---- what is in it -----------------------------------------------------------------------------------------
dpkg-deb -x one/certferry_*.deb tree
dpkg-deb -e one/certferry_*.deb control
program=tree/usr/bin/certferry
ok "the manual pages, the unit, its user and folders" ls tree/usr/share/man/man1/certferry.1.gz \
    tree/usr/share/man/man5/certferry.conf.5.gz tree/usr/share/man/man5/certferry-plugin.5.gz \
    tree/lib/systemd/system/certferry.service tree/usr/lib/sysusers.d/certferry.conf tree/usr/lib/tmpfiles.d/certferry.conf
plugins() { is "$(cd tree/usr/lib/certferry/plugins && echo *.so)" "ccp.so exec.so intune.so otp.so signed.so webhook.so"; }
ok "the plugins" plugins
ok "certferry.conf is a conffile" grep -qx /etc/certferry/certferry.conf control/conffiles
ok "the program of the package runs" "$program" version
ok "no folder of the build in the program" nowhere "$work" "$program"
ok "nor of the sources" nowhere "$root" "$program"

# ---- hardening ---------------------------------------------------------------------------------------------
readelf -hlWd --notes "$program" >elf
readelf -W --dyn-syms "$program" >symbols
ok "PIE" grep -q 'Type:.*DYN' elf
ok "full RELRO" grep -q 'BIND_NOW\|Flags:.*NOW' elf
ok "RELRO segment" grep -q GNU_RELRO elf
ok "no executable stack" grep -qE 'GNU_STACK.* RW ' elf
ok "stack protector" grep -q __stack_chk_fail symbols
ok "_FORTIFY_SOURCE=3: checked calls" test "$(grep -c '__[a-z]*_chk' symbols)" -ge 5
# The note of the whole file needs start-up code of the system that has it, too; so look at ours.
branches() { objdump -d "$program" | grep -c endbr64; }
if [ "$(uname -m)" = x86_64 ]; then ok "CET: places that may be jumped to are marked" test "$(branches)" -ge 500; fi
dpkg-deb -x one/certferry-dbgsym_*.deb debug
readelf --debug-dump=info debug/usr/lib/debug/.build-id/*/*.debug 2>/dev/null | grep -m 1 'DW_AT_producer.*GNU C' >flags
ok "stack clash protection" says flags -fstack-clash-protection
for p in tree/usr/lib/certferry/plugins/*.so; do
    readelf -lWd "$p" >elf.plugin
    ok "$(basename "$p"): full RELRO, no executable stack" is \
        "$(grep -c 'BIND_NOW' elf.plugin) $(grep -c 'GNU_STACK.* RW ' elf.plugin)" "1 1"
done

# ---- the list of parts -------------------------------------------------------------------------------------
bom=tree/usr/share/doc/certferry/certferry.cdx.json
ok "the list of parts is JSON, CycloneDX" is "$(get $bom '$.bomFormat')" CycloneDX
readelf -d "$program" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' >needed
listed() {
    local l
    while read -r l; do
        [ "$(count $bom '$.components' "value like '%\"$l\"%'")" -eq 1 ] || { echo "$l is not in it"; return 1; }
    done <needed
}
ok "every library the program names is in it, once" listed
ok "with a package and a version" is "$(count $bom '$.components' "json_extract(value, '\$.version') = 'unknown'")" 0

# ---- the unit ----------------------------------------------------------------------------------------------
if command -v systemd-analyze >/dev/null; then
    unit=tree/lib/systemd/system/certferry.service
    ok "systemd-analyze security: 1.5 or better" systemd-analyze security --offline=true --threshold=15 $unit
    systemd-analyze security --offline=true $unit 2>/dev/null | grep 'Overall' | sed 's/^/# /'
    sed 's:/usr/bin/certferry:/bin/true:' $unit >certferry.service
    clean() { systemd-analyze verify --man=no ./certferry.service 2>&1 | grep -v 'Command .* is not executable' >verify.out; not test -s verify.out || { cat verify.out; false; }; }
    ok "systemd-analyze verify has nothing to say" clean
else
    skip "the unit" "systemd-analyze is not installed"
fi

# ---- RPM ---------------------------------------------------------------------------------------------------
if command -v rpmbuild >/dev/null; then
    ok "make rpm" env RPM_CC="${DEB_CC:-gcc}" "$root/packaging/build-rpm.sh" "$work/rpm" "$version"
    rpm -qpl rpm/*.rpm >rpm.list 2>/dev/null
    ok "the same program, unit and pages" says rpm.list /usr/bin/certferry /usr/lib/systemd/system/certferry.service \
        /usr/share/man/man1/certferry.1 /usr/lib/certferry/plugins/intune.so /etc/certferry/certferry.conf
else
    skip "RPM" "rpmbuild is not installed"
fi
finish
