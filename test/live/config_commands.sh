#!/bin/bash
# The configuration by command, completion in real shells, and the envelope of every command there is: at a running
# agent, with none, and with a configuration that is broken.  Prints TAP.
#
#   B=build/asan test/live/config_commands.sh
# shellcheck source=test/live/live.bash
. "$(dirname "$(realpath "$0")")/live.bash"
sandbox_start config
ours=$dir/conf.d/90-config.conf
PATH=$B:$PATH

# ---- set, get, unset ---------------------------------------------------------------------------------------------
cp "$conf" before.conf
ok "config get: the default" exits 0 config get pkcs12.iterations
ok "is printed alone" is "$(cat out)" 2048
ok "config set: says from what to what" exits 0 config set pkcs12.iterations 4096
ok "on standard output" is "$(cat out)" 'pkcs12.iterations: 2048 -> 4096'
ok "and where on standard error" says err "$ours"
ok "it counts" exits 0 config get pkcs12.iterations --json
ok "as a number, with its origin" is "$(get out '$.data.value') $(get out '$.data.origin.layer') $(get out \
    '$.data.origin.file')" "4096 drop-in $ours"
ok "the administrator's file is as it was" cmp "$conf" before.conf
ok "--dry-run changes nothing" exits 0 config set pkcs12.iterations 4097 --dry-run
ok "but says what would change" is "$(cat out)" 'pkcs12.iterations: 4096 -> 4097'
cf config get pkcs12.iterations
ok "it still is 4096" is "$(cat out)" 4096
cp "$ours" drop-in.before
ok "a wrong value: configuration invalid" exits 6 config set pkcs12.iterations 0
ok "in three lines: what, seen, do" says err 'error[CONFIG]' 'seen: ' '0 is not between 1 and 1000000' 'fix:  nothing was changed'
ok "one that does not go with the rest, too" exits 6 config set cloud.url ''
ok "an option that does not exist: usage" exits 2 config set cloud.pol_interval 3
ok "with what was meant" says err 'did you mean poll_interval?'
ok "a section that does not exist: not found" exits 13 config get ca.nobody.url
ok "two values for one option: usage" exits 2 config set cloud.group my group
ok "a value that looks like an option, behind --" is "$("$B/certferry" config set --config "$conf" --dry-run \
    -- cloud.group --odd 2>/dev/null)" 'cloud.group: not set -> --odd'
ok "nothing of that was written" cmp "$ours" drop-in.before
ok "a list by words" exits 0 config set ca.adcs.templates ContosoUser 'Wi-Fi User' ContosoIssued
ok "with blanks in them" says "$ours" '{"ContosoUser", "Wi-Fi User", "ContosoIssued"}'
ok "a name as errors print it" exits 0 config get 'ca "adcs".templates'
ok "gives it as set takes it" is "$(cat out)" 'ContosoUser, "Wi-Fi User", ContosoIssued'
ok "unset" exits 0 config unset ca.adcs.templates
ok "unset the last one" exits 0 config unset pkcs12.iterations
ok "takes the file away" not test -e "$ours"
ok "unset of what the main file sets says that it stays" exits 0 config unset cloud.url
ok "and where" says err 'warning[OVERRIDDEN]' "$conf:" 'config set has not set it; nothing was changed'
ok "nor is anything said to be written" not grep -q 'written to' err
ok "and nothing is" not test -e "$ours"
ok "another store is not changed by the way once there is one" exits 0 config set store.dir "$dir/elsewhere" --dry-run
agent_once
STORY=''
ok "the agent has run once" is "$rc" 0
ok "then it is refused" exits 14 config set store.dir "$dir/elsewhere"
ok "with --force it is not" exits 0 config set store.dir "$dir/elsewhere" --force --dry-run
chmod 640 "$conf"
ok "a drop-in has the mode of the main file" exits 0 config set log.level debug
ok "exactly" is "$(stat -c %a "$ours")" 640
ok "the audit log has the option's name" exits 0 audit export
ok "and not its value" says out config.changed log.level
ok "at all" nowhere debug out

# ---- who won ------------------------------------------------------------------------------------------------------
echo 'log { level = "error" }' | drop_in 95-site
ok "a later drop-in wins" exits 0 config set log.level warning
ok "and that is said" says err 'warning[OVERRIDDEN]' '95-site.conf:1'
export CERTFERRY_LOG_FORMAT=human CERTFERRY_NOTHING=1
ok "config list --origin" exits 0 config list --origin
ok "names file, drop-in and variable" says out "$conf:" 95-site.conf:1 'environment CERTFERRY_LOG_FORMAT'
ok "no default without --all" nowhere max_duplicates out
ok "config list --all: every option" exits 0 config list --all --origin --json
ok "with its default" is "$(count out '$.data.settings' "json_extract(value, '\$.key') = 'pkcs12.iterations' and
    json_extract(value, '\$.value') = 2048 and json_extract(value, '\$.origin.layer') = 'default'")" 1
