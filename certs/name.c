/* see name.h */
#include "certs/mem.h"
#include "certs/name_inner.h"
#include "certs/text.h"
#include <stdlib.h>
#include <string.h>

/* Upper bounds: RFC 5280 A.1, ub-*. */
static const struct name_kind kinds[] = {
    { "CN", NULL, "2.5.4.3", DER_UTF8, 1, 64 },
    { "E", "emailAddress", "1.2.840.113549.1.9.1", DER_IA5, 1, 255 },
    { "O", NULL, "2.5.4.10", DER_UTF8, 1, 64 },
    { "OU", NULL, "2.5.4.11", DER_UTF8, 1, 64 },
    { "C", NULL, "2.5.4.6", DER_PRINTABLE, 2, 2 },
    { "L", NULL, "2.5.4.7", DER_UTF8, 1, 128 },
    { "S", "ST", "2.5.4.8", DER_UTF8, 1, 128 },
    { "STREET", NULL, "2.5.4.9", DER_UTF8, 1, NAME_VALUE_MAX },
    { "T", NULL, "2.5.4.12", DER_UTF8, 1, 64 },
    { "G", NULL, "2.5.4.42", DER_UTF8, 1, 32768 },
    { "SN", NULL, "2.5.4.4", DER_UTF8, 1, 32768 },
    { "I", NULL, "2.5.4.43", DER_UTF8, 1, 32768 },
    { "DC", NULL, "0.9.2342.19200300.100.1.25", DER_IA5, 1, NAME_VALUE_MAX },
    { "UID", NULL, "0.9.2342.19200300.100.1.1", DER_UTF8, 1, NAME_VALUE_MAX },
    { "serialNumber", NULL, "2.5.4.5", DER_PRINTABLE, 1, 64 },
};

enum { KIND_COUNT = sizeof kinds / sizeof kinds[0] };

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool same_word(const char *a, const char *b)
{
    for (; *a != '\0' && lower(*a) == lower(*b); a++)
        b++;
    return *a == *b;
}

const struct name_kind *name_kind_of_type(const char *type)
{
    for (size_t i = 0; i < KIND_COUNT; i++)
        if (same_word(kinds[i].type, type) || strcmp(kinds[i].oid, type) == 0
            || (kinds[i].alias != NULL && same_word(kinds[i].alias, type)))
            return &kinds[i];
    return NULL;
}

const struct name_kind *name_kind_of_oid(struct der oid)
{
    for (size_t i = 0; i < KIND_COUNT; i++)
        if (der_is_oid(oid, kinds[i].oid))
            return &kinds[i];
    return NULL;
}

/* ---- add ---- */

