/* What an authorization server says about itself: where it is asked, what is believed, how one signs in there. */
#include "test/t.h"
#include "test/unit/issue.h"
#include "proto/oauth_metadata.h"

enum { ROOM = 4096 };

static struct err e;
static struct lib *lib;

static void urls(void **state)
{
    static const struct {
        const char *issuer, *rfc, *openid;
    } rows[] = {
        { "https://login.example", "https://login.example/.well-known/oauth-authorization-server",
            "https://login.example/.well-known/openid-configuration" },
        { "https://login.example/", "https://login.example/.well-known/oauth-authorization-server",
            "https://login.example/.well-known/openid-configuration" },
        { "https://login.example:8443/t/v2.0",
            "https://login.example:8443/.well-known/oauth-authorization-server/t/v2.0",
            "https://login.example:8443/t/v2.0/.well-known/openid-configuration" },
        /* RFC 8414 3.1: "any terminating "/" MUST be removed before inserting" */
        { "https://login.example/t//",
            "https://login.example/.well-known/oauth-authorization-server/t",
            "https://login.example/t/.well-known/openid-configuration" },
    };
    static const char *const bad[] = { "", "login.example", "http://login.example",
        "https://login.example/?a=1", "https://login.example/#x", "https://u:p@login.example",
        "https://" };
    struct buf out = BUF_INIT(ROOM);

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        buf_reset(&out);
        assert_int_equal(oauth_metadata_url(rows[i].issuer, 0, &out, &e), 1);
        assert_string_equal(buf_text(&out), rows[i].rfc);
        buf_reset(&out);
        assert_int_equal(oauth_metadata_url(rows[i].issuer, 1, &out, &e), 1);
        assert_string_equal(buf_text(&out), rows[i].openid);
        assert_int_equal(oauth_metadata_url(rows[i].issuer, 2, &out, &e), 0);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        T_ERR(oauth_metadata_url(bad[i], 0, &out, &e), ERR_CONFIG);
    buf_free(&out);
}

#define ISSUER "https://login.example/t"
#define HEAD   "{\"issuer\":\"" ISSUER "\",\"token_endpoint\":\"https://a.example/token\""

static void good(void **state)
{
    struct oauth_metadata m;

    (void)state;
    T_OK(oauth_metadata_parse(view_text(HEAD "}"), ISSUER, &m, &e));
    assert_string_equal(m.issuer, ISSUER);
    assert_string_equal(m.token_url, "https://a.example/token");
    assert_string_equal(m.device_url, "");
    /* RFC 8414 2: "If omitted, the default is "client_secret_basic"" */
    assert_true(m.basic && !m.post && !m.key && !m.none);
    assert_false(m.ps256 || m.rs256 || m.es256 || m.es384 || m.es512);
    T_OK(oauth_metadata_parse(view_text(HEAD ",\"device_authorization_endpoint\":\"https://"
                                             "a.example/d\",\"token_endpoint_auth_methods_"
                                             "supported\":[\"client_secret_post\",\"private_key_"
                                             "jwt\",\"self_signed_tls_client_auth\"],"
                                             "\"token_endpoint_auth_signing_alg_values_supported\":"
                                             "[\"RS256\",\"ES384\",\"HS256\"]}"),
        ISSUER, &m, &e));
    assert_string_equal(m.device_url, "https://a.example/d");
    assert_true(!m.basic && m.post && m.key && !m.none);
    assert_true(!m.ps256 && m.rs256 && !m.es256 && m.es384 && !m.es512);
}

