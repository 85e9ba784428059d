/* The HTTPS listener: which protocols and certificates, tickets, reload, and what a stranger may send. */
#include "test/unit/agent_listen.h"
#include "certs/mem.h"
#include "test/live/tls_certs.h"

#define GET(path) "GET " path " HTTP/1.1\r\nHost: x\r\n\r\n"

static struct tls_certs certs;
static EVP_PKEY *rsa_key;
static X509 *rsa_server;

static int tls_begin(void **state)
{
    struct issue s;

    if (listen_begin(state) != 0)
        return -1;
    tls_certs_make(&certs);
    rsa_key = issue_key("rsa2048");
    s = (struct issue){ .subject = "CN=rsa server",
        .key = rsa_key,
        .issuer = certs.root,
        .issuer_key = certs.root_key,
        .begin = time(NULL) - ISSUE_DAY,
        .end = time(NULL) + 3 * ISSUE_DAY,
        .ext = { { "subjectAltName", "@DNS=server.example" } } };
    rsa_server = issue(&s);
    tls_write("ec.pem", certs.server, NULL);
    tls_write("ec.key", NULL, certs.key);
    tls_write("rsa.pem", rsa_server, NULL);
    tls_write("rsa.key", NULL, rsa_key);
    return 0;
}

static int tls_end(void **state)
{
    tls_certs_free(&certs);
    EVP_PKEY_free(rsa_key);
    X509_free(rsa_server);
    return listen_end(state);
}

#define TLS_TEST(fn) cmocka_unit_test_setup_teardown(fn, tls_begin, tls_end)

static struct io_listen_conf tls_conf(bool ec, bool rsa)
{
    static char paths[4][DIR_PATH_LEN];
    static const char *const names[] = { "ec.pem", "ec.key", "rsa.pem", "rsa.key" };
    struct io_listen_conf c = listen_conf();
    size_t n = 0;

    for (size_t i = 0; i < 4; i++)
        (void)snprintf(paths[i], sizeof paths[i], "%s", dir_path(names[i]));
    if (rsa) {
        c.certificate_file[n] = paths[2];
        c.key_file[n++] = paths[3];
    }
    if (ec) {
        c.certificate_file[n] = paths[0];
        c.key_file[n++] = paths[1];
    }
    return c;
}

/* ---- clients ---------------------------------------------------------------------------------------- */

static void tls_open(struct client *c, SSL_CTX *ctx)
{
    client_open(c);
    assert_int_equal(SSL_set_fd(c->tls = SSL_new(ctx), c->fd), 1);
    assert_true(fcntl(c->fd, F_SETFL, O_NONBLOCK) == 0);
}

static bool tls_connect(struct client *c)
{
    int rc;

    for (int i = 0; i < 4000; i++) {
        if ((rc = SSL_connect(c->tls)) == 1)
            return true;
        if (SSL_get_error(c->tls, rc) != SSL_ERROR_WANT_READ)
            return false;
        run_for(1);
    }
    return false;
}

static bool shake_hands(struct client *c, SSL_CTX *ctx, SSL_SESSION *session)
{
    tls_open(c, ctx);
    if (session != NULL)
        assert_int_equal(SSL_set_session(c->tls, session), 1);
    return tls_connect(c);
}

static SSL_CTX *client_ctx(int version)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());

    assert_non_null(ctx);
    if (version != 0) {
        (void)SSL_CTX_set_min_proto_version(ctx, version);
        (void)SSL_CTX_set_max_proto_version(ctx, version);
        if (version < TLS1_2_VERSION)
            (void)SSL_CTX_set_cipher_list(ctx, "ALL:@SECLEVEL=0");
    }
    return ctx;
}

static int served_key(const struct client *c)
{
    X509 *x = SSL_get0_peer_certificate(c->tls);

    return x != NULL ? EVP_PKEY_get_base_id(X509_get0_pubkey(x)) : 0;
}

/* ---- what is spoken ---------------------------------------------------------------------------------- */

