/* see ra.h */
#include <stdlib.h>
#include "agent/base/clock.h"
#include "agent/base/fs.h"
#include "agent/scep/ra.h"
#include "agent/secrets/identity.h"
#include "certs/chain.h"
#include "certs/mem.h"
#include "certs/signed.h"
#include "certs/spki.h"
#include "certs/template.h"

enum { FILE_MAX = 1 << 20, KEY_MAX = 16384, RSA_LEAST = 2048 };

void ra_pair_free(struct ra_pair *p)
{
    buf_free(&p->certificate);
    buf_free(&p->key);
}

void ra_free(struct ra *r)
{
    while (r != NULL) {
        struct ra *older = r->older;

        ra_pair_free(&r->signing);
        ra_pair_free(&r->encryption);
        for (size_t i = 0; i < r->previous_count; i++)
            ra_pair_free(&r->previous[i]);
        buf_free(&r->ca_certs);
        buf_free(&r->get_ca_cert);
        buf_free(&r->get_next_ca);
        free(r);
        r = older;
    }
}

int64_t ra_expires_at(const struct ra *r)
{
    return r->signing.not_after_at < r->encryption.not_after_at ? r->signing.not_after_at
                                                                : r->encryption.not_after_at;
}

/* ---- a certificate and its key ------------------------------------------------------------------------ */

static int check_pair(struct ra_pair *p, const char *what, unsigned usage, struct err *e)
{
    struct cert c;
    struct spki k;
    unsigned bits;

    if (cert_parse(buf_view(&p->certificate), &c, e) != 0 || spki_parse(c.spki, &k, e) != 0
        || cert_key_usage(&c, &bits, e) != 0)
        return err_set(e, ERR_CONFIG, "%s: the certificate cannot be read", what);
    p->not_before_at = c.not_before_at;
    p->not_after_at = c.not_after_at;
    if (k.ec || k.bits < RSA_LEAST)
        return err_set(e, ERR_CONFIG,
            "%s: its key must be RSA of at least 2048 bits; devices know no other for SCEP", what);
    if (c.key_usage.len != 0 && (bits & usage) != usage)
        return err_set(e, ERR_CONFIG, "%s: its key usage must allow %s", what,
            usage == KU_KEY_ENCIPHERMENT ? "keyEncipherment" : "digitalSignature");
    if (clock_now() > c.not_after_at)
        return err_set(e, ERR_CONFIG, "%s: the certificate has expired", what);
    return 0;
}

static int read_pair(
    struct ra_pair *p, struct lib *l, const char *certificate, const char *key, struct err *e)
{
    struct identity i = { 0 };

    if (identity_open(&i, l, certificate, key, e) != 0)
        return -1;
    p->certificate = (struct buf)BUF_INIT(FILE_MAX);
    p->key = (struct buf)BUF_SECRET(KEY_MAX);
    buf_add_view(&p->certificate, buf_view(&i.certificate));
    buf_add_view(&p->key, key_pkcs8(i.key));
    identity_close(&i);
    return 0;
}

static void copy_pair(struct ra_pair *to, const struct ra_pair *from)
{
    *to = *from;
    to->certificate = (struct buf)BUF_INIT(FILE_MAX);
    to->key = (struct buf)BUF_SECRET(KEY_MAX);
    buf_add_view(&to->certificate, buf_view(&from->certificate));
    buf_add_view(&to->key, buf_view(&from->key));
}

/* ---- where the pairs come from -------------------------------------------------------------------------- */

static int from_files(struct ra *r, const struct conf_scep *conf, struct lib *l, struct err *e)
{
    if (read_pair(&r->signing, l, conf->ra_certificate, conf->ra_key, e) != 0)
        return err_wrap(e, "ra_certificate");
    if (conf->ra_encryption_certificate == NULL) {
        r->single = true;
        copy_pair(&r->encryption, &r->signing);
    } else if (read_pair(
                   &r->encryption, l, conf->ra_encryption_certificate, conf->ra_encryption_key, e)
               != 0) {
        return err_wrap(e, "ra_encryption_certificate");
    }
    if (conf->ra_previous.count > RA_PREVIOUS_MAX)
        return err_set(e, ERR_CONFIG, "ra_previous: at most %d files", RA_PREVIOUS_MAX);
    for (size_t i = 0; i < conf->ra_previous.count; i++, r->previous_count++)
        if (read_pair(&r->previous[i], l, conf->ra_previous.at[i], NULL, e) != 0)
            return err_wrap(e, "ra_previous");
    return 0;
}

static void from_store(struct ra *r, const struct ra_pair *pairs, size_t count)
{
    copy_pair(&r->signing, &pairs[0]);
    copy_pair(&r->encryption, &pairs[1]);
    for (size_t i = 2; i < count && r->previous_count < RA_PREVIOUS_MAX; i++)
        copy_pair(&r->previous[r->previous_count++], &pairs[i]);
}

/* ---- the CA's certificates, and GetCACert --------------------------------------------------------------- */

static bool has(const struct buf *list, struct view certificate)
{
    struct view rest = buf_view(list), der;
    struct err e;

    while (chain_next(&rest, &der, &e) == 1)
        if (view_equal(der, certificate))
            return true;
    return false;
}

/* Of a list of certificates those that are CAs: roots, or all others. */
static int add_cas(struct buf *to, struct view list, bool roots, struct err *e)
{
    struct view der;
    struct cert c;
    int got;

    while ((got = chain_next(&list, &der, e)) == 1) {
        if (cert_parse(der, &c, e) != 0)
            return -1;
        if (c.ca && cert_self_issued(&c) == roots && !has(to, der))
            buf_add_view(to, der);
    }
    return got;
}

