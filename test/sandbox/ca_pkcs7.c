/*
 * see ca.h: certificates without a signature, in the SignedData that EST and AD CS send them in.
 * Written by hand: OpenSSL would decode the leaf's key on the way, which costs more than issuing.
 */
#include "test/sandbox/ca.h"

static void wrap(struct str *out, unsigned char tag, const struct str *in)
{
    unsigned char head[4] = { tag, 0x82, (unsigned char)(in->len >> 8), (unsigned char)in->len };

    need(in->len < 65536 ? out : NULL);
    if (in->len < 128)
        str_add(out, (unsigned char[]){ tag, (unsigned char)in->len }, 2);
    else if (in->len < 256)
        str_add(out, (unsigned char[]){ tag, 0x81, (unsigned char)in->len }, 3);
    else
        str_add(out, head, sizeof head);
    str_add(out, str_text(in), in->len);
}

static void add_cert(struct str *out, X509 *x)
{
    unsigned char *der = NULL;
    int len = i2d_X509(x, &der);

    need(len > 0 ? der : NULL);
    str_add(out, der, (size_t)len);
    OPENSSL_free(der);
}

void ca_pkcs7(const struct setup *s, const struct str *leaf, bool chain, struct str *out)
{
    static const unsigned char version_and_digests[] = { 2, 1, 1, 0x31, 0 };
    static const unsigned char data[] = { 0x30, 11, 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 13, 1, 7,
        1 };
    static const unsigned char signed_data[] = { 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 13, 1, 7, 2 };
    struct str certs = { 0 }, body = { 0 }, sequence = { 0 }, info = { 0 };

    if (leaf != NULL)
        str_add(&certs, leaf->p, leaf->len);
    if (chain) {
        add_cert(&certs, s->issuing);
        add_cert(&certs, s->root);
    }
    str_add(&body, version_and_digests, sizeof version_and_digests);
    str_add(&body, data, sizeof data);
    wrap(&body, 0xa0, &certs);
    str_add(&body, "\x31\0", 2);
    wrap(&sequence, 0x30, &body);
    str_add(&info, signed_data, sizeof signed_data);
    wrap(&info, 0xa0, &sequence);
    wrap(out, 0x30, &info);
    str_free(&certs);
    str_free(&body);
    str_free(&sequence);
    str_free(&info);
}
