/* see intune.h: a client assertion, as Entra checks it (RFC 7523 3; PS256 of RFC 7518 3.5) */
#include "test/sandbox/ca.h"
#include "test/sandbox/clock.h"
#include "test/sandbox/intune.h"
#include "test/sandbox/js.h"
#include "test/sandbox/setup.h"
#include <openssl/err.h>
#include <openssl/rsa.h>
#include <string.h>

enum { LIFE_MAX_S = 600, SKEW_S = 60 };

/* base64url without padding, and nothing else. */
static bool b64url_read(const char *text, size_t len, struct str *out)
{
    struct str plain = { 0 };
    bool ok = len % 4 != 1 && len > 0;

    for (size_t i = 0; ok && i < len; i++) {
        char c = text[i] == '-' ? '+' : text[i] == '_' ? '/' : text[i];

        ok = strchr("+/=\r\n\t ", text[i]) == NULL;
        str_add(&plain, &c, 1);
    }
    if (ok)
        str_add(&plain, "==", (4 - len % 4) % 4);
    ok = ok && b64_read(str_text(&plain), plain.len, out);
    str_free(&plain);
    return ok;
}

static bool digest_is(const char *claimed, X509 *x, const EVP_MD *md)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned len = 0;
    struct str bytes = { 0 };
    bool same = claimed != NULL && X509_digest(x, md, digest, &len) == 1
                && b64url_read(claimed, strlen(claimed), &bytes) && bytes.len == len
                && memcmp(bytes.p, digest, len) == 0;

    str_free(&bytes);
    return same;
}

static bool signature_good(
    EVP_PKEY *key, const char *signed_text, size_t signed_len, const struct str *signature)
{
    EVP_MD_CTX *ctx = need(EVP_MD_CTX_new());
    EVP_PKEY_CTX *pkey = NULL;
    bool good = EVP_DigestVerifyInit(ctx, &pkey, EVP_sha256(), NULL, key) == 1
                && EVP_PKEY_CTX_set_rsa_padding(pkey, RSA_PKCS1_PSS_PADDING) == 1
                && EVP_PKEY_CTX_set_rsa_pss_saltlen(pkey, RSA_PSS_SALTLEN_DIGEST) == 1
                && EVP_DigestVerify(ctx, (const unsigned char *)signature->p, signature->len,
                       (const unsigned char *)signed_text, signed_len)
                       == 1;

    EVP_MD_CTX_free(ctx);
    ERR_clear_error();
    return good;
}

static bool is(struct json_object *o, const char *name, const char *want)
{
    const char *have = js_text(o, name);

    return have != NULL && strcmp(have, want) == 0;
}

static const char *check_header(struct json_object *h, const struct setup *s)
{
    if (!is(h, "alg", "PS256"))
        return "AADSTS5002727: alg is not PS256";
    if (!is(h, "typ", "JWT"))
        return "AADSTS50027: typ is not JWT";
    if (!digest_is(js_text(h, "x5t#S256"), s->intune_app, EVP_sha256()))
        return "AADSTS700027: x5t#S256 is no registered certificate";
    if (js_has(h, "x5t") && !digest_is(js_text(h, "x5t"), s->intune_app, EVP_sha1()))
        return "AADSTS700027: x5t is no registered certificate";
    return NULL;
}

static const char *check_times(struct json_object *p)
{
    int64_t nbf = 0, exp = 0, iat = 0, now = wall_s();

    if (!js_int(p, "nbf", &nbf) || !js_int(p, "exp", &exp) || !js_int(p, "iat", &iat))
        return "AADSTS50027: nbf, exp and iat are whole numbers";
    if (nbf > now + SKEW_S || iat > now + SKEW_S)
        return "AADSTS700024: not valid yet";
    if (exp <= now)
        return "AADSTS700024: expired";
    if (exp - nbf > LIFE_MAX_S || exp - nbf < 60)
        return "AADSTS700024: valid for too long, or too short";
    return NULL;
}

static const char *check_payload(
    struct intune *i, struct json_object *p, const char *audience, const char *client)
{
    const char *why, *jti = js_text(p, "jti");

    if (!is(p, "aud", audience))
        return "AADSTS50027: aud is not this endpoint";
    if (!is(p, "iss", client) || !is(p, "sub", client))
        return "AADSTS700021: iss and sub are not the client";
    if ((why = check_times(p)) != NULL)
        return why;
    if (jti == NULL || !guid_ok(jti))
        return "AADSTS50027: jti is no GUID";
    if (!intune_once(i, jti))
        return "AADSTS50027: this jti was here before";
    return NULL;
}

const char *jwt_check(struct intune *i, const char *jwt, const char *audience, const char *client,
    const struct setup *s)
{
    size_t head = strcspn(jwt, "."), body = jwt[head] == '.' ? strcspn(jwt + head + 1, ".") : 0;
    const char *last = jwt + head + 1 + body, *why = "AADSTS50027: not a signed JWT";
    struct str part[3] = { { 0 }, { 0 }, { 0 } };
    struct json_object *h = NULL, *p = NULL;
    char reason[128];

    if (body > 0 && *last == '.' && b64url_read(jwt, head, &part[0])
        && b64url_read(jwt + head + 1, body, &part[1])
        && b64url_read(last + 1, strlen(last + 1), &part[2])
        && (h = js_parse(part[0].p, part[0].len, reason, sizeof reason)) != NULL
        && (p = js_parse(part[1].p, part[1].len, reason, sizeof reason)) != NULL) {
        why = check_header(h, s);
        if (why == NULL
            && !signature_good(
                X509_get0_pubkey(s->intune_app), jwt, (size_t)(last - jwt), &part[2]))
            why = "AADSTS700027: the signature is wrong";
        if (why == NULL)
            why = check_payload(i, p, audience, client);
    }
    js_free(h);
    js_free(p);
    for (int n = 0; n < 3; n++)
        str_free(&part[n]);
    return why;
}
