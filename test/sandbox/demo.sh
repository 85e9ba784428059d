#!/bin/bash
# demo.sh BUILD - the real agent against the sandbox: 25 requests over all key types, platforms and both
# CA faces; one pends for a while, one is denied.  Prints what became of each.
set -u
B=$1
dir=$(mktemp -d "${TMPDIR:-/tmp}/certferry-demo.XXXXXX")
pid=
trap '[ -z "$pid" ] || { kill "$pid" 2>/dev/null; wait "$pid" 2>/dev/null; }; rm -rf "$dir"' EXIT
start=$(date +%s%N)

"$B/certferry-sandbox" --dir "$dir" --demo 25 --quiet >"$dir/sandbox.log" 2>&1 &
pid=$!
for _ in $(seq 100); do [ -s "$dir/ready" ] && break; sleep 0.1; done
[ -s "$dir/ready" ] || { echo "demo: the sandbox did not start:"; cat "$dir/sandbox.log"; exit 1; }
echo "A policy cloud, a CA and devices are up at $(cat "$dir/ready"); the agent drains 25 requests."
echo
"$B/certferry" once --config "$dir/certferry.conf" 2>"$dir/agent.log" || { cat "$dir/agent.log"; exit 1; }
"$B/certferry-sandbox" table "$dir"
rc=$?
echo
"$B/certferry-sandbox" check "$dir" || rc=1
echo
echo "In $((($(date +%s%N) - start) / 1000000)) ms.  Where to look next:"
echo "  $B/certferry help                what an administrator can ask"
echo "  README.md                               a real deployment in ten lines"
echo "  agent/requests/DESIGN.md                how a request travels, and what a crash leaves"
exit $rc
