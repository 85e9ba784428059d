/* see intune.h: what the connector says became of a request, held against what really did */
#include "test/sandbox/ca.h"
#include "test/sandbox/clock.h"
#include "test/sandbox/expect.h"
#include "test/sandbox/intune.h"
#include "test/sandbox/sandbox.h"
#include <ctype.h>
#include <inttypes.h>
#include <openssl/err.h>
#include <string.h>

enum { DESCRIPTION_MAX = 255, ISSUER_MAX = 256 };

static enum code wrong(struct exchange *x, const char *why)
{
    intune_refuse(x, 400, "BadRequest", why);
    return CODE_NONE;
}

/* The challenge of a validated request; NULL: it is no such request, which is said. */
static struct challenge *challenge_of(struct exchange *x, struct json_object *n, struct str *der)
{
    const char *text = js_text(n, "certificateRequest");
    struct str password = { 0 };
    struct challenge *c = NULL;
    unsigned char digest[SHA256_LEN];
    const unsigned char *p;
    X509_REQ *req = NULL;

    if (b64_read(text, strlen(text), der) && der->len > 0) {
        p = (const unsigned char *)der->p;
        req = d2i_X509_REQ(NULL, &p, (long)der->len);
        ERR_clear_error();
    }
    if (req != NULL && challenge_password(req, &password))
        c = map_get_text(&x->sandbox->intune->by_text, password.p);
    if (c == NULL) {
        wrong(x, "a notification about a challenge that nobody was given");
    } else {
        sha256(der->p, der->len, digest);
        if (c->transaction == NULL || memcmp(digest, c->csr_sha256, sizeof digest) != 0
            || strcmp(c->transaction, js_text(n, "transactionId")) != 0) {
            wrong(x, "a notification about a request that was not validated");
            c = NULL;
        }
    }
    X509_REQ_free(req);
    str_free(&password);
    return c;
}

/* "CN=a, O=b" in either order, with or without blanks, is this name? */
static bool names_issuer(const char *text, X509_NAME *name)
{
    struct str have = { 0 }, want = { 0 };
    bool same;

    for (const char *p = text; *p != '\0';) {
        size_t len = strcspn(p, ",");

        str_f(&have, "%.*s\n", (int)len, p + strspn(p, " "));
        p += len + (p[len] == ',');
        p += strspn(p, " ");
    }
    for (int i = 0; i < X509_NAME_entry_count(name); i++) {
        X509_NAME_ENTRY *e = X509_NAME_get_entry(name, i);
        unsigned char *utf8 = NULL;
        int len = ASN1_STRING_to_UTF8(&utf8, X509_NAME_ENTRY_get_data(e));

        str_f(&want, "%s=%.*s\n", OBJ_nid2sn(OBJ_obj2nid(X509_NAME_ENTRY_get_object(e))),
            len < 0 ? 0 : len, (const char *)utf8);
        OPENSSL_free(utf8);
    }
    lines_sort(&have);
    lines_sort(&want);
    same = strcmp(str_text(&have), str_text(&want)) == 0;
    str_free(&have);
    str_free(&want);
    return same;
}

/* YYYY-MM-DDThh:mm:ss.sssZ and nothing else, the certificate's end to the second. */
static bool names_end(const char *text, const X509 *x)
{
    static const char form[] = "dddd-dd-ddTdd:dd:dd.dddZ";
    int64_t at = 0;
    struct tm tm = { 0 };

    if (strlen(text) != sizeof form - 1 || !time_read(text, &at))
        return false;
    for (size_t i = 0; form[i] != '\0'; i++) {
        if (form[i] == 'd' ? !isdigit((unsigned char)text[i]) : text[i] != form[i])
            return false;
    }
    return ASN1_TIME_to_tm(X509_get0_notAfter(x), &tm) == 1 && (int64_t)timegm(&tm) == at;
}

static bool names_thumbprint(const char *text, const X509 *x)
{
    unsigned char sha1[EVP_MAX_MD_SIZE];
    unsigned len = 0;
    struct str hex = { 0 };
    bool same = X509_digest(x, EVP_sha1(), sha1, &len) == 1;

    str_hex(&hex, sha1, len, true);
    same = same && strcmp(text, hex.p) == 0;
    str_free(&hex);
    return same;
}

