#!/bin/bash
# doctor and the identity that was made here: not signed in, signed in, taken away by the cloud.  Prints TAP.
#
#   B=build/asan test/live/doctor_signed_in.sh
# shellcheck source=test/live/signin.bash
. "$(dirname "$(realpath "$0")")/signin.bash"

sandbox_start who --sign-in mtls
row() { # CODE GRADE TEXT
    grep -E "^$2 +$1 " out | grep -qF -- "$3" || { cat out; false; }
}
sum() { # of FAILs
    is "$(grep -c ^FAIL out)" "$1"
}
cf doctor --only cloud,auth
ok "nobody is signed in: AUTH-01" row AUTH-01 FAIL 'not signed in'
ok "is the one FAIL" sum 1
bootstrap_file boot
sign_in --bootstrap-file "$work/boot"
ok "signed in with a bootstrap token" exits_with 0
cf doctor --only net,tls,cloud,auth
ok "AUTH-01: signed in" row AUTH-01 PASS 'signed in'
ok "AUTH-02: accepted" row AUTH-02 PASS accepted
ok "AUTH-03: its days are known" row AUTH-03 PASS 'days left'
ok "AUTH-04: it may work" row AUTH-04 PASS 'may work'
ok "no FAIL, exit 0" is "$(grep -c ^FAIL out) $rc" '0 0'
fault cloud.extend http-401 '"count":-1'
cf doctor --only cloud,auth
ok "the cloud does not want us any more: AUTH-02" row AUTH-02 FAIL 'does not accept'
ok "is the one FAIL" sum 1
ctl clear-faults >ctl.out
rm -rf "$dir/state/secrets"
cf doctor --only auth
ok "the identity is gone: AUTH-01 again" row AUTH-01 FAIL 'not signed in'
sandbox_stop
finish
