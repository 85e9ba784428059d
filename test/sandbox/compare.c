/* see expect.h: the certificate against the request, part by part */
#include "test/sandbox/expect.h"
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

static bool subject_ok(struct json_object *parameters, X509 *x, struct str *why)
{
    X509_NAME *want = expect_subject(parameters, why);
    struct str a = { 0 }, b = { 0 };
    bool ok;

    if (want == NULL)
        return false;
    ok = name_same(want, X509_get_subject_name(x));
    if (!ok) {
        name_one_line(X509_get_subject_name(x), &a);
        name_one_line(want, &b);
        str_f(why, "subject: is \"%s\", asked for was \"%s\"", a.p, b.p);
    }
    str_free(&a);
    str_free(&b);
    X509_NAME_free(want);
    return ok;
}

static void commas(struct str *lines)
{
    for (size_t i = 0; i < lines->len; i++) {
        if (lines->p[i] == '\n')
            lines->p[i] = ' ';
    }
}

static bool names_ok(struct json_object *parameters, X509 *x, struct str *why)
{
    struct str want = { 0 }, have = { 0 };
    bool ok = expect_names(parameters, &want, why);

    if (ok && !cert_names(x, &have)) {
        str_puts(why, "names: cannot be decoded");
        ok = false;
    } else if (ok && strcmp(want.p, have.p) != 0) {
        commas(&want);
        commas(&have);
        str_f(why, "names: are \"%s\", asked for were \"%s\"", have.p, want.p);
        ok = false;
    }
    str_free(&want);
    str_free(&have);
    return ok;
}

/* 1.3.6.1.4.1.311.25.2: otherName 25.2.1 with the SID as OCTET STRING; compared as whole bytes. */
static void sid_value(const char *sid, struct str *out)
{
    static const unsigned char oid[] = { 6, 10, 0x2b, 6, 1, 4, 1, 0x82, 0x37, 25, 2, 1 };
    unsigned char n = (unsigned char)strlen(sid);

    str_add(
        out, (unsigned char[]){ 0x30, (unsigned char)(n + 18), 0xa0, (unsigned char)(n + 16) }, 4);
    str_add(out, oid, sizeof oid);
    str_add(out, (unsigned char[]){ 0xa0, (unsigned char)(n + 2), 4, n }, 4);
    str_puts(out, sid);
}

static bool sid_ok(struct json_object *parameters, X509 *x, struct str *why)
{
    const char *sid = js_text(parameters, "onPremisesSecurityIdentifier");
    const char *how = js_text(parameters, "sidEncoding");
    bool wanted =
        sid != NULL && how != NULL && (strcmp(how, "extension") == 0 || strcmp(how, "both") == 0);
    ASN1_OBJECT *oid = need(OBJ_txt2obj("1.3.6.1.4.1.311.25.2", 1));
    int at = X509_get_ext_by_OBJ(x, oid, -1);
    struct str want = { 0 };
    bool ok = (at >= 0) == wanted;

    if (ok && wanted && strlen(sid) < 100) {
        const ASN1_OCTET_STRING *have = X509_EXTENSION_get_data(X509_get_ext(x, at));

        sid_value(sid, &want);
        ok = (size_t)ASN1_STRING_length(have) == want.len
             && memcmp(ASN1_STRING_get0_data(have), want.p, want.len) == 0;
    }
    if (!ok)
        str_f(why, "SID extension: %s",
            at < 0   ? "missing"
            : wanted ? "another SID"
                     : "not asked for");
    str_free(&want);
    ASN1_OBJECT_free(oid);
    return ok;
}

static void asked_usages(struct json_object *list, struct str *lines)
{
    str_add(lines, "", 0);
    for (size_t i = 0; i < js_count(list); i++) {
        const char *oid = js_text(js_at(list, i), "objectIdentifier");

        str_f(lines, "%s\n", oid == NULL ? "?" : oid);
    }
    lines_sort(lines);
}

static bool eku_ok(struct json_object *parameters, X509 *x, struct str *why)
{
    struct json_object *list = js_get(parameters, "extendedKeyUsages");
    EXTENDED_KEY_USAGE *have = X509_get_ext_d2i(x, NID_ext_key_usage, NULL, NULL);
    struct str want = { 0 }, is = { 0 };
    bool ok = true;

    str_add(&is, "", 0);
    for (int i = 0; i < sk_ASN1_OBJECT_num(have); i++) {
        char oid[64];

        OBJ_obj2txt(oid, sizeof oid, sk_ASN1_OBJECT_value(have, i), 1);
        str_f(&is, "%s\n", oid);
    }
    lines_sort(&is);
    asked_usages(list, &want);
    if (js_count(list) > 0 && strcmp(want.p, is.p) != 0) {
        commas(&want);
        commas(&is);
        str_f(why, "extended key usage: is \"%s\", asked for was \"%s\"", is.p, want.p);
        ok = false;
    }
    sk_ASN1_OBJECT_pop_free(have, ASN1_OBJECT_free);
    str_free(&want);
    str_free(&is);
    return ok;
}

