#!/bin/bash
# The OpenAPI description is valid, and so is every message of a whole demo run: what the agent sends and
# what the sandbox's cloud answers.  TAP.
set -u
tools=$(dirname "$0")/../tools
work=$(mktemp -d "${TMPDIR:-/tmp}/certferry-openapi.XXXXXX")
pid=
trap '[ -z "$pid" ] || { kill "$pid" 2>/dev/null; wait "$pid" 2>/dev/null; }; rm -rf "$work"' EXIT

if ! command -v node >/dev/null || ! command -v npm >/dev/null; then
    echo "ok 1 - openapi # SKIP node or npm is missing"; exit 0
fi
cp "$tools"/package.json "$tools"/package-lock.json "$work"/
if ! (cd "$work" && npm ci --silent --no-audit --no-fund --ignore-scripts >npm.log 2>&1); then
    echo "ok 1 - openapi # SKIP npm could not install the validator: $(tail -n 1 "$work/npm.log")"; exit 0
fi
"$B/certferry-sandbox" --dir "$work" --demo 25 --quiet --journal "$work/journal" >"$work/log" 2>&1 &
pid=$!
for _ in $(seq 200); do [ -s "$work/ready" ] && break; sleep 0.05; done
"$B/certferry" once --config "$work/certferry.conf" 2>"$work/agent.log" || { echo "not ok 1 - the agent failed"; cat "$work/agent.log"; exit 1; }
kill "$pid"; wait "$pid" 2>/dev/null; pid=
for unit in "$B"/unit/proto_ccp_identity "$B"/unit/proto_ccp_message; do # what a demo run does not say
    CCP_JOURNAL=$work/units "$unit" >"$work/log" 2>&1 || { echo "not ok 1 - $unit failed"; exit 1; }
done
CERTFERRY_TOOLS=$work node "$tools/openapi-check.mjs" "$work/journal" "$work/units" >"$work/tap"
rc=$?
grep -E '^not ok' "$work/tap" | head -n 20
n=$(grep -cE '^ok' "$work/tap")
[ $rc -eq 0 ] && [ "$n" -gt 50 ] && echo "ok 1 - proto/ccp.openapi.yaml is valid, and $n messages fit it" || { echo "not ok 1 - openapi"; head -n 20 "$work/tap"; exit 1; }
