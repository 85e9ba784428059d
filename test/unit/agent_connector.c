/* The connector's identity as it is kept: whole, sealed, and refused when a part is missing. */
#include "test/t.h"
#include "agent/base/fs.h"
#include "agent/cloud/connector.h"
#include "certs/mem.h"
#include "test/live/tls_certs.h"

static struct lib *lib;
static struct vault vault;
static struct secrets *secrets;
static struct tls_certs certs;
static struct connector mine;

static const struct connector empty;

/* An enrolment's answer for a key of ours, with one issuer. */
static void enrolled(struct connector *c, enum ccp_method method)
{
    struct ccp_identity from = CCP_IDENTITY_INIT;
    struct err e = { 0 };
    PKCS8_PRIV_KEY_INFO *info = EVP_PKEY2PKCS8(certs.key);
    unsigned char *pkcs8 = NULL;
    int len = i2d_PKCS8_PRIV_KEY_INFO(info, &pkcs8);
    struct key *key = key_parse(lib, view_of(pkcs8, (size_t)len), &e);
    assert_non_null(key);
    issue_der(certs.client, &from.certificate);
    issue_der(certs.root, &from.chain);
    (void)snprintf(from.agent_id, sizeof from.agent_id, "11111111-2222-4333-8444-555555555555");
    from.method = method;
    if (method == CCP_PRIVATE_KEY_JWT) {
        (void)snprintf(from.token_url, sizeof from.token_url, "https://login.example/token");
        (void)snprintf(from.client_id, sizeof from.client_id, "agent 7");
        (void)snprintf(from.scope, sizeof from.scope, "ccp.work other");
    }
    from.not_before_at = 3000;
    from.not_after_at = 3000 + 90 * 86400;
    T_OK(connector_give(c, &from, key, 5000, &e));
    ccp_identity_free(&from);
    key_free(key);
    OPENSSL_free(pkcs8);
    PKCS8_PRIV_KEY_INFO_free(info);
}

static int begin(void **state)
{
    struct err e;

    (void)unsetenv("CREDENTIALS_DIRECTORY");
    if ((lib = lib_new(&e)) == NULL || dir_make(state) != 0
        || vault_open(&vault, lib, dir_root, NULL, true, &e) != 0
        || (secrets = secrets_open(dir_root, &vault, lib, &e)) == NULL)
        return -1;
    tls_certs_make(&certs);
    mine = (struct connector){ .cloud = "https://cloud.example/ccp" };
    return 0;
}

static int end(void **state)
{
    connector_free(&mine);
    tls_certs_free(&certs);
    secrets_close(secrets);
    vault_close(&vault);
    lib_free(lib);
    return dir_remove(state);
}

static void loaded_is_kept(enum ccp_method method)
{
    struct connector back = { 0 };
    struct err e = { 0 };

    enrolled(&mine, method);
    T_OK(connector_keep(secrets, CONNECTOR_NOW, &mine, &e));
    assert_int_equal(connector_load(secrets, CONNECTOR_NOW, &back, &e), 1);
    assert_string_equal(back.cloud, "https://cloud.example/ccp");
    assert_string_equal(back.agent_id, "11111111-2222-4333-8444-555555555555");
    assert_int_equal(back.method, mine.method);
    assert_string_equal(back.token_url, mine.token_url);
    assert_string_equal(back.client_id, mine.client_id);
    assert_string_equal(back.scope, mine.scope);
    assert_int_equal(back.enrolled_at, 5000);
    assert_true(view_equal(buf_view(&back.certificate), buf_view(&mine.certificate)));
    assert_true(view_equal(buf_view(&back.key), buf_view(&mine.key)));
    assert_true(back.key.secret);
    assert_true(back.not_after_at > back.not_before_at && back.not_before_at > 1000000000);
    connector_free(&back);
    connector_free(&back);
}

static void kept_with_mtls(void **state)
{
    (void)state;
    loaded_is_kept(CCP_MTLS);
    assert_string_equal(connector_method_name(mine.method), "mtls");
}

static void kept_with_tokens(void **state)
{
    (void)state;
    (void)snprintf(mine.agents, sizeof mine.agents, "https://agents.example");
    loaded_is_kept(CCP_PRIVATE_KEY_JWT);
    assert_string_equal(mine.scope, "ccp.work other");
    assert_string_equal(connector_method_name(mine.method), "private_key_jwt");
}

static void none_is_no_failure(void **state)
{
    struct connector c = { 0 };
    struct err e = { 0 };

    (void)state;
    assert_int_equal(connector_load(secrets, CONNECTOR_NOW, &c, &e), 0);
    T_OK(connector_drop(secrets, CONNECTOR_NOW, &e));
    enrolled(&mine, CCP_MTLS);
    T_OK(connector_keep(secrets, CONNECTOR_NEXT, &mine, &e));
    assert_int_equal(connector_load(secrets, CONNECTOR_NOW, &c, &e), 0);
    assert_int_equal(connector_load(secrets, CONNECTOR_NEXT, &c, &e), 1);
    T_OK(connector_drop(secrets, CONNECTOR_NEXT, &e));
    assert_int_equal(connector_load(secrets, CONNECTOR_NEXT, &c, &e), 0);
    connector_free(&c);
}

