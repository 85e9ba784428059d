/* see csr_check.h: csr_check_issued */
#include "certs/check_part.h"
#include "certs/csr_check.h"

int csr_check_issued(struct lib *l, const struct csr *c, const struct csr_limits *lim,
    struct view chain, const struct check_policy *p, struct err *e)
{
    struct want w = { .spki = c->spki,
        .subject = c->subject,
        .sans = c->san,
        .ekus = c->eku,
        .sid = c->sid,
        .limits = lim };

    if (csr_key_usage(c, &w.key_usage, e) != 0)
        return err_wrap(e, "request");
    return check_leaf(l, &w, chain, p, e);
}
