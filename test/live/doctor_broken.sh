#!/bin/bash
# doctor against set-ups that are broken on purpose, in one way each: exactly one FAIL, with the right code; every other
# row is PASS, WARN or SKIP.  And none on the one that is right.  Prints TAP, and a table.
#
#   B=build/asan test/live/doctor_broken.sh
# shellcheck source=test/live/scep.bash
. "$(dirname "$(realpath "$0")")/scep.bash"
[ -f "$B/plugins/otp.so" ] || bail "$B/plugins/otp.so is missing: make VARIANT=$(basename "$B") plugins"
umask 022

# ---- the one that is right: a cloud, two CAs, a SCEP endpoint over HTTP and HTTPS, a plugin ----------------------
sandbox_start right
chmod -R go-w "$dir"
free_port() {
    python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}
certificate() { # NAME SUBJECT DAYS SAN [ISSUER]: $work/NAME.pem and .key; without an issuer its own
    local by=()
    [ -z "${5:-}" ] || by=(-CA "$5.pem" -CAkey "$5.key")
    {
        openssl req -new -newkey rsa:2048 -nodes -keyout "$1.key" -subj "/CN=$2" -out "$1.csr"
        printf '%s\n' "$4" >"$1.ext"
        if [ -n "${5:-}" ]; then
            openssl x509 -req -in "$1.csr" "${by[@]}" -days "$3" -extfile "$1.ext" -out "$1.pem"
        else
            openssl x509 -req -in "$1.csr" -signkey "$1.key" -days "$3" -extfile "$1.ext" -out "$1.pem"
        fi
    } 2>openssl.err || bail "openssl makes no certificate: $(cat openssl.err)"
    chmod 600 "$1.key"
}
ca_ext='basicConstraints=critical,CA:TRUE'
certificate web web.contoso.example 90 'subjectAltName=DNS:*.contoso.example'
certificate web-old web.contoso.example -1 'subjectAltName=DNS:*.contoso.example'
certificate root "Contoso Web Root" 90 "$ca_ext"
certificate zroot "Zscaler Intermediate Root CA" 90 "$ca_ext"
certificate expired expired -1 'subjectAltName=IP:127.0.0.1' root
certificate name name 90 'subjectAltName=DNS:another.contoso.example' root
certificate stranger stranger 90 'subjectAltName=IP:127.0.0.1' zroot
ra_certificate ra-sign digitalSignature
ra_certificate ra-encrypt keyEncipherment
cat "$dir/root-ca.pem" "$dir/issuing-ca.pem" >anchors.pem
sed -i "s|anchors = .*|anchors = \"$work/anchors.pem\"|" "$conf"
port=$(free_port) tls_port=$(free_port)
drop_in listen <<C
listen "plain" { address = "127.0.0.1:$port" }
listen "tls" { address = "127.0.0.1:$tls_port" certificate = "$work/web.pem" key = "$work/web.key" }
plugin "otp" { path = "$B/plugins/otp.so" }
C
scep_section devices est 'plugin = "otp"' 'failures_per_minute = 10000'
ok "the agent starts" agent_start
python3 "$root/test/live/doctor_peers.py" "$work" "http://127.0.0.1:$port" 2>peers.err &
alive[$!]=peers
until_true 20 test -f peers || bail "$(cat peers.err)"
peer() { # NAME: its port
    sed -n "s/^$1=//p" peers
}

