#!/bin/bash
# A program that judges challenges: right, wrong, crashing, hanging, flooding, lying; what it is started with; and
# that nothing of it is left.  Prints TAP.
#
#   B=build/asan test/live/scep_plugin_exec.sh
# shellcheck source=test/live/plugin.bash
. "$(dirname "$(realpath "$0")")/plugin.bash"
need_programs plugins/exec.so

stragglers() { # what a service that is broken leaves behind, this script does not
    local p
    for p in $(cat seen/*.pids seen/fled 2>/dev/null); do
        cat "/proc/$p/cmdline" 2>/dev/null | tr '\0' ' ' | grep -q 'sleep 1000\|program/judge' && kill -KILL "$p"
    done
}
trap 'stragglers; cleanup' EXIT

# ---- the program: it does what the challenge says, "word" of "word-secret" -----------------------------------
mkdir program seen
{
    echo '#!/bin/bash'
    echo "seen=$work/seen"
    cat <<'PROGRAM'
read -r q
member() { m=${q#*"\"$1\":\""}; echo "${m%%\"*}"; }
id=$(member id) what=$(member what) how=$(member challenge)
how=${how%-secret}
echo "$q" >>"$seen/$how.$what"
echo "$BASHPID" >>"$seen/$how.pids"
yes() { printf '{"v":1,"id":"%s","allow":true%s}\n' "$id" "${1:+,$1}"; }
no() { printf '{"v":1,"id":"%s","allow":false%s}\n' "$id" "${1:+,$1}"; }
case $what-$how in
verify-about)
    cat /proc/$$/environ >"$seen/environ"
    tr '\0' '\n' </proc/$$/cmdline >"$seen/cmdline"
    # Descriptor 255 is bash's own, of the script it reads; those of the pipe of this very line may be seen, and are gone then.
    for f in /proc/$$/fd/*; do link=$(readlink "$f") && echo "${f##*/} $link"; done | grep -v '^255 ' >"$seen/fds"
    pwd >"$seen/pwd"
    ulimit -c >"$seen/core"
    ulimit -v >"$seen/memory"
    cut -d' ' -f5,6 /proc/$$/stat >"$seen/session"
    echo $$ >"$seen/pid"
    yes ;;
verify-fits) yes "\"claims\":{\"subject\":\"CN=fits\",\"ku\":[\"keyEncipherment\",\"digitalSignature\"]}" ;;
verify-other-name) yes '"claims":{"subject":"CN=boss"}' ;;
verify-more-names) yes '"claims":{"subject":"CN=more-names","san":{"dns":["a.example"]}}' ;;
verify-other-purpose) yes '"claims":{"eku":["1.3.6.1.5.5.7.3.1"]}' ;;
verify-new-claim) yes '"claims":{"floor":3}' ;;
verify-claims-text) yes '"claims":"{\"subject\":\"CN=boss\"}"' ;;
verify-claims-list) yes '"claims":[]' ;;
verify-deny) no '"why":"no such device"' ;;
verify-deny-4) no '"failInfo":4' ;;
verify-deny-9) no '"failInfo":9,"why":"\u001b[31m\nred"' ;;
verify-later)
    if [ -e "$seen/came" ]; then yes; else : >"$seen/came"; no '"laterSeconds":1,"why":"the directory sleeps"'; fi ;;