static void bad(void **state)
{
    static const struct {
        const char *body, *issuer;
        enum err_class cls;
        const char *says;
    } rows[] = {
        { "[]", ISSUER, ERR_PROTO, "not an object" },
        { "{", ISSUER, ERR_PROTO, "" },
        { "{}", ISSUER, ERR_PROTO, "issuer: missing" },
        { "{\"issuer\":17}", ISSUER, ERR_PROTO, "issuer: not a string" },
        /* RFC 8414 3.3: identical, or it must not be used */
        { HEAD "}", ISSUER "/", ERR_CONFIG, "the server is " ISSUER },
        { HEAD "}", "https://LOGIN.example/t", ERR_CONFIG, "asked for" },
        { "{\"issuer\":\"https://login.example/{tenantid}/v2.0\"}", ISSUER, ERR_CONFIG,
            "name the tenant" },
        { "{\"issuer\":\"" ISSUER "\"}", ISSUER, ERR_CONFIG, "token_endpoint: missing" },
        { "{\"issuer\":\"" ISSUER "\",\"token_endpoint\":\"http://a.example/\"}", ISSUER, ERR_PROTO,
            "token_endpoint: URL: it must begin with https" },
        { HEAD ",\"device_authorization_endpoint\":\"/d\"}", ISSUER, ERR_PROTO,
            "device_authorization_endpoint: URL" },
        { HEAD ",\"token_endpoint_auth_methods_supported\":\"none\"}", ISSUER, ERR_PROTO,
            "not an array" },
        { HEAD ",\"token_endpoint_auth_methods_supported\":[1]}", ISSUER, ERR_PROTO,
            "[0]: not a string" },
        { HEAD ",\"token_endpoint_auth_signing_alg_values_supported\":{}}", ISSUER, ERR_PROTO,
            "not an array" },
        { HEAD "}", "http://login.example/t", ERR_CONFIG, "issuer: URL" },
    };
    struct oauth_metadata m = { .issuer = "untouched" };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        T_ERR_SAYS(oauth_metadata_parse(view_text(rows[i].body), rows[i].issuer, &m, &e),
            rows[i].cls, rows[i].says);
        assert_string_equal(m.issuer, "untouched");
    }
}

static struct key *key_of(const char *kind)
{
    EVP_PKEY *key = issue_key(kind);
    struct buf pkcs8 = BUF_SECRET(8192);
    struct key *ours;

    issue_pkcs8(key, &pkcs8);
    assert_non_null(ours = key_parse(lib, buf_view(&pkcs8), &e));
    buf_free(&pkcs8);
    EVP_PKEY_free(key);
    return ours;
}

static void fits(void **state)
{
    struct key *rsa = key_of("rsa2048"), *ec = key_of("P-256"), *ed = key_of("ed25519");
    const struct {
        struct oauth_metadata m;
        struct key *key;
        const char *secret;
        enum err_class cls;
        bool basic, rs256;
    } rows[] = {
        { { .post = true, .basic = true }, NULL, "s", ERR_NONE, false, false },
        { { .basic = true }, NULL, "s", ERR_NONE, true, false },
        { { .key = true }, NULL, "s", ERR_CONFIG, false, false },
        { { .none = true }, NULL, "s", ERR_CONFIG, false, false },
        { { .key = true }, NULL, "", ERR_NONE, false, false }, /* public, as Entra ID takes it */
        { { .basic = true }, rsa, "", ERR_CONFIG, false, false },
        { { .key = true }, rsa, "", ERR_NONE, false, false },
        { { .key = true, .ps256 = true, .rs256 = true }, rsa, "", ERR_NONE, false, false },
        { { .key = true, .rs256 = true }, rsa, "", ERR_NONE, false, true },
        { { .key = true, .es256 = true }, rsa, "", ERR_CONFIG, false, false },
        { { .key = true, .es256 = true }, ec, "", ERR_NONE, false, false },
        { { .key = true, .rs256 = true }, ec, "", ERR_CONFIG, false, false },
        { { .key = true }, ed, "", ERR_NONE, false, false }, /* oauth_token_form refuses it */
        { { .key = true, .rs256 = true }, ed, "", ERR_CONFIG, false, false },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct oauth_client c = {
            .id = "x", .key = rows[i].key, .secret = view_text(rows[i].secret)
        };

        if (rows[i].cls == ERR_NONE) {
            T_OK(oauth_metadata_fit(&rows[i].m, &c, &e));
            assert_int_equal(c.basic, rows[i].basic);
            assert_int_equal(c.rs256, rows[i].rs256);
        } else {
            T_ERR_SAYS(oauth_metadata_fit(&rows[i].m, &c, &e), rows[i].cls,
                "the authorization server takes");
        }
    }
    key_free(rsa);
    key_free(ec);
    key_free(ed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(urls),
        cmocka_unit_test(good),
        cmocka_unit_test(bad),
        cmocka_unit_test(fits),
    };
    int failed;

    if ((lib = lib_new(&e)) == NULL)
        return 1;
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    lib_free(lib);
    return failed;
}
