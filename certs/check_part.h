#ifndef CERTS_CHECK_PART_H
#define CERTS_CHECK_PART_H
#include "certs/check.h"

/*
 * check_part.h - what the files behind check.h share; for check*.c and csr_check*.c only.
 */
struct csr_limits; /* csr_check.h */

/* What a certificate is held against, made from a template (check.c) or from a request (csr_check_issued.c). */
struct want {
    struct view spki;
    struct view subject;             /* DER Name */
    struct view sans;                /* GeneralNames; empty: none */
    struct view ekus;                /* ExtKeyUsageSyntax; empty: not asked for */
    struct view sid;                 /* the SID extension's value; empty: none */
    unsigned key_usage;              /* 0: not asked for */
    const char *template_name;       /* NULL: any */
    const char *template_oid;        /* the same, dotted */
    int64_t validity_s;              /* 0: any */
    const struct csr_limits *limits; /* NULL: what was not asked for has to be harmless only */
};

struct ask { /* one certificate to judge */
    struct lib *lib;
    const struct want *want;
    const struct check_policy *policy;
    struct cert leaf;
    struct view uppers; /* the chain above the leaf */
};

/* check_leaf - every comparison of check_issued on the leaf of `chain`.  Fails as that one does. */
int check_leaf(struct lib *l, const struct want *want, struct view chain,
    const struct check_policy *p, struct err *e) MUST;

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
