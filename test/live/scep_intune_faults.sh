#!/bin/bash
# Intune, Entra and Graph out of order, in the middle of an enrolment: what the device is told meanwhile, that it has
# its certificate when they are well again, and that it is one.  Prints TAP.
#
#   B=build/asan test/live/scep_intune_faults.sh
# shellcheck source=test/live/intune.bash
. "$(dirname "$(realpath "$0")")/intune.bash"

intune_open cloud
sed -i 's/level = "info"/level = "debug"/' "$conf"
sed -i 's|^\( *\)client_id = .*|&\n\1timeout = 2|' "$conf"
echo "not-the-secret-of-this-client" >"$dir/old-secret.txt"
chmod 600 "$dir/old-secret.txt"
plugin_section old-secret "client_secret_file = \"$dir/old-secret.txt\""
endpoint old-secret old-secret 'general_template = "ContosoUser"'
plugin_section forbidden "client_secret_file = \"$dir/intune-secret.txt\""
endpoint forbidden forbidden 'general_template = "ContosoUser"'
agent_start || bail "the agent does not start: $(tail -n 3 "$log")"

patient=()
patiently() { # CN: polls in the background until it has its certificate
    enrol "$1" --poll 60 &
    patient+=($!)
}
moved() { # the service is elsewhere now, and this is what Graph says of it
    fault intune.validate moved "\"match\":\"$1\""
    [ -z "${2:-}" ] || fault intune.discovery "${@:2}"
}
tokens() { ledger '"event":"token","audience":"intune"'; }

# ---- outages without a word of when: half a minute, so they go on in the background --------------------------
for cn in v-500 v-timeout v-html n-500; do challenge "$cn"; done
fault intune.validate http-500 '"match":"v-500"'
fault intune.validate delay '"ms":3000,"count":2,"match":"v-timeout"'
fault intune.validate html '"match":"v-html"'
fault intune.success http-500 '"match":"n-500"'
for cn in v-500 v-timeout v-html n-500; do patiently "$cn"; done

# ---- outages with Retry-After ------------------------------------------------------------------------------
challenge first
enrol first
challenge v-503
fault intune.validate http-503 '"retryAfter":2,"match":"v-503"'
enrol v-503
ok "503 at validate: the device is told to poll" told v-503 status=PENDING
ok "... and nothing is at the CA" nothing_at_ca v-503
cf requests show "$(request_of v-503)" --json
ok "... requests show tells what it waits for" says out '"ask"' 'HTTP 503'
ok "... as the log does" grep -q '"event":"ScepIssuedFailedAttempt".*HTTP 503' "$log"
enrol v-503 --poll 10
ok "503 is over: it polls, and has one certificate" enrolled v-503

challenge v-429
challenge v-next
fault intune.validate http-429 '"retryAfter":3,"match":"v-429"'
enrol v-429
ok "429 at validate: the device is told to poll" told v-429 status=PENDING
enrol v-next
ok "429 holds for all: the next device is told to poll" told v-next status=PENDING
ok "... without a question to Intune" story_is v-next ''
enrol v-429 --poll 10
enrol v-next --poll 10
ok "the pause is over: both have theirs" enrolled v-429
ok "... the other too" enrolled v-next
rest_ms=$(($(at_ms v-429 scep-validate) - $(at_ms v-429 http-429)))
ok "Retry-After 3 is kept: $rest_ms ms" test "$rest_ms" -ge 3000 -a "$rest_ms" -lt 20000
rest_ms=$(($(at_ms v-next scep-validate) - $(at_ms v-429 http-429)))
ok "... by the other device: $rest_ms ms" test "$rest_ms" -ge 3000 -a "$rest_ms" -lt 20000

# ---- tokens ------------------------------------------------------------------------------------------------
before=$(tokens)
for cn in t-1 t-2 t-3 t-4 t-5 t-6 t-7 t-8; do challenge "$cn"; done
fault intune.validate token-expired '"match":"t-"'
enrol_all t-1 t-2 t-3 t-4 t-5 t-6 t-7 t-8
ok "a token ends in the middle of eight devices: all have their certificates" is \
    "$(cat devices/t-?.out | grep -c status=SUCCESS)" 8
ok "... at once" not grep -l PENDING devices/t-?.out
ok "... and one new token was asked for" is "$(($(tokens) - before))" 1