verify-segv) kill -SEGV $$ ;;
verify-killed-after) yes; kill -KILL $$ ;;
verify-exit-1) yes; echo 'something is wrong' >&2; exit 1 ;;
verify-silent) ;;
verify-garbage) head -c 3000 /dev/urandom ;;
verify-text) echo allow ;;
verify-twice) yes; yes ;;
verify-no-then-yes) no; yes ;;
verify-behind) yes; echo bye ;;
verify-before) echo hello; yes ;;
verify-other-id) id=${id/[0-9a-f]/x}; yes ;;
verify-no-id) echo '{"v":1,"allow":true}' ;;
verify-version-2) printf '{"v":2,"id":"%s","allow":true}\n' "$id" ;;
verify-allow-text) printf '{"v":1,"id":"%s","allow":"yes"}\n' "$id" ;;
verify-allow-both) printf '{"v":1,"id":"%s","allow":false,"allow":true}\n' "$id" ;;
verify-nul) printf '{"v":1,"id":"%s","allow":true}\0\n' "$id" ;;
verify-flood) yes; while :; do printf '%4096s' x; done ;;
verify-flood-words) while :; do printf '%4096s\n' x; done >&2 ;;
verify-memory) x=$(head -c 300000000 /dev/zero | tr '\0' x); yes ;;
verify-hang*) sleep 1000 & echo $! >>"$seen/$how.pids"; sleep 1000 ;;
verify-stopped) kill -STOP $$ ;;
verify-deaf) trap '' TERM INT HUP QUIT ALRM; while :; do sleep 1000; done ;;
verify-behind-it) (while :; do sleep 1000; done) & echo $! >>"$seen/$how.pids"; yes ;; # holds our output open
verify-fled) setsid sleep 1000 & echo $! >"$seen/fled"; sleep 0.2; yes ;;             # so does this
notify-slow) sleep 1.5; yes ;;
notify-not-noted) no '"why":"the register is closed"' ;;
notify-crash-then) kill -SEGV $$ ;;
*) yes ;;
esac
PROGRAM
} >program/judge
chmod 755 program/judge

sandbox_start cloud
scep_open
judge="program = \"$work/program/judge\""
plugin=judge
plugin_section judge "$B/plugins/exec.so" "$judge" 'timeout = 3'
plugin_section patient "$B/plugins/exec.so" "$judge" 'timeout = 6'
plugin_section small "$B/plugins/exec.so" "$judge" 'timeout = 10' 'memory_mib = 48'
plugin_section quiet "$B/plugins/exec.so" "$judge" 'settings = {"notify=no"}'
judged devices judge
judged patient patient
judged small small
judged quiet quiet
judged impatient judge 'wait = 1'
scep_section denied adcs 'plugin = "judge"' 'failures_per_minute = 0' 'general_template = "DeniedUser"'
sed -i '/general_template = "ContosoUser"/d' "$dir/conf.d/scep-denied.conf"

# ---- whose hands it may have been in -------------------------------------------------------------------------
chmod g+w program/judge
ok "a program that others may write: it does not start" refuses "$work/program/judge: others may write it (mode 0775)"
chmod g-w program/judge
chmod o+w program
ok "a program in such a folder: it does not start" refuses "$work/program: others may write it"
chmod o-w program
plugin_section judge "$B/plugins/exec.so" 'program = "program/none"' 'timeout = 3'
ok "no such program: it does not start" refuses 'No such file'
plugin_section judge "$B/plugins/exec.so" "$judge" 'timeout = 3'

# A secret in the environment and an open file, for the program not to see.
exec 9<"$dir/tls-server.key"
export SECRET_OF_THE_SERVICE=42
serves devices
exec 9<&-
unset SECRET_OF_THE_SERVICE
url=$(url_of devices)
files=$(open_files)

try() { # GETS-OR-SO HOW ENDPOINT OPTION...: a device named HOW, whose challenge says HOW
    local verb=$1 how=$2 where
    where=$(url_of "$3")
    shift 3
    challenge "$how" "$how-secret"
    case $verb in
    gets) gets "$where" "$how" --cn "$how" --challenge-file "$how.challenge" "$@" ;;
    waits) waits_for "$where" "$how" --cn "$how" --challenge-file "$how.challenge" "$@" ;;
    *) gets_none "$verb" "$where" "$how" --cn "$how" --challenge-file "$how.challenge" "$@" ;;
    esac
}
gone() { # HOW: all it started
    local p
    # shellcheck disable=SC2013
    for p in $(cat "seen/$1.pids"); do
        # A zombie that nobody has asked for yet is none of ours.
        case $(cut -d' ' -f3 "/proc/$p/stat" 2>/dev/null) in
        '' | Z) ;;
        *) echo "$p lives"; return 1 ;;
        esac
    done
}

# ---- what it is given ------------------------------------------------------------------------------------------
ok "it allows: a certificate" try gets about devices --san dns:about.contoso.example
head -n 1 seen/about.verify >question
ok "it was asked one JSON object" is "$(get question '$.v') $(get question '$.what')" "1 verify"
ok "for this endpoint, CA and template" is "$(get question '$.endpoint') $(get question '$.ca') $(
    get question '$.template')" "devices est ContosoUser"
