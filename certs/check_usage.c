/* see check.h: what the issued certificate may be used for */
#include "certs/check_part.h"
#include "certs/der.h"

enum { EKU_MAX = TEMPLATE_EKU_MAX, KU_CERT_SIGN = 1 << 5, KU_CRL_SIGN = 1 << 6 };

/* Uses that open every door; never accepted unless they were asked for by name. */
static const char *const dangerous[] = {
    "2.5.29.37.0",             /* anyExtendedKeyUsage */
    "1.3.6.1.4.1.311.10.12.1", /* any application policy */
    "1.3.6.1.4.1.311.20.2.1",  /* Certificate Request Agent: ask for anything in anybody's name */
};

static bool is_asked(const struct template *t, struct der oid)
{
    for (size_t i = 0; i < t->eku_count; i++)
        if (der_is_oid(oid, t->ekus[i]))
            return true;
    return false;
}

static bool is_dangerous(struct der oid)
{
    for (size_t i = 0; i < sizeof dangerous / sizeof *dangerous; i++)
        if (der_is_oid(oid, dangerous[i]))
            return true;
    return false;
}

static int refuse(const char *what, struct der oid, const char *why, struct err *e)
{
    struct buf text = BUF_INIT(512);

    der_oid_text(oid.content, &text);
    err_set(e, ERR_MISMATCH, "%s: got %.80s, %s", what, buf_text(&text), why);
    buf_free(&text);
    return -1;
}

/* One use found in the certificate: among those asked for or, if none were, harmless. */
static int check_use(const struct ask *a, const char *what, struct der oid, struct err *e)
{
    if (is_asked(a->t, oid))
        return 0;
    if (a->t->eku_count != 0)
        return refuse(what, oid, "which was not asked for", e);
    if (is_dangerous(oid))
        return refuse(what, oid, "which has to be asked for by name", e);
    return 0;
}

static int read_ekus(struct view ext, struct der *oids, size_t *count, struct err *e)
{
    struct der list;

    *count = 0;
    if (ext.len == 0)
        return 0;
    if (der_expect(&ext, DER_SEQUENCE, "extKeyUsage", &list, e) != 0
        || der_end(ext, "extKeyUsage", e) != 0)
        return -1;
    for (; list.content.len != 0; ++*count) {
        if (*count == EKU_MAX)
            return err_set(e, ERR_PROTO, "extKeyUsage: more than %d", EKU_MAX);
        if (der_expect(&list.content, DER_OID, "extKeyUsage", &oids[*count], e) != 0)
            return -1;
    }
    return 0;
}

int check_ekus(const struct ask *a, struct err *e)
{
    struct der got[EKU_MAX];
    size_t count, j;

    if (read_ekus(a->leaf.eku, got, &count, e) != 0)
        return -1;
    for (size_t i = 0; i < count; i++)
        if (check_use(a, "extKeyUsage", got[i], e) != 0)
            return -1;
    for (size_t i = 0; i < a->t->eku_count; i++) {
        for (j = 0; j < count && !der_is_oid(got[j], a->t->ekus[i]);)
            j++;
        if (j == count)
            return err_set(e, ERR_MISMATCH,
                "extKeyUsage: asked for %.80s, it is not among the %zu got", a->t->ekus[i], count);
    }
    return 0;
}

/* Windows goes by application policies where there are some, not by the EKU: the same rules hold. */
int check_app_policies(const struct ask *a, struct err *e)
{
    struct view ext = a->leaf.app_policies;
    struct der list, policy, oid;

    if (ext.len == 0)
        return 0;
    if (der_expect(&ext, DER_SEQUENCE, "application policies", &list, e) != 0
        || der_end(ext, "application policies", e) != 0)
        return -1;
    while (list.content.len != 0) {
        if (der_expect(&list.content, DER_SEQUENCE, "application policies", &policy, e) != 0
            || der_expect(&policy.content, DER_OID, "application policies", &oid, e) != 0)
            return -1;
        if (check_use(a, "application policies", oid, e) != 0)
            return -1;
    }
    return 0;
}

int check_key_usage(const struct ask *a, struct err *e)
{
    unsigned bits = 0;

    if (a->leaf.key_usage.len != 0 && cert_key_usage(&a->leaf, &bits, e) != 0)
        return -1;
    if ((bits & (KU_CERT_SIGN | KU_CRL_SIGN)) != 0)
        return err_set(
            e, ERR_MISMATCH, "keyUsage: got 0x%x, which may sign certificates or CRLs", bits);
    if (a->t->key_usage != 0 && bits != a->t->key_usage)
        return err_set(
            e, ERR_MISMATCH, "keyUsage: asked for 0x%x, got 0x%x", a->t->key_usage, bits);
    return 0;
}
