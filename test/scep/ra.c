/* see ra.h */
#include "test/scep/ra.h"
#include <openssl/cms.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

static bool ask(const struct temper *t, const struct target *to, const char *operation,
    struct response *r, struct str *why)
{
    struct str query = { 0 }, request = { 0 };
    char reason[WHY] = "";
    bool ok;

    str_f(&query, "operation=%s", operation);
    if (t->message != NULL)
        str_f(&query, "&message=%s", t->message);
    temper_get(t, to, query.p, &request);
    ok = talk(to, &request, r, reason);
    str_free(&query);
    str_free(&request);
    if (!ok)
        str_f(why, "%s: %s", operation, reason);
    else if (r->status != 200)
        str_f(why, "%s: HTTP %d", operation, r->status);
    return ok && r->status == 200;
}

bool ra_offers(const struct ra *r, const char *keyword)
{
    size_t len = strlen(keyword);

    for (const char *p = r->caps; *p != '\0';
         p += strcspn(p, "\n") + (p[strcspn(p, "\n")] != '\0')) {
        if (strncmp(p, keyword, len) == 0 && (p[len] == '\n' || p[len] == '\0'))
            return true;
    }
    return false;
}

/* LF between keywords, nothing else, and plain text/plain: Apple splits at LF and compares exactly. */
static bool caps(const struct temper *t, const struct target *to, struct ra *ra, struct str *why)
{
    struct response r = { 0 };
    bool ok = ask(t, to, "GetCACaps", &r, why);

    if (ok && strcmp(r.type, "text/plain") != 0) {
        str_f(why, "GetCACaps: type %s", r.type);
        ok = false;
    }
    for (size_t i = 0; ok && i < r.body.len; i++) {
        char c = r.body.p[i];

        ok = c == '\n' || c == '-' || (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z')
             || (c >= 'a' && c <= 'z');
        if (!ok)
            str_puts(why, "GetCACaps: something besides keywords and line feeds");
    }
    if (ok)
        copy_n(ra->caps, sizeof ra->caps, str_text(&r.body));
    if (ok && (ra_offers(ra, "MD5") || ra_offers(ra, "DES"))) {
        str_puts(why, "GetCACaps: MD5 or single DES");
        ok = false;
    }
    response_free(&r);
    return ok;
}

static bool usable(X509 *x, uint32_t usage)
{
    uint32_t has = X509_get_key_usage(x);

    return X509_check_ca(x) == 0 && has != UINT32_MAX && (has & usage) != 0
           && EVP_PKEY_get_base_id(X509_get0_pubkey(x)) == EVP_PKEY_RSA;
}

/* Issued, by key and not only by name, by a CA that is in the list too. */
static bool of_the_ca(const struct ra *r, X509 *x)
{
    bool good = false;

    for (int i = 0; !good && i < sk_X509_num(r->all); i++) {
        X509 *ca = sk_X509_value(r->all, i);

        good = X509_check_ca(ca) != 0 && X509_check_issued(ca, x) == X509_V_OK
               && X509_verify(x, X509_get0_pubkey(ca)) == 1;
    }
    ERR_clear_error();
    return good;
}

/* A certificate for one thing alone is preferred to one for both. */
static bool choose(struct ra *r, struct str *why)
{
    for (int i = 0; i < sk_X509_num(r->all); i++) {
        X509 *x = sk_X509_value(r->all, i);
        bool signs = usable(x, KU_DIGITAL_SIGNATURE), opens = usable(x, KU_KEY_ENCIPHERMENT);

        if (signs && (r->sign == NULL || !opens))
            r->sign = x;
        if (opens && (r->encrypt == NULL || !signs))
            r->encrypt = x;
    }
    if (r->sign == NULL || r->encrypt == NULL)
        str_puts(why, "GetCACert: no registration authority certificate to sign or to encrypt");
    else if (!of_the_ca(r, r->sign) || !of_the_ca(r, r->encrypt))
        str_puts(why, "GetCACert: the RA's certificates are not of a CA in the list");
    else
        return true;
    return false;
}

static bool certificates(struct ra *ra, const struct response *r, struct str *why)
{
    const unsigned char *p = (const unsigned char *)str_text(&r->body);
    CMS_ContentInfo *cms = NULL;

    if (!der_strict(&r->body)) {
        str_puts(why, "GetCACert: not DER");
        return false;
    }
    if (strcmp(r->type, "application/x-x509-ca-ra-cert") != 0) {
        str_f(why, "GetCACert: type %s", r->type);
        return false;
    }
    cms = d2i_CMS_ContentInfo(NULL, &p, (long)r->body.len);
    ra->all = cms == NULL ? NULL : CMS_get1_certs(cms);
    CMS_ContentInfo_free(cms);
    ERR_clear_error();
    if (ra->all == NULL) {
        str_puts(why, "GetCACert: no SignedData with certificates");
        return false;
    }
    return choose(ra, why);
}

static bool ca_cert(const struct temper *t, const struct target *to, struct ra *ra, struct str *why)
{
    struct response r = { 0 };
    bool ok = ask(t, to, "GetCACert", &r, why) && certificates(ra, &r, why);

    response_free(&r);
    return ok;
}

bool ra_fetch(const struct temper *t, const struct target *to, struct ra *r, struct str *why)
{
    *r = (struct ra){ .sign = NULL };
    return t->ca_first ? ca_cert(t, to, r, why) && caps(t, to, r, why)
                       : caps(t, to, r, why) && ca_cert(t, to, r, why);
}

void ra_free(struct ra *r)
{
    sk_X509_pop_free(r->all, X509_free);
    *r = (struct ra){ .sign = NULL };
}