ok "with the challenge" is "$(get question '$.challenge')" about-secret
ok "and the names" is "$(get question '$.subject') $(get question '$.sans[0]')" "CN=about DNS about.contoso.example"
get question '$.pkcs10' | base64 -d >question.der
ok "the request is the device's" is "$(openssl req -inform der -in question.der -noout -pubkey)" \
    "$(openssl pkey -in about.key -pubout)"
head -n 1 seen/about.notify >told
ok "it is told how it ended" is "$(get told '$.disposition') $(get told '$.serial')" "issued $(serial_of about.pem)"
ok "with the certificate" is "$(get told '$.certificate' | base64 -d | openssl x509 -inform der -noout -fingerprint)" \
    "$(openssl x509 -in about.pem -noout -fingerprint)"
ok "another id for another question" not is "$(get told '$.id')" "$(get question '$.id')"
ok "its environment: PATH and LANG" is "$(tr '\0' ' ' <seen/environ)" 'PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 '
ok "its descriptors: three pipes" is "$(sed 's/:.*//' seen/fds | tr '\n' ' ')" '0 pipe 1 pipe 2 pipe '
ok "its arguments: none" is "$(cat seen/cmdline)" "$(printf '/bin/bash\n%s' "$work/program/judge")"
ok "its folder: /" is "$(cat seen/pwd)" /
ok "no core dump" is "$(cat seen/core)" 0
ok "memory is limited" is "$(cat seen/memory)" $((256 * 1024))
ok "a session and group of its own" is "$(cat seen/session)" "$(cat seen/pid) $(cat seen/pid)"

# ---- what it may answer ----------------------------------------------------------------------------------------
ok "claims that fit: a certificate" try gets fits devices
for how in other-name more-names other-purpose new-claim claims-text claims-list; do
    ok "$how, which the request does not fit: refused" try 2 $how devices
done
ok "it hears that those it allowed failed" is "$(get seen/other-name.notify '$.disposition')" failed
ok "it denies: refused" try 2 deny devices
ok "the log has its reason" says "$log" 'the program: no such device'
ok "it hears no more of those it denied" not test -e seen/deny.notify
ok "with failInfo 4" try 4 deny-4 devices
ok "with a failInfo that is none: badRequest" try 2 deny-9 devices
ok "its reason cannot write lines of our log" not grep -q $'\033\|^red' "$log"
ok "later: the device polls, and gets its certificate" try gets later devices --poll 15
ok "the request to the CA that fails" try 2 refused-by-ca denied
ok "is told with the CA's number" is "$(get seen/refused-by-ca.notify '$.disposition') $(
    get seen/refused-by-ca.notify '$.hresult')" "failed $((0x80094012))"
from=$(now_ms)
ok "before it has noted the certificate" try gets slow devices
ok "the device has none" test $(($(now_ms) - from)) -ge 1500
ok "it does not note it: refused" try 2 not-noted devices
ok "it crashes then: refused" try 2 crash-then devices
cf orphans list --json
ok "both certificates are orphans" is "$(count out '$.data.orphans' 1)" 2
ok "notify=no: it is not told" try gets untold quiet
ok "(it is not)" not test -e seen/untold.notify

# ---- what is no answer -----------------------------------------------------------------------------------------
for how in segv killed-after exit-1 silent garbage text twice no-then-yes behind before other-id no-id version-2 \
    allow-text allow-both nul flood; do
    ok "$how: refused" try 2 $how devices
done
ok "the log says why" says "$log" 'it ended with 139' 'it ended with 1' 'killed: it wrote more than it may' \
    'has the id of another question' 'is no JSON object' 'not version 1, or not one JSON object'
