/* claims.h: what challenges say, and what of it is refused. */
#include "test/t.h"
#include <stdlib.h>
#include "certs/mem.h"
#include "proto/claims.h"

static struct err e;
static struct claims c;

#define SID "S-1-5-21-1-2-3-1105"
#define FULL                                                                                      \
    "{\"v\":1,\"jti\":\"6f1f\",\"aud\":\"connector:2b7c\",\"iat\":1767225600,\"exp\":1767229200," \
    "\"profile\":\"wifi-user\",\"template\":\"ContosoUser\",\"device\":\"d-4471\","               \
    "\"user\":\"alice@contoso.example\",\"subject\":\"CN=alice,O=Contoso\","                      \
    "\"san\":{\"upn\":[\"alice@contoso.example\"],\"dns\":[],\"email\":[\"a@b\"],"                \
    "\"uri\":[\"urn:x\"],\"ip\":[\"192.0.2.1\"]},\"sid\":\"" SID "\","                            \
    "\"ku\":[\"digitalSignature\",\"keyEncipherment\"],\"eku\":[\"1.3.6.1.5.5.7.3.2\"],"          \
    "\"key\":{\"alg\":\"RSA\",\"bits\":2048},\"hash\":\"sha256\","                                \
    "\"validity\":{\"unit\":\"Days\",\"n\":30}}"

static int teardown(void **state)
{
    (void)state;
    claims_free(&c);
    e = (struct err){ 0 };
    return 0;
}

static int parse(const char *json)
{
    claims_free(&c);
    return claims_parse(view_text(json), &c, &e);
}

static void everything(void **state)
{
    const struct template *t = &c.csr.t;

    (void)state;
    T_OK(parse(FULL));
    assert_string_equal(c.id, "6f1f");
    assert_string_equal(c.audience, "connector:2b7c");
    assert_string_equal(c.profile, "wifi-user");
    assert_string_equal(c.template_name, "ContosoUser");
    assert_int_equal(c.issued_at, 1767225600);
    assert_int_equal(c.expires_at, 1767229200);
    assert_true(c.csr.has_subject);
    assert_true(c.csr.has_sans);
    assert_int_equal(t->subject.count, 2);
    assert_string_equal(t->subject.rdn[0].attr[0].value, "alice");
    assert_int_equal(t->san_count, 4);
    assert_int_equal(t->sans[0].type, SAN_UPN);
    assert_string_equal(t->sans[0].value, "alice@contoso.example");
    assert_int_equal(t->sans[1].type, SAN_EMAIL);
    assert_int_equal(t->sans[2].type, SAN_URI);
    assert_int_equal(t->sans[3].type, SAN_IP);
    assert_string_equal(t->sid, SID);
    assert_int_equal(t->sid_encoding, SID_NONE);
    assert_int_equal(t->key_usage, KU_DIGITAL_SIGNATURE | KU_KEY_ENCIPHERMENT);
    assert_int_equal(t->eku_count, 1);
    assert_string_equal(t->ekus[0], "1.3.6.1.5.5.7.3.2");
    assert_int_equal(t->key, KEY_RSA2048);
    assert_int_equal(t->hash, HASH_SHA256);
}

static void nothing(void **state)
{
    static const char *const texts[] = { "{}", "{\"subject\":null,\"san\":null,\"key\":null}",
        "{\"ku\":[],\"eku\":[],\"device\":7,\"user\":null,\"validity\":\"1d\"}" };

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        T_OK(parse(texts[i]));
        assert_false(c.csr.has_subject || c.csr.has_sans);
        assert_null(c.profile);
        assert_null(c.template_name);
        assert_null(c.csr.t.sid);
        assert_int_equal(c.csr.t.key_usage + c.csr.t.eku_count + c.csr.t.key + c.csr.t.hash, 0);
        assert_int_equal(c.issued_at + c.expires_at, 0);
    }
    T_OK(parse("{\"subject\":\"\",\"san\":{}}"));
    assert_true(c.csr.has_subject && c.csr.has_sans);
    assert_int_equal(c.csr.t.subject.count + c.csr.t.san_count, 0);
}

