/* Client credentials: what is sent, read again with OpenSSL; and every kind of answer. */
#include "test/t.h"
#include "test/unit/issue.h"
#include <openssl/ecdsa.h>
#include <openssl/rsa.h>
#include "certs/key_jws.h"
#include "certs/mem.h"
#include "certs/text.h"
#include "proto/oauth.h"

enum { ROOM = 1 << 17, NOW = 1760000000 };

#define URL   "https://login.example/1f/oauth2/v2.0/token"
#define SCOPE "https://graph.microsoft.com/.default"

static struct err e;
static struct lib *lib;

/* ---- the form ---- */

static void with_secret(void **state)
{
    struct oauth_client c = { .id = "7c-11", .secret = view_text("a+b&c=~") };
    struct buf out = BUF_SECRET(ROOM);

    (void)state;
    T_OK(oauth_token_form(lib, &c, URL, SCOPE, NOW, &out, &e));
    assert_string_equal(buf_text(&out),
        "grant_type=client_credentials&scope=https%3A%2F%2Fgraph.microsoft.com%2F.default"
        "&client_id=7c-11&client_secret=a%2Bb%26c%3D~");
    buf_free(&out);
    c.secret = (struct view){ 0 };
    T_ERR(oauth_token_form(lib, &c, URL, SCOPE, NOW, &out, &e), ERR_CONFIG);
    assert_int_equal(out.len, 0);
}

