/* CCP/1: discovery, enrolment, renewal: what is sent, what is believed. */
#include "test/t.h"
#include "test/journal.h"
#include "test/unit/issue.h"
#include "certs/mem.h"
#include "certs/text.h"
#include "proto/ccp_identity.h"

enum { ROOM = 1 << 17 };

#define ID "6d0e7c0a-1f2b-4c3d-8e4f-5a6b7c8d9e0f"

static struct err e;
static struct lib *lib;

/* ---- discovery ---- */

static void discovery_urls(void **state)
{
    static const struct {
        const char *cloud, *below, *root;
    } rows[] = {
        { "https://cloud.example", "https://cloud.example/.well-known/ccp",
            "https://cloud.example/.well-known/ccp" },
        { "https://cloud.example:8443/a/ccp/", "https://cloud.example:8443/a/ccp/.well-known/ccp",
            "https://cloud.example:8443/.well-known/ccp" },
    };
    struct buf out = BUF_INIT(ROOM);

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        buf_reset(&out);
        assert_int_equal(ccp_discovery_url(rows[i].cloud, 0, &out, &e), 1);
        assert_string_equal(buf_text(&out), rows[i].below);
        buf_reset(&out);
        assert_int_equal(ccp_discovery_url(rows[i].cloud, 1, &out, &e), 1);
        assert_string_equal(buf_text(&out), rows[i].root);
        assert_int_equal(ccp_discovery_url(rows[i].cloud, 2, &out, &e), 0);
    }
    T_ERR(ccp_discovery_url("http://cloud.example", 0, &out, &e), ERR_CONFIG);
    buf_free(&out);
}

static void discovery(void **state)
{
    static const char full[] =
        "{\"value\":[{\"providerName\":\"CcpAgentService\",\"uri\":\"https://old.example\"},"
        "{\"providerName\":\"ccpagentservice\",\"uri\":\"https://a.example/x//\"},"
        "{\"providerName\":\"CcpRequestService\",\"uri\":\"https://r.example/ccp\"},"
        "{\"providerName\":\"ScepRequestValidationFEService\",\"uri\":\"https://s.example/ccp\"},"
        "{\"providerName\":\"PkiConnectorFEService\",\"uri\":\"gopher://x\"},{\"future\":1}],"
        "\"issuer\":\"https://login.example/t/\"}";
    static const struct {
        const char *body, *says;
    } bad[] = {
        { "[]", "value: missing" },
        { "{}", "value: missing" },
        { "{\"value\":{}}", "value: not an array" },
        { "{\"value\":[1]}", "value[0]: not an object" },
        { "{\"value\":[],\"issuer\":\"http://login.example\"}", "issuer: URL" },
        { "{\"value\":[],\"issuer\":1}", "issuer: not a string" },
        { "{\"value\":[{\"providerName\":\"CcpAgentService\"}]}",
            "value[0]: CcpAgentService: uri: missing" },
        { "{\"value\":[{\"providerName\":\"CcpRequestService\",\"uri\":\"http://x\"}]}",
            "CcpRequestService: uri: URL" },
        { "{\"value\":[],\"value\":[]}", "" },
    };
    struct ccp_discovery d;

    (void)state;
    T_OK(ccp_discovery_parse(view_text(full), &d, &e));
    assert_string_equal(d.agents, "https://a.example/x");
    assert_string_equal(d.requests, "https://r.example/ccp");
    assert_string_equal(d.scep, "https://s.example/ccp");
    assert_string_equal(d.issuer, "https://login.example/t/"); /* octet for octet */
    T_OK(ccp_discovery_parse(view_text("{\"value\":[]}"), &d, &e));
    assert_string_equal(d.agents, "");
    assert_string_equal(d.issuer, "");
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        T_ERR_SAYS(ccp_discovery_parse(view_text(bad[i].body), &d, &e), ERR_PROTO, bad[i].says);
}

/* ---- what is sent ---- */

