#!/bin/bash
# The Debian package: build-deb.sh FOLDER VERSION
#
# From a copy of the sources, so that nothing of an earlier build is in it; debian/ is packaging/debian.  DEB_CC names
# another compiler, as "ccache gcc".
set -euo pipefail
mkdir -p "$1"
out=$(realpath "$1") version=$2
cd "$(dirname "$0")/.."
for p in dpkg-buildpackage dh; do
    command -v $p >/dev/null || { echo "deb: $p is missing: make deps" >&2; exit 1; }
done
tree=$out/deb/certferry-$version
rm -rf "$out/deb"
mkdir -p "$tree"
{ git ls-files --cached --others --exclude-standard 2>/dev/null || find . -path ./build -prune -o -type f -print; } |
    while read -r f; do [ ! -e "$f" ] || echo "$f"; done | tar -cf - -T - | tar -xf - -C "$tree"
cp -r packaging/debian "$tree/debian"
for f in service sysusers tmpfiles; do cp "packaging/systemd/certferry.$f" "$tree/debian/certferry.$f"; done
sed -i -e 's:@PROGRAM@:/usr/bin/certferry:g' -e 's:@CONF@:/etc/certferry/certferry.conf:g' "$tree/debian/certferry.service"
(cd "$tree" && dpkg-buildpackage -b -us -uc -j"$(nproc)" >"$out/deb/log" 2>&1) ||
    { tail -n 30 "$out/deb/log" >&2; echo "deb: failed; the whole log is $out/deb/log" >&2; exit 1; }
rm -f "$out"/certferry*.deb
mv "$out"/deb/certferry*.deb "$out"
cp "$out"/deb/*.changes "$out"/deb/*.buildinfo "$out"
rm -rf "$tree"
ls "$out"/certferry*.deb
