/* see name.h: name_text, name_equal, name_equal_set */
#include "certs/name_inner.h"
#include "certs/text.h"
#include <string.h>

enum { TELETEX = 0x14, UNIVERSAL = 0x1c, VALUE_BYTES_MAX = 1 << 16 };

static void add_code_point(struct buf *out, uint32_t c)
{
    if (c < 0x80) {
        buf_add_byte(out, (uint8_t)c);
    } else if (c < 0x800) {
        buf_add_byte(out, (uint8_t)(0xc0 | c >> 6));
        buf_add_byte(out, (uint8_t)(0x80 | (c & 0x3f)));
    } else if (c < 0x10000) {
        buf_add_byte(out, (uint8_t)(0xe0 | c >> 12));
        buf_add_byte(out, (uint8_t)(0x80 | (c >> 6 & 0x3f)));
        buf_add_byte(out, (uint8_t)(0x80 | (c & 0x3f)));
    } else {
        buf_add_byte(out, (uint8_t)(0xf0 | c >> 18));
        buf_add_byte(out, (uint8_t)(0x80 | (c >> 12 & 0x3f)));
        buf_add_byte(out, (uint8_t)(0x80 | (c >> 6 & 0x3f)));
        buf_add_byte(out, (uint8_t)(0x80 | (c & 0x3f)));
    }
}

/* One character of a string of type `tag` off the front; 0: it ends in the middle, or is none. */
static size_t next_character(uint8_t tag, struct view rest, uint32_t *c)
{
    size_t width = tag == DER_BMP ? 2 : tag == UNIVERSAL ? 4 : 1;

    if (tag == DER_UTF8)
        return utf8_next(rest, c);
    if (rest.len < width)
        return 0;
    *c = 0;
    for (size_t i = 0; i < width; i++)
        *c = *c << 8 | rest.p[i];
    if (*c > 0x10ffff || (*c >= 0xd800 && *c <= 0xdfff))
        return 0;
    if (width == 1 && tag != TELETEX && *c >= 0x80)
        return 0;
    return width; /* TeletexString: everyone writes Latin-1 into it */
}

static bool is_string(uint8_t tag)
{
    return tag == DER_UTF8 || tag == DER_PRINTABLE || tag == DER_IA5 || tag == DER_BMP
           || tag == TELETEX || tag == UNIVERSAL;
}

bool name_value_utf8(struct der value, struct buf *out)
{
    struct view rest = value.content;

    if (!is_string(value.tag))
        return false;
    while (rest.len != 0) {
        uint32_t c;
        size_t step = next_character(value.tag, rest, &c);

        if (step == 0)
            return false;
        add_code_point(out, c);
        rest = view_of(rest.p + step, rest.len - step);
    }
    return true;
}

static int take_attr(struct view *rest, struct der *oid, struct der *value, struct err *e)
{
    struct der seq;

    if (der_expect(rest, DER_SEQUENCE, "AttributeTypeAndValue", &seq, e) != 0
        || der_expect(&seq.content, DER_OID, "attribute type", oid, e) != 0
        || der_next(&seq.content, value, e) != 0)
        return -1;
    return der_end(seq.content, "AttributeTypeAndValue", e);
}

static int take_rdn(struct view *rest, struct view *attrs, struct err *e)
{
    struct der set;

    if (der_expect(rest, DER_SET, "RDN", &set, e) != 0)
        return -1;
    if (set.content.len == 0)
        return err_set(e, ERR_PROTO, "an RDN without attributes");
    *attrs = set.content;
    return 0;
}

static int take_name(struct view der, struct view *rdns, struct err *e)
{
    struct der seq;

    if (der_expect(&der, DER_SEQUENCE, "Name", &seq, e) != 0 || der_end(der, "Name", e) != 0)
        return -1;
    *rdns = seq.content;
    return 0;
}

/* ---- text ---- */

/* What would read as a separator, and what a terminal must not see, is marked. */
static void add_shown(struct buf *out, struct view utf8)
{
    while (utf8.len != 0) {
        char one[5] = "";
        uint32_t c;
        size_t step = utf8_next(utf8, &c);

        if (c == 0) {
            buf_add_byte(out, '?');
        } else {
            memcpy(one, utf8.p, step);
            err_clean(one);
            if (strchr(",+\"\\;=<>", one[0]) != NULL)
                buf_add_byte(out, '\\');
            buf_add_text(out, one);
        }
        utf8 = view_of(utf8.p + step, utf8.len - step);
    }
}

static void add_attr(struct buf *out, struct der oid, struct der value)
{
    const struct name_kind *kind = name_kind_of_oid(oid);
    struct buf text = BUF_INIT(VALUE_BYTES_MAX);

    if (kind != NULL)
        buf_add_text(out, kind->type);
    else
        der_oid_text(oid.content, out);
    buf_add_byte(out, '=');
    if (name_value_utf8(value, &text) && !text.bad) {
        add_shown(out, buf_view(&text));
    } else {
        buf_add_byte(out, '#');
        hex_add(out, value.whole);
    }
    buf_free(&text);
}

