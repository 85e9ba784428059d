#!/bin/bash
# What bad input gets: for each kind its code, the fact that was seen and what to do, in three lines, and the exit code of
# the table; the lines are printed.  doctor_broken.sh shows what doctor says of the same and more, signin_ways.sh the
# rest of what an authorization server answers, proxy_kinds.sh real proxies, config_commands.sh a wrong `config set`,
# service_reload.sh a reload of a broken file.  Prints TAP.
#
#   B=build/asan test/live/bad_input.sh
# shellcheck source=test/live/signin.bash
. "$(dirname "$(realpath "$0")")/signin.bash"
chmod 711 "$work"

three() { # EXIT CODE FACT FIX WHAT COMMAND...: what it says of that
    local what=$5 want=$1 class=$2 fact=$3 fix=$4
    shift 5
    "$@"
    judged "$want" "$class" "$fact" "$fix" "$what"
}
judged() { # EXIT CODE FACT FIX WHAT: of the last command: $rc, ./out, ./err
    cat out err person 2>/dev/null | grep -aE -A2 '^error\[' | tail -n 3 >lines
    sed "s|$work|.|g; s/^/#   /" lines
    ok "$5: exit $1, error[$2], the fact, the fix" three_lines "$@"
}
three_lines() {
    is "$rc" "$1" && is "$(wc -l <lines)" 3 && is "$(sed -n '1s/^\(error\[[A-Z_]*\]\).*/\1/p' lines)" "error[$2]" &&
        sed -n 2p lines | grep -q '^  seen: ' && sed -n 2p lines | grep -qF -- "$3" &&
        sed -n 3p lines | grep -q '^  fix:  ' && sed -n 3p lines | grep -qF -- "$4" || { cat lines out err; return 1; }
}
row() { # ROW FACT FIX WHAT: doctor's, of the same form: FAIL and its code, the fact, the fix
    cf doctor
    grep -aE -A1 "^FAIL +$1" out >lines
    sed "s|$work|.|g; s/^/#   /" lines
    ok "$4: exit 1, FAIL $1, the fact, the fix" row_lines "$@"
}
row_lines() {
    is "$rc" 1 && sed -n 1p lines | grep -qF -- "$2" && sed -n 2p lines | grep -q '^ *fix:  ' &&
        sed -n 2p lines | grep -qF -- "$3" || { cat lines out; return 1; }
}
fake() { # NAME OPTIONS...: a proxy; $proxy its URL
    local name=$1
    shift
    python3 "$root/test/live/proxy_fake.py" "$name.ready" "$name.record" "$@" 2>"$name.err" &
    alive[$!]=$name
    until_true 20 test -s "$name.ready" || bail "no fake proxy: $(cat "$name.err")"
    proxy=http://127.0.0.1:$(cat "$name.ready")
}
unchanged() {
    not test -e "$dir/conf.d/60-proxy.conf"
}

sandbox_start bad
cat "$dir/tls-server.pem" "$dir/tls-server.key" >origin.pem
(umask 077 && echo user:wrong >wrong && echo user:right >right)

# ---- the way out ---------------------------------------------------------------------------------------------------------
three 6 CONFIG 'which port?' 'proxy set http://proxy:3128' 'a proxy without a port' cf proxy set proxy
three 6 CONFIG --credentials-file 'proxy set http://proxy:3128' 'a password in the URL of a proxy' cf proxy set http://user:pw@proxy:3128
three 6 CONFIG 'ftp' 'proxy set http://proxy:3128' 'a proxy of a kind there is not' cf proxy set ftp://proxy:21
fake login --login user:right --open origin.pem
three 4 PROXY 'refuses the user and password' 'nothing was changed' 'a wrong password at the proxy' \
    cf proxy set "$proxy" --credentials-file "$work/wrong"
ok "and nothing is changed" unchanged
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ik.pem -out ic.pem -days 2 \
    -subj '/O=Contoso/CN=Contoso Inspection CA' -addext 'subjectAltName=IP:127.0.0.1' 2>/dev/null
cat ik.pem ic.pem >inspect.pem
fake inspector --open inspect.pem
drop_in 70-way <<<"proxy { url = \"$proxy\" }"
three 10 TRUST 'CN=Contoso Inspection CA' trust 'a proxy that opens TLS' cf proxy test
rm "$dir/conf.d/70-way.conf"
fault cloud.extend html '"count":-1'
row NET-06 portal '' 'a captive portal'
ctl clear-faults >ctl.out
fault '*' date '"seconds":4000,"count":-1'
row TIME-01 slow timedatectl 'a clock that is wrong'
ctl clear-faults >ctl.out

# ---- files ---------------------------------------------------------------------------------------------------------------
cp "$dir/ca-password.txt" open-password && chmod 644 open-password
drop_in 70-open <<<"ca \"adcs\" { credentials_file = \"$work/open-password\" }"
three 6 CONFIG 'chmod 600' 'certferry check' 'a secret that everybody may read' cf check
rm "$dir/conf.d/70-open.conf"
(umask 077 && echo connector:wrong >wrong-password)
drop_in 70-wrong <<<"ca \"adcs\" { credentials_file = \"$work/wrong-password\" }"
row CA-01 401 password 'a wrong password at the CA'
rm "$dir/conf.d/70-wrong.conf"

# Root may write everything; so somebody else tries, with a configuration that he may read.
mkdir -m 755 theirs && mkdir -m 500 theirs/state && cp "$B/certferry" theirs/program && chmod 755 theirs/program
printf 'store {\n  dir = "%s/theirs/state"\n}\n' "$work" >theirs/certferry.conf && chmod 644 theirs/certferry.conf
[ "$(id -u)" -ne 0 ] || chown 65534:65534 theirs/state
as_another() { # COMMAND...
    local as=()
    [ "$(id -u)" -ne 0 ] || as=(setpriv --reuid=65534 --regid=65534 --clear-groups)
    echo value | "${as[@]}" theirs/program "$@" --config "$work/theirs/certferry.conf" >out 2>err
    rc=$?
}
three 9 STORE theirs/state 'store' 'a store that cannot be written' as_another secret set some
chmod 700 theirs/state
sandbox_stop

# ---- signing in ----------------------------------------------------------------------------------------------------------
sandbox_start ways --sign-in mtls
app=(--client-id certferry-automation)
fault cloud.discovery html '"count":-1'
three 4 INTERCEPTED 'a portal or proxy may have answered' "in the cloud's place" 'a portal in the place of the cloud' \
    sign_in "${app[@]}" --client-secret-file "$dir/login-secret.txt"
ctl clear-faults >ctl.out
fault cloud.enroll no-licence
three 5 FORBIDDEN 'no licence' 'who may enrol' 'an account without a licence' person_does approve-code
rm -f person
fault login.device aadsts '"code":65001'
three 5 FORBIDDEN AADSTS65001 'grants consent' 'consent is missing' sign_in
three 5 AUTH 'not used in time' 'start sign-in again' 'a code that has expired' person_does expire-code
rm -f person
(umask 077 && echo wrong >client-secret)
three 5 AUTH client secret 'a wrong client secret' sign_in "${app[@]}" --client-secret-file "$work/client-secret"
chmod 644 client-secret
three 6 CONFIG client-secret 'chmod 600' 'a client secret that everybody may read' \
    sign_in "${app[@]}" --client-secret-file "$work/client-secret"
ok "nobody is signed in after all that" exits 5 whoami
ok "no password was said" nowhere -e user:right -e user:wrong -e connector:wrong said
finish
