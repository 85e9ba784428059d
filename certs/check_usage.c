/* see check.h: what the issued certificate may be used for */
#include "certs/check_part.h"
#include "certs/check_set.h"
#include "certs/csr_check.h"

enum { KU_CERT_SIGN = 1 << 5, KU_CRL_SIGN = 1 << 6 };

static const struct check_words words = { "asked for", "got", "which was not asked for" };

static bool is_listed(const struct csr_limits *lim, struct der oid)
{
    for (size_t i = 0; i < lim->eku_count; i++)
        if (der_is_oid(oid, lim->ekus[i]))
            return true;
    return false;
}

/* One use found in the certificate: among those asked for or, if none were, harmless; never more than the
 * limits, if there are any. */
static int check_use(const struct ask *a, const struct check_list *asked, const char *what,
    struct der oid, struct err *e)
{
    const struct csr_limits *lim = a->want->limits;
    bool named = check_list_has(asked, oid);

    if (!named && asked->count != 0)
        return check_use_refused(what, "got", oid, words.none, e);
    if (!named && check_use_dangerous(oid))
        return check_use_refused(what, "got", oid, "which has to be asked for by name", e);
    if (lim != NULL && !is_listed(lim, oid))
        return check_use_refused(what, "got", oid, "which is not allowed here", e);
    return 0;
}

int check_ekus(const struct ask *a, struct err *e)
{
    struct check_list asked, got;

    if (check_list_oids(a->want->ekus, "extKeyUsage", &asked, e) != 0
        || check_list_oids(a->leaf.eku, "extKeyUsage", &got, e) != 0)
        return -1;
    for (size_t i = 0; i < got.count; i++)
        if (check_use(a, &asked, "extKeyUsage", got.item[i], e) != 0)
            return -1;
    /* RFC 5280 4.2.1.12: without the extension a key may be used for everything. */
    if (a->want->limits != NULL && a->want->limits->eku_count != 0 && a->leaf.eku.len == 0)
        return err_set(e, ERR_MISMATCH, "extKeyUsage: got none, which allows every use");
    if (asked.count == 0)
        return 0;
    return check_same_ekus(a->want->ekus, a->leaf.eku, &words, e);
}

/* Windows goes by application policies where there are some, not by the EKU: the same rules hold. */
int check_app_policies(const struct ask *a, struct err *e)
{
    static const char what[] = "application policies";
    struct check_list asked, got;

    if (check_list_oids(a->want->ekus, "extKeyUsage", &asked, e) != 0
        || check_list_read(a->leaf.app_policies, what, &got, e) != 0)
        return -1;
    for (size_t i = 0; i < got.count; i++) {
        struct view policy = got.item[i].content;
        struct der oid;

        if (got.item[i].tag != DER_SEQUENCE)
            return err_set(e, ERR_PROTO, "%s: tag 0x%02x is no policy", what, got.item[i].tag);
        if (der_expect(&policy, DER_OID, what, &oid, e) != 0
            || check_use(a, &asked, what, oid, e) != 0)
            return -1;
    }
    return 0;
}

int check_key_usage(const struct ask *a, struct err *e)
{
    const struct csr_limits *lim = a->want->limits;
    unsigned asked = a->want->key_usage, bits = 0;

    if (a->leaf.key_usage.len != 0 && cert_key_usage(&a->leaf, &bits, e) != 0)
        return -1;
    if ((bits & (KU_CERT_SIGN | KU_CRL_SIGN)) != 0)
        return err_set(
            e, ERR_MISMATCH, "keyUsage: got 0x%x, which may sign certificates or CRLs", bits);
    if (asked != 0 && bits != asked)
        return err_set(e, ERR_MISMATCH, "keyUsage: asked for 0x%x, got 0x%x", asked, bits);
    if (lim != NULL && (bits & ~lim->key_usage) != 0)
        return err_set(
            e, ERR_MISMATCH, "keyUsage: got 0x%x, allowed here is 0x%x", bits, lim->key_usage);
    return 0;
}
