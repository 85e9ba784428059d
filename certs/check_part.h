#ifndef CERTS_CHECK_PART_H
#define CERTS_CHECK_PART_H
#include "certs/check.h"

/*
 * check_part.h - what the files behind check.h share; for check*.c only.
 */
struct ask { /* one call of check_issued */
    struct lib *lib;
    const struct template *t;
    struct view spki;
    const struct check_policy *policy;
    struct cert leaf;
    struct view uppers; /* the chain above the leaf */
};

/* One comparison.  fails ERR_MISMATCH, or ERR_PROTO for an extension that cannot be read */
typedef int check_fn(const struct ask *a, struct err *e);

check_fn check_sans; /* check_names.c */
check_fn check_sid;
check_fn check_template_id;
check_fn check_ekus; /* check_usage.c */
check_fn check_app_policies;
check_fn check_key_usage;
check_fn check_path; /* check_path.c; fails ERR_TRUST: no path to an anchor */
#endif
