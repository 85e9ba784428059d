#!/bin/bash
# try pkcs: a rehearsal before the CA, and one through it, over both protocols.  Prints TAP.
#
#   B=build/asan test/live/try_commands.sh
# shellcheck source=test/live/live.bash
. "$(dirname "$(realpath "$0")")/live.bash"
sandbox_start try

stages() { # GRADES: of the seven stages, in their order
    is "$(grep -oE '^(PASS|WARN|FAIL|SKIP)' out | tr '\n' ' ')" "$1 " || { cat out err; false; }
}
ok "without --submit it stops before the CA: 0" exits 0 try pkcs
ok "key and request are made, nothing is sent" stages 'PASS PASS PASS SKIP SKIP SKIP SKIP'
ok "it says what would be" says out 'would send POST' 'certfnsh.asp' -- --submit
ok "and the CA has seen nothing" is "$(ledger '"event":"csr-received"')" 0
for ca in adcs est; do
    ok "$ca: --submit" exits 0 try pkcs --ca $ca --submit --subject "CN=rehearsal-$ca,O=Contoso"
    ok "$ca: every stage passes" stages 'PASS PASS PASS PASS PASS PASS PASS'
    serial=$(sed -n 's/.*serial number //p' out)
    ok "$ca: the serial number is the CA's" test "$(ledger "\"event\":\"issued\".*$serial")" -eq 1
done
ok "--json" exits 0 try pkcs --submit --json
ok "is one document" is "$(get out '$.ok') $(count out '$.data.stages' "json_extract(value, '\$.grade') = 'PASS'")" '1 7'
ok "a template that waits for approval: 11" exits 11 try pkcs --submit --template ManualUser
ok "is a warning with the CA's reference" stages 'PASS PASS PASS WARN SKIP SKIP SKIP'
ok "a template that is denied: 8" exits 8 try pkcs --submit --template DeniedUser
ok "says the CA's number" says out 0x80094012
ok "and is the one FAIL" stages 'PASS PASS PASS FAIL SKIP SKIP SKIP'
fault ca.submit wrong-subject
ok "a certificate that is not what was asked for: refused" exits 8 try pkcs --submit
ok "at the check" stages 'PASS PASS PASS PASS FAIL SKIP SKIP'
fault ca.submit drop-before
ok "a CA that does not answer: 4" exits 4 try pkcs --submit
ok "a template of no section: 13" exits 13 try pkcs --template Nonsense
ok "no such CA: 13" exits 13 try pkcs --ca nobody
ok "a subject that is none: 2" exits 2 try pkcs --subject nonsense
ok "no endpoint: 13" exits 13 try scep
sandbox_stop
ok "nobody there: 4" exits 4 try pkcs --submit
ok "nothing secret was said" nowhere "$(cut -d: -f2 "$dir/ca-password.txt")" said
finish
