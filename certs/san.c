/* see san.h */
#include "certs/san.h"
#include "certs/text.h"
#include <string.h>

enum { SAN_LEN_MAX = 2048, DNS_LEN_MAX = 253, DNS_LABEL_MAX = 63 };

#define OID_UPN "1.3.6.1.4.1.311.20.2.3"
#define SID_TAG "tag:microsoft.com,2022-09-14:sid:"

/* ---- addresses ---- */

/* No leading zeros: some readers take them for octal. */
static bool ip4_parse(const char *s, uint8_t *out)
{
    for (int i = 0; i < 4; i++) {
        const char *start = s;
        unsigned value = 0;

        while (*s >= '0' && *s <= '9' && s - start < 3)
            value = value * 10 + (unsigned)(*s++ - '0');
        if (s == start || value > 255 || (*start == '0' && s - start > 1))
            return false;
        if (*s != (i < 3 ? '.' : '\0'))
            return false;
        s++;
        out[i] = (uint8_t)value;
    }
    return true;
}

/* One group of up to four hexadecimal digits; false: none. */
static bool take_group(const char **s, uint8_t *out)
{
    static const char digits[] = "0123456789abcdef";
    const char *start = *s, *d;
    unsigned value = 0;

    for (; *s - start < 4 && **s != '\0'; (*s)++) {
        int lower = **s >= 'A' && **s <= 'F' ? **s - 'A' + 'a' : **s;

        if ((d = strchr(digits, lower)) == NULL)
            break;
        value = value << 4 | (unsigned)(d - digits);
    }
    out[0] = (uint8_t)(value >> 8);
    out[1] = (uint8_t)value;
    return *s != start;
}

/* RFC 4291 2.2, all three forms: groups, one "::", a dotted quad at the end. */
static bool ip6_parse(const char *s, uint8_t out[16])
{
    const size_t none = 17;
    size_t n = 0, gap = none;

    if (s[0] == ':') {
        if (s[1] != ':')
            return false;
        gap = 0;
        s += 2;
    }
    while (*s != '\0') {
        if (strchr(s, ':') == NULL && strchr(s, '.') != NULL) {
            if (n > 12 || !ip4_parse(s, out + n))
                return false;
            n += 4;
            break;
        }
        if (n > 14 || !take_group(&s, out + n))
            return false;
        n += 2;
        if (*s == '\0')
            break;
        if (*s++ != ':' || *s == '\0')
            return false;
        if (*s == ':') {
            if (gap != none)
                return false;
            gap = n;
            s++;
        }
    }
    if (gap == none)
        return n == 16;
    if (n > 14)
        return false; /* "::" stands for at least one group */
    memmove(out + 16 - (n - gap), out + gap, n - gap);
    memset(out + gap, 0, 16 - n);
    return true;
}

/* How many bytes the address has, 4 or 16; 0: not an address. */
static size_t ip_parse(const char *text, uint8_t out[16])
{
    if (ip4_parse(text, out))
        return 4;
    return ip6_parse(text, out) ? 16 : 0;
}

/* ---- what is wrong with a value, NULL if nothing ---- */

/* IA5String without blanks; the checks below may then look at single bytes. */
static const char *ascii_fault(const char *v)
{
    for (; *v != '\0'; v++)
        if (*v <= 0x20 || *v >= 0x7f)
            return "has a blank or a character that is not ASCII";
    return NULL;
}

static const char *email_fault(const char *v)
{
    const char *at = strchr(v, '@');

    if (at == NULL || at == v || at[1] == '\0' || strchr(at + 1, '@') != NULL)
        return "is not name@domain";
    return ascii_fault(v);
}

/* '_' and a leading '*' are in real device names; AD CS and public CAs issue both. */
static const char *dns_fault(const char *v)
{
    size_t label = 0;

    if (strlen(v) > DNS_LEN_MAX)
        return "is longer than 253 characters";
    for (; *v != '\0'; v++) {
        bool letter = (*v >= 'a' && *v <= 'z') || (*v >= 'A' && *v <= 'Z');
        bool digit = *v >= '0' && *v <= '9';

        if (*v == '.') {
            if (label == 0)
                return "has an empty label";
            label = 0;
            continue;
        }
        if (!letter && !digit && *v != '-' && *v != '_' && *v != '*')
            return "has a character that host names do not have";
        if (++label > DNS_LABEL_MAX)
            return "has a label longer than 63 characters";
    }
    return label == 0 ? "has an empty label" : NULL;
}