# ---- a set-up that is broken ------------------------------------------------------------------------------------------
table=$work/table.txt
: >"$table"
broken_config() { # NAME: a copy of the configuration, $bad
    bad=$work/$1/certferry.conf
    mkdir -p "$work/$1/conf.d"
    cp "$conf" "$bad"
    cp "$dir"/conf.d/*.conf "$work/$1/conf.d/"
    chmod -R go-w "$work/$1"
}
later() { # a drop-in of the broken configuration that has the last word
    cat >"$(dirname "$bad")/conf.d/zz.conf"
    chmod go-w "$(dirname "$bad")/conf.d/zz.conf"
}
doctor() { # OPTIONS...: ./rows has code and grade of each row
    local from
    from=$(now_ms)
    "$B/certferry" doctor --config "$bad" --json "$@" >doctor.json 2>doctor.err
    rc=$?
    took_ms=$(($(now_ms) - from))
    { cat doctor.json doctor.err; } >>said/doctor
    sqlite3 -separator ' ' :memory: "select json_extract(value, '\$.row'), json_extract(value, '\$.grade'),
        json_extract(value, '\$.about') || ': ' || json_extract(value, '\$.fact') || ' / fix: ' ||
        ifnull(json_extract(value, '\$.fix'), '-') from json_each(cast(readfile('doctor.json') as text),
        '\$.data.rows')" >rows
}
one_cause() { # WHAT CODE TEXT OPTIONS...: exactly one FAIL, of this code, which says TEXT
    local what=$1 code=$2 text=$3 fails
    shift 3
    doctor "$@"
    fails=$(grep -c '^[A-Z0-9-]* FAIL ' rows)
    printf '%-42s %-8s %-8s %3s pass %2s warn %2s skip  %5s ms\n' "$what" "$code" \
        "$(get doctor.json '$.data.firstFix')" "$(get doctor.json '$.data.pass')" \
        "$(get doctor.json '$.data.warn')" "$(get doctor.json '$.data.skip')" "$took_ms" >>"$table"
    if [ "$fails $rc" != "1 1" ] || ! grep "^$code FAIL " rows | grep -qF -- "$text"; then
        echo "exit $rc; wanted one FAIL: $code with \"$text\""
        grep ' FAIL ' rows
        cat doctor.err
        return 1
    fi
    # what to do stands behind it
    ! grep ' FAIL ' rows | grep -q '/ fix: -$' || { echo "without a fix"; return 1; }
    [ "$took_ms" -lt 30000 ]
}
cause() { # NAME WHAT CODE TEXT: with the drop-in on standard input
    broken_config "$1"
    later
    shift
    ok "$1: $2" one_cause "$@"
}
bad=$conf
ok "the one that is right: no FAIL, and warnings" eval 'doctor; is "$rc $(grep -c " FAIL " rows)" "3 0" || { grep " FAIL " rows; cat doctor.err; false; }'
ok "and every group has something to say" eval 'for g in VER PERM ST P12 PLG RA SVC NET TIME TLS CLOUD AUTH CA SCEP; do
    grep -qE "^$g-[0-9]* (PASS|WARN) " rows || { echo "$g"; cat rows; return 1; }; done'
ok "in 30 seconds" test "$took_ms" -lt 30000
printf '%-42s %-8s %-8s %3s pass %2s warn %2s skip  %5s ms\n' "nothing is broken" - - "$(get doctor.json '$.data.pass')" \
    "$(get doctor.json '$.data.warn')" "$(get doctor.json '$.data.skip')" "$took_ms" >>"$table"
cp rows rows.right

# ---- the way there ------------------------------------------------------------------------------------------------------
sed -n 's/^  url = //p' "$conf" | head -1 >cloud-url
cause proxy-login 'a proxy that wants a login' NET-04 '407' <<<"proxy { url = \"http://127.0.0.1:$(peer proxy)\" }"
(umask 077 && echo user:pass >login && echo user:wrong-9dX4 >wrong-login)
broken_config proxy-through
later <<<"proxy { url = \"http://127.0.0.1:$(peer through)\" credential = \"$work/login\" auth = \"basic\" }"
doctor --only net,tls,cloud,auth,ca
ok "through a proxy with the right login: no FAIL" is "$rc $(grep -c ' FAIL ' rows)" '0 0'
ok "which says so" says rows "NET-04 PASS" "through http://127.0.0.1:$(peer through)" "TLS-02 PASS" "AUTH-02 PASS" "CA-01 PASS"
cause proxy-wrong "a proxy's login is wrong" NET-04 'proxy.credential' \
    <<<"proxy { url = \"http://127.0.0.1:$(peer through)\" credential = \"$work/wrong-login\" auth = \"basic\" }"
cause proxy-forbids 'a proxy that lets nobody through' NET-04 '403' \
    <<<"cloud { proxy = \"http://127.0.0.1:$(peer forbidden)\" }"
cause proxy-closed 'a proxy whose port is closed' NET-02 'refused' <<<"proxy { url = \"http://127.0.0.1:$(free_port)\" }"
cause dns 'a name that nobody knows' NET-01 'cloud.invalid' <<<'cloud { url = "https://cloud.invalid/ccp" }'
ca_at() { # PORT TRUST: the second CA is elsewhere
    printf 'ca "est" { url = "https://127.0.0.1:%s" %s }\n' "$1" "${2:+trust = \"$2\"}"
}
cause ca-closed 'a CA whose port is closed' NET-02 'refused' < <(ca_at "$(free_port)")
cause ca-expired "a CA's server certificate has ended" TLS-03 'ended' < <(ca_at "$(peer tls-expired)" "$work/root.pem")
cause ca-name "a CA's server certificate is another's" TLS-02 'another.contoso.example' \
    < <(ca_at "$(peer tls-name)" "$work/root.pem")
cause opened 'TLS is opened on the way' NET-06 'Zscaler Intermediate Root CA' \
    < <(ca_at "$(peer tls-stranger)" "$work/root.pem")
cause ca-trust 'the wrong root in a trust file' TLS-02 'Contoso Web Root' < <(ca_at "$(peer tls-name)" "$work/web.pem")
cause ca-silent 'a CA that says nothing' TLS-01 'handshake' < <(ca_at "$(peer silent)")

{
    echo "cloud { url = \"https://127.0.0.1:$(peer silent)\" }"
    echo "ca \"adcs\" { url = \"https://127.0.0.1:$(peer silent)/certsrv/\" trust = \"$work/web.pem\" }"
    ca_at "$(peer silent)" "$work/root.pem"
} >silent.conf
broken_config silent && later <silent.conf
doctor --external "http://127.0.0.1:$(peer silent)"
ok "nobody says a word: below 30 seconds" test "$took_ms" -lt 30000
ok "and each is named" is "$(grep -c '^TLS-01 FAIL ' rows)" 3

# ---- peers that refuse ---------------------------------------------------------------------------------------------------
standing() { # WHERE WHAT [MORE]: as long as it is not cleared
    fault "$1" "$2" "\"count\":-1${3:+,$3}"
}
bad=$conf
standing cloud.extend html
ok 'a portal answers for the cloud: NET-06' one_cause 'a portal answers for the cloud' NET-06 portal
for only in NET-06 net net,ca; do
    ok "also where only $only is asked for" one_cause "a portal, --only $only" NET-06 portal --only "$only"
    ok "without rows of other groups" nowhere CLOUD- rows
done
ctl clear-faults >ctl.out
standing cloud.extend http-401
ok 'our identity is refused: AUTH-02' one_cause 'our identity is refused (401)' AUTH-02 'does not accept'
ctl clear-faults >ctl.out
standing cloud.extend http-403
ok 'known, but not allowed: AUTH-04' one_cause 'known, but not allowed (403)' AUTH-04 'not allowed'
ctl clear-faults >ctl.out
standing '*' date '"seconds":4000'
ok 'our clock is wrong: TIME-01' one_cause 'our clock is wrong' TIME-01 'slow'
ctl clear-faults >ctl.out
cause template 'a template the CA does not offer' CA-02 'Nonsense' <<<'ca "adcs" { templates = {"ContosoUser", "Nonsense"} }'
cause label 'a label the CA does not have' CA-02 'Nonsense' <<<'ca "est" { templates = {"ContosoUser", "Nonsense"} }'
(umask 077 && echo connector:wrong >wrong-password)
cause ca-password "a CA's password is wrong" CA-01 '401' <<<"ca \"adcs\" { credentials_file = \"$work/wrong-password\" }"

# ---- files ------------------------------------------------------------------------------------------------------------------
cp "$dir/ca-password.txt" open-password && chmod 644 open-password
cause secret 'a secret that everybody may read' PERM-02 'open-password' \
    <<<"ca \"adcs\" { credentials_file = \"$work/open-password\" }"
broken_config writable
later <<<'# nothing'
chmod o+w "$bad"
ok 'a configuration that everybody may write: PERM-01' one_cause 'a configuration that everybody may write' PERM-01 \
    'others may write'
if command -v setpriv >/dev/null && [ "$(id -u)" -eq 0 ]; then
    chmod 755 "$work" "$dir"
    cf_as() { setpriv --reuid=65534 --regid=65534 --clear-groups "$B/certferry" doctor --config "$conf" >out 2>err; rc=$?; }
    ok 'a user who may not look: one FAIL, exit 1' eval 'cf_as; is "$(grep -c ^FAIL out) $rc" "1 1" || { cat out err; false; }'
    ok 'which says as whom to come' says out 'PERM-01' sudo
fi
cp "$B/plugins/otp.so" open.so && chmod 777 open.so
cause plugin-open 'a plugin that everybody may change' PERM-06 'open.so' <<<"plugin \"otp\" { path = \"$work/open.so\" }"
cause plugin-none 'a plugin that cannot be opened' PLG-01 'nowhere.so' <<<"plugin \"otp\" { path = \"$work/nowhere.so\" }"
cause listener "our own certificate has ended" TLS-03 'ended' \
    <<<"listen \"tls\" { certificate = \"$work/web-old.pem\" key = \"$work/web-old.key\" }"
broken_config typing
echo 'cloud { urll = "https://cloud.example" }' | later
ok 'a line that cannot be read: CONF-01' one_cause 'a line that cannot be read' CONF-01 'urll'
bad=$conf
ok 'URLs are cut before they reach us: SCEP-03' one_cause 'URLs are cut before they reach us' SCEP-03 414 \
    --external "http://127.0.0.1:$(peer cut)"

# ---- while no service runs ---------------------------------------------------------------------------------------------------
ok "the agent stops" agent_stop
bad=$conf
ok 'the service does not run: SVC-01' one_cause 'the service does not run' SVC-01 'no service'
store_at() { # NAME: a copy of the store for a configuration of its own
    broken_config "$1"
    cp -a "$dir/state" "$work/$1/state"
    echo "store { dir = \"$work/$1/state\" }" | later
}
store_at newer
sqlite3 "$work/newer/state/certferry.db" 'pragma user_version = 999' >/dev/null
ok 'a store of a newer version: VER-03' one_cause 'a store of a newer version' VER-03 999
store_at damaged
python3 - "$work/damaged/state/certferry.db" <<'P'
import sys
with open(sys.argv[1], 'r+b') as f:
    f.seek(4096)
    f.write(b'\x5a' * 8192)
P
ok 'a damaged store: ST-01' one_cause 'a damaged store' ST-01 'certferry.db'
store_at keyless
rm "$work/keyless/state/master.key"
ok 'the master key is gone: PERM-05' one_cause 'the master key is gone' PERM-05 'master.key'
store_at entered
chmod 755 "$work/entered/state"
ok 'a store that others may enter: PERM-03' one_cause 'a store that others may enter' PERM-03 '0755'
doctor --fix --dry-run
ok '--fix --dry-run changes nothing' is "$(stat -c %a "$work/entered/state")" 755
doctor --fix --only perm-03
ok '--fix mends it' is "$(stat -c %a "$work/entered/state") $rc" '700 0'
ok 'and says so' says rows 'PERM-03 PASS' 'mended: chmod 0700'

# A file system of its own, in a mount namespace of its own.
in_mount() { # OPTIONS NAME COMMAND...: the store's copy on a tmpfs with these options
    local options=$1 name=$2
    shift 2
    export -f one_cause doctor now_ms get
    export B work table dir bad
    unshare -m bash -c '
        set -u
        mv "$work/$1/state" "$work/$1/old" && mkdir -m 700 "$work/$1/state" && mount -t tmpfs -o size=2m,mode=700 none "$work/$1/state" &&
            cp -a "$work/$1/old/." "$work/$1/state/" || exit 99
        if [ "$2" = full ]; then
            head -c 4m /dev/zero >"$work/$1/state/filler" 2>/dev/null
        else
            mount -o "remount,$2" "$work/$1/state" || exit 99
        fi
        shift 2
        cd "$work" && "$@"' in_mount "$name" "$options" "$@"
}
if unshare -m mount -t tmpfs none /mnt 2>/dev/null; then
    store_at full
    ok 'a full disk: ST-02' in_mount full full one_cause 'a full disk' ST-02 'MiB'
    store_at readonly
    sed -i 's|^store .*|store { dir = "'"$work"'/readonly/state" min_free_mib = 0 }|' "$work/readonly/conf.d/zz.conf"
    ok 'a disk that is read-only: ST-03' in_mount ro readonly one_cause 'a disk that is read-only' ST-03 'Read-only'
else
    skip 'a full disk' 'no file system can be mounted here'
    skip 'a disk that is read-only' 'no file system can be mounted here'
fi

# ---- a service that does not start: an RA certificate has ended -----------------------------------------------------------------------------
{
    openssl x509 -req -in ra-encrypt.csr -CA "$dir/issuing-ca.pem" -CAkey "$dir/issuing-ca.key" -days -1 \
        -extfile ra-encrypt.ext -out "$dir/ra-encrypt.pem"
} 2>openssl.err || bail "$(cat openssl.err)"
bad=$conf
ok 'an RA certificate has ended: RA-01' one_cause 'an RA certificate has ended' RA-01 'encryption certificate ended'
sandbox_stop

# ---- nobody at all ------------------------------------------------------------------------------------------------------------------
doctor
ok 'with everybody gone: below 30 seconds' test "$took_ms" -lt 30000
ok 'two causes: the certificate of before, and the peers' is "$(grep ' FAIL ' rows | cut -d' ' -f1 | sort | tr '\n' ' ')" 'NET-02 RA-01 '

sed 's/^/# /' "$table"
ok "nor the login of a proxy" nowhere "$(cut -d: -f2 wrong-login)" said
ok "nothing secret was said" nowhere "$(cut -d: -f2 "$dir/ca-password.txt")" said
finish