/* base64url back to bytes, up to `end`. */
static void decode(const char **text, char end, struct buf *out)
{
    struct buf plain = BUF_INIT(ROOM);
    const char *p = *text;

    for (; *p != end && *p != '\0' && *p != '&'; p++) {
        assert_non_null(
            strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_", *p));
        buf_add_byte(&plain, *p == '-' ? '+' : *p == '_' ? '/' : (uint8_t)*p);
    }
    while (plain.len % 4 != 0)
        buf_add_byte(&plain, '=');
    T_OK(base64_parse(buf_view(&plain), out, &e));
    buf_free(&plain);
    *text = *p == end ? p + 1 : p;
}

static void check_header(struct view json, const char *alg, struct view certificate)
{
    struct json *root = json_parse(json, ROOM, &e);
    struct buf want = BUF_INIT(100);
    uint8_t hash[32];

    assert_non_null(root);
    assert_string_equal(json_string(json_get(root, "alg")), alg);
    assert_string_equal(json_string(json_get(root, "typ")), "JWT");
    T_OK(lib_sha1(lib, certificate, hash, &e));
    base64url_add(&want, view_of(hash, 20));
    assert_string_equal(json_string(json_get(root, "x5t")), buf_text(&want));
    buf_reset(&want);
    T_OK(lib_sha256(lib, certificate, hash, &e));
    base64url_add(&want, view_of(hash, 32));
    assert_string_equal(json_string(json_get(root, "x5t#S256")), buf_text(&want));
    buf_free(&want);
    json_free(root);
}

static void check_claims(struct view json, char jti[40])
{
    struct json *root = json_parse(json, ROOM, &e);
    int64_t iat = 0, nbf = 0, expires = 0;

    assert_non_null(root);
    assert_string_equal(json_string(json_get(root, "aud")), URL);
    assert_string_equal(json_string(json_get(root, "iss")), "7c-11");
    assert_string_equal(json_string(json_get(root, "sub")), "7c-11");
    T_OK(json_int(root, "iat", true, 0, INT64_MAX, &iat, &e));
    T_OK(json_int(root, "nbf", true, 0, INT64_MAX, &nbf, &e));
    T_OK(json_int(root, "exp", true, 0, INT64_MAX, &expires, &e));
    assert_int_equal(iat, NOW);
    assert_int_equal(nbf, NOW);
    assert_int_equal(expires, NOW + 600);
    assert_int_equal(strlen(json_string(json_get(root, "jti"))), 36);
    (void)snprintf(jti, 40, "%s", json_string(json_get(root, "jti")));
    assert_int_equal(jti[14], '4');
    json_free(root);
}

/* r || s to the form OpenSSL verifies. */
static void to_der(struct buf *signature)
{
    int half = (int)signature->len / 2, len;
    ECDSA_SIG *sig = ECDSA_SIG_new();
    unsigned char *der = NULL;

    ECDSA_SIG_set0(
        sig, BN_bin2bn(signature->p, half, NULL), BN_bin2bn(signature->p + half, half, NULL));
    len = i2d_ECDSA_SIG(sig, &der);
    buf_reset(signature);
    buf_add(signature, der, (size_t)len);
    OPENSSL_free(der);
    ECDSA_SIG_free(sig);
}

static bool rs256; /* what the client was told to sign with */

static bool verifies(EVP_PKEY *key, const EVP_MD *md, struct view tbs, struct view signature)
{
    EVP_MD_CTX *c = EVP_MD_CTX_new();
    EVP_PKEY_CTX *pctx = NULL;
    bool good = EVP_DigestVerifyInit(c, &pctx, md, NULL, key) == 1;

    if (EVP_PKEY_is_a(key, "RSA") && !rs256)
        good = good && EVP_PKEY_CTX_set_rsa_padding(pctx, RSA_PKCS1_PSS_PADDING) == 1
               && EVP_PKEY_CTX_set_rsa_pss_saltlen(pctx, RSA_PSS_SALTLEN_DIGEST) == 1;
    good = good && EVP_DigestVerify(c, signature.p, signature.len, tbs.p, tbs.len) == 1;
    EVP_MD_CTX_free(c);
    return good;
}

struct signer {
    EVP_PKEY *key;
    struct buf der;
    struct key *ours;
};

static struct signer signer(const char *kind)
{
    struct buf pkcs8 = BUF_SECRET(8192);
    struct signer s = { .key = issue_key(kind), .der = BUF_INIT(8192) };
    X509 *x = issue(&(struct issue){ .subject = "CN=app", .key = s.key });

    issue_der(x, &s.der);
    issue_pkcs8(s.key, &pkcs8);
    s.ours = key_parse(lib, buf_view(&pkcs8), &e);
    assert_non_null(s.ours);
    buf_free(&pkcs8);
    X509_free(x);
    return s;
}

static void done(struct signer *s)
{
    key_free(s->ours);
    buf_free(&s->der);
    EVP_PKEY_free(s->key);
}

static void one_assertion(const struct signer *s, const char *alg, const EVP_MD *md, char jti[40])
{
    struct oauth_client c = {
        .id = "7c-11", .key = s->ours, .certificate = buf_view(&s->der), .rs256 = rs256
    };
    struct buf out = BUF_SECRET(ROOM), header = BUF_INIT(ROOM), claims = BUF_INIT(ROOM);
    struct buf signature = BUF_INIT(ROOM);
    const char *jwt, *p;
    struct view tbs;

    T_OK(oauth_token_form(lib, &c, URL, SCOPE, NOW, &out, &e));
    assert_non_null(strstr(buf_text(&out), "&client_assertion_type=urn%3Aietf%3Aparams%3Aoauth"
                                           "%3Aclient-assertion-type%3Ajwt-bearer&"));
    assert_null(strstr(buf_text(&out), "client_secret"));
    assert_non_null(jwt = strstr(buf_text(&out), "&client_assertion=ey"));
    p = jwt += strlen("&client_assertion=");
    decode(&p, '.', &header);
    decode(&p, '.', &claims);
    tbs = view_of(jwt, (size_t)(p - 1 - jwt));
    decode(&p, '\0', &signature);
    assert_int_equal(*p, '\0');
    check_header(buf_view(&header), alg, buf_view(&s->der));
    check_claims(buf_view(&claims), jti);
    if (EVP_PKEY_is_a(s->key, "EC")) {
        assert_int_equal(signature.len, 2 * ((EVP_PKEY_get_bits(s->key) + 7) / 8));
        to_der(&signature);
    }
    assert_true(verifies(s->key, md, tbs, buf_view(&signature)));
    assert_false(verifies(s->key, md, view_of(jwt, 10), buf_view(&signature)));
    buf_free(&out);
    buf_free(&header);
    buf_free(&claims);
    buf_free(&signature);
}

static void with_key(void **state)
{
    static const struct {
        const char *kind, *alg, *md;
    } rows[] = {
        { "rsa2048", "PS256", "SHA256" },
        { "P-256", "ES256", "SHA256" },
        { "P-384", "ES384", "SHA384" },
        { "P-521", "ES512", "SHA512" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct signer s = signer(rows[i].kind);
        char one[40], two[40];

        /* often enough that an r or s with a leading zero byte comes: of P-521 every second has one */
        one_assertion(&s, rows[i].alg, EVP_get_digestbyname(rows[i].md), one);
        for (int n = 0; n < (i == 3 ? 20 : 1); n++)
            one_assertion(&s, rows[i].alg, EVP_get_digestbyname(rows[i].md), two);
        assert_string_not_equal(one, two);
        done(&s);
    }
}

/* Servers that know no PS256; an EC key is not asked. */
static void with_rs256(void **state)
{
    struct signer rsa = signer("rsa2048"), ec = signer("P-256");
    struct buf none = BUF_INIT(ROOM);
    char jti[40];

    (void)state;
    rs256 = true;
    one_assertion(&rsa, "RS256", EVP_sha256(), jti);
    one_assertion(&ec, "ES256", EVP_sha256(), jti);
    rs256 = false;
    T_ERR(key_jws_sign_rs256(lib, ec.ours, view_text("x"), &none, &e), ERR_UNSUPPORTED);
    assert_null(none.p);
    done(&rsa);
    done(&ec);
}

/* RFC 6749 2.3.1: both parts are encoded as in a form first. */
static void with_basic(void **state)
{
    struct oauth_client c = { .id = "7c:11", .secret = view_text("a+b%:~"), .basic = true };
    struct buf out = BUF_SECRET(ROOM), plain = BUF_SECRET(ROOM);

    (void)state;
    T_OK(oauth_token_form(lib, &c, URL, "s", NOW, &out, &e));
    assert_string_equal(buf_text(&out), "grant_type=client_credentials&scope=s");
    buf_reset(&out);
    T_OK(oauth_basic(&c, &out, &e));
    assert_int_equal(strncmp(buf_text(&out), "Basic ", 6), 0);
    T_OK(base64_parse(view_of(out.p + 6, out.len - 6), &plain, &e));
    assert_string_equal(buf_text(&plain), "7c%3A11:a%2Bb%25%3A~");
    buf_reset(&out);
    out.max = 8;
    T_ERR(oauth_basic(&c, &out, &e), ERR_TOO_LARGE);
    assert_int_equal(out.len, 0);
    buf_free(&out);
    buf_free(&plain);
}

static void other_key(void **state)
{
    struct signer s = signer("ed25519");
    struct oauth_client c = { .id = "7c-11", .key = s.ours, .certificate = buf_view(&s.der) };
    struct buf out = BUF_SECRET(ROOM);

    (void)state;
    T_ERR(oauth_token_form(lib, &c, URL, SCOPE, NOW, &out, &e), ERR_UNSUPPORTED);
    assert_int_equal(out.len, 0);
    buf_free(&out);
    done(&s);
}

/* ---- the answer ---- */

static void tokens(void **state)
{
    static const struct {
        const char *json;
        int64_t life_s;
    } rows[] = {
        { "{\"token_type\":\"Bearer\",\"expires_in\":3599,\"access_token\":\"eyJ.x-_~\"}", 3599 },
        { "{\"token_type\":\"bearer\",\"expires_in\":\"3599\",\"access_token\":\"eyJ.x-_~\"}",
            3599 },
        { " \n{\"token_type\":\"Bearer\",\"access_token\":\"eyJ.x-_~\"}", 300 },
        { "{\"token_type\":\"Bearer\",\"expires_in\":99999999999,\"access_token\":\"eyJ.x-_~\"}",
            86400 },
        { "{\"token_type\":\"Bearer\",\"expires_in\":\"99999999999999999999\",\"access_token\":"
          "\"eyJ.x-_~\"}",
            86400 },
        { "{\"token_type\":\"Bearer\",\"expires_in\":0,\"access_token\":\"eyJ.x-_~\"}", 0 },
    };
    static const char *const bad[] = {
        "{}",
        "{\"token_type\":\"Bearer\"}",
        "{\"access_token\":\"x\"}",
        "{\"token_type\":\"mac\",\"access_token\":\"x\"}",
        "{\"token_type\":\"Bearer\",\"access_token\":\"\"}",
        "{\"token_type\":\"Bearer\",\"access_token\":\"a b\"}",
        "{\"token_type\":\"Bearer\",\"access_token\":\"a\\r\\nX: y\"}",
        "{\"token_type\":\"Bearer\",\"access_token\":\"\xc3\xa9\"}",
        "{\"token_type\":\"Bearer\",\"access_token\":17}",
        "{\"token_type\":\"Bearer\",\"access_token\":\"x\",\"expires_in\":-1}",
        "{\"token_type\":\"Bearer\",\"access_token\":\"x\",\"expires_in\":\"-1\"}",
        "{\"token_type\":\"Bearer\",\"access_token\":\"x\",\"expires_in\":\"1h\"}",
        "{\"token_type\":\"Bearer\",\"access_token\":\"x\",\"expires_in\":\"\"}",
        "{\"token_type\":\"Bearer\",\"access_token\":\"x\"",
        "{\"error\":\"invalid_client\"}",
    };
    struct oauth_token t = { 0 };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        T_OK(oauth_token_parse(200, view_text(rows[i].json), &t, &e));
        assert_string_equal(buf_text(&t.access), "eyJ.x-_~");
        assert_true(t.access.secret);
        assert_int_equal(t.expires_in_s, rows[i].life_s);
        buf_free(&t.access);
    }
    t = (struct oauth_token){ 0 };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        T_ERR(oauth_token_parse(200, view_text(bad[i]), &t, &e), ERR_PROTO);
        assert_null(t.access.p);
    }
}

