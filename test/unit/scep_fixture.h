#ifndef TEST_UNIT_SCEP_FIXTURE_H
#define TEST_UNIT_SCEP_FIXTURE_H
/* scep_fixture.h - a device, a registration authority, and messages with any attributes. */
#include "test/t.h"
#include "test/unit/issue.h"
#include "certs/mem.h"
#include "proto/scep.h"

enum { ROOM = 1 << 18 };

#define OID(n) "2.16.840.1.113733.1.9." #n

static struct err e;
static struct lib *lib;
static const uint8_t nonce[16] = "0123456789abcde";

static struct party {
    EVP_PKEY *pkey;
    X509 *x509;
    struct buf der;
    struct key *key;
} device, ra;

static inline void meet(struct party *p, const char *name)
{
    struct buf pkcs8 = BUF_SECRET(8192);

    p->der = (struct buf)BUF_INIT(8192);
    p->pkey = issue_key("rsa2048");
    p->x509 = issue(&(struct issue){ .subject = name, .key = p->pkey });
    issue_der(p->x509, &p->der);
    issue_pkcs8(p->pkey, &pkcs8);
    p->key = key_parse(lib, buf_view(&pkcs8), &e);
    assert_non_null(p->key);
    buf_free(&pkcs8);
}

static inline void part(struct party *p)
{
    key_free(p->key);
    buf_free(&p->der);
    X509_free(p->x509);
    EVP_PKEY_free(p->pkey);
}

static inline struct scep_ask ask(enum scep_type type)
{
    return (struct scep_ask){ .type = type,
        .transaction = "7XXEY-ERLPU-2JDR9",
        .nonce = view_of(nonce, sizeof nonce),
        .content = view_text("what is asked"),
        .recipient = buf_view(&ra.der),
        .key = device.key,
        .certificate = buf_view(&device.der) };
}

/* A message with these attributes, however wrong. */
struct odd {
    const char *oid;
    uint8_t tag;
    const char *text;
};
enum { ODD_MAX = 6 };

struct odd_message {
    struct odd attr[ODD_MAX];
    bool unsigned_by_name; /* no certificate in it */
    bool empty;            /* no content */
    enum digest digest;
};

static inline void write_odd(const struct odd_message *m, struct buf *out)
{
    struct buf der[ODD_MAX];
    struct signed_attr_out attrs[ODD_MAX];
    struct signed_out o = { .has_content = !m->empty,
        .content = view_text(m->empty ? NULL : "content"),
        .digest = m->digest != DIGEST_NONE ? m->digest : DIGEST_SHA256,
        .key = device.key,
        .certificate = buf_view(&device.der),
        .include_certificate = !m->unsigned_by_name,
        .attrs = attrs };

    for (size_t i = 0; i < ODD_MAX && m->attr[i].oid != NULL; i++) {
        der[i] = (struct buf)BUF_INIT(ROOM);
        der_tlv(&der[i], m->attr[i].tag, view_text(m->attr[i].text));
        attrs[i] = (struct signed_attr_out){ m->attr[i].oid, buf_view(&der[i]) };
        o.attr_count = i + 1;
    }
    T_OK(signed_write(lib, &o, out, &e));
    for (size_t i = 0; i < o.attr_count; i++)
        buf_free(&der[i]);
}

#define TYPE(text)                  \
    {                               \
        OID(2), DER_PRINTABLE, text \
    }
#define TRANSACTION(text)           \
    {                               \
        OID(7), DER_PRINTABLE, text \
    }
#define NONCE(text)                    \
    {                                  \
        OID(5), DER_OCTET_STRING, text \
    }

static inline int run(const struct CMUnitTest *tests, size_t count, const char *name)
{
    int failed;

    mem_torture_openssl();
    if ((lib = lib_new(&e)) == NULL)
        return 1;
    meet(&device, "CN=device");
    meet(&ra, "CN=registration authority");
    failed = _cmocka_run_group_tests(name, tests, count, NULL, NULL);
    part(&device);
    part(&ra);
    lib_free(lib);
    return failed;
}
#endif
