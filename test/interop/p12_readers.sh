#!/bin/bash
# Can other people's programs read what certs/p12 and certs/cms write, and do they notice damage?  Prints TAP.
#
#   B=build/rel test/interop/p12_readers.sh
#
# A reader is a function read_NAME FILE PASSWORD OUT: exit 0 only if the tool took the file, and then OUT is the
# public key that belongs to the private key it found.  The exit status is the judge, never the tool's words: one
# of them reports success for a file whose MAC it has just found wrong.
# shellcheck source=test/live/tap.bash
. "$(dirname "$(realpath "$0")")/../live/tap.bash"
here=$root/test/interop
need_programs interop/p12_readers
"$B/interop/p12_readers" "$work" || bail "p12_readers cannot write"
password=$(cat password)

# What a reader is known not to read, and in which version that was seen.  Still run: if that version reads it
# after all, the row is wrong and the test says so; with another version either is fine.
#   reader  files        version       what is known
exceptions="
    nss     *ed25519*    2:3.87*       NSS imports no Ed25519 key
    nss_cms oaep-*       2:3.87*       cmsutil knows no RSA-OAEP
    nss_cms *-gcm.cms    2:3.87*       cmsutil knows no AuthEnvelopedData
    nss_cms ecdh-*       2:3.87*       cmsutil decodes no key agreement
"
nss_version=$(dpkg-query -f '${Version}' -W libnss3 2>/dev/null || echo unknown)
exception() { # READER FILE: what is known, $holds if this is the version it was seen in
    local reader files version what
    set -f
    while read -r reader files version what; do
        # shellcheck disable=SC2053
        [ "$reader" = "$1" ] && [[ $2 == $files ]] || continue
        set +f
        # shellcheck disable=SC2053
        [[ $nss_version == $version ]] && holds=1 || holds=0
        known=$what
        return 0
    done <<<"$exceptions"
    set +f
    return 1
}

# ---- PKCS#12 -----------------------------------------------------------------------------------------------
our_java() {
    java -XX:TieredStopAtLevel=1 -Xshare:auto -cp "$work/java" "$@"
}
read_openssl() {
    openssl pkcs12 -in "$1" -passin "pass:$2" -nocerts -nodes -out "$3.key" || return
    openssl pkcs12 -in "$1" -passin "pass:$2" -nokeys -clcerts -out "$3.leaf" || return
    openssl x509 -in "$3.leaf" -noout -pubkey >"$3.public" || return
    openssl pkey -in "$3.key" -pubout -out "$3" && cmp "$3" "$3.public"
}
read_nss() { # import, then export again what is in the database
    local db=$3.db nickname
    cp -r nss "$db" && pk12util -i "$1" -W "$2" -d "sql:$db" -K '' || return
    nickname=$(certutil -K -d "sql:$db" | sed -n 's/^<[^>]*> *[a-z]* *[0-9a-f]* *//p')
    pk12util -o "$3.p12" -n "$nickname" -d "sql:$db" -K '' -W "$2" || return
    openssl pkcs12 -in "$3.p12" -passin "pass:$2" -nocerts -nodes | openssl pkey -pubout -out "$3"
}
read_gnutls() { # the key bag as it is, then opened by GnuTLS too
    certtool --p12-info --inder --infile "$1" --password "$2" --outfile "$3.info" || return
    sed -n '/BEGIN ENCRYPTED PRIVATE KEY/,/END/p' "$3.info" >"$3.bag"
    certtool --load-privkey "$3.bag" --password "$2" --pubkey-info --no-text --outfile "$3"
}
read_keytool() { # shows certificates only; the key itself is for the next one
    keytool -J-XX:TieredStopAtLevel=1 -list -rfc -storetype PKCS12 -keystore "$1" -storepass "$2" >"$3.list" || return
    openssl x509 -in "$3.list" -noout -pubkey >"$3"
}
read_java() {
    our_java P12Reader "$1" "$2" "$3"
}
read_node() {
    node "$here/p12_node.js" "$1" "$2" "$3" root.pem
}

# ---- CMS: OUT is the content, PASSWORD the device ----------------------------------------------------------
read_openssl_cms() {
    openssl cms -decrypt -binary -inform DER -in "$1" -recip "$2.cert" -inkey "$2.key" -out "$3"
}
read_java_cms() {
    our_java CmsReader "$1" "$2.key" "$2.cert" "$3"
}
read_nss_cms() {
    cp -r nss "$3.db" || return
    openssl pkcs12 -export -inkey "$2.key" -in "$2.cert" -name device -passout pass:import -out "$3.p12" || return
    pk12util -i "$3.p12" -W import -d "sql:$3.db" -K '' || return
    cmsutil -D -d "sql:$3.db" -p '' -i "$1" -o "$3"
}

