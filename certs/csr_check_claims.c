/* see csr_check.h: csr_check_claims */
#include "certs/check_set.h"
#include "certs/csr_check.h"
#include "certs/san.h"

enum { NAMES_MAX = 1 << 20 };

static const struct check_words words = { "the challenge allows", "the request has",
    "which the challenge does not allow" };

static const struct view no_name = { (const uint8_t *)"\x30\0", 2 };

static bool claims_names(const struct csr_claims *k)
{
    return k->has_subject || k->has_sans || k->t.subject.count != 0 || k->t.san_count != 0;
}

static int check_subject(const struct csr *c, const struct csr_claims *k, struct err *e)
{
    struct buf want = BUF_INIT(NAMES_MAX);
    int rc = -1;

    if (!claims_names(k))
        return 0;
    if (name_write(&k->t.subject, &want, e) == 0)
        rc = check_same_subject(
            k->t.subject.count != 0 ? buf_view(&want) : no_name, c->subject, true, &words, e);
    buf_free(&want);
    return rc;
}

/* ---- alternative names and SID ---- */

static int other_sid(const char *where, const char *sid, struct err *e)
{
    return err_set(e, ERR_MISMATCH, "SID in %s: %s %.80s, %s another one", where, words.want,
        sid != NULL ? sid : "none", words.got);
}

/* Which forms of the claimed SID the request has; every other SID is a fault.  A URI that was claimed as a
 * name is compared as one. */
static int find_sid(const struct csr *c, const struct csr_claims *k, unsigned *forms, struct err *e)
{
    const char *sid = k->t.sid;
    struct view got = { 0 };
    struct check_list names;

    *forms = SID_NONE;
    if (c->sid.len != 0) {
        if (sid == NULL || !check_sid_read(c->sid, &got) || !view_equal(got, view_text(sid)))
            return other_sid("extension", sid, e);
        *forms |= SID_EXTENSION;
    }
    if (check_list_read(c->san, "subjectAltName", &names, e) != 0)
        return -1;
    for (size_t i = 0; i < names.count; i++) {
        if (!san_sid(names.item[i], &got) || (sid == NULL && claims_names(k)))
            continue;
        if (sid == NULL || !view_equal(got, view_text(sid)))
            return other_sid("subjectAltName", sid, e);
        *forms |= SID_URI;
    }
    return 0;
}

static int check_names(const struct csr *c, const struct csr_claims *k, struct err *e)
{
    unsigned forms, due = k->t.sid != NULL ? k->t.sid_encoding : SID_NONE;
    struct buf want = BUF_INIT(NAMES_MAX);
    struct template t = k->t;
    int rc = -1;

    if (find_sid(c, k, &forms, e) != 0)
        return -1;
    if (t.sid != NULL && (forms == SID_NONE || (forms & due) != due))
        return err_set(e, ERR_MISMATCH,
            "SID: %s %.80s, it is missing in the request or has "
            "another form",
            words.want, t.sid);
    if (!claims_names(k))
        return 0;
    t.sid_encoding = (enum sid_encoding)(forms & SID_URI);
    if (template_write_sans(&t, &want, e) == 0)
        rc = check_same_sans(buf_view(&want), c->san, san_same_claim, &words, e);
    buf_free(&want);
    return rc;
}

/* ---- uses ---- */

static int check_ekus(const struct csr *c, const struct csr_claims *k, struct err *e)
{
    struct buf want = BUF_INIT(NAMES_MAX);
    int rc = -1;

    if (k->t.eku_count == 0)
        return 0;
    if (check_write_ekus(&k->t, &want, e) == 0)
        rc = check_same_ekus(buf_view(&want), c->eku, &words, e);
    buf_free(&want);
    return rc;
}

static int check_key_usage(const struct csr *c, const struct csr_claims *k, struct err *e)
{
    unsigned bits;

    if (k->t.key_usage == 0)
        return 0;
    if (csr_key_usage(c, &bits, e) != 0)
        return -1;
    if (bits != k->t.key_usage)
        return err_set(e, ERR_MISMATCH, "keyUsage: %s 0x%x, %s 0x%x", words.want, k->t.key_usage,
            words.got, bits);
    return 0;
}

/* ---- key and hash ---- */

static int check_key(const struct csr *c, const struct csr_claims *k, struct err *e)
{
    static const struct {
        bool ec;
        size_t bits;
    } keys[KEY_TYPE_COUNT] = {
        [KEY_RSA2048] = { false, 2048 },
        [KEY_RSA3072] = { false, 3072 },
        [KEY_RSA4096] = { false, 4096 },
        [KEY_P256] = { true, 256 },
        [KEY_P384] = { true, 384 },
        [KEY_P521] = { true, 521 },
    };
    enum key_type t = k->t.key;

    if (t == KEY_NONE)
        return 0;
    if (keys[t].bits != 0 && keys[t].ec == c->ec && keys[t].bits == c->key_bits)
        return 0;
    return err_set(e, ERR_MISMATCH, "key: %s %s, %s %s of %zu bits", words.want, key_type_name(t),
        words.got, c->ec ? "EC" : "RSA", c->key_bits);
}

static int check_hash(const struct csr *c, const struct csr_claims *k, struct err *e)
{
    static const enum digest least[] = { [HASH_NONE] = DIGEST_NONE,
        [HASH_SHA256] = DIGEST_SHA256,
        [HASH_SHA384] = DIGEST_SHA384,
        [HASH_SHA512] = DIGEST_SHA512 };

    if (c->hash >= least[k->t.hash]) /* in order of strength */
        return 0;
    return err_set(e, ERR_MISMATCH, "hash: %s %s or a stronger one, %s %s", words.want,
        digest_name(least[k->t.hash]), words.got, digest_name(c->hash));
}

int csr_check_claims(const struct csr *c, const struct csr_claims *claims, struct err *e)
{
    typedef int claim_fn(const struct csr *, const struct csr_claims *, struct err *);
    static claim_fn *const checks[] = { check_subject, check_names, check_ekus, check_key_usage,
        check_key, check_hash };

    for (size_t i = 0; i < sizeof checks / sizeof *checks; i++)
        if (checks[i](c, claims, e) != 0)
            return err_wrap(e, "request");
    return 0;
}
