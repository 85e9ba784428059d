#!/bin/bash
# Breaks the driver on purpose, one way at a time, in a copy, and sees the sweep notice.  TAP.
# A mutation that nobody notices means a promise without a test.
set -u
work=$(mktemp -d "${TMPDIR:-/tmp}/certferry-mutations.XXXXXX")
trap 'rm -rf "$work"' EXIT
n=0 bad=0
git ls-files -z -co --exclude-standard | xargs -0 cp --parents -t "$work"
build() { make -s -C "$work" VARIANT=crash CFLAGS=-Wno-error build/crash/sim/sweep >"$work/build.log" 2>&1; }
build || { echo "not ok 1 - the tree does not build"; tail -n 20 "$work/build.log"; exit 1; }

mutate() { # what, file, sed expression, scenario ...
    local what=$1 file=$2 expression=$3
    shift 3
    n=$((n + 1))
    cp "$work/$file" "$work/kept"
    sed -i -E "$expression" "$work/$file"
    if cmp -s "$work/kept" "$work/$file"; then
        echo "not ok $n - $what: the mutation no longer fits $file"; bad=1
    elif ! build; then
        echo "not ok $n - $what: does not build"; tail -n 5 "$work/build.log"; bad=1
    else
        (cd "$work" && timeout 120 build/crash/sim/sweep "$@") >"$work/out" 2>"$work/err"
        case $? in
        0) echo "not ok $n - $what: nobody noticed"; bad=1 ;;
        124) echo "not ok $n - $what: no end within two minutes"; bad=1 ;;
        *) echo "ok $n - $what: $({ grep -E '^# .*--only' "$work/out"; grep Assertion "$work/err"; } | head -n 1 |
            sed -E 's/.*(--only|sweep:) //')" ;;
        esac
    fi
    cp "$work/kept" "$work/$file"
}

mutate "a network step begins before its commit" agent/requests/job.c \
    's/^    \(void\)stage\(j, STAGED_BEGIN, s->name\);$/    job_run(j, s->begin(j));/' test/sim/issued_adcs.scn
mutate "the submission is not recorded before it is sent" agent/requests/job_ca.c \
    '/^void job_ca_submit_before/,/^}/s/j->r\.submits\+\+;/(void)j;/' test/sim/issued_adcs.scn
mutate "the result is not stored, so a retry builds another one" agent/requests/job_pkcs_local.c \
    's/^    job_put\(j, BLOB_RESULT, &w->result\);$/    buf_take(\&j->blob[BLOB_RESULT], \&w->result);/' test/sim/issued_est.scn
mutate "the key is not stored with the CSR" agent/requests/job_pkcs_local.c \
    's/^    job_put\(j, BLOB_KEY, &w->key\);$/    buf_take(\&j->blob[BLOB_KEY], \&w->key);/' test/sim/issued_adcs.scn
mutate "an ended request keeps its key" agent/requests/job_pkcs.c \
    's/^    job_clear\(j, BLOB_DATA_KEY\);$//' test/sim/issued_adcs.scn
mutate "a resubmission leaves no trace" agent/requests/job_ca.c \
    's/^        job_add_orphan\(j, "submitted/        if (0) job_add_orphan(j, "submitted/' test/sim/issued_adcs.scn
mutate "a certificate that is not what was asked for is delivered" agent/requests/work_pkcs.c \
    's/^    return check_issued\(.*$/    return 0;/' test/sim/wrong_name.scn
mutate "an answer that nobody can read is the end of a request" agent/requests/job_ca.c \
    '/^static void no_answer/,/^}/s/why->cls = ERR_NET;/;/' test/sim/issued_est.scn
mutate "SCEP: the certificate is released before the plugin was told" agent/scep/job_scep_ask.c \
    '/^bool scep_notify_done/,/^}/s/!c->allowed/c->allowed/' test/sim/scep_est.scn
mutate "SCEP: a challenge is not durably its request's" agent/scep/job_scep_ask.c \
    's/^    got = store_reserve\(.*$/    got = 1;/' test/sim/scep_one_challenge.scn
mutate "SCEP: whatever the plugin says" agent/scep/job_scep_ask.c \
    's/^    return denied\(j, v\);$/    return allow(j, v);/' test/sim/scep_refused.scn
mutate "SCEP: a request that was sent again is another one" agent/scep/scepd_judge.c \
    's/\(r.state == REQUEST_DELIVERED && /(false \&\& /' test/sim/scep_est.scn
mutate "a request from before the restore is submitted unasked" agent/service/reconcile.c \
    '/^bool reconcile_holds/,/^}/s/return q->.*;/return false;/' test/sim/restored.scn test/sim/cloned.scn
mutate "the counter is not stored before it is sent" agent/service/heartbeat.c \
    's/^    return store_meta_put\(st, "counter", text, e\) == 0 .*$/    return 0;/' test/sim/heartbeat.scn
mutate "what another connector had is refused when it is lent again" agent/requests/poll.c \
    's/^    if \(j == NULL \&\& begins_anew\(.*$/    if (false)/' test/sim/restored_elsewhere.scn
exit $bad