endpoint=old-secret
challenge o-1
enrol o-1
ok "the client's secret is not right any more: the device is told to poll" told o-1 status=PENDING
ok "... within 5 s the health URL says 503" until_true 5 health_is 503 old-secret
ok "... and status says why, with Entra's number" until_true 6 status_says old-secret '"serving":false' AADSTS7000215
challenge o-2
enrol o-2
ok "... the next device waits, too" told o-2 status=PENDING
ok "... without another attempt at once" is "$(ledger '"event":"refused".*AADSTS7000215')" 1
ok "other endpoints do not care" health_is 403
cf requests cancel "$(request_of o-1)"
cf requests cancel "$(request_of o-2)"
ok "cancelled by hand: Intune never heard of it" story_is o-1 ''
endpoint=

endpoint=forbidden
challenge f-1
fault intune.validate http-403 '"match":"f-1"'
enrol f-1
ok "403: the device is told to poll" told f-1 status=PENDING
ok "... nothing is at the CA" nothing_at_ca f-1
ok "... within 5 s the health URL says 503" until_true 5 health_is 503 forbidden
ok "... and status names the role" until_true 6 status_says forbidden '"serving":false' scep_challenge_provider
cf requests retry "$(request_of f-1)"
enrol f-1 --poll 10
ok "granted: retried by hand, it has its certificate" enrolled f-1
ok "... and the health URL says 403 again" until_true 5 health_is 403 forbidden
endpoint=

# ---- the service moves -------------------------------------------------------------------------------------
for cn in m-1 m-2 m-3 m-4 m-5 m-6; do challenge "$cn"; done
moved m-1
enrol m-1
ok "moved: asked of Graph, and served at once" told m-1 status=SUCCESS
moved m-2 service-twice '"first":0'
enrol m-2
ok "listed twice, the last is right: served at once" told m-2 status=SUCCESS
moved m-3 service-twice '"first":1'
enrol m-3
ok "listed twice, the first is right: served at once" told m-3 status=SUCCESS
moved m-4 service-name
enrol m-4
ok "listed under its older name: served at once" told m-4 status=SUCCESS
fault intune.success moved '"match":"m-5"'
enrol m-5
ok "moved between validate and notification: served at once" told m-5 status=SUCCESS
ok "... with one certificate" enrolled m-5
# A notification that is accepted in the background says that all is well again: then once more.
challenge m-7
tried=() seen=no
for cn in m-6 m-7; do
    tried+=("$cn")
    moved "$cn" no-service
    enrol "$cn"
    until_true 5 health_is 503 >/dev/null && seen=yes && break
done
ok "Graph does not list the service: the device is told to poll" told "$cn" status=PENDING
ok "... within 5 s the health URL says 503" is "$seen" yes
ok "... and status says what may be missing" until_true 6 status_says devices '"serving":false' 'no licence'
for cn in "${tried[@]}"; do
    cf requests retry "$(request_of "$cn")"
    enrol "$cn" --poll 10
done
ok "listed again: retried by hand, it has its certificate" enrolled "$cn"

# ---- lost answers ------------------------------------------------------------------------------------------
challenge l-1
fault intune.validate drop-after '"match":"l-1"'
enrol l-1
ok "the answer to validate is lost: asked again, served at once" told l-1 status=SUCCESS
challenge l-2
fault intune.success drop-after '"match":"l-2"'
enrol l-2
ok "the answer to the notification is lost: served at once" told l-2 status=SUCCESS
ok "... told twice, issued once" story_is l-2 "${whole_story/scep-s/fault scep-s} scep-success"

# ---- the notification --------------------------------------------------------------------------------------
calm() { # one that goes well: five failures in a row would open the breaker, and others fail in the background
    challenge "$1"
    enrol "$1"
}
calm c-503
challenge n-503
fault intune.success http-503 '"retryAfter":2,"count":2,"match":"n-503"'
enrol n-503
ok "503 at the notification: issued, but the device is told to poll" told n-503 status=PENDING
cf requests show "$(request_of n-503)" --json
ok "... and requests show tells what it waits for" says out '"notify"' 'HTTP 503'
ok "... as the log does" grep -q '"event":"ScepNotifyAttemptFailed".*HTTP 503' "$log"
enrol n-503 --poll 20
ok "the notification is accepted: it has its certificate, the only one" enrolled n-503
ok "... of which Intune knows" line_says n-503 scep-success "\"serial\":\"$(serial n-503)\"" '"again":false'
was=$(serial n-503)
enrol n-503
ok "... and the same again when it asks again" told n-503 "status=SUCCESS serial=$was "
challenge n-refused
fault intune.success intune-code '"code":"Unknown","match":"n-refused"'
enrol n-refused
ok "Intune refuses the notification: the device gets no certificate" refused n-refused 2
cf orphans list --json
ok "... which is an orphan, with its serial number" is "$(count out '$.data.orphans' "json_extract(value, '\$.request')
    = '$(request_of n-refused)' and json_extract(value, '\$.serialNumber') = '$(lines_of n-refused
    sed -n 's/.*"event":"issued".*"serial":"\([^"]*\)".*/\1/p' lines)'")" 1
