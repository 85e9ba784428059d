/* What the host offers a plugin: settings, secrets, its durable space, and the helpers that only compute. */
#include "test/t.h"
#include "test/unit/agent_plugin.h"
#include <openssl/cms.h> /* behind issue.h, which mends what its macros break */

static struct plugin *plugin;
static const struct certferry_host *host;
static void *ctx;

static void open_with(const char *name)
{
    plugin = plugin_opened(name);
    host = &plugin->host;
    ctx = host->ctx;
}

static int begin(void **state)
{
    int rc = plugin_begin(state);

    open_with("shell");
    return rc;
}

static int end(void **state)
{
    plugin_close(plugin);
    return plugin_end(state);
}

static struct certferry_bytes bytes(const char *text)
{
    return (struct certferry_bytes){ (const uint8_t *)text, strlen(text) };
}

/* ---- settings and secrets ---- */

static void settings_and_secrets(void **state)
{
    struct conf conf = { .path = (char *)(uintptr_t)dir_path("certferry.conf") };
    char absolute[DIR_PATH_LEN + 10];

    (void)state;
    plugin_close(plugin);
    dir_write("key", "hunter2\nand more\n", 0600);
    (void)snprintf(absolute, sizeof absolute, "other=%s", dir_path("key"));
    plugin_setting("tenant=contoso");
    plugin_setting("tenants=a=b");
    plugin_setting("empty=");
    plugin_secret(absolute);
    plugin_secret("near=key"); /* beside the configuration */
    agent.conf = &conf;
    open_with("shell");
    agent.conf = NULL;
    assert_string_equal(host->setting(ctx, "tenant"), "contoso");
    assert_string_equal(host->setting(ctx, "tenants"), "a=b");
    assert_string_equal(host->setting(ctx, "empty"), "");
    assert_null(host->setting(ctx, "tenan"));
    assert_null(host->setting(ctx, "Tenant"));
    assert_null(host->setting(ctx, ""));
    assert_null(host->setting(ctx, NULL));
    assert_string_equal(host->secret(ctx, "other"), "hunter2");
    assert_string_equal(host->secret(ctx, "near"), "hunter2");
    assert_null(host->secret(ctx, "tenant"));
    assert_null(host->secret(ctx, NULL));
    assert_string_equal(host->setting_name(ctx, 1), "tenants");
    assert_null(host->setting_name(ctx, 3));
    assert_string_equal(host->secret_name(ctx, 0), "other");
    assert_string_equal(host->secret_name(ctx, 1), "near");
    assert_null(host->secret_name(ctx, 2));
}

static void log_clock_random(void **state)
{
    uint8_t a[16] = { 0 }, b[16] = { 0 };

    (void)state;
    host->log(ctx, CERTFERRY_DEBUG, "a\nb");
    host->log(ctx, (enum certferry_level)99, "%s%n");
    host->log(ctx, CERTFERRY_ERROR, NULL);
    assert_true(host->now(ctx) > 1700000000);
    assert_int_equal(host->random(ctx, a, sizeof a), 0);
    assert_int_equal(host->random(ctx, b, sizeof b), 0);
    assert_memory_not_equal(a, b, sizeof a);
    assert_int_equal(host->random(ctx, NULL, 1), -1);
}

/* ---- the durable space ---- */

