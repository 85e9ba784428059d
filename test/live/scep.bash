# Sourced by tests that enrol over SCEP, instead of live.bash: registration authorities, endpoints, addresses, and
# strongSwan's pki as a device.
# shellcheck source=test/live/live.bash
. "$(dirname "${BASH_SOURCE[0]}")/live.bash"

# ---- the service's side ------------------------------------------------------------------------------------
ra_certificate() { # NAME KEY-USAGE: $dir/NAME.pem and .key, issued by the sandbox's CA as NDES's are
    printf 'keyUsage=critical,%s\nextendedKeyUsage=1.3.6.1.4.1.311.20.2.1\nbasicConstraints=CA:FALSE\n' "$2" \
        >"$1.ext"
    {
        openssl req -new -newkey rsa:2048 -nodes -keyout "$dir/$1.key" -subj /CN=CONNECTOR-MSCEP-RA -out "$1.csr"
        openssl x509 -req -in "$1.csr" -CA "$dir/issuing-ca.pem" -CAkey "$dir/issuing-ca.key" -days 100 \
            -extfile "$1.ext" -out "$dir/$1.pem"
    } 2>openssl.err || bail "openssl makes no certificate: $(cat openssl.err)"
    chmod 600 "$dir/$1.key"
}
scep_open() { # after sandbox_start: certificates of the registration authority, and a listener on a free port
    ra_certificate ra-sign digitalSignature
    ra_certificate ra-encrypt keyEncipherment
    drop_in listen <<CONF
listen "plain" {
  address = "127.0.0.1:0"
}
CONF
}
scep_section() { # NAME CA OPTION...: an endpoint at /NAME/mscep.dll; without other words, anybody may enrol
    local name=$1 ca=$2 o
    shift 2
    {
        printf 'scep "%s" {\n  ca = "%s"\n  paths = {"/%s/mscep.dll"}\n' "$name" "$ca" "$name"
        printf '  ra_certificate = "%s"\n  ra_key = "%s"\n' "$dir/ra-sign.pem" "$dir/ra-sign.key"
        printf '  ra_encryption_certificate = "%s"\n' "$dir/ra-encrypt.pem"
        printf '  ra_encryption_key = "%s"\n' "$dir/ra-encrypt.key"
        printf '  general_template = "ContosoUser"\n  renewal_window = 0\n'
        for o; do printf '  %s\n' "$o"; done
        echo '}'
    } | drop_in "scep-$name"
}
port_of() { # LISTENER: where the service that runs now has it
    grep -m 1 "\"$1\".*listens on port" "$log" | sed 's/.*listens on port \([0-9]*\).*/\1/'
}
url_of() { # ENDPOINT [LISTENER]
    case ${2:-plain} in
    tls) echo "https://127.0.0.1:$(port_of tls)/$1/mscep.dll" ;;
    *) echo "http://127.0.0.1:$(port_of plain)/$1/mscep.dll" ;;
    esac
}
http_code() { # CURL-ARGUMENTS...: the status alone; the body stands in ./body, the header in ./header
    curl -s -o body -D header -w '%{http_code}' --max-time 20 "$@"
}
health_is() { # URL CODE
    is "$(http_code "$1")" "$2"
}

# ---- strongSwan's pki --------------------------------------------------------------------------------------
need_strongswan() {
    command -v pki >/dev/null && pki --scep --help 2>&1 | grep -q -- --cacert-enc && return
    skip "strongSwan's pki" "pki with --scep is not installed (strongswan-pki, libstrongswan-extra-plugins)"
    finish
    exit
}
device_key() { # FILE [BITS]
    pki --gen --type rsa --size "${2:-2048}" --outform pem >"$1" 2>pki.err
}
roles=() # what pki must be told of the certificates it was given
scep_ca() { # URL: asks for the certificates, fills `roles`
    local f usage
    rm -f given-*.pem
    pki --scepca --url "$1" --caout given-ca.pem --raout given-ra.pem --outform pem --force 2>pki.err || return
    roles=()
    for f in given-ra*.pem; do
        usage=$(openssl x509 -in "$f" -noout -ext keyUsage)
        case $usage in
        *'Key Encipherment'*) roles+=(--cacert-enc "$f") ;;
        *) roles+=(--cacert-sig "$f") ;;
        esac
    done
    for f in given-ca*.pem; do roles+=(--cacert "$f"); done
}
pki_scep() { # URL NAME MORE OPTIONS...: NAME.key -> NAME.pem
    local url=$1 name=$2
    shift 2
    if ! pki --scep --url "$url" --in "$name.key" "${roles[@]}" --outform pem "$@" >"$name.pem" 2>pki.err; then
        cat pki.err
        return 1
    fi
    test -s "$name.pem"
}

# ---- what a certificate says -------------------------------------------------------------------------------
same_key() { # CERTIFICATE KEY
    is "$(openssl x509 -in "$1" -noout -pubkey)" "$(openssl pkey -in "$2" -pubout)"
}
subject_is() { # CERTIFICATE TEXT, as openssl prints it
    is "$(openssl x509 -in "$1" -noout -subject)" "subject=$2"
}
has_san() { # CERTIFICATE TEXT
    openssl x509 -in "$1" -noout -ext subjectAltName >san.out 2>&1
    says san.out "$2"
}
chain_holds() { # CERTIFICATE
    openssl verify -CAfile "$dir/root-ca.pem" -untrusted "$dir/issuing-ca.pem" "$1"
}
serial_of() { # CERTIFICATE
    openssl x509 -in "$1" -noout -serial | cut -d= -f2
}

# ---- scep-device: a device that says what it was answered --------------------------------------------------
device() { # URL NAME OPTION...: $rc as scep-device ends, what it says in NAME.out; keys and certificates in NAME.*
    local url=$1 name=$2
    shift 2
    "$B/scep-device" enrol --url "$url" --temper strongswan --keyout "$name.key" --out "$name.pem" "$@" \
        >"$name.out" 2>&1
    rc=$?
}
gets() { # URL NAME OPTION...: a certificate
    device "$@"
    [ "$rc" -eq 0 ] || { echo "exit $rc, not 0:"; cat "$2.out"; return 1; }
}
gets_none() { # FAILINFO URL NAME OPTION...: it is refused so
    local fail=$1
    shift
    device "$@"
    is "$rc $(cat "$2.out")" "2 status=FAILURE failInfo=$fail"
}
waits_for() { # URL NAME OPTION...: it is told to poll
    device "$@"
    is "$rc $(cat "$2.out")" "3 status=PENDING"
}
serial_in() { # NAME: of the answer that scep-device has read
    sed -n 's/.*serial=\([0-9A-F]*\) .*/\1/p' "$1.out"
}