ok "... and the log says so" grep -q '"event":"ScepUploadFailure".*Unknown' "$log"

# ---- killed between issue and notification -----------------------------------------------------------------
# In flight: Intune has noted it, the answer has not come.  Waiting: Intune was not well, and will be asked again.
calm c-flight
challenge k-flight
challenge k-wait
fault intune.success http-503 '"retryAfter":6,"match":"k-wait"'
fault intune.success delay '"ms":7000,"match":"k-flight"'
enrol k-wait
ok "killed while it waits: the device was told to poll" told k-wait status=PENDING
enrol k-flight &
device=$!
until_true 10 line_says k-flight scep-success '"again":false' >/dev/null
kill -KILL "$agent_pid"
agent_ended 2>killed.err
wait "$device"
ok "killed while it is in flight: the device has nothing" not told k-flight status=SUCCESS
agent_start || bail "the agent does not start again: $(tail -n 3 "$log")"
enrol k-wait --poll 20
ok "started again: it has its certificate by a poll, the only one" enrolled k-wait
ok "... and Intune was told first" story_is k-wait "${whole_story/scep-s/fault scep-s}"
enrol k-flight --poll 20
ok "started again: so has the other one" enrolled k-flight
ok "... of which Intune was told twice, with the same number" is "$(grep -c "\"serial\":\"$(serial k-flight)\"" <(
    lines_of k-flight
    grep scep-success lines))" 2

# ---- killed between the reservation and the CA -------------------------------------------------------------
if grep -q CERTFERRY_CRASH_AT "$B/certferry"; then
    ok "SIGTERM: exit 0" agent_stop
    agent_start CERTFERRY_CRASH_AT=CP05:1 || bail "the agent does not start with a crash point"
    challenge c-1
    cp devices/c-1.challenge devices/c-2.challenge
    openssl genrsa -out devices/other.key 2048 2>openssl.err
    enrol c-1
    agent_ended 2>killed.err
    ok "killed before the CSR was sent: the device has nothing" not told c-1 status=SUCCESS
    agent_start || bail "the agent does not start again: $(tail -n 3 "$log")"
    as=c-1 key=devices/other.key enrol c-2
    ok "another request with this challenge is refused" refused c-2 2
    enrol c-1 --poll 20
    ok "the request that was killed has its certificate, the only one" enrolled c-1
else
    skip "killed before the CSR was sent" "this build has no crash points"
fi

# ---- what went on in the background ------------------------------------------------------------------------
# Devices give up when the service was killed; they send the same again.
wait "${patient[@]}"
patient=()
for cn in v-500 v-timeout v-html n-500; do patiently "$cn"; done
wait "${patient[@]}"
for cn in v-500 v-timeout v-html n-500; do ok "$cn: at last a certificate, the only one" enrolled "$cn"; done
ok "500 at the notification: told once it was well" story_is n-500 "${whole_story/scep-s/fault scep-s}"
rest_ms=$(($(at_ms v-500 scep-validate) - $(at_ms v-500 http-500)))
ok "500 without Retry-After: asked again after $rest_ms ms" test "$rest_ms" -ge 30000 -a "$rest_ms" -lt 75000

# ---- the end -----------------------------------------------------------------------------------------------
ok "the stand-in found nothing wrong but the old secret" is \
    "$(ledger '"event":"refused"') $(ledger '"event":"refused".*AADSTS7000215')" "$(grep -c AADSTS7000215 ledger.out
    ) $(grep -c AADSTS7000215 ledger.out)"
ok "no challenge led to two certificates" is "$(ledger '"otherRequest":true')" 0
cf requests list --all --json
cf status
ok "SIGTERM: exit 0" agent_stop
cf orphans list --json
cp out orphans
ok "no certificate got lost" "$B/certferry-sandbox" check "$dir" --orphans orphans
cp "$dir/old-secret.txt" devices/old.challenge
ok "no secret in any log or answer" no_secrets said devices/*.out
ok "no challenge, key or password in the store" no_secrets "$dir/state"
ok "no token, assertion or header in any log or answer" no_tokens said
ok "the sandbox stops cleanly" sandbox_stop
finish
