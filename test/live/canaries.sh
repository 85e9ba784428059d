#!/bin/bash
# More than forty secrets of every kind, in files, in the store, typed, in URLs, in what devices and peers say; then every
# command there is, with every option it has, with a service that is well, one whose peers repeat all they hear, and
# none: no secret in any output, log, answer, process list, core or file.  And a leak that is made on purpose is
# found.  Prints TAP.
#
#   B=build/asan test/live/canaries.sh
#
# The commands are those of `certferry manual commands`, their options those of `certferry help`, so a new one is tried
# without a word here; the listeners are those that the service has, so new pages are read, too.
# shellcheck source=test/live/intune.bash
. "$(dirname "$(realpath "$0")")/intune.bash"
hunter=$root/test/live/hunt.py
typist=$root/test/live/typist.py
mkdir cwd heard

# ---- the secrets -----------------------------------------------------------------------------------------------
list=$work/canaries
: >"$list"
canary() { # NAME [TAIL]: a new one, which the tail makes one that must be escaped
    local value
    value="Cy$(od -An -N12 -tx1 /dev/urandom | tr -d ' \n')${2:-zQ}"
    printf '%s\t%s\n' "$1" "$value" >>"$list"
    echo "$value"
}
known() { # NAME VALUE: one that somebody else has made
    printf '%s\t%s\n' "$1" "$2" >>"$list"
}
keep() { # FILE VALUE
    printf '%s\n' "$2" >"$1"
    chmod 600 "$1"
}
set_secret() { # NAME VALUE: through standard input
    printf '%s\n' "$2" | "$B/certferry" secret set "$1" --config "$conf" >>said/set 2>&1 || bail "secret set $1"
}

intune_open cloud
sed -i 's/level = "info"/level = "debug"/' "$conf"
known ca-password "$(cut -d: -f2- "$dir/ca-password.txt" | head -n 1)"
known intune-secret "$(head -n 1 "$dir/intune-secret.txt")"
known cloud-token "$(head -n 1 "$dir/bearer-token.txt")"
for k in connector intune-app scep-sign scep-encrypt issuing-ca tls-server; do
    known "key-$k" "$(grep -v -e ----- "$dir/$k.key" | sed -n 2p | cut -c1-60)"
done
openssl req -x509 -newkey rsa:2048 -nodes -keyout listen.key -out listen.pem -subj /CN=localhost -days 9 2>openssl.err
chmod 600 listen.key
known key-listener "$(grep -v -e ----- listen.key | sed -n 5p)"
known key-device "$(grep -v -e ----- devices/key.pem | sed -n 5p)"

# Everything that has an option for it, once from the store and once from a file.
set_secret ca "$(head -n 1 "$dir/ca-password.txt")"
set_secret intune "$(head -n 1 "$dir/intune-secret.txt")"
set_secret cloud-token "$(head -n 1 "$dir/bearer-token.txt")"
admin=$(canary admin-password '&<"+ %/=')
set_secret admin "scraper:$admin"
keep admin-file "scraper:$(canary admin-password-file)"
set_secret hook "$(canary plugin-secret | head -c 64)"
keep hook-file "$(printf 'a key: %s' "$(canary plugin-secret-file)" | base64 -w0)
$(canary plugin-secret-file-second-line)"
set_secret proxy "user:$(canary proxy-password '@:/%')"
set_secret nobody-uses-it "$(canary unused-secret)"
set_secret many-lines "$(printf 'first\n%s\n' "$(canary second-line)")"
keep given "$(canary secret-of-a-file)"
"$B/certferry" secret set given --file given --config "$conf" >>said/set 2>&1 || bail "secret set --file"
typed=$(canary typed)
mistyped=$(canary typed-once)
"$typist" ': ' "$typed\\n" ': ' "$typed\\n" -- "$B/certferry" secret set typed --config "$conf" >>said/set 2>&1
"$typist" ': ' "$mistyped\\n" ': ' "something else\\n" -- "$B/certferry" secret set typed --config "$conf" >>said/set 2>&1
"$typist" ': ' "$(canary typed-and-given-up)\\x03" -- "$B/certferry" secret set typed --config "$conf" >>said/set 2>&1
sed -i "0,/credentials_file = .*/s||credentials_file = \"secret:ca\"|" "$conf"
drop_in cloud <<CONF
cloud {
  url = "$base/ccp"
  trust = "$dir/tls-ca.pem"
  token_file = "secret:cloud-token"
  poll_interval = 1
}
listen "tls" {
  address = "127.0.0.1:0"
  certificate = "$work/listen.pem"
  key = "$work/listen.key"
}
plugin "otp" {
  path = "$B/plugins/otp.so"
}
CONF
plugin_section by-secret 'client_secret_file = "secret:intune"'
endpoint by-secret by-secret 'general_template = "ContosoUser"'
endpoint otp otp 'general_template = "ContosoUser"' 'admin_password = "secret:admin"'
endpoint otp-file otp 'general_template = "ContosoUser"' "admin_password = \"$work/admin-file\""