static void durable(void **state)
{
    static char long_key[300], long_value[5000];
    struct err e = { 0 };
    char out[20];

    (void)state;
    assert_int_equal(host->get(ctx, "a", out, sizeof out), -1); /* without a store */
    if ((agent.store = store_open(dir_path("store"), false, &e)) == NULL)
        fail_msg("%s", e.msg);
    memset(long_key, 'k', sizeof long_key - 1);
    memset(long_value, 'v', sizeof long_value - 1);
    assert_int_equal(host->get(ctx, "a", out, sizeof out), 0);
    assert_int_equal(host->put(ctx, "a", "one", 0), 0);
    assert_int_equal(host->get(ctx, "a", out, sizeof out), 1);
    assert_string_equal(out, "one");
    assert_int_equal(host->add(ctx, "a", "two", 0), 0);
    assert_int_equal(host->add(ctx, "b", "two", host->now(ctx) + 100), 1);
    assert_int_equal(host->put(ctx, "gone", "x", host->now(ctx) - 1), 0);
    assert_int_equal(host->get(ctx, "gone", out, sizeof out), 0);
    assert_int_equal(host->count(ctx, ""), 2);
    assert_int_equal(host->count(ctx, "a"), 1);
    assert_int_equal(host->drop(ctx, "a"), 0);
    assert_int_equal(host->count(ctx, ""), 1);
    assert_int_equal(host->put(ctx, long_key, "x", 0), -1);
    assert_int_equal(host->put(ctx, "", "x", 0), -1);
    assert_int_equal(host->put(ctx, NULL, "x", 0), -1);
    assert_int_equal(host->put(ctx, "a", long_value, 0), -1);
    assert_int_equal(host->put(ctx, "a", NULL, 0), -1);
    assert_int_equal(host->put(ctx, "a", "\xff", 0), -1);
    assert_int_equal(host->put(ctx, "a", "x", -5), -1);
    assert_int_equal(host->count(ctx, NULL), -1);
    long_value[4096] = '\0';
    assert_int_equal(host->put(ctx, "a", long_value, 0), 0);
}

/* Two sections with the same plugin do not see each other's. */
static void of_each_section_its_own(void **state)
{
    struct conf_plugin other_section = section;
    struct plugin *other;
    struct err e = { 0 };
    char out[20], path[DIR_PATH_LEN];

    (void)state;
    agent.store = store_open(dir_path("store"), false, &e);
    assert_non_null(agent.store);
    (void)snprintf(path, sizeof path, "%s", dir_path("shell.so"));
    other_section.name = (char *)(uintptr_t) "other";
    other_section.path = path;
    other = plugin_open(&agent, &other_section, &e);
    assert_non_null(other);
    assert_int_equal(host->put(ctx, "a", "one", 0), 0);
    assert_int_equal(other->host.get(other->host.ctx, "a", out, sizeof out), 0);
    plugin_close(other);
}

/* ---- helpers ---- */

static void json(void **state)
{
    static const struct {
        const char *json, *path, *value; /* NULL: -1 */
        long n;                          /* if there is no value */
    } cases[] = {
        { "{\"code\":\"Success\"}", "code", "Success", 0 },
        { "{\"Code\":\"Success\"}", "cODE", "Success", 0 },
        { "{\"value\":[{\"uri\":\"a\"},{\"uri\":\"b\"}]}", "value.1.uri", "b", 0 },
        { "{\"value\":[{\"uri\":\"a\"}]}", "value.1.uri", NULL, -1 },
        { "{\"value\":[{\"uri\":\"a\"}]}", "value.x.uri", NULL, -1 },
        { "{\"value\":[{\"uri\":\"a\"}]}", "value.-1", NULL, -1 },
        { "{\"value\":[{\"uri\":\"a\"}]}", "value.00000000", NULL, -1 },
        { "{\"value\":[{\"uri\":\"a\"}]}", "value.0", "{\"uri\":\"a\"}", 0 },
        { "{\"value\":[1,2]}", "value", "[1,2]", 0 },
        { "{\"n\":12,\"b\":true,\"z\":null}", "n", "12", 0 },
        { "{\"n\":12,\"b\":true,\"z\":null}", "b", "true", 0 },
        { "{\"n\":12,\"b\":true,\"z\":null}", "z", NULL, -1 },
        { "{\"n\":12,\"b\":true,\"z\":null}", "y", NULL, -1 },
        { "{\"n\":12}", "n.x", NULL, -1 },
        { "{\"e\":\"\"}", "e", "", 0 },
        { "{\"u\":\"\\u00e9\\n\"}", "u", "\xc3\xa9\n", 0 },
        { "[{\"a\":\"x\"}]", "0.a", "x", 0 },
        { "{\"long\":\"0123456789012345678901234567890123456789\"}", "long", NULL, -2 },
        { "{\"nul\":\"a\\u0000b\"}", "nul", NULL, -2 },
        { "{\"a\":1} x", "a", NULL, -2 },
        { "{\"a\":1}{\"a\":2}", "a", NULL, -2 },
        { "{\"a\":1,\"a\":2}", "a", NULL, -2 },
        { "{\"a\":1,\"A\":2}", "a", NULL, -2 }, /* which one is meant? */
        { "{\"a\":null,\"A\":2}", "a", NULL, -2 },
        { "{\"a\":1,\"A\":2,\"b\":3}", "b", "3", 0 },
        { "not", "a", NULL, -2 },
        { "", "a", NULL, -2 },
        { NULL, "a", NULL, -2 },
        { "{}", NULL, NULL, -2 },
    };
    char out[40];

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        long n, expected = cases[i].value != NULL ? (long)strlen(cases[i].value) : cases[i].n;

        memset(out, 'x', sizeof out);
        n = host->json_get(ctx, cases[i].json, cases[i].path, out, sizeof out);
        if (n != expected || strcmp(out, cases[i].value != NULL ? cases[i].value : "") != 0)
            fail_msg("case %zu: %ld \"%s\"", i, n, out);
    }
    assert_int_equal(host->json_get(ctx, "{\"a\":\"bc\"}", "a", out, 2), -2);
    assert_int_equal(host->json_get(ctx, "{\"a\":\"bc\"}", "a", out, 3), 2);
    assert_int_equal(host->json_get(ctx, "{\"a\":\"bc\"}", "a", NULL, 0), -2);
}

