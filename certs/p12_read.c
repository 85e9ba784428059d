/*
 * see p12.h, p12_check.  The only place where a library's PKCS#12 decoder runs, over bytes that were made a moment ago
 * in this process: nothing foreign gets here.
 */
#include <openssl/pkcs12.h>
#include <openssl/x509.h>
#include "certs/p12.h"

/* The three parts that a reader finds: is the key that of the leaf, is the leaf the one that went in? */
static int compare(EVP_PKEY *key, X509 *leaf, struct view wanted, struct err *e)
{
    struct buf der = BUF_INIT(1 << 20);
    unsigned char *p = NULL;
    int len = leaf != NULL ? i2d_X509(leaf, &p) : -1, rc = -1;

    if (len > 0)
        buf_add(&der, p, (size_t)len);
    OPENSSL_free(p);
    if (key == NULL || len <= 0)
        (void)err_set(e, ERR_CRYPTO, "PKCS#12: %s is not in the file",
            key == NULL ? "the key" : "the certificate");
    else if (der.len > wanted.len || !view_equal(buf_view(&der), view_of(wanted.p, der.len)))
        (void)err_set(e, ERR_CRYPTO, "PKCS#12: another certificate comes out than went in");
    else if (X509_check_private_key(leaf, key) != 1)
        (void)lib_err(e, "PKCS#12: the key is not the certificate's");
    else
        rc = 0;
    buf_free(&der);
    return rc;
}

int p12_check(
    struct lib *l, struct view file, const char *password, struct view chain, struct err *e)
{
    const unsigned char *p = file.p;
    PKCS12 *made = PKCS12_init_ex(NID_pkcs7_data, l->ctx, NULL), *p12 = NULL;
    EVP_PKEY *key = NULL;
    X509 *leaf = NULL;
    int rc = -1;

    if (made == NULL)
        return lib_err(e, "PKCS#12");
    p12 = made;
    if (d2i_PKCS12(&p12, &p, (long)file.len) == NULL) {
        made = NULL; /* freed by the decoder */
        (void)lib_err(e, "PKCS#12: reading it again");
        goto done;
    }
    if (p != file.p + file.len)
        (void)err_set(e, ERR_CRYPTO, "PKCS#12: something follows the file");
    else if (PKCS12_parse(p12, password, &key, &leaf, NULL) != 1)
        (void)lib_err(e, "PKCS#12: opening it again");
    else
        rc = compare(key, leaf, chain, e);
done:
    EVP_PKEY_free(key);
    X509_free(leaf);
    PKCS12_free(made);
    return rc;
}
