# Sourced by scripts that want an identity provider which is not ours; see oidc.mjs and person.mjs.
peers=$(dirname "$(realpath "${BASH_SOURCE[0]}")")
oidc_pid=

oidc_install() { # FOLDER: false and why in ./npm.log: it cannot be had, the test is to be skipped
    command -v node >npm.log && command -v npm >>npm.log || return 1
    mkdir -p "$1" && cp "$peers"/package.json "$peers"/package-lock.json "$peers"/*.mjs "$1"/ &&
        (cd "$1" && npm ci --silent --no-audit --no-fund --ignore-scripts) >>npm.log 2>&1
}
oidc_start() { # FOLDER CERT KEY APP [CODE-SECONDS]: $issuer, $oidc_pid; false: oidc.log
    rm -f "$1/oidc-issuer"
    NODE_NO_WARNINGS=1 node "$1/oidc.mjs" "$2" "$3" "$4" "$1" "${5:-600}" >"$1/oidc.log" 2>&1 &
    oidc_pid=$!
    for _ in $(seq 200); do
        [ -s "$1/oidc-issuer" ] && break
        kill -0 "$oidc_pid" 2>/dev/null || break
        read -r -t 0.05 <><(:)
    done
    issuer=$(cat "$1/oidc-issuer" 2>/dev/null)
    [ -n "$issuer" ]
}
oidc_stop() {
    [ -z "$oidc_pid" ] || { kill "$oidc_pid" && wait "$oidc_pid"; } 2>/dev/null
    oidc_pid=
}
person() { # FOLDER TRUST approve|deny VERIFICATION_URI_COMPLETE
    NODE_NO_WARNINGS=1 NODE_EXTRA_CA_CERTS=$2 node "$1/person.mjs" "$3" "$4"
}