static void requests(void **state)
{
    static const enum ccp_type types[] = { CCP_PKCS_ISSUE, CCP_PKCS_RECRYPT };
    const struct ccp_agent_key key = { "k1", "escrow", view_of("spki", 4) };
    struct ccp_enroll q = { .csr = view_of("csr", 3),
        .agent_name = "site \"a\"",
        .machine_name = "host",
        .version = "0.4",
        .features = types,
        .feature_count = 2,
        .keys = &key,
        .key_count = 1 };
    struct buf out = BUF_INIT(ROOM);

    (void)state;
    ccp_enroll_write(&out, &q);
    assert_string_equal(buf_text(&out),
        "{\"csr\":\"Y3Ny\",\"agentName\":\"site "
        "\\\"a\\\"\",\"machineName\":\"host\",\"agentVersion\":\"0.4\",\"features\":["
        "\"pkcsIssue\",\"pkcsRecrypt\"],\"encryptionKeys\":[{\"keyId\":\"k1\",\"spki\":\"c3BraQ=="
        "\","
        "\"use\":\"escrow\"}]}");
    journal("/agents/enroll", "request", 0, buf_view(&out));
    buf_reset(&out);
    ccp_renew_write(&out, view_of("csr", 3));
    assert_string_equal(buf_text(&out), "{\"csr\":\"Y3Ny\"}");
    journal("/agents/renew", "request", 0, buf_view(&out));
    buf_free(&out);
}

/* ---- what is answered ---- */

struct world {
    EVP_PKEY *key, *ca_key;
    X509 *leaf, *ca;
    struct buf spki, leaf_b64, ca_b64;
};
static struct world w;

static void add_b64(X509 *x, struct buf *out)
{
    struct buf der = BUF_INIT(ROOM);

    issue_der(x, &der);
    base64_add(out, buf_view(&der));
    buf_free(&der);
}

static int make_world(void **state)
{
    unsigned char *spki = NULL;
    int len;

    (void)state;
    w = (struct world){ .key = issue_key("P-256"),
        .ca_key = issue_key("P-256"),
        .spki = BUF_INIT(ROOM),
        .leaf_b64 = BUF_INIT(ROOM),
        .ca_b64 = BUF_INIT(ROOM) };
    w.ca = issue(&(struct issue){ .subject = "CN=cloud", .key = w.ca_key });
    w.leaf = issue(&(struct issue){ .subject = "CN=agent",
        .key = w.key,
        .issuer = w.ca,
        .issuer_key = w.ca_key,
        .begin = ISSUE_NOW,
        .end = ISSUE_NOW + 90 * ISSUE_DAY });
    add_b64(w.leaf, &w.leaf_b64);
    add_b64(w.ca, &w.ca_b64);
    len = i2d_PUBKEY(w.key, &spki);
    buf_add(&w.spki, spki, (size_t)len);
    OPENSSL_free(spki);
    return 0;
}

static int free_world(void **state)
{
    (void)state;
    X509_free(w.leaf);
    X509_free(w.ca);
    EVP_PKEY_free(w.key);
    EVP_PKEY_free(w.ca_key);
    buf_free(&w.spki);
    buf_free(&w.leaf_b64);
    buf_free(&w.ca_b64);
    return 0;
}

/* An answer in which the text LEAF stands for the certificate, CA for its issuer. */
static struct view filled(const char *pattern, struct buf *out)
{
    buf_reset(out);
    for (const char *p = pattern; *p != '\0';) {
        if (strncmp(p, "LEAF", 4) == 0) {
            buf_add_view(out, buf_view(&w.leaf_b64));
            p += 4;
        } else if (strncmp(p, "CA\"", 3) == 0) {
            buf_add_view(out, buf_view(&w.ca_b64));
            p += 2;
        } else {
            buf_add_byte(out, (uint8_t)*p++);
        }
    }
    return buf_view(out);
}

#define MTLS                                                                                       \
    "{\"agentId\":\"6D0E7C0A-1F2B-4C3D-8E4F-5A6B7C8D9E0F\",\"certificate\":\"LEAF\",\"caChain\":[" \
    "\"CA\",\"CA\"],\"authentication\":{\"method\":\"mtls\",\"tokenEndpoint\":null},"              \
    "\"pollAfterSeconds\":30,\"future\":[]}"
#define JWT                                                                                       \
    "{\"agentId\":\"" ID "\",\"certificate\":\"LEAF\",\"authentication\":{\"method\":"            \
    "\"private_key_jwt\",\"tokenEndpoint\":\"https://login.example/token\",\"clientId\":\"c-1\"," \
    "\"scope\":\"ccp.agent\"}}"

