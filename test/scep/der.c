/* see der.h */
#include "test/scep/der.h"
#include <stdlib.h>
#include <string.h>

static size_t header(unsigned char *to, unsigned tag, size_t len)
{
    size_t n = 0, bytes = len < 128 ? 0 : len < 256 ? 1 : len < 65536 ? 2 : len < 1u << 24 ? 3 : 4;

    to[n++] = (unsigned char)tag;
    to[n++] = (unsigned char)(bytes == 0 ? len : 0x80 | bytes);
    while (bytes > 0)
        to[n++] = (unsigned char)(len >> 8 * --bytes);
    return n;
}

static void insert(struct str *out, size_t at, const void *bytes, size_t n)
{
    size_t tail = out->len - at;

    str_add(out, bytes, n); /* for the room */
    memmove(out->p + at + n, out->p + at, tail);
    memcpy(out->p + at, bytes, n);
}

void der_close(struct str *out, size_t at, unsigned tag)
{
    unsigned char head[8];

    insert(out, at, head, header(head, tag, out->len - at));
}

void der_close_open(struct str *out, size_t at, unsigned tag)
{
    unsigned char head[2] = { (unsigned char)tag, 0x80 };

    insert(out, at, head, sizeof head);
    str_add(out, "\0", 2);
}

void der_put(struct str *out, unsigned tag, const void *bytes, size_t len)
{
    unsigned char head[8];

    str_add(out, head, header(head, tag, len));
    str_add(out, bytes, len);
}

void der_text(struct str *out, unsigned tag, const char *text)
{
    der_put(out, tag, text, strlen(text));
}

void der_str(struct str *out, unsigned tag, const struct str *s)
{
    der_put(out, tag, str_text(s), s->len);
}

void der_oid(struct str *out, const char *dotted)
{
    ASN1_OBJECT *o = need(OBJ_txt2obj(dotted, 1));
    unsigned char *der = NULL;
    int len = i2d_ASN1_OBJECT(o, &der);

    str_add(out, need(der), (size_t)len);
    OPENSSL_free(der);
    ASN1_OBJECT_free(o);
}

void der_int(struct str *out, unsigned n)
{
    unsigned char b[5] = { 0, (unsigned char)(n >> 24), (unsigned char)(n >> 16),
        (unsigned char)(n >> 8), (unsigned char)n };
    size_t from = 0;

    while (from < 4 && b[from] == 0 && b[from + 1] < 128)
        from++;
    der_put(out, 2, b + from, 5 - from);
}

void der_null(struct str *out)
{
    der_put(out, 5, "", 0);
}

void der_hex(struct str *out, const char *hex)
{
    for (; *hex != '\0'; hex++) {
        char two[3] = { hex[0], hex[1], '\0' }, byte;

        if (*hex == ' ')
            continue;
        byte = (char)strtoul(two, NULL, 16);
        str_add(out, &byte, 1);
        hex++;
    }
}

void der_algorithm(struct str *out, const char *dotted, bool null)
{
    size_t at = out->len;

    der_oid(out, dotted);
    if (null)
        der_null(out);
    der_close(out, at, 0x30);
}

void der_octets(struct str *out, const void *bytes, size_t len, size_t chunk)
{
    size_t at = out->len;

    if (chunk == 0) {
        der_put(out, 4, bytes, len);
        return;
    }
    for (size_t i = 0; i < len; i += chunk)
        der_put(out, 4, (const char *)bytes + i, len - i < chunk ? len - i : chunk);
    der_close_open(out, at, 0x24);
}

static void take(struct str *out, unsigned char *der, int len)
{
    need(len > 0 ? der : NULL);
    str_add(out, der, (size_t)len);
    OPENSSL_free(der);
}

void der_cert(struct str *out, const X509 *x)
{
    unsigned char *der = NULL;
    int len = i2d_X509(x, &der);

    take(out, der, len);
}

void der_name(struct str *out, const X509_NAME *n)
{
    unsigned char *der = NULL;
    int len = i2d_X509_NAME(n, &der);

    take(out, der, len);
}

void der_serial(struct str *out, const X509 *x)
{
    unsigned char *der = NULL;
    int len = i2d_ASN1_INTEGER(X509_get0_serialNumber(x), &der);

    take(out, der, len);
}

void der_spki(struct str *out, EVP_PKEY *key)
{
    unsigned char *der = NULL;
    int len = i2d_PUBKEY(key, &der);

    take(out, der, len);
}

static bool strict_members(const unsigned char *p, size_t head, size_t len, unsigned depth);

/* One value at p; false: not DER.  *len becomes how long it is. */
static bool strict_one(const unsigned char *p, size_t room, size_t *len, unsigned depth)
{
    size_t n, head = 2, bytes;

    if (room < 2 || (p[0] & 31) == 31 || depth > 32)
        return false;
    n = p[1];
    if (n >= 128) {
        bytes = n & 127;
        if (bytes == 0 || bytes > 4 || room < 2 + bytes || p[2] == 0)
            return false;
        for (n = 0; head < 2 + bytes; head++)
            n = n << 8 | p[head];
        if (n < 128)
            return false;
    }
    if (n > room - head)
        return false;
    *len = head + n;
    return (p[0] & 0x20) == 0 || strict_members(p, head, *len, depth + 1);
}

/* A SET's members stand in the order of their bytes; so do the attributes of a signer, which are a SET under
 * another tag: members that begin with an OID. */
static bool is_set(const unsigned char *p, size_t head, size_t len)
{
    const unsigned char *first = p + head;
    size_t oid = len - head < 4 ? 0 : first[1] < 128 ? 2 : 2 + (first[1] & 127u);

    return p[0] == 0x31
           || (p[0] == 0xa0 && oid > 0 && oid < len - head && first[0] == 0x30 && first[oid] == 6);
}

static bool strict_members(const unsigned char *p, size_t head, size_t len, unsigned depth)
{
    bool set = is_set(p, head, len);
    size_t last = 0, last_len = 0;

    for (size_t at = head, one = 0; at < len; at += one) {
        size_t both;

        if (!strict_one(p + at, len - at, &one, depth))
            return false;
        both = last_len < one ? last_len : one;
        if (set && last > 0 && memcmp(p + last, p + at, both) > 0)
            return false;
        last = at;
        last_len = one;
    }
    return true;
}

bool der_strict(const struct str *s)
{
    size_t len = 0;

    return strict_one((const unsigned char *)str_text(s), s->len, &len, 0) && len == s->len;
}
