/* Who we talk to, over real sockets: trust, credentials, client certificates, forbidden addresses. */
#include "test/t.h"
#include <netdb.h>
#include "agent/base/fs.h"
#include "certs/text.h"
#include "test/live/fetch.h"

static const struct server_answer answers[] = {
    { "/echo", NULL, THEN_KEEP, 0 },
    { NULL, NULL, THEN_KEEP, 0 },
};

static int begin(void **state)
{
    (void)state;
    return fetch_begin(answers);
}

static int end(void **state)
{
    (void)state;
    return fetch_end();
}

static void fetch_by(struct fetch *f, struct io_peer *p)
{
    struct http_req q = fetch_get(server_url(&server, "/echo"));

    fetch(f, p, &q);
}

static void failed(const struct fetch *f, enum err_class cls)
{
    if (!f->failed || f->err.cls != cls || f->sent)
        fail_msg(
            "failed %d: %s \"%s\", sent %d", f->failed, err_name(f->err.cls), f->err.msg, f->sent);
}

/* ---- trust ---- */

static void only_our_root_is_trusted(void **state)
{
    struct io_peer *other =
        peer_with((struct io_peer_conf){ .trust_file = dir_path("other.pem"), .http1 = true });
    struct fetch f;

    (void)state;
    fetch_by(&f, other);
    failed(&f, ERR_TRUST);
    assert_int_equal(atomic_load(&server.requests), 0);
    fetch_by(&f, peer);
    assert_false(f.failed);
    fetch_by(&f, other); /* neither the connection nor the session of the other peer is used */
    failed(&f, ERR_TRUST);
    assert_int_equal(atomic_load(&server.requests), 1);
    io_peer_free(other);
}

static void try_certificate(X509 *certificate, const char *host)
{
    struct server s;
    struct http_req q;
    struct fetch f;
    char url[100];

    server_start(&s, answers, certificate, certs.key);
    (void)snprintf(url, sizeof url, "https://%s:%u/echo", host, s.port);
    q = fetch_get(url);
    fetch(&f, peer, &q);
    failed(&f, ERR_TRUST);
    assert_int_equal(atomic_load(&s.requests), 0);
    server_stop(&s);
}

static void certificates_that_do_not_fit(void **state)
{
    (void)state;
    try_certificate(certs.expired, "127.0.0.1");
    try_certificate(certs.nameless, "127.0.0.1"); /* its CN is not looked at */
    try_certificate(certs.client, "127.0.0.1");
}

static void a_trust_file_that_is_none(void **state)
{
    struct io_peer *p;
    struct fetch f;

    (void)state;
    dir_write("junk.pem", "no certificate at all", 0644);
    p = peer_with((struct io_peer_conf){ .trust_file = dir_path("junk.pem"), .http1 = true });
    fetch_by(&f, p);
    failed(&f, ERR_CONFIG);
    io_peer_free(p);
}

static void files_are_checked_at_once(void **state)
{
    struct io_peer_conf c = { .name = "issuing1", .trust_file = dir_path("none.pem") };
    struct err e;

    (void)state;
    assert_null(io_peer_new(&c, &e));
    assert_int_equal(e.cls, ERR_CONFIG);
    assert_non_null(strstr(e.msg, "issuing1: trust: "));
    assert_int_equal(chmod(dir_path("client.key"), 0640), 0);
    c = (struct io_peer_conf){ .name = "issuing1",
        .certificate_file = dir_path("client.pem"),
        .key_file = dir_path("client.key") };
    assert_null(io_peer_new(&c, &e));
    assert_int_equal(e.cls, ERR_CONFIG);
    assert_non_null(strstr(e.msg, "others may read it"));
    io_peer_free(NULL);
}

/* ---- who we are ---- */

static void basic_credentials_go_to_their_peer_only(void **state)
{
    struct buf expected = BUF_INIT(200);
    struct io_peer *basic;
    struct fetch f;

    (void)state;
    dir_write("secret", "svc-certferry:p\xc3\xa4ss:word\r\nsecond line\n", 0600);
    basic = peer_with((struct io_peer_conf){
        .auth = IO_AUTH_BASIC, .secret_file = dir_path("secret"), .http1 = true });
    buf_add_text(&expected, "\r\nAuthorization: Basic ");
    base64_add(&expected, view_text("svc-certferry:p\xc3\xa4ss:word"));
    buf_add_text(&expected, "\r\n");
    for (int i = 0; i < 3; i++) { /* the same host, the same connections */
        fetch_by(&f, basic);
        assert_false(f.failed);
        assert_non_null(strstr(server.last, buf_text(&expected)));
        fetch_by(&f, peer);
        assert_false(f.failed);
        assert_null(strcasestr(server.last, "Authorization"));
    }
    io_peer_free(basic);
    buf_free(&expected);
}

