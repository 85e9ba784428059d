# Sourced by tests that run the real agent: the sandbox, the agent, and questions to both.
# Everything an agent or a command of it said is kept in $work/said/, for the search for secrets at the end.
# shellcheck source=test/live/tap.bash
. "$(dirname "${BASH_SOURCE[0]}")/tap.bash"
need_programs certferry certferry-sandbox
mkdir said
agent_pid='' sandbox_pid='' starts=0

# ---- the sandbox: $dir is its folder, $conf the agent's configuration --------------------------------------
sandbox_start() { # NAME OPTIONS...
    dir=$work/$1 conf=$work/$1/certferry.conf
    shift
    "$B/certferry-sandbox" --dir "$dir" --port 0 --quiet "$@" 2>>sandbox.err &
    sandbox_pid=$!
    alive[$sandbox_pid]=sandbox
    until_true 30 test -f "$dir/ready" || bail "the sandbox does not start: $(cat sandbox.err)"
    base=$(cat "$dir/ready")
}
sandbox_stop() {
    kill "$sandbox_pid" && wait "$sandbox_pid"
    local rc=$?
    unset "alive[$sandbox_pid]"
    return $rc
}
ctl() {
    "$B/certferry-sandbox" ctl "$dir" "$@"
}
fault() { # WHERE WHAT [MORE JSON MEMBERS]
    ctl faults "{\"where\":\"$1\",\"what\":\"$2\"${3:+,$3}}" >ctl.out || echo "# fault $1 $2 was refused"
}
requests_json() { # CA TEMPLATE KEY CN...
    local ca=$1 template=$2 key="\"$3\", \"keySize\": null" comma='' cn
    [[ $3 == rsa* ]] && key="\"rsa\", \"keySize\": \"size${3#rsa}\""
    shift 3
    echo '['
    for cn; do
        echo "$comma{\"parameters\": {\"certificationAuthorityName\": \"$ca\",
          \"certificateTemplateName\": \"$template\", \"keyAlgorithm\": $key, \"keyUsage\": [\"digitalSignature\"],
          \"subject\": [[{\"type\": \"CN\", \"value\": \"$cn\"}]],
          \"subjectAlternativeNames\": [{\"sanType\": \"emailAddress\", \"name\": \"$cn@contoso.example\"}]}}"
        comma=,
    done
    echo ']'
}
ask() { # CN CA TEMPLATE [KEY]: a request into the sandbox, $id
    requests_json "$2" "$3" "${4:-ecP256}" "$1" >ask.json
    ctl requests ask.json >ask.out || bail "the sandbox refuses a request"
    id=$(get ask.out '$.value[0]')
}
ask_many() { # PREFIX COUNT CA TEMPLATE [KEY]: PREFIX-1 to PREFIX-COUNT at once
    # shellcheck disable=SC2046
    requests_json "$3" "$4" "${5:-ecP256}" $(seq -f "$1-%g" "$2") >ask.json
    ctl requests ask.json >ask.out || bail "the sandbox refuses requests"
}
ledger() { # LIKE-PATTERN: the lines of the ledger that fit, what is still in memory included
    ctl ledger >ledger.out
    grep -c -- "$1" ledger.out
}
verdict() { # ID: what the device says
    ctl request "$1" >request.out && get request.out '$.verdict'
}
is_delivered() { # ID: and the device says ok
    is "$(verdict "$1")" ok
}

# ---- the agent ---------------------------------------------------------------------------------------------
agent_start() { # VARIABLE=VALUE...: run as a service; its log is $log
    starts=$((starts + 1))
    log=$work/said/log-$starts
    STORY=$log
    env "$@" "$B/certferry" run --config "$conf" 2>"$log" &
    agent_pid=$!
    alive[$agent_pid]=agent
    until_true 30 grep -qF '"event":"ServiceStarted"' "$log"
}
agent_ended() { # after a signal: $rc, $took_ms
    local from
    from=$(now_ms)
    wait "$agent_pid"
    rc=$?
    took_ms=$(($(now_ms) - from))
    unset "alive[$agent_pid]"
    agent_pid=
    return 0
}
agent_stop() {
    kill -TERM "$agent_pid"
    agent_ended
    [ "$rc" -eq 0 ] || { echo "the agent ended with $rc:"; tail -n 30 "$log"; return 1; }
}
agent_once() { # MORE OPTIONS...: $rc, $log
    starts=$((starts + 1))
    log=$work/said/log-$starts
    STORY=$log
    "$B/certferry" once --config "$conf" "$@" 2>"$log"
    rc=$?
}
cf() { # a command: $rc, ./out, ./err
    "$B/certferry" "$@" --config "$conf" >out 2>err
    rc=$?
    { echo "== certferry $* -> $rc"; cat out err; } >>said/commands
}
exits() { # CODE COMMAND...: what it said stands in ./all
    local want=$1
    shift
    cf "$@"
    cat out err >all
    [ "$rc" -eq "$want" ] || { echo "exit $rc, not $want:"; cat all; return 1; }
}
state_of() { # ID
    cf requests show "$1" --json && get out '$.data.request.state'
}
is_state() { # ID STATE
    is "$(state_of "$1")" "$2"
}
drop_in() { # NAME: standard input becomes a file of conf.d
    mkdir -p "$(dirname "$conf")/conf.d"
    cat >"$(dirname "$conf")/conf.d/$1.conf"
}