static void sid_as_uri(void **state)
{
    (void)state;
    T_OK(parse("{\"san\":{\"uri\":[\"urn:x\",\"tag:microsoft.com,2022-09-14:sid:" SID "\"]}}"));
    assert_string_equal(c.csr.t.sid, SID);
    assert_int_equal(c.csr.t.sid_encoding, SID_URI);
    assert_int_equal(c.csr.t.san_count, 1);
    T_OK(parse(
        "{\"sid\":\"" SID "\",\"san\":{\"uri\":[\"tag:microsoft.com,2022-09-14:sid:" SID "\"]}}"));
    assert_int_equal(c.csr.t.sid_encoding, SID_URI);
    T_ERR_SAYS(
        parse("{\"sid\":\"S-1-5-18\",\"san\":{\"uri\":[\"tag:microsoft.com,2022-09-14:sid:" SID
              "\"]}}"),
        ERR_INPUT, "san.uri[0]: the SID " SID ", but \"sid\" is S-1-5-18");
    T_ERR_SAYS(parse("{\"san\":{\"uri\":[\"tag:microsoft.com,2022-09-14:sid:x\"]}}"), ERR_INPUT,
        "san.uri[0]: \"x\" is not a SID");
}

static void refusals(void **state)
{
    static const struct {
        const char *json;
        enum err_class cls;
        const char *says;
    } rows[] = {
        { "", ERR_PROTO, "claims: " },
        { "[]", ERR_PROTO, "claims: not an object" },
        { "{\"v\":1}x", ERR_PROTO, "claims: " },
        { "{\"v\":1,\"v\":1}", ERR_PROTO, "claims: " },
        { "{\"v\":2}", ERR_INPUT, "v: 2, we know 1 only" },
        { "{\"v\":\"1\"}", ERR_PROTO, "v: not an integer" },
        { "{\"maxUses\":1}", ERR_INPUT, "\"maxUses\" is not a member we know" },
        { "{\"maxUses\":null}", ERR_INPUT, "\"maxUses\" is not" },
        { "{\"Subject\":\"CN=a\"}", ERR_INPUT, "\"Subject\" is not" },
        { "{\"nbf\":1}", ERR_INPUT, "\"nbf\" is not" },
        { "{\"iat\":0}", ERR_PROTO, "iat: 0, must be" },
        { "{\"exp\":-1}", ERR_PROTO, "exp: -1" },
        { "{\"exp\":253402300800}", ERR_PROTO, "exp: " },
        { "{\"iat\":2,\"exp\":1}", ERR_INPUT, "exp: before iat" },
        { "{\"profile\":\"\"}", ERR_INPUT, "profile: empty" },
        { "{\"profile\":\"a\\nb\"}", ERR_INPUT, "profile: a control character" },
        { "{\"template\":7}", ERR_PROTO, "template: not a string" },
        { "{\"jti\":[]}", ERR_PROTO, "jti: not a string" },
        { "{\"subject\":7}", ERR_PROTO, "subject: not a string" },
        { "{\"subject\":\"alice\"}", ERR_INPUT, "subject: " },
        { "{\"subject\":\"CN={{UserName}}\"}", ERR_INPUT, "subject: " },
        { "{\"subject\":\"CN=\"}", ERR_INPUT, "subject: " },
        { "{\"san\":[]}", ERR_PROTO, "san: not an object" },
        { "{\"san\":{\"rid\":[]}}", ERR_INPUT, "san: \"rid\" is not" },
        { "{\"san\":{\"upn\":\"a@b\"}}", ERR_PROTO, "san: upn: not an array" },
        { "{\"san\":{\"upn\":[null]}}", ERR_PROTO, "san: upn[0]: not a string" },
        { "{\"san\":{\"upn\":[\"\"]}}", ERR_INPUT, "san.upn[0]: SAN UPN is empty" },
        { "{\"san\":{\"ip\":[\"1.2.3\"]}}", ERR_INPUT, "san.ip[0]: " },
        { "{\"san\":{\"dns\":[\"a\",\"b c\"]}}", ERR_INPUT, "san.dns[1]: " },
        { "{\"sid\":\"ada\"}", ERR_INPUT, "\"ada\" is not a SID" },
        { "{\"sid\":\"\"}", ERR_INPUT, "is not a SID" },
        { "{\"ku\":\"digitalSignature\"}", ERR_PROTO, "ku: not an array" },
        { "{\"ku\":[\"keyCertSign\"]}", ERR_INPUT, "ku: \"keyCertSign\" cannot be claimed" },
        { "{\"eku\":[\"clientAuth\"]}", ERR_INPUT, "eku[0]: " },
        { "{\"eku\":[1]}", ERR_PROTO, "eku[0]: not a string" },
        { "{\"key\":\"rsa2048\"}", ERR_PROTO, "key: not an object" },
        { "{\"key\":{\"alg\":\"RSA\"}}", ERR_PROTO, "key: bits: missing" },
        { "{\"key\":{\"bits\":2048}}", ERR_PROTO, "key: alg: missing" },
        { "{\"key\":{\"alg\":\"RSA\",\"bits\":1024}}", ERR_INPUT, "\"RSA\" of 1024 bits" },
        { "{\"key\":{\"alg\":\"EC\",\"bits\":256,\"crv\":1}}", ERR_INPUT, "\"crv\" is not" },
        { "{\"hash\":\"sha1\"}", ERR_INPUT, "hash: \"sha1\" cannot be claimed" },
        { "{\"hash\":256}", ERR_PROTO, "hash: not a string" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct claims kept = { .issued_at = 7 };

        T_ERR_SAYS(parse(rows[i].json), rows[i].cls, rows[i].says);
        assert_memory_equal(e.msg, "claims: ", 8);
        assert_int_equal(claims_parse(view_text(rows[i].json), &kept, &e), -1);
        assert_int_equal(kept.issued_at, 7);
    }
}

static void keys_and_hashes(void **state)
{
    static const struct {
        const char *json;
        enum key_type key;
        enum hash hash;
    } rows[] = {
        { "{\"key\":{\"alg\":\"RSA\",\"bits\":3072}}", KEY_RSA3072, HASH_NONE },
        { "{\"key\":{\"alg\":\"RSA\",\"bits\":4096}}", KEY_RSA4096, HASH_NONE },
        { "{\"key\":{\"alg\":\"EC\",\"bits\":256},\"hash\":\"sha384\"}", KEY_P256, HASH_SHA384 },
        { "{\"key\":{\"alg\":\"EC\",\"bits\":384},\"hash\":\"sha512\"}", KEY_P384, HASH_SHA512 },
        { "{\"key\":{\"alg\":\"EC\",\"bits\":521}}", KEY_P521, HASH_NONE },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        T_OK(parse(rows[i].json));
        assert_int_equal(c.csr.t.key, rows[i].key);
        assert_int_equal(c.csr.t.hash, rows[i].hash);
    }
    T_OK(parse("{\"ku\":[\"nonRepudiation\",\"contentCommitment\",\"dataEncipherment\","
               "\"keyAgreement\"]}"));
    assert_int_equal(
        c.csr.t.key_usage, KU_NON_REPUDIATION | KU_DATA_ENCIPHERMENT | KU_KEY_AGREEMENT);
}

static void too_much(void **state)
{
    struct buf json = BUF_INIT(1 << 20);

    (void)state;
    for (size_t n = CSR_SANS_MAX; n <= CSR_SANS_MAX + 1; n++) {
        buf_reset(&json);
        buf_add_text(&json, "{\"san\":{\"dns\":[");
        for (size_t i = 0; i < n; i++)
            buf_printf(&json, "%s\"h%zu\"", i != 0 ? "," : "", i);
        buf_add_text(&json, "]}}");
        if (n == CSR_SANS_MAX)
            T_OK(parse(buf_text(&json)));
        else
            T_ERR_SAYS(parse(buf_text(&json)), ERR_INPUT, "dns: 65 elements, at most 64");
    }
    buf_reset(&json);
    buf_add_text(&json, "{\"device\":\"");
    for (size_t i = 0; i < 1 << 16; i++)
        buf_add_byte(&json, 'a');
    buf_add_text(&json, "\"}");
    T_ERR(parse(buf_text(&json)), ERR_TOO_LARGE);
    buf_free(&json);
}

static void time_template_profile(void **state)
{
    (void)state;
    T_OK(parse("{\"iat\":1000000,\"exp\":1003600,\"profile\":\"wifi\",\"template\":\"User\"}"));
    T_OK(claims_check(&c, "User", "wifi", 1000000, &e));
    T_OK(claims_check(&c, "USER", "wifi", 1003600, &e));
    T_OK(claims_check(&c, "User", "wifi", 1000000 - 300, &e));
    T_ERR_SAYS(
        claims_check(&c, "User", "wifi", 1000000 - 301, &e), ERR_EXPIRED, "issued 301 s from now");
    T_OK(claims_check(&c, "User", "wifi", 1003600 + 300, &e));
    T_ERR_SAYS(
        claims_check(&c, "User", "wifi", 1003600 + 301, &e), ERR_EXPIRED, "expired 301 s ago");
    T_ERR_SAYS(claims_check(&c, "Admin", "wifi", 1000000, &e), ERR_MISMATCH,
        "template: the challenge is for \"User\", this is \"Admin\"");
    T_ERR_SAYS(claims_check(&c, NULL, "wifi", 1000000, &e), ERR_MISMATCH, "template: ");
    T_ERR_SAYS(claims_check(&c, "User", "vpn", 1000000, &e), ERR_MISMATCH,
        "profile: the challenge is for \"wifi\", this is \"vpn\"");
    T_ERR_SAYS(claims_check(&c, "User", "WIFI", 1000000, &e), ERR_MISMATCH, "profile: ");
    T_ERR_SAYS(claims_check(&c, "User", NULL, 1000000, &e), ERR_MISMATCH, "profile: ");
    T_OK(parse("{}"));
    T_OK(claims_check(&c, "User", "wifi", 1, &e));
    T_OK(claims_check(&c, NULL, NULL, 253402300799, &e));
}

static void memory_runs_out(void **state)
{
    /* without the members of fixed size, whose copies end the process by design */
    static const char json[] =
        "{\"subject\":\"CN=alice+UID=a,O=Contoso\",\"san\":{\"upn\":[\"a@b\"],\"dns\":[\"h\"],"
        "\"uri\":[\"tag:microsoft.com,2022-09-14:sid:" SID "\"]},\"eku\":[\"1.2.3\",\"1.2.4\"]}";
    unsigned long n = 0;
    int rc;

    (void)state;
    do {
        mem_fail_after(++n);
        rc = claims_parse(view_text(json), &c, &e);
        mem_fail_after(0);
        if (rc != 0 && e.cls != ERR_NOMEM)
            fail_msg("%lu: %s (%s)", n, e.msg, e.where);
    } while (rc != 0);
    assert_true(n > 10);
}

int main(void)
{
#define T(f) cmocka_unit_test_teardown(f, teardown)
    static const struct CMUnitTest tests[] = {
        T(everything),
        T(nothing),
        T(sid_as_uri),
        T(refusals),
        T(keys_and_hashes),
        T(too_much),
        T(time_template_profile),
        T(memory_runs_out),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