static void a_bearer_token(void **state)
{
    struct io_peer *p;
    struct fetch f;

    (void)state;
    dir_write("token", "eyJhbGciOi.J9.abc-_\n", 0600);
    p = peer_with(
        (struct io_peer_conf){ .auth = IO_AUTH_BEARER, .secret_file = dir_path("token") });
    fetch_by(&f, p);
    assert_false(f.failed);
    assert_non_null(strstr(server.last, "\r\nAuthorization: Bearer eyJhbGciOi.J9.abc-_\r\n"));
    fetch_by(&f, peer);
    assert_null(strcasestr(server.last, "Authorization"));
    io_peer_free(p);
}

static void the_client_certificate(void **state)
{
    struct io_peer *known =
        peer_with((struct io_peer_conf){ .certificate_file = dir_path("client.pem"),
            .key_file = dir_path("client.key"),
            .http1 = true });
    struct fetch f;

    (void)state;
    for (int i = 0; i < 3; i++) { /* never over the connection of the other one */
        fetch_by(&f, known);
        assert_false(f.failed);
        assert_string_equal(f.location, "connector-7");
        fetch_by(&f, peer);
        assert_false(f.failed);
        assert_string_equal(f.location, "nobody");
    }
    io_peer_free(known);
}

/* A sealed identity never becomes a file: certificate and key are given in memory. */
static void the_client_certificate_from_memory(void **state)
{
    struct buf certificate = BUF_INIT(8192), key = BUF_SECRET(8192), wrong = BUF_SECRET(8192);
    struct io_peer *known, *not_its;
    struct fetch f;
    struct err e = { 0 };

    (void)state;
    tls_write("wrong.key", NULL, certs.root_key);
    T_OK(fs_read(dir_path("client.pem"), &certificate, &e));
    T_OK(fs_read(dir_path("client.key"), &key, &e));
    T_OK(fs_read(dir_path("wrong.key"), &wrong, &e));
    known = peer_with((struct io_peer_conf){
        .certificate = buf_view(&certificate), .key = buf_view(&key), .http1 = true });
    not_its = peer_with((struct io_peer_conf){
        .certificate = buf_view(&certificate), .key = buf_view(&wrong), .http1 = true });
    buf_free(&certificate); /* they were copied */
    buf_free(&key);
    buf_free(&wrong);
    fetch_by(&f, not_its);
    failed(&f, ERR_CONFIG);
    for (int i = 0; i < 3; i++) { /* never over the connection of the other one */
        fetch_by(&f, known);
        assert_false(f.failed);
        assert_string_equal(f.location, "connector-7");
        fetch_by(&f, peer);
        assert_false(f.failed);
        assert_string_equal(f.location, "nobody");
    }
    io_peer_free(known);
    io_peer_free(not_its);
}

static void a_key_that_does_not_fit(void **state)
{
    struct io_peer *p;
    struct fetch f;

    (void)state;
    tls_write("wrong.key", NULL, certs.root_key);
    p = peer_with((struct io_peer_conf){
        .certificate_file = dir_path("client.pem"), .key_file = dir_path("wrong.key") });
    fetch_by(&f, p);
    failed(&f, ERR_CONFIG);
    io_peer_free(p);
}

/* NTLM takes three rounds over one connection, and only the last one has the body. */
static const struct server_answer *ntlm(const char *request)
{
    static const struct server_answer ask = { "",
        "HTTP/1.1 401 No\r\nWWW-Authenticate: NTLM\r\n"
        "Content-Length: 0\r\n\r\n",
        THEN_KEEP, 0 };
    /* A challenge as MS-NLMP 2.2.1.2 has it: no target, Unicode and NTLM, eight bytes of challenge. */
    static const struct server_answer challenge = { "",
        "HTTP/1.1 401 No\r\nWWW-Authenticate: NTLM "
        "TlRMTVNTUAACAAAAAAAAADgAAAABAoAAASNFZ4mrze8AAAAAAAAAAAAAAAA4AAAA\r\n"
        "Content-Length: 0\r\n\r\n",
        THEN_KEEP, 0 };

    if (strcasestr(request, "\r\nAuthorization: NTLM TlRMTVNTUAAD") != NULL)
        return NULL;
    return strcasestr(request, "\r\nAuthorization: NTLM TlRMTVNTUAAB") != NULL ? &challenge : &ask;
}

static void ntlm_carries_the_body_once(void **state)
{
    struct http_req q = fetch_get(server_url(&server, "/echo"));
    struct io_peer *p;
    struct fetch f;

    (void)state;
    server.choose = ntlm;
    dir_write("secret", "CONTOSO\\svc:password", 0600);
    p = peer_with((struct io_peer_conf){
        .auth = IO_AUTH_NTLM, .secret_file = dir_path("secret"), .http1 = true });
    q.method = "POST";
    q.body = view_text("a CSR");
    for (int i = 0; i < 3; i++) {
        fetch(&f, p, &q);
        assert_false(f.failed);
        assert_int_equal(f.status, 200);
        assert_non_null(strstr(server.last, "\r\n\r\na CSR"));
        assert_null(strstr(server.last, "password"));
    }
    io_peer_free(p);
}

