#!/bin/bash
# The RPM package: build-rpm.sh FOLDER VERSION.  RPM_CC names another compiler.
set -euo pipefail
mkdir -p "$1"
out=$(realpath "$1") version=$2
cd "$(dirname "$0")/.."
command -v rpmbuild >/dev/null || { echo "rpm: rpmbuild is missing: make deps" >&2; exit 1; }
top=$out/rpm
rm -rf "$top"
mkdir -p "$top/SOURCES"
{ git ls-files --cached --others --exclude-standard 2>/dev/null || find . -path ./build -prune -o -type f -print; } |
    while read -r f; do [ ! -e "$f" ] || echo "$f"; done |
    tar -czf "$top/SOURCES/certferry-$version.tar.gz" --transform "s:^:certferry-$version/:" -T -
on_debian=()
[ ! -e /etc/debian_version ] || on_debian=(--define "certferry_on_debian 1")
rpmbuild -bb --define "_topdir $top" --define "certferry_version $version" "${on_debian[@]}" \
    --define "certferry_make make -j$(nproc) CC=\"${RPM_CC:-gcc}\"" packaging/certferry.spec >"$top/log" 2>&1 ||
    { tail -n 30 "$top/log" >&2; echo "rpm: failed; the whole log is $top/log" >&2; exit 1; }
rm -f "$out"/certferry*.rpm
mv "$top"/RPMS/*/*.rpm "$out"
rm -rf "$top/BUILD" "$top/BUILDROOT"
ls "$out"/certferry*.rpm
