/* see challenge.h */
#include "test/sandbox/challenge.h"
#include "test/sandbox/clock.h"
#include "test/sandbox/expect.h"
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

enum { HOUR_S = 3600 };

static const char *const names[CODE_COUNT] = {
#define X(id, text) [CODE_##id] = text,
    CODES(X)
#undef X
};

const char *code_name(enum code c)
{
    return c > CODE_NONE && c < CODE_COUNT ? names[c] : "ACodeOfTomorrow";
}

bool code_find(const char *name, int64_t *number)
{
    for (int64_t i = 1; name != NULL && i < CODE_COUNT; i++) {
        if (strcmp(names[i], name) == 0) {
            *number = i;
            return true;
        }
    }
    return false;
}

static bool claims_ok(struct json_object *claims)
{
    static const char *const known[] = { "subject", "san", "ku", "eku", "keyBits", "ttl" };
    struct js_member m;
    void *it = NULL;

    if (!js_is_object(claims))
        return false;
    while (js_each(claims, &it, &m)) {
        bool found = false;

        for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
            found = found || strcmp(known[i], m.name) == 0;
        if (!found)
            return false;
    }
    return true;
}

struct challenge *challenge_new(unsigned id, struct json_object *claims)
{
    unsigned char bytes[24];
    struct str hex = { 0 };
    struct challenge *c;
    int64_t ttl_s = HOUR_S;

    if (!claims_ok(claims))
        return NULL;
    c = need(calloc(1, sizeof *c));
    js_int(claims, "ttl", &ttl_s);
    need(RAND_bytes(bytes, sizeof bytes) == 1 ? bytes : NULL);
    str_hex(&hex, bytes, sizeof bytes, true);
    copy_n(c->text, sizeof c->text, hex.p);
    str_free(&hex);
    c->id = id;
    c->claims = claims;
    c->expires_at = wall_s() + ttl_s;
    return c;
}

void challenge_free(struct challenge *c)
{
    if (c == NULL)
        return;
    js_free(c->claims);
    free(c->transaction);
    free(c);
}

bool challenge_password(X509_REQ *req, struct str *out)
{
    int at = X509_REQ_get_attr_by_NID(req, NID_pkcs9_challengePassword, -1);
    X509_ATTRIBUTE *a = at < 0 ? NULL : X509_REQ_get_attr(req, at);
    unsigned char *utf8 = NULL;
    ASN1_TYPE *value;
    int len = -1;

    if (a == NULL || X509_ATTRIBUTE_count(a) != 1
        || X509_REQ_get_attr_by_NID(req, NID_pkcs9_challengePassword, at) >= 0)
        return false;
    value = X509_ATTRIBUTE_get0_type(a, 0);
    if (ASN1_TYPE_get(value) != V_ASN1_BOOLEAN && ASN1_TYPE_get(value) != V_ASN1_OBJECT
        && ASN1_TYPE_get(value) != V_ASN1_NULL)
        len = ASN1_STRING_to_UTF8(&utf8, value->value.asn1_string);
    if (len > 0)
        str_add(out, utf8, (size_t)len);
    OPENSSL_free(utf8);
    return len > 0;
}

/* "CN=a", one a line, sorted: the order of RDNs does not count, which go together in one does. */
static bool subject_lines(X509_NAME *n, struct str *out)
{
    for (int i = 0; i < X509_NAME_entry_count(n); i++) {
        X509_NAME_ENTRY *e = X509_NAME_get_entry(n, i);
        unsigned char *utf8 = NULL;
        char oid[64];
        int len = ASN1_STRING_to_UTF8(&utf8, X509_NAME_ENTRY_get_data(e));
        bool clean = len >= 0 && memchr(utf8, '\0', (size_t)len) == NULL
                     && memchr(utf8, '\n', (size_t)len) == NULL;

        OBJ_obj2txt(oid, sizeof oid, X509_NAME_ENTRY_get_object(e), 1);
        if (clean)
            str_f(out, "%s=%.*s%s\n", oid, len, (const char *)utf8,
                i > 0
                        && X509_NAME_ENTRY_set(e)
                               == X509_NAME_ENTRY_set(X509_NAME_get_entry(n, i - 1))
                    ? " (same RDN)"
                    : "");
        OPENSSL_free(utf8);
        if (!clean)
            return false;
    }
    lines_sort(out);
    return true;
}

/* "CN=a,O=b"; a value has no commas. */
static bool claimed_subject(const char *text, struct str *out)
{
    X509_NAME *n = need(X509_NAME_new());
    char *copy = need_copy(text), *rest = NULL;
    bool ok = true;

    for (char *part = strtok_r(copy, ",", &rest); ok && part != NULL;
         part = strtok_r(NULL, ",", &rest)) {
        char *equals = strchr(part, '=');

        if (equals == NULL) {
            ok = false;
            break;
        }
        *equals = '\0';
        ok = X509_NAME_add_entry_by_txt(
                 n, part, MBSTRING_UTF8, (const unsigned char *)equals + 1, -1, -1, 0)
             == 1;
    }
    ok = ok && subject_lines(n, out);
    free(copy);
    X509_NAME_free(n);
    return ok;
}

static enum code judge_subject(struct json_object *claims, X509_REQ *req)
{
    struct str want = { 0 }, have = { 0 };
    enum code code = CODE_SUCCESS;

