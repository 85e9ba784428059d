#!/bin/bash
# Installs the Debian packages listed in dependencies.txt, through sudo when not root.
#   --if-missing   first look which are there; quiet when all are
set -euo pipefail
list=$(dirname "$0")/dependencies.txt
wanted=$(sed -e 's/#.*//' "$list" | awk 'NF == 2 {print $2}')
missing=
for p in $wanted; do
    # A command of that name will do, wherever it came from.
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$p" 2>/dev/null)" = installed ] ||
        command -v "$p" >/dev/null || missing="$missing $p"
done
if [ -z "$missing" ]; then
    [ "${1:-}" = --if-missing ] || echo "deps: every package of $list is installed"
    exit 0
fi
echo "deps: installing$missing"
sudo=
[ "$(id -u)" = 0 ] || sudo=sudo
export DEBIAN_FRONTEND=noninteractive
$sudo apt-get update -q >/dev/null
# shellcheck disable=SC2086
$sudo apt-get install -y -q --no-install-recommends $missing >/dev/null
echo "deps: done"
