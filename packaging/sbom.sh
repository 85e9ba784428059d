#!/bin/bash
# A CycloneDX list of what a program was linked with: sbom.sh VERSION PROGRAM... -> standard output
#
# Made from the files themselves: the libraries they name, the packages these came from, and what was compiled in.
# No pipe here ends before its source does: that would be an error now and then.  Nothing of time or place is in it, so that the same build gives the same list.
set -euo pipefail
version=$1
shift

needed() { # FILE...: names of libraries, without the C library's own loader
    readelf -d "$@" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' | sort -u
}
path_of() { # LIBRARY
    ldconfig -p 2>/dev/null | awk -v n="$1" '$1 == n && !seen++ {print $NF}'
}
kind=rpm
[ ! -e /etc/debian_version ] || kind=deb
package_of() { # PATH -> "package version architecture"
    local p name
    for p in "$1" "$(realpath "$1")" "/usr$1"; do
        if [ $kind = rpm ]; then
            rpm -qf --qf '%{NAME} %{VERSION}-%{RELEASE} %{ARCH}\n' "$p" 2>/dev/null && return
        elif name=$(dpkg-query -S "$p" 2>/dev/null | sed -n 1p) && [ -n "$name" ]; then
            dpkg-query -W -f '${Package} ${Version} ${Architecture}\n' "${name%%: *}" | sed -n 1p
            return
        fi
    done
}
component() { # NAME SCOPE-NOTE PACKAGE VERSION ARCH
    printf '%s    {"type": "library", "name": "%s", "version": "%s", "purl": "pkg:%s/%s@%s?arch=%s",\n' "$comma" "$3" "$4" \
        "$kind" "$3" "${4//+/%2B}" "$5"
    printf '     "properties": [{"name": "certferry:linked", "value": "%s"}, {"name": "certferry:as", "value": "%s"}]}' \
        "$2" "$1"
    comma=$',\n'
}

printf '{\n  "bomFormat": "CycloneDX",\n  "specVersion": "1.4",\n  "version": 1,\n'
printf '  "metadata": {"component": {"type": "application", "name": "certferry", "version": "%s"}},\n' "$version"
printf '  "components": [\n'
comma=''
for l in $(needed "$@"); do
    p=$(path_of "$l")
    read -r package v arch < <([ -z "$p" ] || package_of "$p"; echo)
    component "$l" shared "${package:-unknown}" "${v:-unknown}" "${arch:-unknown}"
done
# Debian 12 has llhttp as sources only: then it is compiled in.
if ! needed "$1" | grep llhttp >/dev/null && [ -e /usr/share/llhttp ]; then
    read -r package v arch < <(package_of /usr/share/llhttp/llhttp.c; echo)
    component llhttp static "${package:-unknown}" "${v:-unknown}" "${arch:-unknown}"
fi
printf '\n  ]\n}\n'