/* RFC 5280 4.2.1.6: the name MUST NOT be a relative URI. */
static const char *uri_fault(const char *v)
{
    size_t scheme = strcspn(v, ":/?#");

    if (scheme == 0 || v[scheme] != ':' || v[scheme + 1] == '\0')
        return "is not an absolute URI";
    return ascii_fault(v);
}

static const char *ip_fault(const char *v)
{
    uint8_t bytes[16];

    return ip_parse(v, bytes) == 0 ? "is not an IPv4 or IPv6 address" : NULL;
}

static const char *upn_fault(const char *v)
{
    return utf8_valid(view_text(v)) ? NULL : "is not UTF-8";
}

/* ---- how a value is encoded ---- */

static void write_text(struct buf *b, uint8_t tag, const char *v)
{
    der_tlv(b, tag, view_text(v));
}

static void write_ip(struct buf *b, uint8_t tag, const char *v)
{
    uint8_t bytes[16];
    size_t len = ip_parse(v, bytes);

    der_tlv(b, tag, view_of(bytes, len));
}

static void write_upn(struct buf *b, uint8_t tag, const char *v)
{
    size_t other = der_open(b, tag), value;

    der_oid_known(b, OID_UPN);
    value = der_open(b, DER_CONTEXTC | 0);
    der_utf8(b, v);
    der_close(b, value);
    der_close(b, other);
}

static const struct san_kind {
    const char *name;
    uint8_t tag;
    const char *(*fault)(const char *);
    void (*write)(struct buf *, uint8_t, const char *);
} kinds[SAN_TYPE_COUNT] = {
    [SAN_EMAIL] = { "EMAIL", DER_CONTEXT | 1, email_fault, write_text },
    [SAN_DNS] = { "DNS", DER_CONTEXT | 2, dns_fault, write_text },
    [SAN_URI] = { "URI", DER_CONTEXT | 6, uri_fault, write_text },
    [SAN_IP] = { "IP", DER_CONTEXT | 7, ip_fault, write_ip },
    [SAN_UPN] = { "UPN", DER_CONTEXTC | 0, upn_fault, write_upn },
};

int san_check(enum san_type type, const char *v, struct err *e)
{
    const char *fault;
    size_t len = v != NULL ? strlen(v) : 0;

    if ((unsigned)type >= SAN_TYPE_COUNT || kinds[type].name == NULL)
        return err_set(e, ERR_INPUT, "SAN type %u is unknown", (unsigned)type);
    if (len == 0)
        return err_set(e, ERR_INPUT, "SAN %s is empty", kinds[type].name);
    if (len > SAN_LEN_MAX)
        return err_set(e, ERR_INPUT, "SAN %s has %zu bytes, at most %d are allowed",
            kinds[type].name, len, SAN_LEN_MAX);
    if (text_has_control(view_text(v)))
        return err_set(e, ERR_INPUT, "SAN %s has a control character", kinds[type].name);
    if ((fault = kinds[type].fault(v)) != NULL)
        return err_set(e, ERR_INPUT, "SAN %s \"%.80s\" %s", kinds[type].name, v, fault);
    return 0;
}

void san_write(struct buf *out, enum san_type type, const char *value)
{
    kinds[type].write(out, kinds[type].tag, value);
}

void san_write_sid(struct buf *out, const char *sid)
{
    size_t uri = der_open(out, kinds[SAN_URI].tag);

    buf_add_text(out, SID_TAG);
    buf_add_text(out, sid);
    der_close(out, uri);
}

/* ---- names in a certificate ---- */

static uint8_t lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c - 'A' + 'a') : c;
}

static bool same_but_case(struct view a, struct view b)
{
    if (a.len != b.len)
        return false;
    for (size_t i = 0; i < a.len; i++)
        if (lower(a.p[i]) != lower(b.p[i]))
            return false;
    return true;
}

/* RFC 5280 7.5: the host part without regard to case, the local part exactly. */
static bool same_email(struct view a, struct view b)
{
    const uint8_t *at = a.len != 0 ? memchr(a.p, '@', a.len) : NULL;
    size_t local = at != NULL ? (size_t)(at - a.p) : a.len;

    return same_but_case(a, b) && view_equal(view_of(a.p, local), view_of(b.p, local));
}