static void identities(void **state)
{
    struct ccp_identity i = CCP_IDENTITY_INIT;
    struct buf body = BUF_INIT(ROOM), der = BUF_INIT(ROOM);

    (void)state;
    T_OK(ccp_identity_parse(filled(MTLS, &body), buf_view(&w.spki), NULL, ISSUE_NOW, &i, &e));
    journal("/agents/enroll", "response", 200, buf_view(&body));
    assert_string_equal(i.agent_id, ID);
    issue_der(w.leaf, &der);
    assert_true(view_equal(buf_view(&i.certificate), buf_view(&der)));
    assert_int_equal(i.chain_count, 2);
    assert_int_equal(i.method, CCP_MTLS);
    assert_string_equal(i.token_url, "");
    assert_string_equal(i.client_id, "");
    assert_int_equal(i.not_before_at, ISSUE_NOW);
    assert_int_equal(i.not_after_at, ISSUE_NOW + 90 * ISSUE_DAY);
    assert_int_equal(i.poll_after_s, 30);
    T_OK(ccp_identity_parse(filled(JWT, &body), buf_view(&w.spki), ID, ISSUE_NOW, &i, &e));
    journal("/agents/renew", "response", 200, buf_view(&body));
    assert_int_equal(i.method, CCP_PRIVATE_KEY_JWT);
    assert_int_equal(i.chain_count, 0);
    assert_int_equal(i.chain.len, 0);
    assert_string_equal(i.token_url, "https://login.example/token");
    assert_string_equal(i.client_id, "c-1");
    assert_string_equal(i.scope, "ccp.agent");
    assert_int_equal(i.poll_after_s, -1);
    T_OK(ccp_identity_parse(filled("{\"agentId\":\"" ID "\",\"certificate\":\"LEAF\","
                                   "\"authentication\":{\"method\":\"private_key_jwt\","
                                   "\"tokenEndpoint\":\"https://login.example/token\"}}",
                                &body),
        buf_view(&w.spki), ID, ISSUE_NOW, &i, &e));
    assert_string_equal(i.client_id, ID); /* unless another is named */
    ccp_identity_free(&i);
    buf_free(&body);
    buf_free(&der);
}

#define REST "\"caChain\":[],\"authentication\":{\"method\":\"mtls\"}}"

static void not_identities(void **state)
{
    static const struct {
        const char *body, *agent;
        enum err_class cls;
        const char *says;
    } rows[] = {
        { "[]", NULL, ERR_PROTO, "not an object" },
        { "{}", NULL, ERR_PROTO, "agentId: missing" },
        { "{\"agentId\":\"7\"}", NULL, ERR_PROTO, "is not a GUID" },
        { "{\"agentId\":\"" ID "\"," REST, NULL, ERR_PROTO, "certificate: missing" },
        { "{\"agentId\":\"" ID "\",\"certificate\":7," REST, NULL, ERR_PROTO,
            "certificate: not a string" },
        { "{\"agentId\":\"" ID "\",\"certificate\":\"MAA\"," REST, NULL, ERR_PROTO,
            "certificate: " },
        { "{\"agentId\":\"" ID "\",\"certificate\":\"MAA=\"," REST, NULL, ERR_PROTO,
            "certificate: " },
        { "{\"agentId\":\"" ID "\",\"certificate\":\"CA\"," REST, NULL, ERR_MISMATCH,
            "certificate: not for the key that was sent" },
        { "{\"agentId\":\"" ID "\",\"certificate\":\"LEAF\",\"caChain\":[\"MAA=\"],"
          "\"authentication\":{\"method\":\"mtls\"}}",
            NULL, ERR_PROTO, "caChain[0]" },
        { "{\"agentId\":\"" ID "\",\"certificate\":\"LEAF\",\"caChain\":[1],"
          "\"authentication\":{\"method\":\"mtls\"}}",
            NULL, ERR_PROTO, "caChain[0]: not a string" },
        { "{\"agentId\":\"" ID "\",\"certificate\":\"LEAF\",\"caChain\":["
          "1,2,3,4,5,6,7,8,9],\"authentication\":{\"method\":\"mtls\"}}",
            NULL, ERR_PROTO, "caChain: 9 elements" },
        { "{\"agentId\":\"" ID "\",\"certificate\":\"LEAF\"}", NULL, ERR_PROTO,
            "authentication: missing" },
        { "{\"agentId\":\"" ID "\",\"certificate\":\"LEAF\",\"authentication\":{}}", NULL,
            ERR_PROTO, "method: missing" },
        { "{\"agentId\":\"" ID
          "\",\"certificate\":\"LEAF\",\"authentication\":{\"method\":\"tls\"}}",
            NULL, ERR_UNSUPPORTED, "only mtls, private_key_jwt" },
        { "{\"agentId\":\"" ID "\",\"certificate\":\"LEAF\",\"authentication\":{\"method\":"
          "\"private_key_jwt\"}}",
            NULL, ERR_PROTO, "tokenEndpoint: missing" },
        { "{\"agentId\":\"" ID "\",\"certificate\":\"LEAF\",\"authentication\":{\"method\":"
          "\"private_key_jwt\",\"tokenEndpoint\":\"http://x\"}}",
            NULL, ERR_PROTO, "tokenEndpoint: URL" },
        { MTLS, "00000000-1111-2222-3333-444444444444", ERR_MISMATCH, "but we are 00000000" },
        { "{\"agentId\":\"" ID
          "\",\"certificate\":\"LEAF\",\"authentication\":{\"method\":\"mtls\"},"
          "\"pollAfterSeconds\":-1}",
            NULL, ERR_PROTO, "pollAfterSeconds" },
    };
    struct ccp_identity i = CCP_IDENTITY_INIT;
    struct buf body = BUF_INIT(ROOM);

    (void)state;
    for (size_t n = 0; n < sizeof rows / sizeof rows[0]; n++) {
        T_ERR_SAYS(ccp_identity_parse(filled(rows[n].body, &body), buf_view(&w.spki), rows[n].agent,
                       ISSUE_NOW, &i, &e),
            rows[n].cls, rows[n].says);
        assert_null(i.certificate.p);
        assert_string_equal(i.agent_id, "");
    }
    buf_free(&body);
}