static void refusals(void **state)
{
    static const struct {
        int status;
        const char *body;
        enum err_class cls;
        uint32_t number;
        const char *says;
    } rows[] = {
        { 401,
            "{\"error\":\"invalid_client\",\"error_description\":\"AADSTS7000215: Invalid client "
            "secret provided. Ensure the secret being sent is right.\\r\\nTrace ID: 1\"}",
            ERR_AUTH, 7000215, "invalid_client: AADSTS7000215: Invalid client secret provided." },
        { 400,
            "{\"error\":\"unauthorized_client\",\"error_description\":\"AADSTS700016: no\\r\\nx\"}",
            ERR_AUTH, 700016, "unauthorized_client: AADSTS700016: no" },
        { 400, "{\"error\":\"invalid_scope\"}", ERR_CONFIG, 400, "invalid_scope" },
        { 400, "{\"error\":\"a\\u001b[31m\",\"error_description\":\"v1.0 is e.g.not it.\"}",
            ERR_AUTH, 400, "a?[31m: v1.0 is e.g.not it." },
        { 400, "{\"error\":\"access_denied\"}", ERR_AUTH, 400, "access_denied" },
        { 400, "{\"error\":\"expired_token\"}", ERR_AUTH, 400, "expired_token" },
        { 400, "{\"error\":\"temporarily_unavailable\"}", ERR_BUSY, 400,
            "temporarily_unavailable" },
        { 400, "{\"error\":17}", ERR_CONFIG, 400, "is this the token endpoint?" },
        { 400, "{\"error\"", ERR_PROTO, 0, "" },
        { 404, "<html>", ERR_CONFIG, 404, "is this the token endpoint?" },
        { 302, "{\"error\":\"x\"}", ERR_CONFIG, 302, "is this the token endpoint?" },
        { 407, "", ERR_PROXY, 407, "" },
        { 429, "{\"error\":\"x\"}", ERR_BUSY, 429, "" },
        { 503, "", ERR_BUSY, 503, "" },
        { 500, "{}", ERR_NET, 500, "" },
        { 200, "<html>", ERR_INTERCEPTED, 200, "portal" },
        { 200, "", ERR_INTERCEPTED, 200, "portal" },
        { 100, "{}", ERR_PROTO, 100, "" },
        { 0, "", ERR_PROTO, 0, "" },
        { 700, "{}", ERR_PROTO, 700, "" },
    };
    struct oauth_token t = { 0 };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        T_ERR_SAYS(oauth_token_parse(rows[i].status, view_text(rows[i].body), &t, &e), rows[i].cls,
            rows[i].says);
        assert_int_equal(e.number, rows[i].number);
        assert_null(strstr(e.msg, "Ensure"));
        assert_null(strstr(e.msg, "Trace"));
    }
}