bool san_same(struct der a, struct der b)
{
    if (a.tag != b.tag)
        return false;
    if (a.tag == kinds[SAN_DNS].tag)
        return same_but_case(a.content, b.content);
    if (a.tag == kinds[SAN_EMAIL].tag)
        return same_email(a.content, b.content);
    return view_equal(a.content, b.content);
}

/* OtherName { type OID, value [0] EXPLICIT UTF8String } */
static bool read_upn(struct view content, struct view *upn)
{
    struct err ignored = { 0 };
    struct der oid, wrap, value;

    if (der_expect(&content, DER_OID, "UPN", &oid, &ignored) != 0 || !der_is_oid(oid, OID_UPN)
        || der_expect(&content, DER_CONTEXTC | 0, "UPN", &wrap, &ignored) != 0
        || der_expect(&wrap.content, DER_UTF8, "UPN", &value, &ignored) != 0 || content.len != 0
        || wrap.content.len != 0)
        return false;
    *upn = value.content;
    return true;
}

enum san_type san_read(struct der name, struct view *value)
{
    for (int t = SAN_NONE + 1; t < SAN_TYPE_COUNT; t++) {
        if (name.tag != kinds[t].tag)
            continue;
        *value = name.content;
        if (t == SAN_UPN && !read_upn(name.content, value))
            return SAN_NONE;
        return (enum san_type)t;
    }
    return SAN_NONE;
}

bool san_same_claim(struct der a, struct der b)
{
    struct view x, y;

    if (san_same(a, b))
        return true;
    return san_read(a, &x) == SAN_UPN && san_read(b, &y) == SAN_UPN && same_but_case(x, y);
}

/* Whatever a domain controller might take for the tag is one. */
bool san_sid(struct der name, struct view *sid)
{
    size_t tag = sizeof SID_TAG - 1;
    struct view v;

    if (san_read(name, &v) != SAN_URI || v.len < tag
        || !same_but_case(view_of(v.p, tag), view_text(SID_TAG)))
        return false;
    *sid = view_of(v.p + tag, v.len - tag);
    return true;
}

static void text_ip(struct view ip, struct buf *out)
{
    if (ip.len == 4) {
        buf_printf(out, "IP %u.%u.%u.%u", ip.p[0], ip.p[1], ip.p[2], ip.p[3]);
    } else if (ip.len == 16) {
        for (size_t i = 0; i < 16; i += 2)
            buf_printf(out, "%s%x", i == 0 ? "IP " : ":", (unsigned)ip.p[i] << 8 | ip.p[i + 1]);
    } else {
        buf_add_text(out, "IP ");
        hex_add(out, ip);
    }
}

/* A NUL inside a name would end the message before the part that makes the difference. */
static void add_bytes(struct buf *out, struct view v)
{
    for (size_t i = 0; i < v.len; i++)
        buf_add_byte(out, v.p[i] != 0 ? v.p[i] : '?');
}

/* otherName: its type, and a UPN whole. */
static void text_other(struct view content, struct buf *out)
{
    struct view rest = content, upn;
    struct err ignored = { 0 };
    struct der oid;

    if (read_upn(content, &upn)) {
        buf_add_text(out, "UPN ");
        add_bytes(out, upn);
    } else if (der_expect(&rest, DER_OID, "otherName", &oid, &ignored) != 0) {
        buf_add_text(out, "an otherName that is not DER");
    } else {
        buf_add_text(out, "otherName ");
        der_oid_text(oid.content, out);
    }
}

void san_text(struct der name, struct buf *out)
{
    static const enum san_type plain[] = { SAN_EMAIL, SAN_DNS, SAN_URI };

    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++) {
        if (name.tag != kinds[plain[i]].tag)
            continue;
        buf_printf(out, "%s ", kinds[plain[i]].name);
        add_bytes(out, name.content);
        return;
    }
    if (name.tag == kinds[SAN_IP].tag)
        text_ip(name.content, out);
    else if (name.tag == kinds[SAN_UPN].tag)
        text_other(name.content, out);
    else
        buf_printf(out, "a name of type [%u]", name.tag & 0x1fu);
}