/* Five minutes of a wrong clock are forgiven where that costs nothing: before, not after. */
static void clocks(void **state)
{
    static const struct {
        int64_t now;
        bool good;
    } rows[] = {
        { ISSUE_NOW - 300, true },
        { ISSUE_NOW - 301, false },
        { ISSUE_NOW + 90 * ISSUE_DAY - 1, true },
        { ISSUE_NOW + 90 * ISSUE_DAY, false },
    };
    struct ccp_identity i = CCP_IDENTITY_INIT;
    struct buf body = BUF_INIT(ROOM);

    (void)state;
    (void)filled(MTLS, &body);
    for (size_t n = 0; n < sizeof rows / sizeof rows[0]; n++) {
        if (rows[n].good)
            T_OK(ccp_identity_parse(buf_view(&body), buf_view(&w.spki), NULL, rows[n].now, &i, &e));
        else
            T_ERR_SAYS(
                ccp_identity_parse(buf_view(&body), buf_view(&w.spki), NULL, rows[n].now, &i, &e),
                ERR_EXPIRED, "is this machine's clock right?");
    }
    ccp_identity_free(&i);
    buf_free(&body);
}

static void no_memory(void **state)
{
    struct buf body = BUF_INIT(ROOM);
    unsigned long n = 0, needed;
    int rc;

    (void)state;
    (void)filled(MTLS, &body);
    do {
        struct ccp_identity i = CCP_IDENTITY_INIT;

        mem_fail_after(++n);
        rc = ccp_identity_parse(buf_view(&body), buf_view(&w.spki), NULL, ISSUE_NOW, &i, &e);
        needed = mem_count();
        mem_fail_after(0);
        if (rc != 0) {
            if (e.cls != ERR_NOMEM)
                fail_msg("allocation %lu: %s %s", n, err_name(e.cls), e.msg);
            assert_null(i.certificate.p);
        }
        ccp_identity_free(&i);
    } while (n <= needed);
    assert_true(n > 3);
    buf_free(&body);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(discovery_urls),
        cmocka_unit_test(discovery),
        cmocka_unit_test(requests),
        cmocka_unit_test_setup_teardown(identities, make_world, free_world),
        cmocka_unit_test_setup_teardown(not_identities, make_world, free_world),
        cmocka_unit_test_setup_teardown(clocks, make_world, free_world),
        cmocka_unit_test_setup_teardown(no_memory, make_world, free_world),
    };
    int failed;

    if ((lib = lib_new(&e)) == NULL)
        return 1;
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    lib_free(lib);
    return failed;
}