/* ---- memory ---- */

static void no_memory(void **state)
{
    struct signer s[] = { signer("rsa2048"), signer("P-256") };

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct oauth_client c = {
            .id = "7c-11", .key = s[i].ours, .certificate = buf_view(&s[i].der)
        };
        unsigned long n = 0, needed;

        do {
            struct buf out = BUF_SECRET(ROOM);
            int rc;

            mem_fail_after(++n);
            rc = oauth_token_form(lib, &c, URL, SCOPE, NOW, &out, &e);
            needed = mem_count();
            mem_fail_after(0);
            if (rc != 0) {
                if (e.cls != ERR_NOMEM)
                    fail_msg("allocation %lu: %s %s", n, err_name(e.cls), e.msg);
                assert_int_equal(out.len, 0);
            }
            buf_free(&out);
        } while (n <= needed);
        assert_true(n > 10);
        done(&s[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(with_secret),
        cmocka_unit_test(with_key),
        cmocka_unit_test(with_rs256),
        cmocka_unit_test(with_basic),
        cmocka_unit_test(other_key),
        cmocka_unit_test(tokens),
        cmocka_unit_test(refusals),
        cmocka_unit_test(no_memory),
    };
    int failed;

    mem_torture_openssl();
    if ((lib = lib_new(&e)) == NULL)
        return 1;
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    lib_free(lib);
    return failed;
}