static void quoted(void **state)
{
    char out[20];

    (void)state;
    assert_int_equal(host->json_quote(ctx, "a\"b\\\n\x01", out, sizeof out), 16);
    assert_string_equal(out, "\"a\\\"b\\\\\\n\\u0001\"");
    assert_int_equal(host->json_quote(ctx, "", out, sizeof out), 2);
    assert_int_equal(host->json_quote(ctx, "\xff", out, sizeof out), -1);
    assert_int_equal(host->json_quote(ctx, NULL, out, sizeof out), -1);
    assert_int_equal(host->json_quote(ctx, "0123456789012345678", out, sizeof out), -1);
    assert_string_equal(out, "");
}

static void encoded(void **state)
{
    static const struct {
        const char *text, *plain; /* NULL: refused */
    } cases[] = {
        { "aGVsbG8=", "hello" },
        { "aGVsbG8", "hello" },
        { "aGVs\r\nbG8=\n", "hello" },
        { "", "" },
        { "aGVsbG8==", NULL },
        { "aGVs*bG8", NULL },
        { "aGVsb", NULL },
        { "=", NULL },
        { "-_-_", NULL },
    };
    char out[100];
    uint8_t raw[8];

    (void)state;
    assert_int_equal(host->base64(ctx, bytes("hello"), out, sizeof out), 8);
    assert_string_equal(out, "aGVsbG8=");
    assert_int_equal(host->base64(ctx, bytes("hello"), out, 8), -1);
    assert_int_equal(host->base64(ctx, (struct certferry_bytes){ NULL, 0 }, out, 1), 0);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        long n = host->unbase64(ctx, cases[i].text, raw, sizeof raw);

        if (n != (cases[i].plain != NULL ? (long)strlen(cases[i].plain) : -1)
            || (n > 0 && memcmp(raw, cases[i].plain, (size_t)n) != 0))
            fail_msg("\"%s\": %ld", cases[i].text, n);
    }
    assert_int_equal(host->unbase64(ctx, "aGVsbG8=", raw, 5), 5);
    assert_int_equal(host->unbase64(ctx, "aGVsbG8=", raw, 4), -1);
}

