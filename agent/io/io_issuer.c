/*
 * see io_way.h.  The certificate that a handshake ends at is gone when curl says so; who issued it is what tells an
 * inspecting proxy from a wrong trust file.  So the verification is listened to, not changed.
 */
#include <openssl/ssl.h>
#include <stdio.h>
#include <string.h>
#include "agent/io/io_way.h"
#include "certs/name.h"

enum { DER_MAX = 16 << 10, TEXT_MAX = 4096 };

static int slot = -1; /* where a context keeps the text to write to */

static void write_issuer(const X509 *x, char *out)
{
    struct buf der = BUF_INIT(DER_MAX), text = BUF_INIT(TEXT_MAX);
    const X509_NAME *name = X509_get_issuer_name(x);
    int len = i2d_X509_NAME(name, NULL);
    uint8_t *p = len > 0 ? buf_extend(&der, (size_t)len) : NULL;

    if (p != NULL && i2d_X509_NAME(name, &p) == len) {
        name_text(buf_view(&der), &text);
        (void)snprintf(out, IO_ISSUER_TEXT, "%s", buf_text(&text));
    }
    buf_free(&der);
    buf_free(&text);
}

static int on_verify(int ok, X509_STORE_CTX *store)
{
    SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
    const X509 *leaf = X509_STORE_CTX_get0_cert(store);
    char *out = ssl != NULL ? SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), slot) : NULL;

    if (!ok && out != NULL && leaf != NULL)
        write_issuer(leaf, out);
    return ok;
}

static CURLcode on_context(CURL *c, void *context, void *out)
{
    (void)c;
    if (SSL_CTX_set_ex_data(context, slot, out) == 1)
        SSL_CTX_set_verify(context, SSL_CTX_get_verify_mode(context), on_verify);
    return CURLE_OK;
}

unsigned io_issuer_watch(CURL *c, char out[IO_ISSUER_TEXT])
{
    const char *tls = curl_version_info(CURLVERSION_NOW)->ssl_version;

    if (tls == NULL || strncmp(tls, "OpenSSL/", 8) != 0)
        return 0; /* then the error says less */
    if (slot < 0 && (slot = SSL_CTX_get_ex_new_index(0, NULL, NULL, NULL, NULL)) < 0)
        return 0;
    return (unsigned)curl_easy_setopt(c, CURLOPT_SSL_CTX_FUNCTION, on_context)
           | (unsigned)curl_easy_setopt(c, CURLOPT_SSL_CTX_DATA, out);
}