ok "more memory than it may have: refused" try 2 memory small
ok "the CA has seen none of these" is "$(ledger '"csr-received".*"cn":"\(segv\|killed-\|exit-\|silent\|text\|twice\|behind"\|before\|other-\|nul\|flood\|memory\)')" 0

# ---- what does not end -----------------------------------------------------------------------------------------
for how in hang deaf stopped flood-words; do
    (try 2 $how patient --use-key about.key >$how.said 2>&1; echo $? >$how.rc; now_ms >$how.at) &
    devices[$!]=1
done
from=$(now_ms)
until_true 5 test -s seen/hang.pids
argv() { # of whatever runs: one line each
    cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\0' '\n'
}
argv >argv
ok "while it hangs, its arguments are seen by everybody" says argv "$work/program/judge"
ok "and the challenge is not among them" nowhere -e '-secret' argv
ok "another device gets its certificate meanwhile" try gets meanwhile patient --use-key about.key
ok "before the others hear anything" not test -e hang.rc
wait "${!devices[@]}"
for how in hang deaf stopped flood-words; do
    ok "$how: refused" is "$(cat $how.rc)" 0
    ok "at the deadline ($(($(cat $how.at) - from)) ms)" test $(($(cat $how.at) - from)) -ge 5900
    ok "and nothing of it is left" until_true 5 gone $how
done
ok "an endpoint that waits a second only: told to poll" try waits hang-long impatient
device "$(url_of impatient)" hang-long --cn hang-long --use-key hang-long.key --challenge-file hang-long.challenge --poll 10
ok "and then refused" is "$rc $(sed 's/failInfo=.//' hang-long.out)" '2 status=FAILURE '
ok "it answers and leaves a process behind: a certificate" try gets behind-it devices
ok "and the process is gone" until_true 5 gone behind-it
from=$(now_ms)
ok "one that has fled with our pipe: a certificate" try gets fled devices
ok "without waiting for it ($(($(now_ms) - from)) ms)" test $(($(now_ms) - from)) -lt 2900
kill "$(cat seen/fled)"

# Anybody who reaches the endpoint makes a program run: not as many as come.
crowd=()
for i in $(seq 20); do
    challenge "crowd-$i" "hang-crowd-$i-secret"
    "$B/scep-device" enrol --url "$url" --temper strongswan --cn "crowd-$i" --use-key about.key \
        --challenge-file "crowd-$i.challenge" >"crowd-$i.out" 2>&1 &
    crowd+=($!)
done
running() { # how many programs
    # shellcheck disable=SC2046
    set -- $(cat "/proc/$agent_pid/task/"*/children)
    [ $# -gt "$most" ] && most=$#
    [ $# -ge 16 ]
}
most=0
ok "twenty hang: sixteen run" until_true 10 running
for _ in 1 2 3 4 5 6 7 8 9 10; do running; sleep 0.05; done
ok "and no more of them" is "$most" 16
wait "${crowd[@]}"
ok "all are refused" is "$(cat crowd-*.out | grep -c 'status=FAILURE failInfo=2')" 20

# ---- it can be mended and spoilt while the service runs ------------------------------------------------------------
chmod o+w program/judge
ok "others may write it now: refused" try 2 spoilt devices
ok "(it has not run)" not test -e seen/spoilt.verify
chmod 644 program/judge
ok "it cannot be run: refused" try 2 spoilt-2 devices
chmod 755 program/judge
ok "mended: a certificate" try gets mended devices

# ---- nothing is left -------------------------------------------------------------------------------------------------
many=()
openssl genrsa -out many.key 2048 2>openssl.err
for i in $(seq 50); do
    how=(segv exit-1 twice deny)
    echo "${how[i % 4]}-secret" >"many-$i.challenge"
    "$B/scep-device" enrol --url "$url" --temper strongswan --cn "many-$i" --use-key many.key \
        --challenge-file "many-$i.challenge" >"many-$i.out" 2>&1 &
    many+=($!)
    if [ $((i % 10)) -eq 0 ]; then
        wait "${many[@]}"
        many=()
    fi
done
ok "50 more, all refused" is "$(cat many-*.out | grep -c 'status=FAILURE failInfo=2')" 50
few() { [ "$(open_files)" -le $((files + 4)) ] || { ls -l "/proc/$agent_pid/fd"; false; }; }
if [ "$(id -u)" -eq 0 ]; then
    ok "no descriptor is left open (there were $files)" until_true 20 few
else
    skip "no descriptor is left open" "only root can look"
fi
ok "no process is left, dead or alive" until_true 10 is "$(children)" 0
ok "a certificate after all that" try gets at-last devices
ok "SIGTERM: exit 0" agent_stop
ok "no challenge in any log or answer" no_secrets said
finish
