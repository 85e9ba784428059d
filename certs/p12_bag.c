/* see p12_bag.h */
#include "certs/p12_bag.h"
#include "certs/der.h"
#include <string.h>

enum { ATTR_COUNT = 4, ATTR_MAX = 1024 };

#define OID_CERT_BAG     "1.2.840.113549.1.12.10.1.3"
#define OID_X509         "1.2.840.113549.1.9.22.1"
#define OID_FRIENDLY     "1.2.840.113549.1.9.20"
#define OID_LOCAL_KEY_ID "1.2.840.113549.1.9.21"
#define OID_PROVIDER     "1.3.6.1.4.1.311.17.1"
#define OID_KEYSET       "1.3.6.1.4.1.311.17.2"

/* Attribute ::= SEQUENCE { OID, SET OF value } */
struct open_attr {
    size_t seq, set;
};

static struct open_attr attr_open(struct buf *b, const char *oid)
{
    struct open_attr a;

    a.seq = der_open(b, DER_SEQUENCE);
    der_oid_known(b, oid);
    a.set = der_open(b, DER_SET);
    return a;
}

static void attr_close(struct buf *b, struct open_attr a)
{
    der_close(b, a.set);
    der_close(b, a.seq);
}

static void write_text(struct buf *b, const char *oid, const char *utf8)
{
    struct open_attr a = attr_open(b, oid);

    der_bmp(b, utf8);
    attr_close(b, a);
}

static void write_key_id(struct buf *b, const uint8_t id[P12_KEY_ID_LEN])
{
    struct open_attr a = attr_open(b, OID_LOCAL_KEY_ID);

    der_tlv(b, DER_OCTET_STRING, view_of(id, P12_KEY_ID_LEN));
    attr_close(b, a);
}

static bool before(struct view a, struct view b)
{
    size_t shorter = a.len < b.len ? a.len : b.len;
    int order = memcmp(a.p, b.p, shorter);

    return order < 0 || (order == 0 && a.len < b.len);
}

/* SET OF: in order of the encodings, and an empty one is no attribute.  Empties `attr`. */
static void add_sorted(struct buf *out, struct buf attr[ATTR_COUNT])
{
    for (size_t n = 0; n < ATTR_COUNT; n++) {
        struct buf *first = NULL;

        for (size_t i = 0; i < ATTR_COUNT; i++)
            if (attr[i].len != 0 && (first == NULL || before(buf_view(&attr[i]), buf_view(first))))
                first = &attr[i];
        if (first == NULL)
            return;
        buf_add_view(out, buf_view(first));
        buf_truncate(first, 0);
    }
}

void p12_attributes(
    struct buf *out, const struct p12_spec *s, const uint8_t id[P12_KEY_ID_LEN], bool key)
{
    struct buf attr[ATTR_COUNT] = { BUF_INIT(ATTR_MAX), BUF_INIT(ATTR_MAX), BUF_INIT(ATTR_MAX),
        BUF_INIT(ATTR_MAX) };
    size_t set = der_open(out, DER_SET);

    write_key_id(&attr[0], id);
    if (s->friendly_name != NULL)
        write_text(&attr[1], OID_FRIENDLY, s->friendly_name);
    if (key && s->provider_name != NULL)
        write_text(&attr[2], OID_PROVIDER, s->provider_name);
    if (key && s->machine_keyset)
        attr_close(&attr[3], attr_open(&attr[3], OID_KEYSET));
    for (size_t i = 0; i < ATTR_COUNT; i++)
        if (attr[i].bad)
            buf_spoil(out, attr[i].why);
    add_sorted(out, attr);
    der_close(out, set);
    for (size_t i = 0; i < ATTR_COUNT; i++)
        buf_free(&attr[i]);
}

void p12_cert_bag(struct buf *b, const struct p12_spec *s, struct view der, const uint8_t *id)
{
    size_t bag = der_open(b, DER_SEQUENCE), wrap, cert, value;

    der_oid_known(b, OID_CERT_BAG);
    wrap = der_open(b, DER_CONTEXTC | 0);
    cert = der_open(b, DER_SEQUENCE);
    der_oid_known(b, OID_X509);
    value = der_open(b, DER_CONTEXTC | 0);
    der_tlv(b, DER_OCTET_STRING, der);
    der_close(b, value);
    der_close(b, cert);
    der_close(b, wrap);
    if (id != NULL)
        p12_attributes(b, s, id, false);
    der_close(b, bag);
}