/* ---- the environment ---- */

static void the_environment_is_not_asked(void **state)
{
    static const char *const proxies[] = { "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY" };
    struct fetch f;

    (void)state;
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(setenv(proxies[i], "http://127.0.0.1:1", 1), 0);
    dir_write(".netrc", "machine 127.0.0.1 login somebody password secret\n", 0600);
    assert_int_equal(setenv("HOME", dir_root, 1), 0);
    assert_int_equal(setenv("CURL_CA_BUNDLE", dir_path("none"), 1), 0);
    assert_int_equal(setenv("SSL_CERT_FILE", dir_path("none"), 1), 0);
    fetch_by(&f, peer);
    assert_false(f.failed);
    assert_null(strcasestr(server.last, "Authorization"));
    for (size_t i = 0; i < 4; i++)
        (void)unsetenv(proxies[i]);
    (void)unsetenv("CURL_CA_BUNDLE");
    (void)unsetenv("SSL_CERT_FILE");
}

/* ---- addresses ---- */

static const struct {
    const char *name, *address;
} hosts[] = {
    { "loop.peer.example", "127.0.0.1" },
    { "loop2.peer.example", "127.8.9.10" },
    { "zero.peer.example", "0.0.0.0" },
    { "metadata.peer.example", "169.254.169.254" },
    { "loop6.peer.example", "::1" },
    { "zero6.peer.example", "::" },
    { "link6.peer.example", "fe80::1" },
    { "mapped.peer.example", "::ffff:127.0.0.1" },
    { "mapped2.peer.example", "::ffff:169.254.169.254" },
    { "compatible.peer.example", "::127.0.0.1" },
};

/* In place of the system's: names in a zone that nobody serves. */
int getaddrinfo(
    const char *name, const char *service, const struct addrinfo *hints, struct addrinfo **out)
{
    struct room {
        struct addrinfo a;
        union {
            struct sockaddr_in in;
            struct sockaddr_in6 in6;
        } address;
    } * r;

    (void)hints;
    for (size_t i = 0; i < sizeof hosts / sizeof hosts[0]; i++) {
        bool six = strchr(hosts[i].address, ':') != NULL;
        in_port_t port = htons((uint16_t)(service != NULL ? strtoul(service, NULL, 10) : 0));

        if (strcmp(name, hosts[i].name) != 0)
            continue;
        r = calloc(1, sizeof *r);
        r->a.ai_family = six ? AF_INET6 : AF_INET;
        r->a.ai_socktype = SOCK_STREAM;
        r->a.ai_protocol = IPPROTO_TCP;
        r->a.ai_addr = (struct sockaddr *)(void *)&r->address;
        r->a.ai_addrlen = six ? sizeof r->address.in6 : sizeof r->address.in;
        r->a.ai_addr->sa_family = (sa_family_t)r->a.ai_family;
        r->address.in.sin_port = port; /* the same place in both */
        if (inet_pton(r->a.ai_family, hosts[i].address,
                six ? (void *)&r->address.in6.sin6_addr : (void *)&r->address.in.sin_addr)
            != 1)
            abort();
        *out = &r->a;
        return 0;
    }
    return EAI_NONAME;
}

void freeaddrinfo(struct addrinfo *a)
{
    free(a);
}

/* A name that leads to this machine, or to one that hands out credentials, is never connected to. */
static void names_that_lead_home(void **state)
{
    struct http_req q;
    struct fetch f;
    char url[100];

    (void)state;
    for (size_t i = 0; i < sizeof hosts / sizeof hosts[0]; i++) {
        (void)snprintf(url, sizeof url, "https://%s:%u/echo", hosts[i].name, server.port);
        q = fetch_get(url);
        q.timeout_ms = 2000;
        fetch(&f, peer, &q);
        if (!f.failed || f.err.cls != ERR_CONFIG)
            fail_msg("%s was not vetoed: %s", hosts[i].address, f.failed ? f.err.msg : "answered");
        failed(&f, ERR_CONFIG);
        assert_non_null(strstr(f.err.msg, hosts[i].name));
    }
    assert_int_equal(atomic_load(&server.accepted), 0);
    q = fetch_get("https://nowhere.peer.example/");
    fetch(&f, peer, &q);
    failed(&f, ERR_NET);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(only_our_root_is_trusted),
        TEST(certificates_that_do_not_fit),
        TEST(a_trust_file_that_is_none),
        TEST(files_are_checked_at_once),
        TEST(basic_credentials_go_to_their_peer_only),
        TEST(a_bearer_token),
        TEST(the_client_certificate),
        TEST(the_client_certificate_from_memory),
        TEST(a_key_that_does_not_fit),
        TEST(ntlm_carries_the_body_once),
        TEST(the_environment_is_not_asked),
        TEST(names_that_lead_home),
    };

    return cmocka_run_group_tests_name("agent_io_peer", tests, NULL, NULL);
}
