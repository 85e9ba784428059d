/* see device.h; DESIGN.md lists what is looked at */
#include "test/sandbox/device.h"
#include "test/sandbox/envelope.h"
#include "test/sandbox/expect.h"
#include "test/sandbox/pfx.h"
#include <openssl/err.h>
#include <openssl/pkcs12.h>
#include <openssl/x509_vfy.h>
#include <stdlib.h>
#include <string.h>

enum { PASSWORD_LEN = 32 };

struct look {
    struct sandbox *s;
    struct json_object *parameters, *delivery, *profile, *result, *pfx_member;
    enum device device;
    X509 *certificate; /* the `certificate` member */
    struct str certificate_der, password, file;
    struct pfx pfx;
    struct str *why;
};

static bool no(struct look *l, const char *why)
{
    str_puts(l->why, why);
    return false;
}

static const char *or_else(const char *text, const char *otherwise)
{
    return text == NULL ? otherwise : text;
}

static bool base64_member(struct look *l, struct json_object *o, const char *name, struct str *out)
{
    const char *text = js_text(o, name);

    if (text != NULL && b64_read(text, strlen(text), out) && out->len > 0)
        return true;
    str_f(l->why, "%s: %s", name, text == NULL ? "missing" : "not base64");
    return false;
}

static void thumbprint(const struct str *der, struct str *hex)
{
    unsigned char sha1[20];

    need(EVP_Digest(der->p, der->len, sha1, NULL, EVP_sha1(), NULL) == 1 ? sha1 : NULL);
    str_hex(hex, sha1, sizeof sha1, true);
}

static bool says(struct look *l, struct json_object *o, const char *member, const char *right)
{
    const char *text = js_text(o, member);

    if (text != NULL && strcmp(text, right) == 0)
        return true;
    str_f(l->why, "%s: is %s, should be %s", member, or_else(text, "missing"), right);
    return false;
}

/* ---- the members beside the file, and the CA's book ---- */

static bool thumbprint_ok(struct look *l)
{
    struct str hex = { 0 };
    bool ok;

    thumbprint(&l->certificate_der, &hex);
    ok = says(l, l->result, "certificateThumbprint", hex.p);
    str_free(&hex);
    return ok;
}

/* The end of the validity, as RFC 3339 in UTC. */
static bool expiry_ok(struct look *l)
{
    const char *text = js_text(l->result, "certificateExpirationDateUtc");
    int64_t at;

    if (text == NULL || !time_read(text, &at))
        return no(l, "certificateExpirationDateUtc: missing or not a time");
    if (ASN1_TIME_cmp_time_t(X509_get0_notAfter(l->certificate), at) != 0)
        return no(l, "certificateExpirationDateUtc: not the certificate's notAfter");
    return true;
}

/* Only what the CA wrote in its book can have come from it. */
static bool in_book(struct look *l)
{
    const char *serial = js_text(l->result, "certificateSerialNumber");
    const struct ca_entry *e = serial == NULL ? NULL : ca_by_serial(&l->s->ca, serial);

    if (e == NULL) {
        str_f(l->why, "certificateSerialNumber: %s is no certificate of this CA",
            or_else(serial, "missing"));
        return false;
    }
    if (e->cert.len != l->certificate_der.len
        || memcmp(e->cert.p, l->certificate_der.p, e->cert.len) != 0)
        return no(l, "certificate: not the one that the CA issued under this serial");
    return true;
}

static bool parse_certificate(struct look *l)
{
    const unsigned char *p = (const unsigned char *)l->certificate_der.p;

    l->certificate = d2i_X509(NULL, &p, (long)l->certificate_der.len);
    ERR_clear_error();
    if (l->certificate == NULL
        || p != (const unsigned char *)l->certificate_der.p + l->certificate_der.len)
        return no(l, "certificate: not readable");
    return true;
}

static bool chain_member_ok(struct look *l)
{
    struct json_object *chain = js_get(l->result, "chain");
    unsigned char *der = NULL;
    int len = i2d_X509(l->s->setup.issuing, &der);
    struct str one = { 0 };
    bool found = false;

    need(len > 0 ? der : NULL);
    for (size_t i = 0; i < js_count(chain); i++) {
        const char *text = js_string(js_at(chain, i));

        str_cut(&one, 0);
        if (text != NULL && b64_read(text, strlen(text), &one) && one.len == (size_t)len)
            found = found || memcmp(one.p, der, one.len) == 0;
    }
    OPENSSL_free(der);
    str_free(&one);
    return found || no(l, "chain: the issuing CA's certificate is not in it");
}

