# Sourced by tests with real proxies, after live.bash: squid, tinyproxy and microsocks on free ports of 127.0.0.1, each
# in a folder of its own.  What they saw stands in their logs.
# A proxy that is not installed: have_proxy says no, and the test skips loudly.
export PATH=$PATH:/usr/sbin
chmod 711 "$work" # squid, started by root, becomes another user

have_proxy() { # NAME
    command -v "$1" >/dev/null
}
free_port() {
    python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}
listens() { # PORT
    python3 -c 'import socket, sys; socket.create_connection(("127.0.0.1", int(sys.argv[1])), 1)' "$1" 2>/dev/null
}
# Somebody else may take a free port before the proxy does: then it ends, and another port is tried.
proxy_begin() { # NAME COMMAND...: $proxy_pid; false: it ended at once
    local name=$1 n
    shift
    "$@" >"$name.out" 2>&1 &
    proxy_pid=$!
    for ((n = 0; n < 200; n++)); do
        kill -0 $proxy_pid 2>/dev/null || { wait $proxy_pid; return 1; }
        listens "$proxy_port" && { alive[$proxy_pid]=$name; return 0; }
        sleep 0.1
    done
    kill -KILL $proxy_pid
    return 1
}
proxy_end() { # PID
    kill -TERM "$1" && wait "$1" 2>/dev/null
    unset "alive[$1]"
    return 0
}

# ---- squid: squid_start NAME CONFIGURATION-LINES...; @DIR@ is its folder, files in it are written before -------------
squid_dir() { # NAME
    mkdir -p "$work/$1"
    echo "$work/$1"
}
squid_files() { # NAME USER PASSWORD: for the helpers of basic and digest
    local d
    d=$(squid_dir "$1")
    printf '%s:%s\n' "$2" "$(openssl passwd -apr1 -stdin <<<"$3")" >"$d/basic.pw"
    printf '%s:realm1:%s\n' "$2" "$(printf '%s:realm1:%s' "$2" "$3" | md5sum | cut -d' ' -f1)" >"$d/digest.pw"
}
squid_start() { # NAME PORT-LINE-PREFIX LINES...: $proxy_port, $proxy_pid; its access log is NAME/access.log
    local name=$1 kind=$2 d tries
    shift 2
    d=$(squid_dir "$name")
    for tries in 1 2 3 4 5; do
        proxy_port=$(free_port)
        {
            sed "s|@PORT@|127.0.0.1:$proxy_port|; s|@DIR@|$d|" <<<"$kind"
            printf '%s\n' "pid_filename $d/pid" 'cache deny all' 'cache_mem 8 MB' "access_log stdio:$d/access.log" \
                "cache_log $d/cache.log" 'cache_store_log none' "coredump_dir $d" 'netdb_filename none' \
                'shutdown_lifetime 1 second' 'logfile_rotate 0' 'pinger_enable off' 'max_filedescriptors 1024' \
                'visible_hostname proxy.test' "acl cloudca port ${base##*:}" 'acl CONNECT method CONNECT'
            printf '%s\n' "${@//@DIR@/$d}"
        } >"$d/squid.conf"
        [ "$(id -u)" -ne 0 ] || chown -R proxy: "$d"
        proxy_begin "$name" squid -N -n "cf$$x$name$tries" -f "$d/squid.conf" && return 0
    done
    bail "squid ($name) does not start: $(tail -n 5 "$name.out" "$d/cache.log" 2>/dev/null)"
}
SQUID_BASIC=('auth_param basic program /usr/lib/squid/basic_ncsa_auth @DIR@/basic.pw' 'auth_param basic realm realm1'
    'auth_param basic children 1')
SQUID_DIGEST=('auth_param digest program /usr/lib/squid/digest_file_auth -c @DIR@/digest.pw'
    'auth_param digest realm realm1' 'auth_param digest children 1')
SQUID_NTLM=('auth_param ntlm program /usr/lib/squid/ntlm_fake_auth' 'auth_param ntlm children 1')
SQUID_RULES=('acl authed proxy_auth REQUIRED' 'http_access deny CONNECT !cloudca' 'http_access allow authed'
    'http_access deny all')

# ---- tinyproxy ---------------------------------------------------------------------------------------------------------
tinyproxy_start() { # NAME LINES...: its log is NAME.log
    local name=$1 tries
    shift
    for tries in 1 2 3 4 5; do
        proxy_port=$(free_port)
        printf '%s\n' "Port $proxy_port" 'Listen 127.0.0.1' 'Timeout 60' 'LogLevel Info' "LogFile \"$work/$name.log\"" \
            "PidFile \"$work/$name.pid\"" 'MaxClients 50' "$@" >"$name.conf"
        proxy_begin "$name" tinyproxy -d -c "$work/$name.conf" && return 0
    done
    bail "tinyproxy does not start ($tries): $(cat "$name.out")"
}

# ---- microsocks ----------------------------------------------------------------------------------------------------------
microsocks_start() { # NAME OPTIONS...: what it did stands in NAME.out
    local name=$1 tries
    shift
    for tries in 1 2 3 4 5; do
        proxy_port=$(free_port)
        proxy_begin "$name" microsocks -i 127.0.0.1 -p "$proxy_port" "$@" && return 0
    done
    bail "microsocks does not start ($tries): $(cat "$name.out")"
}

# ---- a proxy with TLS: tls-proxy.pem (certificate and key), tls-proxy-ca.pem ------------------------------------------------
proxy_certificate() {
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout pca.key -out tls-proxy-ca.pem -days 2 \
        -subj '/CN=Proxy Test Root' -addext 'keyUsage=critical,keyCertSign' 2>/dev/null &&
        openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout p.key -out p.csr -subj '/CN=proxy' \
            2>/dev/null &&
        openssl x509 -req -in p.csr -CA tls-proxy-ca.pem -CAkey pca.key -CAcreateserial -days 2 -out p.pem \
            -extfile <(printf 'subjectAltName=IP:127.0.0.1,DNS:localhost\nextendedKeyUsage=serverAuth\n') 2>/dev/null &&
        cat p.key p.pem >tls-proxy.pem
}

# ---- the agent's side -----------------------------------------------------------------------------------------------------
credential() { # FILE USER:PASSWORD
    (umask 077 && printf '%s\n' "$2" >"$work/$1")
}
through() { # URL [MORE OPTIONS OF SECTION PROXY]: conf.d/70-proxy; the CA by another name than the cloud
    drop_in 70-proxy <<END
proxy { url = "$1" ${2:-} }
ca "adcs" { url = "https://localhost:${base##*:}/certsrv/" }
END
}
straight() {
    through none
}
is_delivered_once() { # CN: one request taken, issued and delivered by certferry once
    ask "$1" adcs ContosoUser
    agent_once --wait 20
    is "$rc" 0 && is_delivered "$id"
}