ok "config validate: valid, but a variable means nothing" exits 0 config validate
ok "which it names" says err CERTFERRY_NOTHING
CERTFERRY_LOG_LEVEL=loud
export CERTFERRY_LOG_LEVEL
ok "a variable that is wrong" exits 6 config validate
ok "is named" says err 'CERTFERRY_LOG_LEVEL: log.level: "loud" is none of'
unset CERTFERRY_LOG_FORMAT CERTFERRY_NOTHING CERTFERRY_LOG_LEVEL
ok "config path: every file in its order" exits 0 config path
ok "the main file first" is "$(tr '\n' ' ' <out)" "$conf $ours $dir/conf.d/95-site.conf "
rm "$dir/conf.d/95-site.conf"
ok "config explain: an option" exits 0 config explain log.level
ok "type, default, variable, value and place" says out 'one of error|warning|info|debug' 'default:      info' \
    CERTFERRY_LOG_LEVEL 'in use:       warning' "$ours:"
echo 'cloud { colour = 1 }' >broken.conf
ok "config explain without a configuration" is "$("$B/certferry" config explain log.level --config broken.conf \
    2>/dev/null | head -1)" log.level
ok "config validate FILE" exits 6 config validate broken.conf
ok "says where" says err 'broken.conf:1: cloud.colour: no such option'
cf config unset log.level

# ---- two at once ---------------------------------------------------------------------------------------------------
many() { # KEY: set it ten times
    local i
    for i in 1 2 3 4 5; do "$B/certferry" config set "$1" "$i" --config "$conf" --quiet >>many.out 2>&1 || return; done
}
many keys.pool & one=$!
many keys.workers & two=$!
alive[$one]=many alive[$two]=many
wait "$one" && wait "$two"
both=$?
unset "alive[$one]" "alive[$two]"
ok "two commands at once" is "$both" 0
ok "lose nothing" is "$(grep -cE '(pool|workers) = 5' "$ours")" 2
rm "$ours"

# ---- explain, help ---------------------------------------------------------------------------------------------------
ok "explain CODE needs no configuration" is "$("$B/certferry" explain net --config /nowhere | head -1)" \
    'NET (error): no usable answer'
ok "explain: one that does not exist" exits 13 explain NOPE-01
ok "explain: every code" exits 0 explain
ok "errors, rows, events, exit codes" says out NOMEM SCEP-01 PkcsOrphan EXIT-78 OVERRIDDEN
ok "help exit-codes" exits 0 help exit-codes
ok "has the service's" says out '78  run:'
ok "a verb that is missing: usage, and whose help" exits 2 config
ok "is named" says err 'config: a verb is missing; there are get, set, unset' 'certferry help config'

# ---- the envelope of every command -----------------------------------------------------------------------------------
cat >envelope.py <<'P'
import json, re, sys
def once(pairs):
    names = [n for n, _ in pairs]
    assert len(names) == len(set(names)), f"a member twice: {names}"
    return dict(pairs)
text = open(sys.argv[1]).read()
assert text.endswith("\n") and text.count("\n") == 1, f"not one line: {text[:200]!r}"
d = json.loads(text, object_pairs_hook=once)
want = ["schema", "time", "ok", "data", "warnings", "error"]
assert list(d) == want, f"members {list(d)}"
assert re.fullmatch(r"certferry\.[a-z.-]+/[0-9]+", d["schema"]), d["schema"]
assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", d["time"]), d["time"]
assert d["ok"] is (d["error"] is None), "ok and error do not agree"
assert isinstance(d["warnings"], list)
for w in d["warnings"]:
    assert set(w) == {"code", "message", "fix"}, w
if d["error"] is None:
    assert isinstance(d["data"], dict), d["data"]
else:
    assert {"code", "exit", "message", "fix"} <= set(d["error"]), d["error"]
    assert d["error"]["exit"] == int(sys.argv[2]), f"exit {sys.argv[2]}, not {d['error']['exit']}"