static uint32_t asked_key_usage(struct json_object *list)
{
    static const struct {
        const char *name;
        uint32_t bit;
    } bits[] = {
        { "digitalSignature", KU_DIGITAL_SIGNATURE },
        { "nonRepudiation", KU_NON_REPUDIATION },
        { "keyEncipherment", KU_KEY_ENCIPHERMENT },
        { "dataEncipherment", KU_DATA_ENCIPHERMENT },
        { "keyAgreement", KU_KEY_AGREEMENT },
    };
    uint32_t all = 0;

    for (size_t i = 0; i < js_count(list); i++) {
        for (size_t b = 0; b < sizeof bits / sizeof bits[0]; b++) {
            const char *name = js_string(js_at(list, i));

            if (name != NULL && strcmp(name, bits[b].name) == 0)
                all |= bits[b].bit;
        }
    }
    return all;
}

static bool key_usage_ok(struct json_object *parameters, X509 *x, struct str *why)
{
    uint32_t want = asked_key_usage(js_get(parameters, "keyUsage")), have = X509_get_key_usage(x);

    if (want == 0 || want == have)
        return true;
    str_f(why, "key usage: bits %x, asked for were %x", have, want);
    return false;
}

static bool key_type_ok(struct json_object *parameters, X509 *x, struct str *why)
{
    static const struct {
        const char *name;
        int type, bits;
    } types[] = {
        { "rsa", EVP_PKEY_RSA, 0 },
        { "ecP256", EVP_PKEY_EC, 256 },
        { "ecP384", EVP_PKEY_EC, 384 },
        { "ecP521", EVP_PKEY_EC, 521 },
        { "ed25519", EVP_PKEY_ED25519, 0 },
    };
    const char *want = js_text(parameters, "keyAlgorithm"), *size = js_text(parameters, "keySize");
    EVP_PKEY *key = X509_get0_pubkey(x);
    int bits =
        size != NULL && strncmp(size, "size", 4) == 0 ? (int)strtol(size + 4, NULL, 10) : 2048;

    if (want == NULL)
        want = "rsa";
    for (size_t i = 0; key != NULL && i < sizeof types / sizeof types[0]; i++) {
        if (strcmp(types[i].name, want) != 0 || EVP_PKEY_get_base_id(key) != types[i].type)
            continue;
        if (types[i].type == EVP_PKEY_RSA
                ? EVP_PKEY_get_bits(key) == bits
                : types[i].bits == 0 || EVP_PKEY_get_bits(key) == types[i].bits)
            return true;
    }
    str_f(why, "key: not %s %s", want, size == NULL ? "" : size);
    return false;
}

/* X509_check_ca() would also ask the key usage; a CA:TRUE alone is one too many. */
static bool not_a_ca(X509 *x, struct str *why)
{
    if ((X509_get_extension_flags(x) & EXFLAG_CA) == 0)
        return true;
    str_puts(why, "the certificate is a CA's");
    return false;
}

/* A life that was asked for may be shorter, never longer. */
static bool validity_ok(struct json_object *parameters, X509 *x, struct str *why)
{
    static const struct {
        const char *name;
        int64_t s;
    } scales[] = { { "days", 86400 }, { "months", 2629746 }, { "years", 31556952 } };
    const char *scale = js_text(parameters, "certificateValidityPeriodScale");
    int64_t value, asked_s = 0;
    int days = 0, rest_s = 0;

    for (size_t i = 0; scale != NULL && i < 3; i++) {
        if (strcmp(scales[i].name, scale) == 0
            && js_int(parameters, "certificateValidityPeriodValue", &value))
            asked_s = value * scales[i].s;
    }
    if (asked_s == 0)
        return true;
    if (ASN1_TIME_diff(&days, &rest_s, X509_get0_notBefore(x), X509_get0_notAfter(x)) == 1
        && days * INT64_C(86400) + rest_s <= asked_s)
        return true;
    str_f(why, "validity: %d days and %d s, asked for was less", days, rest_s);
    return false;
}

bool expect_compare(struct json_object *parameters, X509 *x, struct str *why)
{
    return subject_ok(parameters, x, why) && names_ok(parameters, x, why)
           && sid_ok(parameters, x, why) && eku_ok(parameters, x, why)
           && key_usage_ok(parameters, x, why) && key_type_ok(parameters, x, why)
           && not_a_ca(x, why) && validity_ok(parameters, x, why);
}