/* Who issued it: by the certificate, and by the name in the connector's configuration. */
static bool ca_names_ok(struct look *l)
{
    const char *name = or_else(js_text(l->parameters, "certificationAuthorityName"), "");
    struct str issuer = { 0 };
    bool ok;

    name_one_line(X509_get_subject_name(l->s->setup.issuing), &issuer);
    ok = says(l, l->result, "issuingCertificateAuthority", issuer.p)
         && says(l, l->result, "certificateAuthority", name)
         && says(l, l->result, "caConfiguration", name);
    str_free(&issuer);
    return ok;
}

static bool outside(struct look *l)
{
    return base64_member(l, l->result, "certificate", &l->certificate_der) && in_book(l)
           && thumbprint_ok(l) && chain_member_ok(l) && ca_names_ok(l);
}

/* ---- the envelope ---- */

static bool find_device(struct look *l)
{
    const char *cert = js_text(js_at(js_get(l->delivery, "recipients"), 0), "certificate");
    struct str der = { 0 }, hex = { 0 };
    bool ok = false;

    for (int d = 0; cert != NULL && d < DEVICES; d++) {
        if (strcmp(cert, l->s->setup.device_b64[d].p) != 0)
            continue;
        l->device = (enum device)d;
        ok = b64_read(cert, strlen(cert), &der);
        thumbprint(&der, &hex);
        ok = ok && says(l, l->pfx_member, "recipientThumbprint", hex.p);
        str_free(&der);
        str_free(&hex);
        return ok;
    }
    return no(l, "recipient: none of our devices, so nobody can look inside");
}

/* 32 characters of [A-Za-z0-9], in every mode. */
static bool password_ok(struct look *l)
{
    static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

    if (l->password.len == PASSWORD_LEN && strspn(l->password.p, allowed) == PASSWORD_LEN)
        return true;
    str_f(l->why, "password: %zu bytes, or characters outside A-Z a-z 0-9", l->password.len);
    return false;
}

/* PfxWithPassword ::= SEQUENCE { password UTF8String, pfx OCTET STRING } */
static bool split(struct look *l, const struct str *inside)
{
    const unsigned char *p = (const unsigned char *)str_text(inside), *end = p + inside->len;
    ASN1_SEQUENCE_ANY *both = d2i_ASN1_SEQUENCE_ANY(NULL, &p, (long)inside->len);
    const ASN1_TYPE *password = sk_ASN1_TYPE_value(both, 0), *pfx = sk_ASN1_TYPE_value(both, 1);
    bool ok = p == end && sk_ASN1_TYPE_num(both) == 2 && password->type == V_ASN1_UTF8STRING
              && pfx->type == V_ASN1_OCTET_STRING;

    if (ok) {
        const ASN1_STRING *text = password->value.utf8string, *bytes = pfx->value.octet_string;

        str_add(&l->password, ASN1_STRING_get0_data(text), (size_t)ASN1_STRING_length(text));
        str_add(&l->file, ASN1_STRING_get0_data(bytes), (size_t)ASN1_STRING_length(bytes));
    }
    sk_ASN1_TYPE_pop_free(both, ASN1_TYPE_free);
    ERR_clear_error();
    return ok || no(l, "envelope: what is inside is not PfxWithPassword");
}

static bool open_envelope(struct look *l)
{
    const struct envelope_want want = { l->device,
        or_else(js_text(l->delivery, "contentEncryption"), "aes256-cbc"),
        or_else(js_text(l->delivery, "keyTransport"), "rsaOaepSha256") };
    bool blob = strcmp(or_else(js_text(l->delivery, "mode"), ""), "blobToDevice") == 0;
    struct str cms = { 0 }, inside = { 0 };
    bool ok;

    if (blob && js_has(l->pfx_member, "encryptedPfxPassword")) {
        ok = no(l, "encryptedPfxPassword: not with blobToDevice");
    } else if (blob) {
        ok = base64_member(l, l->pfx_member, "encryptedPfxBlob", &cms)
             && envelope_open(&l->s->setup, &want, &cms, &inside, l->why) && split(l, &inside);
    } else {
        ok = base64_member(l, l->pfx_member, "encryptedPfxBlob", &l->file)
             && base64_member(l, l->pfx_member, "encryptedPfxPassword", &cms)
             && envelope_open(&l->s->setup, &want, &cms, &l->password, l->why);
    }
    str_free(&inside);
    str_free(&cms);
    return ok && password_ok(l);
}

/* ---- the file ---- */

static bool profile_ok(struct look *l)
{
    const char *asked = or_else(js_text(l->delivery, "pfxProfile"), "auto");

    if (strcmp(asked, "auto") != 0 && strcmp(asked, l->pfx.profile) != 0) {
        str_f(l->why, "PKCS#12: profile is %s, asked for was %s", l->pfx.profile, asked);
        return false;
    }
    return says(l, l->pfx_member, "profile", l->pfx.profile);
}

