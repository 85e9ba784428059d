#!/bin/bash
# What monitoring reads of the running service: the form, by a strict reader that is not ours, the values, /ready and
# /healthz, and that alert rules and dashboard name nothing that does not exist.  Prints TAP.
#
#   B=build/asan test/live/watch_metrics.sh
# shellcheck source=test/live/live.bash
. "$(dirname "$(realpath "$0")")/live.bash"
rules=$root/packaging/prometheus/certferry.rules.yml
python=/usr/bin/python3 # Debian's, whose packages these are
board=$root/packaging/prometheus/certferry-dashboard.json

fetch() { # PATH [METHOD]: ./body, ./head, $status
    python3 - "$metrics$1" "${2:-GET}" <<'PY'
import sys, urllib.request, urllib.error
try:
    r = urllib.request.urlopen(urllib.request.Request(sys.argv[1], method=sys.argv[2]), timeout=10)
except urllib.error.HTTPError as e:
    r = e
open("body", "wb").write(r.read())
open("head", "w").write("%d\n%s" % (r.status, r.headers))
PY
    status=$(head -n 1 head)
}
answers() { # STATUS PATH [METHOD]
    fetch "$2" "${3:-}" && is "$status" "$1"
}
value() { # SAMPLE as it stands, labels included
    fetch /metrics
    awk -v want="$1" '{ n = length($0) - length($NF) - 1; if (substr($0, 1, n) == want) print $NF }' body
}
value_is() { # SAMPLE VALUE
    is "$(value "$1")" "$2"
}
at_least() { # SAMPLE VALUE
    [ "$(value "$1")" -ge "$2" ] || { echo "$1 is $(value "$1")"; return 1; }
}
names() { # FILE: families it speaks of
    grep -ohE 'certferry_[a-z0-9_]+' "$1" | sed -E 's/_(total|bucket|count|sum|info)$//' | sort -u
}

sandbox_start demo --demo 12
echo 'metrics { listen = "127.0.0.1:0" }' | drop_in 20-metrics
agent_start
port=$(grep -m 1 '"MetricsServing"' "$log" | sed -E 's/.*port ([0-9]+).*/\1/')
metrics=http://127.0.0.1:$port
delivered() {
    ctl summary >summary.out && is "$(get summary.out '$.open')" 0
}
until_true 60 delivered

ok "/healthz: 200" answers 200 /healthz
ok "/ready: 200" answers 200 /ready
ok "and a JSON object that says so" is "$(get body '$.ready') $(get body '$.health') $(get body '$.causes')" '1 ok []'
ok "/metrics: 200" answers 200 /metrics
ok "as OpenMetrics 1.0" says head 'Content-Type: application/openmetrics-text; version=1.0.0; charset=utf-8'
cp body scraped
if $python -c 'import prometheus_client' 2>/dev/null; then
    ok "which a strict reader takes" "$python" -c '
from prometheus_client.openmetrics.parser import text_string_to_metric_families
n = sum(len(f.samples) for f in text_string_to_metric_families(open("scraped").read()))
assert n > 50, n'
else
    skip "which a strict reader takes" "python3-prometheus-client is not installed"
fi
ok "requests that have ended: as many as were delivered" value_is \
    'certferry_requests_total{kind="pkcsIssue",outcome="delivered"}' "$(get summary.out '$.delivered')"
ok "and refused" value_is 'certferry_requests_total{kind="pkcsIssue",outcome="rejected"}' \
    "$(get summary.out '$.denied')"
ok "none is open" value_is 'certferry_requests_open{state="ready"}' 0
ok "every step was timed" at_least 'certferry_request_stage_duration_seconds_count{stage="report"}' 12
ok "every peer is up" is "$(value 'certferry_peer_up{peer="cloud"}') $(value 'certferry_peer_up{peer="adcs"}')" '1 1'
ok "their answers were timed" at_least \
    'certferry_http_request_duration_seconds_count{peer="adcs",code_class="2xx"}' 6
ok "commits were timed" at_least certferry_store_commit_duration_seconds_count 12
ok "the cloud knows us" value_is certferry_signed_in 1
ok "nothing of a request stands in it" not grep -qE 'contoso\.example|CN=' scraped

# ---- what is asked wrongly -----------------------------------------------------------------------------------
ok "another path: 404" answers 404 /etc/passwd
ok "which says nothing of it" not grep -q passwd body
ok "POST: 405" answers 405 /metrics POST
ok "HEAD: 200, no body" answers 200 /metrics HEAD
ok "no body" test ! -s body

# ---- not ready ------------------------------------------------------------------------------------------------
fault cloud.download http-500 '"count":-1'
for cn in one two three; do ask "broken-$cn" adcs ContosoUser; done
ok "the cloud fails: /ready is 503" until_true 90 answers 503 /ready
ok "and names it" is "$(get body '$.causes[0].part') $(get body '$.causes[0].stops') $(get body '$.health')" 'cloud 1 degraded'
ok "/healthz does not care" answers 200 /healthz
ok "the peer is down" value_is 'certferry_peer_up{peer="cloud"}' 0
ok "agent stops" agent_stop

# ---- an address that cannot be had ----------------------------------------------------------------------------
echo 'metrics { listen = "192.0.2.1:9464" }' | drop_in 20-metrics
"$B/certferry" run --config "$conf" 2>said/wrong
ok "an address that is not ours: it does not start" is $? 75
ok "and says which setting" says said/wrong metrics 192.0.2.1

# ---- rules and dashboard --------------------------------------------------------------------------------------
"$B/certferry" manual metrics >table
sed -nE 's/^\*(certferry_[a-z0-9_]+)\*.*/\1/p' table | sort -u >known
ok "every name of the alert rules exists" is "$(names "$rules" | comm -23 - known)" ''
ok "every name of the dashboard exists" is "$(names "$board" | comm -23 - known)" ''
ok "every name there is is shown or watched, but for build and start" is \
    "$(cat "$rules" "$board" >both && names both | comm -13 - known | tr '\n' ' ')" 'certferry_start_time_seconds '
ok "the dashboard is JSON" python3 -c "import json; json.load(open('$board'))"
if command -v promtool >/dev/null; then
    ok "promtool takes the rules" promtool check rules "$rules"
else
    skip "promtool takes the rules" "prometheus is not installed"
fi
finish
