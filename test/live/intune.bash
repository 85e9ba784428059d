# Sourced by tests of the Intune flow, instead of live.bash: the stand-in of Entra, Graph and Intune, devices that
# ask by SCEP, and what the ledger says of each of them.  A device's name is its CN, and names its files.
# shellcheck source=test/live/live.bash
. "$(dirname "${BASH_SOURCE[0]}")/live.bash"
need_programs scep-device
mkdir devices
# shellcheck disable=SC2034
tempers=(windows apple android)

# ---- the service -------------------------------------------------------------------------------------------
intune_open() { # NAME OPTIONS...: the sandbox; the agent's configuration is the sandbox's own
    sandbox_start "$1" --scep 0 "${@:2}"
    conf=$dir/certferry-scep.conf
    port=$(sed 's|.*:\([0-9]*\)/.*|\1|' "$dir/scep-url")
    sed -i "s|^ *path = \"\([a-z]*\)\"|  path = \"$B/plugins/\1.so\"|" "$conf" # nothing is installed here
    openssl genrsa -out devices/key.pem 2048 2>openssl.err || bail "openssl makes no key: $(cat openssl.err)"
}
plugin_section() { # NAME OPTION...: Intune's plugin, with another client
    local name=$1 o
    shift
    {
        printf 'plugin "%s" {\n  path = "%s"\n  trust = "%s"\n' "$name" "$B/plugins/intune.so" "$dir/tls-ca.pem"
        sed -n 's/^ *client_id = /  client_id = /p' "$conf"
        printf '  settings = {"tenant=%s", "login_url=%s", "graph_url=%s"}\n' "$(tenant)" "$base" "$base"
        for o; do printf '  %s\n' "$o"; done
        echo '}'
    } | drop_in "plugin-$name"
}
tenant() { sed -n 's/.*"tenant=\([^"]*\)".*/\1/p' "$conf" | head -n 1; }
endpoint() { # NAME PLUGIN OPTION...: at /NAME/mscep.dll
    local name=$1 plugin=$2 o
    shift 2
    {
        printf 'scep "%s" {\n  ca = "adcs"\n  plugin = "%s"\n  paths = {"/%s/mscep.dll"}\n' "$name" "$plugin" "$name"
        sed -n 's/^ *\(ra_[a-z_]* = \)/  \1/p' "$conf"
        printf '  renewal_window = 0\n  failures_per_minute = 0\n'
        for o; do printf '  %s\n' "$o"; done
        echo '}'
    } | drop_in "scep-$name"
}
url() { # [ENDPOINT]
    case ${1:-devices} in
    devices) cat "$dir/scep-url" ;;
    *) echo "http://127.0.0.1:$port/$1/mscep.dll" ;;
    esac
}
health() { # [ENDPOINT]: what its URL answers a browser
    curl -s -o health.out -w '%{http_code}' --max-time 10 "$(url "${1:-}")"
}
health_is() { # CODE [ENDPOINT]
    is "$(health "${2:-}")" "$1"
}
status_says() { # ENDPOINT TEXT...
    local name=$1
    shift
    cf status --json
    sqlite3 :memory: "select value from json_each(cast(readfile('out') as text), '\$.data.scep') where
        json_extract(value, '\$.endpoint') = '$name'" >status.out
    says status.out "$@"
}
request_of() { # CN: the id of the last such request
    grep -F '"event":"ScepRequestReceived"' said/log-* | grep -F "\"message\":\"CN=$1 from " | tail -n 1 |
        sed 's/.*"request":"\([^"]*\)".*/\1/'
}

# ---- devices -----------------------------------------------------------------------------------------------
challenge() { # CN [MORE CLAIMS]: as Intune gives it to a device of this name
    ctl scep-challenge "{\"subject\":\"CN=$1\"${2:+,$2}}" >"devices/$1.challenge" || bail "no challenge"
    echo >>"devices/$1.challenge"
}
# enrol CN OPTION...: devices/CN.out and .pem.  The same name and options give the same request, byte for byte.
endpoint='' temper=windows as='' key='' # as: another CN than the name
enrol() {
    local cn=$1
    shift
    "$B/scep-device" enrol --url "$(url "$endpoint")" --temper "$temper" --subject "CN=${as:-$cn}" \
        --transaction "t-$cn" --use-key "${key:-devices/key.pem}" --challenge-file "devices/$cn.challenge" --trust "$dir/root-ca.pem" \
        --out "devices/$cn.pem" "$@" >"devices/$cn.out" 2>&1
    echo "exit $?" >>"devices/$cn.out"
}
told() { # CN TEXT: the device's last word
    says "devices/$1.out" "$2"
}
enrolled() { # CN
    told "$1" status=SUCCESS && is "$(ledger "\"event\":\"issued\".*\"cn\":\"$1\"")" 1
}
refused() { # CN FAILINFO
    told "$1" "status=FAILURE failInfo=$2"
}
enrol_all() { # CN...: at once
    local cn pids=()
    for cn; do
        enrol "$cn" --poll 20 &
        pids+=($!)
    done
    wait "${pids[@]}"
}
serial() { # CN
    openssl x509 -in "devices/$1.pem" -noout -serial | cut -d= -f2
}

# ---- the ledger --------------------------------------------------------------------------------------------
lines_of() { # CN: what happened to its request, into ./lines
    ctl ledger >ledger.out
    grep -e "\"transactionId\":\"t-$1\"" -e "\"event\":\"[a-z-]*\",.*\"cn\":\"$1\"" \
        -e "\"event\":\"fault\".*\"subject\":\"$1\"" ledger.out >lines
}
story() { # CN: as "scep-validate csr-received issued fetched scep-success"
    lines_of "$1"
    sed 's/.*"event":"\([^"]*\)".*/\1/' lines | tr '\n' ' ' | sed 's/ $//'
}
story_is() { # CN EVENTS
    is "$(story "$1")" "$2"
}
at_ms() { # CN PATTERN [N]: when the N-th such line was written
    lines_of "$1"
    grep -e "$2" lines | sed -n "${3:-1}s/^{\"t\":\([0-9]*\).*/\1/p"
}
line_says() { # CN EVENT TEXT...
    lines_of "$1"
    grep -e "\"event\":\"$2\"" lines >line
    shift 2
    says line "$@"
}
nothing_at_ca() { # CN: no CSR was there, and nobody was told of anything
    lines_of "$1"
    ! grep -e '"event":"csr-received"' -e '"event":"scep-success"' -e '"event":"scep-failure"' lines
}
# shellcheck disable=SC2034
readonly whole_story='scep-validate csr-received issued fetched scep-success'

# ---- secrets -----------------------------------------------------------------------------------------------
# What must stand in no log, answer or file: the client's secret, keys, passwords, every challenge; and by their
# form tokens (64 hex digits in lower case), assertions and headers.
no_secrets() { # FILE-OR-FOLDER...
    {
        cut -d: -f2- "$dir/ca-password.txt"
        cat "$dir/intune-secret.txt"
        cat devices/*.challenge
        grep -hv -e '-----' "$dir/intune-app.key" "$dir/scep-sign.key" "$dir/scep-encrypt.key"
    } | awk 'length > 7' >secrets
    [ "$(wc -l <secrets)" -gt 10 ] && nowhere -f secrets "$@"
}
no_tokens() { # FILE-OR-FOLDER...
    nowhere -e 'Bearer ' -e client_secret= -e client_assertion= -e eyJ -e 'PRIVATE KEY' "$@" &&
        ! grep -rE '(^|[^0-9a-f])[0-9a-f]{64}([^0-9a-f]|$)' "$@"
}