static void versions(void **state)
{
    static const struct {
        int version;
        bool good;
    } cases[] = { { TLS1_VERSION, false }, { TLS1_1_VERSION, false }, { TLS1_2_VERSION, true },
        { TLS1_3_VERSION, true } };

    (void)state;
    listen_with(tls_conf(true, false));
    assert_true(io_listen_is_tls(listening));
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        SSL_CTX *ctx = client_ctx(cases[i].version);
        struct client c;

        if (shake_hands(&c, ctx, NULL) != cases[i].good)
            fail_msg("version %x", (unsigned)cases[i].version);
        if (cases[i].good) {
            client_say(&c, GET("/a"));
            HEARS(&c, "GET /a");
            client_say(&c, GET("/b") GET("/c"));
            HEARS(&c, "GET /c");
            assert_int_equal(SSL_renegotiate_pending(c.tls), 0);
        }
        client_close(&c);
        SSL_CTX_free(ctx);
    }
    wait_connections(0);
}

static int asked_for_certificate;

static int on_certificate_request(SSL *ssl, X509 **x, EVP_PKEY **key)
{
    (void)ssl;
    (void)x;
    (void)key;
    asked_for_certificate++;
    return 0;
}

static void the_client_is_not_asked_who_it_is(void **state)
{
    (void)state;
    listen_with(tls_conf(true, false));
    asked_for_certificate = 0;
    for (int version = TLS1_2_VERSION; version <= TLS1_3_VERSION; version++) {
        SSL_CTX *ctx = client_ctx(version);
        struct client c;

        SSL_CTX_set_client_cert_cb(ctx, on_certificate_request);
        assert_true(shake_hands(&c, ctx, NULL));
        client_say(&c, GET("/a"));
        HEARS(&c, "GET /a");
        client_close(&c);
        SSL_CTX_free(ctx);
    }
    assert_int_equal(asked_for_certificate, 0);
}

static void both_kinds_of_certificate(void **state)
{
    static const struct {
        int version;
        const char *suites, *signatures;
        int key;
    } cases[] = {
        { 0, NULL, NULL, EVP_PKEY_EC }, /* cheaper for us */
        { TLS1_2_VERSION, NULL, NULL, EVP_PKEY_EC },
        { TLS1_2_VERSION, "ECDHE-RSA-AES128-GCM-SHA256", NULL, EVP_PKEY_RSA },
        { TLS1_2_VERSION, "ECDHE-RSA-AES256-SHA384", NULL, EVP_PKEY_RSA }, /* Windows 8.1 */
        { TLS1_3_VERSION, NULL, "RSA-PSS+SHA256", EVP_PKEY_RSA },
        { TLS1_3_VERSION, NULL, "RSA-PSS+SHA256:ECDSA+SHA256", EVP_PKEY_EC },
    };

    (void)state;
    listen_with(tls_conf(true, true));
    assert_in_range(io_listen_expires_at(listening), time(NULL) + ISSUE_DAY - 100, /* the sooner */
        time(NULL) + ISSUE_DAY + 100);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        SSL_CTX *ctx = client_ctx(cases[i].version);
        struct client c;

        if (cases[i].suites != NULL)
            assert_int_equal(SSL_CTX_set_cipher_list(ctx, cases[i].suites), 1);
        if (cases[i].signatures != NULL)
            assert_int_equal(SSL_CTX_set1_sigalgs_list(ctx, cases[i].signatures), 1);
        assert_true(shake_hands(&c, ctx, NULL));
        if (served_key(&c) != cases[i].key)
            fail_msg("case %zu: key %d", i, served_key(&c));
        client_close(&c);
        SSL_CTX_free(ctx);
    }
}

