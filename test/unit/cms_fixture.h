#ifndef TEST_UNIT_CMS_FIXTURE_H
#define TEST_UNIT_CMS_FIXTURE_H
/* cms_fixture.h - devices with every kind of key, and how they open what they get. */
#include "test/t.h"
#include "test/unit/issue.h"
#include <openssl/cms.h>
#include "certs/cms.h"

enum { ROOM = 1 << 20 };

static struct err e;
static struct lib *lib;
static EVP_PKEY *other_rsa, *other_ec;

static const char *const kinds[] = { "rsa2048", "rsa3072", "rsa4096", "P-256", "P-384", "P-521" };
static const enum cms_content contents[] = { CMS_AES256_GCM, CMS_AES256_CBC, CMS_DES3_CBC,
    CMS_AES128_CBC };
static struct device {
    EVP_PKEY *key;
    X509 *x509;
    struct buf der;
} devices[6];

/* The plain text, or -1 when it does not open.  With the certificate the recipient is found by name. */
static inline int open_cms(struct view in, EVP_PKEY *key, X509 *x509, struct buf *plain)
{
    const unsigned char *p = in.p;
    CMS_ContentInfo *cms = d2i_CMS_ContentInfo(NULL, &p, (long)in.len);
    BIO *out = BIO_new(BIO_s_mem());
    int ok = cms != NULL && CMS_decrypt(cms, key, x509, NULL, out, 0) == 1;
    char *text;
    long len = BIO_get_mem_data(out, &text);

    buf_reset(plain);
    if (ok)
        buf_add(plain, text, (size_t)len);
    BIO_free(out);
    CMS_ContentInfo_free(cms);
    return ok ? 0 : -1;
}

static inline void assert_opens(const struct device *d, struct view in, struct view want)
{
    struct buf plain = BUF_INIT(ROOM);

    assert_int_equal(open_cms(in, d->key, d->x509, &plain), 0);
    assert_true(view_equal(buf_view(&plain), want));
    buf_free(&plain);
}

static inline struct buf envelope(size_t device, enum cms_content c, enum cms_transport t)
{
    struct buf out = BUF_INIT(ROOM);

    T_OK(cms_envelope(lib, buf_view(&devices[device].der), c, t, view_text("hello"), &out, &e));
    return out;
}

/* all: RSA keys above 2048 bits, too, which take seconds to make. */
static inline int start(bool all)
{
    if ((lib = lib_new(&e)) == NULL)
        return -1;
    other_rsa = issue_key("rsa2048");
    other_ec = issue_key("P-256");
    for (size_t i = 0; i < 6; i++) {
        struct device *d = &devices[i];

        if (!all && (i == 1 || i == 2))
            continue;
        d->key = issue_key(kinds[i]);
        d->x509 = issue(&(struct issue){ .subject = "CN=Device/O=Contoso", .key = d->key });
        d->der.max = ROOM;
        issue_der(d->x509, &d->der);
    }
    return 0;
}

static inline void stop(void)
{
    for (size_t i = 0; i < 6; i++) {
        EVP_PKEY_free(devices[i].key);
        X509_free(devices[i].x509);
        buf_free(&devices[i].der);
    }
    EVP_PKEY_free(other_rsa);
    EVP_PKEY_free(other_ec);
    lib_free(lib);
}
#endif