/* What is wrong about the words for this certificate; NULL: nothing */
static const char *compare(struct json_object *n, const struct ca_entry *e)
{
    const unsigned char *p = (const unsigned char *)e->cert.p;
    X509 *x = d2i_X509(NULL, &p, (long)e->cert.len);
    const char *issuer = js_text(n, "issuingCertificateAuthority"), *why = NULL;

    need(x);
    if (!names_thumbprint(js_text(n, "certificateThumbprint"), x))
        why = "certificateThumbprint is not the certificate's SHA-1 in upper case";
    else if (!names_end(js_text(n, "certificateExpirationDateUtc"), x))
        why = "certificateExpirationDateUtc is not the certificate's end";
    else if (utf8_len(issuer) > ISSUER_MAX || !names_issuer(issuer, X509_get_issuer_name(x)))
        why = "issuingCertificateAuthority is not the certificate's issuer";
    X509_free(x);
    return why;
}

static void note(struct exchange *x, const char *event, const struct challenge *c, enum code code)
{
    struct ledger *l = x->sandbox->ledger;

    ledger_begin(l, event);
    ledger_int(l, "challengeId", c->id);
    ledger_text(l, "transactionId", c->transaction);
    ledger_text(l, "code", code_name(code));
}

enum code notified_success(struct exchange *x, struct json_object *n)
{
    const char *serial = js_text(n, "certificateSerialNumber"), *why;
    struct str der = { 0 };
    struct challenge *c = challenge_of(x, n, &der);
    struct ca_entry *e = ca_by_serial(&x->sandbox->ca, serial + strspn(serial, "0"));
    unsigned char digest[SHA256_LEN];
    enum code code = CODE_SUCCESS;

    sha256(str_text(&der), der.len, digest);
    str_free(&der);
    if (c == NULL)
        return CODE_NONE;
    if (e == NULL || e->state != CA_ISSUED)
        return wrong(x, "certificateSerialNumber is of no certificate of this CA");
    if (memcmp(digest, e->csr_sha256, sizeof digest) != 0)
        return wrong(x, "the certificate was issued for other bytes than the device's request");
    if ((why = compare(n, e)) != NULL)
        return wrong(x, why);
    if (js_has(n, "hResult"))
        return wrong(x, "hResult in a success");
    if (c->state == CHALLENGE_FAILED)
        return wrong(x, "a success after a failure");
    if (hit_has(&x->hit, FAULT_INTUNE_CODE))
        code = (enum code)x->hit.argument[FAULT_INTUNE_CODE];
    note(x, "scep-success", c, code);
    ledger_text(x->sandbox->ledger, "serial", e->serial);
    ledger_bool(x->sandbox->ledger, "again", c->state == CHALLENGE_ISSUED);
    ledger_end(x->sandbox->ledger);
    if (code == CODE_SUCCESS) {
        c->state = CHALLENGE_ISSUED;
        e->delivered = true;
    }
    return code;
}

enum code notified_failure(struct exchange *x, struct json_object *n)
{
    const char *text = js_text(n, "errorDescription");
    struct str der = { 0 };
    struct challenge *c = challenge_of(x, n, &der);
    enum code code = CODE_SUCCESS;
    int64_t hresult = 0;

    str_free(&der);
    if (c == NULL)
        return CODE_NONE;
    if (!js_int(n, "hResult", &hresult) || hresult < INT32_MIN || hresult > UINT32_MAX
        || hresult == 0)
        return wrong(x, "hResult is no integer of 32 bits");
    if (utf8_len(text) > DESCRIPTION_MAX || strlen(text) > DESCRIPTION_MAX)
        return wrong(x, "errorDescription has more than 255 characters");
    if (c->state == CHALLENGE_ISSUED)
        return wrong(x, "a failure after a success");
    if (hit_has(&x->hit, FAULT_INTUNE_CODE))
        code = (enum code)x->hit.argument[FAULT_INTUNE_CODE];
    note(x, "scep-failure", c, code);
    ledger_int(x->sandbox->ledger, "hresult", hresult);
    ledger_text(x->sandbox->ledger, "description", text);
    ledger_end(x->sandbox->ledger);
    if (code == CODE_SUCCESS)
        c->state = CHALLENGE_FAILED;
    return code;
}