static bool is_letter(uint32_t c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

/* X.680 41.4, table 10. */
static bool is_printable(uint32_t c)
{
    return is_letter(c) || (c >= '0' && c <= '9')
           || (c < 0x80 && c != 0 && strchr(" '()+,-./:=?", (int)c));
}

static bool character_fits(const struct name_kind *kind, uint32_t c)
{
    if (c < 0x20 || (c >= 0x7f && c <= 0x9f))
        return false;
    if (kind == NULL || kind->tag == DER_UTF8)
        return true;
    if (kind->tag == DER_IA5)
        return c < 0x80;
    return kind->most == 2 ? is_letter(c) : is_printable(c);
}

static int check_value(
    const struct name_kind *kind, const char *type, const char *value, struct err *e)
{
    struct view rest = view_text(value);
    size_t least = kind != NULL ? kind->least : 1,
           most = kind != NULL ? kind->most : NAME_VALUE_MAX;
    size_t count = 0;

    while (rest.len != 0) {
        uint32_t c;
        size_t step = utf8_next(rest, &c);

        count++;
        if (step == 0)
            return err_set(e, ERR_INPUT, "%s: not UTF-8 at character %zu", type, count);
        if (!character_fits(kind, c))
            return err_set(e, ERR_INPUT, "%s: U+%04X at character %zu is not allowed here", type,
                (unsigned)c, count);
        rest = view_of(rest.p + step, rest.len - step);
    }
    if (count < least || count > most)
        return err_set(
            e, ERR_INPUT, "%s: %zu characters, allowed are %zu to %zu", type, count, least, most);
    return 0;
}

static int check_place(const struct name *n, const char *type, bool joined, struct err *e)
{
    const struct name_rdn *last;

    if (!joined) {
        if (n->count == NAME_RDN_MAX)
            return err_set(e, ERR_INPUT, "%s: a name has at most %d parts", type, NAME_RDN_MAX);
        return 0;
    }
    if (n->count == 0)
        return err_set(e, ERR_INPUT, "%s: there is no part of the name to join it to", type);
    last = &n->rdn[n->count - 1];
    if (last->count == NAME_ATTR_MAX)
        return err_set(e, ERR_INPUT, "%s: at most %d attributes are joined", type, NAME_ATTR_MAX);
    for (size_t i = 0; i < last->count; i++) /* X.501 9.3: one attribute of a type in an RDN */
        if (strcmp(last->attr[i].type, type) == 0)
            return err_set(e, ERR_INPUT, "%s: joined to another %s", type, type);
    return 0;
}

static char *copy(const char *text)
{
    size_t len = strlen(text);
    char *p = mem_try(len + 1, 1);

    if (p != NULL)
        memcpy(p, text, len);
    return p;
}

int name_add(struct name *n, const char *type, const char *value, bool joined, struct err *e)
{
    const struct name_kind *kind = name_kind_of_type(type);
    struct buf oid = BUF_INIT(200);
    struct name_attr attr;
    struct name_rdn *rdn;

    if (kind != NULL) {
        type = kind->type;
    } else if (der_oid(&oid, type, e) != 0) {
        return err_set(e, ERR_INPUT, "\"%.40s\" is no attribute type of a name", type);
    }
    buf_free(&oid);
    if (check_value(kind, type, value, e) != 0 || check_place(n, type, joined, e) != 0)
        return -1;
    attr = (struct name_attr){ copy(type), copy(value) };
    if (attr.type == NULL || attr.value == NULL) {
        free(attr.type);
        free(attr.value);
        return err_set(e, ERR_NOMEM, "no memory for a name");
    }
    if (!joined)
        n->count++;
    rdn = &n->rdn[n->count - 1];
    rdn->attr[rdn->count++] = attr;
    return 0;
}

void name_free(struct name *n)
{
    for (size_t i = 0; i < n->count; i++)
        for (size_t j = 0; j < n->rdn[i].count; j++) {
            free(n->rdn[i].attr[j].type);
            free(n->rdn[i].attr[j].value);
        }
    *n = (struct name){ 0 };
}

/* ---- write ---- */

static int write_attr(const struct name_attr *a, struct buf *out, struct err *e)
{
    const struct name_kind *kind = name_kind_of_type(a->type);
    size_t mark = der_open(out, DER_SEQUENCE);

    if (der_oid(out, kind != NULL ? kind->oid : a->type, e) != 0)
        return -1;
    der_tlv(out, kind != NULL ? kind->tag : DER_UTF8, view_text(a->value));
    der_close(out, mark);
    return 0;
}

/* X.690 11.6: as octet strings, the shorter one padded with zero octets. */
static bool goes_before(struct view a, struct view b)
{
    size_t most = a.len > b.len ? a.len : b.len;

    for (size_t i = 0; i < most; i++) {
        uint8_t x = i < a.len ? a.p[i] : 0, y = i < b.len ? b.p[i] : 0;

        if (x != y)
            return x < y;
    }
    return false;
}

/* Attributes are encoded aside first, because their order is that of their encodings. */
static int write_rdn(const struct name_rdn *rdn, struct buf *out, struct err *e)
{
    struct buf aside = BUF_INIT(NAME_ATTR_MAX * (4 * 32768 + 200));
    size_t end[NAME_ATTR_MAX], mark;
    struct view sorted[NAME_ATTR_MAX];
    int rc = -1;

    for (size_t i = 0; i < rdn->count; i++) {
        if (write_attr(&rdn->attr[i], &aside, e) != 0)
            goto done;
        end[i] = aside.len;
    }
    if (buf_check(&aside, e) != 0)
        goto done;
    for (size_t i = 0; i < rdn->count; i++) {
        size_t begin = i == 0 ? 0 : end[i - 1], to = i;
        struct view v = view_of(aside.p + begin, end[i] - begin);

        for (; to > 0 && goes_before(v, sorted[to - 1]); to--)
            sorted[to] = sorted[to - 1];
        sorted[to] = v;
    }
    mark = der_open(out, DER_SET);
    for (size_t i = 0; i < rdn->count; i++)
        buf_add_view(out, sorted[i]);
    der_close(out, mark);
    rc = 0;
done:
    buf_free(&aside);
    return rc;
}

int name_write(const struct name *n, struct buf *out, struct err *e)
{
    size_t start = out->len, mark = der_open(out, DER_SEQUENCE);

    for (size_t i = 0; i < n->count; i++)
        if (write_rdn(&n->rdn[i], out, e) != 0) {
            buf_truncate(out, start);
            return -1;
        }
    der_close(out, mark);
    return buf_finish(out, start, e);
}