P
words_for() { # ARGS: something for each of them
    local w
    for w in $1; do
        case $w in
        \[*) ;;
        KEY) echo cloud.poll_interval ;;
        VALUE*) echo 45 ;;
        ID) echo 00000000-0000-4000-8000-000000000000 ;;
        URL) echo http://127.0.0.1:9/x ;;
        SHELL) echo bash ;;
        *) echo nothing ;;
        esac
    done
}
envelope() { # CODE-OR-ANY WORD...: what that prints
    local want=$1 rc
    shift
    timeout 60 "$B/certferry" "$@" --json </dev/null >out 2>err
    rc=$?
    { echo "== certferry $* --json -> $rc"; cat out err; } >>said/commands
    [ "$want" = any ] || is "exit $rc" "exit $want" || { cat out err; return 1; }
    python3 "$work/envelope.py" out "$rc" || { echo "of: certferry $* --json"; cat out; tail -n 4 err; return 1; }
}
"$B/certferry" help --json >help.json || bail "help --json fails"
ok "help --json" python3 envelope.py help.json 0
python3 - >commands.txt <<'P'
import json
for c in json.load(open("help.json"))["data"]["commands"]:
    print(c["noun"], c.get("verb") or "-", c["args"], sep="\t")
P
# Those that wait for a person or for ever, or change the machine, are asked with a broken configuration only.
only_broken='^(run -|sign-in -|sign-out -|service .*|keys .*|secret set|proxy (set|clear)|logs .*|bugreport -)$'
each_command() { # CODE-OR-ANY OPTIONS...: of every command
    local noun verb args bad='' w
    while IFS=$'\t' read -r noun verb args; do
        [ "$verb" != - ] || verb=
        if [ "$1" = any ] && [[ "$noun ${verb:--}" =~ $only_broken ]]; then continue; fi
        mapfile -t w < <(words_for "$args")
        # shellcheck disable=SC2086
        envelope any $noun $verb "${w[@]}" "${@:2}" || bad+=" $noun${verb:+ $verb}"
    done <commands.txt
    is "$bad" ''
}
ok "every command, with a configuration that is broken" each_command broken --config "$work/broken.conf"
ok "every command, with one that is not there" each_command broken --config "$work/nowhere/certferry.conf"
ok "every command, no service running" each_command any --config "$conf"
ok "usage: an option that does not exist" envelope 2 status --nothing
ok "usage: a verb that does not exist" envelope 2 requests nothing
ok "usage: no command" envelope 2
ok "usage: too many words" envelope 2 version 1 2
# ---- members that programs rely on: added to, never taken away -------------------------------------------------------
cat >members.txt <<'M'
certferry.config/1 file settings[].key settings[].section settings[].title settings[].option settings[].value
certferry.config/1 settings[].secret settings[].origin.layer settings[].origin.file settings[].origin.line
certferry.config.value/1 key section option value secret origin.layer
certferry.config.explain/1 options[].section options[].option options[].type options[].required options[].default
certferry.config.explain/1 options[].unit options[].min options[].max options[].help options[].settings[].key
certferry.config.change/1 key from to changed dryRun file
certferry.config.path/1 file dropIns
certferry.check/1 file cas listeners endpoints plugins
certferry.explain/1 codes[].code codes[].kind codes[].number codes[].title codes[].means codes[].todo
certferry.help/1 commands[].noun commands[].verb commands[].args commands[].help commands[].options[].name
certferry.completion/1 shell script
certferry.version/1 version openssl io store
certferry.once/1 delivered rejected
M
cat >members.py <<'P'
import json, sys
def paths(v, at):
    if isinstance(v, dict):
        for n, x in v.items():
            yield from paths(x, f"{at}.{n}" if at else n)
    elif isinstance(v, list):
        yield at
        for x in v:
            yield from paths(x, at + "[]")
    else:
        yield at
want, seen = {}, {}
for line in open("members.txt"):
    schema, *members = line.split()
    want.setdefault(schema, set()).update(members)
for line in open("said/commands"):
    if line.startswith('{"schema":'):
        d = json.loads(line)
        seen.setdefault(d["schema"], set()).update(paths(d["data"] or {}, ""))
gone = {s: sorted(m - seen.get(s, set())) for s, m in want.items() if m - seen.get(s, set())}
sys.exit(f"members that are gone: {gone}" if gone else 0)
P
cf config list --all --json
cf config explain cloud.wait --json
cf config set cloud.wait 20 --dry-run --json
ok "no member has gone" python3 members.py

# ---- what cannot be taken back -------------------------------------------------------------------------------------
cat >answer.py <<'P'
import os, pty, sys
pid, fd = pty.fork()
if pid == 0:
    os.execvp(sys.argv[2], sys.argv[2:])
