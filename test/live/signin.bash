# Sourced by tests that sign in: the sandbox with --sign-in, and a sign-in as a person sees it.
# shellcheck source=test/live/live.bash
. "$(dirname "${BASH_SOURCE[0]}")/live.bash"
code=''

sign_in() { # OPTIONS...: $rc, ./out, ./err
    cf sign-in "$@"
}
sign_in_begin() { # OPTIONS...: in the background; $signin_pid; ./person is what the person sees
    : >person
    "$B/certferry" sign-in --config "$conf" "$@" >out 2>person </dev/null &
    signin_pid=$!
    alive[$signin_pid]=sign-in
}
sign_in_end() { # $rc
    wait "$signin_pid"
    rc=$?
    unset "alive[$signin_pid]"
    cat person out >all
    { echo "== certferry sign-in -> $rc"; cat all; } >>said/commands
}
user_code() { # as it stands on the screen; $code
    code=$(sed -n 's/.*enter the code *//p' person)
    [ -n "$code" ]
}
# As a person does it: the code is read from the screen and typed somewhere else.
person_does() { # ctl-COMMAND OPTIONS...: $rc
    local what=$1
    shift
    sign_in_begin "$@"
    until_true 20 user_code || { cat person; sign_in_end; return 1; }
    user_code
    ctl "$what" "$code" >ctl.out
    sign_in_end
}
exits_with() { # CODE: the last sign-in
    [ "$rc" -eq "$1" ] || { echo "exit $rc, not $1:"; cat person out err all 2>/dev/null; return 1; }
}
agent_id() { # of whoami
    cf whoami --json >/dev/null
    get out '$.data.agentId'
}
bootstrap_file() { # NAME
    (umask 077 && ctl bootstrap >"$1")
}
agent_log_has() { # EVENT
    grep -qF "\"event\":\"$1\"" "$log"
}
delivers() { # CN: a whole PKCS request
    ask "$1" adcs ContosoUser
    until_true 20 is_delivered "$id"
}
own_ra() { # an endpoint that enrols its registration authority's certificates itself
    drop_in scep <<'CONF'
listen "plain" {
  address = "127.0.0.1:0"
}
ca "est" {
  templates = {"ContosoUser", "EnrollmentAgentOffline", "CEPEncryption"}
}
scep "own" {
  ca = "est"
  paths = {"/own/mscep.dll"}
  challenge = "none"
  general_template = "ContosoUser"
  ra_signing_template = "EnrollmentAgentOffline"
  ra_encryption_template = "CEPEncryption"
  ra_subject = "CN=own-MSCEP-RA, O=Contoso"
}
CONF
}