# Peers that repeat what they hear and give away what is theirs.
theirs=()
for i in 0 1 2 3 4 5 6 7 8 9; do theirs+=("$(canary "peer-$i")"); done
python3 "$root/test/live/blabber.py" "$dir/tls-server.pem" "$dir/tls-server.key" heard "${theirs[@]}" 2>blabber.err &
blabber_pid=$!
alive[$blabber_pid]=blabber
until_true 20 test -s heard/port || bail "the blabber does not start: $(cat blabber.err)"
blabber=https://127.0.0.1:$(cat heard/port)
in_argument=$(canary userinfo-in-an-argument)
in_input=$(canary standard-input)
canary input-file >input
in_environment=$(canary userinfo-in-the-environment)

# ---- every command -----------------------------------------------------------------------------------------------
"$B/certferry" manual commands | sed -n 's/^\*\(.*\)\*\( _\(.*\)_\)\{0,1\}$/\1|\3/p' | tr -d '\\' >commands
ok "there are commands to try ($(wc -l <commands))" test "$(wc -l <commands)" -ge 20

# What would change the machine, not a folder of this test; and what runs until it is told to end.
not_tried() { # COMMAND
    [[ $1 =~ ^(run|once|help|service\ (install|uninstall|start|stop|restart|enable|disable|reload))$ ]]
}
word_for() { # ARGUMENT OF-WHAT...: a word for it that is known here or, where it may, brings a secret
    case ${1//[\[\].]/} in
    ID | REQUEST) echo "${some_request:-none}" ;;
    *URL*) echo "https://user:$in_argument@127.0.0.1:1/scep?token=$in_argument" ;;
    VALUE*) echo "http://user:$in_argument@127.0.0.1:3128" ;;
    KEY*) echo proxy.url ;;
    SHELL) echo bash ;;
    NAME*) if [[ $2 == plugin* ]]; then echo by-secret; else echo ca; fi ;;
    ENDPOINT*) echo otp ;;
    CODE*) echo SCEP-01 ;;
    PART*) echo commands ;;
    DURATION) echo 1s ;;
    STATE) echo held ;;
    *FILE*) if [[ $2 == config* ]]; then echo "$conf"; else echo "$work/cwd/input"; fi ;;
    *) echo x ;;
    esac
}
try_one() { # WORD...: in a folder of its own, with a secret on standard input
    tried=$((tried + 1))
    cmp -s cwd/input input || { # a command has written it: that is searched, and the next one reads the secret again
        [ ! -e cwd/input ] || cp cwd/input "said/written-$pass-$tried"
        (umask 077 && cat input >cwd/input)
    }
    (cd cwd && echo "$in_input" | timeout -k 2 "${limit:-6}" "$B/certferry" "$@" --config "$conf") >said/command.out 2>&1
    { echo "== certferry ${*//$in_argument/IN-ARGUMENT} -> $?"; cat said/command.out; } >>"said/commands-$pass"
    rm said/command.out
}
try_all() { # PASS
    pass=$1 tried=0
    local command args arg option value words
    while IFS='|' read -r command args; do
        not_tried "$command" && continue
        # shellcheck disable=SC2206
        words=($command)
        for arg in $args; do words+=("$(word_for "$arg" "$command")"); done
        try_one "${words[@]}"
        try_one "${words[@]}" --json
        [ "$pass" = hostile ] && continue # options do not make a peer say more
        # shellcheck disable=SC2086
        "$B/certferry" help $command 2>/dev/null | sed -n 's/^  \(--[a-z-]*\) \([A-Z]*\) .*/\1 \2/p' >options
        while read -r option value; do
            if [ -n "$value" ]; then
                try_one "${words[@]}" "$option" "$(word_for "$value" "$command")"
            else
                try_one "${words[@]}" "$option"
            fi
        done <options
    done <commands
}
listened() { # PID: the ports it listens on
    python3 - "$1" <<'PYTHON'
import os, sys
folder = f"/proc/{sys.argv[1]}/fd/"
mine = {os.readlink(folder + fd) for fd in os.listdir(folder)}
for table in ("/proc/net/tcp", "/proc/net/tcp6"):
    if os.path.exists(table):
        with open(table) as f:
            for row in (line.split() for line in list(f)[1:]):
                if row[3] == "0A" and f"socket:[{row[9]}]" in mine:
                    print(int(row[1].split(":")[1], 16))
PYTHON
}
look_around() { # what the service shows to everybody
    local port path request
    tr '\0' '\n' <"/proc/$agent_pid/cmdline" >>"said/cmdline-$pass"
    tr '\0' '\n' <"/proc/$agent_pid/environ" | grep -v '^https_proxy=' >>"said/environ-$pass"
    cp "/proc/$agent_pid/comm" "said/comm-$pass"
    for port in $(listened "$agent_pid"); do
        for path in / /metrics /ready /healthz /status /certsrv/mscep/mscep.dll /certsrv/mscep_admin/ /otp/mscep.dll \
            "/otp/mscep.dll?operation=GetCACaps" "/otp/mscep.dll?operation=PKIOperation&message=$in_argument"; do
            curl -sik --max-time 5 "http://127.0.0.1:$port$path" >>"said/pages-$pass" 2>&1
            curl -sik --max-time 5 "https://127.0.0.1:$port$path" -u "scraper:$(canary wrong-password)" \
                >>"said/pages-$pass" 2>&1
        done
    done
    # The control socket: every command of its table, and nonsense with a secret in it.
    for request in $(grep -oE '^ *\{ "[a-z]+(\.[a-z-]+)?", "certferry' "$root"/agent/control/*.c | cut -d'"' -f2) nonsense; do
        [[ $request =~ ^(keys\.rotate|reload|stop)$ ]] && continue # the service would not be there for the rest
        printf '{"command":"%s","id":"x","endpoint":"otp","name":"ca/","x":"%s"}\x1e%s\n' "$request" "$in_input" \
            "$(echo -n "$in_input" | base64)" | python3 -c '
import socket, sys
s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]); s.sendall(sys.stdin.buffer.read())
while True:
    piece = s.recv(65536)
    if not piece: break
    sys.stdout.buffer.write(piece)' "$dir/state/control.sock" >>"said/control-$pass" 2>&1
    done
}
as_before() { # the store as it was before the commands were tried; what they left is kept for the search
    cp -rp "$dir/state" "$work/state-after-$pass"
    rm -rf "$dir/state"
    cp -rp before/state "$dir/state"
}
found_nowhere() { # PLACE...: no secret at all
    python3 "$hunter" "$list" "$@"
}

# ---- a service that is well ----------------------------------------------------------------------------------------
agent_start || bail "the service does not start: $(tail -n 3 "$log")"
agent_stop >stop.out
cp -rp "$dir" before
agent_start || bail "the service does not start: $(tail -n 3 "$log")"
challenge good
known challenge-of-intune "$(head -n 1 devices/good.challenge | cut -c1-80)"
enrol good
ok "a device gets a certificate through Intune" told good status=SUCCESS
endpoint=by-secret
challenge good-too
known challenge-by-secret "$(head -n 1 devices/good-too.challenge | cut -c1-80)"
enrol good-too
ok "and through the client whose secret is in the store" told good-too status=SUCCESS
endpoint=
canary wrong-challenge >devices/wrong.challenge
enrol wrong
tls=$(port_of tls 2>/dev/null || grep -m 1 '"tls\\".*listens on port' "$log" | sed 's/.*listens on port \([0-9]*\).*/\1/')
curl -sk --max-time 10 -u "scraper:$admin" "https://127.0.0.1:$tls/otp/mscep_admin/" >page.html 2>&1
otp=$(tr -d '\0' <page.html | grep -oE '[0-9A-F]{16,64}' | tail -n 1)
[ -z "$otp" ] || known challenge-of-the-page "$otp"
keep devices/otp.challenge "${otp:-none}"
ask some adcs ContosoUser
some_request=$id
ok "a request of the cloud, by token" until_true 30 is_delivered "$id"
try_all well
look_around
ok "a service that is well: $tried commands tried, and it goes on" exits 0 status
ok "no secret in what they said" found_nowhere "said/commands-well" said/set
ok "nor on the control socket" found_nowhere "said/control-well"
ok "nor in its pages" found_nowhere "said/pages-well"
ok "nor in its environment, arguments, name" found_nowhere said/cmdline-well said/environ-well said/comm-well
ok "nor in its log, at debug" found_nowhere "$log"
ok "nor in what a command left in its folder" is "$(rm -f cwd/input; python3 "$hunter" "$list" cwd said/commands-well 2>/dev/null)" ''

# ---- what it holds, and how ------------------------------------------------------------------------------------------
is_sanitized() { nm -D "$B/certferry" 2>/dev/null | grep -q __asan_init || grep -qa __asan_init "$B/certferry"; }
locked_kib() { sed -n 's/^VmLck:[^0-9]*\([0-9]*\) kB/\1/p' "/proc/$1/status"; }
if is_sanitized; then
    skip "the memory of secrets is locked" "a sanitizer's build locks none; see the build without"
else
    ok "the memory of secrets is locked: 512 KiB" test "$(locked_kib "$agent_pid")" -ge 512
fi
ok "no core file may be written" is "$(awk '/^Max core file size/ { print $5, $6 }' "/proc/$agent_pid/limits")" '0 0'
agent_stop >stop.out
as_before

# The core of a service that is told to abort: none, though the shell would allow it.  As another user, its memory is
# root's: it is not dumpable.
core_of() { # USER-WRAPPER...
    rm -rf core.told
    python3 - "$dir/state" "$@" "$B/certferry" run --config "$conf" >core.told 2>said/core-log <<'PYTHON'
import os, resource, signal, subprocess, sys, time
resource.setrlimit(resource.RLIMIT_CORE, (resource.RLIM_INFINITY,) * 2)
os.chdir("cwd")
p = subprocess.Popen(sys.argv[2:])
until = time.monotonic() + 30
while not os.path.exists(sys.argv[1] + "/control.sock") and time.monotonic() < until and p.poll() is None:
    time.sleep(0.1)
time.sleep(0.3)
print("user", os.stat(f"/proc/{p.pid}").st_uid, "memory", os.stat(f"/proc/{p.pid}/mem").st_uid)
with open(f"/proc/{p.pid}/status") as f:
    print("uid", next(line.split()[1] for line in f if line.startswith("Uid:")))
p.send_signal(signal.SIGABRT)
pid, status = os.waitpid(p.pid, 0)
print("signal", os.WTERMSIG(status) if os.WIFSIGNALED(status) else "none", "core", os.WCOREDUMP(status))
PYTHON
}
core_of
ok "SIGABRT ends it without a core" says core.told 'signal 6 core False'
ok "none lies about" is "$(find . "$dir" -name 'core*' -type f ! -name core.told ! -name core-log | head -n 3)" ''
if [ "$(id -u)" -eq 0 ] && command -v setpriv >/dev/null; then
    chmod 711 "$work" "$work/cwd"
    other=65534
    cp -rp before "$work/as-other"
    chmod 711 "$work/as-other"
    chown -R $other:$other "$work/as-other"
    cp listen.key admin-file hook-file "$work/as-other/" && chown $other "$work"/as-other/{listen.key,admin-file,hook-file}
    sed -i "s|$dir/|$work/as-other/|g; s|$work/listen.key|$work/as-other/listen.key|; s|$work/admin-file|$work/as-other/admin-file|" \
        "$work"/as-other/certferry-scep.conf "$work"/as-other/conf.d/*.conf
    mine=$conf conf=$work/as-other/certferry-scep.conf dir_was=$dir dir=$work/as-other
    core_of setpriv --reuid=$other --regid=$other --clear-groups
    conf=$mine dir=$dir_was
    ok "run by another user, its memory is root's: it cannot be dumped" says core.told "uid $other" 'memory 0' \
        'signal 6 core False'
else
    skip "run by another user, its memory is root's" "not root, or no setpriv"
fi

# ---- a service whose peers repeat all they hear -----------------------------------------------------------------------
drop_in hostile <<CONF
cloud {
  url = "$blabber/ccp"
}
CONF
sed -i "s|url = \"$base|url = \"$blabber|; s|login_url=$base|login_url=$blabber|; s|graph_url=$base|graph_url=$blabber|" "$conf"
sed -i "s|login_url=$base|login_url=$blabber|; s|graph_url=$base|graph_url=$blabber|" "$(dirname "$conf")"/conf.d/*.conf
drop_in hook <<CONF
plugin "hook" {
  path = "$B/plugins/webhook.so"
  trust = "$dir/tls-ca.pem"
  settings = {"url=$blabber/verify", "notify_url=$blabber/notify"}
  secrets = {"bearer=secret:hook", "signing=$work/hook-file"}
}
CONF
endpoint hook hook 'general_template = "ContosoUser"'
agent_start https_proxy="http://user:$in_environment@127.0.0.1:1" || bail "it does not start: $(tail -n 3 "$log")"
for endpoint in '' by-secret hook otp-file; do
    canary "challenge-hostile-${endpoint:-intune}" >"devices/hostile-${endpoint:-intune}.challenge"
    enrol "hostile-${endpoint:-intune}"
done
endpoint=
until_true 30 test -s heard/asked
sleep 2
try_all hostile
look_around
heard_of() { grep -qi "$1" heard/asked || { echo "the peer never heard $1"; false; }; }
ok "peers that repeat everything: $tried commands tried; they have heard the token of the cloud" \
    heard_of "Bearer $(head -n 1 "$dir/bearer-token.txt" | cut -c1-20)"
ok "no secret in what commands said" found_nowhere said/commands-hostile
ok "nor on the control socket" found_nowhere said/control-hostile
ok "nor in its pages" found_nowhere said/pages-hostile
ok "nor in its environment, arguments, name" found_nowhere said/cmdline-hostile said/environ-hostile said/comm-hostile
ok "nor in its log, at debug" found_nowhere "$log"
agent_stop >stop.out
as_before
ok "nor at its end" found_nowhere "$log"

# ---- none ------------------------------------------------------------------------------------------------------------------
try_all none
ok "no service: $tried commands tried, and no secret in what they said" found_nowhere said/commands-none
ok "nor in all that was ever said" found_nowhere said
rm -f cwd/input cwd/*.conf
ok "nor in what commands left in their folder" is "$(python3 "$hunter" "$list" cwd said/set 2>/dev/null)" ''
# shellcheck disable=SC2046
ok "nor in the store's files, sealed as they are" found_nowhere \
    $(find "$dir/state" "$work/before/state" "$work"/state-after-* -type f ! -name 'master.key*')

# ---- configurations that bring a secret where none belongs -------------------------------------------------------------------
wrong=$work/wrong
mkdir "$wrong"
in_a_file=$(canary userinfo-in-the-configuration)
wrong_one() { # NAME: standard input is a drop-in that must be refused; what is said goes to said/wrong
    local drop
    rm -rf "$wrong" && cp -rp "$work/before" "$wrong"
    sed -i "s|$dir/|$wrong/|g" "$wrong"/certferry-scep.conf "$wrong"/conf.d/*.conf
    drop=$wrong/conf.d/zz-$1.conf
    cat >"$drop"
    for command in check 'config validate' 'config list' 'proxy show' doctor; do
        # shellcheck disable=SC2086
        timeout 10 "$B/certferry" $command --config "$wrong/certferry-scep.conf" >>said/wrong 2>&1
    done
    "$B/certferry" check --config "$wrong/certferry-scep.conf" >said/wrong-last 2>&1
    [ $? -eq 6 ] || { echo "it was not refused:"; cat "$drop" said/wrong-last; return 1; }
}
ok "a user and password in the cloud's URL: refused" wrong_one cloud <<<"cloud { url = \"https://user:$in_a_file@127.0.0.1/ccp\" }"
ok "in a CA's" wrong_one ca <<<"ca \"adcs\" { url = \"https://user:$in_a_file@127.0.0.1/certsrv/\" }"
ok "a key that does not exist" wrong_one key <<<"cloud { pasword = \"$in_a_file\" }"
ok "a line that is none" wrong_one line <<<"cloud { token_file \"$in_a_file\" }"
wrong_one proxy <<<"proxy { url = \"http://user:$in_a_file@127.0.0.1:3128\" }" >said/wrong-proxy 2>&1
ok "no secret in what was said of them" found_nowhere said/wrong said/wrong-last

# ---- is a leak found? ------------------------------------------------------------------------------------------------------------
known_count=$(wc -l <"$list")
ok "(forty secrets at least: $known_count)" test "$known_count" -ge 40
mkdir planted
python3 "$hunter" --plant "$list" planted/each
missed() { # each file of it alone must be found
    python3 - "$hunter" "$list" planted/each <<'PYTHON'
import importlib.util, os, sys, contextlib, io
spec = importlib.util.spec_from_file_location("hunt", sys.argv[1])
hunt = importlib.util.module_from_spec(spec)
spec.loader.exec_module(hunt)
secrets, missed = hunt.listed(sys.argv[2]), []
with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
    by_name = {}
    for name, value in secrets:
        by_name.setdefault(name, []).append((name, value))
    for file in sorted(os.listdir(sys.argv[3])):
        name = file.rsplit("-", 1)[0]
        if hunt.hunt(by_name[name], [os.path.join(sys.argv[3], file)]) != 1:
            missed.append(file)
print(" ".join(missed))
PYTHON
}
ok "planted, each is found in each disguise ($(find planted/each -type f | wc -l) files)" is "$(missed)" ''
# A program that judges challenges and says one aloud: its reason goes to the log, as any reason does.
cat >leaky <<'PROGRAM'
#!/bin/bash
read -r q
id=${q#*'"id":"'} id=${id%%'"'*}
challenge=${q#*'"challenge":"'} challenge=${challenge%%'"'*}
printf '{"v":1,"id":"%s","allow":false,"why":"I do not know %s"}\n' "$id" "$challenge"
PROGRAM
chmod 755 leaky
rm -rf "$dir/state" "$(dirname "$conf")/conf.d" && cp -rp before/state before/conf.d "$dir/"
cp before/certferry-scep.conf "$conf"
drop_in leaky <<CONF
plugin "leaky" {
  path = "$B/plugins/exec.so"
  program = "$work/leaky"
}
CONF
endpoint leaky leaky 'general_template = "ContosoUser"'
agent_start || skip "a leak on purpose" "the service does not start"
endpoint=leaky
canary leaked-on-purpose >devices/leak.challenge
enrol leak
until_true 30 grep -q 'I do not know' "$log"
ok "a plugin that says a challenge aloud: the log has it, and it is found" not found_nowhere "$log"
endpoint=
agent_stop >stop.out
finish