static void application_protocols(void **state)
{
    static const struct {
        const char *offer, *chosen;
    } cases[] = { { "\x02h2\x08http/1.1", "http/1.1" }, { "\x02h2", "" } };

    (void)state;
    listen_with(tls_conf(true, false));
    for (size_t i = 0; i < 2; i++) {
        SSL_CTX *ctx = client_ctx(0);
        const unsigned char *p = NULL;
        unsigned len = 0;
        struct client c;

        (void)SSL_CTX_set_alpn_protos(
            ctx, (const unsigned char *)cases[i].offer, (unsigned)strlen(cases[i].offer));
        assert_true(shake_hands(&c, ctx, NULL));
        SSL_get0_alpn_selected(c.tls, &p, &len);
        assert_int_equal(len, strlen(cases[i].chosen));
        client_close(&c);
        SSL_CTX_free(ctx);
    }
}

/* ---- coming back ----------------------------------------------------------------------------------------- */

static SSL_SESSION *ticket;

static int on_session(SSL *ssl, SSL_SESSION *s)
{
    (void)ssl;
    SSL_SESSION_free(ticket);
    ticket = s;
    return 1;
}

static void tickets(void **state)
{
    (void)state;
    listen_with(tls_conf(true, true));
    for (int version = TLS1_2_VERSION; version <= TLS1_3_VERSION; version++) {
        SSL_CTX *ctx = client_ctx(version);
        struct client c;

        ticket = NULL;
        (void)SSL_CTX_set_session_cache_mode(
            ctx, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
        SSL_CTX_sess_set_new_cb(ctx, on_session);
        for (int i = 0; i < 3; i++) {
            assert_true(shake_hands(&c, ctx, ticket));
            assert_int_equal(SSL_session_reused(c.tls), i > 0);
            client_say(&c, GET("/a"));
            HEARS(&c, "GET /a");
            client_close(&c);
        }
        assert_non_null(ticket);
        SSL_SESSION_free(ticket);
        SSL_CTX_free(ctx);
    }
}

/* ---- reload ------------------------------------------------------------------------------------------------ */

static void reload(void **state)
{
    SSL_CTX *ctx = client_ctx(0);
    struct client before, c;
    struct err e = { 0 };

    (void)state;
    listen_with(tls_conf(true, false));
    assert_true(shake_hands(&before, ctx, NULL));
    assert_int_equal(served_key(&before), EVP_PKEY_EC);
    dir_write("ec.pem", "broken", 0600);
    T_ERR_SAYS(io_listen_reload(listening, &e), ERR_CONFIG, "ec.pem");
    assert_true(shake_hands(&c, ctx, NULL)); /* as before */
    assert_int_equal(served_key(&c), EVP_PKEY_EC);
    client_close(&c);
    tls_write("ec.pem", rsa_server, NULL);
    T_ERR_SAYS(io_listen_reload(listening, &e), ERR_CONFIG, "does not fit");
    tls_write("ec.key", NULL, rsa_key);
    T_OK(io_listen_reload(listening, &e));
    assert_true(shake_hands(&c, ctx, NULL));
    assert_int_equal(served_key(&c), EVP_PKEY_RSA);
    assert_true(io_listen_expires_at(listening) > time(NULL) + 2 * ISSUE_DAY);
    client_say(&c, GET("/new"));
    HEARS(&c, "GET /new");
    client_say(&before, GET("/old")); /* is not disturbed */
    HEARS(&before, "GET /old");
    client_close(&c);
    client_close(&before);
    SSL_CTX_free(ctx);
}

static void plain_listeners_have_nothing_to_reload(void **state)
{
    struct err e = { 0 };

    (void)state;
    listen_with(listen_conf());
    T_OK(io_listen_reload(listening, &e));
}

/* ---- files --------------------------------------------------------------------------------------------------- */

static void refused(struct io_listen_conf c, const char *text)
{
    struct err e = { 0 };

    assert_null(io_listen_open(&c, on_request, &asked, &e));
    if (e.cls != ERR_CONFIG || strstr(e.msg, text) == NULL)
        fail_msg("%s \"%s\", not %s", err_name(e.cls), e.msg, text);
}

static void files_that_do_not_do(void **state)
{
    struct io_listen_conf c = tls_conf(true, false);
    FILE *f;

    (void)state;
    c.key_file[0] = NULL;
    refused(c, "private key is not configured");
    c = tls_conf(true, false);
    c.key_file[0] = tls_conf(true, true).key_file[0]; /* the other one's */
    refused(c, "does not fit");
    c = tls_conf(true, true);
    c.certificate_file[1] = c.certificate_file[0];
    c.key_file[1] = c.key_file[0];
    refused(c, "same kind of key");
    c = tls_conf(true, false);
    assert_int_equal(chmod(dir_path("ec.key"), 0640), 0);
    refused(c, "ec.key: others may read it");
    dir_write("ec.key", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", 0600);
    refused(c, "ec.key: no private key");
    f = fopen(dir_path("ec.key"), "w");
    assert_int_equal(PEM_write_PrivateKey(f, certs.key, EVP_aes_128_cbc(),
                         (const unsigned char *)"pass", 4, NULL, NULL),
        1);
    (void)fclose(f);
    refused(c, "without a passphrase");
    tls_write("ec.key", NULL, certs.key);
    f = fopen(dir_path("ec.pem"), "a");
    (void)fputs("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", f);
    (void)fclose(f);
    refused(c, "behind the first certificate");
    assert_int_equal(unlink(dir_path("ec.pem")), 0);
    refused(c, "ec.pem: No such file");
}

static void the_chain_is_sent(void **state)
{
    SSL_CTX *ctx = client_ctx(0);
    struct client c;
    FILE *f = fopen(dir_path("ec.pem"), "a");

    (void)state;
    assert_int_equal(PEM_write_X509(f, certs.root), 1);
    (void)fclose(f);
    listen_with(tls_conf(true, true));
    assert_true(shake_hands(&c, ctx, NULL));
    assert_int_equal(sk_X509_num(SSL_get_peer_cert_chain(c.tls)), 2);
    client_close(&c);
    (void)SSL_CTX_set1_sigalgs_list(ctx, "RSA-PSS+SHA256"); /* and not with the other certificate */
    assert_true(shake_hands(&c, ctx, NULL));
    assert_int_equal(sk_X509_num(SSL_get_peer_cert_chain(c.tls)), 1);
    client_close(&c);
    SSL_CTX_free(ctx);
}

/* ---- strangers ------------------------------------------------------------------------------------------------ */

static void garbage(void **state)
{
    static const char *const bad[] = { GET("/plain"), "\x16\x03\x01\x00\x05hello",
        "\x16\x03\x01\xff\xff and so on", "\x80\x2e\x01\x00\x02 an old hello",
        "\xff\xff\xff\xff\xff" };

    (void)state;
    listen_with(tls_conf(true, false));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct client c;

        client_open(&c);
        client_send(&c, bad[i], strlen(bad[i]) < 6 ? 6 : strlen(bad[i]));
        (void)shutdown(c.fd, SHUT_WR);
        assert_true(client_ends(&c));
        client_close(&c);
    }
    assert_int_equal(asked, 0);
    wait_connections(0);
}

static void slow_handshakes_are_cut(void **state)
{
    struct io_listen_conf conf = tls_conf(true, false);
    SSL_CTX *ctx = client_ctx(0);
    struct client silent, mute;

    (void)state;
    conf.request_s = 1;
    conf.idle_s = 60;
    listen_with(conf);
    client_open(&silent);
    assert_true(shake_hands(&mute, ctx, NULL)); /* and then no request */
    wait_connections(2);
    run_for(1200);
    assert_true(client_ends(&silent) && client_ends(&mute));
    client_close(&silent);
    client_close(&mute);
    SSL_CTX_free(ctx);
}

static void large_ones_both_ways(void **state)
{
    static char body[100000];
    SSL_CTX *ctx = client_ctx(0);
    struct client c;

    (void)state;
    listen_with(tls_conf(true, false));
    assert_true(shake_hands(&c, ctx, NULL));
    client_say(&c, "POST /b HTTP/1.1\r\nContent-Length: 100000\r\n\r\n");
    client_send(&c, body, sizeof body);
    HEARS(&c, "POST /b#1 100000");
    client_say(&c, GET("/big") GET("/hold") GET("/after"));
    for (int i = 0; i < 4000 && c.in.len < BIG; i++) {
        client_look(&c);
        run_for(1);
    }
    assert_true(c.in.len >= BIG);
    wait_held(1);
    listen_answer(held[0], "meanwhile");
    HEARS(&c, "GET /after#4");
    client_close(&c);
    SSL_CTX_free(ctx);
}

static void gone_before_the_answer(void **state)
{
    SSL_CTX *ctx = client_ctx(0);
    struct client c;

    (void)state;
    listen_with(tls_conf(true, false));
    for (size_t i = 0; i < 2; i++) {
        assert_true(shake_hands(&c, ctx, NULL));
        client_say(&c, GET("/hold"));
        wait_held(i + 1);
        io_on_gone(held[i], on_gone, &gone);
        if (i == 0) /* or else the listener is closed */
            (void)setsockopt(
                c.fd, SOL_SOCKET, SO_LINGER, &(struct linger){ 1, 0 }, sizeof(struct linger));
        if (i == 0)
            client_close(&c);
        else
            io_listen_close(listening);
        wait_for(&gone, i + 1);
    }
    listening = NULL;
    assert_true(client_ends(&c));
    client_close(&c);
    SSL_CTX_free(ctx);
}

/* close_notify comes before the end, so that nobody can cut an answer unnoticed. */
static void a_proper_end(void **state)
{
    SSL_CTX *ctx = client_ctx(0);
    struct client c;

    (void)state;
    listen_with(tls_conf(true, false));
    assert_true(shake_hands(&c, ctx, NULL));
    client_say(&c, GET("/close"));
    HEARS(&c, "GET /close");
    assert_true(client_ends(&c));
    assert_int_equal(SSL_get_shutdown(c.tls) & SSL_RECEIVED_SHUTDOWN, SSL_RECEIVED_SHUTDOWN);
    client_close(&c);
    SSL_CTX_free(ctx);
}

/* ---- memory ---------------------------------------------------------------------------------------------------- */

/* Whatever allocation fails: the connection ends or is served, and the next one is served. */
static void without_memory(void **state)
{
    SSL_CTX *ctx = client_ctx(0);
    struct client c;

    (void)state;
    listen_with(tls_conf(true, false));
    for (unsigned long n = 1; n <= 400; n += n < 60 ? 1 : 7) {
        tls_open(&c, ctx);
        mem_fail_after(n);
        if (tls_connect(&c)) {
            client_say(&c, GET("/a"));
            (void)client_hears(&c, "GET /a");
        }
        mem_fail_after(0);
        client_close(&c);
        wait_connections(0);
    }
    assert_true(shake_hands(&c, ctx, NULL));
    client_say(&c, GET("/a"));
    HEARS(&c, "GET /a");
    client_close(&c);
    SSL_CTX_free(ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TLS_TEST(versions),
        TLS_TEST(the_client_is_not_asked_who_it_is),
        TLS_TEST(both_kinds_of_certificate),
        TLS_TEST(application_protocols),
        TLS_TEST(tickets),
        TLS_TEST(reload),
        TLS_TEST(plain_listeners_have_nothing_to_reload),
        TLS_TEST(files_that_do_not_do),
        TLS_TEST(the_chain_is_sent),
        TLS_TEST(garbage),
        TLS_TEST(slow_handshakes_are_cut),
        TLS_TEST(large_ones_both_ways),
        TLS_TEST(gone_before_the_answer),
        TLS_TEST(a_proper_end),
        TLS_TEST(without_memory),
    };

    mem_torture_openssl();
    return cmocka_run_group_tests_name("agent_io_listen_tls", tests, NULL, NULL);
}