/* FIPS 180-2 B.1; RFC 4231 4.2, 4.3 and 4.7 */
static void digests(void **state)
{
    static uint8_t key1[20], key6[131];
    char out[65];

    (void)state;
    memset(key1, 0x0b, sizeof key1);
    memset(key6, 0xaa, sizeof key6);
    assert_int_equal(host->sha256(ctx, bytes("abc"), out, sizeof out), 64);
    assert_string_equal(out, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert_int_equal(host->sha256(ctx, bytes("abc"), out, 64), -1);
    assert_int_equal(host->hmac_sha256(ctx, (struct certferry_bytes){ key1, sizeof key1 },
                         bytes("Hi There"), out, sizeof out),
        64);
    assert_string_equal(out, "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
    assert_int_equal(host->hmac_sha256(ctx, bytes("Jefe"), bytes("what do ya want for nothing?"),
                         out, sizeof out),
        64);
    assert_string_equal(out, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    assert_int_equal(
        host->hmac_sha256(ctx, (struct certferry_bytes){ key6, sizeof key6 },
            bytes("Test Using Larger Than Block-Size Key - Hash Key First"), out, sizeof out),
        64);
    assert_string_equal(out, "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

static void guids_and_comparing(void **state)
{
    char a[40], b[40];

    (void)state;
    assert_int_equal(host->guid(ctx, a, sizeof a), 36);
    assert_int_equal(host->guid(ctx, b, sizeof b), 36);
    assert_string_not_equal(a, b);
    assert_int_equal(a[14], '4');
    assert_int_equal(host->guid(ctx, a, 36), -1);
    assert_int_equal(host->same(ctx, "abc", "abc"), 1);
    assert_int_equal(host->same(ctx, "", ""), 1);
    assert_int_equal(host->same(ctx, "abc", "abd"), 0);
    assert_int_equal(host->same(ctx, "abc", "abcd"), 0);
    assert_int_equal(host->same(ctx, NULL, NULL), 0);
    assert_int_equal(host->same(ctx, "a", NULL), 0);
}

/* ---- unseal ---- */

struct sealing {
    EVP_PKEY *cloud_key, *other_key, *box_key;
    X509 *cloud, *other, *box, *other_box;
};

static X509 *self_issued(const char *subject, EVP_PKEY *key, long serial)
{
    struct issue s = { .subject = subject, .key = key, .serial = serial };

    return issue(&s);
}

static void sealing_make(struct sealing *s)
{
    s->cloud_key = issue_key("P-256");
    s->other_key = issue_key("P-256");
    s->box_key = issue_key("rsa2048");
    s->cloud = self_issued("CN=cloud", s->cloud_key, 1);
    s->other = self_issued("CN=cloud", s->other_key, 1); /* the same name and number */
    s->box = self_issued("CN=connector", s->box_key, 2);
    s->other_box = self_issued("CN=elsewhere", s->box_key, 3);
    tls_write("box.pem", s->box, s->box_key); /* key and certificate in one file */
    tls_write("cloud.pem", s->cloud, NULL);
}

static void sealing_free(struct sealing *s)
{
    X509_free(s->cloud);
    X509_free(s->other);
    X509_free(s->box);
    X509_free(s->other_box);
    EVP_PKEY_free(s->cloud_key);
    EVP_PKEY_free(s->other_key);
    EVP_PKEY_free(s->box_key);
}

static BIO *encoded_cms(CMS_ContentInfo *cms)
{
    BIO *b = BIO_new(BIO_s_mem());

    assert_non_null(cms);
    assert_int_equal(i2d_CMS_bio(b, cms), 1);
    CMS_ContentInfo_free(cms);
    return b;
}

static BIO *signed_by(X509 *x, EVP_PKEY *key, const EVP_MD *md, const void *text, size_t len)
{
    BIO *in = BIO_new_mem_buf(text, (int)len), *out;
    CMS_ContentInfo *cms = CMS_sign(NULL, NULL, NULL, in, CMS_BINARY | CMS_PARTIAL);

    assert_non_null(CMS_add1_signer(cms, x, key, md, CMS_BINARY));
    assert_int_equal(CMS_final(cms, in, NULL, CMS_BINARY), 1);
    out = encoded_cms(cms);
    BIO_free(in);
    return out;
}

/* base64 of the message in `inner`, encrypted to this certificate; frees inner. */
static const char *sealed_to(X509 *box, BIO *inner)
{
    static char text[20000];
    STACK_OF(X509) *to = sk_X509_new_null();
    BIO *out;
    char *der;
    long len;

    sk_X509_push(to, box);
    out = encoded_cms(CMS_encrypt(to, inner, EVP_aes_256_cbc(), CMS_BINARY));
    len = BIO_get_mem_data(out, &der);
    assert_true(len > 0 && len < 10000);
    assert_true(EVP_EncodeBlock((unsigned char *)text, (const unsigned char *)der, (int)len) > 0);
    sk_X509_free(to);
    BIO_free(out);
    BIO_free(inner);
    return text;
}

static void unsealed(void **state)
{
    static const char claims[] = "{\"jti\":\"1\"}";
    size_t len = sizeof claims - 1;
    struct sealing s;
    char out[100], *text;

    (void)state;
    plugin_close(plugin);
    sealing_make(&s);
    section.decryption_certificate = strdup(dir_path("box.pem"));
    section.signer_certificate = strdup(dir_path("cloud.pem"));
    open_with("shell");

    text = strdup(sealed_to(s.box, signed_by(s.cloud, s.cloud_key, EVP_sha256(), claims, len)));
    assert_int_equal(host->unseal(ctx, text, out, sizeof out), (long)len);
    assert_string_equal(out, claims);
    assert_int_equal(host->unseal(ctx, text, out, len), -1);
    assert_string_equal(out, "");
    for (char *c = text; *c != '\0'; c++)
        *c = (char)(*c == '+' ? '-' : *c == '/' ? '_' : *c);
    text[strcspn(text, "=")] = '\0';
    assert_int_equal(host->unseal(ctx, text, out, sizeof out), (long)len); /* base64url */
    text[300] = text[300] == 'A' ? 'B' : 'A';
    assert_int_equal(host->unseal(ctx, text, out, sizeof out), -1);
    text[100] = '\0';
    assert_int_equal(host->unseal(ctx, text, out, sizeof out), -1);
    free(text);

#define REFUSED(box, inner) \
    assert_int_equal(host->unseal(ctx, sealed_to(box, inner), out, sizeof out), -1)
    REFUSED(s.box, signed_by(s.other, s.other_key, EVP_sha256(), claims, len));
    REFUSED(s.box, signed_by(s.cloud, s.cloud_key, EVP_sha1(), claims, len));
    REFUSED(s.box, signed_by(s.cloud, s.cloud_key, EVP_sha256(), "a\0b", 3));
    REFUSED(s.box, signed_by(s.cloud, s.cloud_key, EVP_sha256(), "\xff", 1));
    REFUSED(s.box, BIO_new_mem_buf(claims, (int)len)); /* not signed at all */
    REFUSED(s.other_box, signed_by(s.cloud, s.cloud_key, EVP_sha256(), claims, len));
    assert_int_equal(host->unseal(ctx, "", out, sizeof out), -1);
    assert_int_equal(host->unseal(ctx, "!!!!", out, sizeof out), -1);
    assert_int_equal(host->unseal(ctx, NULL, out, sizeof out), -1);
    free(section.decryption_certificate);
    free(section.signer_certificate);
    sealing_free(&s);
}

static void unseal_without_keys(void **state)
{
    char out[10] = "x";

    (void)state;
    assert_int_equal(host->unseal(ctx, "AAAA", out, sizeof out), -1);
    assert_string_equal(out, "");
}

#define T(fn) cmocka_unit_test_setup_teardown(fn, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(settings_and_secrets),
        T(log_clock_random),
        T(durable),
        T(of_each_section_its_own),
        T(json),
        T(quoted),
        T(encoded),
        T(digests),
        T(guids_and_comparing),
        T(unsealed),
        T(unseal_without_keys),
    };

    return cmocka_run_group_tests_name("agent_plugin_host", tests, NULL, NULL);
}
