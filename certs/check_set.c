/* see check_set.h */
#include "certs/check_set.h"
#include "certs/name.h"
#include "certs/san.h"

enum { TEXT_MAX = 8 << 10, NAME_TEXT_MAX = 64 << 10 };

/* ---- subjects ---- */

int check_same_subject(
    struct view want, struct view got, bool any_order, const struct check_words *w, struct err *e)
{
    struct buf a = BUF_INIT(NAME_TEXT_MAX), b = BUF_INIT(NAME_TEXT_MAX);

    if (view_equal(want, got) || (any_order ? name_equal_set : name_equal)(want, got))
        return 0;
    name_text(want, &a);
    name_text(got, &b);
    err_set(e, ERR_MISMATCH, "subject: %s \"%.80s\", %s \"%.80s\"", w->want, buf_text(&a), w->got,
        buf_text(&b));
    buf_free(&a);
    buf_free(&b);
    return -1;
}

/* ---- lists ---- */

int check_list_read(struct view seq, const char *what, struct check_list *out, struct err *e)
{
    struct der list;

    out->count = 0;
    if (seq.len == 0)
        return 0;
    if (der_expect(&seq, DER_SEQUENCE, what, &list, e) != 0 || der_end(seq, what, e) != 0)
        return -1;
    while (list.content.len != 0) {
        if (out->count == CHECK_LIST_MAX)
            return err_set(e, ERR_PROTO, "%s: more than %d", what, CHECK_LIST_MAX);
        if (der_next(&list.content, &out->item[out->count], e) != 0)
            return err_wrap(e, "%s", what);
        out->count++;
    }
    return 0;
}

int check_list_oids(struct view seq, const char *what, struct check_list *out, struct err *e)
{
    if (check_list_read(seq, what, out, e) != 0)
        return -1;
    for (size_t i = 0; i < out->count; i++)
        if (out->item[i].tag != DER_OID)
            return err_set(e, ERR_PROTO, "%s: tag 0x%02x is no OID", what, out->item[i].tag);
    return 0;
}

static bool same_oid(struct der a, struct der b)
{
    return view_equal(a.content, b.content);
}

bool check_list_has(const struct check_list *in, struct der oid)
{
    for (size_t i = 0; i < in->count; i++)
        if (same_oid(in->item[i], oid))
            return true;
    return false;
}

/* The first element of `of` that `in` has not; NULL: none. */
static const struct der *missing(
    const struct check_list *of, const struct check_list *in, san_fn *same)
{
    for (size_t i = 0; i < of->count; i++) {
        size_t j = 0;

        while (j < in->count && !same(of->item[i], in->item[j]))
            j++;
        if (j == in->count)
            return &of->item[i];
    }
    return NULL;
}

/* ---- alternative names ---- */

struct sets {
    struct check_list want, got;
};

static int differ(const struct sets *s, const struct der *lost, const struct der *extra,
    const struct check_words *w, struct err *e)
{
    struct buf a = BUF_INIT(TEXT_MAX), b = BUF_INIT(TEXT_MAX);

    if (lost != NULL)
        san_text(*lost, &a);
    if (extra != NULL)
        san_text(*extra, &b);
    if (lost != NULL && extra != NULL)
        err_set(e, ERR_MISMATCH, "subjectAltName: %s \"%.70s\", %s \"%.70s\"", w->want,
            buf_text(&a), w->got, buf_text(&b));
    else if (lost != NULL)
        err_set(e, ERR_MISMATCH, "subjectAltName: %s \"%.70s\", it is not among the %zu %s",
            w->want, buf_text(&a), s->got.count, w->got);
    else
        err_set(e, ERR_MISMATCH, "subjectAltName: %s \"%.70s\", it is not among the %zu %s", w->got,
            buf_text(&b), s->want.count, w->want);
    buf_free(&a);
    buf_free(&b);
    return -1;
}