/* Roots first, then what is below them, as NDES has it. */
static int gather_cas(
    struct ra *r, const struct conf_scep *conf, const struct ca *ca, struct lib *l, struct err *e)
{
    struct buf file = BUF_INIT(FILE_MAX), chain = BUF_INIT(FILE_MAX);
    size_t count;
    int rc = -1;

    if (conf->ra_certificate != NULL
        && (fs_read(conf->ra_certificate, &file, e) != 0
            || chain_read(l, buf_view(&file), &chain, &count, e) != 0))
        goto done;
    r->ca_certs = (struct buf)BUF_INIT(FILE_MAX);
    for (int roots = 1; roots >= 0; roots--)
        if (add_cas(&r->ca_certs, buf_view(&ca->anchors), roots == 1, e) != 0
            || add_cas(&r->ca_certs, buf_view(&chain), roots == 1, e) != 0
            || add_cas(&r->ca_certs, buf_view(&ca->issuers), roots == 1, e) != 0)
            goto done;
    rc = buf_check(&r->ca_certs, e);
done:
    buf_free(&file);
    buf_free(&chain);
    return rc;
}

static int write_get_ca_cert(struct ra *r, struct err *e)
{
    struct buf all = BUF_INIT(FILE_MAX);
    struct cert c;
    int rc = -1;

    r->get_ca_cert = (struct buf)BUF_INIT(FILE_MAX);
    if (r->single && cert_parse(buf_view(&r->signing.certificate), &c, e) == 0 && c.ca) {
        r->get_ca_type = "application/x-x509-ca-cert"; /* the CA itself: RFC 8894 4.2.1.1 */
        buf_add_view(&r->get_ca_cert, c.der);
        return buf_check(&r->get_ca_cert, e);
    }
    r->get_ca_type = "application/x-x509-ca-ra-cert";
    buf_add_view(&all, buf_view(&r->signing.certificate));
    if (!r->single)
        buf_add_view(&all, buf_view(&r->encryption.certificate));
    buf_add_view(&all, buf_view(&r->ca_certs));
    if (buf_check(&all, e) == 0)
        rc = signed_certs_only(buf_view(&all), view_of(NULL, 0), &r->get_ca_cert, e);
    buf_free(&all);
    return rc;
}

/* GetNextCACert: the coming CA's certificates, signed by the RA, for we have no CA key (RFC 8894 4.7). */
static int write_next_ca(struct ra *r, const char *path, struct lib *l, struct err *e)
{
    struct buf file = BUF_INIT(FILE_MAX), list = BUF_INIT(FILE_MAX), certs = BUF_INIT(FILE_MAX);
    struct key *key = NULL;
    struct signed_out s = { .has_content = true,
        .digest = DIGEST_SHA256,
        .certificate = buf_view(&r->signing.certificate),
        .include_certificate = true };
    size_t count;
    int rc = -1;

    r->get_next_ca = (struct buf)BUF_INIT(FILE_MAX);
    if (path == NULL)
        return 0;
    if (fs_read(path, &file, e) == 0 && chain_read(l, buf_view(&file), &list, &count, e) == 0
        && signed_certs_only(buf_view(&list), view_of(NULL, 0), &certs, e) == 0
        && (key = key_parse(l, buf_view(&r->signing.key), e)) != NULL) {
        s.content = buf_view(&certs);
        s.key = key;
        rc = signed_write(l, &s, &r->get_next_ca, e);
    }
    key_free(key);
    buf_free(&file);
    buf_free(&list);
    buf_free(&certs);
    return rc != 0 ? err_wrap(e, "next_ca") : 0;
}

static struct ra *complete(
    struct ra *r, const struct conf_scep *conf, const struct ca *ca, struct lib *l, struct err *e)
{
    if (check_pair(&r->signing, "signing certificate", KU_DIGITAL_SIGNATURE, e) == 0
        && check_pair(&r->encryption, "encryption certificate", KU_KEY_ENCIPHERMENT, e) == 0
        && gather_cas(r, conf, ca, l, e) == 0 && write_get_ca_cert(r, e) == 0
        && write_next_ca(r, conf->next_ca, l, e) == 0)
        return r;
    err_wrap(e, "scep \"%s\"", conf->name);
    ra_free(r);
    return NULL;
}

struct ra *ra_open(const struct conf_scep *conf, const struct ca *ca, struct lib *l,
    struct ra_pair *enrolled, size_t count, struct err *e)
{
    struct ra *r = xcalloc(1, sizeof *r);

    if (count >= 2)
        from_store(r, enrolled, count);
    else if (from_files(r, conf, l, e) != 0) {
        err_wrap(e, "scep \"%s\"", conf->name);
        ra_free(r);
        return NULL;
    }
    return complete(r, conf, ca, l, e);
}

struct ra *ra_again(const struct ra *old, const struct conf_scep *conf, const struct ca *ca,
    struct lib *l, struct err *e)
{
    struct ra *r = xcalloc(1, sizeof *r);

    r->single = old->single;
    copy_pair(&r->signing, &old->signing);
    copy_pair(&r->encryption, &old->encryption);
    for (; r->previous_count < old->previous_count; r->previous_count++)
        copy_pair(&r->previous[r->previous_count], &old->previous[r->previous_count]);
    return complete(r, conf, ca, l, e);
}