    if (js_text(claims, "subject") == NULL)
        return CODE_SUCCESS;
    if (X509_NAME_entry_count(X509_REQ_get_subject_name(req)) == 0
        && js_text(claims, "subject")[0] != '\0')
        code = CODE_SUBJECT_MISSING;
    else if (!claimed_subject(js_text(claims, "subject"), &want)
             || !subject_lines(X509_REQ_get_subject_name(req), &have)
             || strcmp(str_text(&want), str_text(&have)) != 0)
        code = CODE_SUBJECT_MISMATCH;
    str_free(&want);
    str_free(&have);
    return code;
}

static void claimed_list(struct json_object *array, struct str *out)
{
    str_add(out, "", 0);
    for (size_t i = 0; i < js_count(array); i++) {
        const char *text = js_string(js_at(array, i));

        str_f(out, "%s\n", text == NULL ? "?" : text);
    }
    lines_sort(out);
}

static enum code judge_san(struct json_object *claims, STACK_OF(X509_EXTENSION) * all)
{
    int critical = 0;
    GENERAL_NAMES *names_asked = X509V3_get_d2i(all, NID_subject_alt_name, &critical, NULL);
    struct str want = { 0 }, have = { 0 };
    enum code code = CODE_SUCCESS;

    if (!js_has(claims, "san")) {
        GENERAL_NAMES_free(names_asked);
        return CODE_SUCCESS;
    }
    claimed_list(js_get(claims, "san"), &want);
    if (names_asked == NULL && critical == -1 && want.len > 0)
        code = CODE_SAN_MISSING;
    else if ((names_asked == NULL && critical != -1) || !names_lines(names_asked, &have)
             || strcmp(str_text(&want), str_text(&have)) != 0)
        code = CODE_SAN_MISMATCH;
    GENERAL_NAMES_free(names_asked);
    str_free(&want);
    str_free(&have);
    return code;
}

static enum code judge_ku(struct json_object *claims, STACK_OF(X509_EXTENSION) * all)
{
    static const char *const bits[] = { "digitalSignature", "nonRepudiation", "keyEncipherment",
        "dataEncipherment", "keyAgreement", "keyCertSign", "cRLSign", "encipherOnly",
        "decipherOnly" };
    int critical = 0;
    ASN1_BIT_STRING *ku = X509V3_get_d2i(all, NID_key_usage, &critical, NULL);
    struct str want = { 0 }, have = { 0 };
    bool ok = true;

    if (js_has(claims, "ku")) {
        claimed_list(js_get(claims, "ku"), &want);
        str_add(&have, "", 0);
        for (int i = 0; ku != NULL && i < 9; i++) {
            if (ASN1_BIT_STRING_get_bit(ku, i))
                str_f(&have, "%s\n", bits[i]);
        }
        lines_sort(&have);
        ok = strcmp(str_text(&want), str_text(&have)) == 0;
    }
    ASN1_BIT_STRING_free(ku);
    str_free(&want);
    str_free(&have);
    return ok ? CODE_SUCCESS : CODE_KU_MISMATCH;
}

static enum code judge_eku(struct json_object *claims, STACK_OF(X509_EXTENSION) * all)
{
    int critical = 0;
    EXTENDED_KEY_USAGE *eku = X509V3_get_d2i(all, NID_ext_key_usage, &critical, NULL);
    struct str want = { 0 }, have = { 0 };
    enum code code = CODE_SUCCESS;

    if (js_has(claims, "eku")) {
        claimed_list(js_get(claims, "eku"), &want);
        str_add(&have, "", 0);
        for (int i = 0; i < sk_ASN1_OBJECT_num(eku); i++) {
            char oid[64];

            OBJ_obj2txt(oid, sizeof oid, sk_ASN1_OBJECT_value(eku, i), 1);
            str_f(&have, "%s\n", oid);
        }
        lines_sort(&have);
        if (have.len == 0 && want.len > 0)
            code = CODE_EKU_MISSING;
        else if (strcmp(str_text(&want), str_text(&have)) != 0)
            code = CODE_EKU_MISMATCH;
    }
    sk_ASN1_OBJECT_pop_free(eku, ASN1_OBJECT_free);
    str_free(&want);
    str_free(&have);
    return code;
}

static enum code judge_length(struct json_object *claims, X509_REQ *req)
{
    EVP_PKEY *key = X509_REQ_get0_pubkey(req);
    int64_t bits = 0;

    if (!js_int(claims, "keyBits", &bits))
        return CODE_SUCCESS;
    return key != NULL && EVP_PKEY_get_bits(key) == bits ? CODE_SUCCESS : CODE_LENGTH_MISMATCH;
}

enum code challenge_judge(const struct challenge *c, X509_REQ *req)
{
    STACK_OF(X509_EXTENSION) *all = X509_REQ_get_extensions(req);
    enum code code = c->expires_at <= wall_s() ? CODE_CHALLENGE_EXPIRED : CODE_SUCCESS;

    if (code == CODE_SUCCESS)
        code = judge_subject(c->claims, req);
    if (code == CODE_SUCCESS)
        code = judge_san(c->claims, all);
    if (code == CODE_SUCCESS)
        code = judge_ku(c->claims, all);
    if (code == CODE_SUCCESS)
        code = judge_length(c->claims, req);
    if (code == CODE_SUCCESS)
        code = judge_eku(c->claims, all);
    sk_X509_EXTENSION_pop_free(all, X509_EXTENSION_free);
    return code;
}