static int compare_sans(struct view want, struct view got, san_fn *same, bool both_ways,
    const struct check_words *w, struct err *e)
{
    const struct der *lost, *extra;
    struct sets s;

    if (view_equal(want, got))
        return 0;
    if (check_list_read(want, "subjectAltName", &s.want, e) != 0
        || check_list_read(got, "subjectAltName", &s.got, e) != 0)
        return -1;
    lost = both_ways ? missing(&s.want, &s.got, same) : NULL;
    extra = missing(&s.got, &s.want, same);
    return lost == NULL && extra == NULL ? 0 : differ(&s, lost, extra, w, e);
}

int check_same_sans(
    struct view want, struct view got, san_fn *same, const struct check_words *w, struct err *e)
{
    return compare_sans(want, got, same, true, w, e);
}

int check_sans_within(
    struct view want, struct view got, san_fn *same, const struct check_words *w, struct err *e)
{
    return compare_sans(want, got, same, false, w, e);
}

/* ---- SID ---- */

/* One SEQUENCE of otherName [0] { type, [0] EXPLICIT OCTET STRING }. */
bool check_sid_read(struct view ext, struct view *sid)
{
    struct err ignored = { 0 };
    struct der names, other, oid, wrap, text;

    if (der_expect(&ext, DER_SEQUENCE, "SID", &names, &ignored) != 0
        || der_expect(&names.content, DER_CONTEXTC | 0, "SID", &other, &ignored) != 0
        || der_expect(&other.content, DER_OID, "SID", &oid, &ignored) != 0
        || der_expect(&other.content, DER_CONTEXTC | 0, "SID", &wrap, &ignored) != 0
        || der_expect(&wrap.content, DER_OCTET_STRING, "SID", &text, &ignored) != 0
        || !der_is_oid(oid, "1.3.6.1.4.1.311.25.2.1"))
        return false;
    *sid = text.content;
    return ext.len + names.content.len + other.content.len + wrap.content.len == 0;
}

/* ---- uses ---- */

bool check_use_dangerous(struct der oid)
{
    static const char *const oids[] = {
        "2.5.29.37.0",             /* anyExtendedKeyUsage */
        "1.3.6.1.4.1.311.10.12.1", /* any application policy */
        "1.3.6.1.4.1.311.20.2.1",  /* Certificate Request Agent */
    };

    for (size_t i = 0; i < sizeof oids / sizeof *oids; i++)
        if (der_is_oid(oid, oids[i]))
            return true;
    return false;
}

int check_write_ekus(const struct template *t, struct buf *out, struct err *e)
{
    size_t start = out->len, seq;

    if (t->eku_count == 0)
        return 0;
    seq = der_open(out, DER_SEQUENCE);
    for (size_t i = 0; i < t->eku_count; i++)
        if (der_oid(out, t->ekus[i], e) != 0) {
            buf_truncate(out, start);
            return err_wrap(e, "extended key usage");
        }
    der_close(out, seq);
    return buf_finish(out, start, e);
}

int check_use_refused(
    const char *what, const char *got, struct der oid, const char *why, struct err *e)
{
    struct buf text = BUF_INIT(512);

    der_oid_text(oid.content, &text);
    err_set(e, ERR_MISMATCH, "%s: %s %.80s, %s", what, got, buf_text(&text), why);
    buf_free(&text);
    return -1;
}

int check_same_ekus(struct view want, struct view got, const struct check_words *w, struct err *e)
{
    struct buf text = BUF_INIT(512);
    const struct der *lost, *extra;
    struct sets s;

    if (check_list_oids(want, "extKeyUsage", &s.want, e) != 0
        || check_list_oids(got, "extKeyUsage", &s.got, e) != 0)
        return -1;
    if ((extra = missing(&s.got, &s.want, same_oid)) != NULL)
        return check_use_refused("extKeyUsage", w->got, *extra, w->none, e);
    if ((lost = missing(&s.want, &s.got, same_oid)) == NULL)
        return 0;
    der_oid_text(lost->content, &text);
    err_set(e, ERR_MISMATCH, "extKeyUsage: %s %.80s, it is not among the %zu %s", w->want,
        buf_text(&text), s.got.count, w->got);
    buf_free(&text);
    return -1;
}