void name_text(struct view der, struct buf *out)
{
    size_t start = out->len;
    struct view rdns, attrs = { 0 };
    struct der oid, value;
    struct err e;

    if (take_name(der, &rdns, &e) != 0)
        goto bad;
    while (rdns.len != 0) {
        if (out->len != start)
            buf_add_text(out, ", ");
        if (take_rdn(&rdns, &attrs, &e) != 0)
            goto bad;
        while (attrs.len != 0) {
            if (take_attr(&attrs, &oid, &value, &e) != 0)
                goto bad;
            add_attr(out, oid, value);
            if (attrs.len != 0)
                buf_add_text(out, " + ");
        }
    }
    return;
bad:
    buf_truncate(out, start);
    buf_add_byte(out, '?');
}

/* ---- comparison ---- */

/* A value read as RFC 5280 7.1 compares it, as far as ASCII goes: no blanks at the ends, one inside,
 * letters small. */
struct folded {
    uint8_t tag;
    struct view rest;
    bool begun, broken;
};

enum { FOLDED_END = -1 };

static int64_t next_folded(struct folded *f)
{
    bool blank = false;

    while (f->rest.len != 0) {
        uint32_t c;
        size_t step = next_character(f->tag, f->rest, &c);

        if (step == 0) {
            f->broken = true;
            break;
        }
        if (c != ' ' && blank)
            return ' '; /* and c in the next call */
        f->rest = view_of(f->rest.p + step, f->rest.len - step);
        if (c != ' ') {
            f->begun = true;
            return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c;
        }
        blank = f->begun;
    }
    return FOLDED_END;
}

static bool same_value(struct der a, struct der b)
{
    struct folded x = { .tag = a.tag, .rest = a.content }, y = { .tag = b.tag, .rest = b.content };
    int64_t c;

    if (a.content.len > VALUE_BYTES_MAX || b.content.len > VALUE_BYTES_MAX)
        return false;
    if (view_equal(a.whole, b.whole))
        return true;
    if (!is_string(a.tag) || !is_string(b.tag))
        return false;
    do {
        c = next_folded(&x);
        if (c != next_folded(&y))
            return false;
    } while (c != FOLDED_END);
    return !x.broken && !y.broken;
}

/* At most NAME_ATTR_MAX attributes of one RDN; -1: more, or not DER. */
struct attr_list {
    struct der oid[NAME_ATTR_MAX], value[NAME_ATTR_MAX];
    size_t count;
};

static int list_attrs(struct view attrs, struct attr_list *list, struct err *e)
{
    list->count = 0;
    while (attrs.len != 0) {
        size_t i = list->count;

        if (i == NAME_ATTR_MAX)
            return err_set(e, ERR_PROTO, "an RDN with more than %d attributes", NAME_ATTR_MAX);
        if (take_attr(&attrs, &list->oid[i], &list->value[i], e) != 0)
            return -1;
        list->count++;
    }
    return 0;
}

/* As sets: the order in DER depends on the string types, which do not count here. */
static bool same_rdn(const struct attr_list *a, const struct attr_list *b)
{
    bool used[NAME_ATTR_MAX] = { false };

    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++) {
        size_t j = 0;

        while (j < b->count
               && (used[j] || !view_equal(a->oid[i].content, b->oid[j].content)
                   || !same_value(a->value[i], b->value[j])))
            j++;
        if (j == b->count)
            return false;
        used[j] = true;
    }
    return true;
}

bool name_equal(struct view a, struct view b)
{
    struct view rdns_a, rdns_b, attrs_a, attrs_b;
    struct attr_list list_a, list_b;
    struct err e;

    if (take_name(a, &rdns_a, &e) != 0 || take_name(b, &rdns_b, &e) != 0)
        return false;
    while (rdns_a.len != 0 && rdns_b.len != 0)
        if (take_rdn(&rdns_a, &attrs_a, &e) != 0 || take_rdn(&rdns_b, &attrs_b, &e) != 0
            || list_attrs(attrs_a, &list_a, &e) != 0 || list_attrs(attrs_b, &list_b, &e) != 0
            || !same_rdn(&list_a, &list_b))
            return false;
    return rdns_a.len == 0 && rdns_b.len == 0;
}

/* The RDNs of a name, each as its attributes; false: not a name, or one of more than NAME_RDN_MAX. */
static bool list_rdns(struct view der, struct view rdn[NAME_RDN_MAX], size_t *count)
{
    struct view rdns;
    struct err e;

    *count = 0;
    if (take_name(der, &rdns, &e) != 0)
        return false;
    for (; rdns.len != 0; ++*count)
        if (*count == NAME_RDN_MAX || take_rdn(&rdns, &rdn[*count], &e) != 0)
            return false;
    return true;
}

static bool same_attrs(struct view a, struct view b)
{
    struct attr_list list_a, list_b;
    struct err e;

    return list_attrs(a, &list_a, &e) == 0 && list_attrs(b, &list_b, &e) == 0
           && same_rdn(&list_a, &list_b);
}

bool name_equal_set(struct view a, struct view b)
{
    struct view rdn_a[NAME_RDN_MAX], rdn_b[NAME_RDN_MAX];
    bool used[NAME_RDN_MAX] = { false };
    size_t count_a, count_b;

    if (!list_rdns(a, rdn_a, &count_a) || !list_rdns(b, rdn_b, &count_b) || count_a != count_b)
        return false;
    for (size_t i = 0; i < count_a; i++) {
        size_t j = 0;

        while (j < count_b && (used[j] || !same_attrs(rdn_a[i], rdn_b[j])))
            j++;
        if (j == count_b)
            return false;
        used[j] = true;
    }
    return true;
}
