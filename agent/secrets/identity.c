/* see identity.h */
#include <string.h>
#include "agent/base/fs.h"
#include "agent/secrets/identity.h"
#include "certs/chain.h"
#include "certs/text.h"

enum { FILE_MAX = 256 << 10, KEY_FILE_MAX = 64 << 10, PKCS8_MAX = 8192 };

static int not_configured(struct err *e, const char *file)
{
    if (e->cls != ERR_NOMEM)
        e->cls = ERR_CONFIG;
    return err_wrap(e, "%s", file);
}

int identity_certificate(struct lib *l, const char *file, struct buf *out, struct err *e)
{
    struct buf text = BUF_SECRET(FILE_MAX) /* a key may be in it */, all = BUF_INIT(FILE_MAX);
    struct view rest, first;
    size_t count = 0, start = out->len;
    int rc = -1;

    if (fs_read(file, &text, e) != 0)
        goto done;
    if (chain_read(l, buf_view(&text), &all, &count, e) != 0) {
        (void)not_configured(e, file);
        goto done;
    }
    rest = buf_view(&all);
    if (chain_next(&rest, &first, e) != 1) {
        (void)not_configured(e, file);
        goto done;
    }
    buf_add_view(out, first);
    rc = buf_finish(out, start, e);
done:
    buf_free(&text);
    buf_free(&all);
    return rc;
}

static bool mentions(const struct buf *text, const char *words)
{
    return text->len > 0 && memmem(text->p, text->len, words, strlen(words)) != NULL;
}

/* Why there is no key: of the usual reasons the one that applies, with what to do about it. */
static int no_key(const struct buf *text, const char *file, struct err *e)
{
    if (mentions(text, "ENCRYPTED"))
        return err_set(
            e, ERR_CONFIG, "%s: its key is encrypted; the service has no passphrase", file);
    if (mentions(text, "PRIVATE KEY-----"))
        return err_set(e, ERR_CONFIG,
            "%s: its key is not PKCS#8; convert it: openssl pkcs8 -topk8 -nocrypt", file);
    return err_set(e, ERR_CONFIG, "%s: no private key in it", file);
}

static struct key *read_key(struct lib *l, const char *file, struct err *e)
{
    struct buf text = BUF_SECRET(KEY_FILE_MAX), pkcs8 = BUF_SECRET(PKCS8_MAX);
    struct key *key = NULL;
    struct view rest;
    int found;

    if (fs_read_secret(file, &text, e) != 0)
        goto done;
    rest = buf_view(&text);
    if ((found = pem_next(&rest, "PRIVATE KEY", &pkcs8, e)) == 0)
        (void)no_key(&text, file, e);
    else if (found < 0 || (key = key_parse(l, buf_view(&pkcs8), e)) == NULL)
        (void)not_configured(e, file);
done:
    buf_free(&text);
    buf_free(&pkcs8);
    return key;
}

int identity_open(struct identity *i, struct lib *l, const char *certificate_file,
    const char *key_file, struct err *e)
{
    const char *key_in = key_file != NULL ? key_file : certificate_file;
    struct cert c;

    *i = (struct identity){ .certificate = BUF_INIT(FILE_MAX) };
    if (certificate_file == NULL)
        return err_set(e, ERR_CONFIG, "%s: a key without a certificate", key_file);
    if (identity_certificate(l, certificate_file, &i->certificate, e) != 0
        || (i->key = read_key(l, key_in, e)) == NULL)
        goto failed;
    if (cert_parse(buf_view(&i->certificate), &c, e) != 0) {
        (void)not_configured(e, certificate_file);
        goto failed;
    }
    if (!view_equal(c.spki, key_spki(i->key))) {
        (void)err_set(
            e, ERR_CONFIG, "%s: not the key of the certificate in %s", key_in, certificate_file);
        goto failed;
    }
    return 0;
failed:
    identity_close(i);
    return -1;
}

int identity_read(
    struct identity *i, struct lib *l, struct view certificate, struct view key, struct err *e)
{
    struct buf pkcs8 = BUF_SECRET(PKCS8_MAX);
    struct cert c;
    int found;

    *i = (struct identity){ .certificate = BUF_INIT(FILE_MAX) };
    if ((found = pem_next(&key, "PRIVATE KEY", &pkcs8, e)) == 0)
        (void)err_set(e, ERR_CONFIG, "the connector's identity: no private key in it");
    else if (found == 1)
        i->key = key_parse(l, buf_view(&pkcs8), e);
    buf_free(&pkcs8);
    if (i->key == NULL || pem_next(&certificate, "CERTIFICATE", &i->certificate, e) < 0
        || (i->certificate.len > 0 && cert_parse(buf_view(&i->certificate), &c, e) != 0)) {
        (void)not_configured(e, "the connector's identity");
        goto failed;
    }
    if (i->certificate.len == 0 || view_equal(c.spki, key_spki(i->key)))
        return 0;
    (void)err_set(e, ERR_CONFIG, "the connector's identity: not the key of its certificate");
failed:
    identity_close(i);
    return -1;
}

void identity_close(struct identity *i)
{
    buf_free(&i->certificate);
    key_free(i->key);
    i->key = NULL;
}