/* Nothing of it can be read without the master key, and a file under the other name does not open. */
static void sealed(void **state)
{
    struct buf file = BUF_INIT(65536);
    struct connector c = { 0 };
    struct err e = { 0 };

    (void)state;
    enrolled(&mine, CCP_MTLS);
    T_OK(connector_keep(secrets, CONNECTOR_NOW, &mine, &e));
    T_OK(fs_read(dir_path("secrets/certferry.connector"), &file, &e));
    assert_null(memmem(file.p, file.len, "PRIVATE", 7));
    assert_null(memmem(file.p, file.len, "cloud.example", 13));
    dir_put("secrets/certferry.connector.next", file.p, file.len, 0600);
    T_ERR(connector_load(secrets, CONNECTOR_NEXT, &c, &e), ERR_CRYPTO);
    buf_free(&file);
}

static void refused(const char *text, const char *says)
{
    struct connector c = { 0 };
    struct err e = { 0 };

    T_OK(secrets_put(secrets, CONNECTOR_NOW, view_text(text), &e));
    T_ERR_SAYS(connector_load(secrets, CONNECTOR_NOW, &c, &e), ERR_CRYPTO, says);
    assert_true(memcmp(&c, &empty, sizeof c) == 0);
}

#define HEAD "certferry connector 1\nmethod mtls\nenrolled-at 1\n"

static void what_is_not_one(void **state)
{
    char longer[700];

    (void)state;
    refused("certferry connector 2\n\n", "version");
    refused("certferry connector 1", "version");
    refused(HEAD "cloud https://c.example\n", "too early");
    refused(HEAD "cloud\n\n", "a line without a value");
    refused(HEAD "cloud https://c.example\n\n", "a part is missing");
    refused(HEAD "later anything\n\n", "a part is missing");
    refused(HEAD "cloud https://c.example\n\n-----BEGIN CERTIFICATE-----\nAAAA\n", "no PEM");
    (void)snprintf(longer, sizeof longer, HEAD "agent-id %0100d\n\n", 7);
    refused(longer, "agent-id");
    (void)snprintf(longer, sizeof longer, HEAD "cloud %0600d\n\n", 7);
    refused(longer, "too early");
}

static void a_text_that_would_be_a_line(void **state)
{
    struct err e = { 0 };

    (void)state;
    enrolled(&mine, CCP_MTLS);
    (void)snprintf(mine.scope, sizeof mine.scope, "a\nmethod mtls");
    T_ERR(connector_keep(secrets, CONNECTOR_NOW, &mine, &e), ERR_INPUT);
}

static void its_life(void **state)
{
    struct connector c = { .not_before_at = 1000, .not_after_at = 1000 + 90 * 86400 };

    (void)state;
    assert_int_equal(connector_renew_at(&c), 1000 + 60 * 86400);
    assert_int_equal(connector_days_left(&c, 1000), 90);
    assert_int_equal(connector_days_left(&c, 1001), 89);
    assert_int_equal(connector_days_left(&c, c.not_after_at), 0);
    assert_int_equal(connector_days_left(&c, c.not_after_at + 1), -1);
    assert_int_equal(connector_days_left(&c, c.not_after_at + 86401), -2);
}

/* ---- memory ---- */

static int keep(struct err *e)
{
    return connector_keep(secrets, CONNECTOR_NOW, &mine, e);
}

static int load(struct err *e)
{
    struct connector back = { 0 };
    int rc = connector_load(secrets, CONNECTOR_NOW, &back, e);

    connector_free(&back);
    return rc == 1 ? 0 : -1;
}

/* An identity that does not open asks a person to sign in: want of memory must not look like that. */
static void memory_runs_out(void **state)
{
    int (*const what[])(struct err * e) = { keep, load };
    struct connector back = { 0 };
    struct err e = { 0 };
    bool over = false;

    (void)state;
    enrolled(&mine, CCP_MTLS);
    T_OK(keep(&e));
    for (size_t i = 0; i < sizeof what / sizeof what[0]; i++, over = false)
        for (unsigned long n = 1; !over; n++) {
            int rc;

            e = (struct err){ 0 };
            (void)snprintf(mine.scope, sizeof mine.scope, "scope %lu", n);
            mem_fail_after(n);
            rc = what[i](&e);
            over = mem_count() < n;
            mem_fail_after(0);
            if (rc != 0 && (over || e.cls != ERR_NOMEM))
                fail_msg("%zu, allocation %lu: %s %s (%s)", i, n, err_name(e.cls), e.msg, e.where);
            assert_int_equal(connector_load(secrets, CONNECTOR_NOW, &back, &e), 1);
            assert_true(view_equal(buf_view(&back.key), buf_view(&mine.key)));
        }
    assert_string_equal(back.cloud, "https://cloud.example/ccp");
    connector_free(&back);
}

#define T(fn) cmocka_unit_test_setup_teardown(fn, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(kept_with_mtls),
        T(kept_with_tokens),
        T(none_is_no_failure),
        T(sealed),
        T(what_is_not_one),
        T(a_text_that_would_be_a_line),
        T(its_life),
        T(memory_runs_out),
    };

    mem_torture_openssl();

    return cmocka_run_group_tests_name("agent_connector", tests, NULL, NULL);
}