os.write(fd, (sys.argv[1] + "\n").encode())
out = b""
try:
    while piece := os.read(fd, 4096):
        out += piece
except OSError:
    pass
print(out.decode(), os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
P
cancel=(requests cancel 00000000-0000-4000-8000-000000000000 --config "$conf")
python3 answer.py n "$B/certferry" "${cancel[@]}" >out
ok "requests cancel asks at a terminal, and a no is enough" says out 'Go on? [y/N]' 'nothing was done' 130
python3 answer.py y "$B/certferry" "${cancel[@]}" >out
ok "a yes goes on" says out 'Go on? [y/N]' 'no request 00000000' 13
python3 answer.py n "$B/certferry" "${cancel[@]}" --yes >out
ok "--yes is not asked" says out 'no request 00000000' 13
ok "nothing is asked without a terminal" exits 13 requests cancel 00000000-0000-4000-8000-000000000000 </dev/null
ok "not a word of it" nowhere 'Go on?' all

agent_start
STORY=''
ask completed adcs ContosoUser
wanted=$id
until_true 30 is_delivered "$wanted"
ok "every command, at the running service" each_command any --config "$conf"
ok "requests show of one that is there" envelope 0 requests show "$wanted" --config "$conf"

# ---- completion ------------------------------------------------------------------------------------------------------
"$B/certferry" completion bash >complete.bash
"$B/certferry" completion zsh >complete.zsh
"$B/certferry" completion fish >complete.fish
ok "completion: another shell is usage" exits 2 completion csh
touch "a file.pem"
cat >asks.txt <<A
conf|config
config un|unset
requests sh|show
--config $conf requests show ${wanted:0:12}|$wanted
--config $conf config set ca.adcs.templ|ca.adcs.templates
config set log.level war|warning
config set pkcs12.include_root t|true
requests list --sta|--state
requests list --state pen|pending
explain SCEP-0|SCEP-03
doctor --only SCEP-0|SCEP-02
--config $conf try pkcs --ca ad|adcs
--config $conf try pkcs --template Cont|ContosoUser
completion z|zsh
help exit|exit-codes
help config pa|path
config validate comp|complete.bash
A
in_bash() { # SCRIPT-WORDS: what bash would offer
    # shellcheck disable=SC2016
    bash --norc -c '. ./complete.bash; complete -p certferry >/dev/null || exit 1
        COMP_WORDS=(certferry "$@"); COMP_CWORD=$#; _certferry; printf "%s\n" "${COMPREPLY[@]}"' bash "$@"
}
in_zsh() {
    # shellcheck disable=SC2016
    zsh -f -c 'compdef() { : }; _describe() { print -rl -- ${${(P)2}%%:*} }; _files() { print -rl -- *(N) }
        . ./complete.zsh; words=(certferry "$@"); CURRENT=$#words; _certferry' zsh "$@"
}
in_fish() {
    HOME=$work fish --no-config -c 'source ./complete.fish; complete -C "certferry '"$*"'"' | cut -f 1
}
for shell in bash zsh fish; do
    if ! command -v $shell >/dev/null; then
        skip "completion in $shell" "$shell is not installed"
        continue
    fi
    while IFS='|' read -r typed wanted_word; do
        read -ra typed_words <<<"$typed"
        ok "$shell: $(sed "s|$work|.|" <<<"$typed") offers $wanted_word" \
            grep -qxF -- "$wanted_word" <("in_$shell" "${typed_words[@]}" 2>&1)
    done <asks.txt
    ok "$shell: no noun is left out" is "$("in_$shell" '' | sort | tr '\n' ' ')" \
        "$(cut -f 1 commands.txt | sort -u | tr '\n' ' ')"
    ok "$shell: nothing that does not fit" not grep -q . <("in_$shell" nonsense n)
done
ok "bash: a name with a blank is one word" grep -qxF 'ca\ \"a\ b\".url' <(
    printf 'ca "a b" { type = "est" url = "https://x.example" anchors = "a" templates = {"T"} }\n' >>"$conf"
    in_bash --config "$conf" config get 'ca "a b".u')
# shellcheck disable=SC2016
ok "bash: a name that a shell would execute is quoted" grep -qxF '\$\(touch\;x\)\`x\`' <(
    printf 'ca "$(touch;x)`x`" { type = "est" url = "https://x.example" anchors = "a" templates = {"T"} }\n' >>"$conf"
    in_bash --config "$conf" try pkcs --ca '$')
agent_stop || true
ok "nothing of the sandbox's secrets was said" nowhere -- "$(cat "$dir/token" 2>/dev/null || echo NO-TOKEN)" said
finish