static bool one_key(struct look *l)
{
    if (l->pfx.keys != 1)
        return no(l, "PKCS#12: more than one key");
    if (X509_check_private_key(l->pfx.leaf, l->pfx.key) != 1) {
        ERR_clear_error();
        return no(l, "PKCS#12: the key does not belong to the certificate");
    }
    if (X509_cmp(l->pfx.leaf, l->certificate) != 0)
        return no(l, "PKCS#12: another certificate than the one reported");
    return true;
}

static bool bag_ok(struct look *l, const struct pfx_bag *bag, const char *which)
{
    const char *name = js_text(l->parameters, "friendlyName");
    unsigned char sha1[20];

    X509_digest(l->pfx.leaf, EVP_sha1(), sha1, NULL);
    if (bag->local_key_id_len != sizeof sha1 || memcmp(bag->local_key_id, sha1, sizeof sha1) != 0) {
        str_f(l->why, "PKCS#12: localKeyID of the %s is not the SHA-1 of the certificate", which);
        return false;
    }
    if (name != NULL && (bag->friendly_name == NULL || strcmp(bag->friendly_name, name) != 0)) {
        str_f(l->why, "PKCS#12: friendlyName of the %s is \"%s\", asked for was \"%s\"", which,
            or_else(bag->friendly_name, ""), name);
        return false;
    }
    return true;
}

static bool attributes_ok(struct look *l)
{
    bool machine = strcmp(or_else(js_text(l->profile, "certificateStore"), "user"), "machine") == 0;
    bool windows = strcmp(or_else(js_text(l->profile, "platform"), ""), "windows10AndLater") == 0;

    if (!bag_ok(l, &l->pfx.key_bag, "key") || !bag_ok(l, &l->pfx.leaf_bag, "certificate"))
        return false;
    if (l->pfx.others_named)
        return no(l, "PKCS#12: localKeyID on a certificate of the chain");
    if (windows && !l->pfx.key_bag.csp_name)
        return no(l, "PKCS#12: no key storage provider named for Windows");
    if (l->pfx.key_bag.machine_keyset != machine)
        return no(l, "PKCS#12: LocalKeySet does not fit the certificate store");
    return true;
}

static bool path_ok(struct look *l)
{
    X509_STORE *store = need(X509_STORE_new());
    X509_STORE_CTX *ctx = need(X509_STORE_CTX_new());
    bool ok = X509_STORE_add_cert(store, l->s->setup.root) == 1
              && X509_STORE_CTX_init(ctx, store, l->pfx.leaf, l->pfx.others) == 1
              && X509_verify_cert(ctx) == 1;

    if (!ok)
        str_f(l->why, "PKCS#12: no path to the root: %s",
            X509_verify_cert_error_string(X509_STORE_CTX_get_error(ctx)));
    X509_STORE_CTX_free(ctx);
    X509_STORE_free(store);
    ERR_clear_error();
    return ok;
}

static bool chain_ok(struct look *l)
{
    bool issuing = false;

    for (int i = 0; i < sk_X509_num(l->pfx.others); i++) {
        X509 *x = sk_X509_value(l->pfx.others, i);

        if (X509_cmp(x, l->s->setup.root) == 0)
            return no(l, "PKCS#12: the root is in the file");
        issuing = issuing || X509_cmp(x, l->s->setup.issuing) == 0;
    }
    if (!issuing)
        return no(l, "PKCS#12: the issuing CA's certificate is not in the file");
    if (l->pfx.first == NULL || X509_cmp(l->pfx.first, l->pfx.leaf) != 0)
        return no(l, "PKCS#12: the leaf is not the first certificate");
    return path_ok(l);
}

static bool inside(struct look *l)
{
    return parse_certificate(l) && expiry_ok(l) && find_device(l) && open_envelope(l)
           && pfx_open(&l->file, l->password.p, &l->pfx, l->why) && one_key(l) && profile_ok(l)
           && expect_compare(l->parameters, l->pfx.leaf, l->why) && attributes_ok(l) && chain_ok(l);
}

void device_judge(struct sandbox *s, struct json_object *item, struct json_object *result,
    bool open, struct str *verdict)
{
    struct str why = { 0 };
    struct look l = { .s = s,
        .parameters = js_get(item, "parameters"),
        .profile = js_get(item, "profile"),
        .result = result,
        .pfx_member = js_get(result, "pfx"),
        .why = &why };

    l.delivery = js_get(l.parameters, "delivery");
    if (outside(&l) && open && inside(&l))
        str_puts(verdict, "ok");
    else
        str_puts(verdict, why.len > 0 ? why.p : "sealed");
    X509_free(l.certificate);
    pfx_done(&l.pfx);
    str_free(&l.certificate_der);
    str_free(&l.password);
    str_free(&l.file);
    str_free(&why);
}
