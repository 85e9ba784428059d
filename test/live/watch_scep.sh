#!/bin/bash
# What is seen from outside of SCEP requests: metrics, status, one Admin event each, one record of the audit log each,
# and nothing written for a stranger.  Prints TAP.
#
#   B=build/asan test/live/watch_scep.sh
# shellcheck source=test/live/scep.bash
. "$(dirname "$(realpath "$0")")/scep.bash"
need_programs scep-device plugins/otp.so

sandbox_start cloud
scep_open
echo 'metrics { listen = "127.0.0.1:0" }' | drop_in 20-metrics
drop_in otp <<CONF
plugin "otp" {
  path = "$B/plugins/otp.so"
}
CONF
scep_section open est 'challenge = "none"' 'failures_per_minute = 100000'
scep_section closed est 'plugin = "otp"' 'failures_per_minute = 100000'
agent_start
until_true 20 health_is "$(url_of open)" 200
scrape() { # ./metrics
    curl -s --max-time 10 "http://127.0.0.1:$(port_of metrics | head -n 1)/metrics" >metrics
}
port_of() { # of the listener, or of the metrics
    grep -m 1 "\"peer\":\"$1\".*port" "$log" | sed -E 's/.*port ([0-9]+).*/\1/'
}
has() { # SAMPLE VALUE
    scrape
    grep -qxF -- "$1 $2" metrics || { grep -F "${1%%\{*}" metrics; return 1; }
}

ok "one device enrols" gets "$(url_of open)" one --cn WATCHED-DEVICE
ok "it is counted" has 'certferry_scep_requests_total{operation="PKIOperation",result="success"}' 1
ok "as delivered" has 'certferry_requests_total{kind="scep",outcome="delivered"}' 1
ok "the endpoint serves" has 'certferry_scep_serving{endpoint="open"}' 1
ok "the plugin judges" has 'certferry_plugin_up{plugin="otp"}' 1
ok "the RA's certificate has its end" test "$(scrape; grep -c 'not_after.*purpose="scep_ra",name="open"' metrics)" -eq 1
echo 0123456789ABCDEF0123456789ABCDEF >wrong.challenge
ok "one with a challenge that was never made: refused" not gets "$(url_of closed)" two --cn STRANGER \
    --challenge-file wrong.challenge
ok "it is counted" has certferry_scep_challenge_failures_total 1
ok "as a failure" has 'certferry_scep_requests_total{operation="PKIOperation",result="failure"}' 1
ok "nothing of a device stands in the metrics" nowhere -e WATCHED -e STRANGER metrics
ok "/ready" is "$(http_code "http://127.0.0.1:$(port_of metrics)/ready")" 200

ok "status has the endpoints" exits 0 status
ok "serving" says out 'SCEP     open' 'SCEP     closed' 'serving, 1 issued' 'RA certificate' 'Listen   plain'
cf requests list --all --json
ok "one request is kept, none of the stranger's" is "$(count out '$.data.requests' 1)" 1
id=$(get out '$.data.requests[0].id')
ok "with one Admin event" is "$(grep -F "\"request\":\"$id\"" "$log" | grep -cF '"admin":true')" 1
"$B/certferry" audit export --config "$conf" >records
ok "and one record" is "$(grep -cF "\"event\":\"challenge.accepted\",\"actor\":\"service\",\"subject\":\"$id\"" records)" 1
ok "the stranger has none" is "$(grep -c challenge.refused records)" 0
ok "whole" exits 0 audit verify
ok "agent stops" agent_stop
finish
