/* see algorithm.h */
#include "certs/algorithm.h"

int algorithm_read(struct view der, const char *what, struct algorithm *a, struct err *e)
{
    struct der seq, oid, params;
    struct view rest;

    if (der_expect(&der, DER_SEQUENCE, what, &seq, e) != 0 || der_end(der, what, e) != 0
        || der_expect(&seq.content, DER_OID, what, &oid, e) != 0)
        return -1;
    rest = seq.content;
    if (rest.len != 0 && (der_next(&rest, &params, e) != 0 || der_end(rest, what, e) != 0))
        return -1;
    *a = (struct algorithm){ .oid = oid, .params = seq.content };
    return 0;
}

bool algorithm_plain(const struct algorithm *a)
{
    return a->params.len == 0 || view_equal(a->params, view_of("\x05\x00", 2));
}

int algorithm_refuse(const struct algorithm *a, const char *what, struct err *e)
{
    struct buf text = BUF_INIT(256);

    der_oid_text(a->oid.content, &text);
    err_set(e, ERR_UNSUPPORTED, "%s %s is not supported", what, buf_text(&text));
    buf_free(&text);
    return -1;
}