# ---- judging -----------------------------------------------------------------------------------------------
line() { # ok|not ok, DESCRIPTION; the output of the reader when it is not ok
    echo "$1 - $2"
    [ "$1" = ok ] || head -c 1500 "$trial.said" | sed 's/^/# /'
}
try() { # READER FILE PASSWORD: $rc; the result is in $trial
    trial=$work/trial-$1
    rm -rf "$trial" "$trial".*
    timeout 60 bash -c 'set -o pipefail; "$@"' "$1" "read_$1" "$2" "$3" "$trial" >"$trial.said" 2>&1
    rc=$?
}
refused() { # by its own decision: neither killed, nor crashed, nor missing
    [ "$rc" -ne 0 ] && [ "$rc" -lt 124 ]
}
reads() { # READER FILE PASSWORD WANTED
    try "$1" "$2" "$3"
    if exception "$1" "$2" && { refused || [ "$holds" = 1 ]; }; then
        refused && line ok "$1 refuses $2 (known: $known)" ||
            line 'not ok' "$1 refuses $2 (known: $known): exit $rc, take the row out of the table"
    elif [ "$rc" -eq 0 ] && cmp "$trial" "$4" >>"$trial.said" 2>&1; then
        line ok "$1 reads $2"
    else
        line 'not ok' "$1 reads $2: exit $rc"
    fi
}
refuses() { # READER FILE PASSWORD WHAT
    try "$1" "$2" "$3"
    refused && line ok "$1 refuses $4" || line 'not ok' "$1 refuses $4: exit $rc"
}
export -f our_java read_openssl read_nss read_gnutls read_keytool read_java read_node
export -f read_openssl_cms read_java_cms read_nss_cms
export here work

key_of() { # modern-ecP256-plain.p12
    local rest=${1#*-}
    echo "${rest%%-*}"
}
all_p12() { # READER
    local file
    while read -r file; do
        reads "$1" "$file" "$password" "$(key_of "$file").pub"
        [[ $file == *-plain.p12 ]] && refuses "$1" "$file" "${password%?}x" "$file with a wrong password"
    done <list
    while read -r file; do refuses "$1" "$file" "$password" "$file"; done <twins
}
all_cms() { # READER
    local file device
    while read -r file; do
        [[ $file == ecdh-* ]] && device=ec || device=rsa
        reads "$1" "$file" "$device" content
        [[ $file == ecdh-* ]] || refuses "$1" "$file" other "$file for another device"
    done <envelopes
    while read -r file; do
        [[ $file == *ecdh-* ]] && device=ec || device=rsa
        refuses "$1" "$file" "$device" "$file"
    done <cms-twins
}

# ---- which readers are here --------------------------------------------------------------------------------
compile_java() {
    command -v java >tool.out && java -m jdk.compiler/com.sun.tools.javac.Main -d "$work/java" "$here"/*.java
}
make_database() {
    command -v certutil >tool.out && mkdir nss && certutil -N -d sql:nss --empty-password
}
readers=() missing=()
have() { # READER PACKAGE COMMAND...
    local reader=$1 package=$2
    shift 2
    if "$@" >"have-$reader" 2>&1; then readers+=("$reader"); else missing+=("$reader:$package"); fi
}
have openssl openssl openssl version
have openssl_cms openssl openssl version
have nss libnss3-tools make_database
have nss_cms libnss3-tools test -d nss
have gnutls gnutls-bin certtool --version
have keytool default-jre-headless command -v keytool
have java default-jre-headless compile_java
have java_cms default-jre-headless test -d java
have node nodejs node --version

# ---- two at a time: every reader by itself, its lines together at the end ----------------------------------
run_reader() {
    local readers_of=all_p12
    [[ $1 == *_cms ]] && readers_of=all_cms
    $readers_of "$1" >"lines-$1"
}
for r in "${readers[@]}"; do
    while [ "$(jobs -pr | wc -l)" -ge 2 ]; do wait -n; done
    run_reader "$r" &
    alive[$!]=$r
done
wait
alive=()
for r in "${readers[@]}"; do cat "lines-$r"; done >lines
for m in "${missing[@]}"; do
    echo "ok - ${m%:*} reads them # SKIP ${m%:*} does not run here: apt-get install ${m#*:}"
done >>lines
cat lines
echo "1..$(grep -c '^\(not \)\?ok ' lines)"
! grep -q '^not ok' lines
